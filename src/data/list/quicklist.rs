//! The large form of a list: nodes in a row, each as full as the limit lets it be. When to be this form is for
//! `list.rs` to say.
//!
//! Work at the front of a listpack moves all of its bytes. So the part being pushed to or popped from may stand in a
//! small node of its own, *detached* from the second: to every rule the two are one node, and whatever needs them to
//! be one joins them first.

use super::Side;
use super::node::{Node, NodeLimit};
use crate::data::containers::listpack::{Entry, Listpack};
use alloc::collections::{VecDeque, vec_deque};

/// The nodes in order.
pub(super) type Nodes<'a> = vec_deque::Iter<'a, Node>;

/// Nodes, none of them empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
    /// The first two nodes are packed, and one to every rule.
    detached: bool,
}

impl FromIterator<Node> for Quicklist {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        let nodes: VecDeque<Node> = nodes.into_iter().filter(|node| node.count() > 0).collect();
        let len = nodes.iter().map(Node::count).sum();
        Quicklist { nodes, len, detached: false }
    }
}

impl Quicklist {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn nodes(&self) -> Nodes<'_> {
        self.nodes.iter()
    }

    /// The nodes that hold a run of elements which is not empty and lies inside, and how many elements of these nodes
    /// are before and after the run.
    pub(super) fn nodes_of(&self, start: usize, count: usize) -> (Nodes<'_>, usize, usize) {
        let (first, before) = self.locate(start);
        let (mut last, mut held) = (first, self.nodes[first].count());
        while held < before + count {
            last += 1;
            held += self.nodes[last].count();
        }
        (self.nodes.range(first..=last), before, held - before - count)
    }

    pub(super) fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.nodes.iter().map(Node::memory).sum::<usize>()
    }

    /// Frees some nodes of a list that is of no other use any more; false when nothing was left.
    pub(super) fn free_piece(&mut self) -> bool {
        const NODES: usize = 8;
        let goes_on = !self.nodes.is_empty();
        self.nodes.truncate(self.nodes.len().saturating_sub(NODES));
        goes_on
    }

    pub(super) fn push_front(&mut self, value: &[u8], limit: NodeLimit) {
        self.len += 1;
        let fits =
            !limit.is_too_large(value) && self.front_load().is_some_and(|load| limit.accepts(load, value));
        if !fits {
            self.join_front();
            self.nodes.front_mut().into_iter().for_each(Node::settle);
            return self.nodes.push_front(Node::of(value, limit));
        }
        let bytes = self.nodes[0].load().map_or(0, |(bytes, _)| bytes);
        if bytes + value.len() <= limit.front_bytes() {
            self.nodes[0].edit(|listpack| (1, listpack.push_front(value)));
        } else {
            self.join_front();
            self.nodes.push_front(Node::of(value, limit));
            self.detached = true;
        }
    }

    pub(super) fn push_back(&mut self, value: &[u8], limit: NodeLimit) {
        self.len += 1;
        let fits =
            !limit.is_too_large(value) && self.back_load().is_some_and(|load| limit.accepts(load, value));
        match self.nodes.back_mut() {
            Some(node) if fits => drop(node.edit(|listpack| (1, listpack.push_back(value)))),
            full => {
                full.into_iter().for_each(Node::settle);
                self.nodes.push_back(Node::of(value, limit));
            }
        }
    }

    pub(super) fn pop_front<R>(&mut self, limit: NodeLimit, take: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        self.detach_front(limit);
        let taken = take(self.nodes.front()?.get(0)?);
        self.remove_at(0, 0);
        Some(taken)
    }

    pub(super) fn pop_back<R>(&mut self, take: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        let node = self.nodes.back()?;
        let last = node.count() - 1;
        let taken = take(node.iter().next_back()?);
        self.remove_at(self.nodes.len() - 1, last);
        Some(taken)
    }

    pub(super) fn get(&self, index: usize) -> Option<Entry<'_>> {
        let (node, offset) = self.locate(index);
        self.nodes.get(node)?.get(offset)
    }

    pub(super) fn set(&mut self, index: usize, value: &[u8], limit: NodeLimit) {
        self.join_front();
        let (node, offset) = self.locate(index);
        let fits = match (self.nodes[node].load(), self.nodes[node].get(offset)) {
            (Some((bytes, count)), Some(old)) => {
                !limit.is_too_large(value) && limit.accepts((bytes - old.size(), count - 1), value)
            }
            _ => false,
        };
        if fits {
            let position = |listpack: &Listpack| listpack.seek(offset as isize);
            self.nodes[node]
                .edit(|listpack| (0, position(listpack).map(|position| listpack.replace(position, value))));
        } else {
            self.remove_at(node, offset);
            self.insert(index, value, limit);
        }
    }

    /// Puts an element before that of an index, which may be the length.
    pub(super) fn insert(&mut self, index: usize, value: &[u8], limit: NodeLimit) {
        if index == self.len {
            return self.push_back(value, limit);
        }
        self.join_front();
        let (node, offset) = self.locate(index);
        if self.insert_in(node, offset, value, limit) {
            return;
        }
        if offset > 0 {
            if let Some(tail) = self.nodes[node].split_off(|listpack| listpack.seek(offset as isize)) {
                self.nodes.insert(node + 1, tail);
            }
            return self.insert_between(node + 1, value, limit);
        }
        self.insert_between(node, value, limit);
    }

    /// Removes up to `most` elements equal to `value`, beginning at an end. Answers how many.
    pub(super) fn remove(&mut self, from: Side, most: usize, value: &[u8]) -> usize {
        self.join_front();
        let mut left = most;
        let mut remove = |node: &mut Node| left -= node.remove(from, left, value);
        match from {
            Side::Front => self.nodes.iter_mut().for_each(&mut remove),
            Side::Back => self.nodes.iter_mut().rev().for_each(&mut remove),
        }
        let removed = most - left;
        self.nodes.retain(|node| node.count() > 0);
        self.len -= removed;
        self.forget_room();
        removed
    }

    /// Keeps `count` elements from an index on, both inside.
    pub(super) fn trim(&mut self, start: usize, count: usize) {
        self.join_front();
        let (mut front, mut back) = (start, self.len - start - count);
        self.len = count;
        while front > 0 || back > 0 {
            let Some(node) = self.nodes.front_mut() else { break };
            if front >= node.count() {
                front -= node.count();
                self.nodes.pop_front();
                continue;
            }
            node.remove_range(0, core::mem::take(&mut front));
            let Some(node) = self.nodes.back_mut() else { break };
            if back >= node.count() {
                back -= node.count();
                self.nodes.pop_back();
                continue;
            }
            let keep = node.count() - back;
            node.remove_range(keep, core::mem::take(&mut back));
        }
        self.forget_room();
    }

    /// Hands over the listpack of the only node, if there is but one, packed and within `limit`. An empty listpack
    /// when there is none.
    pub(super) fn take_only_node(&mut self, limit: NodeLimit) -> Option<Listpack> {
        match (self.nodes.len(), self.detached) {
            (0, _) => return Some(Listpack::new()),
            (1, _) | (2, true) => {}
            _ => return None,
        }
        let (bytes, count) = self.front_load()?;
        if limit.is_exceeded_by(bytes, count) {
            return None;
        }
        self.join_front();
        self.len = 0;
        let mut node = self.nodes.pop_front()?;
        node.settle();
        node.into_packed()
    }

    /// The node of an index and the index inside it, counting nodes from the nearer end.
    fn locate(&self, index: usize) -> (usize, usize) {
        if index < self.len / 2 {
            let mut rest = index;
            for (i, node) in self.nodes.iter().enumerate() {
                match rest.checked_sub(node.count()) {
                    Some(beyond) => rest = beyond,
                    None => return (i, rest),
                }
            }
        } else {
            let mut start = self.len;
            for (i, node) in self.nodes.iter().enumerate().rev() {
                start -= node.count();
                if index >= start {
                    return (i, index - start);
                }
            }
        }
        (self.nodes.len(), 0)
    }

    /// Bytes and elements of the first node, if packed.
    fn front_load(&self) -> Option<(usize, usize)> {
        self.joint_load(0)
    }

    /// Bytes and elements of the last node, if packed.
    fn back_load(&self) -> Option<(usize, usize)> {
        self.joint_load(self.nodes.len().checked_sub(1)?)
    }

    /// Bytes and elements of a node, or of the first two when they are one to every rule.
    fn joint_load(&self, node: usize) -> Option<(usize, usize)> {
        let (bytes, count) = self.nodes.get(node)?.load()?;
        if !self.detached || node > 1 {
            return Some((bytes, count));
        }
        let (more, others) = self.nodes[1 - node].load()?;
        Some((joint_bytes(bytes, more), count + others))
    }

    /// Makes the first two nodes one again.
    fn join_front(&mut self) {
        if core::mem::take(&mut self.detached)
            && let Some(front) = self.nodes.pop_front()
            && let Some(second) = self.nodes.front_mut()
        {
            // The second is the larger by far: its bytes move within their block.
            second.prepend(front);
        }
    }

    /// Gives a piece of a large first node a node of its own.
    fn detach_front(&mut self, limit: NodeLimit) {
        if self.detached {
            return;
        }
        let Some(front) = self.nodes.front_mut() else { return };
        let piece = limit.front_bytes();
        if front.load().is_none_or(|(bytes, _)| bytes <= 2 * piece) {
            return;
        }
        if let Some(tail) = front.split_off(|listpack| listpack.seek_bytes(piece)) {
            self.nodes.insert(1, tail);
            self.detached = true;
        }
    }

    fn remove_at(&mut self, node: usize, offset: usize) {
        self.len -= 1;
        if self.nodes[node].count() > 1 {
            return self.nodes[node].remove_range(offset, 1);
        }
        self.nodes.remove(node);
        if node < 2 {
            self.detached = false;
        }
        self.forget_room();
    }

    /// Puts an element into a node if there is room. Answers whether there was.
    fn insert_in(&mut self, node: usize, offset: usize, value: &[u8], limit: NodeLimit) -> bool {
        let Some(node) = self.nodes.get_mut(node) else { return false };
        let accepts = node.load().is_some_and(|load| limit.accepts(load, value));
        if limit.is_too_large(value) || !accepts {
            return false;
        }
        node.edit(|listpack| {
            match listpack.seek(offset as isize) {
                Some(position) => drop(listpack.insert_before(position, value)),
                None => listpack.push_back(value),
            }
            (1, ())
        });
        self.len += 1;
        true
    }

    /// Puts an element before a node: into one of the two that meet there, or between them.
    fn insert_between(&mut self, node: usize, value: &[u8], limit: NodeLimit) {
        if let Some(before) = node.checked_sub(1)
            && self.insert_in(before, self.nodes[before].count(), value, limit)
        {
            return self.merge(node, limit);
        }
        if self.insert_in(node, 0, value, limit) {
            return self.merge(node + 1, limit);
        }
        self.nodes.insert(node, Node::of(value, limit));
        self.len += 1;
        self.merge(node + 2, limit);
    }

    /// Makes a node and the one after it one, if they fit one.
    fn merge(&mut self, node: usize, limit: NodeLimit) {
        let load = |node: usize| self.nodes.get(node).and_then(Node::load);
        let (Some((bytes, count)), Some((more, others))) = (load(node), load(node + 1)) else { return };
        if !limit.is_exceeded_by(joint_bytes(bytes, more), count + others)
            && let Some(next) = self.nodes.remove(node + 1)
        {
            self.nodes[node].absorb(next);
        }
    }

    /// Gives back the room of nodes that are gone.
    #[inline]
    fn forget_room(&mut self) {
        if self.nodes.capacity() > 32 && self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }
}

/// The bytes of two listpacks made one: a header and an end fewer.
fn joint_bytes(one: usize, other: usize) -> usize {
    one + other - Listpack::EMPTY_BYTES
}
