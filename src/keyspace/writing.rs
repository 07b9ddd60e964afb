//! The guard: the only way to change a collection. An empty collection never outlives it.

use core::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use super::{Event, Keyspace, database::Found};
use crate::data::containers::entry::Collection;

/// A collection opened for writing.
pub struct Writing<'c, T: Collection> {
    keyspace: &'c mut Keyspace,
    found: Found,
    existed: bool,
    /// When the first thing in it was to expire.
    deadline: Option<u64>,
    kind: PhantomData<T>,
}

impl<'c, T: Collection> Writing<'c, T> {
    /// Opens an entry that holds a `T`; `existed` when it was there before the command.
    pub(super) fn new(keyspace: &'c mut Keyspace, found: Found, existed: bool) -> Self {
        let mut this = Writing::<T> { keyspace, found, existed, deadline: None, kind: PhantomData };
        if T::HAS_DEADLINES && this.keyspace.has_field_deadlines() {
            this.deadline = this.first_deadline();
        }
        this
    }

    /// Records that the value changed. Without this call, nobody hears of it.
    #[inline]
    pub fn changed(&mut self, event: Event) {
        let Keyspace { effects, databases, selected, .. } = &mut *self.keyspace;
        effects.change(*selected, || databases[*selected].key(self.found), event);
    }

    /// Logs another command in place of the one received: the form that replays to the same state.
    pub fn log_as(&mut self, words: &[&[u8]]) {
        self.keyspace.log_as(words);
    }

    /// Logs nothing for the command received: what it comes to is logged bit by bit, if it comes to anything.
    pub fn log_nothing(&mut self) {
        self.keyspace.effects.log_nothing();
    }

    /// Whether anybody keeps the journal: otherwise nobody reads what [`log_as`](Self::log_as) is given.
    pub fn is_logged(&self) -> bool {
        self.keyspace.effects.journal_wanted
    }

    /// Records that something beside the value changed that those who watch the key do not hear of. What is to be
    /// logged of it is for the caller to say.
    pub fn changed_quietly(&mut self) {
        self.keyspace.effects.changes += 1;
        self.log_nothing();
    }

    /// The collection with what adding to it needs: the limits of the small encodings.
    pub fn with_limits(&mut self) -> (&mut T, &crate::data::limits::Limits) {
        let Keyspace { limits, databases, selected, .. } = &mut *self.keyspace;
        (databases[*selected].get_mut(self.found).expect("opened as this kind"), limits)
    }

    /// The collection with the chance that picks from it.
    pub fn with_random(&mut self) -> (&mut T, &mut super::Random) {
        let Keyspace { random, databases, selected, .. } = &mut *self.keyspace;
        (databases[*selected].get_mut(self.found).expect("opened as this kind"), random)
    }
}

impl<T: Collection> Deref for Writing<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.keyspace.database().get(self.found).expect("opened as this kind")
    }
}

impl<T: Collection> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.keyspace.database_mut().get_mut(self.found).expect("opened as this kind")
    }
}

impl<T: Collection> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        let collection: &T = self;
        let (deadline, is_empty) = (collection.first_deadline(), collection.is_empty());
        if T::HAS_DEADLINES && deadline != self.deadline {
            self.keyspace.fields_changed(self.found, self.deadline, deadline);
        }
        if is_empty {
            self.keyspace.remove_emptied(self.found, self.existed);
        }
    }
}
