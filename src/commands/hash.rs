//! Commands on hashes.

mod deadlines;

use alloc::vec::Vec;

use super::{
    Command, Ctx, Kind, Shape,
    args::{Arg, Field, Key, Negatable, Pairs, Rest, Text, Words},
    reply::{Array, Done, FieldMap, ManyBytes, Reply, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::{listpack::Entry, ordered::OrderedSet},
        hash::{Hash, Pair},
        number::{self, Digits, Extended, saturated},
    },
    keyspace::Event,
    resp::{Version, Writer},
};

pub use deadlines::COMMANDS as DEADLINE_COMMANDS;

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "hash";
    /// Sets fields of a hash, creating it when missing; returns how many are new.
    "HSET" = hset(key, pairs) since "2.0.0" [WRITE DENYOOM FAST] O("N) where N is the number of fields");
    /// Sets fields of a hash, creating it when missing; an older form of HSET.
    "HMSET" = hmset(key, pairs) since "2.0.0" [WRITE DENYOOM FAST] O("N) where N is the number of fields");
    /// Sets a field of a hash when it does not exist.
    "HSETNX" = hsetnx(key, field, value) since "2.0.0" [WRITE DENYOOM FAST] O("1");
    /// Returns the value of a field.
    "HGET" = hget(key, field) since "2.0.0" [READONLY FAST] O("1");
    /// Returns the values of several fields.
    "HMGET" = hmget(key, fields) since "2.0.0" [READONLY FAST] O("N) where N is the number of fields");
    /// Returns all fields and their values.
    "HGETALL" = hgetall(key) since "2.0.0" [READONLY] O("N) where N is the size of the hash");
    /// Deletes fields; returns how many there were.
    "HDEL" = hdel(key, fields) since "2.0.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Returns whether a field exists.
    "HEXISTS" = hexists(key, field) since "2.0.0" [READONLY FAST] O("1");
    /// Returns the number of fields.
    "HLEN" = hlen(key) since "2.0.0" [READONLY FAST] O("1");
    /// Returns the length of the value of a field in bytes.
    "HSTRLEN" = hstrlen(key, field) since "3.2.0" [READONLY FAST] O("1");
    /// Returns all fields.
    "HKEYS" = hkeys(key) since "2.0.0" [READONLY] O("N) where N is the size of the hash");
    /// Returns all values.
    "HVALS" = hvals(key) since "2.0.0" [READONLY] O("N) where N is the size of the hash");
    /// Returns fields chosen by chance; a negative count may return one several times.
    "HRANDFIELD" = hrandfield(key, options) since "6.2.0" [READONLY] O("N) where N is the number of fields returned");
    /// Adds to the integer of a field, which is 0 when missing.
    "HINCRBY" = hincrby(key, field, increment) since "2.0.0" [WRITE DENYOOM FAST] O("1");
    /// Adds to the number of a field, which is 0 when missing.
    "HINCRBYFLOAT" = hincrbyfloat(key, field, increment) since "2.6.0" [WRITE DENYOOM FAST] O("1");
};

typed! {
    /// A field, or with a count several.
    Chosen = "Bytes | Bytes[] | [Bytes, Bytes][] | null";
}

/// The longest reply of HRANDFIELD with a negative count.
const MOST_REPEATED: i64 = 1 << 28;

fn hset<'a>(ctx: &mut Ctx, key: Key, pairs: Pairs<'a, Field<'a>, Text<'a>>) -> Result<usize> {
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let (fields, limits) = hash.with_limits();
    fields.expect(pairs.len(), limits);
    let added = pairs.iter().filter(|(field, value)| fields.set(field.0, value.0, limits)).count();
    hash.changed(Event::HSet);
    Ok(added)
}

fn hmset<'a>(ctx: &mut Ctx, key: Key, pairs: Pairs<'a, Field<'a>, Text<'a>>) -> Result<Done> {
    hset(ctx, key, pairs).map(|_| Done)
}

fn hsetnx(ctx: &mut Ctx, key: Key, field: Field, value: Text) -> Result<bool> {
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let free = !hash.contains(field.0);
    if free {
        let (fields, limits) = hash.with_limits();
        fields.set(field.0, value.0, limits);
        hash.changed(Event::HSet);
    }
    Ok(free)
}

fn hget<'c>(ctx: &'c mut Ctx, key: Key, field: Field) -> Result<Option<Entry<'c>>> {
    Ok(ctx.read::<Hash>(key)?.and_then(|hash| hash.get(field.0)))
}

fn hmget<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    fields: Rest<'a, Field<'a>>,
) -> Result<Array<impl ExactSizeIterator<Item = Option<Entry<'c>>> + use<'a, 'c>>> {
    let hash = ctx.read::<Hash>(key)?;
    Ok(Array(fields.iter().map(move |field| hash.and_then(|hash| hash.get(field.0)))))
}

fn hgetall<'c>(ctx: &'c mut Ctx, key: Key) -> Result<Written<FieldMap, impl FnOnce(&mut Writer) + use<'c>>> {
    let hash = ctx.read::<Hash>(key)?;
    Ok(Written::new(move |out| {
        out.map(hash.map_or(0, Hash::len));
        for (field, value) in hash.into_iter().flat_map(Hash::iter) {
            field.write_bulk(out);
            value.write_bulk(out);
        }
    }))
}

fn hdel<'a>(ctx: &mut Ctx, key: Key, fields: Rest<'a, Field<'a>>) -> Result<usize> {
    let Some(mut hash) = ctx.write::<Hash>(key)? else { return Ok(0) };
    let removed = fields.iter().filter(|field| hash.remove(field.0)).count();
    if removed > 0 {
        hash.changed(Event::HDel);
    }
    Ok(removed)
}

fn hexists(ctx: &mut Ctx, key: Key, field: Field) -> Result<bool> {
    Ok(ctx.read::<Hash>(key)?.is_some_and(|hash| hash.contains(field.0)))
}

fn hlen(ctx: &mut Ctx, key: Key) -> Result<usize> {
    Ok(ctx.read::<Hash>(key)?.map_or(0, Hash::len))
}

fn hstrlen(ctx: &mut Ctx, key: Key, field: Field) -> Result<usize> {
    let value = ctx.read::<Hash>(key)?.and_then(|hash| hash.get(field.0));
    Ok(value.map_or(0, |value| value.text(&mut Digits::new()).len()))
}

fn hkeys<'c>(ctx: &'c mut Ctx, key: Key) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c>>> {
    each(ctx, key, |(field, _)| field)
}

fn hvals<'c>(ctx: &'c mut Ctx, key: Key) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c>>> {
    each(ctx, key, |(_, value)| value)
}

/// An array of one side of every pair.
fn each<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    side: fn((Entry<'c>, Entry<'c>)) -> Entry<'c>,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c>>> {
    let hash = ctx.read::<Hash>(key)?;
    Ok(Written::new(move |out| {
        out.array(hash.map_or(0, Hash::len));
        hash.into_iter().flat_map(Hash::iter).for_each(|pair| side(pair).write_bulk(out));
    }))
}

/// `count [WITHVALUES]`
struct Several {
    count: i64,
    with_values: bool,
}

impl Arg<'_> for Several {
    const SHAPE: Shape =
        Shape::Group(&[Shape::Word("count", Kind::Integer), Shape::Maybe(&Shape::Token("WITHVALUES"))]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let Negatable(count) = Negatable::parse(words)?;
        let with_values = words.take("WITHVALUES");
        words.end()?;
        if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(Error::OutOfRange);
        }
        Ok(Several { count, with_values })
    }
}

fn hrandfield<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    several: Option<Several>,
) -> Result<Written<Chosen, impl FnOnce(&mut Writer) + use<'c>>> {
    // Fields may repeat when the count is negative, so only this bounds the reply.
    if several.as_ref().is_some_and(|several| several.count < -MOST_REPEATED) {
        return Err(Error::refused("ERR value is out of range, no reply can be that long"));
    }
    let mut chosen: Vec<Pair> = Vec::new();
    if let Some(found) = ctx.look_up(key) {
        let (database, random) = ctx.with_random();
        let hash = database.get::<Hash>(found).ok_or(Error::WrongType)?;
        let mut random = || random.next();
        match several.as_ref().map_or(-1, |several| several.count) {
            count if count < 0 => {
                chosen.extend((0..count.unsigned_abs()).map_while(|_| hash.random(&mut random)));
            }
            count => chosen = distinct(hash, saturated(count).unwrap_or(usize::MAX), &mut random),
        }
    }
    Ok(Written::new(move |out| match several {
        Some(Several { with_values, .. }) => write_pairs(out, &chosen, with_values),
        None => chosen.pop().map(|(field, _)| field).write(out),
    }))
}

fn write_pairs(out: &mut Writer, pairs: &[Pair], with_values: bool) {
    let is_flat = with_values && out.version() == Version::V2;
    out.array(if is_flat { 2 * pairs.len() } else { pairs.len() });
    for (field, value) in pairs {
        if with_values && !is_flat {
            out.array(2);
        }
        field.write_bulk(out);
        if with_values {
            value.write_bulk(out);
        }
    }
}

/// Up to `count` fields, each once.
fn distinct<'h>(hash: &'h Hash, count: usize, random: &mut impl FnMut() -> u64) -> Vec<Pair<'h>> {
    /// When a hash is so many times larger than what is chosen, drawing it is less work than a pass over all.
    const MUCH_LARGER: usize = 3;
    if count.saturating_mul(MUCH_LARGER) < hash.len() {
        let (mut seen, mut chosen) = (OrderedSet::new(), Vec::with_capacity(count));
        while chosen.len() < count {
            let Some((field, value)) = hash.random(random) else { break };
            if seen.insert(field.text(&mut Digits::new()).to_vec()) {
                chosen.push((field, value));
            }
        }
        return chosen;
    }
    // Selection sampling (Knuth, algorithm S).
    let (mut left, mut wanted) = (hash.len() as u64, count.min(hash.len()) as u64);
    let chosen = hash.iter().filter(|_| {
        let take = ((random() as u128 * left as u128) >> 64) < wanted as u128;
        left -= 1;
        wanted -= take as u64;
        take
    });
    chosen.collect()
}

fn hincrby(ctx: &mut Ctx, key: Key, field: Field, increment: i64) -> Result<i64> {
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let old = match hash.get(field.0) {
        None => 0,
        Some(value) => number::parse_i64(value.text(&mut Digits::new()))
            .ok_or(Error::refused("ERR hash value is not an integer"))?,
    };
    let new = old.checked_add(increment).ok_or(Error::Overflow)?;
    let (fields, limits) = hash.with_limits();
    fields.update(field.0, number::write_i64(new, &mut Digits::new()), limits);
    hash.changed(Event::HIncrBy);
    Ok(new)
}

fn hincrbyfloat(ctx: &mut Ctx, key: Key, field: Field, increment: Extended) -> Result<Vec<u8>> {
    if !increment.is_finite() {
        return Err(Error::refused("ERR value is NaN or Infinity"));
    }
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let old = match hash.get(field.0) {
        None => Extended::ZERO,
        Some(value) => Extended::parse(value.text(&mut Digits::new()))
            .ok_or(Error::refused("ERR hash value is not a float"))?,
    };
    let new = old + increment;
    if !new.is_finite() {
        return Err(Error::refused("ERR increment would produce NaN or Infinity"));
    }
    let text = new.text();
    let (fields, limits) = hash.with_limits();
    fields.update(field.0, &text, limits);
    let has_deadline = fields.deadline(field.0).flatten().is_some();
    hash.changed(Event::HIncrByFloat);
    match has_deadline {
        true => hash.log_as(&[b"HSETEX", key.0, b"KEEPTTL", b"FIELDS", b"1", field.0, &text]),
        false => hash.log_as(&[b"HSET", key.0, field.0, &text]),
    }
    Ok(text)
}
