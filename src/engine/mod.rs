//! The whole data store without a socket, a clock or a thread: bytes and time come in, bytes go out.

mod acl;
mod append_only;
pub mod client;
mod cluster;
mod commandlog;
pub mod config;
mod connection;
mod debug;
pub mod dispatch;
mod effects;
mod eviction;
mod functions;
mod info;
mod introspection;
mod latency;
mod memory;
mod modules;
mod monitor;
mod names;
pub mod notifications;
pub mod output_limits;
mod pipeline;
pub mod pubsub;
mod quick;
mod replication;
pub mod scripting;
mod serialization;
mod slowlog;
mod snapshots;
mod stats;
#[cfg(test)]
pub(crate) mod testing;
mod tracking;
mod transactions;
mod waiting;

use alloc::{string::String, vec::Vec};
use core::mem;

use crate::{
    commands::{Command, Flags},
    keyspace::Keyspace,
    persistence::Journal,
    resp::{Version, Writer},
};
use acl::Acl;
pub use acl::same_secret;
pub use append_only::{AppendOnly, Replay};
use client::{Client, Clients};
pub use client::{ClientId, Origin};
pub use config::{Config, Files, Host, NewFile};
use dispatch::{CallStats, Known, Table};
use functions::Functions;
use info::Identity;
pub use info::REDIS_VERSION;
use latency::LatencyMonitor;
use pubsub::PubSub;
pub use quick::Quick;
pub use replication::Target;
use replication::{Primary, Replication};
use scripting::{Scripts, run::Running};
use slowlog::CommandLog;
use snapshots::Snapshots;
pub use snapshots::{Ending, Purpose};
use stats::Stats;
use transactions::{Transaction, Watches};
use waiting::{Waiting, waits_for_streams};

/// The commands on clients and on the engine itself, by file.
const COMMANDS: &[&[Command<Engine>]] = &[
    acl::COMMANDS,
    append_only::COMMANDS,
    append_only::WAITING_COMMANDS,
    cluster::COMMANDS,
    commandlog::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
    functions::COMMANDS,
    info::COMMANDS,
    introspection::COMMANDS,
    latency::COMMANDS,
    memory::COMMANDS,
    modules::COMMANDS,
    monitor::COMMANDS,
    pubsub::COMMANDS,
    replication::acknowledgement::COMMANDS,
    replication::failover::COMMANDS,
    replication::primary::COMMANDS,
    replication::replica::COMMANDS,
    replication::report::COMMANDS,
    scripting::COMMANDS,
    serialization::COMMANDS,
    serialization::SERVER_COMMANDS,
    slowlog::COMMANDS,
    snapshots::COMMANDS,
    tracking::COMMANDS,
    transactions::COMMANDS,
    waiting::COMMANDS,
];

/// A data store.
pub struct Engine {
    keyspace: Keyspace,
    config: Config,
    acl: Acl,
    clients: Clients,
    /// The client whose command runs.
    current: ClientId,
    /// While EXEC runs: how many commands it has. They may not wait or take over the connection.
    executing: Option<usize>,
    table: Table,
    calls: Vec<CallStats>,
    stats: Stats,
    slow_log: CommandLog,
    large_requests: CommandLog,
    large_replies: CommandLog,
    snapshots: Snapshots,
    append_only: AppendOnly,
    /// While a log is run again: what has gone wrong with it.
    replaying: Option<append_only::Mishap>,
    /// Whether the log is to be read again.
    wants_log_again: bool,
    latency: LatencyMonitor,
    identity: Identity,
    journal: Journal,
    replication: Replication,
    pubsub: PubSub,
    watches: Watches,
    scripts: Scripts,
    functions: Functions,
    running: Running,
    waiting: Waiting,
    tracking: tracking::Table,
    /// Clients that see every command.
    monitors: Vec<ClientId>,
    /// Whether keys past their deadline are removed before anybody asks for them.
    expires_actively: bool,
    /// Whether ticks do nothing but end waits.
    pauses_ticks: bool,
    /// Lines for the shell's log.
    notes: Vec<String>,
    /// The end of the last command, by the host's clock: the next one in a pipeline starts there.
    lap_us: u64,
    quick: quick::Commands,
    /// Whether more has to be evicted than one unit did.
    evicts: bool,
}

impl Engine {
    /// An empty store. The same seed, requests and times give the same bytes.
    pub fn new(config: Config, seed: u64) -> Engine {
        let mut table = Table::new();
        table.rename(config.renames.clone());
        let mut engine = Engine {
            keyspace: Keyspace::new(config.databases, seed),
            calls: table.all().map(|_| CallStats::default()).collect(),
            quick: quick::Commands::new(&table),
            acl: Acl::new(&table),
            table,
            config,
            clients: Clients::default(),
            current: ClientId(u32::MAX),
            executing: None,
            stats: Stats::default(),
            slow_log: CommandLog::default(),
            large_requests: CommandLog::default(),
            large_replies: CommandLog::default(),
            snapshots: Snapshots::default(),
            append_only: AppendOnly::default(),
            replaying: None,
            wants_log_again: false,
            latency: LatencyMonitor::default(),
            identity: Identity::new(seed),
            journal: Journal::default(),
            replication: Replication::new(seed),
            pubsub: PubSub::default(),
            watches: Watches::default(),
            scripts: Scripts::default(),
            functions: Functions::default(),
            running: Running::default(),
            waiting: Waiting::default(),
            tracking: tracking::Table::default(),
            monitors: Vec::new(),
            expires_actively: true,
            pauses_ticks: false,
            notes: Vec::new(),
            lap_us: 0,
            evicts: false,
        };
        engine.configure();
        if let Some((host, port)) = engine.config.primary() {
            engine.replication.primary = Some(Primary::new(host, port));
            engine.refresh_role();
        }
        engine
    }

    /// Adds a client.
    pub fn connect(&mut self, origin: Origin, now_ms: u64) -> ClientId {
        self.stats.connections += 1;
        let id = self.clients.insert(origin, now_ms);
        self.greet(id);
        id
    }

    /// Adds a client that stands for another one while that goes on: of the same user, working on the same database. `None`
    /// when the other one collects a transaction, in which nobody waits.
    pub fn connect_beside(&mut self, other: ClientId, now_ms: u64) -> Option<ClientId> {
        let origin = self.clients.get(other).filter(|it| it.transaction.is_none())?.origin.clone();
        let id = self.connect(origin, now_ms);
        let other = self.clients.get(other)?;
        let (db, version, no_touch) = (other.db, other.version, other.no_touch);
        let (user, authenticated, unrestricted) = (other.user, other.authenticated, other.unrestricted);
        if let Some(client) = self.clients.get_mut(id) {
            (client.db, client.version, client.no_touch) = (db, version, no_touch);
            (client.user, client.authenticated, client.unrestricted) = (user, authenticated, unrestricted);
        }
        Some(id)
    }

    /// Adds a client that may do everything: whoever speaks through it has been asked before who it is.
    pub fn connect_trusted(&mut self, origin: Origin, now_ms: u64) -> ClientId {
        let id = self.connect(origin, now_ms);
        if let Some(client) = self.clients.get_mut(id) {
            (client.authenticated, client.unrestricted) = (true, true);
        }
        id
    }

    /// Whether a request only reads.
    pub fn is_read(&self, words: &[&[u8]]) -> bool {
        self.table.find(words).is_some_and(|known| self.table.spec(known).flags.has(Flags::READONLY))
    }

    /// Whether a request says that it would wait, of a command that need not.
    pub fn would_wait(&self, words: &[&[u8]]) -> bool {
        self.table.find(words).is_some_and(|known| waits_for_streams(self.table.spec(known), words))
    }

    /// Has a client speak another dialect, as HELLO does for those that can send it first.
    pub fn speak(&mut self, id: ClientId, version: Version) {
        if let Some(client) = self.clients.get_mut(id) {
            client.version = version;
        }
    }

    /// Forgets a client.
    pub fn disconnect(&mut self, id: ClientId) {
        if self.is_running_for(id) {
            return self.orphan_script();
        }
        self.leave(id);
        self.clients.remove(id);
    }

    /// Takes bytes that a client sent, cut anywhere, and runs every request that is complete. Its replies are then in
    /// [`Engine::output`]; other clients may be in [`Engine::next_ready`].
    pub fn receive(&mut self, id: ClientId, bytes: &[u8], now_ms: u64) {
        self.begin(now_ms);
        self.stats.input_bytes += bytes.len() as u64;
        self.stats.reads += 1;
        let Some(client) = self.clients.get_mut(id).filter(|client| !client.closing) else { return };
        client.traffic.0 += bytes.len() as u64;
        client.active_ms = now_ms;
        if client.is_primary {
            return self.receive_from_primary(id, bytes, now_ms);
        }
        if client.is_waiting() {
            client.query.extend_from_slice(bytes);
            return self.limit_query(id);
        }
        client.reading = client.query.len() + bytes.len();
        let mut parser = mem::take(&mut client.parser);
        let mut query = mem::take(&mut client.query);
        let mut out = mem::take(&mut client.out);
        let unsent = out.len();
        let mut writer = Writer::new(&mut out, client.version);

        query.extend_from_slice(if query.is_empty() { &[] } else { bytes });
        let input = if query.is_empty() { bytes } else { &query };
        let used = self.requests(id, input, &mut parser, &mut writer);

        if query.is_empty() {
            query.extend_from_slice(&bytes[used..]);
        } else {
            query.drain(..used);
        }
        // Room for a long word is made once, and given back with the last of its bytes.
        query.reserve(parser.wants().saturating_sub(query.len()));
        if query.is_empty() {
            query = Vec::new();
        }
        self.clients.grow(query.len() + out.len() - unsent);
        if let Some(client) = self.clients.get_mut(id) {
            client.parser = parser;
            client.reading = 0;
            client.query = query;
            self.stats.output_bytes += (out.len() - unsent) as u64;
            client.put_back(out);
        }
        self.limit_query(id);
        self.limit_output(id);
        self.watch_client_memory();
    }

    /// Runs one request that is already in words: the way of callers in the same process.
    pub fn execute(&mut self, id: ClientId, words: &[&[u8]], now_ms: u64) {
        self.execute_known(id, None, words, now_ms);
    }

    /// The same for a caller that may know already which command `words`, name included, begin with.
    pub fn execute_known(&mut self, id: ClientId, known: Option<Known>, words: &[&[u8]], now_ms: u64) {
        self.begin(now_ms);
        let Some(client) = self.clients.get_mut(id).filter(|client| !client.closing) else { return };
        client.active_ms = now_ms;
        if client.is_waiting() || client.held {
            client.keep_request(words);
            return self.limit_query(id);
        }
        let mut out = mem::take(&mut client.out);
        let unsent = out.len();
        let mut writer = Writer::new(&mut out, client.version);
        self.request(id, known, words, &mut writer);
        if let Some(client) = self.clients.get_mut(id) {
            self.stats.output_bytes += (out.len() - unsent) as u64;
            client.put_back(out);
            if client.paused {
                client.keep_request(words);
            }
        }
        self.limit_query(id);
        self.limit_output(id);
    }

    /// Lets time pass: keys expire, and a slice is freed of what was deleted. Call it when [`Engine::next_deadline`] says so.
    pub fn tick(&mut self, now_ms: u64) {
        /// Keys that expire in one tick; as many more may be due, and then the next deadline is now.
        const DUE_AT_ONCE: usize = 1000;
        self.begin(now_ms);
        if self.is_busy() {
            self.resume_script();
            return;
        }
        if self.pauses_ticks {
            return;
        }
        if self.expires_actively && !self.keyspace.keeps_expired {
            self.keyspace.expire_due(DUE_AT_ONCE);
            let took_us = self.lap();
            self.keep_event("expire-cycle", took_us);
        }
        if self.evicts {
            self.make_room();
        }
        self.evict_clients();
        self.close_lagging_long();
        self.save_if_due();
        self.rewrite_if_due();
        self.settle();
        self.tend_replication();
    }

    /// Whether [`Engine::next_deadline`] may be before `at_ms`: cheap enough to be asked after every command.
    #[inline(always)]
    pub fn may_wake_before(&self, at_ms: u64) -> bool {
        let expires =
            self.expires_actively && !self.keyspace.keeps_expired && self.keyspace.may_expire_before(at_ms);
        expires
            || self.evicts
            || self.is_busy()
            || self.waiting.soonest_ms() < at_ms
            || !self.keyspace.freeing.is_done()
    }

    /// When [`Engine::tick`] next has something to do, in milliseconds since 1970.
    pub fn next_deadline(&mut self) -> Option<u64> {
        if self.evicts && !self.pauses_ticks || self.is_busy() || !self.keyspace.freeing.is_done() {
            return Some(self.keyspace.now_ms());
        }
        let waits_until = Some(self.waiting.soonest_ms()).filter(|&at| at < u64::MAX);
        let expires = self.expires_actively && !self.pauses_ticks && !self.keyspace.keeps_expired;
        let expires_at = if expires { self.keyspace.next_deadline() } else { None };
        expires_at.into_iter().chain(waits_until).min()
    }

    /// Whether a client that just connected has to authenticate.
    pub fn has_password(&self) -> bool {
        !self.acl.is_open()
    }

    /// Closes the clients that last sent something before `before_ms`, except those that wait for messages.
    pub fn close_idle(&mut self, before_ms: u64) {
        let is_idle = |client: &Client| {
            client.active_ms < before_ms
                && !client.is_subscriber()
                && !client.is_monitor
                && !client.replicates()
                && client.parked.is_none()
        };
        let idle: Vec<ClientId> =
            self.clients.iter().filter(|(_, it)| is_idle(it)).map(|(id, _)| id).collect();
        idle.into_iter().for_each(|id| self.close(id));
    }

    /// The replies and messages for a client that have not been sent. The shell sends them, and clears the buffer.
    pub fn output(&mut self, id: ClientId) -> Option<&mut Vec<u8>> {
        let client = self.clients.get_mut(id)?;
        client.ready = false;
        if client.replica.is_some() {
            self.fill(id);
        }
        self.clients.get_mut(id).map(|client| &mut client.out)
    }

    /// Whether a client is to be closed once its output is sent.
    pub fn is_closing(&self, id: ClientId) -> bool {
        self.clients.get(id).is_none_or(|client| client.closing)
    }

    /// Whether requests of a client are there that [`Engine::receive`] goes on with, with or without more bytes: they
    /// waited for its replies to be fetched, or for what another client did.
    #[inline]
    pub fn is_held(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| client.held && !client.closing)
    }

    /// Whether a client waits for messages and not for replies.
    pub fn is_subscriber(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(Client::is_subscriber)
    }

    /// Whether [`Engine::next_ready`] may have a client.
    #[inline]
    pub fn has_ready(&self) -> bool {
        self.clients.has_ready()
    }

    /// The next client that has output, or is to be closed, because of another client's command.
    pub fn next_ready(&mut self) -> Option<ClientId> {
        self.clients.next_ready()
    }

    /// Lines for the log since the last time.
    pub fn take_notes(&mut self) -> impl Iterator<Item = String> + use<'_> {
        self.notes.drain(..)
    }

    /// Bytes to be kept or replicated.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// One number for all that is stored: equal data give equal digests.
    pub fn digest(&self) -> u64 {
        self.keyspace.digest()
    }

    /// Panics unless what is stored is as it should be. For tests.
    pub fn check(&self) {
        self.keyspace.check();
    }

    fn begin(&mut self, now_ms: u64) {
        if self.is_busy() {
            return;
        }
        self.keyspace.set_now(now_ms);
        self.clients.now_ms = now_ms;
        self.keyspace.free_slice();
        self.identity.seen(now_ms);
        self.stats.sample(now_ms);
        self.lap_us = (self.config.host.clock)();
        if now_ms >= self.waiting.soonest_ms() {
            self.end_waits();
        }
    }

    /// Has a client closed that has more to be run than it may: requests that are not complete, wait, or are queued since
    /// MULTI.
    fn limit_query(&mut self, id: ClientId) {
        let limit = self.config.client_query_buffer_limit;
        let queued = |client: &Client| client.transaction.as_ref().map_or(0, Transaction::memory);
        if self.clients.get(id).is_some_and(|client| client.query.len() + queued(client) > limit) {
            self.close(id);
        }
    }

    /// Microseconds since the last call, or since the unit began.
    fn lap(&mut self) -> u64 {
        let now_us = (self.config.host.clock)();
        now_us.saturating_sub(mem::replace(&mut self.lap_us, now_us))
    }

    fn request(&mut self, id: ClientId, known: Option<Known>, words: &[&[u8]], out: &mut Writer) {
        if words.is_empty() {
            return;
        }
        if let Some(client) = self.clients.get(id) {
            self.keyspace.select(client.db);
            self.keyspace.keeps_clocks = client.no_touch;
            self.run(id, known, words, out);
        }
    }

    fn current(&self) -> &Client {
        self.clients.get(self.current).expect("a command runs for a connected client")
    }

    fn current_mut(&mut self) -> &mut Client {
        self.clients.get_mut(self.current).expect("a command runs for a connected client")
    }

    fn needs_authentication(&self) -> bool {
        !self.current().authenticated && !self.acl.is_open()
    }

    /// Has a client closed once its output is sent. It is told nothing more.
    fn close(&mut self, id: ClientId) {
        if !self.is_running_for(id) {
            self.leave(id);
        }
        if let Some(client) = self.clients.get_mut(id) {
            client.closing = true;
            self.clients.make_ready(id);
        }
    }

    /// Takes a client from wherever it waits for news.
    fn leave(&mut self, id: ClientId) {
        self.unsubscribe_all(id);
        self.unwatch_all(id);
        self.stop_monitoring(id);
        self.stop_waiting(id);
        self.stop_tracking(id);
        self.leave_replication(id);
    }
}
