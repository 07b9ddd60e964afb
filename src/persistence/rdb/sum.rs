//! The checksum of long files, sixteen bytes at a time. That of payloads, which are short, needs no tables of this size.

use alloc::boxed::Box;

use crc::{CRC_64_REDIS, Crc, Table};

/// The checksum of the bytes so far.
pub struct Sum {
    crc: Box<Crc<u64, Table<16>>>,
    value: u64,
}

impl Sum {
    /// That of no bytes.
    pub fn new() -> Self {
        Sum { crc: Box::new(Crc::<u64, Table<16>>::new(&CRC_64_REDIS)), value: 0 }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        // The crate takes a beginning with its most significant bit first, whatever the algorithm.
        let mut digest = self.crc.digest_with_initial(self.value.reverse_bits());
        digest.update(bytes);
        self.value = digest.finalize();
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
