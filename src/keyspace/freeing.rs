//! Large values and databases that nobody can reach any more, freed a slice at a time so that nobody waits for all of it.
//! It decides what is large and how much is done at once; how to take itself apart is for each structure to know.

use alloc::{boxed::Box, collections::VecDeque};
use core::mem;

use super::{Database, Value};

/// What is still to be freed. What is small never comes here.
#[derive(Default)]
pub struct Freeing {
    queue: VecDeque<Remains>,
    /// Keys of databases that are still to be freed.
    keys: usize,
    freed: u64,
}

/// Something that is to be freed.
enum Remains {
    Value(Value),
    Database(Box<Database>),
}

/// From how many parts on (see `Entries::parts`) a value is large, as in Redis.
pub(super) const LARGE: usize = 64;
/// Pieces freed in one slice: about a megabyte.
const PIECES: usize = 16;
/// How much of a long text is a piece.
const TEXT_PIECE: usize = 1 << 16;

impl Freeing {
    /// Whether nothing is left to free.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many values are still to be freed, those of flushed databases included.
    pub fn pending(&self) -> usize {
        let values = self.queue.iter().filter(|it| matches!(it, Remains::Value(_))).count();
        values + self.keys
    }

    /// How many large values and keys of flushed databases were freed.
    pub fn freed(&self) -> u64 {
        self.freed
    }

    /// Counts from zero again.
    pub fn reset_freed(&mut self) {
        self.freed = 0;
    }

    /// Takes over a large value.
    pub(super) fn add_value(&mut self, value: Value) {
        self.queue.push_back(Remains::Value(value));
    }

    /// Takes over a database.
    pub(super) fn add_database(&mut self, database: Database) {
        self.keys += database.len();
        self.queue.push_back(Remains::Database(Box::new(database)));
    }

    /// Frees a slice.
    pub fn work(&mut self) {
        let mut left = PIECES;
        while left > 0
            && let Some(remains) = self.queue.pop_front()
        {
            left = left.saturating_sub(match remains {
                Remains::Value(value) => self.work_on_value(value),
                Remains::Database(database) => self.work_on_database(database),
            });
        }
        // Room for a long queue is given back with its last value.
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// Frees a piece of a value; how many pieces it counts for.
    fn work_on_value(&mut self, mut value: Value) -> usize {
        if free_piece_of(&mut value) {
            self.queue.push_front(Remains::Value(value));
        } else {
            self.freed += 1;
        }
        1
    }

    /// Frees some keys of a database; how many pieces they count for. Their large values are then values like others.
    fn work_on_database(&mut self, mut database: Box<Database>) -> usize {
        /// A thousand keys, each in a record and perhaps an allocation of its own.
        const PIECES_OF_KEYS: usize = PIECES / 2;
        let (before, mut large) = (database.len(), 0);
        let goes_on = database.free_piece(|value| {
            large += 1;
            self.queue.push_back(Remains::Value(value));
        });
        let gone = before - database.len();
        self.keys -= gone;
        self.freed += (gone - large) as u64;
        if goes_on {
            self.queue.push_front(Remains::Database(database));
        }
        PIECES_OF_KEYS
    }
}

fn free_piece_of(value: &mut Value) -> bool {
    match value {
        Value::Text(text) if text.len() > TEXT_PIECE => {
            text.truncate(text.len() - TEXT_PIECE);
            text.shrink_to_fit();
            true
        }
        Value::List(list) => list.free_piece(),
        Value::Set(set) => set.free_piece(),
        Value::SortedSet(sorted_set) => sorted_set.free_piece(),
        Value::Hash(hash) => hash.free_piece(),
        Value::Int(_) | Value::Text(_) | Value::Stream(_) => false,
    }
}

impl super::Keyspace {
    /// Frees a slice of what was deleted, if anything waits for that.
    #[inline]
    pub fn free_slice(&mut self) {
        if !self.freeing.is_done() {
            self.freeing.work();
        }
    }

    /// Removes every key of a database; the number of keys it had.
    pub fn flush(&mut self, db: usize) -> usize {
        let database = mem::take(&mut self.databases[db]);
        let len = database.len();
        let unseen = match &mut self.frozen {
            Some(frozen) => frozen.flushed(db, database),
            None => Some(database),
        };
        if let Some(database) = unseen {
            self.free_database(database);
        }
        len
    }

    /// Frees a database that nobody can reach any more.
    pub(super) fn free_database(&mut self, mut database: Database) {
        if database.len() > LARGE {
            self.freeing.add_database(database);
        } else {
            while database.free_piece(|value| self.freeing.add_value(value)) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, Keyspace};
    use super::*;
    use crate::data::{hash::Hash, list::List, list::NodeLimit, list::Side, set::Set, sorted_set::SortedSet};
    use alloc::format;

    const MANY: usize = 20_000;

    fn fill(keyspace: &mut Keyspace) {
        let limits = keyspace.limits.clone();
        let limit = NodeLimit::new(limits.list_max_listpack_size);
        let (mut list, mut set, mut hash, mut sorted_set) =
            (List::new(), Set::new(), Hash::new(), SortedSet::new());
        for i in 0..MANY {
            let text = format!("{i:0width$}", width = if i % 1000 == 0 { 3000 } else { 12 });
            (0..4).for_each(|_| list.push(Side::Back, text.as_bytes(), limit));
            set.add(text.as_bytes(), &limits);
            hash.set(text.as_bytes(), b"value", &limits);
            sorted_set.insert(text.as_bytes(), i as f64, &limits);
        }
        keyspace.put(Key(b"list"), Value::List(list), None);
        keyspace.put(Key(b"set"), Value::Set(set), None);
        keyspace.put(Key(b"hash"), Value::Hash(hash), Some(1000));
        keyspace.put(Key(b"zset"), Value::SortedSet(sorted_set), None);
        keyspace.set_text(Key(b"text"), &[b'x'; 40 * TEXT_PIECE], None);
    }

    fn slices(keyspace: &mut Keyspace) -> usize {
        (1..)
            .find(|_| {
                keyspace.free_slice();
                keyspace.freeing.is_done()
            })
            .unwrap_or_default()
    }

    #[test]
    fn large_values_go_slice_by_slice_however_they_were_lost() {
        let mut keyspace = Keyspace::new(1, 1);
        fill(&mut keyspace);
        assert!(keyspace.delete(Key(b"list")));
        keyspace.set_text(Key(b"set"), b"overwritten", None);
        keyspace.set_now(1000);
        assert!(keyspace.expire_due(10));
        keyspace.put(Key(b"zset"), Value::Int(1), None);
        keyspace.set_text(Key(b"text"), b"short", None);
        assert_eq!((keyspace.freeing.pending(), keyspace.freeing.freed()), (5, 0));
        assert!(slices(&mut keyspace) > 5);
        assert_eq!((keyspace.freeing.pending(), keyspace.freeing.freed()), (0, 5));
        keyspace.delete(Key(b"zset"));
        assert!(keyspace.freeing.is_done(), "what is small goes at once");
        keyspace.check();
    }

    #[test]
    fn a_database_goes_with_all_it_holds() {
        let mut keyspace = Keyspace::new(1, 1);
        fill(&mut keyspace);
        for i in 0..MANY {
            keyspace.set_text(Key(format!("key:{i}").as_bytes()), b"text", Some(5000 + i as u64));
        }
        assert_eq!(keyspace.flush(0), MANY + 5);
        assert_eq!(keyspace.database().len(), 0);
        assert_eq!(keyspace.freeing.pending(), MANY + 5);
        fill(&mut keyspace);
        assert!(slices(&mut keyspace) > 5);
        assert_eq!((keyspace.freeing.pending(), keyspace.freeing.freed()), (0, MANY as u64 + 5));
        keyspace.check();
    }
}
