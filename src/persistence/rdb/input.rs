//! The smallest parts of RDB, read: lengths, strings, times, numbers. What they add up to is for others to say.

use alloc::{borrow::Cow, vec::Vec};

use super::{Flaw, lzf};
use crate::data::number::{self, Digits};

/// Bytes, and how many of them were read.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// What stands where a length may stand.
enum Length {
    Of(u64),
    /// No length but a string that is written in a special way.
    Special(u8),
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, at: 0 }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let taken = self.bytes[self.at..].get(..len).ok_or(Flaw::Short)?;
        self.at += len;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, _) = self.bytes[self.at..].split_first_chunk().ok_or(Flaw::Short)?;
        self.at += N;
        Ok(*taken)
    }

    pub fn byte(&mut self) -> Result<u8, Flaw> {
        self.array().map(|[byte]| byte)
    }

    /// Milliseconds since 1970.
    pub fn millis(&mut self) -> Result<i64, Flaw> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn double(&mut self) -> Result<f64, Flaw> {
        self.array().map(f64::from_le_bytes)
    }

    /// A number in the text that came before [`Input::double`].
    pub fn double_as_text(&mut self) -> Result<f64, Flaw> {
        match self.byte()? {
            253 => Ok(f64::NAN),
            254 => Ok(f64::INFINITY),
            255 => Ok(f64::NEG_INFINITY),
            len => number::parse_float(self.take(len as usize)?).ok_or(Flaw::Corrupt("a score is no number")),
        }
    }

    pub fn length(&mut self) -> Result<u64, Flaw> {
        match self.length_or_special()? {
            Length::Of(len) => Ok(len),
            Length::Special(_) => Err(Flaw::Corrupt("there is a string where a length should be")),
        }
    }

    /// How many things follow that take at least `bytes` each.
    pub fn count(&mut self, bytes: usize) -> Result<usize, Flaw> {
        let count = self.length()?;
        match usize::try_from(count).ok().and_then(|count| count.checked_mul(bytes)) {
            Some(least) if least <= self.left() => Ok(count as usize),
            _ => Err(Flaw::Short),
        }
    }

    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, Flaw> {
        let text = |n| Cow::Owned(number::write_i64(n, &mut Digits::new()).to_vec());
        Ok(self.integer_or_string()?.map_or_else(|string| string, text))
    }

    /// A string, or the integer whose decimal it is.
    pub fn integer_or_string(&mut self) -> Result<Result<i64, Cow<'a, [u8]>>, Flaw> {
        Ok(Ok(match self.length_or_special()? {
            Length::Of(len) => return self.take_length(len).map(|text| Err(Cow::Borrowed(text))),
            Length::Special(0) => i8::from_le_bytes(self.array()?) as i64,
            Length::Special(1) => i16::from_le_bytes(self.array()?) as i64,
            Length::Special(2) => i32::from_le_bytes(self.array()?) as i64,
            Length::Special(3) => return self.compressed().map(|text| Err(Cow::Owned(text))),
            Length::Special(_) => return Err(Flaw::Corrupt("a string is in no known encoding")),
        }))
    }

    fn compressed(&mut self) -> Result<Vec<u8>, Flaw> {
        let (packed, len) = (self.length()?, self.length()?);
        let packed = self.take_length(packed)?;
        let bytes = usize::try_from(len).ok().and_then(|len| lzf::decompress(packed, len));
        bytes.ok_or(Flaw::Corrupt("a compressed string is damaged"))
    }

    fn take_length(&mut self, len: u64) -> Result<&'a [u8], Flaw> {
        self.take(usize::try_from(len).map_err(|_| Flaw::Short)?)
    }

    fn length_or_special(&mut self) -> Result<Length, Flaw> {
        let first = self.byte()?;
        let low = first & 0x3F;
        Ok(match first >> 6 {
            0 => Length::Of(low as u64),
            1 => Length::Of(u16::from_be_bytes([low, self.byte()?]) as u64),
            3 => Length::Special(low),
            _ if first == 0x80 => Length::Of(u32::from_be_bytes(self.array()?) as u64),
            _ if first == 0x81 => Length::Of(u64::from_be_bytes(self.array()?)),
            _ => return Err(Flaw::Corrupt("a length is in no known encoding")),
        })
    }
}
