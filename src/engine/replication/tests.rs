//! Two stores and a wire between them, all in one process: what a primary and a replica do, without a socket or a clock.

use alloc::string::String;

use super::super::{ClientId, Config, Host, Origin, testing::Session};

/// A primary, a replica, and the clients that stand for each at the other's.
struct Pair {
    primary: Session,
    replica: Session,
    wire: Option<(ClientId, ClientId)>,
    /// How many bytes are carried at once.
    cut: usize,
}

fn session(seed: u64) -> Session {
    let host = Host { listen: Some(|_| true), ..Host::default() };
    let mut session = Session::seeded(Config { host, ..Config::default() }, seed);
    session.ask("CONFIG SET repl-diskless-sync-delay 0");
    session
}

impl Pair {
    /// A replica that is to be one, and no wire.
    fn new() -> Pair {
        let mut pair = Pair { primary: session(1), replica: session(2), wire: None, cut: 1000 };
        assert_eq!(pair.replica.ask("REPLICAOF primary 6379"), "+OK\r\n");
        pair
    }

    /// Has the replica connect.
    fn connect(&mut self) {
        let target = self.replica.engine.next_target().expect("it wants to be connected");
        assert_eq!((target.host.as_str(), target.port), ("primary", 6379));
        let now_ms = self.replica.now_ms;
        let there = self.replica.engine.link_opened(target.attempt, Origin::default(), now_ms);
        self.wire = Some((self.primary.connect(), there.expect("it is still wanted")));
        self.carry();
    }

    /// Carries bytes until none are left.
    fn carry(&mut self) {
        let Some((here, there)) = self.wire else { return };
        loop {
            let (down, up) = (self.primary.output(here), self.replica.output(there));
            for bytes in down.chunks(self.cut) {
                self.replica.engine.receive(there, bytes, self.replica.now_ms);
            }
            self.primary.engine.receive(here, &up, self.primary.now_ms);
            if down.is_empty() && up.is_empty() {
                return;
            }
        }
    }

    /// Cuts the wire.
    fn cut_off(&mut self) {
        let (here, there) = self.wire.take().expect("there is one");
        self.primary.engine.disconnect(here);
        self.replica.engine.disconnect(there);
    }

    /// Lets time pass on both sides.
    fn wait(&mut self, ms: u64) {
        self.primary.wait(ms);
        self.replica.wait(ms);
        self.carry();
    }

    fn tell(&mut self, lines: &str) -> String {
        let replies = self.primary.ask(lines);
        self.carry();
        replies
    }

    fn assert_same(&self) {
        assert_eq!(self.primary.engine.digest(), self.replica.engine.digest());
        self.replica.engine.check();
    }

    fn count(&mut self, field: &str) -> String {
        field_of(&self.primary.ask("INFO stats"), field)
    }
}

fn field_of(info: &str, name: &str) -> String {
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {name} in {info}")).into()
}

/// A pair that is connected.
fn pair() -> Pair {
    let mut pair = Pair::new();
    pair.connect();
    pair
}

#[test]
fn a_replica_gets_what_is_there_and_what_happens_however_the_bytes_are_cut() {
    for cut in [1, 7, 1000] {
        let mut pair = Pair::new();
        pair.cut = cut;
        pair.tell("SET a 1\nSELECT 3\nRPUSH l 1 2 3\nSET gone v PX 50");
        pair.connect();
        pair.tell("SADD s a b c d\nSPOP s 2\nMULTI\nSET x 1\nINCR x\nSELECT 0\nDEL a\nEXEC");
        pair.assert_same();
        pair.wait(60);
        pair.assert_same();
        let info = pair.replica.ask("INFO replication");
        assert_eq!(field_of(&info, "master_link_status"), "up");
        assert_eq!(field_of(&info, "slave_repl_offset"), field_of(&info, "master_repl_offset"));
        assert_eq!(pair.replica.ask("SELECT 3\nEXISTS gone"), "+OK\r\n:0\r\n");
    }
}

#[test]
fn what_is_written_while_the_snapshot_goes_comes_after_it() {
    let mut pair = Pair::new();
    (0..2000).for_each(|n| drop(pair.tell(&alloc::format!("SET k{n} {n}\nRPUSH l{n} {n}"))));
    let target = pair.replica.engine.next_target().unwrap();
    let there =
        pair.replica.engine.link_opened(target.attempt, Origin::default(), pair.replica.now_ms).unwrap();
    let here = pair.primary.connect();
    let mut writes = 0;
    loop {
        let (down, up) = (pair.primary.output(here), pair.replica.output(there));
        pair.replica.engine.receive(there, &down, pair.replica.now_ms);
        pair.primary.engine.receive(here, &up, pair.primary.now_ms);
        if writes < 30 {
            pair.primary.ask(&alloc::format!(
                "INCR k{writes}\nDEL l{writes}\nSET new{writes} x\nFLUSHDB ASYNC\nSET k1 2"
            ));
            writes += 1;
        } else if down.is_empty() && up.is_empty() {
            break;
        }
    }
    pair.assert_same();
}

#[test]
fn a_replica_that_was_cut_off_goes_on_if_nothing_is_lost() {
    let mut pair = pair();
    pair.tell("SET a 1\nSELECT 2\nSET b 2");
    pair.cut_off();
    pair.tell("SET c 3");
    assert_eq!(pair.replica.ask("GET a"), "$1\r\n1\r\n");
    pair.replica.wait(2000);
    pair.connect();
    pair.tell("SET d 4");
    pair.assert_same();
    assert_eq!((pair.count("sync_full"), pair.count("sync_partial_ok")), ("1".into(), "1".into()));
    pair.cut_off();
    pair.tell("CONFIG SET repl-backlog-size 1");
    for _ in 0..40 {
        pair.tell(&alloc::format!("SET e {}", "x".repeat(1000)));
    }
    pair.replica.wait(2000);
    pair.connect();
    pair.assert_same();
    assert_eq!((pair.count("sync_full"), pair.count("sync_partial_err")), ("2".into(), "1".into()));
}

#[test]
fn half_a_transaction_is_none() {
    let mut pair = pair();
    pair.tell("SET a 1");
    let (here, there) = pair.wire.unwrap();
    pair.primary.ask("MULTI\nSET a 2\nSET b 2\nEXEC");
    let bytes = pair.primary.output(here);
    let offset = |pair: &mut Pair| field_of(&pair.replica.ask("INFO replication"), "slave_repl_offset");
    let before = offset(&mut pair);
    pair.replica.engine.receive(there, &bytes[..bytes.len() - 5], pair.replica.now_ms);
    assert_eq!(pair.replica.ask("GET a\nEXISTS b"), "$1\r\n1\r\n:0\r\n");
    assert_eq!(offset(&mut pair), before);
    pair.cut_off();
    pair.replica.wait(2000);
    pair.connect();
    pair.assert_same();
    assert_eq!(pair.count("sync_partial_ok"), "1");
}

#[test]
fn a_replica_refuses_what_is_not_its_business() {
    let mut pair = pair();
    pair.tell("SET a 1");
    let read_only = "-READONLY You can't write against a read only replica.\r\n";
    assert_eq!(pair.replica.ask("SET a 2\nGET a"), [read_only, "$1\r\n1\r\n"].concat());
    assert!(pair.replica.ask("WAIT 1 0").starts_with("-ERR WAIT cannot be used with replica instances."));
    assert!(pair.replica.ask("WAITAOF 0 1 0").starts_with("-ERR WAITAOF cannot be used with replica"));
    assert_eq!(pair.replica.ask("CONFIG SET replica-read-only no\nSET a 2"), "+OK\r\n+OK\r\n");
    pair.replica.ask("CONFIG SET replica-read-only yes replica-serve-stale-data no");
    pair.cut_off();
    let stale = "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";
    assert_eq!(pair.replica.ask("GET a"), stale);
    assert!(pair.replica.ask("INFO replication").contains("master_link_status:down"));
    pair.replica.ask("CONFIG SET replica-serve-stale-data yes");
    let no_link = "-NOMASTERLINK Can't SYNC while not connected with my master\r\n";
    assert_eq!(pair.replica.ask("PSYNC ? -1"), no_link);
}

#[test]
fn deadlines_are_the_primarys() {
    let mut pair = pair();
    pair.tell("SET k v PX 100\nSET late v PX 100\nHSET h f v");
    pair.replica.wait(200);
    assert_eq!(pair.replica.ask("GET k\nDBSIZE"), "$-1\r\n:3\r\n");
    // For the primary it is still there.
    pair.tell("PEXPIRE late 100000");
    assert_eq!(pair.replica.ask("GET late"), "$1\r\nv\r\n");
    pair.primary.wait(200);
    pair.carry();
    assert_eq!(pair.replica.ask("DBSIZE"), ":2\r\n");
    pair.assert_same();
}

#[test]
fn a_primary_without_enough_replicas_takes_no_writes() {
    let mut pair = Pair::new();
    pair.primary.ask("CONFIG SET min-replicas-to-write 1 min-replicas-max-lag 10");
    let refused = "-NOREPLICAS Not enough good replicas to write.\r\n";
    assert_eq!(pair.tell("SET a 1"), refused);
    pair.connect();
    assert_eq!(pair.tell("SET a 1"), "+OK\r\n");
    assert!(pair.primary.ask("INFO replication").contains("min_slaves_good_slaves:1"));
    pair.primary.wait(11_000);
    assert_eq!(pair.tell("SET a 1"), refused);
}

#[test]
fn wait_tells_how_many_have_it() {
    let mut pair = pair();
    assert_eq!(pair.tell("SET a 1\nWAIT 0 0"), "+OK\r\n:0\r\n");
    let client = pair.primary.connect();
    assert_eq!(pair.primary.run(client, "SET a 2\nWAIT 1 0"), b"+OK\r\n");
    pair.carry();
    assert_eq!(pair.primary.output(client), b":1\r\n");
    assert_eq!(pair.primary.run(client, "SET a 3\nWAIT 2 500"), b"+OK\r\n");
    pair.carry();
    pair.wait(600);
    assert_eq!(pair.primary.output(client), b":1\r\n");
    assert_eq!(
        pair.primary.run(client, "MULTI\nSET a 4\nWAIT 1 0\nEXEC"),
        b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n"
    );
}

#[test]
fn messages_reach_those_who_listen_to_a_replica() {
    let mut pair = pair();
    let listener = pair.replica.connect();
    pair.replica.run(listener, "SUBSCRIBE c");
    assert_eq!(pair.tell("PUBLISH c hi"), ":0\r\n");
    assert_eq!(pair.replica.output(listener), super::super::testing::bytes(&["message", "c", "hi"]));
    assert!(pair.primary.logged().is_empty() && pair.replica.logged().is_empty());
}

#[test]
fn clients_and_roles_are_told_apart() {
    let mut pair = pair();
    assert!(pair.primary.ask("CLIENT LIST TYPE replica").contains(" flags=S "));
    assert!(pair.replica.ask("CLIENT LIST TYPE master").contains(" flags=M "));
    pair.wait(1000);
    assert!(pair.primary.ask("ROLE").starts_with("*3\r\n$6\r\nmaster\r\n:"));
    assert!(
        pair.replica
            .ask("ROLE")
            .starts_with("*5\r\n$5\r\nslave\r\n$7\r\nprimary\r\n:6379\r\n$9\r\nconnected\r\n:")
    );
    let gone = pair.primary.ask("CLIENT KILL TYPE replica");
    assert_eq!(gone, ":1\r\n");
    assert!(pair.primary.ask("INFO replication").contains("connected_slaves:0"));
}

#[test]
fn a_promoted_replica_goes_on_under_another_name_that_knows_the_old_one() {
    let mut pair = pair();
    pair.tell("SET a 1");
    let old = field_of(&pair.primary.ask("INFO replication"), "master_replid");
    assert_eq!(pair.replica.ask("REPLICAOF NO ONE\nSET b 2"), "+OK\r\n+OK\r\n");
    let info = pair.replica.ask("INFO replication");
    assert_eq!((field_of(&info, "role"), field_of(&info, "master_replid2")), ("master".into(), old.clone()));
    assert_ne!(field_of(&info, "master_replid"), old);
    let second: u64 = field_of(&info, "second_repl_offset").parse().unwrap();
    let sibling = pair.replica.connect();
    pair.replica.run(sibling, "REPLCONF capa eof capa psync2");
    let answer = pair.replica.run(sibling, &alloc::format!("PSYNC {old} {second}"));
    assert!(answer.starts_with(b"+CONTINUE "), "{}", answer.escape_ascii());
}

#[test]
fn a_failed_snapshot_leaves_what_was_there() {
    let mut pair = Pair::new();
    pair.tell("SET a 1");
    pair.replica.ask("REPLICAOF NO ONE\nSET mine 1\nREPLICAOF primary 6379");
    let target = pair.replica.engine.next_target().unwrap();
    let there =
        pair.replica.engine.link_opened(target.attempt, Origin::default(), pair.replica.now_ms).unwrap();
    let lines =
        "+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC 0123456789012345678901234567890123456789 0\r\n$20\r\nREDIS0010";
    pair.replica.engine.receive(there, lines.as_bytes(), pair.replica.now_ms);
    assert!(pair.replica.ask("INFO replication").contains("master_sync_in_progress:1"));
    pair.replica.engine.receive(there, b"this is nonsense", pair.replica.now_ms);
    assert!(pair.replica.engine.is_closing(there));
    assert_eq!(pair.replica.ask("GET mine"), "$1\r\n1\r\n");
    pair.replica.engine.disconnect(there);
    pair.replica.wait(2000);
    pair.connect();
    assert_eq!(pair.replica.ask("EXISTS mine a"), ":1\r\n");
    pair.assert_same();
}

#[test]
fn a_replica_that_fetches_nothing_is_closed() {
    let mut pair = pair();
    pair.tell("CONFIG SET client-output-buffer-limit \"replica 100kb 0 0\" repl-backlog-size 16kb");
    let (here, _) = pair.wire.unwrap();
    for _ in 0..90 {
        pair.primary.ask(&alloc::format!("SET a {}", "x".repeat(1000)));
    }
    assert!(!pair.primary.engine.is_closing(here));
    for _ in 0..300 {
        pair.primary.ask(&alloc::format!("SET a {}", "x".repeat(1000)));
    }
    assert!(pair.primary.engine.is_closing(here));
    let kept: u64 = field_of(&pair.primary.ask("INFO replication"), "repl_backlog_histlen").parse().unwrap();
    pair.primary.ask("SET a 1");
    assert!(kept < 120_000, "{kept}");
}

#[test]
fn a_failover_changes_the_roles() {
    let mut pair = pair();
    pair.tell("SET a 1");
    assert!(pair.replica.ask("FAILOVER").starts_with("-ERR FAILOVER is not valid when server is a replica."));
    assert_eq!(pair.primary.ask("FAILOVER"), "+OK\r\n");
    let writer = pair.primary.connect();
    assert_eq!(pair.primary.run(writer, "SET a 2"), b"");
    pair.carry();
    pair.wait(100);
    assert!(pair.primary.ask("INFO replication").contains("master_failover_state:failover-in-progress"));
    let target = pair.primary.engine.next_target().unwrap();
    let now_ms = pair.primary.now_ms;
    let there = pair.primary.engine.link_opened(target.attempt, Origin::default(), now_ms).unwrap();
    pair.cut_off();
    let mut changed = Pair { wire: None, cut: 1000, primary: pair.replica, replica: pair.primary };
    changed.wire = Some((changed.primary.connect(), there));
    changed.carry();
    assert!(changed.primary.ask("INFO replication").contains("role:master"));
    let info = changed.replica.ask("INFO replication");
    assert!(info.contains("role:slave") && info.contains("master_failover_state:no-failover"), "{info}");
    changed.tell("SET b 1");
    changed.assert_same();
    assert_eq!((changed.count("sync_full"), changed.count("sync_partial_ok")), ("0".into(), "1".into()));
}
