//! Record handles in an order their owner knows, found by rank or by comparison in logarithmic time.
//!
//! A counted B+tree: leaves hold up to 128 handles in an allocation that fits them, inner nodes the number of handles
//! below each child and the child's first handle. A [`RankTree`] does not know what it orders by: each search gets a closure
//! that says whether a record comes before the one sought, so every handle in the tree has to be readable, and no record
//! may change its order while it is in the tree.

use super::slab::Handle;
use alloc::vec::Vec;
use core::ops;

/// A sequence of handles in their owner's order. Allocates nothing while empty.
#[derive(Default)]
pub struct RankTree {
    leaves: Arena<Handle>,
    inners: Arena<Child>,
    root: u32,
    /// Levels of inner nodes above the leaves.
    height: usize,
    len: usize,
}

/// A question by which a place in the order is found. A closure from a handle to the answer is one.
pub trait Search {
    /// Does this record come before the one sought?
    fn is_before(&mut self, h: Handle) -> bool;

    /// Has the record loaded, since the question about it may follow.
    #[inline]
    fn prefetch(&self, _: Handle) {}
}

/// A [`Search`] by a closure, and a closure that has a record loaded: in a large tree most of the time goes to waiting for
/// records, and these are waited for several at a time.
pub struct Prefetching<B, P>(pub B, pub P);

/// What an inner node knows of a child.
#[derive(Clone, Copy)]
struct Child {
    node: u32,
    /// Handles below.
    count: u32,
    first: Handle,
}

/// Nodes of one kind, named by their index.
struct Arena<T> {
    nodes: Vec<Vec<T>>,
    spare: Vec<u32>,
}

/// The way from the root to a position in a leaf.
struct Path {
    /// Inner nodes and the index of the child that was taken; the first `height` are meant.
    steps: [(u32, u32); MAX_HEIGHT],
    leaf: u32,
    at: usize,
    rank: usize,
}

const MAX_LEAF: usize = if cfg!(test) { 16 } else { 128 };
const MAX_CHILDREN: usize = if cfg!(test) { 8 } else { 64 };
const MAX_HEIGHT: usize = 20;
/// From this height on, records are loaded before they are asked about. Those of a smaller tree are in a cache.
const LARGE_HEIGHT: usize = 2;
/// For how many steps of a binary search records are loaded at once.
const LOADED_STEPS: usize = 3;
/// Room that a node gets at a time.
const SPARE_ROOM: usize = 16;

impl RankTree {
    /// A tree of nothing.
    pub const fn new() -> RankTree {
        RankTree { leaves: Arena::new(), inners: Arena::new(), root: 0, height: 0, len: 0 }
    }

    /// Frees some of a tree that is of no other use any more; false when nothing was left.
    pub fn free_piece(&mut self) -> bool {
        const NODES: usize = 128;
        let goes_on = !(self.leaves.nodes.is_empty() && self.inners.nodes.is_empty());
        self.leaves.nodes.truncate(self.leaves.nodes.len().saturating_sub(NODES));
        self.inners.nodes.truncate(self.inners.nodes.len().saturating_sub(NODES));
        goes_on
    }

    /// The number of handles.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Is there no handle?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a handle behind all that come before it, and answers with its rank.
    pub fn insert(&mut self, new: Handle, is_before_new: impl Search) -> usize {
        if self.len == 0 {
            self.root = self.leaves.add(Vec::new());
        }
        let path = self.descend(is_before_new);
        let mut sibling = self.insert_into_leaf(&path, new);
        for level in (0..self.height).rev() {
            sibling = self.insert_below(&path, level, sibling);
        }
        if let Some(sibling) = sibling {
            let count = self.len as u32 + 1 - sibling.count;
            let left = Child { node: self.root, count, first: self.first_of(self.root, self.height) };
            self.root = self.inners.add([left, sibling].into());
            self.height += 1;
        }
        self.len += 1;
        path.rank
    }

    /// Removes the handle at a rank. Panics when there is none.
    pub fn remove_at(&mut self, rank: usize) -> Handle {
        let mut removed = None;
        self.remove_range(rank..rank + 1, |h| removed = Some(h));
        removed.expect("a rank below the length")
    }

    /// Removes a handle, found by what comes before it; false when it is not there.
    pub fn remove(&mut self, h: Handle, is_before: impl Search) -> bool {
        let Some(path) = self.path_to(h, is_before) else { return false };
        self.remove_in_leaf(&path, 1, &mut |_| ());
        true
    }

    /// Removes the handles at these ranks, each reported in order. Ranks beyond the end are ignored.
    pub fn remove_range(&mut self, ranks: ops::Range<usize>, mut removed: impl FnMut(Handle)) {
        let mut left = ranks.end.min(self.len).saturating_sub(ranks.start);
        while left > 0 {
            let path = self.descend_to(ranks.start);
            left -= self.remove_in_leaf(&path, left, &mut removed);
        }
    }

    /// Puts `new` where `old` stands: the same record has moved. Panics when `old` is not there.
    pub fn replace(&mut self, old: Handle, new: Handle, is_before: impl Search) {
        let path = self.path_to(old, is_before).expect("a handle of this tree");
        self.leaves[path.leaf][path.at] = new;
        for level in (0..self.height).rev() {
            let (inner, index) = path.steps[level];
            if self.inners[inner][index as usize].first == old {
                self.inners[inner][index as usize].first = new;
            }
        }
    }

    /// The handle at a rank.
    pub fn get(&self, rank: usize) -> Option<Handle> {
        (rank < self.len).then(|| self.slice_from(rank)[0])
    }

    /// The first handle.
    pub fn first(&self) -> Option<Handle> {
        self.get(0)
    }

    /// The last handle.
    pub fn last(&self) -> Option<Handle> {
        self.get(self.len.checked_sub(1)?)
    }

    /// The rank of the first handle that is not before the one sought; the length when all are.
    pub fn partition_point(&self, is_before: impl Search) -> usize {
        if self.len == 0 { 0 } else { self.descend(is_before).rank }
    }

    /// The handles at these ranks. Ranks beyond the end are ignored.
    pub fn range(&self, ranks: ops::Range<usize>) -> Range<'_> {
        let end = ranks.end.min(self.len);
        Range { tree: self, ranks: ranks.start.min(end)..end, front: [].iter(), back: [].iter() }
    }

    /// All handles.
    pub fn iter(&self) -> Range<'_> {
        self.range(0..self.len)
    }

    /// Bytes asked from the allocator. Looks at every node.
    pub fn allocated(&self) -> usize {
        self.leaves.allocated() + self.inners.allocated()
    }

    /// Where the first handle that is not before the one sought is, or behind the last of the leaf before.
    fn descend(&self, search: impl Search) -> Path {
        self.descend_past(None, search)
    }

    /// As [`RankTree::descend`], but behind `passed` if that is there.
    fn descend_past(&self, passed: Option<Handle>, mut search: impl Search) -> Path {
        let mut path = Path { steps: [(0, 0); MAX_HEIGHT], leaf: self.root, at: 0, rank: 0 };
        for step in &mut path.steps[..self.height] {
            let children = &self.inners[path.leaf];
            let index = self.search(children, |child| child.first, passed, &mut search).saturating_sub(1);
            path.rank += children[..index].iter().map(|child| child.count as usize).sum::<usize>();
            *step = (path.leaf, index as u32);
            path.leaf = children[index].node;
        }
        path.at = self.search(&self.leaves[path.leaf], |h| *h, passed, &mut search);
        path.rank += path.at;
        path
    }

    /// How many of the items come before the one sought, or are `passed`.
    #[inline]
    fn search<T>(
        &self,
        items: &[T],
        handle: impl Fn(&T) -> Handle,
        passed: Option<Handle>,
        search: &mut impl Search,
    ) -> usize {
        let (mut low, mut high, mut loaded) = (0, items.len(), 0);
        while low < high {
            if loaded == 0 && self.height >= LARGE_HEIGHT {
                prefetch_steps(&items[low..high], LOADED_STEPS, &|item| search.prefetch(handle(item)));
                loaded = LOADED_STEPS;
            }
            loaded = loaded.saturating_sub(1);
            let middle = low + (high - low) / 2;
            let h = handle(&items[middle]);
            if Some(h) == passed || search.is_before(h) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn descend_to(&self, rank: usize) -> Path {
        let mut path = Path { steps: [(0, 0); MAX_HEIGHT], leaf: self.root, at: rank, rank };
        for step in &mut path.steps[..self.height] {
            let children = &self.inners[path.leaf];
            let mut index = 0;
            while path.at >= children[index].count as usize {
                path.at -= children[index].count as usize;
                index += 1;
            }
            *step = (path.leaf, index as u32);
            path.leaf = children[index].node;
        }
        path
    }

    fn path_to(&self, h: Handle, is_before: impl Search) -> Option<Path> {
        if self.len == 0 {
            return None;
        }
        let mut path = self.descend_past(Some(h), is_before);
        path.at = path.at.checked_sub(1)?;
        path.rank -= 1;
        (self.leaves[path.leaf][path.at] == h).then_some(path)
    }

    /// The rest of the leaf that a rank is in, beginning with it.
    fn slice_from(&self, rank: usize) -> &[Handle] {
        let path = self.descend_to(rank);
        &self.leaves[path.leaf][path.at..]
    }

    /// The beginning of the leaf that a rank is in, ending with it.
    fn slice_to(&self, rank: usize) -> &[Handle] {
        let path = self.descend_to(rank);
        &self.leaves[path.leaf][..=path.at]
    }

    fn first_of(&self, node: u32, height: usize) -> Handle {
        if height == 0 { self.leaves[node][0] } else { self.inners[node][0].first }
    }

    /// Adds a handle to a leaf. Should that be full, part of it goes to a new leaf on its right.
    fn insert_into_leaf(&mut self, path: &Path, new: Handle) -> Option<Child> {
        let leaf = &mut self.leaves[path.leaf];
        if leaf.len() < MAX_LEAF {
            insert_tightly(leaf, path.at, new);
            return None;
        }
        // What comes in order leaves full leaves behind, at either end.
        let kept = if path.rank == self.len {
            MAX_LEAF
        } else if path.rank == 0 {
            0
        } else {
            MAX_LEAF / 2
        };
        let mut right = leaf.split_off(kept);
        if path.at < kept || kept == 0 {
            insert_tightly(leaf, path.at, new);
        } else {
            insert_tightly(&mut right, path.at - kept, new);
        }
        leaf.shrink_to(leaf.len() + SPARE_ROOM / 2);
        let (count, first) = (right.len() as u32, right[0]);
        Some(Child { node: self.leaves.add(right), count, first })
    }

    /// Counts one more handle below a child, and takes in the sibling that may have come of it; should the node be full,
    /// part of it goes to a sibling of its own.
    fn insert_below(&mut self, path: &Path, level: usize, sibling: Option<Child>) -> Option<Child> {
        let (inner, index) = path.steps[level];
        let at = index as usize + 1;
        let first = self.first_of(self.inners[inner][at - 1].node, self.height - 1 - level);
        let children = &mut self.inners[inner];
        let child = &mut children[at - 1];
        child.first = first;
        child.count = child.count + 1 - sibling.map_or(0, |it| it.count);
        let sibling = sibling?;
        if children.len() < MAX_CHILDREN {
            insert_tightly(children, at, sibling);
            return None;
        }
        let kept = if path.rank == self.len { MAX_CHILDREN } else { MAX_CHILDREN / 2 };
        let mut right = children.split_off(kept);
        if at < kept {
            insert_tightly(children, at, sibling);
        } else {
            insert_tightly(&mut right, at - kept, sibling);
        }
        let (count, first) = (right.iter().map(|it| it.count).sum(), right[0].first);
        Some(Child { node: self.inners.add(right), count, first })
    }

    /// Removes handles from a leaf, and answers with how many: no more than the leaf has from the path's position on.
    fn remove_in_leaf(&mut self, path: &Path, wanted: usize, removed: &mut impl FnMut(Handle)) -> usize {
        let leaf = &mut self.leaves[path.leaf];
        let end = leaf.len().min(path.at.saturating_add(wanted));
        leaf.drain(path.at..end).for_each(removed);
        shrink_loosely(leaf);
        let count = end - path.at;
        self.len -= count;
        for level in (0..self.height).rev() {
            self.remove_below(path, level, count as u32);
        }
        if self.len == 0 {
            *self = RankTree::new();
        }
        while self.height > 0 && self.inners[self.root].len() == 1 {
            self.root = self.inners.remove(self.root)[0].node;
            self.height -= 1;
        }
        count
    }

    /// Counts less handles below a child, and merges it with a neighbour when both are sparse.
    fn remove_below(&mut self, path: &Path, level: usize, count: u32) {
        let ((inner, index), height) = (path.steps[level], self.height - 1 - level);
        let (index, node) = (index as usize, self.inners[inner][index as usize].node);
        if self.node_len(node, height) == 0 {
            match height {
                0 => drop(self.leaves.remove(node)),
                _ => drop(self.inners.remove(node)),
            }
            self.inners[inner].remove(index);
            return;
        }
        let first = self.first_of(node, height);
        let child = &mut self.inners[inner][index];
        (child.first, child.count) = (first, child.count - count);
        if !self.merge(inner, index, height) && index > 0 {
            self.merge(inner, index - 1, height);
        }
    }

    /// Merges the child at `index` with the next one, if both together leave room in a node.
    fn merge(&mut self, inner: u32, index: usize, height: usize) -> bool {
        let [left, right] = self.inners[inner][index..(index + 2).min(self.inners[inner].len())] else {
            return false;
        };
        let most = if height == 0 { MAX_LEAF } else { MAX_CHILDREN } / 4 * 3;
        if self.node_len(left.node, height) + self.node_len(right.node, height) > most {
            return false;
        }
        match height {
            0 => self.leaves.join(left.node, right.node),
            _ => self.inners.join(left.node, right.node),
        }
        let children = &mut self.inners[inner];
        children[index].count += right.count;
        children.remove(index + 1);
        shrink_loosely(children);
        true
    }

    fn node_len(&self, node: u32, height: usize) -> usize {
        if height == 0 { self.leaves[node].len() } else { self.inners[node].len() }
    }
}

/// Handles that are in order already.
impl FromIterator<Handle> for RankTree {
    fn from_iter<I: IntoIterator<Item = Handle>>(handles: I) -> RankTree {
        let mut tree = RankTree::new();
        handles.into_iter().for_each(|h| {
            tree.insert(h, |_| true);
        });
        tree
    }
}

/// Has the items loaded that the next steps of a binary search may look at.
fn prefetch_steps<T>(items: &[T], steps: usize, prefetch: &impl Fn(&T)) {
    if steps > 0 && !items.is_empty() {
        let middle = items.len() / 2;
        prefetch(&items[middle]);
        prefetch_steps(&items[..middle], steps - 1, prefetch);
        prefetch_steps(&items[middle + 1..], steps - 1, prefetch);
    }
}

impl<F: FnMut(Handle) -> bool> Search for F {
    #[inline]
    fn is_before(&mut self, h: Handle) -> bool {
        self(h)
    }
}

impl<B: FnMut(Handle) -> bool, P: Fn(Handle)> Search for Prefetching<B, P> {
    #[inline]
    fn is_before(&mut self, h: Handle) -> bool {
        (self.0)(h)
    }

    #[inline]
    fn prefetch(&self, h: Handle) {
        (self.1)(h)
    }
}

impl<T> Arena<T> {
    const fn new() -> Arena<T> {
        Arena { nodes: Vec::new(), spare: Vec::new() }
    }

    fn add(&mut self, node: Vec<T>) -> u32 {
        if let Some(index) = self.spare.pop() {
            self.nodes[index as usize] = node;
            return index;
        }
        if self.nodes.len() == self.nodes.capacity() {
            self.nodes.reserve_exact(1 + self.nodes.len() / 4);
        }
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    fn remove(&mut self, index: u32) -> Vec<T> {
        self.spare.push(index);
        core::mem::take(&mut self.nodes[index as usize])
    }

    /// Moves all that is in `right` behind what is in `left`.
    fn join(&mut self, left: u32, right: u32) {
        let mut right = self.remove(right);
        self[left].reserve_exact(right.len());
        self[left].append(&mut right);
    }

    fn allocated(&self) -> usize {
        let items: usize = self.nodes.iter().map(|node| node.capacity() * size_of::<T>()).sum();
        items + self.nodes.capacity() * size_of::<Vec<T>>() + self.spare.capacity() * size_of::<u32>()
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena::new()
    }
}

impl<T> ops::Index<u32> for Arena<T> {
    type Output = Vec<T>;

    #[inline]
    fn index(&self, index: u32) -> &Vec<T> {
        &self.nodes[index as usize]
    }
}

impl<T> ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Vec<T> {
        &mut self.nodes[index as usize]
    }
}

fn insert_tightly<T>(node: &mut Vec<T>, at: usize, item: T) {
    if node.len() == node.capacity() {
        node.reserve_exact(SPARE_ROOM.min(1 + node.len() / 2));
    }
    node.insert(at, item);
}

fn shrink_loosely<T>(node: &mut Vec<T>) {
    if node.capacity() - node.len() >= 2 * SPARE_ROOM {
        node.shrink_to(node.len() + SPARE_ROOM / 2);
    }
}

/// Handles at consecutive ranks, from either end. Made by [`RankTree::range`].
#[derive(Clone)]
pub struct Range<'t> {
    tree: &'t RankTree,
    ranks: ops::Range<usize>,
    /// What is left of the leaves at both ends; when nothing is, the next leaf is found from the root again.
    front: core::slice::Iter<'t, Handle>,
    back: core::slice::Iter<'t, Handle>,
}

impl Iterator for Range<'_> {
    type Item = Handle;

    #[inline]
    fn next(&mut self) -> Option<Handle> {
        if self.ranks.is_empty() {
            return None;
        }
        if self.front.len() == 0 {
            self.front = self.tree.slice_from(self.ranks.start).iter();
        }
        self.ranks.start += 1;
        self.front.next().copied()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ranks.len(), Some(self.ranks.len()))
    }

    fn nth(&mut self, n: usize) -> Option<Handle> {
        self.ranks.start = self.ranks.start.saturating_add(n).min(self.ranks.end);
        self.front = [].iter();
        self.next()
    }
}

impl DoubleEndedIterator for Range<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Handle> {
        if self.ranks.is_empty() {
            return None;
        }
        self.ranks.end -= 1;
        if self.back.len() == 0 {
            self.back = self.tree.slice_to(self.ranks.end).iter();
        }
        self.back.next_back().copied()
    }
}

impl ExactSizeIterator for Range<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;

    extern crate std;

    const STEPS: usize = if cfg!(miri) { 2000 } else { 100_000 };

    /// In these tests a handle is its own order.
    fn handle(n: u64) -> Handle {
        Handle::from_bits(n as u32)
    }

    impl RankTree {
        /// Checks counts, first handles and sizes of a node and all below; answers with its handles' number.
        fn check(&self, node: u32, height: usize) -> u32 {
            if height == 0 {
                assert!(self.leaves[node].len() <= MAX_LEAF && !self.leaves[node].is_empty());
                assert!(self.leaves[node].capacity() <= MAX_LEAF + SPARE_ROOM);
                return self.leaves[node].len() as u32;
            }
            assert!(self.inners[node].len() <= MAX_CHILDREN);
            for child in &self.inners[node] {
                assert_eq!(child.first, self.first_of(child.node, height - 1));
                assert_eq!(child.count, self.check(child.node, height - 1));
            }
            self.inners[node].iter().map(|child| child.count).sum()
        }

        fn check_all(&self, model: &[Handle]) {
            assert!(self.iter().eq(model.iter().copied()));
            assert!(self.iter().rev().eq(model.iter().rev().copied()));
            assert_eq!((self.first(), self.last()), (model.first().copied(), model.last().copied()));
            if self.len > 0 {
                assert_eq!(self.check(self.root, self.height), self.len as u32);
                let nodes = self.leaves.nodes.len() - self.leaves.spare.len();
                assert!(nodes <= 2 + self.len / (MAX_LEAF / 4), "{nodes} leaves for {}", self.len);
            } else {
                assert_eq!(self.allocated(), 0);
            }
        }
    }

    #[test]
    fn agrees_with_a_sorted_vector() {
        for (seed, names) in [(1, 20), (2, 300), (3, 5000)] {
            let (mut random, mut tree, mut model) = (random(seed), RankTree::new(), Vec::<Handle>::new());
            for step in 0..STEPS {
                let new = handle(random() % names);
                let rank = model.partition_point(|h| *h < new);
                assert_eq!(tree.partition_point(|h| h < new), rank);
                let is_there = model.get(rank) == Some(&new);
                if random() % 8 < if (step / (STEPS / 4)) & 1 == 0 { 6 } else { 2 } {
                    if !is_there {
                        assert_eq!(tree.insert(new, |h| h < new), rank);
                        model.insert(rank, new);
                    }
                } else if random() & 1 == 0 {
                    assert_eq!(tree.remove(new, |h| h < new), is_there);
                    if is_there {
                        model.remove(rank);
                    }
                } else if rank < model.len() {
                    assert_eq!(tree.remove_at(rank), model.remove(rank));
                }
                assert_eq!(tree.len(), model.len());
                assert_eq!(tree.get(rank), model.get(rank).copied());
                if step % (STEPS / 50) == 0 {
                    tree.check_all(&model);
                }
            }
        }
    }

    #[test]
    fn ranges_are_read_and_removed() {
        let (mut random, mut tree, mut model) = (random(9), RankTree::new(), Vec::new());
        for round in 0..if cfg!(miri) { 8 } else { 300 } {
            for n in model.len() as u64..random() % if cfg!(miri) { 200 } else { 2000 } {
                let new = handle(n << 12 | round << 24);
                model.insert(tree.insert(new, |h| h < new), new);
            }
            let (start, end) = (random() as usize % 1000, random() as usize % 2500);
            let inside = start.min(model.len())..end.min(model.len()).max(start.min(model.len()));
            let mut range = tree.range(start..end);
            assert_eq!(range.len(), inside.len());
            assert!(range.clone().eq(model[inside.clone()].iter().copied()));
            assert_eq!(range.clone().nth(70), model[inside.clone()].get(70).copied());
            let mut expected = model[inside.clone()].iter().copied();
            while let Some(h) = range.next() {
                assert_eq!(Some(h), expected.next());
                assert_eq!(range.next_back(), expected.next_back());
            }
            if random() & 1 == 0 {
                let mut removed = Vec::new();
                tree.remove_range(start..end, |h| removed.push(h));
                assert!(removed.into_iter().eq(model.drain(inside)));
                tree.check_all(&model);
            }
        }
        tree.remove_range(0..usize::MAX, |_| ());
        assert_eq!(tree.allocated(), 0);
    }

    #[test]
    fn moved_records_are_replaced() {
        let mut tree = RankTree::new();
        let order = |h: Handle| h.to_bits() & 0xFFFF;
        (0..500).for_each(|n| assert_eq!(tree.insert(handle(n), |h| order(h) < n as u32), n as usize));
        for n in 0..500 {
            let (old, new) = (handle(n), handle(n | 1 << 20));
            tree.replace(old, new, |h| order(h) < order(new));
            assert_eq!(tree.get(n as usize), Some(new));
        }
        tree.check_all(&(0..500).map(|n| handle(n | 1 << 20)).collect::<Vec<_>>());
        assert!(!tree.remove(handle(3), |h| order(h) < 3));
    }

    #[test]
    fn what_comes_in_order_fills_its_leaves() {
        let many = if cfg!(miri) { 500 } else { 100_000 };
        let (mut ascending, mut descending) = (RankTree::new(), RankTree::new());
        for n in 0..many {
            ascending.insert(handle(n), |_| true);
            descending.insert(handle(many - n), |_| false);
        }
        for tree in [&ascending, &descending] {
            assert_eq!(tree.leaves.nodes.len() as u64, many.div_ceil(MAX_LEAF as u64));
            tree.check(tree.root, tree.height);
        }
    }
}
