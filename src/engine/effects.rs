//! Settle: the one path by which a change becomes visible outside the keyspace.

use core::mem;

use super::Engine;

impl Engine {
    /// Ends a unit: what it did is told to everybody who waits for such things, once and in this order.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.keyspace.effects.is_empty() {
            self.tell();
            self.serve();
        }
    }

    #[inline(never)]
    pub(super) fn tell(&mut self) {
        if self.config.journal {
            self.journal.append(&self.keyspace.effects, false);
        }
        if self.replication.feeds() {
            self.replicate();
        }
        if self.keyspace.effects.touches_wanted {
            let effects = mem::take(&mut self.keyspace.effects);
            self.fail_watches(&effects);
            self.notify(&effects);
            self.invalidate(&effects);
            self.waiting.mark(&effects);
            self.keyspace.effects = effects;
        }
        self.keyspace.effects.clear();
    }

    /// Works out anew whether anybody wants to know which keys are touched.
    pub(super) fn refresh_interests(&mut self) {
        self.keyspace.effects.touches_wanted = !self.watches.is_empty()
            || !self.waiting.is_empty()
            || !self.tracking.is_empty()
            || self.config.notify_keyspace_events.is_on();
    }
}
