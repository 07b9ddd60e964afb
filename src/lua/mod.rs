//! The interpreter of Lua 5.1 scripts: `omnilua` behind the engine's trait, in an environment as Redis's scripts find it.
//! `prelude.lua` builds that environment, `reply.rs` carries replies in and results out, and the libraries that Redis has
//! beside Lua's own are a file each.

mod bit;
mod cjson;
mod cmsgpack;
mod number;
mod pausing;
mod reply;
mod structs;

use alloc::{
    boxed::Box,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::cell::Cell;

use omnilua::{Function, Lua, LuaError, Sandbox, SandboxConfig, Table, TripReason, Value, Variadic};

use crate::{
    data::{containers::lent::Lent, number::parse_float},
    engine::{
        REDIS_VERSION,
        scripting::{
            ScriptFlags,
            interpreter::{
                Call, ChunkId, Failure, Host, Interpreter, Level, Progress, Registered, Unloadable,
            },
            sha1_hex,
        },
    },
    resp::{Version, Writer},
};

type Result<T> = core::result::Result<T, omnilua::Error>;

/// Instructions that one script may take: some seconds of work. Nobody else is served meanwhile.
const INSTRUCTIONS_MAX: u64 = 500_000_000;

/// Instructions that the loading of a library may take: half a second of work, about.
const LOADING_INSTRUCTIONS_MAX: u64 = 20_000_000;

/// Bytes that scripts may hold: less where all memory is little.
const MEMORY_MAX: usize = if usize::BITS < 64 { 64 << 20 } else { 512 << 20 };

/// Instructions between two looks at the budget. A text that doubles with each instruction stays within bounds only when
/// that is looked at often.
const CHECK_INTERVAL: u32 = 10;

/// What ends a script that has used up its instructions.
const TOO_LONG: &[u8] = b"ERR The script took longer than a script may take.";

/// The environment is set up by this.
const PRELUDE: &str = include_str!("prelude.lua");

/// Makes an interpreter.
pub fn interpreter() -> Box<dyn Interpreter> {
    Box::new(Scripts::new().expect("the prelude is as it should be"))
}

/// Compiled scripts and what they run in.
struct Scripts {
    lua: Lua,
    sandbox: Sandbox,
    /// The globals that scripts see.
    globals: Table,
    state: Rc<State>,
    run: Function,
    resume: Function,
    end: Function,
    show: Function,
    load: Function,
    chunks: Vec<Option<Function>>,
}

/// How deep JSON and MessagePack may be nested, whatever scripts ask for: each level takes of the stack.
const NESTED_MAX: usize = 1000;

/// Under which name Lua's own `error` is kept.
const ERROR: &str = "error";

/// What a script asks for, as the prelude numbers it.
mod operation {
    pub const LOG: i64 = 1;
    pub const MAY: i64 = 2;
    pub const SET_RESP: i64 = 3;
    pub const REPLICATE: i64 = 4;
    pub const RANDOM: i64 = 5;
    pub const SEED: i64 = 6;
}

impl Scripts {
    fn new() -> Result<Scripts> {
        let state = Rc::new(State::default());
        let lua = pausing::new_lua(&state)?;
        let native = lua.create_table()?;
        let libraries = lua.create_table()?;
        for (name, library) in [
            ("bit", bit::library(&lua)?),
            ("cjson", cjson::library(&lua)?),
            ("cmsgpack", cmsgpack::library(&lua)?),
            ("struct", structs::library(&lua)?),
        ] {
            libraries.set(name, library)?;
        }
        native.set("libraries", libraries)?;
        native.set("version", REDIS_VERSION)?;
        native.set("sha1hex", lua.create_function(|_, text: Value| sha1hex(&text))?)?;
        native.set("is_flag", lua.create_function(|_, flag: Value| is_flag(&flag))?)?;
        let at = state.clone();
        let call = move |lua: &Lua, words: Variadic<Value>| {
            let reply = run_command(lua, &at, &words)?;
            if is_error(&reply)? { Err(throw(lua, reply)) } else { Ok(reply) }
        };
        native.set("call", lua.create_function(call)?)?;
        let at = state.clone();
        let pcall = move |lua: &Lua, words: Variadic<Value>| run_command(lua, &at, &words);
        native.set("pcall", lua.create_function(pcall)?)?;
        let at = state.clone();
        let reach = move |lua: &Lua, words: Variadic<Value>| operate(lua, &at, &words);
        native.set("reach", lua.create_function(reach)?)?;
        lua.set_named_registry_value(ERROR, lua.globals().get::<_, Function>("error")?)?;
        let prelude: Function = lua.load(PRELUDE).set_name("=prelude").into_function()?;
        let made: Table = prelude.call(&native)?;
        Ok(Scripts {
            sandbox: lua.install_sandbox(budget(INSTRUCTIONS_MAX))?,
            globals: made.get("globals")?,
            run: made.get("run")?,
            resume: made.get("resume")?,
            end: made.get("end")?,
            show: made.get("show")?,
            load: made.get("load")?,
            state,
            chunks: Vec::new(),
            lua,
        })
    }

    fn chunk(&self, id: ChunkId) -> &Function {
        self.chunks[id.0 as usize].as_ref().expect("it was compiled and not forgotten")
    }

    fn keep(&mut self, function: Function) -> ChunkId {
        let slot = match self.chunks.iter().position(Option::is_none) {
            Some(free) => {
                self.chunks[free] = Some(function);
                free
            }
            None => {
                self.chunks.push(Some(function));
                self.chunks.len() - 1
            }
        };
        ChunkId(slot as u32)
    }

    /// The functions that a library has registered.
    fn registered(&mut self, list: Option<Value>) -> Result<Vec<Registered>> {
        let Some(Value::Table(list)) = list else { return Ok(Vec::new()) };
        let mut functions = Vec::new();
        for i in 1..=list.len()? {
            let it: Table = list.raw_get(i as i64)?;
            let flags: Table = it.raw_get("flags")?;
            let flags = (1..=flags.len()?).try_fold(ScriptFlags::default(), |all, i| {
                let name = text_of(&flags.raw_get(i as i64)?).unwrap_or_default();
                Ok::<_, omnilua::Error>(all.with(ScriptFlags::named(&name).unwrap_or_default()))
            })?;
            functions.push(Registered {
                name: text_of(&it.raw_get("function_name")?).unwrap_or_default(),
                description: text_of(&it.raw_get("description")?),
                flags,
                chunk: self.keep(it.raw_get("callback")?),
            });
        }
        Ok(functions)
    }

    /// Gives the next script so many instructions.
    fn limit(&self, instructions: u64) -> Result<()> {
        self.lua.install_sandbox(budget(instructions)).map(|_| ())
    }

    fn list(&self, words: &[&[u8]]) -> Result<Table> {
        let list = self.lua.create_table()?;
        for (i, word) in words.iter().enumerate() {
            list.raw_set(i as i64 + 1, self.lua.create_string(word)?)?;
        }
        Ok(list)
    }

    /// Calls `work` with the store in reach, and returns what it returns: whether it went well, and the result or the
    /// problem. Nothing at all is returned by a script that has paused.
    fn within(
        &self,
        host: &mut (dyn Host + 'static),
        work: impl FnOnce() -> Result<(Option<bool>, Value)>,
    ) -> core::result::Result<Option<Value>, Failure> {
        self.sandbox.reset();
        let outcome = self.state.host.lend(host, work);
        if let Some(reason) = self.sandbox.tripped() {
            self.sandbox.reset();
            let _ = self.end.call::<_, ()>(());
            self.lua.gc_collect();
            let text: &[u8] = match reason {
                TripReason::Instructions => TOO_LONG,
                TripReason::Memory => b"ERR The script took more memory than a script may take.",
            };
            return Err(Failure { text: text.to_vec(), place: None });
        }
        match outcome {
            Ok((Some(true), result)) => Ok(Some(result)),
            Ok((Some(false), problem)) => Err(failure(&problem)),
            Ok((None, _)) => Ok(None),
            Err(error) => Err(broken(error)),
        }
    }

    /// Runs a script further, and writes what it returns.
    fn go_on(
        &mut self,
        host: &mut (dyn Host + 'static),
        out: &mut Writer<'_>,
        work: impl FnOnce(&Scripts) -> Result<(Option<bool>, Value)>,
    ) -> Progress {
        match self.within(host, || work(self)) {
            Ok(None) => Progress::Paused,
            Ok(Some(result)) => {
                Progress::Done(reply::write(&result, self.state.version.get(), out).map_err(|error| {
                    Failure { text: error.message_lossy().as_bytes().to_vec(), place: None }
                }))
            }
            Err(failure) => Progress::Done(Err(failure)),
        }
    }
}

/// What a script may take, when that is so many instructions.
fn budget(instructions: u64) -> SandboxConfig {
    SandboxConfig {
        instruction_limit: Some(instructions),
        memory_limit_bytes: Some(MEMORY_MAX),
        check_interval: CHECK_INTERVAL,
        remove_globals: Vec::new(),
    }
}

impl Interpreter for Scripts {
    fn compile(&mut self, name: &str, source: &[u8]) -> core::result::Result<ChunkId, Vec<u8>> {
        let compiled = self.lua.load(source).set_name(name).into_function();
        compiled
            .map(|function| self.keep(function))
            .map_err(|error| error.message_lossy().as_bytes().to_vec())
    }

    fn load(
        &mut self,
        name: &str,
        source: &[u8],
        host: &mut (dyn Host + 'static),
    ) -> core::result::Result<Vec<Registered>, Unloadable> {
        let compiled = self.lua.load(source).set_name(name).into_function();
        let function =
            compiled.map_err(|error| Unloadable::Compiling(error.message_lossy().as_bytes().to_vec()))?;
        let outcome = self.limit(LOADING_INSTRUCTIONS_MAX).and_then(|()| self.show.call(true));
        let outcome = outcome.map_err(broken).and_then(|()| {
            self.state.reset();
            self.within(host, || self.load.call(function))
        });
        let restored = self.show.call(false).and_then(|()| self.limit(INSTRUCTIONS_MAX));
        let listed = outcome.and_then(|list| restored.map(|()| list).map_err(broken));
        let registered = listed.and_then(|list| self.registered(list).map_err(broken));
        registered.map_err(|failure| {
            let is_late = failure.text == TOO_LONG;
            Unloadable::Registering(if is_late {
                b"ERR FUNCTION LOAD timeout".to_vec()
            } else {
                failure.text
            })
        })
    }

    fn forget(&mut self, chunk: ChunkId) {
        self.chunks[chunk.0 as usize] = None;
    }

    fn run(&mut self, call: Call<'_>, host: &mut (dyn Host + 'static), out: &mut Writer<'_>) -> Progress {
        self.state.reset();
        self.go_on(host, out, |it| {
            let (keys, args) = (it.list(call.keys)?, it.list(call.args)?);
            if call.is_function {
                return it.run.call((it.chunk(call.chunk), keys, args));
            }
            it.globals.raw_set("KEYS", keys)?;
            it.globals.raw_set("ARGV", args)?;
            it.run.call(it.chunk(call.chunk))
        })
    }

    fn resume(&mut self, host: &mut (dyn Host + 'static), out: &mut Writer<'_>) -> Progress {
        self.go_on(host, out, |it| it.resume.call(()))
    }

    fn end(&mut self, text: &str) -> Failure {
        let problem = self.end.call::<_, Value>(text).unwrap_or(Value::Nil);
        self.lua.gc_collect();
        failure(&problem)
    }

    fn used_memory(&self) -> usize {
        self.lua.gc().count().map_or(0, |kilobytes| (kilobytes * 1024.0) as usize)
    }
}

/// The state of `math.random` while a script runs, as `drand48` has it.
#[derive(Clone, Copy)]
struct Chance(u64);

impl Chance {
    fn seeded(seed: i64) -> Chance {
        Chance(((seed as u32 as u64) << 16) + 0x330e)
    }

    /// A number from 0 up to 1.
    fn next(&mut self) -> f64 {
        const MAX: u64 = i32::MAX as u64;
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & ((1 << 48) - 1);
        ((self.0 >> 17) % MAX) as f64 / MAX as f64
    }
}

/// What a script has chosen while it runs.
#[derive(Default)]
struct State {
    /// The store, while a script runs.
    host: Lent<dyn Host>,
    /// The dialect of replies.
    version: Cell<Version>,
    /// Where `math.random` goes on.
    chance: Cell<Option<Chance>>,
}

impl State {
    /// Asks the store, which there is while a script runs.
    fn reach<R>(&self, ask: impl FnOnce(&mut (dyn Host + 'static)) -> R) -> Result<R> {
        let answer = self.host.with(ask);
        answer.ok_or_else(|| LuaError::runtime(format_args!("no script runs")).into())
    }

    fn reset(&self) {
        self.version.set(Version::default());
        self.chance.set(None);
    }
}

/// Runs a command; a mistake in it is a table that says so, like any other error.
fn run_command(lua: &Lua, state: &State, words: &[Value]) -> Result<Value> {
    with_words(lua, words, |words| {
        let mut out = Vec::new();
        state.reach(|host| host.call(words, state.version.get(), &mut out))?;
        reply::read(lua, &out, state.version.get())
    })
}

fn is_error(reply: &Value) -> Result<bool> {
    match reply {
        Value::Table(table) => Ok(!matches!(table.raw_get("err")?, Value::Nil)),
        _ => Ok(false),
    }
}

/// Raises a value as an error.
fn throw(lua: &Lua, value: Value) -> omnilua::Error {
    let error = lua.named_registry_value::<Function>(ERROR);
    match error.and_then(|error| error.call::<_, ()>((value, 0))) {
        Err(raised) => raised,
        Ok(()) => LuaError::runtime(format_args!("nothing was raised")).into(),
    }
}

/// Raises a text as an error at the place in the script that called.
fn raise(lua: &Lua, text: &str) -> omnilua::Error {
    let text = [&[pausing::UNPLACED], text.as_bytes()].concat();
    match lua.create_string(text) {
        Ok(text) => throw(lua, Value::String(text)),
        Err(error) => error,
    }
}

/// Does what a script asks of the store.
fn operate(lua: &Lua, state: &State, words: &[Value]) -> Result<Value> {
    let (which, words) = words.split_first().map_or((-1, words), |(first, rest)| (integer_of(first), rest));
    match which {
        operation::LOG => {
            let level = match words.first().map_or(0, integer_of) {
                0 => Level::Debug,
                1 => Level::Verbose,
                2 => Level::Notice,
                _ => Level::Warning,
            };
            let line = words.get(1).and_then(text_of).unwrap_or_default();
            state.reach(|host| host.log(level, &line))?;
            Ok(Value::Nil)
        }
        operation::MAY => with_words(lua, words, |words| match state.reach(|host| host.may(words))? {
            Some(may) => Ok(Value::Boolean(may)),
            None => reply::error_table(lua, b"ERR Invalid command passed to redis.acl_check_cmd()"),
        }),
        operation::SET_RESP => {
            state.version.set(if words.first().map_or(2, integer_of) == 3 {
                Version::V3
            } else {
                Version::V2
            });
            Ok(Value::Nil)
        }
        operation::REPLICATE => {
            let is_wanted = matches!(words.first(), Some(Value::Boolean(true)));
            state.reach(|host| host.replicate(is_wanted))?;
            Ok(Value::Nil)
        }
        operation::RANDOM => {
            let mut chance = match state.chance.get() {
                Some(chance) => chance,
                None => Chance::seeded(state.reach(|host| host.random())? as i64),
            };
            let number = chance.next();
            state.chance.set(Some(chance));
            Ok(Value::Number(number))
        }
        operation::SEED => {
            state.chance.set(Some(Chance::seeded(words.first().map_or(0, integer_of))));
            Ok(Value::Nil)
        }
        _ => Ok(Value::Nil),
    }
}

/// Gives the words of a command to `ask`. What can be no word is a table that says so.
fn with_words(lua: &Lua, words: &[Value], ask: impl FnOnce(&[&[u8]]) -> Result<Value>) -> Result<Value> {
    if words.is_empty() {
        return reply::error_table(lua, b"ERR Please specify at least one argument for this redis lib call");
    }
    let texts: Option<Vec<Vec<u8>>> = words.iter().map(text_of).collect();
    match texts {
        Some(texts) => ask(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        None => reply::error_table(lua, b"ERR Lua redis lib command arguments must be strings or integers"),
    }
}

/// The place of a key in an array, from 1 on, if it is one.
fn index_of(key: &Value) -> Option<i64> {
    let n = number_of(key).filter(|_| !matches!(key, Value::String(_)))?;
    (n >= 1.0 && libm::floor(n) == n).then_some(n as i64)
}

/// The bytes of a string, or of a number as a command wants it.
fn text_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => text.as_bytes().ok(),
        Value::Integer(n) => Some(n.to_string().into_bytes()),
        Value::Number(n) => Some(number::precise(*n, 17).into_bytes()),
        _ => None,
    }
}

fn integer_of(value: &Value) -> i64 {
    match value {
        Value::Integer(n) => *n,
        Value::Number(n) => *n as i64,
        Value::String(text) => text.to_str().ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        _ => 0,
    }
}

fn sha1hex(text: &Value) -> Result<String> {
    let bytes = match text {
        Value::Number(n) => number::precise(*n, 14).into_bytes(),
        value => text_of(value).unwrap_or_default(),
    };
    Ok(String::from_utf8_lossy(&sha1_hex(&bytes)).into_owned())
}

/// A failure that is nobody's but the interpreter's.
fn broken(error: omnilua::Error) -> Failure {
    Failure { text: alloc::format!("ERR {}", error.message_lossy()).into_bytes(), place: None }
}

fn is_flag(name: &Value) -> Result<bool> {
    Ok(text_of(name).is_some_and(|name| ScriptFlags::named(&name).is_some()))
}

/// What the prelude says went wrong.
fn failure(problem: &Value) -> Failure {
    let Value::Table(problem) = problem else {
        return Failure { text: b"ERR unknown error".to_vec(), place: None };
    };
    let field = |name: &str| problem.raw_get::<_, Value>(name).unwrap_or(Value::Nil);
    let text = text_of(&field("err")).unwrap_or_else(|| b"ERR unknown error".to_vec());
    let source = text_of(&field("source")).map(|name| String::from_utf8_lossy(&name).into_owned());
    let line = integer_of(&field("line")).max(0) as u32;
    Failure { text, place: source.map(|source| (source, line)) }
}

/// The number of a value that is one, or whose text is.
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Number(n) => Some(*n),
        Value::String(text) => parse_float(text.as_bytes().ok()?.trim_ascii()),
        _ => None,
    }
}

/// What errors call the type of a value.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::UserData(_) | Value::LightUserData(_) => "userdata",
        Value::Thread(_) => "thread",
    }
}
