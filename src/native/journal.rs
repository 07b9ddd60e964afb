//! When the journal is written and synced: once a turn of the loop, and as `appendfsync` says. Under `always` replies wait
//! until what they tell is safe; syncing goes on beside the requests, on a thread of its own.

use std::{fs::File, io, path::Path, rc::Rc, sync::mpsc, thread, time::Duration};

use keyside::{Config, Engine, Purpose};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    append_log::{AppendLog, Mark},
    disk::{Disk, Folder},
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

/// A file to be synced, and what that makes safe.
type Job = (File, Mark);
/// How a sync went.
pub type Outcome = (io::Result<()>, Mark);

/// The append-only file of a server.
pub struct Journal {
    log: AppendLog<Folder>,
    policy: Policy,
    has_times: bool,
    form: &'static str,
    jobs: Option<mpsc::Sender<Job>>,
    done: UnboundedSender<Outcome>,
    /// Whether a sync goes on.
    is_syncing: bool,
    /// When the last one began.
    synced_ms: u64,
    /// The version of the configuration that it follows.
    version: u64,
}

impl Journal {
    /// The append-only file that the configuration names, and where the outcomes of syncs come from.
    pub fn new(config: &Config) -> (Journal, UnboundedReceiver<Outcome>) {
        let (done, outcomes) = unbounded_channel();
        let folder = Folder::new(text(config, "appenddirname").into());
        let log = AppendLog::new(folder, text(config, "appendfilename"));
        let mut journal = Journal {
            log,
            policy: Policy::EverySecond,
            has_times: false,
            form: "rdb",
            jobs: None,
            done,
            is_syncing: false,
            synced_ms: 0,
            version: 0,
        };
        journal.read_settings(config);
        (journal, outcomes)
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
        if !Path::new(&name).is_file() {
            return Ok(false);
        }
        // Named first, so that a crash leaves it in one place or the other.
        let inside = self.log.disk.path(&name);
        std::fs::hard_link(&name, &inside)
            .or_else(|_| std::fs::rename(&name, &inside))
            .map_err(|error| format!("Can't move the old AOF file {name}: {error}"))?;
        self.log.adopt(&name)?;
        let _ = std::fs::remove_file(&name);
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
        self.policy == Policy::Always && self.log.is_open()
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
    fn turn(&mut self, engine: &mut Engine) {
        self.take(engine);
        if !self.log.is_open() {
            return;
        }
        if !self.is_syncing {
            self.log.keep_unsynced(self.policy == Policy::Always);
        }
        let written = self.log.write();
        let now = now_ms();
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

    /// Tells the engine how it stands.
    fn tell(&mut self, engine: &mut Engine, outcome: io::Result<()>) {
        let it = engine.append_only();
        (it.size, it.waiting, it.is_syncing) = (self.log.size(), self.log.waiting(), self.is_syncing);
        let failure = outcome.err().map(|error| error.to_string());
        match (&failure, &it.failure) {
            // Only a sync tells that the next one may work.
            (None, Some(_)) if self.log.is_behind() && self.policy != Policy::Never => {}
            _ => it.failure = failure,
        }
    }

    fn begin_sync(&mut self) {
        let Some((file, mark)) = self.log.unsynced_file() else { return };
        let Ok(file) = file.try_clone() else { return };
        let done = self.done.clone();
        let jobs = self.jobs.get_or_insert_with(|| syncing_thread(done));
        self.is_syncing = jobs.send((file, mark)).is_ok();
    }

    /// A sync has ended.
    fn sync_ended(&mut self, engine: &mut Engine, (outcome, mark): Outcome) {
        self.is_syncing = false;
        let outcome = self.log.sync_ended(outcome, mark);
        if outcome.is_ok() {
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
        for (file, mark) in received {
            if done.send((file.sync_data(), mark)).is_err() {
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
            journal.turn(engine);
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

    /// Begins to write a base, and a part that follows it.
    fn begin_rewrite(&self, journal: &mut Journal, engine: &mut Engine) {
        journal.take(engine);
        let appends = engine.append_only().is_on;
        let begun = journal.log.disk.claim().map_err(io::Error::other).and_then(|()| {
            if !journal.log.is_open() {
                journal.log.find().map_err(io::Error::other)?;
            }
            journal.log.begin_rewrite(appends, journal.form)
        });
        engine.journal().begin_anew();
        engine.begin_rewrite();
        match begun {
            Ok(name) => {
                *self.rewriting.borrow_mut() = Some(journal.log.disk.path(&name).display().to_string());
                self.saves.notify_one();
            }
            Err(error) => engine.rewrite_ended(Err(error.to_string()), now_ms()),
        }
    }

    /// The bytes of the base are all written, or not.
    pub fn rewrite_written(&self, outcome: Result<u64, String>) {
        let State { engine, journal, .. } = &mut *self.state.borrow_mut();
        let finished =
            outcome.and_then(|len| journal.log.finish_rewrite(len).map_err(|error| error.to_string()));
        if finished.is_err() {
            journal.log.abandon_rewrite();
            // Until there is a base, nothing that is appended can be read.
            let is_unbased = engine.append_only().is_on && engine.append_only().base_size == 0;
            engine.append_only().is_scheduled |= is_unbased;
        } else {
            let size = journal.log.size();
            engine.append_only().base_size = size;
            if !engine.append_only().is_on {
                journal.log.disk.release();
            }
        }
        engine.rewrite_ended(finished, now_ms());
    }

    /// The name under which the base that is being made is written.
    pub fn take_rewriting(&self) -> Option<String> {
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

/// A base under its temporary name: it takes its place with the manifest.
pub fn create_base(path: &str) -> Result<Replacement, String> {
    Replacement::in_place(path)
}

fn text(config: &Config, name: &str) -> String {
    String::from_utf8_lossy(&config.get(name).expect("a directive of the engine")).into_owned()
}
