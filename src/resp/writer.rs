//! Replies to bytes: the only place that knows RESP2 from RESP3.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::data::number;

/// Which dialect a client speaks; chosen with HELLO.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Version {
    /// Replies as every client since Redis 1.2 knows them.
    #[default]
    V2,
    /// Maps, sets, doubles, booleans and pushes as types of their own.
    V3,
}

/// Appends replies to a client's output buffer. Nothing is built first and copied later.
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    version: Version,
}

impl<'o> Writer<'o> {
    /// A writer that appends to `out`.
    pub fn new(out: &'o mut Vec<u8>, version: Version) -> Self {
        Writer { out, version }
    }

    /// The dialect spoken, for the few commands whose reply differs in content and not only in form.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Speaks another dialect from the next reply on (HELLO).
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// How many bytes wait in the buffer.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Forgets everything written after `position`.
    pub fn truncate(&mut self, position: usize) {
        self.out.truncate(position);
    }

    /// What was written after `position`.
    pub fn written_since(&self, position: usize) -> &[u8] {
        &self.out[position..]
    }

    /// `+text`
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// `+OK`
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// `-text`; line breaks inside become spaces, as they would end the reply.
    pub fn error(&mut self, error: impl fmt::Display) {
        self.error_with(|out| {
            let _ = write!(Text(out), "{error}");
        });
    }

    /// `-text` of any bytes but line breaks, which become spaces.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.error_with(|out| out.extend_from_slice(text));
    }

    fn error_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.push(b'-');
        let start = self.out.len();
        write(self.out);
        self.out[start..].iter_mut().filter(|b| matches!(b, b'\r' | b'\n')).for_each(|b| *b = b' ');
        self.out.extend_from_slice(b"\r\n");
    }

    /// `:n`
    pub fn integer(&mut self, n: i64) {
        self.header(b':', n);
    }

    /// `$length`, the bytes
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer in the form of a string, as values that look like integers are kept.
    pub fn bulk_integer(&mut self, n: i64) {
        let mut text = itoa::Buffer::new();
        self.bulk(text.format(n).as_bytes());
    }

    /// Text made on the fly, as a string.
    pub fn bulk_display(&mut self, text: impl fmt::Display) {
        // The length stands before the text, so the text is written first and moved behind it.
        let start = self.out.len();
        let _ = write!(Text(self.out), "{text}");
        let len = self.out.len() - start;
        self.header(b'$', len as i64);
        let header = self.out.len() - start - len;
        self.out[start..].rotate_right(header);
        self.out.extend_from_slice(b"\r\n");
    }

    /// No value: `$-1`, or `_` in RESP3.
    pub fn null(&mut self) {
        self.either(b"$-1\r\n", b"_\r\n");
    }

    /// No array: `*-1`, or `_` in RESP3.
    pub fn null_array(&mut self) {
        self.either(b"*-1\r\n", b"_\r\n");
    }

    /// The head of an array of `len` replies, which follow.
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len as i64);
    }

    /// The head of a map of `len` pairs, which follow; a flat array in RESP2.
    pub fn map(&mut self, len: usize) {
        match self.version {
            Version::V2 => self.header(b'*', 2 * len as i64),
            Version::V3 => self.header(b'%', len as i64),
        }
    }

    /// The head of a set of `len` members; an array in RESP2.
    pub fn set(&mut self, len: usize) {
        self.header(self.pick(b'*', b'~'), len as i64);
    }

    /// The head of a message nobody asked for; an array in RESP2.
    pub fn push(&mut self, len: usize) {
        self.header(self.pick(b'*', b'>'), len as i64);
    }

    /// A floating point number; a string in RESP2.
    pub fn double(&mut self, value: f64) {
        let mut text = number::FloatText::new();
        self.double_as(number::write_float(value, &mut text));
    }

    /// A floating point number in digits of the caller's choice; a string in RESP2.
    pub fn double_as(&mut self, text: &[u8]) {
        match self.version {
            Version::V2 => self.bulk(text),
            Version::V3 => self.line(b',', text),
        }
    }

    /// `#t` or `#f`; 1 or 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match self.version {
            Version::V2 => self.integer(value as i64),
            Version::V3 => self.line(b'#', if value { b"t" } else { b"f" }),
        }
    }

    /// Text meant for people, with a three-letter format; a string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &str) {
        match self.version {
            Version::V2 => self.bulk(text.as_bytes()),
            Version::V3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.out.extend_from_slice(format.as_bytes());
                self.out.push(b':');
                self.out.extend_from_slice(text.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// An integer of any size, in digits; a string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        match self.version {
            Version::V2 => self.bulk(digits.as_bytes()),
            Version::V3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// `len` pairs, written by `pairs`, about the reply that follows; nothing in RESP2.
    pub fn attribute(&mut self, len: usize, pairs: impl FnOnce(&mut Self)) {
        if self.version == Version::V3 {
            self.header(b'|', len as i64);
            pairs(self);
        }
    }

    /// A collection whose length is known only when its replies are written: `body` writes them and returns how many.
    pub fn counted(&mut self, head: fn(&mut Self, usize), body: impl FnOnce(&mut Self) -> usize) {
        let start = self.out.len();
        let len = body(self);
        let end = self.out.len();
        head(self, len);
        let header = self.out.len() - end;
        self.out[start..].rotate_right(header);
    }

    /// Appends a reply that is already encoded.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn pick(&self, v2: u8, v3: u8) -> u8 {
        if self.version == Version::V2 { v2 } else { v3 }
    }

    fn either(&mut self, v2: &[u8], v3: &[u8]) {
        self.out.extend_from_slice(if self.version == Version::V2 { v2 } else { v3 });
    }

    #[inline]
    fn header(&mut self, tag: u8, n: i64) {
        // Most lengths and counts have one or two digits.
        let digit = |n: i64| b'0' + n as u8;
        match n {
            0..10 => self.out.extend_from_slice(&[tag, digit(n), b'\r', b'\n']),
            10..100 => self.out.extend_from_slice(&[tag, digit(n / 10), digit(n % 10), b'\r', b'\n']),
            _ => self.line(tag, itoa::Buffer::new().format(n).as_bytes()),
        }
    }

    fn line(&mut self, tag: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(tag);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Lets `write!` append to bytes.
struct Text<'o>(&'o mut Vec<u8>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(write: impl Fn(&mut Writer)) -> (Vec<u8>, Vec<u8>) {
        let render = |version| {
            let mut out = Vec::new();
            write(&mut Writer::new(&mut out, version));
            out
        };
        (render(Version::V2), render(Version::V3))
    }

    #[test]
    fn a_type_resp2_lacks_becomes_its_nearest_there() {
        assert_eq!(both(|w| w.map(3)), (b"*6\r\n".to_vec(), b"%3\r\n".to_vec()));
        assert_eq!(both(|w| w.set(12)), (b"*12\r\n".to_vec(), b"~12\r\n".to_vec()));
        assert_eq!(both(|w| w.push(3)), (b"*3\r\n".to_vec(), b">3\r\n".to_vec()));
        assert_eq!(both(|w| w.boolean(true)), (b":1\r\n".to_vec(), b"#t\r\n".to_vec()));
        assert_eq!(both(|w| w.double(1.5)), (b"$3\r\n1.5\r\n".to_vec(), b",1.5\r\n".to_vec()));
        assert_eq!(both(|w| w.null()), (b"$-1\r\n".to_vec(), b"_\r\n".to_vec()));
        assert_eq!(both(|w| w.null_array()), (b"*-1\r\n".to_vec(), b"_\r\n".to_vec()));
        assert_eq!(both(|w| w.big_number("-10")), (b"$3\r\n-10\r\n".to_vec(), b"(-10\r\n".to_vec()));
        assert_eq!(
            both(|w| w.attribute(1, |w| (0..2).for_each(|n| w.integer(n)))),
            (Vec::new(), b"|1\r\n:0\r\n:1\r\n".to_vec())
        );
        assert_eq!(
            both(|w| w.verbatim("txt", "hi")),
            (b"$2\r\nhi\r\n".to_vec(), b"=6\r\ntxt:hi\r\n".to_vec())
        );
    }

    #[test]
    fn a_length_known_late_stands_first_all_the_same() {
        let (v2, v3) = both(|w| {
            w.counted(Writer::set, |w| {
                w.bulk(b"a");
                w.integer(-7);
                2
            });
            w.bulk_display(format_args!("{}-{}", 1234567890, 5));
        });
        assert_eq!(v2, b"*2\r\n$1\r\na\r\n:-7\r\n$12\r\n1234567890-5\r\n");
        assert_eq!(v3, b"~2\r\n$1\r\na\r\n:-7\r\n$12\r\n1234567890-5\r\n");
    }

    #[test]
    fn an_error_stays_one_line() {
        assert_eq!(both(|w| w.error("ERR a\r\nb")).0, b"-ERR a  b\r\n");
    }
}
