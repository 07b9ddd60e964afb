//! Commands on lists.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{
        Arg, AtMostOne, Count, CountedKeys, Key, Kind, Member, Negatable, Rest, Shape, Words, one_of,
        options, slice_range,
    },
    reply::{Array, Done, Reply, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        list::{List, NodeLimit, Side},
        number::{Digits, parse_count, write_i64},
    },
    keyspace::Event,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "list";
    /// Adds elements at the head of a list, one after the other, creating it when missing; returns its length.
    "LPUSH" = lpush(key, elements) since "1.0.0" [WRITE DENYOOM FAST] O("1) for each element added, so O(N");
    /// Adds elements at the tail of a list, creating it when missing; returns its length.
    "RPUSH" = rpush(key, elements) since "1.0.0" [WRITE DENYOOM FAST] O("1) for each element added, so O(N");
    /// Adds elements at the head of a list that exists; returns its length.
    "LPUSHX" = lpushx(key, elements) since "2.2.0" [WRITE DENYOOM FAST] O("1) for each element added, so O(N");
    /// Adds elements at the tail of a list that exists; returns its length.
    "RPUSHX" = rpushx(key, elements) since "2.2.0" [WRITE DENYOOM FAST] O("1) for each element added, so O(N");
    /// Removes and returns the first elements of a list.
    "LPOP" = lpop(key, count) since "1.0.0" [WRITE FAST] O("N) where N is the number of elements returned");
    /// Removes and returns the last elements of a list.
    "RPOP" = rpop(key, count) since "1.0.0" [WRITE FAST] O("N) where N is the number of elements returned");
    /// Removes and returns elements from an end of the first of several lists that has any.
    "LMPOP" = lmpop(keys, from, most) since "7.0.0" [WRITE] O("N+M) where N is the number of keys and M the number of elements returned");
    /// Returns the length of a list.
    "LLEN" = llen(key) since "1.0.0" [READONLY FAST] O("1");
    /// Returns the elements between two positions, negative ones from the end.
    "LRANGE" = lrange(key, start, stop) since "1.0.0" [READONLY] O("S+N) where S is the distance of start from the nearer end and N the number of elements");
    /// Returns an element by its position, negative from the end.
    "LINDEX" = lindex(key, index) since "1.0.0" [READONLY] O("N) where N is the number of elements to traverse");
    /// Replaces an element by its position, negative from the end.
    "LSET" = lset(key, index, element) since "1.0.0" [WRITE DENYOOM] O("N) where N is the length of the list");
    /// Removes elements that are equal to one: the first count, the last -count, or all with 0; returns how many.
    "LREM" = lrem(key, count, element) since "1.0.0" [WRITE] O("N+M) where N is the length of the list and M the number of elements removed");
    /// Keeps the elements between two positions and removes the others.
    "LTRIM" = ltrim(key, start, stop) since "1.0.0" [WRITE] O("N) where N is the number of elements removed");
    /// Puts an element before or after another one; returns the length, or -1 when there is no such other.
    "LINSERT" = linsert(key, place, pivot, element) since "2.2.0" [WRITE DENYOOM] O("N) where N is the number of elements before the pivot");
    /// Returns the positions of elements that are equal to one.
    "LPOS" = lpos(key, element, options) since "6.0.6" [READONLY] O("N) where N is the number of elements");
    /// Moves an element from an end of one list to an end of another, which may be the same; returns it.
    "LMOVE" = lmove(source, destination, from, to) since "6.2.0" [WRITE DENYOOM] O("1");
    /// Moves the last element of a list to the head of another; an older form of LMOVE.
    "RPOPLPUSH" = rpoplpush(source, destination) since "1.2.0" [WRITE DENYOOM] O("1");
};

one_of! {
    /// An end of a list.
    pub(super) enum End { "LEFT" = Left, "RIGHT" = Right }
}

one_of! {
    /// On which side of the pivot LINSERT inserts.
    enum Place { "BEFORE" = Before, "AFTER" = After }
}

impl End {
    fn side(self) -> Side {
        match self {
            End::Left => Side::Front,
            End::Right => Side::Back,
        }
    }

    /// What happens to a list popped from here.
    fn popped(self) -> Event {
        if self == End::Left { Event::LPop } else { Event::RPop }
    }

    /// What happens to a list pushed to here.
    fn pushed(self) -> Event {
        if self == End::Left { Event::LPush } else { Event::RPush }
    }
}

type Elements<'a> = Rest<'a, Member<'a>>;

fn limit(ctx: &Ctx) -> NodeLimit {
    NodeLimit::new(ctx.limits.list_max_listpack_size)
}

fn lpush<'a>(ctx: &mut Ctx, key: Key, elements: Elements<'a>) -> Result<usize> {
    push(ctx, key, elements, Side::Front, true)
}

fn rpush<'a>(ctx: &mut Ctx, key: Key, elements: Elements<'a>) -> Result<usize> {
    push(ctx, key, elements, Side::Back, true)
}

fn lpushx<'a>(ctx: &mut Ctx, key: Key, elements: Elements<'a>) -> Result<usize> {
    push(ctx, key, elements, Side::Front, false)
}

fn rpushx<'a>(ctx: &mut Ctx, key: Key, elements: Elements<'a>) -> Result<usize> {
    push(ctx, key, elements, Side::Back, false)
}

fn push(ctx: &mut Ctx, key: Key, elements: Elements, side: Side, create: bool) -> Result<usize> {
    let limit = limit(ctx);
    let mut list = match create {
        true => ctx.write_or_create::<List>(key)?,
        false => match ctx.write::<List>(key)? {
            Some(list) => list,
            None => return Ok(0),
        },
    };
    let len = {
        let list = &mut *list;
        elements.iter().for_each(|element| list.push(side, element.0, limit));
        list.len()
    };
    list.changed(if side == Side::Front { Event::LPush } else { Event::RPush });
    Ok(len)
}

/// `COUNT count`: how many elements LMPOP and BLMPOP pop at most; one when it is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most(pub(super) usize);

impl Arg<'_> for Most {
    const SHAPE: Shape =
        Shape::Maybe(&Shape::Group(&[Shape::Token("COUNT"), Shape::Word("count", Kind::Integer)]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if !words.take_with("COUNT", 1) {
            return Ok(Most(1));
        }
        let most = parse_count(words.next()?).filter(|&n| n > 0);
        most.map(Most).ok_or(Error::refused("ERR count should be greater than 0"))
    }
}

/// Elements removed from the list under a key.
pub(super) struct PoppedFrom<'a> {
    pub(super) key: Key<'a>,
    pub(super) elements: Vec<Vec<u8>>,
}

impl Reply for Option<PoppedFrom<'_>> {
    const TS: &'static str = "[Bytes, Bytes[]] | null";
    fn write(self, out: &mut Writer<'_>) {
        let Some(PoppedFrom { key, elements }) = self else { return out.null_array() };
        out.array(2);
        out.bulk(key.0);
        out.array(elements.len());
        elements.iter().for_each(|element| out.bulk(element));
    }
}

typed! {
    /// An element, or with a count several.
    Popped = "Bytes | Bytes[] | null";
    /// A position, or with COUNT several.
    Positions = "number | number[] | null";
}

fn lpop<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    count: AtMostOne<Count>,
) -> Result<Written<Popped, impl FnOnce(&mut Writer) + use<'c>>> {
    pop(ctx, key, count.0, Side::Front)
}

fn rpop<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    count: AtMostOne<Count>,
) -> Result<Written<Popped, impl FnOnce(&mut Writer) + use<'c>>> {
    pop(ctx, key, count.0, Side::Back)
}

fn pop<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    count: Option<Count>,
    side: Side,
) -> Result<Written<Popped, impl FnOnce(&mut Writer) + use<'c>>> {
    let limit = limit(ctx);
    let list = ctx.write::<List>(key)?;
    Ok(Written::new(move |out| match (list, count) {
        (Some(mut list), count) => {
            let most = count.map_or(1, |count| count.0).min(list.len());
            if count.is_some() {
                out.array(most);
            }
            for _ in 0..most {
                list.pop_with(side, limit, |element| out.bulk(element.text(&mut Digits::new())));
            }
            if most > 0 {
                list.changed(if side == Side::Front { Event::LPop } else { Event::RPop });
            }
        }
        (None, Some(_)) => out.null_array(),
        (None, None) => out.null(),
    }))
}

fn lmpop<'a>(ctx: &mut Ctx, keys: CountedKeys<'a>, from: End, most: Most) -> Result<Option<PoppedFrom<'a>>> {
    pop_first(ctx, keys.iter(), from, most)
}

/// Removes up to `most` elements from an end of the first list there is, and logs it as a pop from that one.
pub(super) fn pop_first<'a>(
    ctx: &mut Ctx,
    keys: impl Iterator<Item = Key<'a>>,
    from: End,
    most: Most,
) -> Result<Option<PoppedFrom<'a>>> {
    let limit = limit(ctx);
    for key in keys {
        let Some(mut list) = ctx.write::<List>(key)? else { continue };
        let count = most.0.min(list.len());
        let elements = (0..count).filter_map(|_| list.pop(from.side(), limit)).collect();
        list.changed(from.popped());
        let command: &[u8] = if from == End::Left { b"LPOP" } else { b"RPOP" };
        list.log_as(&[command, key.0, write_i64(count as i64, &mut Digits::new())]);
        return Ok(Some(PoppedFrom { key, elements }));
    }
    Ok(None)
}

fn llen(ctx: &mut Ctx, key: Key) -> Result<usize> {
    Ok(ctx.read::<List>(key)?.map_or(0, List::len))
}

fn lrange<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    start: i64,
    stop: i64,
) -> Result<Array<impl ExactSizeIterator<Item = Entry<'c>>>> {
    let list = ctx.read::<List>(key)?;
    let range = list.and_then(|list| {
        let range = slice_range(start, stop, list.len())?;
        Some(list.range(range.start, range.len()))
    });
    Ok(Array(range.unwrap_or_default()))
}

fn lindex<'a, 'c>(ctx: &'c mut Ctx, key: Key, index: Member<'a>) -> Result<Option<Entry<'c>>> {
    let Some(list) = ctx.read::<List>(key)? else { return Ok(None) };
    Ok(list.get(index.integer()?))
}

fn lset<'a>(ctx: &mut Ctx, key: Key, index: Member<'a>, element: Member<'a>) -> Result<Done> {
    let limit = limit(ctx);
    let mut list = ctx.write::<List>(key)?.ok_or(Error::NoSuchKey)?;
    if !list.set(index.integer()?, element.0, limit) {
        return Err(Error::IndexOutOfRange);
    }
    list.changed(Event::LSet);
    Ok(Done)
}

fn lrem(ctx: &mut Ctx, key: Key, count: i64, element: Member) -> Result<usize> {
    let limit = limit(ctx);
    let Some(mut list) = ctx.write::<List>(key)? else { return Ok(0) };
    let side = if count < 0 { Side::Back } else { Side::Front };
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs().min(usize::MAX as u64) as usize };
    let removed = list.remove(side, most, element.0, limit);
    if removed > 0 {
        list.changed(Event::LRem);
    }
    Ok(removed)
}

fn ltrim(ctx: &mut Ctx, key: Key, start: i64, stop: i64) -> Result<Done> {
    let limit = limit(ctx);
    if let Some(mut list) = ctx.write::<List>(key)? {
        let kept = slice_range(start, stop, list.len()).unwrap_or(0..0);
        list.trim(kept.start, kept.len(), limit);
        list.changed(Event::LTrim);
    }
    Ok(Done)
}

fn linsert<'a>(ctx: &mut Ctx, key: Key, place: Place, pivot: Member<'a>, element: Member<'a>) -> Result<i64> {
    let limit = limit(ctx);
    let Some(mut list) = ctx.write::<List>(key)? else { return Ok(0) };
    let side = if place == Place::Before { Side::Front } else { Side::Back };
    if !list.insert(side, pivot.0, element.0, limit) {
        return Ok(-1);
    }
    list.changed(Event::LInsert);
    Ok(list.len() as i64)
}

options! {
    /// The options of LPOS.
    struct LposOptions {
        rank: Option<MatchRank> = "RANK",
        count: Option<MatchCount> = "COUNT",
        max_len: Option<MaxLen> = "MAXLEN",
    }
}

/// Which match LPOS begins with: the first is 1, the last is -1.
#[derive(Clone, Copy, Debug)]
struct MatchRank(i64);

impl Arg<'_> for MatchRank {
    const SHAPE: Shape = i64::SHAPE;
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match Negatable::parse(words)?.0 {
            0 => Err(Error::refused(
                "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
            )),
            rank => Ok(MatchRank(rank)),
        }
    }
}

/// How many positions LPOS returns at most.
#[derive(Clone, Copy, Debug)]
struct MatchCount(usize);

impl Arg<'_> for MatchCount {
    const SHAPE: Shape = i64::SHAPE;
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        number_or_all(words, "ERR COUNT can't be negative").map(MatchCount)
    }
}

/// How many elements LPOS looks at.
#[derive(Clone, Copy, Debug)]
struct MaxLen(usize);

impl Arg<'_> for MaxLen {
    const SHAPE: Shape = i64::SHAPE;
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        number_or_all(words, "ERR MAXLEN can't be negative").map(MaxLen)
    }
}

/// A number of which 0 means all. Whatever is wrong with it, `refusal` is the answer.
fn number_or_all(words: &mut Words, refusal: &'static str) -> Result<usize> {
    match parse_count(words.next()?) {
        Some(0) => Ok(usize::MAX),
        n => n.ok_or(Error::refused(refusal)),
    }
}

fn lpos(
    ctx: &mut Ctx,
    key: Key,
    element: Member,
    options: LposOptions,
) -> Result<Written<Positions, impl FnOnce(&mut Writer) + use<>>> {
    let rank = options.rank.map_or(1, |rank| rank.0);
    let most = options.max_len.map_or(usize::MAX, |most| most.0);
    let wanted = options.count.map_or(1, |count| count.0);
    let from = if rank < 0 { Side::Back } else { Side::Front };
    let skipped = (rank.unsigned_abs() - 1).min(usize::MAX as u64) as usize;
    let found: Vec<usize> = match ctx.read::<List>(key)? {
        Some(list) => list.positions_within(element.0, from, most).skip(skipped).take(wanted).collect(),
        None => Vec::new(),
    };
    Ok(Written::new(move |out| {
        if options.count.is_some() {
            out.array(found.len());
        } else if found.is_empty() {
            out.null();
        }
        found.iter().for_each(|&position| out.integer(position as i64));
    }))
}

fn lmove(ctx: &mut Ctx, source: Key, destination: Key, from: End, to: End) -> Result<Option<Vec<u8>>> {
    transfer(ctx, source, destination, from, to)
}

fn rpoplpush(ctx: &mut Ctx, source: Key, destination: Key) -> Result<Option<Vec<u8>>> {
    transfer(ctx, source, destination, End::Right, End::Left)
}

/// Moves an element from an end of one list to an end of another, and answers it.
pub(super) fn transfer(
    ctx: &mut Ctx,
    source: Key,
    destination: Key,
    from: End,
    to: End,
) -> Result<Option<Vec<u8>>> {
    let limit = limit(ctx);
    let Some(list) = ctx.write::<List>(source)? else { return Ok(None) };
    let Some(element) = list.peek(from.side()).map(|element| element.text(&mut Digits::new()).to_vec())
    else {
        return Ok(None);
    };
    drop(list);
    // Pushed before it is popped: a destination of another kind refuses while the source still has its element, and a
    // list that is its own destination does not go in between.
    let mut list = ctx.write_or_create::<List>(destination)?;
    list.push(to.side(), &element, limit);
    list.changed(to.pushed());
    drop(list);
    if let Some(mut list) = ctx.write::<List>(source)? {
        list.pop(from.side(), limit);
        list.changed(from.popped());
    }
    Ok(Some(element))
}
