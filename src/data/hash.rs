//! Hashes: fields, each with a value, and some perhaps with a deadline.
//!
//! A hash begins as a listpack of fields and values and becomes a table when it has too many or too long ones; never
//! back. With its first deadline a listpack becomes one of fields, values and deadlines, and stays one. The moments, and
//! the bytes of both listpacks, are Redis's. A hash without deadlines pays nothing for those of others. It knows no time:
//! whoever does removes what is due. Counting up and other arithmetic is the business of the commands.

mod fields;

use crate::data::containers::listpack::{self, Entry, Listpack, Position};
use crate::data::containers::tagged::{Form, Tagged};
use crate::data::limits::Limits;
use crate::data::number::Digits;
use fields::{Fields, Old};

/// A hash, as wide as a pointer.
#[derive(Clone)]
pub struct Hash {
    /// A listpack that is marked has deadlines: triples in the order of those, which are 0 and last where there is none.
    form: Tagged<Listpack, Fields>,
}

/// How a hash is stored, for whoever copies its bytes.
pub enum View<'h> {
    /// Fields and values by turns, as Redis stores them.
    Listpack(&'h Listpack),
    /// Fields, values and deadlines by turns, as Redis stores them: by deadline, which is 0 and last where there is none.
    ListpackEx(&'h Listpack),
    /// A table, of which there is no more to see than its fields and values.
    Table,
}

/// A field and its value.
pub type Pair<'h> = (Entry<'h>, Entry<'h>);

/// A field, its value, and when it expires, in milliseconds since 1970.
pub type Mortal<'h> = (Pair<'h>, Option<u64>);

impl Hash {
    /// A hash of nothing.
    pub fn new() -> Self {
        Listpack::new().into()
    }

    /// Takes over a packed hash that came from outside; `None` when a field is there twice or without a value.
    pub fn from_listpack(listpack: Listpack, limits: &Limits) -> Option<Self> {
        Hash::from_packed(listpack, limits)
    }

    /// Takes over a packed hash of fields, values and deadlines that came from outside; `None` when a field is there
    /// twice or without the others, or the deadlines are none or not in order.
    pub fn from_listpack_ex(mut listpack: Listpack, limits: &Limits) -> Option<Self> {
        listpack.mark();
        let mut deadlines = listpack.iter().skip(2).step_by(3).map(|it| it.int().filter(|&at| at >= 0));
        let of_order = |at: i64| if at == 0 { i64::MAX } else { at };
        let mut last = 0;
        deadlines
            .all(|at| at.is_some_and(|at| core::mem::replace(&mut last, of_order(at)) <= of_order(at)))
            .then_some(())?;
        Hash::from_packed(listpack, limits)
    }

    fn from_packed(listpack: Listpack, limits: &Limits) -> Option<Self> {
        let (len, width) = (listpack.len(), width(&listpack));
        len.is_multiple_of(width).then_some(())?;
        let fields = fields_of(&listpack, limits.seed);
        (fields.len() == len / width).then_some(())?;
        let keep = len / width <= limits.hash_max_listpack_entries;
        Some(if keep { listpack.into() } else { Hash { form: Tagged::large(fields) } })
    }

    /// The number of fields.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.get() {
            Form::Large(fields) => fields.len(),
            Form::Small(listpack) if listpack.is_marked() => listpack.len() / 3,
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
            View::ListpackEx(_) => "listpackex",
            View::Table => "hashtable",
        }
    }

    /// How it is stored.
    pub fn view(&self) -> View<'_> {
        match self.form.get() {
            Form::Large(_) => View::Table,
            Form::Small(listpack) if listpack.is_marked() => View::ListpackEx(listpack),
            Form::Small(listpack) => View::Listpack(listpack),
        }
    }

    /// Bytes of the heap it occupies.
    pub fn memory(&self) -> usize {
        match self.form.get() {
            Form::Large(fields) => fields.memory(),
            Form::Small(listpack) => listpack.heap_size(),
        }
    }

    /// About how many pieces it would take apart into: one when it is packed.
    pub fn parts(&self) -> usize {
        match self.form.get() {
            Form::Large(fields) => fields.len(),
            Form::Small(_) => 1,
        }
    }

    /// Frees some of a hash that is of no other use any more; false when the rest is freed with it.
    pub fn free_piece(&mut self) -> bool {
        match self.form.get_mut() {
            Form::Large(fields) => fields.free_piece(),
            Form::Small(_) => false,
        }
    }

    /// Makes ready for `more` fields. As in Redis, the number alone may make it a table.
    pub fn expect(&mut self, more: usize, limits: &Limits) {
        if more > limits.hash_max_listpack_entries {
            self.make_table(limits);
        }
    }

    /// Sets the value of a field, which then has no deadline; true when the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.put(field, value, Old::Dropped, limits)
    }

    /// Sets the value of a field, whose deadline stays; true when the field is new.
    pub fn update(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.put(field, value, Old::Kept, limits)
    }

    #[inline]
    fn put(&mut self, field: &[u8], value: &[u8], old: Old, limits: &Limits) -> bool {
        let listpack = match self.form.get_mut() {
            Form::Large(fields) => return fields.set(field, value, old),
            Form::Small(listpack) => listpack,
        };
        let (new_field, new_value) = (Entry::from(field), Entry::from(value));
        let longest = field.len().max(value.len());
        if longest > limits.hash_max_listpack_value
            || listpack.would_exceed(new_field.size() + new_value.size() + Entry::Int(0).size())
        {
            return self.make_table(limits).set(field, value, old);
        }
        let found = value_of(listpack, field);
        match found {
            Some(at) => {
                listpack.replace(at, new_value);
                if listpack.is_marked() && old == Old::Dropped {
                    set_packed_deadline(listpack, field, None);
                }
            }
            None if listpack.is_marked() => listpack.append([new_field, new_value, NEVER].into_iter()),
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
            Form::Large(fields) => fields.get(field),
            Form::Small(listpack) => value_of(listpack, field).map(|at| listpack.at(at)),
        }
    }

    /// Asks the processor to load a field that is looked for soon.
    #[inline]
    pub fn prefetch(&self, field: &[u8]) {
        if let Form::Large(fields) = self.form.get() {
            fields.prefetch(field);
        }
    }

    /// Is there such a field?
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        match self.form.get() {
            Form::Large(fields) => fields.contains(field),
            Form::Small(listpack) => find(listpack, field).is_some(),
        }
    }

    /// When a field expires, in milliseconds since 1970; `None` when there is no such field.
    pub fn deadline(&self, field: &[u8]) -> Option<Option<u64>> {
        match self.form.get() {
            Form::Large(fields) => fields.deadline(field),
            Form::Small(listpack) => {
                let value = value_of(listpack, field)?;
                let at = listpack.next(value).filter(|_| listpack.is_marked());
                Some(at.and_then(|at| deadline_from(listpack.at(at))))
            }
        }
    }

    /// When the first field expires.
    #[inline]
    pub fn first_deadline(&self) -> Option<u64> {
        match self.form.get() {
            Form::Large(fields) => fields.first_deadline(),
            Form::Small(listpack) if listpack.is_marked() => listpack.get(2).and_then(deadline_from),
            Form::Small(_) => None,
        }
    }

    /// Sets or clears the deadline of a field; false when there is no such field. Deadlines are more than 0 and less than
    /// half of all numbers.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>, limits: &Limits) -> bool {
        let has_room = |listpack: &Listpack| {
            let more = Entry::Int(i64::MAX).size();
            !listpack.would_exceed(if listpack.is_marked() { more } else { more * (1 + listpack.len() / 2) })
        };
        match self.form.get_mut() {
            Form::Large(fields) => fields.set_deadline(field, deadline),
            Form::Small(listpack) if has_room(listpack) => {
                let found = find(listpack, field).is_some();
                if found && deadline.is_some() && !listpack.is_marked() {
                    *listpack = with_deadlines(listpack);
                }
                if found && listpack.is_marked() {
                    set_packed_deadline(listpack, field, deadline);
                }
                found
            }
            Form::Small(_) => self.make_table(limits).set_deadline(field, deadline),
        }
    }

    /// Removes the fields that expire at `now_ms` or before, up to `limit`, each of which `last_look` sees before it is
    /// gone.
    pub fn remove_due(&mut self, now_ms: u64, limit: usize, mut last_look: impl FnMut(&[u8])) -> usize {
        let mut removed = 0;
        while removed < limit && self.first_deadline().is_some_and(|at| at <= now_ms) {
            removed += 1;
            match self.form.get_mut() {
                Form::Large(fields) => fields.pop_first(|field| last_look(field.text(&mut Digits::new()))),
                Form::Small(listpack) => {
                    if let Some(first) = listpack.first() {
                        last_look(listpack.at(first).text(&mut Digits::new()));
                    }
                    listpack.remove_range(0, 3);
                }
            }
        }
        removed
    }

    /// Removes a field; true when it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.take_with(field, |_| ()).is_some()
    }

    /// Removes a field, whose value `last_look` sees before it is gone.
    pub fn take_with<R>(&mut self, field: &[u8], last_look: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        match self.form.get_mut() {
            Form::Large(fields) => fields.take_with(field, last_look),
            Form::Small(listpack) => {
                let at = find(listpack, field)?;
                let result = last_look(listpack.at(listpack.next(at)?));
                listpack.remove_run(at, width(listpack));
                Some(result)
            }
        }
    }

    /// All fields with their values, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Pair<'_>> {
        let pairs = match self.form.get() {
            Form::Large(fields) => Pairs::Fields(fields.iter()),
            Form::Small(listpack) => Pairs::Packed(Packed::of(listpack)),
        };
        Iter { pairs, left: self.len() }
    }

    /// All fields with their values and deadlines, in no particular order.
    pub fn mortals(&self) -> impl Iterator<Item = Mortal<'_>> {
        let (fields, packed) = match self.form.get() {
            Form::Large(fields) => (Some(fields.mortals()), None),
            Form::Small(listpack) => (None, Some(Packed::of(listpack))),
        };
        let packed = packed.map(|mut packed| core::iter::from_fn(move || packed.next_mortal()));
        fields.into_iter().flatten().chain(packed.into_iter().flatten())
    }

    /// A field chosen by chance and its value, each as likely as any other; `random` yields 64 random bits a call.
    pub fn random(&self, random: &mut impl FnMut() -> u64) -> Option<Pair<'_>> {
        match self.form.get() {
            Form::Large(fields) => fields.random(random),
            Form::Small(listpack) => {
                let index = ((random() as u128 * self.len() as u128) >> 64) as usize;
                let at = listpack.seek((width(listpack) * index) as isize)?;
                Some((listpack.at(at), listpack.at(listpack.next(at)?)))
            }
        }
    }

    /// Visits at least `count` fields from `cursor` on, all of them when the hash is packed, and returns the cursor to go
    /// on with: 0 when all were visited.
    pub fn scan<'v>(&'v self, cursor: u64, count: usize, visit: impl FnMut(Pair<'v>)) -> u64 {
        match self.form.get() {
            Form::Large(fields) => fields.scan(cursor, count, visit),
            Form::Small(_) => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    fn make_table(&mut self, limits: &Limits) -> &mut Fields {
        if let Form::Small(listpack) = self.form.get() {
            self.form = Tagged::large(fields_of(listpack, limits.seed));
        }
        match self.form.get_mut() {
            Form::Large(fields) => fields,
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

fn fields_of(listpack: &Listpack, seed: u64) -> Fields {
    let (mut fields, mut digits) = (Fields::new(seed), [Digits::new(), Digits::new()]);
    let mut packed = Packed::of(listpack);
    while let Some(((field, value), deadline)) = packed.next_mortal() {
        let [of_field, of_value] = &mut digits;
        let field = field.text(of_field);
        fields.set(field, value.text(of_value), Old::Dropped);
        if deadline.is_some() {
            fields.set_deadline(field, deadline);
        }
    }
    fields
}

/// What stands for no deadline in a listpack.
const NEVER: Entry<'static> = Entry::Int(0);

/// How many elements a listpack has for each field.
#[inline]
fn width(listpack: &Listpack) -> usize {
    2 + listpack.is_marked() as usize
}

#[inline]
fn find(listpack: &Listpack, field: &[u8]) -> Option<Position> {
    listpack.find(field, None, width(listpack) - 1)
}

#[inline]
fn value_of(listpack: &Listpack, field: &[u8]) -> Option<Position> {
    listpack.next(find(listpack, field)?)
}

fn deadline_from(entry: Entry<'_>) -> Option<u64> {
    entry.int().filter(|&at| at > 0).map(|at| at as u64)
}

/// The same fields, with room for deadlines.
fn with_deadlines(pairs: &Listpack) -> Listpack {
    let mut elements = pairs.iter();
    let mut triples = Listpack::new();
    while let (Some(field), Some(value)) = (elements.next(), elements.next()) {
        triples.append([field, value, NEVER].into_iter());
    }
    triples.mark();
    triples
}

/// Moves a field of a marked listpack to where its new deadline belongs.
fn set_packed_deadline(listpack: &mut Listpack, field: &[u8], deadline: Option<u64>) {
    let Some(at) = find(listpack, field) else { return };
    let old = value_of(listpack, field).and_then(|at| listpack.next(at)).map(|at| listpack.at(at));
    if old.and_then(deadline_from) == deadline {
        return;
    }
    let value =
        listpack.next(at).map(|at| listpack.at(at).text(&mut Digits::new()).to_vec()).unwrap_or_default();
    listpack.remove_run(at, 3);
    let triple = [field.into(), Entry::from(&value[..]), deadline.map_or(NEVER, |at| Entry::Int(at as i64))];
    let place = deadline.and_then(|deadline| {
        let later = Packed::of(listpack).position(|(_, at)| at.is_none_or(|at| at > deadline))?;
        listpack.seek(3 * later as isize)
    });
    match place {
        Some(place) => drop(listpack.insert(place, &triple)),
        None => listpack.append(triple.into_iter()),
    }
}

/// The fields of a listpack in order.
struct Packed<'h> {
    elements: listpack::Iter<'h>,
    has_deadlines: bool,
}

impl<'h> Packed<'h> {
    fn of(listpack: &'h Listpack) -> Self {
        Packed { elements: listpack.iter(), has_deadlines: listpack.is_marked() }
    }

    #[inline]
    fn next_pair(&mut self) -> Option<Pair<'h>> {
        let pair = (self.elements.next()?, self.elements.next()?);
        if self.has_deadlines {
            self.skip_deadline();
        }
        Some(pair)
    }

    /// Apart, so that nothing of it is in the way of hashes without deadlines.
    #[cold]
    #[inline(never)]
    fn skip_deadline(&mut self) {
        self.elements.next();
    }

    fn next_mortal(&mut self) -> Option<Mortal<'h>> {
        let pair = (self.elements.next()?, self.elements.next()?);
        let deadline = if self.has_deadlines { self.elements.next().and_then(deadline_from) } else { None };
        Some((pair, deadline))
    }

    fn position(mut self, mut is_wanted: impl FnMut(Mortal<'h>) -> bool) -> Option<usize> {
        core::iter::from_fn(|| self.next_mortal()).position(&mut is_wanted)
    }
}

enum Pairs<'h, T> {
    Packed(Packed<'h>),
    Fields(T),
}

struct Iter<'h, T> {
    pairs: Pairs<'h, T>,
    left: usize,
}

impl<'h, T: Iterator<Item = Pair<'h>>> Iterator for Iter<'h, T> {
    type Item = Pair<'h>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'h>> {
        self.left = self.left.saturating_sub(1);
        match &mut self.pairs {
            Pairs::Packed(it) => it.next_pair(),
            Pairs::Fields(it) => it.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Pair<'h>) -> B>(self, init: B, f: F) -> B {
        match self.pairs {
            Pairs::Packed(mut it) => core::iter::from_fn(|| it.next_pair()).fold(init, f),
            Pairs::Fields(it) => it.fold(init, f),
        }
    }
}

impl<'h, T: Iterator<Item = Pair<'h>>> ExactSizeIterator for Iter<'h, T> {}

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

    type MortalModel = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

    fn mortals(hash: &Hash) -> MortalModel {
        hash.mortals().map(|((field, value), at)| (text(field), (text(value), at))).collect()
    }

    fn check_mortals(hash: &Hash, model: &MortalModel) {
        assert_eq!(mortals(hash), *model);
        assert_eq!(mortals(&hash.clone()), *model);
        assert_eq!((hash.len(), hash.iter().len()), (model.len(), model.len()));
        assert_eq!(hash.first_deadline(), model.values().filter_map(|(_, at)| *at).min());
        assert!(hash.iter().all(|(field, value)| model[&text(field)].0 == text(value)));
        if let View::ListpackEx(listpack) = hash.view() {
            let copy = Listpack::from_bytes(listpack.as_bytes()).expect("a listpack");
            let taken = Hash::from_listpack_ex(copy, &Limits::default()).expect("a hash with deadlines");
            assert_eq!(mortals(&taken), *model);
        }
    }

    /// With deadlines that come, change and pass, in both encodings and across the change between them.
    #[test]
    fn fields_die_when_they_are_due() {
        for (seed, names, len) in [(1, 12, 10), (2, 900, 12), (3, 30, 200)] {
            let (names, entries) = if cfg!(miri) { (names.min(30), 12) } else { (names, 128) };
            let limits = Limits { seed, hash_max_listpack_entries: entries, ..Limits::default() };
            let (mut random, mut hash, mut model) = (random(seed), Hash::new(), MortalModel::new());
            for now in 1..STEPS as u64 / 2 {
                let field = format!("{}", random() % names).into_bytes();
                let value = vec![b'v'; random() as usize % len];
                let deadline = (random() % 4 > 0).then(|| now + 1 + random() % 600);
                match random() % 6 {
                    0 => {
                        let removed = hash.take_with(&field, text);
                        assert_eq!(removed, model.remove(&field).map(|(value, _)| value));
                    }
                    1 => {
                        hash.set(&field, &value, &limits);
                        model.insert(field.clone(), (value, None));
                    }
                    2 => {
                        hash.update(&field, &value, &limits);
                        model.entry(field.clone()).or_default().0 = value;
                    }
                    _ => {
                        let found = hash.set_deadline(&field, deadline, &limits);
                        assert_eq!(found, model.contains_key(&field));
                        model.entry(field.clone()).and_modify(|entry| entry.1 = deadline);
                    }
                }
                assert_eq!(hash.deadline(&field), model.get(&field).map(|(_, at)| *at));
                let mut dead = Vec::new();
                hash.remove_due(now, usize::MAX, |field| dead.push(field.to_vec()));
                dead.sort();
                let due = model.extract_if(.., |_, (_, at)| at.is_some_and(|at| at <= now));
                assert!(due.map(|(field, _)| field).eq(dead));
                if now % (STEPS as u64 / 2 / CHECKS as u64) == 0 {
                    check_mortals(&hash, &model);
                }
            }
            check_mortals(&hash, &model);
        }
    }

    #[test]
    fn deadlines_have_an_encoding_of_their_own() {
        let (limits, mut hash) = (Limits::default(), hash_of(3, "v", &Limits::default()));
        assert!(!hash.set_deadline(b"none", Some(5), &limits) && hash.set_deadline(b"f0", None, &limits));
        assert_eq!(hash.encoding(), "listpack");
        assert!(hash.set_deadline(b"f1", Some(500), &limits) && hash.set_deadline(b"f2", Some(50), &limits));
        let View::ListpackEx(listpack) = hash.view() else { panic!("a listpack with deadlines") };
        let texts: Vec<_> = listpack.iter().map(text).collect();
        assert_eq!(texts.join(&b' '), b"f2 v 50 f1 v 500 f0 v 0");
        assert!(hash.set_deadline(b"f1", None, &limits) && hash.set_deadline(b"f2", None, &limits));
        assert_eq!((hash.encoding(), hash.first_deadline()), ("listpackex", None));
        hash.set_deadline(b"f1", Some(7), &limits);
        assert!(hash.set(b"long", &[b'v'; 65], &limits));
        assert_eq!((hash.encoding(), hash.first_deadline()), ("hashtable", Some(7)));
    }

    #[test]
    fn a_large_hash_pays_a_pointer_for_the_deadlines_of_others() {
        use crate::data::containers::table::Table;
        assert_eq!(size_of::<Fields>(), size_of::<Table<()>>() + size_of::<usize>());
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
