//! The hash of a text under a secret seed.
//!
//! Multiply and fold, 16 bytes a step, with both factors depending on the seed: a factor that is zero whatever the seed
//! would make all texts that share it collide. Fast and even, and hard to steer without knowing the seed; not a
//! cryptographic hash. The same on every platform.

/// Hashes `text`. All 64 bits are good.
#[inline]
pub fn keyed_hash(seed: u64, text: &[u8]) -> u64 {
    let len = text.len();
    let (seed, other) = (seed ^ (len as u64).wrapping_mul(ODD[2]), fold(seed ^ ODD[0], ODD[1]));
    let mixed = match len {
        0 => seed,
        1..=3 => {
            let picked = [text[0], text[len / 2], text[len - 1], 0];
            fold(u32::from_le_bytes(picked) as u64 ^ seed, other)
        }
        4..=7 => fold(half(text, 0) ^ seed, half(text, len - 4) ^ other),
        8..=16 => fold(word(text, 0) ^ seed, word(text, len - 8) ^ other),
        _ => long(seed, other, text),
    };
    fold(mixed, other ^ ODD[2])
}

const ODD: [u64; 3] = [0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB];

fn long(seed: u64, other: u64, text: &[u8]) -> u64 {
    let (mut even, mut odd) = (seed, seed.rotate_left(29) ^ other);
    let mut step = |head: &[u8], tail: &[u8]| {
        even = fold(word(head, 0) ^ even, word(head, 8) ^ other);
        odd = fold(word(tail, 0) ^ odd, word(tail, 8) ^ other);
    };
    let len = text.len();
    for chunk in text[..len - 1].chunks_exact(32) {
        step(&chunk[..16], &chunk[16..]);
    }
    // The last 32 bytes, some of them for the second time; of less than 32, the first 16 and the last 16.
    step(&text[len.saturating_sub(32)..][..16], &text[len - 16..]);
    even ^ odd
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    // Targets of 32 bits call a function for 128.
    if usize::BITS < 64 { fold_halves(a, b) } else { fold_whole(a, b) }
}

#[inline(always)]
fn fold_whole(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

#[inline(always)]
fn fold_halves(a: u64, b: u64) -> u64 {
    const HALF: u64 = u32::MAX as u64;
    let [a1, a0, b1, b0] = [a >> 32, a & HALF, b >> 32, b & HALF];
    let middle = ((a0 * b0) >> 32) + a1 * b0;
    let high = a1 * b1 + (middle >> 32) + (((middle & HALF) + a0 * b1) >> 32);
    a.wrapping_mul(b) ^ high
}

#[inline(always)]
fn word(text: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(text[at..at + 8].try_into().expect("eight bytes"))
}

#[inline(always)]
fn half(text: &[u8], at: usize) -> u64 {
    u32::from_le_bytes(text[at..at + 4].try_into().expect("four bytes")) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeSet;
    use alloc::{format, vec, vec::Vec};

    fn bits(hash: u64, from: u32, width: u32) -> usize {
        (hash >> from) as usize & ((1 << width) - 1)
    }

    #[test]
    fn both_ways_to_fold_agree() {
        let mut random = random(3);
        let some = [0, 1, u64::MAX, u32::MAX as u64, 1 << 32, u64::MAX << 32];
        let pairs = some.into_iter().flat_map(|a| some.map(|b| (a, b)));
        for (a, b) in pairs.chain((0..10_000).map(|_| (random(), random()))) {
            assert_eq!(fold_halves(a, b), fold_whole(a, b), "{a:x} {b:x}");
        }
    }

    /// Texts as people name things fall evenly into what each group of bits selects.
    #[test]
    #[cfg(not(miri))]
    fn all_bits_are_even() {
        let kinds: [fn(usize) -> Vec<u8>; 5] = [
            |n| format!("user:{n}").into_bytes(),
            |n| format!("{n:016}").into_bytes(),
            |n| format!("session:0123456789abcdef:{n}:profile:with:a:long:tail").into_bytes(),
            |n| (n as u64).to_be_bytes().to_vec(),
            |n| n.to_le_bytes()[..3].to_vec(),
        ];
        for (kind, text) in kinds.iter().enumerate() {
            for from in [0, 10, 20, 25, 33, 46, 54] {
                let mut counts = vec![0u32; 1024];
                (0..102_400).for_each(|n| counts[bits(keyed_hash(1, &text(n)), from, 10)] += 1);
                let chi_squared: f64 =
                    counts.iter().map(|n| (*n as f64 - 100.0) * (*n as f64 - 100.0) / 100.0).sum();
                // Expected 1023 with a deviation of 45.
                assert!(
                    (750.0..1300.0).contains(&chi_squared),
                    "kind {kind}, bits from {from}: {chi_squared}"
                );
            }
        }
    }

    /// Every byte and the length count, at every length.
    #[test]
    fn every_byte_counts() {
        let mut seen = BTreeSet::new();
        for len in 0..if cfg!(miri) { 40 } else { 200 } {
            let mut text = vec![0u8; len];
            assert!(seen.insert(keyed_hash(3, &text)), "zeros of length {len}");
            for at in 0..len {
                for bit in [1, 0x80] {
                    text[at] ^= bit;
                    assert!(seen.insert(keyed_hash(3, &text)), "byte {at} of {len}");
                    text[at] ^= bit;
                }
            }
        }
    }

    #[test]
    fn a_flipped_bit_flips_half() {
        for len in [1, 4, 8, 13, 16, 17, 33, 70] {
            let (mut text, mut flips, mut trials) = (vec![7u8; len], 0, 0);
            for bit in 0..8 * len {
                let before = keyed_hash(9, &text);
                text[bit / 8] ^= 1 << (bit % 8);
                flips += (before ^ keyed_hash(9, &text)).count_ones();
                trials += 64;
            }
            assert!(flips * 100 / trials > 40 && flips * 100 / trials < 60, "{flips} of {trials} at {len}");
        }
    }

    #[test]
    fn another_seed_is_another_hash() {
        let hashes: BTreeSet<u64> = (0..1000).map(|seed| keyed_hash(seed, b"keyside")).collect();
        assert_eq!(hashes.len(), 1000);
    }
}
