//! Replication: servers that hold what this one does, and being one of them. Here is what both roles share: the stream of
//! effects, the settings, and what commands are refused because of a role. What is read from and written to the others as
//! bytes is in `crate::replication`; connections are the shell's.

pub(super) mod acknowledgement;
pub(super) mod ending;
pub(super) mod failover;
pub(super) mod primary;
pub(super) mod replica;
pub(super) mod report;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use super::{ClientId, Engine, info::Identity};
use crate::{Error, keyspace::Random, persistence::Journal, replication::History};
pub(super) use acknowledgement::Awaited;
pub(super) use failover::Failover;
pub use primary::Replica;
use replica::Connection;
pub(super) use replica::Primary;
pub use replica::Target;

const SECOND: u64 = 1000;

/// What is known of other servers with the same data.
pub(super) struct Replication {
    /// What happens here, or what the primary says has happened.
    pub history: History,
    /// Writes effects as a primary sends them.
    stream: Journal,
    /// Clients that are replicas.
    replicas: Vec<ClientId>,
    /// Whose replica this server is.
    pub primary: Option<Primary>,
    /// What becomes of a FAILOVER.
    failover: Option<Failover>,
    /// An end of the server that waits for replicas.
    delay: Option<ending::Delay>,
    settings: Settings,
    /// Names of streams and marks are chosen by this.
    random: Random,
    /// When there last was a replica.
    lonely_since_ms: u64,
    /// When replicas were last told that this server is there, and looked at.
    pinged_ms: u64,
    looked_ms: u64,
    pub counters: Counters,
    /// Number of the last attempt to connect to a primary.
    attempts: u64,
}

/// What INFO counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Counters {
    pub full: u64,
    pub partial: u64,
    pub partial_refused: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
}

/// The directives, as they are needed at every command.
#[derive(Default)]
struct Settings {
    reads_only: bool,
    serves_stale: bool,
    ignores_maxmemory: bool,
    /// How many replicas have to be there, and with which delay at most, for anything to be written.
    least_replicas: u64,
    lag_max_ms: u64,
    backlog: usize,
    backlog_ttl_ms: u64,
    ping_ms: u64,
    timeout_ms: u64,
}

impl Replication {
    pub fn new(seed: u64) -> Replication {
        // Not the numbers that the keyspace draws from the same seed: what is shown here must not tell those.
        let mut random = Random::new(!seed);
        Replication {
            history: History::new(Identity::name(&mut random)),
            stream: Journal::default(),
            replicas: Vec::new(),
            primary: None,
            failover: None,
            delay: None,
            settings: Settings::default(),
            random,
            lonely_since_ms: 0,
            pinged_ms: 0,
            looked_ms: 0,
            counters: Counters::default(),
            attempts: 0,
        }
    }

    /// The connection to the primary, if there is one.
    fn connection(&self) -> Option<&Connection> {
        self.primary.as_ref()?.connection.as_ref()
    }

    fn connection_mut(&mut self) -> Option<&mut Connection> {
        self.primary.as_mut()?.connection.as_mut()
    }

    /// Goes on under another name, which nobody knows.
    pub fn rename(&mut self) {
        let id = Identity::name(&mut self.random);
        self.history.rename(id);
    }

    /// The same, and nobody who knows the one so far may go on.
    pub fn begin_anew(&mut self) {
        self.rename();
        self.history.former = None;
    }

    /// Whether what happens here is what replicas are to be told.
    pub fn feeds(&self) -> bool {
        self.primary.is_none() && self.history.is_kept()
    }

    /// Whether any command may be refused because of replication.
    #[inline]
    pub fn is_restrictive(&self) -> bool {
        self.primary.is_some() || self.settings.least_replicas > 0
    }

    /// Whether the server is about to end.
    pub fn is_ending(&self) -> bool {
        self.delay.is_some()
    }

    /// Whether memory is the primary's business.
    pub fn ignores_maxmemory(&self) -> bool {
        self.primary.is_some() && self.settings.ignores_maxmemory
    }

    /// Bytes of the stream that are kept only because a replica has not fetched them.
    pub fn unfetched(&self) -> usize {
        self.history.kept().saturating_sub(self.settings.backlog)
    }

    /// Bytes of memory that the stream takes beyond what it is meant to.
    pub fn excess(&self) -> usize {
        self.history.memory().saturating_sub(self.settings.backlog)
    }

    /// Whether keys past their deadline are the primary's to remove.
    fn keeps_expired(&self) -> bool {
        self.primary.is_some() && self.settings.reads_only
    }
}

impl Engine {
    /// Whether anybody wants the effects of commands.
    pub(super) fn wants_effects(&self) -> bool {
        self.config.journal || self.replication.feeds()
    }

    /// Has what follows from the role be so everywhere.
    pub(super) fn refresh_role(&mut self) {
        self.keyspace.effects.journal_wanted = self.wants_effects();
        self.keyspace.keeps_expired = self.waiting.is_paused() || self.replication.keeps_expired();
    }

    /// Reads the directives about replication.
    pub(super) fn configure_replication(&mut self) {
        let number = |name| self.config.number(name).unwrap_or(0).max(0) as u64;
        self.replication.settings = Settings {
            reads_only: self.is_on("replica-read-only"),
            serves_stale: self.is_on("replica-serve-stale-data"),
            ignores_maxmemory: self.is_on("replica-ignore-maxmemory"),
            least_replicas: number("min-replicas-to-write"),
            lag_max_ms: number("min-replicas-max-lag") * SECOND,
            backlog: number("repl-backlog-size").max(16 << 10) as usize,
            backlog_ttl_ms: number("repl-backlog-ttl") * SECOND,
            ping_ms: number("repl-ping-replica-period") * SECOND,
            timeout_ms: number("repl-timeout") * SECOND,
        };
        self.refresh_role();
    }

    /// Tells the replicas what a unit did.
    pub(super) fn replicate(&mut self) {
        let mut stream = core::mem::take(&mut self.replication.stream);
        stream.append(&self.keyspace.effects, true);
        let bytes = stream.take();
        self.feed(&bytes);
        stream.reuse(bytes);
        self.replication.stream = stream;
        let offset = self.replication.history.offset();
        if let Some(client) = self.clients.get_mut(self.current) {
            client.wrote_to = offset;
        }
    }

    /// Tells the replicas something that is nobody's command.
    fn say_in_stream(&mut self, words: &[&[u8]]) {
        let mut bytes = Vec::new();
        crate::replication::handshake::say(&mut bytes, words);
        self.feed(&bytes);
    }

    /// Has the replicas tell how far they have come.
    fn ask_replicas(&mut self) {
        self.say_in_stream(&[b"REPLCONF", b"GETACK", b"*"]);
    }

    /// Appends to the stream.
    fn feed(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.replication.history.append(bytes);
        self.trim_history();
        self.limit_replicas();
    }

    /// Forgets what no replica needs any more, and has the others fetch what they do.
    fn trim_history(&mut self) {
        let Engine { replication, clients, .. } = self;
        let mut needed = u64::MAX;
        for &id in &replication.replicas {
            let Some(replica) = clients.get_mut(id).and_then(|client| client.replica.as_mut()) else {
                continue;
            };
            needed = needed.min(replica.needed());
            if replica.is_online() {
                clients.make_ready(id);
            }
        }
        replication.history.trim(replication.settings.backlog, needed);
    }

    /// Whether the command that runs comes from the primary, or from a file, and is obeyed whatever it is.
    #[inline]
    pub(super) fn is_obeying(&self) -> bool {
        self.replaying.is_some() || self.current().is_primary
    }

    /// Why a role forbids a command, if it does; given whether it changes values, and whether it runs without a primary.
    #[cold]
    pub(super) fn refuse_in_role(&self, (writes, runs_stale): (bool, bool)) -> Option<Error> {
        let Replication { primary, settings, .. } = &self.replication;
        if self.is_obeying() {
            return None;
        }
        if writes && let Some(error) = self.refuse_writes() {
            return Some(error);
        }
        let is_stale = primary.as_ref().is_some_and(|primary| !primary.is_up());
        (is_stale && !settings.serves_stale && !runs_stale).then_some(Error::refused(
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        ))
    }

    /// Why nothing may be written here, if so.
    pub(super) fn refuse_writes(&self) -> Option<Error> {
        let Replication { primary, settings, .. } = &self.replication;
        if self.is_obeying() {
            return None;
        }
        if primary.is_none()
            && settings.least_replicas > 0
            && settings.lag_max_ms > 0
            && self.good_replicas() < settings.least_replicas as usize
        {
            return Some(Error::refused("NOREPLICAS Not enough good replicas to write."));
        }
        (primary.is_some() && settings.reads_only)
            .then_some(Error::refused("READONLY You can't write against a read only replica."))
    }

    /// Does what is to be done from time to time.
    pub(super) fn tend_replication(&mut self) {
        let now_ms = self.keyspace.now_ms();
        self.begin_full_sync();
        self.tend_failover();
        self.tend_end();
        if now_ms < self.replication.looked_ms + SECOND {
            return;
        }
        self.replication.looked_ms = now_ms;
        self.tend_link(now_ms);
        self.tend_replicas(now_ms);
        self.tend_backlog(now_ms);
    }

    /// Forgets a backlog that nobody has read for long.
    fn tend_backlog(&mut self, now_ms: u64) {
        let it = &mut self.replication;
        if !it.replicas.is_empty() {
            it.lonely_since_ms = now_ms;
        }
        let ttl_ms = it.settings.backlog_ttl_ms;
        if it.feeds() && ttl_ms > 0 && now_ms >= it.lonely_since_ms + ttl_ms {
            // What happens from now on is counted by nobody, so the stream is another one.
            it.history.forget();
            it.begin_anew();
            self.refresh_role();
            self.note(alloc::format!(
                "Replication backlog freed after {} seconds without connected replicas.",
                ttl_ms / SECOND
            ));
        }
    }

    /// A client goes, whose role may have been one in replication.
    pub(super) fn leave_replication(&mut self, id: ClientId) {
        self.stop_replicating_to(id);
        self.lose_link(id);
    }
}
