//! Commands on sets.

use alloc::vec::Vec;
use core::ptr;

use super::{
    Command, Ctx,
    args::{Arg, Count, CountedKeys, Key, Keys, Kind, Member, Negatable, Rest, Shape, Words, options},
    reply::{Array, Reply, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        limits::Limits,
        number::{Digits, parse_count, saturated},
        set::{Set, View},
        sorting::sort_by_number,
    },
    keyspace::{Event, Value},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "set";
    /// Adds members to a set, creating it when missing; returns how many are new.
    "SADD" = sadd(key, members) since "1.0.0" [WRITE DENYOOM FAST] O("N) where N is the number of members");
    /// Removes members; returns how many there were.
    "SREM" = srem(key, members) since "1.0.0" [WRITE FAST] O("N) where N is the number of members");
    /// Moves a member to another set.
    "SMOVE" = smove(source, destination, member) since "1.0.0" [WRITE FAST] O("1");
    /// Returns whether a member is in a set.
    "SISMEMBER" = sismember(key, member) since "1.0.0" [READONLY FAST] O("1");
    /// Returns whether each of several members is in a set.
    "SMISMEMBER" = smismember(key, members) since "6.2.0" [READONLY FAST] O("N) where N is the number of members");
    /// Returns all members.
    "SMEMBERS" = smembers(key) since "1.0.0" [READONLY] O("N) where N is the size of the set");
    /// Returns the number of members.
    "SCARD" = scard(key) since "1.0.0" [READONLY FAST] O("1");
    /// Removes and returns members chosen by chance.
    "SPOP" = spop(key, count) since "1.0.0" [WRITE FAST] O("N) where N is the number of members returned");
    /// Returns members chosen by chance; a negative count may return one several times.
    "SRANDMEMBER" = srandmember(key, count) since "1.0.0" [READONLY] O("N) where N is the number of members returned");
    /// Returns the members that are in all of several sets.
    "SINTER" = sinter(keys) since "1.0.0" [READONLY] O("N*M) where N is the size of the smallest set and M the number of sets");
    /// Returns the members that are in any of several sets.
    "SUNION" = sunion(keys) since "1.0.0" [READONLY] O("N) where N is the size of all sets together");
    /// Returns the members of the first set that are in none of the others.
    "SDIFF" = sdiff(keys) since "1.0.0" [READONLY] O("N) where N is the size of all sets together");
    /// Stores the members that are in all of several sets; returns how many.
    "SINTERSTORE" = sinterstore(destination, keys) since "1.0.0" [WRITE DENYOOM] O("N*M) where N is the size of the smallest set and M the number of sets");
    /// Stores the members that are in any of several sets; returns how many.
    "SUNIONSTORE" = sunionstore(destination, keys) since "1.0.0" [WRITE DENYOOM] O("N) where N is the size of all sets together");
    /// Stores the members of the first set that are in none of the others; returns how many.
    "SDIFFSTORE" = sdiffstore(destination, keys) since "1.0.0" [WRITE DENYOOM] O("N) where N is the size of all sets together");
    /// Returns how many members are in all of several sets, counting no further than a limit.
    "SINTERCARD" = sintercard(keys, options) since "7.0.0" [READONLY] O("N*M) where N is the size of the smallest set and M the number of sets");
};

typed! {
    /// Members without order.
    Members = "Bytes[]";
    /// A member, or with a count several.
    Chosen = "Bytes | Bytes[] | null";
}

/// The longest reply of SRANDMEMBER with a negative count.
const MOST_REPEATED: i64 = 1 << 28;

type MemberList<'a> = Rest<'a, Member<'a>>;

fn sadd<'a>(ctx: &mut Ctx, key: Key, members: MemberList<'a>) -> Result<usize> {
    let mut set = ctx.write_or_create::<Set>(key)?;
    let (inner, limits) = set.with_limits();
    if inner.is_empty()
        && let Some(first) = members.iter().next()
    {
        inner.expect(members.len(), first.0, limits);
    }
    let added = members.iter().filter(|member| inner.add(member.0, limits)).count();
    if added > 0 {
        set.changed(Event::SAdd);
    }
    Ok(added)
}

fn srem<'a>(ctx: &mut Ctx, key: Key, members: MemberList<'a>) -> Result<usize> {
    let Some(mut set) = ctx.write::<Set>(key)? else { return Ok(0) };
    let removed = members.iter().filter(|member| set.remove(member.0)).count();
    if removed > 0 {
        set.changed(Event::SRem);
    }
    Ok(removed)
}

fn smove(ctx: &mut Ctx, source: Key, destination: Key, member: Member) -> Result<bool> {
    let Some(has) = ctx.write::<Set>(source)?.map(|set| set.contains(member.0)) else { return Ok(false) };
    let held = ctx.write::<Set>(destination)?.is_some_and(|set| set.contains(member.0));
    if !has || source == destination {
        return Ok(has);
    }
    if let Some(mut set) = ctx.write::<Set>(source)? {
        set.remove(member.0);
        set.changed(Event::SRem);
    }
    if !held {
        let mut set = ctx.write_or_create::<Set>(destination)?;
        let (inner, limits) = set.with_limits();
        inner.add(member.0, limits);
        set.changed(Event::SAdd);
    }
    Ok(true)
}

fn sismember(ctx: &mut Ctx, key: Key, member: Member) -> Result<bool> {
    Ok(ctx.read::<Set>(key)?.is_some_and(|set| set.contains(member.0)))
}

fn smismember<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    members: MemberList<'a>,
) -> Result<Array<impl ExactSizeIterator<Item = bool> + use<'a, 'c>>> {
    let set = ctx.read::<Set>(key)?;
    Ok(Array(members.iter().map(move |member| set.is_some_and(|set| set.contains(member.0)))))
}

fn smembers<'c>(ctx: &'c mut Ctx, key: Key) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<'c>>> {
    let set = ctx.read::<Set>(key)?;
    Ok(Written::new(move |out| match set {
        Some(set) => write_members(out, set),
        None => out.set(0),
    }))
}

fn scard(ctx: &mut Ctx, key: Key) -> Result<usize> {
    Ok(ctx.read::<Set>(key)?.map_or(0, Set::len))
}

fn spop(
    ctx: &mut Ctx,
    key: Key,
    count: Option<Count>,
) -> Result<Written<Chosen, impl FnOnce(&mut Writer) + use<>>> {
    let mut popped = Vec::new();
    if let Some(mut set) = ctx.write::<Set>(key)? {
        let wanted = count.map_or(1, |count| count.0).min(set.len());
        let (inner, random) = set.with_random();
        popped.extend((0..wanted).map_while(|_| inner.pop(&mut || random.next())));
        if !popped.is_empty() {
            set.changed(Event::SPop);
            let words: Vec<&[u8]> =
                [&b"SREM"[..], key.0].into_iter().chain(popped.iter().map(Vec::as_slice)).collect();
            set.log_as(&words);
        }
    }
    Ok(Written::new(move |out| match count {
        Some(_) => write_set(out, &popped),
        None => popped.pop().write(out),
    }))
}

fn srandmember(
    ctx: &mut Ctx,
    key: Key,
    count: Option<Negatable>,
) -> Result<Written<Chosen, impl FnOnce(&mut Writer) + use<>>> {
    let count = count.map(|count| count.0);
    // Members may repeat when the count is negative, so only this bounds the reply.
    if count.is_some_and(|count| count < -MOST_REPEATED) {
        return Err(Error::refused("ERR value is out of range, no reply can be that long"));
    }
    let mut chosen: Vec<Vec<u8>> = Vec::new();
    if let Some(found) = ctx.look_up(key) {
        let limits = ctx.limits.clone();
        let (database, random) = ctx.with_random();
        let set = database.get::<Set>(found).ok_or(Error::WrongType)?;
        let mut random = || random.next();
        let text = |member: Entry| member.text(&mut Digits::new()).to_vec();
        match count {
            None => chosen.extend(set.random(&mut random).map(text)),
            Some(count) if count < 0 => {
                chosen.extend((0..count.unsigned_abs()).map_while(|_| set.random(&mut random).map(text)));
            }
            Some(count) => {
                let members = distinct(set, saturated(count).unwrap_or(usize::MAX), &limits, &mut random);
                chosen.extend(members.into_iter().map(text));
            }
        }
    }
    Ok(Written::new(move |out| match count {
        Some(_) => {
            out.array(chosen.len());
            chosen.iter().for_each(|member| out.bulk(member));
        }
        None => chosen.pop().write(out),
    }))
}

/// Up to `count` members, each once, in an order of chance.
fn distinct<'s>(
    set: &'s Set,
    count: usize,
    limits: &Limits,
    random: &mut impl FnMut() -> u64,
) -> Vec<Entry<'s>> {
    /// A set that has so many times more members than are wanted seldom yields one again.
    const FEW: usize = 3;
    let count = count.min(set.len());
    if matches!(set.view(), View::Table) && count.saturating_mul(FEW) < set.len() {
        return guess(set, count, limits, random);
    }
    // Selection sampling (Knuth, algorithm S) over one pass.
    let (mut left, mut wanted) = (set.len() as u64, count as u64);
    let is_chosen = |_: &Entry| {
        let take = ((random() as u128 * left as u128) >> 64) < wanted as u128;
        left -= 1;
        wanted -= take as u64;
        take
    };
    set.iter().filter(is_chosen).collect()
}

/// Takes members by chance until there are `count` different ones.
fn guess<'s>(
    set: &'s Set,
    count: usize,
    limits: &Limits,
    random: &mut impl FnMut() -> u64,
) -> Vec<Entry<'s>> {
    let (mut seen, mut chosen) = (Set::new(), Vec::with_capacity(count));
    while chosen.len() < count
        && let Some(member) = set.random(random)
    {
        if seen.add(member.text(&mut Digits::new()), limits) {
            chosen.push(member);
        }
    }
    chosen
}

// Several sets ────────────────────────────────────────────────────────────────────────────────────────────────────────

fn sinter<'c>(ctx: &'c mut Ctx, keys: Keys) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<'c>>> {
    let found = intersection(&read_all(ctx, keys.iter())?, usize::MAX);
    Ok(Written::new(move |out| write_entries(out, &found)))
}

fn sunion<'c>(ctx: &'c mut Ctx, keys: Keys) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<'c>>> {
    let limits = ctx.limits.clone();
    let union = union(&read_all(ctx, keys.iter())?, &limits);
    Ok(Written::new(move |out| match union {
        Union::Found(members) => write_entries(out, &members),
        Union::Built(set) => write_members(out, &set),
    }))
}

fn sdiff<'c>(ctx: &'c mut Ctx, keys: Keys) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<'c>>> {
    let limits = ctx.limits.clone();
    let found = difference(&read_all(ctx, keys.iter())?, &limits);
    Ok(Written::new(move |out| write_entries(out, &found)))
}

fn sinterstore(ctx: &mut Ctx, destination: Key, keys: Keys) -> Result<usize> {
    let limits = ctx.limits.clone();
    let found = intersection(&read_all(ctx, keys.iter())?, usize::MAX);
    let result = set_of(&found, &limits);
    Ok(store(ctx, destination, result, Event::SInterStore))
}

fn sunionstore(ctx: &mut Ctx, destination: Key, keys: Keys) -> Result<usize> {
    let limits = ctx.limits.clone();
    let result = build_union(&read_all(ctx, keys.iter())?, &limits);
    Ok(store(ctx, destination, result, Event::SUnionStore))
}

fn sdiffstore(ctx: &mut Ctx, destination: Key, keys: Keys) -> Result<usize> {
    let limits = ctx.limits.clone();
    let sets = read_all(ctx, keys.iter())?;
    let result = match removes_from_copy(&sets) {
        true => build_difference(&sets, &limits),
        false => set_of(&difference(&sets, &limits), &limits),
    };
    Ok(store(ctx, destination, result, Event::SDiffStore))
}

/// The keys of SINTERCARD, which has words of its own for too many of them.
struct CardKeys<'a>(CountedKeys<'a>);

impl<'a> Arg<'a> for CardKeys<'a> {
    const SHAPE: Shape = CountedKeys::SHAPE;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        CountedKeys::parse(words).map(CardKeys).map_err(|error| match error {
            Error::Syntax => Error::refused("ERR Number of keys can't be greater than number of args"),
            error => error,
        })
    }
}

options! {
    /// The options of SINTERCARD.
    struct CardOptions {
        limit: Option<CardLimit> = "LIMIT",
    }
}

/// How far SINTERCARD counts; 0 is to the end.
#[derive(Clone, Copy, Debug)]
struct CardLimit(usize);

impl Arg<'_> for CardLimit {
    const SHAPE: Shape = Shape::Word("limit", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let limit = parse_count(words.next()?);
        limit.map(CardLimit).ok_or(Error::refused("ERR LIMIT can't be negative"))
    }
}

fn sintercard(ctx: &mut Ctx, keys: CardKeys, options: CardOptions) -> Result<usize> {
    let most = options.limit.map(|limit| limit.0).filter(|&most| most > 0).unwrap_or(usize::MAX);
    Ok(intersection(&read_all(ctx, keys.0.iter())?, most).len())
}

/// The sets under several keys. Every key is checked before any is read.
fn read_all<'a, 'c>(ctx: &'c mut Ctx, keys: impl Iterator<Item = Key<'a>>) -> Result<Vec<Option<&'c Set>>> {
    let found: Vec<_> = keys.map(|key| ctx.look_up(key)).collect();
    let get = |found| ctx.database().get::<Set>(found).ok_or(Error::WrongType);
    found.into_iter().map(|found| found.map(get).transpose()).collect()
}

/// Up to `most` of the members that are in all sets.
fn intersection<'c>(sets: &[Option<&'c Set>], most: usize) -> Vec<Entry<'c>> {
    let Some(mut sets) = sets.iter().copied().collect::<Option<Vec<&Set>>>() else { return Vec::new() };
    sort_by_number(&mut sets, |set| set.len() as u64);
    let (smallest, others) = (sets[0], &sets[1..]);
    sift(smallest, others, |member| others.iter().all(|set| set.has(member))).take(most).collect()
}

/// The members of several sets.
enum Union<'c> {
    /// Each once, where they were found.
    Found(Vec<Entry<'c>>),
    /// Gathered.
    Built(Set),
}

/// The members that are in any set. Looking for those of each set in all larger ones leaves nothing to build, which pays
/// while there are few such looks.
fn union<'c>(sets: &[Option<&'c Set>], limits: &Limits) -> Union<'c> {
    let mut sorted: Vec<&'c Set> = sets.iter().copied().flatten().collect();
    sort_by_number(&mut sorted, |set| !(set.len() as u64));
    let all: usize = sorted.iter().map(|set| set.len()).sum();
    let looks: usize = sorted.iter().enumerate().map(|(larger, set)| larger * set.len()).sum();
    if looks > all * LOOKS_OF_AN_INSERT {
        return Union::Built(build_union(sets, limits));
    }
    let mut found = Vec::with_capacity(sorted.first().map_or(0, |set| set.len()));
    for (i, &set) in sorted.iter().enumerate() {
        let larger = &sorted[..i];
        found.extend(sift(set, larger, |member| !larger.iter().any(|other| other.has(member))));
    }
    Union::Found(found)
}

/// The members that are in any set, as a set.
fn build_union(sets: &[Option<&Set>], limits: &Limits) -> Set {
    let largest = sets.iter().copied().flatten().max_by_key(|set| set.len());
    // What is too large to be packed is a table when it is copied, too.
    let most = limits.set_max_intset_entries.max(limits.set_max_listpack_entries);
    let mut union = largest.filter(|set| set.len() > most).cloned().unwrap_or_default();
    for &set in sets.iter().flatten() {
        if union.is_empty() || !largest.is_some_and(|largest| ptr::eq(largest, set) && set.len() > most) {
            add_all(&mut union, set.iter(), limits);
        }
    }
    union
}

/// The members of the first set that are in none of the others. When looking for each in every other set is too much, the
/// others are gathered first.
fn difference<'c>(sets: &[Option<&'c Set>], limits: &Limits) -> Vec<Entry<'c>> {
    let Some(first) = sets[0] else { return Vec::new() };
    let mut others: Vec<&Set> = sets[1..].iter().copied().flatten().collect();
    if others.iter().any(|other| ptr::eq(*other, first)) {
        return Vec::new();
    }
    let all: usize = others.iter().map(|set| set.len()).sum();
    if first.len() * others.len() > first.len() + all * LOOKS_OF_AN_INSERT {
        let gathered = build_union(&sets[1..], limits);
        return sift(first, &[&gathered], |member| !gathered.has(member)).collect();
    }
    sort_by_number(&mut others, |set| !(set.len() as u64));
    sift(first, &others, |member| !others.iter().any(|other| other.has(member))).collect()
}

/// Whether Redis makes the difference from a copy of the first set. It is then in the form that the copy had to take.
fn removes_from_copy(sets: &[Option<&Set>]) -> bool {
    let present = || sets.iter().flatten();
    let all: usize = present().map(|set| set.len()).sum();
    sets[0].is_some_and(|first| first.len() * present().count() / 2 > all)
}

/// The members of the first set that are in none of the others, as what is left of a copy.
fn build_difference(sets: &[Option<&Set>], limits: &Limits) -> Set {
    let mut left = build_union(&sets[..1], limits);
    for set in sets[1..].iter().flatten() {
        set.iter().for_each(|member| {
            left.remove(member.text(&mut Digits::new()));
        });
    }
    left
}

/// How many members are looked for in the time that it takes to add one.
const LOOKS_OF_AN_INSERT: usize = 3;

/// The members of a set that `keep` says yes to, which looks for them in `others`: the first of these is told in time which
/// ones that will be.
fn sift<'c: 'k, 'k>(
    set: &'c Set,
    others: &[&'k Set],
    mut keep: impl FnMut(Entry<'c>) -> bool + 'k,
) -> impl Iterator<Item = Entry<'c>> + 'k {
    const LOOKAHEAD: usize = 8;
    let next = others.first().copied();
    let prefetch = move |member: Entry| {
        if let (Some(next), Entry::Text(text)) = (next, member) {
            next.prefetch(text);
        }
    };
    let mut ahead = set.iter();
    ahead.by_ref().take(LOOKAHEAD).for_each(prefetch);
    set.iter().filter(move |&member| {
        ahead.next().into_iter().for_each(prefetch);
        keep(member)
    })
}

fn set_of(members: &[Entry], limits: &Limits) -> Set {
    let mut set = Set::new();
    add_all(&mut set, members.iter().copied(), limits);
    set
}

fn add_all<'s>(set: &mut Set, members: impl Iterator<Item = Entry<'s>>, limits: &Limits) {
    let mut digits = Digits::new();
    members.for_each(|member| {
        set.add(member.text(&mut digits), limits);
    });
}

/// Puts a result under a key, whatever was there; an empty one leaves none. Answers how many members it has.
fn store(ctx: &mut Ctx, destination: Key, result: Set, event: Event) -> usize {
    let len = result.len();
    if len == 0 {
        ctx.delete(destination);
    } else {
        ctx.put(destination, Value::Set(result), None);
        ctx.changed(destination, event);
    }
    len
}

fn write_entries(out: &mut Writer, members: &[Entry]) {
    out.set(members.len());
    members.iter().for_each(|member| member.write_bulk(out));
}

fn write_members(out: &mut Writer, set: &Set) {
    out.set(set.len());
    set.iter().for_each(|member| member.write_bulk(out));
}

fn write_set(out: &mut Writer, members: &[Vec<u8>]) {
    out.set(members.len());
    members.iter().for_each(|member| out.bulk(member));
}
