//! Key values: what a later read starts behind, in the text form that the server reads back exactly.

use super::value::{boolean, bytes, whole};
use crate::adapters::postgres::kinds::Wire;
use crate::core::model::key::KeyValue;

/// Reads one key column's value.
///
/// # Errors
/// Says what is wrong with the text.
pub(in crate::adapters::postgres) fn key_value(wire: Wire, text: &str) -> Result<KeyValue, String> {
    let owned = text.to_owned();
    Ok(match wire {
        Wire::Bool => KeyValue::Typed(boolean(text)?.to_string()),
        Wire::Int | Wire::Oid => KeyValue::Int(whole(text)?),
        Wire::Float4 | Wire::Float8 => KeyValue::Float(owned),
        Wire::Text => KeyValue::Text(owned),
        Wire::Bytes => match bytes(text) {
            Some(hex) => KeyValue::Bytes(hex.to_owned()),
            None => return Err("the server sent bytes in another form than asked for".to_owned()),
        },
        Wire::Decimal { .. }
        | Wire::Number
        | Wire::Uuid
        | Wire::Json
        | Wire::Money
        | Wire::Nested
        | Wire::Cast
        | Wire::Unknown
        | Wire::Date
        | Wire::Time { .. }
        | Wire::Timestamp { .. } => KeyValue::Typed(owned),
    })
}

/// Whether two values are equal to the server too: the same text, the same number with other zeros behind its point, or a
/// zero of either sign.
pub(super) fn same(wire: Wire, one: &[u8], other: &[u8]) -> bool {
    one == other
        || match wire {
            Wire::Decimal { .. } | Wire::Number => digits(one) == digits(other),
            Wire::Float4 | Wire::Float8 => [one, other].iter().all(|zero| matches!(*zero, b"0" | b"-0")),
            _ => false,
        }
}

/// A number without the zeros at its end that do not count.
fn digits(mut number: &[u8]) -> &[u8] {
    if number.contains(&b'.') {
        while let [rest @ .., b'0'] = number {
            number = rest;
        }
    }
    number.strip_suffix(b".").unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_values_are_text_that_the_server_reads_back() {
        assert_eq!(key_value(Wire::Int, "-5"), Ok(KeyValue::Int(-5)));
        assert_eq!(key_value(Wire::Bool, "t"), Ok(KeyValue::Typed("true".to_owned())));
        assert_eq!(key_value(Wire::Date, "0001-12-31 BC"), Ok(KeyValue::Typed("0001-12-31 BC".to_owned())));
        assert_eq!(key_value(Wire::Float8, "0.1"), Ok(KeyValue::Float("0.1".to_owned())));
        assert_eq!(key_value(Wire::Bytes, "\\x00ff"), Ok(KeyValue::Bytes("00ff".to_owned())));
        for (wire, bad) in [(Wire::Int, "x"), (Wire::Bool, "1"), (Wire::Bytes, "00ff")] {
            assert!(key_value(wire, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_that_differ_in_zeros_only_are_one_key() {
        for (one, other) in [("1", "1.0"), ("1.50", "1.5"), ("0", "0.00")] {
            let (a, b) = (one.as_bytes(), other.as_bytes());
            assert!(same(Wire::Number, a, b) && !same(Wire::Text, a, b), "{one} {other}");
        }
        assert!(same(Wire::Float8, b"0", b"-0") && !same(Wire::Float8, b"1", b"-1"));
        for (one, other) in [("1", "10"), ("10", "100"), ("1.05", "1.5")] {
            assert!(!same(Wire::Number, one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }
}
