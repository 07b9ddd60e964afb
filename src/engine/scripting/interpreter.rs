//! What the engine asks of whatever runs scripts, and what that asks of the engine. No script language is named here.

use alloc::{string::String, vec::Vec};

use super::ScriptFlags;
use crate::resp::{Version, Writer};

/// A compiled script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkId(pub u32);

/// Why a script ended early.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What went wrong, with its error code in front.
    pub text: Vec<u8>,
    /// Where: the name of the chunk, and the line.
    pub place: Option<(String, u32)>,
}

/// A function that a library has registered.
#[derive(Debug)]
pub struct Registered {
    /// What it is called by, in any letter case.
    pub name: Vec<u8>,
    /// What it does, for people.
    pub description: Option<Vec<u8>>,
    /// How it may be run.
    pub flags: ScriptFlags,
    /// The function.
    pub chunk: ChunkId,
}

/// Why a library was not loaded, each with what went wrong.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Unloadable {
    Compiling(Vec<u8>),
    Registering(Vec<u8>),
}

/// How far a script has come.
pub enum Progress {
    /// It has ended, well or not.
    Done(Result<(), Failure>),
    /// It goes on when it is resumed.
    Paused,
}

/// Runs scripts. They reach nothing but what [`Host`] lends them.
pub trait Interpreter {
    /// Compiles a script whose errors name it `name`. An error is the compiler's.
    fn compile(&mut self, name: &str, source: &[u8]) -> Result<ChunkId, Vec<u8>>;

    /// Runs a library whose errors name it `name`, and returns the functions that it registers.
    fn load(
        &mut self,
        name: &str,
        source: &[u8],
        host: &mut (dyn Host + 'static),
    ) -> Result<Vec<Registered>, Unloadable>;

    /// Forgets a compiled script or function.
    fn forget(&mut self, chunk: ChunkId);

    /// Runs a script to its end, to the end of its budget, or until it pauses, and writes what it returns as a reply.
    fn run(&mut self, call: Call<'_>, host: &mut (dyn Host + 'static), out: &mut Writer<'_>) -> Progress;

    /// Goes on with the script that has paused.
    fn resume(&mut self, host: &mut (dyn Host + 'static), out: &mut Writer<'_>) -> Progress;

    /// Ends the script that has paused; it does not run on to learn of it. What was wrong with it is given back, with its
    /// place.
    fn end(&mut self, text: &str) -> Failure;

    /// Bytes that scripts hold.
    fn used_memory(&self) -> usize;
}

/// What a script is given.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Which one it is.
    pub chunk: ChunkId,
    /// Whether it is a function of a library, which gets the words as its arguments.
    pub is_function: bool,
    /// The names of keys.
    pub keys: &'a [&'a [u8]],
    /// Whatever else.
    pub args: &'a [&'a [u8]],
}

/// What a script reaches of the engine.
pub trait Host {
    /// Runs a command, and writes its reply, or its error, in the dialect that the script has chosen.
    fn call(&mut self, words: &[&[u8]], version: Version, out: &mut Vec<u8>);

    /// Whether the command may be run by the client's user; `None` when there is no such command.
    fn may(&mut self, words: &[&[u8]]) -> Option<bool>;

    /// Writes a line to the log.
    fn log(&mut self, level: Level, line: &[u8]);

    /// Whether what the next commands change is kept and replicated.
    fn replicate(&mut self, is_wanted: bool);

    /// Whether the script should pause now if it can, so that others are heard. Asked now and then.
    fn wants_pause(&mut self) -> bool;

    /// A number by chance.
    fn random(&mut self) -> u64;
}

/// How much a line of the log matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
}
