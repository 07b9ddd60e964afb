//! The journal: the effects of every unit as RESP commands, as an append-only file or a replica wants them. It decides
//! form and order only; when bytes are synced is up to who takes them.

use alloc::vec::Vec;

use crate::{
    keyspace::{
        Effects,
        effects::{Entry, Source},
    },
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
    /// Appends the entries of one unit, as a transaction if there are several, unless each of them is of something that went
    /// for its own reasons; with those that only replicas are told, or without.
    pub fn append(&mut self, effects: &Effects, for_replicas: bool) {
        let meant =
            || effects.entries().iter().filter(|entry| for_replicas || entry.source != Source::Message);
        let several = meant().nth(1).is_some() && meant().any(|entry| entry.source != Source::Keyspace);
        for (i, entry) in meant().enumerate() {
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

    /// Takes back a buffer that was taken, for the bytes that come.
    pub fn reuse(&mut self, mut buffer: Vec<u8>) {
        /// Room that is not worth keeping.
        const ROOM: usize = 1 << 20;
        if self.bytes.is_empty() && buffer.capacity() <= ROOM {
            buffer.clear();
            self.bytes = buffer;
        }
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
