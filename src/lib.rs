//! keyside: a Redis-compatible in-memory data store whose whole engine is a library without I/O.
#![no_std]
#![deny(unsafe_code, missing_docs)]

extern crate alloc;
// Linked for its allocator and panic handler, and nameless: only `js` and `native` say `std`.
extern crate std as _;

pub mod data;
