//! What expires, found by when it does: entries of a database, fields of a hash. It holds handles only, in buckets by
//! deadline; what the deadline of a handle is, it asks.
//!
//! A deadline is set far more often than it is reached: a session or a cache entry gets a new one with every use. So only
//! the first bucket is kept in order. Elsewhere a handle is found by its bucket, and there by looking at all of them,
//! which touches none of what they name.

use alloc::{collections::VecDeque, vec::Vec};

use super::slab::Handle;
use crate::data::sorting::{self, Ranked};

/// Handles by (deadline, handle), as deadlines repeat.
#[derive(Default)]
pub struct Deadlines {
    /// In ascending order of what they hold; none is empty.
    buckets: VecDeque<Bucket>,
    len: usize,
}

struct Bucket {
    /// Not above anything in it, and above everything in the bucket before.
    from: (u64, Handle),
    /// In no order; those of the first bucket descending, so that the next to expire is the last.
    handles: Vec<Handle>,
}

/// Handles in a bucket at most: a kilobyte, which is searched in the time of one cache miss.
const ROOM: usize = 256;

impl Deadlines {
    /// How many expire.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing expires.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The one that expires next.
    #[inline]
    pub fn first(&self) -> Option<Handle> {
        self.buckets.front()?.handles.last().copied()
    }

    /// Frees some of an index that is of no other use any more; false when nothing was left.
    pub fn free_piece(&mut self) -> bool {
        const BUCKETS: usize = 64;
        let left = self.buckets.len().saturating_sub(BUCKETS);
        let goes_on = !self.buckets.is_empty();
        self.buckets.truncate(left);
        goes_on
    }

    /// Bytes asked from the allocator.
    pub fn allocated(&self) -> usize {
        let handles: usize = self.buckets.iter().map(|bucket| bucket.handles.capacity()).sum();
        self.buckets.capacity() * size_of::<Bucket>() + handles * size_of::<Handle>()
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = Handle> + Clone {
        self.buckets.iter().flat_map(|bucket| bucket.handles.iter().copied())
    }

    /// One of them by chance, though not each as likely as any other: a bucket is, however much it holds. `random` yields
    /// 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Handle> {
        let mut below = |bound: usize| ((u128::from(random()) * bound as u128) >> 64) as usize;
        let bucket = self.buckets.get(below(self.buckets.len()))?;
        bucket.handles.get(below(bucket.handles.len())).copied()
    }

    /// Adds what expires `at` a time. `deadline_of` says when others do.
    pub fn insert(&mut self, at: u64, handle: Handle, deadline_of: impl Fn(Handle) -> u64) {
        let new = (at, handle);
        let key_of = |handle| (deadline_of(handle), handle);
        self.len += 1;
        if self.buckets.is_empty() {
            self.buckets.push_back(Bucket::new(new));
        }
        let mut index = self.bucket_of(new);
        if self.buckets[index].handles.len() == ROOM {
            let upper = self.buckets[index].split(new, key_of);
            if upper.from <= new {
                index += 1;
                self.buckets.insert(index, upper);
            } else {
                self.buckets.insert(index + 1, upper);
            }
        }
        let bucket = &mut self.buckets[index];
        bucket.from = bucket.from.min(new);
        let place = match index {
            0 => bucket.handles.partition_point(|&other| key_of(other) > new),
            _ => bucket.handles.len(),
        };
        bucket.handles.insert(place, handle);
    }

    /// Removes what expires `at` a time.
    pub fn remove(&mut self, at: u64, handle: Handle, deadline_of: impl Fn(Handle) -> u64) {
        if self.is_empty() {
            return;
        }
        let index = self.bucket_of((at, handle));
        let handles = &mut self.buckets[index].handles;
        let Some(place) = handles.iter().position(|&other| other == handle) else { return };
        self.len -= 1;
        if index > 0 {
            handles.swap_remove(place);
        } else {
            handles.remove(place);
        }
        if handles.is_empty() {
            self.buckets.remove(index);
            if index == 0 {
                self.order_first(deadline_of);
            }
        }
    }

    /// The bucket in which `key` is, or belongs.
    #[inline]
    fn bucket_of(&self, key: (u64, Handle)) -> usize {
        self.buckets.partition_point(|bucket| bucket.from <= key).saturating_sub(1)
    }

    /// Puts what has become the first bucket in order.
    fn order_first(&mut self, deadline_of: impl Fn(Handle) -> u64) {
        if let Some(first) = self.buckets.front_mut() {
            first.order(&|handle| (deadline_of(handle), handle));
        }
    }
}

impl Bucket {
    /// A bucket for `from`, still empty.
    fn new(from: (u64, Handle)) -> Bucket {
        Bucket { from, handles: Vec::new() }
    }

    /// Puts the handles in descending order.
    fn order(&mut self, key_of: &dyn Fn(Handle) -> (u64, Handle)) {
        let keys = self.handles.iter().map(|&handle| key_of(handle));
        let mut keys: Vec<Ranked> = keys.map(|(deadline, handle)| (!deadline, handle.to_bits())).collect();
        sorting::sort(&mut keys, &|a, b| b.cmp(&a));
        self.handles.clear();
        self.handles.extend(keys.into_iter().map(|(_, bits)| Handle::from_bits(bits)));
    }

    /// Gives the upper part of a full bucket away: half of it, or no more than comes after `new` when that is little.
    /// Deadlines mostly come in ascending order, and then the bucket stays full, and the upper part begins with `new`.
    fn split(&mut self, new: (u64, Handle), key_of: impl Fn(Handle) -> (u64, Handle)) -> Bucket {
        self.order(&key_of);
        let after = self.handles.partition_point(|&handle| key_of(handle) > new);
        let count = if after <= ROOM / 8 { after } else { ROOM / 2 };
        let mut upper = Vec::with_capacity(ROOM);
        upper.extend(self.handles.drain(..count));
        let from = upper.last().map_or(new, |&lowest| key_of(lowest));
        Bucket { from: if count == after { from.min(new) } else { from }, handles: upper }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::{BTreeMap, BTreeSet};

    /// Entries as a map, with their order as a set beside.
    fn check(deadlines: &Deadlines, model: &BTreeMap<Handle, u64>) {
        let order: BTreeSet<(u64, Handle)> = model.iter().map(|(&handle, &at)| (at, handle)).collect();
        assert_eq!(deadlines.len(), model.len());
        assert_eq!(deadlines.first(), order.first().map(|&(_, handle)| handle));
        let mut held: Vec<Handle> = deadlines.iter().collect();
        held.sort();
        assert!(held.iter().eq(model.keys()));
        assert!(
            deadlines.buckets.iter().all(|bucket| !bucket.handles.is_empty() && bucket.handles.len() <= ROOM)
        );
    }

    #[test]
    fn the_next_to_expire_is_first_whatever_comes_and_goes() {
        for (seed, span) in [(1, 10), (2, 1000), (3, 1_000_000)] {
            let (mut random, mut deadlines, mut model) =
                (random(seed), Deadlines::default(), BTreeMap::new());
            for step in 0..20_000u64 {
                let handle = Handle::from_bits((random() % 3000) as u32);
                if let Some(at) = model.remove(&handle) {
                    deadlines.remove(at, handle, |other| model.get(&other).copied().unwrap_or(at));
                }
                // More come than go until the middle, and the other way round after it.
                if random() % 20_000 > step {
                    // Often in ascending order, as time goes.
                    let at = if random() % 2 == 0 { step * span / 1000 } else { random() % span };
                    deadlines.insert(at, handle, |other| model[&other]);
                    model.insert(handle, at);
                }
                if step % 500 == 0 {
                    check(&deadlines, &model);
                }
            }
            while let Some(handle) = deadlines.first() {
                check(&deadlines, &model);
                let at = model.remove(&handle).expect("it is in the model");
                deadlines.remove(at, handle, |other| model.get(&other).copied().unwrap_or(at));
            }
            assert!(model.is_empty());
        }
    }

    #[test]
    fn deadlines_in_order_fill_their_buckets() {
        let mut deadlines = Deadlines::default();
        for i in 0..10_000u64 {
            deadlines.insert(i / 50, Handle::from_bits(i as u32), |handle| handle.to_bits() as u64 / 50);
        }
        assert!(deadlines.buckets.len() <= 10_000 / ROOM + 1);
    }
}
