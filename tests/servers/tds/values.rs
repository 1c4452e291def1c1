//! SQLite's values in the wire form of a column's type.

use super::form::Plp;
use super::moment::Moment;
use super::types::{ColumnType, SqlType, decimal_bytes};
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Appends a value that is not NULL; an error says why the type cannot hold it.
pub fn write(column: &ColumnType, value: ValueRef<'_>, plp: Plp, out: &mut Vec<u8>) -> Result<(), String> {
    let bad = || format!("{} cannot hold {value:?}", column.kind.name());
    let start = out.len();
    let text = || text(value);
    match column.kind {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            let ValueRef::Integer(number) = value else { return Err(bad()) };
            let length = match column.kind {
                SqlType::Bit | SqlType::TinyInt => 1,
                SqlType::SmallInt => 2,
                SqlType::Int => 4,
                _ => 8,
            };
            short(column, &number.to_le_bytes()[..length], out);
        }
        SqlType::Real | SqlType::Float => {
            let number = match value {
                ValueRef::Real(number) => number,
                ValueRef::Integer(number) => number as f64,
                _ => return Err(bad()),
            };
            match column.kind {
                SqlType::Real => short(column, &(number as f32).to_le_bytes(), out),
                _ => short(column, &number.to_le_bytes(), out),
            }
        }
        SqlType::Money | SqlType::SmallMoney => {
            let units = text().and_then(|text| scaled(&text, 4)).ok_or_else(bad)?;
            if column.kind == SqlType::SmallMoney {
                short(column, &i32::try_from(units).map_err(|_| bad())?.to_le_bytes(), out);
            } else {
                let units = i64::try_from(units).map_err(|_| bad())?;
                let mut bytes = ((units >> 32) as i32).to_le_bytes().to_vec();
                bytes.extend_from_slice(&(units as u32).to_le_bytes());
                short(column, &bytes, out);
            }
        }
        SqlType::Decimal(precision, scale) | SqlType::Numeric(precision, scale) => {
            let units = text().and_then(|text| scaled(&text, scale)).ok_or_else(bad)?;
            let length = decimal_bytes(precision);
            out.extend_from_slice(&[length, u8::from(units >= 0)]);
            out.extend_from_slice(&units.unsigned_abs().to_le_bytes()[..usize::from(length) - 1]);
        }
        SqlType::Guid => {
            out.push(16);
            out.extend_from_slice(&text().and_then(|text| guid_bytes(&text)).ok_or_else(bad)?);
        }
        SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_) => {
            let moment = text().and_then(|text| Moment::parse(&text)).ok_or_else(bad)?;
            moment.write(column, out);
        }
        _ => return strings(column, value, plp, out).ok_or_else(bad),
    }
    debug_assert!(out.len() > start, "a value has bytes");
    Ok(())
}

/// Appends the NULL of a column in a ROW token.
pub fn write_null(column: &ColumnType, out: &mut Vec<u8>) {
    match column.kind {
        SqlType::VarChar(None) | SqlType::NVarChar(None) | SqlType::VarBinary(None) | SqlType::Xml => {
            out.extend_from_slice(&[0xff; 8]);
        }
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::Binary(_)
        | SqlType::VarBinary(_) => out.extend_from_slice(&[0xff; 2]),
        SqlType::Variant => out.extend_from_slice(&[0; 4]),
        // A length of none; for `text` and its kin, a text pointer of none.
        _ => out.push(0),
    }
}

/// A value as text.
fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        ValueRef::Integer(number) => Some(Cow::Owned(number.to_string())),
        ValueRef::Real(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Texts and bytes, each with the length its type has.
fn strings(column: &ColumnType, value: ValueRef<'_>, form: Plp, out: &mut Vec<u8>) -> Option<()> {
    if let (SqlType::VarChar(Some(_)), ValueRef::Text(bytes)) = (column.kind, value)
        && bytes.is_ascii()
    {
        out.extend_from_slice(&u16::try_from(bytes.len()).ok()?.to_le_bytes());
        out.extend_from_slice(bytes);
        return Some(());
    }
    if matches!(column.kind, SqlType::NVarChar(Some(_))) {
        let start = out.len();
        out.extend_from_slice(&[0; 2]);
        text(value)?.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
        let length = u16::try_from(out.len() - start - 2).ok()?;
        out[start..start + 2].copy_from_slice(&length.to_le_bytes());
        return Some(());
    }
    let (mut bytes, plp) = match (column.kind, value) {
        (SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image, ValueRef::Blob(bytes)) => {
            (bytes.to_vec(), column.kind == SqlType::VarBinary(None))
        }
        (SqlType::Variant, value) => return variant(value, out),
        (kind, value) => {
            let text = text(value)?;
            let wide = matches!(kind, SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml);
            let bytes = if wide { utf16(&text) } else { column.collation.encoding.encode(&text).0.into_owned() };
            (bytes, matches!(kind, SqlType::VarChar(None) | SqlType::NVarChar(None) | SqlType::Xml))
        }
    };
    match column.kind {
        SqlType::Char(n) => bytes.resize(usize::from(n), b' '),
        SqlType::NChar(n) => (bytes.len() / 2..usize::from(n)).for_each(|_| bytes.extend_from_slice(&[b' ', 0])),
        SqlType::Binary(n) => bytes.resize(usize::from(n), 0),
        _ => {}
    }
    match column.kind {
        SqlType::Text | SqlType::NText | SqlType::Image => {
            out.push(16);
            out.extend_from_slice(&[0xee; 24]);
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(&bytes);
        }
        _ if plp => form.write(&bytes, out),
        _ => {
            out.extend_from_slice(&u16::try_from(bytes.len()).ok()?.to_le_bytes());
            out.extend_from_slice(&bytes);
        }
    }
    Some(())
}

/// A sql_variant with an int or an nvarchar in it.
fn variant(value: ValueRef<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut inner = Vec::new();
    match value {
        ValueRef::Integer(number) => {
            inner.extend_from_slice(&[0x38, 0]);
            inner.extend_from_slice(&i32::try_from(number).ok()?.to_le_bytes());
        }
        ValueRef::Text(bytes) => {
            let bytes = utf16(std::str::from_utf8(bytes).ok()?);
            inner.extend_from_slice(&[0xe7, 7]);
            inner.extend_from_slice(&super::types::DEFAULT_COLLATION);
            inner.extend_from_slice(&8000_u16.to_le_bytes());
            inner.extend_from_slice(&bytes);
        }
        _ => return None,
    }
    out.extend_from_slice(&(inner.len() as u32).to_le_bytes());
    out.extend_from_slice(&inner);
    Some(())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A value behind its one-byte length, or alone in the fixed form.
pub fn short(column: &ColumnType, bytes: &[u8], out: &mut Vec<u8>) {
    if column.fixed_token().is_none() {
        out.push(bytes.len() as u8);
    }
    out.extend_from_slice(bytes);
}

/// A decimal text in units of its last digit; none when it has more digits than that, or is no number.
pub fn scaled(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) || whole.is_empty() {
        return None;
    }
    let digits = whole.bytes().chain(fraction.bytes());
    let units = digits.chain(std::iter::repeat_n(b'0', usize::from(scale) - fraction.len())).try_fold(
        0_i128,
        |units, digit| {
            let digit = digit.is_ascii_digit().then(|| i128::from(digit - b'0'))?;
            units.checked_mul(10)?.checked_add(digit)
        },
    )?;
    Some(if negative { -units } else { units })
}

/// The text of a decimal from its wire form.
pub fn decimal_text(positive: bool, digits: &[u8], scale: u8) -> String {
    let units = digits.iter().rev().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let text = format!("{units:0>width$}", width = usize::from(scale) + 1);
    let (whole, fraction) = text.split_at(text.len() - usize::from(scale));
    let sign = if positive { "" } else { "-" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// The 16 bytes of a UUID's text, the first three groups backwards.
pub fn guid_bytes(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let mut bytes: [u8; 16] = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}

/// The text of 16 bytes, as SQL Server writes it.
pub fn guid_text(bytes: &[u8]) -> Option<String> {
    let mut bytes: [u8; 16] = bytes.try_into().ok()?;
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    let mut text = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02X}");
    }
    Some(text)
}
