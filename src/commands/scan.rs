//! Going through keys, fields and members in steps: SCAN and the scans of collections, which share cursor and options.
//! Where a cursor points is the business of the dictionaries; a packed collection answers whole at once.

use alloc::vec::Vec;

use super::{
    Command, Ctx, Kind, Shape,
    args::{Arg, Key, Later, Pattern, Switch, Text, Words, options},
    reply::{Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        glob::Glob,
        hash::Hash,
        number::{Digits, FloatText, float_in_17_digits, saturated, write_float},
        set::Set,
        sorted_set::{SortedSet, View},
    },
    resp::Writer,
};

/// The row about keys.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "generic";
    /// Returns some of the keys, and where to go on.
    "SCAN" = scan(cursor, options) since "2.8.0" [READONLY] O("1) for every call, O(N) for all of them");
};

/// The row about hashes.
pub const HASH_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "hash";
    /// Returns some of the fields with their values, and where to go on.
    "HSCAN" = hscan(key, cursor, options) since "2.8.0" [READONLY] O("1) for every call, O(N) for all of them");
};

/// The row about sets.
pub const SET_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "set";
    /// Returns some of the members, and where to go on.
    "SSCAN" = sscan(key, cursor, options) since "2.8.0" [READONLY] O("1) for every call, O(N) for all of them");
};

/// The row about sorted sets.
pub const SORTED_SET_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "sorted-set";
    /// Returns some of the members with their scores, and where to go on.
    "ZSCAN" = zscan(key, cursor, options) since "2.8.0" [READONLY] O("1) for every call, O(N) for all of them");
};

typed! {
    /// A cursor and some texts.
    Page = "[cursor: string, items: Bytes[]]";
}

/// Where a scan goes on: any unsigned number, as the C library reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cursor(u64);

impl Arg<'_> for Cursor {
    const SHAPE: Shape = Shape::Word("cursor", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        Cursor::read(words.next()?).map(Cursor).ok_or(Error::refused("ERR invalid cursor"))
    }
}

impl Cursor {
    /// The empty text is 0, and a minus counts from the other end.
    fn read(text: &[u8]) -> Option<u64> {
        let (negative, digits) = match text {
            [] => return Some(0),
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        if digits.is_empty() {
            return None;
        }
        let magnitude = digits.iter().try_fold(0u64, |value, byte| {
            let digit = (*byte as char).to_digit(10)?;
            value.checked_mul(10)?.checked_add(digit as u64)
        })?;
        Some(if negative { magnitude.wrapping_neg() } else { magnitude })
    }
}

/// About how many items a scan looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ScanCount(usize);

impl Arg<'_> for ScanCount {
    const SHAPE: Shape = Shape::Word("count", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let count = i64::parse(words)?;
        saturated(count).filter(|&count| count > 0).map(ScanCount).ok_or(Error::Syntax)
    }
}

options! {
    /// The options of every scan.
    struct Options<'a> {
        pattern: Option<Pattern<'a>> = "MATCH",
        count: Option<ScanCount> = "COUNT",
    }
}

options! {
    /// The options of SCAN.
    struct KeyOptions<'a> {
        shared: Options<'a>,
        kind: Option<Text<'a>> = "TYPE",
    }
}

options! {
    /// The options of HSCAN.
    struct FieldOptions<'a> {
        shared: Options<'a>,
        no_values: bool = "NOVALUES",
    }
}

impl<'a> Switch<'a> for Options<'a> {
    const FOLLOWS: Option<Shape> = None;
    const SHAPE: Shape = <Self as Arg>::SHAPE;
    fn take(&mut self, _: &str, words: &mut Words<'a>) -> Result<bool> {
        Ok(Switch::take(&mut self.pattern, "MATCH", words)? || Switch::take(&mut self.count, "COUNT", words)?)
    }
}

impl<'a> Options<'a> {
    fn count(&self) -> usize {
        const COUNT: usize = 10;
        self.count.map_or(COUNT, |count| count.0)
    }

    /// Says of any text whether it is asked for.
    fn filter(&self) -> impl Fn(&[u8]) -> bool + use<'a> {
        let glob = self.pattern.map(|pattern| Glob::new(pattern.0)).filter(|glob| !glob.is_star());
        move |text| glob.is_none_or(|glob| glob.matches(text))
    }

    /// The same of an element of a collection.
    fn entry_filter(&self) -> impl Fn(Entry) -> bool + use<'a> {
        let (is_any, filter) = (self.pattern.is_none(), self.filter());
        move |entry| is_any || filter(entry.text(&mut Digits::new()))
    }
}

fn scan<'a>(
    ctx: &mut Ctx,
    cursor: Cursor,
    options: KeyOptions<'a>,
) -> Result<Written<Page, impl FnOnce(&mut Writer) + use<>>> {
    let is_wanted = options.shared.filter();
    let (mut chosen, mut expired): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let database = ctx.database();
    let cursor = ctx.scan(cursor.0, options.shared.count(), |key, found| {
        let kind = database.kind(found).name().as_bytes();
        if !is_wanted(key) || options.kind.is_some_and(|it| !it.0.eq_ignore_ascii_case(kind)) {
            return;
        }
        if ctx.is_alive(database, found) { &mut chosen } else { &mut expired }.push(key.to_vec());
    });
    for key in expired {
        ctx.find(Key(&key));
    }
    Ok(Written::new(move |out| write_page(out, cursor, &chosen, |out, key| out.bulk(key))))
}

fn hscan<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    cursor: Cursor,
    options: Later<'a, FieldOptions<'a>>,
) -> Result<Written<Page, impl FnOnce(&mut Writer) + use<'c>>> {
    let (mut chosen, mut next) = (Vec::new(), 0);
    if let Some(hash) = ctx.read::<Hash>(key)? {
        let options = options.read()?;
        let is_wanted = options.shared.entry_filter();
        next = hash.scan(cursor.0, options.shared.count(), |(field, value)| {
            if is_wanted(field) {
                chosen.push(field);
                chosen.extend((!options.no_values).then_some(value));
            }
        });
    }
    Ok(Written::new(move |out| write_page(out, next, &chosen, |out, entry| entry.write_bulk(out))))
}

fn sscan<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    cursor: Cursor,
    options: Later<'a, Options<'a>>,
) -> Result<Written<Page, impl FnOnce(&mut Writer) + use<'c>>> {
    let (mut chosen, mut next) = (Vec::new(), 0);
    if let Some(set) = ctx.read::<Set>(key)? {
        let options = options.read()?;
        let is_wanted = options.entry_filter();
        next =
            set.scan(cursor.0, options.count(), |member| chosen.extend(is_wanted(member).then_some(member)));
    }
    Ok(Written::new(move |out| write_page(out, next, &chosen, |out, entry| entry.write_bulk(out))))
}

fn zscan<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    cursor: Cursor,
    options: Later<'a, Options<'a>>,
) -> Result<Written<Page, impl FnOnce(&mut Writer) + use<'c>>> {
    let (mut chosen, mut next, mut is_packed) = (Vec::new(), 0, true);
    if let Some(zset) = ctx.read::<SortedSet>(key)? {
        let options = options.read()?;
        let is_wanted = options.entry_filter();
        is_packed = matches!(zset.view(), View::Listpack(_));
        next = zset.scan(cursor.0, options.count(), |(member, score)| {
            chosen.extend(is_wanted(member).then_some((member, score)));
        });
    }
    Ok(Written::new(move |out| {
        out.array(2);
        out.bulk_display(next);
        out.array(2 * chosen.len());
        for (member, score) in chosen {
            member.write_bulk(out);
            // As Redis has it: a small sorted set keeps the text of a score, a large one the number.
            match is_packed {
                true => out.bulk(write_float(score, &mut FloatText::new())),
                false => out.bulk(float_in_17_digits(score).as_bytes()),
            }
        }
    }))
}

fn write_page<T>(out: &mut Writer, next: u64, items: &[T], write: impl Fn(&mut Writer, &T)) {
    out.array(2);
    out.bulk_display(next);
    out.array(items.len());
    items.iter().for_each(|item| write(out, item));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_any_number_that_the_c_library_reads() {
        for (text, cursor) in [
            ("", Some(0)),
            ("0", Some(0)),
            ("+7", Some(7)),
            ("007", Some(7)),
            ("-1", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-", None),
            (" 1", None),
            ("1x", None),
        ] {
            assert_eq!(Cursor::read(text.as_bytes()), cursor, "{text:?}");
        }
    }
}
