//! MULTI, EXEC, DISCARD: commands queued by one client and run as one unit. WATCH, UNWATCH: keys whose change, by
//! anybody, keeps EXEC from running.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use super::{ClientId, Engine, dispatch::Known};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Key, Keys},
        reply::{Done, Unknown, Written},
        spec::commands,
    },
    data::containers::ordered::{OrderedMap, OrderedSet},
    keyspace::{Effects, Sweep},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "transactions";
    /// Starts a transaction: commands are queued until EXEC.
    "MULTI" = multi() since "1.2.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("1");
    /// Runs the queued commands as one unit.
    "EXEC" = exec() since "1.2.0" [NOSCRIPT LOADING STALE SKIP_SLOWLOG] O("depends on commands in the transaction");
    /// Forgets the queued commands.
    "DISCARD" = discard() since "2.0.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("N), when N is the number of queued commands");
    /// Has the next EXEC do nothing if one of these keys changes before it.
    "WATCH" = watch(keys) since "2.2.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("1) for every key");
    /// Forgets the watched keys.
    "UNWATCH" = unwatch() since "2.2.0" [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] O("1");
};

/// What a client queued since MULTI.
#[derive(Default)]
pub struct Transaction {
    queued: Vec<(Known, Vec<Vec<u8>>)>,
    bytes: usize,
    words: usize,
    /// A command was refused while it was queued, so EXEC is.
    refused: bool,
}

impl Transaction {
    /// Queues a command.
    pub fn push(&mut self, command: Known, words: &[&[u8]]) {
        self.bytes += words.iter().map(|word| word.len()).sum::<usize>();
        self.words += words.len();
        self.queued.push((command, words.iter().map(|word| word.to_vec()).collect()));
    }

    /// A command was refused while it was queued.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    /// How many commands wait.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.queued.len()
    }

    /// The commands that wait.
    pub fn commands(&self) -> impl Iterator<Item = Known> {
        self.queued.iter().map(|(command, _)| *command)
    }

    /// The commands that wait, with their words.
    pub fn requests(&self) -> impl Iterator<Item = (Known, &[Vec<u8>])> {
        self.queued.iter().map(|(command, words)| (*command, &words[..]))
    }

    /// Bytes of the words that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that it takes to keep them.
    pub fn memory(&self) -> usize {
        self.bytes + self.words * size_of::<Vec<u8>>() + self.len() * size_of::<(Known, Vec<Vec<u8>>)>()
    }
}

/// What one client watches.
#[derive(Default)]
pub struct Watching {
    /// The keys by database, and whether each existed when it was watched.
    keys: OrderedMap<usize, OrderedMap<Box<[u8]>, bool>>,
    /// One of the keys has changed.
    failed: bool,
}

impl Watching {
    /// Whether EXEC will do nothing.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Bytes of the keys.
    pub fn bytes(&self) -> usize {
        self.iter().map(|(_, key, _)| size_of::<(Box<[u8]>, bool)>() + key.len()).sum()
    }

    /// Adds a key; false when it is watched already.
    fn insert(&mut self, db: usize, key: &[u8], existed: bool) -> bool {
        let keys = self.keys.get_or_default(db);
        let is_new = !keys.contains_key(key);
        if is_new {
            keys.insert(key.into(), existed);
        }
        is_new
    }

    /// Whether a key existed when it was watched, if it is.
    fn existed(&self, db: usize, key: &[u8]) -> Option<bool> {
        self.keys.get(&db)?.get(key).copied()
    }

    /// Each key with its database and whether it existed.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8], bool)> {
        self.keys
            .iter()
            .flat_map(|(&db, keys)| keys.iter().map(move |(key, &existed)| (db, &key[..], existed)))
    }
}

/// Who watches which keys, by database.
#[derive(Default)]
pub struct Watches {
    databases: Vec<OrderedMap<Box<[u8]>, OrderedSet<ClientId>>>,
}

impl Watches {
    /// Whether nobody watches anything.
    pub fn is_empty(&self) -> bool {
        self.databases.iter().all(OrderedMap::is_empty)
    }

    fn insert(&mut self, db: usize, key: &[u8], id: ClientId) {
        if self.databases.len() <= db {
            self.databases.resize_with(db + 1, OrderedMap::new);
        }
        self.databases[db].get_or_default(key.into()).insert(id);
    }

    fn remove(&mut self, db: usize, key: &[u8], id: ClientId) {
        let Some(ids) = self.databases[db].get_mut(key) else { return };
        ids.remove(&id);
        if ids.is_empty() {
            self.databases[db].remove(key);
        }
    }

    fn of(&self, db: usize, key: &[u8]) -> impl Iterator<Item = ClientId> {
        let ids = self.databases.get(db).and_then(|keys| keys.get(key));
        ids.into_iter().flatten().copied()
    }

    fn in_database(&self, db: usize) -> impl Iterator<Item = (&[u8], ClientId)> {
        let keys = self.databases.get(db).into_iter().flatten();
        keys.flat_map(|(key, ids)| ids.iter().map(move |&id| (&key[..], id)))
    }
}

fn multi(engine: &mut Engine) -> Result<Done> {
    let client = engine.current_mut();
    if client.transaction.is_some() {
        return Err(Error::refused("ERR MULTI calls can not be nested"));
    }
    client.transaction = Some(Transaction::default());
    Ok(Done)
}

fn discard(engine: &mut Engine) -> Result<Done> {
    engine.current_mut().transaction.take().ok_or(Error::refused("ERR DISCARD without MULTI"))?;
    engine.unwatch_all(engine.current);
    Ok(Done)
}

fn exec(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'_>>> {
    let transaction =
        engine.current_mut().transaction.take().ok_or(Error::refused("ERR EXEC without MULTI"))?;
    let failed = engine.watched_keys_changed();
    engine.unwatch_all(engine.current);
    if transaction.refused {
        return Err(Error::refused("EXECABORT Transaction discarded because of previous errors."));
    }
    Ok(Written::new(move |out| {
        if failed {
            return out.null_array();
        }
        out.array(transaction.queued.len());
        engine.executing = Some(transaction.queued.len());
        for (command, words) in &transaction.queued {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            match engine.permit(*command, &words) {
                // Nobody waits inside a transaction: the answer is what there is.
                Ok(()) => _ = engine.call(*command, &words, out),
                Err(denied) => engine.write_error(&Engine::no_permission_any_more(denied), out),
            }
        }
        engine.executing = None;
    }))
}

fn watch(engine: &mut Engine, keys: Keys) -> Result<Done> {
    if engine.current().transaction.is_some() {
        return Err(Error::refused("ERR WATCH inside MULTI is not allowed"));
    }
    let db = engine.current().db;
    let keys: Vec<(Key, bool)> = keys.iter().map(|key| (key, engine.keyspace.find(key).is_some())).collect();
    // A key found to be expired just now has changed before it was watched.
    engine.settle();
    let id = engine.current;
    for (key, existed) in keys {
        if engine.current_mut().watching.insert(db, key.0, existed) {
            engine.watches.insert(db, key.0, id);
        }
    }
    engine.refresh_interests();
    Ok(Done)
}

fn unwatch(engine: &mut Engine) -> Result<Done> {
    engine.unwatch_all(engine.current);
    Ok(Done)
}

impl Engine {
    /// Has a client watch nothing any more.
    pub(super) fn unwatch_all(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let watching = mem::take(&mut client.watching);
        for (db, key, _) in watching.iter() {
            self.watches.remove(db, key, id);
        }
        if !watching.keys.is_empty() {
            self.refresh_interests();
        }
    }

    /// Fails the transactions of those who watch a key that changed.
    pub(super) fn fail_watches(&mut self, effects: &Effects) {
        if self.watches.is_empty() {
            return;
        }
        let Engine { watches, clients, keyspace, .. } = self;
        let mut failed: Vec<ClientId> = Vec::new();
        for touch in effects.touches().iter().filter(|touch| touch.event.is_change()) {
            failed.extend(watches.of(touch.db, effects.key(touch)));
        }
        for sweep in effects.sweeps() {
            match *sweep {
                // What came or went since it was watched has failed already, so what was there then is gone now.
                Sweep::Flushed(db) => failed.extend(watches.in_database(db).filter_map(|(key, id)| {
                    let existed = clients.get(id)?.watching.existed(db, key)?;
                    existed.then_some(id)
                })),
                Sweep::Swapped(a, b) => {
                    let exists = |key: &[u8]| keyspace.contains(a, key) || keyspace.contains(b, key);
                    let swapped = watches.in_database(a).chain(watches.in_database(b));
                    failed.extend(swapped.filter(|(key, _)| exists(key)).map(|(_, id)| id));
                }
            }
        }
        for id in failed {
            if let Some(client) = clients.get_mut(id) {
                client.watching.failed = true;
            }
        }
    }

    /// Whether a key that the current client watches has changed, or has expired unnoticed.
    fn watched_keys_changed(&mut self) -> bool {
        let watching = mem::take(&mut self.current_mut().watching);
        let selected = self.keyspace.selected();
        let expired = watching.iter().filter(|(.., existed)| *existed).any(|(db, key, _)| {
            self.keyspace.select(db);
            self.keyspace.find(Key(key)).is_none()
        });
        self.keyspace.select(selected);
        let failed = watching.failed || expired;
        self.current_mut().watching = watching;
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::Session;

    /// What EXEC answers after one client watched `key` and another ran `lines`.
    fn exec_after(setup: &str, key: &str, lines: &str) -> Vec<u8> {
        let mut session = Session::new();
        let (watcher, other) = (session.connect(), session.connect());
        session.run(watcher, &alloc::format!("{setup}\nWATCH {key}\nMULTI"));
        session.run(other, lines);
        session.run(watcher, "EXEC")
    }

    #[test]
    fn a_change_of_a_watched_key_fails_exec() {
        for (setup, lines) in [
            ("SET k 1", "SET k 1"),
            ("SET k 1", "DEL k"),
            ("PING", "SET k 1"),
            ("PING", "SET k 1\nDEL k"),
            ("SET k 1", "EXPIRE k 100"),
            ("SET k 1", "RENAME k other"),
            ("SET other 1", "RENAME other k"),
            ("SET k 1", "FLUSHALL"),
            ("SET k 1", "FLUSHDB"),
            ("SET k 1", "SWAPDB 0 1"),
            ("SET k 1", "SWAPDB 0 1\nSWAPDB 0 1"),
            ("SELECT 1\nSET k 1\nSELECT 0", "SWAPDB 1 0"),
        ] {
            assert_eq!(exec_after(setup, "k", lines), b"*-1\r\n", "{setup} {lines}");
        }
    }

    #[test]
    fn anything_else_does_not() {
        for (setup, lines) in [
            ("SET k 1", "GET k"),
            ("PING", "GET k"),
            ("SET k 1", "SET other 1"),
            ("SET k 1", "SELECT 1\nSET k 1"),
            ("SET k 1", "SETNX k 2"),
            ("PING", "DEL k"),
            ("PING", "FLUSHALL"),
            ("SET k 1", "SELECT 1\nFLUSHDB"),
            ("PING", "SWAPDB 0 1"),
            ("SET k 1", "SWAPDB 1 2"),
        ] {
            assert_eq!(exec_after(setup, "k", lines), b"*0\r\n", "{setup} {lines}");
        }
    }

    #[test]
    fn expiry_counts_when_it_comes_after_watch() {
        let mut session = Session::new();
        let client = session.connect();
        session.run(client, "SET k v PX 30\nWATCH k\nMULTI");
        session.now_ms += 30;
        assert_eq!(session.run(client, "EXEC"), b"*-1\r\n");
        session.run(client, "SET k v PX 30");
        session.now_ms += 30;
        session.run(client, "WATCH k\nMULTI");
        assert_eq!(session.run(client, "EXEC"), b"*0\r\n");
    }

    #[test]
    fn watching_ends_with_the_transaction_and_with_the_client() {
        let mut session = Session::new();
        let (client, other) = (session.connect(), session.connect());
        for end in ["UNWATCH", "MULTI\nDISCARD", "MULTI\nEXEC", "RESET"] {
            session.run(client, &alloc::format!("WATCH k\n{end}"));
            assert!(
                session.engine.watches.is_empty() && !session.engine.keyspace.effects.touches_wanted,
                "{end}"
            );
        }
        session.run(client, "WATCH k k\nWATCH k");
        session.run(other, "SET k v");
        session.run(client, "UNWATCH\nMULTI");
        assert_eq!(session.run(client, "EXEC"), b"*0\r\n");
        session.run(client, "WATCH k");
        session.engine.disconnect(client);
        assert!(session.engine.watches.is_empty());
    }

    #[test]
    fn watching_many_keys_takes_no_longer_for_each() {
        let mut session = Session::new();
        let client = session.connect();
        for start in 0..200 {
            let keys: Vec<_> =
                (0..500).map(|n| alloc::format!("k{}", 500 * start + n).into_bytes()).collect();
            let words: Vec<&[u8]> =
                [&b"WATCH"[..]].into_iter().chain(keys.iter().map(Vec::as_slice)).collect();
            session.engine.execute(client, &words, session.now_ms);
        }
        session.output(client);
        session.ask("SET k77777 v");
        assert_eq!(session.run(client, "MULTI\nEXEC"), b"+OK\r\n*-1\r\n");
    }

    #[test]
    fn what_is_refused_while_queued_or_as_exec_discards_the_rest() {
        let mut session = Session::new();
        let client = session.connect();
        session.run(client, "MULTI\nSET k v\nSET k");
        assert_eq!(
            session.run(client, "EXEC"),
            b"-EXECABORT Transaction discarded because of previous errors.\r\n"
        );
        session.run(client, "MULTI\nSET k v");
        assert_eq!(
            session.run(client, "EXEC x"),
            b"-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n"
        );
        assert_eq!(session.run(client, "EXEC\nGET k"), b"-ERR EXEC without MULTI\r\n$-1\r\n");
    }

    #[test]
    fn the_effects_of_a_transaction_are_one_unit_of_the_journal() {
        let mut session = Session::new();
        session.ask("MULTI\nSET a 1\nGET a\nSELECT 1\nSET b 2\nEXEC\nSET c 3");
        assert_eq!(
            session.logged(),
            ["SELECT 0", "MULTI", "SET a 1", "SELECT 1", "SET b 2", "EXEC", "SET c 3"]
        );
    }
}
