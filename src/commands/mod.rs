//! What users ask of values: one file a Redis group, or a part of a large one, its rows on top.
//! Nothing here knows of clients, configuration or the effects of a command on others.

pub(crate) mod args;
pub mod category;
pub mod docs;
pub(crate) mod help;
pub mod keys;
pub(crate) mod reply;
pub(crate) mod spec;

pub mod bitmap;
pub mod blocking;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod scan;
pub mod set;
pub mod sort;
pub mod sorted_set;
pub mod sorted_set_algebra;
pub mod sorted_set_range;
pub mod stream;
pub mod stream_claim;
pub mod stream_groups;
pub mod stream_info;
pub mod stream_read;
pub mod string;

pub use args::{Kind, Shape};
pub use category::CATEGORIES;
pub use spec::{Command, Flags, KeyRange, Spec};

/// What a command on values may see and do.
pub use crate::keyspace::Keyspace as Ctx;

/// The commands on values, by family.
pub const COMMANDS: &[&[Command<Ctx>]] = &[
    bitmap::COMMANDS,
    blocking::LIST_COMMANDS,
    blocking::SORTED_SET_COMMANDS,
    generic::COMMANDS,
    generic::SERVER_COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hash::DEADLINE_COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    scan::COMMANDS,
    scan::HASH_COMMANDS,
    scan::SET_COMMANDS,
    scan::SORTED_SET_COMMANDS,
    set::COMMANDS,
    sort::COMMANDS,
    sorted_set::COMMANDS,
    sorted_set_range::COMMANDS,
    sorted_set_algebra::COMMANDS,
    stream::COMMANDS,
    stream_claim::COMMANDS,
    stream_groups::COMMANDS,
    stream_info::COMMANDS,
    stream_read::COMMANDS,
    string::COMMANDS,
];
