//! Commands on the bits of texts, counted from the highest bit of the first byte. A text is as long as it has to be: bits
//! behind its end are 0 and are there once one of them is written.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Keys, Kind, Shape, Words, one_of},
    reply::Array,
    spec::commands,
};
use crate::{
    Error, Result,
    data::number::{Digits, parse_i64},
    keyspace::{Event, Value},
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "bitmap";
    /// Sets or clears a bit of a text, creating it when missing; returns the bit it was.
    "SETBIT" = setbit(key, offset, value) since "2.2.0" [WRITE DENYOOM] O("1");
    /// Returns a bit of a text.
    "GETBIT" = getbit(key, offset) since "2.2.0" [READONLY FAST] O("1");
    /// Counts the bits that are set in a text, or in a part of it by the positions of its first and last byte or bit.
    "BITCOUNT" = bitcount(key, range) since "2.6.0" [READONLY] O("N) where N is the length of the string");
    /// Returns the position of the first bit that is 0 or 1 in a text, or in a part of it; -1 when there is none.
    "BITPOS" = bitpos(key, bit, range) since "2.8.7" [READONLY] O("N) where N is the length of the string");
    /// Combines texts bit by bit and stores the result; returns its length in bytes.
    "BITOP" = bitop(operation, destkey, keys) since "2.6.0" [WRITE DENYOOM] O("N) where N is the length of the longest string");
    /// Reads, writes and adds to integers of any number of bits anywhere in a text.
    "BITFIELD" = bitfield(key, operations) since "3.2.0" [WRITE DENYOOM] O("1) for each subcommand");
    /// Reads integers of any number of bits anywhere in a text.
    "BITFIELD_RO" = bitfield_ro(key, operations) since "6.0.0" [READONLY FAST] O("1) for each subcommand");
};

/// The position of a bit. How long a text may be, and so how large this, only the keyspace knows.
#[derive(Clone, Copy)]
struct Offset<'a>(&'a [u8]);

impl<'a> Arg<'a> for Offset<'a> {
    const SHAPE: Shape = Shape::Word("offset", Kind::Integer);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Offset)
    }
}

impl Offset<'_> {
    /// The position, if a text of `text_max` bytes has such a bit. In units of `width` bits when it begins with `#`.
    fn read(self, text_max: usize, width: Option<u32>) -> Result<u64> {
        let (digits, unit) = match (width, self.0.strip_prefix(b"#")) {
            (Some(width), Some(digits)) => (digits, width as i64),
            _ => (self.0, 1),
        };
        let at = parse_i64(digits).and_then(|n| n.checked_mul(unit)).and_then(|n| u64::try_from(n).ok());
        at.filter(|at| at / 8 < text_max as u64)
            .ok_or(Error::refused("ERR bit offset is not an integer or out of range"))
    }
}

/// A bit to be written, which is looked at after the offset.
#[derive(Clone, Copy)]
struct Bit<'a>(&'a [u8]);

impl<'a> Arg<'a> for Bit<'a> {
    const SHAPE: Shape = Shape::Word("value", Kind::Integer);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Bit)
    }
}

fn setbit(ctx: &mut Ctx, key: Key, offset: Offset, value: Bit) -> Result<bool> {
    let at = offset.read(ctx.text_max, None)?;
    let bit = match value.0 {
        b"0" => 0,
        b"1" => 1,
        _ => return Err(Error::refused("ERR bit is not an integer or out of range")),
    };
    let (text, grown) = open(ctx, key, at)?;
    let byte = &mut text[(at / 8) as usize];
    let shift = 7 - at % 8;
    let old = *byte >> shift & 1 == 1;
    *byte = *byte & !(1 << shift) | bit << shift;
    if grown || old != (bit == 1) {
        ctx.changed(key, Event::SetBit);
    }
    Ok(old)
}

fn getbit(ctx: &mut Ctx, key: Key, offset: Offset) -> Result<bool> {
    let at = offset.read(ctx.text_max, None)?;
    let Some(text) = ctx.read_text(key)? else { return Ok(false) };
    Ok(read_bits(text.as_bytes(&mut Digits::new()), at, 1) == 1)
}

/// The text under `key`, long enough to have the bit `last`, and whether it is longer than before.
fn open<'c>(ctx: &'c mut Ctx, key: Key, last: u64) -> Result<(&'c mut [u8], bool)> {
    let len = (last / 8) as usize + 1;
    let (found, old) = match ctx.find(key) {
        Some(found) => (found, ctx.database().text(found).ok_or(Error::WrongType)?.len()),
        None => (ctx.insert(key, Value::Text(Default::default()), None), 0),
    };
    Ok((ctx.edit_text(found, len), len > old))
}

one_of! {
    /// What a range counts.
    enum Unit { "BYTE" = Byte, "BIT" = Bit }
}

/// `start [end [BYTE | BIT]]`: a part of a text by the positions of its first and last byte or bit, negative ones from
/// the end.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: i64,
    end: Option<i64>,
    unit: Unit,
}

impl Range {
    /// The positions of the first and last bit in a text of `len` bytes; none when there are no such.
    fn bits(self, len: usize) -> Option<(u64, u64)> {
        let scale = if self.unit == Unit::Bit { 1 } else { 8 };
        let parts = len as i64 * 8 / scale;
        let absolute = |at: i64| if at < 0 { at.saturating_add(parts).max(0) } else { at };
        let (start, end) = (absolute(self.start), absolute(self.end.unwrap_or(-1)).min(parts - 1));
        (start <= end).then(|| ((start * scale) as u64, (end * scale + scale - 1) as u64))
    }
}

/// The range of BITCOUNT: with an end, or none at all.
struct CountRange(Option<Range>);

impl Arg<'_> for CountRange {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Word("start", Kind::Integer),
        Shape::Word("end", Kind::Integer),
        Shape::Maybe(&Unit::SHAPE),
    ]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if words.is_empty() {
            return Ok(CountRange(None));
        }
        if words.len() == 1 {
            return Err(Error::Syntax);
        }
        PositionRange::parse(words).map(|range| CountRange(range.0))
    }
}

/// The range of BITPOS.
struct PositionRange(Option<Range>);

impl Arg<'_> for PositionRange {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Word("start", Kind::Integer),
        Shape::Maybe(&Shape::Group(&[Shape::Word("end", Kind::Integer), Shape::Maybe(&Unit::SHAPE)])),
    ]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if words.is_empty() {
            return Ok(PositionRange(None));
        }
        let (start, end) = (i64::parse(words)?, Option::parse(words)?);
        let unit = Option::parse(words)?.unwrap_or(Unit::Byte);
        Ok(PositionRange(Some(Range { start, end, unit })))
    }
}

fn bitcount(ctx: &mut Ctx, key: Key, range: CountRange) -> Result<usize> {
    let range = range.0.unwrap_or(Range { start: 0, end: None, unit: Unit::Byte });
    let Some(text) = ctx.read_text(key)? else { return Ok(0) };
    // Before the first byte means the first byte, unless the range is turned round as well.
    if range.start < 0 && range.end.is_some_and(|end| end < range.start) {
        return Ok(0);
    }
    let mut digits = Digits::new();
    let text = text.as_bytes(&mut digits);
    let Some((first, last)) = range.bits(text.len()) else { return Ok(0) };
    let bytes = &text[(first / 8) as usize..=(last / 8) as usize];
    let outside = read_bits(text, first & !7, (first % 8) as u32).count_ones()
        + read_bits(text, last + 1, (7 - last % 8) as u32).count_ones();
    let ones: usize = bytes.chunks(8).map(|bytes| word(bytes).count_ones() as usize).sum();
    Ok(ones - outside as usize)
}

/// A bit that is looked for.
struct Sought(bool);

impl Arg<'_> for Sought {
    const SHAPE: Shape = Shape::Word("bit", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match i64::parse(words)? {
            bit @ (0 | 1) => Ok(Sought(bit == 1)),
            _ => Err(Error::refused("ERR The bit argument must be 1 or 0.")),
        }
    }
}

fn bitpos(ctx: &mut Ctx, key: Key, bit: Sought, range: PositionRange) -> Result<i64> {
    let range = range.0.unwrap_or(Range { start: 0, end: None, unit: Unit::Byte });
    let Some(text) = ctx.read_text(key)? else { return Ok(if bit.0 { -1 } else { 0 }) };
    let mut digits = Digits::new();
    let text = text.as_bytes(&mut digits);
    let Some((first, last)) = range.bits(text.len()) else { return Ok(-1) };
    let found = position(text, bit.0, first).filter(|at| *at <= last);
    Ok(match found {
        Some(at) => at as i64,
        // A text is followed by zeros, unless it was said where to stop.
        None if !bit.0 && range.end.is_none() => text.len() as i64 * 8,
        None => -1,
    })
}

/// The position of the first such bit from `first` on.
fn position(text: &[u8], bit: bool, first: u64) -> Option<u64> {
    let other = if bit { 0 } else { 0xff };
    let start = (first / 8) as usize;
    let (head, tail) = text[start..].split_first()?;
    let masked = (head ^ other) & 0xff >> (first % 8);
    let (at, differing) = match masked {
        0 => {
            let at = tail.iter().position(|byte| *byte != other)?;
            (start + 1 + at, tail[at] ^ other)
        }
        _ => (start, masked),
    };
    Some(at as u64 * 8 + differing.leading_zeros() as u64)
}

one_of! {
    /// How BITOP combines texts.
    enum Operation {
        "AND" = And, "OR" = Or, "XOR" = Xor, "NOT" = Not,
        /// In the first and in none of the others.
        "DIFF" = Diff,
        /// In any of the others and not in the first.
        "DIFF1" = Diff1,
        /// In the first and in any of the others.
        "ANDOR" = AndOr,
        /// In exactly one.
        "ONE" = One,
    }
}

fn bitop<'a>(ctx: &mut Ctx, operation: Operation, destkey: Key, keys: Keys<'a>) -> Result<usize> {
    use Operation::*;
    let name = match operation {
        Not if keys.len() > 1 => {
            return Err(Error::refused("ERR BITOP NOT must be called with a single source key."));
        }
        Diff => "DIFF",
        Diff1 => "DIFF1",
        AndOr => "ANDOR",
        _ => "",
    };
    if keys.len() < 2 && !name.is_empty() {
        return Err(format!("ERR BITOP {name} must be called with at least two source keys.").into());
    }
    let result = combined(ctx, operation, keys)?;
    if result.is_empty() {
        ctx.delete(destkey);
    } else {
        ctx.set_text(destkey, &result, None);
        // Bits are no number, even if they look like one.
        if let Some(found) = ctx.find(destkey) {
            ctx.edit_text(found, 0);
        }
        ctx.changed(destkey, Event::Set);
    }
    Ok(result.len())
}

fn combined(ctx: &mut Ctx, operation: Operation, keys: Keys) -> Result<Vec<u8>> {
    use Operation::*;
    let mut first = Vec::new();
    // The others together; and for ONE, what is in more than one.
    let (mut others, mut repeated) = (Vec::new(), Vec::new());
    for (i, key) in keys.iter().enumerate() {
        let mut digits = Digits::new();
        let text = ctx.read_text(key)?;
        let text = text.as_ref().map_or(&[][..], |text| text.as_bytes(&mut digits));
        match operation {
            _ if i == 0 => first = text.to_vec(),
            And => combine(&mut first, text, |a, b| a & b),
            Or => combine(&mut first, text, |a, b| a | b),
            Xor => combine(&mut first, text, |a, b| a ^ b),
            One => {
                let mut both = first.clone();
                combine(&mut both, text, |a, b| a & b);
                combine(&mut repeated, &both, |a, b| a | b);
                combine(&mut first, text, |a, b| a | b);
            }
            Not | Diff | Diff1 | AndOr => combine(&mut others, text, |a, b| a | b),
        }
    }
    match operation {
        And | Or | Xor => {}
        Not => combine(&mut first, &[], |a, _| !a),
        Diff => combine(&mut first, &others, |a, b| a & !b),
        Diff1 => combine(&mut first, &others, |a, b| !a & b),
        AndOr => combine(&mut first, &others, |a, b| a & b),
        One => combine(&mut first, &repeated, |a, b| a & !b),
    }
    Ok(first)
}

/// Combines two texts into the first. The shorter one is followed by zeros.
fn combine(into: &mut Vec<u8>, text: &[u8], operation: fn(u64, u64) -> u64) {
    if into.len() < text.len() {
        into.resize(text.len(), 0);
    }
    let mut others = text.chunks(8);
    for part in into.chunks_mut(8) {
        let result = operation(word(part), word(others.next().unwrap_or_default()));
        part.copy_from_slice(&result.to_le_bytes()[..part.len()]);
    }
}

/// Up to eight bytes as one number.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The nine bytes in which the bits from `at` on lie, the first one highest. Behind the end of the text are zeros.
fn window(text: &[u8], at: u64) -> u128 {
    let mut window = [0; 16];
    let rest = usize::try_from(at / 8).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    let len = rest.len().min(9);
    window[..len].copy_from_slice(&rest[..len]);
    u128::from_be_bytes(window)
}

/// Up to 64 bits.
fn read_bits(text: &[u8], at: u64, bits: u32) -> u64 {
    if bits == 0 { 0 } else { (window(text, at) << (at % 8) >> (128 - bits)) as u64 }
}

/// Overwrites bits that are there.
fn write_bits(text: &mut [u8], at: u64, bits: u32, value: u64) {
    let shift = 128 - bits - (at % 8) as u32;
    let mask = ((1 << bits) - 1) << shift;
    let window = window(text, at) & !mask | (value as u128) << shift & mask;
    let rest = &mut text[(at / 8) as usize..];
    let len = rest.len().min(9);
    rest[..len].copy_from_slice(&window.to_be_bytes()[..len]);
}

/// The type of an integer: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy)]
struct IntType {
    signed: bool,
    bits: u32,
}

impl IntType {
    fn read(word: &[u8]) -> Result<IntType> {
        let parse = || {
            let (sign, digits) = word.split_first()?;
            let signed = matches!(sign, b'i' | b'u').then_some(*sign == b'i')?;
            let bits = parse_i64(digits).filter(|bits| (1..=63 + signed as i64).contains(bits))?;
            Some(IntType { signed, bits: bits as u32 })
        };
        parse().ok_or(Error::refused(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        ))
    }

    /// The least and the greatest.
    fn limits(self) -> (i128, i128) {
        let values = 1i128 << (self.bits - self.signed as u32);
        (if self.signed { -values } else { 0 }, values - 1)
    }

    /// What the lowest bits of a number mean.
    fn of_bits(self, bits: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.signed { (bits << unused) as i64 >> unused } else { (bits << unused >> unused) as i64 }
    }

    /// `n` as such an integer, or in place of one that is too small or too great what `overflow` says.
    fn fit(self, n: i128, overflow: Overflow) -> Option<i64> {
        let (least, greatest) = self.limits();
        match overflow {
            _ if (least..=greatest).contains(&n) => Some(n as i64),
            Overflow::Wrap => Some(self.of_bits(n as u64)),
            Overflow::Sat => Some(n.clamp(least, greatest) as i64),
            Overflow::Fail => None,
        }
    }
}

one_of! {
    /// What happens to a result that does not fit.
    enum Overflow { "WRAP" = Wrap, "SAT" = Sat, "FAIL" = Fail }
}

enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

/// One access to an integer in a text.
struct Access {
    action: Action,
    kind: IntType,
    at: u64,
    overflow: Overflow,
}

/// The subcommands of BITFIELD, read when the longest text is known.
#[derive(Clone, Copy)]
struct Operations<'a>(Words<'a>);

impl<'a> Operations<'a> {
    const ENCODING: Shape = Shape::Word("encoding", Kind::Text);
    const VALUE: Shape = Shape::Word("value", Kind::Integer);
    const GET: Shape = Shape::Group(&[Shape::Token("GET"), Self::ENCODING, Offset::SHAPE]);
    const SET: Shape = Shape::Group(&[Shape::Token("SET"), Self::ENCODING, Offset::SHAPE, Self::VALUE]);
    const INCRBY: Shape = Shape::Group(&[Shape::Token("INCRBY"), Self::ENCODING, Offset::SHAPE, Self::VALUE]);
    const OVERFLOW: Shape = Shape::Group(&[Shape::Token("OVERFLOW"), Overflow::SHAPE]);

    fn read(self, text_max: usize) -> Result<Vec<Access>> {
        let mut words = self.0;
        let mut overflow = Overflow::Wrap;
        let mut accesses = Vec::new();
        while !words.is_empty() {
            let mut is = |token, following| words.take_with(token, following);
            let (get, set) = (is("GET", 2), is("SET", 3));
            if !get && !set && is("OVERFLOW", 1) {
                overflow = Overflow::parse(&mut words)
                    .map_err(|_| Error::refused("ERR Invalid OVERFLOW type specified"))?;
                continue;
            }
            if !get && !set && !is("INCRBY", 3) {
                return Err(Error::Syntax);
            }
            let kind = IntType::read(words.next()?)?;
            let at = Offset::parse(&mut words)?.read(text_max, Some(kind.bits))?;
            let action = match (get, set) {
                (true, _) => Action::Get,
                (_, true) => Action::Set(i64::parse(&mut words)?),
                _ => Action::IncrBy(i64::parse(&mut words)?),
            };
            accesses.push(Access { action, kind, at, overflow });
        }
        Ok(accesses)
    }
}

impl<'a> Arg<'a> for Operations<'a> {
    const SHAPE: Shape = Shape::Options(&[Self::GET, Self::SET, Self::INCRBY, Self::OVERFLOW]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(Operations(Words::new(words.split_off(0))))
    }
}

/// The subcommands of BITFIELD_RO.
#[derive(Clone, Copy)]
struct Reads<'a>(Operations<'a>);

impl<'a> Arg<'a> for Reads<'a> {
    const SHAPE: Shape = Shape::Options(&[Operations::GET]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Operations::parse(words).map(Reads)
    }
}

type Integers = Array<alloc::vec::IntoIter<Option<i64>>>;

fn bitfield<'a>(ctx: &mut Ctx, key: Key, operations: Operations<'a>) -> Result<Integers> {
    let accesses = operations.read(ctx.text_max)?;
    let writes = accesses.iter().filter(|access| !matches!(access.action, Action::Get));
    let Some(last) = writes.map(|access| access.at + access.kind.bits as u64 - 1).max() else {
        return read_all(ctx, key, accesses);
    };
    let (text, mut changed) = open(ctx, key, last)?;
    let mut replies = Vec::with_capacity(accesses.len());
    for Access { action, kind, at, overflow } in accesses {
        let old = kind.of_bits(read_bits(text, at, kind.bits));
        let new = match action {
            Action::Get => {
                replies.push(Some(old));
                continue;
            }
            // A negative number is a great one to a type without sign.
            Action::Set(n) => kind.fit(if kind.signed { n as i128 } else { n as u64 as i128 }, overflow),
            Action::IncrBy(n) => kind.fit(old as i128 + n as i128, overflow),
        };
        if let Some(new) = new {
            write_bits(text, at, kind.bits, new as u64);
            changed |= new != old;
        }
        replies.push(if matches!(action, Action::Set(_)) { new.map(|_| old) } else { new });
    }
    if changed {
        ctx.changed(key, Event::SetBit);
    }
    Ok(Array(replies.into_iter()))
}

fn bitfield_ro<'a>(ctx: &mut Ctx, key: Key, operations: Reads<'a>) -> Result<Integers> {
    let accesses = operations.0.read(ctx.text_max)?;
    if accesses.iter().any(|access| !matches!(access.action, Action::Get)) {
        return Err(Error::refused("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    read_all(ctx, key, accesses)
}

fn read_all(ctx: &mut Ctx, key: Key, accesses: Vec<Access>) -> Result<Integers> {
    let text = ctx.read_text(key)?;
    let mut digits = Digits::new();
    let text = text.as_ref().map_or(&[][..], |text| text.as_bytes(&mut digits));
    let read = |Access { kind, at, .. }| Some(kind.of_bits(read_bits(text, at, kind.bits)));
    Ok(Array(accesses.into_iter().map(read).collect::<Vec<_>>().into_iter()))
}
