//! Redis's intset: a sorted set of integers in one block of memory, all as wide as the widest needs, byte for byte as
//! Redis writes it. It only ever widens. How many members are too many is for the set above it to say.
//!
//! ```text
//! width u32 LE (2, 4 or 8) │ count u32 LE │ value … value, LE, ascending
//! ```

use super::block::{Block, Frame};
use super::tagged::Thin;
use core::fmt;

const HEADER: usize = 8;

/// An owned intset of 8 bytes on the outside.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct Intset {
    block: Block<Framing>,
}

struct Framing;

// SAFETY: pure, and at least the 8 bytes of the header. `Intset` keeps width × count far below an overflow.
unsafe impl Frame for Framing {
    const PREFIX: usize = HEADER;

    #[inline]
    fn length(prefix: &[u8]) -> usize {
        let [width, count] = header(prefix);
        HEADER.saturating_add(width.saturating_mul(count))
    }
}

// SAFETY: transparent over a block, which is transparent over a pointer aligned to 8.
unsafe impl Thin for Intset {}

impl Default for Intset {
    fn default() -> Self {
        Intset::new()
    }
}

impl Intset {
    /// An empty one.
    pub fn new() -> Self {
        Intset { block: Block::new(&prefix(2, 0)) }
    }

    /// Takes over foreign bytes after looking at every one of them; `None` unless they are an intset in strictly
    /// ascending order.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let prefix = bytes.get(..HEADER)?;
        let [width, _] = header(prefix);
        if !matches!(width, 2 | 4 | 8) || Framing::length(prefix) != bytes.len() {
            return None;
        }
        let intset = Intset { block: Block::new(bytes) };
        intset.iter().is_sorted_by(|a, b| a < b).then_some(intset)
    }

    /// The bytes that RDB and DUMP carry.
    pub fn as_bytes(&self) -> &[u8] {
        self.block.as_bytes()
    }

    /// How many members.
    #[inline]
    pub fn len(&self) -> usize {
        header(self.as_bytes())[1]
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of the heap it occupies.
    pub fn heap_size(&self) -> usize {
        self.block.capacity()
    }

    /// The member of an index in ascending order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        let width = self.width();
        let start = HEADER.checked_add(index.checked_mul(width)?)?;
        self.as_bytes().get(start..start + width).map(read)
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone {
        self.as_bytes()[HEADER..].chunks_exact(self.width()).map(read)
    }

    /// A member chosen by a random number.
    pub fn pick(&self, random: u64) -> Option<i64> {
        self.get(((random as u128 * self.len() as u128) >> 64) as usize)
    }

    /// Whether `value` is a member.
    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Adds a member. Answers whether it is new.
    pub fn add(&mut self, value: i64) -> bool {
        let Err(index) = self.search(value) else { return false };
        if width_of(value) > self.width() {
            self.widen(width_of(value));
        }
        let (width, count) = (self.width(), self.len());
        self.block.resize(&prefix(width, count + 1));
        let body = self.block.body_mut();
        body.copy_within(index * width..count * width, (index + 1) * width);
        body[index * width..][..width].copy_from_slice(&value.to_le_bytes()[..width]);
        true
    }

    /// Removes a member. Answers whether it was one.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        let (width, count) = (self.width(), self.len());
        self.block.body_mut().copy_within((index + 1) * width.., index * width);
        self.block.resize(&prefix(width, count - 1));
        true
    }

    #[inline]
    fn width(&self) -> usize {
        header(self.as_bytes())[0]
    }

    /// Where `value` is, or where it belongs.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (bytes, width) = (&self.as_bytes()[HEADER..], self.width());
        let (mut low, mut high) = (0, bytes.len() / width);
        while low < high {
            let middle = (low + high) / 2;
            match read(&bytes[middle * width..][..width]).cmp(&value) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Equal => return Ok(middle),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Rewrites every value `wide` bytes wide, from the last so that none is overwritten before it is read.
    fn widen(&mut self, wide: usize) {
        let (narrow, count) = (self.width(), self.len());
        self.block.resize(&prefix(wide, count));
        let body = self.block.body_mut();
        for index in (0..count).rev() {
            let value = read(&body[index * narrow..][..narrow]);
            body[index * wide..][..wide].copy_from_slice(&value.to_le_bytes()[..wide]);
        }
    }
}

impl fmt::Debug for Intset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

#[inline]
fn header(bytes: &[u8]) -> [usize; 2] {
    [0, 4].map(|at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize)
}

fn prefix(width: usize, count: usize) -> [u8; HEADER] {
    let (width, count) = (width as u64, u32::try_from(count).expect("an intset counts in 32 bits") as u64);
    (count << 32 | width).to_le_bytes()
}

fn width_of(value: i64) -> usize {
    match value {
        -0x8000..=0x7FFF => 2,
        -0x8000_0000..=0x7FFF_FFFF => 4,
        _ => 8,
    }
}

/// The value of 2, 4 or 8 bytes.
#[inline]
fn read(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b] => i16::from_le_bytes([a, b]) as i64,
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]) as i64,
        [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => unreachable!("widths are 2, 4 and 8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    fn of(values: &[i64]) -> Intset {
        let mut intset = Intset::new();
        values.iter().for_each(|&value| assert!(intset.add(value)));
        intset
    }

    #[test]
    fn bytes_are_those_of_redis() {
        assert_eq!(of(&[3, 1, 2]).as_bytes(), b"\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x03\0");
        assert_eq!(of(&[1, 70_000]).as_bytes(), b"\x04\0\0\0\x02\0\0\0\x01\0\0\0\x70\x11\x01\0");
        let wide = of(&[-1, 1 << 40]);
        assert_eq!(
            wide.as_bytes(),
            b"\x08\0\0\0\x02\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\x01\0\0",
        );
    }

    #[test]
    fn behaves_as_a_sorted_set() {
        let mut state = 7u64;
        for scale in [4, 12, 17, 33, 63] {
            let (mut intset, mut model) = (Intset::new(), BTreeSet::new());
            for step in 0..if cfg!(miri) { 120 } else { 3000 } {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let value = (state as i64) >> (63 - scale);
                if step % 3 == 2 {
                    assert_eq!(intset.remove(value), model.remove(&value));
                } else {
                    assert_eq!(intset.add(value), model.insert(value));
                }
                assert_eq!(intset.contains(value), model.contains(&value));
                assert_eq!(intset.len(), model.len());
            }
            assert!(intset.iter().eq(model.iter().copied()));
            assert!(intset.iter().rev().eq(model.iter().rev().copied()));
            assert_eq!(intset.get(intset.len()), None);
            assert_eq!(intset.get(usize::MAX), None);
            assert_eq!(intset.pick(0), model.first().copied());
            assert_eq!(intset.pick(u64::MAX), model.last().copied());
            assert_eq!(Intset::from_bytes(intset.as_bytes()), Some(intset));
        }
    }

    #[test]
    fn holds_the_extremes() {
        let intset = of(&[0, i64::MAX, i64::MIN, 0x7FFF, -0x8000, 0x8000, -0x8001]);
        let sorted = [i64::MIN, -0x8001, -0x8000, 0, 0x7FFF, 0x8000, i64::MAX];
        assert_eq!(intset.iter().collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn refuses_what_is_no_intset() {
        let good = of(&[-5, 3, 9]);
        for cut in 0..good.as_bytes().len() {
            assert_eq!(Intset::from_bytes(&good.as_bytes()[..cut]), None);
        }
        for bad in [
            &b"\x03\0\0\0\0\0\0\0"[..],
            b"\0\0\0\0\x05\0\0\0",
            b"\x02\0\0\0\xff\xff\xff\xff",
            b"\x08\0\0\0\xff\xff\xff\xff",
            b"\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
            b"\x02\0\0\0\x01\0\0\0\x01\0\x01\0",
        ] {
            assert_eq!(Intset::from_bytes(bad), None);
        }
        assert_eq!(size_of::<Option<Intset>>(), size_of::<usize>());
    }
}
