//! GET and SET for callers in the same process, when nothing but the key and its value is concerned: no words are read
//! and no reply is written. Whatever anybody could tell apart from the ordinary way of a request is left to that way, so
//! both calls may decline; then nothing has happened yet. They are not timed: it is for hosts that time no such command.

use super::{
    ClientId, Engine,
    client::{Client, Replies},
    dispatch::{Known, Table},
};
use crate::{
    commands::string::put_text,
    keyspace::{Key, Kind, Text},
    resp::Version,
};

/// The commands that may be quick.
pub(super) struct Commands {
    get: Known,
    set: Known,
}

impl Commands {
    pub fn new(table: &Table) -> Commands {
        let find = |name| table.find_name(name).expect("it is a command");
        Commands { get: find(b"GET"), set: find(b"SET") }
    }
}

/// What [`Engine::quick_get`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quick<'e> {
    /// The text of the key.
    Found(Text<'e>),
    /// No such key.
    Missing,
    /// The request has to go the ordinary way.
    Declined,
}

impl Engine {
    /// The text of a key.
    #[inline(always)]
    pub fn quick_get(&mut self, id: ClientId, key: &[u8], now_ms: u64) -> Quick<'_> {
        if !self.begin_quickly(id, now_ms) {
            return Quick::Declined;
        }
        let found = self.keyspace.look_up(Key(key));
        if let Some(found) = found
            && self.keyspace.database().kind(found) != Kind::String
        {
            // It is refused the ordinary way, which counts the look.
            self.keyspace.counters.hits -= 1;
            return Quick::Declined;
        }
        let text = found.and_then(|found| self.keyspace.database().text(found));
        let reply_len = text.map_or(NULL_LEN, |text| bulk_len(text.len()));
        self.end_quickly(id, self.quick.get, now_ms, reply_len);
        match found.and_then(|found| self.keyspace.database().text(found)) {
            Some(text) => Quick::Found(text),
            None => Quick::Missing,
        }
    }

    /// Sets a key to a text that expires after some milliseconds, or never; false if the request has to go the ordinary
    /// way.
    #[inline(always)]
    pub fn quick_set(
        &mut self,
        id: ClientId,
        key: &[u8],
        text: &[u8],
        lifetime_ms: Option<u64>,
        now_ms: u64,
    ) -> bool {
        let deadline = lifetime_ms.map(|lifetime| now_ms.saturating_add(lifetime));
        // The same limit as for the options of SET.
        if deadline.is_some_and(|at| at > i64::MAX as u64) || !self.begin_quickly(id, now_ms) {
            return false;
        }
        put_text(&mut self.keyspace, Key(key), text, deadline);
        self.keyspace.effects.end(self.keyspace.selected(), &[b"SET", key, text]);
        self.end_quickly(id, self.quick.set, now_ms, OK_LEN);
        true
    }

    /// Begins a request, if it can be a quick one.
    #[inline(always)]
    fn begin_quickly(&mut self, id: ClientId, now_ms: u64) -> bool {
        let Some(client) = self.clients.get(id) else { return false };
        let is_admitted = client.unrestricted && (client.authenticated || self.acl.is_open());
        let is_watched = !self.monitors.is_empty() || self.config.slowlog_log_slower_than == 0;
        let is_held_up = self.waiting.is_paused()
            || self.has_disk_trouble()
            || self.replication.is_restrictive()
            || self.is_busy();
        if !is_plain(client) || !is_admitted || is_watched || is_held_up {
            return false;
        }
        self.keyspace.select(client.db);
        self.keyspace.keeps_clocks = client.no_touch;
        self.keyspace.set_now(now_ms);
        self.identity.seen(now_ms);
        self.stats.sample(now_ms);
        if self.config.maxmemory > 0 && !self.make_room() {
            return false;
        }
        self.keyspace.effects.begin();
        true
    }

    /// Counts a request, and has others hear of what it did.
    #[inline(always)]
    fn end_quickly(&mut self, id: ClientId, known: Known, now_ms: u64, reply_len: u64) {
        self.current = id;
        if let Some(client) = self.clients.get_mut(id) {
            client.active_ms = now_ms;
            client.last_command = Some(known);
        }
        self.calls[known.0 as usize].calls += 1;
        self.stats.commands += 1;
        self.stats.output_bytes += reply_len;
        self.settle();
    }
}

/// The replies as RESP3 has them.
const NULL_LEN: u64 = "_\r\n".len() as u64;
const OK_LEN: u64 = "+OK\r\n".len() as u64;

#[inline(always)]
fn bulk_len(len: usize) -> u64 {
    let digits = len.checked_ilog10().unwrap_or(0) as usize + 1;
    ("$\r\n\r\n".len() + digits + len) as u64
}

/// Whether a client's requests do what they say at once, and are answered by their replies alone.
#[inline(always)]
fn is_plain(client: &Client) -> bool {
    client.version == Version::V3
        && client.replies == Replies::On
        && client.transaction.is_none()
        && client.out.is_empty()
        && !client.closing
        && !client.is_subscriber()
        && !client.is_waiting()
        && !client.held
        && client.tracking.is_none()
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use super::*;
    use crate::{engine::testing::Session, keyspace::Random, resp::Writer};

    /// A store with a client to be quick for, and one that hears what happens to keys.
    struct Side {
        session: Session,
        client: ClientId,
        listener: ClientId,
    }

    impl Side {
        fn new() -> Side {
            let mut session = Session::new();
            let client = session.connect();
            session.engine.speak(client, Version::V3);
            let listener = session.connect();
            session.run(listener, "CONFIG SET notify-keyspace-events KEAmn\r\nPSUBSCRIBE *");
            Side { session, client, listener }
        }

        fn ordinary(&mut self, words: &[&[u8]]) -> Vec<u8> {
            self.session.engine.execute(self.client, words, self.session.now_ms);
            self.session.output(self.client)
        }

        fn get(&mut self, key: &[u8]) -> Option<Vec<u8>> {
            let mut out = Vec::new();
            let mut writer = Writer::new(&mut out, Version::V3);
            match self.session.engine.quick_get(self.client, key, self.session.now_ms) {
                Quick::Found(text) => writer.bulk(&text.to_vec()),
                Quick::Missing => writer.null(),
                Quick::Declined => return None,
            }
            Some(out)
        }

        fn set(&mut self, key: &[u8], text: &[u8], lifetime_ms: Option<u64>) -> bool {
            let now_ms = self.session.now_ms;
            self.session.engine.quick_set(self.client, key, text, lifetime_ms, now_ms)
        }

        /// All that can be told from outside.
        fn outside(&mut self) -> (u64, Vec<u8>, Vec<u8>, String) {
            let Side { session, client, listener } = self;
            let journal = session.engine.journal.take();
            let heard = session.output(*listener);
            let told = session.run(*client, "INFO commandstats\r\nINFO stats\r\nCLIENT LIST\r\nDEBUG DIGEST");
            (session.engine.digest(), journal, heard, String::from_utf8_lossy(&told).into_owned())
        }
    }

    #[test]
    fn nobody_can_tell_the_quick_way_from_the_ordinary_one() {
        let (mut quick, mut ordinary) = (Side::new(), Side::new());
        let mut random = Random::new(7);
        let (mut was_quick, mut was_declined) = (0, 0);
        for step in 0..20_000 {
            let key = format!("key:{}", random.below(60));
            let key = key.as_bytes();
            let text = match random.below(4) {
                0 => format!("{}", random.below(1 << 40)),
                1 => "x".repeat(random.below(1500) as usize),
                _ => "y".repeat(random.below(30) as usize),
            };
            let done = match random.below(20) {
                // A key that holds no text, and a client that is not always plain.
                0 => {
                    let words: &[&[u8]] = match random.below(5) {
                        0 => &[b"RPUSH", key, b"element"],
                        1 => &[b"WATCH", key],
                        2 => &[b"MULTI"],
                        3 => &[b"CLIENT", b"NO-TOUCH", b"on"],
                        _ => &[b"DISCARD"],
                    };
                    assert_eq!(quick.ordinary(words), ordinary.ordinary(words));
                    continue;
                }
                1..4 => {
                    let passed_ms = random.below(50);
                    quick.session.now_ms += passed_ms;
                    ordinary.session.now_ms += passed_ms;
                    continue;
                }
                4..12 => {
                    let expected = ordinary.ordinary(&[b"GET", key]);
                    let reply = quick.get(key);
                    let done = reply.is_some();
                    assert_eq!(reply.unwrap_or_else(|| quick.ordinary(&[b"GET", key])), expected);
                    done
                }
                _ => {
                    let lifetime_ms = (random.below(2) == 0).then(|| 1 + random.below(500));
                    let digits = lifetime_ms.map(|ms| format!("{ms}"));
                    let mut words: Vec<&[u8]> = alloc::vec![b"SET", key, text.as_bytes()];
                    if let Some(digits) = &digits {
                        words.extend([&b"PX"[..], digits.as_bytes()]);
                    }
                    let expected = ordinary.ordinary(&words);
                    let done = quick.set(key, text.as_bytes(), lifetime_ms);
                    let reply = if done { b"+OK\r\n".to_vec() } else { quick.ordinary(&words) };
                    assert_eq!(reply, expected);
                    done
                }
            };
            was_quick += done as u32;
            was_declined += !done as u32;
            if step % 100 == 0 {
                assert_eq!(quick.outside(), ordinary.outside(), "after step {step}");
            }
        }
        assert_eq!(quick.outside(), ordinary.outside());
        assert!(was_quick > 1000 && was_declined > 1000, "{was_quick} were quick, {was_declined} declined");
    }

    #[test]
    fn it_declines_what_others_would_see() {
        let mut side = Side::new();
        assert!(side.set(b"key", b"text", None));
        for (on, off) in [
            ("MULTI", "DISCARD"),
            ("SUBSCRIBE channel", "UNSUBSCRIBE"),
            ("CLIENT REPLY OFF", "CLIENT REPLY ON"),
            ("HELLO 2", "HELLO 3"),
            ("CONFIG SET slowlog-log-slower-than 0", "CONFIG SET slowlog-log-slower-than 10000"),
        ] {
            side.session.run(side.client, on);
            assert_eq!(side.get(b"key"), None, "after {on}");
            assert!(!side.set(b"key", b"other", None), "after {on}");
            side.session.run(side.client, off);
            assert_eq!(side.get(b"key").as_deref(), Some(&b"$4\r\ntext\r\n"[..]), "after {off}");
        }
        let monitor = side.session.connect();
        side.session.run(monitor, "MONITOR");
        assert_eq!(side.get(b"key"), None);
        assert!(!side.set(b"key", b"text", Some(u64::MAX)));
        assert!(!side.session.engine.quick_set(ClientId(99), b"key", b"text", None, 0));
    }
}
