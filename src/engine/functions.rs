//! FUNCTION, FCALL: functions in libraries that are loaded by name, kept with the data, and called. How a function runs is in
//! `scripting/`; unlike scripts, which anybody may send again, libraries are in snapshots and in the journal.

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    Engine,
    scripting::{
        Answer, Libraries, Library, NO_INTERPRETER, ScriptArgs,
        interpreter::{Call, Interpreter, Unloadable},
        parse_library,
        run::Task,
        take_keys,
    },
};
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Arg, Kind, Shape, Text, Words, one_of},
        help::{HelpLines, help},
        reply::{Done, Unknown, Written},
        spec::commands,
    },
    data::{glob::Glob, number::parse_i64},
    persistence::rdb::{Damage, payload},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "scripting";
    /// Calls a function.
    "FCALL" = fcall(function, keys, args) since "7.0.0" [NOSCRIPT SKIP_MONITOR STALE NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the function that is executed");
    /// Calls a function that changes nothing.
    "FCALL_RO" = fcall_ro(function, keys, args) since "7.0.0" [NOSCRIPT SKIP_MONITOR STALE READONLY NO_MANDATORY_KEYS SCRIPT_RUNNER] O("depends on the function that is executed");
    /// Deletes a library and its functions.
    "FUNCTION DELETE" = function_delete(library_name) since "7.0.0" [NOSCRIPT WRITE] O("1");
    /// Returns all libraries as bytes that FUNCTION RESTORE takes, here and elsewhere.
    "FUNCTION DUMP" = function_dump() since "7.0.0" [NOSCRIPT] O("N) where N is the number of functions");
    /// Deletes all libraries of functions.
    "FUNCTION FLUSH" = function_flush(mode) since "7.0.0" [NOSCRIPT WRITE] O("N) where N is the number of functions deleted");
    /// Lists the subcommands.
    "FUNCTION HELP" = function_help() since "7.0.0" [LOADING STALE] O("1");
    /// Ends the function that runs.
    "FUNCTION KILL" = function_kill() since "7.0.0" [NOSCRIPT ALLOW_BUSY] O("1");
    /// Lists the libraries of functions.
    "FUNCTION LIST" = function_list(filter) since "7.0.0" [NOSCRIPT] O("N) where N is the number of functions");
    /// Loads a library, and returns its name.
    "FUNCTION LOAD" = function_load(library) since "7.0.0" [WRITE DENYOOM NOSCRIPT] O("1) (considering compilation time is redundant");
    /// Loads the libraries that FUNCTION DUMP returned, here or elsewhere.
    "FUNCTION RESTORE" = function_restore(serialized_value, policy) since "7.0.0" [WRITE DENYOOM NOSCRIPT] O("N) where N is the number of functions on the payload");
    /// Tells which function runs, and how many there are.
    "FUNCTION STATS" = function_stats() since "7.0.0" [NOSCRIPT ALLOW_BUSY] O("1");
};

/// The libraries that are loaded, and what runs their functions.
#[derive(Default)]
pub struct Functions {
    /// Made with the first library. It is away while a function runs.
    pub(super) interpreter: Option<Box<dyn Interpreter>>,
    libraries: Libraries,
    /// The sources of libraries of a snapshot, where nothing runs functions.
    unread: Vec<Vec<u8>>,
}

impl Functions {
    /// The libraries.
    pub fn libraries(&self) -> &Libraries {
        &self.libraries
    }

    /// Bytes of their sources.
    pub fn source_bytes(&self) -> usize {
        self.libraries.iter().map(|library| library.source.len()).sum()
    }

    /// Bytes that the interpreter holds.
    pub fn used_memory(&self) -> usize {
        self.interpreter.as_ref().map_or(0, |interpreter| interpreter.used_memory())
    }

    fn forget(&mut self, library: &Library) {
        if let Some(interpreter) = &mut self.interpreter {
            library.functions.iter().for_each(|function| interpreter.forget(function.chunk));
        }
    }
}

/// `numkeys [key …]` of a function, which is looked at only when the function is known.
struct FunctionKeys<'a>(Result<&'a [&'a [u8]]>);

impl<'a> Arg<'a> for FunctionKeys<'a> {
    const SHAPE: Shape = Shape::AnyKeys;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let count = parse_i64(words.next()?).ok_or(Error::refused("ERR Bad number of keys provided"));
        Ok(FunctionKeys(count.and_then(|count| take_keys(words, count))))
    }
}

fn fcall(
    engine: &mut Engine,
    function: Text,
    keys: FunctionKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    engine.call_function(function, keys, args, false)
}

fn fcall_ro(
    engine: &mut Engine,
    function: Text,
    keys: FunctionKeys,
    args: ScriptArgs,
) -> Answer<impl FnOnce(&mut Writer) + use<>> {
    engine.call_function(function, keys, args, true)
}

fn function_delete(engine: &mut Engine, library_name: Text) -> Result<Done> {
    let library = engine.functions.libraries.remove(library_name.0);
    engine.functions.forget(&library.ok_or(Error::refused("ERR Library not found"))?);
    engine.keyspace.effects.change_beside();
    Ok(Done)
}

fn function_dump(engine: &mut Engine) -> Result<Vec<u8>> {
    let sources = engine.functions.libraries.iter().map(|library| &library.source[..]);
    Ok(payload::dump_libraries(sources, engine.is_on("rdbcompression")))
}

/// `[ASYNC | SYNC]`: how memory is freed. Here it is always done at once.
struct FlushMode;

impl Arg<'_> for FlushMode {
    const SHAPE: Shape = Shape::Maybe(&Shape::OneOf(&[Shape::Token("ASYNC"), Shape::Token("SYNC")]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match words.len() {
            0 => Ok(FlushMode),
            1 if words.take("ASYNC") || words.take("SYNC") => Ok(FlushMode),
            1 => Err(Error::refused("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
            _ => Err(too_many("flush")),
        }
    }
}

fn too_many(subcommand: &str) -> Error {
    Error::from(format!(
        "ERR unknown subcommand or wrong number of arguments for '{subcommand}'. Try FUNCTION HELP."
    ))
}

fn function_flush(engine: &mut Engine, _: FlushMode) -> Result<Done> {
    engine.forget_libraries();
    engine.keyspace.effects.change_beside();
    Ok(Done)
}

fn function_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("FUNCTION", COMMANDS))
}

fn function_kill(engine: &mut Engine) -> Result<Done> {
    engine.kill_script(true).map(|()| Done)
}

/// `[LIBRARYNAME pattern] [WITHCODE]`: which libraries to list, and how.
struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    with_code: bool,
}

impl<'a> Arg<'a> for Filter<'a> {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[Shape::Token("LIBRARYNAME"), Shape::Word("library-name-pattern", Kind::Pattern)]),
        Shape::Token("WITHCODE"),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut filter = Filter { pattern: None, with_code: false };
        while let Some(word) = words.peek() {
            if !filter.with_code && words.take("WITHCODE") {
                filter.with_code = true;
            } else if filter.pattern.is_none() && words.take("LIBRARYNAME") {
                let pattern = words.next();
                filter.pattern =
                    Some(pattern.map_err(|_| Error::refused("ERR library name argument was not given"))?);
            } else {
                return Err(Error::quoting("ERR Unknown argument ", word, ""));
            }
        }
        Ok(filter)
    }
}

fn function_list<'a>(
    engine: &'a mut Engine,
    filter: Filter<'a>,
) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'a>>> {
    let is_meant =
        |library: &&Library| filter.pattern.is_none_or(|pattern| Glob::new(pattern).matches(&library.name));
    let libraries: Vec<&Library> = engine.functions.libraries.iter().filter(is_meant).collect();
    Ok(Written::new(move |out: &mut Writer| {
        out.array(libraries.len());
        libraries.into_iter().for_each(|library| write_library(library, filter.with_code, out));
    }))
}

fn write_library(library: &Library, with_code: bool, out: &mut Writer) {
    out.map(3 + with_code as usize);
    out.bulk(b"library_name");
    out.bulk(&library.name);
    out.bulk(b"engine");
    out.bulk(b"LUA");
    out.bulk(b"functions");
    out.array(library.functions.len());
    for function in &library.functions {
        out.map(3);
        out.bulk(b"name");
        out.bulk(&function.name);
        out.bulk(b"description");
        match &function.description {
            Some(text) => out.bulk(text),
            None => out.null(),
        }
        out.bulk(b"flags");
        let flags: Vec<&str> = function.flags.names().collect();
        out.set(flags.len());
        flags.into_iter().for_each(|flag| out.simple(flag));
    }
    if with_code {
        out.bulk(b"library_code");
        out.bulk(&library.source);
    }
}

/// `[REPLACE] function-code`
struct NewLibrary<'a> {
    replaces: bool,
    source: &'a [u8],
}

impl<'a> Arg<'a> for NewLibrary<'a> {
    const SHAPE: Shape =
        Shape::Group(&[Shape::Maybe(&Shape::Token("REPLACE")), Shape::Word("function-code", Kind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut replaces = false;
        while words.len() > 1 {
            if !words.take("REPLACE") {
                let word = words.next()?;
                return Err(Error::quoting("ERR Unknown option given: ", word, ""));
            }
            replaces = true;
        }
        Ok(NewLibrary { replaces, source: words.next()? })
    }
}

fn function_load(engine: &mut Engine, library: NewLibrary) -> Result<Vec<u8>> {
    let name = engine.load_library(library.source, library.replaces)?;
    engine.keyspace.effects.change_beside();
    Ok(name)
}

one_of! {
    /// What becomes of the libraries that are there.
    pub(super) enum Policy { "FLUSH" = Flush, "APPEND" = Append, "REPLACE" = Replace }
}

/// `[FLUSH | APPEND | REPLACE]`
struct RestorePolicy(Policy);

impl Arg<'_> for RestorePolicy {
    const SHAPE: Shape = Shape::Maybe(&Policy::SHAPE);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if words.is_empty() {
            return Ok(RestorePolicy(Policy::Append));
        } else if words.len() > 1 {
            return Err(too_many("restore"));
        }
        let policy = Policy::parse(words).map_err(|_| {
            Error::refused("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
        })?;
        Ok(RestorePolicy(policy))
    }
}

fn function_restore(engine: &mut Engine, serialized_value: Text, policy: RestorePolicy) -> Result<Done> {
    let (_, body) = payload::open(serialized_value.0)
        .ok_or(Error::refused("ERR DUMP payload version or checksum are wrong"))?;
    let sources = payload::libraries(body).ok_or(Error::refused("ERR given type is not a function"))?;
    engine.load_libraries(&sources, policy.0)?;
    engine.keyspace.effects.change_beside();
    Ok(Done)
}

fn function_stats(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<'_>>> {
    let function = engine.paused_function();
    if engine.is_busy() && function.is_none() {
        return Err(engine.busy());
    }
    let libraries = &engine.functions.libraries;
    Ok(Written::new(move |out: &mut Writer| {
        out.map(2);
        out.bulk(b"running_script");
        match function {
            Some((name, command, took_ms)) => {
                out.map(3);
                out.bulk(b"name");
                out.bulk(name);
                out.bulk(b"command");
                out.array(command.len());
                command.iter().for_each(|word| out.bulk(word));
                out.bulk(b"duration_ms");
                out.integer(took_ms as i64);
            }
            None => out.null(),
        }
        out.bulk(b"engines");
        out.map(1);
        out.bulk(b"LUA");
        out.map(2);
        out.bulk(b"libraries_count");
        out.integer(libraries.len() as i64);
        out.bulk(b"functions_count");
        out.integer(libraries.functions() as i64);
    }))
}

impl Engine {
    fn call_function(
        &mut self,
        name: Text,
        keys: FunctionKeys,
        args: ScriptArgs,
        reads_only: bool,
    ) -> Answer<impl FnOnce(&mut Writer) + use<>> {
        let function = self.functions.libraries.function(name.0);
        let function = function.ok_or(Error::refused("ERR Function not found"))?;
        let call = Call { chunk: function.chunk, is_function: true, keys: keys.0?, args: args.0 };
        let (name, flags) = (function.name.clone(), function.flags);
        self.run_chunk(Task { call, name: &name, flags, reads_only })
    }

    /// Loads a library, and returns its name. One that cannot be loaded leaves everything as it was.
    fn load_library(&mut self, source: &[u8], replaces: bool) -> Result<Vec<u8>> {
        let name = parse_library(source)?.name;
        if !replaces {
            self.functions.libraries.lacks(&name)?;
        }
        let library = self.compile_library(source)?;
        if let Err(error) = self.functions.libraries.admits(&library) {
            self.functions.forget(&library);
            return Err(error);
        }
        self.add_library(library);
        Ok(name)
    }

    /// Loads several libraries, or none of them.
    fn load_libraries(&mut self, sources: &[Vec<u8>], policy: Policy) -> Result<()> {
        let mut loaded = Libraries::default();
        let outcome = sources.iter().try_for_each(|source| {
            let library = self.compile_library(source)?;
            let admitted = loaded.lacks(&library.name).and_then(|()| loaded.admits(&library));
            match &admitted {
                Ok(()) => _ = loaded.insert(library),
                Err(_) => self.functions.forget(&library),
            }
            admitted
        });
        let outcome = outcome.and_then(|()| match policy {
            Policy::Flush => Ok(()),
            policy => self.functions.libraries.admits_all(&loaded, policy == Policy::Replace),
        });
        if outcome.is_err() {
            loaded.iter().for_each(|library| self.functions.forget(library));
            return outcome;
        }
        let leaving = match policy {
            Policy::Flush => self.functions.libraries.take_all().collect(),
            _ => Vec::new(),
        };
        leaving.iter().for_each(|library| self.functions.forget(library));
        loaded.take_all().for_each(|library| self.add_library(library));
        Ok(())
    }

    /// Takes over the libraries of a snapshot. A build that runs no scripts keeps them as they are.
    pub(super) fn load_library_sources(
        &mut self,
        sources: Vec<Vec<u8>>,
        policy: Policy,
    ) -> Result<(), Damage> {
        if self.config.interpreter.is_none() {
            self.functions.unread = sources;
            return Ok(());
        }
        let loaded = self.load_libraries(&sources, policy);
        loaded.map_err(|error| Damage { position: 0, reason: format!("{error}") })
    }

    fn add_library(&mut self, library: Library) {
        if let Some(old) = self.functions.libraries.insert(library) {
            self.functions.forget(&old);
        }
    }

    fn compile_library(&mut self, source: &[u8]) -> Result<Library> {
        let parsed = parse_library(source)?;
        let interpreter = self.functions.interpreter.take();
        let mut interpreter = match interpreter {
            Some(interpreter) => interpreter,
            None => self.new_interpreter().map_err(|_| NO_INTERPRETER)?,
        };
        let outcome = interpreter.load("@user_function", parsed.body, self);
        self.functions.interpreter = Some(interpreter);
        let functions = outcome.map_err(|problem| {
            Error::Quoting(match problem {
                Unloadable::Compiling(text) => [&b"ERR Error compiling function: "[..], &text].concat(),
                Unloadable::Registering(text) => [&b"ERR Error registering functions: "[..], &text].concat(),
            })
        })?;
        if functions.is_empty() {
            return Err(Error::refused("ERR No functions registered"));
        }
        Ok(Library { name: parsed.name, source: source.to_vec(), functions })
    }

    /// Deletes all libraries.
    pub(super) fn forget_libraries(&mut self) {
        self.functions = Functions::default();
    }

    /// The sources of all libraries, for a snapshot.
    pub(super) fn library_sources(&self) -> Vec<&[u8]> {
        let loaded = self.functions.libraries.iter().map(|library| &library.source);
        loaded.chain(&self.functions.unread).map(Vec::as_slice).collect()
    }
}
