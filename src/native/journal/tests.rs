//! A server's files on a disk that goes wrong at every step in turn: what is found afterwards is always a state that there
//! was, with everything in it that was acknowledged, and the server writes again as soon as the disk does.

use std::{cell::RefCell, mem, sync::mpsc::Receiver};

use keyside::{ClientId, Files, NewFile, Origin};

use super::*;
use crate::native::{
    disk::testing::{Fault, SimulatedDisk},
    log::Level,
};

thread_local! {
    /// Where `SAVE` of this thread writes.
    static DISK: RefCell<Option<SimulatedDisk>> = const { RefCell::new(None) };
}

const SNAPSHOT: &str = "dump.rdb";
/// Between two requests.
const PAUSE_MS: u64 = 100;
/// How old something may be under `everysec` and not be safe: a second, and as long as a sync takes here.
const LOSS_MS: u64 = 1000 + 3 * PAUSE_MS;

/// A server, and what is known of it.
struct World {
    disk: SimulatedDisk,
    engine: Engine,
    journal: Journal<SimulatedDisk>,
    jobs: Receiver<Job>,
    /// A sync that was asked for, and how many turns it takes.
    syncing: Option<(Job, usize)>,
    /// The base or the snapshot that is being written, and how many bytes it has.
    writing: Option<(Replacement<SimulatedDisk>, Purpose, u64)>,
    client: ClientId,
    now_ms: u64,
    /// The states that there were: when, what, and where the journal was.
    states: Vec<(u64, u64, u64)>,
    /// The first state that has to be found again: in the log, and in the snapshot.
    acknowledged: usize,
    saved: usize,
    /// The state that the snapshot shows that is being written.
    saving: usize,
    /// The first state since the server was started.
    begun: usize,
    /// Whether a write was refused because of the disk.
    was_refused: bool,
}

fn config(policy: &str) -> Config {
    let mut config = Config::default();
    for (name, value) in
        [("appendonly", "yes"), ("appendfsync", policy), ("save", "3600 1"), ("dbfilename", SNAPSHOT)]
    {
        config.apply(name, &[value.as_bytes()]).unwrap();
    }
    let create = |name: &str| -> Result<Box<dyn NewFile>, String> {
        let disk = DISK.with_borrow(|disk| disk.clone()).ok_or("there is no disk")?;
        Ok(Box::new(Replacement::new(disk, name)?))
    };
    config.host.files =
        Some(Files { read: |_| Err("none".into()), write: |_, _| Err("none".into()), create });
    config
}

impl World {
    /// A server on a disk; the reason if it does not start.
    fn start(disk: &SimulatedDisk, policy: &str, now_ms: u64) -> Result<World, String> {
        DISK.set(Some(disk.clone()));
        let mut engine = Engine::new(config(policy), 1);
        let (send, jobs) = mpsc::channel();
        let mut journal = Journal::on(disk.clone(), engine.config(), send);
        let log = Log { level: Level::Nothing, file: None };
        let found = journal.load(&mut engine, &log)?;
        journal.start(&mut engine, found)?;
        let client = engine.connect(Origin::default(), now_ms);
        let mut world = World {
            disk: disk.clone(),
            engine,
            journal,
            jobs,
            syncing: None,
            writing: None,
            client,
            now_ms,
            states: Vec::new(),
            acknowledged: 0,
            saved: 0,
            saving: 0,
            begun: 0,
            was_refused: false,
        };
        world.look();
        Ok(world)
    }

    /// The same after its end, with what the disk has kept.
    fn restart(self, policy: &str) -> World {
        self.disk.restart();
        let mut world = World::start(&self.disk, policy, self.now_ms).expect("no restart is refused");
        let found = world.states[0].1;
        let kept = self.states.iter().rposition(|state| state.1 == found);
        let kept = kept.expect("the log shows a state that there was");
        assert!(kept >= self.acknowledged, "{kept} of {}", self.acknowledged);
        if let Some(bytes) = self.disk.bytes(SNAPSHOT) {
            let shown = digest_of(&bytes);
            let shown = self.states.iter().rposition(|state| state.1 == shown);
            assert!(shown.expect("the snapshot shows a state that there was") >= self.saved);
        } else {
            assert_eq!(self.saved, 0);
        }
        let states = [self.states, world.states].concat();
        (world.begun, world.saved, world.was_refused) = (states.len() - 1, self.saved, self.was_refused);
        // What a process left without syncing it is there, and not safe.
        world.acknowledged = if policy == "no" { 0 } else { world.begun };
        World { states, ..world }
    }

    fn look(&mut self) {
        let is_logged = self.engine.append_only().is_on;
        let position = if is_logged { self.engine.journal().position() } else { u64::MAX };
        self.states.push((self.now_ms, self.engine.digest(), position));
    }

    /// Sends a request, and lets everybody else do a little.
    fn ask(&mut self, request: &str) -> String {
        self.now_ms += PAUSE_MS;
        self.engine.tick(self.now_ms);
        self.engine.receive(self.client, format!("{request}\r\n").as_bytes(), self.now_ms);
        let reply = self.engine.output(self.client).map(mem::take).unwrap_or_default();
        let reply = String::from_utf8(reply).unwrap();
        self.look();
        if request == "SAVE" && reply == "+OK\r\n" {
            self.saved = self.states.len() - 1;
        }
        self.was_refused |= reply.starts_with("-MISCONF");
        self.turn();
        reply
    }

    /// What the tasks of a server do.
    fn turn(&mut self) {
        self.sync();
        self.journal.follow(&mut self.engine);
        self.write();
        if self.engine.wants_rewrite()
            && let Some(base) = self.journal.begin_rewrite(&mut self.engine, self.now_ms)
        {
            self.writing = Some((base, Purpose::Base, 0));
        }
        self.journal.turn(&mut self.engine, self.now_ms);
        if let Ok(job) = self.jobs.try_recv() {
            self.syncing = Some((job, self.states.len() % 3));
        }
        self.acknowledge();
    }

    fn sync(&mut self) {
        match self.syncing.take() {
            Some(((sync, mark), 0)) => self.journal.sync_ended(&mut self.engine, (sync(), mark)),
            Some((job, turns)) => self.syncing = Some((job, turns - 1)),
            None => {}
        }
    }

    /// Writes some of the snapshot that is being made.
    fn write(&mut self) {
        let purpose = self.engine.snapshot_purpose();
        if self.writing.as_ref().is_some_and(|writing| Some(writing.1) != purpose) {
            self.writing = None;
        }
        let is_new = self.writing.is_none() && purpose == Some(Purpose::File);
        if is_new {
            self.saving = self.states.len() - 1;
            match Replacement::new(self.disk.clone(), SNAPSHOT) {
                Ok(file) => self.writing = Some((file, Purpose::File, 0)),
                Err(reason) => return self.engine.snapshot_ended(Err(reason), self.now_ms),
            }
        }
        let Some((mut file, purpose, len)) = self.writing.take() else { return };
        let (bytes, more) = self.engine.snapshot_step();
        let outcome = match file.write(&bytes) {
            Ok(()) if more || !bytes.is_empty() => {
                self.writing = Some((file, purpose, len + bytes.len() as u64));
                return;
            }
            Ok(()) => Box::new(file).commit(),
            Err(reason) => Err(reason),
        };
        if purpose == Purpose::Base {
            self.journal.rewrite_written(&mut self.engine, outcome.map(|()| len), self.now_ms);
        } else {
            if outcome.is_ok() {
                self.saved = self.saving;
            }
            self.engine.snapshot_ended(outcome, self.now_ms);
        }
    }

    /// Finds out what has to be found again.
    fn acknowledge(&mut self) {
        let (now_ms, synced) = (self.now_ms, self.journal.synced());
        let is_safe = |&(at_ms, _, position): &(u64, u64, u64)| match self.journal.policy {
            Policy::Always => position <= synced,
            Policy::EverySecond => at_ms + LOSS_MS <= now_ms,
            Policy::Never => false,
        };
        let is_kept = self.journal.log.is_in_force() && self.engine.append_only().failure.is_none();
        if (is_kept || self.journal.holds())
            && let Some(safe) = self.states[self.begun..].iter().rposition(is_safe)
        {
            self.acknowledged = self.acknowledged.max(self.begun + safe);
        }
    }
}

/// The digest of a store that holds what is in a file.
fn digest_of(file: &[u8]) -> u64 {
    let mut engine = Engine::new(Config::default(), 2);
    let mut loader = engine.loader();
    engine.load(&mut loader, Some(file), 0).expect("a snapshot is whole");
    engine.load(&mut loader, None, 0).expect("a snapshot is whole");
    engine.digest()
}

/// What is asked of the server, one after the other.
fn requests() -> Vec<String> {
    let mut requests = Vec::new();
    for n in 0..9 {
        requests.extend(["INCR n".to_string(), format!("RPUSH l {n} {}", "x".repeat(50 * n))]);
        requests.push(["BGREWRITEAOF", "SAVE", "BGSAVE"][n % 3].into());
        requests.extend(["MULTI", "INCR n", "INCR m", "EXEC"].map(String::from));
        match n {
            5 => requests.push("CONFIG SET appendonly no".into()),
            6 => requests.push("CONFIG SET appendonly yes".into()),
            _ => requests.push("APPEND t 1".into()),
        }
    }
    requests
}

/// Runs the requests on a disk that goes wrong, restarts the server when it has to be, and at the end shows that it writes
/// again, and that what it has written is there after another end.
fn run(policy: &str, seed: u64, plan: Option<(Fault, u64, u64)>) -> (u64, bool) {
    let disk = SimulatedDisk::new(seed);
    if let Some((fault, at, steps)) = plan {
        disk.plan(fault, at, steps);
    }
    let mut world = loop {
        match World::start(&disk, policy, 1_000_000) {
            Ok(world) => break world,
            Err(reason) if disk.is_over() || plan.is_none() => {
                assert!(plan.is_some(), "{reason}");
                disk.restart();
            }
            Err(_) => {}
        }
    };
    for request in requests() {
        let reply = world.ask(&request);
        let is_refusal = reply.starts_with("-MISCONF") || reply.starts_with("-EXECABORT");
        assert!(!reply.starts_with('-') || is_refusal || !request.starts_with("INCR"), "{reply}");
        if disk.is_over() {
            world = world.restart(policy);
        }
    }
    let (steps, was_refused) = (disk.steps(), world.was_refused);
    disk.heal();
    for _ in 0..80 {
        world.ask("PING");
    }
    world.ask("BGSAVE");
    for _ in 0..80 {
        world.ask("PING");
    }
    assert_eq!(world.ask("SET last 1"), "+OK\r\n");
    for _ in 0..40 {
        world.ask("PING");
    }
    assert!(world.journal.log.is_in_force());
    if policy != "no" {
        // Nothing has changed since, so one state is as good as the other.
        let digest = |index: usize| world.states[index].1;
        assert_eq!(digest(world.acknowledged), digest(world.states.len() - 1));
    }
    disk.plan(Fault::Off, 0, 1);
    world.restart(policy);
    (steps, was_refused)
}

/// Every fault at every step, or with one seed at every fifth.
fn torment(policy: &str) {
    let seeds = std::env::var("SEEDS").map_or(1, |seeds| seeds.parse().expect("SEEDS is a number"));
    let stride = if seeds == 1 { 5 } else { 1 };
    let (steps, _) = run(policy, 1, None);
    assert!(steps > 100);
    let mut refusals = 0;
    for seed in 1..=seeds {
        for at in (0..steps).step_by(stride) {
            for (fault, steps) in [
                (Fault::Failing, 1),
                (Fault::Failing, 9),
                (Fault::Full, 5),
                (Fault::Full, 40),
                (Fault::Off, 1),
                (Fault::Killed, 1),
            ] {
                let outcome =
                    std::panic::catch_unwind(|| run(policy, seed * 1000 + at, Some((fault, at, steps))));
                match outcome {
                    Ok((_, was_refused)) => refusals += was_refused as u32,
                    Err(_) => panic!("{policy}, seed {seed}, {fault:?} at step {at} for {steps}"),
                }
            }
        }
    }
    assert!(refusals > 0);
}

#[test]
fn what_was_acknowledged_outlives_every_fault_of_the_disk() {
    torment("always");
}

#[test]
fn a_second_at_most_is_lost_by_a_fault_of_the_disk() {
    torment("everysec");
}

#[test]
fn what_is_never_synced_is_a_prefix_nevertheless() {
    torment("no");
}
