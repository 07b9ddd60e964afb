//! What happens when memory runs out: keys are evicted before the next command, or the command is refused; clients that
//! take too much for themselves are closed. Which key goes is the keyspace's to decide.

use alloc::vec::Vec;

use super::{ClientId, Engine, client::Client, transactions::Transaction};
use crate::{
    Error,
    commands::{Flags, Spec},
    data::sorting::sort_by_number,
};

/// The refusal of a command that would take more memory.
pub(super) const OUT_OF_MEMORY: Error =
    Error::refused("OOM command not allowed when used memory > 'maxmemory'.");

/// Keys evicted before one command: what takes no millisecond. Whoever is too slow to make room runs on meanwhile, and the
/// next tick goes on.
const KEYS_AT_ONCE: usize = 256;
/// How many keys a slice of a large value that is freed stands for.
const SLICE: usize = 16;

impl Engine {
    /// Evicts what is too much; false when too much is left and nothing can be evicted.
    #[inline]
    pub(super) fn make_room(&mut self) -> bool {
        if !self.is_out_of_memory() {
            self.evicts = false;
            return true;
        }
        let has_room = self.evict_some();
        self.settle();
        let took_us = self.lap();
        self.keep_event("eviction-cycle", took_us);
        has_room
    }

    #[cold]
    fn evict_some(&mut self) -> bool {
        let mut left = KEYS_AT_ONCE;
        self.evicts = true;
        // Clients that take more than they may go before any key does.
        self.evict_clients();
        // Who is told of the keys that go is told when all of them have gone.
        self.clients.forget_told();
        let limit = (self.config.maxmemory as usize).saturating_add(self.uncounted_memory());
        let room = self.keyspace.effects.room();
        while left > 0 {
            // What is written down of it is forgotten with the unit.
            let written = self.keyspace.effects.room().saturating_sub(room);
            if self.used_memory().saturating_sub(written) <= limit {
                self.evicts = false;
                return true;
            }
            // What was deleted is room as soon as it is freed: no other key has to go for it.
            if !self.keyspace.freeing.is_done() {
                self.keyspace.free_slice();
                left = left.saturating_sub(SLICE);
            } else if self.keyspace.evict() {
                left -= 1;
            } else {
                self.evicts = false;
                return false;
            }
        }
        true
    }

    /// Whether more memory is in use than may be. Nothing is evicted: a script that runs is not to see keys go.
    pub(super) fn is_out_of_memory(&self) -> bool {
        let (used, limit) = (self.used_memory(), self.config.maxmemory as usize);
        limit > 0
            && used > limit
            && !self.replication.ignores_maxmemory()
            && used.saturating_sub(self.uncounted_memory()) > limit
    }

    /// Bytes that are in use but do not count against the limit: what evicting a key takes, which would have another key
    /// evicted. They are on their way to a file, and to those who are told of keys that went.
    pub(super) fn uncounted_memory(&self) -> usize {
        self.journal.len() + self.replication.excess() + self.clients.told_bytes()
    }

    /// Whether a command must not run without room. What is queued takes memory, too.
    pub(super) fn takes_memory(&self, spec: &Spec) -> bool {
        let is_denied = |spec: &Spec| spec.flags.has(Flags::DENYOOM);
        match &self.current().transaction {
            None => is_denied(spec),
            Some(transaction) => match spec.name {
                "EXEC" => transaction.commands().any(|known| is_denied(self.table.spec(known))),
                "DISCARD" | "QUIT" | "RESET" => false,
                _ => true,
            },
        }
    }

    /// Looks whether clients take too much, if their buffers may have grown enough to matter: looking at all of them takes
    /// time, so smaller growth waits for the next tick.
    #[inline]
    pub(super) fn watch_client_memory(&mut self) {
        const SHARE: usize = 16;
        if let Some(limit) = self.config.maxmemory_clients.bytes(self.config.maxmemory)
            && self.clients.grown > limit / SHARE
        {
            self.evict_clients();
        }
    }

    /// Closes the clients that take most, until those that are left take no more than `maxmemory-clients` together.
    pub(super) fn evict_clients(&mut self) {
        let Some(limit) = self.config.maxmemory_clients.bytes(self.config.maxmemory) else { return };
        self.clients.grown = 0;
        let can_go = |client: &Client| !client.no_evict && !client.closing && !client.replicates();
        let mut all: Vec<(usize, ClientId)> =
            self.clients.iter().filter(|(_, it)| can_go(it)).map(|(id, it)| (it.memory(), id)).collect();
        let mut total: usize = all.iter().map(|(bytes, _)| bytes).sum();
        sort_by_number(&mut all, |(bytes, _)| *bytes as u64);
        while total > limit
            && let Some((bytes, id)) = all.pop()
        {
            total -= bytes;
            self.stats.evicted_clients += 1;
            self.close(id);
            // What it was to be sent is forgotten at once: the memory is needed.
            self.forget_buffers(id);
        }
    }
}

impl Client {
    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        let multi = self.transaction.as_ref().map_or(0, Transaction::bytes);
        size_of::<Client>()
            + self.query.capacity().max(self.pending_query())
            // The buffer itself may be the shell's.
            + self.out.len()
            + multi
            + self.watching.bytes()
            + self.subscriptions.bytes()
            + self.tracking.as_ref().map_or(0, |tracking| tracking.bytes())
    }
}

/// The value of `maxmemory-clients`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientLimit {
    /// So many bytes; 0 for any number.
    Bytes(u64),
    /// So much of `maxmemory`.
    Percent(u8),
}

impl ClientLimit {
    /// The limit in bytes, if there is one.
    pub fn bytes(self, maxmemory: u64) -> Option<usize> {
        let bytes = match self {
            ClientLimit::Bytes(bytes) => bytes,
            ClientLimit::Percent(percent) => (u128::from(maxmemory) * u128::from(percent) / 100) as u64,
        };
        usize::try_from(bytes).ok().filter(|&bytes| bytes > 0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::{Config, Host, engine::testing::Session, keyspace::Policy};

    const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

    /// A session whose host says that each key takes a kilobyte, and the program nothing.
    fn session(policy: &[u8], allocated: fn() -> usize) -> Session {
        let mut config = Config { maxmemory: 100 << 10, ..Config::default() };
        config.eviction.policy = Policy::parse(policy).expect("a policy");
        config.host = Host { allocated, ..Host::default() };
        Session::with(config)
    }

    #[test]
    fn without_room_commands_are_refused_but_those_that_make_some() {
        let mut session = session(b"noeviction", || 1 << 20);
        assert_eq!(session.ask("SET k v"), OOM);
        assert_eq!(session.ask("GET k\nDEL k\nPING"), "$-1\r\n:0\r\n+PONG\r\n");
        let refused = session.ask("MULTI\nPING\nEXEC");
        assert_eq!(
            refused,
            format!("+OK\r\n{OOM}-EXECABORT Transaction discarded because of previous errors.\r\n")
        );
        assert_eq!(session.ask("MULTI\nDISCARD\nMULTI\nEXEC"), "+OK\r\n+OK\r\n+OK\r\n*0\r\n");
        assert_eq!(session.ask("CONFIG SET maxmemory 0\nSET k v"), "+OK\r\n+OK\r\n");
        assert_eq!(session.ask("MULTI\nSET k v\nCONFIG SET maxmemory 1\nSET k w\nEXEC").lines().count(), 8);
        let aborted = session.ask("CONFIG SET maxmemory 0\nMULTI\nSET k v");
        assert_eq!(aborted, "+OK\r\n+OK\r\n+QUEUED\r\n");
        session.engine.config.maxmemory = 1;
        let text = OOM.trim_start_matches('-');
        assert_eq!(session.ask("EXEC"), format!("-EXECABORT Transaction discarded because of: {text}"));
    }

    #[test]
    fn what_is_too_much_goes_before_the_next_command_and_is_told() {
        static KEYS: AtomicUsize = AtomicUsize::new(0);
        let mut session = session(b"allkeys-lru", || KEYS.load(Relaxed) << 10);
        let listener = session.connect();
        session.run(listener, "CONFIG SET notify-keyspace-events Ee\r\nSUBSCRIBE __keyevent@0__:evicted");
        for i in 0..100 {
            assert_eq!(session.ask(&format!("SET k{i} v")), "+OK\r\n");
        }
        KEYS.store(1000, Relaxed);
        // The host's figure does not fall, so that as much goes as goes at once.
        assert_eq!(session.ask("DBSIZE"), ":0\r\n");
        assert!(session.ask("INFO stats").contains("evicted_keys:100\r\n"));
        let heard = String::from_utf8(session.run(listener, "PING")).expect("it is text");
        assert_eq!(heard.matches("__keyevent@0__:evicted").count(), 100);
    }

    #[test]
    fn a_lower_limit_needs_no_command_to_take_effect() {
        let mut session = session(b"allkeys-random", || 1 << 20);
        session.ask("CONFIG SET maxmemory 0");
        (0..1000).for_each(|i| drop(session.ask(&format!("SET k{i} v"))));
        session.ask("CONFIG SET maxmemory 1000");
        let now_ms = session.now_ms;
        assert!(session.engine.may_wake_before(now_ms + 1));
        let ticks = (1..).find(|_| {
            session.engine.tick(now_ms);
            session.engine.next_deadline().is_none()
        });
        assert_eq!(ticks, Some(1000 / KEYS_AT_ONCE + 1));
        assert_eq!(session.ask("DBSIZE"), ":0\r\n");
    }

    #[test]
    fn the_largest_clients_go_first_but_those_that_may_stay() {
        let mut session = Session::new();
        let (small, large, spared) = (session.connect(), session.connect(), session.connect());
        session.run(spared, "CLIENT NO-EVICT on");
        let half = |len: usize| format!("*2\r\n$4\r\nECHO\r\n${len}\r\n{}", "x".repeat(len / 2)).into_bytes();
        session.engine.receive(small, &half(1000), 0);
        session.engine.receive(spared, &half(1_000_000), 0);
        session.engine.receive(large, &half(100_000), 0);
        session.ask("CONFIG SET maxmemory-clients 50000");
        session.engine.tick(0);
        assert!(session.engine.is_closing(large));
        assert!(!session.engine.is_closing(small) && !session.engine.is_closing(spared));
        assert!(session.ask("INFO stats").contains("evicted_clients:1\r\n"));
        session.engine.receive(small, &half(40_000), 0);
        session.engine.receive(small, "x".repeat(60_000).as_bytes(), 0);
        assert!(session.engine.is_closing(small), "nobody waits for the next tick");
    }

    #[test]
    fn telling_of_keys_that_go_makes_no_other_go() {
        static BYTES: AtomicUsize = AtomicUsize::new(0);
        let mut session = session(b"allkeys-random", || BYTES.load(Relaxed));
        let trackers: Vec<ClientId> = (0..20).map(|_| session.connect()).collect();
        let key = |i: usize| format!("k{i:01000}");
        trackers.iter().for_each(|&id| drop(session.run(id, "HELLO 3\nCLIENT TRACKING ON")));
        for i in 0..100 {
            session.ask(&format!("SET {} v", key(i)));
            trackers.iter().for_each(|&id| drop(session.run(id, &format!("GET {}", key(i)))));
        }
        let told = |session: &Session| session.engine.clients.told_bytes();
        // As much as goes at once is too much, and then all that is too much is what tells of it.
        BYTES.store(1 << 20, Relaxed);
        session.ask("CONFIG SET maxmemory 1000000");
        session.engine.tick(0);
        let left = session.ask("DBSIZE");
        assert!(told(&session) >= 1 << 20, "{}", told(&session));
        session.ask("SET other v");
        assert_ne!(left, session.ask("DBSIZE"), "there is room for another key");
        trackers.iter().for_each(|&id| drop(session.output(id)));
        session.engine.clients.forget_told();
        assert_eq!(told(&session), 0);
    }

    #[test]
    fn a_part_of_no_limit_is_no_limit() {
        assert_eq!(ClientLimit::Percent(10).bytes(0), None);
        assert_eq!(ClientLimit::Percent(10).bytes(1000), Some(100));
        assert_eq!((ClientLimit::Bytes(7).bytes(0), ClientLimit::Bytes(0).bytes(1000)), (Some(7), None));
    }
}
