//! `cmsgpack`: MessagePack to values and back, as Redis's scripts write it.

use alloc::{format, vec::Vec};

use omnilua::{Lua, Table, Value, Variadic};

use super::{Result, integer_of, number_of, raise, text_of};

/// How deep tables may be nested; deeper ones are nil.
const DEPTH_MAX: usize = 16;

const MISSING: &str = "Missing bytes in input.";
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
    let index = |key: &Value| match key {
        Value::Number(_) | Value::Integer(_) => number_of(key).filter(|n| *n >= 1.0 && libm::floor(*n) == *n),
        _ => None,
    };
    let max = pairs.iter().map(|(key, _)| index(key)).try_fold(0.0, |max: f64, n| Some(max.max(n?)));
    if let Some(max) = max.filter(|max| *max as usize == pairs.len() && *max > 0.0) {
        match max as usize {
            len @ 0..16 => out.push(0x90 | len as u8),
            len @ 16..65536 => put(0xdc, (len as u16).to_be_bytes(), out),
            len => put(0xdd, (len as u32).to_be_bytes(), out),
        }
        for i in 1..=max as i64 {
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
    let mut reader = Reader { lua, bytes: &bytes, at: offset as usize };
    let mut results: Vec<Value> = limit.iter().map(|_| Value::Nil).collect();
    let mut left = if limit_or_all == 0 { i64::MAX } else { limit_or_all };
    while left > 0 && reader.at < bytes.len() {
        match reader.value()? {
            Ok(value) => {
                left -= 1;
                results.push(value);
            }
            Err(problem) => return wrong(problem),
        }
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
}

type Read<T> = core::result::Result<T, &'static str>;

impl Reader<'_> {
    fn take(&mut self, len: usize) -> Read<&[u8]> {
        let bytes = self.at.checked_add(len).and_then(|end| self.bytes.get(self.at..end)).ok_or(MISSING)?;
        self.at += len;
        Ok(bytes)
    }

    /// A big-endian number of so many bytes.
    fn unsigned(&mut self, len: usize) -> Read<u64> {
        Ok(self.take(len)?.iter().fold(0, |n, &byte| n << 8 | byte as u64))
    }

    /// One value. The outer error is the interpreter's.
    fn value(&mut self) -> Result<Read<Value>> {
        let marker = match self.unsigned(1) {
            Ok(marker) => marker as u8,
            Err(problem) => return Ok(Err(problem)),
        };
        let number = |n: Read<f64>| Ok(n.map(Value::Number));
        match marker {
            0x00..=0x7f => number(Ok(marker as f64)),
            0xe0..=0xff => number(Ok(marker as i8 as f64)),
            0xc0 => Ok(Ok(Value::Nil)),
            0xc2 | 0xc3 => Ok(Ok(Value::Boolean(marker == 0xc3))),
            0xcc => number(self.unsigned(1).map(|n| n as f64)),
            0xcd => number(self.unsigned(2).map(|n| n as f64)),
            0xce => number(self.unsigned(4).map(|n| n as f64)),
            0xcf => number(self.unsigned(8).map(|n| n as f64)),
            0xd0 => number(self.unsigned(1).map(|n| n as i8 as f64)),
            0xd1 => number(self.unsigned(2).map(|n| n as i16 as f64)),
            0xd2 => number(self.unsigned(4).map(|n| n as i32 as f64)),
            0xd3 => number(self.unsigned(8).map(|n| n as i64 as f64)),
            0xca => number(self.unsigned(4).map(|n| f32::from_bits(n as u32) as f64)),
            0xcb => number(self.unsigned(8).map(f64::from_bits)),
            0xa0..=0xbf => self.text(Ok((marker & 31) as u64)),
            0xd9 => {
                let len = self.unsigned(1);
                self.text(len)
            }
            0xda => {
                let len = self.unsigned(2);
                self.text(len)
            }
            0xdb => {
                let len = self.unsigned(4);
                self.text(len)
            }
            0x90..=0x9f => self.array(Ok((marker & 15) as u64)),
            0xdc => {
                let len = self.unsigned(2);
                self.array(len)
            }
            0xdd => {
                let len = self.unsigned(4);
                self.array(len)
            }
            0x80..=0x8f => self.map(Ok((marker & 15) as u64)),
            0xde => {
                let len = self.unsigned(2);
                self.map(len)
            }
            0xdf => {
                let len = self.unsigned(4);
                self.map(len)
            }
            _ => Ok(Err(BAD)),
        }
    }

    fn text(&mut self, len: Read<u64>) -> Result<Read<Value>> {
        let lua = self.lua;
        match len.and_then(|len| self.take(len as usize)) {
            Ok(bytes) => Ok(Ok(Value::String(lua.create_string(bytes)?))),
            Err(problem) => Ok(Err(problem)),
        }
    }

    fn array(&mut self, len: Read<u64>) -> Result<Read<Value>> {
        let list = self.lua.create_table()?;
        let len = match len {
            Ok(len) => len,
            Err(problem) => return Ok(Err(problem)),
        };
        for i in 1..=len {
            match self.value()? {
                Ok(value) => list.raw_set(i as i64, value)?,
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok(Value::Table(list)))
    }

    fn map(&mut self, len: Read<u64>) -> Result<Read<Value>> {
        let map = self.lua.create_table()?;
        let len = match len {
            Ok(len) => len,
            Err(problem) => return Ok(Err(problem)),
        };
        for _ in 0..len {
            let (key, value) = match (self.value()?, self.value()?) {
                (Ok(key), Ok(value)) => (key, value),
                (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
            };
            if matches!(key, Value::Nil) || matches!(key, Value::Number(n) if n.is_nan()) {
                return Ok(Err(BAD));
            }
            map.raw_set(key, value)?;
        }
        Ok(Ok(Value::Table(map)))
    }
}
