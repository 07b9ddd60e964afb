//! What the current unit of work has done so far, in order. Commands and the keyspace write it down here;
//! `Engine::settle` is the only reader.

use alloc::vec::Vec;
use core::ops::Range;

use super::Event;

/// Something happened to a key.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The number of the database.
    pub db: usize,
    /// Where the key's bytes stand; see [`Effects::key`].
    key: Range<usize>,
    /// What happened.
    pub event: Event,
}

/// Keys of whole databases changed at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sweep {
    /// Every key of a database is gone.
    Flushed(usize),
    /// Two databases changed places.
    Swapped(usize, usize),
}

/// A command that repeats a change elsewhere: in the journal, on a replica.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of the database it works on.
    pub db: usize,
    /// Where it comes from.
    pub source: Source,
    words: Range<usize>,
}

/// Where an entry comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A command changed something.
    Command,
    /// Something went that nobody asked to go: it expired, it was evicted.
    Keyspace,
    /// A message was published. Nothing is changed: replicas want to hear of it, and no file.
    Message,
}

/// How the command that runs is to be logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Form {
    /// As it was received, if it changed anything.
    #[default]
    Received,
    /// As written down with `log_as`, or not at all.
    Rewritten,
}

/// The effects of one unit. Keys and words are copied into one reused arena, never allocated one by one.
#[derive(Default)]
pub struct Effects {
    /// Somebody wants to know which keys are touched.
    pub touches_wanted: bool,
    /// Somebody keeps the journal.
    pub journal_wanted: bool,
    /// Changes since the engine was made.
    pub changes: u64,
    changed: bool,
    form: Form,
    arena: Vec<u8>,
    touches: Vec<Touch>,
    /// How many of the touches those who read the keys before have been told of.
    told: usize,
    sweeps: Vec<Sweep>,
    words: Vec<Range<usize>>,
    entries: Vec<Entry>,
}

impl Effects {
    /// Bytes of the buffers in which effects are written down.
    pub fn room(&self) -> usize {
        self.arena.capacity()
            + self.touches.capacity() * size_of::<Touch>()
            + self.words.capacity() * size_of::<Range<usize>>()
            + self.entries.capacity() * size_of::<Entry>()
    }

    /// A command starts.
    #[inline(always)]
    pub fn begin(&mut self) {
        self.changed = false;
        self.form = Form::Received;
    }

    /// A command has ended: what it changed and did not log otherwise is logged as it was received. What runs others, as
    /// EXEC does, has then changed nothing itself.
    #[inline(always)]
    pub fn end(&mut self, db: usize, received: &[&[u8]]) {
        if self.changed && self.journal_wanted && self.form == Form::Received {
            self.log(db, received);
        }
        self.changed = false;
    }

    /// The running command changed a key, which is asked for if somebody wants to know.
    #[inline]
    pub fn change<'k>(&mut self, db: usize, key: impl FnOnce() -> &'k [u8], event: Event) {
        self.changes += 1;
        self.changed = true;
        if self.touches_wanted {
            self.touch(db, key(), event);
        }
    }

    /// The running command changed databases as a whole, and there is no key to name.
    pub fn sweep(&mut self, sweep: Sweep) {
        self.changes += 1;
        self.changed = true;
        if self.touches_wanted {
            self.sweeps.push(sweep);
        }
    }

    /// The running command changed something that is no key: a library of functions.
    pub fn change_beside(&mut self) {
        self.changes += 1;
        self.changed = true;
    }

    /// Something happened to `key` that the running command did not ask for (it expired, it was evicted).
    #[inline]
    pub fn touch(&mut self, db: usize, key: &[u8], event: Event) {
        if self.touches_wanted {
            let key = self.keep(key);
            self.touches.push(Touch { db, key, event });
        }
    }

    /// Logs `words` in place of the command received: the form that replays to the same state.
    pub fn log_as(&mut self, db: usize, words: &[&[u8]]) {
        self.form = Form::Rewritten;
        self.log(db, words);
    }

    /// Logs nothing for the command received.
    pub fn log_nothing(&mut self) {
        self.form = Form::Rewritten;
    }

    /// Logs `words` beside what the running command logs.
    pub fn log(&mut self, db: usize, words: &[&[u8]]) {
        self.push(db, words, Source::Command);
    }

    /// Logs that something goes, for no command's sake.
    pub fn log_removal(&mut self, db: usize, words: &[&[u8]]) {
        self.push(db, words, Source::Keyspace);
    }

    /// Logs a command that changes nothing that is stored, for those who hear the messages of this server.
    pub fn log_message(&mut self, db: usize, words: &[&[u8]]) {
        self.push(db, words, Source::Message);
    }

    fn push(&mut self, db: usize, words: &[&[u8]], source: Source) {
        if !self.journal_wanted {
            return;
        }
        let first = self.words.len();
        for word in words {
            let kept = self.keep(word);
            self.words.push(kept);
        }
        self.entries.push(Entry { db, source, words: first..self.words.len() });
    }

    /// Whether there is nothing to settle.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.touches.is_empty() && self.entries.is_empty() && self.sweeps.is_empty()
    }

    /// What happened to which key, in order.
    pub fn touches(&self) -> &[Touch] {
        &self.touches
    }

    /// The touches since [`Effects::mark_told`], in order.
    pub fn untold(&self) -> &[Touch] {
        &self.touches[self.told..]
    }

    /// Those who read the keys before know of all touches so far.
    pub fn mark_told(&mut self) {
        self.told = self.touches.len();
    }

    /// What happened to whole databases, in order.
    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    /// The commands to be logged, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The key of a touch.
    pub fn key(&self, touch: &Touch) -> &[u8] {
        &self.arena[touch.key.clone()]
    }

    /// The words of an entry.
    pub fn words(&self, entry: &Entry) -> impl ExactSizeIterator<Item = &[u8]> {
        self.words[entry.words.clone()].iter().map(|word| &self.arena[word.clone()])
    }

    /// Forgets the unit, and keeps the room it took for the next one unless that was unusually much: what is kept counts as
    /// used memory, and keys would be evicted for it.
    pub fn clear(&mut self) {
        const ROOM: usize = 4 << 10;
        self.touches.clear();
        self.told = 0;
        self.sweeps.clear();
        self.entries.clear();
        self.words.clear();
        self.arena.clear();
        self.arena.shrink_to(ROOM);
        self.touches.shrink_to(ROOM / 32);
        self.words.shrink_to(ROOM / 16);
        self.entries.shrink_to(ROOM / 32);
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        start..self.arena.len()
    }
}
