//! How the databases were at one moment, looked at piece by piece while they go on changing: what a snapshot without a
//! fork needs. Before an entry changes that has not been looked at, a copy is put aside. What is made of the entries is
//! not known here.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use super::{Database, Found, Key, Keyspace, Value};
use crate::data::containers::keyed_hash::keyed_hash;

/// The moment, and how far it has been looked at. Databases are looked at in order, each in hash order.
pub(super) struct Frozen {
    /// The databases of that moment, by their numbers then.
    databases: Vec<Past>,
    /// The one looked at.
    db: usize,
    /// How far it has been.
    cursor: u64,
    /// Copies that nobody has looked at yet.
    kept: Vec<Kept>,
    /// Databases that were emptied and have been looked at.
    finished: Vec<Database>,
}

/// A database of the past.
struct Past {
    place: Place,
    /// Keys that are not to be looked at where they are: a copy was put aside, or they are new.
    /// Every write asks, and they may be millions.
    left_out: BTreeSet<Box<[u8]>>,
}

/// Where a database of the past is.
enum Place {
    /// Under this number.
    Here(usize),
    /// Nowhere else any more: it was emptied.
    Gone(Box<Database>),
}

/// An entry as it was before it changed.
struct Kept {
    db: usize,
    key: Box<[u8]>,
    value: Value,
    deadline: Option<u64>,
    clock: u32,
}

/// An entry as it was.
pub struct Seen<'a> {
    /// The number that its database had.
    pub db: usize,
    /// Its key.
    pub key: &'a [u8],
    /// What it held.
    pub value: Held<'a>,
    /// When it expires.
    pub deadline: Option<u64>,
    /// Its access clock.
    pub clock: u32,
}

/// What an entry holds, wherever that is.
#[derive(Clone, Copy)]
pub enum Held<'a> {
    /// In its database still.
    Entry(&'a Database, Found),
    /// In a copy.
    Copy(&'a Value),
}

impl Keyspace {
    /// Begins to look at how the databases are at this moment.
    pub fn freeze(&mut self) {
        self.frozen = Some(Box::new(Frozen::new(self.databases.len())));
    }

    /// Looks at about `count` more entries as they were when [`Keyspace::freeze`] was called; false when all have been looked
    /// at.
    pub fn look_at_frozen(&mut self, count: usize, see: impl FnMut(Seen<'_>)) -> bool {
        let Keyspace { frozen: Some(frozen), databases, seed, .. } = self else { return false };
        let more = frozen.look(databases, count, |key| keyed_hash(*seed, key), see);
        if let Some(database) = frozen.finished.pop() {
            self.free_database(database);
        }
        more
    }

    /// Looks no more.
    pub fn thaw(&mut self) {
        let Some(frozen) = self.frozen.take() else { return };
        for past in frozen.databases {
            if let Place::Gone(database) = past.place {
                self.free_database(*database);
            }
        }
        frozen.finished.into_iter().for_each(|database| self.free_database(database));
    }

    /// An entry is about to change.
    #[inline]
    pub(super) fn about_to_change(&mut self, found: Found) {
        if let Some(frozen) = &mut self.frozen {
            frozen.keep(&self.databases, self.selected, found);
        }
    }

    /// A key is about to be set, whether it is there or not.
    #[inline(never)]
    pub(super) fn about_to_set(&mut self, hash: u64, key: Key) {
        match self.database().find(hash, key.0) {
            Some(found) => self.about_to_change(found),
            None => {
                if let Some(frozen) = &mut self.frozen {
                    frozen.come(self.selected, hash, key.0);
                }
            }
        }
    }
}

impl Frozen {
    pub fn new(databases: usize) -> Self {
        let past = |db| Past { place: Place::Here(db), left_out: BTreeSet::new() };
        Frozen {
            databases: (0..databases).map(past).collect(),
            db: 0,
            cursor: 0,
            kept: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Puts a copy of an entry aside that is about to change, unless it was looked at or put aside already.
    pub fn keep(&mut self, databases: &[Database], now: usize, found: Found) {
        let database = &databases[now];
        let key = database.key(found);
        let Some(db) = self.leave_out(now, found.hash, key) else { return };
        self.kept.push(Kept {
            db,
            key: key.into(),
            value: database.copy(found),
            deadline: database.deadline(found),
            clock: database.clock(found),
        });
    }

    /// A key comes into being that may have been there before.
    pub fn come(&mut self, now: usize, hash: u64, key: &[u8]) {
        self.leave_out(now, hash, key);
    }

    /// A database is emptied. It comes back if nobody will look at it.
    pub fn flushed(&mut self, now: usize, database: Database) -> Option<Database> {
        let Some(db) = self.number_then(now) else { return Some(database) };
        self.databases[db].place = Place::Gone(Box::new(database));
        None
    }

    /// Two databases change places.
    pub fn swapped(&mut self, a: usize, b: usize) {
        for past in &mut self.databases {
            past.place = match core::mem::replace(&mut past.place, Place::Here(a)) {
                Place::Here(db) if db == a => Place::Here(b),
                Place::Here(db) if db == b => Place::Here(a),
                place => place,
            };
        }
    }

    /// Looks at what was put aside and at about `count` more entries; false when all have been looked at.
    pub fn look(
        &mut self,
        databases: &[Database],
        count: usize,
        hash_of: impl Fn(&[u8]) -> u64,
        mut see: impl FnMut(Seen<'_>),
    ) -> bool {
        for Kept { db, key, value, deadline, clock } in self.kept.drain(..) {
            see(Seen { db, key: &key, value: Held::Copy(&value), deadline, clock });
        }
        let Some(past) = self.databases.get_mut(self.db) else { return false };
        let database = match &past.place {
            Place::Here(db) => &databases[*db],
            Place::Gone(database) => database,
        };
        let db = self.db;
        self.cursor = database.scan(self.cursor, count, hash_of, |key, found| {
            if !past.left_out.remove(key) {
                let (deadline, clock) = (database.deadline(found), database.clock(found));
                see(Seen { db, key, value: Held::Entry(database, found), deadline, clock });
            }
        });
        if self.cursor == 0 {
            // What is left of it is not needed any more, and may be much.
            past.left_out = BTreeSet::new();
            if let Place::Gone(database) = core::mem::replace(&mut past.place, Place::Gone(Box::default())) {
                self.finished.push(*database);
            }
            self.db += 1;
        }
        self.db < self.databases.len()
    }

    /// Has a key not be looked at where it is. The number that its database had, unless it was looked at or left out
    /// already.
    fn leave_out(&mut self, now: usize, hash: u64, key: &[u8]) -> Option<usize> {
        let db = self.number_then(now)?;
        let was_seen = db < self.db || (db == self.db && Database::is_before(hash, self.cursor));
        (!was_seen && self.databases[db].left_out.insert(key.into())).then_some(db)
    }

    /// The number that a database had, unless it was empty or has been looked at.
    fn number_then(&self, now: usize) -> Option<usize> {
        self.databases.iter().position(|past| matches!(past.place, Place::Here(db) if db == now))
    }
}
