//! Bytes to words: the requests of one connection, cut at any byte. It knows no command and copies no word.

use alloc::{format, vec::Vec};
use core::{fmt, mem, ops::Range};

use crate::data::number::parse_i64;

/// What one request may be, and how much a client that has not authenticated may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest word, in bytes (`proto-max-bulk-len`).
    pub word: usize,
    /// The client has yet to authenticate: 10 words of 16 KiB at most.
    pub unauthenticated: bool,
}

const INLINE_MAX: usize = 64 * 1024;
const WORDS_MAX: i64 = i32::MAX as i64;
const UNAUTHENTICATED_WORDS: i64 = 10;
const UNAUTHENTICATED_WORD: i64 = 16 * 1024;

/// A request that breaks the protocol: answered, and the connection closed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum ProtocolError {
    InlineTooLong,
    UnbalancedQuotes,
    CountTooLong,
    LengthTooLong,
    InvalidCount,
    InvalidLength,
    ExpectedDollar(u8),
    UnauthenticatedCount,
    UnauthenticatedLength,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ERR Protocol error: ")?;
        f.write_str(match self {
            ProtocolError::InlineTooLong => "too big inline request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::CountTooLong => "too big mbulk count string",
            ProtocolError::LengthTooLong => "too big bulk count string",
            ProtocolError::InvalidCount => "invalid multibulk length",
            ProtocolError::InvalidLength => "invalid bulk length",
            ProtocolError::UnauthenticatedCount => "unauthenticated multibulk length",
            ProtocolError::UnauthenticatedLength => "unauthenticated bulk length",
            ProtocolError::ExpectedDollar(got) => return write!(f, "expected '$', got '{}'", *got as char),
        })
    }
}

/// Finds requests in a stream of bytes. It remembers how far it came in a request that is not complete,
/// so a request is read once however it is cut.
#[derive(Default)]
pub struct RequestParser {
    /// Where the words found so far stand, counted from the start of the request.
    spans: Vec<Range<usize>>,
    /// The words of an inline request, unquoted.
    inline: Vec<Vec<u8>>,
    /// The first byte not looked at yet.
    at: usize,
    /// Words still to come; `None` before the count was read.
    missing: Option<i64>,
    /// The length of the word that comes next, when its `$` line was read.
    length: Option<usize>,
}

/// For so many words of a request there is room for the next one.
const SPANS_KEPT: usize = 64;

impl RequestParser {
    /// Looks for one request at the start of `bytes`. `Some(n)`: there is one, in the first `n` bytes, and its words are
    /// appended to `words` (none for an empty line; those of an inline request are in [`RequestParser::take_inline`]).
    /// `None`: more bytes are needed; call again with the same bytes and more.
    #[inline]
    pub fn parse<'a>(
        &mut self,
        bytes: &'a [u8],
        limits: Limits,
        words: &mut Vec<&'a [u8]>,
    ) -> Result<Option<usize>, ProtocolError> {
        let first = words.len();
        // Nearly every request arrives whole and is short: it is read in one go, and nothing about it is remembered.
        if self.missing.is_none()
            && !limits.unauthenticated
            && let Some(used) = short_request(bytes, words)
        {
            return Ok(Some(used));
        }
        words.truncate(first);
        let used = self.resume(bytes, limits)?;
        if used.is_some() {
            words.extend(self.spans.drain(..).map(|span| &bytes[span]));
            // An idle client does not keep the room of its longest request.
            self.spans.shrink_to(SPANS_KEPT);
        }
        Ok(used)
    }

    fn resume(&mut self, bytes: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        if self.missing.is_none() {
            self.spans.clear();
            self.at = 0;
            match bytes.first() {
                None => return Ok(None),
                Some(b'*') => match self.count(bytes, limits)? {
                    Some(count) => self.missing = Some(count),
                    None => return Ok(None),
                },
                Some(_) => return self.inline(bytes),
            }
        }
        while let Some(missing @ 1..) = self.missing {
            if !self.word(bytes, limits)? {
                return Ok(None);
            }
            self.missing = Some(missing - 1);
        }
        self.missing = None;
        Ok(Some(self.at))
    }

    /// The words of the inline request that `parse` has just found; none if it was of the other form.
    pub fn take_inline(&mut self) -> Vec<Vec<u8>> {
        mem::take(&mut self.inline)
    }

    /// How many bytes the request needs at least, so that room for a long word is made once.
    pub fn wants(&self) -> usize {
        self.length.map_or(0, |length| self.at + length + 2)
    }

    fn count(&mut self, bytes: &[u8], limits: Limits) -> Result<Option<i64>, ProtocolError> {
        let Some((count, next)) = number_line(bytes, 1, ProtocolError::CountTooLong)? else {
            return Ok(None);
        };
        let count = count.filter(|&n| n <= WORDS_MAX).ok_or(ProtocolError::InvalidCount)?;
        if limits.unauthenticated && count > UNAUTHENTICATED_WORDS {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        self.at = next;
        Ok(Some(count))
    }

    /// Reads one word; false when it is not complete.
    #[inline]
    fn word(&mut self, bytes: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let Some(&tag) = bytes.get(self.at) else { return Ok(false) };
                // Redis reads the whole line before it looks at its first byte, which may be the end of the line.
                if tag == b'\r' && bytes.len() > self.at + 1 {
                    return Err(ProtocolError::ExpectedDollar(tag));
                }
                let Some((length, next)) = number_line(bytes, self.at + 1, ProtocolError::LengthTooLong)?
                else {
                    return Ok(false);
                };
                if tag != b'$' {
                    return Err(ProtocolError::ExpectedDollar(tag));
                }
                let length = length.filter(|n| (0..=limits.word as i64).contains(n));
                let length = length.ok_or(ProtocolError::InvalidLength)?;
                if limits.unauthenticated && length > UNAUTHENTICATED_WORD {
                    return Err(ProtocolError::UnauthenticatedLength);
                }
                self.at = next;
                length as usize
            }
        };
        let end = self.at + length;
        let complete = bytes.len() >= end + 2;
        if complete {
            self.spans.push(self.at..end);
            self.at = end + 2;
        }
        self.length = (!complete).then_some(length);
        Ok(complete)
    }

    fn inline(&mut self, bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            return if bytes.len() > INLINE_MAX { Err(ProtocolError::InlineTooLong) } else { Ok(None) };
        };
        let text = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        self.inline = split_quoted(text).ok_or(ProtocolError::UnbalancedQuotes)?;
        Ok(Some(end + 1))
    }
}

/// A whole request of words of less than a thousand bytes, if that is what `bytes` start with.
#[inline]
fn short_request<'a>(bytes: &'a [u8], words: &mut Vec<&'a [u8]>) -> Option<usize> {
    let (count, mut at) = short_number(bytes, 0, b'*')?;
    for _ in 0..count {
        let (length, start) = short_number(bytes, at, b'$')?;
        let word = bytes.get(start..start + length)?;
        at = start + length + 2;
        if at > bytes.len() {
            return None;
        }
        words.push(word);
    }
    Some(at)
}

/// The number of up to three digits on a line that starts with `tag` at `at`, and where the next line starts.
#[inline(always)]
fn short_number(bytes: &[u8], at: usize, tag: u8) -> Option<(usize, usize)> {
    let digit = |byte: u8| byte.wrapping_sub(b'0') as usize;
    let [first, a, b, c] = *bytes.get(at..at + 4)?.first_chunk()?;
    let a = digit(a);
    if first != tag || a > 9 {
        None
    } else if b == b'\r' && c == b'\n' {
        Some((a, at + 4))
    } else if a == 0 || digit(b) > 9 {
        None
    } else {
        let (tens, [c, d, e]) = (a * 10 + digit(b), *bytes.get(at + 3..at + 6)?.first_chunk()?);
        if c == b'\r' && d == b'\n' {
            Some((tens, at + 5))
        } else {
            (digit(c) <= 9 && d == b'\r' && e == b'\n').then(|| (tens * 10 + digit(c), at + 6))
        }
    }
}

/// The number on the line that starts at `from`, if it is one, and where the next line starts; `None` while the line has
/// no end.
fn number_line(
    bytes: &[u8],
    from: usize,
    too_long: ProtocolError,
) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
    let rest = bytes.get(from..).unwrap_or_default();
    match memchr::memchr(b'\r', rest) {
        Some(end) if rest.len() > end + 1 => Ok(Some((parse_i64(&rest[..end]), from + end + 2))),
        None if rest.len() > INLINE_MAX => Err(too_long),
        _ => Ok(None),
    }
}

/// A word as [`split_quoted`] reads it: in quotes only if it has to be.
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'#');
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let mut text = Vec::from(b"\"");
    for &byte in word {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', byte]),
            b' '..=b'~' => text.push(byte),
            _ => text.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    text.push(b'"');
    text
}

/// Splits an inline request, or a line of a configuration file, into words. `"…"` knows the escapes
/// `\n \r \t \b \a \xHH \" \\`, `'…'` only `\'`. `None` when quotes are unbalanced or followed by text.
pub fn split_quoted(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let is_space = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b || *b == 0;
    let mut rest = text;
    let mut words = Vec::new();
    loop {
        while let [first, tail @ ..] = rest
            && is_space(first)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Some(words);
        }
        let mut word = Vec::new();
        loop {
            match rest {
                [b'"', tail @ ..] => {
                    rest = double_quoted(tail, &mut word)?;
                    break;
                }
                [b'\'', tail @ ..] => {
                    rest = single_quoted(tail, &mut word)?;
                    break;
                }
                [first, tail @ ..] if !is_space(first) => {
                    word.push(*first);
                    rest = tail;
                }
                _ => break,
            }
        }
        if rest.first().is_some_and(|b| !is_space(b)) {
            return None;
        }
        words.push(word);
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    let hex = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    loop {
        let plain;
        (plain, rest) = match rest {
            [b'"', tail @ ..] => return Some(tail),
            [b'\\', b'x', a, b, tail @ ..] if hex(*a).is_some() && hex(*b).is_some() => {
                (hex(*a)? << 4 | hex(*b)?, tail)
            }
            [b'\\', b'n', tail @ ..] => (b'\n', tail),
            [b'\\', b'r', tail @ ..] => (b'\r', tail),
            [b'\\', b't', tail @ ..] => (b'\t', tail),
            [b'\\', b'b', tail @ ..] => (0x08, tail),
            [b'\\', b'a', tail @ ..] => (0x07, tail),
            [b'\\', escaped, tail @ ..] => (*escaped, tail),
            [plain, tail @ ..] => (*plain, tail),
            [] => return None,
        };
        word.push(plain);
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let plain;
        (plain, rest) = match rest {
            [b'\'', tail @ ..] => return Some(tail),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [plain, tail @ ..] => (*plain, tail),
            [] => return None,
        };
        word.push(plain);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};

    const LIMITS: Limits = Limits { word: 512 << 20, unauthenticated: false };

    /// The requests in `bytes` when they arrive in pieces of `step` bytes, and the error that ends them.
    fn requests(bytes: &[u8], step: usize) -> (Vec<Vec<Vec<u8>>>, Option<ProtocolError>) {
        let (mut parser, mut found, mut start, mut end) = (RequestParser::default(), Vec::new(), 0, 0);
        loop {
            let mut words = Vec::new();
            match parser.parse(&bytes[start..end], LIMITS, &mut words) {
                Ok(Some(used)) => {
                    let words = words.iter().map(|w| w.to_vec());
                    found.push(words.chain(parser.take_inline()).collect());
                    start += used;
                }
                Ok(None) if end == bytes.len() => return (found, None),
                Ok(None) => end = bytes.len().min(end + step),
                Err(error) => return (found, Some(error)),
            }
        }
    }

    #[test]
    fn a_pipeline_reads_the_same_cut_at_any_byte() {
        let bytes = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\nPING\r\n\r\n*0\r\n*1\r\n$0\r\n\r\nset \"a b\" 'c\\'d' \"\\x41\\n\"\n";
        let (whole, error) = requests(bytes, bytes.len());
        assert_eq!(error, None);
        assert_eq!(whole[0], [b"SET".to_vec(), b"k".to_vec(), b"a\r\nb".to_vec()]);
        assert_eq!(whole[1], [b"PING"]);
        assert_eq!((&whole[2], &whole[3], &whole[4]), (&vec![], &vec![], &vec![vec![]]));
        assert_eq!(whole[5], [&b"set"[..], b"a b", b"c'd", b"A\n"]);
        for step in 1..bytes.len() {
            assert_eq!(requests(bytes, step).0, whole, "in steps of {step}");
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_named_as_redis_names_it() {
        for (bytes, text) in [
            (&b"*3\r\n$3\r\nSET\r\n$x\r\n"[..], "invalid bulk length"),
            (b"*3\r\n$3\r\nSET\r\n$2000000000\r\n", "invalid bulk length"),
            (b"*3\r\n$3\r\nSET\r\nx1\r\n", "expected '$', got 'x'"),
            (b"*1\r\n\r\n", "expected '$', got '\r'"),
            (b"*x\r\n", "invalid multibulk length"),
            (b"*2147483648\r\n", "invalid multibulk length"),
            (b"set \"a\n", "unbalanced quotes in request"),
            (b"set \"a\"b\n", "unbalanced quotes in request"),
        ] {
            let error = requests(bytes, 1).1.unwrap();
            assert_eq!(error.to_string(), alloc::format!("ERR Protocol error: {text}"));
        }
        assert_eq!(requests(&vec![b'a'; INLINE_MAX + 1], 4096).1, Some(ProtocolError::InlineTooLong));
        assert_eq!(
            requests(&[b"*", &vec![b'1'; INLINE_MAX + 1][..]].concat(), 4096).1,
            Some(ProtocolError::CountTooLong)
        );
    }
}
