//! The checksum of long files, sixteen bytes at a time. That of payloads, which are short, needs no tables of this size.

use alloc::{boxed::Box, vec};

/// CRC-64 of Jones, least significant bit first.
const POLYNOMIAL: u64 = 0x95AC_9329_AC4B_C9B5;
/// Bytes that are taken at once.
const STEP: usize = 16;

/// The checksum of the bytes so far.
pub struct Sum {
    /// For each distance of a byte from the end of a step, what each of its values adds.
    tables: Box<[[u64; 256]]>,
    value: u64,
}

impl Sum {
    /// That of no bytes.
    pub fn new() -> Self {
        let mut tables = vec![[0; 256]; STEP].into_boxed_slice();
        for byte in 0..256 {
            let shift = |sum: u64| sum >> 1 ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 };
            tables[0][byte] = (0..8).fold(byte as u64, |sum, _| shift(sum));
        }
        for distance in 1..STEP {
            for byte in 0..256 {
                let before = tables[distance - 1][byte];
                tables[distance][byte] = before >> 8 ^ tables[0][before as u8 as usize];
            }
        }
        Sum { tables, value: 0 }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let Ok(tables) = <&[[u64; 256]; STEP]>::try_from(&*self.tables) else { return };
        let mut value = self.value;
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            let word = u128::from_le_bytes(*step) ^ value as u128;
            value = (0..STEP).fold(0, |sum, i| sum ^ tables[STEP - 1 - i][(word >> (8 * i)) as u8 as usize]);
        }
        for byte in rest {
            value = value >> 8 ^ tables[0][(value as u8 ^ byte) as usize];
        }
        self.value = value;
    }

    /// The checksum.
    pub fn value(&self) -> u64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::{super::CHECKSUM, *};

    #[test]
    fn sums_are_those_of_payloads_however_the_bytes_come() {
        let mut sum = Sum::new();
        sum.update(b"123456789");
        assert_eq!(sum.value(), 0xE9C6_D914_C4B8_D9CA);
        let bytes: alloc::vec::Vec<u8> = (0..1000u32).map(|i| ((i * i) >> 3) as u8).collect();
        for cut in [0, 1, 15, 16, 17, 33, 500, 1000] {
            let mut sum = Sum::new();
            sum.update(&bytes[..cut]);
            sum.update(&bytes[cut..]);
            assert_eq!(sum.value(), CHECKSUM.checksum(&bytes), "{cut}");
        }
    }
}
