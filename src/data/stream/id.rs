//! Stream IDs: how they are ordered, counted, read and written.

use crate::data::number::{self, Digits};

/// A time in milliseconds and a number within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds, by custom since 1970.
    pub ms: u64,
    /// Tells entries of one millisecond apart.
    pub seq: u64,
}

/// The ID that an entry to be added asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: the time, or what follows the last ID.
    Auto,
    /// `ms-*`: the next number within a millisecond.
    Within(u64),
    /// This one.
    Exact(StreamId),
}

/// Why an entry cannot have the ID it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// It is `0-0`.
    Zero,
    /// It is not greater than the last ID.
    NotGreater,
    /// The last ID is the greatest there is.
    Exhausted,
}

/// Why a range cannot begin or end at an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundError {
    /// It is no ID.
    Invalid,
    /// It excludes the last ID as a start, or the first as an end.
    Beyond,
}

/// Room for the text of an ID.
pub struct IdDigits([u8; 41]);

/// A longer text is no ID to Redis.
const MAX_TEXT: usize = 127;

impl StreamId {
    /// `0-0`, which no entry has.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The last ID there is.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// An ID of its parts.
    pub const fn new(ms: u64, seq: u64) -> Self {
        StreamId { ms, seq }
    }

    /// The ID after this one.
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The ID before this one.
    pub fn previous(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Reads `ms-seq`, or `ms` alone with `missing_seq` in place of the other.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        match text.iter().position(|&byte| byte == b'-') {
            Some(dash) => {
                Some(StreamId { ms: parse_part(&text[..dash])?, seq: parse_part(&text[dash + 1..])? })
            }
            None => Some(StreamId { ms: parse_part(text)?, seq: missing_seq }),
        }
    }

    /// Reads where a range starts: `-`, `+`, an ID, or `(` and the ID before the first.
    pub fn parse_start(text: &[u8]) -> Result<Self, BoundError> {
        StreamId::parse_bound(text, 0, StreamId::next)
    }

    /// Reads where a range ends: `-`, `+`, an ID, or `(` and the ID after the last.
    pub fn parse_end(text: &[u8]) -> Result<Self, BoundError> {
        StreamId::parse_bound(text, u64::MAX, StreamId::previous)
    }

    fn parse_bound(
        text: &[u8],
        missing_seq: u64,
        step: fn(Self) -> Option<Self>,
    ) -> Result<Self, BoundError> {
        match text {
            b"-" => Ok(StreamId::MIN),
            b"+" => Ok(StreamId::MAX),
            [b'(', id @ ..] => {
                step(StreamId::parse(id, missing_seq).ok_or(BoundError::Invalid)?).ok_or(BoundError::Beyond)
            }
            id => StreamId::parse(id, missing_seq).ok_or(BoundError::Invalid),
        }
    }

    /// `ms-seq`, written into `digits`.
    pub fn text(self, digits: &mut IdDigits) -> &[u8] {
        let mut len = 0;
        let mut push = |part: &[u8]| {
            digits.0[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        };
        push(Digits::new().format(self.ms).as_bytes());
        push(b"-");
        push(Digits::new().format(self.seq).as_bytes());
        &digits.0[..len]
    }

    /// The 16 bytes of RDB: both parts with the highest byte first.
    pub fn to_bytes(self) -> [u8; 16] {
        ((self.ms as u128) << 64 | self.seq as u128).to_be_bytes()
    }

    /// The ID of such 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        StreamId { ms: (both >> 64) as u64, seq: both as u64 }
    }
}

impl Default for IdDigits {
    fn default() -> Self {
        IdDigits([0; 41])
    }
}

impl NewId {
    /// The ID that the entry gets when `last` was the last one.
    pub fn after(self, last: StreamId, now_ms: u64) -> Result<StreamId, IdError> {
        let id = match self {
            NewId::Exact(StreamId::MIN) => return Err(IdError::Zero),
            _ if last == StreamId::MAX => return Err(IdError::Exhausted),
            NewId::Exact(id) => id,
            NewId::Auto if now_ms > last.ms => StreamId::new(now_ms, 0),
            NewId::Auto => last.next().ok_or(IdError::Exhausted)?,
            NewId::Within(ms) if ms == last.ms => {
                StreamId::new(ms, last.seq.checked_add(1).ok_or(IdError::NotGreater)?)
            }
            NewId::Within(ms) => StreamId::new(ms, 0),
        };
        if id > last { Ok(id) } else { Err(IdError::NotGreater) }
    }

    /// Reads `*`, `ms-*`, `ms-seq` or `ms`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"*" => Some(NewId::Auto),
            [ms @ .., b'-', b'*'] if text.len() <= MAX_TEXT => parse_part(ms).map(NewId::Within),
            id => StreamId::parse(id, 0).map(NewId::Exact),
        }
    }
}

/// A part of an ID, which may begin with spaces, a plus and zeros.
fn parse_part(text: &[u8]) -> Option<u64> {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let text = &text[spaces..];
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let zeros = text.iter().take_while(|&&byte| byte == b'0').count();
    match &text[zeros..] {
        [] => (zeros > 0).then_some(0),
        rest => number::parse_u64(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_redis_reads() {
        let id = |ms, seq| Some(StreamId::new(ms, seq));
        for text in ["5-1", "5-+1", "5-01", "05-1", " 5-1", "5- 1", "+5-1", "\t5-1"] {
            assert_eq!(StreamId::parse(text.as_bytes(), 9), id(5, 1), "{text:?}");
        }
        assert_eq!(StreamId::parse(b"5", 9), id(5, 9));
        assert_eq!(StreamId::parse(b"00", 9), id(0, 9));
        assert_eq!(StreamId::parse(b"18446744073709551615-18446744073709551615", 0), Some(StreamId::MAX));
        for text in [
            "",
            "5-",
            "-",
            "+",
            "-5",
            "5--1",
            "5 -1",
            "5-1 ",
            "5-*",
            "*",
            "5-1-1",
            "5-0x1",
            "1e3",
            "18446744073709551616-1",
            "(5",
        ] {
            assert_eq!(StreamId::parse(text.as_bytes(), 9), None, "{text:?}");
        }
        assert_eq!(StreamId::parse(&[b'0'; 127], 0), id(0, 0));
        assert_eq!(StreamId::parse(&[b'0'; 128], 0), None);
        assert_eq!(NewId::parse(b"*"), Some(NewId::Auto));
        assert_eq!(NewId::parse(b"0-*"), Some(NewId::Within(0)));
        assert_eq!(NewId::parse(b"7"), Some(NewId::Exact(StreamId::new(7, 0))));
        assert_eq!((NewId::parse(b"5-**"), NewId::parse(b"-*"), NewId::parse(b"**")), (None, None, None));
    }

    #[test]
    fn bounds_include_and_exclude() {
        let at = |ms, seq| Ok(StreamId::new(ms, seq));
        assert_eq!(
            (StreamId::parse_start(b"-"), StreamId::parse_end(b"+")),
            (Ok(StreamId::MIN), Ok(StreamId::MAX))
        );
        assert_eq!((StreamId::parse_start(b"5"), StreamId::parse_end(b"5")), (at(5, 0), at(5, u64::MAX)));
        assert_eq!(
            (StreamId::parse_start(b"(5"), StreamId::parse_end(b"(5")),
            (at(5, 1), at(5, u64::MAX - 1))
        );
        assert_eq!(
            (StreamId::parse_start(b"(5-1"), StreamId::parse_end(b"(5-0")),
            (at(5, 2), at(4, u64::MAX))
        );
        let last = b"(18446744073709551615-18446744073709551615";
        assert_eq!(StreamId::parse_start(last), Err(BoundError::Beyond));
        assert_eq!(StreamId::parse_end(b"(0-0"), Err(BoundError::Beyond));
        for text in [&b"(-"[..], b"(+", b"(", b"x"] {
            assert_eq!(StreamId::parse_start(text), Err(BoundError::Invalid));
        }
    }

    #[test]
    fn counts_and_writes() {
        let id = StreamId::new(7, u64::MAX);
        assert_eq!(id.next(), Some(StreamId::new(8, 0)));
        assert_eq!(id.next().and_then(StreamId::previous), Some(id));
        assert_eq!((StreamId::MAX.next(), StreamId::MIN.previous()), (None, None));
        assert_eq!(StreamId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.to_bytes(), *b"\0\0\0\0\0\0\0\x07\xff\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(id.text(&mut IdDigits::default()), b"7-18446744073709551615");
        assert_eq!(StreamId::MAX.text(&mut IdDigits::default()).len(), 41);
    }
}
