//! DUMP and RESTORE: values as bytes that travel from one server to another. What the bytes mean is in `persistence/rdb/`.

use alloc::vec::Vec;

use super::Engine;
use crate::{
    Error, Result,
    commands::{
        Command, Kind, Shape,
        args::{Arg, Key, Text, Words, options},
        reply::Done,
        spec::commands,
    },
    data::number::{Digits, parse_i64, write_i64},
    keyspace::Event,
    persistence::rdb::{View, payload},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "generic";
    /// Returns the value of a key as bytes that RESTORE takes, here and elsewhere.
    "DUMP" = dump(key) since "2.6.0" [READONLY KEYSPACE] O("1) to find the key and O(N) to write its value, where N is its size");
    /// Makes a key of bytes that DUMP returned, here or elsewhere.
    "RESTORE" = restore(key, ttl, serialized_value, options) since "2.6.0" [WRITE DENYOOM DANGEROUS KEYSPACE] O("1) to make the key and O(N) to read its value, where N is its size; O(N*log(N)) for sorted sets");
};

/// The row for those who move a slot of a cluster.
pub const SERVER_COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Makes a key of bytes that DUMP returned, in a slot that is being imported.
    "RESTORE-ASKING" = restore(key, ttl, serialized_value, options) since "3.0.0" [WRITE DENYOOM ASKING DANGEROUS KEYSPACE] O("1) to make the key and O(N) to read its value, where N is its size; O(N*log(N)) for sorted sets");
};

/// How long a key is to live, which is looked at only when the key is free.
struct Ttl<'a>(&'a [u8]);

impl<'a> Arg<'a> for Ttl<'a> {
    const SHAPE: Shape = Shape::Word("ttl", Kind::Integer);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Ttl)
    }
}

impl Ttl<'_> {
    /// Milliseconds; 0 for ever.
    fn read(&self) -> Result<u64> {
        let ttl = parse_i64(self.0).ok_or(Error::NotInteger)?;
        u64::try_from(ttl).map_err(|_| Error::refused("ERR Invalid TTL value, must be >= 0"))
    }
}

/// For how many seconds a key counts as not accessed.
#[derive(Clone, Copy, Debug)]
struct IdleTime(u32);

impl Arg<'_> for IdleTime {
    const SHAPE: Shape = Shape::Word("seconds", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match i64::parse(words)? {
            ..0 => Err(Error::refused("ERR Invalid IDLETIME value, must be >= 0")),
            seconds => Ok(IdleTime(u32::try_from(seconds).unwrap_or(u32::MAX))),
        }
    }
}

/// How often a key counts as accessed, which means nothing but under an LFU policy.
#[derive(Clone, Copy, Debug)]
struct Frequency(u8);

impl Arg<'_> for Frequency {
    const SHAPE: Shape = Shape::Word("frequency", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let counter = u8::try_from(i64::parse(words)?).ok();
        counter.map(Frequency).ok_or(Error::refused("ERR Invalid FREQ value, must be >= 0 and <= 255"))
    }
}

options! {
    /// The options of RESTORE.
    struct RestoreOptions {
        replace: bool = "REPLACE",
        absttl: bool = "ABSTTL",
        idle: Option<IdleTime> = "IDLETIME",
        frequency: Option<Frequency> = "FREQ",
    }
}

fn dump(engine: &mut Engine, key: Key) -> Result<Option<Vec<u8>>> {
    let compresses = engine.config.get("rdbcompression").as_deref() == Some(b"yes");
    let found = engine.keyspace.look_up(key);
    Ok(found.map(|found| payload::dump(&View::of(engine.keyspace.database(), found), compresses)))
}

fn restore(
    engine: &mut Engine,
    key: Key,
    ttl: Ttl,
    serialized_value: Text,
    options: RestoreOptions,
) -> Result<Done> {
    if options.idle.is_some() && options.frequency.is_some() {
        return Err(Error::Syntax);
    }
    let keyspace = &mut engine.keyspace;
    let exists = keyspace.find(key).is_some();
    if exists && !options.replace {
        return Err(Error::refused("BUSYKEY Target key name already exists."));
    }
    let deadline = match ttl.read()? {
        0 => None,
        ttl if options.absttl => Some(ttl),
        ttl => Some(ttl.saturating_add(keyspace.now_ms()).min(i64::MAX as u64)),
    };
    let body = payload::open(serialized_value.0)
        .ok_or(Error::refused("ERR DUMP payload version or checksum are wrong"))?;
    let value = payload::value(body, &keyspace.limits).map_err(|_| Error::refused("ERR Bad data format"))?;
    if deadline.is_some_and(|at| at <= keyspace.now_ms()) {
        if keyspace.delete(key) {
            keyspace.log_as(&[b"DEL", key.0]);
        }
        return Ok(Done);
    }
    let found = keyspace.put(key, value, deadline);
    if let Some(IdleTime(seconds)) = options.idle {
        keyspace.set_idle_seconds(found, seconds);
    }
    if let Some(Frequency(counter)) = options.frequency {
        keyspace.set_frequency(found, counter);
    }
    keyspace.changed(key, Event::Restore);
    if let Some(at) = deadline.filter(|_| !options.absttl) {
        let mut digits = Digits::new();
        let at = write_i64(at as i64, &mut digits);
        let words: &[&[u8]] = &[b"RESTORE", key.0, at, serialized_value.0, b"ABSTTL", b"REPLACE"];
        keyspace.log_as(&words[..words.len() - !options.replace as usize]);
    }
    Ok(Done)
}
