//! Transcripts: Markdown files whose fenced `redis` blocks hold requests and the exact replies.
//!
//! `notation` knows how requests and replies are written, `document` how they sit in a file, `target` what can answer
//! them, `in_process` is the engine
//! without a socket, `peer` where a server to ask is found, `runner` puts one against the other. Nothing here knows a command.

pub mod document;
pub mod in_process;
pub mod notation;
pub mod peer;
pub mod runner;
pub mod target;
