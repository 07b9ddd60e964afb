//! One numbered database: its entries, found by key and by deadline. It knows the time only as an argument and tells
//! nobody what changed.

use alloc::{collections::BTreeSet, vec::Vec};

use thin_vec::ThinVec;

use super::freeing::LARGE;
use crate::data::{
    containers::{
        deadlines::Deadlines,
        dict::{self, Dict},
        entry::{Collection, Entries, Kind, Text, Value},
        slab::Handle,
    },
    hash::Hash,
    set::Set,
    sorted_set::SortedSet,
};

/// The entries of one database.
#[derive(Default)]
pub struct Database {
    dict: Dict,
    entries: Entries,
    /// Entries that expire, by when they do.
    deadlines: Deadlines,
    /// Hashes of which a field expires, by when the first one does.
    field_deadlines: Deadlines,
}

/// An entry found, with the hash of its key, which most changes need again.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub(super) hash: u64,
    pub(super) handle: Handle,
}

impl Found {
    /// A number for where the entry lies; it stays while the entry does.
    pub fn address(self) -> u32 {
        self.handle.to_bits()
    }
}

impl Database {
    /// How many keys there are, expired ones not yet removed included.
    pub fn len(&self) -> usize {
        self.dict.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many keys have a deadline.
    pub fn volatile(&self) -> usize {
        self.deadlines.len()
    }

    /// Bytes reserved for entries and not used by any.
    pub fn slack(&self) -> usize {
        self.entries.slack()
    }

    /// Bytes that the index of keys takes.
    pub fn index_bytes(&self) -> usize {
        self.dict.memory()
    }

    /// The average deadline, of at most a thousand entries spread evenly.
    pub fn average_deadline(&self) -> Option<u64> {
        const LOOKED_AT: usize = 1000;
        let step = self.deadlines.len() / LOOKED_AT + 1;
        let handles = self.deadlines.iter().step_by(step);
        let sum: u128 = handles.clone().filter_map(|h| self.entries.deadline(h)).map(u128::from).sum();
        sum.checked_div(handles.count() as u128).map(|average| average as u64)
    }

    /// The earliest deadline.
    #[inline]
    pub fn first_deadline(&self) -> Option<u64> {
        self.entries.deadline(self.deadlines.first()?)
    }

    /// The entry that expires first, if that is at `now_ms` or before.
    pub fn first_due(&self, now_ms: u64, hash_of: impl Fn(&[u8]) -> u64) -> Option<Found> {
        let handle = self.deadlines.first()?;
        let due = self.entries.deadline(handle).is_some_and(|at| at <= now_ms);
        due.then(|| Found { hash: hash_of(self.entries.key(handle)), handle })
    }

    /// The earliest deadline of a field.
    #[inline]
    pub fn first_field_deadline(&self) -> Option<u64> {
        self.entries.field_deadline(self.field_deadlines.first()?)
    }

    /// The hash of which a field expires first, if that is at `now_ms` or before.
    pub fn first_fields_due(&self, now_ms: u64, hash_of: impl Fn(&[u8]) -> u64) -> Option<Found> {
        let handle = self.field_deadlines.first()?;
        let due = self.entries.field_deadline(handle).is_some_and(|at| at <= now_ms);
        due.then(|| Found { hash: hash_of(self.entries.key(handle)), handle })
    }

    /// When the first field of an entry expires, if it is a hash that has such fields.
    #[inline(always)]
    pub fn field_deadline(&self, found: Found) -> Option<u64> {
        self.entries.field_deadline(found.handle)
    }

    /// Indexes a hash again whose first field was to expire at one time and now does at another.
    pub fn fields_changed(&mut self, found: Found, old: Option<u64>, new: Option<u64>) {
        let Database { entries, field_deadlines, .. } = self;
        if let Some(at) = old {
            field_deadlines.remove(at, found.handle, field_deadline_of(entries));
        }
        if let Some(at) = new {
            field_deadlines.insert(at, found.handle, field_deadline_of(entries));
        }
    }

    /// Finds an entry.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Found> {
        let handle = self.dict.find(hash, |h| self.entries.has_key(h, key))?;
        Some(Found { hash, handle })
    }

    /// Has the processor fetch the entry with this hash, if there is one.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.dict.find(hash, |h| {
            self.entries.prefetch(h);
            false
        });
    }

    /// Has the processor fetch from a collection the member or field `first`, or from a sorted set the member `last`.
    #[inline]
    pub fn prefetch_member(&self, found: Found, first: &[u8], last: &[u8]) {
        if let Some(set) = self.get::<Set>(found) {
            set.prefetch(first);
        } else if let Some(hash) = self.get::<Hash>(found) {
            hash.prefetch(first);
        } else if let Some(sorted_set) = self.get::<SortedSet>(found) {
            sorted_set.prefetch(last);
        }
    }

    /// The key of an entry.
    pub fn key(&self, found: Found) -> &[u8] {
        self.entries.key(found.handle)
    }

    /// What kind of value it has.
    #[inline(always)]
    pub fn kind(&self, found: Found) -> Kind {
        self.entries.kind(found.handle)
    }

    /// When it expires.
    #[inline(always)]
    pub fn deadline(&self, found: Found) -> Option<u64> {
        self.entries.deadline(found.handle)
    }

    /// About how many bytes it takes, with its place in the index.
    pub fn memory(&self, found: Found) -> usize {
        const PLACE: usize = 8;
        PLACE + self.entries.memory(found.handle)
    }

    /// Whether its value is so large that freeing it takes a while.
    #[inline]
    pub fn is_large(&self, found: Found) -> bool {
        self.entries.parts(found.handle) > LARGE
    }

    /// How its value is kept, as OBJECT ENCODING names it.
    pub fn encoding(&self, found: Found) -> &'static str {
        self.entries.encoding(found.handle)
    }

    /// The access clock.
    #[inline(always)]
    pub fn clock(&self, found: Found) -> u32 {
        self.entries.clock(found.handle)
    }

    /// Sets the access clock.
    #[inline(always)]
    pub fn set_clock(&mut self, found: Found, clock: u32) {
        self.entries.set_clock(found.handle, clock);
    }

    /// Sets the access clock of an entry, if there is one to set, unless it has expired; whether it has not.
    #[inline(always)]
    pub fn touch(&mut self, found: Found, now_ms: u64, clock: Option<u32>) -> bool {
        self.entries.touch(found.handle, now_ms, clock)
    }

    /// Its text, if it is a string.
    #[inline(always)]
    pub fn text(&self, found: Found) -> Option<Text<'_>> {
        self.entries.text(found.handle)
    }

    /// Its collection, if it holds a `T`.
    #[inline]
    pub fn get<T: Collection>(&self, found: Found) -> Option<&T> {
        self.entries.get(found.handle)
    }

    /// Its collection, to be changed.
    #[inline]
    pub fn get_mut<T: Collection>(&mut self, found: Found) -> Option<&mut T> {
        self.entries.get_mut(found.handle)
    }

    /// Frees some entries of a database that is of no other use any more, but hands over large values; false when
    /// nothing was left.
    pub(super) fn free_piece(&mut self, mut keep: impl FnMut(Value)) -> bool {
        if self.deadlines.free_piece() {
            return true;
        }
        let Some(handles) = self.dict.give_up() else { return false };
        for handle in handles {
            self.drop_value(handle, &mut keep);
        }
        true
    }

    /// Removes a record, but hands over its value if that is large.
    fn drop_value(&mut self, handle: Handle, keep: impl FnOnce(Value)) {
        if self.entries.parts(handle) > LARGE {
            keep(self.entries.take(handle));
        } else {
            self.entries.remove(handle);
        }
    }

    /// Puts a text under a key that is not there.
    pub fn insert_text(
        &mut self,
        hash: u64,
        key: &[u8],
        text: &[u8],
        deadline: Option<u64>,
        hash_of: impl Fn(&[u8]) -> u64,
    ) -> Found {
        let handle = self.entries.insert_text(key, text, deadline);
        self.index(hash, handle, hash_of)
    }

    /// Makes room for more keys, if there will be so many in all.
    pub fn expect(&mut self, keys: usize, hash_of: impl Fn(&[u8]) -> u64) {
        let entries = &self.entries;
        self.dict.expect(keys, |h| hash_of(entries.key(h)));
    }

    /// Puts a value under a key that is not there.
    pub fn insert(
        &mut self,
        hash: u64,
        key: &[u8],
        value: Value,
        deadline: Option<u64>,
        hash_of: impl Fn(&[u8]) -> u64,
    ) -> Found {
        let handle = self.entries.insert(key, value, deadline);
        self.index(hash, handle, hash_of)
    }

    /// Replaces the value of an entry by a text, and its deadline. A value that is large is handed over.
    #[inline(always)]
    pub(super) fn replace_text(
        &mut self,
        found: Found,
        text: &[u8],
        deadline: Option<u64>,
        keep: impl FnOnce(Value),
    ) -> Found {
        let old = self.entries.deadline(found.handle);
        if old.is_some() == deadline.is_some() && self.entries.overwrite_text(found.handle, text) {
            return if old == deadline { found } else { self.set_deadline(found, deadline) };
        }
        self.unindex_deadlines(found.handle);
        let key = Vec::from(self.entries.key(found.handle));
        self.drop_value(found.handle, keep);
        let handle = self.entries.insert_text(&key, text, deadline);
        self.moved(found, handle)
    }

    /// Sets the number of an entry that holds one; false if it does not.
    pub fn overwrite_int(&mut self, found: Found, n: i64) -> bool {
        self.entries.overwrite_int(found.handle, n)
    }

    /// Makes a text at least `len` bytes long, filled up with zeros, and opens it to [`Database::text_mut`].
    pub fn grow_text(&mut self, found: Found, len: usize) -> Found {
        self.unindex_deadlines(found.handle);
        let handle = self.entries.grow_text(found.handle, len);
        self.moved(found, handle)
    }

    /// The bytes of a text opened by [`Database::grow_text`].
    pub fn text_mut(&mut self, found: Found) -> &mut [u8] {
        self.entries.text_mut(found.handle)
    }

    /// Sets or clears the deadline.
    pub fn set_deadline(&mut self, found: Found, deadline: Option<u64>) -> Found {
        self.unindex_deadlines(found.handle);
        let handle = self.entries.set_deadline(found.handle, deadline);
        self.moved(found, handle)
    }

    /// Removes an entry and drops its value.
    pub fn remove(&mut self, found: Found, hash_of: impl Fn(&[u8]) -> u64) {
        self.unindex(found, hash_of);
        self.entries.remove(found.handle);
    }

    /// Removes an entry and returns its value.
    pub fn take(&mut self, found: Found, hash_of: impl Fn(&[u8]) -> u64) -> Value {
        self.unindex(found, hash_of);
        self.entries.take(found.handle)
    }

    /// Visits about `count` entries from `cursor` on in hash order, and returns the next cursor, 0 at the end. What is
    /// there during a whole iteration is visited at least once.
    pub fn scan(
        &self,
        cursor: u64,
        count: usize,
        hash_of: impl Fn(&[u8]) -> u64,
        mut visit: impl FnMut(&[u8], Found),
    ) -> u64 {
        self.dict.scan(
            cursor,
            count,
            |h| hash_of(self.entries.key(h)),
            |handle| {
                let key = self.entries.key(handle);
                visit(key, Found { hash: hash_of(key), handle });
            },
        )
    }

    /// Whether [`Database::scan`] has passed what has this hash when it has come to a cursor.
    pub fn is_before(hash: u64, cursor: u64) -> bool {
        dict::position(hash) < cursor
    }

    /// Another value that is equal to that of an entry.
    pub fn copy(&self, found: Found) -> Value {
        match self.kind(found) {
            Kind::String => match self.text(found) {
                Some(Text::Int(n)) => Value::Int(n),
                Some(Text::Bytes(bytes)) => Value::Text(ThinVec::from(bytes)),
                None => unreachable!("a string has a text"),
            },
            Kind::List => Value::List(self.copy_of(found)),
            Kind::Set => Value::Set(self.copy_of(found)),
            Kind::SortedSet => Value::SortedSet(self.copy_of(found)),
            Kind::Hash => Value::Hash(self.copy_of(found)),
            Kind::Stream => Value::Stream(self.copy_of(found)),
        }
    }

    /// A copy of a collection whose kind the caller has looked at.
    fn copy_of<T: Collection + Clone>(&self, found: Found) -> T {
        self.get::<T>(found).expect("of the kind that the entry says").clone()
    }

    /// Every entry, in no order that lasts.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Found)> {
        // The hash is asked only of entries that are changed, and nothing can be changed while this borrow lasts.
        self.dict.iter().map(|handle| (self.entries.key(handle), Found { hash: 0, handle }))
    }

    /// A key by chance.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<&[u8]> {
        self.dict.random(&mut random).map(|handle| self.entries.key(handle))
    }

    /// An entry by chance. Its hash is left out, as few of those that are looked at are changed.
    pub(super) fn random_found(&self, random: &mut impl FnMut() -> u64) -> Option<Found> {
        self.dict.random(random).map(|handle| Found { hash: 0, handle })
    }

    /// An entry that expires, by chance. Its hash is left out.
    pub(super) fn random_volatile(&self, random: &mut impl FnMut() -> u64) -> Option<Found> {
        self.deadlines.random(random).map(|handle| Found { hash: 0, handle })
    }

    /// Panics unless every entry can be found by its key and its deadline, and none is an empty collection. For tests.
    pub fn check(&self, hash_of: impl Fn(&[u8]) -> u64) {
        let (mut volatile, mut mortal) = (BTreeSet::new(), BTreeSet::new());
        for handle in self.dict.iter() {
            let key = self.entries.key(handle);
            let found = self.find(hash_of(key), key).map(|found| found.handle);
            assert_eq!(found, Some(handle), "{} is found by its key", key.escape_ascii());
            assert!(!self.entries.is_empty_collection(handle), "{} is not empty", key.escape_ascii());
            volatile.extend(self.entries.deadline(handle).map(|at| (at, handle)));
            mortal.extend(self.entries.field_deadline(handle).map(|at| (at, handle)));
        }
        check_index(&self.deadlines, &volatile, deadline_of(&self.entries));
        check_index(&self.field_deadlines, &mortal, field_deadline_of(&self.entries));
    }

    fn index(&mut self, hash: u64, handle: Handle, hash_of: impl Fn(&[u8]) -> u64) -> Found {
        let entries = &self.entries;
        self.dict.insert(hash, handle, |h| hash_of(entries.key(h)));
        self.index_deadlines(handle);
        Found { hash, handle }
    }

    fn unindex(&mut self, found: Found, hash_of: impl Fn(&[u8]) -> u64) {
        self.unindex_deadlines(found.handle);
        let entries = &self.entries;
        self.dict.remove(found.hash, |h| h == found.handle, |h| hash_of(entries.key(h)));
    }

    /// Indexes an entry again whose handle or deadlines may have changed.
    fn moved(&mut self, found: Found, handle: Handle) -> Found {
        if handle != found.handle {
            self.dict.replace(found.hash, found.handle, handle);
        }
        self.index_deadlines(handle);
        Found { handle, ..found }
    }

    fn index_deadlines(&mut self, handle: Handle) {
        if let Some(at) = self.entries.deadline(handle) {
            self.deadlines.insert(at, handle, deadline_of(&self.entries));
        }
        if let Some(at) = self.entries.field_deadline(handle) {
            self.field_deadlines.insert(at, handle, field_deadline_of(&self.entries));
        }
    }

    fn unindex_deadlines(&mut self, handle: Handle) {
        if let Some(at) = self.entries.deadline(handle) {
            self.deadlines.remove(at, handle, deadline_of(&self.entries));
        }
        if let Some(at) = self.entries.field_deadline(handle) {
            self.field_deadlines.remove(at, handle, field_deadline_of(&self.entries));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        for handle in self.dict.iter() {
            self.entries.remove(handle);
        }
    }
}

fn deadline_of(entries: &Entries) -> impl Fn(Handle) -> u64 + '_ {
    |handle| entries.deadline(handle).unwrap_or_default()
}

fn field_deadline_of(entries: &Entries) -> impl Fn(Handle) -> u64 + '_ {
    |handle| entries.field_deadline(handle).unwrap_or_default()
}

fn check_index(index: &Deadlines, expected: &BTreeSet<(u64, Handle)>, deadline_of: impl Fn(Handle) -> u64) {
    let indexed: BTreeSet<_> = index.iter().map(|handle| (deadline_of(handle), handle)).collect();
    assert!(
        indexed == *expected && index.len() == expected.len(),
        "what expires is found by its deadline, and nothing else"
    );
    let first = expected.first().map(|&(_, handle)| handle);
    assert_eq!(index.first(), first, "what expires next is first");
}
