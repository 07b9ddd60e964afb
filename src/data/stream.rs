//! The stream: entries of ascending IDs in nodes of a hundred or so, each a listpack in the bytes of Redis. Adds at the
//! end, trims at the front, reads ranges either way. Consumer groups stand beside the entries and refer to them by ID. It
//! knows neither the time nor who waits for entries.

mod group;
mod id;
mod id_map;
mod node;
mod reading;
mod trimming;

pub use group::{Consumer, ConsumerIndex, Delivery, Group};
pub use id::{BoundError, IdDigits, IdError, NewId, StreamId};
pub use id_map::IdMap;
pub use node::Fields;
pub use reading::Reader;
pub use trimming::{Keep, Precision, References};

use crate::data::containers::listpack::{self, Listpack};
use alloc::boxed::Box;
use alloc::collections::{VecDeque, vec_deque};
use alloc::vec::Vec;
use node::{Node, Records};

/// A stream of entries, as wide as a pointer.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    body: Box<Body>,
}

#[derive(Clone, Debug, Default)]
struct Body {
    /// In ascending order, none without a live entry.
    nodes: VecDeque<Node>,
    len: u64,
    facts: Facts,
    /// In the order of their names.
    groups: Vec<Group>,
}

/// What a stream remembers beside its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The ID of the entry added last, or set since.
    pub last_id: StreamId,
    /// The greatest ID deleted other than by trimming.
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
}

/// How large a node may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    /// `stream-node-max-bytes`; 0 is no limit.
    pub bytes: usize,
    /// `stream-node-max-entries`, deleted ones included; 0 is no limit.
    pub entries: usize,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct StreamEntry<'a> {
    /// Its ID.
    pub id: StreamId,
    /// Its fields and values in order.
    pub fields: Fields<'a>,
}

/// A run of entries, in either order.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    nodes: vec_deque::Iter<'a, Node>,
    records: Option<Records<'a>>,
    start: StreamId,
    end: StreamId,
    backwards: bool,
}

/// Never more in a node than in a listpack.
const MAX_NODE_BYTES: usize = listpack::MAX_BYTES;

impl Default for NodeLimit {
    fn default() -> Self {
        NodeLimit { bytes: 4096, entries: 100 }
    }
}

impl NodeLimit {
    fn accepts(self, node: &Node, bytes: usize) -> bool {
        let max_bytes = if self.bytes == 0 { MAX_NODE_BYTES } else { self.bytes.min(MAX_NODE_BYTES) };
        let entries = node.records().map_or(usize::MAX, |records| records.live + records.deleted);
        node.listpack.bytes_len() + bytes < max_bytes && (self.entries == 0 || entries < self.entries)
    }
}

impl Stream {
    /// An empty one.
    pub fn new() -> Self {
        Stream::default()
    }

    /// Assembles a stream from nodes, as RDB carries them; `None` when entries are broken, out of order, or after the
    /// last ID. Nodes of deleted entries alone, which trimming leaves behind in Redis, are passed over.
    pub fn from_nodes(nodes: impl IntoIterator<Item = (StreamId, Listpack)>, facts: Facts) -> Option<Self> {
        let (mut checked, mut len, mut last) = (VecDeque::new(), 0, None);
        for (master, listpack) in nodes {
            let node = Node::from_listpack(master, listpack)?;
            if last >= Some(master) {
                return None;
            }
            last = Some(node.last_id());
            len += node.live() as u64;
            if node.live() > 0 {
                checked.push_back(node);
            }
        }
        let in_order = last.is_none_or(|last| last <= facts.last_id);
        in_order.then(|| Stream { body: Box::new(Body { nodes: checked, len, facts, groups: Vec::new() }) })
    }

    /// How many entries.
    pub fn len(&self) -> u64 {
        self.body.len
    }

    /// Whether there is no entry. A stream without entries still has its facts.
    pub fn is_empty(&self) -> bool {
        self.body.len == 0
    }

    /// The last ID, the greatest deleted one, and the count of all that was added.
    pub fn facts(&self) -> Facts {
        self.body.facts
    }

    /// Changes what is remembered, as XSETID does. The last ID must not be before the last entry.
    pub fn set_facts(&mut self, facts: Facts) {
        debug_assert!(self.last().is_none_or(|entry| entry.id <= facts.last_id));
        self.body.facts = facts;
    }

    /// The first entry.
    pub fn first(&self) -> Option<StreamEntry<'_>> {
        self.range(StreamId::MIN, StreamId::MAX).next()
    }

    /// The last entry.
    pub fn last(&self) -> Option<StreamEntry<'_>> {
        self.range_backwards(StreamId::MIN, StreamId::MAX).next()
    }

    /// Its nodes in order, as RDB carries them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Listpack)> {
        self.body.nodes.iter().map(|node| (node.master, &node.listpack))
    }

    /// The bytes of the heap it occupies. Visits every node.
    pub fn memory(&self) -> usize {
        let listpacks: usize = self.body.nodes.iter().map(|node| node.listpack.heap_size()).sum();
        let groups: usize = self.body.groups.iter().map(Group::memory).sum();
        let lists =
            self.body.nodes.capacity() * size_of::<Node>() + self.body.groups.capacity() * size_of::<Group>();
        size_of::<Body>() + lists + listpacks + groups
    }

    /// Its groups in the order of their names.
    pub fn groups(&self) -> &[Group] {
        &self.body.groups
    }

    /// The group of a name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.body.place_of_group(name).ok().map(|place| &self.body.groups[place])
    }

    /// The group of a name, to be changed.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        let place = self.body.place_of_group(name).ok()?;
        Some(&mut self.body.groups[place])
    }

    /// Adds a group. Answers whether its name was free; otherwise nothing is added.
    pub fn add_group(&mut self, group: Group) -> bool {
        let place = self.body.place_of_group(group.name());
        if let Err(place) = place {
            self.body.groups.insert(place, group);
        }
        place.is_err()
    }

    /// Removes a group. Answers whether there was one of that name.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        let place = self.body.place_of_group(name);
        if let Ok(place) = place {
            self.body.groups.remove(place);
        }
        place.is_ok()
    }

    /// Whether a group still needs an entry; see [`Group::needs`].
    pub fn is_referenced(&self, id: StreamId) -> bool {
        self.body.groups.iter().any(|group| group.needs(id))
    }

    /// Has all groups forget an entry. Answers whether it was pending in any.
    pub fn drop_references(&mut self, id: StreamId) -> bool {
        let mut was_pending = false;
        for group in &mut self.body.groups {
            was_pending |= group.acknowledge(id);
        }
        was_pending
    }

    /// The ID that a new entry gets.
    pub fn next_id(&self, wanted: NewId, now_ms: u64) -> Result<StreamId, IdError> {
        wanted.after(self.body.facts.last_id, now_ms)
    }

    /// Adds an entry. Answers whether its ID is greater than the last one; otherwise nothing is added.
    pub fn append<'f, I>(&mut self, id: StreamId, fields: I, limit: NodeLimit) -> bool
    where
        I: IntoIterator<Item = (&'f [u8], &'f [u8]), IntoIter: Clone>,
    {
        let (body, fields) = (&mut *self.body, fields.into_iter());
        if id <= body.facts.last_id {
            return false;
        }
        let bytes = fields.clone().map(|(name, value)| name.len() + value.len()).sum();
        match body.nodes.back_mut() {
            Some(node) if limit.accepts(node, bytes) => node.append(id, fields),
            _ => body.nodes.push_back(Node::new(id, fields)),
        }
        body.len += 1;
        body.facts.last_id = id;
        body.facts.entries_added = body.facts.entries_added.wrapping_add(1);
        true
    }

    /// Deletes an entry. Answers whether there was one.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let body = &mut *self.body;
        let deleted = body.remove(id);
        if deleted {
            body.facts.max_deleted_id = body.facts.max_deleted_id.max(id);
        }
        deleted
    }

    /// The entry of an ID.
    pub fn get(&self, id: StreamId) -> Option<StreamEntry<'_>> {
        self.range(id, id).next()
    }

    /// The entries from one ID to another, both included.
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        self.range_in(start, end, false)
    }

    /// The same from the last to the first.
    pub fn range_backwards(&self, start: StreamId, end: StreamId) -> Range<'_> {
        self.range_in(start, end, true)
    }

    fn range_in(&self, start: StreamId, end: StreamId, backwards: bool) -> Range<'_> {
        self.body.range_in(start, end, backwards)
    }
}

impl Body {
    /// Removes an entry. Answers whether there was one.
    fn remove(&mut self, id: StreamId) -> bool {
        let Some(index) = self.node_of(id) else { return false };
        if !self.nodes[index].delete(id) {
            return false;
        }
        if self.nodes[index].live() == 0 {
            self.nodes.remove(index);
        }
        self.len -= 1;
        true
    }

    /// Where in the order of names a group stands, or else would stand.
    fn place_of_group(&self, name: &[u8]) -> Result<usize, usize> {
        self.groups.binary_search_by(|group| group.name().cmp(name))
    }

    fn range_in(&self, start: StreamId, end: StreamId, backwards: bool) -> Range<'_> {
        let first = self.node_of(start).unwrap_or(0);
        let after = self.node_of(end).map_or(0, |last| last + 1);
        let nodes = self.nodes.range(first.min(after)..after);
        Range { nodes, records: None, start, end, backwards }
    }

    /// The index of the node that has or would have an ID.
    fn node_of(&self, id: StreamId) -> Option<usize> {
        match self.nodes.back() {
            // Most IDs asked for are new.
            Some(last) if last.master <= id => Some(self.nodes.len() - 1),
            _ => self.nodes.partition_point(|node| node.master <= id).checked_sub(1),
        }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = StreamEntry<'a>;

    fn next(&mut self) -> Option<StreamEntry<'a>> {
        loop {
            let Some(records) = &mut self.records else {
                let node = if self.backwards { self.nodes.next_back() } else { self.nodes.next() };
                self.records = Some(node?.records()?);
                continue;
            };
            let record = if self.backwards { records.next_back() } else { records.next() };
            let Some(record) = record else {
                self.records = None;
                continue;
            };
            let (before, after) = (record.id < self.start, record.id > self.end);
            if if self.backwards { before } else { after } {
                self.nodes = Default::default();
                self.records = None;
                return None;
            }
            if !before && !after && !record.is_deleted() {
                return Some(StreamEntry { id: record.id, fields: record.fields });
            }
        }
    }
}

#[cfg(test)]
mod tests;
