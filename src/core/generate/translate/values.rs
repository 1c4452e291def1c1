//! One column of a page as typed values, and the default text form of each kind.

use super::date_format::Moment;
use super::float_text::{no_number, with_float_text};
use super::short::{push_int, push_part};
use crate::core::generate::spec::BytesForm;
use crate::core::model::column::Kind;
use crate::core::model::decimal::push_scaled;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    StringArray, Time64NanosecondArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field};

/// A column's array, downcast once per page.
#[derive(Clone, Copy)]
pub(super) enum Values<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    /// The second is the scale.
    Decimal(&'a Decimal128Array, u8),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    /// The second is the number of fraction digits.
    Time(&'a Time64NanosecondArray, u8),
    /// The second is the number of fraction digits, the third whether the values are instants in UTC.
    Timestamp(&'a TimestampMicrosecondArray, u8, bool),
}

impl<'a> Values<'a> {
    /// Downcasts an array of a column of `kind`. `None` when the array has another type.
    pub(super) fn of(array: &'a dyn Array, kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Bool => Self::Bool(array.as_boolean_opt()?),
            Kind::Int => Self::Int(array.as_primitive_opt::<Int64Type>()?),
            Kind::Float32 => Self::Float32(array.as_primitive_opt::<Float32Type>()?),
            Kind::Float64 => Self::Float64(array.as_primitive_opt::<Float64Type>()?),
            Kind::Decimal { scale, .. } => {
                Self::Decimal(array.as_primitive_opt::<Decimal128Type>()?, scale.try_into().ok()?)
            }
            Kind::DecimalText { .. } | Kind::Number | Kind::Text | Kind::Uuid | Kind::Json | Kind::TimestampText => {
                Self::Text(array.as_string_opt()?)
            }
            Kind::Bytes => Self::Bytes(array.as_binary_opt()?),
            Kind::Date => Self::Date(array.as_primitive_opt::<Date32Type>()?),
            Kind::Time { digits } => Self::Time(array.as_primitive_opt::<Time64NanosecondType>()?, digits),
            Kind::Timestamp { digits, utc } => {
                Self::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?, digits, utc)
            }
        })
    }

    /// Downcasts by the field alone, for callers that were not told the kind.
    pub(super) fn of_field(array: &'a dyn Array, field: &Field) -> Option<Self> {
        // Most types say all there is to know; reading the kind from metadata costs more than writing a value.
        let kind = match field.data_type() {
            DataType::Boolean => Kind::Bool,
            DataType::Int64 => Kind::Int,
            DataType::Float32 => Kind::Float32,
            DataType::Float64 => Kind::Float64,
            DataType::Decimal128(precision, scale) => Kind::Decimal { precision: *precision, scale: *scale },
            DataType::Utf8 => Kind::Text,
            DataType::Binary => Kind::Bytes,
            DataType::Date32 => Kind::Date,
            _ => Kind::of(field)?,
        };
        Self::of(array, kind)
    }

    /// The array itself.
    pub(super) fn array(&self) -> &'a dyn Array {
        match self {
            Self::Bool(array) => *array,
            Self::Int(array) => *array,
            Self::Float32(array) => *array,
            Self::Float64(array) => *array,
            Self::Decimal(array, _) => *array,
            Self::Text(array) => *array,
            Self::Bytes(array) => *array,
            Self::Date(array) => *array,
            Self::Time(array, _) => *array,
            Self::Timestamp(array, ..) => *array,
        }
    }

    /// Whether the row's value is NULL; also beyond the last row.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        row >= self.array().len() || self.array().is_null(row)
    }

    /// What the row holds when the column is one of dates or times.
    #[inline]
    pub(super) fn moment(&self, row: usize) -> Option<Result<Moment, String>> {
        match self {
            Self::Date(array) => Some(Moment::from_days(array.value(row))),
            Self::Time(array, _) => Some(Moment::from_nanos_of_day(array.value(row))),
            Self::Timestamp(array, _, utc) => Some(Moment::from_micros(array.value(row), *utc)),
            _ => None,
        }
    }

    /// Appends the default text form of a value that is not NULL.
    ///
    /// # Errors
    /// Behind the column's name: what the value is that cannot be written.
    #[inline]
    pub(super) fn push(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Int(array) => push_int(out, array.value(row)),
            Self::Text(array) => push_text(array, row, out),
            Self::Decimal(array, scale) => push_scaled(out, array.value(row), *scale),
            Self::Bool(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Self::Float32(array) => return push_float(array.value(row), out),
            Self::Float64(array) => return push_float(array.value(row), out),
            Self::Bytes(array) => push_bytes(BytesForm::Hex, array.value(row), false, out),
            Self::Date(array) => Moment::from_days(array.value(row))?.push_iso(0, out),
            Self::Time(array, digits) => Moment::from_nanos_of_day(array.value(row))?.push_iso(*digits, out),
            Self::Timestamp(array, digits, utc) => {
                Moment::from_micros(array.value(row), *utc)?.push_iso(*digits, out);
            }
        }
        Ok(())
    }
}

/// Appends a text that is not NULL as it is.
#[inline]
pub(super) fn push_text(array: &StringArray, row: usize, out: &mut Vec<u8>) {
    let offset = |at: usize| array.value_offsets().get(at).and_then(|offset| usize::try_from(*offset).ok());
    if let (Some(start), Some(end)) = (offset(row), offset(row + 1)) {
        push_part(out, array.value_data(), start, end);
    }
}

#[inline]
fn push_float<F: zmij::Float + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) -> Result<(), String> {
    with_float_text(value, |text| out.extend_from_slice(text)).ok_or_else(|| no_number(value.into()))
}

/// Appends bytes as hexadecimal digits, with the marks of their form.
pub(super) fn push_bytes(form: BytesForm, bytes: &[u8], upper: bool, out: &mut Vec<u8>) {
    const MARK: &[u8] = b"\\x";
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    out.reserve(bytes.len() * 2);
    if form == BytesForm::Prefixed {
        out.extend_from_slice(MARK);
    }
    for byte in bytes {
        if form == BytesForm::Escaped {
            out.extend_from_slice(MARK);
        }
        out.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 0x0F)]]);
    }
}
