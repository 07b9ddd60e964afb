//! Commands on sets.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{Count, Key, Keys, Member, Negatable, Rest},
    reply::{Array, Reply, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{containers::listpack::Entry, number::Digits, set::Set},
    keyspace::Event,
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
    let Some(has) = ctx.read::<Set>(source)?.map(|set| set.contains(member.0)) else { return Ok(false) };
    let held = ctx.read::<Set>(destination)?.is_some_and(|set| set.contains(member.0));
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
    Ok(Written::new(move |out| {
        out.set(set.map_or(0, Set::len));
        set.into_iter().flat_map(Set::iter).for_each(|member| member.write_bulk(out));
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
        let (database, random) = ctx.with_random();
        let set = database.get::<Set>(found).ok_or(Error::WrongType)?;
        let mut random = || random.next();
        let text = |member: Entry| member.text(&mut Digits::new()).to_vec();
        match count {
            None => chosen.extend(set.random(&mut random).map(text)),
            Some(count) if count < 0 => {
                chosen.extend((0..count.unsigned_abs()).map_while(|_| set.random(&mut random).map(text)));
            }
            Some(count) => chosen = distinct(set, count as usize, &mut random).map(text).collect(),
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

/// Up to `count` members, each once, in an order of chance: selection sampling (Knuth, algorithm S) over one pass.
fn distinct<'s>(
    set: &'s Set,
    count: usize,
    random: &mut impl FnMut() -> u64,
) -> impl Iterator<Item = Entry<'s>> {
    let (mut left, mut wanted) = (set.len() as u64, count.min(set.len()) as u64);
    let chosen: Vec<Entry> = set
        .iter()
        .filter(|_| {
            let take = ((random() as u128 * left as u128) >> 64) < wanted as u128;
            left -= 1;
            wanted -= take as u64;
            take
        })
        .collect();
    chosen.into_iter()
}

fn sinter<'a>(ctx: &mut Ctx, keys: Keys<'a>) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<>>> {
    let sets = read_all(ctx, keys)?;
    let smallest = sets.iter().min_by_key(|set| set.map_or(0, Set::len)).copied().flatten();
    let found: Vec<Vec<u8>> = texts(smallest)
        .filter(|member| sets.iter().all(|set| set.is_some_and(|set| set.contains(member))))
        .collect();
    Ok(Written::new(move |out| write_set(out, &found)))
}

fn sunion<'a>(ctx: &mut Ctx, keys: Keys<'a>) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<>>> {
    let limits = ctx.limits.clone();
    let mut union = Set::new();
    for set in read_all(ctx, keys)? {
        texts(set).for_each(|member| {
            union.add(&member, &limits);
        });
    }
    Ok(Written::new(move |out| {
        out.set(union.len());
        union.iter().for_each(|member| member.write_bulk(out));
    }))
}

fn sdiff<'a>(ctx: &mut Ctx, keys: Keys<'a>) -> Result<Written<Members, impl FnOnce(&mut Writer) + use<>>> {
    let sets = read_all(ctx, keys)?;
    let found: Vec<Vec<u8>> =
        texts(sets[0]).filter(|member| !sets[1..].iter().flatten().any(|set| set.contains(member))).collect();
    Ok(Written::new(move |out| write_set(out, &found)))
}

/// The sets under several keys. Every key is checked before any is read.
fn read_all<'c>(ctx: &'c mut Ctx, keys: Keys) -> Result<Vec<Option<&'c Set>>> {
    let found: Vec<_> = keys.iter().map(|key| ctx.look_up(key)).collect();
    let get = |found| ctx.database().get::<Set>(found).ok_or(Error::WrongType);
    found.into_iter().map(|found| found.map(get).transpose()).collect()
}

fn texts(set: Option<&Set>) -> impl Iterator<Item = Vec<u8>> {
    set.into_iter().flat_map(Set::iter).map(|member| member.text(&mut Digits::new()).to_vec())
}

fn write_set(out: &mut Writer, members: &[Vec<u8>]) {
    out.set(members.len());
    members.iter().for_each(|member| out.bulk(member));
}
