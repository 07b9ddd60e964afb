//! The list: one listpack while it fits a node, a quicklist of such nodes when it does not, and back. Decides when to
//! change form, by Redis's rules; where the elements of a quicklist live is `quicklist.rs`. Knows no keys and no
//! replies: a list emptied by a removal is removed by whoever keeps it.

mod node;
mod quicklist;

pub use node::{Node, NodeLimit, NodeView};

use crate::data::containers::listpack::{Entry, Listpack};
use crate::data::containers::tagged::{Form, Tagged};
use crate::data::number::Digits;
use alloc::vec::Vec;
use core::iter::FusedIterator;
use node::NodeIter;
use quicklist::Quicklist;

/// A list of strings, as wide as a pointer.
#[derive(Clone, Debug)]
pub struct List {
    body: Tagged<Listpack, Quicklist>,
}

/// An end of a list, or a side of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The head, or the side towards it.
    Front,
    /// The tail, or the side towards it.
    Back,
}

/// A run of elements, from either end.
#[derive(Clone, Debug, Default)]
pub struct Iter<'a> {
    nodes: quicklist::Nodes<'a>,
    front: NodeIter<'a>,
    back: NodeIter<'a>,
    left: usize,
}

impl Default for List {
    fn default() -> Self {
        List::new()
    }
}

impl List {
    /// An empty one.
    pub fn new() -> Self {
        List { body: Tagged::small(Listpack::new()) }
    }

    /// Assembles a list from nodes, as RDB carries them. Empty nodes are passed over.
    pub fn from_nodes(nodes: impl IntoIterator<Item = Node>, limit: NodeLimit) -> Self {
        let mut list = List { body: Tagged::large(nodes.into_iter().collect()) };
        list.return_to_listpack(limit);
        list
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        match self.body.get() {
            Form::Small(listpack) => listpack.len(),
            Form::Large(quicklist) => quicklist.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        match self.body.get() {
            Form::Small(listpack) => listpack.is_empty(),
            Form::Large(quicklist) => quicklist.len() == 0,
        }
    }

    /// The form as OBJECT ENCODING names it.
    pub fn encoding(&self) -> &'static str {
        match self.body.get() {
            Form::Small(_) => "listpack",
            Form::Large(_) => "quicklist",
        }
    }

    /// The bytes of the heap it occupies. Visits every node.
    pub fn memory(&self) -> usize {
        match self.body.get() {
            Form::Small(listpack) => listpack.heap_size(),
            Form::Large(quicklist) => size_of::<Quicklist>() + quicklist.memory(),
        }
    }

    /// How many nodes it has.
    pub fn parts(&self) -> usize {
        match self.body.get() {
            Form::Small(_) => 1,
            Form::Large(quicklist) => quicklist.nodes().len(),
        }
    }

    /// Frees some of a list that is of no other use any more; false when the rest is freed with it.
    pub fn free_piece(&mut self) -> bool {
        match self.body.get_mut() {
            Form::Small(_) => false,
            Form::Large(quicklist) => quicklist.free_piece(),
        }
    }

    /// Its nodes in order, as RDB carries them.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView<'_>> {
        let (listpack, nodes) = match self.body.get() {
            Form::Small(listpack) => (Some(NodeView::Packed(listpack)), Default::default()),
            Form::Large(quicklist) => (None, quicklist.nodes()),
        };
        listpack.into_iter().chain(nodes.map(Node::view))
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, side: Side, value: &[u8], limit: NodeLimit) {
        self.make_room(value, limit);
        match (self.body.get_mut(), side) {
            (Form::Small(listpack), Side::Front) => listpack.push_front(value),
            (Form::Small(listpack), Side::Back) => listpack.push_back(value),
            (Form::Large(quicklist), Side::Front) => quicklist.push_front(value, limit),
            (Form::Large(quicklist), Side::Back) => quicklist.push_back(value, limit),
        }
    }

    /// The element at an end.
    pub fn peek(&self, side: Side) -> Option<Entry<'_>> {
        match side {
            Side::Front => self.iter().next(),
            Side::Back => self.iter().next_back(),
        }
    }

    /// Removes the element at an end and answers its text.
    pub fn pop(&mut self, side: Side, limit: NodeLimit) -> Option<Vec<u8>> {
        self.pop_with(side, limit, |entry| entry.text(&mut Digits::new()).to_vec())
    }

    /// Removes the element at an end after `take` has seen it, without a copy.
    #[inline]
    pub fn pop_with<R>(
        &mut self,
        side: Side,
        limit: NodeLimit,
        take: impl FnOnce(Entry<'_>) -> R,
    ) -> Option<R> {
        match self.body.get_mut() {
            Form::Small(listpack) => {
                let position = match side {
                    Side::Front => listpack.first(),
                    Side::Back => listpack.last(),
                }?;
                let taken = take(listpack.at(position));
                listpack.remove(position);
                Some(taken)
            }
            Form::Large(quicklist) => {
                let taken = match side {
                    Side::Front => quicklist.pop_front(limit, take),
                    Side::Back => quicklist.pop_back(take),
                };
                self.shrink(limit);
                taken
            }
        }
    }

    /// The element of an index, which counts from the end when negative (-1 is the last).
    pub fn get(&self, index: i64) -> Option<Entry<'_>> {
        match self.body.get() {
            Form::Small(listpack) => listpack.get(isize::try_from(index).ok()?),
            Form::Large(quicklist) => quicklist.get(absolute(index, quicklist.len())?),
        }
    }

    /// Replaces the element of an index, which counts from the end when negative. Answers whether there is one.
    pub fn set(&mut self, index: i64, value: &[u8], limit: NodeLimit) -> bool {
        let Some(index) = absolute(index, self.len()) else { return false };
        self.make_room(value, limit);
        match self.body.get_mut() {
            Form::Small(listpack) => {
                if let Some(position) = listpack.seek(index as isize) {
                    listpack.replace(position, value);
                }
            }
            Form::Large(quicklist) => {
                quicklist.set(index, value, limit);
                self.return_to_listpack(limit);
            }
        }
        true
    }

    /// Puts an element beside the first one equal to `pivot`. Answers whether there is such a one.
    pub fn insert(&mut self, side: Side, pivot: &[u8], value: &[u8], limit: NodeLimit) -> bool {
        let Some(index) = self.positions(pivot, Side::Front).next() else { return false };
        self.make_room(value, limit);
        match self.body.get_mut() {
            Form::Small(listpack) => {
                if let Some(position) = listpack.seek(index as isize) {
                    match side {
                        Side::Front => listpack.insert_before(position, value),
                        Side::Back => listpack.insert_after(position, value),
                    };
                }
            }
            Form::Large(quicklist) => {
                let index = if side == Side::Back { index + 1 } else { index };
                quicklist.insert(index, value, limit);
            }
        }
        true
    }

    /// Removes up to `most` elements equal to `value`, beginning at an end. Answers how many.
    pub fn remove(&mut self, from: Side, most: usize, value: &[u8], limit: NodeLimit) -> usize {
        match self.body.get_mut() {
            Form::Small(listpack) => node::remove_equal(listpack, from, most, value),
            Form::Large(quicklist) => {
                let removed = quicklist.remove(from, most, value);
                self.shrink(limit);
                removed
            }
        }
    }

    /// Keeps `count` elements from the index `start` on and removes all others.
    pub fn trim(&mut self, start: usize, count: usize, limit: NodeLimit) {
        let start = start.min(self.len());
        let count = count.min(self.len() - start);
        match self.body.get_mut() {
            Form::Small(listpack) => {
                listpack.remove_range((start + count) as isize, usize::MAX);
                listpack.remove_range(0, start);
            }
            Form::Large(quicklist) => {
                quicklist.trim(start, count);
                self.shrink(limit);
            }
        }
    }

    /// All elements, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        match self.body.get() {
            Form::Small(listpack) => {
                Iter { front: NodeIter::Packed(listpack.iter()), left: listpack.len(), ..Iter::default() }
            }
            Form::Large(quicklist) => {
                Iter { nodes: quicklist.nodes(), left: quicklist.len(), ..Iter::default() }
            }
        }
    }

    /// Up to `count` elements from the index `start` on, from either end. Passes over whole nodes by their counts.
    pub fn range(&self, start: usize, count: usize) -> Iter<'_> {
        let start = start.min(self.len());
        let count = count.min(self.len() - start);
        let (mut iter, before, after) = match self.body.get() {
            Form::Large(quicklist) if count > 0 => {
                let (nodes, before, after) = quicklist.nodes_of(start, count);
                (Iter { nodes, ..Iter::default() }, before, after)
            }
            _ => (self.iter(), start, self.len() - start - count),
        };
        iter.left = before + count + after;
        iter.skip_front(before);
        iter.skip_back(after);
        iter
    }

    /// The indices of the elements equal to `value`, in the order they are met from an end. Indices count from the
    /// front in either case.
    pub fn positions<'a>(&'a self, value: &'a [u8], from: Side) -> impl Iterator<Item = usize> + 'a {
        self.positions_within(value, from, usize::MAX)
    }

    /// As [`positions`](Self::positions), looking at no more than `most` elements.
    pub fn positions_within<'a>(
        &'a self,
        value: &'a [u8],
        from: Side,
        most: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let (mut iter, needle, len) = (self.iter(), Entry::from(value), self.len());
        (0..len.min(most)).filter_map(move |met| {
            let (entry, index) = match from {
                Side::Front => (iter.next(), met),
                Side::Back => (iter.next_back(), len - 1 - met),
            };
            (entry == Some(needle)).then_some(index)
        })
    }

    /// Becomes a quicklist when a listpack has no room for `value`.
    #[inline]
    fn make_room(&mut self, value: &[u8], limit: NodeLimit) {
        if let Form::Small(listpack) = self.body.get_mut()
            && limit.is_exceeded_by(listpack.bytes_len() + value.len(), listpack.len() + 1)
        {
            let listpack = core::mem::take(listpack);
            self.body = Tagged::large([Node::packed(listpack)].into_iter().collect());
        }
    }

    /// Becomes a listpack when elements were removed and the only node left is at most half full.
    fn shrink(&mut self, limit: NodeLimit) {
        self.return_to_listpack(limit.half());
    }

    /// Becomes a listpack when the only node is within `limit`.
    #[inline]
    fn return_to_listpack(&mut self, limit: NodeLimit) {
        if let Form::Large(quicklist) = self.body.get_mut()
            && let Some(listpack) = quicklist.take_only_node(limit)
        {
            self.body = Tagged::small(listpack);
        }
    }
}

/// The index from the front that `index` means, if it is inside.
fn absolute(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add_unsigned(len as u64)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

impl Iter<'_> {
    /// Passes over up to `count` elements at the front.
    fn skip_front(&mut self, count: usize) {
        let mut count = count.min(self.left);
        self.left -= count;
        count -= self.front.skip_front(count);
        while count > 0 {
            let Some(node) = self.nodes.next() else { break };
            match count.checked_sub(node.count()) {
                Some(rest) => count = rest,
                None => {
                    self.front = node.iter();
                    count -= self.front.skip_front(count);
                }
            }
        }
        self.back.skip_front(count);
    }

    /// Passes over up to `count` elements at the back.
    fn skip_back(&mut self, count: usize) {
        let mut count = count.min(self.left);
        self.left -= count;
        count -= self.back.skip_back(count);
        while count > 0 {
            let Some(node) = self.nodes.next_back() else { break };
            match count.checked_sub(node.count()) {
                Some(rest) => count = rest,
                None => {
                    self.back = node.iter();
                    count -= self.back.skip_back(count);
                }
            }
        }
        self.front.skip_back(count);
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.left = self.left.checked_sub(1)?;
        loop {
            if let Some(entry) = self.front.next() {
                return Some(entry);
            }
            match self.nodes.next() {
                Some(node) => self.front = node.iter(),
                None => return self.back.next(),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    fn nth(&mut self, n: usize) -> Option<Entry<'a>> {
        self.skip_front(n);
        self.next()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        loop {
            if let Some(entry) = self.back.next_back() {
                return Some(entry);
            }
            match self.nodes.next_back() {
                Some(node) => self.back = node.iter(),
                None => return self.front.next_back(),
            }
        }
    }

    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        self.skip_back(n);
        self.next_back()
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

#[cfg(test)]
mod tests;
