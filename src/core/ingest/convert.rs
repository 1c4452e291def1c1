//! A JSON value into a column's type: exactly, or not at all.

use super::document::Node;
use crate::core::model::decimal::{Decimal, Digits};
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::model::rows::{SqlType, SqlValue};
use crate::core::model::shown;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

/// Milliseconds of the last instant of the year 9999.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// A value of the given type.
pub(super) fn convert(node: &Node<'_>, kind: SqlType) -> Result<SqlValue, LetterError> {
    match (kind, node) {
        (SqlType::Text(most), Node::Text(value)) => text(value, most),
        (SqlType::Integer, Node::Number(digits)) => whole(digits, i64::from(i32::MIN)..=i64::from(i32::MAX), kind),
        (SqlType::Integer, Node::Text(digits)) => whole(digits, i64::from(i32::MIN)..=i64::from(i32::MAX), kind),
        (SqlType::Bigint, Node::Number(digits)) => whole(digits, i64::MIN..=i64::MAX, kind),
        (SqlType::Bigint, Node::Text(digits)) => whole(digits, i64::MIN..=i64::MAX, kind),
        (SqlType::Decimal { precision, scale }, Node::Number(digits)) => decimal(digits, precision, scale),
        (SqlType::Decimal { precision, scale }, Node::Text(digits)) => decimal(digits, precision, scale),
        (SqlType::Double, Node::Number(digits)) => double(digits),
        (SqlType::Boolean, Node::Bool(value)) => Ok(SqlValue::Bool(*value)),
        (SqlType::Date, Node::Text(value)) => date(value),
        (SqlType::Timestamp, Node::Text(value)) => timestamp(value),
        (SqlType::Timestamp, Node::Number(digits)) => millis(digits),
        (SqlType::Uuid, Node::Text(value)) => match Uuid::try_parse(value) {
            Ok(value) => Ok(SqlValue::Uuid(value)),
            Err(_) => Err(wrong(kind, node)),
        },
        (SqlType::Json, _) => json(node),
        _ => Err(wrong(kind, node)),
    }
}

/// A default of the file, as if it stood in an event.
pub fn default(text: &str, kind: SqlType) -> Result<SqlValue, String> {
    let value = match kind {
        SqlType::Boolean => match text {
            "true" => Ok(SqlValue::Bool(true)),
            "false" => Ok(SqlValue::Bool(false)),
            _ => Err(LetterError::new(LetterKind::WrongKind, "it must be `true` or `false`")),
        },
        SqlType::Double => double(text),
        SqlType::Json => super::document::parse(text.as_bytes())
            .map_err(|why| LetterError::new(LetterKind::Json, why))
            .and_then(|node| json(&node)),
        _ => convert(&Node::Text(text.into()), kind),
    };
    value.map_err(|error| error.message)
}

fn wrong(kind: SqlType, node: &Node<'_>) -> LetterError {
    let form = match kind {
        SqlType::Text(_) => "a text",
        SqlType::Integer | SqlType::Bigint => "a whole number, or a text of its digits",
        SqlType::Decimal { .. } => "a number, or a text of its digits",
        SqlType::Double => "a number",
        SqlType::Boolean => "true or false",
        SqlType::Date => "a text such as 2026-11-21",
        SqlType::Timestamp => "a text such as 2026-11-21T10:30:00Z, or milliseconds since 1970",
        SqlType::Uuid => "a text such as 6f1c0a52-8a3e-4f0e-9d8b-0d6f6c1a2b3c",
        SqlType::Json => "any value",
    };
    LetterError::new(LetterKind::WrongKind, format!("{form} is wanted, and there is {}", node.what()))
}

/// Text that a column can hold.
fn text(value: &str, most: u32) -> Result<SqlValue, LetterError> {
    without_nul(value)?;
    let length = value.chars().count();
    if length > usize::try_from(most).unwrap_or(usize::MAX) {
        let message = format!("the text has {length} characters, and the column takes {most}");
        return Err(LetterError::new(LetterKind::Length, message));
    }
    Ok(SqlValue::Text(value.to_owned()))
}

fn without_nul(value: &str) -> Result<(), LetterError> {
    match value.find('\0') {
        None => Ok(()),
        Some(at) => Err(LetterError::new(
            LetterKind::Nul,
            format!("the text has a NUL character at byte {at}, which no column takes"),
        )),
    }
}

fn json(node: &Node<'_>) -> Result<SqlValue, LetterError> {
    nul_within(node)?;
    Ok(SqlValue::Json(match node {
        Node::List(_, raw) | Node::Object(_, raw) | Node::Number(raw) => (*raw).to_owned(),
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Text(value) => serde_json::Value::from(&**value).to_string(),
    }))
}

fn nul_within(node: &Node<'_>) -> Result<(), LetterError> {
    match node {
        Node::Text(value) => without_nul(value),
        Node::List(items, _) => items.iter().try_for_each(nul_within),
        Node::Object(entries, _) => entries.iter().try_for_each(|(name, value)| {
            without_nul(name)?;
            nul_within(value)
        }),
        Node::Null | Node::Bool(_) | Node::Number(_) => Ok(()),
    }
}

/// Whether a text is a number, however long: digits with a sign, a point and an exponent.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    Digits::parse(mantissa.as_bytes()).is_some() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn no_number(text: &str) -> LetterError {
    LetterError::new(LetterKind::WrongKind, format!("a number is wanted, and `{}` is none", shown::name(text)))
}

/// A whole number; `1.0` and `1e3` are such too.
fn whole(text: &str, range: std::ops::RangeInclusive<i64>, kind: SqlType) -> Result<SqlValue, LetterError> {
    if !is_number(text) {
        return Err(no_number(text));
    }
    let out_of_range =
        || LetterError::new(LetterKind::Range, format!("{} is beyond what {kind} holds", shown::name(text)));
    let number = Decimal::parse(text.as_bytes()).ok_or_else(out_of_range)?;
    let Some(number) = number.at_scale(0) else {
        let message = format!("{} has digits behind the point, and {kind} has none", shown::name(text));
        return Err(LetterError::new(LetterKind::Precision, message));
    };
    match i64::try_from(number) {
        Ok(number) if range.contains(&number) => Ok(SqlValue::Int(number)),
        _ => Err(out_of_range()),
    }
}

fn decimal(text: &str, precision: u8, scale: u8) -> Result<SqlValue, LetterError> {
    if !is_number(text) {
        return Err(no_number(text));
    }
    let fitting = Decimal::parse(text.as_bytes()).and_then(|number| number.at_scale(scale));
    match fitting {
        Some(unscaled) if Decimal::fits(unscaled, precision) => Ok(SqlValue::Decimal(Decimal { unscaled, scale })),
        _ => {
            let message = format!("{} does not fit decimal({precision},{scale}) without rounding", shown::name(text));
            Err(LetterError::new(LetterKind::Precision, message))
        }
    }
}

fn double(text: &str) -> Result<SqlValue, LetterError> {
    if !is_number(text) {
        return Err(no_number(text));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(SqlValue::Double(value)),
        _ => Err(LetterError::new(LetterKind::Range, format!("{} is beyond what double holds", shown::name(text)))),
    }
}

fn date(text: &str) -> Result<SqlValue, LetterError> {
    // A timestamp begins with a date too, and would lose its time.
    match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => Ok(SqlValue::Date(day)),
        _ => Err(LetterError::new(
            LetterKind::Timestamp,
            format!("`{}` is no date such as 2026-11-21", shown::name(text)),
        )),
    }
}

fn timestamp(text: &str) -> Result<SqlValue, LetterError> {
    let refused = |why: &str| Err(LetterError::new(LetterKind::Timestamp, format!("`{}` {why}", shown::name(text))));
    let bytes = text.as_bytes();
    let is_rfc = bytes.get(10).is_some_and(|byte| matches!(byte, b'T' | b't' | b' ')) && bytes.get(4) == Some(&b'-');
    if text.parse::<Timestamp>().is_err() && text.parse::<jiff::civil::DateTime>().is_ok() {
        return refused("has no zone; write Z or an offset such as +01:00 behind it");
    }
    match text.parse::<Timestamp>() {
        // A leap second would become the one before it.
        Ok(_) if text.get(17..19) == Some("60") => refused("is a leap second, which no column takes"),
        Ok(at) if is_rfc && !text.contains('[') => Ok(SqlValue::Timestamp(at)),
        _ => refused("is no timestamp such as 2026-11-21T10:30:00.123Z"),
    }
}

/// Milliseconds since 1970, as JavaScript and Kafka have them.
fn millis(text: &str) -> Result<SqlValue, LetterError> {
    let refused = || {
        LetterError::new(LetterKind::Timestamp, format!("{} is no time in milliseconds since 1970", shown::name(text)))
    };
    let number = Decimal::parse(text.as_bytes()).and_then(|number| number.at_scale(0)).ok_or_else(refused)?;
    let millis = i64::try_from(number).ok().filter(|millis| (0..=LAST_MILLIS).contains(millis)).ok_or_else(refused)?;
    Timestamp::from_millisecond(millis).map(SqlValue::Timestamp).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ingest::document::parse;

    /// The canonical text, or the kind of the reason.
    fn made(kind: &str, json: &str) -> Result<String, &'static str> {
        let kind = SqlType::parse(kind).unwrap();
        let node = parse(json.as_bytes()).unwrap();
        convert(&node, kind).map(|value| value.canonical()).map_err(|error| error.kind.as_str())
    }

    #[test]
    fn a_value_is_exact_or_refused() {
        for (kind, json, expected) in [
            ("decimal(18,2)", "12.5", Ok("12.50")),
            ("decimal(18,2)", "\"12.50\"", Ok("12.50")),
            ("decimal(18,2)", "1.5e1", Ok("15.00")),
            ("decimal(18,2)", "0.001", Err("precision")),
            ("decimal(4,2)", "100", Err("precision")),
            ("decimal(38,0)", "99999999999999999999999999999999999999", Ok("99999999999999999999999999999999999999")),
            ("decimal(38,0)", "1234567890123456789012345678901234567890", Err("precision")),
            ("decimal(18,2)", "\"12,50\"", Err("wrong_kind")),
            ("decimal(18,2)", "true", Err("wrong_kind")),
            ("bigint", "9223372036854775807", Ok("9223372036854775807")),
            ("bigint", "\"-9223372036854775808\"", Ok("-9223372036854775808")),
            ("bigint", "9223372036854775808", Err("range")),
            ("bigint", "1.5", Err("precision")),
            ("bigint", "1.0", Ok("1")),
            ("integer", "2147483648", Err("range")),
            ("integer", "\"\"", Err("wrong_kind")),
            ("double", "1e400", Err("range")),
            ("double", "0.1", Ok("0.1")),
            ("text(3)", "\"äöü\"", Ok("äöü")),
            ("text(3)", "\"abcd\"", Err("length")),
            ("text(3)", "\"a\\u0000\"", Err("nul")),
            ("text(3)", "1", Err("wrong_kind")),
            ("boolean", "\"true\"", Err("wrong_kind")),
            ("date", "\"2026-02-30\"", Err("timestamp")),
            ("date", "\"2026-02-28T00:00:00Z\"", Err("timestamp")),
            ("timestamp", "\"2026-11-21T10:30:00.123456789+01:00\"", Ok("2026-11-21T09:30:00.123456789+00:00")),
            ("timestamp", "\"2026-11-21T10:30:00\"", Err("timestamp")),
            ("timestamp", "\"2026-11-21T10:30:00.1234567891Z\"", Err("timestamp")),
            ("timestamp", "\"2026-11-21\"", Err("timestamp")),
            ("timestamp", "1763721000000", Ok("2025-11-21T10:30:00+00:00")),
            ("timestamp", "-5", Err("timestamp")),
            ("uuid", "\"6F1C0A52-8A3E-4F0E-9D8B-0D6F6C1A2B3C\"", Ok("6f1c0a52-8a3e-4f0e-9d8b-0d6f6c1a2b3c")),
            ("uuid", "\"x\"", Err("wrong_kind")),
            ("json", "{\"a\":1.10}", Ok("{\"a\":1.10}")),
            ("json", "{\"a\":\"\\u0000\"}", Err("nul")),
        ] {
            assert_eq!(made(kind, json), expected.map(str::to_owned), "{kind} {json}");
        }
    }
}
