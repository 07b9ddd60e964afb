//! A map by ascending ID, kept in runs of a hundred or so. IDs mostly come in order and mostly go in order, so adding at
//! the end fills the runs up and removing at the front moves nothing. It knows neither groups nor consumers.

use super::StreamId;
use alloc::collections::VecDeque;

/// The most entries of a run.
const MAX_RUN: usize = 128;

type Run<T> = VecDeque<(StreamId, T)>;

/// Values by ID. Allocates nothing while empty.
#[derive(Clone, Debug)]
pub struct IdMap<T> {
    /// In ascending order, none empty.
    runs: VecDeque<Run<T>>,
    len: usize,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        IdMap { runs: VecDeque::new(), len: 0 }
    }
}

impl<T> IdMap<T> {
    /// How many IDs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of an ID.
    pub fn get(&self, id: StreamId) -> Option<&T> {
        let (run, at) = self.find(id).ok()?;
        Some(&self.runs[run][at].1)
    }

    /// The value of an ID, to be changed.
    pub fn get_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let (run, at) = self.find(id).ok()?;
        Some(&mut self.runs[run][at].1)
    }

    /// Sets the value of an ID. Answers the one it had.
    pub fn insert(&mut self, id: StreamId, value: T) -> Option<T> {
        let (run, at) = match self.find(id) {
            Ok((run, at)) => return Some(core::mem::replace(&mut self.runs[run][at].1, value)),
            Err(place) => place,
        };
        self.len += 1;
        match self.runs.get_mut(run) {
            Some(entries) if entries.len() < MAX_RUN => entries.insert(at, (id, value)),
            Some(entries) if at < MAX_RUN => {
                let mut rest = entries.split_off(MAX_RUN / 2);
                let (side, at) = if at > MAX_RUN / 2 { (&mut rest, at - MAX_RUN / 2) } else { (entries, at) };
                side.insert(at, (id, value));
                self.runs.insert(run + 1, rest);
            }
            // What comes behind a full run begins another, so that runs stay full when IDs come in order.
            full => {
                let next = if full.is_some() { run + 1 } else { run };
                self.runs.insert(next, Run::from([(id, value)]));
            }
        }
        None
    }

    /// Removes an ID. Answers the value it had.
    pub fn remove(&mut self, id: StreamId) -> Option<T> {
        let (run, at) = self.find(id).ok()?;
        let (_, value) = self.runs[run].remove(at)?;
        self.len -= 1;
        self.compact(run);
        Some(value)
    }

    /// The first ID with its value.
    pub fn first(&self) -> Option<(StreamId, &T)> {
        self.runs.front()?.front().map(|(id, value)| (*id, value))
    }

    /// The last ID with its value.
    pub fn last(&self) -> Option<(StreamId, &T)> {
        self.runs.back()?.back().map(|(id, value)| (*id, value))
    }

    /// The IDs and their values in order.
    pub fn iter(&self) -> impl Iterator<Item = (StreamId, &T)> {
        self.runs.iter().flatten().map(|(id, value)| (*id, value))
    }

    /// The IDs from `start` on, and their values.
    pub fn iter_from(&self, start: StreamId) -> impl Iterator<Item = (StreamId, &T)> {
        let (Ok((run, at)) | Err((run, at))) = self.find(start);
        let (first, after) = match self.runs.get(run) {
            Some(_) => (Some(self.runs[run].range(at..)), run + 1),
            None => (None, run),
        };
        first.into_iter().flatten().chain(self.runs.range(after..).flatten()).map(|(id, value)| (*id, value))
    }

    /// The bytes of the heap it occupies. Visits every run.
    pub fn memory(&self) -> usize {
        let entries: usize = self.runs.iter().map(VecDeque::capacity).sum();
        self.runs.capacity() * size_of::<Run<T>>() + entries * size_of::<(StreamId, T)>()
    }

    /// The run and the place in it where an ID is, or else where it would be.
    fn find(&self, id: StreamId) -> Result<(usize, usize), (usize, usize)> {
        let run = match self.runs.back() {
            // Most IDs are new.
            Some(last) if last[0].0 <= id => self.runs.len() - 1,
            Some(_) => self.runs.partition_point(|run| run[0].0 <= id).saturating_sub(1),
            None => return Err((0, 0)),
        };
        match self.runs[run].binary_search_by(|(other, _)| other.cmp(&id)) {
            Ok(at) => Ok((run, at)),
            Err(at) => Err((run, at)),
        }
    }

    /// Gives back the room of entries removed from a run.
    fn compact(&mut self, run: usize) {
        let len = self.runs[run].len();
        if len == 0 {
            self.runs.remove(run);
        } else if let Some(next) = self.runs.get(run + 1)
            && len + next.len() <= MAX_RUN / 2
        {
            let mut next = self.runs.remove(run + 1).expect("just seen");
            self.runs[run].append(&mut next);
        } else if len < self.runs[run].capacity() / 4 {
            self.runs[run].shrink_to(2 * len);
        }
        if self.runs.is_empty() || self.runs.len() < self.runs.capacity() / 4 {
            self.runs.shrink_to(2 * self.runs.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    #[test]
    fn behaves_as_a_map() {
        let (mut map, mut model, mut state) = (IdMap::default(), BTreeMap::new(), 7u64);
        let mut below = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for step in 0..20_000u64 {
            // Growing and shrinking by turns, in the middle and at the ends.
            let grows = step / 2000 % 2 == 0;
            let id = match below(3) {
                0 if grows => StreamId::new(1000 + step, 0),
                0 => map.first().map_or(StreamId::MIN, |(id, _)| id),
                _ => StreamId::new(below(1000), below(3)),
            };
            match below(4) {
                0 => assert_eq!(map.remove(id), model.remove(&id)),
                1 if !grows => assert_eq!(map.remove(id), model.remove(&id)),
                2 => assert_eq!(map.get_mut(id), model.get_mut(&id)),
                _ => assert_eq!(map.insert(id, step), model.insert(id, step)),
            }
            assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
            assert_eq!(map.get(id), model.get(&id));
            assert_eq!(map.first().map(|(id, _)| id), model.keys().next().copied());
            assert_eq!(map.last().map(|(id, _)| id), model.keys().next_back().copied());
            if step % 50 == 0 {
                assert!(map.iter().eq(model.iter().map(|(id, value)| (*id, value))));
                assert!(map.iter_from(id).eq(model.range(id..).map(|(id, value)| (*id, value))));
                assert!(map.runs.iter().all(|run| !run.is_empty() && run.len() <= MAX_RUN));
            }
        }
    }

    #[test]
    fn runs_are_full_when_ids_come_in_order_and_go_with_them() {
        let mut map = IdMap::default();
        let ids: Vec<_> = (0..1000).map(|ms| StreamId::new(ms, 0)).collect();
        assert!(ids.iter().all(|&id| map.insert(id, ()).is_none()));
        assert_eq!(map.runs.len(), 1000usize.div_ceil(MAX_RUN));
        assert!(ids.iter().all(|&id| map.remove(id) == Some(())));
        assert_eq!((map.len(), map.runs.len(), map.runs.capacity()), (0, 0, 0));
    }
}
