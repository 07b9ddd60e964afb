//! Floats of 80 bits, x86's `long double`, in which Redis keeps the sums of INCRBYFLOAT and HINCRBYFLOAT: read, added
//! and written with the rounding of the C library, bit for bit, on every target. Timeouts are read so, too. Nothing else is done with them.

use super::big::Big;
use super::literal::{Literal, round};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `±mantissa · 2^exponent`. The top bit of the mantissa is set unless it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// The exponent of what is too large.
const INFINITE: i32 = i32::MAX;
const MAX_EXPONENT: i32 = 16_383 - 63;
const MIN_EXPONENT: i32 = -16_445;
/// A text of so many bytes is no number to Redis.
const TOO_LONG: usize = 5 * 1024;
const FRACTION_DIGITS: usize = 17;

impl Extended {
    /// Nothing.
    pub const ZERO: Extended = Extended { negative: false, mantissa: 0, exponent: 0 };

    /// The value of a decimal or hexadecimal float, or of an infinity. Refused are spaces, NaN, and what is too large
    /// or too small for 80 bits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= TOO_LONG {
            return None;
        }
        let literal = Literal::parse(text)?;
        let value = match literal {
            Literal::Infinite { negative } => return Some(Extended::infinite(negative)),
            Literal::Hex { negative, mantissa, exponent, inexact } => {
                Extended::rounded(negative, mantissa, exponent, inexact)
            }
            Literal::Decimal(decimal) => {
                let (wide, exponent, inexact) = decimal.wide(TOO_LONG);
                Extended::rounded(decimal.negative, wide, exponent, inexact)
            }
        };
        (value.is_finite() && (value.mantissa != 0 || literal.is_zero())).then_some(value)
    }

    /// Whether it is no infinity.
    pub fn is_finite(self) -> bool {
        self.exponent != INFINITE
    }

    /// The text, in up to 17 digits after the point and without an exponent: `3.5`, `-0.00000000000000001`, `1000`.
    pub fn text(self) -> Vec<u8> {
        if !self.is_finite() {
            return if self.negative { b"-inf".to_vec() } else { b"inf".to_vec() };
        }
        let (whole, fraction) = self.parts();
        let mut text = if self.negative { String::from("-") } else { String::new() };
        text += &whole;
        if fraction > 0 {
            let digits = fraction.to_string();
            text.push('.');
            text.extend(core::iter::repeat_n('0', FRACTION_DIGITS - digits.len()));
            text += digits.trim_end_matches('0');
        }
        if text == "-0" { b"0".to_vec() } else { text.into_bytes() }
    }

    /// So many thousandths, rounded up; the nearest 64 bits can hold.
    pub fn thousandths(self) -> i64 {
        let bound = if self.negative { i64::MIN } else { i64::MAX };
        let product = Extended::rounded(self.negative, self.mantissa as u128 * 1000, self.exponent, false);
        if !self.is_finite() || product.exponent >= 0 && product.mantissa > 0 {
            return bound;
        }
        let shift = product.exponent.unsigned_abs();
        let whole = product.mantissa.checked_shr(shift).unwrap_or(0);
        let is_whole = whole.checked_shl(shift).unwrap_or(0) == product.mantissa;
        let magnitude = whole.saturating_add((!is_whole && !self.negative) as u64);
        match self.negative {
            false => i64::try_from(magnitude).unwrap_or(bound),
            true => 0i64.checked_sub_unsigned(magnitude).unwrap_or(bound),
        }
    }

    /// The whole part as text, and the fraction in units of 10^-17, rounded to nearest, ties to even.
    fn parts(self) -> (String, u64) {
        const UNIT: u128 = 10u128.pow(FRACTION_DIGITS as u32);
        let mantissa = self.mantissa as u128;
        match self.exponent {
            64.. => {
                let mut whole = Big::new(self.mantissa);
                whole.shift_left(self.exponent as u32);
                (whole.into_decimal(), 0)
            }
            0..64 => ((mantissa << self.exponent).to_string(), 0),
            -127..0 => {
                let shift = -self.exponent as u32;
                let whole = mantissa >> shift;
                let scaled = (mantissa - (whole << shift)) * UNIT;
                let (units, rest, half) =
                    (scaled >> shift, scaled & ((1 << shift) - 1), 1u128 << (shift - 1));
                let units = units + (rest > half || (rest == half && units & 1 == 1)) as u128;
                ((whole + units / UNIT).to_string(), (units % UNIT) as u64)
            }
            _ => ("0".to_string(), 0),
        }
    }

    fn infinite(negative: bool) -> Self {
        Extended { negative, mantissa: 1 << 63, exponent: INFINITE }
    }

    fn rounded(negative: bool, wide: u128, exponent: i32, inexact: bool) -> Self {
        let (mantissa, exponent) = round(wide, exponent, inexact, 64, MIN_EXPONENT);
        if mantissa != 0 && exponent > MAX_EXPONENT {
            return Extended::infinite(negative);
        }
        Extended { negative, mantissa, exponent }
    }
}

impl core::ops::Add for Extended {
    type Output = Extended;

    fn add(self, other: Extended) -> Extended {
        let (large, small) = match (self.mantissa, other.mantissa) {
            (_, 0) => return self,
            (0, _) => return other,
            _ if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) => (self, other),
            _ => (other, self),
        };
        if !large.is_finite() {
            return large;
        }
        // One bit for the carry, 63 below the mantissa: what is shifted out then only says "a little more".
        let apart = (large.exponent - small.exponent) as u32;
        let (wide, aligned) = ((large.mantissa as u128) << 63, (small.mantissa as u128) << 63);
        let shifted = aligned.checked_shr(apart).unwrap_or(0);
        let inexact = shifted.checked_shl(apart).unwrap_or(0) != aligned;
        let wide = match large.negative == small.negative {
            true => wide + shifted,
            false => wide - shifted - inexact as u128,
        };
        match wide {
            0 => Extended::ZERO,
            _ => Extended::rounded(large.negative, wide, large.exponent - 63, inexact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn text(value: &str) -> String {
        let value = Extended::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value} is a float"));
        value.text().escape_ascii().to_string()
    }

    fn sum(one: &str, other: &str) -> String {
        let [one, other] = [one, other].map(|text| Extended::parse(text.as_bytes()).expect("a float"));
        (one + other).text().escape_ascii().to_string()
    }

    /// Each is what INCRBYFLOAT of redis-server 7.0.15 answers.
    #[test]
    fn sums_are_those_of_redis() {
        for (one, other, expected) in [
            ("0.1", "0.2", "0.3"),
            ("3.0e3", "200", "3200"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "200", "5200"),
            ("0.1", "-0.1", "0"),
            ("-0.0", "0", "0"),
            ("1", "1e-17", "1.00000000000000001"),
            ("1e20", "0.5", "100000000000000000000"),
            ("9223372036854775807", "1", "9223372036854775808"),
            ("1757919930811054708", "0xa2bd376969b1dd3ae.391d9p21", "393479066177028237910081536"),
            ("0x1.aca2359b75f9dd74p75", "486.19508849530984662", "63255159063092828807168"),
            ("250370e-90", "0x5673647df24e2.152af770ccede3b075e5p-43", "172.90150427180584332"),
        ] {
            assert_eq!(sum(one, other), expected, "{one} + {other}");
            assert_eq!(sum(other, one), expected);
        }
        assert!(!(Extended::infinite(true) + Extended::ZERO).is_finite());
        assert!(
            !(Extended::parse(b"1.1e4932").expect("fits") + Extended::parse(b"1.1e4932").expect("fits"))
                .is_finite()
        );
    }

    /// Each is what INCRBYFLOAT of redis-server 7.0.15 answers for an increment to nothing.
    #[test]
    fn texts_are_those_of_redis() {
        for (value, expected) in [
            ("1e21", "1000000000000000000000"),
            ("1e-7", "0.0000001"),
            ("1.5e-5", "0.000015"),
            ("1000000000000.03125", "1000000000000.03125"),
            ("1e-400", "0"),
            ("0x1.fffffffffffff8p0", "1.99999999999999989"),
            ("0x1.000000000000080001p0", "1.00000000000000011"),
            ("9007199254740993", "9007199254740993"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("-16.000", "-16"),
            ("inf", "inf"),
            ("-inf", "-inf"),
        ] {
            assert_eq!(text(value), expected, "{value}");
        }
        assert!(
            text("1e400").starts_with("10000000000000000000281880683947586514") && text("1e400").len() == 401
        );
        assert!(text("1e308").starts_with("99999999999999999996685879655845645660"));
        assert!(text("0x1p2000").starts_with("11481306952742545242328332011776819840"));
        for text in ["", " 1", "1 ", "nan", "1e5000", "1e-5000", "1e99999999999999999999", "0x1p17000", "1e"]
        {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Extended::parse(&[b'1'; TOO_LONG]), None);
    }

    #[test]
    fn thousandths_are_rounded_up() {
        for (value, expected) in [
            ("0", 0),
            ("1", 1000),
            ("0.001", 1),
            ("0.0011", 2),
            ("-0.0011", -1),
            ("-1", -1000),
            ("1e-400", 1),
            ("-1e-400", 0),
            ("9007199254740.993", 9_007_199_254_740_993),
            ("1e400", i64::MAX),
            ("-1e400", i64::MIN),
            ("inf", i64::MAX),
            ("-inf", i64::MIN),
        ] {
            let read = Extended::parse(value.as_bytes()).expect("a float");
            assert_eq!(read.thousandths(), expected, "{value}");
        }
    }

    #[test]
    fn both_ways_to_read_agree() {
        let mut state = 1u64;
        for _ in 0..if cfg!(miri) { 20 } else { 5000 } {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (digits, scale) = (state >> (state % 60), (state >> 13) % 37);
            let short = format!("{digits}e{}", scale as i32 - 18);
            let long = format!("{digits}00000000000000000000e{}", scale as i32 - 38);
            assert_eq!(Extended::parse(short.as_bytes()), Extended::parse(long.as_bytes()), "{short}");
        }
    }
}
