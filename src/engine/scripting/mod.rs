//! EVAL, EVALSHA, SCRIPT: scripts that a client sends, kept by their SHA-1. What a script's language is and how it runs is
//! the interpreter's affair; here is what it may do to the store. All of a script is one unit of work.

pub mod interpreter;
mod libraries;
pub mod run;
mod shebang;

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use sha1::{Digest as _, Sha1};

use super::Engine;
use crate::{
    Error, Result,
    commands::{
        Command, Kind, Shape,
        args::{Arg, Rest, Text, Words, one_of},
        help::{HelpLines, help},
        reply::{Done, Unknown, Written, typed},
        spec::commands,
    },
    data::{containers::ordered::OrderedMap, number::parse_i64},
    resp::Writer,
};
use interpreter::{Call, ChunkId, Interpreter};
pub use libraries::{Libraries, Library};
use run::Task;
use shebang::parse_script;
pub use shebang::{ScriptFlags, parse_library};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "scripting";
    /// Runs a script.
    "EVAL" = eval(script, keys, args) since "2.6.0" [NOSCRIPT SKIP_MONITOR STALE NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the script that is executed");
    /// Runs a script that changes nothing.
    "EVAL_RO" = eval_ro(script, keys, args) since "7.0.0" [NOSCRIPT SKIP_MONITOR STALE READONLY NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the script that is executed");
    /// Runs a script that was sent before, by its SHA-1.
    "EVALSHA" = evalsha(sha1, keys, args) since "2.6.0" [NOSCRIPT SKIP_MONITOR STALE NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the script that is executed");
    /// Runs a script that was sent before and changes nothing, by its SHA-1.
    "EVALSHA_RO" = evalsha_ro(sha1, keys, args) since "7.0.0" [NOSCRIPT SKIP_MONITOR STALE READONLY NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the script that is executed");
    /// Chooses how scripts are debugged, which nobody can here.
    "SCRIPT DEBUG" = script_debug(mode) since "3.2.0" [NOSCRIPT] O("1");
    /// Tells which scripts are kept.
    "SCRIPT EXISTS" = script_exists(sha1s) since "2.6.0" [NOSCRIPT] O("N) with N being the number of scripts to check");
    /// Forgets all scripts.
    "SCRIPT FLUSH" = script_flush(mode) since "2.6.0" [NOSCRIPT] O("N) with N being the number of scripts in cache");
    /// Lists the subcommands.
    "SCRIPT HELP" = script_help() since "5.0.0" [LOADING STALE] O("1");
    /// Ends the script that runs.
    "SCRIPT KILL" = script_kill() since "2.6.0" [NOSCRIPT ALLOW_BUSY] O("1");
    /// Keeps a script, and returns its SHA-1.
    "SCRIPT LOAD" = script_load(script) since "2.6.0" [NOSCRIPT STALE] O("N) with N being the length in bytes of the script body");
    /// Returns a script that is kept.
    "SCRIPT SHOW" = script_show(sha1) since "8.0.0" [NOSCRIPT STALE] O("1");
};

typed! {
    /// For each, whether it is there.
    Flags01 = "(0 | 1)[]";
}

/// How many scripts that came with EVAL alone are kept; the one used longest ago goes first, as in Redis 7.4.
const EVALUATED_MAX: usize = 500;

pub(super) const NO_INTERPRETER: Error = Error::refused("ERR This build of keyside runs no scripts");

/// A SHA-1 in lower-case hexadecimal digits.
pub type Sha = [u8; 40];

/// A script that is kept.
struct Script {
    source: Box<[u8]>,
    chunk: ChunkId,
    flags: ScriptFlags,
    /// Whether only EVAL brought it, so that it may be forgotten.
    is_evaluated: bool,
}

/// The scripts that are kept, and what runs them.
#[derive(Default)]
pub struct Scripts {
    /// Made with the first script. It is away while one runs.
    interpreter: Option<Box<dyn Interpreter>>,
    kept: OrderedMap<Sha, Script>,
    /// Those that came with EVAL, the one used last at the end.
    evaluated: VecDeque<Sha>,
    /// Whether the command that runs was called by a script.
    pub(super) is_calling: bool,
}

impl Scripts {
    /// How many are kept.
    pub fn count(&self) -> usize {
        self.kept.len()
    }

    /// Bytes of their sources.
    pub fn source_bytes(&self) -> usize {
        self.kept.values().map(|script| script.source.len()).sum()
    }

    /// Bytes that the interpreter holds.
    pub fn used_memory(&self) -> usize {
        self.interpreter.as_ref().map_or(0, |interpreter| interpreter.used_memory())
    }

    /// Makes a script that EVAL used the last to be forgotten.
    fn used(&mut self, sha: &Sha) {
        if self.evaluated.back() == Some(sha) {
            return;
        }
        if let Some(at) = self.evaluated.iter().position(|other| other == sha) {
            self.evaluated.remove(at);
            self.evaluated.push_back(*sha);
        }
    }

    fn forget(&mut self, sha: &Sha) {
        if let (Some(script), Some(interpreter)) = (self.kept.remove(sha), &mut self.interpreter) {
            interpreter.forget(script.chunk);
        }
    }
}

/// The SHA-1 of some bytes.
pub fn sha1_hex(source: &[u8]) -> Sha {
    let mut sha = [0; 40];
    for (digits, byte) in sha.chunks_exact_mut(2).zip(Sha1::digest(source)) {
        digits[0] = b"0123456789abcdef"[byte as usize >> 4];
        digits[1] = b"0123456789abcdef"[byte as usize & 15];
    }
    sha
}

/// `numkeys [key …]`: keys, of which there may be none.
#[derive(Clone, Copy)]
struct ScriptKeys<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for ScriptKeys<'a> {
    const SHAPE: Shape = Shape::AnyKeys;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let count = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
        take_keys(words, count).map(ScriptKeys)
    }
}

/// The next words, as many as are said to be keys.
pub(super) fn take_keys<'a>(words: &mut Words<'a>, count: i64) -> Result<&'a [&'a [u8]]> {
    let count = usize::try_from(count).map_err(|_| Error::refused("ERR Number of keys can't be negative"))?;
    let keys = words.take_n(count);
    keys.map_err(|_| Error::refused("ERR Number of keys can't be greater than number of args"))
}

/// `[arg …]`
#[derive(Clone, Copy)]
pub(super) struct ScriptArgs<'a>(pub &'a [&'a [u8]]);

impl<'a> Arg<'a> for ScriptArgs<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Many(&[Shape::Word("arg", Kind::Text)]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(ScriptArgs(words.split_off(0)))
    }
}

/// What a script returns.
pub(super) type Answer<F> = Result<Written<Unknown, F>>;

fn eval(
    engine: &mut Engine,
    script: Text,
    keys: ScriptKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    let sha = engine.keep_script(script.0, true)?;
    engine.run_script(&sha, keys, args, false)
}

fn eval_ro(
    engine: &mut Engine,
    script: Text,
    keys: ScriptKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    let sha = engine.keep_script(script.0, true)?;
    engine.run_script(&sha, keys, args, true)
}

fn evalsha(
    engine: &mut Engine,
    sha1: Text,
    keys: ScriptKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    engine.run_script(&parse_sha(sha1.0)?, keys, args, false)
}

fn evalsha_ro(
    engine: &mut Engine,
    sha1: Text,
    keys: ScriptKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    engine.run_script(&parse_sha(sha1.0)?, keys, args, true)
}

const NO_SCRIPT: Error = Error::refused("NOSCRIPT No matching script. Please use EVAL.");

fn parse_sha(digits: &[u8]) -> Result<Sha> {
    Sha::try_from(&*digits.to_ascii_lowercase()).map_err(|_| NO_SCRIPT)
}

fn script_debug(_: &mut Engine, mode: Text) -> Result<Done> {
    let is_mode = |name: &str| mode.0.eq_ignore_ascii_case(name.as_bytes());
    match () {
        () if is_mode("no") => Ok(Done),
        () if is_mode("yes") || is_mode("sync") => Err(Error::refused("ERR Scripts cannot be debugged here")),
        () => Err(Error::refused("ERR Use SCRIPT DEBUG YES/SYNC/NO")),
    }
}

fn script_exists<'a>(
    engine: &'a mut Engine,
    sha1s: Rest<'a, Text<'a>>,
) -> Result<Written<Flags01, impl FnOnce(&mut Writer) + use<'a>>> {
    Ok(Written::new(move |out| {
        out.array(sha1s.len());
        for sha1 in sha1s.iter() {
            let is_kept = parse_sha(sha1.0).is_ok_and(|sha| engine.scripts.kept.contains_key(&sha));
            out.integer(is_kept as i64);
        }
    }))
}

one_of! {
    /// How memory is freed; here it is always done at once.
    enum FlushMode { "ASYNC" = Async, "SYNC" = Sync }
}

/// `[ASYNC | SYNC]`
struct Flush;

impl Arg<'_> for Flush {
    const SHAPE: Shape = Shape::Maybe(&FlushMode::SHAPE);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mode = if words.is_empty() { Ok(FlushMode::Sync) } else { FlushMode::parse(words) };
        match mode {
            Ok(_) if words.is_empty() => Ok(Flush),
            _ => Err(Error::refused("ERR SCRIPT FLUSH only support SYNC|ASYNC option")),
        }
    }
}

fn script_flush(engine: &mut Engine, _: Flush) -> Result<Done> {
    engine.scripts = Scripts::default();
    Ok(Done)
}

fn script_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("SCRIPT", COMMANDS))
}

fn script_kill(engine: &mut Engine) -> Result<Done> {
    engine.kill_script(false).map(|()| Done)
}

fn script_load(engine: &mut Engine, script: Text) -> Result<Vec<u8>> {
    engine.keep_script(script.0, false).map(|sha| sha.to_vec())
}

fn script_show(engine: &mut Engine, sha1: Text) -> Result<Vec<u8>> {
    let script = engine.scripts.kept.get(&parse_sha(sha1.0)?).ok_or(NO_SCRIPT)?;
    Ok(script.source.to_vec())
}

impl Engine {
    /// A new interpreter.
    pub(super) fn new_interpreter(&self) -> Result<Box<dyn Interpreter>> {
        self.config.interpreter.map(|make| make()).ok_or(NO_INTERPRETER)
    }

    /// The interpreter, made when it is first needed.
    fn interpreter(&mut self) -> Result<&mut Box<dyn Interpreter>> {
        if self.scripts.interpreter.is_none() {
            self.scripts.interpreter = Some(self.new_interpreter()?);
        }
        self.scripts.interpreter.as_mut().ok_or(NO_INTERPRETER)
    }

    /// Compiles a script unless it is kept already.
    fn keep_script(&mut self, source: &[u8], is_evaluated: bool) -> Result<Sha> {
        let sha = sha1_hex(source);
        if let Some(script) = self.scripts.kept.get_mut(&sha) {
            if script.is_evaluated && !is_evaluated {
                script.is_evaluated = false;
                self.scripts.evaluated.retain(|other| *other != sha);
            } else if is_evaluated {
                self.scripts.used(&sha);
            }
            return Ok(sha);
        }
        let shebang::Script { flags, body } = parse_script(source)?;
        let chunk = self.interpreter()?.compile("@user_script", body).map_err(|reason| {
            Error::Quoting([b"ERR Error compiling script (new function): ", &reason[..]].concat())
        })?;
        self.scripts.kept.insert(sha, Script { source: source.into(), chunk, flags, is_evaluated });
        if is_evaluated {
            self.scripts.evaluated.push_back(sha);
            if self.scripts.evaluated.len() > EVALUATED_MAX
                && let Some(oldest) = self.scripts.evaluated.pop_front()
            {
                self.scripts.forget(&oldest);
            }
        }
        Ok(sha)
    }

    fn run_script(
        &mut self,
        sha: &Sha,
        keys: ScriptKeys,
        args: ScriptArgs,
        reads_only: bool,
    ) -> Answer<impl FnOnce(&mut Writer) + use<>> {
        let &Script { chunk, flags, .. } = self.scripts.kept.get(sha).ok_or(NO_SCRIPT)?;
        let call = Call { chunk, is_function: false, keys: keys.0, args: args.0 };
        self.run_chunk(Task { call, name: sha, flags, reads_only })
    }

    /// Whether a script may write, for all that its first line says: one that EVAL brings, or EVALSHA or FCALL names.
    pub(super) fn may_script_write(&self, command: &str, script: Option<&[u8]>) -> bool {
        let flags = script.and_then(|script| match command {
            "EVAL" => parse_script(script).ok().map(|script| script.flags),
            "FCALL" => self.functions.libraries().function(script).map(|function| function.flags),
            _ => {
                parse_sha(script).ok().and_then(|sha| self.scripts.kept.get(&sha)).map(|script| script.flags)
            }
        });
        flags.is_none_or(|flags| !flags.has(ScriptFlags::NO_WRITES))
    }
}
