//! What DUMP answers and RESTORE takes: one value without its key, sealed with a version and a checksum.
//!
//! ```text
//! form u8 │ value │ version u16 LE │ checksum of all before it u64 LE
//! ```
//!
//! The version is the lowest that has the form, so that older servers take what they can read.

use alloc::vec::Vec;

use super::{CHECKSUM, Flaw, Output, View, input::Input, read, reads};
use crate::{data::limits::Limits, keyspace::Value};

const CHECKSUM_LEN: usize = 8;

/// The payload of a value, its long strings compressed or not.
pub fn dump(value: &View<'_>, compresses: bool) -> Vec<u8> {
    let mut out = Output::new(compresses);
    out.byte(value.form());
    value.write(&mut out);
    out.raw(&value.version().to_le_bytes());
    let checksum = CHECKSUM.checksum(&out.bytes);
    out.raw(&checksum.to_le_bytes());
    out.bytes
}

/// What a payload holds, if it is of a version that is read here and its checksum is right: the form and the value.
pub fn open(payload: &[u8]) -> Option<&[u8]> {
    let (sealed, checksum) = payload.split_last_chunk::<CHECKSUM_LEN>()?;
    let (body, version) = sealed.split_last_chunk()?;
    let is_right = CHECKSUM.checksum(sealed) == u64::from_le_bytes(*checksum);
    (is_right && reads(u16::from_le_bytes(*version))).then_some(body)
}

/// The value of an opened payload.
pub fn value(body: &[u8], limits: &Limits) -> Result<Value, Flaw> {
    let mut input = Input::new(body);
    let number = input.byte()?;
    let value = read::value(&mut input, number, limits)?;
    if input.left() > 0 {
        return Err(Flaw::Corrupt("there is more behind the value"));
    }
    if read::is_empty(&value) {
        return Err(Flaw::Corrupt("a collection has nothing in it"));
    }
    Ok(value)
}
