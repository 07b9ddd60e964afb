//! Sorting, once for everything that is sorted here: pairs of a number to sort by and the number of what it belongs to.
//! What the numbers leave open is asked of the caller. The standard library's sort would be compiled anew for every type
//! of item and every order.

use core::cmp::Ordering;

/// The number that an item is sorted by, and the item by a number of its own.
pub type Ranked = (u64, u32);

/// Puts pairs in ascending order; `tie` orders items with equal numbers.
pub fn sort(pairs: &mut [Ranked], tie: &dyn Fn(u32, u32) -> Ordering) {
    pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| tie(a.1, b.1)));
}

/// Puts those pairs in order that belong in front of the place `end`, and them there.
pub fn sort_until(pairs: &mut [Ranked], end: usize, tie: &dyn Fn(u32, u32) -> Ordering) {
    if end < pairs.len() {
        pairs.select_nth_unstable_by(end, |a, b| a.0.cmp(&b.0).then_with(|| tie(a.1, b.1)));
    }
    sort(&mut pairs[..end], tie);
}

/// The number at a place if the pairs were in order; the ones in front of it are not greater.
pub fn select(pairs: &mut [Ranked], at: usize) -> u64 {
    pairs.select_nth_unstable_by(at, |a, b| a.0.cmp(&b.0)).1.0
}

/// Puts items in ascending order of a number of theirs. Those with equal numbers stay in their order.
pub fn sort_by_number<T: Copy>(items: &mut [T], number: impl Fn(&T) -> u64) {
    let mut pairs: alloc::vec::Vec<Ranked> = items.iter().map(number).zip(0..).collect();
    sort(&mut pairs, &|a, b| a.cmp(&b));
    let before = items.to_vec();
    items.iter_mut().zip(pairs).for_each(|(item, (_, at))| *item = before[at as usize]);
}

/// A number that orders floats as they are, and both zeros alike; not for NaN.
pub fn of_float(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// A number that orders texts by their first bytes.
pub fn of_text(text: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;
    use alloc::vec::Vec;

    #[test]
    fn ties_decide_between_equal_numbers() {
        let mut random = random(1);
        for len in [0, 1, 2, 10, 1000] {
            let pairs: Vec<Ranked> = (0..len as u32).map(|item| (random() % 100, item)).collect();
            let (mut sorted, mut expected) = (pairs.clone(), pairs.clone());
            sort(&mut sorted, &|a, b| b.cmp(&a));
            expected.sort_by_key(|&(number, item)| (number, !item));
            assert_eq!(sorted, expected);
            for end in [0, len / 3, len] {
                let mut first = pairs.clone();
                sort_until(&mut first, end, &|a, b| b.cmp(&a));
                assert_eq!(first[..end], expected[..end]);
            }
            if len > 0 {
                assert_eq!(select(&mut pairs.clone(), len / 2), expected[len / 2].0);
            }
        }
    }

    #[test]
    fn items_with_equal_numbers_stay_in_their_order() {
        let mut words = ["ccc", "a", "bb", "b", "aa", ""];
        sort_by_number(&mut words, |word| word.len() as u64);
        assert_eq!(words, ["", "a", "b", "bb", "aa", "ccc"]);
    }

    #[test]
    fn numbers_order_as_what_they_stand_for() {
        let floats = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 5e-324, 1.0, 1e300, f64::INFINITY];
        assert!(floats.map(of_float).is_sorted_by(|a, b| a < b));
        assert_eq!(of_float(-0.0), of_float(0.0));
        let texts = ["", "a", "a\u{1}", "aa", "b", "bbbbbbbb", "bbbbbbbbb", "\u{ff}"];
        assert!(texts.map(|text| of_text(text.as_bytes())).is_sorted());
    }
}
