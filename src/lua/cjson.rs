//! `cjson`: JSON to values and back, with the limits and the words of lua-cjson.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::{cell::RefCell, ptr};

use omnilua::{Lua, Table, Value, Variadic};

use super::{NESTED_MAX, Result, index_of, integer_of, number, number_of, raise, text_of, type_name};
use crate::data::number::parse_float;

/// The most nulls that fill the gaps of one array, whatever scripts ask for.
const NULLS_MAX: i64 = 1 << 20;

/// A problem, or the end of the interpreter itself.
enum Problem {
    Text(String),
    Lua(omnilua::Error),
}

impl From<omnilua::Error> for Problem {
    fn from(error: omnilua::Error) -> Problem {
        Problem::Lua(error)
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Problem {
        Problem::Text(text)
    }
}

type Outcome<T> = core::result::Result<T, Problem>;

/// What scripts may set.
struct Settings {
    encode_depth_max: usize,
    decode_depth_max: usize,
    number_precision: usize,
    sparse_converts: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encodes_invalid_numbers: bool,
    decodes_invalid_numbers: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            encode_depth_max: NESTED_MAX,
            decode_depth_max: NESTED_MAX,
            number_precision: 14,
            sparse_converts: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encodes_invalid_numbers: false,
            decodes_invalid_numbers: true,
        }
    }
}

/// The library.
pub fn library(lua: &Lua) -> Result<Table> {
    let library = lua.create_table()?;
    let settings = Rc::new(RefCell::new(Settings::default()));
    library.set("_NAME", "cjson")?;
    library.set("_VERSION", "2.1.0")?;
    library.set("null", Value::LightUserData(ptr::null_mut()))?;
    let shared = settings.clone();
    library.set(
        "encode",
        lua.create_function(move |lua, words: Variadic<Value>| {
            let [value] = &words[..] else {
                return Err(raise(lua, "bad argument #1 to 'encode' (expected 1 argument)"));
            };
            let mut out = Vec::new();
            let outcome = encode(value, &shared.borrow(), 0, &mut out);
            answer(lua, outcome.and_then(|()| Ok(Value::String(lua.create_string(&out)?))))
        })?,
    )?;
    let shared = settings.clone();
    library.set(
        "decode",
        lua.create_function(move |lua, words: Variadic<Value>| {
            let text = match &words[..] {
                [value] => text_of(value),
                _ => return Err(raise(lua, "bad argument #1 to 'decode' (expected 1 argument)")),
            };
            let Some(text) = text else {
                let got = type_name(&words[0]);
                return Err(raise(lua, &format!("bad argument #1 to 'decode' (string expected, got {got})")));
            };
            let settings = shared.borrow();
            let mut parser = Parser { lua, text: &text, at: 0, settings: &settings };
            answer(lua, parser.document())
        })?,
    )?;
    for (name, f) in [
        ("encode_max_depth", Settings::encode_depth as fn(&mut Settings, &[Value]) -> Value),
        ("decode_max_depth", Settings::decode_depth),
        ("encode_number_precision", Settings::precision),
        ("encode_sparse_array", Settings::sparse),
        ("encode_invalid_numbers", Settings::encode_invalid),
        ("decode_invalid_numbers", Settings::decode_invalid),
        ("encode_keep_buffer", |_, _| Value::Boolean(true)),
    ] {
        let shared = settings.clone();
        let set = move |_: &Lua, words: Variadic<Value>| Ok(f(&mut shared.borrow_mut(), &words));
        library.set(name, lua.create_function(set)?)?;
    }
    Ok(library)
}

fn answer(lua: &Lua, outcome: Outcome<Value>) -> Result<Value> {
    outcome.map_err(|problem| match problem {
        Problem::Text(text) => raise(lua, &text),
        Problem::Lua(error) => error,
    })
}

impl Settings {
    fn encode_depth(&mut self, words: &[Value]) -> Value {
        positive(&mut self.encode_depth_max, words, NESTED_MAX)
    }

    fn decode_depth(&mut self, words: &[Value]) -> Value {
        positive(&mut self.decode_depth_max, words, NESTED_MAX)
    }

    fn precision(&mut self, words: &[Value]) -> Value {
        positive(&mut self.number_precision, words, 16)
    }

    fn sparse(&mut self, words: &[Value]) -> Value {
        switch(&mut self.sparse_converts, words);
        if let Some(ratio) = words.get(1) {
            self.sparse_ratio = integer_of(ratio).max(0);
        }
        if let Some(safe) = words.get(2) {
            self.sparse_safe = integer_of(safe).max(0);
        }
        Value::Boolean(self.sparse_converts)
    }

    fn encode_invalid(&mut self, words: &[Value]) -> Value {
        switch(&mut self.encodes_invalid_numbers, words)
    }

    fn decode_invalid(&mut self, words: &[Value]) -> Value {
        switch(&mut self.decodes_invalid_numbers, words)
    }
}

fn positive(setting: &mut usize, words: &[Value], most: usize) -> Value {
    if let Some(word) = words.first() {
        *setting = usize::try_from(integer_of(word)).unwrap_or(0).clamp(1, most);
    }
    Value::Number(*setting as f64)
}

fn switch(setting: &mut bool, words: &[Value]) -> Value {
    match words.first() {
        Some(Value::Boolean(is_on)) => *setting = *is_on,
        Some(Value::String(word)) => *setting = word.to_str().is_ok_and(|word| word != "off"),
        _ => {}
    }
    Value::Boolean(*setting)
}

fn encode(value: &Value, settings: &Settings, depth: usize, out: &mut Vec<u8>) -> Outcome<()> {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(pointer) if pointer.is_null() => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::String(text) => encode_text(&text.as_bytes()?, out),
        Value::Number(_) | Value::Integer(_) => {
            encode_number(number_of(value).unwrap_or(0.0), settings, out)?
        }
        Value::Table(table) => encode_table(table, settings, depth + 1, out)?,
        other => return Err(unsupported(other, "type not supported")),
    }
    Ok(())
}

fn unsupported(value: &Value, reason: &str) -> Problem {
    format!("Cannot serialise {}: {reason}", type_name(value)).into()
}

fn encode_number(n: f64, settings: &Settings, out: &mut Vec<u8>) -> Outcome<()> {
    if !n.is_finite() && !settings.encodes_invalid_numbers {
        return Err("Cannot serialise number: must not be NaN or Inf".to_string().into());
    }
    out.extend_from_slice(number::precise(n, settings.number_precision).as_bytes());
    Ok(())
}

fn encode_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'/' => out.extend_from_slice(b"\\/"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f | 0x7f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

fn encode_table(table: &Table, settings: &Settings, depth: usize, out: &mut Vec<u8>) -> Outcome<()> {
    if depth > settings.encode_depth_max {
        return Err(format!("Cannot serialise, excessive depth ({depth})").into());
    }
    let pairs = table.raw_pairs()?;
    match array_len(&pairs, settings)? {
        Some(len) if len > 0 => {
            let mut items: Vec<&Value> = Vec::new();
            items.resize(len as usize, &Value::Nil);
            for (key, value) in &pairs {
                items[index_of(key).unwrap_or(1) as usize - 1] = value;
            }
            out.push(b'[');
            for (i, item) in items.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                encode(item, settings, depth, out)?;
            }
            out.push(b']');
        }
        _ => {
            out.push(b'{');
            for (i, (key, value)) in pairs.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                encode_key(key, settings, out)?;
                out.push(b':');
                encode(value, settings, depth, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn encode_key(key: &Value, settings: &Settings, out: &mut Vec<u8>) -> Outcome<()> {
    match key {
        Value::String(text) => encode_text(&text.as_bytes()?, out),
        Value::Number(_) | Value::Integer(_) => {
            out.push(b'"');
            encode_number(number_of(key).unwrap_or(0.0), settings, out)?;
            out.push(b'"');
        }
        _ => return Err("Cannot serialise table: table key must be a number or string".to_string().into()),
    }
    Ok(())
}

/// How long the array is that a table is, if it is one.
fn array_len(pairs: &[(Value, Value)], settings: &Settings) -> Outcome<Option<i64>> {
    let mut places = pairs.iter().map(|(key, _)| index_of(key));
    let Some(max) = places.try_fold(0, |max: i64, place| Some(max.max(place?))) else { return Ok(None) };
    let len = pairs.len() as i64;
    let is_sparse = settings.sparse_ratio > 0
        && max > len.saturating_mul(settings.sparse_ratio)
        && max > settings.sparse_safe;
    match is_sparse || max - len > NULLS_MAX {
        false => Ok(Some(max)),
        true if settings.sparse_converts => Ok(None),
        true => Err("Cannot serialise table: excessively sparse array".to_string().into()),
    }
}

/// Reads JSON.
struct Parser<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    settings: &'a Settings,
}

/// A token, where it begins, and how its kind is called in errors.
struct Token<'a> {
    at: usize,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Punctuation(u8),
    Text(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    End,
    Wrong(&'a str),
}

impl Kind<'_> {
    fn name(&self) -> &str {
        match self {
            Kind::Punctuation(b'{') => "T_OBJ_BEGIN",
            Kind::Punctuation(b'}') => "T_OBJ_END",
            Kind::Punctuation(b'[') => "T_ARR_BEGIN",
            Kind::Punctuation(b']') => "T_ARR_END",
            Kind::Punctuation(b':') => "T_COLON",
            Kind::Punctuation(_) => "T_COMMA",
            Kind::Text(_) => "T_STRING",
            Kind::Number(_) => "T_NUMBER",
            Kind::Boolean(_) => "T_BOOLEAN",
            Kind::Null => "T_NULL",
            Kind::End => "T_END",
            Kind::Wrong(reason) => reason,
        }
    }
}

fn expected(what: &str, found: &Token) -> Problem {
    format!("Expected {what} but found {} at character {}", found.kind.name(), found.at + 1).into()
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Outcome<Value> {
        // A text whose second byte is zero is UTF-16 or UTF-32.
        if self.text.len() >= 2 && (self.text[0] == 0 || self.text[1] == 0) {
            return Err("JSON parser does not support UTF-16 or UTF-32".to_string().into());
        }
        let token = self.token();
        let value = self.value(token, 0)?;
        let token = self.token();
        if matches!(token.kind, Kind::End) { Ok(value) } else { Err(expected("the end", &token)) }
    }

    fn value(&mut self, token: Token, depth: usize) -> Outcome<Value> {
        Ok(match token.kind {
            Kind::Text(text) => Value::String(self.lua.create_string(&text)?),
            Kind::Number(n) => Value::Number(n),
            Kind::Boolean(is_true) => Value::Boolean(is_true),
            Kind::Null => Value::LightUserData(ptr::null_mut()),
            Kind::Punctuation(b'[') => self.array(depth + 1)?,
            Kind::Punctuation(b'{') => self.object(depth + 1)?,
            _ => return Err(expected("value", &token)),
        })
    }

    fn check_depth(&self, depth: usize) -> Outcome<()> {
        if depth <= self.settings.decode_depth_max {
            return Ok(());
        }
        Err(format!("Found too many nested data structures ({depth})").into())
    }

    fn array(&mut self, depth: usize) -> Outcome<Value> {
        self.check_depth(depth)?;
        let list = self.lua.create_table()?;
        let mut token = self.token();
        if matches!(token.kind, Kind::Punctuation(b']')) {
            return Ok(Value::Table(list));
        }
        for i in 1.. {
            let value = self.value(token, depth)?;
            list.raw_set(i, value)?;
            token = self.token();
            match token.kind {
                Kind::Punctuation(b']') => break,
                Kind::Punctuation(b',') => token = self.token(),
                _ => return Err(expected("comma or array end", &token)),
            }
        }
        Ok(Value::Table(list))
    }

    fn object(&mut self, depth: usize) -> Outcome<Value> {
        self.check_depth(depth)?;
        let map = self.lua.create_table()?;
        let mut token = self.token();
        if matches!(token.kind, Kind::Punctuation(b'}')) {
            return Ok(Value::Table(map));
        }
        loop {
            let Kind::Text(key) = &token.kind else { return Err(expected("object key string", &token)) };
            let key = self.lua.create_string(key)?;
            let colon = self.token();
            if !matches!(colon.kind, Kind::Punctuation(b':')) {
                return Err(expected("colon", &colon));
            }
            let first = self.token();
            let value = self.value(first, depth)?;
            map.raw_set(key, value)?;
            token = self.token();
            match token.kind {
                Kind::Punctuation(b'}') => return Ok(Value::Table(map)),
                Kind::Punctuation(b',') => token = self.token(),
                _ => return Err(expected("comma or object end", &token)),
            }
        }
    }

    fn token(&mut self) -> Token<'static> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let at = self.at;
        let kind = match self.text.get(at) {
            None => Kind::End,
            Some(&byte @ (b'{' | b'}' | b'[' | b']' | b':' | b',')) => {
                self.at += 1;
                Kind::Punctuation(byte)
            }
            Some(b'"') => self.string(),
            Some(_) if self.skip(b"true") => Kind::Boolean(true),
            Some(_) if self.skip(b"false") => Kind::Boolean(false),
            Some(_) if self.skip(b"null") => Kind::Null,
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n' | b'N' | b'i' | b'I' | b'+') if self.settings.decodes_invalid_numbers => self.number(),
            Some(_) => Kind::Wrong("invalid token"),
        };
        // What is wrong inside a string is told at the string's own place.
        Token {
            at: if matches!(kind, Kind::Wrong(reason) if reason != "invalid token") { self.at } else { at },
            kind,
        }
    }

    fn skip(&mut self, word: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn number(&mut self) -> Kind<'static> {
        let rest = &self.text[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let len = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let digits = &rest[..len];
        let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
        let is_plain = unsigned.first().is_some_and(u8::is_ascii_digit)
            && !(unsigned.len() > 1
                && unsigned[0] == b'0'
                && (unsigned[1].is_ascii_digit() || unsigned[1] | 32 == b'x'));
        match parse_float(digits).filter(|_| is_plain || self.settings.decodes_invalid_numbers) {
            Some(n) => {
                self.at += len;
                Kind::Number(n)
            }
            None if digits.eq_ignore_ascii_case(b"nan") && self.settings.decodes_invalid_numbers => {
                self.at += len;
                Kind::Number(f64::NAN)
            }
            None => Kind::Wrong("invalid number"),
        }
    }

    fn string(&mut self) -> Kind<'static> {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            let Some(&byte) = self.text.get(self.at) else { return Kind::Wrong("unexpected end of string") };
            self.at += 1;
            match byte {
                b'"' => return Kind::Text(text),
                b'\\' => match self.escape(&mut text) {
                    Ok(()) => {}
                    Err(reason) => return Kind::Wrong(reason),
                },
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> core::result::Result<(), &'static str> {
        let escaped = *self.text.get(self.at).ok_or("unexpected end of string")?;
        let byte = match escaped {
            b'"' | b'\\' | b'/' => escaped,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(text).ok_or("invalid unicode escape code"),
            _ => return Err("invalid escape code"),
        };
        self.at += 1;
        text.push(byte);
        Ok(())
    }

    /// `u12ab`, and a second one when the first is half of a pair.
    fn unicode(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let hex = |at: usize| {
            let digits = core::str::from_utf8(self.text.get(at..at + 4)?).ok()?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u32::from_str_radix(digits, 16).ok())?
        };
        let mut code = hex(self.at + 1)?;
        let mut used = 5;
        if (0xd800..0xdc00).contains(&code) {
            if self.text.get(self.at + 5..self.at + 7) != Some(b"\\u") {
                return None;
            }
            let low = hex(self.at + 7).filter(|low| (0xdc00..0xe000).contains(low))?;
            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            used = 11;
        }
        let character = char::from_u32(code)?;
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += used;
        Some(())
    }
}
