//! Where values live: the databases, and the one way in and out of them. It knows keys, deadlines and kinds of values,
//! and records every change in [`Effects`]; it knows no commands, clients or clock (the time is set before each unit).

pub mod arriving;
mod database;
mod digest;
pub mod effects;
mod event;
mod eviction;
mod freeing;
mod frozen;
mod random;
mod wait;
mod writing;

use alloc::{boxed::Box, vec::Vec};

pub use crate::data::containers::entry::{Collection, Kind, Text, Value};
pub use database::{Database, Found};
pub use effects::{Effects, Sweep, Touch};
pub use event::{Class, Event};
pub use eviction::{Eviction, Measure, Policy};
pub use freeing::Freeing;
pub use frozen::{Held, Seen};
pub use random::Random;
pub use wait::Wait;
pub use writing::Writing;

use frozen::Frozen;

use crate::{
    Error, Result,
    data::{
        containers::keyed_hash::keyed_hash,
        hash::Hash,
        limits::Limits,
        number::{Digits, write_i64},
    },
};

/// From how many keys on the entries of a database are fetched before they are needed.
const PREFETCHED_LEN: usize = 4096;

/// The name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a>(pub &'a [u8]);

/// Bits of the access clock.
const CLOCK_MASK: u32 = 0xff_ffff;

/// Hits and misses of reads, and keys that expired: what INFO stats reports of the keyspace.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Counters {
    pub hits: u64,
    pub misses: u64,
    pub expired: u64,
    pub expired_fields: u64,
    pub evicted: u64,
}

/// Every database, and what a command on values may see and do.
pub struct Keyspace {
    databases: Vec<Database>,
    selected: usize,
    /// What the hash of every key begins with.
    seed: u64,
    /// What the current unit has done.
    pub effects: Effects,
    /// Limits of the small encodings.
    pub limits: Limits,
    /// Chance from the engine's seed.
    pub random: Random,
    /// What was deleted and is still to be freed.
    pub freeing: Freeing,
    /// What INFO counts.
    pub counters: Counters,
    /// The longest text, in bytes.
    pub text_max: usize,
    /// Whether OBJECT REFCOUNT says that small integers are shared. Redis does not share them when each needs an access clock.
    pub shares_integers: bool,
    /// How keys are chosen when memory runs out.
    eviction: Eviction,
    /// Keys that are likely to be evicted next.
    pool: eviction::Pool,
    /// The database of which a key was evicted last by chance.
    evicted_last: usize,
    /// Whether looking at keys leaves their access clocks alone (CLIENT NO-TOUCH).
    pub keeps_clocks: bool,
    /// Whether keys past their deadline stay where they are, unseen (CLIENT PAUSE). Nothing may be written meanwhile.
    pub keeps_expired: bool,
    /// What the running command waits for, if it has no answer yet.
    pub wait: Option<Wait>,
    /// A moment that is being looked at.
    frozen: Option<Box<Frozen>>,
    /// No key expires earlier; the next may expire later, as this stays when its key goes.
    soonest: u64,
    /// The same of the fields of hashes.
    soonest_field: u64,
    /// Deadlines up to here have passed.
    now_ms: u64,
    /// The time that commands see: the same, but while a log is replayed.
    told_ms: u64,
    /// What the access clock of a new entry shows, kept so that no read divides.
    clock: u32,
}

impl Keyspace {
    /// `count` empty databases.
    pub fn new(count: usize, seed: u64) -> Keyspace {
        let mut random = Random::new(seed);
        let limits = Limits { seed: random.next(), ..Limits::default() };
        Keyspace {
            databases: (0..count).map(|_| Database::default()).collect(),
            selected: 0,
            seed: random.next(),
            effects: Effects::default(),
            limits,
            random,
            freeing: Freeing::default(),
            counters: Counters::default(),
            text_max: 512 << 20,
            shares_integers: true,
            eviction: Eviction::default(),
            pool: Default::default(),
            evicted_last: 0,
            keeps_clocks: false,
            keeps_expired: false,
            wait: None,
            frozen: None,
            soonest: u64::MAX,
            soonest_field: u64::MAX,
            now_ms: 0,
            told_ms: 0,
            clock: 0,
        }
    }

    /// Starts a unit of work: time stands still until the next.
    #[inline(always)]
    pub fn set_now(&mut self, now_ms: u64) {
        if now_ms != self.now_ms {
            self.now_ms = now_ms;
            self.told_ms = now_ms;
            self.clock = self.eviction.clock(now_ms);
        }
    }

    /// The time of this unit, in milliseconds since 1970.
    #[inline(always)]
    #[allow(clippy::misnamed_getters, reason = "while a log is replayed, deadlines know another time")]
    pub fn now_ms(&self) -> u64 {
        self.told_ms
    }

    /// Up to when deadlines have passed.
    pub fn passed_ms(&self) -> u64 {
        self.now_ms
    }

    /// Starts a unit of work in which no deadline passes, whatever time it is: what a log tells happened before they did.
    pub fn stand_still(&mut self, now_ms: u64) {
        self.set_now(now_ms);
        self.now_ms = 0;
    }

    /// An empty keyspace that can take the place of this one.
    pub fn beside(&self) -> Keyspace {
        let mut beside = Keyspace::new(self.databases.len(), 0);
        (beside.seed, beside.limits, beside.text_max) = (self.seed, self.limits.clone(), self.text_max);
        beside.shares_integers = self.shares_integers;
        beside.set_eviction(self.eviction.clone());
        beside
    }

    /// Has what is in another keyspace, made by [`Keyspace::beside`], take the place of what is here.
    pub fn take_over(&mut self, other: Keyspace) {
        debug_assert_eq!(self.seed, other.seed, "keys are found by their hashes");
        for (db, database) in other.databases.into_iter().enumerate() {
            self.flush(db);
            self.databases[db] = database;
        }
        self.soonest = self.soonest.min(other.soonest);
        self.soonest_field = self.soonest_field.min(other.soonest_field);
    }

    /// Works on another database from now on.
    #[inline(always)]
    pub fn select(&mut self, db: usize) {
        self.selected = db;
    }

    /// The number of the database worked on.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// How many databases there are.
    pub fn count(&self) -> usize {
        self.databases.len()
    }

    /// The database worked on.
    #[inline(always)]
    pub fn database(&self) -> &Database {
        &self.databases[self.selected]
    }

    /// The database worked on, with the chance that picks from it.
    pub fn with_random(&mut self) -> (&Database, &mut Random) {
        (&self.databases[self.selected], &mut self.random)
    }

    #[inline(always)]
    fn database_mut(&mut self) -> &mut Database {
        &mut self.databases[self.selected]
    }

    /// Every database, by number.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// Bytes reserved for entries and not used by any.
    pub fn slack(&self) -> usize {
        self.databases.iter().map(Database::slack).sum()
    }

    /// The hash of a key.
    #[inline(always)]
    pub fn hash(&self, key: &[u8]) -> u64 {
        keyed_hash(self.seed, key)
    }

    /// Finds a key for a change. A key past its deadline is removed on the way.
    #[inline]
    pub fn find(&mut self, key: Key) -> Option<Found> {
        let hash = self.hash(key.0);
        let found = self.database().find(hash, key.0)?;
        match self.database().deadline(found) {
            Some(at) if at <= self.now_ms => {
                self.expire(found);
                None
            }
            _ => self.without_dead_fields(found),
        }
    }

    /// Has the processor fetch what finding a key will look at. `key` may be any bytes.
    #[inline]
    pub fn prefetch(&self, key: &[u8]) {
        let database = self.database();
        // What is small is near already.
        if database.len() >= PREFETCHED_LEN {
            database.prefetch(self.hash(key));
        }
    }

    /// Has the processor fetch the members or fields that requests of these words look for in what their first keys
    /// hold. The words may be any.
    pub fn prefetch_members<'a>(&self, requests: impl Iterator<Item = &'a [&'a [u8]]>) {
        let database = self.database();
        let mut last: Option<(&[u8], Option<Found>)> = None;
        for words in requests {
            let &([_, key, first, .., behind] | [_, key, first @ behind]) = words else { continue };
            let found = match last {
                Some((same, found)) if same == key => found,
                _ => database.find(self.hash(key), key),
            };
            last = Some((key, found));
            // The member of a sorted set stands behind its score, if there is one.
            if let Some(found) = found {
                database.prefetch_member(found, first, behind);
            }
        }
    }

    /// Whether a database has a key. Unlike [`Keyspace::find`], it leaves one past its deadline where it is.
    pub fn contains(&self, db: usize, key: &[u8]) -> bool {
        let database = &self.databases[db];
        database.find(self.hash(key), key).is_some_and(|found| self.is_alive(database, found))
    }

    /// The kind of value that a key of a database has.
    pub fn kind_of(&self, db: usize, key: &[u8]) -> Option<Kind> {
        let database = &self.databases[db];
        let found = database.find(self.hash(key), key).filter(|&found| self.is_alive(database, found))?;
        Some(database.kind(found))
    }

    /// Whether an entry has not expired.
    pub fn is_alive(&self, database: &Database, found: Found) -> bool {
        database.deadline(found).is_none_or(|at| at > self.now_ms)
    }

    /// Finds a key for a look at its name or deadline, which counts as a hit or a miss but not as an access.
    #[inline]
    pub fn peek(&mut self, key: Key) -> Option<Found> {
        let found = self.find(key);
        match found {
            Some(_) => self.counters.hits += 1,
            None => self.missed(key),
        }
        found
    }

    /// Finds a key for a read, which counts as a hit or a miss and as an access.
    #[inline]
    pub fn look_up(&mut self, key: Key) -> Option<Found> {
        let found = self.reach(key);
        match found {
            Some(_) => self.counters.hits += 1,
            None => self.missed(key),
        }
        found
    }

    /// Finds a key as an access. A key past its deadline is removed on the way.
    #[inline]
    fn reach(&mut self, key: Key) -> Option<Found> {
        let hash = self.hash(key.0);
        let counts = self.eviction.counts_uses();
        let (now_ms, clock) = (self.now_ms, (!self.keeps_clocks && !counts).then_some(self.clock));
        let database = self.database_mut();
        let found = database.find(hash, key.0)?;
        if database.touch(found, now_ms, clock) {
            if counts && !self.keeps_clocks {
                self.access(found);
            }
            return self.without_dead_fields(found);
        }
        self.expire(found);
        None
    }

    fn missed(&mut self, key: Key) {
        self.counters.misses += 1;
        self.effects.touch(self.selected, key.0, Event::KeyMiss);
    }

    /// Sets the access clock of an entry to now.
    #[inline]
    pub fn access(&mut self, found: Found) {
        let old = self.database().clock(found);
        self.set_used(found, Some(old));
    }

    /// What the access clock says now.
    pub fn clock(&self) -> u32 {
        self.clock
    }

    /// Has an entry count as not accessed for some seconds.
    pub fn set_idle_seconds(&mut self, found: Found, seconds: u32) {
        // Under LFU nobody asks for that, and the clock says something else.
        if !self.eviction.counts_uses() {
            let clock = self.clock.wrapping_sub(seconds) & CLOCK_MASK;
            self.database_mut().set_clock(found, clock);
        }
    }

    /// Has an entry count as accessed so often.
    pub fn set_frequency(&mut self, found: Found, counter: u8) {
        if self.eviction.counts_uses() {
            let clock = self.clock & !0xff | u32::from(counter);
            self.database_mut().set_clock(found, clock);
        }
    }

    /// For how many seconds an entry has not been accessed.
    pub fn idle_seconds(&self, found: Found) -> u32 {
        self.clock.wrapping_sub(self.database().clock(found)) & CLOCK_MASK
    }

    /// The collection under `key`, to be read.
    #[inline]
    pub fn read<T: Collection>(&mut self, key: Key) -> Result<Option<&T>> {
        match self.look_up(key) {
            None => Ok(None),
            Some(found) => self.database().get(found).ok_or(Error::WrongType).map(Some),
        }
    }

    /// The text under `key`, to be read.
    #[inline]
    pub fn read_text(&mut self, key: Key) -> Result<Option<Text<'_>>> {
        match self.look_up(key) {
            None => Ok(None),
            Some(found) => self.database().text(found).ok_or(Error::WrongType).map(Some),
        }
    }

    /// The collection under `key`, to be changed, if there is one.
    pub fn write<T: Collection>(&mut self, key: Key) -> Result<Option<Writing<'_, T>>> {
        self.reach(key).map(|found| self.open(found)).transpose()
    }

    /// The collection under `key`, to be changed; a new one when the key is free.
    pub fn write_or_create<T: Collection + Default>(&mut self, key: Key) -> Result<Writing<'_, T>> {
        match self.reach(key) {
            Some(found) => self.open(found),
            None => {
                let found = self.insert(key, T::default().into_value(), None);
                Ok(Writing::new(self, found, false))
            }
        }
    }

    fn open<T: Collection>(&mut self, found: Found) -> Result<Writing<'_, T>> {
        if self.database().kind(found) != T::KIND {
            return Err(Error::WrongType);
        }
        self.about_to_change(found);
        Ok(Writing::new(self, found, true))
    }

    /// Sets `key` to a text, whatever it held.
    #[inline]
    pub fn set_text(&mut self, key: Key, text: &[u8], deadline: Option<u64>) {
        self.soonest = self.soonest.min(deadline.unwrap_or(u64::MAX));
        let hash = self.hash(key.0);
        if self.frozen.is_some() {
            self.about_to_set(hash, key);
        }
        let Keyspace { databases, selected, seed, effects, freeing, .. } = self;
        let database = &mut databases[*selected];
        let old = database.find(hash, key.0);
        let clock = old.map(|found| database.clock(found));
        let found = match old {
            Some(found) => database.replace_text(found, text, deadline, |large| freeing.add_value(large)),
            None => {
                effects.touch(*selected, key.0, Event::New);
                database.insert_text(hash, key.0, text, deadline, |key| keyed_hash(*seed, key))
            }
        };
        self.set_used(found, clock);
    }

    /// Puts a value under a key that `find` did not find.
    pub fn insert(&mut self, key: Key, value: Value, deadline: Option<u64>) -> Found {
        self.effects.touch(self.selected, key.0, Event::New);
        self.place(key, value, deadline, None)
    }

    /// Puts a value under a key that is free; `clock` is the access clock of what was there.
    fn place(&mut self, key: Key, value: Value, deadline: Option<u64>, clock: Option<u32>) -> Found {
        self.soonest = self.soonest.min(deadline.unwrap_or(u64::MAX));
        if let Value::Hash(hash) = &value {
            self.soonest_field = self.soonest_field.min(hash.first_deadline().unwrap_or(u64::MAX));
        }
        let hash = self.hash(key.0);
        if let Some(frozen) = &mut self.frozen {
            frozen.come(self.selected, hash, key.0);
        }
        let Keyspace { databases, selected, seed, .. } = self;
        let found = databases[*selected].insert(hash, key.0, value, deadline, |key| keyed_hash(*seed, key));
        self.set_used(found, clock);
        found
    }

    /// Puts a value under `key`, whatever was there. The key is new only if nothing was.
    pub fn put(&mut self, key: Key, value: Value, deadline: Option<u64>) -> Found {
        match self.find(key) {
            Some(found) => {
                let clock = self.database().clock(found);
                self.remove(found);
                self.place(key, value, deadline, Some(clock))
            }
            None => self.insert(key, value, deadline),
        }
    }

    /// Sets the number of a string that holds one; false if it does not.
    pub fn overwrite_int(&mut self, found: Found, n: i64) -> bool {
        self.about_to_change(found);
        self.database_mut().overwrite_int(found, n)
    }

    /// Opens the text of a string entry for changes, at least `len` bytes long and filled up with zeros.
    pub fn edit_text(&mut self, found: Found, len: usize) -> &mut [u8] {
        self.about_to_change(found);
        let found = self.database_mut().grow_text(found, len);
        self.database_mut().text_mut(found)
    }

    /// Sets or clears a deadline.
    pub fn set_deadline(&mut self, found: Found, deadline: Option<u64>) {
        self.about_to_change(found);
        self.soonest = self.soonest.min(deadline.unwrap_or(u64::MAX));
        self.database_mut().set_deadline(found, deadline);
    }

    /// Removes an entry without a word; who calls it says what happened.
    pub fn remove(&mut self, found: Found) {
        self.about_to_change(found);
        let Keyspace { databases, selected, seed, freeing, .. } = self;
        let database = &mut databases[*selected];
        if database.is_large(found) {
            freeing.add_value(database.take(found, |key| keyed_hash(*seed, key)));
        } else {
            database.remove(found, |key| keyed_hash(*seed, key));
        }
    }

    /// Takes a value out of the keyspace without a word.
    pub fn take(&mut self, found: Found) -> Value {
        self.about_to_change(found);
        let Keyspace { databases, selected, seed, .. } = self;
        databases[*selected].take(found, |key| keyed_hash(*seed, key))
    }

    /// Deletes a key, and says so; false when there is none.
    pub fn delete(&mut self, key: Key) -> bool {
        let Some(found) = self.find(key) else { return false };
        self.remove(found);
        self.changed(key, Event::Del);
        true
    }

    /// Has a key expire at a time, or at once when that is past; false when there is no such key. Logged with the time
    /// in place of a duration.
    pub fn expire_at(&mut self, key: Key, at_ms: u64) -> bool {
        let Some(found) = self.find(key) else { return false };
        if at_ms <= self.now_ms {
            self.delete(key);
            self.log_as(&[b"DEL", key.0]);
        } else {
            self.set_deadline(found, Some(at_ms));
            self.changed(key, Event::Expire);
            let mut digits = Digits::new();
            self.log_as(&[b"PEXPIREAT", key.0, write_i64(at_ms as i64, &mut digits)]);
        }
        true
    }

    /// Clears the deadline of a key; false when there was none.
    pub fn persist(&mut self, key: Key) -> bool {
        let Some(found) = self.find(key).filter(|&found| self.database().deadline(found).is_some()) else {
            return false;
        };
        self.set_deadline(found, None);
        self.changed(key, Event::Persist);
        self.log_as(&[b"PERSIST", key.0]);
        true
    }

    /// The length of a text that grows to `from + more` bytes, or a refusal when that is too long.
    pub fn check_text_len(&self, from: usize, more: usize) -> Result<usize> {
        from.checked_add(more)
            .filter(|&len| len <= self.text_max)
            .ok_or(Error::refused("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
    }

    /// Records that `key` changed.
    #[inline]
    pub fn changed(&mut self, key: Key, event: Event) {
        self.effects.change(self.selected, || key.0, event);
    }

    /// Logs another command in place of the one received: the form that replays to the same state.
    pub fn log_as(&mut self, words: &[&[u8]]) {
        self.effects.log_as(self.selected, words);
    }

    /// Visits about `count` keys from `cursor` on; see [`Database::scan`].
    pub fn scan(&self, cursor: u64, count: usize, visit: impl FnMut(&[u8], Found)) -> u64 {
        self.database().scan(cursor, count, |key| keyed_hash(self.seed, key), visit)
    }

    /// A key by chance that has not expired.
    pub fn random_key(&mut self) -> Option<Vec<u8>> {
        loop {
            let Keyspace { databases, selected, random, .. } = self;
            let key = Vec::from(databases[*selected].random(|| random.next())?);
            if self.find(Key(&key)).is_some() {
                return Some(key);
            }
            // It stays, and by chance there may be no other.
            if self.keeps_expired {
                return self.first_alive();
            }
        }
    }

    fn first_alive(&self) -> Option<Vec<u8>> {
        let database = self.database();
        let mut alive = database.iter().filter(|(_, found)| self.is_alive(database, *found));
        alive.next().map(|(key, _)| key.to_vec())
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.databases.swap(a, b);
        if let Some(frozen) = &mut self.frozen {
            frozen.swapped(a, b);
        }
    }

    /// When the next key or field expires.
    pub fn next_deadline(&mut self) -> Option<u64> {
        let earliest = |of: fn(&Database) -> Option<u64>| self.databases.iter().filter_map(of).min();
        let (key, field) = (earliest(Database::first_deadline), earliest(Database::first_field_deadline));
        self.soonest = key.unwrap_or(u64::MAX);
        self.soonest_field = field.unwrap_or(u64::MAX);
        key.into_iter().chain(field).min()
    }

    /// Whether a key or field may expire before `at`. It is asked after every command and looks at no database.
    #[inline]
    pub fn may_expire_before(&self, at: u64) -> bool {
        self.soonest < at || self.soonest_field < at
    }

    /// Removes up to `limit` keys and fields whose deadline has passed; false when some may be left.
    pub fn expire_due(&mut self, limit: usize) -> bool {
        let (selected, mut left) = (self.selected, limit);
        for db in 0..self.databases.len() {
            self.selected = db;
            while let Some(found) =
                self.databases[db].first_due(self.now_ms, |key| keyed_hash(self.seed, key))
            {
                if left == 0 {
                    self.selected = selected;
                    return false;
                }
                left -= 1;
                self.expire(found);
            }
            while let Some(found) =
                self.databases[db].first_fields_due(self.now_ms, |key| keyed_hash(self.seed, key))
            {
                if left == 0 {
                    self.selected = selected;
                    return false;
                }
                left -= self.expire_fields(found, left).0;
            }
        }
        self.selected = selected;
        true
    }

    /// Panics unless the databases are as they should be. For tests.
    pub fn check(&self) {
        self.databases.iter().for_each(|database| database.check(|key| keyed_hash(self.seed, key)));
    }

    /// The first field of a hash was to expire at one time, and now does at another.
    fn fields_changed(&mut self, found: Found, old: Option<u64>, new: Option<u64>) {
        self.soonest_field = self.soonest_field.min(new.unwrap_or(u64::MAX));
        self.database_mut().fields_changed(found, old, new);
    }

    /// Whether a field of a hash may have a deadline.
    #[inline(always)]
    fn has_field_deadlines(&self) -> bool {
        self.soonest_field != u64::MAX
    }

    /// An entry, unless it is a hash of which the last field has expired. Costs a comparison while none has anywhere.
    #[inline(always)]
    fn without_dead_fields(&mut self, found: Found) -> Option<Found> {
        if self.soonest_field > self.now_ms { Some(found) } else { self.expire_fields_of(found) }
    }

    #[cold]
    fn expire_fields_of(&mut self, found: Found) -> Option<Found> {
        // Unlike keys, fields stay to be seen until somebody else removes them: nothing here can hide them.
        let may_go = !self.keeps_expired;
        let is_due = may_go && self.database().field_deadline(found).is_some_and(|at| at <= self.now_ms);
        if is_due { self.expire_fields(found, usize::MAX).1 } else { Some(found) }
    }

    /// Removes up to `limit` fields of a hash whose deadline has passed, and the hash if none is left: how many fields
    /// that were, and what is left.
    fn expire_fields(&mut self, found: Found, limit: usize) -> (usize, Option<Found>) {
        self.about_to_change(found);
        let Keyspace { databases, selected, effects, now_ms, .. } = self;
        let database = &mut databases[*selected];
        let (key, old) = (Vec::from(database.key(found)), database.field_deadline(found));
        let Some(hash) = database.get_mut::<Hash>(found) else { return (0, Some(found)) };
        let removed =
            hash.remove_due(*now_ms, limit, |field| effects.log_removal(*selected, &[b"HDEL", &key, field]));
        let (new, is_empty) = (hash.first_deadline(), hash.is_empty());
        effects.touch(*selected, &key, Event::HExpired);
        self.counters.expired_fields += removed as u64;
        self.fields_changed(found, old, new);
        if is_empty {
            self.remove_emptied(found, true);
        }
        (removed, (!is_empty).then_some(found))
    }

    fn expire(&mut self, found: Found) {
        if self.keeps_expired {
            return;
        }
        self.counters.expired += 1;
        self.drop_key(found, Event::Expired);
    }

    /// A collection is empty after a command: its key goes, and if others could see it before, they hear of that.
    fn remove_emptied(&mut self, found: Found, existed: bool) {
        let Keyspace { effects, databases, selected, .. } = self;
        if existed {
            effects.touch(*selected, databases[*selected].key(found), Event::Del);
        }
        self.remove(found);
    }

    /// Removes a key that no command asked to remove, and logs that.
    fn drop_key(&mut self, found: Found, event: Event) {
        let Keyspace { effects, databases, selected, .. } = self;
        let key = databases[*selected].key(found);
        effects.touch(*selected, key, event);
        effects.log_removal(*selected, &[b"DEL", key]);
        self.remove(found);
    }
}
