//! The interpreter of Lua 5.1 scripts: `omnilua` behind the engine's trait, in an environment as Redis's scripts find it.
//! `prelude.lua` builds that environment, `reply.rs` carries replies in and results out, and the libraries that Redis has
//! beside Lua's own are a file each.

mod bit;
mod cjson;
mod cmsgpack;
mod number;
mod reply;
mod structs;

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use omnilua::{
    Function, HostHooks, Lua, LuaError, LuaVersion, Sandbox, SandboxConfig, Table, TripReason, Value,
    Variadic,
};

use crate::{
    data::number::parse_float,
    engine::{
        REDIS_VERSION,
        scripting::{
            interpreter::{Call, ChunkId, Failure, Host, Interpreter, Level},
            sha1_hex,
        },
    },
    resp::{Version, Writer},
};

type Result<T> = core::result::Result<T, omnilua::Error>;

/// Instructions that one script may take: some seconds of work. Nobody else is served meanwhile.
const INSTRUCTIONS_MAX: u64 = 500_000_000;

/// Bytes that scripts may hold: less where all memory is little.
const MEMORY_MAX: usize = if usize::BITS < 64 { 64 << 20 } else { 512 << 20 };

/// Instructions between two looks at the budget. A text that doubles with each instruction stays within bounds only when
/// that is looked at often.
const CHECK_INTERVAL: u32 = 10;

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
    /// Its first element is the function by which scripts reach the store.
    host: Table,
    /// The library by which they do.
    redis: Table,
    run: Function,
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
        let lua = Lua::with_hooks_versioned(HostHooks::new(), LuaVersion::V51)?;
        let host = lua.create_table()?;
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
        let anchored = |lua: &Lua, inner: Function| {
            lua.create_function(move |_, words: Variadic<Value>| inner.call::<_, Value>(words))
        };
        native.set("anchored", lua.create_function(anchored)?)?;
        lua.set_named_registry_value(ERROR, lua.globals().get::<_, Function>("error")?)?;
        let prelude: Function = lua.load(PRELUDE).set_name("=prelude").into_function()?;
        let made: Table = prelude.call((&host, &native))?;
        let config = SandboxConfig {
            instruction_limit: Some(INSTRUCTIONS_MAX),
            memory_limit_bytes: Some(MEMORY_MAX),
            check_interval: CHECK_INTERVAL,
            remove_globals: Vec::new(),
        };
        Ok(Scripts {
            sandbox: lua.install_sandbox(config)?,
            globals: made.get("globals")?,
            redis: made.get("redis")?,
            run: made.get("run")?,
            host,
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

    fn list(&self, words: &[&[u8]]) -> Result<Table> {
        let list = self.lua.create_table()?;
        for (i, word) in words.iter().enumerate() {
            list.raw_set(i as i64 + 1, self.lua.create_string(word)?)?;
        }
        Ok(list)
    }

    /// Calls `work` with the store in reach, and returns what it returns: whether it went well, and the result or the
    /// problem.
    fn within(
        &self,
        host: &mut dyn Host,
        state: &State,
        work: impl FnOnce() -> Result<(bool, Value)>,
    ) -> core::result::Result<Value, Failure> {
        self.sandbox.reset();
        let host = RefCell::new(host);
        let outcome = self.lua.scope(|scope| {
            let call = scope.create_function(&self.lua, |lua, words: Variadic<Value>| {
                let reply = run_command(lua, &mut **host.borrow_mut(), state, &words)?;
                if is_error(&reply)? { Err(throw(lua, reply, 0)) } else { Ok(reply) }
            })?;
            let pcall = scope.create_function(&self.lua, |lua, words: Variadic<Value>| {
                run_command(lua, &mut **host.borrow_mut(), state, &words)
            })?;
            let reach = scope.create_function(&self.lua, |lua, words: Variadic<Value>| {
                operate(lua, &mut **host.borrow_mut(), state, &words)
            })?;
            self.redis.raw_set("call", &call)?;
            self.redis.raw_set("pcall", &pcall)?;
            self.host.raw_set(1, &reach)?;
            work()
        });
        if let Some(reason) = self.sandbox.tripped() {
            self.sandbox.reset();
            self.lua.gc_collect();
            let text: &[u8] = match reason {
                TripReason::Instructions => b"ERR The script took longer than a script may take.",
                TripReason::Memory => b"ERR The script took more memory than a script may take.",
            };
            return Err(Failure { text: text.to_vec(), place: None });
        }
        match outcome {
            Ok((true, result)) => Ok(result),
            Ok((false, problem)) => Err(failure(&problem)),
            Err(error) => Err(Failure {
                text: alloc::format!("ERR {}", error.message_lossy()).into_bytes(),
                place: None,
            }),
        }
    }
}

impl Interpreter for Scripts {
    fn compile(&mut self, name: &str, source: &[u8]) -> core::result::Result<ChunkId, Vec<u8>> {
        let compiled = self.lua.load(source).set_name(name).into_function();
        compiled
            .map(|function| self.keep(function))
            .map_err(|error| error.message_lossy().as_bytes().to_vec())
    }

    fn forget(&mut self, chunk: ChunkId) {
        self.chunks[chunk.0 as usize] = None;
    }

    fn run(
        &mut self,
        call: Call<'_>,
        host: &mut dyn Host,
        out: &mut Writer<'_>,
    ) -> core::result::Result<(), Failure> {
        let state = State::default();
        let result = self.within(host, &state, || {
            let (keys, args) = (self.list(call.keys)?, self.list(call.args)?);
            self.globals.raw_set("KEYS", keys)?;
            self.globals.raw_set("ARGV", args)?;
            self.run.call(self.chunk(call.chunk))
        })?;
        reply::write(&result, state.version.get(), out)
            .map_err(|error| Failure { text: error.message_lossy().as_bytes().to_vec(), place: None })
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
    /// The dialect of replies.
    version: Cell<Version>,
    /// Where `math.random` goes on.
    chance: Cell<Option<Chance>>,
}

/// Runs a command; a mistake in it is a table that says so, like any other error.
fn run_command(lua: &Lua, host: &mut dyn Host, state: &State, words: &[Value]) -> Result<Value> {
    with_words(lua, words, |words| {
        let mut out = Vec::new();
        host.call(words, state.version.get(), &mut out);
        reply::read(lua, &out, state.version.get())
    })
}

fn is_error(reply: &Value) -> Result<bool> {
    match reply {
        Value::Table(table) => Ok(!matches!(table.raw_get("err")?, Value::Nil)),
        _ => Ok(false),
    }
}

/// Raises a value as an error of the function that runs, or with the place in the script when `level` is 2.
fn throw(lua: &Lua, value: Value, level: i64) -> omnilua::Error {
    let error = lua.named_registry_value::<Function>(ERROR);
    match error.and_then(|error| error.call::<_, ()>((value, level))) {
        Err(raised) => raised,
        Ok(()) => LuaError::runtime(format_args!("nothing was raised")).into(),
    }
}

/// Raises a text as an error at the place in the script that called.
fn raise(lua: &Lua, text: &str) -> omnilua::Error {
    match lua.create_string(text) {
        Ok(text) => throw(lua, Value::String(text), 2),
        Err(error) => error,
    }
}

/// Does what a script asks of the store.
fn operate(lua: &Lua, host: &mut dyn Host, state: &State, words: &[Value]) -> Result<Value> {
    let (which, words) = words.split_first().map_or((-1, words), |(first, rest)| (integer_of(first), rest));
    match which {
        operation::LOG => {
            let level = match words.first().map_or(0, integer_of) {
                0 => Level::Debug,
                1 => Level::Verbose,
                2 => Level::Notice,
                _ => Level::Warning,
            };
            host.log(level, &words.get(1).and_then(text_of).unwrap_or_default());
            Ok(Value::Nil)
        }
        operation::MAY => with_words(lua, words, |words| match host.may(words) {
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
            host.replicate(matches!(words.first(), Some(Value::Boolean(true))));
            Ok(Value::Nil)
        }
        operation::RANDOM => {
            let mut chance = state.chance.get().unwrap_or_else(|| Chance::seeded(host.random() as i64));
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
