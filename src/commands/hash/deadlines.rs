//! Commands on the deadlines of fields. That a field goes when its time has come is the keyspace's work; no command sees
//! one that is past it.

use alloc::{format, vec::Vec};
use core::slice::Iter;

use super::super::{
    Command, Ctx, Kind, Shape,
    args::{Arg, Expiry, Field, Key, Later, Pairs, Text, Words},
    reply::{Array, ManyMaybeBytes, Written},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        hash::Hash,
        number::{Digits, parse_i64, write_i64},
    },
    keyspace::{Event, Writing},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "hash";
    /// Has fields expire after some seconds; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
    "HEXPIRE" = hexpire(key, seconds, options) since "7.4.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Has fields expire after some milliseconds; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
    "HPEXPIRE" = hpexpire(key, milliseconds, options) since "7.4.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Has fields expire at a time in seconds since 1970; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
    "HEXPIREAT" = hexpireat(key, unix_time_seconds, options) since "7.4.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Has fields expire at a time in milliseconds since 1970; for each -2 if there is none, 0 if a condition is not met, 1 if set, 2 if deleted.
    "HPEXPIREAT" = hpexpireat(key, unix_time_milliseconds, options) since "7.4.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Returns for how many seconds each field still lives; -1 for ever, -2 if there is none.
    "HTTL" = httl(key, fields) since "7.4.0" [READONLY FAST] O("N) where N is the number of fields");
    /// Returns for how many milliseconds each field still lives; -1 for ever, -2 if there is none.
    "HPTTL" = hpttl(key, fields) since "7.4.0" [READONLY FAST] O("N) where N is the number of fields");
    /// Returns when each field expires, in seconds since 1970; -1 for never, -2 if there is none.
    "HEXPIRETIME" = hexpiretime(key, fields) since "7.4.0" [READONLY FAST] O("N) where N is the number of fields");
    /// Returns when each field expires, in milliseconds since 1970; -1 for never, -2 if there is none.
    "HPEXPIRETIME" = hpexpiretime(key, fields) since "7.4.0" [READONLY FAST] O("N) where N is the number of fields");
    /// Has fields live for ever; for each -2 if there is none, -1 if it did already, 1 otherwise.
    "HPERSIST" = hpersist(key, fields) since "7.4.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Returns the values of several fields, and may set or clear their deadlines.
    "HGETEX" = hgetex(key, options) since "8.0.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Returns the values of several fields, and deletes them.
    "HGETDEL" = hgetdel(key, fields) since "8.0.0" [WRITE FAST] O("N) where N is the number of fields");
    /// Sets fields with a deadline, perhaps only if all of them exist or none does; whether they are set.
    "HSETEX" = hsetex(key, options) since "8.0.0" [WRITE DENYOOM FAST] O("N) where N is the number of fields");
};

/// What is answered of a field that is not there.
const NO_FIELD: i64 = -2;
/// The latest deadline of a field, in milliseconds since 1970, as Redis has it.
const LATEST_MS: i64 = (1 << 46) - 1;
const SECOND_MS: i64 = 1000;

/// `FIELDS numfields field [field …]`
#[derive(Clone, Copy)]
struct FieldList<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for FieldList<'a> {
    const SHAPE: Shape = Shape::Fields(&[Field::SHAPE]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        FieldList::read(words, "ERR Number of fields must be a positive integer")
    }
}

impl<'a> FieldList<'a> {
    /// Reads the words, of which the number may be refused in a text of the command's own.
    fn read(words: &mut Words<'a>, no_number: &'static str) -> Result<Self> {
        if !words.take("FIELDS") {
            return Err(Error::refused(
                "ERR Mandatory argument FIELDS is missing or not at the right position",
            ));
        }
        let count = words.next().ok().and_then(parse_i64).filter(|&count| count > 0);
        let count = count.ok_or(Error::refused(no_number))?;
        if words.len() as i64 != count {
            return Err(Error::refused("ERR The `numfields` parameter must match the number of arguments"));
        }
        Ok(FieldList(words.split_off(0)))
    }

    fn iter(&self) -> Iter<'a, &'a [u8]> {
        self.0.iter()
    }
}

/// When a deadline is set.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Condition {
    Always,
    /// NX: there is none.
    New,
    /// XX: there is one.
    Old,
    /// GT: the new one is later.
    Later,
    /// LT: the new one is earlier.
    Earlier,
}

impl Condition {
    const TOKENS: [(&'static str, Condition); 4] = [
        ("NX", Condition::New),
        ("XX", Condition::Old),
        ("GT", Condition::Later),
        ("LT", Condition::Earlier),
    ];

    /// Whether a field with the deadline `old` is to get `new`. Without one it lives for ever.
    fn allows(self, old: Option<u64>, new: u64) -> bool {
        match self {
            Condition::Always => true,
            Condition::New => old.is_none(),
            Condition::Old => old.is_some(),
            Condition::Later => old.is_some_and(|old| new > old),
            Condition::Earlier => old.is_none_or(|old| new < old),
        }
    }
}

/// `[NX | XX | GT | LT] FIELDS numfields field [field …]`
struct Conditional<'a> {
    condition: Condition,
    fields: FieldList<'a>,
}

impl<'a> Arg<'a> for Conditional<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Options(&[Shape::OneOf(&[
            Shape::Token("NX"),
            Shape::Token("XX"),
            Shape::Token("GT"),
            Shape::Token("LT"),
        ])]),
        FieldList::SHAPE,
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let given = Condition::TOKENS.into_iter().find(|(token, _)| words.take(token));
        let fields = FieldList::read(words, "ERR Parameter `numFields` should be greater than 0")?;
        Ok(Conditional { condition: given.map_or(Condition::Always, |(_, condition)| condition), fields })
    }
}

/// A time that is looked at only when the key is known: a duration, or with `UNIX` a time since 1970.
struct Time<'a, const UNIX: bool>(&'a [u8]);

impl<'a, const UNIX: bool> Arg<'a> for Time<'a, UNIX> {
    const SHAPE: Shape = Shape::Word("time", if UNIX { Kind::UnixTime } else { Kind::Integer });
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Time)
    }
}

type Duration<'a> = Time<'a, false>;
type UnixTime<'a> = Time<'a, true>;

/// The deadline that a number of units after `base_ms` is.
fn deadline(time: &[u8], unit_ms: i64, base_ms: u64, command: &str) -> Result<u64> {
    let time = parse_i64(time).ok_or(Error::NotInteger)?;
    if time < 0 {
        return Err(Error::refused("ERR invalid expire time, must be >= 0"));
    }
    let at = time.checked_mul(unit_ms).and_then(|time| time.checked_add(base_ms as i64));
    let at = at.filter(|&at| at <= LATEST_MS);
    Ok(at.ok_or_else(|| format!("ERR invalid expire time in '{command}' command"))? as u64)
}

type Codes = Array<alloc::vec::IntoIter<i64>>;

fn hexpire<'a>(
    ctx: &mut Ctx,
    key: Key,
    seconds: Duration,
    options: Later<'a, Conditional<'a>>,
) -> Result<Codes> {
    let base_ms = ctx.now_ms();
    expire(ctx, key, || deadline(seconds.0, SECOND_MS, base_ms, "hexpire"), options)
}

fn hpexpire<'a>(
    ctx: &mut Ctx,
    key: Key,
    milliseconds: Duration,
    options: Later<'a, Conditional<'a>>,
) -> Result<Codes> {
    let base_ms = ctx.now_ms();
    expire(ctx, key, || deadline(milliseconds.0, 1, base_ms, "hpexpire"), options)
}

fn hexpireat<'a>(
    ctx: &mut Ctx,
    key: Key,
    time: UnixTime,
    options: Later<'a, Conditional<'a>>,
) -> Result<Codes> {
    expire(ctx, key, || deadline(time.0, SECOND_MS, 0, "hexpireat"), options)
}

fn hpexpireat<'a>(
    ctx: &mut Ctx,
    key: Key,
    time: UnixTime,
    options: Later<'a, Conditional<'a>>,
) -> Result<Codes> {
    expire(ctx, key, || deadline(time.0, 1, 0, "hpexpireat"), options)
}

fn expire<'a>(
    ctx: &mut Ctx,
    key: Key,
    deadline: impl FnOnce() -> Result<u64>,
    options: Later<'a, Conditional<'a>>,
) -> Result<Codes> {
    let now_ms = ctx.now_ms();
    let hash = ctx.write::<Hash>(key)?;
    let (at, Conditional { condition, fields }) = (deadline()?, options.read()?);
    let mut changes = Changes::new(at, now_ms);
    let codes: Vec<i64> = match hash {
        None => fields.iter().map(|_| NO_FIELD).collect(),
        Some(mut hash) => {
            let code = |field: &&'a [u8]| match hash.deadline(field) {
                None => NO_FIELD,
                Some(old) if !condition.allows(old, at) => 0,
                Some(_) => changes.make(&mut hash, field),
            };
            let codes = fields.iter().map(code).collect();
            changes.tell(key, hash);
            codes
        }
    };
    Ok(Array(codes.into_iter()))
}

/// What a new deadline does to fields: they get it, or go at once when it is past.
struct Changes<'a> {
    at: u64,
    is_past: bool,
    fields: Vec<&'a [u8]>,
}

impl<'a> Changes<'a> {
    fn new(at: u64, now_ms: u64) -> Self {
        Changes { at, is_past: at <= now_ms, fields: Vec::new() }
    }

    /// Changes a field that there is; what HEXPIRE answers.
    fn make(&mut self, hash: &mut Writing<Hash>, field: &'a [u8]) -> i64 {
        const SET: i64 = 1;
        const DELETED: i64 = 2;
        self.fields.push(field);
        if self.is_past {
            hash.remove(field);
            return DELETED;
        }
        let (inner, limits) = hash.with_limits();
        inner.set_deadline(field, Some(self.at), limits);
        SET
    }

    fn tell(self, key: Key, mut hash: Writing<Hash>) {
        if self.fields.is_empty() {
            return;
        }
        if self.is_past {
            hash.changed(Event::HDel);
            log(&mut hash, &[b"HDEL", key.0], &self.fields);
        } else {
            let (mut digits, mut count) = (Digits::new(), Digits::new());
            let at = write_i64(self.at as i64, &mut digits);
            let count = write_i64(self.fields.len() as i64, &mut count);
            hash.changed(Event::HExpire);
            log(&mut hash, &[b"HPEXPIREAT", key.0, at, b"FIELDS", count], &self.fields);
        }
    }
}

fn log(hash: &mut Writing<Hash>, head: &[&[u8]], fields: &[&[u8]]) {
    hash.log_as(&[head, fields].concat());
}

fn httl<'a>(ctx: &mut Ctx, key: Key, fields: Later<'a, FieldList<'a>>) -> Result<Codes> {
    let now_ms = ctx.now_ms();
    deadlines(ctx, key, fields, |at| seconds(at - now_ms))
}

fn hpttl<'a>(ctx: &mut Ctx, key: Key, fields: Later<'a, FieldList<'a>>) -> Result<Codes> {
    let now_ms = ctx.now_ms();
    deadlines(ctx, key, fields, |at| (at - now_ms) as i64)
}

fn hexpiretime<'a>(ctx: &mut Ctx, key: Key, fields: Later<'a, FieldList<'a>>) -> Result<Codes> {
    deadlines(ctx, key, fields, seconds)
}

fn hpexpiretime<'a>(ctx: &mut Ctx, key: Key, fields: Later<'a, FieldList<'a>>) -> Result<Codes> {
    deadlines(ctx, key, fields, |at| at as i64)
}

/// Milliseconds as seconds. What has begun counts whole.
fn seconds(ms: u64) -> i64 {
    ms.div_ceil(SECOND_MS as u64) as i64
}

fn deadlines<'a>(
    ctx: &mut Ctx,
    key: Key,
    fields: Later<'a, FieldList<'a>>,
    form: impl Fn(u64) -> i64,
) -> Result<Codes> {
    const NO_DEADLINE: i64 = -1;
    let hash = ctx.read::<Hash>(key)?;
    let code = |field: &&[u8]| match hash.and_then(|hash| hash.deadline(field)) {
        None => NO_FIELD,
        Some(at) => at.map_or(NO_DEADLINE, &form),
    };
    let codes: Vec<i64> = fields.read()?.iter().map(code).collect();
    Ok(Array(codes.into_iter()))
}

fn hpersist<'a>(ctx: &mut Ctx, key: Key, fields: Later<'a, FieldList<'a>>) -> Result<Codes> {
    let hash = ctx.write::<Hash>(key)?;
    let fields = fields.read()?;
    let codes: Vec<i64> = match hash {
        None => fields.iter().map(|_| NO_FIELD).collect(),
        Some(mut hash) => {
            let codes: Vec<i64> = fields.iter().map(|field| persist(&mut hash, field)).collect();
            if codes.contains(&PERSISTED) {
                hash.changed(Event::HPersist);
            }
            codes
        }
    };
    Ok(Array(codes.into_iter()))
}

const PERSISTED: i64 = 1;

/// Clears the deadline of a field; what HPERSIST answers.
fn persist(hash: &mut Writing<Hash>, field: &[u8]) -> i64 {
    const NOTHING_TO_CLEAR: i64 = -1;
    match hash.deadline(field) {
        None => NO_FIELD,
        Some(None) => NOTHING_TO_CLEAR,
        Some(Some(_)) => {
            let (inner, limits) = hash.with_limits();
            inner.set_deadline(field, None, limits);
            PERSISTED
        }
    }
}

/// What happens to the deadlines of fields that are read or set.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lifetime {
    /// EX, PX, EXAT, PXAT.
    Until(u64),
    /// PERSIST.
    Forever,
    /// KEEPTTL.
    Kept,
}

impl Lifetime {
    const UNITS: [(&'static str, i64, bool); 4] =
        [("EX", SECOND_MS, true), ("PX", 1, true), ("EXAT", SECOND_MS, false), ("PXAT", 1, false)];
}

/// A lifetime as it is written: the word that says it and, for a time, the time.
#[derive(Clone, Copy)]
struct Wish<'a> {
    token: &'static str,
    time: &'a [u8],
}

impl<'a> Wish<'a> {
    /// Takes a wish, of which `other` is the one that is no time.
    fn take(words: &mut Words<'a>, other: &'static str) -> Result<Option<Self>> {
        if words.take(other) {
            return Ok(Some(Wish { token: other, time: b"" }));
        }
        let Some((token, ..)) = Lifetime::UNITS.into_iter().find(|(token, ..)| words.take(token)) else {
            return Ok(None);
        };
        let time = words.next().map_err(|_| Error::refused("ERR missing expire time"))?;
        Ok(Some(Wish { token, time }))
    }

    fn lifetime(self, now_ms: u64, command: &str) -> Result<Lifetime> {
        let unit = Lifetime::UNITS.into_iter().find(|(token, ..)| *token == self.token);
        let Some((_, unit_ms, is_relative)) = unit else {
            return Ok(if self.token == "PERSIST" { Lifetime::Forever } else { Lifetime::Kept });
        };
        let base_ms = if is_relative { now_ms } else { 0 };
        deadline(self.time, unit_ms, base_ms, command).map(Lifetime::Until)
    }
}

/// `[EX … | PX … | EXAT … | PXAT … | PERSIST] FIELDS numfields field [field …]`
struct GetEx<'a> {
    wish: Option<Wish<'a>>,
    fields: FieldList<'a>,
}

impl<'a> Arg<'a> for GetEx<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Options(&[Shape::OneOf(&[
            Expiry::EX,
            Expiry::PX,
            Expiry::EXAT,
            Expiry::PXAT,
            Shape::Token("PERSIST"),
        ])]),
        FieldList::SHAPE,
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let wish = Wish::take(words, "PERSIST")?;
        Ok(GetEx { wish, fields: FieldList::parse(words)? })
    }
}

fn hgetex<'a>(
    ctx: &mut Ctx,
    key: Key,
    options: Later<'a, GetEx<'a>>,
) -> Result<Written<ManyMaybeBytes, impl FnOnce(&mut Writer) + use<'a>>> {
    let now_ms = ctx.now_ms();
    let hash = ctx.write::<Hash>(key)?;
    let GetEx { wish, fields } = options.read()?;
    let lifetime = wish.map(|wish| wish.lifetime(now_ms, "hgetex")).transpose()?;
    let mut values = Vec::new();
    if let Some(mut hash) = hash {
        values.extend(fields.iter().map(|field| value_of(&hash, field)));
        let there = fields.iter().zip(&values).filter(|(_, value)| value.is_some()).map(|(field, _)| *field);
        match lifetime {
            Some(Lifetime::Until(at)) => {
                let mut changes = Changes::new(at, now_ms);
                for field in there {
                    changes.make(&mut hash, field);
                }
                changes.tell(key, hash);
            }
            Some(_) => {
                let persisted: Vec<&[u8]> =
                    there.filter(|field| persist(&mut hash, field) == PERSISTED).collect();
                if !persisted.is_empty() {
                    let mut digits = Digits::new();
                    let count = write_i64(persisted.len() as i64, &mut digits);
                    hash.changed(Event::HPersist);
                    log(&mut hash, &[b"HPERSIST", key.0, b"FIELDS", count], &persisted);
                }
            }
            None => {}
        }
    }
    Ok(written(fields, values))
}

fn hgetdel<'a>(
    ctx: &mut Ctx,
    key: Key,
    fields: Later<'a, FieldList<'a>>,
) -> Result<Written<ManyMaybeBytes, impl FnOnce(&mut Writer) + use<'a>>> {
    let hash = ctx.write::<Hash>(key)?;
    let fields = fields.read()?;
    let mut values = Vec::new();
    if let Some(mut hash) = hash {
        let mut removed: Vec<&[u8]> = Vec::new();
        for field in fields.iter() {
            let value = hash.take_with(field, |value| value.text(&mut Digits::new()).to_vec());
            removed.extend(value.is_some().then_some(*field));
            values.push(value);
        }
        if !removed.is_empty() {
            hash.changed(Event::HDel);
            log(&mut hash, &[b"HDEL", key.0], &removed);
        }
    }
    Ok(written(fields, values))
}

fn value_of(hash: &Hash, field: &[u8]) -> Option<Vec<u8>> {
    hash.get(field).map(|value| value.text(&mut Digits::new()).to_vec())
}

/// An array of the values of some fields, or of nulls when there is no hash.
fn written<'a>(
    fields: FieldList<'a>,
    mut values: Vec<Option<Vec<u8>>>,
) -> Written<ManyMaybeBytes, impl FnOnce(&mut Writer) + use<'a>> {
    values.resize(fields.0.len(), None);
    Written::new(move |out| {
        out.array(values.len());
        values.iter().for_each(|value| match value {
            Some(value) => out.bulk(value),
            None => out.null(),
        });
    })
}

/// `[FNX | FXX] [EX … | PX … | EXAT … | PXAT … | KEEPTTL] FIELDS numfields field value [field value …]`
struct SetEx<'a> {
    /// Whether all the fields have to be there (FXX), or none of them (FNX).
    have_to_exist: Option<bool>,
    wish: Option<Wish<'a>>,
    pairs: Pairs<'a, Field<'a>, Text<'a>>,
}

impl<'a> Arg<'a> for SetEx<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Options(&[
            Shape::OneOf(&[Shape::Token("FNX"), Shape::Token("FXX")]),
            Shape::OneOf(&[Expiry::EX, Expiry::PX, Expiry::EXAT, Expiry::PXAT, Shape::Token("KEEPTTL")]),
        ]),
        Shape::Fields(&[Field::SHAPE, Text::SHAPE]),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let (mut have_to_exist, mut wish) = (None, None);
        while !words.take("FIELDS") {
            let exists = words.take("FXX");
            if exists || words.take("FNX") {
                if have_to_exist.replace(exists).is_some() {
                    return Err(Error::refused("ERR Only one of FXX or FNX arguments can be specified"));
                }
            } else if let Some(other) = Wish::take(words, "KEEPTTL")? {
                if wish.replace(other).is_some() {
                    return Err(Error::refused(
                        "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
                    ));
                }
            } else {
                return Err(Error::quoting("ERR unknown argument: ", words.next()?, ""));
            }
        }
        if words.len() < 3 {
            return Err(Error::Arity);
        }
        let count = parse_i64(words.next()?).filter(|count| (1..=i32::MAX as i64).contains(count));
        let count = count.ok_or(Error::refused("ERR invalid number of fields"))?;
        let pairs: Pairs<'a, Field<'a>, Text<'a>> = Pairs::parse(words)?;
        if pairs.len() as i64 != count {
            return Err(Error::Arity);
        }
        Ok(SetEx { have_to_exist, wish, pairs })
    }
}

fn hsetex<'a>(ctx: &mut Ctx, key: Key, options: SetEx<'a>) -> Result<bool> {
    let SetEx { have_to_exist, wish, pairs } = options;
    let now_ms = ctx.now_ms();
    let lifetime = wish.map(|wish| wish.lifetime(now_ms, "hsetex")).transpose()?;
    let hash = ctx.read::<Hash>(key)?;
    let has = |field: Field| hash.is_some_and(|hash| hash.contains(field.0));
    if have_to_exist.is_some_and(|have_to| pairs.iter().any(|(field, _)| has(field) != have_to)) {
        return Ok(false);
    }
    let mut hash = ctx.write_or_create::<Hash>(key)?;
    let (inner, limits) = hash.with_limits();
    inner.expect(pairs.len(), limits);
    for (field, value) in pairs.iter() {
        match lifetime {
            None => inner.set(field.0, value.0, limits),
            Some(_) => inner.update(field.0, value.0, limits),
        };
    }
    hash.changed(Event::HSet);
    if let Some(Lifetime::Until(at)) = lifetime {
        live_until(&mut hash, at, now_ms, key, pairs);
    }
    Ok(true)
}

/// Gives fields that were just set a deadline, and logs that they were set.
fn live_until<'a>(
    hash: &mut Writing<Hash>,
    at: u64,
    now_ms: u64,
    key: Key,
    pairs: Pairs<'a, Field<'a>, Text<'a>>,
) {
    let mut changes = Changes::new(at, now_ms);
    for (field, _) in pairs.iter() {
        changes.make(hash, field.0);
    }
    if changes.is_past {
        hash.changed(Event::HDel);
        log(hash, &[b"HDEL", key.0], &changes.fields);
        return;
    }
    let (mut digits, mut count) = (Digits::new(), Digits::new());
    let at = write_i64(at as i64, &mut digits);
    let count = write_i64(pairs.len() as i64, &mut count);
    let words: Vec<&[u8]> = pairs.iter().flat_map(|(field, value)| [field.0, value.0]).collect();
    hash.changed(Event::HExpire);
    log(hash, &[b"HSETEX", key.0, b"PXAT", at, b"FIELDS", count], &words);
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn what_is_logged_has_the_same_effect_later() {
        for (line, log) in [
            ("HEXPIRE h 10 FIELDS 2 a none", "HPEXPIREAT h 1010000 FIELDS 1 a"),
            ("HPEXPIRE h 10 FIELDS 2 a b", "HPEXPIREAT h 1000010 FIELDS 2 a b"),
            ("HEXPIREAT h 2000 FIELDS 1 a", "HPEXPIREAT h 2000000 FIELDS 1 a"),
            ("HPEXPIREAT h 1 FIELDS 2 a b", "HDEL h a b"),
            ("HEXPIRE h 10 XX FIELDS 1 a", ""),
            ("HPERSIST h FIELDS 1 a", ""),
            ("HPERSIST h FIELDS 1 m", "HPERSIST h FIELDS 1 m"),
            ("HGETEX h EX 10 FIELDS 2 a none", "HPEXPIREAT h 1010000 FIELDS 1 a"),
            ("HGETEX h PERSIST FIELDS 2 a m", "HPERSIST h FIELDS 1 m"),
            ("HGETEX h PXAT 1 FIELDS 1 a", "HDEL h a"),
            ("HGETEX h FIELDS 1 a", ""),
            ("HGETDEL h FIELDS 2 none a", "HDEL h a"),
            ("HSETEX h EX 10 FNX FIELDS 1 c 3", "HSETEX h PXAT 1010000 FIELDS 1 c 3"),
            ("HSETEX h KEEPTTL FIELDS 1 m 3", "HSETEX h KEEPTTL FIELDS 1 m 3"),
            ("HSETEX h PXAT 1 FIELDS 1 c 3", "HDEL h c"),
            ("HSETEX h FNX FIELDS 1 a 3", ""),
            ("HINCRBYFLOAT h m 1", "HSETEX h KEEPTTL FIELDS 1 m 10"),
            ("HINCRBYFLOAT h a 1", "HSET h a 2"),
        ] {
            let mut session = Session::new();
            session.ask("HSET h a 1 b 2 m 9\nHEXPIRE h 100 FIELDS 1 m");
            session.logged();
            session.ask(line);
            let logged: Vec<String> = session.logged();
            assert_eq!(logged.join(","), log, "{line}");
        }
    }

    #[test]
    fn fields_go_when_their_time_has_come() {
        for (setup, encoding) in [
            ("HSET h a 1 b 2 c 3", "listpackex"),
            ("CONFIG SET hash-max-listpack-entries 0\nHSET h a 1 b 2 c 3", "hashtable"),
        ] {
            let mut session = Session::new();
            session.ask(setup);
            session.ask("HPEXPIRE h 10 FIELDS 1 a\nHPEXPIRE h 20 FIELDS 1 b");
            assert!(session.ask("OBJECT ENCODING h").contains(encoding));
            session.logged();
            assert_eq!(session.engine.next_deadline(), Some(1_000_010));
            session.wait(10);
            assert_eq!(session.logged(), ["HDEL h a"]);
            assert_eq!(session.engine.next_deadline(), Some(1_000_020));
            // A look comes before the tick.
            session.now_ms += 10;
            assert_eq!(session.ask("HGET h b\nHLEN h"), "$-1\r\n:1\r\n");
            assert_eq!(
                (session.logged(), session.engine.next_deadline()),
                (alloc::vec!["HDEL h b".into()], None)
            );
            session.engine.check();
        }
    }

    #[test]
    fn a_hash_goes_with_its_last_field() {
        let mut session = Session::new();
        session
            .ask("HSET h a 1\nHPEXPIRE h 10 FIELDS 1 a\nCOPY h i\nRENAME i j\nMOVE j 1\nSWAPDB 1 2\nSET k v");
        session.engine.check();
        session.wait(9);
        assert_eq!(session.ask("EXISTS h\nSELECT 2\nEXISTS j\nSELECT 0"), ":1\r\n+OK\r\n:1\r\n+OK\r\n");
        session.wait(1);
        assert_eq!(session.ask("DBSIZE\nSELECT 2\nDBSIZE\nSELECT 0"), ":1\r\n+OK\r\n:0\r\n+OK\r\n");
        session.ask("HSET h a 1\nHPEXPIRE h 10 FIELDS 1 a\nSET h text");
        assert_eq!(session.engine.next_deadline(), None);
        session.engine.check();
    }

    #[test]
    fn a_tick_has_an_end() {
        let mut session = Session::new();
        for n in 0..3000 {
            session.ask(&format!("HSETEX h PXAT 1000001 FIELDS 1 {n} v"));
        }
        session.logged();
        session.wait(1);
        assert_eq!(session.logged().iter().filter(|line| line.starts_with("HDEL")).count(), 1000);
        assert_eq!(session.engine.next_deadline(), Some(1_000_001));
        session.wait(0);
        session.wait(0);
        assert_eq!((session.ask("EXISTS h"), session.engine.next_deadline()), (":0\r\n".into(), None));
    }
}
