//! Numbers as text, by Redis's rules: which texts are integers and floats, and how both are written. Not a general
//! parser: what Redis refuses is refused. Sums of floats, which Redis makes in 80 bits, are in `extended.rs`.

mod big;
mod extended;
mod literal;

pub use extended::Extended;

use core::fmt::{self, Write};
use literal::Literal;

/// Room for the text of any `i64`; see [`write_i64`].
pub type Digits = itoa::Buffer;

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
    let value = match literal {
        Literal::Infinite { negative } => return Some(if negative { -f64::INFINITY } else { f64::INFINITY }),
        Literal::Hex { negative, mantissa, exponent, inexact } => {
            let (mantissa, exponent) = literal::round(mantissa, exponent, inexact, 53, -1074);
            libm::ldexp(mantissa as f64, exponent) * if negative { -1.0 } else { 1.0 }
        }
        Literal::Decimal(_) => core::str::from_utf8(text).ok()?.parse().ok()?,
    };
    (value.is_finite() && (value != 0.0 || literal.is_zero())).then_some(value)
}

/// The text of a double in 17 significant digits, as C's `%.17g` has it: `3`, `0.10000000000000001`, `1e+21`, `inf`.
pub fn write_float(value: f64, text: &mut FloatText) -> &[u8] {
    text.len = 0;
    let magnitude = value.abs();
    let sign = if value.is_sign_negative() && !value.is_nan() { "-" } else { "" };
    let written = text.write_str(sign).and_then(|()| match magnitude {
        _ if magnitude.is_nan() => text.write_str("nan"),
        f64::INFINITY => text.write_str("inf"),
        ..1e17 if magnitude == libm::trunc(magnitude) => {
            text.write_str(Digits::new().format(magnitude as u64))
        }
        _ => write_significant(magnitude, text),
    });
    debug_assert!(written.is_ok(), "24 bytes are the most that 17 digits and an exponent take");
    &text.bytes[..text.len]
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

/// Writes 17 significant digits without the zeros at their end, with an exponent when that is below -4 or above 16.
fn write_significant(value: f64, text: &mut FloatText) -> fmt::Result {
    let (digits, exponent) = significant_digits(value);
    let mut buffer = Digits::new();
    let digits = buffer.format(digits).trim_end_matches('0');
    match exponent {
        -4..0 => {
            text.write_str(&"0.000"[..1 + exponent.unsigned_abs() as usize])?;
            text.write_str(digits)
        }
        0..=16 => {
            let (whole, fraction) = digits.split_at(digits.len().min(exponent as usize + 1));
            text.write_str(whole)?;
            text.write_str(&"0000000000000000"[..exponent as usize + 1 - whole.len()])?;
            text.write_str(if fraction.is_empty() { "" } else { "." })?;
            text.write_str(fraction)
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let (point, sign) =
                (if rest.is_empty() { "" } else { "." }, if exponent < 0 { '-' } else { '+' });
            write!(text, "{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

/// The first 17 digits of a positive double, rounded to nearest with ties to even, and the power of ten of the first.
fn significant_digits(value: f64) -> (u64, i32) {
    match value {
        1e-5..1e17 => {
            let estimate = libm::floor(libm::log10(value)) as i32;
            // The logarithm may be wrong about which side of a power of ten the value is on.
            [estimate, estimate - 1, estimate + 1]
                .into_iter()
                .map(|exponent| (scaled(value, 16 - exponent), exponent))
                .find(|(digits, _)| (10u64.pow(16)..10u64.pow(17)).contains(digits))
                .unwrap_or_else(|| formatted_digits(value))
        }
        _ => formatted_digits(value),
    }
}

/// `value · 10^power`, rounded to nearest with ties to even, for doubles of 1e-5 to 1e17 that come to 17 digits.
fn scaled(value: f64, power: i32) -> u64 {
    let bits = value.to_bits();
    let (mantissa, shift) = ((bits & ((1 << 52) - 1)) | 1 << 52, 1075 - (bits >> 52) as i32);
    let product = mantissa as u128 * 10u128.pow(power.clamp(0, 22) as u32);
    if shift <= 0 {
        return (product << -shift) as u64;
    }
    let (whole, rest, half) = (product >> shift, product & ((1 << shift) - 1), 1u128 << (shift - 1));
    (whole + (rest > half || (rest == half && whole & 1 == 1)) as u128) as u64
}

/// The same by way of the standard library, which takes several times as long.
fn formatted_digits(value: f64) -> (u64, i32) {
    let mut text = FloatText::new();
    let _ = write!(text, "{value:.16e}");
    let text = core::str::from_utf8(&text.bytes[..text.len]).unwrap_or_default();
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let digits =
        digits.bytes().filter(u8::is_ascii_digit).fold(0, |value, digit| value * 10 + (digit - b'0') as u64);
    (digits, exponent.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

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

    /// Text in, text out: each pair is what ZADD and ZSCORE of redis-server 7.0.15 make of it.
    #[test]
    fn floats_are_written_as_redis_does() {
        for (text, written) in [
            ("1", "1"),
            ("3.0", "3"),
            ("0.1", "0.10000000000000001"),
            ("1e21", "1e+21"),
            ("1e20", "1e+20"),
            ("1e17", "1e+17"),
            ("1e16", "10000000000000000"),
            ("123456789012345680", "1.2345678901234568e+17"),
            ("-1e17", "-1e+17"),
            ("1e-7", "9.9999999999999995e-08"),
            ("0.0001", "0.0001"),
            ("0.00001", "1.0000000000000001e-05"),
            ("1.5e-5", "1.5e-05"),
            ("1000000000000.03125", "1000000000000.0312"),
            ("1000000000000.09375", "1000000000000.0938"),
            ("+1.5", "1.5"),
            ("1.", "1"),
            (".5", "0.5"),
            ("1E5", "100000"),
            ("1e-320", "9.9998886718268301e-321"),
            ("4e-324", "4.9406564584124654e-324"),
            ("1e308", "1e+308"),
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
            ("-2.5e-5", "-2.5000000000000001e-05"),
        ] {
            let value = parse_float(text.as_bytes()).unwrap_or_else(|| panic!("{text} is a float"));
            let mut room = FloatText::new();
            assert_eq!(write_float(value, &mut room).escape_ascii().to_string(), written, "{text}");
        }
    }

    #[test]
    fn both_ways_to_digits_agree() {
        let mut state = 1u64;
        for step in 0..if cfg!(miri) { 100 } else { 50_000 } {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let decimal = (state >> 20) as f64 / 10f64.powi((state % 24) as i32);
            let binary = f64::from_bits(
                (1023 - 16 + state % 72) << 52 | (state >> 12) & ((1 << 52) - (1 << (step % 52))),
            );
            for value in [decimal, binary] {
                assert_eq!(significant_digits(value), formatted_digits(value), "{value:e}");
                let mut room = FloatText::new();
                assert_eq!(parse_float(write_float(value, &mut room)), Some(value));
            }
        }
    }
}
