//! Replies to Lua values and Lua values to replies, by Redis's rules.

use alloc::{string::String, vec::Vec};

use omnilua::{Lua, LuaError, Table, Value};

use super::{Result, text_of};
use crate::{
    data::number::parse_float,
    resp::{Piece, Version, Writer, read_piece},
};

/// How deep a result may be nested.
const DEPTH_MAX: usize = 200;

/// The value of a reply.
pub fn read(lua: &Lua, bytes: &[u8], version: Version) -> Result<Value> {
    read_one(lua, bytes, version).map(|(value, _)| value)
}

fn read_one(lua: &Lua, bytes: &[u8], version: Version) -> Result<(Value, usize)> {
    let (piece, mut at) = read_piece(bytes).ok_or_else(|| broken("a reply is cut short"))?;
    let text = |bytes: &[u8]| lua.create_string(bytes).map(Value::String);
    let mut next = || -> Result<Value> {
        let (value, used) = read_one(lua, &bytes[at..], version)?;
        at += used;
        Ok(value)
    };
    let value = match piece {
        Piece::Simple(line) => table(lua, "ok", text(line)?)?,
        Piece::Error(line) => error_table(lua, line)?,
        Piece::Integer(n) => Value::Number(n as f64),
        Piece::Bulk(bytes) => text(bytes)?,
        Piece::Null if version == Version::V3 => Value::Nil,
        Piece::Null => Value::Boolean(false),
        Piece::Boolean(is_true) => Value::Boolean(is_true),
        Piece::Double(digits) => {
            table(lua, "double", Value::Number(parse_float(digits).unwrap_or(f64::NAN)))?
        }
        Piece::BigNumber(digits) => table(lua, "big_number", text(digits)?)?,
        Piece::Verbatim(bytes) => {
            let (format, content) = bytes.split_at_checked(4).unwrap_or((bytes, b""));
            let parts = lua.create_table()?;
            parts.raw_set("format", text(format.strip_suffix(b":").unwrap_or(format))?)?;
            parts.raw_set("string", text(content)?)?;
            table(lua, "verbatim_string", Value::Table(parts))?
        }
        Piece::Array(len) | Piece::Push(len) => {
            let list = lua.create_table()?;
            for i in 1..=len {
                list.raw_set(i as i64, next()?)?;
            }
            Value::Table(list)
        }
        Piece::Map(len) => {
            let map = lua.create_table()?;
            for _ in 0..len {
                let (key, value) = (next()?, next()?);
                map.raw_set(key, value)?;
            }
            table(lua, "map", Value::Table(map))?
        }
        Piece::Set(len) => {
            let set = lua.create_table()?;
            for _ in 0..len {
                set.raw_set(next()?, true)?;
            }
            table(lua, "set", Value::Table(set))?
        }
        Piece::Attribute(pairs) => {
            for _ in 0..2 * pairs {
                next()?;
            }
            next()?
        }
    };
    Ok((value, at))
}

/// A table of one field.
fn table(lua: &Lua, field: &str, value: Value) -> Result<Value> {
    let table = lua.create_table()?;
    table.raw_set(field, value)?;
    Ok(Value::Table(table))
}

/// An error as scripts see it.
pub fn error_table(lua: &Lua, text: &[u8]) -> Result<Value> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    table(lua, "err", Value::String(lua.create_string(text)?))
}

fn broken(text: &str) -> omnilua::Error {
    LuaError::runtime(format_args!("{text}")).into()
}

/// Writes a value as a reply. `version` is the dialect that the script has chosen.
pub fn write(value: &Value, version: Version, out: &mut Writer) -> Result<()> {
    write_nested(value, version, out, 0)
}

fn write_nested(value: &Value, version: Version, out: &mut Writer, depth: usize) -> Result<()> {
    match value {
        Value::String(text) => out.bulk(&text.as_bytes()?),
        Value::Integer(n) => out.integer(*n),
        Value::Number(n) => out.integer(*n as i64),
        Value::Boolean(is_true) if version == Version::V3 => out.boolean(*is_true),
        Value::Boolean(true) => out.integer(1),
        Value::Table(_) if depth >= DEPTH_MAX => out.error("ERR reached lua stack limit"),
        Value::Table(table) => write_table(table, version, out, depth + 1)?,
        _ => out.null(),
    }
    Ok(())
}

fn write_table(table: &Table, version: Version, out: &mut Writer, depth: usize) -> Result<()> {
    let field = |name: &str| table.raw_get::<_, Value>(name);
    if let Some(text) = text_of(&field("err")?) {
        out.error_bytes(text.strip_prefix(b"-").unwrap_or(&text));
    } else if let Some(text) = text_of(&field("ok")?) {
        let line: String = String::from_utf8_lossy(&text).replace(['\r', '\n'], " ");
        out.simple(&line);
    } else if let Value::Number(n) = field("double")? {
        out.double(n);
    } else if let Value::Table(map) = field("map")? {
        let pairs = map.raw_pairs()?;
        out.map(pairs.len());
        for (key, value) in pairs {
            write_nested(&key, version, out, depth)?;
            write_nested(&value, version, out, depth)?;
        }
    } else if let Value::Table(set) = field("set")? {
        let members = set.raw_pairs()?;
        out.set(members.len());
        for (member, _) in members {
            write_nested(&member, version, out, depth)?;
        }
    } else if let Some(digits) = text_of(&field("big_number")?) {
        out.big_number(&String::from_utf8_lossy(&digits).replace(['\r', '\n'], " "));
    } else if let Value::Table(parts) = field("verbatim_string")? {
        let part = |name: &str| Ok::<_, omnilua::Error>(text_of(&parts.raw_get(name)?).unwrap_or_default());
        let (format, text) = (part("format")?, part("string")?);
        out.verbatim(&String::from_utf8_lossy(&format), &String::from_utf8_lossy(&text));
    } else {
        let mut items: Vec<Value> = Vec::new();
        loop {
            match table.raw_get::<_, Value>(items.len() as i64 + 1)? {
                Value::Nil => break,
                item => items.push(item),
            }
        }
        out.array(items.len());
        for item in &items {
            write_nested(item, version, out, depth)?;
        }
    }
    Ok(())
}
