//! A stream of effects as both ends of a replication name it: by an id and by offsets. The last bytes are kept, so that
//! whoever was cut off goes on where it was. Who reads them, and how far each has come, is not known here.

use alloc::{collections::VecDeque, string::String, vec::Vec};

/// A stream, and the end of it that is kept.
pub struct History {
    /// What the stream is called.
    pub id: String,
    /// What it was called before, and the first offset that was no longer of that name.
    pub former: Option<(String, u64)>,
    /// How many bytes it has had.
    offset: u64,
    /// The last of them; `None` while nobody has ever read.
    backlog: Option<VecDeque<u8>>,
}

impl History {
    /// A stream of which there is nothing.
    pub fn new(id: String) -> History {
        History { id, former: None, offset: 0, backlog: None }
    }

    /// How many bytes there have been.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether bytes are kept.
    pub fn is_kept(&self) -> bool {
        self.backlog.is_some()
    }

    /// How many bytes are kept.
    pub fn kept(&self) -> usize {
        self.backlog.as_ref().map_or(0, VecDeque::len)
    }

    /// How many bytes of memory that takes.
    pub fn memory(&self) -> usize {
        self.backlog.as_ref().map_or(0, VecDeque::capacity)
    }

    /// Begins to keep bytes.
    pub fn keep(&mut self) {
        self.backlog.get_or_insert_default();
    }

    /// Forgets the bytes that are kept, and keeps none any more.
    pub fn forget(&mut self) {
        self.backlog = None;
    }

    /// Goes on as the stream called `id`, of which there have been `offset` bytes elsewhere.
    pub fn adopt(&mut self, id: String, offset: u64) {
        *self = History { id, former: None, offset, backlog: Some(VecDeque::new()) };
    }

    /// Goes on under another name. Those who know the one so far may do so up to here.
    pub fn rename(&mut self, id: String) {
        let old = core::mem::replace(&mut self.id, id);
        self.former = Some((old, self.offset + 1));
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) {
        if let Some(backlog) = &mut self.backlog {
            backlog.extend(bytes);
            self.offset += bytes.len() as u64;
        }
    }

    /// Forgets all but the last `least` bytes and those from `needed` on.
    pub fn trim(&mut self, least: usize, needed: u64) {
        /// Room that is not worth giving back.
        const ROOM: usize = 1 << 20;
        let Some(backlog) = &mut self.backlog else { return };
        let keep = least.max(self.offset.saturating_sub(needed) as usize);
        if backlog.len() > keep {
            backlog.drain(..backlog.len() - keep);
            if backlog.capacity() > 4 * keep.max(ROOM) {
                backlog.shrink_to(2 * keep);
            }
        }
    }

    /// Whether one that knows the stream as `id`, and has all before the byte number `next` (the first is 1), can go on.
    pub fn continues(&self, id: &[u8], next: u64) -> bool {
        let is_former = self.former.as_ref().is_some_and(|(it, end)| it.as_bytes() == id && next <= *end);
        self.backlog.is_some()
            && (self.id.as_bytes() == id || is_former)
            && next > self.first_offset().saturating_sub(1)
            && next <= self.offset + 1
    }

    /// The number of the first byte that is kept; the first of all is 1.
    pub fn first_offset(&self) -> u64 {
        self.offset + 1 - self.kept() as u64
    }

    /// Copies up to `limit` bytes of those after the first `from`; returns how many.
    pub fn read(&self, from: u64, limit: usize, out: &mut Vec<u8>) -> usize {
        let Some(backlog) = &self.backlog else { return 0 };
        let skipped = backlog.len().saturating_sub(self.offset.saturating_sub(from) as usize);
        let len = limit.min(backlog.len() - skipped);
        let (front, back) = backlog.as_slices();
        let of_front = front.get(skipped..).unwrap_or_default();
        let of_front = &of_front[..len.min(of_front.len())];
        out.extend_from_slice(of_front);
        let at = skipped.saturating_sub(front.len());
        out.extend_from_slice(&back[at..at + len - of_front.len()]);
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let mut history = History::new("a".into());
        history.keep();
        history
    }

    fn read(history: &History, from: u64, limit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(history.read(from, limit, &mut out), out.len());
        out
    }

    #[test]
    fn bytes_are_read_from_any_offset_that_is_kept() {
        let mut history = history();
        for round in 0..100u8 {
            history.append(&[round; 7]);
            history.trim(10, u64::MAX);
            let (first, offset) = (history.first_offset(), history.offset());
            assert_eq!((offset, history.kept()), (7 * (round as u64 + 1), 10.min(offset as usize)));
            for from in first - 1..=offset {
                let expected: Vec<u8> = (from..offset).map(|at| (at / 7) as u8).collect();
                assert_eq!(read(&history, from, 100), expected);
                assert_eq!(read(&history, from, 2), expected[..expected.len().min(2)]);
            }
        }
    }

    #[test]
    fn what_somebody_needs_stays() {
        let mut history = history();
        history.append(&[0; 100]);
        history.trim(10, 40);
        assert_eq!((history.kept(), history.first_offset()), (60, 41));
        assert!(history.memory() >= 100, "room that may be needed again is not given back");
        history.trim(10, 100);
        assert_eq!(history.kept(), 10);
    }

    #[test]
    fn one_that_was_cut_off_goes_on_if_its_place_is_kept_and_its_name_is_known() {
        let mut history = history();
        history.append(&[0; 100]);
        history.trim(10, 100);
        let goes_on =
            |history: &History, id: &[u8]| (0..200).filter(|&next| history.continues(id, next)).count();
        assert_eq!((goes_on(&history, b"a"), goes_on(&history, b"b")), (11, 0));
        assert!(history.continues(b"a", 91) && history.continues(b"a", 101));
        history.rename("b".into());
        history.append(&[0; 4]);
        assert!(history.continues(b"a", 101) && !history.continues(b"a", 102));
        assert!(history.continues(b"b", 101) && history.continues(b"b", 105));
        history.rename("c".into());
        assert_eq!(goes_on(&history, b"a"), 0);
        history.forget();
        assert_eq!(goes_on(&history, b"c"), 0);
    }

    #[test]
    fn nothing_is_counted_that_nobody_could_read() {
        let mut history = History::new("a".into());
        history.append(b"xyz");
        assert_eq!((history.offset(), history.first_offset()), (0, 1));
        history.adopt("b".into(), 7);
        history.append(b"xyz");
        assert_eq!((history.offset(), read(&history, 8, 9)), (10, b"yz".to_vec()));
    }
}
