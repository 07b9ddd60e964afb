//! Numbers as text, by Redis's rules: which texts are integers, and how integers are written. Not a general parser:
//! what Redis refuses is refused.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
/// stub
pub fn parse_float(_t: &[u8]) -> Option<f64> { None }
/// stub
pub struct FloatText;
#[allow(missing_docs)]
impl FloatText { pub fn new() -> Self { FloatText } pub fn format(&mut self, _v: f64) -> &[u8] { b"0" } }
