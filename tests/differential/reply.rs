//! Replies as values that can be compared in parts and in any order. Not a decoder to trust a server with: what is not
//! RESP makes the test fail.

use std::fmt;

/// A reply. The order of replies is any that is total.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    /// A line with its first byte: a simple string, an error, a number, a null, a boolean.
    Line(Vec<u8>),
    Bulk(Vec<u8>),
    /// An array, set or map by its first byte, a map as fields and values in turn.
    Many(u8, Vec<Reply>),
}

impl Reply {
    /// Reads a whole reply.
    pub fn parse(bytes: &[u8]) -> Reply {
        let mut rest = bytes;
        let reply = Reply::read(&mut rest);
        assert!(rest.is_empty(), "more than a reply: {}", bytes.escape_ascii());
        reply
    }

    fn read(rest: &mut &[u8]) -> Reply {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a line ends in CRLF");
        let line = &rest[..end];
        *rest = &rest[end + 2..];
        let count = || str::from_utf8(&line[1..]).ok().and_then(|text| text.parse::<i64>().ok());
        match line[0] {
            b'$' | b'=' | b'!' if count() != Some(-1) => {
                let length = count().expect("a length") as usize;
                let text = rest[..length].to_vec();
                *rest = &rest[length + 2..];
                Reply::Bulk(text)
            }
            kind @ (b'*' | b'~' | b'%' | b'>') if count() != Some(-1) => {
                let parts = count().expect("a count") as usize * if kind == b'%' { 2 } else { 1 };
                Reply::Many(kind, (0..parts).map(|_| Reply::read(rest)).collect())
            }
            _ => Reply::Line(line.to_vec()),
        }
    }

    /// The text of an error.
    pub fn error(&self) -> Option<&[u8]> {
        match self {
            Reply::Line(line) if line[0] == b'-' => Some(&line[1..]),
            _ => None,
        }
    }

    pub fn integer(&self) -> Option<i64> {
        match self {
            Reply::Line(line) if line[0] == b':' => str::from_utf8(&line[1..]).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// The parts of an array, set or map.
    pub fn parts(&self) -> Option<&[Reply]> {
        match self {
            Reply::Many(_, parts) => Some(parts),
            _ => None,
        }
    }

    /// Every text in it.
    pub fn texts(&self) -> Vec<Vec<u8>> {
        match self {
            Reply::Bulk(text) => vec![text.clone()],
            Reply::Many(_, parts) => parts.iter().flat_map(Reply::texts).collect(),
            Reply::Line(_) => Vec::new(),
        }
    }

    /// The same with its parts in order, taken `by` so many.
    pub fn sorted(&self, by: usize) -> Reply {
        match self {
            Reply::Many(kind, parts) if parts.len().is_multiple_of(by) => {
                let mut groups: Vec<&[Reply]> = parts.chunks(by).collect();
                groups.sort();
                Reply::Many(*kind, groups.concat())
            }
            other => other.clone(),
        }
    }

    /// The same with each number of many digits in as few as tell it from all others, and without a negative zero, which
    /// a listpack cannot hold.
    pub fn with_short_numbers(&self) -> Reply {
        let short = |text: &[u8]| {
            let number: Option<f64> = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            number
                .filter(|_| text.len() > 1)
                .map_or(text.to_vec(), |number| (number + 0.0).to_string().into_bytes())
        };
        match self {
            Reply::Line(line) if line[0] == b',' => Reply::Line([b",", &short(&line[1..])[..]].concat()),
            Reply::Bulk(text) => Reply::Bulk(short(text)),
            Reply::Many(kind, parts) => {
                Reply::Many(*kind, parts.iter().map(Reply::with_short_numbers).collect())
            }
            line => line.clone(),
        }
    }

    /// Whether both are the same but for numbers that differ by no more than `most` of them.
    pub fn is_within(&self, most: f64, other: &Reply) -> bool {
        let number = |text: &[u8]| str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        let are_close = |a: &[u8], b: &[u8]| match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= most * a.abs(),
            _ => a == b,
        };
        match (self, other) {
            (Reply::Bulk(a), Reply::Bulk(b)) => are_close(a, b),
            (Reply::Line(a), Reply::Line(b)) if a[0] == b',' && b[0] == b',' => are_close(&a[1..], &b[1..]),
            (Reply::Many(kind, a), Reply::Many(other, b)) => {
                kind == other && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_within(most, b))
            }
            (a, b) => a == b,
        }
    }

    /// What is left when texts may be any: kinds and counts.
    pub fn shape(&self) -> Reply {
        match self {
            Reply::Bulk(_) => Reply::Bulk(Vec::new()),
            Reply::Many(kind, parts) => Reply::Many(*kind, parts.iter().map(Reply::shape).collect()),
            Reply::Line(line) if matches!(line[0], b':' | b',') => Reply::Line(vec![line[0]]),
            line => line.clone(),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 300;
        match self {
            Reply::Line(line) => write!(f, "{}", line.escape_ascii()),
            Reply::Bulk(text) if text.len() > SHOWN => {
                write!(f, "\"{}\"… of {} bytes", text[..SHOWN].escape_ascii(), text.len())
            }
            Reply::Bulk(text) => write!(f, "\"{}\"", text.escape_ascii()),
            Reply::Many(kind, parts) => {
                write!(f, "{}[", *kind as char)?;
                for (i, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
                }
                write!(f, "]")
            }
        }
    }
}
