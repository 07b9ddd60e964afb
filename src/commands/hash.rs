//! Commands on hashes.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{Field, Key, Pairs, Rest, Text},
    reply::{Array, Done, FieldMap, ManyBytes, Written},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        hash::Hash,
        number::{self, Digits, Extended},
    },
    keyspace::Event,
    resp::Writer,
};

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
    /// Adds to the integer of a field, which is 0 when missing.
    "HINCRBY" = hincrby(key, field, increment) since "2.0.0" [WRITE DENYOOM FAST] O("1");
    /// Adds to the number of a field, which is 0 when missing.
    "HINCRBYFLOAT" = hincrbyfloat(key, field, increment) since "2.6.0" [WRITE DENYOOM FAST] O("1");
};

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

fn hincrby(ctx: &mut Ctx, key: Key, field: Field, increment: i64) -> Result<i64> {
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let old = match hash.get(field.0) {
        None => 0,
        Some(value) => number::parse_i64(value.text(&mut Digits::new()))
            .ok_or(Error::refused("ERR hash value is not an integer"))?,
    };
    let new = old.checked_add(increment).ok_or(Error::Overflow)?;
    let (fields, limits) = hash.with_limits();
    fields.set(field.0, number::write_i64(new, &mut Digits::new()), limits);
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
    fields.set(field.0, &text, limits);
    hash.changed(Event::HIncrByFloat);
    hash.log_as(&[b"HSET", key.0, field.0, &text]);
    Ok(text)
}
