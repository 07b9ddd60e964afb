//! The kinds of values that directives take: each reads a text, refuses it in Redis's words, or writes it in the one form
//! that CONFIG GET shows and CONFIG SET takes back. Which directive is of which kind is in the table beside.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str;

use crate::{
    data::number::{FloatText, parse_float, parse_i64, write_float},
    engine::notifications::Notifications,
};

/// What values a directive takes.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `yes` or `no`.
    YesNo,
    /// A whole number in a range.
    Integer(i64, i64),
    /// A number of bytes in a range, with an optional unit.
    Memory(u64, u64),
    /// A number of bytes, or a part of the memory limit.
    MemoryOrPercent,
    /// Permissions of a file.
    Octal,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Some of these words; the first stands for none.
    SomeOf(&'static [&'static str]),
    /// Any text.
    Text,
    /// Several words with a form of their own. The function is given the words and the value so far.
    Words(fn(&[&str], &str) -> Result<String>),
}

/// A value, or why it is none.
pub type Result<T> = core::result::Result<T, Cow<'static, str>>;

impl Kind {
    /// Reads a value and returns it as it is shown. `old` is the value so far.
    pub fn read(self, value: &[u8], old: &[u8]) -> Result<Vec<u8>> {
        let text = || str::from_utf8(value).unwrap_or("\u{fffd}");
        match self {
            Kind::Text => return Ok(value.to_vec()),
            Kind::YesNo => {
                let answer = ["yes", "no"].into_iter().find(|it| value.eq_ignore_ascii_case(it.as_bytes()));
                answer.map(String::from).ok_or("argument must be 'yes' or 'no'".into())
            }
            Kind::Integer(min, max) => match parse_i64(value) {
                None => Err("argument couldn't be parsed into an integer".into()),
                Some(n) if n < min || n > max => Err(not_between(min, max)),
                Some(n) => Ok(format!("{n}")),
            },
            Kind::Memory(min, max) => match parse_memory(text()) {
                None => Err("argument must be a memory value".into()),
                Some(n) if n < min || n > max => Err(not_between(min, max)),
                Some(n) => Ok(format!("{n}")),
            },
            Kind::MemoryOrPercent => match text().strip_suffix('%').map(str::parse::<u8>) {
                Some(Ok(0)) => Ok("0".into()),
                Some(Ok(percent @ ..=100)) => Ok(format!("{percent}%")),
                Some(Ok(_)) => Err("percentage argument must be less or equal to 100".into()),
                Some(Err(_)) => Err("argument must be a memory or percent value".into()),
                None => match parse_memory(text()) {
                    Some(n) => Ok(format!("{n}")),
                    None => Err("argument must be a memory or percent value".into()),
                },
            },
            Kind::Octal => match u32::from_str_radix(text(), 8) {
                Ok(mode) if mode <= 0o777 => Ok(format!("{mode:o}")),
                Ok(_) => Err("argument must be between 0 and 777 inclusive".into()),
                Err(_) => Err("argument couldn't be parsed as an octal number".into()),
            },
            Kind::OneOf(words) => {
                let word = words.iter().find(|it| value.eq_ignore_ascii_case(it.as_bytes()));
                word.map(|word| String::from(*word)).ok_or_else(|| none_of(words))
            }
            Kind::SomeOf(words) => some_of(words, text()),
            Kind::Words(read) => {
                let old = str::from_utf8(old).unwrap_or_default();
                let words: Vec<&str> =
                    if value.is_empty() { Vec::new() } else { text().split(' ').collect() };
                read(&words, old)
            }
        }
        .map(String::into_bytes)
    }

    /// Whether a value consists of several words, as a configuration file writes them.
    pub fn takes_words(self) -> bool {
        matches!(self, Kind::Words(_) | Kind::SomeOf(_))
    }
}

fn not_between(min: impl core::fmt::Display, max: impl core::fmt::Display) -> Cow<'static, str> {
    format!("argument must be between {min} and {max} inclusive").into()
}

fn none_of(words: &[&str]) -> Cow<'static, str> {
    format!("argument(s) must be one of the following: {}", words.join(", ")).into()
}

fn some_of(words: &[&str], text: &str) -> Result<String> {
    let given: Vec<&str> = text.split(' ').collect();
    if !given.iter().all(|word| words.iter().any(|it| it.eq_ignore_ascii_case(word))) {
        return Err(none_of(words));
    }
    let chosen = |it: &&str| given.iter().any(|word| word.eq_ignore_ascii_case(it));
    let some: Vec<&str> = words[1..].iter().copied().filter(chosen).collect();
    Ok(if some.is_empty() { words[0].into() } else { some.join(" ") })
}

/// A number of bytes: `1k` is 1000 and `1kb` 1024 bytes, in any letter case; a unit alone is none of it. What is more than
/// 64 bits hold is as much as they hold.
pub fn parse_memory(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("b", 1),
        ("k", 1000),
        ("kb", 1 << 10),
        ("m", 1_000_000),
        ("mb", 1 << 20),
        ("g", 1_000_000_000),
        ("gb", 1 << 30),
    ];
    let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let (_, factor) = UNITS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let count = if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    Some(count.saturating_mul(factor))
}

/// `replicaof`: a host and a port, or `no one`.
pub fn primary(words: &[&str], _: &str) -> Result<String> {
    match words {
        [] => Ok(String::new()),
        [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => Ok(String::new()),
        [host, port] if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(format!("{host} {port}")),
        [_, _] => Err("Invalid master port".into()),
        _ => Err("wrong number of arguments".into()),
    }
}

/// `save`: seconds and changes, in pairs.
pub fn save_points(words: &[&str], _: &str) -> Result<String> {
    let number = |word: &str, least: i64| parse_i64(word.as_bytes()).filter(|&n| n >= least);
    let is_point = |pair: &[&str]| number(pair[0], 1).is_some() && number(pair[1], 0).is_some();
    if !words.len().is_multiple_of(2) || !words.chunks_exact(2).all(is_point) {
        return Err("Invalid save parameters".into());
    }
    Ok(words.join(" "))
}

/// `client-output-buffer-limit`: for a class of clients a hard limit, a soft one, and the seconds above that.
pub fn output_limits(words: &[&str], old: &str) -> Result<String> {
    const REFUSED: &str = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits: Vec<String> = old.split(' ').map(String::from).collect();
    for limit in words.chunks_exact(4) {
        let class = if limit[0].eq_ignore_ascii_case("replica") { "slave" } else { limit[0] };
        let at = limits.iter().position(|word| word.eq_ignore_ascii_case(class));
        let at = at.ok_or("Invalid client class specified in buffer limit configuration.")?;
        for (i, bytes) in limit[1..3].iter().enumerate() {
            limits[at + 1 + i] = format!("{}", parse_memory(bytes).ok_or(REFUSED)?);
        }
        limits[at + 3] = format!("{}", limit[3].parse::<u32>().map_err(|_| REFUSED)?);
    }
    Ok(limits.join(" "))
}

/// `oom-score-adj-values`: three numbers.
pub fn oom_scores(words: &[&str], _: &str) -> Result<String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    if !words.iter().all(|word| parse_i64(word.as_bytes()).is_some_and(|n| (-2000..=2000).contains(&n))) {
        return Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into());
    }
    Ok(words.join(" "))
}

/// `latency-tracking-info-percentiles`: numbers up to 100.
pub fn percentiles(words: &[&str], _: &str) -> Result<String> {
    let read = |word: &&str| {
        let percentile =
            parse_float(word.as_bytes()).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&percentile) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        Ok(String::from_utf8_lossy(write_float(percentile, &mut FloatText::new())).into_owned())
    };
    Ok(words.iter().map(read).collect::<Result<Vec<String>>>()?.join(" "))
}

/// `activedefrag`: not here.
pub fn defragmentation(words: &[&str], _: &str) -> Result<String> {
    match words {
        [word] if word.eq_ignore_ascii_case("no") => Ok("no".into()),
        [word] if word.eq_ignore_ascii_case("yes") => Err(
            "Active defragmentation cannot be enabled: room that data leaves behind is used again as it is"
                .into(),
        ),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

/// `bind`: addresses.
pub fn addresses(words: &[&str], _: &str) -> Result<String> {
    Ok(words.join(" "))
}

/// `notify-keyspace-events`: a letter for each class of events and for each kind of channel.
pub fn event_classes(words: &[&str], _: &str) -> Result<String> {
    let classes = Notifications::parse(words.join(" ").as_bytes());
    Ok(classes.ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, value: &str, old: &str) -> core::result::Result<String, String> {
        let read = kind.read(value.as_bytes(), old.as_bytes());
        read.map(|value| String::from_utf8(value).unwrap()).map_err(Cow::into_owned)
    }

    #[test]
    fn memory_has_units_of_a_thousand_and_of_1024() {
        let bytes = [
            ("1", 1),
            ("1k", 1000),
            ("1KB", 1024),
            ("2m", 2_000_000),
            ("2mb", 2 << 20),
            ("1Gb", 1 << 30),
            ("k", 0),
        ];
        for (text, n) in bytes {
            assert_eq!(parse_memory(text), Some(n), "{text}");
        }
        for text in ["1t", "-1", "0.5g", "1 kb", "x1"] {
            assert_eq!(parse_memory(text), None, "{text}");
        }
        assert_eq!(parse_memory("99999999999999999999999"), Some(u64::MAX));
    }

    #[test]
    fn values_are_shown_in_one_form() {
        assert_eq!(read(Kind::YesNo, "YES", "no").unwrap(), "yes");
        assert_eq!(read(Kind::MemoryOrPercent, "0%", "").unwrap(), "0");
        assert_eq!(
            read(Kind::MemoryOrPercent, "101%", "").unwrap_err(),
            "percentage argument must be less or equal to 100"
        );
        assert_eq!(
            read(Kind::SomeOf(&["default", "save", "now"]), "now SAVE default", "").unwrap(),
            "save now"
        );
        assert_eq!(read(Kind::Words(event_classes), "KEA", "").unwrap(), "AKE");
        assert_eq!(read(Kind::Words(event_classes), "g$lshzxeKEtmdn", "").unwrap(), "AnKEm");
        assert_eq!(read(Kind::Words(event_classes), "Ex", "").unwrap(), "xE");
        assert_eq!(read(Kind::Words(percentiles), "50.123 0", "").unwrap(), "50.123 0");
        let limits = "normal 0 0 0 slave 5 5 5 pubsub 9 9 9";
        assert_eq!(
            read(Kind::Words(output_limits), "replica 1kb 1k 7", limits).unwrap(),
            "normal 0 0 0 slave 1024 1000 7 pubsub 9 9 9"
        );
        assert!(read(Kind::Words(output_limits), "banana 1 1 1", limits).is_err());
        assert!(read(Kind::Words(output_limits), "normal 1 1", limits).is_err());
    }

    #[test]
    fn save_points_come_in_pairs() {
        let save = |value| read(Kind::Words(save_points), value, "");
        assert_eq!(save("60 1 300 10").unwrap(), "60 1 300 10");
        assert_eq!(save("").unwrap(), "");
        for value in ["60", "60 x", "0 1", "  60   1 "] {
            assert_eq!(save(value).unwrap_err(), "Invalid save parameters");
        }
    }
}
