//! A map and a set in the order of their keys, as chunks of sorted entries: what the engine remembers of clients, names
//! and keys. They are not what values are made of. Among a thousand keys the standard library's trees take a little less
//! time and among a million half of it, but every kind of key and value takes ten times the code with them, and that code
//! is a good part of the module.

use alloc::{vec, vec::Vec};
use core::borrow::Borrow;
use core::{mem, slice};

/// A chunk has at most so many entries.
const CHUNK_MAX: usize = 64;

/// Neighbours that have no more together become one.
const MERGED_MAX: usize = 32;

/// Values by their keys, in the order of these.
#[derive(Clone, Debug)]
pub struct OrderedMap<K, V> {
    /// None is empty.
    chunks: Vec<Vec<(K, V)>>,
    len: usize,
}

/// Keys in their order.
#[derive(Clone, Debug)]
pub struct OrderedSet<K>(OrderedMap<K, ()>);

/// The entries of a map, in order.
pub struct Iter<'m, K, V> {
    chunks: slice::Iter<'m, Vec<(K, V)>>,
    chunk: slice::Iter<'m, (K, V)>,
}

impl<K, V> OrderedMap<K, V> {
    /// Nothing.
    pub const fn new() -> Self {
        OrderedMap { chunks: Vec::new(), len: 0 }
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter { chunks: self.chunks.iter(), chunk: [].iter() }
    }

    /// The entries in order, their values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.chunks.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entry with the least key.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.chunks.first().and_then(|chunk| chunk.first()).map(|(key, value)| (key, value))
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        *self = OrderedMap::new();
    }

    /// Keeps only some entries.
    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        self.chunks.iter_mut().for_each(|chunk| chunk.retain(|(key, value)| keeps(key, value)));
        self.chunks.retain(|chunk| !chunk.is_empty());
        self.len = self.chunks.iter().map(Vec::len).sum();
    }
}

impl<K: Ord, V> OrderedMap<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        at.ok().map(|at| &self.chunks[chunk][at].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        at.ok().map(|at| &mut self.chunks[chunk][at].1)
    }

    /// Whether there is an entry with a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).1.is_ok()
    }

    /// The first entry whose key is not less.
    pub fn first_from<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (chunk, Ok(at) | Err(at)) = self.find(key);
        let found = self.chunks.get(chunk)?.get(at);
        found.or_else(|| self.chunks.get(chunk + 1)?.first()).map(|(key, value)| (key, value))
    }

    /// Puts a value under a key; returns the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            (chunk, Ok(at)) => Some(mem::replace(&mut self.chunks[chunk][at].1, value)),
            (chunk, Err(at)) => {
                self.insert_at(chunk, at, (key, value));
                None
            }
        }
    }

    /// The value of a key, to be changed; made first if it is missing.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let (chunk, at) = match self.find(&key) {
            (chunk, Ok(at)) => (chunk, at),
            (chunk, Err(at)) => self.insert_at(chunk, at, (key, make())),
        };
        &mut self.chunks[chunk][at].1
    }

    /// The value of a key, to be changed; the default if it is missing.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    /// Removes a key; returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        let (_, value) = self.chunks[chunk..].first_mut()?.remove(at.ok()?);
        self.len -= 1;
        self.merge(chunk);
        Some(value)
    }

    /// The chunk of a key and its place there, or where it would be.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> (usize, Result<usize, usize>)
    where
        K: Borrow<Q>,
    {
        let after = self.chunks.partition_point(|chunk| chunk[0].0.borrow() <= key);
        let chunk = after.saturating_sub(1);
        let entries = self.chunks.get(chunk).map_or(&[][..], Vec::as_slice);
        (chunk, entries.binary_search_by(|entry| entry.0.borrow().cmp(key)))
    }

    /// Puts an entry where [`Self::find`] would find it; returns where it is then.
    fn insert_at(&mut self, chunk: usize, at: usize, entry: (K, V)) -> (usize, usize) {
        self.len += 1;
        let Some(entries) = self.chunks.get_mut(chunk) else {
            self.chunks.push(vec![entry]);
            return (0, 0);
        };
        entries.insert(at, entry);
        if entries.len() <= CHUNK_MAX {
            return (chunk, at);
        }
        // What comes in order fills its chunks.
        let half = if at == CHUNK_MAX { CHUNK_MAX } else { CHUNK_MAX / 2 };
        let rest = entries.split_off(half);
        self.chunks.insert(chunk + 1, rest);
        if at < half { (chunk, at) } else { (chunk + 1, at - half) }
    }

    /// Puts a chunk that has lost an entry together with the next or the one before if both are small.
    fn merge(&mut self, chunk: usize) {
        if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
            return;
        }
        for first in [chunk, chunk.wrapping_sub(1)] {
            if let Some([left, right]) = self.chunks.get_mut(first..).and_then(|rest| rest.first_chunk_mut())
                && left.len() + right.len() <= MERGED_MAX
            {
                left.append(right);
                self.chunks.remove(first + 1);
                return;
            }
        }
    }
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        OrderedMap::new()
    }
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<(&'m K, &'m V)> {
        loop {
            if let Some((key, value)) = self.chunk.next() {
                return Some((key, value));
            }
            self.chunk = self.chunks.next()?.iter();
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for OrderedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = OrderedMap::new();
        entries.into_iter().for_each(|(key, value)| drop(map.insert(key, value)));
        map
    }
}

impl<'m, K, V> IntoIterator for &'m OrderedMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Iter<'m, K, V> {
        self.iter()
    }
}

impl<K, V> IntoIterator for OrderedMap<K, V> {
    type Item = (K, V);
    type IntoIter = core::iter::Flatten<vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

impl<K> OrderedSet<K> {
    /// Nothing.
    pub const fn new() -> Self {
        OrderedSet(OrderedMap::new())
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys in order.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    /// The least key.
    pub fn first(&self) -> Option<&K> {
        self.0.first().map(|(key, _)| key)
    }
}

impl<K: Ord> OrderedSet<K> {
    /// Whether a key is there.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// Adds a key; false when it was there.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Removes a key; false when it was not there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).is_some()
    }
}

impl<K> Default for OrderedSet<K> {
    fn default() -> Self {
        OrderedSet::new()
    }
}

impl<'s, K> IntoIterator for &'s OrderedSet<K> {
    type Item = &'s K;
    type IntoIter = core::iter::Map<Iter<'s, K, ()>, fn((&'s K, &'s ())) -> &'s K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, ())| key)
    }
}

impl<K> IntoIterator for OrderedSet<K> {
    type Item = K;
    type IntoIter = core::iter::Map<<OrderedMap<K, ()> as IntoIterator>::IntoIter, fn((K, ())) -> K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(key, ())| key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::random;
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn it_is_a_map_in_order() {
        for seed in 1..4 {
            let (mut random, mut map, mut model) = (random(seed), OrderedMap::new(), BTreeMap::new());
            for i in 0..6000 {
                let key = random() % 700;
                // It grows, and then it goes.
                if random() % 100 < if i < 3000 { 70 } else { 20 } {
                    assert_eq!(map.insert(key, i), model.insert(key, i));
                } else {
                    assert_eq!(map.remove(&key), model.remove(&key));
                }
                let other = random() % 700;
                assert_eq!(map.get(&other), model.get(&other));
                assert_eq!(map.get_mut(&other), model.get_mut(&other));
                assert_eq!(map.contains_key(&other), model.contains_key(&other));
                assert_eq!(map.first_from(&other), model.range(other..).next());
                assert_eq!((map.first(), map.len()), (model.first_key_value(), model.len()));
                if i % 50 == 0 {
                    assert!(map.iter().eq(&model) && map.values().eq(model.values()));
                    assert!(map.chunks.iter().all(|chunk| (1..=CHUNK_MAX).contains(&chunk.len())));
                }
            }
            map.retain(|key, _| key % 3 == 0);
            model.retain(|key, _| key % 3 == 0);
            assert_eq!(map.len(), model.len());
            assert!(map.iter_mut().map(|(key, value)| (*key, *value)).eq(model.clone()));
            assert!(map.into_iter().eq(model));
        }
    }

    #[test]
    fn what_comes_in_order_fills_the_chunks_and_what_goes_empties_them() {
        let mut map = OrderedMap::<u32, u32>::new();
        (0..64_000).for_each(|key| *map.get_or_default(key) += key);
        assert_eq!((map.len(), map.chunks.len()), (64_000, 1000));
        (0..64_000).filter(|key| key % 100 != 0).for_each(|key| assert!(map.remove(&key).is_some()));
        assert!(map.chunks.len() < 60, "{} chunks of {}", map.chunks.len(), map.len());
    }

    #[test]
    fn it_is_a_set_in_order() {
        let mut set = OrderedSet::new();
        assert!(set.insert(3) && set.insert(1) && !set.insert(3) && set.contains(&1));
        assert_eq!((set.len(), set.first()), (2, Some(&1)));
        assert!(set.remove(&1) && !set.remove(&1) && !set.is_empty());
        assert_eq!(set.into_iter().collect::<Vec<_>>(), [3]);
    }
}
