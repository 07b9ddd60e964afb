//! One number for everything that is stored: equal data give equal digests, however it came to be and however it is
//! encoded. For tests and for comparing a store with its copy; not for security.

use super::{Database, Found, Key, Keyspace, Kind};
use crate::data::{
    containers::{keyed_hash::keyed_hash, listpack::Entry},
    hash::Hash,
    list::List,
    number::Digits,
    set::Set,
    sorted_set::SortedSet,
    stream::{Facts, Group, Stream, StreamId},
};

impl Keyspace {
    /// The digest of the value of a key, whatever the key is called, and of whether it expires; 0 when there is none.
    pub fn digest_of(&mut self, key: Key) -> u64 {
        let Some(found) = self.find(key) else { return 0 };
        let database = self.database();
        let (kind, expires) = (database.kind(found) as u8, database.deadline(found).is_some());
        ordered([&[kind, expires as u8][..], &value(database, found).to_le_bytes()])
    }

    /// The digest of all databases.
    pub fn digest(&self) -> u64 {
        let databases = self.databases.iter().enumerate();
        unordered(databases.map(|(db, database)| {
            let entries = unordered(database.iter().map(|(key, found)| entry(database, key, found)));
            if database.is_empty() { 0 } else { ordered([&db.to_le_bytes()[..], &entries.to_le_bytes()]) }
        }))
    }
}

fn entry(database: &Database, key: &[u8], found: Found) -> u64 {
    let (kind, deadline) = (database.kind(found) as u8, database.deadline(found).unwrap_or_default());
    ordered([key, &[kind], &deadline.to_le_bytes(), &value(database, found).to_le_bytes()])
}

fn value(database: &Database, found: Found) -> u64 {
    let value = match database.kind(found) {
        Kind::String => database.text(found).map(|text| ordered([text.as_bytes(&mut Digits::new())])),
        Kind::List => database.get::<List>(found).map(|list| sequence(list.iter().map(text))),
        Kind::Set => database.get::<Set>(found).map(|set| unordered(set.iter().map(text))),
        Kind::Hash => database.get::<Hash>(found).map(|hash| {
            unordered(
                hash.mortals()
                    .map(|((field, value), at)| sequence([text(field), text(value), at.unwrap_or_default()])),
            )
        }),
        // A listpack does not tell the zeros apart.
        Kind::SortedSet => database.get::<SortedSet>(found).map(|zset| {
            sequence(zset.iter().map(|(member, score)| sequence([text(member), (score + 0.0).to_bits()])))
        }),
        Kind::Stream => database.get::<Stream>(found).map(stream),
    };
    value.unwrap_or_default()
}

fn stream(stream: &Stream) -> u64 {
    let id = |id: StreamId| ordered([&id.to_bytes()[..]]);
    let Facts { last_id, max_deleted_id, entries_added } = stream.facts();
    let entries = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| {
        sequence([
            id(entry.id),
            sequence(entry.fields.map(|(field, value)| sequence([text(field), text(value)]))),
        ])
    });
    let groups = stream.groups().iter().map(group);
    sequence([id(last_id), id(max_deleted_id), entries_added, sequence(entries), sequence(groups)])
}

/// When its consumers were last seen is not part of it: that is when they asked, and not what they have.
fn group(group: &Group) -> u64 {
    let consumers = group.consumers().map(|(_, consumer)| ordered([consumer.name()]));
    let pending = group.pending().iter().map(|(id, delivery)| {
        let owner = ordered([&id.to_bytes()[..], group.consumer(delivery.consumer).name()]);
        sequence([owner, delivery.at_ms, delivery.count])
    });
    let read = group.entries_read.unwrap_or(u64::MAX);
    let position = ordered([group.name(), &group.last_id.to_bytes(), &read.to_le_bytes()]);
    sequence([position, sequence(consumers), sequence(pending)])
}

fn text(entry: Entry) -> u64 {
    ordered([entry.text(&mut Digits::new())])
}

/// Texts in this order.
fn ordered<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> u64 {
    // The hash of each is the seed of the next.
    texts.into_iter().fold(0, keyed_hash)
}

/// Digests in this order.
fn sequence(digests: impl IntoIterator<Item = u64>) -> u64 {
    digests.into_iter().fold(1, |seed, digest| keyed_hash(seed, &digest.to_le_bytes()))
}

/// Digests in any order.
fn unordered(digests: impl Iterator<Item = u64>) -> u64 {
    digests.fold(0, u64::wrapping_add)
}
