//! `struct`: values to bytes laid out as in C, and back.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use omnilua::{Lua, Table, Value, Variadic};

use super::{Result, number_of, raise, text_of};

/// The widest integer.
const INTEGER_MAX: usize = 32;
/// What `!` aligns to when it says nothing.
const ALIGNMENT: usize = 8;

type Outcome<T> = core::result::Result<T, String>;

/// The library.
pub fn library(lua: &Lua) -> Result<Table> {
    let library = lua.create_table()?;
    library.set(
        "pack",
        lua.create_function(|lua, words: Variadic<Value>| {
            pack(&words).map_err(|problem| raise(lua, &problem)).and_then(|bytes| lua.create_string(&bytes))
        })?,
    )?;
    library.set("unpack", lua.create_function(|lua, words: Variadic<Value>| unpack(lua, &words))?)?;
    library.set(
        "size",
        lua.create_function(|lua, words: Variadic<Value>| {
            size(&words).map(|size| size as f64).map_err(|problem| raise(lua, &problem))
        })?,
    )?;
    Ok(library)
}

/// One option of a format.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Item {
    Padding,
    Integer {
        size: usize,
        is_signed: bool,
    },
    Float,
    Double,
    /// A text that a zero ends.
    Zero,
    /// A text of so many bytes; of all, or of as many as the number before says, when it says 0.
    Text(Option<usize>),
}

impl Item {
    fn size(self) -> usize {
        match self {
            Item::Padding => 1,
            Item::Integer { size, .. } => size,
            Item::Float => 4,
            Item::Double => 8,
            Item::Zero => 0,
            Item::Text(len) => len.unwrap_or(1),
        }
    }

    fn is_aligned(self) -> bool {
        matches!(self, Item::Integer { .. } | Item::Float | Item::Double)
    }
}

/// Reads a format.
struct Format<'a> {
    text: &'a [u8],
    at: usize,
    is_big: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Format<'a> {
        Format { text, at: 0, is_big: false, alignment: 1 }
    }

    fn number(&mut self) -> Outcome<Option<usize>> {
        let start = self.at;
        let mut n = 0usize;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            let more = n.checked_mul(10).and_then(|n| n.checked_add((digit - b'0') as usize));
            n = more.filter(|&n| n <= i32::MAX as usize).ok_or("integral size overflow")?;
            self.at += 1;
        }
        Ok((self.at > start).then_some(n))
    }

    fn integer(&mut self, is_signed: bool) -> Outcome<Item> {
        let size = self.number()?.unwrap_or(4);
        if size > INTEGER_MAX {
            return Err(format!("integral size {size} is larger than limit of {INTEGER_MAX}"));
        }
        Ok(Item::Integer { size, is_signed })
    }

    fn next(&mut self) -> Outcome<Option<Item>> {
        while let Some(&option) = self.text.get(self.at) {
            self.at += 1;
            let integer = |size, is_signed| Ok(Some(Item::Integer { size, is_signed }));
            return match option {
                b' ' => continue,
                b'>' => {
                    self.is_big = true;
                    continue;
                }
                b'<' => {
                    self.is_big = false;
                    continue;
                }
                b'!' => {
                    self.alignment = self.number()?.unwrap_or(ALIGNMENT);
                    if !self.alignment.is_power_of_two() {
                        return Err("alignment is not a power of 2".to_string());
                    }
                    continue;
                }
                b'x' => Ok(Some(Item::Padding)),
                b'b' => integer(1, true),
                b'B' => integer(1, false),
                b'h' => integer(2, true),
                b'H' => integer(2, false),
                b'l' => integer(8, true),
                b'L' | b'T' => integer(8, false),
                b'i' => self.integer(true).map(Some),
                b'I' => self.integer(false).map(Some),
                b'f' => Ok(Some(Item::Float)),
                b'd' | b'n' => Ok(Some(Item::Double)),
                b's' => Ok(Some(Item::Zero)),
                b'c' => {
                    let len = self.number()?;
                    Ok(Some(Item::Text(Some(len.unwrap_or(1)))))
                }
                other => Err(format!("invalid format option '{}'", other as char)),
            };
        }
        Ok(None)
    }

    /// Bytes between `at` and where an item of this kind may stand.
    fn gap(&self, item: Item, at: usize) -> usize {
        let alignment = item.size().min(self.alignment);
        if !item.is_aligned() || alignment <= 1 || !alignment.is_power_of_two() {
            return 0;
        }
        (alignment - (at & (alignment - 1))) & (alignment - 1)
    }
}

fn format_of(words: &[Value], name: &str) -> Outcome<Vec<u8>> {
    let missing = || format!("bad argument #1 to '{name}' (string expected, got no value)");
    words.first().and_then(text_of).ok_or_else(missing)
}

fn pack(words: &[Value]) -> Outcome<Vec<u8>> {
    let format = format_of(words, "pack")?;
    let mut format = Format::new(&format);
    let mut out = Vec::new();
    let mut given = words.iter().enumerate().skip(1);
    let mut next = |kind: &str| {
        let wrong = |at: usize| format!("bad argument #{at} to 'pack' ({kind} expected, got no value)");
        given.next().map(|(i, value)| (i + 1, value)).ok_or_else(|| wrong(words.len() + 1))
    };
    while let Some(item) = format.next()? {
        out.resize(out.len() + format.gap(item, out.len()), 0);
        let number = |(at, value): (usize, &Value)| {
            number_of(value).ok_or_else(|| format!("bad argument #{at} to 'pack' (number expected)"))
        };
        match item {
            Item::Padding => out.push(0),
            Item::Integer { size, .. } => {
                let n = number(next("number")?)?;
                let bits = if n < 0.0 { n as i64 as u64 } else { n as u64 };
                let fill = if n < 0.0 { 0xff } else { 0 };
                let mut bytes: Vec<u8> = bits.to_le_bytes().to_vec();
                bytes.resize(size, fill);
                if format.is_big {
                    bytes.reverse();
                }
                out.extend_from_slice(&bytes);
            }
            Item::Float | Item::Double => {
                let n = number(next("number")?)?;
                let mut bytes = match item {
                    Item::Float => (n as f32).to_le_bytes().to_vec(),
                    _ => n.to_le_bytes().to_vec(),
                };
                if format.is_big {
                    bytes.reverse();
                }
                out.extend_from_slice(&bytes);
            }
            Item::Zero | Item::Text(_) => {
                let (at, value) = next("string")?;
                let text = text_of(value)
                    .ok_or_else(|| format!("bad argument #{at} to 'pack' (string expected)"))?;
                let len = match item {
                    Item::Text(Some(len)) if len > 0 => len,
                    _ => text.len(),
                };
                let text = text
                    .get(..len)
                    .ok_or_else(|| format!("bad argument #{at} to 'pack' (string too short)"))?;
                out.extend_from_slice(text);
                if item == Item::Zero {
                    out.push(0);
                }
            }
        }
    }
    Ok(out)
}

/// The values that `words` ask for, and after them where the next would be.
fn unpack(lua: &Lua, words: &[Value]) -> Result<Variadic<Value>> {
    let wrong = |problem: &str| Err(raise(lua, problem));
    let format = match format_of(words, "unpack") {
        Ok(format) => format,
        Err(problem) => return wrong(&problem),
    };
    let Some(data) = words.get(1).and_then(text_of) else {
        return wrong("bad argument #2 to 'unpack' (string expected, got no value)");
    };
    let first = words.get(2).and_then(number_of).unwrap_or(1.0);
    if first < 1.0 {
        return wrong("offset must be 1 or greater");
    }
    let (mut format, mut at) = (Format::new(&format), first as usize - 1);
    let mut results = Vec::new();
    let mut last = None;
    loop {
        let item = match format.next() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(problem) => return wrong(&problem),
        };
        at += format.gap(item, at);
        let len = match item {
            Item::Text(Some(0)) => match last {
                Some(n) if n >= 0.0 => n as usize,
                _ => return wrong("format 'c0' needs a previous size"),
            },
            item => item.size(),
        };
        let Some(bytes) = at.checked_add(len).and_then(|end| data.get(at..end)) else {
            return wrong("data string too short");
        };
        at += len;
        let value = match item {
            Item::Padding => continue,
            Item::Integer { is_signed, .. } => Value::Number(integer(bytes, format.is_big, is_signed)),
            Item::Float | Item::Double => Value::Number(float(bytes, format.is_big)),
            Item::Text(len) => {
                // The number before it was its length, and is no result of its own.
                if len == Some(0) {
                    results.pop();
                }
                Value::String(lua.create_string(bytes)?)
            }
            Item::Zero => {
                let Some(len) = memchr::memchr(0, &data[at..]) else {
                    return wrong("unfinished string in data");
                };
                at += len + 1;
                Value::String(lua.create_string(&data[at - len - 1..at - 1])?)
            }
        };
        last = number_of(&value).filter(|_| !matches!(value, Value::String(_)));
        results.push(value);
    }
    results.push(Value::Number(at as f64 + 1.0));
    Ok(results.into())
}

/// An integer, of which the lowest eight bytes count.
fn integer(bytes: &[u8], is_big: bool, is_signed: bool) -> f64 {
    let significant = bytes.len().min(8);
    let byte = |i: usize| if is_big { bytes[bytes.len() - 1 - i] } else { bytes[i] };
    let bits = (0..significant).fold(0u64, |bits, i| bits | (byte(i) as u64) << (8 * i));
    if !is_signed {
        return bits as f64;
    }
    let unused = 64 - 8 * significant as u32;
    if unused == 64 { 0.0 } else { (((bits << unused) as i64) >> unused) as f64 }
}

fn float(bytes: &[u8], is_big: bool) -> f64 {
    let mut bytes = bytes.to_vec();
    if is_big {
        bytes.reverse();
    }
    match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(short) => f32::from_le_bytes(short) as f64,
        Err(_) => <[u8; 8]>::try_from(&bytes[..]).map_or(0.0, f64::from_le_bytes),
    }
}

fn size(words: &[Value]) -> Outcome<usize> {
    let format = format_of(words, "size")?;
    let (mut format, mut total) = (Format::new(&format), 0usize);
    while let Some(item) = format.next()? {
        total += format.gap(item, total);
        match item {
            Item::Zero => return Err("bad argument #1 to 'size' (option 's' has no fixed size)".to_string()),
            Item::Text(Some(0)) => {
                return Err("bad argument #1 to 'size' (option 'c0' has no fixed size)".to_string());
            }
            item => total = total.checked_add(item.size()).ok_or("format result too large")?,
        }
        if total > i32::MAX as usize {
            return Err("format result too large".to_string());
        }
    }
    Ok(total)
}
