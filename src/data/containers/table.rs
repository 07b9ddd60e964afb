//! Records with distinct keys, found by key: a [`Dict`] over a [`Slab`].
//!
//! The large form of sets, hashes and sorted sets. What a record holds besides its key, and in which bytes, is a
//! [`Layout`]'s matter; order among the records is none of a table's.

use super::dict::{Dict, Entry};
use super::keyed_hash::keyed_hash;
use super::slab::{Handle, Slab};
use core::marker::PhantomData;

/// Where the key is in a record.
pub trait Layout {
    /// The key of a record, given its whole slot, which may be longer than the record.
    fn key(slot: &[u8]) -> &[u8];
}

/// Records with distinct keys.
pub struct Table<L> {
    dict: Dict,
    slab: Slab,
    seed: u64,
    layout: PhantomData<fn() -> L>,
}

/// What [`Table::find_or_add`] came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// There was a record with the key.
    Found(Handle),
    /// This one is new.
    Added(Handle),
}

/// How many records ahead an iterator has memory loaded.
const LOOKAHEAD: usize = 8;

impl<L: Layout> Table<L> {
    /// An empty table whose hashes begin with `seed`.
    pub fn new(seed: u64) -> Self {
        Table { dict: Dict::new(), slab: Slab::new(), seed, layout: PhantomData }
    }

    /// What its hashes begin with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Asks the processor to load a record that is read soon.
    #[inline]
    pub fn prefetch(&self, h: Handle) {
        self.slab.prefetch(h);
    }

    /// Asks the processor to load the record with a key, if there is one, because it is looked for soon. What is small
    /// is near already.
    #[inline]
    pub fn prefetch_key(&self, key: &[u8]) {
        const PREFETCHED_LEN: usize = 4096;
        if self.len() >= PREFETCHED_LEN {
            self.dict.find(keyed_hash(self.seed, key), |h| {
                self.slab.prefetch(h);
                false
            });
        }
    }

    /// The number of records.
    #[inline]
    pub fn len(&self) -> usize {
        self.dict.len()
    }

    /// Is there no record?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.dict.is_empty()
    }

    /// Finds the record with a key.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<Handle> {
        self.dict.find(keyed_hash(self.seed, key), |h| L::key(self.slab.bytes(h)) == key)
    }

    /// Finds the record with a key, or adds one of `len` bytes, which `write` fills and which then has to have this key.
    #[inline]
    pub fn find_or_add(&mut self, key: &[u8], len: usize, write: impl FnOnce(&mut [u8])) -> Place {
        let Table { dict, slab, seed, .. } = self;
        let is_key = |h| L::key(slab.bytes(h)) == key;
        match dict.entry(keyed_hash(*seed, key), is_key, |h| hash_of::<L>(slab, *seed, h)) {
            Entry::Occupied(h) => Place::Found(h),
            Entry::Vacant(place) => {
                let h = slab.alloc(len);
                write(slab.bytes_mut(h));
                debug_assert!(L::key(slab.bytes(h)) == key);
                place.insert(h);
                Place::Added(h)
            }
        }
    }

    /// Adds a copy of another table's record, whose key is new here.
    pub fn add_copy(&mut self, slot: &[u8]) -> Handle {
        let Table { dict, slab, seed, .. } = self;
        let h = slab.alloc(slot.len());
        slab.bytes_mut(h)[..slot.len()].copy_from_slice(slot);
        dict.insert(keyed_hash(*seed, L::key(slot)), h, |h| hash_of::<L>(slab, *seed, h));
        h
    }

    /// The slot of a record.
    #[inline]
    pub fn slot(&self, h: Handle) -> &[u8] {
        self.slab.bytes(h)
    }

    /// The slot of a record, to be changed in all but its key.
    #[inline]
    pub fn slot_mut(&mut self, h: Handle) -> &mut [u8] {
        self.slab.bytes_mut(h)
    }

    /// The key of a record.
    #[inline]
    pub fn key(&self, h: Handle) -> &[u8] {
        L::key(self.slab.bytes(h))
    }

    /// Makes a record fit `len` bytes, of which the first ones stay as they are, the key among them. The record may have
    /// another handle after that.
    #[inline]
    pub fn resize(&mut self, h: Handle, len: usize) -> Handle {
        if self.slab.size(h) == Slab::slot_size(len) {
            return h;
        }
        let hash = hash_of::<L>(&self.slab, self.seed, h);
        let moved = self.slab.resize(h, len);
        self.dict.replace(hash, h, moved);
        moved
    }

    /// Removes the record with a key, which `last_look` sees before it is gone.
    pub fn remove<R>(&mut self, key: &[u8], last_look: impl FnOnce(Handle, &Self) -> R) -> Option<R> {
        self.find(key).map(|h| self.remove_record(h, last_look))
    }

    /// Removes a record, which `last_look` sees before it is gone.
    pub fn remove_record<R>(&mut self, h: Handle, last_look: impl FnOnce(Handle, &Self) -> R) -> R {
        let result = last_look(h, self);
        let Table { dict, slab, seed, .. } = self;
        let of = |h| hash_of::<L>(slab, *seed, h);
        dict.remove(of(h), |it| it == h, of).expect("a record of this table");
        slab.free(h);
        result
    }

    /// Visits some records from `cursor` on; see [`Dict::scan`].
    pub fn scan(&self, cursor: u64, count: usize, visit: impl FnMut(Handle)) -> u64 {
        self.dict.scan(cursor, count, |h| hash_of::<L>(&self.slab, self.seed, h), visit)
    }

    /// A record chosen by chance; see [`Dict::random`].
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Handle> {
        self.dict.random(random)
    }

    /// The slots of all records, in no particular order.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut ahead = self.dict.iter();
        ahead.by_ref().take(LOOKAHEAD).for_each(|h| self.slab.prefetch(h));
        self.dict.iter().map(move |h| {
            if let Some(h) = ahead.next() {
                self.slab.prefetch(h);
            }
            self.slab.bytes(h)
        })
    }

    /// Frees some of a table that is of no other use any more; false when nothing was left.
    pub fn free_piece(&mut self) -> bool {
        /// As many bytes as a chunk of records has, about.
        const SEGMENTS: usize = 12;
        let index = self.dict.give_up().is_some();
        if index {
            (1..SEGMENTS).for_each(|_| drop(self.dict.give_up()));
        }
        index || self.slab.free_chunk()
    }

    /// Bytes asked from the allocator.
    pub fn allocated(&self) -> usize {
        self.dict.allocated() + self.slab.allocated()
    }

    /// Bytes asked from the allocator of which no record makes use.
    pub fn slack(&self) -> usize {
        self.slab.slack()
    }
}

impl<L: Layout> Clone for Table<L> {
    fn clone(&self) -> Self {
        let mut copy = Table::new(self.seed);
        for slot in self.slots() {
            copy.add_copy(slot);
        }
        copy
    }
}

fn hash_of<L: Layout>(slab: &Slab, seed: u64, h: Handle) -> u64 {
    keyed_hash(seed, L::key(slab.bytes(h)))
}

/// Writes a length, seven bits a byte from the lowest, and answers with the number of bytes.
pub fn write_len(out: &mut [u8], mut len: usize) -> usize {
    let mut at = 0;
    while len > 0x7F {
        out[at] = len as u8 | 0x80;
        len >>= 7;
        at += 1;
    }
    out[at] = len as u8;
    at + 1
}

/// Reads what [`write_len`] wrote: the length and the number of bytes it takes.
#[inline]
pub fn read_len(bytes: &[u8]) -> (usize, usize) {
    let first = bytes[0] as usize;
    if first <= 0x7F { (first, 1) } else { read_long_len(bytes) }
}

#[cold]
fn read_long_len(bytes: &[u8]) -> (usize, usize) {
    let (mut len, mut at) = (0, 0);
    while bytes[at] > 0x7F {
        len |= (bytes[at] as usize & 0x7F) << (7 * at);
        at += 1;
    }
    (len | (bytes[at] as usize) << (7 * at), at + 1)
}

/// How many bytes [`write_len`] writes.
#[inline]
pub fn len_of_len(len: usize) -> usize {
    len.max(1).ilog2() as usize / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use alloc::vec::Vec;

    /// Length of the key, key, and whatever follows.
    struct Plain;

    impl Layout for Plain {
        fn key(slot: &[u8]) -> &[u8] {
            let (len, at) = read_len(slot);
            &slot[at..at + len]
        }
    }

    #[test]
    fn lengths_are_written_and_read() {
        for len in
            (0..70_000).step_by(if cfg!(miri) { 97 } else { 1 }).chain([1 << 21, (1 << 28) - 1, 1 << 31])
        {
            let mut bytes = [0xAA; 8];
            assert_eq!(write_len(&mut bytes, len), len_of_len(len));
            assert_eq!(read_len(&bytes), (len, len_of_len(len)));
        }
    }

    #[test]
    fn agrees_with_a_map() {
        let (mut random, mut table, mut model) = (random(3), Table::<Plain>::new(5), BTreeMap::new());
        let steps = if cfg!(miri) { 800 } else { 100_000 };
        for step in 0..steps {
            let key = vec![b'k'; random() as usize % 400];
            let extra = random() as usize % 900;
            let at = len_of_len(key.len()) + key.len();
            match random() % 4 {
                0 => {
                    let removed = table.remove(&key, |h, table| table.slot(h)[at]);
                    assert_eq!(removed, model.remove(&key));
                }
                1 => assert_eq!(table.find(&key).map(|h| table.slot(h)[at]), model.get(&key).copied()),
                _ => {
                    let place = table.find_or_add(&key, at + 1 + extra, |slot| {
                        let start = write_len(slot, key.len());
                        slot[start..at].copy_from_slice(&key);
                    });
                    assert_eq!(matches!(place, Place::Found(_)), model.contains_key(&key));
                    let (Place::Found(h) | Place::Added(h)) = place;
                    let h = table.resize(h, at + 1 + extra);
                    table.slot_mut(h)[at] = step as u8;
                    model.insert(key, step as u8);
                }
            }
            assert_eq!(table.len(), model.len());
        }
        let mut keys: Vec<&[u8]> = table.slots().map(Plain::key).collect();
        keys.sort();
        assert!(keys.into_iter().eq(model.keys().map(Vec::as_slice)));
        let mut visited = 0;
        assert_eq!(table.scan(0, usize::MAX, |_| visited += 1), 0);
        assert_eq!(visited, model.len());
        assert!(table.random(&mut random).is_some_and(|h| model.contains_key(table.key(h))));
    }
}
