//! What the engine knows of a connected client. It holds no socket: bytes come from and go to the shell.

use alloc::{boxed::Box, collections::VecDeque, string::String, vec::Vec};
use core::mem;

use crate::resp::{RequestParser, Version, Writer};

use super::{
    acl::UserId,
    dispatch::Known,
    output_limits::Lagging,
    pubsub::Subscriptions,
    replication::{Awaited, Replica},
    tracking::Tracking,
    transactions::{Transaction, Watching},
    waiting::Parked,
};

/// Names a client while it is connected; the number is given to another one later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u32);

/// Where a client comes from, as CLIENT LIST shows it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address of the client, `ip:port`, or empty for one in the same process.
    pub addr: String,
    /// The address it connected to.
    pub laddr: String,
    /// The file descriptor, or -1.
    pub fd: i64,
}

impl Origin {
    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        let host = self.addr.rsplit_once(':').map_or("", |(host, _)| host);
        self.addr.is_empty() || matches!(host, "127.0.0.1" | "::1" | "[::1]")
    }
}

/// Whether replies are sent (CLIENT REPLY).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Replies {
    /// All of them.
    #[default]
    On,
    /// None.
    Off,
    /// Not the one of this command.
    SkipThis,
    /// Not the one of the next command.
    SkipNext,
}

/// What CLIENT LIST and CLIENT KILL tell apart with TYPE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum ClientKind {
    Normal,
    Replica,
    PubSub,
    Master,
}

impl ClientKind {
    /// The kind of that name, in any letter case.
    pub fn parse(name: &[u8]) -> Option<ClientKind> {
        [
            ("normal", ClientKind::Normal),
            ("slave", ClientKind::Replica),
            ("replica", ClientKind::Replica),
            ("pubsub", ClientKind::PubSub),
            ("master", ClientKind::Master),
        ]
        .into_iter()
        .find_map(|(text, kind)| name.eq_ignore_ascii_case(text.as_bytes()).then_some(kind))
    }
}

/// A connected client.
pub struct Client {
    /// The number that CLIENT ID answers, never given twice.
    pub id: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// What CLIENT SETNAME called it.
    pub name: Vec<u8>,
    /// What CLIENT SETINFO told of its library: name and version.
    pub library: (Vec<u8>, Vec<u8>),
    /// Whether it has said who it is, or need not.
    pub authenticated: bool,
    /// The user whose rules it is under.
    pub user: UserId,
    /// Whether those rules allow everything.
    pub unrestricted: bool,
    /// The number of its database.
    pub db: usize,
    /// The dialect it speaks.
    pub version: Version,
    /// Commands queued since MULTI.
    pub transaction: Option<Transaction>,
    /// The keys it watches.
    pub watching: Watching,
    /// The channels and patterns it listens to.
    pub subscriptions: Subscriptions,
    /// How it is told of changes of keys that it read (CLIENT TRACKING).
    pub tracking: Option<Box<Tracking>>,
    /// Whether it sees every command (MONITOR).
    pub is_monitor: bool,
    /// Whether it is to be closed when its output is written.
    pub closing: bool,
    /// Whether its replies are sent.
    pub replies: Replies,
    /// Whether it is spared when the memory for clients runs out (CLIENT NO-EVICT).
    pub no_evict: bool,
    /// Whether its reads leave the access clocks of keys alone (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// When it connected, in milliseconds since 1970.
    pub connected_ms: u64,
    /// When it last sent a command.
    pub active_ms: u64,
    /// The last command it sent.
    pub last_command: Option<Known>,
    /// Bytes it sent and was sent.
    pub traffic: (u64, u64),
    pub(super) parser: RequestParser,
    pub(super) query: Vec<u8>,
    /// Bytes that are read while its requests run; they are not in `query` then.
    pub(super) reading: usize,
    /// What it told of itself that wants to be a replica, and how far it has come.
    pub(super) replica: Option<Box<Replica>>,
    /// Whether it stands for the primary of this server.
    pub(super) is_primary: bool,
    /// The offset of the stream of effects after its last change.
    pub(super) wrote_to: u64,
    /// What WAIT or WAITAOF waits for.
    pub(super) awaits: Option<Awaited>,
    pub(super) out: Vec<u8>,
    /// How much of `out` tells of keys that changed (CLIENT TRACKING).
    pub(super) told: usize,
    /// How much of `out`, at its start, the shell has sent.
    pub(super) sent: usize,
    /// Since when it is over the soft limit for its output.
    pub(super) lags_since_ms: Option<u64>,
    /// Whether requests wait in `query` until `out` is fetched.
    pub(super) held: bool,
    /// What it waits for, when a command of it found nothing.
    pub(super) parked: Option<Box<Parked>>,
    /// Whether its next request waits for the end of a pause (CLIENT PAUSE).
    pub(super) paused: bool,
    /// Whether it is in the list of clients whose output the shell has to fetch.
    pub(super) ready: bool,
}

impl Client {
    fn new(id: u64, origin: Origin, now_ms: u64) -> Client {
        Client {
            id,
            origin,
            name: Vec::new(),
            library: Default::default(),
            authenticated: false,
            user: UserId::default(),
            unrestricted: false,
            db: 0,
            version: Version::V2,
            transaction: None,
            watching: Watching::default(),
            subscriptions: Subscriptions::default(),
            tracking: None,
            is_monitor: false,
            closing: false,
            replies: Replies::On,
            no_evict: false,
            no_touch: false,
            connected_ms: now_ms,
            active_ms: now_ms,
            last_command: None,
            traffic: (0, 0),
            parser: RequestParser::default(),
            query: Vec::new(),
            reading: 0,
            replica: None,
            is_primary: false,
            wrote_to: 0,
            awaits: None,
            out: Vec::new(),
            told: 0,
            sent: 0,
            lags_since_ms: None,
            held: false,
            parked: None,
            paused: false,
            ready: false,
        }
    }

    /// Returns the output buffer that was taken while its commands ran.
    pub(super) fn put_back(&mut self, mut out: Vec<u8>) {
        out.append(&mut self.out);
        self.out = out;
    }

    /// Whether its requests wait for something that others do.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.parked.is_some() || self.paused
    }

    /// Keeps a request that came in words until its turn comes.
    pub(super) fn keep_request(&mut self, words: &[&[u8]]) {
        let mut out = Writer::new(&mut self.query, Version::V2);
        out.array(words.len());
        words.iter().for_each(|word| out.bulk(word));
    }

    /// Its requests have waited long enough; those that came meanwhile are next.
    pub(super) fn resume(&mut self) {
        self.parked = None;
        self.paused = false;
        self.held = !self.query.is_empty();
    }

    /// Whether it listens to channels or patterns.
    pub fn is_subscriber(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    /// Whether it is a replica.
    pub fn is_replica(&self) -> bool {
        self.replica.as_ref().is_some_and(|replica| replica.is_one())
    }

    /// Whether it is a replica, or the primary.
    pub fn replicates(&self) -> bool {
        self.is_primary || self.is_replica()
    }

    /// What kind of client it is to CLIENT LIST and CLIENT KILL.
    pub fn kind(&self) -> ClientKind {
        match () {
            () if self.is_primary => ClientKind::Master,
            () if self.is_replica() => ClientKind::Replica,
            () if self.is_subscriber() => ClientKind::PubSub,
            () => ClientKind::Normal,
        }
    }

    /// The letters of the `flags` field of CLIENT LIST; `executes` while its EXEC runs.
    pub fn flags(&self, executes: bool) -> String {
        let (bcast, is_broken) = self.tracking.as_ref().map_or((false, false), |tracking| tracking.flags());
        let flags = [
            ('S', self.is_replica()),
            ('M', self.is_primary),
            ('O', self.is_monitor),
            ('P', self.is_subscriber()),
            ('x', self.transaction.is_some() || executes),
            ('b', self.is_waiting()),
            ('t', self.tracking.is_some()),
            ('R', is_broken),
            ('B', bcast),
            ('d', self.watching.has_failed()),
            ('c', self.closing),
            ('e', self.no_evict),
            ('T', self.no_touch),
        ];
        let letters: String = flags.iter().filter(|(_, is_set)| *is_set).map(|(letter, _)| *letter).collect();
        if letters.is_empty() { "N".into() } else { letters }
    }

    /// Has it be as when it connected (RESET), but for its subscriptions and the keys it watches.
    pub fn reset(&mut self) {
        self.db = 0;
        self.version = Version::V2;
        self.name = Vec::new();
        self.transaction = None;
        self.replies = Replies::On;
        self.no_evict = false;
        self.no_touch = false;
    }

    /// Bytes of replies that the shell has not sent yet.
    pub fn pending_output(&self) -> usize {
        self.out.len().saturating_sub(self.sent)
    }

    /// Bytes of a request that is not complete, or of those that run.
    pub fn pending_query(&self) -> usize {
        self.query.len().max(self.reading)
    }
}

/// Every connected client. A client is boxed, since there may be ten thousand idle ones and slots for more.
#[derive(Default)]
pub struct Clients {
    slots: Vec<Option<Box<Client>>>,
    free: Vec<u32>,
    /// Clients with output or an end that their shell does not know of, since another client caused it.
    ready: VecDeque<ClientId>,
    last_id: u64,
    /// By how many bytes buffers have grown since somebody looked at all of them.
    pub(super) grown: usize,
    /// The time, as far as anybody told.
    pub(super) now_ms: u64,
    /// Those whose output tells of keys that changed, or did.
    told: Vec<ClientId>,
    /// Those who are slower than what they are sent.
    pub(super) lagging: Lagging,
    /// Connected since the start.
    pub accepted: u64,
}

impl Clients {
    /// Adds a client.
    pub fn insert(&mut self, origin: Origin, now_ms: u64) -> ClientId {
        self.last_id += 1;
        self.accepted += 1;
        let client = Some(Box::new(Client::new(self.last_id, origin, now_ms)));
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = client;
                ClientId(slot)
            }
            None => {
                self.slots.push(client);
                ClientId(self.slots.len() as u32 - 1)
            }
        }
    }

    /// Forgets a client.
    pub fn remove(&mut self, id: ClientId) -> Option<Box<Client>> {
        let client = self.slots.get_mut(id.0 as usize)?.take()?;
        self.free.push(id.0);
        Some(client)
    }

    /// The client, if it is still connected.
    #[inline]
    pub fn get(&self, id: ClientId) -> Option<&Client> {
        self.slots.get(id.0 as usize)?.as_deref()
    }

    /// The client, to be changed, if it is still connected.
    #[inline]
    pub fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.slots.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// Sends a client bytes that it did not just ask for. Those for the client whose command runs follow its reply.
    pub fn send<'b>(&mut self, id: ClientId, bytes: impl FnOnce(Version) -> &'b [u8]) {
        let Some(client) = self.slots.get_mut(id.0 as usize).and_then(Option::as_deref_mut) else { return };
        let bytes = bytes(client.version);
        client.out.extend_from_slice(bytes);
        self.lagging.notice(id, client, self.now_ms);
        if !mem::replace(&mut client.ready, true) {
            self.ready.push_back(id);
        }
        self.grow(bytes.len());
    }

    /// Buffers have grown by so many bytes.
    #[inline]
    pub(super) fn grow(&mut self, bytes: usize) {
        self.grown = self.grown.saturating_add(bytes);
    }

    /// Sends a client word of keys that changed.
    pub(super) fn tell(&mut self, id: ClientId, message: &[u8]) {
        let Some(client) = self.get_mut(id) else { return };
        let is_new = client.told == 0;
        client.told = message.len() + if client.out.is_empty() { 0 } else { client.told };
        if is_new {
            self.told.push(id);
        }
        self.send(id, |_| message);
    }

    /// Forgets those who have been sent all of it.
    pub(super) fn forget_told(&mut self) {
        self.told.sort_unstable();
        self.told.dedup();
        let Clients { slots, told, .. } = self;
        told.retain(|id| match slots.get_mut(id.0 as usize).and_then(Option::as_deref_mut) {
            Some(client) if client.out.is_empty() => {
                client.told = 0;
                false
            }
            Some(client) => client.told > 0,
            None => false,
        });
    }

    /// Bytes of the buffers in which word of keys that changed waits to be sent.
    pub(super) fn told_bytes(&self) -> usize {
        let waiting = self.told.iter().filter_map(|&id| self.get(id)).filter(|client| !client.out.is_empty());
        waiting.map(|it| it.told.min(it.out.len()) * it.out.capacity() / it.out.len()).sum()
    }

    /// Notices how much output a client has been left with.
    #[inline]
    pub(super) fn notice_output(&mut self, id: ClientId, now_ms: u64) {
        self.now_ms = now_ms;
        if let Some(client) = self.slots.get_mut(id.0 as usize).and_then(Option::as_deref_mut) {
            self.lagging.notice(id, client, now_ms);
        }
    }

    /// Has the shell look at a client.
    pub fn make_ready(&mut self, id: ClientId) {
        if let Some(client) = self.get_mut(id)
            && !mem::replace(&mut client.ready, true)
        {
            self.ready.push_back(id);
        }
    }

    /// Whether [`Clients::next_ready`] may have a client.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next client that the shell has to look at.
    pub fn next_ready(&mut self) -> Option<ClientId> {
        loop {
            let id = self.ready.pop_front()?;
            if self.get(id).is_some_and(|client| client.ready) {
                return Some(id);
            }
        }
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(slot, client)| Some((ClientId(slot as u32), client.as_deref()?)))
    }
}
