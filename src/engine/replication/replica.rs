//! The role of a replica: the connection to a primary, the snapshot that is loaded beside what is here and takes its place
//! when it is whole, and the stream, which is run like a client's requests that nobody may refuse or is answered.

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::mem;

use super::{Engine, Replication, SECOND};
use crate::{
    Error, Result,
    commands::{Command, args::Text, reply::Simple, spec::commands},
    data::number::parse_i64,
    engine::{ClientId, Origin, functions::Policy},
    keyspace::{Keyspace, Sweep},
    persistence::rdb::{Damage, Loader},
    replication::{Answer, Introduction, Link, News, handshake::say},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Makes this server a replica of another, or with NO ONE a primary.
    "REPLICAOF" = replicaof(host, port) since "5.0.0" [ADMIN NOSCRIPT STALE NO_ASYNC_LOADING] O("1");
    /// The same under its older name.
    "SLAVEOF" = replicaof(host, port) since "1.0.0" [ADMIN NOSCRIPT STALE NO_ASYNC_LOADING] O("1");
};

/// The server whose replica this one is.
pub(in crate::engine) struct Primary {
    /// Where it is.
    pub host: String,
    /// See `host`.
    pub port: u16,
    /// The client that stands for it, and what it says.
    pub(super) connection: Option<Connection>,
    /// The number of the attempt to connect that goes on.
    attempt: Option<u64>,
    /// When the next one is due.
    next_try_ms: u64,
    /// Since when the stream does not come; `None` while it never has.
    pub down_since_ms: Option<u64>,
    /// The database that the stream works on.
    db: usize,
    /// Whether the next one is asked to give up its role, as a FAILOVER wants it.
    pub takes_over: bool,
    /// A position of the journal and the offset of the stream that it stands for, and the last such offset that is on disk.
    mark: Option<(u64, u64)>,
    synced: u64,
}

/// A connection to a primary.
pub(super) struct Connection {
    client: ClientId,
    link: Link,
    loading: Option<Box<Loading>>,
    /// Whether the snapshot, if there was one, is loaded.
    is_up: bool,
    /// What the primary was told last, and when.
    told_ms: u64,
    wants_acknowledgement: bool,
    /// Bytes of a transaction that is not complete.
    open: Vec<u8>,
    /// Bytes of the snapshot.
    read: u64,
}

/// A snapshot that is being loaded.
struct Loading {
    keyspace: Keyspace,
    loader: Loader,
    id: Option<String>,
    offset: u64,
}

/// A server to connect to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How long that may take, in milliseconds.
    pub patience_ms: u64,
    /// What [`Engine::link_opened`] or [`Engine::link_failed`] is told.
    pub attempt: u64,
}

impl Primary {
    pub fn new(host: String, port: u16) -> Primary {
        Primary {
            host,
            port,
            connection: None,
            attempt: None,
            next_try_ms: 0,
            down_since_ms: None,
            db: 0,
            takes_over: false,
            mark: None,
            synced: 0,
        }
    }

    /// Whether its stream comes.
    pub fn is_up(&self) -> bool {
        self.connection.as_ref().is_some_and(|it| it.is_up)
    }

    /// The state of the connection, as ROLE calls it.
    pub fn state(&self) -> &'static str {
        match (&self.connection, self.attempt) {
            (Some(connection), _) => connection.link.state(),
            (None, Some(_)) => "connecting",
            (None, None) => "connect",
        }
    }

    /// Whether it sends a snapshot: how much of it has come, and how much it has in all and how much is to come if known.
    pub fn transfer(&self) -> Option<(u64, Option<(u64, u64)>)> {
        let connection = self.connection.as_ref().filter(|it| it.link.is_loading())?;
        Some((connection.read, connection.link.progress()))
    }

    /// The client that stands for it.
    pub fn client(&self) -> Option<ClientId> {
        self.connection.as_ref().map(|it| it.client)
    }
}

fn replicaof(engine: &mut Engine, host: Text, port: Text) -> Result<Simple> {
    if engine.is_failing_over() {
        return Err(Error::refused("ERR REPLICAOF not allowed while failing over."));
    }
    if host.0.eq_ignore_ascii_case(b"no") && port.0.eq_ignore_ascii_case(b"one") {
        engine.become_primary();
        return Ok(Simple("OK"));
    }
    let port = parse_i64(port.0).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or(Error::refused("ERR Invalid master port"))?;
    if engine.config.host.listen.is_none() {
        return Err(Error::refused("ERR There are no sockets here to connect to another server with"));
    }
    if engine.is_replica(engine.current) {
        return Err(Error::refused("ERR Command is not valid when client is a replica."));
    }
    let host = String::from_utf8_lossy(host.0).into_owned();
    if engine.replication.primary.as_ref().is_some_and(|it| it.host == host && it.port == port) {
        return Ok(Simple("OK Already connected to specified master"));
    }
    engine.note(format!("REPLICAOF {host}:{port} enabled (user request)"));
    engine.become_replica(host, port);
    Ok(Simple("OK"))
}

/// What the shell does with a primary.
impl Engine {
    /// Whether [`Engine::next_target`] has one.
    pub fn wants_link(&self) -> bool {
        let now_ms = self.keyspace.now_ms();
        let primary = self.replication.primary.as_ref();
        primary.is_some_and(|it| it.connection.is_none() && it.attempt.is_none() && now_ms >= it.next_try_ms)
    }

    /// The server to connect to now, if there is one.
    pub fn next_target(&mut self) -> Option<Target> {
        if !self.wants_link() {
            return None;
        }
        self.replication.attempts += 1;
        let attempt = self.replication.attempts;
        let patience_ms = self.replication.settings.timeout_ms;
        let primary = self.replication.primary.as_mut()?;
        primary.attempt = Some(attempt);
        let (host, port) = (primary.host.clone(), primary.port);
        self.note(format!("Connecting to MASTER {host}:{port}"));
        Some(Target { host, port, patience_ms, attempt })
    }

    /// There is a connection to a target: the client that stands for it, unless nobody wants it any more.
    pub fn link_opened(&mut self, attempt: u64, origin: Origin, now_ms: u64) -> Option<ClientId> {
        self.replication.primary.as_ref().filter(|it| it.attempt == Some(attempt))?;
        self.begin(now_ms);
        let id = self.clients.insert(origin, now_ms);
        let introduction = self.introduction();
        let client = self.clients.get_mut(id)?;
        (client.is_primary, client.authenticated, client.unrestricted) = (true, true, true);
        let link = Link::new(introduction, &mut client.out);
        self.note("MASTER <-> REPLICA sync started".into());
        let primary = self.replication.primary.as_mut()?;
        primary.attempt = None;
        primary.connection = Some(Connection {
            client: id,
            link,
            loading: None,
            is_up: false,
            told_ms: now_ms,
            wants_acknowledgement: false,
            open: Vec::new(),
            read: 0,
        });
        Some(id)
    }

    /// There is none, for a reason, for people.
    pub fn link_failed(&mut self, attempt: u64, reason: &str, now_ms: u64) {
        let Some(primary) = self.replication.primary.as_mut().filter(|it| it.attempt == Some(attempt)) else {
            return;
        };
        primary.attempt = None;
        primary.next_try_ms = now_ms + SECOND;
        self.note(format!("Error condition on socket for SYNC: {reason}"));
    }

    /// Takes up what a file says of the stream that is in it, when the server starts: who had it may go on here.
    pub fn recall(&mut self, loader: &Loader) {
        self.recall_history(loader);
        // What has expired meanwhile, those who go on have to hear of.
        self.settle();
    }

    fn recall_history(&mut self, loader: &Loader) {
        let offset = number_of(loader, b"repl-offset").and_then(|it| u64::try_from(it).ok());
        let id = loader.fact(b"repl-id").and_then(|id| String::from_utf8(id.to_vec()).ok());
        let (Some(id), Some(offset)) = (id, offset) else { return };
        let fresh = self.replication.history.id.clone();
        self.replication.history.adopt(id, offset);
        let db = self.stream_db_of(loader);
        match &mut self.replication.primary {
            Some(primary) => primary.db = db,
            None => self.replication.history.rename(fresh),
        }
        self.replication.lonely_since_ms = self.keyspace.now_ms();
        self.refresh_role();
    }

    /// The database of the stream at the moment of a file.
    fn stream_db_of(&self, loader: &Loader) -> usize {
        let db = number_of(loader, b"repl-stream-db").and_then(|db| usize::try_from(db).ok());
        db.filter(|&db| db < self.keyspace.count()).unwrap_or(0)
    }
}

/// What a file tells of itself, if that is a number.
fn number_of(loader: &Loader, name: &[u8]) -> Option<i64> {
    loader.fact(name).and_then(parse_i64)
}

impl Engine {
    /// The database of the stream, if somebody else writes it.
    pub(in crate::engine) fn stream_db(&self) -> Option<usize> {
        let primary = self.replication.primary.as_ref()?;
        let client = primary.client().and_then(|id| self.clients.get(id));
        Some(client.map_or(primary.db, |client| client.db))
    }

    fn introduction(&self) -> Introduction {
        let text = |name| self.config.get(name).unwrap_or_default();
        let port = self.config.number("replica-announce-port").filter(|&port| port > 0);
        let history = &self.replication.history;
        Introduction {
            user: text("masteruser"),
            password: text("masterauth"),
            port: port.map_or(self.config.host.tcp_port, |port| port as u16),
            address: text("replica-announce-ip"),
            known: history.is_kept().then(|| (history.id.clone(), history.offset() + 1)),
            takes_over: self.replication.primary.as_ref().is_some_and(|it| it.takes_over),
        }
    }

    /// Makes this server a replica of another one. Nothing changes for its own replicas as long as the stream does not.
    pub(in crate::engine) fn become_replica(&mut self, host: String, port: u16) {
        self.drop_link();
        self.unblock_all();
        self.config.note_primary(Some((&host, port)));
        let mut primary = Primary::new(host, port);
        primary.down_since_ms = Some(self.keyspace.now_ms());
        self.replication.primary = Some(primary);
        self.refresh_role();
    }

    /// Makes this server a primary.
    pub(in crate::engine) fn become_primary(&mut self) {
        if self.replication.primary.is_none() {
            return;
        }
        self.drop_link();
        self.replication.primary = None;
        self.config.note_primary(None);
        if self.replication.history.is_kept() {
            self.replication.rename();
        } else {
            self.replication.begin_anew();
        }
        self.replication.stream.begin_anew();
        self.replication.lonely_since_ms = self.keyspace.now_ms();
        // They have to hear of the new name.
        self.drop_replicas();
        self.unblock_all();
        self.refresh_role();
        self.note("MASTER MODE enabled (user request)".into());
    }

    /// Ends the connection to the primary, if there is one.
    fn drop_link(&mut self) {
        if let Some(id) = self.replication.primary.as_ref().and_then(Primary::client) {
            self.close(id);
            self.forget_buffers(id);
        }
    }

    /// A client goes that may stand for the primary.
    pub(super) fn lose_link(&mut self, id: ClientId) {
        let now_ms = self.keyspace.now_ms();
        let db = self.stream_db().unwrap_or(0);
        let Some(primary) = self.replication.primary.as_mut().filter(|it| it.client() == Some(id)) else {
            return;
        };
        let was_up = primary.is_up();
        primary.connection = None;
        primary.mark = None;
        if was_up {
            (primary.db, primary.down_since_ms) = (db, Some(now_ms));
        }
        primary.next_try_ms = if was_up { now_ms } else { now_ms + SECOND };
        self.note("Connection with master lost.".into());
    }

    /// Takes bytes that the primary sent.
    pub(in crate::engine) fn receive_from_primary(&mut self, id: ClientId, bytes: &[u8], now_ms: u64) {
        self.replication.counters.received_bytes += bytes.len() as u64;
        let mut input = bytes;
        loop {
            let Some(client) = self.clients.get_mut(id).filter(|it| !it.closing) else { return };
            client.active_ms = now_ms;
            let Some(connection) = self.replication.connection_mut() else {
                return;
            };
            let Some(news) = connection.link.next(&mut input, &mut client.out) else { break };
            match news {
                News::Answer(Answer::Full { id, offset }) => self.begin_loading(id, offset),
                News::Answer(Answer::Continue(name)) => self.continue_stream(name, now_ms),
                News::Answer(Answer::Declined(_)) if self.is_failing_over() => {
                    let _ = self.abort_failover("Failover target rejected psync request");
                    return self.close(id);
                }
                News::Answer(Answer::Refusal(reason) | Answer::Declined(reason)) | News::Nonsense(reason) => {
                    self.note(reason);
                    return self.close(id);
                }
                News::Begin => self.note("MASTER <-> REPLICA sync: Loading DB in memory".into()),
                News::Snapshot(bytes, is_over) => {
                    if let Err(damage) = self.load_snapshot(&bytes, is_over, now_ms) {
                        self.note(format!("Failed trying to load the MASTER synchronization DB: {damage}"));
                        return self.close(id);
                    }
                }
                News::Stream => self.apply(id, mem::take(&mut input), now_ms),
            }
        }
        self.clients.make_ready(id);
    }

    fn begin_loading(&mut self, id: Option<String>, offset: u64) {
        let name = id.as_deref().unwrap_or("?");
        self.note(format!("Full resync from master: {name}:{offset}"));
        let mut keyspace = self.keyspace.beside();
        keyspace.stand_still(self.keyspace.now_ms());
        let loader = self.loader();
        if let Some(connection) = self.replication.connection_mut() {
            connection.loading = Some(Box::new(Loading { keyspace, loader, id, offset }));
        }
    }

    /// Takes bytes of a snapshot. When they are the last, it takes the place of what is here.
    fn load_snapshot(&mut self, bytes: &[u8], is_over: bool, now_ms: u64) -> Result<(), Damage> {
        let Some(primary) = &mut self.replication.primary else { return Ok(()) };
        let Some(connection) = &mut primary.connection else { return Ok(()) };
        let Some(loading) = &mut connection.loading else { return Ok(()) };
        connection.read += bytes.len() as u64;
        loading.loader.feed(bytes, &mut loading.keyspace)?;
        if !is_over {
            return Ok(());
        }
        loading.loader.finish(&mut loading.keyspace)?;
        let Some(loading) = connection.loading.take() else { return Ok(()) };
        let Loading { keyspace, mut loader, id, offset } = *loading;
        connection.is_up = true;
        connection.wants_acknowledgement = id.is_some();
        (primary.takes_over, primary.synced) = (false, 0);
        let client = connection.client;
        // Before anything is given up for it.
        self.loaded(&mut loader, Policy::Flush)?;
        self.drop_replicas();
        self.abandon_sync();
        self.keyspace.take_over(keyspace);
        for db in 0..self.keyspace.count() {
            self.keyspace.effects.sweep(Sweep::Flushed(db));
        }
        self.settle();
        let db = self.stream_db_of(&loader);
        self.failed_over();
        match id {
            Some(id) => self.replication.history.adopt(id, offset),
            None => self.replication.history.forget(),
        }
        if let Some(client) = self.clients.get_mut(client) {
            client.db = db;
        }
        self.append_only.is_scheduled |= self.append_only.is_on;
        self.acknowledge_to_primary(now_ms);
        self.refresh_role();
        self.note("MASTER <-> REPLICA sync: Finished with success".into());
        Ok(())
    }

    /// The stream comes from where it ended.
    fn continue_stream(&mut self, name: Option<String>, now_ms: u64) {
        self.note("Successful partial resynchronization with master.".into());
        let Replication { history, primary, .. } = &mut self.replication;
        let Some(primary) = primary else { return };
        let Some(connection) = &mut primary.connection else { return };
        connection.is_up = true;
        connection.wants_acknowledgement = true;
        primary.takes_over = false;
        if let Some(client) = self.clients.get_mut(connection.client) {
            client.db = primary.db;
        }
        if let Some(name) = name.filter(|name| *name != history.id) {
            history.rename(name);
            // Those behind this one have to hear of it.
            self.drop_replicas();
        }
        self.failed_over();
        self.acknowledge_to_primary(now_ms);
    }

    /// Runs what the primary says has happened.
    fn apply(&mut self, id: ClientId, bytes: &[u8], now_ms: u64) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let (mut parser, mut query) = (mem::take(&mut client.parser), mem::take(&mut client.query));
        query.extend_from_slice(bytes);
        // What it tells happened before any deadline that it does not tell of.
        self.keyspace.stand_still(now_ms);
        let (mut used, mut replies) = (0, Vec::new());
        loop {
            let mut unsent = Writer::new(&mut replies, Version::V2);
            used += self.requests(id, &query[used..], &mut parser, &mut unsent);
            replies.clear();
            if !self.is_held(id) {
                break;
            }
        }
        self.keyspace.set_now(now_ms);
        let Some(client) = self.clients.get_mut(id).filter(|it| !it.closing) else { return };
        let is_whole = client.transaction.is_none();
        let rest = query.split_off(used);
        (client.parser, client.query) = (parser, rest);
        let Some(connection) = self.replication.connection_mut() else {
            return;
        };
        connection.open.append(&mut query);
        if is_whole {
            let whole = mem::take(&mut connection.open);
            self.feed(&whole);
        }
        if self.primary_wants_acknowledgement() {
            self.acknowledge_to_primary(now_ms);
        }
    }

    fn primary_wants_acknowledgement(&self) -> bool {
        let connection = self.replication.connection();
        connection.is_some_and(|it| it.wants_acknowledgement)
    }

    /// The primary asks how far this server has come; it is told when all that it has said so far is done.
    pub(super) fn ask_for_acknowledgement(&mut self) {
        if self.current().is_primary
            && let Some(connection) = self.replication.connection_mut()
        {
            connection.wants_acknowledgement = true;
        }
    }

    /// Tells the primary how far this server has come.
    fn acknowledge_to_primary(&mut self, now_ms: u64) {
        let offset = self.replication.history.offset();
        let position = self.journal.position();
        let is_logged = self.append_only.is_on;
        let safe = |position| self.is_safe(position);
        let Some(primary) = &self.replication.primary else { return };
        let reached = primary.mark.filter(|&(position, _)| safe(position)).map(|(_, offset)| offset);
        let reached = if safe(position) { Some(offset) } else { reached };
        let Some(primary) = &mut self.replication.primary else { return };
        if let Some(offset) = reached {
            (primary.synced, primary.mark) = (offset, None);
        }
        primary.mark.get_or_insert((position, offset));
        let synced = primary.synced.to_string();
        let Some(connection) = primary.connection.as_mut().filter(|it| it.is_up) else { return };
        (connection.wants_acknowledgement, connection.told_ms) = (false, now_ms);
        let id = connection.client;
        let Some(client) = self.clients.get_mut(id) else { return };
        let offset = offset.to_string();
        if is_logged {
            say(&mut client.out, &[b"REPLCONF", b"ACK", offset.as_bytes(), b"FACK", synced.as_bytes()]);
        } else {
            say(&mut client.out, &[b"REPLCONF", b"ACK", offset.as_bytes()]);
        }
        self.clients.make_ready(id);
    }

    /// Closes a connection to a primary that has been silent for too long, or tells it how far this server has come.
    pub(super) fn tend_link(&mut self, now_ms: u64) {
        let timeout_ms = self.replication.settings.timeout_ms;
        let Some(connection) = self.replication.connection() else {
            return;
        };
        let (id, is_up) = (connection.client, connection.is_up);
        let heard_ms = self.clients.get(id).map_or(now_ms, |client| client.active_ms);
        if now_ms.saturating_sub(heard_ms) > timeout_ms {
            self.note(if is_up {
                "MASTER timeout: no data nor PING received...".into()
            } else {
                "Timeout connecting to the MASTER...".into()
            });
            self.drop_link();
        } else if is_up {
            self.acknowledge_to_primary(now_ms);
        }
    }
}
