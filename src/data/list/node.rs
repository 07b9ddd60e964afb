//! A node of a quicklist: a listpack of many elements, or one element too large for any listpack. Also how large a
//! node may be.

use super::Side;
use crate::data::containers::listpack::{self, Entry, Listpack, Position};
use crate::data::containers::tagged::{Form, Tagged};
use alloc::boxed::Box;

/// How large a node may grow, as `list-max-listpack-size` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    bytes: usize,
    /// `usize::MAX` when only bytes count.
    entries: usize,
}

/// A node, which knows its number of elements.
#[derive(Clone, Debug)]
pub struct Node {
    body: Tagged<Listpack, Box<[u8]>>,
    count: u32,
}

/// What a node is, as RDB tells it.
#[derive(Clone, Copy, Debug)]
pub enum NodeView<'a> {
    /// A listpack of elements.
    Packed(&'a Listpack),
    /// One element by itself.
    Plain(&'a [u8]),
}

/// The elements of a node, or of a part of it.
#[derive(Clone, Debug, Default)]
pub(super) enum NodeIter<'a> {
    #[default]
    Empty,
    Plain(&'a [u8]),
    Packed(listpack::Iter<'a>),
}

/// Redis's estimate of what an element takes beyond its text.
const ESTIMATED_OVERHEAD: usize = 8;
/// A limit in elements is also one in bytes.
const BYTES_WHEN_COUNTING: usize = 8192;

impl NodeLimit {
    /// Reads the configured number: -1 to -5 are 4, 8, 16, 32 and 64 KiB, a positive one is a number of elements.
    pub const fn new(list_max_listpack_size: i32) -> Self {
        match list_max_listpack_size {
            0 => NodeLimit { bytes: BYTES_WHEN_COUNTING, entries: 1 },
            1..=32_767 => NodeLimit { bytes: BYTES_WHEN_COUNTING, entries: list_max_listpack_size as usize },
            32_768.. => NodeLimit { bytes: BYTES_WHEN_COUNTING, entries: 32_767 },
            -4..0 => NodeLimit { bytes: 2048 << -list_max_listpack_size, entries: usize::MAX },
            _ => NodeLimit { bytes: 65_536, entries: usize::MAX },
        }
    }

    /// Whether a node of so many bytes and elements is too large.
    #[inline]
    pub fn is_exceeded_by(self, bytes: usize, count: usize) -> bool {
        bytes > self.bytes || count > self.entries
    }

    /// Whether an element goes into a node of so many bytes and elements.
    #[inline]
    pub(super) fn accepts(self, (bytes, count): (usize, usize), value: &[u8]) -> bool {
        !self.is_exceeded_by(bytes + value.len() + ESTIMATED_OVERHEAD, count + 1)
    }

    /// Whether an element has to stand alone.
    #[inline]
    pub(super) fn is_too_large(self, value: &[u8]) -> bool {
        value.len() > self.bytes
    }

    /// The limit below which removals make a quicklist a listpack again. One in elements is then not one in bytes.
    pub(super) fn half(self) -> Self {
        match self.entries {
            usize::MAX => NodeLimit { bytes: self.bytes / 2, ..self },
            entries => NodeLimit { bytes: usize::MAX, entries: entries / 2 },
        }
    }

    /// How many bytes the node being worked on at the front may have, so that moving them costs little.
    #[inline]
    pub(super) fn front_bytes(self) -> usize {
        self.bytes / 8
    }
}

impl Node {
    /// A node of the elements of a listpack.
    pub fn packed(listpack: Listpack) -> Self {
        let count = listpack.len() as u32;
        Node { body: Tagged::small(listpack), count }
    }

    /// A node of one element by itself.
    pub fn plain(value: &[u8]) -> Self {
        Node { body: Tagged::large(value.into()), count: 1 }
    }

    /// A node of one element, in the form its size asks for, with room if many more will come.
    pub(super) fn of(value: &[u8], limit: NodeLimit) -> Self {
        if limit.is_too_large(value) {
            return Node::plain(value);
        }
        let mut listpack = if limit.entries == usize::MAX { Listpack::roomy() } else { Listpack::new() };
        listpack.push_back(value);
        Node { body: Tagged::small(listpack), count: 1 }
    }

    /// What it is.
    pub fn view(&self) -> NodeView<'_> {
        match self.body.get() {
            Form::Small(listpack) => NodeView::Packed(listpack),
            Form::Large(value) => NodeView::Plain(value),
        }
    }

    /// How many elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The bytes of the heap it occupies.
    pub(super) fn memory(&self) -> usize {
        match self.view() {
            NodeView::Packed(listpack) => listpack.heap_size(),
            NodeView::Plain(value) => size_of::<Box<[u8]>>() + value.len(),
        }
    }

    #[inline]
    pub(super) fn iter(&self) -> NodeIter<'_> {
        match self.body.get() {
            Form::Small(listpack) => NodeIter::Packed(listpack.iter()),
            Form::Large(value) => NodeIter::Plain(value),
        }
    }

    /// The element of an index inside the node.
    pub(super) fn get(&self, index: usize) -> Option<Entry<'_>> {
        match self.view() {
            NodeView::Packed(listpack) => listpack.get(index as isize),
            NodeView::Plain(value) => Some(Entry::from(value)),
        }
    }

    #[inline]
    pub(super) fn as_packed(&self) -> Option<&Listpack> {
        match self.body.get() {
            Form::Small(listpack) => Some(listpack),
            Form::Large(_) => None,
        }
    }

    pub(super) fn into_packed(self) -> Option<Listpack> {
        match self.body.into_inner() {
            Form::Small(listpack) => Some(listpack),
            Form::Large(_) => None,
        }
    }

    /// Changes the listpack of a packed node, of which `edit` says how many elements more or less it has then.
    #[inline]
    pub(super) fn edit<R>(&mut self, edit: impl FnOnce(&mut Listpack) -> (isize, R)) -> Option<R> {
        let Form::Small(listpack) = self.body.get_mut() else { return None };
        let (change, result) = edit(listpack);
        self.count = self.count.wrapping_add_signed(change as i32);
        Some(result)
    }

    /// Gives back the room for elements that will not come.
    pub(super) fn settle(&mut self) {
        if let Form::Small(listpack) = self.body.get_mut() {
            listpack.settle();
        }
    }

    /// Bytes and elements of a packed node, if it is one.
    #[inline]
    pub(super) fn load(&self) -> Option<(usize, usize)> {
        Some((self.as_packed()?.bytes_len(), self.count()))
    }

    /// Keeps the elements before a position of a packed node and answers a node of the others, if there are any.
    pub(super) fn split_off(&mut self, find: impl FnOnce(&Listpack) -> Option<Position>) -> Option<Node> {
        let tail = self.edit(|listpack| {
            let tail = find(listpack).map(|position| listpack.split_off(position));
            (-(tail.as_ref().map_or(0, Listpack::len) as isize), tail)
        })??;
        Some(Node::packed(tail))
    }

    /// Appends the elements of another packed node.
    pub(super) fn absorb(&mut self, next: Node) {
        let count = next.count as isize;
        if let Some(tail) = next.into_packed() {
            self.edit(|listpack| (count, listpack.extend_from(&tail)));
        }
    }

    /// Puts the elements of another packed node in front.
    pub(super) fn prepend(&mut self, previous: Node) {
        let count = previous.count as isize;
        if let Some(head) = previous.into_packed() {
            self.edit(|listpack| (count, listpack.prepend_from(&head)));
        }
    }

    /// Removes `count` elements of a packed node from an index on.
    pub(super) fn remove_range(&mut self, index: usize, count: usize) {
        self.edit(|listpack| (-(count as isize), listpack.remove_range(index as isize, count)));
    }

    /// Removes up to `most` elements equal to `value`, beginning at an end. Answers how many.
    pub(super) fn remove(&mut self, from: Side, most: usize, value: &[u8]) -> usize {
        if let Form::Large(plain) = self.body.get() {
            let removed = (most > 0 && plain[..] == *value) as usize;
            self.count -= removed as u32;
            return removed;
        }
        self.edit(|listpack| {
            let removed = remove_equal(listpack, from, most, value);
            (-(removed as isize), removed)
        })
        .unwrap_or(0)
    }
}

/// Removes up to `most` elements equal to `value`, beginning at an end. Answers how many.
pub(super) fn remove_equal(listpack: &mut Listpack, from: Side, most: usize, value: &[u8]) -> usize {
    let mut removed = 0;
    match from {
        Side::Front => {
            let mut at = listpack.first();
            while removed < most
                && let Some(found) = at.and_then(|at| listpack.find(value, Some(at), 0))
            {
                at = listpack.remove(found);
                removed += 1;
            }
        }
        Side::Back => {
            let needle = Entry::from(value);
            let mut at = listpack.last();
            while removed < most
                && let Some(here) = at
            {
                at = listpack.previous(here);
                if listpack.at(here) == needle {
                    listpack.remove(here);
                    removed += 1;
                }
            }
        }
    }
    removed
}

impl<'a> NodeIter<'a> {
    #[inline]
    pub(super) fn next(&mut self) -> Option<Entry<'a>> {
        match self {
            NodeIter::Packed(iter) => iter.next(),
            _ => self.take_plain(),
        }
    }

    #[inline]
    pub(super) fn next_back(&mut self) -> Option<Entry<'a>> {
        match self {
            NodeIter::Packed(iter) => iter.next_back(),
            _ => self.take_plain(),
        }
    }

    /// Passes over up to `count` elements at the front and answers how many there were.
    pub(super) fn skip_front(&mut self, count: usize) -> usize {
        match self {
            NodeIter::Packed(iter) => iter.skip_front(count),
            _ => (count > 0 && self.take_plain().is_some()) as usize,
        }
    }

    /// Passes over up to `count` elements at the back and answers how many there were.
    pub(super) fn skip_back(&mut self, count: usize) -> usize {
        match self {
            NodeIter::Packed(iter) => iter.skip_back(count),
            _ => (count > 0 && self.take_plain().is_some()) as usize,
        }
    }

    fn take_plain(&mut self) -> Option<Entry<'a>> {
        match core::mem::take(self) {
            NodeIter::Plain(value) => Some(Entry::from(value)),
            _ => None,
        }
    }
}
