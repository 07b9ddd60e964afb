//! A snapshot on its way from a primary: `$<length>` and so many bytes, or `$EOF:<mark>` and bytes up to that mark. Where
//! it begins and ends is known here, and nothing of what is in it.

use alloc::vec::Vec;

use crate::data::number::parse_i64;

const MARK: usize = 40;

/// A snapshot of which the first line has come.
pub enum Transfer {
    /// So many bytes are still to come.
    Counted {
        /// All of them.
        len: u64,
        /// Those to come.
        left: u64,
    },
    /// It ends with a mark, which is never sent on its own behind it: the primary waits for an answer before it goes on.
    Marked {
        /// The mark.
        mark: [u8; MARK],
        /// The last bytes, which may be the mark.
        held: Vec<u8>,
    },
}

impl Transfer {
    /// Reads the first line, without its end.
    pub fn begin(line: &[u8]) -> Option<Transfer> {
        let text = line.strip_prefix(b"$")?;
        if let Some(mark) = text.strip_prefix(b"EOF:") {
            return Some(Transfer::Marked { mark: mark.try_into().ok()?, held: Vec::new() });
        }
        let len = u64::try_from(parse_i64(text)?).ok()?;
        Some(Transfer::Counted { len, left: len })
    }

    /// Takes bytes: those of the snapshot, how many were taken, and whether that was the end.
    pub fn feed(&mut self, bytes: &[u8]) -> (Vec<u8>, usize, bool) {
        match self {
            Transfer::Counted { left, .. } => {
                let len = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= len as u64;
                (bytes[..len].to_vec(), len, *left == 0)
            }
            Transfer::Marked { mark, held } => {
                held.extend_from_slice(bytes);
                let is_over = held.ends_with(mark);
                let ready = held.len().saturating_sub(MARK);
                let rest = held.split_off(ready);
                (core::mem::replace(held, rest), bytes.len(), is_over)
            }
        }
    }

    /// How many bytes there are in all and how many are still to come, if that is known.
    pub fn progress(&self) -> Option<(u64, u64)> {
        match *self {
            Transfer::Counted { len, left } => Some((len, left)),
            Transfer::Marked { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(transfer: &mut Transfer, input: &[u8], cut: usize) -> (Vec<u8>, usize) {
        let (mut all, mut used) = (Vec::new(), 0);
        while used < input.len() {
            let end = input.len().min(used + cut);
            let (bytes, taken, is_over) = transfer.feed(&input[used..end]);
            all.extend(bytes);
            used += taken;
            if is_over {
                break;
            }
        }
        (all, used)
    }

    #[test]
    fn a_snapshot_ends_where_it_says_however_it_is_cut() {
        let mark = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
        for cut in 1..90 {
            let mut counted = Transfer::begin(b"$50").unwrap();
            assert_eq!(feed(&mut counted, &[b'x'; 70], cut), ([b'x'; 50].to_vec(), 50));
            let mut marked = Transfer::begin(alloc::format!("$EOF:{mark}").as_bytes()).unwrap();
            let input = alloc::format!("abcdefghij{}abcd{mark}", &mark[..39]);
            let expected = input.as_bytes()[..input.len() - MARK].to_vec();
            assert_eq!(feed(&mut marked, input.as_bytes(), cut), (expected, input.len()));
        }
    }

    #[test]
    fn other_lines_begin_none() {
        for line in ["", "$", "$-1", "$EOF:", "$EOF:12", "+OK", "$1x"] {
            assert!(Transfer::begin(line.as_bytes()).is_none(), "{line}");
        }
    }
}
