//! Redis's listpack: a sequence of strings and integers in one block of memory, byte for byte as Redis writes it, so
//! that DUMP, RESTORE and RDB copy it. Walks both ways; looks up by walking. It knows no fields, scores or nodes:
//! hashes, sets, sorted sets, lists and streams give its elements their meaning.
//!
//! ```text
//! total bytes  u32 LE │ count u16 LE │ element … element │ 0xFF
//! element              encoding and data │ their length, written so that it is read backwards
//! ```
//!
//! Every listpack in memory is *normal*: each element has the one shortest encoding of its value. Looking for a value
//! is therefore looking for its bytes.

use super::block::{Block, Frame};
use super::tagged::Thin;
use crate::data::number::{self, Digits};
use core::{fmt, iter};

const HEADER: usize = 6;
const END: u8 = 0xFF;
const EMPTY: [u8; HEADER + 1] = [7, 0, 0, 0, 0, 0, END];
/// The count that means "walk to know".
const UNCOUNTED: u16 = u16::MAX;
/// The most bytes a listpack may have.
pub const MAX_BYTES: usize = 1 << 30;

/// An owned listpack of 8 bytes on the outside.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct Listpack {
    block: Block<Framing>,
}

/// One element. A text that is a canonical `i64` is always an `Int`: build elements with `Entry::from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A string that is the canonical decimal of this integer.
    Int(i64),
    /// Any other string.
    Text(&'a [u8]),
}

/// Where an element stands. Good until the listpack changes at or before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u32);

/// The elements, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    entries: Entries<'a>,
}

/// The elements and where they stand, from either end.
#[derive(Clone)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

struct Framing;

// SAFETY: pure; `Listpack` never stores a total of less than the 7 bytes of an empty one.
unsafe impl Frame for Framing {
    const PREFIX: usize = 4;

    #[inline]
    fn length(prefix: &[u8]) -> usize {
        u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize
    }
}

// SAFETY: transparent over a block, which is transparent over a pointer aligned to 8 with bits above the lowest set.
unsafe impl Thin for Listpack {}

impl Default for Listpack {
    fn default() -> Self {
        Listpack::new()
    }
}

impl Listpack {
    /// The length of an empty one, in bytes.
    pub const EMPTY_BYTES: usize = EMPTY.len();

    /// An empty one.
    pub fn new() -> Self {
        Listpack { block: Block::new(&EMPTY) }
    }

    /// An empty one that takes a kilobyte and then doubles, so that it seldom moves while it grows.
    pub fn roomy() -> Self {
        Listpack { block: Block::roomy(&EMPTY) }
    }

    /// Gives back the room that was for growing.
    pub fn settle(&mut self) {
        self.block.settle();
    }

    /// Takes over foreign bytes after looking at every one of them; `None` when they are no listpack. Elements that
    /// are not in their shortest form are rewritten, which never happens to bytes that Redis wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&END, _) = bytes.split_last()? else { return None };
        if bytes.len() <= HEADER || bytes.len() > MAX_BYTES || Framing::length(bytes) != bytes.len() {
            return None;
        }
        let (mut at, mut count, mut normal) = (HEADER, 0usize, true);
        while at < bytes.len() - 1 {
            let (entry, content) = decode(&bytes[at..bytes.len() - 1])?;
            let mut foot = [0; 5];
            let foot = &mut foot[..foot_len(content)];
            write_foot(content, foot);
            if !bytes[at + content..].starts_with(foot) {
                return None;
            }
            normal &= Encoded::of(entry.normal()).content() == content;
            at += size_with_foot(content);
            count += 1;
        }
        let told = u16::from_le_bytes([bytes[4], bytes[5]]);
        if at != bytes.len() - 1 || (told != UNCOUNTED && told as usize != count) {
            return None;
        }
        let mut listpack = Listpack { block: Block::new(bytes) };
        if !normal {
            listpack = listpack.iter().map(Entry::normal).collect();
        }
        listpack.set_count(count);
        Some(listpack)
    }

    /// The bytes that RDB and DUMP carry.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.block.as_bytes()
    }

    /// How many elements. Walks when there are 65535 or more.
    pub fn len(&self) -> usize {
        match self.told_count() {
            UNCOUNTED => self.entries().count(),
            count => count as usize,
        }
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes_len() == Self::EMPTY_BYTES
    }

    /// The length of [`as_bytes`](Self::as_bytes).
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.block.len()
    }

    /// The bytes of the heap it occupies.
    pub fn heap_size(&self) -> usize {
        self.block.capacity()
    }

    /// Marks it, whatever that means to its owner. The mark is not among the bytes.
    pub fn mark(&mut self) {
        self.block.mark();
    }

    /// Whether it is marked.
    #[inline]
    pub fn is_marked(&self) -> bool {
        self.block.is_marked()
    }

    /// Whether `more` bytes of encoded elements would make it longer than a listpack may be.
    pub fn would_exceed(&self, more: usize) -> bool {
        more > MAX_BYTES - self.bytes_len()
    }

    /// The elements in order, or from the end.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { entries: self.entries() }
    }

    /// The elements with their positions.
    #[inline]
    pub fn entries(&self) -> Entries<'_> {
        let bytes = self.as_bytes();
        Entries { bytes, front: HEADER, back: bytes.len() - 1 }
    }

    /// The elements from `position` on, that one included.
    #[inline]
    pub fn entries_from(&self, position: Position) -> Entries<'_> {
        Entries { front: position.0 as usize, ..self.entries() }
    }

    /// The elements up to `position`, that one included: its `rev()` walks towards the front.
    pub fn entries_to(&self, position: Position) -> Entries<'_> {
        let at = position.0 as usize;
        Entries { back: at + size_at(self.as_bytes(), at), ..self.entries() }
    }

    /// The first element that begins `bytes` or more after the first one does.
    pub fn seek_bytes(&self, bytes: usize) -> Option<Position> {
        let mut at = HEADER;
        while at < HEADER + bytes && at < self.bytes_len() - 1 {
            at += size_at(self.as_bytes(), at);
        }
        self.position(at)
    }

    /// The element at `position`.
    #[inline]
    pub fn at(&self, position: Position) -> Entry<'_> {
        decode(&self.as_bytes()[position.0 as usize..]).expect("a position is of an element").0
    }

    /// The element after `position`.
    #[inline]
    pub fn next(&self, position: Position) -> Option<Position> {
        let at = position.0 as usize;
        self.position(at + size_at(self.as_bytes(), at))
    }

    /// The element before `position`.
    #[inline]
    pub fn previous(&self, position: Position) -> Option<Position> {
        let mut before = Entries { back: position.0 as usize, ..self.entries() };
        before.next_back().map(|(position, _)| position)
    }

    /// The first element.
    #[inline]
    pub fn first(&self) -> Option<Position> {
        self.position(HEADER)
    }

    /// The last element.
    #[inline]
    pub fn last(&self) -> Option<Position> {
        self.entries().next_back().map(|(position, _)| position)
    }

    /// The element of an index, which counts from the end when negative (-1 is the last).
    pub fn seek(&self, index: isize) -> Option<Position> {
        let from_end = match (index, self.told_count()) {
            (..0, _) => Some(index.unsigned_abs() - 1),
            (_, UNCOUNTED) => None,
            (_, count) if index as usize >= count as usize => return None,
            (_, count) => Some(count as usize - 1 - index as usize).filter(|&back| back < index as usize),
        };
        match from_end {
            Some(back) => self.entries().nth_back(back),
            None => self.entries().nth(index as usize),
        }
        .map(|(position, _)| position)
    }

    /// The element of an index, which counts from the end when negative.
    pub fn get(&self, index: isize) -> Option<Entry<'_>> {
        self.seek(index).map(|position| self.at(position))
    }

    /// The first element equal to `needle`, looking at `from` and then after every `skip` elements passed over: 0
    /// looks at all of them, 1 at the fields of field-value pairs.
    pub fn find(&self, needle: &[u8], from: Option<Position>, skip: usize) -> Option<Position> {
        let needle = Encoded::of(needle.into());
        let bytes = self.as_bytes();
        let end = bytes.len() - 1;
        let mut at = from.map_or(HEADER, |position| position.0 as usize);
        while at < end {
            if needle.is_at_front(&bytes[at..]) {
                return self.position(at);
            }
            for _ in 0..=skip {
                if at < end {
                    at += size_at(bytes, at);
                }
            }
        }
        None
    }

    /// Appends an element.
    #[inline]
    pub fn push_back<'a>(&mut self, value: impl Into<Entry<'a>>) {
        self.splice(self.bytes_len() - 1, 0, 0, iter::once(value.into()));
    }

    /// Appends several elements at once.
    #[inline]
    pub fn append<'a>(&mut self, values: impl Iterator<Item = Entry<'a>> + Clone) {
        self.splice(self.bytes_len() - 1, 0, 0, values);
    }

    /// Puts an element before all others.
    #[inline]
    pub fn push_front<'a>(&mut self, value: impl Into<Entry<'a>>) {
        self.splice(HEADER, 0, 0, iter::once(value.into()));
    }

    /// Puts an element before that of `position`. Answers where the new one stands.
    pub fn insert_before<'a>(&mut self, position: Position, value: impl Into<Entry<'a>>) -> Position {
        self.insert(position, &[value.into()])
    }

    /// Puts an element after that of `position`. Answers where the new one stands.
    pub fn insert_after<'a>(&mut self, position: Position, value: impl Into<Entry<'a>>) -> Position {
        let at = position.0 as usize;
        let after = at + size_at(self.as_bytes(), at);
        self.splice(after, 0, 0, iter::once(value.into()));
        Position(after as u32)
    }

    /// Puts several elements before that of `position`. Answers where the first of them stands.
    pub fn insert(&mut self, position: Position, values: &[Entry<'_>]) -> Position {
        self.splice(position.0 as usize, 0, 0, values.iter().copied());
        position
    }

    /// Replaces the element at `position`, which stays good.
    pub fn replace<'a>(&mut self, position: Position, value: impl Into<Entry<'a>>) {
        let at = position.0 as usize;
        self.splice(at, size_at(self.as_bytes(), at), 1, iter::once(value.into()));
    }

    /// Removes the element at `position`. Answers where the next one stands now.
    pub fn remove(&mut self, position: Position) -> Option<Position> {
        self.remove_run(position, 1)
    }

    /// Removes up to `count` elements from `position` on. Answers where the next one stands now.
    pub fn remove_run(&mut self, position: Position, count: usize) -> Option<Position> {
        let at = position.0 as usize;
        let (mut end, mut removed) = (at, 0);
        while removed < count && end < self.bytes_len() - 1 {
            end += size_at(self.as_bytes(), end);
            removed += 1;
        }
        self.splice(at, end - at, removed, iter::empty());
        self.position(at)
    }

    /// Removes up to `count` elements from an index on, which counts from the end when negative.
    pub fn remove_range(&mut self, index: isize, count: usize) {
        if let Some(position) = self.seek(index) {
            self.remove_run(position, count);
        }
    }

    /// Keeps the elements before `position` and answers the others.
    pub fn split_off(&mut self, position: Position) -> Listpack {
        let mut tail = Listpack::new();
        let at = position.0 as usize;
        let (size, count) = (self.bytes_len() - 1 - at, self.entries_from(position).count());
        tail.open_gap(HEADER, 0, size).copy_from_slice(&self.as_bytes()[at..at + size]);
        tail.set_count(count);
        self.splice(at, size, count, iter::empty());
        tail
    }

    /// Appends all elements of another listpack.
    pub fn extend_from(&mut self, other: &Listpack) {
        self.insert_all(self.bytes_len() - 1, other);
    }

    /// Puts all elements of another listpack in front.
    pub fn prepend_from(&mut self, other: &Listpack) {
        self.insert_all(HEADER, other);
    }

    fn insert_all(&mut self, at: usize, other: &Listpack) {
        let count = self.len() + other.len();
        let elements = &other.as_bytes()[HEADER..other.bytes_len() - 1];
        self.open_gap(at, 0, elements.len()).copy_from_slice(elements);
        self.set_count(count);
    }

    #[inline]
    fn position(&self, at: usize) -> Option<Position> {
        (at < self.bytes_len() - 1).then_some(Position(at as u32))
    }

    #[inline]
    fn told_count(&self) -> u16 {
        let bytes = self.as_bytes();
        u16::from_le_bytes([bytes[4], bytes[5]])
    }

    #[inline]
    fn set_count(&mut self, count: usize) {
        let count = count.min(UNCOUNTED as usize) as u16;
        self.block.body_mut()[..2].copy_from_slice(&count.to_le_bytes());
    }

    /// Replaces the `removed` bytes of `gone` elements at `at` by `values`: every edit goes through here.
    #[inline]
    fn splice<'a>(
        &mut self,
        at: usize,
        removed: usize,
        gone: usize,
        values: impl Iterator<Item = Entry<'a>> + Clone,
    ) {
        let (size, come) =
            values.clone().fold((0, 0), |(size, count), value| (size + value.size(), count + 1));
        let told = self.told_count();
        let mut gap = self.open_gap(at, removed, size);
        for value in values {
            gap = Encoded::of(value).write(gap);
        }
        if told != UNCOUNTED && gone != come {
            self.set_count(told as usize - gone + come);
        }
    }

    /// Makes the `removed` bytes at `at` `wanted` bytes wide, and answers those.
    #[inline]
    fn open_gap(&mut self, at: usize, removed: usize, wanted: usize) -> &mut [u8] {
        let old = self.bytes_len();
        let new = old - removed + wanted;
        assert!(new <= MAX_BYTES, "a listpack is limited to 1 GB: ask would_exceed");
        if wanted > removed {
            self.block.resize(&(new as u32).to_le_bytes());
        }
        let (body, at) = (self.block.body_mut(), at - Framing::PREFIX);
        if at + removed + Framing::PREFIX + 1 == old {
            body[at + wanted] = END;
        } else if wanted > removed {
            body.copy_within(at + removed..old - Framing::PREFIX, at + wanted);
        } else if wanted < removed {
            move_down(&mut body[at + wanted..old - Framing::PREFIX], removed - wanted);
        }
        if wanted < removed {
            self.block.resize(&(new as u32).to_le_bytes());
        }
        &mut self.block.body_mut()[at..at + wanted]
    }
}

impl<'a> FromIterator<Entry<'a>> for Listpack {
    fn from_iter<I: IntoIterator<Item = Entry<'a>>>(entries: I) -> Self {
        let mut listpack = Listpack::new();
        entries.into_iter().for_each(|entry| listpack.push_back(entry));
        listpack
    }
}

impl fmt::Debug for Listpack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Entry<'a> {
    /// The string this element is; an integer is written into `digits`.
    #[inline]
    pub fn text<'t>(&self, digits: &'t mut Digits) -> &'t [u8]
    where
        'a: 't,
    {
        match *self {
            Entry::Int(value) => number::write_i64(value, digits),
            Entry::Text(text) => text,
        }
    }

    /// The integer this element is.
    #[inline]
    pub fn int(&self) -> Option<i64> {
        match *self {
            Entry::Int(value) => Some(value),
            Entry::Text(_) => None,
        }
    }

    /// The bytes this element takes in a listpack.
    #[inline]
    pub fn size(self) -> usize {
        size_with_foot(Encoded::of(self).content())
    }

    fn normal(self) -> Self {
        match self {
            Entry::Text(text) => Entry::from(text),
            int => int,
        }
    }
}

impl From<i64> for Entry<'_> {
    fn from(value: i64) -> Self {
        Entry::Int(value)
    }
}

impl<'a> From<&'a [u8]> for Entry<'a> {
    #[inline]
    fn from(text: &'a [u8]) -> Self {
        number::parse_i64(text).map_or(Entry::Text(text), Entry::Int)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Entry<'a> {
    fn from(text: &'a [u8; N]) -> Self {
        text.as_slice().into()
    }
}

impl PartialEq<[u8]> for Entry<'_> {
    fn eq(&self, text: &[u8]) -> bool {
        self.text(&mut Digits::new()) == text
    }
}

impl Iter<'_> {
    /// Passes over up to `count` elements at the front and answers how many there were.
    pub fn skip_front(&mut self, count: usize) -> usize {
        self.entries.skip_front(count)
    }

    /// Passes over up to `count` elements at the back and answers how many there were.
    pub fn skip_back(&mut self, count: usize) -> usize {
        self.entries.skip_back(count)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.entries.next().map(|(_, entry)| entry)
    }

    fn nth(&mut self, n: usize) -> Option<Entry<'a>> {
        self.entries.nth(n).map(|(_, entry)| entry)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|(_, entry)| entry)
    }

    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        self.entries.nth_back(n).map(|(_, entry)| entry)
    }
}

impl<'a> Entries<'a> {
    /// Takes up to `count` elements off the back, as a run of their own.
    pub fn split_back(&mut self, count: usize) -> Entries<'a> {
        let back = self.back;
        self.skip_back(count);
        Entries { front: self.back, back, ..*self }
    }

    /// Passes over up to `count` elements at the front and answers how many there were.
    pub fn skip_front(&mut self, count: usize) -> usize {
        let mut skipped = 0;
        while skipped < count && self.front < self.back {
            self.front += size_at(self.bytes, self.front);
            skipped += 1;
        }
        skipped
    }

    /// Passes over up to `count` elements at the back and answers how many there were.
    pub fn skip_back(&mut self, count: usize) -> usize {
        let mut skipped = 0;
        while skipped < count && self.front < self.back {
            self.back -= size_before(self.bytes, self.back);
            skipped += 1;
        }
        skipped
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Position, Entry<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let at = self.front;
        let (entry, content) = decode(&self.bytes[at..])?;
        self.front += size_with_foot(content);
        Some((Position(at as u32), entry))
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.skip_front(n);
        self.next()
    }
}

impl DoubleEndedIterator for Entries<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back -= size_before(self.bytes, self.back);
        let (entry, _) = decode(&self.bytes[self.back..])?;
        Some((Position(self.back as u32), entry))
    }

    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        self.skip_back(n);
        self.next_back()
    }
}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.clone()).finish()
    }
}

/// An element on its way into a listpack: its encoding (with the data of an integer), then its text.
struct Encoded<'a> {
    head: [u8; 9],
    head_len: u8,
    text: &'a [u8],
}

impl<'a> Encoded<'a> {
    #[inline]
    fn of(entry: Entry<'a>) -> Self {
        match entry {
            Entry::Int(value) => Encoded::of_int(value),
            Entry::Text(text) => Encoded::of_text(text),
        }
    }

    #[inline]
    fn of_int(value: i64) -> Self {
        let le = value.to_le_bytes();
        match value {
            0..=127 => Encoded::new(&[value as u8], &[]),
            -4096..=4095 => Encoded::new(&[0xC0 | (value >> 8) as u8 & 0x1F, value as u8], &[]),
            -0x8000..=0x7FFF => Encoded::new(&[0xF1, le[0], le[1]], &[]),
            -0x80_0000..=0x7F_FFFF => Encoded::new(&[0xF2, le[0], le[1], le[2]], &[]),
            -0x8000_0000..=0x7FFF_FFFF => Encoded::new(&[0xF3, le[0], le[1], le[2], le[3]], &[]),
            _ => Encoded::new(&[0xF4, le[0], le[1], le[2], le[3], le[4], le[5], le[6], le[7]], &[]),
        }
    }

    #[inline]
    fn of_text(text: &'a [u8]) -> Self {
        let le = text.len().to_le_bytes();
        match text.len() {
            0..64 => Encoded::new(&[0x80 | le[0]], text),
            64..4096 => Encoded::new(&[0xE0 | le[1], le[0]], text),
            _ => Encoded::new(&[0xF0, le[0], le[1], le[2], le[3]], text),
        }
    }

    #[inline]
    fn new<const N: usize>(head: &[u8; N], text: &'a [u8]) -> Self {
        let mut padded = [0; 9];
        padded[..N].copy_from_slice(head);
        Encoded { head: padded, head_len: N as u8, text }
    }

    /// Whether the element at the front of `bytes` is this one. Fields of a kind have one length and one beginning:
    /// what differs first is the encoding, then the last byte.
    #[inline]
    fn is_at_front(&self, bytes: &[u8]) -> bool {
        let head = &self.head[..self.head_len as usize];
        let last = self.text.last().unwrap_or(&head[head.len() - 1]);
        bytes[0] == head[0]
            && bytes.get(self.content() - 1) == Some(last)
            && bytes.starts_with(head)
            && bytes[head.len()..].starts_with(self.text)
    }

    /// Writes the element into the front of `out` and answers what is left of it.
    #[inline]
    fn write<'o>(&self, out: &'o mut [u8]) -> &'o mut [u8] {
        let (content, head_len) = (self.content(), self.head_len as usize);
        let (element, rest) = out.split_at_mut(size_with_foot(content));
        match element.first_chunk_mut() {
            // What this writes too much, text and foot overwrite.
            Some(chunk) => *chunk = self.head,
            None => element[..head_len].copy_from_slice(&self.head[..head_len]),
        }
        element[head_len..content].copy_from_slice(self.text);
        write_foot(content, &mut element[content..]);
        rest
    }

    /// The length of encoding and data.
    #[inline]
    fn content(&self) -> usize {
        self.head_len as usize + self.text.len()
    }
}

/// Writes the length of an element's content, in 7 bits a byte with the last group at the end, so that it is read
/// backwards.
#[inline]
fn write_foot(content: usize, foot: &mut [u8]) {
    let mut rest = content;
    for byte in foot[1..].iter_mut().rev() {
        *byte = (rest & 0x7F) as u8 | 0x80;
        rest >>= 7;
    }
    foot[0] = rest as u8;
}

/// The bounds are Redis's: each is one less than what would fit.
#[inline]
const fn foot_len(content: usize) -> usize {
    match content {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

#[inline]
const fn size_with_foot(content: usize) -> usize {
    content + foot_len(content)
}

/// The element at the front of `bytes` and the length of its content; `None` when it is no element or cut short.
#[inline]
fn decode(bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
    let (&code, data) = bytes.split_first()?;
    let int = |bytes: usize| {
        let mut le = [0; 8];
        le[8 - bytes..].copy_from_slice(data.get(..bytes)?);
        Some((Entry::Int(i64::from_le_bytes(le) >> (64 - 8 * bytes)), 1 + bytes))
    };
    let text = |head: usize, len: usize| Some((Entry::Text(data.get(head..)?.get(..len)?), 1 + head + len));
    match code {
        0x00..=0x7F => Some((Entry::Int(code as i64), 1)),
        0x80..=0xBF => text(0, (code & 0x3F) as usize),
        0xC0..=0xDF => {
            let value = (code as i64 & 0x1F) << 8 | *data.first()? as i64;
            Some((Entry::Int(value << 51 >> 51), 2))
        }
        0xE0..=0xEF => text(1, (code as usize & 0x0F) << 8 | *data.first()? as usize),
        0xF0 => text(4, u32::from_le_bytes(*data.first_chunk()?) as usize),
        0xF1 => int(2),
        0xF2 => int(3),
        0xF3 => int(4),
        0xF4 => int(8),
        0xF5..=0xFF => None,
    }
}

/// Moves all bytes but the first `by` down by so many. In pieces: a long memmove between places this near each other
/// takes three times as long on x86, where it becomes `rep movsb`.
fn move_down(bytes: &mut [u8], by: usize) {
    const PIECE: usize = 2048;
    for start in (by..bytes.len()).step_by(PIECE) {
        bytes.copy_within(start..bytes.len().min(start + PIECE), start - by);
    }
}

/// The bytes of the element at `at`, which the listpack is known to hold.
#[inline]
fn size_at(bytes: &[u8], at: usize) -> usize {
    let code = bytes[at];
    if let 0x80..=0xBF = code {
        // Short texts are most of what there is, and a sum is sooner there than a table.
        return 2 + (code & 0x3F) as usize;
    }
    match SIZES[code as usize] {
        0 => decode(&bytes[at..]).map_or(bytes.len() - at, |(_, content)| size_with_foot(content)),
        size => size as usize,
    }
}

/// The bytes of the element that ends before `end`, which the listpack is known to hold.
#[inline]
fn size_before(bytes: &[u8], end: usize) -> usize {
    let (mut content, mut shift, mut at) = (0, 0, end - 1);
    while bytes[at] & 0x80 != 0 {
        content |= (bytes[at] as usize & 0x7F) << shift;
        shift += 7;
        at -= 1;
    }
    content |= (bytes[at] as usize) << shift;
    content + end - at
}

/// The bytes of a whole element by its first byte, 0 where that does not decide.
static SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut code = 0;
    while code < 256 {
        sizes[code] = match code {
            0x00..=0x7F => 2,
            0x80..=0xBF => 2 + (code as u8 & 0x3F),
            0xC0..=0xDF => 3,
            0xF1 => 4,
            0xF2 => 5,
            0xF3 => 6,
            0xF4 => 10,
            _ => 0,
        };
        code += 1;
    }
    sizes
};

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    /// A small deterministic source of chance.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((self.0 >> 33) as usize) % n
        }

        fn value(&mut self) -> Vec<u8> {
            let integer = 1i64 << self.below(63);
            match self.below(8) {
                0 => integer.to_string().into_bytes(),
                1 => (-integer).to_string().into_bytes(),
                2 => (self.below(9000) as i64 - 4500).to_string().into_bytes(),
                3 => alloc::vec![b'x'; [0, 62, 63, 64, 125, 126, 127][self.below(7)]],
                4 if self.below(40) == 0 => alloc::vec![b'y'; 4090 + self.below(10)],
                _ => alloc::vec![b'a' + self.below(3) as u8; 1 + self.below(3)],
            }
        }
    }

    fn of(values: &[&[u8]]) -> Listpack {
        values.iter().map(|&value| Entry::from(value)).collect()
    }

    fn texts<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<Vec<u8>> {
        entries.map(|entry| entry.text(&mut Digits::new()).to_vec()).collect()
    }

    /// Hashes and sorted sets as redis-server 7.0.15 dumps them.
    const HASH: &[u8] = b"\xfe\0\0\0,\0\x84name\x05\x83Ada\x04\x83age\x04$\x01\x84zero\x05\0\x01\x83neg\x04\xdf\xff\
        \x02\x84n127\x05\x7f\x01\x84n128\x05\xc0\x80\x02\x85n4095\x06\xcf\xff\x02\x85n4096\x06\xf1\0\x10\x03\x85m4096\
        \x06\xd0\0\x02\x85m4097\x06\xf1\xff\xef\x03\x83i16\x04\xf1\xff\x7f\x03\x84i16x\x05\xf2\0\x80\0\x04\x83i24\x04\
        \xf2\xff\xff\x7f\x04\x84i24x\x05\xf3\0\0\x80\0\x05\x83i32\x04\xf3\xff\xff\xff\x7f\x05\x84i32x\x05\xf4\0\0\0\
        \x80\0\0\0\0\x09\x83i64\x04\xf4\xff\xff\xff\xff\xff\xff\xff\x7f\x09\x84i64m\x05\xf4\0\0\0\0\0\0\0\x80\x09\x83\
        big\x04\x939223372036854775808\x14\x84lead\x05\x83007\x04\x82m0\x03\x82-0\x03\x85empty\x06\x80\x01\xff";
    const SORTED_SET: &[u8] =
        b"L\0\0\0\x0e\0\x81c\x02\xdf\xfd\x02\x81g\x02\x930.10000000000000001\x14\x81a\x02\x01\
        \x01\x81b\x02\x831.5\x04\x81f\x02\xf2\xa0\x86\x01\x04\x81d\x02\x851e+20\x06\x81e\x02\x83inf\x04\xff";

    #[test]
    fn bytes_are_those_of_redis() {
        let hash = "name Ada age 36 zero 0 neg -1 n127 127 n128 128 n4095 4095 n4096 4096 m4096 -4096 m4097 -4097 \
            i16 32767 i16x 32768 i24 8388607 i24x 8388608 i32 2147483647 i32x 2147483648 i64 9223372036854775807 \
            i64m -9223372036854775808 big 9223372036854775808 lead 007 m0 -0 empty "
            .split(' ')
            .map(str::as_bytes)
            .collect::<Vec<_>>();
        assert_eq!(of(&hash).as_bytes(), HASH);
        assert_eq!(texts(Listpack::from_bytes(HASH).expect("a listpack").iter()), hash);
        let scores = "c -3 g 0.10000000000000001 a 1 b 1.5 f 100000 d 1e+20 e inf";
        assert_eq!(of(&scores.split(' ').map(str::as_bytes).collect::<Vec<_>>()).as_bytes(), SORTED_SET);
    }

    /// Lengths at which encodings and feet change; heads and feet as redis-server 7.0.15 dumps them.
    #[test]
    fn long_texts_are_those_of_redis() {
        let cases: [(usize, &[u8], &[u8]); 14] = [
            (0, b"\x80", b"\x01"),
            (63, b"\xbf", b"@"),
            (64, b"\xe0@", b"B"),
            (125, b"\xe0}", b"\x7f"),
            (126, b"\xe0~", b"\x01\x80"),
            (127, b"\xe0\x7f", b"\x01\x81"),
            (4095, b"\xef\xff", b" \x81"),
            (4096, b"\xf0\0\x10\0\0", b" \x85"),
            (16377, b"\xf0\xf9?\0\0", b"\x7f\xfe"),
            (16378, b"\xf0\xfa?\0\0", b"\0\xff\xff"),
            (16380, b"\xf0\xfc?\0\0", b"\x01\x80\x81"),
            (70000, b"\xf0p\x11\x01\0", b"\x04\xa2\xf5"),
            (2097145, b"\xf0\xf9\xff\x1f\0", b"\x7f\xff\xfe"),
            (2097146, b"\xf0\xfa\xff\x1f\0", b"\0\xff\xff\xff"),
        ];
        for (len, head, foot) in cases {
            let text = alloc::vec![b'x'; len];
            let listpack = of(&[&text, b"after"]);
            let element = [head, &text, foot].concat();
            assert!(listpack.as_bytes()[HEADER..].starts_with(&element), "{len}");
            assert_eq!(Entry::from(&text[..]).size(), element.len());
            assert!(listpack.iter().next_back() == Some(Entry::Text(b"after")));
            assert!(listpack.iter().nth_back(1) == Some(Entry::Text(&text)), "{len} read backwards");
            assert_eq!(Listpack::from_bytes(listpack.as_bytes()), Some(listpack));
        }
    }

    #[test]
    fn behaves_as_a_vector() {
        let mut chance = Chance(1);
        let (mut listpack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for step in 0..if cfg!(miri) { 250 } else { 5000 } {
            let value = chance.value();
            let index = chance.below(model.len() + 1);
            let position = listpack.seek(index as isize);
            assert_eq!(position.is_some(), index < model.len());
            match (chance.below(if step / 500 % 2 == 0 { 8 } else { 12 }), position) {
                (0, _) => {
                    listpack.push_back(&value[..]);
                    model.push(value);
                }
                (1, _) => {
                    listpack.push_front(&value[..]);
                    model.insert(0, value);
                }
                (2 | 3, Some(position)) => {
                    let new = listpack.insert_before(position, &value[..]);
                    assert!(listpack.at(new) == value[..]);
                    model.insert(index, value);
                }
                (4, Some(position)) => {
                    let new = listpack.insert_after(position, &value[..]);
                    assert!(listpack.at(new) == value[..]);
                    model.insert(index + 1, value);
                }
                (5, Some(position)) => {
                    listpack.replace(position, &value[..]);
                    model[index] = value;
                }
                (6, _) => {
                    let more = [chance.value(), chance.value()];
                    listpack.append(more.iter().map(|value| Entry::from(&value[..])));
                    model.extend(more);
                }
                (7, _) => {
                    let count = chance.below(4);
                    listpack.remove_range(index as isize, count);
                    model.drain(index..(index + count).min(model.len()));
                }
                (8, Some(position)) => {
                    let tail = listpack.split_off(position);
                    assert_eq!((listpack.len(), tail.len()), (index, model.len() - index));
                    listpack.extend_from(&tail);
                }
                (_, Some(position)) => {
                    let next = listpack.remove(position);
                    model.remove(index);
                    assert_eq!(
                        next.map(|at| texts([listpack.at(at)].into_iter()).remove(0)),
                        model.get(index).cloned()
                    );
                }
                _ => {}
            }
            assert_eq!(listpack.len(), model.len());
            if step % 10 == 0 {
                let mut backwards = texts(listpack.iter().rev());
                backwards.reverse();
                assert_eq!(backwards, model);
                assert_eq!(texts(listpack.iter()), model);
                assert_eq!(Listpack::from_bytes(listpack.as_bytes()).as_ref(), Some(&listpack));
            }
        }
    }

    #[test]
    fn finds_and_walks() {
        let mut chance = Chance(3);
        let values: Vec<_> = (0..100).map(|_| chance.value()).collect();
        let listpack: Listpack = values.iter().map(|value| Entry::from(&value[..])).collect();
        let index_of = |position| listpack.entries().position(|(at, _)| at == position).expect("a position");
        for skip in 0..3 {
            for needle in values.iter().cloned().chain((0..20).map(|_| chance.value())) {
                let expected = (0..100).step_by(skip + 1).find(|&i| values[i] == needle);
                assert_eq!(listpack.find(&needle, None, skip).map(index_of), expected);
            }
        }
        let (first, last) = (listpack.first().expect("first"), listpack.last().expect("last"));
        let third = listpack.next(listpack.next(first).expect("second")).expect("third");
        assert_eq!((index_of(first), index_of(third), index_of(last)), (0, 2, 99));
        assert_eq!((listpack.previous(first), listpack.next(last)), (None, None));
        assert_eq!(listpack.previous(third).map(index_of), Some(1));
        assert_eq!(texts(listpack.entries_from(third).map(|(_, entry)| entry)), &values[2..]);
        assert_eq!(texts(listpack.entries_to(third).map(|(_, entry)| entry)), &values[..3]);
        assert_eq!(listpack.find(&values[99], Some(last), 0), Some(last));
        for index in 0..100 {
            assert!(listpack.get(index).expect("inside") == values[index as usize][..]);
            assert!(listpack.get(index - 100).expect("inside") == values[index as usize][..]);
        }
        assert_eq!((listpack.get(100), listpack.get(-101), Listpack::new().get(0)), (None, None, None));
        assert_eq!((listpack.get(isize::MAX), listpack.get(isize::MIN)), (None, None));
    }

    #[test]
    #[cfg_attr(miri, ignore)]
    fn counts_beyond_what_the_header_can_say() {
        let mut listpack = Listpack::new();
        listpack.append((0..70_000).map(Entry::Int));
        assert_eq!((listpack.told_count(), listpack.len()), (UNCOUNTED, 70_000));
        assert_eq!(listpack.get(69_999), Some(Entry::Int(69_999)));
        assert_eq!(listpack.get(70_000), None);
        listpack.remove_range(100, 69_000);
        assert_eq!(listpack.len(), 1000);
        let read = Listpack::from_bytes(listpack.as_bytes()).expect("valid");
        assert_eq!((read.told_count(), read.iter().eq(listpack.iter())), (1000, true));
    }

    #[test]
    fn makes_foreign_encodings_normal() {
        let odd = b"\x15\0\0\0\x03\0\xf1\x05\0\x03\x815\x02\xe0\x01a\x03\xff";
        let odd = &[&(odd.len() as u32).to_le_bytes(), &odd[4..]].concat()[..];
        assert_eq!(Listpack::from_bytes(odd), Some(of(&[b"5", b"5", b"a"])));
    }

    #[test]
    fn refuses_what_is_no_listpack() {
        for whole in [HASH, SORTED_SET] {
            for cut in 0..whole.len() {
                assert_eq!(Listpack::from_bytes(&whole[..cut]), None);
                let mut told = whole[..cut].to_vec();
                if cut >= 4 {
                    told[..4].copy_from_slice(&(cut as u32).to_le_bytes());
                    assert_eq!(Listpack::from_bytes(&told), None, "cut at {cut}");
                }
            }
            for bit in (0..whole.len() * 8).step_by(if cfg!(miri) { 37 } else { 1 }) {
                let mut flipped = whole.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                survives(&flipped);
            }
        }
        let mut chance = Chance(5);
        for _ in 0..if cfg!(miri) { 50 } else { 20_000 } {
            let mut noise: Vec<u8> = (0..7 + chance.below(24)).map(|_| chance.below(256) as u8).collect();
            let len = noise.len();
            noise[..4].copy_from_slice(&(len as u32).to_le_bytes());
            noise[4..6].copy_from_slice(&[0xFF, 0xFF]);
            noise[len - 1] = END;
            for byte in &mut noise[HEADER..len - 1] {
                if chance.below(3) == 0 {
                    *byte = [1, 2, 3, 4, 9, 0x80, 0xF0, 0xF4][chance.below(8)];
                }
            }
            survives(&noise);
        }
    }

    /// Bytes are refused, or they are a listpack that holds together and can be edited.
    fn survives(bytes: &[u8]) {
        let Some(mut listpack) = Listpack::from_bytes(bytes) else { return };
        let mut backwards = texts(listpack.iter().rev());
        backwards.reverse();
        assert_eq!(backwards, texts(listpack.iter()));
        assert_eq!(backwards.len(), listpack.len());
        assert_eq!(listpack, backwards.iter().map(|text| Entry::from(&text[..])).collect());
        while let Some(first) = listpack.first() {
            listpack.remove(first);
        }
        assert_eq!(listpack, Listpack::new());
    }

    #[test]
    fn is_as_thin_as_a_pointer() {
        assert_eq!(size_of::<Option<Listpack>>(), size_of::<usize>());
        assert!(Listpack::new().would_exceed(MAX_BYTES) && !Listpack::new().would_exceed(MAX_BYTES - 7));
    }
}
