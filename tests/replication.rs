//! Servers with the same data: keyside as primary and as replica, beside itself and a real `redis-server`. Traffic goes on
//! while replicas come, are cut off and come back, and in the end all hold the same.
//!
//! The servers are started for the occasion, on free ports; without a `redis-server` only those of this crate are, unless `CI=true`.
#![cfg(feature = "native")]

#[allow(dead_code, reason = "the transcripts need more of it")]
#[path = "transcript/peer.rs"]
mod peer;
#[allow(dead_code, reason = "the simulation needs more of it")]
#[path = "simulation/random.rs"]
mod random;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use peer::Peer;
use random::Random;

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Replicas are served at once, and what is timed is noticed soon.
const OPTIONS: &[&str] = &["--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"];

/// A server with a client.
struct Server {
    peer: Peer,
    stream: BufReader<TcpStream>,
}

impl Server {
    fn keyside(options: &[&str]) -> Server {
        Server::of(Peer::new_keyside(&[OPTIONS, options].concat()).expect("this crate's server is built"))
    }

    fn redis(options: &[&str]) -> Option<Server> {
        Peer::new_oracle(&[OPTIONS, options].concat()).map(Server::of)
    }

    fn of(peer: Peer) -> Server {
        let stream = connect(peer.address);
        Server { peer, stream }
    }

    fn address(&self) -> (String, String) {
        (self.peer.address.ip().to_string(), self.peer.address.port().to_string())
    }

    /// The reply to a line, as text: items on lines of their own.
    fn ask(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        self.send(&[&words]);
        self.read()
    }

    fn send(&mut self, requests: &[&[&str]]) {
        let mut bytes = Vec::new();
        for words in requests {
            bytes.extend(format!("*{}\r\n", words.len()).bytes());
            words.iter().for_each(|word| bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes()));
        }
        self.stream.get_mut().write_all(&bytes).unwrap();
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let line = line.trim_end();
        match line.split_at(1) {
            ("$" | "*", "-1") => "nil".into(),
            ("$", len) => {
                let mut bytes = vec![0; len.parse::<usize>().unwrap() + 2];
                self.stream.read_exact(&mut bytes).unwrap();
                String::from_utf8_lossy(&bytes[..bytes.len() - 2]).into_owned()
            }
            ("*", len) => {
                let items: Vec<String> = (0..len.parse().unwrap()).map(|_| self.read()).collect();
                items.join("\n")
            }
            (_, text) => text.to_string(),
        }
    }

    fn info(&mut self, section: &str, field: &str) -> String {
        let info = self.ask(&format!("INFO {section}"));
        let value = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("no {field} in {info}")).trim_end().to_string()
    }

    fn follow(&mut self, primary: &Server) {
        let (host, port) = primary.address();
        assert_eq!(self.ask(&format!("REPLICAOF {host} {port}")), "OK");
    }

    fn await_link(&mut self) {
        eventually("the link is up", || self.info("replication", "master_link_status") == "up");
    }

    /// Waits until a replica has all of the stream, which nobody feeds meanwhile but for the primary itself.
    fn await_all(&mut self, primary: &mut Server) {
        self.await_link();
        eventually("the replica has caught up", || {
            let offset = primary.info("replication", "master_repl_offset");
            self.info("replication", "slave_repl_offset") == offset
        });
    }

    /// Everything that is stored, as text.
    fn contents(&mut self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for db in 0..3 {
            self.ask(&format!("SELECT {db}"));
            for key in self.ask("KEYS *").lines() {
                let kind = self.ask(&format!("TYPE {key}"));
                let sorted = |text: String, size: usize| {
                    let lines: Vec<&str> = text.lines().collect();
                    let mut items: Vec<String> = lines.chunks(size).map(|item| item.join(" ")).collect();
                    items.sort_unstable();
                    items.join("\n")
                };
                let value = match &*kind {
                    "string" => self.ask(&format!("GET {key}")),
                    "list" => self.ask(&format!("LRANGE {key} 0 -1")),
                    "set" => sorted(self.ask(&format!("SMEMBERS {key}")), 1),
                    "hash" => sorted(self.ask(&format!("HGETALL {key}")), 2),
                    "zset" => self.ask(&format!("ZRANGE {key} 0 -1 WITHSCORES")),
                    "stream" => {
                        // How many entries a group has read, Redis does not tell its replicas.
                        let pending = self.ask(&format!("XPENDING {key} g"));
                        self.ask(&format!("XRANGE {key} - +")) + &pending
                    }
                    // It has expired meanwhile.
                    "none" => continue,
                    other => panic!("what is a {other}?"),
                };
                let expires = self.ask(&format!("PEXPIRETIME {key}"));
                contents.insert(format!("{db} {key}"), format!("{kind} {expires}\n{value}"));
            }
        }
        self.ask("SELECT 0");
        contents
    }
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Changes of all kinds, in a few databases: values, deadlines, transactions, scripts, and what is chosen by chance.
struct Traffic {
    random: Random,
}

impl Traffic {
    fn new(seed: u64) -> Traffic {
        Traffic { random: Random::new(seed) }
    }

    fn put(&mut self, server: &mut Server, count: usize) {
        for _ in 0..count {
            let line = self.line();
            if line.starts_with("XREADGROUP") {
                // A consumer that was told of nothing is more than Redis 7.0 can be sent.
                server
                    .ask(&line.replace("XREADGROUP GROUP g c COUNT 2 STREAMS", "XADD").replace('>', "* f v"));
            }
            server.ask(&line);
        }
    }

    fn line(&mut self) -> String {
        let random = &mut self.random;
        let (n, m, v) = (random.below(20), random.below(50), random.below(100_000));
        match random.below(36) {
            0 => format!("SET s{n} {v}"),
            1 => format!("SET s{n} {} EX 100", "x".repeat(m * 20)),
            2 => format!("SET s{n} {v} PX {}", 1 + m),
            3 => format!("INCRBY n{n} {v}"),
            4 => format!("INCRBYFLOAT f{n} {m}.25"),
            5 => format!("APPEND a{n} {v}"),
            6 => format!("SETRANGE a{n} {m} xyz"),
            7 => format!("GETDEL s{n}"),
            8 => format!("GETEX s{n} EX 1000"),
            9 => format!("PEXPIRE s{n} {}", 20 + v),
            10 => format!("PERSIST s{n}"),
            11 => format!("RPUSH l{n} {v} {m} a b"),
            12 => format!("LPOP l{n} {}", 1 + m % 3),
            13 => format!("LMOVE l{n} l{m} LEFT RIGHT"),
            14 => format!("BLPOP l{n} l{m} 0.001"),
            15 => format!("LTRIM l{n} 0 40"),
            16 => format!("SADD t{n} {v} {m} {}", m + 1),
            17 => format!("SPOP t{n}"),
            18 => format!("SPOP t{n} 2"),
            19 => format!("SUNIONSTORE t{n} t{m} t{}", m % 20),
            20 => format!("HSET h{n} f{m} {v} g{m} {n}"),
            21 => format!("HINCRBY h{n} c {m}"),
            22 => format!("HDEL h{n} f{m}"),
            23 => format!("ZADD z{n} {v} {m} {m} m{v}"),
            24 => format!("ZINCRBY z{n} 1.5 {m}"),
            25 => format!("ZPOPMIN z{n}"),
            26 => format!("XADD x{n} * f {v}"),
            27 => format!("XADD x{n} MAXLEN ~ 10 * f {v}"),
            28 => format!("XGROUP CREATE x{n} g 0 MKSTREAM"),
            29 => format!("XREADGROUP GROUP g c COUNT 2 STREAMS x{n} >"),
            30 => format!("DEL s{n} l{n}"),
            31 => format!("RENAME s{n} s{}", m % 20),
            32 => format!("SELECT {}", m % 3),
            33 => format!("COPY h{n} h{} REPLACE", m % 20),
            34 => format!("PFADD p{n} {v}"),
            _ => format!("GEOADD g{n} {m}.5 {n}.25 place{v}"),
        }
    }

    /// Some units of several commands.
    fn put_units(&mut self, server: &mut Server) {
        for _ in 0..10 {
            server.ask("MULTI");
            (0..3).for_each(|_| drop(server.ask(&self.line())));
            server.ask("EXEC");
        }
        let script = "redis.call('SET', KEYS[1], ARGV[1]); redis.call('RPUSH', 'l1', ARGV[1]); return 1";
        server.send(&[&["EVAL", script, "1", "s1", "v"]]);
        server.read();
    }
}

fn assert_same(primary: &mut Server, replica: &mut Server) {
    let end = Instant::now() + PATIENCE;
    loop {
        replica.await_all(primary);
        let (ours, theirs) = (primary.contents(), replica.contents());
        if ours == theirs {
            return assert!(ours.len() > 50, "the traffic left something");
        }
        // What expires meanwhile goes everywhere, though not at one moment.
        if Instant::now() > end {
            let differs = |(key, value): &(&String, &String)| theirs.get(*key) != Some(*value);
            let first = ours.iter().find(differs);
            panic!("not the same: {first:?}, and there {:?}", first.map(|(key, _)| theirs.get(key)));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_primary_feeds_replicas_of_both_kinds() {
    let mut primary = Server::keyside(&[]);
    let mut traffic = Traffic::new(1);
    traffic.put(&mut primary, 1500);
    let mut replicas: Vec<Server> =
        [Some(Server::keyside(&[])), Server::redis(&[])].into_iter().flatten().collect();
    for replica in &mut replicas {
        replica.follow(&primary);
        traffic.put(&mut primary, 300);
        traffic.put_units(&mut primary);
    }
    for replica in &mut replicas {
        assert_same(&mut primary, replica);
        assert!(replica.ask("SET s1 v").starts_with("READONLY "));
    }
    primary.ask("SET acknowledged 1");
    assert_eq!(primary.ask(&format!("WAIT {} 5000", replicas.len())), replicas.len().to_string());
    assert_eq!(primary.ask("WAIT 9 50"), replicas.len().to_string());
    let digest = primary.ask("DEBUG DIGEST");
    assert_eq!(replicas[0].ask("DEBUG DIGEST"), digest);
}

#[test]
fn a_redis_feeds_a_replica() {
    let Some(mut primary) = Server::redis(&[]) else { return };
    let mut replica = Server::keyside(&[]);
    let mut traffic = Traffic::new(2);
    traffic.put(&mut primary, 1500);
    replica.follow(&primary);
    traffic.put(&mut primary, 500);
    traffic.put_units(&mut primary);
    assert_same(&mut primary, &mut replica);
    assert_eq!(primary.ask("WAIT 1 5000"), "1");
    check_cuts(&mut primary, &mut replica, &mut traffic);
}

#[test]
fn whoever_is_cut_off_goes_on_where_it_was() {
    let mut primary = Server::keyside(&[]);
    let mut traffic = Traffic::new(3);
    for replica in [Some(Server::keyside(&[])), Server::redis(&[])] {
        let Some(mut replica) = replica else { continue };
        replica.follow(&primary);
        replica.await_link();
        traffic.put(&mut primary, 300);
        check_cuts(&mut primary, &mut replica, &mut traffic);
    }
}

/// Cuts the connection of a replica from both ends, while traffic goes on.
fn check_cuts(primary: &mut Server, replica: &mut Server, traffic: &mut Traffic) {
    let count = |server: &mut Server| -> u64 { server.info("stats", "sync_partial_ok").parse().unwrap() };
    let full = primary.info("stats", "sync_full");
    for cut_by_replica in [true, false] {
        let before = count(primary);
        match cut_by_replica {
            true => replica.ask("CLIENT KILL TYPE master"),
            false => primary.ask("CLIENT KILL TYPE replica"),
        };
        traffic.put(primary, 200);
        eventually("it goes on", || count(primary) == before + 1);
        traffic.put(primary, 200);
        assert_same(primary, replica);
    }
    assert_eq!(primary.info("stats", "sync_full"), full);
}

#[test]
fn siblings_go_on_with_the_one_that_was_promoted() {
    let mut primary = Server::keyside(&[]);
    let (mut heir, mut sibling, mut below) =
        (Server::keyside(&[]), Server::keyside(&[]), Server::keyside(&[]));
    let mut traffic = Traffic::new(4);
    heir.follow(&primary);
    sibling.follow(&primary);
    heir.await_link();
    below.follow(&heir);
    traffic.put(&mut primary, 500);
    assert_same(&mut primary, &mut heir);
    sibling.await_all(&mut primary);
    below.await_all(&mut heir);
    drop(primary);
    assert_eq!(heir.ask("REPLICAOF NO ONE"), "OK");
    sibling.follow(&heir);
    traffic.put(&mut heir, 300);
    assert_same(&mut heir, &mut sibling);
    assert_same(&mut heir, &mut below);
    // The one below heard of the new name; nobody had to begin anew.
    assert_eq!(
        (heir.info("stats", "sync_full"), heir.info("stats", "sync_partial_ok")),
        ("1".into(), "2".into())
    );
}

#[test]
fn a_failover_changes_places_and_loses_nothing() {
    let mut primary = Server::keyside(&[]);
    let mut replica = Server::keyside(&[]);
    replica.follow(&primary);
    replica.await_link();
    Traffic::new(5).put(&mut primary, 500);
    eventually("the primary knows that it is online", || {
        primary.info("replication", "slave0").contains("state=online")
    });
    assert_eq!(primary.ask("FAILOVER TIMEOUT 10000"), "OK");
    eventually("the roles have changed", || primary.info("replication", "role") == "slave");
    assert_same(&mut replica, &mut primary);
    assert_eq!(replica.info("replication", "role"), "master");
    assert_eq!(replica.info("stats", "sync_full"), "0");
}
