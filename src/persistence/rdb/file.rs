//! Whole keyspaces as RDB files, written piece by piece: whoever has the entries hands them over one by one and takes the
//! bytes whenever it likes. What is in a snapshot and where its bytes go is decided elsewhere.
//!
//! ```text
//! REDIS0010 │ names and values │ libraries │ (database │ entries)… │ 0xFF │ checksum of all before it u64 LE
//! ```

use alloc::vec::Vec;

use super::{Output, View, opcode, sum::Sum};
use crate::keyspace::Seen;

/// What a file says of itself before its entries.
pub struct Header<'h> {
    /// The version of the format: the highest that one of the values needs.
    pub version: u16,
    /// Names and values that other servers read or pass over.
    pub facts: &'h [(&'h str, &'h [u8])],
    /// The sources of libraries of functions.
    pub libraries: &'h [&'h [u8]],
}

/// A file that grows.
pub struct FileWriter {
    out: Output,
    /// Of what was taken.
    checksum: Option<Sum>,
    /// The database of the last entry.
    db: Option<usize>,
    /// Whether to write how long entries have not been accessed, and what time it is by their clocks.
    clock: Option<u32>,
}

impl FileWriter {
    /// A file of a header; long strings are compressed or not, and a checksum ends it or a zero in its place.
    pub fn new(header: &Header<'_>, compresses: bool, sums: bool) -> Self {
        let mut out = Output::new(compresses);
        let mut magic = *b"REDIS0000";
        let mut rest = header.version;
        for digit in magic.iter_mut().rev().take(4) {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        out.raw(&magic);
        for (name, value) in header.facts {
            out.byte(opcode::AUX);
            out.string(name.as_bytes());
            out.string(value);
        }
        for library in header.libraries {
            out.byte(opcode::FUNCTION);
            out.string(library);
        }
        FileWriter { out, checksum: sums.then(Sum::new), db: None, clock: None }
    }

    /// Has each entry be written with how long it has not been accessed, by this clock.
    pub fn with_idle_times(mut self, clock: u32) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Adds an entry.
    pub fn entry(&mut self, seen: &Seen<'_>) {
        let (out, value) = (&mut self.out, View::held(seen.value));
        if self.db.replace(seen.db) != Some(seen.db) {
            out.byte(opcode::SELECT);
            out.length(seen.db as u64);
        }
        if let Some(at) = seen.deadline {
            out.byte(opcode::EXPIRES_MS);
            out.raw(&at.to_le_bytes());
        }
        if let Some(clock) = self.clock {
            out.byte(opcode::IDLE);
            out.length((clock.wrapping_sub(seen.clock) & 0xFF_FFFF) as u64);
        }
        out.byte(value.form());
        out.string(seen.key);
        value.write(out);
    }

    /// Ends the file.
    pub fn end(&mut self) {
        self.out.byte(opcode::END);
        let checksum = self.checksum.take().map_or(0, |mut sum| {
            sum.update(&self.out.bytes);
            sum.value()
        });
        self.out.raw(&checksum.to_le_bytes());
    }

    /// How many bytes wait to be taken.
    pub fn waiting(&self) -> usize {
        self.out.bytes.len()
    }

    /// Takes the bytes since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&self.out.bytes);
        }
        core::mem::take(&mut self.out.bytes)
    }
}
