//! The spelling of floats: what C's `strtod` takes as a number, as long as it is all of the text. Says what is
//! written; rounding it to a type is up to the caller, with `round`.

use super::big::Big;

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
    fn digits(self) -> impl Iterator<Item = u32> + 'a {
        self.whole
            .iter()
            .chain(self.fraction)
            .skip_while(|&&digit| digit == b'0')
            .map(|digit| (digit - b'0') as u32)
    }

    /// The power of ten of the last digit.
    fn scale(self) -> i32 {
        self.exponent.saturating_sub(i32::try_from(self.fraction.len()).unwrap_or(i32::MAX))
    }

    /// The nearest double, if it is one operation on doubles that are exact (D. Gay).
    pub(super) fn of_few_digits(self) -> Option<f64> {
        const DIGITS: usize = 15;
        const POWERS: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
            1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        let (scale, mut digits) = (self.scale(), 0u64);
        let power = *POWERS.get(scale.unsigned_abs() as usize)?;
        if self.whole.len() + self.fraction.len() > DIGITS {
            return None;
        }
        self.digits().for_each(|digit| digits = digits * 10 + digit as u64);
        Some(if scale < 0 { digits as f64 / power } else { digits as f64 * power })
    }

    /// Close to `wide · 2^exponent`, and a little more if inexact, so that [`round`] makes any mantissa of up to 64 bits of
    /// it; exact unless there are more than `most` digits, of which the others then only count as a little more.
    pub(super) fn wide(self, most: usize) -> (u128, i32, bool) {
        /// Beyond this no type has a value but infinity, and below its negative none but zero.
        const LAST_ORDER: i32 = 5000;
        /// Powers of ten that 64 bits hold with some to spare.
        const SMALL_POWER: u32 = 18;
        let (count, scale) = (self.digits().count(), self.scale());
        let order = scale.saturating_add(i32::try_from(count).unwrap_or(i32::MAX));
        if count == 0 || order < -LAST_ORDER {
            return (0, 0, false);
        }
        if order > LAST_ORDER {
            return (1, EXPONENT_CAP, false);
        }
        let power = scale.unsigned_abs();
        if count > 19 || power > SMALL_POWER {
            let rest = self.digits().skip(most).any(|digit| digit > 0);
            let digits = self.digits().take(most).chain(rest.then_some(1));
            let scale = scale + count.saturating_sub(most) as i32 - rest as i32;
            return wide(Big::from_digits(digits), scale);
        }
        let digits = self.digits().fold(0u64, |value, digit| value * 10 + digit as u64) as u128;
        let ten = 10u128.pow(power);
        if scale >= 0 {
            return (digits * ten, 0, false);
        }
        let shift = digits.leading_zeros();
        let (quotient, rest) = ((digits << shift) / ten, (digits << shift) % ten);
        (quotient, -(shift as i32), rest != 0)
    }
}

/// The same for `digits · 10^scale`.
fn wide(mut digits: Big, scale: i32) -> (u128, i32, bool) {
    /// Enough for 64 of the mantissa and one to round by.
    const QUOTIENT_BITS: u32 = 100;
    let power = scale.unsigned_abs();
    if scale >= 0 {
        let (wide, exponent, inexact) = digits.times_power_of_ten(power).top();
        return (wide, exponent as i32, inexact);
    }
    let mut ten = Big::new(1).times_power_of_ten(power);
    let shift = (ten.bits() + QUOTIENT_BITS) as i32 - digits.bits() as i32;
    match shift {
        0.. => digits.shift_left(shift as u32),
        _ => ten.shift_left(shift.unsigned_abs()),
    }
    let (quotient, inexact) = digits.divide(ten, QUOTIENT_BITS + 1);
    (quotient, -shift, inexact)
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
    let rounded = without_bits(wide, drop, inexact);
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

/// `wide` (a little more if inexact) without its lowest bits, of which there is at least one: to nearest, ties to even.
pub(super) fn without_bits(wide: u128, drop: u32, inexact: bool) -> u128 {
    let kept = wide.checked_shr(drop).unwrap_or(0);
    let rest = wide - kept.checked_shl(drop).unwrap_or(0);
    let half = 1u128.checked_shl(drop - 1).unwrap_or(u128::MAX);
    kept + (rest > half || (rest == half && (inexact || kept & 1 == 1))) as u128
}
