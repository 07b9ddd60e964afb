//! When the journal is written and synced: once a turn of the loop, and as `appendfsync` says. Under `always` replies wait
//! until what they tell is safe; syncing goes on beside the requests, on a thread of its own.

use std::{io, rc::Rc, sync::mpsc, thread, time::Duration};

use keyside::{Config, Engine, Purpose};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    append_log::{AppendLog, Mark},
    disk::{Disk, DiskFile, Folder},
    files::Replacement,
    log::Log,
    shell::{Shell, State},
    time::now_ms,
};

/// How long after a failure the disk is tried again, and how often `everysec` syncs.
const SECOND: Duration = Duration::from_secs(1);

/// When bytes are synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Policy {
    Always,
    EverySecond,
    Never,
}

/// What syncs a file, and what that makes safe.
type Job = (Box<dyn FnOnce() -> io::Result<()> + Send>, Mark);
/// How a sync went.
pub type Outcome = (io::Result<()>, Mark);

/// The append-only file of a server.
pub struct Journal<D: Disk = Folder> {
    log: AppendLog<D>,
    policy: Policy,
    has_times: bool,
    form: &'static str,
    /// Whoever syncs.
    jobs: mpsc::Sender<Job>,
    /// Whether a sync goes on.
    is_syncing: bool,
    /// When the last one began.
    synced_ms: u64,
    /// When a base that is missing is begun, at the earliest.
    next_try_ms: u64,
    /// The version of the configuration that it follows.
    version: u64,
}

impl Journal {
    /// The append-only file that the configuration names, and where the outcomes of syncs come from.
    pub fn new(config: &Config) -> (Journal, UnboundedReceiver<Outcome>) {
        let (done, outcomes) = unbounded_channel();
        let folder = Folder::new(text(config, "appenddirname").into());
        (Journal::on(folder, config, syncing_thread(done)), outcomes)
    }
}

impl<D: Disk> Journal<D> {
    /// The append-only file of a disk; somebody else does the jobs.
    fn on(disk: D, config: &Config, jobs: mpsc::Sender<Job>) -> Self {
        let mut journal = Journal {
            log: AppendLog::new(disk, text(config, "appendfilename")),
            policy: Policy::EverySecond,
            has_times: false,
            form: "rdb",
            jobs,
            is_syncing: false,
            synced_ms: 0,
            next_try_ms: 0,
            version: 0,
        };
        journal.read_settings(config);
        journal
    }

    /// Fills the store with what the file holds, and goes on with it. False if there is none, or none is wanted.
    pub fn load(&mut self, engine: &mut Engine, log: &Log) -> Result<bool, String> {
        if text(engine.config(), "appendonly") != "yes" {
            return Ok(false);
        }
        self.log.disk.claim()?;
        for name in self.log.disk.names().iter().filter(|name| name.starts_with("temp-")) {
            let _ = self.log.disk.remove(name);
        }
        if !self.log.find()? && !self.upgrade(engine.config(), log)? {
            return Ok(false);
        }
        let started = std::time::Instant::now();
        let may_cut = text(engine.config(), "aof-load-truncated") == "yes";
        for note in self.log.load(engine, may_cut, now_ms())? {
            log.notice(format_args!("{note}"));
        }
        log.notice(format_args!(
            "DB loaded from append only file: {:.3} seconds",
            started.elapsed().as_secs_f64()
        ));
        Ok(true)
    }

    /// Moves the one file that servers before Redis 7 wrote to where the parts are, as the first of them.
    fn upgrade(&mut self, config: &Config, log: &Log) -> Result<bool, String> {
        let name = text(config, "appendfilename");
        // Removed last, so that a crash leaves it in one place or the other.
        let is_there = self.log.disk.bring_in(&name);
        if !is_there.map_err(|error| format!("Can't move the old AOF file {name}: {error}"))? {
            return Ok(false);
        }
        self.log.adopt(&name)?;
        let _ = self.log.disk.remove_outside(&name);
        log.notice(format_args!(
            "Successfully migrated an old-style AOF configuration ({name}) into the AOF directory"
        ));
        Ok(true)
    }

    /// Begins to append, after everything was loaded. `found` says that it was from this file.
    pub fn start(&mut self, engine: &mut Engine, found: bool) -> Result<(), String> {
        if text(engine.config(), "appendonly") != "yes" {
            return Ok(());
        }
        let base = (!found).then(|| engine.whole_snapshot(Purpose::Base));
        self.log
            .start(base, self.form)
            .map_err(|error| format!("Can't open the append-only file: {error}"))?;
        self.begin(engine);
        engine.append_only().base_size = self.log.size();
        Ok(())
    }

    /// Whether replies wait for the disk.
    pub fn holds(&self) -> bool {
        self.policy == Policy::Always && self.log.is_in_force()
    }

    /// The position of the journal up to which all is safe.
    pub fn synced(&self) -> u64 {
        self.log.synced()
    }

    /// Does what CONFIG SET has changed.
    pub fn follow(&mut self, engine: &mut Engine) {
        let version = engine.config().version();
        if std::mem::replace(&mut self.version, version) == version {
            return;
        }
        self.read_settings(engine.config());
        match (text(engine.config(), "appendonly") == "yes", engine.append_only().is_on) {
            (true, false) => {
                self.begin(engine);
                engine.append_only().is_scheduled = true;
            }
            (false, true) => {
                self.take(engine);
                let _ = self.log.settle();
                self.log.close();
                engine.keep_journal(false);
                engine.append_only().failure = None;
                let position = engine.journal().position();
                engine.synced(position);
            }
            _ => {}
        }
    }

    fn begin(&mut self, engine: &mut Engine) {
        engine.keep_journal(true);
        engine.journal().begin_anew();
        self.version = engine.config().version();
    }

    fn read_settings(&mut self, config: &Config) {
        self.policy = match text(config, "appendfsync").as_str() {
            "always" => Policy::Always,
            "no" => Policy::Never,
            _ => Policy::EverySecond,
        };
        self.has_times = text(config, "aof-timestamp-enabled") == "yes";
        self.form = if text(config, "aof-use-rdb-preamble") == "yes" { "rdb" } else { "aof" };
    }

    /// Takes what the engine has logged.
    fn take(&mut self, engine: &mut Engine) {
        if engine.journal().is_empty() {
            return;
        }
        let position = engine.journal().position();
        let bytes = engine.journal().take();
        let second = self.has_times.then(|| now_ms() / 1000);
        self.log.append(&bytes, position, second);
    }

    /// Writes what was logged, and begins a sync if it is time.
    fn turn(&mut self, engine: &mut Engine, now: u64) {
        self.take(engine);
        self.ask_for_base(engine, now);
        if !self.log.is_open() {
            return;
        }
        if !self.is_syncing {
            self.log.keep_unsynced(self.policy == Policy::Always);
        }
        let written = self.log.write();
        let is_due = match self.policy {
            Policy::Always => true,
            Policy::EverySecond => now >= self.synced_ms + SECOND.as_millis() as u64,
            Policy::Never => false,
        };
        if written.is_ok() && is_due && !self.is_syncing && self.log.is_behind() {
            self.synced_ms = now;
            self.begin_sync();
        }
        self.tell(engine, written);
    }

    /// Asks for a rewrite as long as what is appended could not be read, for want of a base.
    fn ask_for_base(&mut self, engine: &mut Engine, now: u64) {
        let is_missing = engine.append_only().is_on && !self.log.is_in_force();
        if is_missing && now >= self.next_try_ms && engine.snapshot_purpose() != Some(Purpose::Base) {
            engine.append_only().is_scheduled = true;
        }
    }

    /// Tells the engine how it stands.
    fn tell(&mut self, engine: &mut Engine, outcome: io::Result<()>) {
        let it = engine.append_only();
        (it.size, it.waiting, it.is_syncing) = (self.log.size(), self.log.waiting(), self.is_syncing);
        let failure = outcome.err().map(|error| error.to_string());
        match (&failure, &it.failure) {
            // Only a sync tells that the next one may work.
            (None, Some(_)) if self.log.is_behind() && self.policy != Policy::Never => {}
            // What could not be synced is not made good before there is a base.
            (None, Some(_)) if !self.log.is_in_force() => {}
            _ => it.failure = failure,
        }
    }

    fn begin_sync(&mut self) {
        let Some((file, mark)) = self.log.unsynced_file() else { return };
        let Ok(sync) = file.syncing() else { return };
        self.is_syncing = self.jobs.send((sync, mark)).is_ok();
    }

    /// A sync has ended.
    fn sync_ended(&mut self, engine: &mut Engine, (outcome, mark): Outcome) {
        self.is_syncing = false;
        let outcome = self.log.sync_ended(outcome, mark);
        if outcome.is_ok() && self.log.is_in_force() {
            engine.append_only().failure = None;
        }
        self.tell(engine, outcome);
        engine.synced(self.log.synced());
    }

    /// Writes and syncs everything.
    fn settle(&mut self, engine: &mut Engine) -> io::Result<()> {
        self.take(engine);
        self.log.settle()?;
        engine.synced(self.log.synced());
        Ok(())
    }

    /// Begins a base, to be written into the file that is returned, and a part that follows it.
    fn begin_rewrite(&mut self, engine: &mut Engine, now: u64) -> Option<Replacement<D>> {
        self.take(engine);
        self.next_try_ms = now + SECOND.as_millis() as u64;
        let begun = self.begin_base(engine.append_only().is_on);
        engine.journal().begin_anew();
        engine.begin_rewrite();
        begun.map_err(|error| engine.rewrite_ended(Err(error.to_string()), now)).ok()
    }

    fn begin_base(&mut self, appends: bool) -> io::Result<Replacement<D>> {
        self.log.disk.claim().map_err(io::Error::other)?;
        if !self.log.is_open() {
            self.log.find().map_err(io::Error::other)?;
        }
        self.log.begin_rewrite(appends, self.form).map(Replacement::in_place)
    }

    /// The bytes of the base are all written, or not.
    fn rewrite_written(&mut self, engine: &mut Engine, outcome: Result<u64, String>, now: u64) {
        let finished =
            outcome.and_then(|len| self.log.finish_rewrite(len).map_err(|error| error.to_string()));
        if finished.is_err() {
            self.log.abandon_rewrite();
        } else {
            engine.append_only().base_size = self.log.size();
            if !engine.append_only().is_on {
                self.log.disk.release();
            }
        }
        engine.rewrite_ended(finished, now);
    }

    /// Reads the file again in the place of what is stored.
    fn load_again(&mut self, engine: &mut Engine) -> Result<(), String> {
        self.settle(engine).map_err(|error| error.to_string())?;
        engine.forget_all();
        if self.log.is_open() || self.log.find()? {
            self.log.load(engine, true, now_ms())?;
        }
        Ok(())
    }
}

/// A thread that syncs files, for as long as somebody asks it to.
fn syncing_thread(done: UnboundedSender<Outcome>) -> mpsc::Sender<Job> {
    let (jobs, received) = mpsc::channel::<Job>();
    let sync = move || {
        for (sync, mark) in received {
            if done.send((sync(), mark)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("sync".into()).spawn(sync).expect("a server can have one more thread");
    jobs
}

impl Shell {
    /// Writes and syncs the journal, and begins rewrites, for as long as the server runs.
    pub async fn keep_journal(self: Rc<Self>, mut outcomes: UnboundedReceiver<Outcome>) {
        loop {
            tokio::select! {
                biased;
                Some(outcome) = outcomes.recv() => {
                    let State { engine, journal, .. } = &mut *self.state.borrow_mut();
                    journal.sync_ended(engine, outcome);
                }
                () = self.writes.notified() => {}
                () = tokio::time::sleep(SECOND / 10) => {}
            }
            let mut state = self.state.borrow_mut();
            let State { engine, journal, .. } = &mut *state;
            let had_failed = engine.append_only().failure.is_some();
            if engine.wants_rewrite() {
                self.begin_rewrite(journal, engine);
            }
            journal.turn(engine, now_ms());
            let failure = engine.append_only().failure.clone();
            match failure {
                Some(reason) if !had_failed => {
                    self.log().warning(format_args!("Error writing to the AOF file: {reason}"))
                }
                None if had_failed => self
                    .log()
                    .warning(format_args!("AOF write error looks solved. The server can write again.")),
                _ => {}
            }
            state.release_held();
        }
    }

    /// Begins to write a base, if that is possible.
    fn begin_rewrite(&self, journal: &mut Journal, engine: &mut Engine) {
        if let Some(base) = journal.begin_rewrite(engine, now_ms()) {
            *self.rewriting.borrow_mut() = Some(base);
            self.saves.notify_one();
        }
    }

    /// The bytes of the base are all written, or not.
    pub fn rewrite_written(&self, outcome: Result<u64, String>) {
        let State { engine, journal, .. } = &mut *self.state.borrow_mut();
        journal.rewrite_written(engine, outcome, now_ms());
    }

    /// The file into which the base goes that is being made.
    pub fn take_rewriting(&self) -> Option<Replacement<Folder>> {
        self.rewriting.borrow_mut().take()
    }

    /// Reads the append-only file again, as DEBUG LOADAOF asks.
    pub fn load_again(&self, state: &mut State) {
        let State { engine, journal, .. } = state;
        if let Err(reason) = journal.load_again(engine) {
            self.log().warning(format_args!("{reason}"));
            std::process::exit(1);
        }
    }

    /// Writes the last bytes before the end.
    pub fn end_journal(&self) -> bool {
        let State { engine, journal, .. } = &mut *self.state.borrow_mut();
        let settled = journal.settle(engine);
        if let Err(error) = &settled {
            self.log().warning(format_args!("Error writing to the AOF file: {error}"));
        }
        settled.is_ok()
    }
}

fn text(config: &Config, name: &str) -> String {
    String::from_utf8_lossy(&config.get(name).expect("a directive of the engine")).into_owned()
}

#[cfg(test)]
mod tests;
