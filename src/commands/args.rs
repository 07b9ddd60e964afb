//! Typed arguments: words become what a command works with, or are refused before anything changed.
//! A type that reads itself also describes itself (`SHAPE`), and that description is the only source of arity, key
//! positions, COMMAND DOCS and the TypeScript signatures.

use alloc::format;
use core::{marker::PhantomData, ops::Range};

pub use crate::keyspace::Key;
use crate::{
    Error, Result,
    data::number::{Extended, parse_count, parse_float, parse_i64},
};

/// The words of one request after its name, read left to right.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    words: &'a [&'a [u8]],
}

impl<'a> Words<'a> {
    /// The words still to be read.
    pub fn new(words: &'a [&'a [u8]]) -> Self {
        Words { words }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether all were read.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The next word, which stays.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.words.first().copied()
    }

    /// Takes the next word.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<&'a [u8]> {
        let (first, rest) = self.words.split_first().ok_or(Error::Syntax)?;
        self.words = rest;
        Ok(first)
    }

    /// Takes the next word only if it is `token`, in any letter case.
    pub fn take(&mut self, token: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(token.as_bytes()));
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    /// Takes the next word only if it is `token` and enough words follow for what the token announces.
    pub fn take_with(&mut self, token: &str, following: usize) -> bool {
        self.words.len() > following && self.take(token)
    }

    /// Takes all words but the last `keep`.
    pub fn split_off(&mut self, keep: usize) -> &'a [&'a [u8]] {
        let (taken, kept) = self.words.split_at(self.words.len().saturating_sub(keep));
        self.words = kept;
        taken
    }

    /// Takes exactly `n` words.
    pub fn take_n(&mut self, n: usize) -> Result<&'a [&'a [u8]]> {
        let (taken, rest) = self.words.split_at_checked(n).ok_or(Error::Syntax)?;
        self.words = rest;
        Ok(taken)
    }

    /// Refuses words that nobody read.
    pub fn end(self) -> Result<()> {
        if self.words.is_empty() { Ok(()) } else { Err(Error::Syntax) }
    }
}

/// What an argument looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// The name of a key.
    Key,
    /// One word of a kind.
    Word(&'static str, Kind),
    /// This very word, in any letter case.
    Token(&'static str),
    /// These, in this order.
    Group(&'static [Shape]),
    /// These, once or more.
    Many(&'static [Shape]),
    /// This, or nothing.
    Maybe(&'static Shape),
    /// One of these.
    OneOf(&'static [Shape]),
    /// Each of these at most once, in any order.
    Options(&'static [Shape]),
    /// How many keys, and then the keys.
    CountedKeys,
    /// The same when there may be none.
    AnyKeys,
    /// `FIELDS`, how often these come, and then these so often, as the last of the request.
    Fields(&'static [Shape]),
    /// How many keys, and then each key with its value.
    CountedPairs,
    /// `STREAMS key [key …] id [id …]`: as many of the one as of the other.
    Streams,
}

/// What a single word holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any bytes.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A floating point number.
    Double,
    /// A glob pattern.
    Pattern,
    /// A point in time, in seconds or milliseconds since 1970.
    UnixTime,
}

impl Shape {
    /// The fewest words that fit.
    pub const fn min_words(&self) -> usize {
        match self {
            Shape::Key | Shape::Word(..) | Shape::Token(_) | Shape::AnyKeys => 1,
            Shape::Options(_) | Shape::Maybe(_) => 0,
            Shape::CountedKeys => 2,
            Shape::CountedPairs | Shape::Streams => 3,
            Shape::Fields(shapes) => 2 + Shape::sum(shapes),
            Shape::Group(shapes) | Shape::Many(shapes) => Shape::sum(shapes),
            Shape::OneOf(shapes) => {
                let (mut least, mut i) = (usize::MAX, 0);
                while i < shapes.len() {
                    let words = shapes[i].min_words();
                    if words < least {
                        least = words;
                    }
                    i += 1;
                }
                least
            }
        }
    }

    /// The fewest words that fit all of `shapes` in a row.
    pub const fn sum(shapes: &[Shape]) -> usize {
        let (mut words, mut i) = (0, 0);
        while i < shapes.len() {
            words += shapes[i].min_words();
            i += 1;
        }
        words
    }

    /// Whether exactly `min_words` fit and no more.
    pub const fn is_fixed(&self) -> bool {
        match self {
            Shape::Key | Shape::Word(..) | Shape::Token(_) => true,
            Shape::Many(_)
            | Shape::Options(_)
            | Shape::Maybe(_)
            | Shape::CountedKeys
            | Shape::AnyKeys
            | Shape::Fields(_)
            | Shape::CountedPairs
            | Shape::Streams => false,
            Shape::Group(shapes) | Shape::OneOf(shapes) => {
                let mut i = 0;
                while i < shapes.len() {
                    if !shapes[i].is_fixed() {
                        return false;
                    }
                    i += 1;
                }
                true
            }
        }
    }
}

/// A type that knows how to read itself from a request and how to describe itself.
pub trait Arg<'a>: Sized {
    /// What the words look like.
    const SHAPE: Shape;
    /// Reads the words, or refuses them.
    fn parse(words: &mut Words<'a>) -> Result<Self>;
}

/// Types that hold one word as it came.
macro_rules! words {
    ($($(#[$doc:meta])* $Name:ident = $shape:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name<'a>(pub &'a [u8]);

        impl<'a> Arg<'a> for $Name<'a> {
            const SHAPE: Shape = $shape;
            fn parse(words: &mut Words<'a>) -> Result<Self> {
                words.next().map($Name)
            }
        }
    )* };
}

words! {
    /// A value.
    Text = Shape::Word("value", Kind::Text);
    /// A field of a hash.
    Field = Shape::Word("field", Kind::Text);
    /// A member of a set or sorted set, or an element of a list.
    Member = Shape::Word("member", Kind::Text);
    /// A number that is looked at only when the key is known.
    Number = Shape::Word("number", Kind::Double);
    /// The name of a channel.
    Channel = Shape::Word("channel", Kind::Text);
    /// A glob pattern.
    Pattern = Shape::Word("pattern", Kind::Pattern);
}

impl<'a> Arg<'a> for Key<'a> {
    const SHAPE: Shape = Shape::Key;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Key)
    }
}

impl Arg<'_> for i64 {
    const SHAPE: Shape = Shape::Word("integer", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        parse_i64(words.next()?).ok_or(Error::NotInteger)
    }
}

impl Arg<'_> for f64 {
    const SHAPE: Shape = Shape::Word("number", Kind::Double);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        parse_float(words.next()?).ok_or(Error::NotFloat)
    }
}

impl Member<'_> {
    /// Its value as an integer, for arguments that are looked at only when the key is known.
    pub fn integer(self) -> Result<i64> {
        parse_i64(self.0).ok_or(Error::NotInteger)
    }
}

/// An integer whose negative is one, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Negatable(pub i64);

impl Arg<'_> for Negatable {
    const SHAPE: Shape = i64::SHAPE;
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match i64::parse(words)? {
            i64::MIN => Err(Error::refused(
                "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
            )),
            n => Ok(Negatable(n)),
        }
    }
}

/// For how long somebody waits, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Millis(pub u64);

impl Arg<'_> for Millis {
    const SHAPE: Shape = Shape::Word("timeout", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let millis = parse_i64(words.next()?);
        Millis::new(millis.ok_or(Error::refused("ERR timeout is not an integer or out of range"))?)
    }
}

impl Millis {
    /// So many milliseconds, unless they are negative.
    pub fn new(millis: i64) -> Result<Millis> {
        u64::try_from(millis).map(Millis).map_err(|_| Error::refused("ERR timeout is negative"))
    }
}

/// How many: an integer that is not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count(pub usize);

impl Arg<'_> for Count {
    const SHAPE: Shape = Shape::Word("count", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let count = parse_count(words.next()?);
        count.map(Count).ok_or(Error::refused("ERR value is out of range, must be positive"))
    }
}

/// What is looked at only when the key is known, as the key may be refused first or there may be nothing to do. It comes
/// last.
#[derive(Clone, Copy)]
pub struct Later<'a, T> {
    words: &'a [&'a [u8]],
    kind: PhantomData<T>,
}

impl<'a, T: Arg<'a>> Arg<'a> for Later<'a, T> {
    const SHAPE: Shape = T::SHAPE;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(Later { words: words.split_off(0), kind: PhantomData })
    }
}

impl<'a, T: Arg<'a>> Later<'a, T> {
    /// Looks at it.
    pub fn read(self) -> Result<T> {
        let mut words = Words::new(self.words);
        let value = T::parse(&mut words)?;
        words.end().map(|()| value)
    }
}

/// A number as INCRBYFLOAT and HINCRBYFLOAT add it.
impl Arg<'_> for Extended {
    const SHAPE: Shape = Shape::Word("increment", Kind::Double);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        Extended::parse(words.next()?).ok_or(Error::NotFloat)
    }
}

impl<'a, T: Arg<'a>> Arg<'a> for Option<T> {
    const SHAPE: Shape = Shape::Maybe(&T::SHAPE);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.is_empty() { Ok(None) } else { T::parse(words).map(Some) }
    }
}

/// One or more words of the same kind, up to the `KEEP` words that other arguments need.
#[derive(Clone, Copy)]
pub struct Rest<'a, T, const KEEP: usize = 0> {
    words: &'a [&'a [u8]],
    kind: PhantomData<T>,
}

impl<'a, T: Arg<'a>, const KEEP: usize> Arg<'a> for Rest<'a, T, KEEP> {
    const SHAPE: Shape = Shape::Many(&[T::SHAPE]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(KEEP);
        let mut check = Words::new(all);
        while !check.is_empty() {
            T::parse(&mut check)?;
        }
        Ok(Rest { words: all, kind: PhantomData })
    }
}

impl<'a, T: Arg<'a>, const KEEP: usize> Rest<'a, T, KEEP> {
    /// How many.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T, KEEP> {
        self.words.chunks_exact(1).map(|word| T::parse(&mut Words::new(word)).expect("checked when read"))
    }

    /// The words as they came.
    pub fn words(&self) -> &'a [&'a [u8]] {
        self.words
    }
}

/// One or more keys, up to the `KEEP` words that other arguments need.
pub type Keys<'a, const KEEP: usize = 0> = Rest<'a, Key<'a>, KEEP>;

/// `numkeys key [key …]`: how many keys, and then the keys.
#[derive(Clone, Copy, Debug)]
pub struct CountedKeys<'a> {
    keys: &'a [&'a [u8]],
}

impl<'a> Arg<'a> for CountedKeys<'a> {
    const SHAPE: Shape = Shape::CountedKeys;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let count = parse_count(words.next()?).filter(|&n| n > 0);
        let count = count.ok_or(Error::refused("ERR numkeys should be greater than 0"))?;
        words.take_n(count).map(|keys| CountedKeys { keys })
    }
}

impl<'a> CountedKeys<'a> {
    /// Each of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Key<'a>> + Clone + use<'a> {
        self.keys.iter().map(|&key| Key(key))
    }
}

/// One or more pairs, checked as a whole before anything is changed.
#[derive(Clone, Copy)]
pub struct Pairs<'a, A, B> {
    words: &'a [&'a [u8]],
    kinds: PhantomData<(A, B)>,
}

impl<'a, A: Arg<'a>, B: Arg<'a>> Arg<'a> for Pairs<'a, A, B> {
    const SHAPE: Shape = Shape::Many(&[A::SHAPE, B::SHAPE]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(0);
        if all.is_empty() || !all.len().is_multiple_of(2) {
            return Err(Error::Arity);
        }
        let mut check = Words::new(all);
        while !check.is_empty() {
            A::parse(&mut check)?;
            B::parse(&mut check)?;
        }
        Ok(Pairs { words: all, kinds: PhantomData })
    }
}

impl<'a, A: Arg<'a>, B: Arg<'a>> Pairs<'a, A, B> {
    /// How many pairs.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.words.len() / 2
    }

    /// Each pair, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (A, B)> + Clone + use<'a, A, B> {
        self.words.chunks_exact(2).map(|pair| {
            let mut words = Words::new(pair);
            (
                A::parse(&mut words).expect("checked when read"),
                B::parse(&mut words).expect("checked when read"),
            )
        })
    }
}

/// Tokens of which exactly one is meant, such as `LEFT | RIGHT`, or at most one in an `options!` struct, such as `NX | XX`.
macro_rules! one_of {
    ($(#[$doc:meta])* $vis:vis enum $Name:ident $(else $conflict:literal)? { $($(#[$variant:meta])* $token:literal = $Variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $vis enum $Name { $($(#[$variant])* $Variant),* }

        impl $crate::commands::args::OneOf for $Name {
            const SHAPES: &'static [$crate::commands::args::Shape] = &[$($crate::commands::args::Shape::Token($token)),*];
            fn conflict() -> $crate::Error {
                #[allow(unused_mut, unused_assignments)]
                let mut conflict = $crate::Error::Syntax;
                $(conflict = $crate::Error::refused($conflict);)?
                conflict
            }
            fn take(words: &mut $crate::commands::args::Words<'_>) -> Option<Self> {
                $(if words.take($token) { return Some($Name::$Variant) })*
                None
            }
        }

        impl<'a> $crate::commands::args::Arg<'a> for $Name {
            const SHAPE: $crate::commands::args::Shape =
                $crate::commands::args::Shape::OneOf(<$Name as $crate::commands::args::OneOf>::SHAPES);
            fn parse(words: &mut $crate::commands::args::Words<'a>) -> $crate::Result<Self> {
                <$Name as $crate::commands::args::OneOf>::take(words).ok_or($crate::Error::Syntax)
            }
        }
    };
}
pub(crate) use one_of;

/// What `one_of!` makes.
pub trait OneOf: Copy + PartialEq {
    /// The tokens.
    const SHAPES: &'static [Shape];
    /// What is answered when two different ones are given.
    fn conflict() -> Error;
    /// Takes the next word if it is one of the tokens.
    fn take(words: &mut Words<'_>) -> Option<Self>;
}

/// A struct of switches in any order; its fields are both the parser and the documentation. A field is a `bool` with
/// its token, an `Option` of a `one_of!` type, or an `Option` of an argument that follows its token.
macro_rules! options {
    ($(#[$doc:meta])* $vis:vis struct $Name:ident $(<$lt:lifetime>)? { $($(#[$fdoc:meta])* $field:ident: $Type:ty $(= $token:literal)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        $vis struct $Name $(<$lt>)? { $($(#[$fdoc])* pub $field: $Type),* }

        impl<'a> $crate::commands::args::Arg<'a> for $crate::commands::args::options!(@with $Name $($lt)?) {
            const SHAPE: $crate::commands::args::Shape = $crate::commands::args::Shape::Options(&[
                $($crate::commands::args::options!(@shape $Type $(, $token)?)),*
            ]);
            fn parse(words: &mut $crate::commands::args::Words<'a>) -> $crate::Result<Self> {
                let mut this = Self::default();
                while !words.is_empty()
                    && ($($crate::commands::args::Switch::take(&mut this.$field, $crate::commands::args::options!(@token $($token)?), words)?)||*) {}
                Ok(this)
            }
        }
    };
    (@with $Name:ident) => { $Name };
    (@with $Name:ident $lt:lifetime) => { $Name<'a> };
    (@token) => { "" };
    (@token $token:literal) => { $token };
    (@shape $Type:ty) => { <$Type as $crate::commands::args::Switch<'a>>::SHAPE };
    (@shape $Type:ty, $token:literal) => {
        match <$Type as $crate::commands::args::Switch<'a>>::FOLLOWS {
            None => $crate::commands::args::Shape::Token($token),
            Some(_) => $crate::commands::args::Shape::Group(&[
                $crate::commands::args::Shape::Token($token),
                <$Type as $crate::commands::args::Switch<'a>>::SHAPE,
            ]),
        }
    };
}
pub(crate) use options;

/// A field of an `options!` struct: takes its own words when the next ones are meant for it.
pub trait Switch<'a>: Sized {
    /// The argument that follows the token, if any does.
    const FOLLOWS: Option<Shape>;
    /// The whole, for a field without a token of its own; otherwise what follows the token.
    const SHAPE: Shape;
    /// Reads the words if they start with `token`. True when it did.
    fn take(&mut self, token: &str, words: &mut Words<'a>) -> Result<bool>;
}

impl<'a> Switch<'a> for bool {
    const FOLLOWS: Option<Shape> = None;
    const SHAPE: Shape = Shape::Options(&[]);
    fn take(&mut self, token: &str, words: &mut Words<'a>) -> Result<bool> {
        let found = words.take(token);
        *self |= found;
        Ok(found)
    }
}

/// A `one_of!` choice that may be missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice<T>(pub Option<T>);

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Choice(None)
    }
}

impl<'a, T: OneOf> Switch<'a> for Choice<T> {
    const FOLLOWS: Option<Shape> = None;
    const SHAPE: Shape = Shape::OneOf(T::SHAPES);
    fn take(&mut self, _: &str, words: &mut Words<'a>) -> Result<bool> {
        let Some(choice) = T::take(words) else { return Ok(false) };
        if self.0.is_some_and(|old| old != choice) {
            return Err(T::conflict());
        }
        self.0 = Some(choice);
        Ok(true)
    }
}

impl<'a, T: Arg<'a>> Switch<'a> for Option<T> {
    const FOLLOWS: Option<Shape> = Some(T::SHAPE);
    const SHAPE: Shape = T::SHAPE;
    fn take(&mut self, token: &str, words: &mut Words<'a>) -> Result<bool> {
        let found = words.take_with(token, T::SHAPE.min_words());
        if found {
            *self = Some(T::parse(words)?);
        }
        Ok(found)
    }
}

/// A word that may be missing. More words are a wrong number of them.
#[derive(Clone, Copy, Debug)]
pub struct AtMostOne<T>(pub Option<T>);

impl<'a, T: Arg<'a>> Arg<'a> for AtMostOne<T> {
    const SHAPE: Shape = Shape::Maybe(&T::SHAPE);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.len() > 1 { Err(Error::Arity) } else { Option::parse(words).map(AtMostOne) }
    }
}

/// The number of a database, which may be one that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DbIndex(i32);

impl Arg<'_> for DbIndex {
    const SHAPE: Shape = Shape::Word("db", Kind::Integer);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let n = i64::parse(words)?;
        i32::try_from(n).map(DbIndex).map_err(|_| {
            Error::refused("ERR value is out of range, value must between -2147483648 and 2147483647")
        })
    }
}

impl DbIndex {
    /// Reads a number, for commands with errors of their own.
    pub fn read(word: &[u8]) -> Option<DbIndex> {
        parse_i64(word).and_then(|n| i32::try_from(n).ok()).map(DbIndex)
    }

    /// The number, if it is one of `count` databases.
    pub fn among(self, count: usize) -> Result<usize> {
        let db = usize::try_from(self.0).ok().filter(|&db| db < count);
        db.ok_or(Error::refused("ERR DB index is out of range"))
    }
}

/// `offset count`, as LIMIT takes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// How many to leave out first.
    pub offset: i64,
    /// How many to take; negative for all.
    pub count: i64,
}

impl Limit {
    /// Whether it counts as given: Redis cannot tell a count of -1 from no LIMIT at all.
    pub fn counts(self) -> bool {
        self.count != -1
    }
}

impl Arg<'_> for Limit {
    const SHAPE: Shape =
        Shape::Group(&[Shape::Word("offset", Kind::Integer), Shape::Word("count", Kind::Integer)]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        Ok(Limit { offset: i64::parse(words)?, count: i64::parse(words)? })
    }
}

/// `EX seconds | PX milliseconds | EXAT … | PXAT … | KEEPTTL`: how long a text is to live. The number is looked at only
/// when the whole request is known to be well formed, as Redis does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expiry<'a>(Option<(&'static str, &'a [u8])>);

/// The times among the options, which other commands take, too.
#[allow(missing_docs)]
impl Expiry<'_> {
    pub const EX: Shape = Shape::Group(&[Shape::Token("EX"), Shape::Word("seconds", Kind::Integer)]);
    pub const PX: Shape = Shape::Group(&[Shape::Token("PX"), Shape::Word("milliseconds", Kind::Integer)]);
    pub const EXAT: Shape =
        Shape::Group(&[Shape::Token("EXAT"), Shape::Word("unix-time-seconds", Kind::UnixTime)]);
    pub const PXAT: Shape =
        Shape::Group(&[Shape::Token("PXAT"), Shape::Word("unix-time-milliseconds", Kind::UnixTime)]);
}

impl<'a> Expiry<'a> {
    const UNITS: [&'static str; 4] = ["EX", "PX", "EXAT", "PXAT"];
    const KEEP: &'static str = "KEEPTTL";

    /// Whether any of the options was given.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the deadline that the key has is to stay.
    pub fn keeps(&self) -> bool {
        matches!(self.0, Some((Expiry::KEEP, _)))
    }

    /// The deadline asked for, in milliseconds since 1970.
    pub fn deadline(&self, now_ms: u64, command: &str) -> Result<Option<u64>> {
        let Some((unit, word)) = self.0.filter(|_| !self.keeps()) else { return Ok(None) };
        let n = parse_i64(word).ok_or(Error::NotInteger)?;
        match unit {
            "EX" => Expiry::in_seconds(n, now_ms, command),
            "PX" => Expiry::in_millis(n, now_ms, command),
            "EXAT" => Expiry::after(n.checked_mul(1000), 0, command),
            _ => Expiry::after(Some(n), 0, command),
        }
        .map(Some)
    }

    /// The deadline `seconds` from now.
    pub fn in_seconds(seconds: i64, now_ms: u64, command: &str) -> Result<u64> {
        Expiry::after(seconds.checked_mul(1000), now_ms, command)
    }

    /// The deadline `millis` from now.
    pub fn in_millis(millis: i64, now_ms: u64, command: &str) -> Result<u64> {
        Expiry::after(Some(millis), now_ms, command)
    }

    fn after(millis: Option<i64>, base_ms: u64, command: &str) -> Result<u64> {
        let at = millis.filter(|&n| n > 0).and_then(|n| n.checked_add(base_ms as i64));
        at.map(|at| at as u64).ok_or_else(|| format!("ERR invalid expire time in '{command}' command").into())
    }
}

impl<'a> Switch<'a> for Expiry<'a> {
    const FOLLOWS: Option<Shape> = None;
    const SHAPE: Shape =
        Shape::OneOf(&[Expiry::EX, Expiry::PX, Expiry::EXAT, Expiry::PXAT, Shape::Token(Expiry::KEEP)]);
    fn take(&mut self, _: &str, words: &mut Words<'a>) -> Result<bool> {
        let fits = |unit: &str| self.0.is_none_or(|(old, _)| old == unit);
        if fits(Expiry::KEEP) && words.take(Expiry::KEEP) {
            self.0 = Some((Expiry::KEEP, b""));
            return Ok(true);
        }
        for unit in Expiry::UNITS {
            if fits(unit) && words.take_with(unit, 1) {
                self.0 = Some((unit, words.next()?));
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The range that first and last position mean in something of `len` parts, negative ones counted from the end; `None`
/// when it is empty.
pub fn slice_range(first: i64, last: i64, len: usize) -> Option<Range<usize>> {
    let len = len as i64;
    let absolute = |at: i64| if at < 0 { at.saturating_add(len) } else { at };
    let (first, last) = (absolute(first).max(0), absolute(last).min(len - 1));
    (first <= last).then(|| first as usize..last as usize + 1)
}
