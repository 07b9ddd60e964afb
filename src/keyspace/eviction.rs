//! Which key goes when memory runs out, and what the access clock of an entry means to that. It weighs and removes one key
//! at a time; how much memory is too much, and how many keys go at once, is the engine's to say.
//!
//! The clock has 24 bits. Under LFU they are 16 bits of minutes and a logarithmic counter of 8 bits, under every other
//! policy seconds. What one policy wrote another misreads until the key is used again, as in Redis.

use alloc::vec::Vec;

use super::{CLOCK_MASK, Database, Event, Found, Keyspace, Random};

/// How keys are chosen to be evicted.
#[derive(Clone, Debug)]
pub struct Eviction {
    /// Among which keys, and by what.
    pub policy: Policy,
    /// How many keys of each database are weighed before one goes.
    pub samples: usize,
    /// How much rarer each step of the counter of LFU becomes.
    pub lfu_log_factor: u64,
    /// After how many minutes without use that counter loses a step; 0 for never.
    pub lfu_decay_time: u32,
}

/// The value of `maxmemory-policy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Whether only keys that expire anyway are evicted.
    pub volatile: bool,
    /// What speaks for evicting a key; `None` when no key is evicted.
    pub measure: Option<Measure>,
}

/// What speaks for evicting a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// How long it has not been used.
    Lru,
    /// How seldom it is used.
    Lfu,
    /// Chance.
    Random,
    /// How soon it expires.
    Ttl,
}

/// The policies by name, in the order in which Redis lists them.
const POLICIES: [(&str, Policy); 8] = [
    ("volatile-lru", Policy { volatile: true, measure: Some(Measure::Lru) }),
    ("volatile-lfu", Policy { volatile: true, measure: Some(Measure::Lfu) }),
    ("volatile-random", Policy { volatile: true, measure: Some(Measure::Random) }),
    ("volatile-ttl", Policy { volatile: true, measure: Some(Measure::Ttl) }),
    ("allkeys-lru", Policy { volatile: false, measure: Some(Measure::Lru) }),
    ("allkeys-lfu", Policy { volatile: false, measure: Some(Measure::Lfu) }),
    ("allkeys-random", Policy { volatile: false, measure: Some(Measure::Random) }),
    ("noeviction", Policy { volatile: false, measure: None }),
];

impl Policy {
    /// The policy of that name.
    pub fn parse(name: &[u8]) -> Option<Policy> {
        POLICIES.into_iter().find_map(|(text, policy)| (text.as_bytes() == name).then_some(policy))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        POLICIES.iter().find(|(_, policy)| *policy == self).map_or("noeviction", |(name, _)| name)
    }
}

impl Default for Eviction {
    fn default() -> Self {
        let policy = Policy { volatile: false, measure: None };
        Eviction { policy, samples: 5, lfu_log_factor: 10, lfu_decay_time: 1 }
    }
}

/// The counter of a key that is new, so that it is not evicted before it could be used again.
const COUNTER_AT_FIRST: u64 = 5;
const COUNTER_MAX: u64 = 255;
const MINUTES_MASK: u32 = 0xffff;

impl Eviction {
    /// Whether the clocks of entries count uses.
    #[inline]
    pub fn counts_uses(&self) -> bool {
        self.policy.measure == Some(Measure::Lfu)
    }

    /// What the clock of an entry shows that is new now.
    pub(super) fn clock(&self, now_ms: u64) -> u32 {
        if self.counts_uses() {
            ((now_ms / 60_000) as u32 & MINUTES_MASK) << 8 | COUNTER_AT_FIRST as u32
        } else {
            (now_ms / 1000) as u32 & CLOCK_MASK
        }
    }

    /// The counter of a clock, less what it has lost since the last use. `new` is the clock of a new entry.
    fn counter(&self, clock: u32, new: u32) -> u64 {
        let minutes = (new >> 8).wrapping_sub(clock >> 8) & MINUTES_MASK;
        let lost = minutes.checked_div(self.lfu_decay_time).unwrap_or(0);
        u64::from(clock & 0xff).saturating_sub(lost.into())
    }

    /// The clock of an entry that is used once more.
    fn counted(&self, clock: u32, new: u32, random: &mut Random) -> u32 {
        let counter = self.counter(clock, new);
        let odds = counter.saturating_sub(COUNTER_AT_FIRST).saturating_mul(self.lfu_log_factor) + 1;
        let grows = counter < COUNTER_MAX && random.below(odds) == 0;
        new & !0xff | (counter + u64::from(grows)) as u32
    }

    /// How much speaks for evicting an entry with this clock.
    fn weight(&self, clock: u32, new: u32) -> u64 {
        if self.counts_uses() {
            COUNTER_MAX - self.counter(clock, new)
        } else {
            (new.wrapping_sub(clock) & CLOCK_MASK).into()
        }
    }
}

/// The likeliest keys to be evicted of all that were weighed lately: a sample decides better with a memory.
#[derive(Default)]
pub(super) struct Pool {
    /// In ascending order of weight.
    candidates: Vec<Candidate>,
}

struct Candidate {
    weight: u64,
    db: usize,
    key: Vec<u8>,
}

impl Pool {
    const ROOM: usize = 16;

    fn clear(&mut self) {
        self.candidates.clear();
    }

    /// Takes in a key, unless all that are in it weigh more.
    fn offer(&mut self, weight: u64, db: usize, key: &[u8]) {
        let is_full = self.candidates.len() == Pool::ROOM;
        if is_full && self.candidates.first().is_some_and(|least| least.weight >= weight) {
            return;
        }
        if self.candidates.iter().any(|it| it.db == db && it.key == key) {
            return;
        }
        if is_full {
            self.candidates.remove(0);
        }
        let place = self.candidates.partition_point(|it| it.weight < weight);
        self.candidates.insert(place, Candidate { weight, db, key: key.into() });
    }
}

impl Database {
    /// A key that may be evicted, by chance.
    fn sample(&self, volatile: bool, random: &mut Random) -> Option<Found> {
        let mut bits = || random.next();
        if volatile { self.random_volatile(&mut bits) } else { self.random_found(&mut bits) }
    }

    fn count_of(&self, volatile: bool) -> usize {
        if volatile { self.volatile() } else { self.len() }
    }
}

impl Keyspace {
    /// Has keys be chosen in another way from now on.
    pub fn set_eviction(&mut self, eviction: Eviction) {
        if eviction.policy != self.eviction.policy {
            self.pool.clear();
        }
        self.eviction = eviction;
        self.clock = self.eviction.clock(self.now_ms);
    }

    /// How keys are chosen.
    pub fn eviction(&self) -> &Eviction {
        &self.eviction
    }

    /// The counter of an entry under LFU.
    pub fn frequency(&self, found: Found) -> u64 {
        self.eviction.counter(self.database().clock(found), self.clock)
    }

    /// Sets the access clock of an entry that was used: `old` is what it showed before, if it is not new.
    #[inline(always)]
    pub(super) fn set_used(&mut self, found: Found, old: Option<u32>) {
        let clock = match old {
            Some(old) if self.eviction.counts_uses() => {
                self.eviction.counted(old, self.clock, &mut self.random)
            }
            _ => self.clock,
        };
        self.database_mut().set_clock(found, clock);
    }

    /// Evicts the key for which most speaks; false when there is none to be evicted.
    pub fn evict(&mut self) -> bool {
        let Policy { volatile, measure } = self.eviction.policy;
        let chosen = match measure {
            None => None,
            Some(Measure::Ttl) => self.soonest_key(),
            Some(Measure::Random) => self.any_key(volatile),
            Some(Measure::Lru | Measure::Lfu) => self.weightiest_key(volatile),
        };
        let Some((db, found)) = chosen else { return false };
        let selected = self.selected;
        self.selected = db;
        self.counters.evicted += 1;
        self.drop_key(found, Event::Evicted);
        self.selected = selected;
        true
    }

    fn soonest_key(&self) -> Option<(usize, Found)> {
        let firsts = self.databases.iter().enumerate();
        let (_, db) = firsts.filter_map(|(db, database)| Some((database.first_deadline()?, db))).min()?;
        let found = self.databases[db].first_due(u64::MAX, |key| self.hash(key))?;
        Some((db, found))
    }

    /// A key by chance, of the databases in turn.
    fn any_key(&mut self, volatile: bool) -> Option<(usize, Found)> {
        let count = self.databases.len();
        let mut turns = (1..=count).map(|step| (self.evicted_last + step) % count);
        let db = turns.find(|&db| self.databases[db].count_of(volatile) > 0)?;
        self.evicted_last = db;
        let found = self.databases[db].sample(volatile, &mut self.random)?;
        Some((db, Found { hash: self.hash(self.databases[db].key(found)), ..found }))
    }

    fn weightiest_key(&mut self, volatile: bool) -> Option<(usize, Found)> {
        while self.databases.iter().any(|database| database.count_of(volatile) > 0) {
            self.fill_pool(volatile);
            while let Some(Candidate { weight, db, key }) = self.pool.candidates.pop() {
                let database = &self.databases[db];
                let Some(found) = database.find(self.hash(&key), &key) else { continue };
                // One that was used meanwhile, or need not expire any more, has lost its place.
                let may_go = !volatile || database.deadline(found).is_some();
                if may_go && self.eviction.weight(database.clock(found), self.clock) >= weight {
                    return Some((db, found));
                }
            }
        }
        None
    }

    fn fill_pool(&mut self, volatile: bool) {
        let Keyspace { databases, pool, eviction, random, clock, .. } = self;
        for (db, database) in databases.iter().enumerate().filter(|(_, it)| it.count_of(volatile) > 0) {
            for _ in 0..eviction.samples.min(database.count_of(volatile)) {
                let Some(found) = database.sample(volatile, random) else { break };
                pool.offer(eviction.weight(database.clock(found), *clock), db, database.key(found));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::{super::Key, *};

    fn keyspace(policy: &[u8]) -> Keyspace {
        let mut keyspace = Keyspace::new(2, 1);
        keyspace.set_now(1_000_000_000);
        let policy = Policy::parse(policy).unwrap();
        keyspace.set_eviction(Eviction { policy, samples: 10, ..Eviction::default() });
        keyspace
    }

    /// Sets keys `key:0` to `key:999`, a second apart; every other one expires.
    fn fill(keyspace: &mut Keyspace) {
        for i in 0..1000 {
            keyspace.set_now(keyspace.now_ms() + 1000);
            let deadline = (i % 2 == 0).then_some(9_000_000_000 - i);
            keyspace.set_text(Key(format!("key:{i}").as_bytes()), b"text", deadline);
        }
    }

    fn left(keyspace: &mut Keyspace, numbers: impl Iterator<Item = u64>) -> usize {
        numbers.filter(|i| keyspace.find(Key(format!("key:{i}").as_bytes())).is_some()).count()
    }

    fn evict(keyspace: &mut Keyspace, count: usize) {
        (0..count).for_each(|_| assert!(keyspace.evict()));
        keyspace.check();
    }

    #[test]
    fn every_policy_has_its_name() {
        for (name, policy) in POLICIES {
            assert_eq!(Policy::parse(name.as_bytes()), Some(policy));
            assert_eq!(policy.name(), name);
        }
    }

    #[test]
    fn lru_evicts_what_was_not_used_for_long() {
        let mut keyspace = keyspace(b"allkeys-lru");
        fill(&mut keyspace);
        (0..100).for_each(|i| assert!(keyspace.look_up(Key(format!("key:{i}").as_bytes())).is_some()));
        evict(&mut keyspace, 300);
        assert!(left(&mut keyspace, 0..100) >= 95, "what was used lately stays");
        assert!(left(&mut keyspace, 100..300) <= 60, "what was not goes first");
        assert!(left(&mut keyspace, 600..1000) >= 380);
    }

    #[test]
    fn lfu_evicts_what_was_used_seldom() {
        let mut keyspace = keyspace(b"allkeys-lfu");
        fill(&mut keyspace);
        for i in 0..100 {
            (0..50).for_each(|_| assert!(keyspace.look_up(Key(format!("key:{i}").as_bytes())).is_some()));
        }
        evict(&mut keyspace, 500);
        assert!(left(&mut keyspace, 0..100) >= 99);
    }

    #[test]
    fn counters_grow_ever_more_slowly_and_fade() {
        let mut keyspace = keyspace(b"allkeys-lfu");
        keyspace.set_text(Key(b"k"), b"v", None);
        let frequency = |keyspace: &mut Keyspace| {
            let found = keyspace.find(Key(b"k")).unwrap();
            keyspace.frequency(found)
        };
        assert_eq!(frequency(&mut keyspace), COUNTER_AT_FIRST);
        (0..100).for_each(|_| assert!(keyspace.look_up(Key(b"k")).is_some()));
        let after_hundred = frequency(&mut keyspace);
        assert!((8..=14).contains(&after_hundred), "{after_hundred}");
        (0..100_000).for_each(|_| assert!(keyspace.look_up(Key(b"k")).is_some()));
        let after_many = frequency(&mut keyspace);
        assert!((120..=170).contains(&after_many), "{after_many}");
        keyspace.set_text(Key(b"k"), b"another text", None);
        assert!(frequency(&mut keyspace) >= after_many, "a new text is a use");
        keyspace.set_now(keyspace.now_ms() + 30 * 60_000);
        let after_half_an_hour = frequency(&mut keyspace);
        assert!(after_half_an_hour <= after_many - 29, "{after_half_an_hour}");
        keyspace.keeps_clocks = true;
        keyspace.look_up(Key(b"k"));
        assert_eq!(frequency(&mut keyspace), after_half_an_hour);
    }

    #[test]
    fn volatile_policies_spare_what_does_not_expire() {
        for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
            let mut keyspace = keyspace(policy.as_bytes());
            fill(&mut keyspace);
            evict(&mut keyspace, 500);
            assert!(!keyspace.evict(), "{policy}");
            assert_eq!(left(&mut keyspace, (1..1000).step_by(2)), 500, "{policy}");
        }
    }

    #[test]
    fn ttl_evicts_what_expires_next() {
        let mut keyspace = keyspace(b"volatile-ttl");
        fill(&mut keyspace);
        evict(&mut keyspace, 100);
        assert_eq!(left(&mut keyspace, (800..1000).step_by(2)), 0);
    }

    #[test]
    fn chance_takes_from_every_database() {
        let mut keyspace = keyspace(b"allkeys-random");
        fill(&mut keyspace);
        keyspace.select(1);
        fill(&mut keyspace);
        evict(&mut keyspace, 500);
        assert_eq!(keyspace.databases().iter().map(Database::len).collect::<Vec<_>>(), [750, 750]);
        assert_eq!((keyspace.selected(), keyspace.counters.evicted), (1, 500));
    }

    #[test]
    fn without_a_policy_nothing_goes() {
        let mut keyspace = keyspace(b"noeviction");
        fill(&mut keyspace);
        assert!(!keyspace.evict());
    }
}
