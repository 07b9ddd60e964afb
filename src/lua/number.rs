//! Numbers as C's `%.14g` and `%.17g` write them.

use alloc::{
    format,
    string::{String, ToString},
};

/// A number in so many significant digits at most, as `%.*g` writes it.
pub fn precise(n: f64, digits: usize) -> String {
    if n.is_nan() {
        return if n.is_sign_negative() { "-nan" } else { "nan" }.to_string();
    } else if n.is_infinite() {
        return if n < 0.0 { "-inf" } else { "inf" }.to_string();
    } else if n == 0.0 {
        return if n.is_sign_negative() { "-0" } else { "0" }.to_string();
    }
    let scientific = format!("{n:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
    } else {
        let places = (digits as i32 - 1 - exponent).max(0) as usize;
        without_zeros(&format!("{n:.places$}")).to_string()
    }
}

/// A decimal without the zeros at the end of its fraction.
fn without_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_does() {
        for (n, short, long) in [
            (0.1, "0.1", "0.10000000000000001"),
            (100.0, "100", "100"),
            (-3.75, "-3.75", "-3.75"),
            (1e15, "1e+15", "1000000000000000"),
            (1e17, "1e+17", "1e+17"),
            (9007199254740992.0, "9.007199254741e+15", "9007199254740992"),
            (1e-5, "1e-05", "1.0000000000000001e-05"),
            (123456789.125, "123456789.125", "123456789.125"),
            (1.0 / 3.0, "0.33333333333333", "0.33333333333333331"),
        ] {
            assert_eq!((&*precise(n, 14), &*precise(n, 17)), (short, long));
        }
    }
}
