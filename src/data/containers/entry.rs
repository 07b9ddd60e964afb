//! An entry of the keyspace: key, deadline, access clock and value in one record of a [`Slab`].
//!
//! It knows nothing of databases: finding an entry by its key is the work of a [`Dict`](super::dict::Dict), finding it
//! by its deadline that of the keyspace. Both hold handles, and a record that outgrows its slot moves, so whatever may
//! move an entry returns its handle.
//!
//! ```text
//! header 8 | deadline 8, if any | key length 8, if long | payload 8, unless embedded | key | text, if embedded
//! ```
//!
//! The payload is an integer, a pointer to a text too long to embed, or a collection (all of which are one pointer).

use alloc::vec::Vec;
use core::mem::size_of;

use thin_vec::ThinVec;

use super::slab::{Handle, Slab};
use crate::data::{
    hash::Hash,
    list::List,
    number::{self, Digits},
    set::Set,
    sorted_set::SortedSet,
    stream::Stream,
};

/// What kind of value an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Kind {
    String,
    List,
    Set,
    SortedSet,
    Hash,
    Stream,
}

impl Kind {
    /// The name that TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::SortedSet => "zset",
            Kind::Hash => "hash",
            Kind::Stream => "stream",
        }
    }

    #[inline(always)]
    fn from_bits(bits: u64) -> Kind {
        match bits {
            0 => Kind::String,
            1 => Kind::List,
            2 => Kind::Set,
            3 => Kind::SortedSet,
            4 => Kind::Hash,
            _ => Kind::Stream,
        }
    }
}

/// The value of a string entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Text<'a> {
    /// A canonical decimal, kept as a number.
    Int(i64),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl Text<'_> {
    /// Its length in bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Text::Int(n) => number::write_i64(*n, &mut Digits::new()).len(),
            Text::Bytes(bytes) => bytes.len(),
        }
    }

    /// Its bytes; those of a number are written into `digits`.
    pub fn as_bytes<'d>(&'d self, digits: &'d mut Digits) -> &'d [u8] {
        match self {
            Text::Int(n) => number::write_i64(*n, digits),
            Text::Bytes(bytes) => bytes,
        }
    }

    /// A copy of its bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.as_bytes(&mut Digits::new()).to_vec()
    }
}

/// A value on its way into an entry or out of one.
#[allow(missing_docs)]
pub enum Value {
    Int(i64),
    Text(ThinVec<u8>),
    List(List),
    Set(Set),
    SortedSet(SortedSet),
    Hash(Hash),
    Stream(Stream),
}

/// A collection that lives in the payload of an entry.
///
/// # Safety
/// Each implementor has a `KIND` of its own, so that a header that names the kind proves the type of the payload. It is
/// at most 8 bytes, needs no alignment above 8 and has no padding.
pub unsafe trait Collection: Sized {
    /// The kind of entries that hold it.
    const KIND: Kind;
    /// Whether something in it may expire on its own.
    const HAS_DEADLINES: bool = false;
    /// Whether nothing is left in it.
    fn is_empty(&self) -> bool;
    /// As a value of any kind.
    fn into_value(self) -> Value;
    /// When the first thing in it expires.
    fn first_deadline(&self) -> Option<u64> {
        None
    }
}

macro_rules! collections {
    ($($Type:ident)*) => { $(
        // SAFETY: the kinds are named after the types, one each, and the assertion below holds the size.
        unsafe impl Collection for $Type {
            const KIND: Kind = Kind::$Type;
            fn is_empty(&self) -> bool {
                // The assertion is evaluated because every reader of a payload asks.
                const { assert!(size_of::<$Type>() <= PAYLOAD && align_of::<$Type>() <= PAYLOAD) }
                $Type::is_empty(self)
            }
            fn into_value(self) -> Value {
                Value::$Type(self)
            }
        }
    )* };
}
collections! { List Set SortedSet }

// SAFETY: as above.
unsafe impl Collection for Hash {
    const KIND: Kind = Kind::Hash;
    const HAS_DEADLINES: bool = true;
    fn is_empty(&self) -> bool {
        const { assert!(size_of::<Hash>() <= PAYLOAD && align_of::<Hash>() <= PAYLOAD) }
        Hash::is_empty(self)
    }
    fn into_value(self) -> Value {
        Value::Hash(self)
    }
    fn first_deadline(&self) -> Option<u64> {
        Hash::first_deadline(self)
    }
}

// SAFETY: as above. A stream may be empty and still be there.
unsafe impl Collection for Stream {
    const KIND: Kind = Kind::Stream;
    fn is_empty(&self) -> bool {
        const { assert!(size_of::<Stream>() <= PAYLOAD && align_of::<Stream>() <= PAYLOAD) }
        false
    }
    fn into_value(self) -> Value {
        Value::Stream(self)
    }
}

const PAYLOAD: usize = 8;
/// The longest text for which Redis uses its embedded encoding.
const EMBSTR_MAX: usize = 44;

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    /// Behind the key.
    Embedded,
    /// In the payload, as a number.
    Int,
    /// In the payload: a [`ThinVec`], or the collection.
    Owned,
}

/// The first word of an entry. Bits 0–23 access clock, 24–26 kind, 27–28 form, 29 edited, 30 deadline, 31 long key,
/// 32–47 length of an embedded text, 48–55 length of a short key.
#[derive(Clone, Copy)]
struct Header(u64);

impl Header {
    const CLOCK: u64 = 0xff_ffff;
    const EDITED: u64 = 1 << 29;
    const DEADLINE: u64 = 1 << 30;
    const LONG_KEY: u64 = 1 << 31;

    fn new(kind: Kind, form: Form, key: usize, text: usize) -> Header {
        let key = if key > u8::MAX as usize { Header::LONG_KEY } else { (key as u64) << 48 };
        Header((kind as u64) << 24 | (form as u64) << 27 | (text as u64) << 32 | key)
    }
    #[inline(always)]
    fn kind(self) -> Kind {
        Kind::from_bits(self.0 >> 24 & 7)
    }
    #[inline(always)]
    fn form(self) -> Form {
        match self.0 >> 27 & 3 {
            0 => Form::Embedded,
            1 => Form::Int,
            _ => Form::Owned,
        }
    }
    #[inline(always)]
    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }
    #[inline(always)]
    fn text_len(self) -> usize {
        (self.0 >> 32 & 0xffff) as usize
    }
    #[inline(always)]
    fn clock(self) -> u32 {
        (self.0 & Header::CLOCK) as u32
    }
    /// Where the payload, or the key of an embedded text, starts.
    #[inline(always)]
    fn payload_at(self) -> usize {
        8 + 8 * (self.has(Header::DEADLINE) as usize) + 8 * (self.has(Header::LONG_KEY) as usize)
    }
    #[inline(always)]
    fn key_at(self) -> usize {
        self.payload_at() + if self.form() == Form::Embedded { 0 } else { PAYLOAD }
    }
}

/// The entries of one database.
#[derive(Default)]
pub struct Entries {
    slab: Slab,
}

impl Entries {
    /// No entries.
    pub const fn new() -> Entries {
        Entries { slab: Slab::new() }
    }

    /// Bytes reserved for entries and not used by any.
    pub fn slack(&self) -> usize {
        self.slab.slack()
    }

    /// Whether there is no room for another entry; see [`Slab::is_full`].
    pub fn is_full(&self) -> bool {
        self.slab.is_full()
    }

    /// A new entry for a text.
    pub fn insert_text(&mut self, key: &[u8], text: &[u8], deadline: Option<u64>) -> Handle {
        match number::parse_i64(text) {
            Some(n) => self.insert(key, Value::Int(n), deadline),
            None if Entries::embeds(key, text.len()) => {
                let header = Header::new(Kind::String, Form::Embedded, key.len(), text.len());
                let h = self.record(header, key, deadline, text.len());
                let at = self.header(h).key_at() + key.len();
                self.slab.bytes_mut(h)[at..at + text.len()].copy_from_slice(text);
                h
            }
            None => self.insert(key, Value::Text(ThinVec::from(text)), deadline),
        }
    }

    /// A new entry for a value.
    pub fn insert(&mut self, key: &[u8], value: Value, deadline: Option<u64>) -> Handle {
        match value {
            Value::Int(n) => self.with_payload(Kind::String, Form::Int, key, deadline, n),
            Value::Text(text) if Entries::embeds(key, text.len()) && number::parse_i64(&text).is_none() => {
                self.insert_text(key, &text, deadline)
            }
            Value::Text(text) => self.with_payload(Kind::String, Form::Owned, key, deadline, text),
            Value::List(it) => self.with_payload(Kind::List, Form::Owned, key, deadline, it),
            Value::Set(it) => self.with_payload(Kind::Set, Form::Owned, key, deadline, it),
            Value::SortedSet(it) => self.with_payload(Kind::SortedSet, Form::Owned, key, deadline, it),
            Value::Hash(it) => self.with_payload(Kind::Hash, Form::Owned, key, deadline, it),
            Value::Stream(it) => self.with_payload(Kind::Stream, Form::Owned, key, deadline, it),
        }
    }

    /// Removes an entry and drops its value.
    pub fn remove(&mut self, h: Handle) {
        if self.header(h).form() == Form::Embedded {
            self.slab.free(h);
        } else {
            drop(self.take(h));
        }
    }

    /// Removes an entry and returns its value.
    pub fn take(&mut self, h: Handle) -> Value {
        let header = self.header(h);
        let at = header.payload_at();
        // SAFETY: form and kind name the type that `with_payload` wrote at this offset, and the record is freed right
        // after, so the value is moved out once.
        let value = unsafe {
            match (header.form(), header.kind()) {
                (Form::Embedded, _) => Value::Text(ThinVec::from(embedded(self.slab.bytes(h), header))),
                (Form::Int, _) => Value::Int(self.slab.read(h, at)),
                (Form::Owned, Kind::String) => Value::Text(self.slab.read(h, at)),
                (Form::Owned, Kind::List) => Value::List(self.slab.read(h, at)),
                (Form::Owned, Kind::Set) => Value::Set(self.slab.read(h, at)),
                (Form::Owned, Kind::SortedSet) => Value::SortedSet(self.slab.read(h, at)),
                (Form::Owned, Kind::Hash) => Value::Hash(self.slab.read(h, at)),
                (Form::Owned, Kind::Stream) => Value::Stream(self.slab.read(h, at)),
            }
        };
        self.slab.free(h);
        value
    }

    /// The key.
    #[inline(always)]
    pub fn key(&self, h: Handle) -> &[u8] {
        let bytes = self.slab.bytes(h);
        let header = Header(word(bytes, 0));
        let at = header.key_at();
        &bytes[at..at + key_len(bytes, header)]
    }

    /// Asks the processor to load the beginning of an entry that is read soon.
    #[inline]
    pub fn prefetch(&self, h: Handle) {
        self.slab.prefetch(h);
    }

    /// Whether this is the key.
    #[inline(always)]
    pub fn has_key(&self, h: Handle, key: &[u8]) -> bool {
        let bytes = self.slab.bytes(h);
        let header = Header(word(bytes, 0));
        key_len(bytes, header) == key.len() && bytes[header.key_at()..].starts_with(key)
    }

    /// Sets the access clock, if there is one to set, unless the entry has expired; whether it has not.
    #[inline(always)]
    pub fn touch(&mut self, h: Handle, now_ms: u64, clock: Option<u32>) -> bool {
        let bytes = self.slab.bytes_mut(h);
        let header = Header(word(bytes, 0));
        let live = !header.has(Header::DEADLINE) || word(bytes, 8) > now_ms;
        // Not written when it is the same, as it is for a second: reads then leave the cache line clean.
        if let Some(clock) = clock
            && live
            && header.clock() != clock
        {
            set_word(bytes, 0, header.0 & !Header::CLOCK | (clock as u64 & Header::CLOCK));
        }
        live
    }

    /// The kind of value.
    #[inline(always)]
    pub fn kind(&self, h: Handle) -> Kind {
        self.header(h).kind()
    }

    /// When it expires, in milliseconds since 1970.
    #[inline(always)]
    pub fn deadline(&self, h: Handle) -> Option<u64> {
        let bytes = self.slab.bytes(h);
        Header(word(bytes, 0)).has(Header::DEADLINE).then(|| word(bytes, 8))
    }

    /// When the first field of a hash expires, in milliseconds since 1970.
    #[inline(always)]
    pub fn field_deadline(&self, h: Handle) -> Option<u64> {
        self.get::<Hash>(h).and_then(Hash::first_deadline)
    }

    /// The access clock, 24 bits whose meaning is the eviction policy's.
    #[inline(always)]
    pub fn clock(&self, h: Handle) -> u32 {
        self.header(h).clock()
    }

    /// Sets the access clock.
    #[inline(always)]
    pub fn set_clock(&mut self, h: Handle, clock: u32) {
        let header = self.header(h).0 & !Header::CLOCK | (clock as u64 & Header::CLOCK);
        self.set_header(h, Header(header));
    }

    /// The text of a string entry; `None` for every other kind.
    #[inline(always)]
    pub fn text(&self, h: Handle) -> Option<Text<'_>> {
        let bytes = self.slab.bytes(h);
        let header = Header(word(bytes, 0));
        if header.kind() != Kind::String {
            return None;
        }
        Some(match header.form() {
            Form::Embedded => Text::Bytes(embedded(bytes, header)),
            Form::Int => Text::Int(word(bytes, header.payload_at()) as i64),
            // SAFETY: an owned payload of a string entry is the `ThinVec` that `insert` wrote.
            Form::Owned => Text::Bytes(unsafe { self.slab.as_ref::<ThinVec<u8>>(h, header.payload_at()) }),
        })
    }

    /// Replaces the text of a string entry that holds one in the same slot, if it fits there; the deadline stays.
    #[inline(always)]
    pub fn overwrite_text(&mut self, h: Handle, text: &[u8]) -> bool {
        let header = self.header(h);
        let key = key_len(self.slab.bytes(h), header);
        let end = header.key_at() + key + text.len();
        let fits = header.kind() == Kind::String
            && header.form() == Form::Embedded
            && text.len() <= u16::MAX as usize
            && Slab::slot_size(end) == self.slab.size(h)
            && number::parse_i64(text).is_none();
        if fits {
            self.slab.bytes_mut(h)[end - text.len()..end].copy_from_slice(text);
            let kept = header.0 & !(0xffff << 32) & !Header::EDITED;
            self.set_header(h, Header(kept | (text.len() as u64) << 32));
        }
        fits
    }

    /// Sets the number of an entry that holds one.
    #[inline]
    pub fn overwrite_int(&mut self, h: Handle, n: i64) -> bool {
        let header = self.header(h);
        let is_int = header.kind() == Kind::String && header.form() == Form::Int;
        if is_int {
            set_word(self.slab.bytes_mut(h), header.payload_at(), n as u64);
        }
        is_int
    }

    /// Makes a text at least `len` bytes long, filled up with zeros, and open to [`Entries::text_mut`].
    /// The entry must be a string.
    pub fn grow_text(&mut self, h: Handle, len: usize) -> Handle {
        let mut digits = Digits::new();
        let (old, key, deadline) = (self.text(h), self.key(h), self.deadline(h));
        let old = match old {
            Some(Text::Bytes(bytes)) => bytes,
            Some(Text::Int(n)) => number::write_i64(n, &mut digits),
            None => unreachable!("the caller checked the kind"),
        };
        let (from, len) = (old.len(), len.max(old.len()));
        let header = self.header(h);
        if header.form() == Form::Owned {
            // SAFETY: an owned payload of a string entry is a `ThinVec`.
            unsafe { self.slab.as_mut::<ThinVec<u8>>(h, header.payload_at()) }.resize(len, 0);
            self.mark_edited(h);
            return h;
        }
        if header.form() == Form::Embedded && Entries::embeds(key, len) {
            let at = header.key_at() + key.len();
            let h = self.slab.resize(h, at + len);
            self.slab.bytes_mut(h)[at + from..at + len].fill(0);
            let kept = header.0 & !(0xffff << 32);
            self.set_header(h, Header(kept | (len as u64) << 32));
            self.mark_edited(h);
            return h;
        }
        let mut text = ThinVec::with_capacity(len);
        text.extend_from_slice(old);
        text.resize(len, 0);
        let key = Vec::from(key);
        let clock = header.clock();
        self.remove(h);
        let h = self.with_payload(Kind::String, Form::Owned, &key, deadline, text);
        self.set_clock(h, clock);
        self.mark_edited(h);
        h
    }

    /// The bytes of a text that [`Entries::grow_text`] has just opened.
    pub fn text_mut(&mut self, h: Handle) -> &mut [u8] {
        let header = self.header(h);
        match header.form() {
            Form::Embedded => {
                let at = header.key_at() + key_len(self.slab.bytes(h), header);
                &mut self.slab.bytes_mut(h)[at..at + header.text_len()]
            }
            // SAFETY: an owned payload of a string entry is a `ThinVec`.
            Form::Owned if header.kind() == Kind::String => unsafe {
                self.slab.as_mut::<ThinVec<u8>>(h, header.payload_at())
            },
            _ => unreachable!("grow_text made it bytes"),
        }
    }

    /// The collection, if the entry holds one of this type.
    #[inline]
    pub fn get<T: Collection>(&self, h: Handle) -> Option<&T> {
        let header = self.header(h);
        // SAFETY: the kind proves that the payload is a `T` (see `Collection`).
        (header.kind() == T::KIND).then(|| unsafe { self.slab.as_ref(h, header.payload_at()) })
    }

    /// The collection, to be changed.
    #[inline]
    pub fn get_mut<T: Collection>(&mut self, h: Handle) -> Option<&mut T> {
        let header = self.header(h);
        // SAFETY: as in `get`.
        (header.kind() == T::KIND).then(|| unsafe { self.slab.as_mut(h, header.payload_at()) })
    }

    /// Sets or clears the deadline. The entry moves when it did not have one or does not keep it.
    pub fn set_deadline(&mut self, h: Handle, deadline: Option<u64>) -> Handle {
        let header = self.header(h);
        match (header.has(Header::DEADLINE), deadline) {
            (true, Some(at)) => {
                set_word(self.slab.bytes_mut(h), 8, at);
                h
            }
            (false, None) => h,
            (true, None) => self.shift_tail(h, header, 16, 8),
            (false, Some(at)) => {
                let h = self.shift_tail(h, header, 8, 16);
                set_word(self.slab.bytes_mut(h), 8, at);
                h
            }
        }
    }

    /// How many bytes the entry takes: its record, and what its value occupies besides.
    pub fn memory(&self, h: Handle) -> usize {
        const TEXT_HEADER: usize = 16;
        let header = self.header(h);
        let owned = match header.kind() {
            Kind::String if header.form() != Form::Owned => 0,
            Kind::String => TEXT_HEADER + self.text(h).map_or(0, |text| text.len()),
            Kind::List => self.get::<List>(h).map_or(0, List::memory),
            Kind::Set => self.get::<Set>(h).map_or(0, Set::memory),
            Kind::SortedSet => self.get::<SortedSet>(h).map_or(0, SortedSet::memory),
            Kind::Hash => self.get::<Hash>(h).map_or(0, Hash::memory),
            Kind::Stream => self.get::<Stream>(h).map_or(0, Stream::memory),
        };
        self.slab.size(h) + owned
    }

    /// About how many pieces the value would take apart into: what is in a collection that is not packed, or every 16 KiB
    /// of a text.
    #[inline]
    pub fn parts(&self, h: Handle) -> usize {
        const TEXT_PART: usize = 1 << 14;
        let header = self.header(h);
        match header.kind() {
            Kind::String if header.form() != Form::Owned => 0,
            Kind::String => self.text(h).map_or(0, |text| text.len()) / TEXT_PART,
            Kind::List => self.get::<List>(h).map_or(0, List::parts),
            Kind::Set => self.get::<Set>(h).map_or(0, Set::parts),
            Kind::SortedSet => self.get::<SortedSet>(h).map_or(0, SortedSet::parts),
            Kind::Hash => self.get::<Hash>(h).map_or(0, Hash::parts),
            Kind::Stream => self.get::<Stream>(h).map_or(0, |stream| stream.len() as usize),
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding(&self, h: Handle) -> &'static str {
        let header = self.header(h);
        match header.kind() {
            Kind::String => match self.text(h) {
                Some(Text::Int(_)) => "int",
                Some(Text::Bytes(text)) if text.len() <= EMBSTR_MAX && !header.has(Header::EDITED) => {
                    "embstr"
                }
                _ => "raw",
            },
            Kind::List => self.get::<List>(h).map_or("", List::encoding),
            Kind::Set => self.get::<Set>(h).map_or("", Set::encoding),
            Kind::SortedSet => self.get::<SortedSet>(h).map_or("", SortedSet::encoding),
            Kind::Hash => self.get::<Hash>(h).map_or("", Hash::encoding),
            Kind::Stream => "stream",
        }
    }

    /// Whether a collection has nothing in it.
    pub fn is_empty_collection(&self, h: Handle) -> bool {
        self.get::<List>(h).is_some_and(List::is_empty)
            || self.get::<Set>(h).is_some_and(Set::is_empty)
            || self.get::<SortedSet>(h).is_some_and(SortedSet::is_empty)
            || self.get::<Hash>(h).is_some_and(Hash::is_empty)
    }

    fn embeds(key: &[u8], text: usize) -> bool {
        24 + key.len() + text <= Slab::MAX_SMALL
    }

    #[inline(always)]
    fn header(&self, h: Handle) -> Header {
        Header(word(self.slab.bytes(h), 0))
    }

    #[inline(always)]
    fn set_header(&mut self, h: Handle, header: Header) {
        set_word(self.slab.bytes_mut(h), 0, header.0);
    }

    fn mark_edited(&mut self, h: Handle) {
        let header = self.header(h);
        self.set_header(h, Header(header.0 | Header::EDITED));
    }

    /// A record with header, deadline and key, whose payload or text is still to be written.
    fn record(&mut self, header: Header, key: &[u8], deadline: Option<u64>, text: usize) -> Handle {
        let header = Header(header.0 | if deadline.is_some() { Header::DEADLINE } else { 0 });
        let at = header.key_at();
        let h = self.slab.alloc(at + key.len() + text);
        let bytes = self.slab.bytes_mut(h);
        set_word(bytes, 0, header.0);
        if let Some(deadline) = deadline {
            set_word(bytes, 8, deadline);
        }
        if header.has(Header::LONG_KEY) {
            set_word(bytes, header.payload_at() - 8, key.len() as u64);
        }
        bytes[at..at + key.len()].copy_from_slice(key);
        h
    }

    fn with_payload<T>(
        &mut self,
        kind: Kind,
        form: Form,
        key: &[u8],
        deadline: Option<u64>,
        payload: T,
    ) -> Handle {
        const { assert!(size_of::<T>() <= PAYLOAD && align_of::<T>() <= PAYLOAD) }
        let h = self.record(Header::new(kind, form, key.len(), 0), key, deadline, 0);
        let at = self.header(h).payload_at();
        // SAFETY: the assertion above holds size and alignment; integers and single pointers have no padding. The
        // header just written names the type.
        unsafe { self.slab.write(h, at, payload) };
        h
    }

    /// Moves everything behind the header and deadline from offset `from` to `to`, and flips the deadline flag.
    fn shift_tail(&mut self, h: Handle, header: Header, from: usize, to: usize) -> Handle {
        let end = header.key_at() + key_len(self.slab.bytes(h), header) + header.text_len();
        let h = if to > from { self.slab.resize(h, end + 8) } else { h };
        self.slab.bytes_mut(h).copy_within(from..end, to);
        let h = if to < from { self.slab.resize(h, end - 8) } else { h };
        self.set_header(h, Header(header.0 ^ Header::DEADLINE));
        h
    }
}

/// The text behind the key.
#[inline(always)]
fn embedded(bytes: &[u8], header: Header) -> &[u8] {
    let at = header.key_at() + key_len(bytes, header);
    &bytes[at..at + header.text_len()]
}

#[inline(always)]
fn key_len(bytes: &[u8], header: Header) -> usize {
    if header.has(Header::LONG_KEY) {
        word(bytes, header.payload_at() - 8) as usize
    } else {
        (header.0 >> 48 & 0xff) as usize
    }
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[inline(always)]
fn set_word(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_ne_bytes());
}
