//! Finds a command's number by its name, in any letter case. This is asked once for every request, so it compares eight
//! bytes at a time and calls nothing.

use alloc::{vec, vec::Vec};

/// The names of all commands.
pub struct Names {
    names: Vec<Name>,
    /// Open addressing: numbers plus one, zero for a free place.
    places: Vec<u16>,
}

struct Name {
    text: &'static str,
    upper: Ends,
    lower: Ends,
}

/// The first and last eight bytes of a name; they overlap in a short one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    len: usize,
}

/// The bit that tells lower case from upper.
const CASE: u64 = 0x2020_2020_2020_2020;
/// Several places for each of the few hundred commands there will ever be.
const PLACES: usize = 2048;

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Ends {
        let (head, tail) = match (name.first_chunk(), name.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk(), name.last_chunk()) {
                (Some(head), Some(tail)) => {
                    (u32::from_le_bytes(*head) as u64, u32::from_le_bytes(*tail) as u64)
                }
                // Of one to three bytes these are all.
                _ => match name {
                    [] => (0, 0),
                    [first, .., last] => {
                        (u32::from_le_bytes([*first, name[name.len() / 2], *last, 0]) as u64, 0)
                    }
                    [only] => (*only as u64, 0),
                },
            },
        };
        Ends { head, tail, len: name.len() }
    }

    #[inline]
    fn place(self) -> usize {
        let mixed = ((self.head | CASE) ^ (self.tail | CASE).rotate_left(29) ^ self.len as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize % PLACES
    }
}

impl Names {
    /// Nothing.
    pub fn new() -> Names {
        Names { names: Vec::new(), places: vec![0; PLACES] }
    }

    /// Adds a name in capitals; its number is how many came before it.
    pub fn push(&mut self, text: &'static str) {
        let upper = Ends::of(text.as_bytes());
        let lower = Ends::of(text.to_ascii_lowercase().as_bytes());
        self.names.push(Name { text, upper, lower });
        let mut place = upper.place();
        while self.places[place] != 0 {
            place = (place + 1) % PLACES;
        }
        self.places[place] = self.names.len() as u16;
    }

    /// The number of a name in any letter case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<u16> {
        let ends = Ends::of(name);
        let mut place = ends.place();
        loop {
            let number = self.places[place].checked_sub(1)?;
            let known = &self.names[number as usize];
            // Clients write names in capitals or in lower case, and few are longer than both ends together.
            let is_plain = ends.len <= 16 && (ends == known.upper || ends == known.lower);
            if is_plain || known.text.as_bytes().eq_ignore_ascii_case(name) {
                return Some(number);
            }
            place = (place + 1) % PLACES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_letter_case_and_nothing_else_is() {
        let names = ["GET", "SET", "CLIENT LIST", "ZREVRANGEBYSCORE", "GEORADIUSBYMEMBER_RO", "XX", "SETBIT"];
        let mut table = Names::new();
        names.iter().for_each(|name| table.push(name));
        for (number, name) in names.iter().enumerate() {
            let mixed: Vec<u8> =
                name.bytes().enumerate().map(|(i, b)| if i % 2 == 0 { b | 0x20 } else { b }).collect();
            for spelled in [name.as_bytes().to_vec(), name.to_ascii_lowercase().into_bytes()] {
                assert_eq!(table.find(&spelled), Some(number as u16), "{name}");
            }
            // The bit of the letter case turns a space or an underscore into another byte or leaves it.
            let expected = mixed.eq_ignore_ascii_case(name.as_bytes()).then_some(number as u16);
            assert_eq!(table.find(&mixed), expected, "{name}");
        }
        for other in
            [&b""[..], b"GE", b"GETT", b"GEU", b"XX\0", b"\x18\x18", b"CLIENT\0LIST", b"ZREVRANGEBYSCORES"]
        {
            assert_eq!(table.find(other), None, "{}", other.escape_ascii());
        }
    }
}
