//! Hashes: fields, each with a value.
//!
//! A hash begins as a listpack of fields and values and becomes a table when it has too many or too long ones; never
//! back. The moments are Redis's. Counting up and other arithmetic is the business of the commands.

use crate::data::containers::listpack::{self, Entry, Listpack};
use crate::data::containers::table::{Layout, Place, Table, len_of_len, read_len, write_len};
use crate::data::containers::tagged::{Form, Tagged};
use crate::data::limits::Limits;
use crate::data::number::Digits;

/// A hash, as wide as a pointer.
#[derive(Clone)]
pub struct Hash {
    form: Tagged<Listpack, Table<Field>>,
}

/// How a hash is stored, for whoever copies its bytes.
pub enum View<'h> {
    /// Fields and values by turns, as Redis stores them.
    Listpack(&'h Listpack),
    /// A table, of which there is no more to see than its fields and values.
    Table,
}

/// A field and its value.
pub type Pair<'h> = (Entry<'h>, Entry<'h>);

/// Records of a table: length of the field, field, length of the value, value. The lower [`FLAGS`] bits of the first
/// length are for what else a record may hold behind the value.
enum Field {}

const FLAGS: usize = 2;

impl Hash {
    /// A hash of nothing.
    pub fn new() -> Self {
        Listpack::new().into()
    }

    /// Takes over a packed hash that came from outside; `None` when a field is there twice or without a value.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Option<Self> {
        let len = listpack.len();
        let table = table_of(&listpack, limits.seed);
        (len.is_multiple_of(2) && table.len() == len / 2).then_some(())?;
        let keep = len / 2 <= limits.hash_max_listpack_entries;
        Some(if keep { listpack.into() } else { Hash { form: Tagged::large(table) } })
    }

    /// The number of fields.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.get() {
            Form::Large(table) => table.len(),
            Form::Small(listpack) => listpack.len() / 2,
        }
    }

    /// Is there no field?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        match self.view() {
            View::Listpack(_) => "listpack",
            View::Table => "hashtable",
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
            Form::Large(table) => size_of_val(table) + table.allocated(),
            Form::Small(listpack) => listpack.heap_size(),
        }
    }

    /// About how many pieces it would take apart into: one when it is packed.
    pub fn parts(&self) -> usize {
        match self.form.get() {
            Form::Large(table) => table.len(),
            Form::Small(_) => 1,
        }
    }

    /// Frees some of a hash that is of no other use any more; false when the rest is freed with it.
    pub fn free_piece(&mut self) -> bool {
        match self.form.get_mut() {
            Form::Large(table) => table.free_piece(),
            Form::Small(_) => false,
        }
    }

    /// Makes ready for `more` fields. As in Redis, the number alone may make it a table.
    pub fn expect(&mut self, more: usize, limits: &Limits) {
        if more > limits.hash_max_listpack_entries {
            self.make_table(limits);
        }
    }

    /// Sets the value of a field; true when the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        let listpack = match self.form.get_mut() {
            Form::Large(table) => return set_in_table(table, field, value),
            Form::Small(listpack) => listpack,
        };
        let (new_field, new_value) = (Entry::from(field), Entry::from(value));
        let longest = field.len().max(value.len());
        if longest > limits.hash_max_listpack_value
            || listpack.would_exceed(new_field.size() + new_value.size())
        {
            return set_in_table(self.make_table(limits), field, value);
        }
        let found = value_of(listpack, field);
        match found {
            Some(at) => listpack.replace(at, new_value),
            None => listpack.append([new_field, new_value].into_iter()),
        }
        if self.len() > limits.hash_max_listpack_entries {
            self.make_table(limits);
        }
        found.is_none()
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        match self.form.get() {
            Form::Large(table) => table.find(field).map(|h| Field::pair(table.slot(h)).1),
            Form::Small(listpack) => value_of(listpack, field).map(|at| listpack.at(at)),
        }
    }

    /// Asks the processor to load a field that is looked for soon.
    #[inline]
    pub fn prefetch(&self, field: &[u8]) {
        if let Form::Large(table) = self.form.get() {
            table.prefetch_key(field);
        }
    }

    /// Is there such a field?
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        match self.form.get() {
            Form::Large(table) => table.find(field).is_some(),
            Form::Small(listpack) => listpack.find(field, None, 1).is_some(),
        }
    }

    /// Removes a field; true when it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.take_with(field, |_| ()).is_some()
    }

    /// Removes a field, whose value `last_look` sees before it is gone.
    pub fn take_with<R>(&mut self, field: &[u8], last_look: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        match self.form.get_mut() {
            Form::Large(table) => table.remove(field, |h, table| last_look(Field::pair(table.slot(h)).1)),
            Form::Small(listpack) => {
                let at = listpack.find(field, None, 1)?;
                let result = last_look(listpack.at(listpack.next(at)?));
                listpack.remove_run(at, 2);
                Some(result)
            }
        }
    }

    /// All fields with their values, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Pair<'_>> {
        let pairs = match self.form.get() {
            Form::Large(table) => Pairs::Table(table.slots().map(Field::pair)),
            Form::Small(listpack) => Pairs::Listpack(listpack.iter()),
        };
        Iter { pairs, left: self.len() }
    }

    /// A field chosen by chance and its value, each as likely as any other; `random` yields 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Pair<'_>> {
        match self.form.get() {
            Form::Large(table) => table.random(random).map(|h| Field::pair(table.slot(h))),
            Form::Small(listpack) => {
                let index = (random() as u128 * self.len() as u128) >> 64;
                let at = listpack.seek(2 * index as isize)?;
                Some((listpack.at(at), listpack.at(listpack.next(at)?)))
            }
        }
    }

    /// Visits at least `count` fields from `cursor` on, all of them when the hash is packed, and returns the cursor to go
    /// on with: 0 when all were visited.
    pub fn scan<'v>(&'v self, cursor: u64, count: usize, mut visit: impl FnMut(Pair<'v>)) -> u64 {
        match self.form.get() {
            Form::Large(table) => table.scan(cursor, count, |h| visit(Field::pair(table.slot(h)))),
            Form::Small(_) => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    fn make_table(&mut self, limits: &Limits) -> &mut Table<Field> {
        if let Form::Small(listpack) = self.form.get() {
            self.form = Tagged::large(table_of(listpack, limits.seed));
        }
        match self.form.get_mut() {
            Form::Large(table) => table,
            Form::Small(_) => unreachable!("made a table above"),
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Hash::new()
    }
}

impl From<Listpack> for Hash {
    fn from(listpack: Listpack) -> Self {
        Hash { form: Tagged::small(listpack) }
    }
}

impl Layout for Field {
    #[inline]
    fn key(slot: &[u8]) -> &[u8] {
        let (head, at) = read_len(slot);
        &slot[at..at + (head >> FLAGS)]
    }
}

impl Field {
    #[inline]
    fn pair(slot: &[u8]) -> Pair<'_> {
        let (head, at) = read_len(slot);
        let (field, rest) = slot[at..].split_at(head >> FLAGS);
        let (len, at) = read_len(rest);
        (Entry::Text(field), Entry::Text(&rest[at..at + len]))
    }
}

fn table_of(listpack: &Listpack, seed: u64) -> Table<Field> {
    let (mut table, mut digits) = (Table::new(seed), [Digits::new(), Digits::new()]);
    for (field, value) in pairs(listpack.iter()) {
        let [of_field, of_value] = &mut digits;
        set_in_table(&mut table, field.text(of_field), value.text(of_value));
    }
    table
}

fn set_in_table(table: &mut Table<Field>, field: &[u8], value: &[u8]) -> bool {
    let head = field.len() << FLAGS;
    let start = len_of_len(head);
    let rest = start + field.len();
    let len = rest + len_of_len(value.len()) + value.len();
    let place = table.find_or_add(field, len, |slot| {
        write_len(slot, head);
        slot[start..rest].copy_from_slice(field);
        write_value(&mut slot[rest..], value);
    });
    if let Place::Found(h) = place {
        let h = table.resize(h, len);
        write_value(&mut table.slot_mut(h)[rest..], value);
    }
    matches!(place, Place::Added(_))
}

fn write_value(out: &mut [u8], value: &[u8]) {
    let at = write_len(out, value.len());
    out[at..at + value.len()].copy_from_slice(value);
}

fn value_of(listpack: &Listpack, field: &[u8]) -> Option<listpack::Position> {
    listpack.next(listpack.find(field, None, 1)?)
}

fn pairs<'h>(mut elements: impl Iterator<Item = Entry<'h>>) -> impl Iterator<Item = Pair<'h>> {
    core::iter::from_fn(move || Some((elements.next()?, elements.next()?)))
}

enum Pairs<L, T> {
    Listpack(L),
    Table(T),
}

struct Iter<L, T> {
    pairs: Pairs<L, T>,
    left: usize,
}

impl<'h, L: Iterator<Item = Entry<'h>>, T: Iterator<Item = Pair<'h>>> Iterator for Iter<L, T> {
    type Item = Pair<'h>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'h>> {
        self.left = self.left.saturating_sub(1);
        match &mut self.pairs {
            Pairs::Listpack(it) => Some((it.next()?, it.next()?)),
            Pairs::Table(it) => it.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Pair<'h>) -> B>(self, init: B, f: F) -> B {
        match self.pairs {
            Pairs::Listpack(it) => pairs(it).fold(init, f),
            Pairs::Table(it) => it.fold(init, f),
        }
    }
}

impl<'h, L: Iterator<Item = Entry<'h>>, T: Iterator<Item = Pair<'h>>> ExactSizeIterator for Iter<L, T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::collections::BTreeMap;
    use alloc::{format, vec, vec::Vec};

    const STEPS: usize = if cfg!(miri) { 120 } else { 20_000 };
    const CHECKS: usize = if cfg!(miri) { 3 } else { 10 };

    fn text(entry: Entry<'_>) -> Vec<u8> {
        entry.text(&mut Digits::new()).to_vec()
    }

    fn texts(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
        hash.iter().map(|(field, value)| (text(field), text(value))).collect()
    }

    fn hash_of(fields: usize, value: &str, limits: &Limits) -> Hash {
        let mut hash = Hash::new();
        (0..fields).for_each(|n| assert!(hash.set(format!("f{n}").as_bytes(), value.as_bytes(), limits)));
        hash
    }

    #[test]
    fn is_a_word() {
        assert_eq!(size_of::<Hash>(), size_of::<usize>());
    }

    /// In both encodings, and across the change between them.
    #[test]
    fn agrees_with_a_map() {
        for (seed, names, len) in [(1, 30, 10), (2, 2000, 40), (3, 40, 300), (4, 300, 3000)] {
            let (names, len, entries) =
                if cfg!(miri) { (names.min(40), len.min(90), 16) } else { (names, len, 128) };
            let limits = Limits { seed, hash_max_listpack_entries: entries, ..Limits::default() };
            let (mut random, mut hash, mut model) = (random(seed), Hash::new(), BTreeMap::new());
            for step in 0..STEPS {
                let field =
                    format!("{:0width$}", random() % names, width = random() as usize % 4 * (len / 9))
                        .into_bytes();
                let value = match random() % 3 {
                    0 => format!("{}", random() as i64 >> (random() % 64)).into_bytes(),
                    _ => vec![random() as u8; random() as usize % len],
                };
                match random() % if step < STEPS / 2 { 4 } else { 2 } {
                    0 => assert_eq!(hash.take_with(&field, text), model.remove(&field)),
                    _ => {
                        let is_new = model.insert(field.clone(), value.clone()).is_none();
                        assert_eq!(hash.set(&field, &value, &limits), is_new);
                    }
                }
                assert_eq!(hash.get(&field).map(text).as_ref(), model.get(&field));
                assert_eq!(hash.contains(&field), model.contains_key(&field));
                assert_eq!(hash.len(), model.len());
                if step % (STEPS / CHECKS) == 0 {
                    assert_eq!(hash.iter().len(), model.len());
                    assert_eq!(texts(&hash), model);
                    assert_eq!(texts(&hash.clone()), model);
                }
            }
            let (field, value) = hash.random(&mut random).expect("a field");
            assert_eq!(model.get(&text(field)), Some(&text(value)));
            let (mut cursor, mut visited) = (0, BTreeMap::new());
            loop {
                cursor =
                    hash.scan(cursor, 7, |(field, value)| drop(visited.insert(text(field), text(value))));
                if cursor == 0 {
                    break;
                }
            }
            assert_eq!(visited, model);
        }
    }

    #[test]
    fn encodings_change_when_redis_changes_them() {
        let limits = Limits::default();
        assert_eq!(hash_of(512, &"v".repeat(64), &limits).encoding(), "listpack");
        assert_eq!(hash_of(513, "v", &limits).encoding(), "hashtable");
        assert_eq!(hash_of(1, &"v".repeat(65), &limits).encoding(), "hashtable");
        let mut hash = hash_of(512, "v", &limits);
        assert!(!hash.set(b"f0", b"w", &limits));
        assert_eq!(hash.encoding(), "listpack");
        hash.expect(512, &limits);
        assert_eq!(hash.encoding(), "listpack");
        hash.expect(513, &limits);
        assert_eq!((hash.encoding(), hash.len()), ("hashtable", 512));
        assert!((1..512).all(|n| hash.remove(format!("f{n}").as_bytes())));
        assert_eq!((hash.encoding(), hash.len()), ("hashtable", 1));
    }

    #[test]
    fn packed_bytes_are_taken_over() {
        let limits = Limits { hash_max_listpack_entries: 2, ..Limits::default() };
        let hash = |elements: &[&str]| {
            Hash::from_listpack(elements.iter().map(|it| Entry::from(it.as_bytes())).collect(), &limits)
        };
        assert!(hash(&["a", "1", "b"]).is_none() && hash(&["a", "1", "a", "2"]).is_none());
        assert!(hash(&["a", "1", "1", "a"]).is_some_and(|hash| matches!(hash.view(), View::Listpack(_))));
        assert!(hash(&["a", "1", "b", "1", "c", "1"]).is_some_and(|hash| matches!(hash.view(), View::Table)));
    }
}
