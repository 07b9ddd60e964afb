//! Replication as state machines over bytes: what a primary remembers of its stream, and how a replica introduces itself
//! and is brought up to date. Sockets are the shells'; what the bytes of a stream or a snapshot mean is the engine's.

pub mod handshake;
pub mod history;
pub mod link;
pub mod transfer;

pub use handshake::{Answer, Handshake, Introduction};
pub use history::History;
pub use link::{Link, News};
pub use transfer::Transfer;
