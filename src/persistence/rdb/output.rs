//! The smallest parts of RDB, written: lengths, strings, times, numbers. What they add up to is for others to say.

use alloc::vec::Vec;

use super::lzf::Compressor;
use crate::data::number::{self, Digits};

/// Strings of so many bytes and fewer are not worth compressing.
const NEVER_COMPRESSED: usize = 20;
/// What compressing has to save.
const SAVED_MIN: usize = 4;

/// Bytes as they are written.
#[derive(Default)]
pub struct Output {
    /// Those written so far.
    pub bytes: Vec<u8>,
    /// What compresses long strings, if they are to be.
    compressor: Option<Compressor>,
    /// Room for a compressed string.
    packed: Vec<u8>,
}

impl Output {
    /// Nothing yet.
    pub fn new(compresses: bool) -> Self {
        Output { compressor: compresses.then(Compressor::default), ..Output::default() }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn double(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    pub(super) fn length(&mut self, len: u64) {
        match len {
            0..0x40 => self.byte(len as u8),
            0x40..0x4000 => self.raw(&(0x4000 | len as u16).to_be_bytes()),
            0x4000..=0xFFFF_FFFF => {
                self.byte(0x80);
                self.raw(&(len as u32).to_be_bytes());
            }
            _ => {
                self.byte(0x81);
                self.raw(&len.to_be_bytes());
            }
        }
    }

    /// A string, in the shortest way.
    pub(super) fn string(&mut self, text: &[u8]) {
        const LONGEST: usize = "-2147483648".len();
        match number::parse_i64(text).filter(|_| text.len() <= LONGEST) {
            Some(integer) => self.integer(integer),
            None => self.blob(text),
        }
    }

    /// A string that is the decimal of this number.
    pub(super) fn integer(&mut self, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            self.byte(0xC0);
            self.raw(&value.to_le_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.byte(0xC1);
            self.raw(&value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.byte(0xC2);
            self.raw(&value.to_le_bytes());
        } else {
            self.plain(number::write_i64(value, &mut Digits::new()));
        }
    }

    /// A string that is no number.
    pub(super) fn blob(&mut self, bytes: &[u8]) {
        let Output { compressor: Some(compressor), packed, .. } = self else { return self.plain(bytes) };
        packed.clear();
        if bytes.len() <= NEVER_COMPRESSED || !compressor.compress(bytes, bytes.len() - SAVED_MIN, packed) {
            return self.plain(bytes);
        }
        let packed = core::mem::take(packed);
        self.byte(0xC3);
        self.length(packed.len() as u64);
        self.length(bytes.len() as u64);
        self.raw(&packed);
        self.packed = packed;
    }

    fn plain(&mut self, bytes: &[u8]) {
        self.length(bytes.len() as u64);
        self.raw(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::input::Input, *};

    #[test]
    fn lengths_and_strings_are_read_as_they_were_written() {
        for len in [0, 1, 63, 64, 16_383, 16_384, u32::MAX as u64, u32::MAX as u64 + 1, u64::MAX] {
            let mut out = Output::new(false);
            out.length(len);
            assert_eq!(Input::new(&out.bytes).length(), Ok(len));
        }
        let long = b"abcdefgh".repeat(3000);
        for text in [
            &b""[..],
            b"a",
            b"0",
            b"-1",
            b"127",
            b"128",
            b"-32769",
            b"2147483648",
            b"-2147483648",
            b"01",
            b"+1",
        ]
        .into_iter()
        .chain([&long[..], &long[..20], &long[..21], &long[..64]])
        {
            for compresses in [false, true] {
                let mut out = Output::new(compresses);
                out.string(text);
                let mut input = Input::new(&out.bytes);
                assert_eq!((input.string().as_deref(), input.left()), (Ok(text), 0));
            }
        }
    }

    #[test]
    fn strings_are_as_short_as_they_can_be() {
        let len = |text: &[u8]| {
            let mut out = Output::new(true);
            out.string(text);
            out.bytes.len()
        };
        assert_eq!([&b"1"[..], b"1000", b"-100000", b"12345678901", b"x"].map(len), [2, 3, 5, 12, 2]);
        assert_eq!((len(&[b'x'; 20]), len(&[b'x'; 21]) < 15), (21, true));
    }
}
