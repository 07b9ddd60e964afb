//! A script or function while it runs: what it may ask of the store, and what becomes of it. All of it is one unit of work.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::mem;

use super::{
    Answer, NO_INTERPRETER, ScriptFlags,
    interpreter::{Call, Failure, Host, Interpreter, Level, Progress},
};
use crate::{
    Error, Result,
    commands::{Flags, reply::Written},
    engine::{
        ClientId, Engine,
        dispatch::Known,
        eviction::OUT_OF_MEMORY,
        waiting::{may_replicate, waits_for_streams},
    },
    keyspace::{Kind, Wait},
    resp::{Version, Writer},
};

const BUSY_SCRIPT: Error =
    Error::refused("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
const BUSY_FUNCTION: Error = Error::refused(
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
);

/// What is to be run.
pub struct Task<'a> {
    /// Which script, and with what.
    pub call: Call<'a>,
    /// What its errors name it: its SHA-1, or the name of a function.
    pub name: &'a [u8],
    /// How it may be run.
    pub flags: ScriptFlags,
    /// Whether it was asked to change nothing.
    pub reads_only: bool,
}

/// What the script that runs may do, and since when it does.
#[derive(Default)]
pub struct Running {
    reads_only: bool,
    /// Whether it runs on when there is no memory left.
    takes_memory: bool,
    /// Whether it may pause.
    may_pause: bool,
    /// When it began, by the host's clock.
    started_us: u64,
    /// When it began or was resumed.
    resumed_us: u64,
    /// It has paused, or has ended after it had.
    paused: Option<Box<Paused>>,
}

/// A script that has paused. Its unit of work goes on: nobody sees what it did so far, and time stands still for it.
struct Paused {
    client: ClientId,
    is_function: bool,
    name: Vec<u8>,
    /// The words that the client sent.
    command: Vec<Vec<u8>>,
    /// The database that it has selected.
    db: usize,
    /// The database of the client.
    home: usize,
    journal_wanted: bool,
    /// Changes before it began.
    changes: u64,
    reply: Vec<u8>,
    /// How it has ended, if it has.
    outcome: Option<Result<()>>,
    /// Whether the client has gone.
    is_orphan: bool,
}

/// How long one goes on before others are heard again, in microseconds.
const SLICE_US: u64 = 10_000;

impl Engine {
    /// Runs a script or function. One that takes long pauses: then the client waits, and asks for the outcome later by way
    /// of the same command.
    pub(in crate::engine) fn run_chunk(&mut self, task: Task) -> Answer<impl FnOnce(&mut Writer) + use<>> {
        let reply = match self.running.paused.take() {
            Some(ended) => {
                let Paused { outcome, reply, .. } = *ended;
                outcome.unwrap_or(Ok(())).map(|()| reply)
            }
            None => self.begin_chunk(task),
        }?;
        Ok(Written::new(move |out| out.raw(&reply)))
    }

    fn begin_chunk(&mut self, task: Task) -> Result<Vec<u8>> {
        let Task { call, name, flags, reads_only } = task;
        self.admit_script(flags, reads_only)?;
        let mut interpreter = self.lent_interpreter(call.is_function).take().ok_or(NO_INTERPRETER)?;
        let executing = self.executing;
        self.executing = Some(executing.unwrap_or(0));
        let (home, version) = (self.current().db, self.current().version);
        let (journal_wanted, changes) = (self.keyspace.effects.journal_wanted, self.keyspace.effects.changes);
        let now_us = self.config.host.now_us();
        self.running = Running {
            reads_only: reads_only || flags.has(ScriptFlags::NO_WRITES),
            takes_memory: flags.has(ScriptFlags::ALLOW_OOM),
            may_pause: self.config.pauses_scripts && executing.is_none() && self.replaying.is_none(),
            started_us: now_us,
            resumed_us: now_us,
            paused: None,
        };
        let mut reply = Vec::new();
        let progress = interpreter.run(call, self, &mut Writer::new(&mut reply, version));
        *self.lent_interpreter(call.is_function) = Some(interpreter);
        self.executing = executing;
        let db = mem::replace(&mut self.current_mut().db, home);
        self.keyspace.select(home);
        let wanted = mem::replace(&mut self.keyspace.effects.journal_wanted, journal_wanted);
        match progress {
            Progress::Done(outcome) => outcome.map(|()| reply).map_err(|failure| explain(failure, name)),
            Progress::Paused => {
                self.running.paused = Some(Box::new(Paused {
                    client: self.current,
                    is_function: call.is_function,
                    name: name.to_vec(),
                    command: Vec::new(),
                    db,
                    home,
                    journal_wanted: wanted,
                    changes,
                    reply,
                    outcome: None,
                    is_orphan: false,
                }));
                self.keyspace.wait = Some(Wait {
                    keys: Vec::new(),
                    kind: Kind::String,
                    needs_keys: false,
                    deadline_ms: None,
                    words: None,
                });
                Ok(Vec::new())
            }
        }
    }

    /// Whether a script has paused, so that only few commands are let through.
    #[inline]
    pub(in crate::engine) fn is_busy(&self) -> bool {
        self.running.paused.is_some()
    }

    /// What others are told while a script has paused.
    #[cold]
    pub(in crate::engine) fn busy(&self) -> Error {
        match &self.running.paused {
            Some(paused) if paused.is_function => BUSY_FUNCTION,
            _ => BUSY_SCRIPT,
        }
    }

    /// Keeps the words of the command whose script has paused.
    pub(in crate::engine) fn keep_command(&mut self, words: &[&[u8]]) {
        if let Some(paused) = &mut self.running.paused {
            paused.command = words.iter().map(|word| word.to_vec()).collect();
        }
    }

    /// Whether a client waits for the script that has paused. It stays until the script has ended.
    pub(in crate::engine) fn is_running_for(&self, id: ClientId) -> bool {
        self.running.paused.as_ref().is_some_and(|paused| paused.client == id)
    }

    /// The client of the script that has paused is gone.
    pub(in crate::engine) fn orphan_script(&mut self) {
        if let Some(paused) = &mut self.running.paused {
            paused.is_orphan = true;
        }
    }

    /// The function that has paused: its name, the command, and for how many milliseconds it has run.
    #[allow(clippy::type_complexity)]
    pub(in crate::engine) fn paused_function(&self) -> Option<(&[u8], &[Vec<u8>], u64)> {
        let paused = self.running.paused.as_ref().filter(|paused| paused.is_function)?;
        let took_us = self.config.host.now_us().saturating_sub(self.running.started_us);
        Some((&paused.name, &paused.command, took_us / 1000))
    }

    /// Ends the script, or the function, that has paused, unless it has changed something.
    pub(in crate::engine) fn kill_script(&mut self, is_function: bool) -> Result<()> {
        let changes = self.keyspace.effects.changes;
        let Some(paused) = &self.running.paused else {
            return Err(Error::refused("NOTBUSY No scripts in execution right now."));
        };
        if paused.is_function != is_function {
            return Err(self.busy());
        } else if paused.changes != changes {
            return Err(Error::refused(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        let interpreter = self.lent_interpreter(is_function).as_mut().ok_or(NO_INTERPRETER)?;
        let failure = interpreter.end("Script killed by user with SCRIPT KILL...");
        if let Some(paused) = &mut self.running.paused {
            paused.outcome = Some(Err(explain(failure, &paused.name)));
        }
        Ok(())
    }

    /// Goes on with the script that has paused. When it has ended, its client is answered.
    pub(in crate::engine) fn resume_script(&mut self) {
        let Some(mut paused) = self.running.paused.take() else { return };
        if paused.outcome.is_none() {
            self.resume_paused(&mut paused);
        }
        let (client, is_orphan, has_ended) = (paused.client, paused.is_orphan, paused.outcome.is_some());
        self.running.paused = Some(paused);
        if !has_ended {
            return;
        }
        self.lap_us = self.running.started_us;
        self.retry(client);
        self.running.paused = None;
        self.settle();
        self.serve();
        if is_orphan {
            self.disconnect(client);
        }
    }

    fn resume_paused(&mut self, paused: &mut Paused) {
        let Some(mut interpreter) = self.lent_interpreter(paused.is_function).take() else { return };
        let (before, selected) = (mem::replace(&mut self.current, paused.client), self.keyspace.selected());
        self.executing = Some(0);
        self.running.resumed_us = self.config.host.now_us();
        self.keyspace.select(paused.db);
        self.current_mut().db = paused.db;
        let wanted = mem::replace(&mut self.keyspace.effects.journal_wanted, paused.journal_wanted);
        let version = self.current().version;
        let progress = interpreter.resume(self, &mut Writer::new(&mut paused.reply, version));
        *self.lent_interpreter(paused.is_function) = Some(interpreter);
        if let Progress::Done(outcome) = progress {
            paused.outcome = Some(outcome.map_err(|failure| explain(failure, &paused.name)));
        }
        paused.journal_wanted = mem::replace(&mut self.keyspace.effects.journal_wanted, wanted);
        paused.db = mem::replace(&mut self.current_mut().db, paused.home);
        self.executing = None;
        self.current = before;
        self.keyspace.select(selected);
    }

    /// Where the interpreter is that runs scripts, or functions, while none does.
    fn lent_interpreter(&mut self, is_function: bool) -> &mut Option<Box<dyn Interpreter>> {
        if is_function { &mut self.functions.interpreter } else { &mut self.scripts.interpreter }
    }

    /// Whether what says how it may be run may be run now.
    fn admit_script(&self, flags: ScriptFlags, reads_only: bool) -> Result<()> {
        if flags.has(ScriptFlags::COMPATIBLE) || flags.has(ScriptFlags::NO_WRITES) {
            Ok(())
        } else if reads_only {
            Err(Error::refused("ERR Can not execute a script with write flag using *_ro command."))
        } else if !flags.has(ScriptFlags::ALLOW_OOM) && self.is_out_of_memory() {
            Err(OUT_OF_MEMORY)
        } else {
            Ok(())
        }
    }

    /// Lets a script's command through, or says why not.
    fn admit_from_script(&mut self, words: &[&[u8]]) -> Result<Known> {
        let Running { reads_only, takes_memory, .. } = self.running;
        let known =
            self.table.find(words).ok_or(Error::refused("ERR Unknown Redis command called from script"))?;
        let spec = self.table.spec(known);
        if !spec.accepts(words.len()) {
            return Err(Error::refused("ERR Wrong number of args calling Redis command from script"));
        } else if spec.flags.has(Flags::NOSCRIPT) {
            return Err(Error::refused("ERR This Redis command is not allowed from script"));
        } else if waits_for_streams(spec, words) {
            return Err(Error::quoting(
                "ERR ",
                words[0],
                " command is not allowed with BLOCK option from scripts",
            ));
        } else if reads_only && may_replicate(spec) {
            return Err(Error::refused("ERR Write commands are not allowed from read-only scripts."));
        } else if !takes_memory && spec.flags.has(Flags::DENYOOM) && self.is_out_of_memory() {
            return Err(OUT_OF_MEMORY);
        }
        if self.replication.is_restrictive()
            && let Some(error) =
                self.refuse_in_role((spec.flags.has(Flags::WRITE), spec.flags.has(Flags::STALE)))
        {
            return Err(error);
        }
        let permitted = self.permit(known, words);
        permitted.map_err(|denied| self.no_permission("ACL failure in script: ", known, denied))?;
        Ok(known)
    }
}

/// The error of a script, with the place that it came from, as Redis words it.
fn explain(Failure { mut text, place }: Failure, name: &[u8]) -> Error {
    text.extend_from_slice(b" script: ");
    text.extend_from_slice(name);
    if let Some((source, line)) = place {
        text.extend_from_slice(format!(", on {source}:{line}.").as_bytes());
    }
    Error::Quoting(text)
}

impl Host for Engine {
    fn call(&mut self, words: &[&[u8]], version: Version, out: &mut Vec<u8>) {
        let mut out = Writer::new(out, version);
        self.scripts.is_calling = true;
        match self.admit_from_script(words) {
            // What may not wait has answered with nothing.
            Ok(known) => drop(Engine::call(self, known, words, &mut out)),
            Err(error) => self.write_error(&error, &mut out),
        }
        self.scripts.is_calling = false;
    }

    fn may(&mut self, words: &[&[u8]]) -> Option<bool> {
        let known = self.table.find(words)?;
        Some(self.would_permit(known, words))
    }

    fn log(&mut self, level: Level, line: &[u8]) {
        if level >= Level::Notice {
            self.note(String::from_utf8_lossy(line).into_owned());
        }
    }

    fn replicate(&mut self, is_wanted: bool) {
        self.keyspace.effects.journal_wanted = is_wanted && self.wants_effects();
    }

    fn wants_pause(&mut self) -> bool {
        let now_us = self.config.host.now_us();
        let (running, threshold_us) = (&self.running, self.config.busy_reply_threshold.saturating_mul(1000));
        let is_over = threshold_us > 0 && now_us.saturating_sub(running.started_us) >= threshold_us;
        running.may_pause
            && is_over
            && now_us.saturating_sub(running.resumed_us) >= SLICE_US.min(threshold_us)
    }

    fn random(&mut self) -> u64 {
        self.keyspace.random.next()
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicU64, Ordering};

    use crate::{
        INTERPRETER,
        engine::{Config, config::Host, testing::Session},
    };

    /// A store whose clock goes on by a second whenever somebody looks, so that a script pauses as soon as it may.
    fn session() -> Option<Session> {
        static NOW_US: AtomicU64 = AtomicU64::new(0);
        let clock = || NOW_US.fetch_add(1_000_000, Ordering::Relaxed);
        let host = Host { clock, ..Host::default() };
        INTERPRETER?;
        let config = Config { interpreter: INTERPRETER, pauses_scripts: true, host, ..Config::default() };
        Some(Session::with(Config { busy_reply_threshold: 1, ..config }))
    }

    const LOOP: &str = "for i = 1, 1000000 do n = i end";

    #[test]
    fn a_script_that_pauses_is_one_unit_and_answers_in_the_end() {
        let Some(mut session) = session() else { return };
        let (runner, other) = (session.connect(), session.connect());
        let script =
            alloc::format!("redis.call('SET', 'a', 1) local n {LOOP} return redis.call('INCR', 'a')");
        assert_eq!(session.run(runner, &alloc::format!("EVAL \"{script}\" 0\nPING")), b"");
        assert!(session.run(other, "PING").starts_with(b"-BUSY "));
        assert!(session.run(other, "SCRIPT KILL").starts_with(b"-UNKILLABLE "));
        assert!(session.run(other, "FUNCTION KILL").starts_with(b"-BUSY "));
        assert!(session.logged().is_empty());
        let mut answer = alloc::vec::Vec::new();
        for _ in 0..1000 {
            session.wait(1);
            session.engine.receive(runner, b"", session.now_ms);
            answer.extend(session.output(runner));
        }
        assert_eq!(answer, b":2\r\n+PONG\r\n");
        assert_eq!(session.logged(), ["SELECT 0", "MULTI", "SET a 1", "INCR a", "EXEC"]);
        assert_eq!(session.run(other, "GET a"), b"$1\r\n2\r\n");
    }

    #[test]
    fn a_script_that_pauses_can_be_killed_and_its_client_can_go() {
        let Some(mut session) = session() else { return };
        let (runner, other) = (session.connect(), session.connect());
        assert_eq!(
            session.run(runner, "EVAL 'while true do pcall(function() while true do end end) end' 0"),
            b""
        );
        assert_eq!(session.run(other, "SCRIPT KILL"), b"+OK\r\n");
        session.wait(1);
        assert!(session.output(runner).starts_with(b"-ERR Script killed by user with SCRIPT KILL..."));
        assert_eq!(session.run(other, "PING"), b"+PONG\r\n");

        assert_eq!(session.run(runner, "EVAL 'while true do end' 0"), b"");
        session.engine.disconnect(runner);
        session.wait(1);
        assert!(session.run(other, "PING").starts_with(b"-BUSY "));
        assert_eq!(session.run(other, "SCRIPT KILL"), b"+OK\r\n");
        session.wait(1);
        assert_eq!(session.run(other, "PING"), b"+PONG\r\n");
        assert!(session.engine.clients.get(runner).is_none());
    }
}
