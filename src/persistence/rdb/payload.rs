//! What DUMP answers and RESTORE takes: one value without its key, sealed with a version and a checksum.
//!
//! ```text
//! form u8 │ value │ version u16 LE │ checksum of all before it u64 LE
//! ```
//!
//! The version is the lowest that has the form, so that older servers take what they can read.

use alloc::vec::Vec;

use super::{CHECKSUM, Flaw, Output, View, input::Input, opcode, read, reads};
use crate::{data::limits::Limits, keyspace::Value};

const CHECKSUM_LEN: usize = 8;

/// The payload of a value, its long strings compressed or not.
pub fn dump(value: &View<'_>, compresses: bool) -> Vec<u8> {
    let mut out = Output::new(compresses);
    out.byte(value.form());
    value.write(&mut out);
    sealed(out, value.version())
}

/// The payload of the sources of libraries of functions.
pub fn dump_libraries<'l>(sources: impl Iterator<Item = &'l [u8]>, compresses: bool) -> Vec<u8> {
    let mut out = Output::new(compresses);
    for source in sources {
        out.byte(opcode::FUNCTION);
        out.string(source);
    }
    sealed(out, View::LOWEST_VERSION)
}

fn sealed(mut out: Output, version: u16) -> Vec<u8> {
    out.raw(&version.to_le_bytes());
    let checksum = CHECKSUM.checksum(&out.bytes);
    out.raw(&checksum.to_le_bytes());
    out.bytes
}

/// What a payload holds, if it is of a version that is read here and its checksum is right: the version, and form and value.
pub fn open(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (sealed, checksum) = payload.split_last_chunk::<CHECKSUM_LEN>()?;
    let (body, version) = sealed.split_last_chunk()?;
    let is_right = CHECKSUM.checksum(sealed) == u64::from_le_bytes(*checksum);
    let version = u16::from_le_bytes(*version);
    (is_right && reads(version)).then_some((version, body))
}

/// The sources of libraries in the body of an opened payload, if it holds nothing else.
pub fn libraries(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut input, mut sources) = (Input::new(body), Vec::new());
    while input.left() > 0 {
        if input.byte().ok()? != opcode::FUNCTION {
            return None;
        }
        sources.push(input.string().ok()?.into_owned());
    }
    Some(sources)
}

/// The value of an opened payload.
pub fn value((version, body): (u16, &[u8]), limits: &Limits) -> Result<Value, Flaw> {
    let mut input = Input::new(body);
    let number = input.byte()?;
    let value = read::value(&mut input, number, version, limits)?;
    if input.left() > 0 {
        return Err(Flaw::Corrupt("there is more behind the value"));
    }
    if read::is_empty(&value) {
        return Err(Flaw::Corrupt("a collection has nothing in it"));
    }
    Ok(value)
}
