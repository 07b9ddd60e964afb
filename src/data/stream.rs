//! The stream: entries of ascending IDs in nodes of a hundred or so, each a listpack in the bytes of Redis. Adds at the
//! end, trims at the front, reads ranges either way. It knows neither the time nor who waits for entries; consumer
//! groups will stand beside the entries and refer to them by ID.

mod id;
mod node;

pub use id::{BoundError, NewId, StreamId};
pub use node::Fields;

use crate::data::containers::listpack::{self, Listpack};
use alloc::boxed::Box;
use alloc::collections::{VecDeque, vec_deque};
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

/// Why an entry cannot have the ID it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// It is `0-0`.
    Zero,
    /// It is not greater than the last ID.
    NotGreater,
    /// The last ID is the greatest there is.
    Exhausted,
}

/// What trimming keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last entries, as many as this.
    Last(u64),
    /// Entries from this ID on.
    From(StreamId),
}

/// How exact trimming is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Exactly as told.
    Exact,
    /// Whole nodes only, and no more entries than this, unless it is 0.
    Nodes {
        /// The most entries to remove.
        most: u64,
    },
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
        in_order.then(|| Stream { body: Box::new(Body { nodes: checked, len, facts }) })
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
        size_of::<Body>() + self.body.nodes.capacity() * size_of::<Node>() + listpacks
    }

    /// The ID that a new entry gets.
    pub fn next_id(&self, wanted: NewId, now_ms: u64) -> Result<StreamId, IdError> {
        let last = self.body.facts.last_id;
        let id = match wanted {
            NewId::Exact(StreamId::MIN) => return Err(IdError::Zero),
            _ if last == StreamId::MAX => return Err(IdError::Exhausted),
            NewId::Exact(id) => id,
            NewId::Auto if now_ms > last.ms => StreamId::new(now_ms, 0),
            NewId::Auto => last.next().ok_or(IdError::Exhausted)?,
            NewId::Within(ms) if ms == last.ms => {
                StreamId::new(ms, last.seq.checked_add(1).ok_or(IdError::NotGreater)?)
            }
            NewId::Within(ms) => StreamId::new(ms, 0),
        };
        if id > last { Ok(id) } else { Err(IdError::NotGreater) }
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
        let Some(index) = body.node_of(id) else { return false };
        if !body.nodes[index].delete(id) {
            return false;
        }
        if body.nodes[index].live() == 0 {
            body.nodes.remove(index);
        }
        body.len -= 1;
        body.facts.max_deleted_id = body.facts.max_deleted_id.max(id);
        true
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
        let first = self.body.node_of(start).unwrap_or(0);
        let after = self.body.node_of(end).map_or(0, |last| last + 1);
        let nodes = self.body.nodes.range(first.min(after)..after);
        Range { nodes, records: None, start, end, backwards }
    }

    /// Removes entries at the front. Answers how many.
    pub fn trim(&mut self, keep: Keep, precision: Precision) -> u64 {
        let body = &mut *self.body;
        let before = body.len;
        while let Some(node) = body.nodes.front_mut() {
            let live = node.live() as u64;
            let removed = before - body.len;
            let too_many = match keep {
                Keep::Last(most) if body.len <= most => break,
                Keep::Last(most) => body.len - most,
                Keep::From(_) => u64::MAX,
            };
            if let Precision::Nodes { most } = precision
                && most > 0
                && removed + live > most
            {
                break;
            }
            let whole = match keep {
                Keep::Last(_) => live <= too_many,
                Keep::From(first) => node.last_id() < first,
            };
            if whole {
                body.nodes.pop_front();
                body.len -= live;
                continue;
            }
            if precision == Precision::Exact {
                let last = match keep {
                    Keep::Last(_) => Some(StreamId::MAX),
                    Keep::From(first) => first.previous(),
                };
                let most = usize::try_from(too_many).unwrap_or(usize::MAX);
                body.len -= last.map_or(0, |last| node.delete_through(last, most)) as u64;
                if node.live() == 0 {
                    body.nodes.pop_front();
                }
            }
            break;
        }
        if body.nodes.capacity() > 32 && body.nodes.len() < body.nodes.capacity() / 4 {
            body.nodes.shrink_to(body.nodes.len() * 2);
        }
        before - body.len
    }
}

impl Body {
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
