//! keyside: a Redis-compatible in-memory data store whose whole engine is a library without I/O.
//!
//! Words come in, time comes in, bytes come out. [`Engine`] is the store; `resp` reads requests and writes replies;
//! `data` is what values are made of; `keyspace` is where they live; `commands` is what users ask of them; `engine` is
//! everything that has to do with clients; `persistence` turns effects into bytes that are kept, and `replication` brings
//! them to others. The shells around it,
//! `js` for JavaScript and `native` for sockets, are the only code that waits, reads a clock or asks for chance.
//!
//! ```
//! use keyside::{Config, Engine, Origin};
//!
//! let mut engine = Engine::new(Config::default(), 42);
//! let client = engine.connect(Origin::default(), 0);
//! engine.receive(client, b"SET greeting hello\r\nGET greeting\r\n", 0);
//! assert_eq!(engine.output(client).unwrap(), b"+OK\r\n$5\r\nhello\r\n");
//! ```
#![no_std]
#![deny(unsafe_code, missing_docs)]

extern crate alloc;
// Linked for its allocator and panic handler, and nameless: only `js` and `native` say `std`.
extern crate std as _;

pub mod commands;
pub mod data;
pub mod engine;
mod error;
#[cfg(target_arch = "wasm32")]
mod js;
pub mod keyspace;
#[cfg(feature = "lua")]
mod lua;
pub mod persistence;
pub mod replication;
pub mod resp;

pub use engine::{
    AppendOnly, ClientId, Config, Ending, Engine, Files, Host, NewFile, Origin, Purpose, Replay, Target,
};
pub use error::{Error, Result};

/// Makes the interpreter of scripts, if this build has one.
#[cfg(feature = "lua")]
pub const INTERPRETER: Option<fn() -> alloc::boxed::Box<dyn engine::scripting::interpreter::Interpreter>> =
    Some(lua::interpreter);
/// Makes the interpreter of scripts, if this build has one.
#[cfg(not(feature = "lua"))]
pub const INTERPRETER: Option<fn() -> alloc::boxed::Box<dyn engine::scripting::interpreter::Interpreter>> =
    None;
