//! A hash index of record handles that grows and shrinks without a pause and can be scanned while it does.
//!
//! Extendible hashing: a directory, indexed by some bits of the hash, names segments of at most 1024 buckets; a full
//! segment splits alone, two sparse neighbours merge. A [`Dict`] stores four bytes and a tag per record and nothing else:
//! what a record is, how it compares and what it hashes to are its owner's knowledge, passed in as closures. The hash has
//! to be good in all of its bits and should be seeded, so that nobody can choose keys that collide.

use super::slab::Handle;
use crate::data::sorting;
use alloc::vec::Vec;
use hashbrown::hash_table::{self, HashTable};

/// An index of handles by hash. Allocates nothing while empty.
#[derive(Default)]
pub struct Dict {
    /// The segment of each value of the first `bits` bits of a position; empty while one segment is all there is.
    directory: Vec<u32>,
    bits: u32,
    segments: Vec<Segment>,
    /// How many segments have a directory slot of their own: while there are none, the directory is longer than needed.
    deepest: usize,
    /// No segment has more buckets.
    widest: usize,
    len: usize,
}

/// The records whose positions begin with the same `depth` bits.
struct Segment {
    table: HashTable<Handle>,
    prefix: u32,
    depth: u32,
}

/// A record's place in a [`Dict`], found or free.
pub enum Entry<'d> {
    /// The record is there.
    Occupied(Handle),
    /// It is not, and this is where it goes.
    Vacant(Vacant<'d>),
}

/// A free place for one record.
pub struct Vacant<'d> {
    slot: hash_table::VacantEntry<'d, Handle>,
    len: &'d mut usize,
}

/// Buckets of a segment that is not to grow any more, of which 7/8 are used before it splits.
const MAX_BUCKETS: usize = if cfg!(miri) { 32 } else { 1024 };
const MAX_LEN: usize = MAX_BUCKETS / 8 * 7;
/// Two neighbours merge when together they have no more than this.
const MERGED_LEN: usize = MAX_BUCKETS * 3 / 8;
/// Longest directory: with hashes worth the name, segments reach a depth of 24 at ten thousand million records.
const MAX_BITS: u32 = 24;
/// Slots a segment has in the directory on average, above which the hashes are too bad to be told apart by it.
const MAX_SHARE: usize = 64;

/// A record's place in scan order has 48 bits.
const POSITION_BITS: u32 = 48;

/// The bits of a hash that decide where its record stands in scan order: those below the seven which hashbrown compares,
/// the most significant first; the low ones choose the bucket in a segment.
pub fn position(hash: u64) -> u64 {
    hash << 7 >> (64 - POSITION_BITS)
}

impl Dict {
    /// An empty index.
    pub const fn new() -> Dict {
        Dict { directory: Vec::new(), bits: 0, segments: Vec::new(), deepest: 0, widest: 0, len: 0 }
    }

    /// The number of records.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes that it has allocated.
    pub fn memory(&self) -> usize {
        let segments: usize = self.segments.iter().map(|segment| segment.table.allocation_size()).sum();
        segments
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.capacity() * size_of::<u32>()
    }

    /// Is there no record?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Finds the record with this hash that `eq` says yes to.
    #[inline(always)]
    pub fn find(&self, hash: u64, mut eq: impl FnMut(Handle) -> bool) -> Option<Handle> {
        self.segments.get(self.locate(hash))?.table.find(hash, |h| eq(*h)).copied()
    }

    /// Finds a record, or the place where it goes. `hash_of` is asked when records have to move.
    #[inline]
    pub fn entry(
        &mut self,
        hash: u64,
        mut eq: impl FnMut(Handle) -> bool,
        hash_of: impl Fn(Handle) -> u64,
    ) -> Entry<'_> {
        let index = self.make_room(hash, &hash_of);
        match self.segments[index].table.entry(hash, |h| eq(*h), hasher(&hash_of)) {
            hash_table::Entry::Occupied(slot) => Entry::Occupied(*slot.get()),
            hash_table::Entry::Vacant(slot) => Entry::Vacant(Vacant { slot, len: &mut self.len }),
        }
    }

    /// Adds a record that is known to be absent.
    #[inline]
    pub fn insert(&mut self, hash: u64, new: Handle, hash_of: impl Fn(Handle) -> u64) {
        let index = self.make_room(hash, &hash_of);
        self.segments[index].table.insert_unique(hash, new, hasher(&hash_of));
        self.len += 1;
    }

    /// Makes room for more records at once, as there will be so many in all: for eight times those there are, or as many as are
    /// expected. `hash_of` is asked when records have to move.
    pub fn expect(&mut self, total: usize, hash_of: impl Fn(Handle) -> u64) {
        const LEAST: usize = 16 * MAX_LEN;
        let room = self.segments.len() * MAX_LEN;
        if total <= room || self.len < room / 4 * 3 {
            return;
        }
        let total = total.min((8 * self.len).max(LEAST));
        // Hashes differ a little in how many come to each segment.
        let bits = (total / (MAX_LEN - MAX_LEN / 16) + 1).next_power_of_two().ilog2();
        if bits <= self.bits || bits > MAX_BITS {
            return;
        }
        let capacity = (total >> bits) + (total >> bits) / 16 + 1;
        let segment = |prefix| Segment { table: HashTable::with_capacity(capacity), prefix, depth: bits };
        let segments: Vec<Segment> = (0..1 << bits).map(segment).collect();
        let mut roomy = Dict {
            directory: (0..1 << bits).collect(),
            bits,
            deepest: segments.len(),
            widest: segments[0].table.num_buckets(),
            segments,
            len: 0,
        };
        self.iter().for_each(|h| roomy.insert(hash_of(h), h, &hash_of));
        *self = roomy;
    }

    /// Removes the record with this hash that `eq` says yes to. `hash_of` is asked when others have to move.
    pub fn remove(
        &mut self,
        hash: u64,
        mut eq: impl FnMut(Handle) -> bool,
        hash_of: impl Fn(Handle) -> u64,
    ) -> Option<Handle> {
        let index = self.locate(hash);
        let table = &mut self.segments.get_mut(index)?.table;
        let removed = table.find_entry(hash, |h| eq(*h)).ok()?.remove().0;
        self.len -= 1;
        if self.len == 0 {
            *self = Dict::new();
        } else if table.len() < table.num_buckets() / 8 {
            self.shrink(index, &hash_of);
        }
        Some(removed)
    }

    /// Puts `new` where `old` stands: the same record has moved.
    pub fn replace(&mut self, hash: u64, old: Handle, new: Handle) {
        let index = self.locate(hash);
        let slot = self.segments.get_mut(index).and_then(|it| it.table.find_mut(hash, |h| *h == old));
        *slot.expect("a record of this dictionary") = new;
    }

    /// Visits at least `count` records (fewer at the end) from `cursor` on and returns the cursor to go on with, 0 when all
    /// were visited.
    ///
    /// Between the calls the dictionary may change at will: a record that is there from the first call of a round to its
    /// last is visited at least once, and not twice unless it was removed and added. Records whose positions are equal are
    /// visited in one call. Cursors are below 2^48.
    pub fn scan(
        &self,
        cursor: u64,
        count: usize,
        hash_of: impl Fn(Handle) -> u64,
        mut visit: impl FnMut(Handle),
    ) -> u64 {
        if cursor >> POSITION_BITS != 0 || self.is_empty() {
            return 0;
        }
        let (mut cursor, mut wanted) = (cursor, count.max(1));
        let mut found = Vec::new();
        while wanted > 0 {
            let segment = &self.segments[self.locate_position(cursor)];
            found.clear();
            found.extend(
                segment
                    .table
                    .iter()
                    .map(|h| (position(hash_of(*h)), h.to_bits()))
                    .filter(|(at, _)| *at >= cursor),
            );
            let end = if found.len() <= wanted {
                segment.end()
            } else {
                sorting::select(&mut found, wanted - 1) + 1
            };
            let visited = found.iter().filter(|(at, _)| *at < end);
            wanted = wanted.saturating_sub(visited.map(|(_, bits)| visit(Handle::from_bits(*bits))).count());
            cursor = end;
            if cursor >> POSITION_BITS != 0 {
                return 0;
            }
        }
        cursor
    }

    /// A record chosen by chance, each as likely as any other; `random` yields 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Handle> {
        if self.is_empty() {
            return None;
        }
        // Every segment counts as wide as the widest, so that a bucket of a narrow one is not likelier.
        loop {
            let bits = random();
            let segment = &self.segments[below(bits >> 32, self.segments.len())];
            if let Some(h) = segment.table.get_bucket(below(bits & 0xFFFF_FFFF, self.widest)) {
                return Some(*h);
            }
        }
    }

    /// All records, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Handle> + Clone + '_ {
        Counted { records: self.segments.iter().flat_map(|it| it.table.iter().copied()), left: self.len }
    }

    /// Takes some records out of a dictionary that is of no other use any more: nothing is found in it from then on.
    /// `None` when no record is left.
    pub fn give_up(&mut self) -> Option<impl Iterator<Item = Handle> + use<>> {
        (self.directory, self.bits) = (Vec::new(), 0);
        let segment = self.segments.pop()?;
        self.len -= segment.table.len();
        Some(segment.table.into_iter())
    }

    /// Bytes asked from the allocator.
    pub fn allocated(&self) -> usize {
        let tables: usize = self.segments.iter().map(|it| it.table.allocation_size()).sum();
        tables
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.capacity() * size_of::<u32>()
    }

    /// The index of the segment a hash belongs to; there is none when the dictionary is empty.
    #[inline(always)]
    fn locate(&self, hash: u64) -> usize {
        self.locate_position(position(hash))
    }

    #[inline(always)]
    fn locate_position(&self, position: u64) -> usize {
        if self.directory.is_empty() {
            0
        } else {
            self.directory[(position >> (POSITION_BITS - self.bits)) as usize] as usize
        }
    }

    /// Sees to it that the segment of `hash` takes one more record, and answers with its index.
    #[inline]
    fn make_room(&mut self, hash: u64, hash_of: &dyn Fn(Handle) -> u64) -> usize {
        let index = self.locate(hash);
        match self.segments.get(index) {
            Some(segment) if segment.table.len() < segment.table.capacity() => index,
            _ => self.grow(hash, hash_of),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, hash: u64, hash_of: &dyn Fn(Handle) -> u64) -> usize {
        if self.segments.is_empty() {
            self.segments.reserve_exact(1);
            self.segments.push(Segment { table: HashTable::new(), prefix: 0, depth: 0 });
            self.deepest = 1;
        }
        loop {
            let index = self.locate(hash);
            let segment = &self.segments[index];
            let len = segment.table.len();
            if len < segment.table.capacity() {
                return index;
            }
            let wanted = len + len / 4 + 1;
            if wanted > MAX_LEN && self.may_split(index) {
                self.split(index, hash_of);
            } else {
                self.rebuild(index, wanted, hash_of);
            }
        }
    }

    /// Moves a segment's records to a table of the right size, without the traces of removed ones.
    fn rebuild(&mut self, index: usize, capacity: usize, hash_of: &dyn Fn(Handle) -> u64) {
        let segment = &mut self.segments[index];
        let mut table = HashTable::with_capacity(capacity);
        move_into(&mut table, &segment.table, hash_of);
        segment.table = table;
        self.note_width(index);
    }

    fn may_split(&self, index: usize) -> bool {
        let depth = self.segments[index].depth;
        depth < self.bits || (self.bits < MAX_BITS && 2 << self.bits <= MAX_SHARE * self.segments.len())
    }

    /// Divides a segment by the next bit of the positions.
    fn split(&mut self, index: usize, hash_of: &dyn Fn(Handle) -> u64) {
        if self.segments[index].depth == self.bits {
            self.double_directory();
        }
        let Segment { table, prefix, depth } = &mut self.segments[index];
        let mut halves = [(); 2].map(|()| HashTable::with_capacity(MAX_LEN));
        let bit = POSITION_BITS - 1 - *depth;
        for h in table.iter() {
            let hash = hash_of(*h);
            halves[(position(hash) >> bit & 1) as usize].insert_unique(hash, *h, hasher(hash_of));
        }
        let [low, high] = halves;
        (*table, *prefix, *depth) = (low, *prefix << 1, *depth + 1);
        let buddy = Segment { table: high, prefix: *prefix | 1, depth: *depth };
        if *depth == self.bits {
            self.deepest += 2;
        }
        self.segments.push(buddy);
        self.point_at(self.segments.len() - 1);
        self.note_width(index);
        self.note_width(self.segments.len() - 1);
    }

    fn double_directory(&mut self) {
        self.directory = match self.bits {
            0 => [0, 0].into(),
            _ => self.directory.iter().flat_map(|segment| [*segment; 2]).collect(),
        };
        self.bits += 1;
        self.deepest = 0;
    }

    /// Merges a sparse segment with its neighbours as long as these are sparse too, or makes it narrower.
    #[cold]
    #[inline(never)]
    fn shrink(&mut self, mut index: usize, hash_of: &dyn Fn(Handle) -> u64) {
        let before = self.segments.len();
        while let Some(buddy) = self.sparse_buddy(index) {
            index = self.merge(index, buddy, hash_of);
        }
        if self.segments.len() == before {
            return self.rebuild(index, self.segments[index].table.len() * 2, &hash_of);
        }
        while self.deepest == 0 {
            self.halve_directory();
        }
        if self.segments.len() < self.segments.capacity() / 4 {
            self.segments.shrink_to(self.segments.len() * 2);
        }
    }

    /// The segment that one was split from, if both fit into one again and leave room.
    fn sparse_buddy(&self, index: usize) -> Option<usize> {
        let Segment { table, prefix, depth } = &self.segments[index];
        let at = ((*prefix ^ 1) as usize) << (self.bits - depth);
        let buddy = *self.directory.get(at)? as usize;
        let other = &self.segments[buddy];
        (*depth > 0 && other.depth == *depth && other.table.len() + table.len() <= MERGED_LEN)
            .then_some(buddy)
    }

    fn merge(&mut self, index: usize, buddy: usize, hash_of: &dyn Fn(Handle) -> u64) -> usize {
        let (index, buddy) = (index.min(buddy), index.max(buddy));
        let gone = self.segments.swap_remove(buddy);
        if buddy < self.segments.len() {
            self.point_at(buddy);
        }
        if gone.depth == self.bits {
            self.deepest -= 2;
        }
        let segment = &mut self.segments[index];
        (segment.prefix, segment.depth) = (segment.prefix >> 1, segment.depth - 1);
        if segment.depth == self.bits {
            self.deepest += 1;
        }
        let len = segment.table.len() + gone.table.len();
        self.rebuild(index, len + len / 2, hash_of);
        move_into(&mut self.segments[index].table, &gone.table, hash_of);
        self.point_at(index);
        index
    }

    fn halve_directory(&mut self) {
        self.bits -= 1;
        self.directory = match self.bits {
            0 => Vec::new(),
            _ => self.directory.iter().step_by(2).copied().collect(),
        };
        self.deepest = self.segments.iter().filter(|it| it.depth == self.bits).count();
    }

    /// Enters a segment into its part of the directory.
    fn point_at(&mut self, index: usize) {
        let Segment { prefix, depth, .. } = self.segments[index];
        let (first, slots) = ((prefix as usize) << (self.bits - depth), 1 << (self.bits - depth));
        self.directory[first..first + slots].fill(index as u32);
    }

    fn note_width(&mut self, index: usize) {
        let width = self.segments[index].table.num_buckets();
        self.widest = if self.segments.len() == 1 { width } else { self.widest.max(width) };
    }
}

impl Segment {
    /// The first position behind the segment's.
    fn end(&self) -> u64 {
        (self.prefix as u64 + 1) << (POSITION_BITS - self.depth)
    }
}

impl<'d> Vacant<'d> {
    /// Adds the record.
    #[inline]
    pub fn insert(self, new: Handle) {
        self.slot.insert(new);
        *self.len += 1;
    }
}

#[derive(Clone)]
struct Counted<I> {
    records: I,
    left: usize,
}

impl<I: Iterator<Item = Handle>> Iterator for Counted<I> {
    type Item = Handle;

    #[inline]
    fn next(&mut self) -> Option<Handle> {
        self.left = self.left.saturating_sub(1);
        self.records.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: Iterator<Item = Handle>> ExactSizeIterator for Counted<I> {}

/// The hash as a table asks for it. It is asked only when records move, so that one copy of what moves them will do.
fn hasher<'h>(hash_of: &'h dyn Fn(Handle) -> u64) -> impl Fn(&Handle) -> u64 + use<'h> {
    |h| hash_of(*h)
}

fn move_into(table: &mut HashTable<Handle>, from: &HashTable<Handle>, hash_of: &dyn Fn(Handle) -> u64) {
    for h in from.iter() {
        table.insert_unique(hash_of(*h), *h, hasher(hash_of));
    }
}

/// Maps 32 random bits to a number below `n`.
fn below(bits: u64, n: usize) -> usize {
    ((bits * n as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::{mix, random};
    use alloc::collections::BTreeSet;
    use alloc::vec;

    extern crate std;

    const STEPS: usize = if cfg!(miri) { 600 } else { 300_000 };
    const CHECKS: usize = if cfg!(miri) { 4 } else { 50 };

    fn hash_of(h: Handle) -> u64 {
        mix(h.to_bits() as u64)
    }

    fn handle(n: u64) -> Handle {
        Handle::from_bits(n as u32)
    }

    fn insert(dict: &mut Dict, h: Handle) -> bool {
        match dict.entry(hash_of(h), |it| it == h, hash_of) {
            Entry::Occupied(found) => found != h,
            Entry::Vacant(slot) => {
                slot.insert(h);
                true
            }
        }
    }

    fn remove(dict: &mut Dict, h: Handle) -> bool {
        dict.remove(hash_of(h), |it| it == h, hash_of) == Some(h)
    }

    impl Dict {
        /// Checks what has to be true between any two calls.
        fn check(&self) {
            assert_eq!(self.segments.iter().map(|it| it.table.len()).sum::<usize>(), self.len);
            if self.directory.is_empty() {
                assert!(self.segments.len() <= 1 && self.bits == 0);
                return;
            }
            assert_eq!(self.directory.len(), 1 << self.bits);
            assert_eq!(self.deepest, self.segments.iter().filter(|it| it.depth == self.bits).count());
            assert!(self.deepest > 0);
            let mut end = 0;
            while end < 1 << POSITION_BITS {
                let segment = &self.segments[self.locate_position(end)];
                assert_eq!(segment.end() - (1 << (POSITION_BITS - segment.depth)), end);
                assert!(segment.table.num_buckets() <= self.widest);
                end = segment.end();
            }
        }
    }

    #[test]
    fn room_that_is_made_at_once_changes_nothing_else() {
        for (there, total) in [(0, 100), (0, 100_000), (1000, 50_000), (20_000, usize::MAX), (20_000, 5)] {
            let mut dict = Dict::new();
            (0..there).for_each(|n| assert!(insert(&mut dict, handle(n))));
            dict.expect(total, hash_of);
            dict.check();
            (there..there + 3000).for_each(|n| assert!(insert(&mut dict, handle(n))));
            dict.check();
            assert!((0..there + 3000).all(|n| dict.find(hash_of(handle(n)), |h| h == handle(n)).is_some()));
            (0..there + 3000).for_each(|n| assert!(remove(&mut dict, handle(n))));
        }
    }

    #[test]
    fn agrees_with_a_set() {
        for (seed, names) in [(1, 5), (2, 60), (3, 3000), (4, 40_000)] {
            let (mut random, mut dict, mut model) = (random(seed), Dict::new(), BTreeSet::new());
            for step in 0..STEPS {
                let h = handle(random() % names);
                // Phases of growth and of decline.
                if random() % 8 < if (step / (STEPS / 4)).is_multiple_of(2) { 6 } else { 2 } {
                    assert_eq!(insert(&mut dict, h), model.insert(h));
                } else {
                    assert_eq!(remove(&mut dict, h), model.remove(&h));
                }
                let h = handle(random() % names);
                assert_eq!(dict.find(hash_of(h), |it| it == h), model.get(&h).copied());
                assert_eq!(dict.len(), model.len());
                if step % (STEPS / CHECKS) == 0 {
                    dict.check();
                    assert_eq!(dict.iter().len(), model.len());
                    assert_eq!(dict.iter().collect::<BTreeSet<_>>(), model);
                }
            }
            while let Some(h) = model.pop_first() {
                assert!(remove(&mut dict, h));
            }
            assert_eq!(dict.allocated(), 0);
        }
    }

    /// Whatever stays from the first call to the last is visited once, while others come and go by the thousand.
    #[test]
    fn a_scan_misses_nothing_that_stays() {
        for seed in 1..if cfg!(miri) { 2 } else { 40 } {
            let (mut random, mut dict) = (random(seed), Dict::new());
            let many = if cfg!(miri) { 100 } else { 20_000 };
            let stay = random() % many;
            (0..stay).for_each(|n| assert!(insert(&mut dict, handle(n))));
            let (mut others, mut next) = (Vec::new(), many);
            let (mut cursor, mut visited, mut growing) = (0, vec![0; stay as usize], true);
            for _ in 0..random() % 2 * many {
                others.push(handle(next));
                insert(&mut dict, handle(next));
                next += 1;
            }
            loop {
                cursor = dict.scan(cursor, 1 + random() as usize % 200, hash_of, |h| {
                    if let Some(times) = visited.get_mut(h.to_bits() as usize) {
                        *times += 1;
                    }
                });
                if cursor == 0 {
                    break;
                }
                growing ^= random() % 10 == 0;
                for _ in 0..random() % 300 {
                    if growing {
                        others.push(handle(next));
                        insert(&mut dict, handle(next));
                        next += 1;
                    } else if !others.is_empty() {
                        let at = random() as usize % others.len();
                        assert!(remove(&mut dict, others.swap_remove(at)));
                    }
                }
            }
            assert!(visited.iter().all(|times| *times == 1), "seed {seed}: {visited:?}");
            dict.check();
        }
    }

    #[test]
    fn a_scan_visits_about_as_many_as_asked() {
        let mut dict = Dict::new();
        let len = if cfg!(miri) { 200 } else { 10_000 };
        (0..len).for_each(|n| assert!(insert(&mut dict, handle(n))));
        for count in [0, 1, 10, 1000, usize::MAX] {
            let (mut cursor, mut all) = (0, BTreeSet::new());
            loop {
                let before = all.len();
                cursor = dict.scan(cursor, count, hash_of, |h| assert!(all.insert(h)));
                if cursor == 0 {
                    break;
                }
                assert_eq!(all.len() - before, count.max(1), "positions are all different here");
            }
            assert_eq!(all.len(), len as usize);
        }
        assert_eq!(dict.scan(u64::MAX, 10, hash_of, |_| panic!("beyond the last position")), 0);
    }

    /// Records that no bit of the hash tells apart make one wide segment and one scan step, not an endless directory.
    #[test]
    fn equal_hashes_are_borne() {
        for equal in [
            |_: Handle| 0,
            |h: Handle| (h.to_bits() as u64 % 8) << 20,
            |h: Handle| h.to_bits() as u64 >> 4 << 5,
        ] {
            let mut dict = Dict::new();
            let many = if cfg!(miri) { 150 } else { 5000 };
            for h in (0..many).map(handle) {
                dict.insert(equal(h), h, equal);
            }
            dict.check();
            assert!(dict.directory.len() <= MAX_SHARE * dict.segments.len());
            let (mut cursor, mut visited) = (0, 0);
            loop {
                cursor = dict.scan(cursor, 10, equal, |_| visited += 1);
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(visited, many);
            for h in (0..many).map(handle) {
                assert_eq!(dict.remove(equal(h), |it| it == h, equal), Some(h));
            }
            assert_eq!(dict.allocated(), 0);
        }
    }

    #[test]
    fn chance_is_fair() {
        let (mut dict, mut random) = (Dict::new(), random(5));
        let len = if cfg!(miri) { 40 } else { 1500 };
        (0..len).for_each(|n| assert!(insert(&mut dict, handle(n))));
        let (mut drawn, draws) = (vec![0u32; len as usize], if cfg!(miri) { 50 } else { 200 });
        for _ in 0..draws * len {
            drawn[dict.random(&mut random).expect("a record").to_bits() as usize] += 1;
        }
        let expected = draws as f64;
        let chi_squared: f64 =
            drawn.iter().map(|n| (*n as f64 - expected) * (*n as f64 - expected) / expected).sum();
        let excess = chi_squared - len as f64;
        assert!(excess < 0.0 || excess * excess < 72.0 * len as f64, "{chi_squared}: six deviations off");
        assert!(Dict::new().random(&mut random).is_none());
    }

    #[test]
    fn moved_records_are_found() {
        let mut dict = Dict::new();
        dict.insert(7, handle(1), |_| 7);
        dict.insert(7, handle(2), |_| 7);
        dict.replace(7, handle(1), handle(3));
        assert_eq!(dict.find(7, |h| h == handle(1)), None);
        assert_eq!(dict.find(7, |h| h == handle(3)), Some(handle(3)));
    }

    #[test]
    fn memory_comes_back() {
        let mut dict = Dict::new();
        let many = if cfg!(miri) { 1000 } else { 200_000 };
        (0..many).for_each(|n| assert!(insert(&mut dict, handle(n))));
        let full = dict.allocated();
        (0..many - many / 100).for_each(|n| assert!(remove(&mut dict, handle(n))));
        dict.check();
        assert!(dict.allocated() < full / if cfg!(miri) { 4 } else { 20 }, "{} of {full}", dict.allocated());
    }

    /// Prints how long the longest single step of growing and emptying a large dictionary takes.
    #[test]
    #[cfg(not(miri))]
    fn no_step_is_long() {
        let many = if cfg!(debug_assertions) { 200_000 } else { 5_000_000 };
        let (mut dict, mut worst) = (Dict::new(), [core::time::Duration::ZERO; 2]);
        let all = std::time::Instant::now();
        for n in 0..many {
            let started = std::time::Instant::now();
            dict.insert(hash_of(handle(n)), handle(n), hash_of);
            worst[0] = worst[0].max(started.elapsed());
        }
        std::println!(
            "{many} inserts: {:?}, {} B each",
            all.elapsed(),
            dict.allocated() as f64 / many as f64
        );
        for n in 0..many {
            let started = std::time::Instant::now();
            assert!(remove(&mut dict, handle(n)));
            worst[1] = worst[1].max(started.elapsed());
        }
        std::println!("longest insert {:?}, longest removal {:?}", worst[0], worst[1]);
        assert!(dict.is_empty());
    }
}
