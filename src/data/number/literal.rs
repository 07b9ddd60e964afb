//! The spelling of floats: what C's `strtod` takes as a number, as long as it is all of the text. Says what is
//! written; rounding it to a type is up to the caller, with `round`.

/// A number as it is spelled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal<'a> {
    /// `inf` or `infinity`.
    Infinite {
        negative: bool,
    },
    /// `mantissa · 2^exponent`, and a little more if inexact.
    Hex {
        negative: bool,
        mantissa: u128,
        exponent: i32,
        inexact: bool,
    },
    Decimal(Decimal<'a>),
}

/// `whole.fraction · 10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Decimal<'a> {
    pub(super) negative: bool,
    pub(super) whole: &'a [u8],
    pub(super) fraction: &'a [u8],
    pub(super) exponent: i32,
}

/// Exponents beyond this are as good as infinite.
const EXPONENT_CAP: i32 = 1 << 28;

impl<'a> Literal<'a> {
    /// Takes a text apart; `None` unless all of it is a number.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        match unsigned {
            [b'0', b'x' | b'X', rest @ ..] => Self::parse_hex(negative, rest),
            [b'i' | b'I', ..] => {
                let infinite =
                    unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity");
                infinite.then_some(Literal::Infinite { negative })
            }
            _ => Self::parse_decimal(negative, unsigned),
        }
    }

    fn parse_decimal(negative: bool, text: &'a [u8]) -> Option<Self> {
        let (whole, fraction, rest) = split_point(text, u8::is_ascii_digit)?;
        let exponent = parse_exponent(rest, b'e')?;
        Some(Literal::Decimal(Decimal { negative, whole, fraction, exponent }))
    }

    fn parse_hex(negative: bool, text: &'a [u8]) -> Option<Self> {
        let (whole, fraction, rest) = split_point(text, u8::is_ascii_hexdigit)?;
        let mut exponent = parse_exponent(rest, b'p')?;
        let (mut mantissa, mut inexact) = (0u128, false);
        for (i, &digit) in whole.iter().chain(fraction).enumerate() {
            let digit = (digit as char).to_digit(16)? as u128;
            let after_point = i >= whole.len();
            match mantissa >> 124 {
                0 => {
                    mantissa = mantissa << 4 | digit;
                    exponent = exponent.saturating_sub(if after_point { 4 } else { 0 });
                }
                _ => {
                    inexact |= digit != 0;
                    exponent = exponent.saturating_add(if after_point { 0 } else { 4 });
                }
            }
        }
        Some(Literal::Hex { negative, mantissa, exponent, inexact })
    }

    /// Whether all digits before an exponent are zero.
    pub(super) fn is_zero(self) -> bool {
        match self {
            Literal::Infinite { .. } => false,
            Literal::Hex { mantissa, .. } => mantissa == 0,
            Literal::Decimal(decimal) => decimal.digits().next().is_none(),
        }
    }
}

impl<'a> Decimal<'a> {
    /// The values of the digits from the first that is not zero on; the last one counts ones of `10^scale`.
    pub(super) fn digits(self) -> impl Iterator<Item = u32> + 'a {
        self.whole
            .iter()
            .chain(self.fraction)
            .skip_while(|&&digit| digit == b'0')
            .map(|digit| (digit - b'0') as u32)
    }

    /// The power of ten of the last digit.
    pub(super) fn scale(self) -> i32 {
        self.exponent.saturating_sub(i32::try_from(self.fraction.len()).unwrap_or(i32::MAX))
    }
}

/// The digits before and after a point and what follows them, if there is any digit.
fn split_point(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> Option<(&[u8], &[u8], &[u8])> {
    let split = |text: &'_ [u8]| text.iter().position(|byte| !is_digit(byte)).unwrap_or(text.len());
    let (whole, rest) = text.split_at(split(text));
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(split(rest)),
        rest => (&[][..], rest),
    };
    (whole.len() + fraction.len() > 0).then_some((whole, fraction, rest))
}

/// The exponent after a letter of either case, 0 when nothing is there.
fn parse_exponent(text: &[u8], letter: u8) -> Option<i32> {
    let (&first, text) = match text.split_first() {
        None => return Some(0),
        Some(split) => split,
    };
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if !first.eq_ignore_ascii_case(&letter) || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude =
        digits.iter().fold(0i32, |value, digit| (value * 10 + (digit - b'0') as i32).min(EXPONENT_CAP / 10));
    Some(if negative { -magnitude } else { magnitude })
}

/// Rounds `wide · 2^exponent` (a little more if inexact) to a mantissa of so many bits, at most 64, whose unit is no
/// smaller than `2^least`: to nearest, ties to even. Answers mantissa and exponent; the mantissa's top bit is set
/// unless it is 0.
pub(super) fn round(wide: u128, exponent: i32, inexact: bool, bits: u32, least: i32) -> (u64, i32) {
    if wide == 0 {
        return (0, 0);
    }
    let zeros = wide.leading_zeros();
    let (wide, exponent) = (wide << zeros, exponent.saturating_sub(zeros as i32));
    let drop = i64::from(128 - bits).max(i64::from(least) - i64::from(exponent));
    if drop > 128 {
        return (0, 0);
    }
    let drop = drop as u32;
    let kept = wide.checked_shr(drop).unwrap_or(0);
    let (rest, half) = (wide - kept.checked_shl(drop).unwrap_or(0), 1u128 << (drop - 1));
    let up = rest > half || (rest == half && (inexact || kept & 1 == 1));
    let rounded = kept + up as u128;
    if rounded == 0 {
        return (0, 0);
    }
    // One bit more than 64 only when all were ones: what is shifted out is then 0.
    let exponent = exponent.saturating_add(drop as i32);
    let (mantissa, exponent) = match u64::try_from(rounded) {
        Ok(mantissa) => (mantissa, exponent),
        Err(_) => ((rounded >> 1) as u64, exponent.saturating_add(1)),
    };
    let zeros = mantissa.leading_zeros();
    (mantissa << zeros, exponent.saturating_sub(zeros as i32))
}
