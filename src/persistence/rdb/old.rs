//! The packed bytes of Redis before 7.0, ziplists and zipmaps, made into listpacks. They are only read: nothing is kept
//! or written in them any more.

use crate::data::containers::listpack::{Entry, Listpack};

/// The elements of a ziplist; `None` when it is none.
///
/// ```text
/// total bytes u32 LE │ offset of the last element u32 LE │ count u16 LE │ element … element │ 0xFF
/// element              length of the one before, in 1 byte or 0xFE and 4 LE │ encoding │ data
/// ```
pub fn ziplist(bytes: &[u8]) -> Option<Listpack> {
    const HEADER: usize = 10;
    let (head, _) = bytes.split_first_chunk::<HEADER>()?;
    let (&0xFF, _) = bytes.split_last()? else { return None };
    let [total, last] = [0, 4].map(|at| u32_at(head, at));
    let told = u16::from_le_bytes([head[8], head[9]]) as usize;
    let end = bytes.len() - 1;
    let (mut at, mut before, mut last_at) = (HEADER, 0, HEADER);
    let (mut listpack, mut count) = (Listpack::new(), 0);
    while at < end {
        let mut rest = &bytes[at..end];
        let told_before = match byte(&mut rest)? {
            0xFE => u32::from_le_bytes(*chunk(&mut rest)?) as usize,
            0xFF => return None,
            len => len as usize,
        };
        let entry = ziplist_element(&mut rest)?;
        if told_before != before {
            return None;
        }
        push(&mut listpack, entry)?;
        count += 1;
        last_at = at;
        before = end - rest.len() - at;
        at += before;
    }
    let whole = total == bytes.len() && last == last_at && (told == count || told == u16::MAX as usize);
    whole.then_some(listpack)
}

fn ziplist_element<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let first = byte(rest)?;
    let len = match first >> 6 {
        0 => first as usize & 0x3F,
        1 => (first as usize & 0x3F) << 8 | byte(rest)? as usize,
        2 if first == 0x80 => u32::from_be_bytes(*chunk(rest)?) as usize,
        2 => return None,
        _ => return ziplist_integer(first, rest).map(Entry::Int),
    };
    take(rest, len).map(Entry::from)
}

fn ziplist_integer(encoding: u8, rest: &mut &[u8]) -> Option<i64> {
    Some(match encoding {
        0xC0 => i16::from_le_bytes(*chunk(rest)?) as i64,
        0xD0 => i32::from_le_bytes(*chunk(rest)?) as i64,
        0xE0 => i64::from_le_bytes(*chunk(rest)?),
        0xF0 => {
            let &[a, b, c] = chunk(rest)?;
            (i32::from_le_bytes([0, a, b, c]) >> 8) as i64
        }
        0xFE => byte(rest)? as i8 as i64,
        0xF1..=0xFD => (encoding & 0x0F) as i64 - 1,
        _ => return None,
    })
}

/// The fields and values of a zipmap, by turns; `None` when it is none.
///
/// ```text
/// count u8 │ length field length slack value …slack… │ … │ 0xFF      a length is 1 byte up to 253, or 254 and 4 LE
/// ```
pub fn zipmap(bytes: &[u8]) -> Option<Listpack> {
    const UNCOUNTED: u8 = 254;
    let (&0xFF, mut rest) = bytes.split_last()? else { return None };
    let told = byte(&mut rest)?;
    let (mut listpack, mut count) = (Listpack::new(), 0);
    while !rest.is_empty() {
        let len = zipmap_length(&mut rest)?;
        push(&mut listpack, take(&mut rest, len)?.into())?;
        let (len, slack) = (zipmap_length(&mut rest)?, byte(&mut rest)?);
        push(&mut listpack, take(&mut rest, len)?.into())?;
        take(&mut rest, slack as usize)?;
        count += 1;
    }
    (told >= UNCOUNTED || told as usize == count).then_some(listpack)
}

fn zipmap_length(rest: &mut &[u8]) -> Option<usize> {
    match byte(rest)? {
        254 => Some(u32::from_le_bytes(*chunk(rest)?) as usize),
        255 => None,
        len => Some(len as usize),
    }
}

/// Appends an element unless the listpack would become too long.
fn push(listpack: &mut Listpack, entry: Entry<'_>) -> Option<()> {
    (!listpack.would_exceed(entry.size())).then(|| listpack.push_back(entry))
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    chunk(rest).map(|&[byte]| byte)
}

fn chunk<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (chunk, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(chunk)
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}
