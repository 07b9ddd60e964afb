//! Consumer groups: how far each has read, and which entries were delivered to which consumer and not acknowledged. A
//! group refers to entries by ID and does not care whether they are still there; it knows no stream, time or commands.

use super::{IdMap, StreamId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The number of a consumer in its group; good until the consumer is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerIndex(u32);

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    name: Box<[u8]>,
    /// The ID of the entry delivered last, or set since.
    pub last_id: StreamId,
    /// How many entries there ever were up to the last ID, if that is known.
    pub entries_read: Option<u64>,
    pending: IdMap<Delivery>,
    /// By number; a gap is where one was deleted.
    consumers: Vec<Option<Box<Consumer>>>,
    /// Their numbers in the order of their names.
    by_name: Vec<u32>,
}

/// A consumer of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last asked for something, in milliseconds since 1970.
    pub seen_ms: u64,
    /// When it last got something.
    pub active_ms: Option<u64>,
    pending: IdMap<()>,
}

/// An entry delivered and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub consumer: ConsumerIndex,
    /// When it was last delivered, in milliseconds since 1970.
    pub at_ms: u64,
    /// How often it was delivered.
    pub count: u64,
}

impl Group {
    /// A group without consumers.
    pub fn new(name: &[u8], last_id: StreamId, entries_read: Option<u64>) -> Self {
        Group {
            name: name.into(),
            last_id,
            entries_read,
            pending: IdMap::default(),
            consumers: Vec::new(),
            by_name: Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The consumer of a name.
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerIndex> {
        self.place(name).ok().map(|place| ConsumerIndex(self.by_name[place]))
    }

    /// The consumer of a name, created when missing, and whether it was.
    pub fn consumer_or_create(&mut self, name: &[u8], now_ms: u64) -> (ConsumerIndex, bool) {
        let place = match self.place(name) {
            Ok(place) => return (ConsumerIndex(self.by_name[place]), false),
            Err(place) => place,
        };
        let consumer =
            Consumer { name: name.into(), seen_ms: now_ms, active_ms: None, pending: IdMap::default() };
        let index = match self.consumers.iter().position(Option::is_none) {
            Some(gap) if self.by_name.len() < self.consumers.len() => gap,
            _ => {
                self.consumers.push(None);
                self.consumers.len() - 1
            }
        };
        self.consumers[index] = Some(Box::new(consumer));
        self.by_name.insert(place, index as u32);
        (ConsumerIndex(index as u32), true)
    }

    /// Deletes a consumer and what is pending for it. Answers how much that was, if there is such a consumer.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let index = self.by_name.remove(self.place(name).ok()?);
        let consumer = self.consumers[index as usize].take()?;
        for (id, _) in consumer.pending.iter() {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// A consumer.
    pub fn consumer(&self, index: ConsumerIndex) -> &Consumer {
        self.consumers[index.0 as usize].as_ref().expect("a consumer of this group")
    }

    /// A consumer, to be changed.
    pub fn consumer_mut(&mut self, index: ConsumerIndex) -> &mut Consumer {
        self.consumers[index.0 as usize].as_mut().expect("a consumer of this group")
    }

    /// All consumers in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (ConsumerIndex, &Consumer)> {
        self.by_name.iter().map(|&index| (ConsumerIndex(index), self.consumer(ConsumerIndex(index))))
    }

    /// What is pending, by ID.
    pub fn pending(&self) -> &IdMap<Delivery> {
        &self.pending
    }

    /// Notes a delivery, whoever had the entry before.
    pub fn deliver(&mut self, id: StreamId, delivery: Delivery) {
        let before = self.pending.insert(id, delivery);
        if before.map(|before| before.consumer) != Some(delivery.consumer) {
            if let Some(before) = before {
                self.consumer_mut(before.consumer).pending.remove(id);
            }
            self.consumer_mut(delivery.consumer).pending.insert(id, ());
        }
    }

    /// Notes that an entry needs no more attention. Answers whether it was pending.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(delivery) = self.pending.remove(id) else { return false };
        self.consumer_mut(delivery.consumer).pending.remove(id);
        true
    }

    /// Whether the group still needs an entry: it has not read it, or has and not acknowledged it.
    pub fn needs(&self, id: StreamId) -> bool {
        self.last_id < id || self.pending.get(id).is_some()
    }

    /// The bytes of the heap it occupies.
    pub fn memory(&self) -> usize {
        let consumers = self
            .consumers()
            .map(|(_, consumer)| size_of::<Consumer>() + consumer.name.len() + consumer.pending.memory());
        let lists =
            self.consumers.capacity() * size_of::<Option<Box<Consumer>>>() + self.by_name.capacity() * 4;
        self.name.len() + self.pending.memory() + lists + consumers.sum::<usize>()
    }

    /// Where in the order of names a consumer stands, or else would stand.
    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.by_name.binary_search_by(|&index| (*self.consumer(ConsumerIndex(index)).name).cmp(name))
    }
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The IDs of what is pending for it.
    pub fn pending(&self) -> &IdMap<()> {
        &self.pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn behaves_as_a_map_of_owners() {
        let (mut group, mut model, mut state) =
            (Group::new(b"g", StreamId::MIN, None), BTreeMap::new(), 3u64);
        let mut below = |n: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % n
        };
        for step in 0..20_000u64 {
            let (id, name) = (StreamId::new(below(300), 0), [b'a' + below(9) as u8]);
            match below(8) {
                0..=3 => {
                    let (consumer, _) = group.consumer_or_create(&name, step);
                    group.deliver(id, Delivery { consumer, at_ms: step, count: below(4) });
                    model.insert(id, (name, step));
                }
                4..=6 => assert_eq!(group.acknowledge(id), model.remove(&id).is_some()),
                _ if below(20) == 0 => {
                    let known = group.find_consumer(&name).is_some();
                    let before = model.len();
                    model.retain(|_, (owner, _)| *owner != name);
                    assert_eq!(group.delete_consumer(&name), known.then_some(before - model.len()));
                }
                _ => assert_eq!(group.needs(id), group.last_id < id || model.contains_key(&id)),
            }
            if step % 20 == 0 {
                check(&group, &model);
            }
        }
    }

    fn check(group: &Group, model: &BTreeMap<StreamId, ([u8; 1], u64)>) {
        let ours = group
            .pending()
            .iter()
            .map(|(id, delivery)| (id, (group.consumer(delivery.consumer).name().to_vec(), delivery.at_ms)));
        assert!(ours.eq(model.iter().map(|(id, (name, at))| (*id, (name.to_vec(), *at)))));
        assert!(group.consumers().map(|(_, consumer)| consumer.name()).is_sorted());
        for (index, consumer) in group.consumers() {
            assert_eq!(group.find_consumer(consumer.name()), Some(index));
            let own = model.iter().filter(|(_, (name, _))| name[..] == *consumer.name());
            assert!(consumer.pending().iter().map(|(id, _)| id).eq(own.map(|(id, _)| *id)));
        }
    }
}
