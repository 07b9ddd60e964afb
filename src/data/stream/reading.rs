//! Reading as a consumer of a group: which entries are new to the group, and how far behind it is. What is written of an
//! entry, and where, is the caller's business.

use super::{Body, ConsumerIndex, Delivery, Group, Stream, StreamEntry, StreamId};

/// Who reads, and when.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'n> {
    /// The name of the group.
    pub group: &'n [u8],
    /// The consumer in it.
    pub consumer: ConsumerIndex,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
    /// Whether what is read counts as acknowledged.
    pub acknowledges: bool,
}

impl Stream {
    /// Delivers up to `most` entries that are new to a group: `visit` sees each of them. Answers how many.
    pub fn deliver(
        &mut self,
        reader: Reader<'_>,
        most: usize,
        mut visit: impl FnMut(StreamEntry<'_>),
    ) -> usize {
        let Ok(place) = self.body.place_of_group(reader.group) else { return 0 };
        let Some(start) = self.body.groups[place].last_id.next() else { return 0 };
        let mut groups = core::mem::take(&mut self.body.groups);
        let (body, group) = (&*self.body, &mut groups[place]);
        let (mut count, first_id) = (0, body.first_id());
        for entry in body.range_in(start, StreamId::MAX, false).take(most) {
            group.entries_read = match group.entries_read {
                Some(read) if !body.has_deleted_since(entry.id, first_id) => Some(read.wrapping_add(1)),
                read if body.facts.entries_added == 0 => read,
                _ => body.entries_up_to(entry.id, first_id),
            };
            // XGROUP SETID takes no more, and is how other copies of the stream hear of it.
            group.entries_read = group.entries_read.map(|read| read.min(i64::MAX as u64));
            group.last_id = entry.id;
            if !reader.acknowledges {
                let delivery = Delivery { consumer: reader.consumer, at_ms: reader.now_ms, count: 1 };
                group.deliver(entry.id, delivery);
            }
            count += 1;
            visit(entry);
        }
        if count > 0 && !reader.acknowledges {
            group.consumer_mut(reader.consumer).active_ms = Some(reader.now_ms);
        }
        self.body.groups = groups;
        count
    }

    /// Whether there is an entry that is new to a group.
    pub fn has_news_for(&self, group: &Group) -> bool {
        self.last_entry_id().is_some_and(|last| last > group.last_id)
    }

    /// The ID of the last entry, which is not always the last ID.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.last().map(|entry| entry.id)
    }

    /// How many entries were ever added up to an ID, where that follows from what is remembered.
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        self.body.entries_up_to(id, self.body.first_id())
    }

    /// How many entries a group has not read, if that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let (body, first_id) = (&*self.body, self.body.first_id());
        let added = body.facts.entries_added;
        if added == 0 {
            return Some(0);
        }
        let read = group.entries_read.filter(|_| !body.has_deleted_since(group.last_id, first_id));
        let read = read.or_else(|| body.entries_up_to(group.last_id, first_id))?;
        Some(added.wrapping_sub(read) as i64)
    }
}

impl Body {
    /// The ID of the first entry; `0-0` when there is none.
    pub(super) fn first_id(&self) -> StreamId {
        self.range_in(StreamId::MIN, StreamId::MAX, false).next().map_or(StreamId::MIN, |entry| entry.id)
    }

    /// Whether an entry may have been deleted from the middle of what comes from an ID on.
    fn has_deleted_since(&self, id: StreamId, first_id: StreamId) -> bool {
        let deleted = self.facts.max_deleted_id;
        self.len > 0 && deleted != StreamId::MIN && first_id <= deleted && id <= deleted
    }

    /// How many entries were ever added up to an ID, where that follows from what is remembered.
    fn entries_up_to(&self, id: StreamId, first_id: StreamId) -> Option<u64> {
        let added = self.facts.entries_added;
        if added == 0 || id == self.facts.last_id || self.len == 0 && id < self.facts.last_id {
            return Some(added);
        }
        let gone = added.wrapping_sub(self.len);
        let deleted = self.facts.max_deleted_id;
        let is_whole = deleted == StreamId::MIN || deleted < first_id;
        match id.cmp(&first_id) {
            _ if id > self.facts.last_id || !is_whole => None,
            core::cmp::Ordering::Less => Some(gone),
            core::cmp::Ordering::Equal => Some(gone.wrapping_add(1)),
            core::cmp::Ordering::Greater => None,
        }
    }
}
