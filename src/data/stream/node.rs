//! A node of a stream: a listpack of entries near each other, in the bytes of Redis.
//!
//! ```text
//! count │ deleted │ number of master fields │ their names … │ 0
//! flags │ ms − master ms │ seq − master seq │ [number of fields] │ [name] value … │ elements before this one
//! ```
//!
//! An entry with the field names of the master lists its values alone. A deleted entry stays, marked.

use super::StreamId;
use crate::data::containers::listpack::{Entries, Entry, Listpack, Position};
use alloc::vec::Vec;
use core::iter;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// Entries from the master ID on.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) master: StreamId,
    pub(super) listpack: Listpack,
}

/// What a node says of itself before its entries, and then its entries from either end.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    pub(super) live: usize,
    pub(super) deleted: usize,
    master: StreamId,
    names: Entries<'a>,
    name_count: usize,
    elements: Entries<'a>,
}

/// An entry, or the mark where one was.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) id: StreamId,
    pub(super) fields: Fields<'a>,
    flags: i64,
    position: Position,
}

/// The fields of an entry and their values.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// Where the names are when they are not beside the values.
    names: Option<Entries<'a>>,
    values: Entries<'a>,
    left: usize,
}

impl Node {
    /// A node of one entry, whose names become the master's.
    pub(super) fn new<'f>(id: StreamId, fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone) -> Self {
        let names = fields.clone().map(|(name, _)| Entry::from(name));
        let header = [0, 0, names.clone().count() as i64].map(Entry::Int).into_iter();
        let mut node = Node { master: id, listpack: Listpack::new() };
        node.listpack.append(header.chain(names).chain(iter::once(Entry::Int(0))));
        node.append(id, fields);
        node
    }

    /// A node of foreign bytes, if every entry is whole, the counts are right and the IDs ascend.
    pub(super) fn from_listpack(master: StreamId, listpack: Listpack) -> Option<Self> {
        let node = Node { master, listpack };
        let mut records = node.records()?;
        let (live, deleted) = (records.live, records.deleted);
        let (mut seen, mut marked, mut last) = (0, 0, None);
        for record in records.by_ref() {
            if record.id < master || last >= Some(record.id) {
                return None;
            }
            last = Some(record.id);
            seen += 1;
            marked += record.is_deleted() as usize;
        }
        let whole = records.elements.next().is_none();
        (whole && live.checked_add(deleted) == Some(seen) && deleted == marked).then_some(node)
    }

    /// Adds an entry after all others.
    pub(super) fn append<'f>(
        &mut self,
        id: StreamId,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    ) {
        let names = fields.clone().map(|(name, _)| Entry::from(name));
        let count = names.clone().count();
        let same = self.records().is_some_and(|records| {
            records.name_count == count && names.eq(records.names.take(count).map(|(_, name)| name))
        });
        let flags = if same { SAME_FIELDS } else { 0 };
        let ms = id.ms.wrapping_sub(self.master.ms) as i64;
        let seq = id.seq.wrapping_sub(self.master.seq) as i64;
        let front = [flags, ms, seq].into_iter().chain((!same).then_some(count as i64)).map(Entry::Int);
        let body = fields.flat_map(move |(name, value)| {
            (!same).then(|| Entry::from(name)).into_iter().chain(iter::once(Entry::from(value)))
        });
        let back = iter::once(Entry::Int(elements_before_count(same, count) as i64));
        self.listpack.append(front.chain(body).chain(back));
        self.recount(1, 0);
    }

    /// Marks the entry of an ID as deleted. Answers whether there was one that was not.
    pub(super) fn delete(&mut self, id: StreamId) -> bool {
        let Some(mut records) = self.records() else { return false };
        let found = records.find(|record| record.id >= id);
        match found {
            Some(record) if record.id == id && !record.is_deleted() => {
                self.mark(record.position, record.flags);
                self.recount(-1, 1);
                true
            }
            _ => false,
        }
    }

    /// Marks up to `most` entries of IDs up to `last` as deleted, the first ones first. Answers how many.
    pub(super) fn delete_through(&mut self, last: StreamId, most: usize) -> usize {
        let Some(records) = self.records() else { return 0 };
        let doomed: Vec<_> = records
            .take_while(|record| record.id <= last)
            .filter(|record| !record.is_deleted())
            .take(most)
            .map(|record| (record.position, record.flags))
            .collect();
        doomed.iter().for_each(|&(position, flags)| self.mark(position, flags));
        self.recount(-(doomed.len() as i64), doomed.len() as i64);
        doomed.len()
    }

    /// The header, and the entries with the deleted ones among them.
    #[inline]
    pub(super) fn records(&self) -> Option<Records<'_>> {
        let mut elements = self.listpack.entries();
        let live = next_count(&mut elements)?;
        let deleted = next_count(&mut elements)?;
        let name_count = next_count(&mut elements)?;
        let names = elements.clone();
        let whole = elements.skip_front(name_count) == name_count && elements.next()?.1 == Entry::Int(0);
        whole.then_some(Records { live, deleted, master: self.master, names, name_count, elements })
    }

    /// How many entries are not deleted.
    pub(super) fn live(&self) -> usize {
        self.records().map_or(0, |records| records.live)
    }

    /// The ID of the last entry, deleted or not.
    pub(super) fn last_id(&self) -> StreamId {
        self.records().and_then(|mut records| records.next_back()).map_or(self.master, |record| record.id)
    }

    /// A mark takes the place of flags in a byte as before: positions stay good.
    fn mark(&mut self, position: Position, flags: i64) {
        self.listpack.replace(position, flags | DELETED);
    }

    fn recount(&mut self, live: i64, deleted: i64) {
        let mut position = self.listpack.first();
        for change in [live, deleted] {
            let Some(here) = position else { return };
            if change != 0 {
                let count = self.listpack.at(here).int().unwrap_or(0);
                self.listpack.replace(here, count + change);
            }
            position = self.listpack.next(here);
        }
    }
}

impl<'a> Records<'a> {
    /// Takes the entry off the front of a run of elements.
    #[inline]
    fn take_record(&self, run: &mut Entries<'a>) -> Option<Record<'a>> {
        let (position, flags) = run.next()?;
        let flags = flags.int()?;
        let ms = self.master.ms.wrapping_add(run.next()?.1.int()? as u64);
        let seq = self.master.seq.wrapping_add(run.next()?.1.int()? as u64);
        let same = flags & SAME_FIELDS != 0;
        let left = if same { self.name_count } else { next_count(run)? };
        let values = run.clone();
        let width = if same { left } else { left.checked_mul(2)? };
        let whole = run.skip_front(width) == width && next_count(run)? == elements_before_count(same, left);
        let fields = Fields { names: same.then(|| self.names.clone()), values, left };
        whole.then_some(Record { id: StreamId { ms, seq }, fields, flags, position })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let mut rest = self.elements.clone();
        let record = self.take_record(&mut rest)?;
        self.elements = rest;
        Some(record)
    }
}

impl DoubleEndedIterator for Records<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let count = usize::try_from(self.elements.clone().next_back()?.1.int()?).ok()?;
        let mut run = self.elements.split_back(count.checked_add(1)?);
        self.take_record(&mut run)
    }
}

impl Record<'_> {
    #[inline]
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Entry<'a>, Entry<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (_, name) = self.names.as_mut().unwrap_or(&mut self.values).next()?;
        let (_, value) = self.values.next()?;
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// How many elements of an entry stand before the one that counts them.
fn elements_before_count(same: bool, fields: usize) -> usize {
    if same { fields + 3 } else { 2 * fields + 4 }
}

fn next_count(elements: &mut Entries<'_>) -> Option<usize> {
    usize::try_from(elements.next()?.1.int()?).ok()
}
