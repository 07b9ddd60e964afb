//! Settle: the one path by which a change becomes visible outside the keyspace.

use super::Engine;

impl Engine {
    /// Ends a unit: what it did is told to everybody who waits for such things, once and in this order.
    #[inline]
    pub(super) fn settle(&mut self) {
        if !self.keyspace.effects.is_empty() {
            self.journal.append(&self.keyspace.effects);
            self.keyspace.effects.clear();
        }
    }
}
