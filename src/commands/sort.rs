//! SORT: the elements of a list, set or sorted set in another order, or what stands under keys named after them. It works
//! on copies, as every key that it looks up on the way may turn out to have expired.

use alloc::vec::Vec;
use core::{cmp::Ordering, ops::Range};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind as WordKind, Limit, Shape, Words},
    reply::{Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::listpack::Entry,
        hash::Hash,
        list::{List, NodeLimit, Side},
        number::{Digits, parse_float, write_i64},
        set::Set,
        sorted_set::SortedSet,
        sorting::{Ranked, of_float, of_text, sort_until},
    },
    error::until_zero,
    keyspace::{Event, Kind, Text, Value},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "generic";
    /// Sorts the elements of a list, set or sorted set, by themselves or by other keys, and returns or stores them.
    "SORT" = sort(key, options) since "1.0.0" [WRITE DENYOOM] O("N+M*log(M)) where N is the number of elements and M the number of elements returned");
    /// Sorts the elements of a list, set or sorted set, by themselves or by other keys, and returns them.
    "SORT_RO" = sort_ro(key, options) since "7.0.0" [READONLY] O("N+M*log(M)) where N is the number of elements and M the number of elements returned");
};

typed! {
    /// The elements, or how many were stored.
    SortedOrStored = "(Bytes | null)[] | number";
    /// The elements.
    Sorted = "(Bytes | null)[]";
}

/// The options of SORT, and without STORE those of SORT_RO.
#[derive(Default)]
struct Options<'a, const STORES: bool> {
    by: Order<'a>,
    limit: Option<Limit>,
    get: Vec<Place<'a>>,
    descending: bool,
    alpha: bool,
    store: Option<Key<'a>>,
}

/// What the elements are ordered by.
#[derive(Clone, Copy, Default)]
enum Order<'a> {
    /// Themselves.
    #[default]
    Element,
    /// What stands at a place named after each.
    Weight(Place<'a>),
    /// Nothing: they stay as they are.
    AsIs,
}

/// Where something stands that belongs to an element.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// `#`: it is the element itself.
    Itself,
    /// A pattern without `*` leads nowhere.
    Nowhere,
    /// In the key `before`, element, `after`; in a field if it is a hash.
    Key { before: &'a [u8], after: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a, const STORES: bool> Options<'a, STORES> {
    const BY: Shape = Shape::Group(&[Shape::Token("BY"), Shape::Word("pattern", WordKind::Pattern)]);
    const LIMIT: Shape = Shape::Group(&[Shape::Token("LIMIT"), Limit::SHAPE]);
    const GET: Shape =
        Shape::Many(&[Shape::Group(&[Shape::Token("GET"), Shape::Word("pattern", WordKind::Pattern)])]);
    const DIRECTION: Shape = Shape::OneOf(&[Shape::Token("ASC"), Shape::Token("DESC")]);
    const ALPHA: Shape = Shape::Token("ALPHA");
    const STORE: Shape = Shape::Group(&[Shape::Token("STORE"), Shape::Key]);
}

impl<'a, const STORES: bool> Arg<'a> for Options<'a, STORES> {
    const SHAPE: Shape = match STORES {
        true => {
            Shape::Options(&[Self::BY, Self::LIMIT, Self::GET, Self::DIRECTION, Self::ALPHA, Self::STORE])
        }
        false => Shape::Options(&[Self::BY, Self::LIMIT, Self::GET, Self::DIRECTION, Self::ALPHA]),
    };
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut this = Self::default();
        while !words.is_empty() {
            if words.take("ASC") {
                this.descending = false;
            } else if words.take("DESC") {
                this.descending = true;
            } else if words.take("ALPHA") {
                this.alpha = true;
            } else if words.take_with("LIMIT", 2) {
                this.limit = Some(Limit::parse(words)?);
            } else if STORES && words.take_with("STORE", 1) {
                this.store = Some(Key::parse(words)?);
            } else if words.take_with("BY", 1) {
                // Once nothing is to be sorted, no other pattern changes that.
                let by = Order::from(words.next()?);
                if !matches!(this.by, Order::AsIs) {
                    this.by = by;
                }
            } else if words.take_with("GET", 1) {
                this.get.push(Place::from(words.next()?));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(this)
    }
}

impl<'a> From<&'a [u8]> for Order<'a> {
    /// A pattern without `*` gives each element the same weight, which is how one says that nothing is to be sorted.
    fn from(pattern: &'a [u8]) -> Self {
        match Place::from(pattern) {
            place @ Place::Key { .. } => Order::Weight(place),
            Place::Itself | Place::Nowhere => Order::AsIs,
        }
    }
}

impl<'a> From<&'a [u8]> for Place<'a> {
    fn from(pattern: &'a [u8]) -> Self {
        if until_zero(pattern) == b"#" {
            return Place::Itself;
        }
        let Some(star) = until_zero(pattern).iter().position(|byte| *byte == b'*') else {
            return Place::Nowhere;
        };
        let (before, rest) = (&pattern[..star], &pattern[star + 1..]);
        // An arrow that ends the pattern leads to no field and is part of the key.
        let arrow = until_zero(rest).windows(2).position(|pair| pair == b"->");
        match arrow.filter(|at| until_zero(rest).len() > at + 2) {
            Some(at) => Place::Key { before, after: &rest[..at], field: Some(&rest[at + 2..]) },
            None => Place::Key { before, after: rest, field: None },
        }
    }
}

impl Place<'_> {
    /// Shows `see` what stands there for an element, if anything does. `name` is room for the name of the key.
    fn visit<R>(
        self,
        ctx: &mut Ctx,
        element: &[u8],
        name: &mut Vec<u8>,
        see: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        let (before, after, field) = match self {
            Place::Itself => return see(Some(element)),
            Place::Nowhere => return see(None),
            Place::Key { before, after, field } => (before, after, field),
        };
        name.clear();
        [before, element, after].into_iter().for_each(|part| name.extend_from_slice(part));
        let Some(found) = ctx.look_up(Key(name)) else { return see(None) };
        let mut digits = Digits::new();
        match field {
            Some(field) => {
                let value = ctx.database().get::<Hash>(found).and_then(|hash| hash.get(field));
                see(value.map(|value| value.text(&mut digits)))
            }
            None => see(ctx.database().text(found).map(|text| match text {
                Text::Int(n) => write_i64(n, &mut digits),
                Text::Bytes(bytes) => bytes,
            })),
        }
    }
}

/// Texts one after the other.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn of<'e>(entries: impl Iterator<Item = Entry<'e>>) -> Texts {
        let mut texts = Texts::default();
        let mut digits = Digits::new();
        for entry in entries {
            texts.bytes.extend_from_slice(entry.text(&mut digits));
            texts.ends.push(texts.bytes.len());
        }
        texts
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }
}

fn sort<'c, 'a>(
    ctx: &'c mut Ctx,
    key: Key<'a>,
    options: Options<'a, true>,
) -> Result<Written<SortedOrStored, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    let sorted = elements(ctx, key, &options)?;
    let stored = options.store.map(|destination| store(ctx, destination, &sorted, &options.get));
    Ok(Written::new(move |out| match stored {
        Some(count) => out.integer(count as i64),
        None => write(ctx, &sorted, &options.get, out),
    }))
}

fn sort_ro<'c, 'a>(
    ctx: &'c mut Ctx,
    key: Key<'a>,
    options: Options<'a, false>,
) -> Result<Written<Sorted, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    let sorted = elements(ctx, key, &options)?;
    Ok(Written::new(move |out| write(ctx, &sorted, &options.get, out)))
}

/// The chosen elements in order.
fn elements<const STORES: bool>(ctx: &mut Ctx, key: Key, options: &Options<STORES>) -> Result<Texts> {
    let Some(found) = ctx.look_up(key) else { return Ok(Texts::default()) };
    let (database, kind) = (ctx.database(), ctx.database().kind(found));
    let as_is = matches!(options.by, Order::AsIs);
    let reversed = as_is && options.descending;
    let all = match kind {
        Kind::List => database.get::<List>(found).map(|list| match reversed {
            false => Texts::of(list.iter()),
            true => Texts::of(list.iter().rev()),
        }),
        Kind::SortedSet => database.get::<SortedSet>(found).map(|set| match reversed {
            false => Texts::of(set.iter().map(|(member, _)| member)),
            true => Texts::of(set.iter().rev().map(|(member, _)| member)),
        }),
        Kind::Set => database.get::<Set>(found).map(|set| Texts::of(set.iter())),
        Kind::String | Kind::Hash | Kind::Stream => None,
    };
    let all = all.ok_or(Error::WrongType)?;
    let window = window(options.limit, all.len());
    // What is stored may not depend on the order of a set.
    let ranks = match options.by {
        Order::AsIs if kind == Kind::Set && options.store.is_some() => {
            by_text(&all, options.descending, &window)
        }
        Order::AsIs => (0..all.len() as u32).collect(),
        Order::Element if options.alpha => by_text(&all, options.descending, &window),
        Order::Element => by_number(ctx, &all, Place::Itself, options.descending, &window)?,
        Order::Weight(place) if options.alpha => {
            by_weight(ctx, &all, place, options.descending, kind == Kind::Set, &window)
        }
        Order::Weight(place) => by_number(ctx, &all, place, options.descending, &window)?,
    };
    let mut chosen = Texts::default();
    for &index in &ranks[window] {
        chosen.bytes.extend_from_slice(all.get(index as usize));
        chosen.ends.push(chosen.bytes.len());
    }
    Ok(chosen)
}

/// Which of `len` elements a LIMIT means.
fn window(limit: Option<Limit>, len: usize) -> Range<usize> {
    let Some(Limit { offset, count }) = limit else { return 0..len };
    let start = usize::try_from(offset.max(0)).unwrap_or(len).min(len);
    let count = usize::try_from(count).unwrap_or(len).min(len);
    start..(start + count).min(len)
}

/// The indices of elements, in order of the texts themselves.
fn by_text(all: &Texts, descending: bool, window: &Range<usize>) -> Vec<u32> {
    let text = |index: u32| all.get(index as usize);
    let ranked = (0..all.len() as u32).map(|index| (of_text(text(index)), index)).collect();
    arrange(ranked, descending, window, &|a, b| directed(text(a).cmp(text(b)), descending))
}

/// The indices of elements, in order of the numbers at a place and then of the elements. One without a number there has
/// 0.
fn by_number(
    ctx: &mut Ctx,
    all: &Texts,
    place: Place,
    descending: bool,
    window: &Range<usize>,
) -> Result<Vec<u32>> {
    let (mut ranked, mut name) = (Vec::with_capacity(all.len()), Vec::new());
    let mut are_numbers = true;
    for index in 0..all.len() {
        let score = place.visit(ctx, all.get(index), &mut name, |text| text.map_or(Some(0.0), number));
        are_numbers &= score.is_some();
        ranked.push((of_float(score.unwrap_or(0.0)), index as u32));
    }
    if !are_numbers {
        return Err(Error::refused("ERR One or more scores can't be converted into double"));
    }
    let text = |index: u32| all.get(index as usize);
    Ok(arrange(ranked, descending, window, &|a, b| directed(text(a).cmp(text(b)), descending)))
}

/// The indices of elements, in order of the texts at a place; where there is none comes first. Elements with equal texts
/// stay in their order if they have one.
fn by_weight(
    ctx: &mut Ctx,
    all: &Texts,
    place: Place,
    descending: bool,
    is_set: bool,
    window: &Range<usize>,
) -> Vec<u32> {
    let (mut weights, mut name) = (Vec::with_capacity(all.len()), Vec::new());
    for index in 0..all.len() {
        weights.push(place.visit(ctx, all.get(index), &mut name, |text| text.map(Vec::from)));
    }
    let number = |weight: &Option<Vec<u8>>| of_text(weight.as_deref().unwrap_or_default());
    let ranked = weights.iter().map(number).zip(0..).collect();
    arrange(ranked, descending, window, &|a, b| {
        let by_element = || match is_set {
            true => all.get(a as usize).cmp(all.get(b as usize)),
            false => Ordering::Equal,
        };
        directed(weights[a as usize].cmp(&weights[b as usize]), descending).then_with(by_element)
    })
}

/// Items by number, in order as far as they belong in front of the window's end. `tie` knows the direction already.
fn arrange(
    mut ranked: Vec<Ranked>,
    descending: bool,
    window: &Range<usize>,
    tie: &dyn Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    if descending {
        ranked.iter_mut().for_each(|(number, _)| *number = !*number);
    }
    if !window.is_empty() {
        sort_until(&mut ranked, window.end, &|a, b| tie(a, b).then(a.cmp(&b)));
    }
    ranked.into_iter().map(|(_, index)| index).collect()
}

fn directed(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

/// A number as the C library reads it: the empty text is 0, blanks may come first, a zero byte ends it. What is too small
/// to be exact is none.
fn number(text: &[u8]) -> Option<f64> {
    match until_zero(text) {
        [] => Some(0.0),
        text => {
            let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
            parse_float(&text[blanks..]).filter(|number| !number.is_subnormal())
        }
    }
}

fn write(ctx: &mut Ctx, sorted: &Texts, get: &[Place], out: &mut Writer) {
    out.array(sorted.len() * get.len().max(1));
    let mut name = Vec::new();
    for index in 0..sorted.len() {
        let element = sorted.get(index);
        if get.is_empty() {
            out.bulk(element);
        }
        for place in get {
            place.visit(ctx, element, &mut name, |text| match text {
                Some(text) => out.bulk(text),
                None => out.null(),
            });
        }
    }
}

/// Makes a list of the elements or of what is got for them; its length. Nothing got is the empty text.
fn store(ctx: &mut Ctx, destination: Key, sorted: &Texts, get: &[Place]) -> usize {
    if sorted.len() == 0 {
        ctx.delete(destination);
        return 0;
    }
    let limit = NodeLimit::new(ctx.limits.list_max_listpack_size);
    let (mut list, mut name) = (List::new(), Vec::new());
    for index in 0..sorted.len() {
        let element = sorted.get(index);
        if get.is_empty() {
            list.push(Side::Back, element, limit);
        }
        for place in get {
            place.visit(ctx, element, &mut name, |text| {
                list.push(Side::Back, text.unwrap_or_default(), limit);
            });
        }
    }
    let len = list.len();
    ctx.put(destination, Value::List(list), None);
    ctx.changed(destination, Event::SortStore);
    len
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::engine::testing::Session;

    #[test]
    fn numbers_are_what_the_c_library_reads() {
        for (text, value) in [
            (&b""[..], Some(0.0)),
            (b"-7", Some(-7.0)),
            (b" \t1.5", Some(1.5)),
            (b"0x10", Some(16.0)),
            (b"-inf", Some(f64::NEG_INFINITY)),
            (b"1\0x", Some(1.0)),
            (b"\0x", Some(0.0)),
            (b" ", None),
            (b"1 ", None),
            (b"nan", None),
            (b"1e400", None),
            (b"1e-320", None),
            (b"a", None),
        ] {
            assert_eq!(number(text), value, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_pattern_names_a_key_and_may_name_a_field() {
        let parts = |pattern: &'static str| match Place::from(pattern.as_bytes()) {
            Place::Key { before, after, field } => [Some(before), Some(after), field]
                .map(|part| part.map(|text| text.escape_ascii().to_string())),
            Place::Itself | Place::Nowhere => [const { None }; 3],
        };
        let some = |text: &str| Some(text.to_string());
        assert_eq!(parts("w_*"), [some("w_"), some(""), None]);
        assert_eq!(parts("w_*_*->f->g"), [some("w_"), some("_*"), some("f->g")]);
        assert_eq!(parts("a->b_*->"), [some("a->b_"), some("->"), None]);
        assert_eq!(parts("w_"), [None, None, None]);
        assert_eq!(parts("#"), [None, None, None]);
    }

    #[test]
    fn what_is_stored_does_not_depend_on_the_order_of_a_set() {
        let mut session = Session::new();
        session.ask("CONFIG SET set-max-listpack-entries 0\nSADD s c a d b e\nMSET w_a 1 w_b 1 w_c 0");
        session.ask("SORT s BY w_* ALPHA STORE l\nSORT s BY nosort STORE m");
        let reply = session.ask("LRANGE l 0 -1\nLRANGE m 0 -1");
        assert_eq!(reply.replace("\r\n$1\r\n", " "), "*5 d e c a b\r\n*5 a b c d e\r\n");
    }

    #[test]
    fn an_expired_weight_is_none_and_goes() {
        let mut session = Session::new();
        session.ask("RPUSH l 1 2 3\nSET w_1 9\nSET w_2 5 PX 10\nSET w_3 1");
        session.logged();
        session.now_ms += 10;
        assert_eq!(session.ask("SORT l BY w_* STORE m"), ":3\r\n");
        // In front of the SORT, so that the weight is gone for whoever reads the journal, too.
        assert_eq!(session.logged()[..2], ["MULTI", "DEL w_2"]);
    }
}
