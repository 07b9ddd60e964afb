//! HyperLogLog: about how many different elements were added, in bytes that are the same as Redis's. Such a value is a
//! text like any other, so there is no type that owns one: what stands here reads and changes texts, and refuses those that
//! are none. Where a text lives, and who hears that it changed, is the business of the commands.
//!
//! A text begins with `HYLL`, the form (0 dense, 1 sparse), three bytes that are not used and the last estimate, eight
//! bytes of which the highest bit says that it is out of date. Then come 16384 registers. Dense, each takes six bits. Sparse,
//! runs of equal registers take a byte or two: `00llllll` up to 64 zeros, `01llllll llllllll` up to 16384 zeros, `1vvvvvll`
//! up to four times a value up to 32.

use alloc::{format, string::String, vec, vec::Vec};
use core::{array, fmt::Write};

use crate::{Error, Result};

/// How the registers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Six bits each.
    Dense,
    /// As runs of equal ones.
    Sparse,
}

/// Equal registers side by side, as a sparse text has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// What they hold.
    pub value: u8,
    /// How many they are.
    pub len: usize,
    /// Whether it is zeros in the longer of the two ways to write them.
    pub is_long: bool,
}

/// The registers of several texts, of each the greatest.
pub struct Union {
    registers: Vec<u8>,
    any_dense: bool,
}

const MAGIC: &[u8] = b"HYLL";
const FORM_AT: usize = 4;
const ESTIMATE_AT: usize = 8;
const HEADER: usize = 16;
/// In the last byte of the estimate.
const OUT_OF_DATE: u8 = 0x80;
/// Bits of a hash that choose the register.
const INDEX_BITS: u32 = 14;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of a hash that are counted.
const COUNTED_BITS: u32 = 64 - INDEX_BITS;
const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;
const ZEROS_MAX: usize = 64;
const VALUE_MAX: u8 = 32;
const VALUES_MAX: usize = 4;

const NONE: Error = Error::refused("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: Error = Error::refused("INVALIDOBJ Corrupted HLL object detected");

/// The text of no elements.
pub fn empty() -> Vec<u8> {
    let mut text = vec![0; HEADER];
    text[..FORM_AT].copy_from_slice(MAGIC);
    text[FORM_AT] = Form::Sparse as u8;
    write_zeros(&mut text, REGISTERS);
    text
}

/// The form of a text; refused when it is no HyperLogLog.
pub fn form(text: &[u8]) -> Result<Form> {
    match text.get(FORM_AT) {
        _ if text.len() < HEADER || !text.starts_with(MAGIC) => Err(NONE),
        Some(0) if text.len() == DENSE_LEN => Ok(Form::Dense),
        Some(1) => Ok(Form::Sparse),
        _ => Err(NONE),
    }
}

/// The estimate that a text carries, unless it is out of date.
pub fn cached(text: &[u8]) -> Option<u64> {
    let estimate = u64::from_le_bytes(array::from_fn(|i| text[ESTIMATE_AT + i]));
    (text[HEADER - 1] & OUT_OF_DATE == 0).then_some(estimate)
}

/// Has a text carry its estimate.
pub fn cache(text: &mut [u8], estimate: u64) {
    text[ESTIMATE_AT..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

/// Says that the estimate a text carries is out of date.
pub fn outdate(text: &mut [u8]) {
    text[HEADER - 1] |= OUT_OF_DATE;
}

/// About how many different elements were added.
pub fn estimate(text: &[u8]) -> Result<u64> {
    let mut counts = [0; 64];
    match form(text)? {
        Form::Dense => unpack(text).for_each(|value| counts[value as usize] += 1),
        Form::Sparse => runs(text)?.for_each(|run| counts[run.value as usize] += run.len),
    }
    Ok(estimate_of(&counts))
}

/// Adds an element; whether the registers changed. A sparse text becomes a dense one when it would be longer than
/// `sparse_max` bytes, or would have to hold a value that only a dense one can.
pub fn add(text: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool> {
    let (index, value) = place(element);
    raise(text, index, value, sparse_max)
}

/// Adds an element to a dense text, where it stands; whether the registers changed.
pub fn add_dense(text: &mut [u8], element: &[u8]) -> bool {
    let (index, value) = place(element);
    raise_dense(text, index, value)
}

/// The registers, one by one.
pub fn registers(text: &[u8]) -> Result<Vec<u8>> {
    Ok(match form(text)? {
        Form::Dense => unpack(text).collect(),
        Form::Sparse => runs(text)?.flat_map(|run| core::iter::repeat_n(run.value, run.len)).collect(),
    })
}

/// The same registers as a dense text.
pub fn to_dense(text: &[u8]) -> Result<Vec<u8>> {
    let mut dense = vec![0; DENSE_LEN];
    dense[..HEADER].copy_from_slice(&text[..HEADER]);
    dense[FORM_AT] = Form::Dense as u8;
    for (four, packed) in registers(text)?.chunks_exact(4).zip(dense[HEADER..].chunks_exact_mut(3)) {
        let bits = (0..4).map(|i| (four[i] as u32) << (6 * i)).sum::<u32>();
        packed.copy_from_slice(&bits.to_le_bytes()[..3]);
    }
    Ok(dense)
}

/// The runs of a sparse text; refused when they are not of all registers.
pub fn runs(text: &[u8]) -> Result<impl Iterator<Item = Run>> {
    check(text).map(|()| Runs(&text[HEADER..]))
}

fn check(text: &[u8]) -> Result<()> {
    let add = |(len, size), run: Run| (len + run.len, size + run.size());
    let whole = Runs(&text[HEADER..]).fold((0, HEADER), add) == (REGISTERS, text.len());
    if whole { Ok(()) } else { Err(CORRUPT) }
}

/// The runs of a sparse text as PFDEBUG writes them, be they of all registers or not.
pub fn describe(text: &[u8]) -> String {
    let mut words = String::new();
    for Run { value, len, is_long } in Runs(&text[HEADER..]) {
        let _ = match (value, is_long) {
            (0, false) => write!(words, "z:{len} "),
            (0, true) => write!(words, "Z:{len} "),
            _ => write!(words, "v:{value},{len} "),
        };
    }
    words.pop();
    words
}

impl Union {
    /// Of no text.
    pub fn new() -> Union {
        Union { registers: vec![0; REGISTERS], any_dense: false }
    }

    /// Takes in another text.
    pub fn include(&mut self, text: &[u8]) -> Result<()> {
        self.any_dense |= form(text)? == Form::Dense;
        for (mine, other) in self.registers.iter_mut().zip(registers(text)?) {
            *mine = other.max(*mine);
        }
        Ok(())
    }

    /// About how many different elements were added to any of the texts.
    pub fn estimate(&self) -> u64 {
        let mut counts = [0; 64];
        self.registers.iter().for_each(|value| counts[*value as usize] += 1);
        estimate_of(&counts)
    }

    /// Raises the registers of a text to these. It is dense afterwards if any of those taken in was.
    pub fn merge_into(&self, text: &mut Vec<u8>, sparse_max: usize) -> Result<()> {
        match form(text)? {
            Form::Sparse if self.any_dense => *text = to_dense(text)?,
            Form::Sparse => check(text)?,
            Form::Dense => {}
        }
        for (index, &value) in self.registers.iter().enumerate().filter(|(_, value)| **value > 0) {
            match form(text)? {
                Form::Dense => _ = raise_dense(text, index, value),
                Form::Sparse => {
                    let spot = Spot::find(text, index).ok_or(CORRUPT)?;
                    if spot.run.value < value {
                        spot.set(text, index, value, sparse_max)?;
                    }
                }
            }
        }
        outdate(text);
        Ok(())
    }
}

impl Default for Union {
    fn default() -> Self {
        Union::new()
    }
}

/// Counts numbers of elements that are known, and reads back registers of every value, as PFSELFTEST asks for.
pub fn self_test() -> Result<()> {
    check_registers()?;
    check_estimates()
}

fn check_registers() -> Result<()> {
    let (mut text, mut expected) = (to_dense(&empty())?, vec![0; REGISTERS]);
    for round in 0..4 {
        for (index, expected) in expected.iter_mut().enumerate() {
            let value = murmur64a(&[index as u8, (index >> 8) as u8, round]) as u8 % 64;
            raise_dense(&mut text, index, value);
            *expected = value.max(*expected);
        }
        for (index, (value, expected)) in unpack(&text).zip(&expected).enumerate() {
            if value != *expected {
                return Err(format!("TESTFAILED Register {index} should be {expected} but is {value}").into());
            }
        }
    }
    Ok(())
}

fn check_estimates() -> Result<()> {
    const SPARSE_MAX: usize = 3000;
    /// The standard error of the estimate.
    const ERROR: f64 = 1.04 / 128.0;
    let (mut dense, mut sparse, mut checkpoint) = (to_dense(&empty())?, empty(), 1);
    for count in 1..=10_000u64 {
        let element = murmur64a(&count.to_le_bytes()).to_le_bytes();
        add_dense(&mut dense, &element);
        add(&mut sparse, &element, SPARSE_MAX)?;
        if count < checkpoint {
            continue;
        }
        checkpoint *= 10;
        let (estimated, other) = (estimate(&dense)?, estimate(&sparse)?);
        if estimated != other {
            return Err(Error::refused("TESTFAILED dense/sparse disagree"));
        }
        let error = estimated.abs_diff(count);
        if error as f64 > libm::ceil(ERROR * 6.0 * count as f64) {
            return Err(format!("TESTFAILED Too big error. card:{count} abserr:{error}").into());
        }
    }
    Ok(())
}

/// Runs one after the other, as long as there are whole ones.
#[derive(Clone, Copy)]
struct Runs<'t>(&'t [u8]);

impl Iterator for Runs<'_> {
    type Item = Run;
    fn next(&mut self) -> Option<Run> {
        let run = Run::read(self.0)?;
        self.0 = &self.0[run.size()..];
        Some(run)
    }
}

impl Run {
    fn read(bytes: &[u8]) -> Option<Run> {
        let first = *bytes.first()?;
        Some(match first >> 6 {
            0 => Run { value: 0, len: first as usize + 1, is_long: false },
            1 => {
                let len = ((first & 0x3f) as usize) << 8 | *bytes.get(1)? as usize;
                Run { value: 0, len: len + 1, is_long: true }
            }
            _ => Run { value: (first >> 2 & 0x1f) + 1, len: (first & 3) as usize + 1, is_long: false },
        })
    }

    /// The bytes it takes.
    fn size(self) -> usize {
        1 + self.is_long as usize
    }
}

fn write_zeros(text: &mut Vec<u8>, len: usize) {
    match len {
        0 => {}
        1..=ZEROS_MAX => text.push(len as u8 - 1),
        _ => text.extend_from_slice(&[0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]),
    }
}

fn write_values(text: &mut Vec<u8>, value: u8, len: usize) {
    if len > 0 {
        text.push(value_byte(value, len));
    }
}

fn value_byte(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len as u8 - 1)
}

/// The register of an element, and what it is at least when the element was added.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element);
    let counted = hash >> INDEX_BITS | 1 << COUNTED_BITS;
    (hash as usize % REGISTERS, counted.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A with Redis's seed.
fn murmur64a(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(M);
    let (words, rest) = bytes.as_chunks();
    for word in words {
        let word = u64::from_le_bytes(*word).wrapping_mul(M);
        hash = (hash ^ (word ^ word >> R).wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | *byte as u64);
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash = (hash ^ hash >> R).wrapping_mul(M);
    hash ^ hash >> R
}

/// Makes a register hold at least `value`; whether it changed.
fn raise(text: &mut Vec<u8>, index: usize, value: u8, sparse_max: usize) -> Result<bool> {
    if form(text)? == Form::Dense {
        return Ok(raise_dense(text, index, value));
    }
    let spot = Spot::find(text, index).ok_or(CORRUPT)?;
    if spot.run.value >= value {
        return Ok(false);
    }
    // Refused now or never: what is found to be whole stays whole, and then no later element is refused.
    check(text)?;
    spot.set(text, index, value, sparse_max)?;
    Ok(true)
}

/// Where in a sparse text a register is written.
struct Spot {
    /// The run it is in.
    run: Run,
    /// The first register of that run.
    first: usize,
    /// Where the run stands.
    start: usize,
    /// Where the run before it stands, or this one if there is none.
    before: usize,
}

impl Spot {
    fn find(text: &[u8], index: usize) -> Option<Spot> {
        let (mut first, mut start, mut before) = (0, HEADER, HEADER);
        for run in Runs(&text[HEADER..]) {
            if index < first + run.len {
                return Some(Spot { run, first, start, before });
            }
            before = start;
            (first, start) = (first + run.len, start + run.size());
        }
        None
    }

    /// Gives a register of the run another value.
    fn set(self, text: &mut Vec<u8>, index: usize, value: u8, sparse_max: usize) -> Result<()> {
        let (split, size) = (self.split(index, value), self.run.size());
        if value > VALUE_MAX || split.len() > size && text.len() + split.len() - size > sparse_max {
            *text = to_dense(text)?;
            raise_dense(text, index, value);
        } else {
            text.splice(self.start..self.start + size, split);
            join_values(text, self.before);
        }
        outdate(text);
        Ok(())
    }

    /// What the run becomes when one of its registers holds another value.
    fn split(&self, index: usize, value: u8) -> Vec<u8> {
        let mut split = Vec::with_capacity(5);
        let write = |split: &mut Vec<u8>, len| match self.run.value {
            0 => write_zeros(split, len),
            value => write_values(split, value, len),
        };
        write(&mut split, index - self.first);
        if value <= VALUE_MAX {
            write_values(&mut split, value, 1);
        }
        write(&mut split, self.first + self.run.len - 1 - index);
        split
    }
}

/// Makes one of neighbouring runs of the same value, looking at five runs from `at` on as Redis does.
fn join_values(text: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = Run::read(&text[at..]) else { return };
        let next = Run::read(&text[at + run.size()..]);
        match next.filter(|next| run.value > 0 && next.value == run.value && run.len + next.len <= VALUES_MAX)
        {
            Some(next) => {
                text[at] = value_byte(run.value, run.len + next.len);
                text.remove(at + 1);
            }
            None => at += run.size(),
        }
    }
}

/// The registers of a dense text: four in three bytes.
fn unpack(text: &[u8]) -> impl Iterator<Item = u8> {
    text[HEADER..].chunks_exact(3).flat_map(|packed| {
        let bits = u32::from_le_bytes([packed[0], packed[1], packed[2], 0]);
        [0, 6, 12, 18].map(|shift| (bits >> shift & 0x3f) as u8)
    })
}

fn raise_dense(text: &mut [u8], index: usize, value: u8) -> bool {
    let packed = &mut text[HEADER + index / 4 * 3..][..3];
    let bits = u32::from_le_bytes([packed[0], packed[1], packed[2], 0]);
    let shift = index % 4 * 6;
    let is_higher = (bits >> shift & 0x3f) < value as u32;
    if is_higher {
        let bits = bits & !(0x3f << shift) | (value as u32) << shift;
        packed.copy_from_slice(&bits.to_le_bytes()[..3]);
    }
    is_higher
}

/// The estimate of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", from how many registers hold
/// each value.
fn estimate_of(counts: &[usize; 64]) -> u64 {
    /// 1 / (2 ln 2)
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    /// What Redis's rounding makes of infinity.
    const TOO_MANY: u64 = 1 << 63;
    let registers = REGISTERS as f64;
    let top = COUNTED_BITS as usize;
    let mut z = registers * tau((registers - counts[top + 1] as f64) / registers);
    for count in counts[1..=top].iter().rev() {
        z = (z + *count as f64) * 0.5;
    }
    z += registers * sigma(counts[0] as f64 / registers);
    let estimate = libm::round(ALPHA * registers * registers / z);
    if estimate < TOO_MANY as f64 { estimate as u64 } else { TOO_MANY }
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = libm::sqrt(x);
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPARSE_MAX: usize = 3000;

    fn of(elements: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
        let mut text = empty();
        for element in elements {
            add(&mut text, element.as_ref(), SPARSE_MAX).unwrap();
        }
        text
    }

    fn numbers(count: usize) -> impl Iterator<Item = Vec<u8>> {
        (0..count).map(|n| format!("element:{n}").into_bytes())
    }

    #[test]
    fn bytes_are_those_of_redis() {
        assert_eq!(empty(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
        let text = of(["a", "b", "c"]);
        assert_eq!(text, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x60\xf3\x80\x50\xb1\x84\x4b\xfb\x80\x42\x5a");
        assert_eq!(describe(&text), "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
        assert_eq!(estimate(&text).unwrap(), 3);
    }

    #[test]
    fn both_forms_hold_the_same_registers() {
        for count in [0, 1, 2, 10, 100, 1000, 1500] {
            let sparse = of(numbers(count));
            assert_eq!(form(&sparse).unwrap(), Form::Sparse);
            let dense = to_dense(&sparse).unwrap();
            assert_eq!(registers(&sparse).unwrap(), registers(&dense).unwrap());
            assert_eq!(estimate(&sparse).unwrap(), estimate(&dense).unwrap());
        }
    }

    #[test]
    fn a_sparse_text_becomes_dense_when_it_would_be_too_long() {
        let mut text = empty();
        for element in numbers(20_000) {
            let before = text.len();
            add(&mut text, &element, SPARSE_MAX).unwrap();
            match form(&text).unwrap() {
                Form::Sparse => assert!(text.len() <= SPARSE_MAX),
                Form::Dense if before < DENSE_LEN => assert!(before > SPARSE_MAX - 5),
                Form::Dense => {}
            }
        }
        assert_eq!(form(&text).unwrap(), Form::Dense);
        assert!(estimate(&text).unwrap().abs_diff(20_000) < 1000);
    }

    #[test]
    fn a_value_too_great_for_a_run_makes_it_dense() {
        let mut text = of(["a"]);
        assert_eq!(raise(&mut text, 7, VALUE_MAX, SPARSE_MAX), Ok(true));
        assert_eq!(form(&text), Ok(Form::Sparse));
        assert_eq!(raise(&mut text, 7, VALUE_MAX + 1, SPARSE_MAX), Ok(true));
        assert_eq!(form(&text), Ok(Form::Dense));
        assert_eq!(registers(&text).unwrap()[7], VALUE_MAX + 1);
    }

    #[test]
    fn a_union_counts_every_element_once() {
        let (some, more) = (of(numbers(400)), of(numbers(700)));
        let mut union = Union::new();
        union.include(&some).unwrap();
        union.include(&more).unwrap();
        assert_eq!(union.estimate(), estimate(&more).unwrap());
        let mut merged = empty();
        union.merge_into(&mut merged, SPARSE_MAX).unwrap();
        assert_eq!(registers(&merged).unwrap(), registers(&more).unwrap());
        union.include(&to_dense(&some).unwrap()).unwrap();
        union.merge_into(&mut merged, SPARSE_MAX).unwrap();
        assert_eq!(form(&merged), Ok(Form::Dense));
    }

    #[test]
    fn what_is_no_hyperloglog_is_refused() {
        let text = of(["a", "b", "c"]);
        for (at, byte) in [(0, b'h'), (3, b'l'), (FORM_AT, 0), (FORM_AT, 2), (FORM_AT, 255)] {
            let mut broken = text.clone();
            broken[at] = byte;
            assert_eq!(form(&broken), Err(NONE));
        }
        assert_eq!(form(b""), Err(NONE));
        assert_eq!(form(&text[..HEADER - 1]), Err(NONE));
        assert_eq!(form(&to_dense(&text).unwrap()[..DENSE_LEN - 1]), Err(NONE));
    }

    #[test]
    fn runs_that_end_too_soon_or_too_late_are_refused() {
        let text = of(numbers(300));
        for at in HEADER..text.len() {
            let mut broken = text[..at].to_vec();
            assert_eq!(estimate(&broken), Err(CORRUPT));
            assert_eq!(to_dense(&broken), Err(CORRUPT));
            assert_eq!(Union::new().include(&broken), Err(CORRUPT));
            let before = broken.clone();
            let changed =
                numbers(600).try_fold(false, |any, it| Ok(any | add(&mut broken, &it, SPARSE_MAX)?));
            assert_eq!((changed, broken), (Err(CORRUPT), before));
        }
        assert_eq!(estimate(&[&text[..], b"\0"].concat()), Err(CORRUPT));
    }

    #[test]
    fn any_dense_text_has_an_estimate() {
        let mut text = to_dense(&empty()).unwrap();
        assert_eq!(estimate(&text), Ok(0));
        text[HEADER..].fill(0xff);
        assert_eq!(estimate(&text), Ok(1 << 63));
    }

    #[test]
    fn the_estimate_is_carried_until_registers_change() {
        let mut text = of(["a"]);
        assert_eq!(cached(&text), None);
        cache(&mut text, 1);
        assert_eq!(cached(&text), Some(1));
        assert_eq!(add(&mut text, b"a", SPARSE_MAX), Ok(false));
        assert_eq!(cached(&text), Some(1));
        assert_eq!(add(&mut text, b"b", SPARSE_MAX), Ok(true));
        assert_eq!(cached(&text), None);
    }

    #[test]
    fn the_self_test_passes() {
        assert_eq!(self_test(), Ok(()));
    }
}
