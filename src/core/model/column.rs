//! Columns of a page: a name, and a kind that says how its Arrow array is to be read.
//!
//! Arrow's own types carry what they can carry exactly. What they cannot (a number whose every value has its
//! own scale, a timestamp with 7 digits or an offset of its own) travels as text, and the field's metadata
//! says what the text is.

use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The metadata entry that names a field's [`Kind`] as JSON.
const KIND_ENTRY: &str = "filegen.kind";

/// What a column's values are. The Arrow type follows from it: [`Kind::arrow_type`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `Boolean`.
    Bool,
    /// `Int64`: every whole number type up to 64 bits.
    Int,
    /// `Float32`; written as the shortest text that reads back as the same value.
    Float32,
    /// `Float64`; written as the shortest text that reads back as the same value.
    Float64,
    /// `Decimal128(precision, scale)`: exact, the scale is the column's.
    Decimal {
        /// Digits in all, up to 38.
        precision: u8,
        /// Digits after the point, 0 to precision.
        scale: i8,
    },
    /// `Utf8` holding a number of such a decimal, with all digits behind its point where the source knows them, and with those
    /// that it knows where it has lost some: for decimals that are stored as floats.
    DecimalText {
        /// Digits in all, up to 38.
        precision: u8,
        /// Digits after the point, 0 to precision.
        scale: i8,
    },
    /// `Utf8` holding an exact number, each value with its own scale: `12.50`, `-3`. No exponent.
    Number,
    /// `Utf8`.
    Text,
    /// `Utf8` holding a UUID in lower case with hyphens.
    Uuid,
    /// `Utf8` holding one JSON value.
    Json,
    /// `Binary`; written as lower-case hexadecimal.
    Bytes,
    /// `Date32`: days since 1970-01-01, proleptic Gregorian.
    Date,
    /// `Time64(Nanosecond)` of the day, written with `digits` of fraction.
    Time {
        /// Fraction digits, 0 to 9.
        digits: u8,
    },
    /// `Timestamp(Microsecond)`, written with `digits` (0 to 6) of fraction; with `utc`, an instant written with `Z`.
    Timestamp {
        /// Fraction digits, 0 to 6.
        digits: u8,
        /// Whether the values are instants in UTC.
        utc: bool,
    },
    /// `Utf8` holding `2026-11-21T10:30:00[.fraction][Z|+01:00]`, each value with its own digits or offset.
    TimestampText,
}

/// What is known of a column's values before a file is made of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Observed {
    /// The most characters that the column may hold, as its source declares. `None` where it declares none.
    pub length: Option<u32>,
    /// The most bytes of the values that were looked at, in UTF-8.
    pub longest: usize,
    /// The most bytes of one of their characters. 0 where none was looked at.
    pub widest: usize,
    /// Whether one of them holds a line break or NUL.
    pub breaks: bool,
    /// Whether NULL or a value twice was among them, so that the column alone is no key.
    pub repeats: bool,
}

impl Kind {
    /// The Arrow type of a column of this kind.
    pub fn arrow_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::DecimalText { .. } | Self::Number | Self::Text | Self::Uuid | Self::Json | Self::TimestampText => {
                DataType::Utf8
            }
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time { .. } => DataType::Time64(TimeUnit::Nanosecond),
            Self::Timestamp { utc, .. } => DataType::Timestamp(TimeUnit::Microsecond, utc.then(|| "UTC".into())),
        }
    }

    /// The field of a column of this kind; always nullable, since a view promises nothing.
    pub fn field(self, name: &str) -> Field {
        // A unit-like enum of numbers and flags always has a JSON form.
        let kind = serde_json::to_string(&self).unwrap_or_default();
        Field::new(name, self.arrow_type(), true).with_metadata(HashMap::from([(KIND_ENTRY.to_owned(), kind)]))
    }

    /// Reads the kind back from a field made by [`Kind::field`].
    pub fn of(field: &Field) -> Option<Self> {
        serde_json::from_str(field.metadata().get(KIND_ENTRY)?).ok()
    }

    /// Whether the values are numbers, so that a number format and a sum make sense.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int | Self::Float32 | Self::Float64 | Self::Decimal { .. } | Self::DecimalText { .. } | Self::Number
        )
    }

    /// For people: `decimal(15,2)`, `timestamp(6) with time zone`.
    pub fn describe(self) -> String {
        match self {
            Self::Bool => "boolean".to_owned(),
            Self::Int => "integer".to_owned(),
            Self::Float32 => "float (32 bit)".to_owned(),
            Self::Float64 => "float (64 bit)".to_owned(),
            Self::Decimal { precision, scale } | Self::DecimalText { precision, scale } => {
                format!("decimal({precision},{scale})")
            }
            Self::Number => "number".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Json => "json".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time { digits } => format!("time({digits})"),
            Self::Timestamp { digits, utc: false } => format!("timestamp({digits})"),
            Self::Timestamp { digits, utc: true } => format!("timestamp({digits}) with time zone"),
            Self::TimestampText => "timestamp".to_owned(),
        }
    }
}

/// A column's name and kind, as the journal keeps it to see whether a view has changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// As the view spells it.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_tells_its_kind() {
        for kind in [
            Kind::Number,
            Kind::Decimal { precision: 38, scale: 10 },
            Kind::Timestamp { digits: 3, utc: true },
            Kind::Date,
        ] {
            let field = kind.field("c");
            assert_eq!(Kind::of(&field), Some(kind));
            assert_eq!(field.data_type(), &kind.arrow_type());
        }
    }
}
