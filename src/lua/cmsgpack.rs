//! `cmsgpack`: MessagePack to values and back, as Redis's scripts write it.

use alloc::{format, vec::Vec};

use omnilua::{Lua, Table, Value, Variadic};

use super::{NESTED_MAX, Result, index_of, integer_of, number_of, raise, text_of};

/// How deep tables may be nested; deeper ones are nil.
const DEPTH_MAX: usize = 16;

const MISSING: &str = "Missing bytes in input.";
const TOO_DEEP: &str = "Too many nested tables in input.";
const BAD: &str = "Bad data format in input.";

/// The library.
pub fn library(lua: &Lua) -> Result<Table> {
    let library = lua.create_table()?;
    library.set("_NAME", "cmsgpack")?;
    library.set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    library.set(
        "pack",
        lua.create_function(|lua, words: Variadic<Value>| {
            if words.is_empty() {
                return Err(raise(lua, "bad argument #0 to 'pack' (MessagePack pack needs input.)"));
            }
            let mut out = Vec::new();
            for value in words.iter() {
                pack(value, 0, &mut out)?;
            }
            Ok(Value::String(lua.create_string(&out)?))
        })?,
    )?;
    library
        .set("unpack", lua.create_function(|lua, words: Variadic<Value>| unpack(lua, &words, None, 0))?)?;
    library.set(
        "unpack_one",
        lua.create_function(|lua, words: Variadic<Value>| {
            unpack(lua, &words, Some(1), words.get(1).map_or(0, integer_of))
        })?,
    )?;
    library.set(
        "unpack_limit",
        lua.create_function(|lua, words: Variadic<Value>| {
            let limit = words.get(1).map_or(0, integer_of);
            unpack(lua, &words, Some(limit), words.get(2).map_or(0, integer_of))
        })?,
    )?;
    Ok(library)
}

fn pack(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::String(text) => pack_text(&text.as_bytes()?, out),
        Value::Boolean(is_true) => out.push(0xc2 + *is_true as u8),
        Value::Number(_) | Value::Integer(_) => pack_number(number_of(value).unwrap_or(0.0), out),
        Value::Table(_) if depth == DEPTH_MAX => out.push(0xc0),
        Value::Table(table) => pack_table(table, depth + 1, out)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

/// A marker and a big-endian number.
fn put<const N: usize>(marker: u8, bytes: [u8; N], out: &mut Vec<u8>) {
    out.push(marker);
    out.extend_from_slice(&bytes);
}

fn pack_text(text: &[u8], out: &mut Vec<u8>) {
    match text.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..256 => put(0xd9, [len as u8], out),
        len @ 256..65536 => put(0xda, (len as u16).to_be_bytes(), out),
        len => put(0xdb, (len as u32).to_be_bytes(), out),
    }
    out.extend_from_slice(text);
}

fn pack_number(n: f64, out: &mut Vec<u8>) {
    let whole = n as i64;
    if whole as f64 != n || !n.is_finite() {
        return match n as f32 {
            short if short as f64 == n => put(0xca, short.to_be_bytes(), out),
            _ => put(0xcb, n.to_be_bytes(), out),
        };
    }
    match whole {
        0..=0x7f => out.push(whole as u8),
        0x80..=0xff => put(0xcc, [whole as u8], out),
        0x100..=0xffff => put(0xcd, (whole as u16).to_be_bytes(), out),
        0x1_0000..=0xffff_ffff => put(0xce, (whole as u32).to_be_bytes(), out),
        0x1_0000_0000.. => put(0xcf, whole.to_be_bytes(), out),
        -32..=-1 => out.push(whole as i8 as u8),
        -128..=-33 => put(0xd0, [whole as i8 as u8], out),
        -0x8000..=-129 => put(0xd1, (whole as i16).to_be_bytes(), out),
        -0x8000_0000..=-0x8001 => put(0xd2, (whole as i32).to_be_bytes(), out),
        _ => put(0xd3, whole.to_be_bytes(), out),
    }
}

fn pack_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    let pairs = table.raw_pairs()?;
    let mut places = pairs.iter().map(|(key, _)| index_of(key));
    let max = places.try_fold(0, |max: i64, place| Some(max.max(place?)));
    if let Some(max) = max.filter(|&max| max as usize == pairs.len() && max > 0) {
        match max as usize {
            len @ 0..16 => out.push(0x90 | len as u8),
            len @ 16..65536 => put(0xdc, (len as u16).to_be_bytes(), out),
            len => put(0xdd, (len as u32).to_be_bytes(), out),
        }
        for i in 1..=max {
            pack(&table.raw_get(i)?, depth, out)?;
        }
        return Ok(());
    }
    match pairs.len() {
        len @ 0..16 => out.push(0x80 | len as u8),
        len @ 16..65536 => put(0xde, (len as u16).to_be_bytes(), out),
        len => put(0xdf, (len as u32).to_be_bytes(), out),
    }
    for (key, value) in &pairs {
        pack(key, depth, out)?;
        pack(value, depth, out)?;
    }
    Ok(())
}

/// Unpacks up to `limit` values from `offset` on. With a limit, where to go on comes first, or -1 at the end.
fn unpack(lua: &Lua, words: &[Value], limit: Option<i64>, offset: i64) -> Result<Variadic<Value>> {
    let wrong = |text: &str| Err(raise(lua, text));
    let Some(bytes) = words.first().and_then(text_of) else {
        return wrong("bad argument #1 to 'unpack' (string expected)");
    };
    let limit_or_all = limit.unwrap_or(0);
    if offset < 0 || limit_or_all < 0 {
        return wrong(&format!(
            "Invalid request to unpack with offset of {offset} and limit of {}.",
            bytes.len()
        ));
    } else if offset as usize > bytes.len() {
        return wrong(&format!("Start offset {offset} greater than input length {}.", bytes.len()));
    }
    let mut reader = Reader { lua, bytes: &bytes, at: offset as usize, depth: 0 };
    let mut results: Vec<Value> = limit.iter().map(|_| Value::Nil).collect();
    let mut left = if limit_or_all == 0 { i64::MAX } else { limit_or_all };
    while left > 0 && reader.at < bytes.len() {
        results.push(reader.value()?);
        left -= 1;
    }
    if limit.is_some() {
        results[0] = Value::Number(if reader.at < bytes.len() { reader.at as f64 } else { -1.0 });
    }
    Ok(results.into())
}

struct Reader<'a> {
    lua: &'a Lua,
    bytes: &'a [u8],
    at: usize,
    /// How many tables it is in.
    depth: usize,
}

impl Reader<'_> {
    fn problem(&self, text: &str) -> omnilua::Error {
        raise(self.lua, text)
    }

    fn take(&mut self, len: u64) -> Result<&[u8]> {
        let end = usize::try_from(len).ok().and_then(|len| self.at.checked_add(len));
        let range =
            self.at..end.filter(|&end| end <= self.bytes.len()).ok_or_else(|| self.problem(MISSING))?;
        self.at = range.end;
        Ok(&self.bytes[range])
    }

    /// A big-endian number of so many bytes.
    fn unsigned(&mut self, len: u64) -> Result<u64> {
        Ok(self.take(len)?.iter().fold(0, |n, &byte| n << 8 | byte as u64))
    }

    fn value(&mut self) -> Result<Value> {
        let marker = self.unsigned(1)? as u8;
        // The lengths behind three markers in a row take one, two and four bytes, or two and four.
        let length = |first: u8, least: u64| least << (marker - first);
        let n = match marker {
            0x00..=0x7f => marker as f64,
            0xe0..=0xff => marker as i8 as f64,
            0xcc => self.unsigned(1)? as f64,
            0xcd => self.unsigned(2)? as f64,
            0xce => self.unsigned(4)? as f64,
            0xcf => self.unsigned(8)? as f64,
            0xd0 => self.unsigned(1)? as i8 as f64,
            0xd1 => self.unsigned(2)? as i16 as f64,
            0xd2 => self.unsigned(4)? as i32 as f64,
            0xd3 => self.unsigned(8)? as i64 as f64,
            0xca => f32::from_bits(self.unsigned(4)? as u32) as f64,
            0xcb => f64::from_bits(self.unsigned(8)?),
            0xc0 => return Ok(Value::Nil),
            0xc2 | 0xc3 => return Ok(Value::Boolean(marker == 0xc3)),
            0xa0..=0xbf => return self.text((marker & 31) as u64),
            0xd9..=0xdb => {
                let len = self.unsigned(length(0xd9, 1))?;
                return self.text(len);
            }
            0x90..=0x9f => return self.array((marker & 15) as u64),
            0xdc | 0xdd => {
                let len = self.unsigned(length(0xdc, 2))?;
                return self.array(len);
            }
            0x80..=0x8f => return self.map((marker & 15) as u64),
            0xde | 0xdf => {
                let len = self.unsigned(length(0xde, 2))?;
                return self.map(len);
            }
            _ => return Err(self.problem(BAD)),
        };
        Ok(Value::Number(n))
    }

    fn text(&mut self, len: u64) -> Result<Value> {
        let lua = self.lua;
        lua.create_string(self.take(len)?).map(Value::String)
    }

    /// A table to be filled by `fill`, one level deeper.
    fn table(&mut self, fill: impl FnOnce(&mut Self, &Table) -> Result<()>) -> Result<Value> {
        if self.depth == NESTED_MAX {
            return Err(self.problem(TOO_DEEP));
        }
        let table = self.lua.create_table()?;
        self.depth += 1;
        fill(self, &table)?;
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn array(&mut self, len: u64) -> Result<Value> {
        self.table(|this, list| (1..=len).try_for_each(|i| list.raw_set(i as i64, this.value()?)))
    }

    fn map(&mut self, len: u64) -> Result<Value> {
        self.table(|this, map| {
            (0..len).try_for_each(|_| {
                let (key, value) = (this.value()?, this.value()?);
                if matches!(key, Value::Nil) || matches!(key, Value::Number(n) if n.is_nan()) {
                    return Err(this.problem(BAD));
                }
                map.raw_set(key, value)
            })
        })
    }
}
