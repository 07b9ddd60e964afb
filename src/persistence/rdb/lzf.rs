//! LZF, the compression of strings in RDB: runs of literal bytes, and copies of what stood up to 8 KiB before.
//!
//! ```text
//! 000nnnnn                      the n + 1 bytes that follow, as they are
//! lllddddd          dddddddd    l + 2 bytes from d + 1 bytes before, l up to 6
//! 111ddddd llllllll dddddddd    l + 9 bytes from there
//! ```

use alloc::vec::Vec;

const LITERALS_MAX: usize = 1 << 5;
const DISTANCE_MAX: usize = 1 << 13;
const COPY_MAX: usize = 7 + 255 + 2;
/// The most bytes that come of one.
const EXPANSION_MAX: usize = COPY_MAX / 3;

/// Compresses, and keeps its table for the next time.
#[derive(Default)]
pub struct Compressor {
    /// Where three bytes were last seen, by their hash: a position and one, or 0.
    seen: Vec<u32>,
}

impl Compressor {
    /// Appends the compressed form of `input` to `out`; false, with `out` as it was, unless that is at most `max` bytes.
    pub fn compress(&mut self, input: &[u8], max: usize, out: &mut Vec<u8>) -> bool {
        if input.len() > u32::MAX as usize {
            return false;
        }
        let start = out.len();
        let bits = input.len().max(1).ilog2().clamp(6, 14);
        self.seen.clear();
        self.seen.resize(1 << bits, 0);
        let (mut at, mut literals) = (0, 0);
        while let Some(&[a, b, c]) = input[at..].first_chunk() {
            let word = u32::from_le_bytes([a, b, c, 0]);
            let slot = &mut self.seen[(word.wrapping_mul(0x9E37_79B1) >> (32 - bits)) as usize];
            let before = core::mem::replace(slot, at as u32 + 1) as usize;
            let is_match = before > 0
                && at - (before - 1) <= DISTANCE_MAX
                && input[before - 1..].first_chunk() == Some(&[a, b, c]);
            if !is_match {
                at += 1;
                continue;
            }
            let from = before - 1;
            let len = common_len(&input[from..], &input[at..]).min(COPY_MAX);
            put_literals(&input[literals..at], out);
            put_copy(at - from, len, out);
            at += len;
            literals = at;
            if out.len() - start > max {
                break;
            }
        }
        put_literals(&input[literals..], out);
        let fits = out.len() - start <= max;
        if !fits {
            out.truncate(start);
        }
        fits
    }
}

fn common_len(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take(COPY_MAX).take_while(|(a, b)| a == b).count()
}

fn put_literals(bytes: &[u8], out: &mut Vec<u8>) {
    for run in bytes.chunks(LITERALS_MAX) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

fn put_copy(distance: usize, len: usize, out: &mut Vec<u8>) {
    let (distance, len) = (distance - 1, len - 2);
    let high = (distance >> 8) as u8;
    match len {
        ..7 => out.push((len as u8) << 5 | high),
        _ => out.extend_from_slice(&[7 << 5 | high, (len - 7) as u8]),
    }
    out.push(distance as u8);
}

/// What was compressed, which has to be exactly `len` bytes.
pub fn decompress(mut input: &[u8], len: usize) -> Option<Vec<u8>> {
    // A length is a claim; room is made only for what so many bytes can become.
    if len > input.len().saturating_mul(EXPANSION_MAX) {
        return None;
    }
    let mut out = Vec::new();
    out.try_reserve_exact(len).ok()?;
    while let Some((&control, rest)) = input.split_first() {
        input = rest;
        let (code, low) = ((control >> 5) as usize, control as usize & 0x1F);
        if code == 0 {
            let (literals, rest) = input.split_at_checked(low + 1)?;
            if out.len() + literals.len() > len {
                return None;
            }
            out.extend_from_slice(literals);
            input = rest;
            continue;
        }
        let more = if code == 7 { take_byte(&mut input)? } else { 0 };
        let distance = (low << 8 | take_byte(&mut input)?) + 1;
        let count = code + 2 + more;
        let from = out.len().checked_sub(distance)?;
        if out.len() + count > len {
            return None;
        }
        // A copy may overlap what it makes: then it repeats.
        let mut left = count;
        while left > 0 {
            let run = left.min(out.len() - from);
            out.extend_from_within(from..from + run);
            left -= run;
        }
    }
    (out.len() == len).then_some(out)
}

fn take_byte(input: &mut &[u8]) -> Option<usize> {
    let (&byte, rest) = input.split_first()?;
    *input = rest;
    Some(byte as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn compressed(input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Compressor::default().compress(input, usize::MAX, &mut out));
        out
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut state = 1u64;
        let mut compressor = Compressor::default();
        for alphabet in [1, 2, 3, 10, 256] {
            for len in
                (0..70).chain([255, 263, 264, 265, 266, 267, 530, 8191, 8192, 8193, 8195, 20_000, 70_000])
            {
                let input: Vec<u8> = (0..len)
                    .map(|_| {
                        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        ((state >> 33) % alphabet) as u8
                    })
                    .collect();
                let mut out = b"before".to_vec();
                assert!(compressor.compress(&input, usize::MAX, &mut out));
                assert_eq!(decompress(&out[6..], len).as_deref(), Some(&input[..]), "{alphabet} {len}");
            }
        }
    }

    #[test]
    fn repetition_is_compressed_and_noise_is_not() {
        assert!(compressed(&[b'x'; 1000]).len() < 20);
        assert!(compressed(&b"one two three ".repeat(100)).len() < 60);
        let (noise, mut out) = ((0..=255).collect::<Vec<u8>>(), vec![1, 2]);
        assert!(!Compressor::default().compress(&noise, noise.len() - 4, &mut out));
        assert_eq!(out, [1, 2]);
    }

    /// As in the description of the format: two literals, then 7 + 2 + 1 bytes from 2 before.
    #[test]
    fn instructions_mean_what_they_say() {
        assert_eq!(decompress(b"\x01ab\xe0\x01\x01", 12).as_deref(), Some(&b"abababababab"[..]));
        assert_eq!(decompress(b"\x00a\x20\x00", 4).as_deref(), Some(&b"aaaa"[..]));
    }

    #[test]
    fn nonsense_is_refused() {
        for (bytes, len) in [
            (&b"\x01a"[..], 2),
            (b"\x00a", 2),
            (b"\x01ab", 1),
            (b"\x20\x00", 3),
            (b"\x00a\x20\x01", 4),
            (b"\x00a\x20\x00", 3),
            (b"\x00a\xe0", 20),
            (b"\x00a\xe0\x01", 20),
            (b"\x00a", usize::MAX),
            (b"", 1),
        ] {
            assert_eq!(decompress(bytes, len), None, "{bytes:?}");
        }
    }
}
