//! What ACL LOG shows: who was refused what. The same refusal again within a minute is counted and not listed anew.

use alloc::{collections::VecDeque, string::String, vec::Vec};

/// Refusals of one kind within this time are one entry.
const GROUPED_MS: u64 = 60_000;

/// Why somebody was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Reason {
    Command,
    Key,
    Channel,
    Auth,
}

impl Reason {
    /// As ACL LOG names it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
            Reason::Auth => "auth",
        }
    }
}

/// Refusals.
pub struct Entry {
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: Reason,
    /// Where the command came from: `toplevel`, `multi` or `lua`.
    pub context: &'static str,
    /// The command, key or channel.
    pub object: Vec<u8>,
    /// Who.
    pub user: Vec<u8>,
    /// The last client, as CLIENT LIST shows it.
    pub client: String,
    /// The number of the entry.
    pub id: u64,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it last counted one more.
    pub updated_ms: u64,
}

/// The latest entries, the newest first.
#[derive(Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    next_id: u64,
}

impl Log {
    /// Adds a refusal, and keeps at most `max_len` entries. The number of `entry` is given here.
    pub fn add(&mut self, entry: Entry, max_len: usize) {
        let is_same = |old: &Entry| {
            (old.reason, old.context, &old.object, &old.user)
                == (entry.reason, entry.context, &entry.object, &entry.user)
                && entry.updated_ms.saturating_sub(old.updated_ms) <= GROUPED_MS
        };
        let entry = match self.entries.iter().position(is_same).and_then(|at| self.entries.remove(at)) {
            Some(old) => Entry { count: old.count + 1, id: old.id, created_ms: old.created_ms, ..entry },
            None => {
                self.next_id += 1;
                Entry { id: self.next_id - 1, ..entry }
            }
        };
        self.entries.push_front(entry);
        self.entries.truncate(max_len);
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// The entries, the newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }
}
