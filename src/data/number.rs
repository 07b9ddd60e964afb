//! Numbers as text, by Redis's rules: which texts are integers and floats, and how both are written. Not a general
//! parser: what Redis refuses is refused. Sums of floats, which Redis makes in 80 bits, are in `extended.rs`.

mod big;
mod extended;
mod literal;

pub use extended::Extended;

use alloc::{
    format,
    string::{String, ToString},
};
use big::Big;
use core::fmt::{self, Write};
use literal::Literal;

/// Room for the text of any `i64`; see [`write_i64`].
pub type Digits = itoa::Buffer;

/// How many that is: as many as there can be, if a number is more than this target counts to; `None` below zero. Requests are
/// answered alike on every target, so no argument is a `usize` before it was an `i64`.
#[inline]
pub fn saturated(n: i64) -> Option<usize> {
    (n >= 0).then(|| usize::try_from(n).unwrap_or(usize::MAX))
}

/// The value of a canonical decimal that is not negative, as [`saturated`] has it.
pub fn parse_count(text: &[u8]) -> Option<usize> {
    parse_i64(text).and_then(saturated)
}

/// The value of a canonical decimal: no plus, no leading zeros, no spaces, no `-0`. Only such a text can be stored as
/// an integer, since only it is written back the same.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let magnitude = parse_u64(digits)?;
    match negative {
        false => i64::try_from(magnitude).ok(),
        true if magnitude == 0 => None,
        true => 0i64.checked_sub_unsigned(magnitude),
    }
}

/// The value of a canonical unsigned decimal of at most 64 bits.
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= 20 => {}
        _ => return None,
    }
    let mut value = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(digit as u64)?;
    }
    Some(value)
}

/// The text of an integer.
#[inline]
pub fn write_i64(value: i64, digits: &mut Digits) -> &[u8] {
    digits.format(value).as_bytes()
}

/// The value of a decimal or hexadecimal float, or of an infinity. Refused are spaces, NaN, and what is too large or
/// too small for a double.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let literal = Literal::parse(text)?;
    let value = nearest(literal);
    let is_infinite = matches!(literal, Literal::Infinite { .. });
    (is_infinite || value.is_finite() && (value != 0.0 || literal.is_zero())).then_some(value)
}

/// The value of what C reads as a float, with which Redis bounds scores: blanks before it do not count, a zero byte ends
/// it, nothing at all is 0, and so is what is too small; what is too large is infinite. Refused is NaN.
pub fn parse_c_float(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    if end == 0 {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text[..end].iter().position(|byte| !is_blank(byte))?;
    let text = &text[start..end];
    Literal::parse(text).map(nearest)
}

/// The double nearest to a number.
fn nearest(literal: Literal) -> f64 {
    /// No number between two doubles that is as far from both has more digits.
    const DIGITS_MAX: usize = 768;
    let (negative, (wide, exponent, inexact)) = match literal {
        Literal::Infinite { negative } => return signed(f64::INFINITY, negative),
        Literal::Hex { negative, mantissa, exponent, inexact } => (negative, (mantissa, exponent, inexact)),
        Literal::Decimal(decimal) => match decimal.of_few_digits() {
            Some(value) => return signed(value, decimal.negative),
            None => (decimal.negative, decimal.wide(DIGITS_MAX)),
        },
    };
    let (mantissa, exponent) = literal::round(wide, exponent, inexact, f64::MANTISSA_DIGITS, -1074);
    signed(libm::ldexp(mantissa as f64, exponent), negative)
}

fn signed(magnitude: f64, negative: bool) -> f64 {
    if negative { -magnitude } else { magnitude }
}

/// The text of a double with so many digits behind the point, at most 19, rounded to nearest, ties to even.
pub fn float_in_places(value: f64, places: u32) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    let (mantissa, exponent) = parts(value.abs());
    let width = places as usize;
    if exponent >= 0 {
        let mut whole = Big::new(mantissa);
        whole.shift_left(exponent as u32);
        return format!("{sign}{}.{:0<width$}", whole.into_decimal(), "");
    }
    let (ten, below) = (10u128.pow(places), exponent.unsigned_abs());
    let units = literal::without_bits(mantissa as u128 * ten, below, false);
    format!("{sign}{}.{:0width$}", units / ten, units % ten)
}

/// A positive double as `mantissa · 2^exponent`.
fn parts(value: f64) -> (u64, i32) {
    const EXPLICIT: u32 = f64::MANTISSA_DIGITS - 1;
    let (bits, biased) = (value.to_bits() & ((1 << EXPLICIT) - 1), (value.to_bits() >> EXPLICIT) as i32);
    let mantissa = if biased > 0 { bits | 1 << EXPLICIT } else { bits };
    (mantissa, biased.max(1) - 1 - (f64::MAX_EXP + EXPLICIT as i32 - 2))
}

/// The text of a double in as few digits as tell it from all others: `3`, `0.1`, `1.5e-7`, `1e+21`, `inf`.
pub fn write_float(value: f64, text: &mut FloatText) -> &[u8] {
    /// Up to here integers are written in full.
    const WHOLE_MAX: f64 = (1u64 << 62) as f64;
    text.len = 0;
    let magnitude = value.abs();
    let sign = if value.is_sign_negative() && !value.is_nan() { "-" } else { "" };
    let written = text.write_str(sign).and_then(|()| match magnitude {
        _ if magnitude.is_nan() => text.write_str("nan"),
        f64::INFINITY => text.write_str("inf"),
        ..=WHOLE_MAX if (magnitude as u64) as f64 == magnitude => {
            text.write_str(Digits::new().format(magnitude as u64))
        }
        _ => {
            let (digits, power) = shortest(magnitude);
            write_decimal(Digits::new().format(digits), power, text)
        }
    });
    debug_assert!(written.is_ok(), "17 digits with seven zeros or an exponent fit");
    &text.bytes[..text.len]
}

/// The text of a double in up to 17 digits, as C's `%.17g` writes it: `3`, `0.10000000000000001`, `1e+17`, `1.5e-07`.
pub fn float_in_17_digits(value: f64) -> String {
    const DIGITS: i32 = 17;
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value == 0.0 || value.is_infinite() {
        return [sign, if value == 0.0 { "0" } else { "inf" }].concat();
    }
    let (digits, power) = rounded(value.abs(), DIGITS as usize);
    let (first, rest) = digits.split_at(1);
    if !(-4..DIGITS).contains(&power) {
        let point = if rest.is_empty() { "" } else { "." };
        let (of_power, magnitude) = (if power < 0 { '-' } else { '+' }, power.unsigned_abs());
        return format!("{sign}{first}{point}{rest}e{of_power}{magnitude:02}");
    }
    if power < 0 {
        let zeros = "0".repeat(power.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = power as usize + 1;
    match digits.split_at_checked(whole) {
        Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
        _ => format!("{sign}{digits:0<whole$}"),
    }
}

/// The first digits of a positive double, rounded to nearest, ties to even, without zeros at the end, and the power of
/// ten of the first one.
fn rounded(value: f64, most: usize) -> (String, i32) {
    let (mantissa, exponent) = parts(value);
    // A half is five tenths.
    let mut exact = Big::new(mantissa).times_power_of_five(exponent.min(0).unsigned_abs());
    exact.shift_left(exponent.max(0) as u32);
    let mut digits = exact.into_decimal();
    let mut power = digits.len() as i32 - 1 + exponent.min(0);
    if digits.len() > most {
        let rest = digits.split_off(most);
        let is_odd = digits.ends_with(['1', '3', '5', '7', '9']);
        let half = ["5", &"0".repeat(rest.len() - 1)].concat();
        if rest > half || (rest == half && is_odd) {
            let up = digits.parse::<u64>().unwrap_or_default() + 1;
            digits = up.to_string();
            power += (digits.len() - most) as i32;
        }
    }
    digits.truncate(digits.trim_end_matches('0').len());
    (digits, power)
}

/// Room for the text of a double; see [`write_float`].
#[derive(Clone, Debug, Default)]
pub struct FloatText {
    bytes: [u8; 32],
    len: usize,
}

impl FloatText {
    /// Empty room.
    pub fn new() -> Self {
        FloatText::default()
    }
}

impl Write for FloatText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// The shortest decimal that is read as `value`, a positive double: its digits and the power of ten of the last one.
fn shortest(value: f64) -> (u64, i32) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction);
    let digit = |byte: u8| (byte - b'0') as u64;
    let mut digits =
        mantissa.bytes().filter(u8::is_ascii_digit).fold(0, |digits, it| digits * 10 + digit(it));
    let mut power = exponent.parse().unwrap_or(0) - fraction.len() as i32;
    while digits % 10 == 0 && digits != 0 {
        (digits, power) = (digits / 10, power + 1);
    }
    (digits, power)
}

/// Writes `digits · 10^power`: with up to seven zeros at the end or up to six digits behind the point in full, and all that
/// is near 1; otherwise with an exponent.
fn write_decimal(digits: &str, power: i32, text: &mut FloatText) -> fmt::Result {
    const ZEROS: &str = "0000000";
    let order = power + digits.len() as i32 - 1;
    let magnitude = order.unsigned_abs() as usize;
    if power >= 0 && magnitude < digits.len() + 7 {
        text.write_str(digits)?;
        text.write_str(&ZEROS[..power as usize])
    } else if power < 0 && (power > -7 || magnitude < 4) {
        if order < 0 {
            text.write_str("0.")?;
            text.write_str(&ZEROS[..magnitude - 1])?;
            return text.write_str(digits);
        }
        let (whole, fraction) = digits.split_at(magnitude + 1);
        write!(text, "{whole}.{fraction}")
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(text, "{first}{point}{rest}e{order:+}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::testing::random;

    #[test]
    fn seventeen_digits_are_those_of_c() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (-2.5, "-2.5"),
            (3.0, "3"),
            (100.0, "100"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (99999999999999999.0, "1e+17"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (1.5e300, "1.5000000000000001e+300"),
            (1e-5, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (0.5, "0.5"),
            (5e-324, "4.9406564584124654e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-inf"),
            (0.0, "0"),
            (-0.0, "-0"),
        ] {
            assert_eq!(float_in_17_digits(value), text);
        }
        let mut random = random(5);
        for _ in 0..if cfg!(miri) { 5 } else { 3000 } {
            let value = f64::from_bits(random());
            if value.is_finite() {
                assert_eq!(float_in_17_digits(value).parse(), Ok(value));
            }
        }
    }

    #[test]
    fn integers_are_canonical_or_refused() {
        for value in [0, 1, -1, 9, 10, -10, 4095, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
            let mut digits = Digits::new();
            assert_eq!(parse_i64(write_i64(value, &mut digits)), Some(value));
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "-01",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "--1",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            "1234567890123456789012",
            "1\0",
        ] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(parse_u64(b"18446744073709551616"), None);
    }

    #[test]
    fn floats_are_read_as_the_nearest_double() {
        let mut random = random(5);
        for round in 0..20_000u64 {
            let (digits, power) = (random() >> (random() % 64), random() as i32 % 340);
            let text = match round % 4 {
                0 => format!("{digits}e{}", power % 40),
                1 => format!("{digits}.{}e{power}", random()),
                2 => format!("{:e}", f64::from_bits(random()).abs()),
                _ => format!("0.{:0width$}{digits}", 0, width = round as usize % 30 + 1),
            };
            let expected = text.parse::<f64>().ok().filter(|value| !value.is_nan());
            assert_eq!(parse_c_float(text.as_bytes()), expected.filter(|_| text != "NaN"), "{text}");
        }
        // Halfway between two doubles, and a little more, as far behind as you like.
        let half = "9007199254740993";
        for (text, value) in [
            (half.to_string(), 9007199254740992.0),
            (format!("{half}.{}", "0".repeat(5000)), 9007199254740992.0),
            (format!("{half}.{}1", "0".repeat(5000)), 9007199254740994.0),
            (format!("{half}.{}1", "0".repeat(50)), 9007199254740994.0),
            ("2.4703282292062327208e-324".to_string(), 0.0),
            ("2.4703282292062328e-324".to_string(), 5e-324),
            ("1.7976931348623159e308".to_string(), f64::INFINITY),
            ("-1e-400".to_string(), -0.0),
        ] {
            assert_eq!(parse_c_float(text.as_bytes()).map(f64::to_bits), Some(value.to_bits()), "{text:.40}");
        }
    }

    #[test]
    fn places_are_those_of_the_standard_library() {
        let mut random = random(6);
        let some = [0.0, -0.0, 0.5, 1.5, 2.5, 0.00005, -0.00004, 1e300, 123456789.00005, f64::MAX, 5e-324];
        let many = (0..20_000).map(|_| (random() % 360_000_000) as f64 / 1e6 - 180.0);
        for value in some.into_iter().chain(many).chain((0..200).map(|n| n as f64 / 64.0)) {
            assert_eq!(float_in_places(value, 4), format!("{value:.4}"));
            assert_eq!(float_in_places(value, 6), format!("{value:.6}"));
            assert_eq!(float_in_places(value, 17), format!("{value:.17}"));
        }
    }

    #[test]
    fn floats_are_refused_as_redis_does() {
        for text in [
            "",
            " 1",
            "1 ",
            "\t1",
            "1\n",
            "infinit",
            "nan",
            "-nan",
            "nan(1)",
            ".",
            "+",
            "-",
            "1e",
            "1e+",
            "1e400",
            "-1e400",
            "1e-400",
            "2e-324",
            "1.7976931348623159e308",
            "0x",
            "0x.",
            "0x1p",
            "0x1p-1080",
            "0x1p2000",
            "1_0",
            "1,5",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "1\0",
            "--1",
            "+-1",
            "0x1p1.5",
            "e5",
            "0xg",
            "\u{661}",
        ] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text:?}");
        }
        for text in ["inf", "+inf", "Inf", "INFINITY", "infinity", "+infinity"] {
            assert_eq!(parse_float(text.as_bytes()), Some(f64::INFINITY));
        }
        assert_eq!(parse_float(b"-inf"), Some(-f64::INFINITY));
    }

    /// Text in, text out, as ZADD and ZSCORE of Redis 7.2 have it.
    #[test]
    fn floats_are_written_as_redis_does() {
        for (text, written) in [
            ("1", "1"),
            ("3.0", "3"),
            ("0.1", "0.1"),
            ("3.3", "3.3"),
            ("1e17", "100000000000000000"),
            ("4611686018427387904", "4611686018427387904"),
            ("-4611686018427387904", "-4611686018427387904"),
            ("4611686018427388928", "4611686018427389000"),
            ("1e19", "1e+19"),
            ("1.5e19", "1.5e+19"),
            ("1e21", "1e+21"),
            ("123456789012345680000", "123456789012345680000"),
            ("123456789012345680000000000", "1.2345678901234568e+26"),
            ("1234567e16", "1.234567e+22"),
            ("0.0001", "0.0001"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("1.5e-5", "0.000015"),
            ("1.5e-7", "1.5e-7"),
            ("-2.5e-5", "-0.000025"),
            ("0.0012345678901234567", "0.0012345678901234567"),
            ("0.00012345678901234567", "1.2345678901234567e-4"),
            ("1234.5678901234567", "1234.5678901234567"),
            ("12345.678901234567", "1.2345678901234567e+4"),
            ("1000000000000.03125", "1000000000000.0312"),
            ("1000000000000.5", "1000000000000.5"),
            ("+1.5", "1.5"),
            ("1.", "1"),
            (".5", "0.5"),
            ("1E5", "100000"),
            ("1e-320", "1e-320"),
            ("4e-324", "5e-324"),
            ("1e308", "1e+308"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("0x1p3", "8"),
            ("0X1.8", "1.5"),
            ("0x.8p1", "1"),
            ("-0x10", "-16"),
            ("0x1.fffffffffffff8p0", "2"),
            ("0x1.00000000000008p0", "1"),
            ("0x1.000000000000080001p0", "1.0000000000000002"),
            ("00012", "12"),
            ("1e0005", "100000"),
            ("0e99999999999999999999", "0"),
            ("9007199254740993", "9007199254740992"),
            ("inf", "inf"),
            ("-inf", "-inf"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("-0", "-0"),
        ] {
            let value = parse_float(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a float"));
            let mut room = FloatText::new();
            assert_eq!(write_float(value, &mut room).escape_ascii().to_string(), written, "{text}");
        }
    }

    #[test]
    fn a_float_that_was_written_is_read_as_the_same() {
        let mut state = 1u64;
        for _ in 0..if cfg!(miri) { 100 } else { 50_000 } {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let decimal = (state >> 20) as f64 / 10f64.powi((state % 24) as i32);
            for value in [decimal, f64::from_bits(state)].into_iter().filter(|value| value.is_finite()) {
                let mut room = FloatText::new();
                assert_eq!(parse_float(write_float(value, &mut room)), Some(value));
            }
        }
    }
}
