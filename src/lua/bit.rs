//! `bit`: operations on numbers as 32 bits.

use alloc::{format, string::String};

use omnilua::{Lua, Table, Value, Variadic};

use super::{Result, number_of, raise, type_name};

/// The result, or the problem.
type Outcome = core::result::Result<u32, String>;

/// The library.
pub fn library(lua: &Lua) -> Result<Table> {
    let library = lua.create_table()?;
    let unary = |name: &'static str, f: fn(u32) -> u32| {
        library.set(
            name,
            lua.create_function(move |lua, words: Variadic<Value>| {
                signed(lua, apply(name, &words, |bits, _| f(bits)))
            })?,
        )
    };
    unary("tobit", |bits| bits)?;
    unary("bnot", |bits| !bits)?;
    unary("bswap", u32::swap_bytes)?;
    let shift = |name: &'static str, f: fn(u32, u32) -> u32| {
        let by = move |bits, words: &[Value]| f(bits, bits_of(words.get(1)).unwrap_or(0) & 31);
        library.set(
            name,
            lua.create_function(move |lua, words: Variadic<Value>| signed(lua, apply_two(name, &words, by)))?,
        )
    };
    shift("lshift", |bits, n| bits << n)?;
    shift("rshift", |bits, n| bits >> n)?;
    shift("arshift", |bits, n| ((bits as i32) >> n) as u32)?;
    shift("rol", u32::rotate_left)?;
    shift("ror", u32::rotate_right)?;
    let fold = |name: &'static str, f: fn(u32, u32) -> u32| {
        library.set(
            name,
            lua.create_function(move |lua, words: Variadic<Value>| signed(lua, fold_all(name, &words, f)))?,
        )
    };
    fold("band", |a, b| a & b)?;
    fold("bor", |a, b| a | b)?;
    fold("bxor", |a, b| a ^ b)?;
    library.set("tohex", lua.create_function(|lua, words: Variadic<Value>| tohex(lua, &words))?)?;
    Ok(library)
}

/// A number as 32 bits: whole numbers wrap around, halves go to the even neighbour.
fn bits_of(value: Option<&Value>) -> Option<u32> {
    let n = libm::rint(number_of(value?)?);
    let wrapped = libm::fmod(n, 4_294_967_296.0);
    Some(if n.is_finite() { wrapped as i64 as u32 } else { 0 })
}

fn signed(lua: &Lua, outcome: Outcome) -> Result<f64> {
    outcome.map(|bits| bits as i32 as f64).map_err(|problem| raise(lua, &problem))
}

fn wrong(name: &str, at: usize, value: Option<&Value>) -> Outcome {
    let got = match value {
        None => "no value",
        Some(value) => type_name(value),
    };
    Err(format!("bad argument #{at} to '{name}' (number expected, got {got})"))
}

fn apply(name: &str, words: &[Value], f: impl Fn(u32, &[Value]) -> u32) -> Outcome {
    match bits_of(words.first()) {
        Some(bits) => Ok(f(bits, words)),
        None => wrong(name, 1, words.first()),
    }
}

fn apply_two(name: &str, words: &[Value], f: impl Fn(u32, &[Value]) -> u32) -> Outcome {
    if bits_of(words.first()).is_some() && bits_of(words.get(1)).is_none() {
        return wrong(name, 2, words.get(1));
    }
    apply(name, words, f)
}

fn fold_all(name: &str, words: &[Value], f: fn(u32, u32) -> u32) -> Outcome {
    let mut all = None;
    for (i, word) in words.iter().enumerate() {
        let Some(bits) = bits_of(Some(word)) else { return wrong(name, i + 1, Some(word)) };
        all = Some(all.map_or(bits, |so_far| f(so_far, bits)));
    }
    all.map_or_else(|| wrong(name, 1, None), Ok)
}

/// So many hexadecimal digits, eight when nothing is said, capital ones when the number of them is negative.
fn tohex(lua: &Lua, words: &[Value]) -> Result<Value> {
    let bits = apply("tohex", words, |bits, _| bits).map_err(|problem| raise(lua, &problem))?;
    let digits = bits_of(words.get(1)).map_or(8, |n| n as i32);
    let width = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    Ok(Value::String(lua.create_string(&text.as_bytes()[8 - width..])?))
}
