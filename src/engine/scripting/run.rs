//! A script or function while it runs: what it may ask of the store, and what becomes of it. All of it is one unit of work.

use alloc::{format, string::String, vec::Vec};

use super::{
    Answer, NO_INTERPRETER, ScriptFlags,
    interpreter::{Call, Failure, Host, Interpreter, Level},
};
use crate::{
    Error, Result,
    commands::{Flags, reply::Written},
    engine::{Engine, dispatch::Known, eviction::OUT_OF_MEMORY},
    resp::{Version, Writer},
};

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

impl Engine {
    /// Runs a script or function.
    pub(in crate::engine) fn run_chunk(&mut self, task: Task) -> Answer<impl FnOnce(&mut Writer) + use<>> {
        let Task { call, name, flags, reads_only } = task;
        self.admit_script(flags, reads_only)?;
        let mut interpreter = self.lent_interpreter(call.is_function).take().ok_or(NO_INTERPRETER)?;
        let (db, executing) = (self.current().db, self.executing);
        self.executing = Some(executing.unwrap_or(0));
        let journal_wanted = self.keyspace.effects.journal_wanted;
        let version = self.current().version;
        let mut reply = Vec::new();
        self.running = Running {
            reads_only: reads_only || flags.has(ScriptFlags::NO_WRITES),
            takes_memory: flags.has(ScriptFlags::ALLOW_OOM),
        };
        let outcome = interpreter.run(call, self, &mut Writer::new(&mut reply, version));
        self.keyspace.effects.journal_wanted = journal_wanted;
        self.executing = executing;
        self.current_mut().db = db;
        self.keyspace.select(db);
        *self.lent_interpreter(call.is_function) = Some(interpreter);
        outcome.map_err(|failure| explain(failure, name))?;
        Ok(Written::new(move |out| out.raw(&reply)))
    }

    /// Where the interpreter is that runs scripts, or functions, while none does.
    fn lent_interpreter(&mut self, is_function: bool) -> &mut Option<alloc::boxed::Box<dyn Interpreter>> {
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
        let Running { reads_only, takes_memory } = self.running;
        let known =
            self.table.find(words).ok_or(Error::refused("ERR Unknown Redis command called from script"))?;
        let spec = self.table.spec(known);
        if !spec.accepts(words.len()) {
            return Err(Error::refused("ERR Wrong number of args calling Redis command from script"));
        } else if spec.flags.has(Flags::NOSCRIPT) {
            return Err(Error::refused("ERR This Redis command is not allowed from script"));
        } else if reads_only && spec.flags.has(Flags::WRITE) {
            return Err(Error::refused("ERR Write commands are not allowed from read-only scripts."));
        } else if !takes_memory && spec.flags.has(Flags::DENYOOM) && self.is_out_of_memory() {
            return Err(OUT_OF_MEMORY);
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

/// What the script that runs may do.
#[derive(Clone, Copy, Default)]
pub struct Running {
    reads_only: bool,
    /// Whether it runs on when there is no memory left.
    takes_memory: bool,
}

impl Host for Engine {
    fn call(&mut self, words: &[&[u8]], version: Version, out: &mut Vec<u8>) {
        let mut out = Writer::new(out, version);
        match self.admit_from_script(words) {
            // What may not wait has answered with nothing.
            Ok(known) => drop(Engine::call(self, known, words, &mut out)),
            Err(error) => self.write_error(&error, &mut out),
        }
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
        self.keyspace.effects.journal_wanted = is_wanted && self.config.journal;
    }

    fn random(&mut self) -> u64 {
        self.keyspace.random.next()
    }
}
