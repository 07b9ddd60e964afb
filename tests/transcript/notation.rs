//! The written form of requests and replies: `> SET k v` and `[1, "two", nil]`.
//!
//! A `Value` is what a server said; a `Pattern` is what a transcript expects, which may leave room (`<integer 1..10>`).
//! This file neither reads Markdown nor speaks RESP. `tests/commands/README.md` describes the notation for its writers.

use std::ops::RangeInclusive;

/// One reply, as RESP2 and RESP3 can express it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    /// RESP3's null and RESP2's null bulk string.
    Null,
    /// RESP2's `*-1`.
    NullArray,
    Double(f64),
    Boolean(bool),
    BigNumber(Vec<u8>),
    Verbatim(Vec<u8>, Vec<u8>),
    List(ListKind, Vec<Value>),
    Map(MapKind, Vec<(Value, Value)>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListKind {
    Array,
    Set,
    Push,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MapKind {
    Map,
    Attribute,
}

/// What a transcript expects of one reply.
#[derive(Clone, Debug)]
pub enum Pattern {
    Leaf(Value),
    List { kind: ListKind, items: Vec<Pattern>, open: bool },
    Map { kind: MapKind, pairs: Vec<(Pattern, Pattern)>, open: bool },
    Any,
    Integer(RangeInclusive<i64>),
    Double(RangeInclusive<f64>),
    Bulk,
    Text(Vec<GlobPart>),
    Error(Vec<GlobPart>),
    OneOf(Vec<Pattern>),
    Unordered(Box<Pattern>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GlobPart {
    Byte(u8),
    AnyByte,
    AnyBytes,
}

impl Pattern {
    pub fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Pattern::Any, _) => true,
            (Pattern::Leaf(Value::Double(expected)), Value::Double(got)) => {
                expected == got || (expected.is_nan() && got.is_nan())
            }
            (Pattern::Leaf(expected), got) => expected == got,
            (Pattern::Integer(range), Value::Integer(n)) => range.contains(n),
            (Pattern::Double(range), Value::Double(n)) => range.contains(n),
            (Pattern::Bulk, Value::Bulk(_)) => true,
            (Pattern::Text(glob), Value::Bulk(text) | Value::Simple(text) | Value::Verbatim(_, text)) => {
                glob_matches(glob, text)
            }
            (Pattern::Error(glob), Value::Error(text)) => glob_matches(glob, text),
            (Pattern::OneOf(choices), got) => choices.iter().any(|choice| choice.matches(got)),
            (Pattern::Unordered(inner), got) => inner.matches_as(got, false),
            (Pattern::List { kind: ListKind::Set, .. }, got) => self.matches_as(got, false),
            (Pattern::List { .. } | Pattern::Map { .. }, got) => self.matches_as(got, true),
            _ => false,
        }
    }

    fn matches_as(&self, value: &Value, ordered: bool) -> bool {
        match (self, value) {
            (Pattern::List { kind, items, open }, Value::List(got_kind, got)) if kind == got_kind => {
                sequence_matches(items, got, *open, ordered, |pattern, value| pattern.matches(value))
            }
            (Pattern::Map { kind, pairs, open }, Value::Map(got_kind, got)) if kind == got_kind => {
                sequence_matches(pairs, got, *open, ordered && !open, |(key, item), (got_key, got_item)| {
                    key.matches(got_key) && item.matches(got_item)
                })
            }
            _ => false,
        }
    }
}

fn sequence_matches<P, V>(
    patterns: &[P],
    values: &[V],
    open: bool,
    ordered: bool,
    matches: impl Fn(&P, &V) -> bool,
) -> bool {
    if patterns.len() > values.len() || (!open && patterns.len() < values.len()) {
        return false;
    }
    if ordered {
        return patterns.iter().zip(values).all(|(pattern, value)| matches(pattern, value));
    }
    assignable(patterns, values, &mut vec![false; values.len()], &matches)
}

/// Whether each pattern finds a value of its own.
fn assignable<P, V>(
    patterns: &[P],
    values: &[V],
    taken: &mut [bool],
    matches: &impl Fn(&P, &V) -> bool,
) -> bool {
    let Some((first, rest)) = patterns.split_first() else { return true };
    for (index, value) in values.iter().enumerate() {
        if !taken[index] && matches(first, value) {
            taken[index] = true;
            if assignable(rest, values, taken, matches) {
                return true;
            }
            taken[index] = false;
        }
    }
    false
}

/// Linear in practice: only the last `*` is ever tried again.
fn glob_matches(glob: &[GlobPart], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(g) {
            Some(GlobPart::AnyBytes) => {
                retry = Some((g + 1, t));
                g += 1;
            }
            Some(GlobPart::AnyByte) => (g, t) = (g + 1, t + 1),
            Some(GlobPart::Byte(byte)) if *byte == text[t] => (g, t) = (g + 1, t + 1),
            _ => {
                let Some((star, from)) = retry else { return false };
                retry = Some((star, from + 1));
                (g, t) = (star, from + 1);
            }
        }
    }
    glob[g..].iter().all(|part| *part == GlobPart::AnyBytes)
}

/// Splits a request the way redis-cli does, plus `"x"*100` (a long word) and `f{1..9}` (nine words).
pub fn parse_words(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut scanner = Scanner::new(line);
    loop {
        scanner.skip(|byte| byte == b' ');
        match scanner.peek() {
            None => return Ok(words),
            Some(b'"' | b'\'') => words.push(scanner.quoted_and_repeated()?),
            Some(_) => {
                let word = scanner.take_while(|byte| byte != b' ');
                expand_range(word, &mut words)?;
            }
        }
        if !matches!(scanner.peek(), None | Some(b' ')) {
            return Err("a closing quote must be followed by a space".into());
        }
    }
}

fn expand_range(word: &str, words: &mut Vec<Vec<u8>>) -> Result<(), String> {
    let range = || {
        let (prefix, rest) = word.split_once('{')?;
        let (range, suffix) = rest.split_once('}')?;
        let (first, last) = range.split_once("..")?;
        Some((prefix, first.parse::<u32>().ok()?, last.parse::<u32>().ok()?, suffix))
    };
    match range() {
        Some((prefix, first, last, suffix)) if first <= last && last - first < 100_000 => {
            words.extend((first..=last).map(|n| format!("{prefix}{n}{suffix}").into_bytes()));
        }
        Some(_) => return Err(format!("not a usable range: {word}")),
        None => words.push(word.as_bytes().to_vec()),
    }
    Ok(())
}

/// Reads one expected reply from the start of `text`; returns it with the number of bytes it took.
pub fn parse_pattern(text: &str) -> Result<(Pattern, usize), String> {
    let mut scanner = Scanner::new(text);
    if let Some(message) = text.strip_prefix("! ") {
        let message = message.split('\n').next().unwrap_or("").trim_end();
        return Ok((Pattern::Leaf(Value::Error(message.as_bytes().to_vec())), 2 + message.len()));
    }
    let pattern = scanner.pattern()?;
    Ok((pattern, scanner.at))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Scanner { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) { Ok(()) } else { Err(format!("expected `{token}` before `{}`", self.line())) }
    }

    fn line(&self) -> &'a str {
        self.rest().split('\n').next().unwrap_or("")
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        self.take_while(wanted);
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) {
        self.skip(|byte| byte.is_ascii_whitespace());
    }

    fn pattern(&mut self) -> Result<Pattern, String> {
        self.skip_blanks();
        let leaf = |value| Ok(Pattern::Leaf(value));
        match self.peek() {
            None => Err("expected a reply".into()),
            Some(b'"') => leaf(Value::Bulk(self.quoted_and_repeated()?)),
            Some(b'[') => self.list(ListKind::Array),
            Some(b'{') => self.map(MapKind::Map),
            Some(b'<') => self.placeholder(),
            _ if self.eat("~") => self.list(ListKind::Set),
            _ if self.eat("!") => leaf(Value::Error(self.quoted_and_repeated()?)),
            _ if self.eat("+") => leaf(Value::Simple(self.quoted_and_repeated()?)),
            _ if self.eat("nil[]") => leaf(Value::NullArray),
            _ if self.rest().starts_with("push[") => {
                self.at += 4;
                self.list(ListKind::Push)
            }
            _ if self.rest().starts_with("attribute{") => {
                self.at += 9;
                self.map(MapKind::Attribute)
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Pattern, String> {
        let word = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"_-+.".contains(&byte));
        if self.eat(":") {
            return Ok(Pattern::Leaf(Value::Verbatim(word.into(), self.quoted_and_repeated()?)));
        }
        let value = match word {
            "" => return Err(format!("not a reply: `{}`", self.line())),
            "nil" => Value::Null,
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "inf" | "-inf" | "nan" => Value::Double(word.parse().unwrap()),
            _ if word.as_bytes()[0].is_ascii_alphabetic() => Value::Simple(word.into()),
            _ => parse_number(word)?,
        };
        Ok(Pattern::Leaf(value))
    }

    fn list(&mut self, kind: ListKind) -> Result<Pattern, String> {
        let (items, open) = self.items("[", "]", Self::pattern)?;
        Ok(Pattern::List { kind, items, open })
    }

    fn map(&mut self, kind: MapKind) -> Result<Pattern, String> {
        let (pairs, open) = self.items("{", "}", |scanner| {
            let key = scanner.pattern()?;
            scanner.skip_blanks();
            scanner.expect(":")?;
            Ok((key, scanner.pattern()?))
        })?;
        Ok(Pattern::Map { kind, pairs, open })
    }

    /// Items between brackets, separated by commas; `...` in the last place leaves the list open.
    fn items<T>(
        &mut self,
        opening: &str,
        closing: &str,
        item: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<(Vec<T>, bool), String> {
        let mut items = Vec::new();
        self.expect(opening)?;
        loop {
            self.skip_blanks();
            if self.eat(closing) {
                return Ok((items, false));
            }
            if self.eat("...") {
                self.skip_blanks();
                self.expect(closing)?;
                return Ok((items, true));
            }
            items.push(item(self)?);
            self.skip_blanks();
            if !self.eat(",") {
                self.expect(closing)?;
                return Ok((items, false));
            }
        }
    }

    fn placeholder(&mut self) -> Result<Pattern, String> {
        self.expect("<")?;
        let kind = self.take_while(|byte| byte.is_ascii_lowercase());
        self.eat(" ");
        let pattern = match kind {
            "any" => Pattern::Any,
            "bulk" => Pattern::Bulk,
            "integer" => Pattern::Integer(self.range(i64::MIN, i64::MAX)?),
            "double" => Pattern::Double(self.range(f64::NEG_INFINITY, f64::INFINITY)?),
            "text" => Pattern::Text(self.glob()?),
            "error" => Pattern::Error(self.glob()?),
            "unordered" => Pattern::Unordered(Box::new(self.pattern()?)),
            "one" => {
                self.expect("of ")?;
                match self.list(ListKind::Array)? {
                    Pattern::List { items, .. } => Pattern::OneOf(items),
                    _ => unreachable!("a list was read"),
                }
            }
            _ => return Err(format!("unknown placeholder `{kind}`")),
        };
        self.expect(">")?;
        Ok(pattern)
    }

    /// `1..10`, `1..`, `..10` or nothing at all.
    fn range<T: std::str::FromStr>(&mut self, lowest: T, highest: T) -> Result<RangeInclusive<T>, String> {
        let text = self.take_while(|byte| byte != b'>');
        if text.is_empty() {
            return Ok(lowest..=highest);
        }
        let bound = |text: &str, open: T| {
            if text.is_empty() {
                Ok(open)
            } else {
                text.parse().map_err(|_| format!("not a number: `{text}`"))
            }
        };
        let (first, last) = text.split_once("..").ok_or_else(|| format!("not a range: `{text}`"))?;
        Ok(bound(first, lowest)?..=bound(last, highest)?)
    }

    /// Text up to `>`, where `*` stands for any bytes and `?` for one. Without text, anything goes.
    fn glob(&mut self) -> Result<Vec<GlobPart>, String> {
        let mut glob = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err("a placeholder must end in `>`".into()),
                Some(b'>') if glob.is_empty() => return Ok(vec![GlobPart::AnyBytes]),
                Some(b'>') => return Ok(glob),
                Some(b'*') => glob.push(GlobPart::AnyBytes),
                Some(b'?') => glob.push(GlobPart::AnyByte),
                Some(b'\\') => {
                    glob.push(GlobPart::Byte(self.escape()?));
                    continue;
                }
                Some(byte) => glob.push(GlobPart::Byte(byte)),
            }
            self.at += 1;
        }
    }

    fn quoted_and_repeated(&mut self) -> Result<Vec<u8>, String> {
        let text = self.quoted()?;
        if !self.eat("*") {
            return Ok(text);
        }
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let times: usize = digits.parse().map_err(|_| format!("not a repetition: `*{digits}`"))?;
        Ok(text.repeat(times))
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return Err(format!("expected a quoted text before `{}`", self.line())),
        };
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err("a quoted text does not end".into()),
                Some(b'\\') if quote == b'"' => text.push(self.escape()?),
                Some(b'\\') if self.rest().starts_with("\\'") => {
                    text.push(b'\'');
                    self.at += 2;
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(text);
                    }
                    text.push(byte);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<u8, String> {
        self.expect("\\")?;
        let byte = self.peek().filter(u8::is_ascii).ok_or("nothing to escape")?;
        self.at += 1;
        Ok(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'x' => {
                let digits = self.rest().get(..2).ok_or("\\x needs two digits")?;
                self.at += 2;
                u8::from_str_radix(digits, 16).map_err(|_| format!("not hexadecimal: `{digits}`"))?
            }
            other => other,
        })
    }
}

fn parse_number(word: &str) -> Result<Value, String> {
    let wrong = || format!("not a number: `{word}`");
    if let Some(digits) = word.strip_suffix('n') {
        return Ok(Value::BigNumber(digits.into()));
    }
    if word.contains(['.', 'e']) {
        return word.parse().map(Value::Double).map_err(|_| wrong());
    }
    word.parse().map(Value::Integer).map_err(|_| wrong())
}

/// Lines are broken where they would grow beyond this many columns.
const WIDTH: usize = 100;

/// Writes a reply as it stands on lines of its own.
pub fn render(value: &Value) -> String {
    if let Value::Error(text) = value
        && text.iter().all(|byte| (b' '..=b'~').contains(byte))
        && !text.ends_with(b" ")
    {
        return format!("! {}", String::from_utf8_lossy(text));
    }
    let mut out = String::new();
    write_value(value, 0, &mut out);
    out
}

fn write_value(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Simple(text) if is_bare(text) => out.push_str(&String::from_utf8_lossy(text)),
        Value::Simple(text) => *out += &format!("+{}", quote(text)),
        Value::Error(text) => *out += &format!("!{}", quote(text)),
        Value::Integer(n) => *out += &n.to_string(),
        Value::Bulk(text) => *out += &quote(text),
        Value::Null => *out += "nil",
        Value::NullArray => *out += "nil[]",
        Value::Double(n) if n.is_nan() => *out += "nan",
        Value::Double(n) => *out += &format!("{n:?}"),
        Value::Boolean(yes) => *out += &yes.to_string(),
        Value::BigNumber(digits) => *out += &format!("{}n", String::from_utf8_lossy(digits)),
        Value::Verbatim(format, text) => {
            *out += &format!("{}:{}", String::from_utf8_lossy(format), quote(text))
        }
        Value::List(kind, items) => {
            *out += match kind {
                ListKind::Array => "",
                ListKind::Set => "~",
                ListKind::Push => "push",
            };
            let mut parts = items.iter().map(|item| nested(item, indent)).collect::<Vec<_>>();
            if *kind == ListKind::Set {
                parts.sort();
            }
            write_items("[", &parts, "]", indent, out);
        }
        Value::Map(kind, pairs) => {
            if *kind == MapKind::Attribute {
                *out += "attribute";
            }
            let pair =
                |(key, item): &(Value, Value)| format!("{}: {}", nested(key, indent), nested(item, indent));
            write_items("{", &pairs.iter().map(pair).collect::<Vec<_>>(), "}", indent, out);
        }
    }
}

fn nested(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    write_value(value, indent + 2, &mut out);
    out
}

fn write_items(opening: &str, parts: &[String], closing: &str, indent: usize, out: &mut String) {
    *out += opening;
    let width: usize = parts.iter().map(|part| part.len() + 2).sum();
    if indent + width <= WIDTH && parts.iter().all(|part| !part.contains('\n')) {
        *out += &parts.join(", ");
    } else {
        let (pad, end) = (" ".repeat(indent + 2), " ".repeat(indent));
        *out += &format!("\n{pad}{}\n{end}", flow(parts, indent + 2).join(&format!(",\n{pad}")));
    }
    *out += closing;
}

/// Lines of items: one a line, or as many as fit when they are short.
fn flow(parts: &[String], indent: usize) -> Vec<String> {
    if parts.iter().any(|part| part.len() > 24 || part.contains('\n')) {
        return parts.to_vec();
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if indent + line.len() + part.len() + 2 < WIDTH => *line += &format!(", {part}"),
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// Whether a simple string can stand without quotes and still be told from everything else.
fn is_bare(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        && ![&b"nil"[..], b"true", b"false", b"inf", b"nan", b"closed"].contains(&text)
}

fn quote(text: &[u8]) -> String {
    if let Some((first, rest)) = text.split_first()
        && text.len() > 64
        && rest.iter().all(|byte| byte == first)
    {
        return format!("{}*{}", quote(&[*first]), text.len());
    }
    let mut out = String::from("\"");
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                '\n' => out += "\\n",
                '\r' => out += "\\r",
                '\t' => out += "\\t",
                control if control.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in control.encode_utf8(&mut bytes).bytes() {
                        out += &format!("\\x{byte:02x}");
                    }
                }
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            out += &format!("\\x{byte:02x}");
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, value: &Value) -> bool {
        let (parsed, taken) = parse_pattern(pattern).unwrap();
        assert_eq!(taken, pattern.len(), "all of `{pattern}` is read");
        parsed.matches(value)
    }

    #[test]
    fn what_is_rendered_reads_back_as_itself() {
        let bulk = |text: &str| Value::Bulk(text.into());
        let values = [
            Value::Simple("OK".into()),
            Value::Simple("nil".into()),
            Value::Simple("two words".into()),
            Value::Error("ERR something: \"quoted\"".into()),
            Value::Error("ERR two\nlines".into()),
            Value::Integer(-7),
            bulk(""),
            Value::Bulk(b"\0\xff caf\xc3\xa9 \"\\\r\n\x1b".to_vec()),
            Value::Bulk(vec![0xff; 100]),
            Value::Null,
            Value::NullArray,
            Value::Double(1.0),
            Value::Double(-0.1),
            Value::Double(1e300),
            Value::Double(f64::NEG_INFINITY),
            Value::Double(f64::NAN),
            Value::Boolean(true),
            Value::BigNumber("123456789012345678901234567890".into()),
            Value::Verbatim("txt".into(), "a\nb".into()),
            Value::List(ListKind::Array, (0..60).map(Value::Integer).collect()),
            Value::List(ListKind::Array, vec![Value::Error("ERR in EXEC".into())]),
            Value::List(ListKind::Set, vec![bulk("b"), bulk("a")]),
            Value::List(ListKind::Push, vec![bulk("message")]),
            Value::Map(MapKind::Map, vec![(bulk("k"), Value::Map(MapKind::Map, vec![]))]),
            Value::Map(MapKind::Attribute, vec![(bulk("ttl"), Value::Integer(1))]),
        ];
        for value in &values {
            for other in &values {
                let same = format!("{value:?}") == format!("{other:?}");
                assert_eq!(
                    matches(&render(value), other),
                    same,
                    "{} against {}",
                    render(value),
                    render(other)
                );
            }
        }
    }

    #[test]
    fn placeholders_leave_room_and_no_more() {
        let bulk = |text: &str| Value::Bulk(text.into());
        let list =
            |items: &[&str]| Value::List(ListKind::Array, items.iter().map(|item| bulk(item)).collect());
        assert!(matches("<any>", &Value::Null));
        assert!(matches("<integer>", &Value::Integer(5)) && !matches("<integer>", &bulk("5")));
        assert!(
            matches("<integer 1..5>", &Value::Integer(5)) && !matches("<integer 1..5>", &Value::Integer(6))
        );
        assert!(
            matches("<integer -9..>", &Value::Integer(-9))
                && !matches("<integer ..-10>", &Value::Integer(-9))
        );
        assert!(matches("<double 0.5..1>", &Value::Double(0.75)) && !matches("<double>", &Value::Integer(1)));
        assert!(matches("<text a*b?>", &bulk("a\nxbxbc")) && !matches("<text a*b?>", &bulk("axb")));
        assert!(matches("<text \\*\\x41>", &bulk("*A")) && !matches("<text \\*\\x41>", &bulk("AA")));
        assert!(
            matches("<error ERR *>", &Value::Error("ERR x".into())) && !matches("<error>", &bulk("ERR x"))
        );
        assert!(matches("<one of [\"a\", nil]>", &Value::Null) && !matches("<one of [\"a\"]>", &bulk("b")));
        assert!(matches("<unordered [\"a\", <text b*>]>", &list(&["bb", "a"])));
        assert!(!matches("<unordered [\"a\", \"a\"]>", &list(&["a", "b"])));
        assert!(!matches("[\"b\", \"a\"]", &list(&["a", "b"])));
        assert!(matches("[\"a\", ...]", &list(&["a", "b"])) && !matches("[\"a\"]", &list(&["a", "b"])));
    }

    #[test]
    fn requests_are_split_as_redis_cli_does() {
        let ok = |line: &str, expected: &[&str]| {
            let words: Vec<_> =
                parse_words(line).unwrap().iter().map(|word| word.escape_ascii().to_string()).collect();
            assert_eq!(words, expected, "{line}");
        };
        ok("SET  k v ", &["SET", "k", "v"]);
        ok(r#"SET "a b\x00\n\"" 'it\'s \n'"#, &["SET", r#"a b\x00\n\""#, r"it\'s \\n"]);
        ok(r#"SET "" a"b"#, &["SET", "", r#"a\"b"#]);
        ok(r#"X "ab"*3 f{2..4}x {{1}"#, &["X", "ababab", "f2x", "f3x", "f4x", "{{1}"]);
        assert!(parse_words(r#"SET "a"b"#).is_err());
        assert!(parse_words(r#"SET "a"#).is_err());
    }
}
