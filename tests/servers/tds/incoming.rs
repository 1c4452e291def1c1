//! Values that a client sends: parameters of a call, and rows of a bulk load.

use super::moment::{Moment, day_text};
use super::request::Cursor;
use super::types::COLLATIONS;
use super::values;
use encoding_rs::Encoding;
use rusqlite::types::Value;

/// Days from 0001-01-01 to 1900-01-01.
const TO_1900: i64 = 693_595;

/// A TYPE_INFO, as far as its values need it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming {
    token: u8,
    /// Bytes of a type without a length, or the most bytes.
    size: u16,
    scale: u8,
    encoding: &'static Encoding,
}

impl Incoming {
    /// Reads a TYPE_INFO. `None` for one that nobody sends here.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let token = cursor.u8()?;
        let (mut size, mut scale, mut encoding) = (0, 0, encoding_rs::WINDOWS_1252);
        match token {
            0x30 | 0x32 => size = 1,
            0x34 => size = 2,
            0x38 | 0x3a | 0x3b | 0x7a => size = 4,
            0x3c | 0x3d | 0x3e | 0x7f => size = 8,
            0x28 => {}
            0x24 | 0x26 | 0x68 | 0x6d | 0x6e | 0x6f => size = u16::from(cursor.u8()?),
            0x29..=0x2b => scale = cursor.u8()?,
            0x6a | 0x6c => {
                let (_, _) = (cursor.u8()?, cursor.u8()?);
                scale = cursor.u8()?;
            }
            0xa5 | 0xad => size = cursor.u16()?,
            0xa7 | 0xaf | 0xe7 | 0xef => {
                size = cursor.u16()?;
                let collation = cursor.bytes(5)?;
                let known = COLLATIONS.iter().find(|known| known.wire == collation);
                encoding = known.map_or(encoding, |known| known.encoding);
            }
            _ => return None,
        }
        Some(Self { token, size, scale, encoding })
    }

    /// Reads a value of it.
    pub fn value(&self, cursor: &mut Cursor<'_>) -> Option<Value> {
        let Some(bytes) = self.bytes(cursor)? else { return Some(Value::Null) };
        let integer = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let days = |bytes: &[u8]| i64::try_from(integer(bytes)).unwrap_or(i64::MAX);
        Some(match self.token {
            0x30 | 0x32 | 0x34 | 0x38 | 0x7f | 0x26 | 0x68 => Value::Integer(whole(&bytes)?),
            0x3b | 0x3e | 0x6d => Value::Real(match bytes.as_slice() {
                [a, b, c, d] => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
                bytes => f64::from_le_bytes(bytes.try_into().ok()?),
            }),
            0x3c | 0x7a | 0x6e => {
                let units = match bytes.as_slice() {
                    [a, b, c, d] => i64::from(i32::from_le_bytes([*a, *b, *c, *d])),
                    // The half that counts more stands in front.
                    bytes => i64::from_le_bytes([&bytes[4..], &bytes[..4]].concat().try_into().ok()?),
                };
                Value::Text(values::decimal_text(units >= 0, &units.unsigned_abs().to_le_bytes(), 4))
            }
            0x6a | 0x6c => {
                let (sign, digits) = bytes.split_first()?;
                Value::Text(values::decimal_text(*sign == 1, digits, self.scale))
            }
            0x24 => Value::Text(values::guid_text(&bytes)?),
            0x28 => Value::Text(day_text(days(&bytes))),
            0x29 => Value::Text(Moment { days: 0, ticks: self.ticks(&bytes), offset: 0 }.time_text(self.scale)),
            0x2a => {
                let (time, day) = bytes.split_at(bytes.len().checked_sub(3)?);
                Value::Text(Moment { days: days(day), ticks: self.ticks(time), offset: 0 }.text(self.scale, false))
            }
            0x2b => {
                let (time, rest) = bytes.split_at(bytes.len().checked_sub(5)?);
                let offset = i64::from(i16::from_le_bytes([rest[3], rest[4]]));
                Value::Text(Moment::of_instant(days(&rest[..3]), self.ticks(time), offset).text(self.scale, true))
            }
            0x3a | 0x3d | 0x6f => {
                let (day, time) = bytes.split_at(bytes.len() / 2);
                let (day, ticks) = match (day, time) {
                    ([a, b], [c, d]) => {
                        (i64::from(u16::from_le_bytes([*a, *b])), i64::from(u16::from_le_bytes([*c, *d])) * 600_000_000)
                    }
                    (day, time) => {
                        let thirds = i64::from(u32::from_le_bytes(time.try_into().ok()?));
                        (i64::from(i32::from_le_bytes(day.try_into().ok()?)), (thirds * 10_000_000 + 150) / 300)
                    }
                };
                Value::Text(Moment { days: day + TO_1900, ticks, offset: 0 }.text(3, false))
            }
            0xe7 | 0xef => Value::Text(Cursor::new(&bytes).utf16(bytes.len() / 2)?),
            0xa7 | 0xaf => Value::Text(self.encoding.decode(&bytes).0.into_owned()),
            _ => Value::Blob(bytes),
        })
    }

    /// A time of day, from units of the scale's last digit.
    fn ticks(&self, bytes: &[u8]) -> i64 {
        let units = bytes.iter().rev().fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
        units * 10_i64.pow(7_u32.saturating_sub(u32::from(self.scale)))
    }

    /// A value's bytes; none for NULL.
    #[allow(clippy::option_option, reason = "bytes that end early, and NULL, are two answers")]
    fn bytes(&self, cursor: &mut Cursor<'_>) -> Option<Option<Vec<u8>>> {
        match self.token {
            0x30 | 0x32 | 0x34 | 0x38 | 0x3a..=0x3e | 0x7a | 0x7f => {
                cursor.bytes(usize::from(self.size)).map(|bytes| Some(bytes.to_vec()))
            }
            0xa5 | 0xad | 0xa7 | 0xaf | 0xe7 | 0xef if self.size == u16::MAX => chunks(cursor),
            0xa5 | 0xad | 0xa7 | 0xaf | 0xe7 | 0xef => match cursor.u16()? {
                u16::MAX => Some(None),
                length => cursor.bytes(usize::from(length)).map(|bytes| Some(bytes.to_vec())),
            },
            _ => match cursor.u8()? {
                0 => Some(None),
                length => cursor.bytes(usize::from(length)).map(|bytes| Some(bytes.to_vec())),
            },
        }
    }
}

/// A whole number; the smallest kind has no sign.
fn whole(bytes: &[u8]) -> Option<i64> {
    Some(match *bytes {
        [byte] => i64::from(byte),
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().ok()?),
    })
}

/// A value of a `max` type: its length, or the mark for an unknown one, then chunks until an empty one.
#[allow(clippy::option_option, reason = "bytes that end early, and NULL, are two answers")]
fn chunks(cursor: &mut Cursor<'_>) -> Option<Option<Vec<u8>>> {
    let said = cursor.u64()?;
    if said == u64::MAX {
        return Some(None);
    }
    let mut bytes = Vec::new();
    loop {
        match cursor.u32()? as usize {
            0 => break,
            length => bytes.extend_from_slice(cursor.bytes(length)?),
        }
    }
    let is_right = said == 0xffff_ffff_ffff_fffe || said == bytes.len() as u64;
    is_right.then_some(Some(bytes))
}

/// Reads a parameter's TYPE_INFO and value.
pub fn parameter(cursor: &mut Cursor<'_>) -> Option<Value> {
    Incoming::read(cursor)?.value(cursor)
}
