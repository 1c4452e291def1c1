//! Key values from the wire: what a later read starts behind, in the text form that the server reads back exactly.

use super::civil;
use super::column::{utf8, uuid};
use super::numeric::Numeric;
use crate::adapters::postgres::kinds::Wire;
use crate::core::model::key::KeyValue;
use std::fmt::Write;

/// Reads one key column's value.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(in crate::adapters::postgres) fn key_value(wire: Wire, bytes: &[u8]) -> Result<KeyValue, String> {
    let typed = |text: String| Ok(KeyValue::Typed(text));
    match wire {
        Wire::Bool => typed(if bytes == [0] { "false" } else { "true" }.to_owned()),
        Wire::Int2 => Ok(KeyValue::Int(i16::from_be_bytes(fixed(bytes)?).into())),
        Wire::Int4 => Ok(KeyValue::Int(i32::from_be_bytes(fixed(bytes)?).into())),
        Wire::Int8 => Ok(KeyValue::Int(i64::from_be_bytes(fixed(bytes)?))),
        Wire::Float4 => Ok(KeyValue::Float(float(f32::from_be_bytes(fixed(bytes)?)))),
        Wire::Float8 => Ok(KeyValue::Float(float(f64::from_be_bytes(fixed(bytes)?)))),
        Wire::Decimal { .. } | Wire::Number => {
            let number = Numeric::read(bytes).ok_or("the server sent a number that cannot be read")?;
            let mut text = String::new();
            number.write(&mut text);
            typed(text)
        }
        Wire::Text => Ok(KeyValue::Text(utf8(bytes)?.to_owned())),
        Wire::Json | Wire::Cast => typed(utf8(bytes)?.to_owned()),
        Wire::Jsonb => typed(utf8(bytes.get(1..).unwrap_or_default())?.to_owned()),
        Wire::Uuid => typed(utf8(&uuid(fixed(bytes)?))?.to_owned()),
        Wire::Bytes => Ok(KeyValue::Bytes(hex(bytes))),
        Wire::Date => typed(civil::date_text(i32::from_be_bytes(fixed(bytes)?))),
        Wire::Time { .. } => typed(civil::time_text(i64::from_be_bytes(fixed(bytes)?))),
        Wire::Timestamp { utc, .. } => {
            let zone = if utc { "+00" } else { "" };
            typed(civil::timestamp_text(i64::from_be_bytes(fixed(bytes)?), zone))
        }
    }
}

/// Whether two values are equal to the server too: the same bytes, or the same number with other zeros behind its point.
pub(super) fn same(wire: Wire, one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    match (wire, Numeric::read(one), Numeric::read(other)) {
        (Wire::Decimal { .. } | Wire::Number, Some(one), Some(other)) => one.equals(other),
        _ => false,
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("the server sent {} bytes where {N} belong", bytes.len()))
}

/// The shortest text that reads back as the same bits.
fn float<F: std::fmt::LowerExp + Into<f64> + Copy>(value: F) -> String {
    let wide: f64 = value.into();
    if wide.is_finite() {
        format!("{value:e}")
    } else if wide.is_nan() {
        "NaN".to_owned()
    } else if wide > 0.0 {
        "Infinity".to_owned()
    } else {
        "-Infinity".to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_values_are_text_that_the_server_reads_back() {
        let typed = |text: &str| Ok(KeyValue::Typed(text.to_owned()));
        let zoned = Wire::Timestamp { digits: 6, utc: true };
        assert_eq!(key_value(Wire::Int2, &(-5_i16).to_be_bytes()), Ok(KeyValue::Int(-5)));
        assert_eq!(key_value(zoned, &1_i64.to_be_bytes()), typed("2000-01-01 00:00:00.000001+00"));
        assert_eq!(key_value(zoned, &i64::MAX.to_be_bytes()), typed("infinity"));
        assert_eq!(key_value(Wire::Date, &(-730_120_i32).to_be_bytes()), typed("0001-12-31 BC"));
        assert_eq!(key_value(Wire::Float8, &0.1_f64.to_be_bytes()), Ok(KeyValue::Float("1e-1".to_owned())));
        assert_eq!(key_value(Wire::Float8, &f64::NAN.to_be_bytes()), Ok(KeyValue::Float("NaN".to_owned())));
        assert_eq!(key_value(Wire::Bytes, &[0, 255]), Ok(KeyValue::Bytes("00ff".to_owned())));
        assert!(key_value(Wire::Int8, &[0; 4]).is_err());
    }

    #[test]
    fn numbers_that_differ_in_zeros_only_are_one_key() {
        let one = [0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        let one_point_zero = [0, 1, 0, 0, 0, 0, 0, 1, 0, 1];
        assert!(same(Wire::Number, &one, &one_point_zero));
        assert!(!same(Wire::Bytes, &one, &one_point_zero));
    }
}
