//! Members and scores on their way to become a sorted set: each member there once, in no order yet.
//!
//! What comes of several sorted sets, or of a range of one, is gathered first and ordered once. How scores are combined is the
//! business of whoever gathers.

use super::{Member, Ranking, Scored, SortedSet, normal, score_entry};
use crate::data::containers::listpack::{Entry, Listpack};
use crate::data::containers::rank_tree::RankTree;
use crate::data::containers::slab::Handle;
use crate::data::containers::table::{Place, Table};
use crate::data::limits::Limits;
use crate::data::number::{Digits, FloatText};
use crate::data::sorting::{self, Ranked, of_float};
use alloc::vec::Vec;

/// Members and their scores, not yet in order.
pub struct Gathering {
    table: Table<Member>,
    /// The members' records, in the order in which they came.
    records: Vec<Handle>,
    longest: usize,
}

impl Gathering {
    /// Nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Gathering { table: Table::new(limits.seed), records: Vec::new(), longest: 0 }
    }

    /// Adds a member, or gives the one that is there a score made of the old and the new one, which must not be NaN.
    pub fn add(&mut self, member: Entry<'_>, score: f64, combine: impl FnOnce(f64, f64) -> f64) {
        let mut digits = Digits::new();
        let member = member.text(&mut digits);
        match Member::place(&mut self.table, member, score) {
            Place::Added(h) => {
                self.records.push(h);
                self.longest = self.longest.max(member.len());
            }
            Place::Found(h) => {
                let slot = self.table.slot_mut(h);
                Member::set_score(slot, combine(Member::score(slot), score));
            }
        }
    }

    /// All of these in their order. The scores are read once beforehand, as the records are all over the memory.
    pub fn sorted(self) -> Sorted {
        let Gathering { table, mut records, longest } = self;
        let score = |h: Handle| of_float(Member::score(table.slot(h)));
        let mut scored: Vec<Ranked> = records.iter().map(|&h| (score(h), h.to_bits())).collect();
        let member = |bits: u32| table.key(Handle::from_bits(bits));
        sorting::sort(&mut scored, &|left, right| member(left).cmp(member(right)));
        records.clear();
        records.extend(scored.into_iter().map(|(_, bits)| Handle::from_bits(bits)));
        Sorted { table, records, longest }
    }
}

/// Members and their scores in order, to be read or to become a sorted set.
pub struct Sorted {
    table: Table<Member>,
    records: Vec<Handle>,
    longest: usize,
}

impl Sorted {
    /// The number of members.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Is there no member?
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The members and their scores.
    pub fn iter(&self) -> impl Iterator<Item = Scored<'_>> {
        self.records.iter().map(|&h| Member::scored(self.table.slot(h)))
    }

    /// A sorted set of these: packed if it may be, as Redis stores what it has put together.
    pub fn into_set(self, limits: &Limits) -> SortedSet {
        if self.len() <= limits.zset_max_listpack_entries
            && self.longest <= limits.zset_max_listpack_value
            && let Some(listpack) = self.packed()
        {
            return listpack.into();
        }
        Ranking { table: self.table, order: RankTree::from_iter(self.records) }.into()
    }

    /// These as a listpack; `None` when they are too much for one.
    fn packed(&self) -> Option<Listpack> {
        let (mut listpack, mut text) = (Listpack::new(), FloatText::new());
        for (member, score) in self.iter() {
            let pair = [normal(member), score_entry(score, &mut text)];
            if listpack.would_exceed(pair.into_iter().map(Entry::size).sum()) {
                return None;
            }
            listpack.append(pair.into_iter());
        }
        Some(listpack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeMap;
    use alloc::format;

    #[test]
    fn what_is_gathered_comes_out_in_order() {
        let limits = Limits::default();
        for many in [0, 1, 128, 129, if cfg!(miri) { 200 } else { 20_000 }] {
            let (mut random, mut gathering, mut model) =
                (random(many), Gathering::new(&limits), BTreeMap::new());
            for n in (0..many).chain((0..many).step_by(3)) {
                let (member, score) = (format!("member {n}"), (random() % 50) as f64 - 25.0);
                gathering.add(member.as_bytes().into(), score, |old, new| old + new);
                *model.entry(member.into_bytes()).or_insert(0.0) += score;
            }
            let sorted = gathering.sorted();
            assert_eq!(sorted.len(), model.len());
            let mut expected: Vec<_> = model.into_iter().map(|(member, score)| (score, member)).collect();
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let text = |(member, score): Scored| (score, member.text(&mut Digits::new()).to_vec());
            assert!(sorted.iter().map(text).eq(expected.iter().cloned()));
            let zset = sorted.into_set(&limits);
            assert_eq!(zset.encoding(), if many <= 128 { "listpack" } else { "skiplist" });
            assert!(zset.iter().map(text).eq(expected.iter().cloned()));
            for (rank, (score, member)) in expected.iter().enumerate() {
                assert_eq!(zset.rank(member), Some((rank, *score)));
            }
        }
    }

    #[test]
    fn one_long_member_keeps_all_from_being_packed() {
        let limits = Limits::default();
        for (len, encoding) in [(64, "listpack"), (65, "skiplist")] {
            let mut gathering = Gathering::new(&limits);
            gathering.add(alloc::vec![b'x'; len].as_slice().into(), 1.0, |_, new| new);
            gathering.add(b"1".as_slice().into(), 1.0, |_, new| new);
            assert_eq!(gathering.sorted().into_set(&limits).encoding(), encoding);
        }
    }
}
