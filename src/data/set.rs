//! Sets: members without order, each there once.
//!
//! A set begins as an intset, becomes a listpack with its first member that is no integer, and a table when it is too
//! large for either; never back. The moments are Redis's. What to do with several sets is the business of the commands.

use crate::data::containers::intset::Intset;
use crate::data::containers::listpack::{Entry, Listpack};
use crate::data::containers::packed_set::{Packed, PackedSet};
use crate::data::containers::table::{Layout, Place, Table, len_of_len, read_len, write_len};
use crate::data::containers::tagged::{Form, Tagged};
use crate::data::limits::Limits;
use crate::data::number::{self, Digits};
use alloc::vec::Vec;

/// A set, as wide as a pointer.
#[derive(Clone)]
pub struct Set {
    form: Tagged<PackedSet, Table<Member>>,
}

/// How a set is stored, for whoever copies its bytes.
pub enum View<'s> {
    /// Integers, as Redis stores them.
    Intset(&'s Intset),
    /// Members one after the other, as Redis stores them.
    Listpack(&'s Listpack),
    /// A table, of which there is no more to see than its members.
    Table,
}

/// Records of a table: length and text of the member.
enum Member {}

/// What Redis's intset can count.
const MAX_INTSET: usize = 1 << 30;

impl Set {
    /// A set of nothing.
    pub fn new() -> Self {
        Intset::new().into()
    }

    /// Takes over a packed set that came from outside; `None` when a member is there twice.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Option<Self> {
        let (len, mut digits) = (listpack.len(), Digits::new());
        let mut table = Table::new(limits.seed);
        for member in listpack.iter() {
            add_to_table(&mut table, member.text(&mut digits)).then_some(())?;
        }
        let keep = len <= limits.set_max_listpack_entries;
        Some(if keep { listpack.into() } else { Set { form: Tagged::large(table) } })
    }

    /// Takes over a set of integers that came from outside.
    pub fn from_intset(intset: Intset, limits: &Limits) -> Self {
        let len = intset.len();
        let mut set = Set::from(intset);
        if len > limits.set_max_intset_entries.min(MAX_INTSET) {
            set.make_table(limits);
        }
        set
    }

    /// The number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.get() {
            Form::Large(table) => table.len(),
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => intset.len(),
                Packed::Listpack(listpack) => listpack.len(),
            },
        }
    }

    /// Is there no member?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self.view() {
            View::Intset(_) => "intset",
            View::Listpack(_) => "listpack",
            View::Table => "hashtable",
        }
    }

    /// How it is stored.
    pub fn view(&self) -> View<'_> {
        match self.form.get() {
            Form::Large(_) => View::Table,
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => View::Intset(intset),
                Packed::Listpack(listpack) => View::Listpack(listpack),
            },
        }
    }

    /// Bytes of the heap it occupies.
    pub fn memory(&self) -> usize {
        match self.form.get() {
            Form::Large(table) => size_of_val(table) + table.allocated(),
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => intset.heap_size(),
                Packed::Listpack(listpack) => listpack.heap_size(),
            },
        }
    }

    /// About how many pieces it would take apart into: one when it is packed.
    pub fn parts(&self) -> usize {
        match self.form.get() {
            Form::Large(table) => table.len(),
            Form::Small(_) => 1,
        }
    }

    /// Frees some of a set that is of no other use any more; false when the rest is freed with it.
    pub fn free_piece(&mut self) -> bool {
        match self.form.get_mut() {
            Form::Large(table) => table.free_piece(),
            Form::Small(_) => false,
        }
    }

    /// Makes ready for `more` members, of which this is the first. As in Redis, the number alone may make it a table.
    pub fn expect(&mut self, more: usize, first: &[u8], limits: &Limits) {
        let is_empty = self.is_empty();
        let Form::Small(packed) = self.form.get_mut() else { return };
        if is_empty {
            let integers = number::parse_i64(first).is_some() && more <= limits.set_max_intset_entries;
            *packed = if integers { Intset::new().into() } else { Listpack::new().into() };
        }
        let most = match packed.get() {
            Packed::Intset(_) => limits.set_max_intset_entries,
            Packed::Listpack(_) => limits.set_max_listpack_entries,
        };
        if more > most {
            self.make_table(limits);
        }
    }

    /// Adds a member; true when it is new.
    pub fn add(&mut self, member: &[u8], limits: &Limits) -> bool {
        match self.form.get_mut() {
            Form::Large(table) => return add_to_table(table, member),
            Form::Small(packed) => match packed.get_mut() {
                Packed::Intset(intset) => {
                    let most = limits.set_max_intset_entries.min(MAX_INTSET);
                    let value = number::parse_i64(member).filter(|_| most > 0 || !intset.is_empty());
                    if let Some(value) = value {
                        let is_new = intset.add(value);
                        if intset.len() > most {
                            self.make_table(limits);
                        }
                        return is_new;
                    }
                    if may_pack_all(intset, member, limits) {
                        let mut listpack: Listpack = intset.iter().map(Entry::Int).collect();
                        listpack.push_back(member);
                        *packed = listpack.into();
                        return true;
                    }
                }
                Packed::Listpack(listpack) => {
                    if listpack.find(member, None, 0).is_some() {
                        return false;
                    }
                    if may_pack(listpack.len(), member, limits)
                        && !listpack.would_exceed(Entry::from(member).size())
                    {
                        listpack.push_back(member);
                        return true;
                    }
                }
            },
        }
        add_to_table(self.make_table(limits), member)
    }

    /// Removes a member; true when it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.form.get_mut() {
            Form::Large(table) => table.remove(member, |_, _| ()).is_some(),
            Form::Small(packed) => match packed.get_mut() {
                Packed::Intset(intset) => number::parse_i64(member).is_some_and(|value| intset.remove(value)),
                Packed::Listpack(listpack) => {
                    let found = listpack.find(member, None, 0);
                    if let Some(at) = found {
                        listpack.remove(at);
                    }
                    found.is_some()
                }
            },
        }
    }

    /// Is this, which may come out of another set, a member?
    #[inline]
    pub fn has(&self, member: Entry) -> bool {
        match (member, self.form.get()) {
            (Entry::Text(text), _) => self.contains(text),
            (Entry::Int(value), Form::Small(packed)) if let Packed::Intset(intset) = packed.get() => {
                intset.contains(value)
            }
            (member, _) => self.contains(member.text(&mut Digits::new())),
        }
    }

    /// Asks the processor to load a member that is looked for soon.
    #[inline]
    pub fn prefetch(&self, member: &[u8]) {
        if let Form::Large(table) = self.form.get() {
            table.prefetch_key(member);
        }
    }

    /// Is this a member?
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.form.get() {
            Form::Large(table) => table.find(member).is_some(),
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => {
                    number::parse_i64(member).is_some_and(|value| intset.contains(value))
                }
                Packed::Listpack(listpack) => listpack.find(member, None, 0).is_some(),
            },
        }
    }

    /// All members, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        let members = match self.form.get() {
            Form::Large(table) => Members::Table(table.slots().map(|slot| Entry::Text(Member::key(slot)))),
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => Members::Intset(intset.iter().map(Entry::Int)),
                Packed::Listpack(listpack) => Members::Listpack(listpack.iter()),
            },
        };
        Iter { members, left: self.len() }
    }

    /// A member chosen by chance, each as likely as any other; `random` yields 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Entry<'_>> {
        match self.form.get() {
            Form::Large(table) => table.random(random).map(|h| Entry::Text(table.key(h))),
            Form::Small(packed) => match packed.get() {
                Packed::Intset(intset) => intset.pick(random()).map(Entry::Int),
                Packed::Listpack(listpack) => {
                    let index = (random() as u128 * listpack.len() as u128) >> 64;
                    listpack.get(index as isize)
                }
            },
        }
    }

    /// Removes a member chosen by chance, which `last_look` sees before it is gone.
    pub fn pop_with<R>(
        &mut self,
        random: &mut impl FnMut() -> u64,
        last_look: impl FnOnce(Entry<'_>) -> R,
    ) -> Option<R> {
        if let Form::Large(table) = self.form.get_mut() {
            let h = table.random(random)?;
            return Some(table.remove_record(h, |h, table| last_look(Entry::Text(table.key(h)))));
        }
        let member = self.random(random)?;
        let (result, text) = (last_look(member), member.text(&mut Digits::new()).to_vec());
        self.remove(&text);
        Some(result)
    }

    /// Removes a member chosen by chance.
    pub fn pop(&mut self, random: &mut impl FnMut() -> u64) -> Option<Vec<u8>> {
        self.pop_with(random, |member| member.text(&mut Digits::new()).to_vec())
    }

    /// Visits at least `count` members from `cursor` on, all of them when the set is packed, and returns the cursor to go
    /// on with: 0 when all were visited.
    pub fn scan<'v>(&'v self, cursor: u64, count: usize, mut visit: impl FnMut(Entry<'v>)) -> u64 {
        match self.form.get() {
            Form::Large(table) => table.scan(cursor, count, |h| visit(Entry::Text(table.key(h)))),
            Form::Small(_) => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    fn make_table(&mut self, limits: &Limits) -> &mut Table<Member> {
        if let Form::Small(_) = self.form.get() {
            let (mut table, mut digits) = (Table::new(limits.seed), Digits::new());
            for member in self.iter() {
                add_to_table(&mut table, member.text(&mut digits));
            }
            self.form = Tagged::large(table);
        }
        match self.form.get_mut() {
            Form::Large(table) => table,
            Form::Small(_) => unreachable!("made a table above"),
        }
    }
}

impl Default for Set {
    fn default() -> Self {
        Set::new()
    }
}

impl From<Intset> for Set {
    fn from(intset: Intset) -> Self {
        Set { form: Tagged::small(intset.into()) }
    }
}

impl From<Listpack> for Set {
    fn from(listpack: Listpack) -> Self {
        Set { form: Tagged::small(listpack.into()) }
    }
}

impl Layout for Member {
    #[inline]
    fn key(slot: &[u8]) -> &[u8] {
        let (len, at) = read_len(slot);
        &slot[at..at + len]
    }
}

fn add_to_table(table: &mut Table<Member>, member: &[u8]) -> bool {
    let at = len_of_len(member.len());
    let place = table.find_or_add(member, at + member.len(), |slot| {
        write_len(slot, member.len());
        slot[at..at + member.len()].copy_from_slice(member);
    });
    matches!(place, Place::Added(_))
}

fn may_pack(len: usize, member: &[u8], limits: &Limits) -> bool {
    len < limits.set_max_listpack_entries && member.len() <= limits.set_max_listpack_value
}

/// May the integers become a listpack with this member?
fn may_pack_all(intset: &Intset, member: &[u8], limits: &Limits) -> bool {
    let mut ends = intset.get(0).into_iter().chain(intset.iter().next_back());
    let mut digits = Digits::new();
    may_pack(intset.len(), member, limits)
        && ends.all(|value| number::write_i64(value, &mut digits).len() <= limits.set_max_listpack_value)
}

enum Members<I, L, T> {
    Intset(I),
    Listpack(L),
    Table(T),
}

struct Iter<I, L, T> {
    members: Members<I, L, T>,
    left: usize,
}

impl<'s, I, L, T> Iterator for Iter<I, L, T>
where
    I: Iterator<Item = Entry<'s>>,
    L: Iterator<Item = Entry<'s>>,
    T: Iterator<Item = Entry<'s>>,
{
    type Item = Entry<'s>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'s>> {
        self.left = self.left.saturating_sub(1);
        match &mut self.members {
            Members::Intset(it) => it.next(),
            Members::Listpack(it) => it.next(),
            Members::Table(it) => it.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Entry<'s>) -> B>(self, init: B, f: F) -> B {
        match self.members {
            Members::Intset(it) => it.fold(init, f),
            Members::Listpack(it) => it.fold(init, f),
            Members::Table(it) => it.fold(init, f),
        }
    }
}

impl<'s, I, L, T> ExactSizeIterator for Iter<I, L, T>
where
    I: Iterator<Item = Entry<'s>>,
    L: Iterator<Item = Entry<'s>>,
    T: Iterator<Item = Entry<'s>>,
{
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::vec;

    const STEPS: usize = if cfg!(miri) { 250 } else { 20_000 };
    const CHECKS: usize = if cfg!(miri) { 4 } else { 20 };

    fn texts(set: &Set) -> Vec<Vec<u8>> {
        let mut texts: Vec<_> = set.iter().map(|member| member.text(&mut Digits::new()).to_vec()).collect();
        texts.sort();
        texts
    }

    fn set_of<'m>(members: impl IntoIterator<Item = &'m str>, limits: &Limits) -> Set {
        let mut set = Set::new();
        for member in members {
            set.add(member.as_bytes(), limits);
        }
        set
    }

    #[test]
    fn is_a_word() {
        assert_eq!(size_of::<Set>(), size_of::<usize>());
    }

    /// In every encoding, and across the changes between them.
    #[test]
    fn agrees_with_a_set_of_texts() {
        for (seed, integers, names, len) in [(1, 10, 100, 5), (2, 8, 900, 5), (3, 5, 60, 5), (4, 5, 3000, 80)]
        {
            let (names, entries) = if cfg!(miri) { (names.min(80), 16) } else { (names, 128) };
            let limits = Limits { seed, set_max_listpack_entries: entries, ..Limits::default() };
            let (mut random, mut set, mut model) = (random(seed), Set::new(), BTreeSet::new());
            for step in 0..STEPS {
                let n = random() % names;
                let member = match n % 10 < integers {
                    true => format!("{}", n as i64 * 7919 - 40_000),
                    false => format!("{n:0width$}", width = 1 + n as usize % len),
                };
                let member = member.into_bytes();
                match random() % if step < STEPS / 2 { 4 } else { 2 } {
                    0 => assert_eq!(set.remove(&member), model.remove(&member)),
                    _ => assert_eq!(set.add(&member, &limits), model.insert(member.clone())),
                }
                assert_eq!(set.contains(&member), model.contains(&member));
                assert_eq!(set.len(), model.len());
                if random() % 50 == 0 {
                    let popped = set.pop(&mut random);
                    assert_eq!(popped.is_none(), model.is_empty());
                    popped.inspect(|member| assert!(model.remove(member)));
                }
                if step % (STEPS / CHECKS) == 0 {
                    assert_eq!(set.iter().len(), model.len());
                    assert!(texts(&set).iter().eq(model.iter()));
                    assert!(texts(&set.clone()).iter().eq(model.iter()));
                }
            }
            let (mut cursor, mut visited) = (0, 0);
            loop {
                cursor = set.scan(cursor, 10, |member| {
                    assert!(model.contains(member.text(&mut Digits::new())));
                    visited += 1;
                });
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(visited, model.len());
        }
    }

    #[test]
    fn encodings_change_when_redis_changes_them() {
        let limits = Limits::default();
        assert_eq!(Set::new().encoding(), "intset");
        assert_eq!(set_of(["1", "-5", "9223372036854775807"], &limits).encoding(), "intset");
        assert_eq!(set_of(["1", "01"], &limits).encoding(), "listpack");
        assert_eq!(set_of(["1", &"x".repeat(64)], &limits).encoding(), "listpack");
        assert_eq!(set_of(["1", &"x".repeat(65)], &limits).encoding(), "hashtable");
        let numbers: Vec<_> = (0..513).map(|n| format!("{n}")).collect();
        let all = |n: usize| numbers[..n].iter().map(|it| it.as_str());
        assert_eq!(set_of(all(512), &limits).encoding(), "intset");
        assert_eq!(set_of(all(513), &limits).encoding(), "hashtable");
        assert_eq!(set_of(all(127).chain(["a"]), &limits).encoding(), "listpack");
        assert_eq!(set_of(all(128).chain(["a"]), &limits).encoding(), "hashtable");
        assert_eq!(set_of(["a"].into_iter().chain(all(127)), &limits).encoding(), "listpack");
        assert_eq!(set_of(["a"].into_iter().chain(all(128)), &limits).encoding(), "hashtable");
        let no_intset = Limits { set_max_intset_entries: 0, ..limits.clone() };
        assert_eq!(set_of(["1"], &no_intset).encoding(), "listpack");
        let short = Limits { set_max_listpack_value: 3, ..limits };
        assert_eq!(set_of(["1000", "a"], &short).encoding(), "hashtable");
        assert_eq!(set_of(["100", "a"], &short).encoding(), "listpack");
    }

    #[test]
    fn what_is_expected_decides_too() {
        let limits = Limits::default();
        let expecting = |more, first: &str| {
            let mut set = Set::new();
            set.expect(more, first.as_bytes(), &limits);
            set.encoding()
        };
        assert_eq!(expecting(512, "1"), "intset");
        assert_eq!(expecting(513, "1"), "hashtable");
        assert_eq!(expecting(128, "a"), "listpack");
        assert_eq!(expecting(129, "a"), "hashtable");
        let mut set = set_of(["1", "a"], &limits);
        set.expect(129, b"1", &limits);
        assert_eq!((set.encoding(), set.len()), ("hashtable", 2));
    }

    #[test]
    fn packed_bytes_are_taken_over() {
        let limits = Limits { set_max_listpack_entries: 3, set_max_intset_entries: 2, ..Limits::default() };
        let listpack =
            |members: &[&str]| members.iter().map(|it| Entry::from(it.as_bytes())).collect::<Listpack>();
        let set = |members: &[&str]| Set::from_listpack(listpack(members), &limits);
        assert!(set(&["a", "1", "a"]).is_none() && set(&["1", "1"]).is_none());
        assert!(set(&["a", "1", "b"]).is_some_and(|set| matches!(set.view(), View::Listpack(_))));
        let large = set(&["a", "1", "b", "c"]).expect("distinct members");
        assert_eq!(
            (large.encoding(), texts(&large)),
            ("hashtable", ["1", "a", "b", "c"].map(|it| it.into()).to_vec())
        );
        let mut intset = Intset::new();
        assert!(intset.add(1) && intset.add(2));
        assert!(matches!(Set::from_intset(intset.clone(), &limits).view(), View::Intset(_)));
        intset.add(3);
        assert!(matches!(Set::from_intset(intset, &limits).view(), View::Table));
    }

    #[test]
    fn members_may_be_long() {
        let (limits, mut set) = (Limits::default(), Set::new());
        let members: Vec<_> = (0..if cfg!(miri) { 8 } else { 200 }).map(|n| vec![n as u8; 500 * n]).collect();
        members.iter().for_each(|member| assert!(set.add(member, &limits)));
        members.iter().for_each(|member| assert!(!set.add(member, &limits)));
        assert!(set.memory() >= members.iter().map(Vec::len).sum());
        members.iter().for_each(|member| assert!(set.remove(member)));
        assert!(set.is_empty());
    }
}
