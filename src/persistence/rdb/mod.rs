//! Redis's RDB: values, and whole keyspaces, as bytes that other servers read, and theirs as values. What DUMP answers and
//! RESTORE takes is a [`payload`]. Where bytes come from and where they go is the shells' business.
//!
//! A value is written in the form that Redis 7.0 reads wherever that holds all of it, and in the first later one
//! otherwise: so sets are written member by member (listpacks of members came with 7.2), only hashes of which fields expire in
//! the forms of 7.4, and what lies in memory in
//! Redis's own bytes (integers of a set, packed hashes, sorted sets, lists and streams) is copied. Every form that Redis up
//! to 8.6 and Valkey up to 9 write is read, those of modules excepted. Bytes that are read are looked at to the last
//! before anything is made of them; they come from strangers.

mod file;
mod input;
mod load;
mod lzf;
mod old;
mod output;
pub mod payload;
mod read;
mod sum;
mod write;

use core::fmt;

pub use file::{FileWriter, Header};
pub use load::{Damage, Loader};
pub use output::Output;
pub use write::View;

use crc::{CRC_64_REDIS, Crc};

/// The checksum of payloads and files.
static CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

/// The version of Redis 7.0, the lowest that is written.
const LOWEST_WRITTEN: u16 = 10;

/// The version of Valkey's own line.
const VALKEY: u16 = 80;

/// Why bytes were refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// They end before what they hold does.
    Short,
    /// They are not what they should be.
    Corrupt(&'static str),
    /// A value in a form that is not read here, by its number.
    Unknown(u8),
    /// Something of a module, by its number.
    Module(u64),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Short => f.write_str("it ends too early"),
            Flaw::Corrupt(reason) => f.write_str(reason),
            Flaw::Unknown(form::MODULE_PRE_GA | form::MODULE) => {
                f.write_str("values of modules are not supported")
            }
            Flaw::Unknown(number) => write!(f, "values of type {number} are not supported"),
            Flaw::Module(id) => {
                f.write_str("data of the module type '")?;
                module_name(*id).try_for_each(|letter| write!(f, "{letter}"))?;
                f.write_str("' is not supported")
            }
        }
    }
}

/// The name in the number of a module: nine letters of six bits, and ten bits of version.
fn module_name(id: u64) -> impl Iterator<Item = char> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9).map(move |i| LETTERS[(id >> (58 - 6 * i)) as usize & 63] as char)
}

/// Whether payloads and files of a version are read: what Redis wrote up to 8.6, and Valkey's.
pub fn reads(version: u16) -> bool {
    matches!(version, 1..=13 | VALKEY)
}

/// What stands before the parts of a file that are no values.
mod opcode {
    pub const SLOT_IMPORT: u8 = 243;
    pub const SLOT_INFO: u8 = 244;
    pub const FUNCTION: u8 = 245;
    pub const MODULE_AUX: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQUENCY: u8 = 249;
    pub const AUX: u8 = 250;
    pub const RESIZE: u8 = 251;
    pub const EXPIRES_MS: u8 = 252;
    pub const EXPIRES: u8 = 253;
    pub const SELECT: u8 = 254;
    pub const END: u8 = 255;
}

/// The forms of values, by the number that stands before each.
mod form {
    use super::LOWEST_WRITTEN;

    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const SORTED_SET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const SORTED_SET_2: u8 = 5;
    pub const MODULE_PRE_GA: u8 = 6;
    pub const MODULE: u8 = 7;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const SORTED_SET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const SORTED_SET_LISTPACK: u8 = 17;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const STREAM_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    pub const STREAM_3: u8 = 21;
    /// In files of Redis 7.4 before it was done, and another thing in those of Valkey.
    pub const HASH_MORTAL_EARLY: u8 = 22;
    pub const HASH_LISTPACK_EX_EARLY: u8 = 23;
    pub const HASH_MORTAL: u8 = 24;
    pub const HASH_LISTPACK_EX: u8 = 25;
    /// The last of these numbers.
    pub const HIGHEST: u8 = 25;

    /// What stands before a node of [`LIST_QUICKLIST_2`].
    pub const PLAIN_NODE: u64 = 1;
    pub const PACKED_NODE: u64 = 2;

    /// The lowest version that has a form, of those that are written.
    pub fn version(form: u8) -> u16 {
        match form {
            SET_LISTPACK | STREAM_3 => 11,
            HASH_MORTAL_EARLY.. => 12,
            _ => LOWEST_WRITTEN,
        }
    }
}
