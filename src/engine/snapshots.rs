//! Snapshots: all that is stored as one RDB file, written when somebody asks for it, when enough has changed, or when the
//! server ends; and read when it starts. The engine makes the bytes and takes them; files are the shell's.
//!
//! A snapshot in the background shows one moment although it is made in steps between commands: see `keyspace/frozen.rs`.

use alloc::{format, string::String, vec::Vec};
use core::mem;

use super::{Engine, functions::Policy, info::REDIS_VERSION, replication::ending::NOT_ENDED};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{one_of, options},
        reply::{Done, Either, Reply, Simple},
        spec::commands,
    },
    data::number::{Digits, write_i64},
    keyspace::{Keyspace, Kind, Seen},
    persistence::{
        aof::CommandWriter,
        rdb::{Damage, FileWriter, Header, Loader, View},
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Writes a snapshot to the disk while everybody waits.
    "SAVE" = save() since "1.0.0" [ADMIN NOSCRIPT NO_MULTI NO_ASYNC_LOADING] O("N) where N is the number of keys in all databases");
    /// Writes a snapshot to the disk between commands.
    "BGSAVE" = bgsave(schedule) since "1.0.0" [ADMIN NOSCRIPT NO_ASYNC_LOADING] O("1");
    /// Returns when a snapshot was last written, in seconds since 1970.
    "LASTSAVE" = lastsave() since "1.0.0" [LOADING STALE FAST] O("1");
    /// Ends the server, and writes a snapshot before if it is configured to or asked to.
    "SHUTDOWN" = shutdown(options) since "1.0.0" [ADMIN NOSCRIPT LOADING STALE NO_MULTI ALLOW_BUSY] O("N) when saving, where N is the number of keys in all databases; otherwise O(1)");
};

/// What is known of snapshots.
#[derive(Default)]
pub(super) struct Snapshots {
    /// The one that is being made.
    saving: Option<Saving>,
    /// When the last one was written, in seconds since 1970.
    saved_s: Option<u64>,
    /// The changes that are in it.
    changes_saved: u64,
    /// When one was last begun, in milliseconds since 1970.
    tried_ms: u64,
    /// How many seconds the last one took.
    pub took_s: Option<u64>,
    /// Whether the last one could not be written.
    pub failed: bool,
    /// How many were written.
    pub count: u64,
    /// How many were begun.
    begun: u64,
    /// Keys that were in the file, and those of it that had expired.
    pub loaded: (u64, u64),
    /// Whether one is to be begun as soon as may be.
    is_scheduled: bool,
    /// Whether the server is to end.
    is_over: bool,
}

/// A snapshot in the making.
struct Saving {
    number: u64,
    purpose: Purpose,
    writer: Form,
    /// Changes before its moment.
    changes: u64,
    /// Whether there is more to write.
    more: bool,
}

/// What a snapshot is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The file of its own that BGSAVE and SAVE write.
    File,
    /// The base of an append-only file.
    Base,
    /// What replicas begin with.
    Replicas,
}

/// How a server is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// Whether with a snapshot; if nothing is said, when there are save points.
    pub save: Option<bool>,
    /// Whether at once, whatever replicas have.
    pub now: bool,
    /// Whether even when no snapshot can be written.
    pub force: bool,
}

/// In what form a snapshot is written.
enum Form {
    File(FileWriter),
    Commands(CommandWriter),
}

impl Form {
    fn entry(&mut self, seen: &Seen<'_>) {
        match self {
            Form::File(writer) => writer.entry(seen),
            Form::Commands(writer) => writer.entry(seen),
        }
    }

    fn end(&mut self) {
        if let Form::File(writer) = self {
            writer.end();
        }
    }

    fn waiting(&self) -> usize {
        match self {
            Form::File(writer) => writer.waiting(),
            Form::Commands(writer) => writer.waiting(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        match self {
            Form::File(writer) => writer.take(),
            Form::Commands(writer) => writer.take(),
        }
    }
}

/// How many bytes a step is to make.
const STEP_BYTES: usize = 256 << 10;
/// How many entries are looked at before their bytes are counted.
const STEP_ENTRIES: usize = 32;
/// How long after a failure the next snapshot is tried.
const PATIENCE_MS: u64 = 5000;

const IN_PROGRESS: Error = Error::refused("ERR Background save already in progress");
const NO_FILES: Error = Error::refused("ERR There are no files here to write a snapshot to");

one_of! {
    /// Whether BGSAVE may wait for its turn, which it always has.
    enum Schedule { "SCHEDULE" = Schedule }
}

options! {
    /// The options of SHUTDOWN.
    struct ShutdownOptions {
        nosave: bool = "NOSAVE",
        save: bool = "SAVE",
        now: bool = "NOW",
        force: bool = "FORCE",
        abort: bool = "ABORT",
    }
}

/// No reply at all: whoever asked is told by the end of the connection.
pub(super) struct Silence;

impl Reply for Silence {
    const TS: &'static str = "never";
    fn write(self, _: &mut Writer<'_>) {}
}

fn save(engine: &mut Engine) -> Result<Done> {
    if engine.is_writing_snapshot() {
        return Err(IN_PROGRESS);
    }
    engine.put_off_rewrite();
    engine.save_now().map_err(|reason| Error::from(format!("ERR {reason}")))?;
    Ok(Done)
}

fn bgsave(engine: &mut Engine, schedule: Option<Schedule>) -> Result<Simple> {
    if engine.is_writing_snapshot() && schedule.is_none() {
        return Err(IN_PROGRESS);
    }
    if engine.config.host.files.is_none() {
        return Err(NO_FILES);
    }
    if engine.snapshot_purpose().is_some() {
        if schedule.is_none() {
            return Err(Error::refused(
                "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
            ));
        }
        engine.snapshots.is_scheduled = true;
        return Ok(Simple("Background saving scheduled"));
    }
    engine.begin_snapshot(Purpose::File);
    engine.note("Background saving started".into());
    Ok(Simple("Background saving started"))
}

fn lastsave(engine: &mut Engine) -> Result<i64> {
    Ok(engine.last_save_seconds() as i64)
}

fn shutdown(engine: &mut Engine, options: ShutdownOptions) -> Result<Either<Done, Silence>> {
    let ShutdownOptions { nosave, save, now, force, abort } = options;
    if (nosave && save) || (abort && (nosave || save || now || force)) {
        return Err(Error::Syntax);
    }
    if abort {
        let is_cancelled = engine.cancel_end();
        return if is_cancelled {
            Ok(Either::Left(Done))
        } else {
            Err(Error::refused("ERR No shutdown in progress."))
        };
    }
    if engine.config.host.files.is_none() {
        return Err(Error::refused("ERR There is no server here to shut down"));
    }
    let ending = Ending { save: (nosave || save).then_some(save), now, force };
    if !now && engine.executing.is_some() {
        return Err(Error::refused(
            "ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client",
        ));
    }
    if !nosave && engine.is_busy() {
        return Err(engine.busy());
    }
    if engine.delay_end(ending) {
        engine.await_end();
        return Ok(Either::Right(Silence));
    }
    engine.prepare_to_end(ending).map_err(|_| NOT_ENDED)?;
    engine.end();
    engine.close(engine.current);
    Ok(Either::Right(Silence))
}

/// What the shell does with snapshots.
impl Engine {
    /// What the snapshot is for that is being made, if one is.
    pub fn snapshot_purpose(&self) -> Option<Purpose> {
        self.snapshots.saving.as_ref().map(|saving| saving.purpose)
    }

    /// Which snapshot is being made, if one is: there is never another one of the same number.
    pub fn snapshot_number(&self) -> Option<u64> {
        self.snapshots.saving.as_ref().map(|saving| saving.number)
    }

    /// Whether a snapshot is being made for a file of its own; then [`Engine::snapshot_step`] has more of it.
    pub fn is_saving(&self) -> bool {
        self.snapshot_purpose() == Some(Purpose::File)
    }

    /// Whether one is being made for a file of its own or for replicas.
    pub(super) fn is_writing_snapshot(&self) -> bool {
        self.snapshot_purpose().is_some_and(|purpose| purpose != Purpose::Base)
    }

    /// The next bytes of the snapshot, and whether there are more. When there are not, and the bytes are where they belong,
    /// [`Engine::snapshot_ended`] wants to know.
    pub fn snapshot_step(&mut self) -> (Vec<u8>, bool) {
        let Some(saving) = &mut self.snapshots.saving else { return (Vec::new(), false) };
        while saving.more && saving.writer.waiting() < STEP_BYTES {
            saving.more = self.keyspace.look_at_frozen(STEP_ENTRIES, |seen| saving.writer.entry(&seen));
            if !saving.more {
                saving.writer.end();
                self.keyspace.thaw();
            }
        }
        (saving.writer.take(), saving.more)
    }

    /// The snapshot in the background was written, or could not be: then for what reason, for people.
    pub fn snapshot_ended(&mut self, outcome: Result<(), String>, now_ms: u64) {
        if !self.is_saving() {
            return;
        }
        let Some(changes) = self.end_snapshot() else { return };
        let snapshots = &mut self.snapshots;
        snapshots.failed = outcome.is_err();
        snapshots.took_s = Some(now_ms.saturating_sub(snapshots.tried_ms) / 1000);
        match outcome {
            Ok(()) => self.saved(changes, now_ms),
            Err(reason) => self.note(format!("Background saving failed: {reason}")),
        }
    }

    /// Begins the end that a signal asks for: at once, or when replicas have everything, and then [`Engine::is_over`] says so.
    /// The reason if it cannot come.
    pub fn begin_to_end(&mut self, ending: Ending) -> Result<(), String> {
        if self.replication.is_ending() {
            // Whoever asks twice does not want to wait.
            self.cancel_end();
        } else if self.delay_end(ending) {
            return Ok(());
        }
        self.prepare_to_end(ending)?;
        self.end();
        Ok(())
    }

    /// Gets ready for the end: writes a snapshot if told to, or if told nothing and there are save points. The reason if it
    /// could not be written and that matters.
    pub(super) fn prepare_to_end(&mut self, ending: Ending) -> Result<(), String> {
        let saves = ending.save.unwrap_or(self.save_points().next().is_some());
        if saves && self.is_busy() {
            self.note("A script runs, and what it has done so far cannot be saved".into());
            return if ending.force { Ok(()) } else { Err("a script runs".into()) };
        }
        self.note_lagging();
        self.abandon_sync();
        self.end_snapshot();
        self.append_only.is_scheduled = false;
        let saved = if saves { self.save_now() } else { Ok(()) };
        if ending.force { Ok(()) } else { saved }
    }

    /// The server ends.
    pub(super) fn end(&mut self) {
        self.snapshots.is_over = true;
    }

    /// Whether a client has asked for the end.
    pub fn is_over(&self) -> bool {
        self.snapshots.is_over
    }

    /// A file to be read into this store.
    pub fn loader(&self) -> Loader {
        Loader::new(self.is_on("rdbchecksum"))
    }

    /// Takes bytes of a file, or its end. Nobody is told of the keys in it.
    pub fn load(&mut self, loader: &mut Loader, bytes: Option<&[u8]>, now_ms: u64) -> Result<(), Damage> {
        self.keyspace.effects.journal_wanted = true;
        let outcome = self.load_with(loader, bytes, |keyspace| keyspace.set_now(now_ms));
        self.refresh_role();
        outcome
    }

    pub(super) fn load_with(
        &mut self,
        loader: &mut Loader,
        bytes: Option<&[u8]>,
        set_time: impl FnOnce(&mut Keyspace),
    ) -> Result<(), Damage> {
        set_time(&mut self.keyspace);
        let wanted = mem::replace(&mut self.keyspace.effects.touches_wanted, false);
        let outcome = match bytes {
            Some(bytes) => loader.feed(bytes, &mut self.keyspace),
            None => loader.finish(&mut self.keyspace),
        };
        self.keyspace.effects.touches_wanted = wanted;
        if bytes.is_none() && outcome.is_ok() {
            self.loaded(loader, if loader.merges { Policy::Replace } else { Policy::Append })?;
        }
        outcome
    }

    /// The entries of a snapshot have been read. Its libraries may still be refused.
    pub(super) fn loaded(&mut self, loader: &mut Loader, policy: Policy) -> Result<(), Damage> {
        self.load_library_sources(mem::take(&mut loader.libraries), policy)?;
        self.snapshots.loaded = (loader.keys, loader.expired);
        Ok(())
    }

    /// The whole store as the bytes of a file.
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.whole_snapshot(Purpose::File)
    }

    /// The whole store as the bytes of a file, or of the base of an append-only file.
    pub fn whole_snapshot(&mut self, purpose: Purpose) -> Vec<u8> {
        self.put_off_rewrite();
        self.abandon_sync();
        debug_assert!(!self.is_saving(), "one at a time");
        self.begin_snapshot(purpose);
        let mut bytes = Vec::new();
        loop {
            let (more_bytes, more) = self.snapshot_step();
            bytes.extend(more_bytes);
            if !more {
                self.end_snapshot();
                return bytes;
            }
        }
    }
}

impl Engine {
    /// Begins a snapshot if a save point says that enough has changed for long enough.
    pub(super) fn save_if_due(&mut self) {
        if self.snapshots.saving.is_some() || self.config.host.files.is_none() {
            return;
        }
        if mem::take(&mut self.snapshots.is_scheduled) {
            return self.begin_snapshot(Purpose::File);
        }
        if self.unsaved_changes() == 0 {
            return;
        }
        let now_ms = self.keyspace.now_ms();
        let age_s = (now_ms / 1000).saturating_sub(self.last_save_seconds());
        let may_try = !self.snapshots.failed || now_ms >= self.snapshots.tried_ms + PATIENCE_MS;
        let changes = self.unsaved_changes();
        let due = self.save_points().find(|&(seconds, least)| changes >= least && age_s > seconds);
        if let Some((seconds, _)) = due.filter(|_| may_try) {
            self.note(format!("{changes} changes in {seconds} seconds. Saving..."));
            self.begin_snapshot(Purpose::File);
        }
    }

    /// Changes that are in no snapshot.
    pub(super) fn unsaved_changes(&self) -> u64 {
        self.keyspace.effects.changes - self.snapshots.changes_saved
    }

    /// What has changed so far was read from a disk.
    pub(super) fn snapshots_are_current(&mut self) {
        self.snapshots.changes_saved = self.keyspace.effects.changes;
    }

    /// When a snapshot was last written, or the server started.
    pub(super) fn last_save_seconds(&self) -> u64 {
        self.snapshots.saved_s.unwrap_or(self.started_seconds())
    }

    /// For how many seconds a snapshot is being made.
    pub(super) fn saving_seconds(&self) -> Option<u64> {
        self.is_saving().then(|| self.keyspace.now_ms().saturating_sub(self.snapshots.tried_ms) / 1000)
    }

    /// Whether what was to be on a disk could not be written.
    #[inline]
    pub(super) fn has_disk_trouble(&self) -> bool {
        self.snapshots.failed || self.append_only.failure.is_some()
    }

    /// Why nothing may be changed: snapshots are wanted and cannot be written.
    #[cold]
    pub(super) fn refuse_without_snapshots(&self) -> Option<Error> {
        let refuses = self.snapshots.failed
            && self.is_on("stop-writes-on-bgsave-error")
            && self.save_points().next().is_some();
        refuses.then_some(Error::refused(
            "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
        ))
    }

    /// Fills the store with what was in it, by way of a file's bytes, after emptying it or not.
    pub(super) fn reload(&mut self, empties: bool, merges: bool) -> Result<(), Damage> {
        let bytes = self.snapshot();
        if empties {
            self.empty();
        }
        let (mut loader, now_ms) = (self.loader(), self.keyspace.now_ms());
        loader.merges = merges;
        self.load(&mut loader, Some(&bytes), now_ms)?;
        self.load(&mut loader, None, now_ms)
    }

    /// Removes everything, and tells nobody.
    pub(super) fn empty(&mut self) {
        for db in 0..self.keyspace.count() {
            self.keyspace.flush(db);
        }
        self.forget_libraries();
    }

    pub(super) fn begin_snapshot(&mut self, purpose: Purpose) {
        let now_ms = self.keyspace.now_ms();
        let mut digits = [(); 4].map(|()| Digits::new());
        let [created, used, offset, stream_db] = &mut digits;
        let mut facts: Vec<(&str, &[u8])> = alloc::vec![
            ("redis-ver", REDIS_VERSION.as_bytes()),
            ("redis-bits", b"64"),
            ("ctime", write_i64(now_ms as i64 / 1000, created)),
            ("used-mem", write_i64(self.used_memory() as i64, used)),
            ("aof-base", if purpose == Purpose::Base { b"1" } else { b"0" }),
        ];
        let history = &self.replication.history;
        if history.is_kept() {
            let db = self.stream_db().unwrap_or(0);
            facts.push(("repl-stream-db", write_i64(db as i64, stream_db)));
            facts.push(("repl-id", history.id.as_bytes()));
            facts.push(("repl-offset", write_i64(history.offset() as i64, offset)));
        }
        let libraries = self.library_sources();
        let header = Header { version: self.needed_version(), facts: &facts, libraries: &libraries };
        let mut writer = FileWriter::new(&header, self.is_on("rdbcompression"), self.is_on("rdbchecksum"));
        if self.config.get("maxmemory-policy").is_some_and(|policy| policy.ends_with(b"lru")) {
            writer = writer.with_idle_times(self.keyspace.clock());
        }
        let is_plain = purpose == Purpose::Base && !self.is_on("aof-use-rdb-preamble");
        let writer = if is_plain {
            let mut writer = CommandWriter::default();
            libraries.iter().for_each(|source| writer.library(source));
            Form::Commands(writer)
        } else {
            Form::File(writer)
        };
        self.keyspace.freeze();
        let changes = self.keyspace.effects.changes;
        self.snapshots.begun += 1;
        let number = self.snapshots.begun;
        self.snapshots.saving = Some(Saving { number, purpose, writer, changes, more: true });
        if purpose == Purpose::File {
            self.snapshots.tried_ms = now_ms;
        }
    }

    /// The lowest version of the format that holds every value. Only that of streams and hashes depends on what is in them.
    fn needed_version(&self) -> u16 {
        let versions = self.keyspace.databases().iter().flat_map(|database| {
            let found = database.iter().map(|(_, found)| found);
            let varies = |&found: &_| matches!(database.kind(found), Kind::Stream | Kind::Hash);
            found.filter(varies).map(|found| View::of(database, found).version())
        });
        versions.max().unwrap_or(0).max(View::LOWEST_VERSION)
    }

    /// Writes a snapshot to its file at once.
    fn save_now(&mut self) -> Result<(), String> {
        let written = self.write_snapshot();
        let changes = self.end_snapshot();
        match (&written, changes) {
            (Ok(()), Some(changes)) => {
                self.snapshots.failed = false;
                self.saved(changes, self.keyspace.now_ms());
            }
            (Err(reason), _) => self.note(format!("The snapshot could not be written: {reason}")),
            (Ok(()), None) => {}
        }
        written
    }

    /// Makes no more of a snapshot. The changes before its moment, if there was one.
    pub(super) fn end_snapshot(&mut self) -> Option<u64> {
        self.keyspace.thaw();
        self.snapshots.saving.take().map(|saving| saving.changes)
    }

    fn saved(&mut self, changes: u64, now_ms: u64) {
        self.snapshots.count += 1;
        self.snapshots.changes_saved = changes;
        self.snapshots.saved_s = Some(now_ms / 1000);
        self.note("DB saved on disk".into());
    }

    fn write_snapshot(&mut self) -> Result<(), String> {
        let files = self.config.host.files.ok_or("there are no files here")?;
        let mut file = (files.create)(&self.snapshot_file())?;
        self.begin_snapshot(Purpose::File);
        loop {
            let (bytes, more) = self.snapshot_step();
            file.write(&bytes)?;
            if !more {
                return file.commit();
            }
        }
    }

    /// The name of the file that snapshots are written to.
    pub fn snapshot_file(&self) -> String {
        String::from_utf8_lossy(&self.config.get("dbfilename").unwrap_or_default()).into_owned()
    }

    pub(super) fn is_on(&self, directive: &str) -> bool {
        self.config.get(directive).as_deref() == Some(b"yes")
    }

    /// Save points: so many seconds after the last snapshot, and so many changes.
    fn save_points(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let text = String::from_utf8_lossy(&self.config.get("save").unwrap_or_default()).into_owned();
        let numbers: Vec<u64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        (0..numbers.len() / 2).map(move |i| (numbers[2 * i], numbers[2 * i + 1]))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::{
        Config,
        engine::{config::Files, testing::Session},
        keyspace::Random,
    };

    /// A store on a host with files, of which nothing is expected but that they are there.
    fn session() -> Session {
        let none = |_: &str| Err("none".to_string());
        let files = Files { read: none, write: |_, _| Err("full".into()), create: |_| Err("full".into()) };
        let mut session = Session::with(Config::default());
        session.engine.config.host.files = Some(files);
        session
    }

    /// The digest of a store that holds what is in a file, read in cuts of a size.
    fn digest_of(file: &[u8], cut: usize, now_ms: u64) -> u64 {
        let mut session = Session::new();
        let mut loader = session.engine.loader();
        for bytes in file.chunks(cut) {
            session.engine.load(&mut loader, Some(bytes), now_ms).unwrap();
        }
        session.engine.load(&mut loader, None, now_ms).unwrap();
        session.engine.check();
        session.engine.digest()
    }

    /// A request on few keys in three databases.
    fn request(random: &mut Random) -> String {
        let key = format!("k{}", random.below(300));
        let other = format!("k{}", random.below(300));
        let n = random.below(100_000);
        let text = "x".repeat(random.below(200) as usize);
        match random.below(40) {
            0..4 => format!("SET {key} {n}"),
            4..6 => format!("SET {key} y{text}"),
            6..8 => format!("SET {key} v PX {}", n + 1),
            8 => format!("APPEND {key} {text}z"),
            9 => format!("INCR {key}"),
            10 => format!("SETRANGE {key} {} z", n % 300),
            11..13 => format!("DEL {key} {other}"),
            13 => format!("RENAME {key} {other}"),
            14 => format!("COPY {key} {other} REPLACE DB {}", n % 3),
            15 => format!("MOVE {key} {}", n % 3),
            16 => format!("PEXPIRE {key} {}", n + 1),
            17 => format!("PERSIST {key}"),
            18..20 => format!("SADD s{key} {n} {} a{n}", n + 1),
            20 => format!("SPOP s{key}"),
            21..23 => format!("HSET h{key} f{n} {n} g{} {text}v", n % 5),
            23 if n % 2 == 1 => format!("HDEL h{key} g0 g1 g2 g3 g4"),
            23 => format!("HPEXPIRE h{key} {} FIELDS 3 g0 g1 g2", n % 3000 + 1),
            24..26 => format!("RPUSH l{key} {n} {text}v"),
            26..28 => format!("LPOP l{key}"),
            28..30 => format!("ZADD z{key} {n} m{} 1.5 {n}", n % 7),
            30 => format!("ZREM z{key} m0 m1 m2 m3 m4 m5 m6"),
            31 => format!("XADD x{key} * f {n}"),
            32..38 => format!("SELECT {}", n % 3),
            38 if n % 40 == 3 => "FLUSHDB".into(),
            38 if n % 40 == 1 => "FLUSHALL".into(),
            38 if n % 4 == 2 => format!("SWAPDB {} {}", random.below(3), random.below(3)),
            _ => format!("GET {key}"),
        }
    }

    #[test]
    fn a_snapshot_shows_one_moment_whatever_happens_meanwhile() {
        for seed in 0..20 {
            let (mut random, mut session) = (Random::new(seed), session());
            for _ in 0..3000 {
                session.ask(&request(&mut random));
            }
            assert_eq!(session.ask("BGSAVE"), "+Background saving started\r\n");
            let (then, then_ms) = (session.engine.digest(), session.now_ms);
            let mut file = Vec::new();
            loop {
                // Smaller steps than those of a server, so that much comes between them.
                let Some(saving) = &mut session.engine.snapshots.saving else { panic!("it is being made") };
                saving.more = session.engine.keyspace.look_at_frozen(3, |seen| saving.writer.entry(&seen));
                file.extend(saving.writer.take());
                if !saving.more {
                    saving.writer.end();
                    file.extend(saving.writer.take());
                    break;
                }
                for _ in 0..random.below(12) {
                    session.ask(&request(&mut random));
                }
                session.now_ms += random.below(30);
            }
            session.engine.snapshot_ended(Ok(()), session.now_ms);
            session.engine.check();
            assert_ne!(session.engine.digest(), then, "seed {seed}");
            assert_eq!(digest_of(&file, 1 + random.below(5000) as usize, then_ms), then, "seed {seed}");
        }
    }

    #[test]
    fn a_file_brings_back_what_was_written() {
        for seed in 100..105 {
            let (mut random, mut session) = (Random::new(seed), session());
            for _ in 0..2000 {
                session.ask(&request(&mut random));
            }
            let (file, now_ms) = (session.engine.snapshot(), session.now_ms);
            for cut in [1 << 30, 4096, 61] {
                assert_eq!(digest_of(&file, cut, now_ms), session.engine.digest());
            }
        }
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_position() {
        let mut session = session();
        session.ask("SET key value\nRPUSH list a b c");
        let file = session.engine.snapshot();
        let refuse = |file: &[u8]| {
            let mut session = Session::new();
            let mut loader = session.engine.loader();
            let fed = session.engine.load(&mut loader, Some(file), 0);
            fed.and_then(|()| session.engine.load(&mut loader, None, 0)).unwrap_err()
        };
        for cut in 0..file.len() {
            let damage = refuse(&file[..cut]);
            assert!(damage.position <= cut as u64 && damage.reason == "it ends too early", "{damage}");
        }
        let mut wrong = file.clone();
        let last = wrong.len() - 1;
        wrong[last] ^= 1;
        assert_eq!(
            refuse(&wrong),
            Damage { position: file.len() as u64, reason: "the checksum is wrong".into() }
        );
        wrong[..9].copy_from_slice(b"REDIS0099");
        assert_eq!(refuse(&wrong).position, 9);
        let module = b"REDIS0010\x07\x03key\x81\x00\x00\x00\x00\x00\x00\x00\x00";
        assert!(refuse(module).reason.contains("'AAAAAAAAA'"));
    }

    /// As servers of each time wrote it: no checksum before version 5, seconds for deadlines, and what newer ones add.
    #[test]
    fn files_of_all_times_are_read() {
        let load = |file: &[u8]| {
            let mut session = Session::new();
            let mut loader = session.engine.loader();
            session.engine.load(&mut loader, Some(file), 5_000)?;
            session.engine.load(&mut loader, None, 5_000)?;
            Ok::<_, Damage>((session, loader))
        };
        let oldest = b"REDIS0001\xfe\x00\x00\x01k\x01v\xfd\x0a\x00\x00\x00\x00\x01s\xc0\x07\xfd\x05\x00\x00\x00\x00\x01o\x01x\xff";
        let (mut session, loader) = load(oldest).unwrap();
        assert_eq!((loader.keys, loader.expired), (2, 1));
        session.now_ms = 5_000;
        assert_eq!(session.ask("GET k\nGET s\nPEXPIRETIME s"), "$1\r\nv\r\n$1\r\n7\r\n:10000\r\n");

        let facts = b"\xfa\x03any\x04fact\xf5\x08#!lua ab\xfe\x03\xfb\x02\x01\xf4\x01\x02\x03";
        let entries = b"\xfc\x70\x17\x00\x00\x00\x00\x00\x00\xf9\x05\x00\x01k\x01v\xf8\x07\x02\x01e\x00\x02\x01s\x01\x01m";
        let import = b"\xf3\x28" as &[u8];
        let job = [import, &[b'j'; 40], b"\x01\x00\x80\x00\x00\x3f\xff"].concat();
        let end = b"\xff\x00\x00\x00\x00\x00\x00\x00\x00";
        for (magic, import) in [("REDIS0012", &b""[..]), ("REDIS0013", b""), ("VALKEY080", &job)] {
            let file = [magic.as_bytes(), facts, import, entries, end].concat();
            let (mut session, loader) = load(&file).unwrap();
            assert_eq!((loader.keys, loader.empty), (2, 1), "{magic}");
            session.now_ms = 5_000;
            let expected = "+OK\r\n$1\r\nv\r\n:6000\r\n:1\r\n";
            assert_eq!(session.ask("SELECT 3\nGET k\nPEXPIRETIME k\nSISMEMBER s m"), expected, "{magic}");
            // What is not understood is kept for who does.
            let again = session.engine.snapshot();
            assert!(again.windows(8).any(|it| it == b"#!lua ab") && load(&again).is_ok(), "{magic}");
        }
        for magic in
            ["REDIS0000", "REDIS0014", "REDIS0080", "VALKEY079", "VALKEY011", "VALKEY081", "RIDES0010"]
        {
            let file = [magic.as_bytes(), entries, end].concat();
            assert_eq!(load(&file).err().map(|damage| damage.position), Some(9), "{magic}");
        }
        let twice = [&b"REDIS0010"[..], b"\x00\x01k\x01v\x00\x01k\x01w", end].concat();
        assert!(load(&twice).err().is_some_and(|damage| damage.reason == "a key is there twice"));
        let nowhere = [&b"REDIS0010"[..], b"\xfe\x10", end].concat();
        assert!(load(&nowhere).err().is_some_and(|damage| damage.reason.contains("databases")));
    }

    #[test]
    fn save_points_begin_a_snapshot_when_enough_has_changed() {
        let mut session = session();
        session.ask("CONFIG SET save \"60 3\"\nSET a 1\nSET b 1");
        session.wait(61_000);
        assert!(!session.engine.is_saving());
        session.ask("SET c 1");
        session.wait(0);
        assert!(session.engine.is_saving());
        assert_eq!(session.ask("BGSAVE"), "-ERR Background save already in progress\r\n");
        session.engine.snapshot_ended(Err("full".into()), session.now_ms);
        assert!(session.ask("SET d 1").starts_with("-MISCONF"));
        assert_eq!(session.ask("GET a"), "$1\r\n1\r\n");
        session.wait(4999);
        assert!(!session.engine.is_saving());
        session.wait(1);
        assert!(session.engine.is_saving());
        session.engine.snapshot_ended(Ok(()), session.now_ms);
        assert_eq!(session.ask("SET d 1\nLASTSAVE"), format!("+OK\r\n:{}\r\n", session.now_ms / 1000));
        session.wait(100_000);
        assert!(!session.engine.is_saving());
    }

    #[test]
    fn without_files_nothing_is_saved_and_nothing_ends() {
        let mut session = Session::new();
        assert_eq!(session.ask("SAVE"), "-ERR there are no files here\r\n");
        assert!(session.ask("BGSAVE").starts_with("-ERR There are no files"));
        assert!(session.ask("SHUTDOWN NOSAVE").starts_with("-ERR There is no server"));
        assert!(!session.engine.is_over());
    }
}
