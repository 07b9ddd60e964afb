//! Bytes that are kept: what the engine logs, in Redis's own formats. Where the bytes go is the shells' business.

mod journal;

pub use journal::Journal;
