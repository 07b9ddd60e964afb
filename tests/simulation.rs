//! A seed makes clients, requests, byte splits and steps of the clock; the whole store must come through them.
//!
//! After each run: no panic, every reply well formed, the store's own invariants, the journal replayed on another engine
//! at another time and seed gives the same digest, a snapshot read by another engine does, and the same seed gives the same bytes.
//!
//! `SEEDS=1000 STEPS=500 cargo test --release --test simulation` runs more of them; `SEED=7` runs one.

#[path = "simulation/clients.rs"]
mod clients;
#[path = "simulation/random.rs"]
mod random;
#[allow(dead_code, reason = "the differential runs compare replies in more ways")]
#[path = "differential/reply.rs"]
mod reply;
#[path = "simulation/requests.rs"]
mod requests;
#[path = "simulation/scans.rs"]
mod scans;

use clients::Crowd;
use keyside::{ClientId, Config, Engine, Origin, commands::Spec, engine::dispatch::Table, resp::reply_len};
use random::Random;
use requests::Clock;

/// Commands whose effect on the run itself makes them useless here.
const LEFT_OUT: &[&str] = &[
    "CONFIG SET",
    "SHUTDOWN",
    "DEBUG",
    "MONITOR",
    "QUIT",
    "AUTH",
    "CLIENT KILL",
    "CLIENT PAUSE",
    "CLIENT REPLY",
    // What follows is no reply.
    "PSYNC",
    "SYNC",
];

struct Run {
    engine: Engine,
    random: Random,
    clients: Vec<ClientId>,
    /// What each client was sent and has not been checked.
    unread: Vec<Vec<u8>>,
    /// Everything that was sent to anybody.
    sent: Vec<u8>,
    journal: Vec<u8>,
    now_ms: u64,
    requests: usize,
    /// The requests of the last step.
    asked: Vec<u8>,
}

fn config() -> Config {
    Config { journal: true, ..Config::default() }
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut run = Run {
            engine: Engine::new(config(), seed),
            random: Random::new(seed),
            clients: Vec::new(),
            unread: Vec::new(),
            sent: Vec::new(),
            journal: Vec::new(),
            now_ms: 1_000_000,
            requests: 0,
            asked: Vec::new(),
        };
        for _ in 0..2 + run.random.below(4) {
            run.clients.push(run.engine.connect(Origin::default(), run.now_ms));
            run.unread.push(Vec::new());
        }
        run
    }

    fn step(&mut self, specs: &[&'static Spec]) {
        if self.random.one_in(4) {
            self.now_ms += self.random.below(700) as u64;
            self.engine.tick(self.now_ms);
        }
        let who = self.random.below(self.clients.len());
        let mut bytes = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let spec = *self.random.pick(specs);
            encode(&requests::request(spec, Clock::Stands(self.now_ms), &mut self.random), &mut bytes);
            self.requests += 1;
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let cut = if self.random.one_in(3) { 1 + self.random.below(rest.len()) } else { rest.len() };
            self.engine.receive(self.clients[who], &rest[..cut], self.now_ms);
            rest = &rest[cut..];
        }
        self.asked = bytes;
        self.resume();
        self.collect();
        if self.random.one_in(50) {
            self.engine.disconnect(self.clients[who]);
            self.clients[who] = self.engine.connect(Origin::default(), self.now_ms);
            self.unread[who].clear();
        }
    }

    /// Has those go on whose requests waited for others, until nobody's do.
    fn resume(&mut self) {
        while let Some(&held) = self.clients.iter().find(|client| self.engine.is_held(**client)) {
            self.engine.receive(held, b"", self.now_ms);
        }
    }

    /// Takes what the clients were sent, and checks that it is made of whole replies.
    fn collect(&mut self) {
        self.journal.extend(self.engine.journal().take());
        for (client, unread) in self.clients.iter().zip(&mut self.unread) {
            let Some(out) = self.engine.output(*client) else { continue };
            self.sent.extend_from_slice(out);
            unread.append(out);
            let mut at = 0;
            while let Some(len) = reply_len(&unread[at..]) {
                at += len;
            }
            assert_eq!(at, unread.len(), "not a reply: {}", unread[at..].escape_ascii());
            unread.clear();
        }
    }
}

fn encode(words: &[Vec<u8>], out: &mut Vec<u8>) {
    out.extend(format!("*{}\r\n", words.len()).bytes());
    for word in words {
        out.extend(format!("${}\r\n", word.len()).bytes());
        out.extend(word);
        out.extend(b"\r\n");
    }
}

fn simulate(seed: u64, steps: usize, specs: &[&'static Spec]) -> Run {
    let mut run = Run::new(seed);
    for step in 0..steps {
        run.step(specs);
        if step % 50 == 0 {
            run.engine.check();
        }
    }
    // Nothing may be left that has expired and is not logged as gone.
    run.engine.tick(run.now_ms);
    run.resume();
    run.collect();
    run.engine.check();
    run
}

/// Looks for the first step after which the journal says something else than the store. For whoever looks for a bug.
fn first_wrong_step(seed: u64, steps: usize, specs: &[&'static Spec]) -> Option<String> {
    let mut run = Run::new(seed);
    (0..steps).find_map(|step| {
        let before = run.journal.len();
        run.step(specs);
        run.engine.tick(run.now_ms);
        run.resume();
        run.collect();
        let is_right = run.engine.digest() == replayed(&run.journal);
        let (asked, logged) = (run.asked.escape_ascii(), run.journal[before..].escape_ascii());
        (!is_right).then(|| format!("step {step}\nasked  {asked}\nlogged {logged}"))
    })
}

/// The digest of a store that has only read a journal, long ago.
fn replayed(journal: &[u8]) -> u64 {
    let mut engine = Engine::new(Config::default(), 99);
    let client = engine.connect(Origin::default(), 0);
    engine.receive(client, journal, 0);
    let replies = engine.output(client).expect("connected");
    assert!(
        !replies.starts_with(b"-") && !replies.windows(3).any(|w| w == b"\n-E" || w == b"\n-W"),
        "a journal is never refused: {}",
        replies.escape_ascii()
    );
    engine.digest()
}

/// The digest of a store that has only read the snapshot of another one.
fn reloaded(snapshot: &[u8], now_ms: u64) -> u64 {
    let mut engine = Engine::new(Config::default(), 99);
    let mut loader = engine.loader();
    for bytes in [Some(snapshot), None] {
        engine
            .load(&mut loader, bytes, now_ms)
            .unwrap_or_else(|damage| panic!("a snapshot is whole: {damage}"));
    }
    engine.check();
    engine.digest()
}

#[test]
fn scans_see_whoever_stays() {
    for seed in 1..=number("SEEDS", 60) as u64 {
        scans::KINDS.iter().for_each(|kind| scans::check(kind, seed));
    }
}

fn crowd(seed: u64, steps: usize) -> Crowd {
    let mut crowd = Crowd::new(seed);
    (0..steps).for_each(|_| crowd.step());
    crowd.finish();
    crowd
}

#[test]
fn clients_find_true_what_they_rely_on() {
    let run = |seed, steps| {
        let (mut first, second) = (crowd(seed, steps), crowd(seed, steps));
        assert!(first.sent == second.sent, "the same seed gave other replies");
        assert!(first.journal == second.journal, "the same seed gave another journal");
        assert!(first.engine.digest() == replayed(&first.journal), "the journal replays to another state");
        let snapshot = first.engine.snapshot();
        assert!(
            first.engine.digest() == reloaded(&snapshot, first.now_ms),
            "the snapshot is of another state"
        );
        first.requests
    };
    through_seeds("clients", run);
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_seed_comes_through() {
    let table = Table::new();
    let specs: Vec<&'static Spec> =
        table.all().map(|known| table.spec(known)).filter(|spec| !LEFT_OUT.contains(&spec.name)).collect();
    let run = |seed, steps| {
        let (mut first, second) = (simulate(seed, steps, &specs), simulate(seed, steps, &specs));
        assert!(first.sent == second.sent, "the same seed gave other replies");
        assert!(first.journal == second.journal, "the same seed gave another journal");
        assert!(
            first.engine.digest() == replayed(&first.journal),
            "the journal replays to another state, from here on: {}",
            first_wrong_step(seed, steps, &specs)
                .unwrap_or("nowhere, when time passes after each step".into())
        );
        let snapshot = first.engine.snapshot();
        assert!(
            first.engine.digest() == reloaded(&snapshot, first.now_ms),
            "the snapshot is of another state"
        );
        first.requests
    };
    through_seeds("all commands", run);
}

/// Runs every seed that was asked for; each tells how many requests it made.
fn through_seeds(what: &str, run: impl Fn(u64, usize) -> usize + std::panic::RefUnwindSafe) {
    let steps = number("STEPS", 400);
    let from = number("FROM", 1) as u64;
    let seeds = match number("SEED", 0) as u64 {
        0 => from..=from + number("SEEDS", 60) as u64 - 1,
        seed => seed..=seed,
    };
    let mut requests = 0;
    for seed in seeds.clone() {
        match std::panic::catch_unwind(|| run(seed, steps)) {
            Ok(count) => requests += count,
            Err(panic) => {
                eprintln!("this seed failed; again with: make sim SEED={seed} STEPS={steps}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!(
        "{what}: seeds {} to {} of {steps} steps, {requests} requests twice",
        seeds.start(),
        seeds.end()
    );
}
