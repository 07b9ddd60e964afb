//! Typed replies: a handler returns its answer, and the answer writes itself once into the client's output.

use alloc::{string::String, vec::Vec};
use core::marker::PhantomData;

use crate::{data::containers::listpack::Entry, keyspace::Text, resp::Writer};

/// A value that writes itself as a reply and knows its TypeScript type.
pub trait Reply {
    /// The type as JavaScript sees it; `Bytes` stands for a string, or for a `Uint8Array` where bytes are asked for.
    const TS: &'static str;
    /// Writes the reply.
    fn write(self, out: &mut Writer<'_>);
}

/// `OK`
pub struct Done;

impl Reply for Done {
    const TS: &'static str = "'OK'";
    fn write(self, out: &mut Writer<'_>) {
        out.ok();
    }
}

/// A short fixed text that is no value: `+text`.
pub struct Simple(pub &'static str);

impl Reply for Simple {
    const TS: &'static str = "string";
    fn write(self, out: &mut Writer<'_>) {
        out.simple(self.0);
    }
}

/// Text meant for people.
pub struct Prose(pub String);

impl Reply for Prose {
    const TS: &'static str = "string";
    fn write(self, out: &mut Writer<'_>) {
        out.verbatim("txt", &self.0);
    }
}

/// Borrowed bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bulk<'a>(pub &'a [u8]);

impl Reply for Bulk<'_> {
    const TS: &'static str = "Bytes";
    fn write(self, out: &mut Writer<'_>) {
        out.bulk(self.0);
    }
}

impl Reply for Vec<u8> {
    const TS: &'static str = "Bytes";
    fn write(self, out: &mut Writer<'_>) {
        out.bulk(&self);
    }
}

impl Reply for i64 {
    const TS: &'static str = "number";
    fn write(self, out: &mut Writer<'_>) {
        out.integer(self);
    }
}

impl Reply for usize {
    const TS: &'static str = "number";
    fn write(self, out: &mut Writer<'_>) {
        out.integer(self as i64);
    }
}

/// Yes and no as 1 and 0, as commands older than RESP3 answer.
impl Reply for bool {
    const TS: &'static str = "0 | 1";
    fn write(self, out: &mut Writer<'_>) {
        out.integer(self as i64);
    }
}

impl Reply for f64 {
    const TS: &'static str = "number";
    fn write(self, out: &mut Writer<'_>) {
        out.double(self);
    }
}

impl Text<'_> {
    /// Writes it as a string.
    pub fn write_bulk(self, out: &mut Writer<'_>) {
        match self {
            Text::Int(n) => out.bulk_integer(n),
            Text::Bytes(bytes) => out.bulk(bytes),
        }
    }
}

impl Reply for Text<'_> {
    const TS: &'static str = "Bytes";
    fn write(self, out: &mut Writer<'_>) {
        self.write_bulk(out);
    }
}

impl Entry<'_> {
    /// Writes it as a string.
    pub fn write_bulk(self, out: &mut Writer<'_>) {
        match self {
            Entry::Int(n) => out.bulk_integer(n),
            Entry::Text(bytes) => out.bulk(bytes),
        }
    }
}

/// A text out of a collection.
impl Reply for Entry<'_> {
    const TS: &'static str = "Bytes";
    fn write(self, out: &mut Writer<'_>) {
        self.write_bulk(out);
    }
}

/// A value or null. The types with one are written out, as TypeScript's `| null` cannot be joined to another text here.
macro_rules! or_null {
    ($($Type:ty = $ts:literal,)*) => { $(
        impl Reply for Option<$Type> {
            const TS: &'static str = $ts;
            fn write(self, out: &mut Writer<'_>) {
                match self {
                    Some(value) => value.write(out),
                    None => out.null(),
                }
            }
        }
    )* };
}

or_null! {
    Bulk<'_> = "Bytes | null",
    Text<'_> = "Bytes | null",
    Entry<'_> = "Bytes | null",
    Vec<u8> = "Bytes | null",
    i64 = "number | null",
    usize = "number | null",
    f64 = "number | null",
    Done = "'OK' | null",
}

/// One of two, for commands whose options change the kind of reply. `L` is the one that the typings show.
pub enum Either<L, R> {
    /// The usual answer.
    Left(L),
    /// The other one.
    Right(R),
}

impl<L: Reply, R: Reply> Reply for Either<L, R> {
    const TS: &'static str = L::TS;
    fn write(self, out: &mut Writer<'_>) {
        match self {
            Either::Left(left) => left.write(out),
            Either::Right(right) => right.write(out),
        }
    }
}

/// An array of replies, counted beforehand.
pub struct Array<I>(pub I);

impl<I: ExactSizeIterator> Reply for Array<I>
where
    I::Item: Element,
{
    const TS: &'static str = I::Item::ARRAY_TS;
    fn write(self, out: &mut Writer<'_>) {
        out.array(self.0.len());
        self.0.for_each(|item| item.write(out));
    }
}

/// What an array may consist of.
pub trait Element: Reply {
    /// The type of an array of these.
    const ARRAY_TS: &'static str;
}

impl Element for Bulk<'_> {
    const ARRAY_TS: &'static str = "Bytes[]";
}
impl Element for Entry<'_> {
    const ARRAY_TS: &'static str = "Bytes[]";
}
impl Element for Option<Entry<'_>> {
    const ARRAY_TS: &'static str = "(Bytes | null)[]";
}
impl Element for Vec<u8> {
    const ARRAY_TS: &'static str = "Bytes[]";
}
impl Element for Option<Bulk<'_>> {
    const ARRAY_TS: &'static str = "(Bytes | null)[]";
}
impl Element for i64 {
    const ARRAY_TS: &'static str = "number[]";
}
impl Element for Option<i64> {
    const ARRAY_TS: &'static str = "(number | null)[]";
}
impl Element for bool {
    const ARRAY_TS: &'static str = "(0 | 1)[]";
}
impl Element for Option<f64> {
    const ARRAY_TS: &'static str = "(number | null)[]";
}

/// A reply written by a closure, for what is read piece by piece out of a value. `T` names its TypeScript type.
pub struct Written<T, F> {
    write: F,
    ts: PhantomData<T>,
}

/// A name for a TypeScript type.
pub trait Typed {
    /// The type.
    const TS: &'static str;
}

/// Declares names of TypeScript types for [`Written`].
macro_rules! typed {
    ($($(#[$doc:meta])* $Name:ident = $ts:literal;)*) => { $(
        $(#[$doc])*
        pub struct $Name;
        impl $crate::commands::reply::Typed for $Name {
            const TS: &'static str = $ts;
        }
    )* };
}
#[allow(unused_imports)]
pub(crate) use typed;

typed! {
    /// Strings in order.
    ManyBytes = "Bytes[]";
    /// Strings or nulls in order.
    ManyMaybeBytes = "(Bytes | null)[]";
    /// Fields and values.
    FieldMap = "Record<string, Bytes>";
    /// Whatever the command says.
    Unknown = "unknown";
}

impl<T: Typed, F: FnOnce(&mut Writer<'_>)> Written<T, F> {
    /// A reply of TypeScript type `T` that `write` writes.
    pub fn new(write: F) -> Self {
        Written { write, ts: PhantomData }
    }
}

impl<T: Typed, F: FnOnce(&mut Writer<'_>)> Reply for Written<T, F> {
    const TS: &'static str = T::TS;
    fn write(self, out: &mut Writer<'_>) {
        (self.write)(out);
    }
}
