//! The journal: the effects of every unit as RESP commands, as an append-only file or a replica wants them. It decides
//! form and order only; when bytes are synced is up to who takes them.

use alloc::vec::Vec;

use crate::{
    keyspace::{Effects, effects::Entry},
    resp::{Version, Writer},
};

/// Bytes to be kept, in order.
#[derive(Default)]
pub struct Journal {
    bytes: Vec<u8>,
    /// The database that the commands so far ended in.
    db: Option<usize>,
    /// How many bytes were taken.
    taken: u64,
}

impl Journal {
    /// Appends the entries of one unit, as a transaction if there are several.
    pub fn append(&mut self, effects: &Effects) {
        let several = effects.entries().len() > 1;
        for (i, entry) in effects.entries().iter().enumerate() {
            self.select(entry.db);
            if several && i == 0 {
                self.command([&b"MULTI"[..]].into_iter());
            }
            self.entry(effects, entry);
        }
        if several {
            self.command([&b"EXEC"[..]].into_iter());
        }
    }

    /// How many bytes wait to be taken.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the bytes written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.taken += self.bytes.len() as u64;
        core::mem::take(&mut self.bytes)
    }

    /// How many bytes were written since it was begun, taken or not.
    pub fn position(&self) -> u64 {
        self.taken + self.bytes.len() as u64
    }

    /// Has the next command name its database, as the first of a file has to.
    pub fn begin_anew(&mut self) {
        self.db = None;
    }

    fn entry(&mut self, effects: &Effects, entry: &Entry) {
        self.command(effects.words(entry));
    }

    fn select(&mut self, db: usize) {
        if self.db != Some(db) {
            self.db = Some(db);
            let mut text = itoa::Buffer::new();
            self.command([&b"SELECT"[..], text.format(db).as_bytes()].into_iter());
        }
    }

    fn command<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        let mut out = Writer::new(&mut self.bytes, Version::V2);
        out.array(words.len());
        words.for_each(|word| out.bulk(word));
    }
}
