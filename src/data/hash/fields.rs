//! The large form of a hash: a table of fields, with an index of those that expire once there are any. When to take it
//! is the hash's business.

use crate::data::containers::deadlines::Deadlines;
use crate::data::containers::listpack::Entry;
use crate::data::containers::slab::Handle;
use crate::data::containers::table::{Layout, Place, Table, len_of_len, read_len, write_len};
use alloc::boxed::Box;

use super::{Mortal, Pair};

/// Fields with their values, found by field and by deadline.
pub(super) struct Fields {
    table: Table<Record>,
    /// Those with a deadline. Made with the first one.
    deadlines: Option<Box<Deadlines>>,
}

/// Records of the table: length of the field, field, length of the value, value, and the deadline if there is one. The
/// lower [`FLAGS`] bits of the first length say whether there is.
enum Record {}

const FLAGS: usize = 2;
const HAS_DEADLINE: usize = 1;
const DEADLINE: usize = 8;

/// What happens to the deadline of a field that gets another value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// It goes.
    Dropped,
    /// It stays.
    Kept,
}

impl Fields {
    pub(super) fn new(seed: u64) -> Self {
        Fields { table: Table::new(seed), deadlines: None }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes of the heap.
    pub(super) fn memory(&self) -> usize {
        let deadlines = self.deadlines.as_ref().map_or(0, |it| size_of_val(&**it) + it.allocated());
        size_of_val(self) + self.table.allocated() + deadlines
    }

    /// Frees some of what is of no other use any more; false when nothing was left.
    pub(super) fn free_piece(&mut self) -> bool {
        self.deadlines.as_mut().is_some_and(|deadlines| deadlines.free_piece()) || self.table.free_piece()
    }

    #[inline]
    pub(super) fn prefetch(&self, field: &[u8]) {
        self.table.prefetch_key(field);
    }

    #[inline]
    pub(super) fn contains(&self, field: &[u8]) -> bool {
        self.table.find(field).is_some()
    }

    #[inline]
    pub(super) fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        self.table.find(field).map(|h| Record::pair(self.table.slot(h)).1)
    }

    /// The deadline of a field; `None` when there is no such field.
    pub(super) fn deadline(&self, field: &[u8]) -> Option<Option<u64>> {
        self.table.find(field).map(|h| Record::deadline(self.table.slot(h)))
    }

    /// The earliest deadline.
    #[inline]
    pub(super) fn first_deadline(&self) -> Option<u64> {
        let first = self.deadlines.as_ref()?.first()?;
        Record::deadline(self.table.slot(first))
    }

    /// Sets the value of a field; true when the field is new.
    pub(super) fn set(&mut self, field: &[u8], value: &[u8], old: Old) -> bool {
        let len = Record::len(field, value);
        let place = self.table.find_or_add(field, len, |slot| Record::write(slot, field, value));
        let Place::Found(h) = place else { return true };
        match Record::deadline(self.table.slot(h)) {
            None => {
                let h = self.table.resize(h, len);
                Record::write_value(self.table.slot_mut(h), value);
            }
            Some(deadline) => self.set_mortal(h, len, value, deadline, old),
        }
        false
    }

    #[cold]
    fn set_mortal(&mut self, h: Handle, len: usize, value: &[u8], deadline: u64, old: Old) {
        let kept = (old == Old::Kept).then_some(deadline);
        self.unindex(h, Some(deadline));
        let h = self.table.resize(h, len + if kept.is_some() { DEADLINE } else { 0 });
        let slot = self.table.slot_mut(h);
        Record::write_value(slot, value);
        Record::write_deadline(slot, kept);
        self.index(h, kept);
    }

    /// Sets or clears the deadline of a field; false when there is no such field.
    pub(super) fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>) -> bool {
        let Some(h) = self.table.find(field) else { return false };
        let slot = self.table.slot(h);
        let (old, len) = (Record::deadline(slot), Record::end(slot));
        self.unindex(h, old);
        let h = self.table.resize(h, len + if deadline.is_some() { DEADLINE } else { 0 });
        Record::write_deadline(self.table.slot_mut(h), deadline);
        self.index(h, deadline);
        true
    }

    /// Removes a field, whose value `last_look` sees before it is gone.
    pub(super) fn take_with<R>(&mut self, field: &[u8], last_look: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        let h = self.table.find(field)?;
        Some(self.remove(h, |(_, value)| last_look(value)))
    }

    /// Removes the field that expires first.
    pub(super) fn pop_first(&mut self, last_look: impl FnOnce(Entry<'_>)) {
        if let Some(first) = self.deadlines.as_ref().and_then(|it| it.first()) {
            self.remove(first, |(field, _)| last_look(field));
        }
    }

    /// All fields with their values.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Pair<'_>> {
        self.table.slots().map(Record::pair)
    }

    /// The same with their deadlines.
    pub(super) fn mortals(&self) -> impl Iterator<Item = Mortal<'_>> {
        self.table.slots().map(|slot| (Record::pair(slot), Record::deadline(slot)))
    }

    /// A field chosen by chance.
    pub(super) fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Pair<'_>> {
        self.table.random(random).map(|h| Record::pair(self.table.slot(h)))
    }

    /// Visits some fields from `cursor` on; see [`Table::scan`].
    pub(super) fn scan<'h>(&'h self, cursor: u64, count: usize, mut visit: impl FnMut(Pair<'h>)) -> u64 {
        self.table.scan(cursor, count, |h| visit(Record::pair(self.table.slot(h))))
    }

    fn remove<R>(&mut self, h: Handle, last_look: impl FnOnce(Pair<'_>) -> R) -> R {
        self.unindex(h, Record::deadline(self.table.slot(h)));
        self.table.remove_record(h, |h, table| last_look(Record::pair(table.slot(h))))
    }

    fn index(&mut self, h: Handle, deadline: Option<u64>) {
        if let Some(at) = deadline {
            self.deadlines.get_or_insert_default().insert(at, h, deadline_in(&self.table));
        }
    }

    fn unindex(&mut self, h: Handle, deadline: Option<u64>) {
        if let (Some(at), Some(deadlines)) = (deadline, &mut self.deadlines) {
            deadlines.remove(at, h, deadline_in(&self.table));
        }
    }
}

impl Clone for Fields {
    fn clone(&self) -> Self {
        let mut copy = Fields::new(self.table.seed());
        for slot in self.table.slots() {
            let h = copy.table.add_copy(slot);
            copy.index(h, Record::deadline(slot));
        }
        copy
    }
}

fn deadline_in(table: &Table<Record>) -> impl Fn(Handle) -> u64 + '_ {
    |h| Record::deadline(table.slot(h)).unwrap_or_default()
}

impl Layout for Record {
    #[inline]
    fn key(slot: &[u8]) -> &[u8] {
        let (head, at) = read_len(slot);
        &slot[at..at + (head >> FLAGS)]
    }
}

impl Record {
    /// How many bytes a record without a deadline takes.
    #[inline]
    fn len(field: &[u8], value: &[u8]) -> usize {
        len_of_len(field.len() << FLAGS) + field.len() + len_of_len(value.len()) + value.len()
    }

    #[inline]
    fn pair(slot: &[u8]) -> Pair<'_> {
        let (head, at) = read_len(slot);
        let (field, rest) = slot[at..].split_at(head >> FLAGS);
        let (len, at) = read_len(rest);
        (Entry::Text(field), Entry::Text(&rest[at..at + len]))
    }

    /// Where the value ends and the deadline, if any, begins.
    fn end(slot: &[u8]) -> usize {
        let at = Record::value_at(slot);
        let (len, start) = read_len(&slot[at..]);
        at + start + len
    }

    #[inline]
    fn value_at(slot: &[u8]) -> usize {
        let (head, at) = read_len(slot);
        at + (head >> FLAGS)
    }

    #[inline]
    fn deadline(slot: &[u8]) -> Option<u64> {
        // The lowest bits of a length are in its first byte.
        (slot[0] as usize & HAS_DEADLINE != 0).then(|| {
            let at = Record::end(slot);
            u64::from_le_bytes(slot[at..at + DEADLINE].try_into().expect("eight bytes"))
        })
    }

    #[inline]
    fn write(slot: &mut [u8], field: &[u8], value: &[u8]) {
        let at = write_len(slot, field.len() << FLAGS);
        slot[at..at + field.len()].copy_from_slice(field);
        write_text(&mut slot[at + field.len()..], value);
    }

    #[inline]
    fn write_value(slot: &mut [u8], value: &[u8]) {
        let at = Record::value_at(slot);
        write_text(&mut slot[at..], value);
    }

    #[inline]
    fn write_deadline(slot: &mut [u8], deadline: Option<u64>) {
        slot[0] &= !(HAS_DEADLINE as u8);
        if let Some(deadline) = deadline {
            let at = Record::end(slot);
            slot[at..at + DEADLINE].copy_from_slice(&deadline.to_le_bytes());
            slot[0] |= HAS_DEADLINE as u8;
        }
    }
}

fn write_text(out: &mut [u8], text: &[u8]) {
    let at = write_len(out, text.len());
    out[at..at + text.len()].copy_from_slice(text);
}
