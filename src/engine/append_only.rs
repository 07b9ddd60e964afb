//! The append-only file, as far as the engine has to do with it: commands that ask for it, what INFO tells, and running
//! again what was logged. Files, and when their bytes are safe, are the shell's.

use alloc::{format, string::String, vec::Vec};
use core::mem;

use super::{ClientId, Engine, Origin, dispatch::CallStats, replication::Awaited, snapshots::Purpose};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::Millis,
        reply::{Array, Simple},
        spec::commands,
    },
    persistence::rdb::Damage,
    resp::{RequestParser, Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Writes the append-only file anew between commands, as short as it can be.
    "BGREWRITEAOF" = bgrewriteaof() since "1.0.0" [ADMIN NOSCRIPT NO_ASYNC_LOADING] O("1");
};

/// The rows of another group.
pub const WAITING_COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "generic";
    /// Waits until the changes of this connection are on disks; returns on how many, here and on replicas.
    "WAITAOF" = waitaof(numlocal, numreplicas, timeout) since "7.2.0" [BLOCKING] O("1");
};

/// What is known of the append-only file. The shell writes down what it did; the engine tells others.
#[derive(Default)]
pub struct AppendOnly {
    /// Whether what happens is logged.
    pub is_on: bool,
    /// Why nothing can be appended, for people, if so.
    pub failure: Option<String>,
    /// Bytes in all parts.
    pub size: u64,
    /// Bytes in all parts after the last rewrite, or at the start.
    pub base_size: u64,
    /// Bytes that are not written yet.
    pub waiting: usize,
    /// Whether bytes are written and not safe.
    pub is_syncing: bool,
    /// Syncs that others waited for.
    pub delayed_syncs: u64,
    /// Whether a rewrite is to begin as soon as may be.
    pub is_scheduled: bool,
    /// The position in the journal up to which all is safe.
    synced: u64,
    began_ms: u64,
    took_s: Option<u64>,
    rewrite_failed: bool,
    rewrites: u64,
    failures: u64,
    /// When a rewrite is next tried of its own accord.
    next_try_ms: u64,
}

impl AppendOnly {
    /// How many rewrites have failed since the last that did not.
    pub fn failed_rewrites(&self) -> u64 {
        self.failures
    }
}

/// A log that is run again.
pub struct Replay {
    client: ClientId,
    parser: RequestParser,
    pending: Vec<u8>,
    position: u64,
    calls: Vec<CallStats>,
    commands: u64,
    wanted: (bool, bool),
}

/// What has gone wrong with the log that is run again.
#[derive(Default)]
pub(super) struct Mishap {
    pub reason: Option<String>,
    /// Where in the bytes that came last.
    pub at: usize,
}

fn bgrewriteaof(engine: &mut Engine) -> Result<Simple> {
    if engine.config.host.files.is_none() && !engine.append_only.is_on {
        return Err(Error::refused("ERR There are no files here to write a log to"));
    }
    if engine.snapshot_purpose() == Some(Purpose::Base) {
        return Err(Error::refused("ERR Background append only file rewriting already in progress"));
    }
    engine.append_only.is_scheduled = true;
    if engine.is_saving() {
        return Ok(Simple("Background append only file rewriting scheduled"));
    }
    Ok(Simple("Background append only file rewriting started"))
}

fn waitaof(
    engine: &mut Engine,
    numlocal: i64,
    numreplicas: i64,
    timeout: Millis,
) -> Result<Array<core::array::IntoIter<i64, 2>>> {
    if engine.replication.primary.is_some() {
        return Err(Error::refused(
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.",
        ));
    }
    if !(0..=1).contains(&numlocal) {
        return Err(Error::refused("ERR value is out of range, value must between 0 and 1"));
    }
    if numreplicas < 0 {
        return Err(Error::refused("ERR value is out of range, must be positive"));
    }
    if numlocal > 0 && !engine.append_only.is_on {
        return Err(Error::refused(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    let awaited = Awaited::Disks {
        position: engine.journal.position(),
        offset: engine.current().wrote_to,
        local: numlocal as usize,
        count: numreplicas as usize,
    };
    let awaited = engine.await_others(awaited, timeout);
    let (here, elsewhere) = engine.reached(awaited);
    Ok(Array([here as i64, elsewhere as i64].into_iter()))
}

/// What the shell does with the append-only file.
impl Engine {
    /// What is known of the append-only file.
    pub fn append_only(&mut self) -> &mut AppendOnly {
        &mut self.append_only
    }

    /// Whether everything that happens is to be in the journal from now on.
    pub fn keep_journal(&mut self, is_on: bool) {
        self.config.journal = is_on;
        self.append_only.is_on = is_on;
        self.configure();
    }

    /// Everything up to this position of the journal is safe: those who wait for it go on.
    pub fn synced(&mut self, position: u64) {
        self.append_only.synced = position;
        self.serve_acknowledged();
    }

    /// Whether a rewrite is to begin, and may.
    pub fn wants_rewrite(&self) -> bool {
        self.append_only.is_scheduled && self.snapshot_purpose().is_none()
    }

    /// Begins the snapshot that becomes the base. What happens from now on is not in it.
    pub fn begin_rewrite(&mut self) {
        self.append_only.is_scheduled = false;
        self.append_only.began_ms = self.keyspace.now_ms();
        self.begin_snapshot(Purpose::Base);
    }

    /// The rewrite is done, or could not be: then for what reason, for people.
    pub fn rewrite_ended(&mut self, outcome: Result<(), String>, now_ms: u64) {
        const PATIENCE_MS: u64 = 60_000;
        if self.snapshot_purpose() == Some(Purpose::Base) {
            self.end_snapshot();
        }
        let it = &mut self.append_only;
        it.took_s = Some(now_ms.saturating_sub(it.began_ms) / 1000);
        it.rewrite_failed = outcome.is_err();
        match outcome {
            Ok(()) => {
                it.rewrites += 1;
                it.failures = 0;
                self.note("Background AOF rewrite finished successfully".into());
            }
            Err(reason) => {
                it.failures += 1;
                it.next_try_ms = now_ms + PATIENCE_MS;
                self.note(format!("Background AOF rewrite failed: {reason}"));
            }
        }
    }

    /// Whether the log is to be read again (DEBUG LOADAOF); asked once.
    pub fn takes_log_again(&mut self) -> bool {
        mem::take(&mut self.wants_log_again)
    }

    /// Begins to run a part of a log again.
    pub fn begin_replay(&mut self, now_ms: u64) -> Replay {
        let client = self.connect(Origin::default(), now_ms);
        if let Some(client) = self.clients.get_mut(client) {
            (client.authenticated, client.unrestricted) = (true, true);
        }
        self.replaying = Some(Mishap::default());
        let effects = &mut self.keyspace.effects;
        let wanted = (mem::take(&mut effects.journal_wanted), mem::take(&mut effects.touches_wanted));
        Replay {
            client,
            parser: RequestParser::default(),
            pending: Vec::new(),
            position: 0,
            calls: self.calls.clone(),
            commands: self.stats.commands,
            wanted,
        }
    }

    /// Runs what is whole of these bytes and those before.
    pub fn replay(&mut self, replay: &mut Replay, bytes: &[u8], now_ms: u64) -> Result<(), Damage> {
        self.keyspace.stand_still(now_ms);
        let mut pending = mem::take(&mut replay.pending);
        pending.extend_from_slice(bytes);
        let (mut used, mut out) = (0, Vec::new());
        loop {
            let mut writer = Writer::new(&mut out, Version::V2);
            used += self.requests(replay.client, &pending[used..], &mut replay.parser, &mut writer);
            out.clear();
            if !self.is_held(replay.client) {
                break;
            }
        }
        if let Some(reason) = self.replaying.as_mut().and_then(|mishap| mishap.reason.take()) {
            let at = self.replaying.as_ref().map_or(0, |mishap| mishap.at);
            return Err(Damage { position: replay.position + at as u64, reason });
        }
        replay.position += used as u64;
        pending.drain(..used);
        pending.reserve(replay.parser.wants().saturating_sub(pending.len()));
        replay.pending = pending;
        Ok(())
    }

    /// Ends a replay; whether it ended within a command or a transaction, of which nothing has happened.
    pub fn end_replay(&mut self, replay: Replay) -> bool {
        let is_open = self.clients.get(replay.client).is_some_and(|client| client.transaction.is_some());
        self.disconnect(replay.client);
        self.replaying = None;
        self.calls = replay.calls;
        self.stats.commands = replay.commands;
        let effects = &mut self.keyspace.effects;
        (effects.journal_wanted, effects.touches_wanted) = replay.wanted;
        self.snapshots_are_current();
        is_open || !replay.pending.is_empty()
    }

    /// Fills the store with a base, whose keys stay however old they are. What follows it in the file comes back.
    pub fn load_base(
        &mut self,
        loader: &mut crate::persistence::rdb::Loader,
        bytes: Option<&[u8]>,
        now_ms: u64,
    ) -> Result<(), Damage> {
        self.load_with(loader, bytes, |keyspace| keyspace.stand_still(now_ms))
    }

    /// Removes everything, and tells nobody: what is stored comes from a log next.
    pub fn forget_all(&mut self) {
        self.put_off_rewrite();
        self.empty();
    }
}

impl Engine {
    /// Whether the journal is on a disk up to this position.
    pub(super) fn is_safe(&self, position: u64) -> bool {
        self.append_only.is_on && self.append_only.synced >= position
    }

    /// Schedules a rewrite if the log has grown enough.
    pub fn rewrite_if_due(&mut self) {
        let it = &self.append_only;
        if !it.is_on || it.is_scheduled || it.failure.is_some() || self.snapshot_purpose().is_some() {
            return;
        }
        let (size, base) = (it.size, it.base_size.max(1));
        if self.keyspace.now_ms() < it.next_try_ms {
            return;
        }
        let number = |name| {
            let text = self.config.get(name).unwrap_or_default();
            str::from_utf8(&text).ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
        };
        let growth = number("auto-aof-rewrite-percentage");
        if growth == 0 || size <= number("auto-aof-rewrite-min-size") {
            return;
        }
        let grown = (size as u128 * 100 / base as u128).saturating_sub(100);
        if grown >= growth as u128 {
            self.note(format!("Starting automatic rewriting of AOF on {grown}% growth"));
            self.append_only.is_scheduled = true;
        }
    }

    /// What is run again makes no sense.
    #[cold]
    pub(super) fn stumble(&mut self, reason: String) {
        if let Some(mishap) = &mut self.replaying {
            mishap.reason.get_or_insert(reason);
        }
    }

    /// Where in the bytes that came last it makes no sense.
    #[cold]
    pub(super) fn stumble_at(&mut self, at: usize) {
        if let Some(mishap) = &mut self.replaying {
            mishap.at = at;
        }
    }

    /// Gives up a rewrite that goes on, for another time.
    pub(super) fn put_off_rewrite(&mut self) {
        if self.snapshot_purpose() == Some(Purpose::Base) {
            self.end_snapshot();
            self.append_only.is_scheduled = true;
        }
    }

    /// Why nothing may be changed: it could not be logged.
    #[cold]
    pub(super) fn refuse_without_log(&self) -> Option<Error> {
        let failure = self.append_only.failure.as_ref().filter(|_| self.append_only.is_on)?;
        Some(Error::from(format!("MISCONF Errors writing to the AOF file: {failure}")))
    }

    /// What INFO tells.
    pub(super) fn append_only_fields(&self, mut add: impl FnMut(&str, String)) {
        let it = &self.append_only;
        let is_rewriting = self.snapshot_purpose() == Some(Purpose::Base);
        let is_starting = it.is_scheduled && !self.is_saving();
        let seconds = |seconds: Option<u64>| seconds.map_or("-1".into(), |seconds| format!("{seconds}"));
        let flag = |flag: bool| format!("{}", flag as u8);
        let status = |failed: bool| String::from(if failed { "err" } else { "ok" });
        let since = is_rewriting.then(|| self.keyspace.now_ms().saturating_sub(it.began_ms) / 1000);
        add("aof_enabled", flag(it.is_on));
        add("aof_rewrite_in_progress", flag(is_rewriting || is_starting));
        add("aof_rewrite_scheduled", flag(it.is_scheduled && !is_starting));
        add("aof_last_rewrite_time_sec", seconds(it.took_s));
        add("aof_current_rewrite_time_sec", seconds(since));
        add("aof_last_bgrewrite_status", status(it.rewrite_failed));
        add("aof_rewrites", format!("{}", it.rewrites));
        add("aof_rewrites_consecutive_failures", format!("{}", it.failures));
        add("aof_last_write_status", status(it.failure.is_some()));
        add("aof_last_cow_size", "0".into());
        add("module_fork_in_progress", "0".into());
        add("module_fork_last_cow_size", "0".into());
        if it.is_on {
            add("aof_current_size", format!("{}", it.size));
            add("aof_base_size", format!("{}", it.base_size));
            add("aof_pending_rewrite", flag(it.is_scheduled));
            add("aof_buffer_length", format!("{}", it.waiting));
            add("aof_pending_bio_fsync", flag(it.is_syncing));
            add("aof_delayed_fsync", format!("{}", it.delayed_syncs));
        }
    }
}
