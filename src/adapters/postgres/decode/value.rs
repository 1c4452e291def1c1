//! The text of single values: what it stands for, and what is said of one that cannot be carried.

use crate::adapters::postgres::kinds::{MONEY, Wire};
use crate::core::model::decimal::Decimal;
use std::str::FromStr;

/// A `boolean`.
///
/// # Errors
/// When the text is none.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "t" => Ok(true),
        "f" => Ok(false),
        _ => Err(strange(text, "a boolean")),
    }
}

/// A whole number.
///
/// # Errors
/// When the text is none.
#[inline]
pub(super) fn whole(text: &str) -> Result<i64, String> {
    short(text).map_or_else(|| number(text), Ok)
}

/// A float, of which the server writes as many digits as its bits need.
///
/// # Errors
/// When the text is none.
#[inline]
#[allow(clippy::cast_precision_loss, reason = "none with fewer than 16 digits")]
pub(super) fn float(text: &str) -> Result<f64, String> {
    // Floats that count something are whole: twice as fast, and exact as long as there are few digits. Zero has two signs.
    match short(text) {
        Some(whole) if whole != 0 && text.len() < 16 => Ok(whole as f64),
        _ => number(text),
    }
}

/// A whole number of up to 18 digits. `None` for any other text.
#[inline]
fn short(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A number of a type that reads it itself.
///
/// # Errors
/// When the text is none.
#[inline]
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| strange(text, "a number"))
}

/// The digits of a `bytea`. `None` for another form than `hex`.
pub(super) fn bytes(text: &str) -> Option<&str> {
    text.strip_prefix("\\x")
}

/// Precision and scale of a decimal.
pub(super) fn digits(wire: Wire) -> Option<(u8, u8)> {
    match wire {
        Wire::Decimal { precision, scale } => Some((precision, scale)),
        Wire::Money => Some(MONEY),
        _ => None,
    }
}

/// The unscaled number of a decimal column.
///
/// # Errors
/// When it is none, or does not fit.
#[inline]
pub(super) fn decimal(text: &str, wire: Wire) -> Result<i128, String> {
    let Some((precision, scale)) = digits(wire) else { return Err("the column is no decimal".to_owned()) };
    let unscaled = Decimal::parse(text.as_bytes()).and_then(|number| number.at_scale(scale));
    unscaled.filter(|unscaled| Decimal::fits(*unscaled, precision)).ok_or_else(|| {
        if is_no_number(text) {
            return no_number(text);
        }
        format!("`{text}` does not fit into numeric({precision},{scale}), which the view promises")
    })
}

/// Whether a `numeric` is infinite or not a number.
pub(super) fn is_no_number(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}

/// Says that a number is none: the same for floats and decimals, in every file.
pub(super) fn no_number(word: &str) -> String {
    format!("`{word}` is not a number that a file can hold; give NULL or a text for it in the view")
}

/// Says that the server sent something else than it should have.
pub(super) fn strange(text: &str, wanted: &str) -> String {
    format!("the server sent `{text}` where {wanted} belongs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_at_every_length() {
        for text in ["0", "-7", "999999999999999999", "-9223372036854775808", "9223372036854775807"] {
            assert_eq!(whole(text).unwrap().to_string(), text);
        }
        for bad in ["", "-", "1.5", "9223372036854775808", "1_0", "x"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
        for text in
            ["0", "-0", "12", "-12", "999999999999999", "9007199254740993", "1e300", "0.1", "Infinity", "-Infinity"]
        {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(float(text).unwrap().to_bits(), expected.to_bits(), "{text}");
        }
        assert!(float("NaN").unwrap().is_nan() && float("").is_err() && float("-").is_err());
    }
}
