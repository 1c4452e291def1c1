//! Values out of their bytes.

use super::column::{Column, Kind};
use crate::adapters::sqlserver::civil::{self, Moment};
use crate::core::model::decimal::Decimal;
use encoding_rs::Encoding;
use std::borrow::Cow;

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub(in super::super) enum Value<'a> {
    Null,
    Bit(bool),
    Int(i64),
    Float32(f32),
    Float64(f64),
    Decimal(Decimal),
    /// UTF-16, little-endian.
    Wide(Cow<'a, [u8]>),
    Narrow(Cow<'a, [u8]>, &'static Encoding),
    Bytes(Cow<'a, [u8]>),
    /// In the order of its text.
    Guid([u8; 16]),
    /// Days since 1970-01-01.
    Date(i64),
    /// Nanoseconds of the day, and digits of a second.
    Time(i64, u8),
    Moment(Moment),
    /// In UTC, and the offset in minutes.
    Offset(Moment, i16),
}

/// The server's own description would be wrong.
const STRANGE: &str = "the server sent a value that its type does not have; report this";

/// What a text holds that its collation does not have.
const NO_TEXT: &str =
    "it cannot be read as its collation says: CAST the column to nvarchar in the view, or mend the row";

impl Column {
    /// Reads a value that is not NULL.
    #[inline]
    pub(super) fn read<'a>(&self, bytes: Cow<'a, [u8]>) -> Result<Value<'a>, &'static str> {
        let value = match self.kind {
            Kind::Int => integer(&bytes).map(Value::Int),
            Kind::Bit => bytes.first().map(|bit| Value::Bit(*bit != 0)),
            Kind::Float => float(&bytes),
            Kind::Money => money(&bytes).map(|unscaled| Value::Decimal(Decimal { unscaled, scale: 4 })),
            Kind::Decimal { scale } => decimal(&bytes).map(|unscaled| Value::Decimal(Decimal { unscaled, scale })),
            Kind::Wide => Some(Value::Wide(bytes)),
            Kind::Narrow(encoding) => return encoding.map(|encoding| Value::Narrow(bytes, encoding)).ok_or(NO_TEXT),
            Kind::Bytes => Some(Value::Bytes(bytes)),
            Kind::Guid => guid(&bytes).map(Value::Guid),
            Kind::Date => civil::days(number(&bytes)).map(Value::Date),
            Kind::Time { digits } => civil::nanos(number(&bytes), digits).map(|nanos| Value::Time(nanos, digits)),
            Kind::DateTime => moment(&bytes).map(Value::Moment),
            Kind::DateTime2 { digits } => Moment::of_parts(&bytes, digits).map(Value::Moment),
            Kind::DateTimeOffset { digits } => {
                let split = bytes.split_last_chunk();
                split.and_then(|(bytes, offset)| {
                    Some(Value::Offset(Moment::of_parts(bytes, digits)?, i16::from_le_bytes(*offset)))
                })
            }
        };
        value.ok_or(STRANGE)
    }
}

impl Column {
    /// Reads a value that was kept.
    pub(in super::super) fn value<'a>(&self, bytes: &'a [u8]) -> Result<Value<'a>, &'static str> {
        self.read(Cow::Borrowed(bytes))
    }
}

impl Value<'_> {
    /// A text. `None` for anything else.
    pub(super) fn into_text(self) -> Option<String> {
        let mut text = Vec::new();
        match self {
            Self::Wide(bytes) => utf8(&bytes, None, &mut text).ok().map(str::to_owned),
            Self::Narrow(bytes, encoding) => utf8(&bytes, Some(encoding), &mut text).ok().map(str::to_owned),
            _ => None,
        }
    }
}

/// A text of UTF-16 or of a code page, in UTF-8; made in `scratch` where it has to be made.
pub(in super::super) fn utf8<'a>(
    bytes: &'a [u8],
    encoding: Option<&'static Encoding>,
    scratch: &'a mut Vec<u8>,
) -> Result<&'a str, &'static str> {
    scratch.clear();
    match encoding {
        Some(_) if bytes.is_ascii() => return std::str::from_utf8(bytes).map_err(|_| NO_TEXT),
        Some(encoding) => {
            let text = encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or(NO_TEXT)?;
            scratch.extend_from_slice(text.as_bytes());
        }
        None => {
            let (units, []) = bytes.as_chunks::<2>() else { return Err(NO_TEXT) };
            let ascii = units.iter().fold(0, |all, unit| all | u16::from_le_bytes(*unit)) < 0x80;
            if ascii {
                scratch.extend(units.iter().map(|[low, _]| *low));
            } else {
                for character in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
                    let character = character.map_err(|_| NO_TEXT)?;
                    scratch.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
    std::str::from_utf8(scratch).map_err(|_| NO_TEXT)
}

/// A number without sign, of up to eight bytes.
pub(in super::super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// One byte has no sign, the others do.
fn integer(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [byte] => Some((*byte).into()),
        [a, b] => Some(i16::from_le_bytes([*a, *b]).into()),
        [a, b, c, d] => Some(i32::from_le_bytes([*a, *b, *c, *d]).into()),
        bytes => bytes.try_into().ok().map(i64::from_le_bytes),
    }
}

fn float<'a>(bytes: &[u8]) -> Option<Value<'a>> {
    match bytes.try_into() {
        Ok(bytes) => Some(Value::Float32(f32::from_le_bytes(bytes))),
        Err(_) => bytes.try_into().ok().map(|bytes| Value::Float64(f64::from_le_bytes(bytes))),
    }
}

/// Ten-thousandths; of eight bytes, the upper four come first.
fn money(bytes: &[u8]) -> Option<i128> {
    match bytes.split_first_chunk::<4>()? {
        (units, []) => Some(i32::from_le_bytes(*units).into()),
        (high, low) => {
            let (high, low) = (i32::from_le_bytes(*high), u32::from_le_bytes(low.try_into().ok()?));
            Some(i128::from(i64::from(high) << 32 | i64::from(low)))
        }
    }
}

/// A sign (one for plus), then the digits as one number.
fn decimal(bytes: &[u8]) -> Option<i128> {
    let (sign, digits) = bytes.split_first()?;
    let digits = match digits.len() {
        // Most have up to 18 digits.
        0..=8 => number(digits).into(),
        9..=16 => {
            let (low, high) = digits.split_at(8);
            u128::from(number(high)) << 64 | u128::from(number(low))
        }
        _ => return None,
    };
    let digits = i128::try_from(digits).ok()?;
    Some(if *sign == 0 { -digits } else { digits })
}

/// The first three groups have their bytes in reverse.
fn guid(bytes: &[u8]) -> Option<[u8; 16]> {
    let mut bytes: [u8; 16] = bytes.try_into().ok()?;
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Some(bytes)
}

fn moment(bytes: &[u8]) -> Option<Moment> {
    match bytes {
        [a, b, c, d] => Moment::of_smalldatetime(u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d])),
        bytes => {
            let (days, ticks) = bytes.split_first_chunk()?;
            Moment::of_datetime(i32::from_le_bytes(*days), u32::from_le_bytes(ticks.try_into().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_are_exact_at_both_ends() {
        assert_eq!(money(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff]), Some(i64::MAX.into()));
        assert_eq!(money(&[0, 0, 0, 0x80, 0, 0, 0, 0]), Some(i64::MIN.into()));
        assert_eq!(money(&(-5_i32).to_le_bytes()), Some(-5));
        let most = 10_i128.pow(38) - 1;
        for (sign, number) in [(1, most), (0, -most)] {
            assert_eq!(decimal(&[&[sign][..], &most.to_le_bytes()].concat()), Some(number));
        }
        assert_eq!(decimal(&[0, 1, 0, 0, 0]), Some(-1));
        assert_eq!(decimal(&[[1; 1].as_slice(), &[0xff; 16]].concat()), None, "more than there is room for");
        assert_eq!((integer(&[0xff]), integer(&[0xff, 0xff]), integer(&[0; 3])), (Some(255), Some(-1), None));
    }

    #[test]
    fn texts_are_read_as_their_collation_says_or_not_at_all() {
        let mut scratch = Vec::new();
        let wide: Vec<u8> = "aß€😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(utf8(&wide, None, &mut scratch), Ok("aß€😀"));
        assert_eq!(utf8(&wide[..wide.len() - 2], None, &mut scratch), Err(NO_TEXT), "half a pair");
        assert_eq!(utf8(b"a\0b", None, &mut scratch), Err(NO_TEXT), "half a unit");
        assert_eq!(utf8(b"\x80 5", Some(encoding_rs::WINDOWS_1252), &mut scratch), Ok("€ 5"));
        assert_eq!(utf8(b"\xff", Some(encoding_rs::WINDOWS_874), &mut scratch), Err(NO_TEXT));
    }

    #[test]
    fn a_guid_is_read_in_the_order_of_its_text() {
        let bytes = [0xff, 0x19, 0x96, 0x6f, 0x86, 0x8b, 0x11, 0xd0, 0xb4, 0x2d, 0, 0xc0, 0x4f, 0xc9, 0x64, 0xff];
        let text = [0x6f, 0x96, 0x19, 0xff, 0x8b, 0x86, 0xd0, 0x11, 0xb4, 0x2d, 0, 0xc0, 0x4f, 0xc9, 0x64, 0xff];
        assert_eq!(guid(&bytes), Some(text));
        assert_eq!(guid(&bytes[1..]), None);
    }
}
