//! Sorted sets: members, each there once, in the order of their scores and then of their bytes.
//!
//! A sorted set begins as a listpack of members and scores in order and becomes a table with a tree of ranks when it has
//! too many or too long members; never back. The moments are Redis's. Scores are no NaN, and -0 is as great as 0. What to
//! do with several sorted sets is the business of the commands.

use crate::data::containers::listpack::{self, Entry, Listpack};
use crate::data::containers::rank_tree::{self, Prefetching, RankTree, Search};
use crate::data::containers::slab::Handle;
use crate::data::containers::table::{Layout, Place, Table, len_of_len, read_len, write_len};
use crate::data::containers::tagged::{Form, Tagged};
use crate::data::limits::Limits;
use crate::data::number::{self, Digits, FloatText};
use core::cmp::Ordering;
use core::ops::{self, Bound};

mod gathering;

pub use gathering::{Gathering, Sorted};

/// A sorted set, as wide as a pointer.
#[derive(Clone)]
pub struct SortedSet {
    form: Tagged<Listpack, Ranking>,
}

/// How a sorted set is stored, for whoever copies its bytes.
pub enum View<'z> {
    /// Members and scores by turns, as Redis stores them.
    Listpack(&'z Listpack),
    /// A table, of which there is no more to see than its members and scores.
    Table,
}

/// A member and its score.
pub type Scored<'z> = (Entry<'z>, f64);

/// What [`SortedSet::insert`] came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Insert {
    /// The member is new.
    Added,
    /// The member was there with another score.
    Updated,
    /// The member was there with this score.
    Same,
}

/// The large form: members by their bytes, and by their rank.
struct Ranking {
    table: Table<Member>,
    order: RankTree,
}

/// Records of a table: score, length of the member, member.
enum Member {}

const SCORE: usize = 8;

impl SortedSet {
    /// A sorted set of nothing.
    pub fn new() -> Self {
        Listpack::new().into()
    }

    /// Takes over a packed sorted set that came from outside; `None` when a member is there twice or without a score.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Option<Self> {
        let (mut ranking, mut digits) = (Ranking::new(limits.seed), Digits::new());
        let (mut elements, mut is_sorted) = (listpack.iter(), true);
        while let Some(member) = elements.next() {
            let score = parse_score(elements.next()?)?;
            let rank = ranking.add(member.text(&mut digits), score)?;
            is_sorted &= rank + 1 == ranking.order.len();
        }
        if ranking.order.len() > limits.zset_max_listpack_entries {
            return Some(ranking.into());
        }
        if is_sorted {
            return Some(listpack.into());
        }
        let mut sorted = Listpack::new();
        ranking.range(0..ranking.order.len()).for_each(|(member, score)| {
            sorted.append([member, score_entry(score, &mut FloatText::new())].map(normal).into_iter());
        });
        Some(sorted.into())
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.get() {
            Form::Large(ranking) => ranking.order.len(),
            Form::Small(listpack) => listpack.len() / 2,
        }
    }

    /// Is there no member?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self.view() {
            View::Listpack(_) => "listpack",
            View::Table => "skiplist",
        }
    }

    /// How it is stored.
    pub fn view(&self) -> View<'_> {
        match self.form.get() {
            Form::Large(_) => View::Table,
            Form::Small(listpack) => View::Listpack(listpack),
        }
    }

    /// Bytes of the heap it occupies.
    pub fn memory(&self) -> usize {
        match self.form.get() {
            Form::Large(ranking) => {
                size_of_val(ranking) + ranking.table.allocated() + ranking.order.allocated()
            }
            Form::Small(listpack) => listpack.heap_size(),
        }
    }

    /// About how many pieces it would take apart into: one when it is packed.
    pub fn parts(&self) -> usize {
        match self.form.get() {
            Form::Large(ranking) => ranking.order.len(),
            Form::Small(_) => 1,
        }
    }

    /// Frees some of a sorted set that is of no other use any more; false when the rest is freed with it.
    pub fn free_piece(&mut self) -> bool {
        match self.form.get_mut() {
            Form::Large(ranking) => ranking.order.free_piece() || ranking.table.free_piece(),
            Form::Small(_) => false,
        }
    }

    /// Makes ready for `more` members. As in Redis, the number alone may make it a table.
    pub fn expect(&mut self, more: usize, limits: &Limits) {
        if more > limits.zset_max_listpack_entries {
            self.make_ranking(limits);
        }
    }

    /// Gives a member a score, adding the member when it is new.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &Limits) -> Insert {
        debug_assert!(!score.is_nan());
        let listpack = match self.form.get_mut() {
            Form::Large(ranking) => return ranking.insert(member, score),
            Form::Small(listpack) => listpack,
        };
        let found = find(listpack, member);
        if let Some((at, old)) = found {
            if old == score {
                return Insert::Same;
            }
            listpack.remove_run(at, 2);
        } else if !may_pack(listpack, member, limits) {
            return self.make_ranking(limits).insert(member, score);
        }
        insert_packed(listpack, member, score);
        if found.is_some() { Insert::Updated } else { Insert::Added }
    }

    /// The score of a member.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.form.get() {
            Form::Large(Ranking { table, .. }) => table.find(member).map(|h| Member::score(table.slot(h))),
            Form::Small(listpack) => find(listpack, member).map(|(_, score)| score),
        }
    }

    /// Asks the processor to load a member that is looked for soon.
    #[inline]
    pub fn prefetch(&self, member: &[u8]) {
        if let Form::Large(Ranking { table, .. }) = self.form.get() {
            table.prefetch_key(member);
        }
    }

    /// Is this a member?
    pub fn contains(&self, member: &[u8]) -> bool {
        self.score(member).is_some()
    }

    /// The rank of a member, counted from the lowest, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self.form.get() {
            Form::Large(Ranking { table, order }) => {
                let score = Member::score(table.slot(table.find(member)?));
                Some((order.partition_point(place_of(table, score, member)), score))
            }
            Form::Small(listpack) => {
                let (at, score) = find(listpack, member)?;
                // The walk to the member includes it.
                Some((listpack.entries_to(at).count() / 2, score))
            }
        }
    }

    /// Removes a member; answers with its score when it was there.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.form.get_mut() {
            Form::Large(ranking) => ranking.remove(member),
            Form::Small(listpack) => {
                let (at, score) = find(listpack, member)?;
                listpack.remove_run(at, 2);
                Some(score)
            }
        }
    }

    /// Removes the members at these ranks, each of which `last_look` sees, from the lowest, before it is gone. Ranks
    /// beyond the end are ignored.
    pub fn remove_range(&mut self, ranks: ops::Range<usize>, mut last_look: impl FnMut(Scored<'_>)) {
        let ranks = within(ranks, self.len());
        match self.form.get_mut() {
            Form::Large(Ranking { table, order }) => order.remove_range(ranks, |h| {
                table.remove_record(h, |h, table| last_look(Member::scored(table.slot(h))));
            }),
            Form::Small(listpack) => {
                Range::Listpack(packed_range(listpack, &ranks)).for_each(last_look);
                listpack.remove_range(2 * ranks.start as isize, 2 * ranks.len());
            }
        }
    }

    /// Removes the member with the lowest score, which `last_look` sees before it is gone.
    pub fn pop_first<R>(&mut self, last_look: impl FnOnce(Scored<'_>) -> R) -> Option<R> {
        self.pop_at(0, last_look)
    }

    /// Removes the member with the highest score, which `last_look` sees before it is gone.
    pub fn pop_last<R>(&mut self, last_look: impl FnOnce(Scored<'_>) -> R) -> Option<R> {
        self.pop_at(self.len().checked_sub(1)?, last_look)
    }

    /// The member at a rank and its score.
    pub fn get(&self, rank: usize) -> Option<Scored<'_>> {
        self.range(rank..rank.saturating_add(1)).next()
    }

    /// The members at these ranks in order, from either end. Ranks beyond the end are ignored.
    pub fn range(
        &self,
        ranks: ops::Range<usize>,
    ) -> impl DoubleEndedIterator<Item = Scored<'_>> + ExactSizeIterator {
        let ranks = within(ranks, self.len());
        let left = ranks.len();
        let range = match self.form.get() {
            Form::Large(ranking) => Range::Ranking(ranking.range(ranks)),
            Form::Small(listpack) => Range::Listpack(packed_range(listpack, &ranks)),
        };
        Counted { range, left }
    }

    /// All members in order, from either end.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Scored<'_>> + ExactSizeIterator {
        self.range(0..self.len())
    }

    /// The ranks of the members whose scores are between two bounds.
    pub fn ranks_by_score(&self, min: Bound<f64>, max: Bound<f64>) -> ops::Range<usize> {
        let start = self.partition_point(|(_, score)| is_below_min(min, |min| compare_scores(score, *min)));
        let end = self.partition_point(|(_, score)| is_up_to_max(max, |max| compare_scores(score, *max)));
        start..end.max(start)
    }

    /// The ranks of the members that are between two bounds themselves. It takes equal scores for this to mean anything.
    pub fn ranks_by_member(&self, min: Bound<&[u8]>, max: Bound<&[u8]>) -> ops::Range<usize> {
        let compare = |member: Entry<'_>, bound: &[u8]| member.text(&mut Digits::new()).cmp(bound);
        let start = self.partition_point(|(member, _)| is_below_min(min, |min| compare(member, min)));
        let end = self.partition_point(|(member, _)| is_up_to_max(max, |max| compare(member, max)));
        start..end.max(start)
    }

    /// The rank of the first member that is not before the place sought; the length when all are.
    pub fn partition_point(&self, mut is_before: impl FnMut(Scored<'_>) -> bool) -> usize {
        match self.form.get() {
            Form::Large(Ranking { table, order }) => {
                let is_before = |h| is_before(Member::scored(table.slot(h)));
                order.partition_point(Prefetching(is_before, |h| table.prefetch(h)))
            }
            Form::Small(_) => self.iter().take_while(|scored| is_before(*scored)).count(),
        }
    }

    /// A member chosen by chance and its score, each as likely as any other; `random` yields 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Scored<'_>> {
        self.get(((random() as u128 * self.len() as u128) >> 64) as usize)
    }

    /// Visits at least `count` members from `cursor` on, all of them when the set is packed, and returns the cursor to go
    /// on with: 0 when all were visited.
    pub fn scan<'v>(&'v self, cursor: u64, count: usize, mut visit: impl FnMut(Scored<'v>)) -> u64 {
        match self.form.get() {
            Form::Large(Ranking { table, .. }) => {
                table.scan(cursor, count, |h| visit(Member::scored(table.slot(h))))
            }
            Form::Small(_) => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    fn pop_at<R>(&mut self, rank: usize, last_look: impl FnOnce(Scored<'_>) -> R) -> Option<R> {
        let (mut last_look, mut result) = (Some(last_look), None);
        self.remove_range(rank..rank + 1, |scored| result = last_look.take().map(|look| look(scored)));
        result
    }

    fn make_ranking(&mut self, limits: &Limits) -> &mut Ranking {
        if let Form::Small(_) = self.form.get() {
            let (mut ranking, mut digits) = (Ranking::new(limits.seed), Digits::new());
            for (member, score) in self.iter() {
                ranking.insert(member.text(&mut digits), score);
            }
            self.form = Tagged::large(ranking);
        }
        match self.form.get_mut() {
            Form::Large(ranking) => ranking,
            Form::Small(_) => unreachable!("made a ranking above"),
        }
    }
}

impl Default for SortedSet {
    fn default() -> Self {
        SortedSet::new()
    }
}

impl From<Listpack> for SortedSet {
    fn from(listpack: Listpack) -> Self {
        SortedSet { form: Tagged::small(listpack) }
    }
}

impl From<Ranking> for SortedSet {
    fn from(ranking: Ranking) -> Self {
        SortedSet { form: Tagged::large(ranking) }
    }
}

impl Ranking {
    fn new(seed: u64) -> Self {
        Ranking { table: Table::new(seed), order: RankTree::new() }
    }

    /// Adds a member, and answers with its rank; `None` when it was there.
    fn add(&mut self, member: &[u8], score: f64) -> Option<usize> {
        match Member::place(&mut self.table, member, score) {
            Place::Added(h) => Some(self.order.insert(h, place_of(&self.table, score, member))),
            Place::Found(_) => None,
        }
    }

    fn insert(&mut self, member: &[u8], score: f64) -> Insert {
        let h = match Member::place(&mut self.table, member, score) {
            Place::Added(h) => {
                self.order.insert(h, place_of(&self.table, score, member));
                return Insert::Added;
            }
            Place::Found(h) => h,
        };
        let old = Member::score(self.table.slot(h));
        if old == score {
            return Insert::Same;
        }
        self.order.remove(h, place_of(&self.table, old, member));
        Member::set_score(self.table.slot_mut(h), score);
        self.order.insert(h, place_of(&self.table, score, member));
        Insert::Updated
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let Ranking { table, order } = self;
        let h = table.find(member)?;
        let score = Member::score(table.slot(h));
        order.remove(h, place_of(table, score, member));
        table.remove_record(h, |_, _| ());
        Some(score)
    }

    fn range(&self, ranks: ops::Range<usize>) -> RankingRange<'_> {
        let range = self.order.range(ranks);
        RankingRange { table: &self.table, ahead: range.clone(), range, loaded: false }
    }
}

impl Clone for Ranking {
    fn clone(&self) -> Self {
        let mut table = Table::new(self.table.seed());
        let order = self.order.iter().map(|h| table.add_copy(self.table.slot(h))).collect();
        Ranking { table, order }
    }
}

impl Layout for Member {
    #[inline]
    fn key(slot: &[u8]) -> &[u8] {
        let (len, at) = read_len(&slot[SCORE..]);
        &slot[SCORE + at..SCORE + at + len]
    }
}

impl Member {
    /// Finds a member's record, or adds one with a score.
    fn place(table: &mut Table<Member>, member: &[u8], score: f64) -> Place {
        let at = SCORE + len_of_len(member.len());
        table.find_or_add(member, at + member.len(), |slot| {
            Member::set_score(slot, score);
            write_len(&mut slot[SCORE..], member.len());
            slot[at..at + member.len()].copy_from_slice(member);
        })
    }

    #[inline]
    fn score(slot: &[u8]) -> f64 {
        f64::from_le_bytes(slot[..SCORE].try_into().expect("a score"))
    }

    #[inline]
    fn set_score(slot: &mut [u8], score: f64) {
        slot[..SCORE].copy_from_slice(&score.to_le_bytes());
    }

    #[inline]
    fn scored(slot: &[u8]) -> Scored<'_> {
        (Entry::Text(Member::key(slot)), Member::score(slot))
    }

    #[inline]
    fn is_before(slot: &[u8], score: f64, member: &[u8]) -> bool {
        compare_scores(Member::score(slot), score).then_with(|| Member::key(slot).cmp(member)).is_lt()
    }
}

/// The place of a member in the order of a table.
fn place_of(table: &Table<Member>, score: f64, member: &[u8]) -> impl Search {
    Prefetching(move |h| Member::is_before(table.slot(h), score, member), |h| table.prefetch(h))
}

/// A total order in which -0 is equal to 0.
#[inline]
fn compare_scores(a: f64, b: f64) -> Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

fn is_below_min<T>(min: Bound<T>, compare: impl FnOnce(&T) -> Ordering) -> bool {
    match &min {
        Bound::Included(min) => compare(min).is_lt(),
        Bound::Excluded(min) => compare(min).is_le(),
        Bound::Unbounded => false,
    }
}

fn is_up_to_max<T>(max: Bound<T>, compare: impl FnOnce(&T) -> Ordering) -> bool {
    match &max {
        Bound::Included(max) => compare(max).is_le(),
        Bound::Excluded(max) => compare(max).is_lt(),
        Bound::Unbounded => true,
    }
}

fn within(ranks: ops::Range<usize>, len: usize) -> ops::Range<usize> {
    let end = ranks.end.min(len);
    ranks.start.min(end)..end
}

fn may_pack(listpack: &Listpack, member: &[u8], limits: &Limits) -> bool {
    let longest_score = 32;
    listpack.len() / 2 < limits.zset_max_listpack_entries
        && member.len() <= limits.zset_max_listpack_value
        && !listpack.would_exceed(Entry::from(member).size() + longest_score)
}

/// Where a member is in a packed sorted set, and its score.
fn find(listpack: &Listpack, member: &[u8]) -> Option<(listpack::Position, f64)> {
    let at = listpack.find(member, None, 1)?;
    Some((at, score_of(listpack.at(listpack.next(at)?))))
}

fn insert_packed(listpack: &mut Listpack, member: &[u8], score: f64) {
    let (mut text, mut digits) = (FloatText::new(), Digits::new());
    let pair = [Entry::from(member), score_entry(score, &mut text)];
    let mut elements = listpack.entries();
    while let (Some((at, other)), Some((_, other_score))) = (elements.next(), elements.next()) {
        let order = compare_scores(score_of(other_score), score);
        if order.then_with(|| other.text(&mut digits).cmp(member)).is_gt() {
            listpack.insert(at, &pair);
            return;
        }
    }
    listpack.append(pair.into_iter());
}

/// A score as an element of a listpack: an integer if it is one of moderate size, as Redis has it.
fn score_entry(score: f64, text: &mut FloatText) -> Entry<'_> {
    let most = (1u64 << 62) as f64;
    let integer = score as i64;
    if (-most..=most).contains(&score) && integer as f64 == score {
        return Entry::Int(integer);
    }
    Entry::Text(number::write_float(score, text))
}

fn parse_score(entry: Entry<'_>) -> Option<f64> {
    match entry {
        Entry::Int(integer) => Some(integer as f64),
        Entry::Text(text) => number::parse_float(text),
    }
}

/// The score that an element of a listpack is; those from outside have been looked at before.
fn score_of(entry: Entry<'_>) -> f64 {
    parse_score(entry).unwrap_or_default()
}

/// A member of a table, as the element of a listpack that it would be.
fn normal(entry: Entry<'_>) -> Entry<'_> {
    match entry {
        Entry::Text(text) => Entry::from(text),
        integer => integer,
    }
}

fn packed_range<'z>(listpack: &'z Listpack, ranks: &ops::Range<usize>) -> listpack::Iter<'z> {
    let mut elements = listpack.iter();
    if let Some(skipped) = (2 * ranks.start).checked_sub(1) {
        elements.nth(skipped);
    }
    if let Some(skipped) = (listpack.len() / 2 - ranks.end).checked_mul(2).and_then(|n| n.checked_sub(1)) {
        elements.nth_back(skipped);
    }
    elements
}

/// Members at consecutive ranks.
enum Range<'z> {
    Listpack(listpack::Iter<'z>),
    Ranking(RankingRange<'z>),
}

struct RankingRange<'z> {
    table: &'z Table<Member>,
    range: rank_tree::Range<'z>,
    /// As `range`, some records ahead: these are loaded meanwhile.
    ahead: rank_tree::Range<'z>,
    loaded: bool,
}

struct Counted<'z> {
    range: Range<'z>,
    left: usize,
}

/// How many records ahead memory is loaded.
const LOOKAHEAD: usize = 8;

impl RankingRange<'_> {
    #[inline]
    fn load_ahead(&mut self) {
        let steps = if core::mem::replace(&mut self.loaded, true) { 1 } else { LOOKAHEAD };
        self.ahead.by_ref().take(steps).for_each(|h| self.table.prefetch(h));
    }
}

impl<'z> RankingRange<'z> {
    fn scored(&self, h: Handle) -> Scored<'z> {
        Member::scored(self.table.slot(h))
    }
}

impl<'z> Iterator for RankingRange<'z> {
    type Item = Scored<'z>;

    #[inline]
    fn next(&mut self) -> Option<Scored<'z>> {
        self.load_ahead();
        let h = self.range.next()?;
        Some(self.scored(h))
    }
}

impl<'z> DoubleEndedIterator for RankingRange<'z> {
    #[inline]
    fn next_back(&mut self) -> Option<Scored<'z>> {
        let h = self.range.next_back()?;
        Some(self.scored(h))
    }
}

impl<'z> Iterator for Range<'z> {
    type Item = Scored<'z>;

    #[inline]
    fn next(&mut self) -> Option<Scored<'z>> {
        match self {
            Range::Listpack(elements) => Some((elements.next()?, score_of(elements.next()?))),
            Range::Ranking(range) => range.next(),
        }
    }
}

impl<'z> DoubleEndedIterator for Range<'z> {
    #[inline]
    fn next_back(&mut self) -> Option<Scored<'z>> {
        match self {
            Range::Listpack(elements) => {
                let score = score_of(elements.next_back()?);
                Some((elements.next_back()?, score))
            }
            Range::Ranking(range) => range.next_back(),
        }
    }
}

impl<'z> Iterator for Counted<'z> {
    type Item = Scored<'z>;

    #[inline]
    fn next(&mut self) -> Option<Scored<'z>> {
        self.left = self.left.saturating_sub(1);
        self.range.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Counted<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.saturating_sub(1);
        self.range.next_back()
    }
}

impl ExactSizeIterator for Counted<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeMap;
    use alloc::{format, vec::Vec};
    use core::ops::RangeBounds;

    const STEPS: usize = if cfg!(miri) { 200 } else { 12_000 };
    const CHECKS: usize = if cfg!(miri) { 4 } else { 60 };

    type Model = BTreeMap<Vec<u8>, f64>;

    fn owned((member, score): Scored<'_>) -> (Vec<u8>, f64) {
        (member.text(&mut Digits::new()).to_vec(), score)
    }

    /// The members of a model in order.
    fn sorted(model: &Model) -> Vec<(Vec<u8>, f64)> {
        let mut all: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
        all.sort_by(|a, b| a.1.partial_cmp(&b.1).expect("no NaN").then_with(|| a.0.cmp(&b.0)));
        all
    }

    fn check(set: &SortedSet, model: &Model) {
        let all = sorted(model);
        assert_eq!(set.iter().len(), all.len());
        assert_eq!(set.iter().map(owned).collect::<Vec<_>>(), all);
        assert!(set.iter().rev().map(owned).eq(all.iter().rev().cloned()));
        assert_eq!(set.clone().iter().map(owned).collect::<Vec<_>>(), all);
    }

    fn set_of(members: usize, len: usize, limits: &Limits) -> SortedSet {
        let mut set = SortedSet::new();
        for n in 0..members {
            assert_eq!(set.insert(format!("{n:0len$}").as_bytes(), n as f64, limits), Insert::Added);
        }
        set
    }

    #[test]
    fn is_a_word() {
        assert_eq!(size_of::<SortedSet>(), size_of::<usize>());
    }

    /// In both encodings, and across the change between them.
    #[test]
    fn agrees_with_a_map() {
        for (seed, names, scores) in [(1, 40, 5), (2, 60, 1000), (3, 1500, 30), (4, 1500, 1 << 40)] {
            let (names, entries) = if cfg!(miri) { (names.min(80), 16) } else { (names, 128) };
            let limits = Limits { seed, zset_max_listpack_entries: entries, ..Limits::default() };
            let (mut random, mut set, mut model) = (random(seed), SortedSet::new(), Model::new());
            for step in 0..STEPS {
                let member = format!("{}", random() % names).into_bytes();
                let score = match random() % 20 {
                    0 => f64::INFINITY,
                    1 => -0.0,
                    2 => 1e300,
                    _ => (random() % scores) as f64 / 4.0 - 3.0,
                };
                match random() % if step < STEPS / 2 { 8 } else { 4 } {
                    0 => assert_eq!(set.remove(&member), model.remove(&member)),
                    1 => {
                        let first = sorted(&model).first().cloned();
                        assert_eq!(set.pop_first(owned), first);
                        if let Some((member, _)) = first {
                            model.remove(&member);
                        }
                    }
                    2 if random() % 2 == 0 => {
                        let last = sorted(&model).last().cloned();
                        assert_eq!(set.pop_last(owned), last);
                        if let Some((member, _)) = last {
                            model.remove(&member);
                        }
                    }
                    _ => {
                        let expected = match model.get(&member) {
                            None => Insert::Added,
                            Some(old) if *old == score => Insert::Same,
                            Some(_) => Insert::Updated,
                        };
                        assert_eq!(set.insert(&member, score, &limits), expected);
                        if expected != Insert::Same {
                            model.insert(member.clone(), score);
                        }
                    }
                }
                assert_eq!(set.score(&member), model.get(&member).copied());
                assert_eq!(set.len(), model.len());
                if step % (STEPS / CHECKS) == 0 {
                    check(&set, &model);
                    let rank = sorted(&model).iter().position(|(it, _)| *it == member);
                    assert_eq!(set.rank(&member).map(|(rank, _)| rank), rank);
                }
            }
        }
    }

    #[test]
    fn ranges_are_those_of_a_sorted_vector() {
        for (seed, most) in [(1, 100), (2, if cfg!(miri) { 150 } else { 2000 })] {
            let (limits, mut random) = (Limits::default(), random(seed));
            for _ in 0..if cfg!(miri) { 2 } else { 60 } {
                let (mut set, mut model) = (SortedSet::new(), Model::new());
                for _ in 0..random() % most {
                    let (member, score) =
                        (format!("{}", random() % 3000).into_bytes(), (random() % 50) as f64 * 0.5);
                    set.insert(&member, score, &limits);
                    model.insert(member, score);
                }
                let all = sorted(&model);
                let mut bound = |n: u64| match random() % 5 {
                    0 => Bound::Unbounded,
                    1 | 2 => Bound::Included(random() % n),
                    _ => Bound::Excluded(random() % n),
                };
                let (min, max) = (bound(60).map(|n| n as f64 * 0.5), bound(60).map(|n| n as f64 * 0.5));
                let range = set.ranks_by_score(min, max);
                let expected: Vec<_> = all.iter().filter(|it| (min, max).contains(&it.1)).cloned().collect();
                assert_eq!(set.range(range).map(owned).collect::<Vec<_>>(), expected);

                let (min, max) = (bound(4000).map(|n| format!("{n}")), bound(4000).map(|n| format!("{n}")));
                let mut equal = SortedSet::new();
                for member in model.keys() {
                    equal.insert(member, 1.0, &limits);
                }
                let (min, max) = (min.as_ref().map(|it| it.as_bytes()), max.as_ref().map(|it| it.as_bytes()));
                let expected = model.keys().filter(|it| {
                    !is_below_min(min, |min| it.as_slice().cmp(min))
                        && is_up_to_max(max, |max| it.as_slice().cmp(max))
                });
                let range = equal.ranks_by_member(min, max);
                assert!(equal.range(range).map(|scored| owned(scored).0).eq(expected.cloned()));

                let (start, end) = (random() as usize % 200, random() as usize % 400);
                let mut removed = Vec::new();
                let inside = within(start..end, all.len());
                assert_eq!(set.range(start..end).map(owned).next(), all[inside.clone()].first().cloned());
                set.remove_range(start..end, |scored| removed.push(owned(scored)));
                assert_eq!(removed, all[inside]);
                model.retain(|member, _| set.contains(member));
                check(&set, &model);
            }
        }
    }

    #[test]
    fn encodings_change_when_redis_changes_them() {
        let limits = Limits::default();
        assert_eq!(set_of(128, 64, &limits).encoding(), "listpack");
        assert_eq!(set_of(129, 1, &limits).encoding(), "skiplist");
        assert_eq!(set_of(1, 65, &limits).encoding(), "skiplist");
        let mut set = set_of(128, 1, &limits);
        assert_eq!(set.insert(b"5", 1e10, &limits), Insert::Updated);
        set.expect(128, &limits);
        assert_eq!(set.encoding(), "listpack");
        set.expect(129, &limits);
        assert_eq!((set.encoding(), set.len()), ("skiplist", 128));
        set.remove_range(1..128, |_| ());
        assert_eq!((set.encoding(), set.len()), ("skiplist", 1));
    }

    #[test]
    fn packed_scores_are_redis_s() {
        let (limits, mut set) = (Limits::default(), SortedSet::new());
        for (member, score) in
            [("a", 1.0), ("b", 0.1), ("c", -f64::INFINITY), ("d", 1e19), ("e", -0.0), ("f", -7e15)]
        {
            set.insert(member.as_bytes(), score, &limits);
        }
        let View::Listpack(listpack) = set.view() else { panic!("packed") };
        let texts: Vec<_> = listpack.iter().map(|it| it.text(&mut Digits::new()).to_vec()).collect();
        let expected = "c -inf f -7000000000000000 e 0 b 0.1 a 1 d 1e+19";
        assert_eq!(texts.join(&b' '), expected.as_bytes());
    }

    #[test]
    fn packed_bytes_are_taken_over() {
        let limits = Limits { zset_max_listpack_entries: 3, ..Limits::default() };
        let packed = |text: &str| text.split(' ').map(|it| Entry::from(it.as_bytes())).collect::<Listpack>();
        let set = |text: &str| SortedSet::from_listpack(packed(text), &limits);
        for refused in ["a 1 b", "a 1 a 2", "a nan", "a x", "1 1 2 2 1 3"] {
            assert!(set(refused).is_none(), "{refused}");
        }
        let is_packed_as = |text: &str, expected: &str| {
            set(text).is_some_and(|set| matches!(set.view(), View::Listpack(it) if *it == packed(expected)))
        };
        assert!(is_packed_as("c -inf 7 0.5 b 2", "c -inf 7 0.5 b 2"));
        assert!(is_packed_as("b 2 7 0.5 c -inf", "c -inf 7 0.5 b 2"));
        let large = set("d 4 a 1 b 2 c 3").expect("distinct members");
        assert_eq!((large.encoding(), large.rank(b"d")), ("skiplist", Some((3, 4.0))));
    }

    #[test]
    fn scanned_and_drawn_members_are_there() {
        for members in [100, if cfg!(miri) { 140 } else { 1000 }] {
            let (mut random, limits) = (random(4), Limits::default());
            let set = set_of(members, 1, &limits);
            let (mut cursor, mut visited) = (0, Model::new());
            loop {
                cursor = set.scan(cursor, 10, |scored| {
                    let (member, score) = owned(scored);
                    assert!(visited.insert(member, score).is_none());
                });
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(visited.len(), members);
            for _ in 0..100 {
                let (member, score) = set.random(&mut random).map(owned).expect("a member");
                assert_eq!(visited.get(&member), Some(&score));
            }
            assert!(SortedSet::new().random(&mut random).is_none());
        }
    }
}
