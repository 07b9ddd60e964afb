//! Entries that come many at once, as out of a file: the places of several are looked up together, so that the processor fetches
//! them at the same time, and there is room for all before they come. Nobody is told of them.

use alloc::borrow::Cow;

use super::{Event, Key, Keyspace, Value};
use crate::data::containers::keyed_hash::keyed_hash;

/// Entries that are looked up together.
pub const TOGETHER: usize = 16;

/// An entry that comes.
pub struct Arrival<'b> {
    /// The number of its database.
    pub db: usize,
    /// Its key.
    pub key: Cow<'b, [u8]>,
    /// What it holds.
    pub content: Content<'b>,
    /// When it expires.
    pub deadline: Option<u64>,
    /// For how many seconds nobody has accessed it, if that is known.
    pub idle: Option<u32>,
}

/// What an entry holds that comes.
pub enum Content<'b> {
    /// A text that is no number.
    Text(Cow<'b, [u8]>),
    /// Something else.
    Value(Value),
}

impl Keyspace {
    /// Makes room in a database for as many keys as somebody says will come, step by step, as that may be a lie.
    pub fn expect(&mut self, db: usize, keys: usize) {
        let seed = self.seed;
        self.databases[db].expect(keys, |key| keyed_hash(seed, key));
    }

    /// Puts at most [`TOGETHER`] entries into their databases, up to the first whose key is there already: its place is the error.
    pub fn insert_all<'b>(
        &mut self,
        arrivals: impl ExactSizeIterator<Item = Arrival<'b>> + AsRef<[Arrival<'b>]>,
    ) -> Result<(), usize> {
        let mut hashes = [0; TOGETHER];
        let coming = arrivals.as_ref();
        for (hash, arrival) in hashes.iter_mut().zip(coming) {
            *hash = self.hash(&arrival.key);
        }
        let is_there = |(index, arrival): (usize, &Arrival<'b>)| {
            let same = |before: &usize| {
                hashes[*before] == hashes[index]
                    && (coming[*before].db, &coming[*before].key) == (arrival.db, &arrival.key)
            };
            self.databases[arrival.db].find(hashes[index], &arrival.key).is_some()
                || (0..index).any(|before| same(&before))
        };
        // All of them, whether one is there or not, so that no one waits for the one before.
        let there = coming.iter().enumerate().map(is_there).enumerate();
        let first = there.fold(None, |first, (index, is_there)| first.or(is_there.then_some(index)));
        let len = first.unwrap_or(coming.len());
        for (arrival, hash) in arrivals.take(len).zip(hashes) {
            self.arrive(arrival, hash);
        }
        first.map_or(Ok(()), Err)
    }

    /// Removes what is there under the key of an entry that comes.
    pub fn make_way(&mut self, arrival: &Arrival<'_>) {
        self.select(arrival.db);
        if let Some(found) = self.find(Key(&arrival.key)) {
            self.remove(found);
        }
    }

    fn arrive(&mut self, arrival: Arrival<'_>, hash: u64) {
        let Arrival { db, key, content, deadline, idle } = arrival;
        self.select(db);
        self.effects.touch(db, &key, Event::New);
        let found = match content {
            Content::Value(value) => self.place(Key(&key), value, deadline, None),
            Content::Text(text) => {
                self.soonest = self.soonest.min(deadline.unwrap_or(u64::MAX));
                if let Some(frozen) = &mut self.frozen {
                    frozen.come(db, hash, &key);
                }
                let seed = self.seed;
                let database = &mut self.databases[db];
                let found = database.insert_text(hash, &key, &text, deadline, |key| keyed_hash(seed, key));
                self.set_used(found, None);
                found
            }
        };
        if let Some(seconds) = idle {
            self.set_idle_seconds(found, seconds);
        }
    }
}
