//! What scans promise, while the collection grows and shrinks under them: who stays is seen, who never was is not, and a scan
//! of what does not change sees each once. The requests of other commands are made in `requests.rs`.

use std::collections::{BTreeMap, BTreeSet};

use keyside::{ClientId, Config, Engine, Origin};

use super::{encode, random::Random};

/// A command that scans, and how members come and go.
pub struct Kind {
    scan: &'static [&'static str],
    add: fn(&str) -> Vec<String>,
    remove: fn(&str) -> Vec<String>,
    /// How many texts a page has for each member.
    width: usize,
}

pub const KINDS: &[Kind] = &[
    Kind { scan: &["SCAN"], add: |it| words(&["SET", it, "v"]), remove: |it| words(&["DEL", it]), width: 1 },
    Kind {
        scan: &["HSCAN", "k"],
        add: |it| words(&["HSET", "k", it, "v"]),
        // Every other field goes because its time has come.
        remove: |it| match it.ends_with(['1', '3', '5', '7', '9']) {
            true => words(&["HPEXPIRE", "k", "1", "FIELDS", "1", it]),
            false => words(&["HDEL", "k", it]),
        },
        width: 2,
    },
    Kind {
        scan: &["SSCAN", "k"],
        add: |it| words(&["SADD", "k", it]),
        remove: |it| words(&["SREM", "k", it]),
        width: 1,
    },
    Kind {
        scan: &["ZSCAN", "k"],
        add: |it| words(&["ZADD", "k", "1", it]),
        remove: |it| words(&["ZREM", "k", it]),
        width: 2,
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

/// A collection, a scan of it, and who is in it meanwhile.
struct Scan<'k> {
    kind: &'k Kind,
    engine: Engine,
    client: ClientId,
    now_ms: u64,
    random: Random,
    /// Who is there from the first page to the last.
    stayers: BTreeSet<String>,
    /// Who is there now and may go.
    others: BTreeSet<String>,
    /// How often each was seen.
    seen: BTreeMap<String, usize>,
    made: usize,
}

/// Scans one collection from end to end.
pub fn check(kind: &Kind, seed: u64) {
    let mut engine = Engine::new(Config::default(), seed);
    let client = engine.connect(Origin::default(), 0);
    let mut scan = Scan {
        kind,
        engine,
        client,
        now_ms: 1000,
        random: Random::new(seed),
        stayers: BTreeSet::new(),
        others: BTreeSet::new(),
        seen: BTreeMap::new(),
        made: 0,
    };
    scan.fill();
    let is_calm = scan.random.one_in(4);
    scan.run(is_calm);
    let missed: Vec<_> = scan.stayers.iter().filter(|it| !scan.seen.contains_key(*it)).collect();
    assert!(missed.is_empty(), "{} missed {missed:?}", kind.scan[0]);
    if is_calm {
        assert!(scan.seen.values().all(|&times| times == 1), "{} saw somebody twice", kind.scan[0]);
        assert_eq!(scan.seen.len(), scan.stayers.len() + scan.others.len());
    }
}

impl Scan<'_> {
    fn fill(&mut self) {
        // From what fits a packed collection to what takes a few segments.
        let most = [20, 600, 4000][self.random.below(3)];
        for _ in 0..self.random.below(most) {
            let name = self.add();
            if self.random.one_in(3) {
                self.others.remove(&name);
                self.stayers.insert(name);
            }
        }
    }

    fn run(&mut self, is_calm: bool) {
        let mut cursor = "0".to_string();
        loop {
            let count = (1 + self.random.below(300)).to_string();
            let head = self.kind.scan.iter().copied();
            let request: Vec<_> = head.chain([&*cursor, "COUNT", &count]).map(String::from).collect();
            let page = self.ask(&request);
            for name in page[1..].iter().step_by(self.kind.width) {
                assert!(self.stayers.contains(name) || self.others.contains(name), "{name} is not there");
                *self.seen.entry(name.clone()).or_default() += 1;
            }
            if page[0] == "0" {
                return;
            }
            cursor = page[0].clone();
            if !is_calm {
                self.disturb();
            }
        }
    }

    /// Has the collection grow a lot, shrink a lot, or both a little.
    fn disturb(&mut self) {
        let (come, go) = match self.random.below(6) {
            0 => (400, 0),
            1 => (0, self.others.len()),
            _ => (self.random.below(20), self.random.below(20)),
        };
        // Not for ever, or the scan would not end either.
        for _ in 0..if self.made < 12_000 { come } else { 0 } {
            self.add();
        }
        for _ in 0..go {
            let Some(name) = self.others.pop_last() else { break };
            self.ask(&(self.kind.remove)(&name));
        }
        self.now_ms += 1;
        if self.random.one_in(2) {
            self.engine.tick(self.now_ms);
        }
    }

    fn add(&mut self) -> String {
        self.made += 1;
        let name = format!("m{}", self.random.next() % 1_000_000_000);
        self.ask(&(self.kind.add)(&name));
        if !self.stayers.contains(&name) {
            self.others.insert(name.clone());
        }
        name
    }

    /// The strings of the reply.
    fn ask(&mut self, request: &[String]) -> Vec<String> {
        let mut bytes = Vec::new();
        encode(&request.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>(), &mut bytes);
        self.engine.receive(self.client, &bytes, self.now_ms);
        let reply = std::mem::take(self.engine.output(self.client).expect("connected"));
        let reply = String::from_utf8(reply).expect("names are text");
        assert!(!reply.starts_with('-'), "{request:?}: {reply}");
        let lines: Vec<&str> = reply.split("\r\n").collect();
        lines.windows(2).filter(|pair| pair[0].starts_with('$')).map(|pair| pair[1].to_string()).collect()
    }
}
