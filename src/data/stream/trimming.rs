//! Trimming: removing the first entries of a stream, exactly or by whole nodes, with regard to groups or without. It
//! does not count as deletion of single entries, which is remembered as such.

use super::{Body, Stream, StreamId};
use alloc::vec::Vec;

/// What trimming keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last entries, as many as this.
    Last(u64),
    /// Entries from this ID on.
    From(StreamId),
}

/// How exact trimming is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Exactly as told.
    Exact,
    /// Whole nodes only, and no more entries than this, unless it is 0.
    Nodes {
        /// The most entries to remove.
        most: u64,
    },
}

/// What happens to an entry that groups refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum References {
    /// It goes, and they still refer to it.
    #[default]
    Keep,
    /// It goes, and they forget it.
    Drop,
    /// It stays while a group needs it.
    Respect,
}

impl Stream {
    /// Removes entries at the front. Answers how many.
    pub fn trim(&mut self, keep: Keep, precision: Precision, references: References) -> u64 {
        let before = self.body.len;
        match references {
            References::Keep => self.body.trim(keep, precision),
            _ => self.trim_singly(keep, precision, references),
        }
        before - self.body.len
    }

    /// Looks at entries one by one, as groups may have an interest in them.
    fn trim_singly(&mut self, keep: Keep, precision: Precision, references: References) {
        let last = match precision {
            Precision::Exact => Some(StreamId::MAX),
            Precision::Nodes { most } => self.body.end_of_nodes(keep, most),
        };
        let Some(last) = last else { return };
        let mut surplus = match keep {
            Keep::Last(most) => self.body.len.saturating_sub(most),
            Keep::From(_) => u64::MAX,
        };
        let mut doomed = Vec::new();
        for entry in self.range(StreamId::MIN, last) {
            if surplus == 0 || matches!(keep, Keep::From(first) if entry.id >= first) {
                break;
            }
            if references == References::Drop || !self.is_referenced(entry.id) {
                doomed.push(entry.id);
                surplus -= 1;
            }
        }
        for id in doomed {
            self.body.remove(id);
            if references == References::Drop {
                self.drop_references(id);
            }
        }
    }
}

impl Body {
    fn trim(&mut self, keep: Keep, precision: Precision) {
        let before = self.len;
        while let Some(node) = self.nodes.front_mut() {
            let live = node.live() as u64;
            let removed = before - self.len;
            let too_many = match keep {
                Keep::Last(most) if self.len <= most => break,
                Keep::Last(most) => self.len - most,
                Keep::From(_) => u64::MAX,
            };
            if let Precision::Nodes { most } = precision
                && most > 0
                && removed + live > most
            {
                break;
            }
            let whole = match keep {
                Keep::Last(_) => live <= too_many,
                Keep::From(first) => node.last_id() < first,
            };
            if whole {
                self.nodes.pop_front();
                self.len -= live;
                continue;
            }
            if precision == Precision::Exact {
                let last = match keep {
                    Keep::Last(_) => Some(StreamId::MAX),
                    Keep::From(first) => first.previous(),
                };
                let most = usize::try_from(too_many).unwrap_or(usize::MAX);
                self.len -= last.map_or(0, |last| node.delete_through(last, most)) as u64;
                if node.live() == 0 {
                    self.nodes.pop_front();
                }
            }
            break;
        }
        if self.nodes.capacity() > 32 && self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }

    /// The last ID of the nodes that trimming by whole nodes would remove; `None` when there is no such node.
    fn end_of_nodes(&self, keep: Keep, most: u64) -> Option<StreamId> {
        let (mut removed, mut end) = (0, None);
        for node in &self.nodes {
            let (live, last) = (node.live() as u64, node.last_id());
            let whole = match keep {
                Keep::Last(kept) => self.len - removed >= kept.saturating_add(live),
                Keep::From(first) => last < first,
            };
            if !whole || most > 0 && removed + live > most {
                break;
            }
            removed += live;
            end = Some(last);
        }
        end
    }
}
