//! Bytes that are kept: what the engine logs, and what it holds, in Redis's own formats. Where the bytes go is the shells'
//! business.

pub mod aof;
mod journal;
pub mod rdb;

pub use journal::Journal;
