//! The role of a primary: clients that ask to be its replicas, the snapshots that bring them up to date, and the stream that
//! keeps them so. A replica is a place in the stream: what it has not been sent is kept once for all of them.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{
    super::{output_limits::OutputLimit, snapshots::Silence},
    Engine, SECOND,
};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Rest, Text},
        reply::{Done, Either},
        spec::commands,
    },
    data::number::parse_i64,
    engine::{Client, ClientId, Purpose, info::Identity},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Has a replica tell of itself, or how far it has come.
    "REPLCONF" = replconf(options) since "3.0.0" [ADMIN NOSCRIPT LOADING STALE ALLOW_BUSY] O("1");
    /// Begins to send a replica what happens, from where it was cut off if that is possible.
    "PSYNC" = psync(replicationid, offset, option) since "2.8.0" [ADMIN NOSCRIPT NO_ASYNC_LOADING NO_MULTI] O("N) where N is the number of keys, unless the replica goes on where it was");
    /// Begins to send a replica all there is, and then what happens.
    "SYNC" = sync() since "1.0.0" [ADMIN NOSCRIPT NO_ASYNC_LOADING NO_MULTI] O("N) where N is the number of keys in all databases");
};

/// Bytes of the stream that a replica is handed at once.
const PIECE: usize = 256 << 10;

/// How far a client has come on its way to be a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has told of itself.
    Introduced,
    /// It waits for a snapshot to begin.
    Waiting,
    /// It is sent one.
    Receiving,
    /// It reads what it was sent.
    Loading,
    /// It is sent what happens.
    Online,
}

/// What is known of a replica.
pub struct Replica {
    stage: Stage,
    /// The port it listens on, and its address if that is not where it comes from.
    pub port: u16,
    /// See `port`.
    pub address: String,
    /// Whether it can take a snapshot whose length is not known.
    reads_marks: bool,
    /// Whether it can be told that the stream has got another name.
    knows_names: bool,
    /// Whether it knows nothing of offsets: then it acknowledges nothing.
    is_old: bool,
    /// How many bytes of the stream it has been handed.
    position: u64,
    /// Since when it is in this stage, or when it last acknowledged something.
    pub seen_ms: u64,
    /// How many bytes of the stream it has, and how many of those are on its disk.
    pub acked: u64,
    /// See `acked`.
    pub synced: u64,
    /// The snapshot, if that has to be whole before it is sent.
    collected: Option<Vec<u8>>,
    /// What ends the snapshot otherwise.
    mark: String,
    /// Since when it lags behind more than it may for long.
    lags_since_ms: Option<u64>,
}

impl Replica {
    fn new(now_ms: u64) -> Replica {
        Replica {
            stage: Stage::Introduced,
            port: 0,
            address: String::new(),
            reads_marks: false,
            knows_names: false,
            is_old: false,
            position: 0,
            seen_ms: now_ms,
            acked: 0,
            synced: 0,
            collected: None,
            mark: String::new(),
            lags_since_ms: None,
        }
    }

    /// Whether it is one already.
    pub fn is_one(&self) -> bool {
        self.stage != Stage::Introduced
    }

    /// Whether it is sent what happens.
    pub fn is_online(&self) -> bool {
        self.stage == Stage::Online
    }

    /// Whether it says how far it has come.
    pub fn acknowledges(&self) -> bool {
        self.is_online() && !self.is_old
    }

    /// Its stage as INFO calls it.
    pub fn state(&self) -> &'static str {
        match self.stage {
            Stage::Introduced | Stage::Waiting => "wait_bgsave",
            Stage::Receiving | Stage::Loading => "send_bulk",
            Stage::Online => "online",
        }
    }

    /// From where on it needs the stream.
    pub fn needed(&self) -> u64 {
        if matches!(self.stage, Stage::Introduced | Stage::Waiting) { u64::MAX } else { self.position }
    }
}

fn replconf<'a>(engine: &mut Engine, options: Option<Rest<'a, Text<'a>>>) -> Result<Either<Done, Silence>> {
    let words = options.map_or(&[][..], |options| options.words());
    if !words.len().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    let now_ms = engine.keyspace.now_ms();
    for pair in words.chunks_exact(2) {
        let (name, value) = (pair[0].to_ascii_lowercase(), pair[1]);
        match name.as_slice() {
            b"ack" => {
                let synced = words.chunks_exact(2).find(|it| it[0].eq_ignore_ascii_case(b"fack"));
                engine.acknowledge(offset(value)?, synced.and_then(|it| offset(it[1]).ok()));
                return Ok(Either::Right(Silence));
            }
            b"getack" => {
                engine.ask_for_acknowledgement();
                return Ok(Either::Right(Silence));
            }
            _ => {}
        }
        let replica = engine.current_mut().replica.get_or_insert_with(|| Box::new(Replica::new(now_ms)));
        match name.as_slice() {
            b"listening-port" => replica.port = offset(value)? as u16,
            b"ip-address" if value.len() <= 255 => {
                replica.address = String::from_utf8_lossy(value).into_owned()
            }
            b"ip-address" => {
                let text = format!(
                    "ERR REPLCONF ip-address provided by replica instance is too long: {} bytes",
                    value.len()
                );
                return Err(text.into());
            }
            b"capa" => {
                replica.reads_marks |= value.eq_ignore_ascii_case(b"eof");
                replica.knows_names |= value.eq_ignore_ascii_case(b"psync2");
            }
            // Nothing of a snapshot is left out, and no version changes what is sent.
            b"version" | b"rdb-no-compress" => {}
            _ => return Err(Error::quoting("ERR Unrecognized REPLCONF option: ", pair[0], "")),
        }
    }
    Ok(Either::Left(Done))
}

fn offset(text: &[u8]) -> Result<u64> {
    parse_i64(text).map(|offset| offset.max(0) as u64).ok_or(Error::NotInteger)
}

fn psync<'a>(
    engine: &mut Engine,
    replicationid: Text,
    offset: Text,
    option: Option<Rest<'a, Text<'a>>>,
) -> Result<Silence> {
    let option = option.map_or(&[][..], |option| option.words());
    if engine.is_replica(engine.current) {
        return Ok(Silence);
    }
    if let Some(word) = option.first() {
        engine.give_role(word.eq_ignore_ascii_case(b"failover"), replicationid.0)?;
    }
    engine.refuse_sync()?;
    let next = parse_i64(offset.0).ok_or(Error::NotInteger)?;
    let next = u64::try_from(next).unwrap_or(0);
    if engine.replication.history.continues(replicationid.0, next) {
        engine.go_on_from(next);
    } else {
        engine.replication.counters.partial_refused += (replicationid.0 != b"?") as u64;
        engine.sync_fully(false);
    }
    Ok(Silence)
}

fn sync(engine: &mut Engine) -> Result<Silence> {
    if engine.is_replica(engine.current) {
        return Ok(Silence);
    }
    engine.refuse_sync()?;
    engine.sync_fully(true);
    Ok(Silence)
}

impl Engine {
    /// Whether a client is a replica.
    pub fn is_replica(&self, id: ClientId) -> bool {
        self.clients.get(id).is_some_and(Client::is_replica)
    }

    /// Every replica, in the order in which they came.
    pub(in crate::engine) fn replicas(&self) -> impl Iterator<Item = (ClientId, &Replica)> {
        self.replication
            .replicas
            .iter()
            .filter_map(|&id| Some((id, self.clients.get(id)?.replica.as_deref()?)))
    }

    /// Those that have come so far on their way.
    fn replicas_at(&self, stage: Stage) -> Vec<ClientId> {
        self.replicas().filter(|(_, it)| it.stage == stage).map(|(id, _)| id).collect()
    }

    /// How many replicas have not been silent for long.
    pub(super) fn good_replicas(&self) -> usize {
        let (now_ms, lag_ms) = (self.keyspace.now_ms(), self.replication.settings.lag_max_ms);
        self.replicas()
            .filter(|(_, it)| it.is_online() && now_ms.saturating_sub(it.seen_ms) <= lag_ms)
            .count()
    }

    fn replica_mut(&mut self, id: ClientId) -> Option<&mut Replica> {
        self.clients.get_mut(id)?.replica.as_deref_mut()
    }

    /// The current client as a replica to be.
    fn replica_to_be(&mut self) -> &mut Replica {
        let now_ms = self.keyspace.now_ms();
        self.current_mut().replica.get_or_insert_with(|| Box::new(Replica::new(now_ms)))
    }

    /// Why nobody can become a replica now.
    fn refuse_sync(&self) -> Result<()> {
        match &self.replication.primary {
            Some(primary) if !primary.is_up() => {
                Err(Error::refused("NOMASTERLINK Can't SYNC while not connected with my master"))
            }
            _ => Ok(()),
        }
    }

    /// Sends the current client the stream from the byte of this number on.
    fn go_on_from(&mut self, next: u64) {
        let (id, now_ms) = (self.current, self.keyspace.now_ms());
        let name = self.replication.history.id.clone();
        let replica = self.replica_to_be();
        (replica.stage, replica.position, replica.seen_ms) = (Stage::Online, next.saturating_sub(1), now_ms);
        let line = if replica.knows_names { format!("+CONTINUE {name}\r\n") } else { "+CONTINUE\r\n".into() };
        self.clients.send(id, |_| line.as_bytes());
        self.replication.replicas.push(id);
        self.replication.counters.partial += 1;
        self.replication.stream.begin_anew();
        let kept = (self.replication.history.offset() + 1).saturating_sub(next);
        self.note(format!("Partial resynchronization request from {} accepted. Sending {kept} bytes of backlog starting from offset {next}.", self.name_of(id)));
    }

    /// Has the current client wait for a snapshot.
    fn sync_fully(&mut self, is_old: bool) {
        let (id, now_ms) = (self.current, self.keyspace.now_ms());
        let replica = self.replica_to_be();
        (replica.stage, replica.is_old, replica.seen_ms) = (Stage::Waiting, is_old, now_ms);
        self.replication.counters.full += 1;
        if !self.replication.history.is_kept() {
            // So far nobody has counted what happened: the name stands for nothing.
            self.replication.begin_anew();
            self.replication.history.keep();
        }
        self.replication.replicas.push(id);
        self.refresh_role();
        self.note(format!("Replica {} asks for synchronization", self.name_of(id)));
        self.begin_full_sync();
    }

    /// Begins a snapshot for the replicas that wait for one, if it is time and nothing is in the way.
    pub(super) fn begin_full_sync(&mut self) {
        if self.snapshot_purpose().is_some() {
            return;
        }
        let now_ms = self.keyspace.now_ms();
        let waiting = || self.replicas().filter(|(_, it)| it.stage == Stage::Waiting);
        let Some(since_ms) = waiting().map(|(_, it)| it.seen_ms).min() else { return };
        let number = |name| self.config.number(name).unwrap_or(0).max(0) as u64;
        let delay_ms = number("repl-diskless-sync-delay") * SECOND;
        let (count, enough) = (waiting().count() as u64, number("repl-diskless-sync-max-replicas"));
        // Others may come meanwhile, who then share it.
        let may_wait = self.is_on("repl-diskless-sync") && waiting().all(|(_, it)| it.reads_marks);
        if may_wait && now_ms < since_ms + delay_ms && !(enough > 0 && count >= enough) {
            return;
        }
        let waiting: Vec<ClientId> = waiting().map(|(id, _)| id).collect();
        self.note("Starting BGSAVE for SYNC with target: replicas sockets".into());
        self.begin_snapshot(Purpose::Replicas);
        self.replication.stream.begin_anew();
        let (name, offset) = (self.replication.history.id.clone(), self.replication.history.offset());
        for id in waiting {
            let mark = Identity::name(&mut self.replication.random);
            let Some(replica) = self.replica_mut(id) else { continue };
            (replica.stage, replica.position) = (Stage::Receiving, offset);
            let mut line =
                if replica.is_old { String::new() } else { format!("+FULLRESYNC {name} {offset}\r\n") };
            if replica.reads_marks {
                line += &format!("$EOF:{mark}\r\n");
                replica.mark = mark;
            } else {
                replica.collected = Some(Vec::new());
            }
            self.clients.send(id, |_| line.as_bytes());
            self.clients.make_ready(id);
        }
    }

    /// Puts what comes next into the empty output of a replica.
    pub(in crate::engine) fn fill(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id).filter(|it| it.out.is_empty() && !it.closing) else {
            return;
        };
        let Some(replica) = &mut client.replica else { return };
        match replica.stage {
            Stage::Online => {
                let len = self.replication.history.read(replica.position, PIECE, &mut client.out);
                replica.position += len as u64;
                self.replication.counters.sent_bytes += len as u64;
                if len == PIECE {
                    self.clients.make_ready(id);
                }
            }
            Stage::Receiving => self.send_snapshot(),
            _ => {}
        }
    }

    /// Makes the next piece of the snapshot for all who receive it, when all have taken the last.
    fn send_snapshot(&mut self) {
        if self.snapshot_purpose() != Some(Purpose::Replicas) {
            return;
        }
        let receiving = self.replicas_at(Stage::Receiving);
        let has_taken = |id: &ClientId| self.clients.get(*id).is_none_or(|client| client.out.is_empty());
        if !receiving.iter().all(has_taken) {
            return;
        }
        let (bytes, more) = self.snapshot_step();
        let now_ms = self.keyspace.now_ms();
        for &id in &receiving {
            let Some(client) = self.clients.get_mut(id) else { continue };
            let Some(replica) = &mut client.replica else { continue };
            replica.seen_ms = now_ms;
            match &mut replica.collected {
                Some(collected) => collected.extend_from_slice(&bytes),
                None => client.out.extend_from_slice(&bytes),
            }
            if !more {
                match replica.collected.take() {
                    Some(collected) => {
                        client.out = format!("${}\r\n", collected.len()).into_bytes();
                        client.out.extend(collected);
                        replica.stage = Stage::Online;
                        replica.acked = replica.position;
                    }
                    // What follows is sent when it has found the mark, which nothing may follow.
                    None => {
                        client.out.extend_from_slice(replica.mark.as_bytes());
                        replica.stage = Stage::Loading;
                    }
                }
            }
            self.replication.counters.sent_bytes += bytes.len() as u64;
            self.clients.make_ready(id);
        }
        if !more {
            self.end_snapshot();
            self.note(format!(
                "Diskless rdb transfer, done reading from pipe, {} replicas still up",
                receiving.len()
            ));
        }
    }

    /// The current client, a replica, has so much of the stream, and so much of it on its disk.
    fn acknowledge(&mut self, offset: u64, synced: Option<u64>) {
        let (id, now_ms) = (self.current, self.keyspace.now_ms());
        let Some(replica) = self.replica_mut(id).filter(|it| it.is_one()) else { return };
        replica.seen_ms = now_ms;
        replica.acked = replica.acked.max(offset);
        replica.synced = replica.synced.max(synced.unwrap_or(0));
        if replica.stage == Stage::Loading {
            replica.stage = Stage::Online;
            self.clients.make_ready(id);
            self.note(format!("Synchronization with replica {} succeeded", self.name_of(id)));
        }
        self.serve_acknowledged();
    }

    /// What people call a replica.
    pub(super) fn name_of(&self, id: ClientId) -> String {
        let replica = self.clients.get(id).and_then(|client| client.replica.as_deref());
        replica.map_or_else(String::new, |it| format!("{}:{}", self.host_of(id, it), it.port))
    }

    /// The host a replica can be reached at: the one it told of, or where it comes from.
    pub(super) fn host_of<'a>(&'a self, id: ClientId, replica: &'a Replica) -> &'a str {
        let addr = self.clients.get(id).map_or("", |client| client.origin.addr.as_str());
        match &*replica.address {
            "" => addr.rsplit_once(':').map_or(addr, |(host, _)| host),
            address => address,
        }
    }

    /// Closes the replicas that lag behind more than they may.
    pub(super) fn limit_replicas(&mut self) {
        let it = &self.replication;
        let (offset, now_ms) = (it.history.offset(), self.keyspace.now_ms());
        let OutputLimit { hard, soft, grace } = self.config.output_limits.replica;
        // A replica that could come back and go on is not closed.
        let hard = if hard > 0 { hard.max(it.settings.backlog) } else { usize::MAX };
        let soft = if soft > 0 { soft } else { usize::MAX };
        let mut closed = Vec::new();
        for &id in &it.replicas {
            let Some(client) = self.clients.get_mut(id) else { continue };
            let Some(replica) = client.replica.as_mut().filter(|it| it.needed() < u64::MAX) else { continue };
            let lag = offset.saturating_sub(replica.position) as usize;
            if lag <= soft {
                replica.lags_since_ms = None;
            }
            let since_ms = (lag > soft).then(|| *replica.lags_since_ms.get_or_insert(now_ms));
            let is_too_long = since_ms.is_some_and(|since_ms| now_ms > since_ms + grace * SECOND);
            if lag > hard || is_too_long {
                closed.push((id, lag));
            }
        }
        for (id, lag) in closed {
            self.note(format!(
                "Client {} scheduled to be closed ASAP for overcoming of output buffer limits: {lag} bytes",
                self.name_of(id)
            ));
            self.drop_replica(id);
        }
    }

    /// Closes a replica, whatever it has not fetched.
    fn drop_replica(&mut self, id: ClientId) {
        self.close(id);
        self.forget_buffers(id);
    }

    /// Closes all replicas: they come back and ask how to go on.
    pub(super) fn drop_replicas(&mut self) {
        for id in self.replication.replicas.clone() {
            self.drop_replica(id);
        }
    }

    /// Closes those who have been silent for too long, and tells the others that this server is there.
    pub(super) fn tend_replicas(&mut self, now_ms: u64) {
        let it = &self.replication;
        let (timeout_ms, ping_ms) = (it.settings.timeout_ms, it.settings.ping_ms);
        let is_silent = |replica: &Replica| now_ms.saturating_sub(replica.seen_ms) > timeout_ms;
        let silent: Vec<ClientId> = self
            .replicas()
            .filter(|(_, it)| {
                matches!(it.stage, Stage::Online | Stage::Receiving) && !it.is_old && is_silent(it)
            })
            .map(|(id, _)| id)
            .collect();
        for id in silent {
            self.note(format!("Disconnecting timedout replica (streaming sync): {}", self.name_of(id)));
            self.drop_replica(id);
        }
        for id in self.replicas_at(Stage::Waiting) {
            self.clients.send(id, |_| b"\n");
        }
        self.limit_replicas();
        let has_replicas = !self.replication.replicas.is_empty();
        if !has_replicas {
            self.replication.pinged_ms = now_ms;
        }
        if has_replicas
            && self.replication.feeds()
            && now_ms >= self.replication.pinged_ms + ping_ms
            && !self.is_failing_over()
        {
            self.replication.pinged_ms = now_ms;
            self.say_in_stream(&[b"PING"]);
        }
    }

    /// A client goes that may be a replica.
    pub(super) fn stop_replicating_to(&mut self, id: ClientId) {
        let Some(at) = self.replication.replicas.iter().position(|&it| it == id) else { return };
        self.note(format!("Connection with replica {} lost.", self.name_of(id)));
        self.replication.replicas.remove(at);
        self.trim_history();
        self.replication.lonely_since_ms = self.keyspace.now_ms();
        let receiving = self.replicas_at(Stage::Receiving);
        if self.snapshot_purpose() == Some(Purpose::Replicas) && receiving.is_empty() {
            self.note("Diskless rdb transfer, last replica dropped, killing fork child.".into());
            self.end_snapshot();
        }
        // The others may have waited for this one to take a piece.
        receiving.into_iter().for_each(|id| self.clients.make_ready(id));
    }

    /// Gives up a snapshot for replicas, who then have to come again.
    pub(in crate::engine) fn abandon_sync(&mut self) {
        if self.snapshot_purpose() != Some(Purpose::Replicas) {
            return;
        }
        self.replicas_at(Stage::Receiving).into_iter().for_each(|id| self.drop_replica(id));
    }
}
