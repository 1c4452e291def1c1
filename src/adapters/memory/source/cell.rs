//! One value of a row in memory, its place in the order, and its way into keys and Arrow arrays.

use crate::core::model::column::Kind;
use crate::core::model::decimal::Decimal;
use crate::core::model::key::KeyValue;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Decimal128Array, PrimitiveArray, StringArray};
use std::cmp::Ordering;
use std::sync::Arc;

/// A value. The column's kind says what it means.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// No value; sorts before all others.
    Null,
    /// For [`Kind::Bool`].
    Bool(bool),
    /// For [`Kind::Int`]; days, nanoseconds and microseconds of the time kinds, as Arrow counts them.
    Int(i64),
    /// For the float kinds.
    Float(f64),
    /// The unscaled value, for [`Kind::Decimal`].
    Decimal(i128),
    /// For every kind that travels as text.
    Text(String),
    /// For [`Kind::Bytes`].
    Bytes(Vec<u8>),
}

impl Cell {
    /// The order of keys: NULL first, numbers by value, text and bytes byte by byte.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::Decimal(_) => 4,
            Self::Text(_) => 5,
            Self::Bytes(_) => 6,
        }
    }

    /// Bytes that the value takes in a page.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 8,
            Self::Decimal(_) => 16,
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// As a key's value. `None` for NULL.
    pub(super) fn to_key(&self, kind: Kind) -> Option<KeyValue> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => KeyValue::Int((*value).into()),
            Self::Int(value) => KeyValue::Int(*value),
            Self::Float(value) => KeyValue::Float(format!("{value:?}")),
            Self::Decimal(unscaled) => KeyValue::Typed(Decimal { unscaled: *unscaled, scale: scale(kind) }.to_string()),
            Self::Text(text) => KeyValue::Text(text.clone()),
            Self::Bytes(bytes) => KeyValue::Bytes(hex::encode(bytes)),
        })
    }

    /// Reads a key's value back. `None` when it was not written for a column of this kind.
    pub(super) fn from_key(value: &KeyValue, kind: Kind) -> Option<Self> {
        Some(match value {
            KeyValue::Int(value) if kind == Kind::Bool => Self::Bool(*value != 0),
            KeyValue::Int(value) => Self::Int(*value),
            KeyValue::Float(text) => Self::Float(text.parse().ok()?),
            KeyValue::Typed(text) => Self::Decimal(Decimal::parse(text.as_bytes())?.at_scale(scale(kind))?),
            KeyValue::Text(text) => Self::Text(text.clone()),
            KeyValue::Bytes(digits) => Self::Bytes(hex::decode(digits).ok()?),
        })
    }

    /// The exact number that a sum adds; zero for NULL. `None` for what is no number.
    pub(super) fn number(&self, kind: Kind) -> Option<Decimal> {
        match self {
            Self::Null => Some(Decimal::default()),
            Self::Int(value) => Some(Decimal::whole(*value)),
            Self::Decimal(unscaled) => Some(Decimal { unscaled: *unscaled, scale: scale(kind) }),
            Self::Float(value) => Decimal::parse(format!("{value:?}").as_bytes()),
            Self::Text(text) => Decimal::parse(text.as_bytes()),
            Self::Bool(_) | Self::Bytes(_) => None,
        }
    }
}

/// Digits behind the point of a decimal column.
pub(super) fn scale(kind: Kind) -> u8 {
    match kind {
        Kind::Decimal { scale, .. } => u8::try_from(scale).unwrap_or(0),
        _ => 0,
    }
}

/// One column of a page. A cell of a wrong sort is the error: its row.
pub(super) fn array(kind: Kind, cells: &[&Cell]) -> Result<ArrayRef, usize> {
    macro_rules! each {
        ($($pattern:pat => $value:expr),+) => {
            cells.iter().enumerate().map(|(row, cell)| match cell {
                Cell::Null => Ok(None),
                $($pattern => $value.map(Some).ok_or(row),)+
                _ => Err(row),
            }).collect::<Result<_, usize>>()?
        };
    }
    macro_rules! primitive {
        ($type:ty, $($pattern:pat => $value:expr),+) => {{
            let values: Vec<Option<_>> = each!($($pattern => $value),+);
            Arc::new(PrimitiveArray::<$type>::from_iter(values))
        }};
    }
    Ok(match kind {
        Kind::Bool => {
            let values: Vec<Option<bool>> = each!(Cell::Bool(value) => Some(*value));
            Arc::new(BooleanArray::from(values))
        }
        Kind::Int => primitive!(Int64Type, Cell::Int(value) => Some(*value)),
        #[expect(clippy::cast_possible_truncation, reason = "the kind says that the values are 32-bit floats")]
        Kind::Float32 => primitive!(Float32Type, Cell::Float(value) => Some(*value as f32)),
        Kind::Float64 => primitive!(Float64Type, Cell::Float(value) => Some(*value)),
        Kind::Decimal { precision, scale } => {
            let values: Vec<Option<i128>> =
                each!(Cell::Decimal(value) => Decimal::fits(*value, precision).then_some(*value));
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).map_err(|_| 0_usize)?)
        }
        Kind::DecimalText { .. } | Kind::Number | Kind::Text | Kind::Uuid | Kind::Json | Kind::TimestampText => {
            let values: Vec<Option<&str>> = each!(Cell::Text(text) => Some(text.as_str()));
            Arc::new(StringArray::from(values))
        }
        Kind::Bytes => {
            let values: Vec<Option<&[u8]>> = each!(Cell::Bytes(bytes) => Some(bytes.as_slice()));
            Arc::new(BinaryArray::from(values))
        }
        Kind::Date => primitive!(Date32Type, Cell::Int(value) => i32::try_from(*value).ok()),
        Kind::Time { .. } => primitive!(Time64NanosecondType, Cell::Int(value) => Some(*value)),
        Kind::Timestamp { utc, .. } => {
            let values: Vec<Option<i64>> = each!(Cell::Int(value) => Some(*value));
            let array = PrimitiveArray::<TimestampMicrosecondType>::from_iter(values);
            Arc::new(if utc { array.with_timezone("UTC") } else { array })
        }
    })
}
