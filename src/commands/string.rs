//! Commands on strings: texts and the numbers written in them.

use alloc::{format, vec, vec::Vec};

use twox_hash::XxHash3_64;

use super::{
    Command, Ctx,
    args::{
        Arg, Choice, Expiry, Key, Keys, Kind, Number, OneOf, Pairs, Shape, Switch, Text as Word, Words,
        one_of, options, slice_range,
    },
    reply::{Done, ManyMaybeBytes, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::number::{self, Extended},
    keyspace::{Event, Text, Value},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "string";
    /// Sets a key to a text, whatever it held; optionally only when it exists or does not, with a time to live.
    "SET" = set(key, value, options) since "1.0.0" [WRITE DENYOOM] O("1");
    /// Returns the text of a key.
    "GET" = get(key) since "1.0.0" [READONLY FAST] O("1");
    /// Sets a key to a text and returns the one it had.
    "GETSET" = getset(key, value) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Returns the text of a key and deletes the key.
    "GETDEL" = getdel(key) since "6.2.0" [WRITE FAST] O("1");
    /// Deletes a key, optionally only when its text or the digest of it is or is not what is given.
    "DELEX" = delex(key, condition) since "8.4.0" [WRITE FAST] O("1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the string value");
    /// Deletes a key when this is its text.
    "DELIFEQ" = delifeq(key, value) since "9.0.0" [WRITE FAST] O("1");
    /// Returns the digest of a text: its XXH3 in 16 hexadecimal digits.
    "DIGEST" = digest(key) since "8.4.0" [READONLY FAST] O("N) where N is the length of the string value");
    /// Returns the text of a key and sets or clears its time to live.
    "GETEX" = getex(key, options) since "6.2.0" [WRITE FAST] O("1");
    /// Sets a key to a text that expires after some seconds.
    "SETEX" = setex(key, seconds, value) since "2.0.0" [WRITE DENYOOM] O("1");
    /// Sets a key to a text that expires after some milliseconds.
    "PSETEX" = psetex(key, milliseconds, value) since "2.6.0" [WRITE DENYOOM] O("1");
    /// Sets a key to a text when the key does not exist.
    "SETNX" = setnx(key, value) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Sets several keys.
    "MSET" = mset(pairs) since "1.0.1" [WRITE DENYOOM] O("N) where N is the number of keys to set");
    /// Sets several keys when none of them exists.
    "MSETNX" = msetnx(pairs) since "1.0.1" [WRITE DENYOOM] O("N) where N is the number of keys to set");
    /// Sets several keys with one time to live; optionally only when all of them exist or none does.
    "MSETEX" = msetex(pairs, options) since "8.4.0" [WRITE DENYOOM] O("N) where N is the number of keys to set");
    /// Returns the texts of several keys.
    "MGET" = mget(keys) since "1.0.0" [READONLY FAST] O("N) where N is the number of keys to retrieve");
    /// Appends to the text of a key, creating it when missing; returns the new length.
    "APPEND" = append(key, value) since "2.0.0" [WRITE DENYOOM FAST] O("1");
    /// Returns the length of a text in bytes.
    "STRLEN" = strlen(key) since "2.2.0" [READONLY FAST] O("1");
    /// Returns a part of a text by the positions of its first and last byte, negative ones from the end.
    "GETRANGE" = getrange(key, start, end) since "2.4.0" [READONLY] O("N) where N is the length of the returned string");
    /// Returns a part of a text; an older name of GETRANGE.
    "SUBSTR" = getrange(key, start, end) since "1.0.0" [READONLY] O("N) where N is the length of the returned string");
    /// Overwrites a part of a text from a position on; returns the new length.
    "SETRANGE" = setrange(key, offset, value) since "2.2.0" [WRITE DENYOOM] O("1");
    /// Adds one to the integer of a key, which is 0 when missing.
    "INCR" = incr(key) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Subtracts one from the integer of a key, which is 0 when missing.
    "DECR" = decr(key) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Adds to the integer of a key, which is 0 when missing.
    "INCRBY" = incrby(key, increment) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Subtracts from the integer of a key, which is 0 when missing.
    "DECRBY" = decrby(key, decrement) since "1.0.0" [WRITE DENYOOM FAST] O("1");
    /// Adds to the number of a key, which is 0 when missing.
    "INCRBYFLOAT" = incrbyfloat(key, increment) since "2.6.0" [WRITE DENYOOM FAST] O("1");
    /// Returns the longest text that can be made of two texts by leaving out bytes, or its length, or where it stands.
    "LCS" = lcs(key1, key2, options) since "7.0.0" [READONLY] O("N*M) where N and M are the lengths of s1 and s2, respectively");
};

one_of! {
    /// When SET sets.
    enum Existence { "NX" = OnlyNew, "XX" = OnlyExisting }
}

one_of! {
    /// What a condition compares, and how it has to come out.
    enum Comparison { "IFEQ" = Equal, "IFNE" = Unequal, "IFDEQ" = DigestEqual, "IFDNE" = DigestUnequal }
}

/// `IFEQ text | IFNE text | IFDEQ digest | IFDNE digest`: what has to be true of the text of a key. A key that there is not
/// is unequal to everything.
#[derive(Clone, Copy, Debug)]
struct Condition<'a> {
    comparison: Comparison,
    word: &'a [u8],
}

impl Condition<'_> {
    const WORD: Shape = Shape::Word("value", Kind::Text);
    const DIGEST: Shape = Shape::Word("digest", Kind::Text);
    const SHAPE: Shape = Shape::OneOf(&[
        Shape::Group(&[Shape::Token("IFEQ"), Self::WORD]),
        Shape::Group(&[Shape::Token("IFNE"), Self::WORD]),
        Shape::Group(&[Shape::Token("IFDEQ"), Self::DIGEST]),
        Shape::Group(&[Shape::Token("IFDNE"), Self::DIGEST]),
    ]);

    fn holds(self, text: Option<Text>) -> Result<bool> {
        use Comparison::*;
        let wants_equal = matches!(self.comparison, Equal | DigestEqual);
        let Some(text) = text else { return Ok(!wants_equal) };
        let mut digits = number::Digits::new();
        let text = text.as_bytes(&mut digits);
        let is_equal = match self.comparison {
            Equal | Unequal => text == self.word,
            DigestEqual | DigestUnequal => {
                if self.word.len() != DIGEST_LEN || !self.word.iter().all(u8::is_ascii_hexdigit) {
                    return Err(Error::refused("ERR must be exactly 16 hexadecimal characters"));
                }
                digest_of(text).eq_ignore_ascii_case(self.word)
            }
        };
        Ok(is_equal == wants_equal)
    }
}

/// A condition among options, of which there is one at most.
#[derive(Clone, Copy, Debug, Default)]
struct MaybeCondition<'a>(Option<Condition<'a>>);

impl<'a> Switch<'a> for MaybeCondition<'a> {
    const FOLLOWS: Option<Shape> = None;
    const SHAPE: Shape = Condition::SHAPE;
    fn take(&mut self, _: &str, words: &mut Words<'a>) -> Result<bool> {
        if self.0.is_some() || words.len() < 2 {
            return Ok(false);
        }
        let Some(comparison) = Comparison::take(words) else { return Ok(false) };
        self.0 = Some(Condition { comparison, word: words.next()? });
        Ok(true)
    }
}

options! {
    /// The options of SET.
    struct SetOptions<'a> {
        existence: Choice<Existence>,
        condition: MaybeCondition<'a>,
        get: bool = "GET",
        expiry: Expiry<'a>,
    }
}

typed! {
    /// OK, or with GET the text before.
    SetReply = "'OK' | Bytes | null";
}

fn set<'a>(
    ctx: &mut Ctx,
    key: Key,
    value: Word,
    options: SetOptions<'a>,
) -> Result<Written<SetReply, impl FnOnce(&mut Writer) + use<>>> {
    let SetOptions { existence: Choice(existence), condition: MaybeCondition(condition), .. } = options;
    if existence.is_some() && condition.is_some() {
        return Err(Error::Syntax);
    }
    let deadline = options.expiry.deadline(ctx.now_ms(), "set")?;
    // A text that is only replaced need not be looked up first.
    let plain = existence.is_none() && condition.is_none() && !options.get && !options.expiry.keeps();
    let mut old = None;
    let mut allowed = true;
    let mut kept = None;
    if !plain {
        let found = ctx.find(key);
        if options.get {
            old = Some(ctx.read_text(key)?.map(|text| text.to_vec()));
        }
        allowed = match (existence, condition) {
            (Some(Existence::OnlyNew), _) => found.is_none(),
            (Some(Existence::OnlyExisting), _) => found.is_some(),
            (None, Some(condition)) => {
                let text =
                    found.map(|found| ctx.database().text(found).ok_or(Error::WrongType)).transpose()?;
                condition.holds(text)?
            }
            (None, None) => true,
        };
        kept = found.filter(|_| options.expiry.keeps()).and_then(|found| ctx.database().deadline(found));
    }
    if allowed {
        ctx.set_text(key, value.0, deadline.or(kept));
        ctx.changed(key, Event::Set);
        match deadline {
            Some(at) => {
                ctx.changed(key, Event::Expire);
                log_set(ctx, key, value.0, at);
            }
            // Whether a condition held was decided here.
            None if options.get || condition.is_some() => ctx.log_as(&[&b"SET"[..], key.0, value.0]),
            None => {}
        }
    }
    Ok(Written::new(move |out| match old {
        Some(Some(text)) => out.bulk(&text),
        None if allowed => out.ok(),
        _ => out.null(),
    }))
}

fn get<'c>(ctx: &'c mut Ctx, key: Key) -> Result<Option<Text<'c>>> {
    ctx.read_text(key)
}

fn getset(ctx: &mut Ctx, key: Key, value: Word) -> Result<Option<Vec<u8>>> {
    let old = ctx.read_text(key)?.map(|text| text.to_vec());
    ctx.set_text(key, value.0, None);
    ctx.changed(key, Event::Set);
    ctx.log_as(&[b"SET", key.0, value.0]);
    Ok(old)
}

fn getdel(ctx: &mut Ctx, key: Key) -> Result<Option<Vec<u8>>> {
    let Some(old) = ctx.read_text(key)?.map(|text| text.to_vec()) else { return Ok(None) };
    ctx.delete(key);
    ctx.log_as(&[b"DEL", key.0]);
    Ok(Some(old))
}

/// The condition of DELEX, looked at when the key is known to hold a text.
#[derive(Clone, Copy)]
struct Given<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for Given<'a> {
    const SHAPE: Shape = Shape::Maybe(&Condition::SHAPE);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(0);
        if matches!(all.len(), 0 | 2) { Ok(Given(all)) } else { Err(Error::Arity) }
    }
}

fn delex<'a>(ctx: &mut Ctx, key: Key, condition: Given<'a>) -> Result<bool> {
    let Some(found) = ctx.find(key) else { return Ok(false) };
    if !condition.0.is_empty() {
        let text = ctx
            .database()
            .text(found)
            .ok_or(Error::refused("ERR Key should be of string type if conditions are specified"))?;
        let mut words = Words::new(condition.0);
        let comparison = Comparison::take(&mut words)
            .ok_or(Error::refused("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"))?;
        if !(Condition { comparison, word: words.next()? }).holds(Some(text))? {
            return Ok(false);
        }
    }
    ctx.delete(key);
    ctx.log_as(&[b"DEL", key.0]);
    Ok(true)
}

fn delifeq(ctx: &mut Ctx, key: Key, value: Word) -> Result<bool> {
    let Some(found) = ctx.find(key) else { return Ok(false) };
    let text = ctx.database().text(found).ok_or(Error::WrongType)?;
    let is_equal = text.as_bytes(&mut number::Digits::new()) == value.0;
    if is_equal {
        ctx.delete(key);
        ctx.log_as(&[b"DEL", key.0]);
    }
    Ok(is_equal)
}

fn digest(ctx: &mut Ctx, key: Key) -> Result<Option<Vec<u8>>> {
    let text = ctx.read_text(key)?;
    Ok(text.map(|text| digest_of(text.as_bytes(&mut number::Digits::new()))))
}

const DIGEST_LEN: usize = 16;

fn digest_of(text: &[u8]) -> Vec<u8> {
    format!("{:0DIGEST_LEN$x}", XxHash3_64::oneshot(text)).into_bytes()
}

options! {
    /// The options of GETEX.
    struct GetExOptions<'a> {
        persist: bool = "PERSIST",
        expiry: Expiry<'a>,
    }
}

fn getex<'a>(ctx: &mut Ctx, key: Key, options: GetExOptions<'a>) -> Result<Option<Vec<u8>>> {
    if options.expiry.keeps() || options.persist && options.expiry.is_given() {
        return Err(Error::Syntax);
    }
    let Some(text) = ctx.read_text(key)?.map(|text| text.to_vec()) else { return Ok(None) };
    match options.expiry.deadline(ctx.now_ms(), "getex")? {
        Some(at) => ctx.expire_at(key, at),
        None => options.persist && ctx.persist(key),
    };
    Ok(Some(text))
}

fn setex(ctx: &mut Ctx, key: Key, seconds: i64, value: Word) -> Result<Done> {
    let at = Expiry::in_seconds(seconds, ctx.now_ms(), "setex")?;
    put_text(ctx, key, value.0, Some(at));
    Ok(Done)
}

fn psetex(ctx: &mut Ctx, key: Key, milliseconds: i64, value: Word) -> Result<Done> {
    let at = Expiry::in_millis(milliseconds, ctx.now_ms(), "psetex")?;
    put_text(ctx, key, value.0, Some(at));
    Ok(Done)
}

/// Sets `key` to a text, whatever it held, and its deadline with it: SET that nothing hinges on.
#[inline]
pub fn put_text(ctx: &mut Ctx, key: Key, text: &[u8], deadline: Option<u64>) {
    ctx.set_text(key, text, deadline);
    ctx.changed(key, Event::Set);
    if let Some(at) = deadline {
        ctx.changed(key, Event::Expire);
        log_set(ctx, key, text, at);
    }
}

fn log_set(ctx: &mut Ctx, key: Key, value: &[u8], at: u64) {
    let mut digits = number::Digits::new();
    ctx.log_as(&[b"SET", key.0, value, b"PXAT", number::write_i64(at as i64, &mut digits)]);
}

fn setnx(ctx: &mut Ctx, key: Key, value: Word) -> Result<bool> {
    let free = ctx.find(key).is_none();
    if free {
        ctx.set_text(key, value.0, None);
        ctx.changed(key, Event::Set);
    }
    Ok(free)
}

fn mset<'a>(ctx: &mut Ctx, pairs: Pairs<'a, Key<'a>, Word<'a>>) -> Result<Done> {
    for (key, value) in pairs.iter() {
        ctx.set_text(key, value.0, None);
        ctx.changed(key, Event::Set);
    }
    Ok(Done)
}

fn msetnx<'a>(ctx: &mut Ctx, pairs: Pairs<'a, Key<'a>, Word<'a>>) -> Result<bool> {
    let free = pairs.iter().all(|(key, _)| ctx.find(key).is_none());
    if free {
        mset(ctx, pairs)?;
    }
    Ok(free)
}

/// `numkeys key value [key value …]`
#[derive(Clone, Copy)]
struct CountedPairs<'a>(Pairs<'a, Key<'a>, Word<'a>>);

impl<'a> Arg<'a> for CountedPairs<'a> {
    const SHAPE: Shape = Shape::CountedPairs;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let count = number::parse_i64(words.next()?).and_then(|n| i32::try_from(n).ok()).filter(|n| *n > 0);
        let count = count.ok_or(Error::refused("ERR invalid numkeys value"))? as usize;
        let fitting = Some(count).filter(|count| *count <= words.len() / 2);
        let count = fitting.ok_or(Error::refused("ERR wrong number of key-value pairs"))?;
        Pairs::parse(&mut Words::new(words.take_n(2 * count)?)).map(CountedPairs)
    }
}

options! {
    /// The options of MSETEX.
    struct MsetexOptions<'a> {
        existence: Choice<Existence>,
        expiry: Expiry<'a>,
    }
}

fn msetex<'a>(ctx: &mut Ctx, pairs: CountedPairs<'a>, options: MsetexOptions<'a>) -> Result<bool> {
    let MsetexOptions { existence: Choice(existence), expiry } = options;
    let deadline = expiry.deadline(ctx.now_ms(), "msetex")?;
    let mut is_allowed = |key| match existence {
        Some(existence) => ctx.find(key).is_some() == (existence == Existence::OnlyExisting),
        None => true,
    };
    if !pairs.0.iter().all(|(key, _)| is_allowed(key)) {
        return Ok(false);
    }
    for (key, value) in pairs.0.iter() {
        let kept = if expiry.keeps() { ctx.find(key) } else { None };
        let kept = kept.and_then(|found| ctx.database().deadline(found));
        ctx.set_text(key, value.0, deadline.or(kept));
        ctx.changed(key, Event::Set);
        if deadline.is_some() {
            ctx.changed(key, Event::Expire);
        }
    }
    if let Some(at) = deadline {
        let (mut count, mut digits) = (number::Digits::new(), number::Digits::new());
        let mut words = vec![&b"MSETEX"[..], number::write_i64(pairs.0.len() as i64, &mut count)];
        words.extend(pairs.0.iter().flat_map(|(key, value)| [key.0, value.0]));
        words.extend([&b"PXAT"[..], number::write_i64(at as i64, &mut digits)]);
        ctx.log_as(&words);
    }
    Ok(true)
}

fn mget<'c, 'a>(
    ctx: &'c mut Ctx,
    keys: Keys<'a>,
) -> Result<Written<ManyMaybeBytes, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| {
        out.array(keys.len());
        for key in keys.iter() {
            match ctx.read_text(key) {
                Ok(Some(text)) => text.write_bulk(out),
                // A key of another kind counts as missing here.
                _ => out.null(),
            }
        }
    }))
}

fn append(ctx: &mut Ctx, key: Key, value: Word) -> Result<usize> {
    let Some(found) = ctx.find(key) else {
        ctx.set_text(key, value.0, None);
        ctx.changed(key, Event::Append);
        return Ok(value.0.len());
    };
    let len = ctx.database().text(found).ok_or(Error::WrongType)?.len();
    let total = ctx.check_text_len(len, value.0.len())?;
    ctx.edit_text(found, total)[len..].copy_from_slice(value.0);
    ctx.changed(key, Event::Append);
    Ok(total)
}

fn strlen(ctx: &mut Ctx, key: Key) -> Result<usize> {
    Ok(ctx.read_text(key)?.map_or(0, |text| text.len()))
}

fn getrange(ctx: &mut Ctx, key: Key, start: i64, end: i64) -> Result<Vec<u8>> {
    let Some(text) = ctx.read_text(key)? else { return Ok(Vec::new()) };
    let mut digits = number::Digits::new();
    let text = text.as_bytes(&mut digits);
    // An end before the first byte means the first byte, unless both count from the end and it is before the start.
    let is_reversed = start < 0 && start > end;
    let end = if end < 0 && !is_reversed { end.max(-(text.len() as i64)) } else { end };
    Ok(slice_range(start, end, text.len()).map_or(Vec::new(), |range| text[range].to_vec()))
}

fn setrange(ctx: &mut Ctx, key: Key, offset: i64, value: Word) -> Result<usize> {
    let offset = u64::try_from(offset).map_err(|_| Error::refused("ERR offset is out of range"))?;
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let found = ctx.find(key);
    let len = match found {
        Some(found) => ctx.database().text(found).ok_or(Error::WrongType)?.len(),
        None => 0,
    };
    if value.0.is_empty() {
        return Ok(len);
    }
    let end = ctx.check_text_len(offset, value.0.len())?;
    let found = match found {
        Some(found) => found,
        None => ctx.insert(key, Value::Text(Default::default()), None),
    };
    ctx.edit_text(found, end)[offset..end].copy_from_slice(value.0);
    ctx.changed(key, Event::SetRange);
    Ok(len.max(end))
}

fn incr(ctx: &mut Ctx, key: Key) -> Result<i64> {
    add(ctx, key, 1)
}

fn decr(ctx: &mut Ctx, key: Key) -> Result<i64> {
    add(ctx, key, -1)
}

fn incrby(ctx: &mut Ctx, key: Key, increment: i64) -> Result<i64> {
    add(ctx, key, increment)
}

fn decrby(ctx: &mut Ctx, key: Key, decrement: i64) -> Result<i64> {
    let increment = decrement.checked_neg().ok_or(Error::refused("ERR decrement would overflow"))?;
    add(ctx, key, increment)
}

fn add(ctx: &mut Ctx, key: Key, increment: i64) -> Result<i64> {
    let found = ctx.find(key);
    let old = match found.map(|found| ctx.database().text(found).ok_or(Error::WrongType)).transpose()? {
        None => 0,
        Some(Text::Int(n)) => n,
        Some(Text::Bytes(text)) => number::parse_i64(text).ok_or(Error::NotInteger)?,
    };
    let new = old.checked_add(increment).ok_or(Error::Overflow)?;
    let overwritten = found.is_some_and(|found| ctx.overwrite_int(found, new));
    if !overwritten {
        let deadline = found.and_then(|found| ctx.database().deadline(found));
        let mut digits = number::Digits::new();
        ctx.set_text(key, number::write_i64(new, &mut digits), deadline);
    }
    ctx.changed(key, Event::IncrBy);
    Ok(new)
}

fn incrbyfloat<'a>(ctx: &mut Ctx, key: Key, increment: Number<'a>) -> Result<Vec<u8>> {
    let found = ctx.find(key);
    let old = match found.map(|found| ctx.database().text(found).ok_or(Error::WrongType)).transpose()? {
        None => Extended::ZERO,
        Some(text) => Extended::parse(text.as_bytes(&mut number::Digits::new())).ok_or(Error::NotFloat)?,
    };
    let new = old + Extended::parse(increment.0).ok_or(Error::NotFloat)?;
    if !new.is_finite() {
        return Err(Error::refused("ERR increment would produce NaN or Infinity"));
    }
    let text = new.text();
    let deadline = found.and_then(|found| ctx.database().deadline(found));
    ctx.set_text(key, &text, deadline);
    ctx.changed(key, Event::IncrByFloat);
    ctx.log_as(&[b"SET", key.0, &text, b"KEEPTTL"]);
    Ok(text)
}

options! {
    /// The options of LCS.
    struct LcsOptions {
        len: bool = "LEN",
        idx: bool = "IDX",
        min_match_len: Option<i64> = "MINMATCHLEN",
        with_match_len: bool = "WITHMATCHLEN",
    }
}

typed! {
    /// A text, with LEN its length, with IDX the matches from the last to the first and the length.
    LcsReply = "Bytes | number | { matches: number[][][]; len: number }";
}

fn lcs(
    ctx: &mut Ctx,
    key1: Key,
    key2: Key,
    options: LcsOptions,
) -> Result<Written<LcsReply, impl FnOnce(&mut Writer) + use<>>> {
    let mut text = |key| match ctx.read_text(key) {
        Ok(text) => Ok(text.map_or(Vec::new(), |text| text.to_vec())),
        Err(_) => Err(Error::refused("ERR The specified keys must contain string values")),
    };
    let (a, b) = (text(key1)?, text(key2)?);
    if options.len && options.idx {
        return Err(Error::refused("ERR If you want both the length and indexes, please just use IDX."));
    }
    let table = LcsTable::new(&a, &b, ctx.text_max)?;
    let len = table.at(a.len(), b.len()) as usize;
    let matches = if options.len { Vec::new() } else { table.matches(&a, &b) };
    Ok(Written::new(move |out: &mut Writer| {
        if options.len {
            out.integer(len as i64);
        } else if options.idx {
            out.map(2);
            out.bulk(b"matches");
            write_matches(&matches, &options, out);
            out.bulk(b"len");
            out.integer(len as i64);
        } else {
            let parts: Vec<&[u8]> = matches.iter().rev().map(|it| &a[it.0..it.0 + it.2]).collect();
            out.bulk(&parts.concat());
        }
    }))
}

fn write_matches(matches: &[Match], options: &LcsOptions, out: &mut Writer) {
    let least = options.min_match_len.unwrap_or(0);
    let shown = matches.iter().filter(|it| it.2 as i64 >= least);
    out.array(shown.clone().count());
    for &Match(a, b, len) in shown {
        out.array(2 + options.with_match_len as usize);
        for start in [a, b] {
            out.array(2);
            out.integer(start as i64);
            out.integer((start + len - 1) as i64);
        }
        if options.with_match_len {
            out.integer(len as i64);
        }
    }
}

/// Bytes that two texts share: where they start in each, and how many they are.
struct Match(usize, usize, usize);

/// The length of the longest common subsequence of every two beginnings of two texts.
struct LcsTable {
    lens: Vec<u32>,
    row: usize,
}

impl LcsTable {
    /// Refused when it takes more than `max` bytes.
    fn new(a: &[u8], b: &[u8], max: usize) -> Result<LcsTable> {
        let row = b.len() + 1;
        let cells = row.checked_mul(a.len() + 1).filter(|cells| *cells <= max / size_of::<u32>());
        let cells = cells.ok_or(Error::refused(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ))?;
        let mut table = LcsTable { lens: vec![0; cells], row };
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                let len =
                    if x == y { table.at(i, j) + 1 } else { table.at(i, j + 1).max(table.at(i + 1, j)) };
                table.lens[(i + 1) * row + j + 1] = len;
            }
        }
        Ok(table)
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.lens[i * self.row + j]
    }

    /// The matches that the longest one consists of, from the last to the first.
    fn matches(&self, a: &[u8], b: &[u8]) -> Vec<Match> {
        let (mut i, mut j) = (a.len(), b.len());
        let mut matches: Vec<Match> = Vec::new();
        while i > 0 && j > 0 {
            if a[i - 1] != b[j - 1] {
                if self.at(i - 1, j) > self.at(i, j - 1) {
                    i -= 1
                } else {
                    j -= 1
                }
                continue;
            }
            match matches.last_mut().filter(|last| (last.0, last.1) == (i, j)) {
                Some(last) => *last = Match(i - 1, j - 1, last.2 + 1),
                None => matches.push(Match(i - 1, j - 1, 1)),
            }
            (i, j) = (i - 1, j - 1);
        }
        matches
    }
}
