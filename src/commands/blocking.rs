//! Commands that take from a list or sorted set and wait when there is nothing to take. They run once more, from the
//! start, whenever a key they wait for has come; what they answer without anything is for clients that may not wait.
//! Who waits, and in which order they are served, is decided in `engine/waiting.rs`.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{Arg, CountedKeys, Key, Keys, Kind, Millis, Shape, Words},
    list::{self, End, Most, transfer},
    reply::Reply,
    sorted_set::{self, PopCount},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{list::List, number::Extended, sorted_set::SortedSet},
    resp::Writer,
};

/// The rows on lists.
pub const LIST_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "list";
    /// Removes and returns the first element of the first of several lists that has any, waiting for one if none has.
    "BLPOP" = blpop(keys, timeout) since "2.0.0" [WRITE BLOCKING] O("N) where N is the number of keys");
    /// Removes and returns the last element of the first of several lists that has any, waiting for one if none has.
    "BRPOP" = brpop(keys, timeout) since "2.0.0" [WRITE BLOCKING] O("N) where N is the number of keys");
    /// Removes and returns elements from an end of the first of several lists that has any, waiting for some if none has.
    "BLMPOP" = blmpop(timeout, keys, from, most) since "7.0.0" [WRITE BLOCKING] O("N+M) where N is the number of keys and M the number of elements returned");
    /// Moves an element from an end of one list to an end of another, waiting for one; returns it.
    "BLMOVE" = blmove(source, destination, from, to, timeout) since "6.2.0" [WRITE DENYOOM BLOCKING] O("1");
    /// Moves the last element of a list to the head of another, waiting for one; an older form of BLMOVE.
    "BRPOPLPUSH" = brpoplpush(source, destination, timeout) since "2.2.0" [WRITE DENYOOM BLOCKING] O("1");
};

/// The rows on sorted sets.
pub const SORTED_SET_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "sorted-set";
    /// Removes and returns the member with the lowest score of the first of several sorted sets that has any, waiting for
    /// one if none has.
    "BZPOPMIN" = bzpopmin(keys, timeout) since "5.0.0" [WRITE FAST BLOCKING] O("log(N)) where N is the number of members");
    /// Removes and returns the member with the highest score of the first of several sorted sets that has any, waiting for
    /// one if none has.
    "BZPOPMAX" = bzpopmax(keys, timeout) since "5.0.0" [WRITE FAST BLOCKING] O("log(N)) where N is the number of members");
    /// Removes and returns the members with the lowest or highest scores of the first of several sorted sets that has
    /// some, waiting for some if none has.
    "BZMPOP" = bzmpop(timeout, keys, end, count) since "7.0.0" [WRITE BLOCKING] O("K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set and M the number of members returned");
};

/// For how long a command waits, in milliseconds; `None` for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timeout(Option<u64>);

impl Timeout {
    const BEYOND: Error = Error::refused("ERR timeout is out of range");

    /// When it is over, in milliseconds since 1970.
    pub(super) fn deadline(self, now_ms: u64) -> Result<Option<u64>> {
        let Some(millis) = self.0 else { return Ok(None) };
        let deadline = now_ms.checked_add(millis).filter(|&at| at <= i64::MAX as u64);
        deadline.map(Some).ok_or(Timeout::BEYOND)
    }
}

/// Milliseconds, as XREAD takes them; 0 for ever.
impl From<Millis> for Timeout {
    fn from(Millis(millis): Millis) -> Timeout {
        Timeout(Some(millis).filter(|&millis| millis > 0))
    }
}

/// Seconds, in fractions if need be.
impl Arg<'_> for Timeout {
    const SHAPE: Shape = Shape::Word("timeout", Kind::Double);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        const UNREADABLE: Error = Error::refused("ERR timeout is not a float or out of range");
        match Extended::parse(words.next()?).ok_or(UNREADABLE)?.thousandths() {
            i64::MAX => Err(Timeout::BEYOND),
            millis => Millis::new(millis).map(Timeout::from),
        }
    }
}

/// An element with the key of its list.
struct Taken<'a>(Key<'a>, Vec<u8>);

impl Reply for Option<Taken<'_>> {
    const TS: &'static str = "[Bytes, Bytes] | null";
    fn write(self, out: &mut Writer<'_>) {
        let Some(Taken(key, element)) = self else { return out.null_array() };
        out.array(2);
        out.bulk(key.0);
        out.bulk(&element);
    }
}

fn blpop<'a>(ctx: &mut Ctx, keys: Keys<'a, 1>, timeout: Timeout) -> Result<Option<Taken<'a>>> {
    take_one(ctx, keys, timeout, End::Left)
}

fn brpop<'a>(ctx: &mut Ctx, keys: Keys<'a, 1>, timeout: Timeout) -> Result<Option<Taken<'a>>> {
    take_one(ctx, keys, timeout, End::Right)
}

fn take_one<'a>(ctx: &mut Ctx, keys: Keys<'a, 1>, timeout: Timeout, from: End) -> Result<Option<Taken<'a>>> {
    let popped = take(ctx, keys.iter(), timeout, from, Most(1))?;
    Ok(popped.and_then(|mut popped| Some(Taken(popped.key, popped.elements.pop()?))))
}

fn blmpop<'a>(
    ctx: &mut Ctx,
    timeout: Timeout,
    keys: CountedKeys<'a>,
    from: End,
    most: Most,
) -> Result<Option<list::PoppedFrom<'a>>> {
    take(ctx, keys.iter(), timeout, from, most)
}

fn take<'a>(
    ctx: &mut Ctx,
    keys: impl Iterator<Item = Key<'a>> + Clone,
    timeout: Timeout,
    from: End,
    most: Most,
) -> Result<Option<list::PoppedFrom<'a>>> {
    let deadline = timeout.deadline(ctx.now_ms())?;
    let popped = list::pop_first(ctx, keys.clone(), from, most)?;
    if popped.is_none() {
        ctx.wait_for::<List>(keys, deadline);
    }
    Ok(popped)
}

fn blmove(ctx: &mut Ctx, source: Key, destination: Key, from: End, to: End, timeout: Timeout) -> Moved {
    let words = |end| if end == End::Left { &b"LEFT"[..] } else { b"RIGHT" };
    let effect = [&b"LMOVE"[..], source.0, destination.0, words(from), words(to)];
    move_one(ctx, [source, destination], [from, to], timeout, &effect)
}

fn brpoplpush(ctx: &mut Ctx, source: Key, destination: Key, timeout: Timeout) -> Moved {
    let effect = [&b"RPOPLPUSH"[..], source.0, destination.0];
    move_one(ctx, [source, destination], [End::Right, End::Left], timeout, &effect)
}

type Moved = Result<Option<Vec<u8>>>;

fn move_one(ctx: &mut Ctx, keys: [Key; 2], ends: [End; 2], timeout: Timeout, effect: &[&[u8]]) -> Moved {
    let deadline = timeout.deadline(ctx.now_ms())?;
    let moved = transfer(ctx, keys[0], keys[1], ends[0], ends[1])?;
    match moved {
        Some(_) => ctx.log_as(effect),
        None => _ = ctx.wait_for::<List>(keys[..1].iter().copied(), deadline),
    }
    Ok(moved)
}

/// A member and its score with the key of its sorted set.
struct Scored<'a>(Key<'a>, Vec<u8>, f64);

impl Reply for Option<Scored<'_>> {
    const TS: &'static str = "[Bytes, Bytes, number] | null";
    fn write(self, out: &mut Writer<'_>) {
        let Some(Scored(key, member, score)) = self else { return out.null_array() };
        out.array(3);
        out.bulk(key.0);
        out.bulk(&member);
        out.double(score);
    }
}

fn bzpopmin<'a>(ctx: &mut Ctx, keys: Keys<'a, 1>, timeout: Timeout) -> Result<Option<Scored<'a>>> {
    take_scored(ctx, keys, timeout, sorted_set::End::Lowest)
}

fn bzpopmax<'a>(ctx: &mut Ctx, keys: Keys<'a, 1>, timeout: Timeout) -> Result<Option<Scored<'a>>> {
    take_scored(ctx, keys, timeout, sorted_set::End::Highest)
}

fn take_scored<'a>(
    ctx: &mut Ctx,
    keys: Keys<'a, 1>,
    timeout: Timeout,
    end: sorted_set::End,
) -> Result<Option<Scored<'a>>> {
    let popped = take_members(ctx, keys.iter(), timeout, end, PopCount(1))?;
    let popped = popped.and_then(|mut popped| Some((popped.key, popped.members.pop()?)));
    Ok(popped.map(|(key, (member, score))| Scored(key, member, score)))
}

fn bzmpop<'a>(
    ctx: &mut Ctx,
    timeout: Timeout,
    keys: CountedKeys<'a>,
    end: sorted_set::End,
    count: PopCount,
) -> Result<Option<sorted_set::PoppedFrom<'a>>> {
    take_members(ctx, keys.iter(), timeout, end, count)
}

fn take_members<'a>(
    ctx: &mut Ctx,
    keys: impl Iterator<Item = Key<'a>> + Clone,
    timeout: Timeout,
    end: sorted_set::End,
    count: PopCount,
) -> Result<Option<sorted_set::PoppedFrom<'a>>> {
    let deadline = timeout.deadline(ctx.now_ms())?;
    let popped = sorted_set::pop_first(ctx, keys.clone(), end, count)?;
    if popped.is_none() {
        ctx.wait_for::<SortedSet>(keys, deadline);
    }
    Ok(popped)
}
