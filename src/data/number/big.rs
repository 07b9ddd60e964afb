//! Natural numbers of any size: no more of them than reading and writing 80-bit floats exactly takes.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Write;

/// In words of 32 bits, the least first, the greatest never 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

impl Big {
    pub(super) fn new(value: u64) -> Self {
        let mut big = Big(Vec::from([value as u32, (value >> 32) as u32]));
        big.trim();
        big
    }

    /// The number of these decimal digits.
    pub(super) fn from_digits(digits: impl Iterator<Item = u32>) -> Self {
        let mut big = Big(Vec::new());
        digits.for_each(|digit| big.multiply_add(10, digit));
        big
    }

    pub(super) fn times_power_of_ten(mut self, power: u32) -> Self {
        for _ in 0..power / 9 {
            self.multiply_add(1_000_000_000, 0);
        }
        self.multiply_add(10u32.pow(power % 9), 0);
        self
    }

    pub(super) fn times_power_of_five(mut self, power: u32) -> Self {
        (0..power).for_each(|_| self.multiply_add(5, 0));
        self
    }

    /// How many bits from the highest set one on.
    pub(super) fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 32 - top.leading_zeros())
    }

    pub(super) fn shift_left(&mut self, bits: u32) {
        let carry_bits = bits % 32;
        if carry_bits > 0 {
            self.multiply_add(1 << carry_bits, 0);
        }
        if !self.0.is_empty() {
            self.0.splice(0..0, core::iter::repeat_n(0, bits as usize / 32));
        }
    }

    /// The 128 bits from the highest set one on, how many are below them, and whether any of those is set.
    pub(super) fn top(&self) -> (u128, u32, bool) {
        let below = self.bits().saturating_sub(128);
        let (word, shift) = (below as usize / 32, below % 32);
        let mut wide = 0u128;
        for (i, &value) in self.0[word..].iter().enumerate() {
            let (value, at) = (value as u128, i as u32 * 32);
            wide |= if at >= shift { value << (at - shift) } else { value >> (shift - at) };
        }
        let inexact =
            self.0[..word].iter().any(|&value| value != 0) || self.0[word] & ((1 << shift) - 1) != 0;
        (wide, below, inexact)
    }

    /// The quotient by `divisor`, known to have at most `bits` (at most 128), and whether there is a remainder.
    pub(super) fn divide(mut self, mut divisor: Big, bits: u32) -> (u128, bool) {
        divisor.shift_left(bits - 1);
        let mut quotient = 0;
        for _ in 0..bits {
            quotient <<= 1;
            if self.compare(&divisor) != Ordering::Less {
                self.subtract(&divisor);
                quotient |= 1;
            }
            divisor.halve();
        }
        (quotient, !self.0.is_empty())
    }

    pub(super) fn into_decimal(mut self) -> String {
        let mut groups = Vec::new();
        while !self.0.is_empty() {
            groups.push(self.divide_small(1_000_000_000));
        }
        let mut text = String::new();
        for (i, group) in groups.iter().rev().enumerate() {
            let _ = if i == 0 { write!(text, "{group}") } else { write!(text, "{group:09}") };
        }
        text
    }

    fn multiply_add(&mut self, factor: u32, add: u32) {
        let mut carry = add as u64;
        for word in &mut self.0 {
            carry += *word as u64 * factor as u64;
            *word = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn divide_small(&mut self, divisor: u32) -> u32 {
        let mut rest = 0;
        for word in self.0.iter_mut().rev() {
            let value = rest << 32 | *word as u64;
            *word = (value / divisor as u64) as u32;
            rest = value % divisor as u64;
        }
        self.trim();
        rest as u32
    }

    fn compare(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts what is not greater.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        for (i, word) in self.0.iter_mut().enumerate() {
            let difference = *word as i64 - *other.0.get(i).unwrap_or(&0) as i64 - borrow;
            *word = difference as u32;
            borrow = (difference < 0) as i64;
        }
        self.trim();
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for word in self.0.iter_mut().rev() {
            (*word, carry) = (*word >> 1 | carry, *word << 31);
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}
