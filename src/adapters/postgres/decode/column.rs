//! One column of a page under construction: a value's bytes from the wire go straight to where Arrow keeps them.

use super::civil;
use super::numeric::Numeric;
use crate::adapters::postgres::kinds::Wire;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::ArrowError;
use std::sync::Arc;

/// Values of one column, in row order.
pub(super) struct Column {
    wire: Wire,
    values: Values,
}

enum Values {
    Bool(BooleanBuilder),
    Int(Primitive<Int64Type>),
    Float32(Primitive<Float32Type>),
    Float64(Primitive<Float64Type>),
    Decimal(Primitive<Decimal128Type>),
    Date(Primitive<Date32Type>),
    Time(Primitive<Time64NanosecondType>),
    Timestamp(Primitive<TimestampMicrosecondType>),
    /// The text, and room to write a number in.
    Text(StringBuilder, String),
    Bytes(BinaryBuilder),
}

struct Primitive<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

impl<T: ArrowPrimitiveType> Primitive<T> {
    fn new(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows) }
    }

    fn push(&mut self, value: T::Native) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    fn take(&mut self, rows: usize) -> Result<PrimitiveArray<T>, ArrowError> {
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(rows));
        PrimitiveArray::try_new(values.into(), self.nulls.finish())
    }
}

/// Fixed-size bytes of a value.
fn fixed<const N: usize>(wire: &[u8]) -> Result<[u8; N], String> {
    wire.try_into().map_err(|_| format!("the server sent {} bytes where {N} belong", wire.len()))
}

impl Column {
    /// An empty column with room for `rows` values.
    pub(super) fn new(wire: Wire, rows: usize) -> Self {
        let values = match wire {
            Wire::Bool => Values::Bool(BooleanBuilder::with_capacity(rows)),
            Wire::Int2 | Wire::Int4 | Wire::Int8 => Values::Int(Primitive::new(rows)),
            Wire::Float4 => Values::Float32(Primitive::new(rows)),
            Wire::Float8 => Values::Float64(Primitive::new(rows)),
            Wire::Decimal { .. } => Values::Decimal(Primitive::new(rows)),
            Wire::Date => Values::Date(Primitive::new(rows)),
            Wire::Time { .. } => Values::Time(Primitive::new(rows)),
            Wire::Timestamp { .. } => Values::Timestamp(Primitive::new(rows)),
            Wire::Number | Wire::Text | Wire::Uuid | Wire::Json | Wire::Jsonb | Wire::Cast => {
                Values::Text(StringBuilder::with_capacity(rows, rows * 8), String::new())
            }
            Wire::Bytes => Values::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
        };
        Self { wire, values }
    }

    /// Appends a value.
    ///
    /// # Errors
    /// Says why it cannot be carried exactly; nothing is appended then.
    #[inline]
    pub(super) fn push(&mut self, wire: &[u8]) -> Result<(), String> {
        match &mut self.values {
            Values::Bool(values) => values.append_value(fixed::<1>(wire)?[0] != 0),
            Values::Int(values) => values.push(match self.wire {
                Wire::Int2 => i64::from(i16::from_be_bytes(fixed(wire)?)),
                Wire::Int4 => i64::from(i32::from_be_bytes(fixed(wire)?)),
                _ => i64::from_be_bytes(fixed(wire)?),
            }),
            Values::Float32(values) => values.push(f32::from_be_bytes(fixed(wire)?)),
            Values::Float64(values) => values.push(f64::from_be_bytes(fixed(wire)?)),
            Values::Decimal(values) => values.push(decimal(wire, self.wire)?),
            Values::Date(values) => values.push(civil::date(i32::from_be_bytes(fixed(wire)?))?),
            Values::Time(values) => values.push(civil::time(i64::from_be_bytes(fixed(wire)?))?),
            Values::Timestamp(values) => values.push(civil::timestamp(i64::from_be_bytes(fixed(wire)?))?),
            Values::Text(values, scratch) => push_text(values, scratch, self.wire, wire)?,
            Values::Bytes(values) => values.append_value(wire),
        }
        Ok(())
    }

    /// Appends NULL.
    #[inline]
    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Bool(values) => values.append_null(),
            Values::Int(values) => values.push_null(),
            Values::Float32(values) => values.push_null(),
            Values::Float64(values) => values.push_null(),
            Values::Decimal(values) => values.push_null(),
            Values::Date(values) => values.push_null(),
            Values::Time(values) => values.push_null(),
            Values::Timestamp(values) => values.push_null(),
            Values::Text(values, _) => values.append_null(),
            Values::Bytes(values) => values.append_null(),
        }
    }

    /// Hands the values out and begins anew with room for `rows`.
    ///
    /// # Errors
    /// Never for what was pushed; Arrow's checks are kept all the same.
    pub(super) fn take(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match &mut self.values {
            Values::Bool(values) => Arc::new(values.finish()),
            Values::Int(values) => Arc::new(values.take(rows)?),
            Values::Float32(values) => Arc::new(values.take(rows)?),
            Values::Float64(values) => Arc::new(values.take(rows)?),
            Values::Decimal(values) => {
                let array = values.take(rows)?;
                match self.wire {
                    Wire::Decimal { precision, scale } => {
                        Arc::new(array.with_precision_and_scale(precision, scale.cast_signed())?)
                    }
                    _ => Arc::new(array),
                }
            }
            Values::Date(values) => Arc::new(values.take(rows)?),
            Values::Time(values) => Arc::new(values.take(rows)?),
            Values::Timestamp(values) => {
                let array = values.take(rows)?;
                let utc = matches!(self.wire, Wire::Timestamp { utc: true, .. });
                if utc { Arc::new(array.with_timezone("UTC")) } else { Arc::new(array) }
            }
            Values::Text(values, _) => {
                let bytes = values.values_slice().len();
                let next = StringBuilder::with_capacity(rows, bytes);
                Arc::new(std::mem::replace(values, next).finish())
            }
            Values::Bytes(values) => {
                let bytes = values.values_slice().len();
                let next = BinaryBuilder::with_capacity(rows, bytes);
                Arc::new(std::mem::replace(values, next).finish())
            }
        })
    }
}

fn decimal(bytes: &[u8], wire: Wire) -> Result<i128, String> {
    let number = Numeric::read(bytes).ok_or("the server sent a number that cannot be read")?;
    if let Some(word) = number.special() {
        return Err(no_number(word));
    }
    let Wire::Decimal { precision, scale } = wire else { return Err("the column is no decimal".to_owned()) };
    let fits = |value: &i128| value.unsigned_abs() < 10_u128.pow(u32::from(precision));
    number.scaled(scale).filter(fits).ok_or_else(|| {
        let mut text = String::new();
        number.write(&mut text);
        format!("`{text}` does not fit into numeric({precision},{scale}), which the view promises")
    })
}

fn no_number(word: &str) -> String {
    format!("`{word}` is not a number that a file can hold; give NULL or a text for it in the view")
}

fn push_text(values: &mut StringBuilder, scratch: &mut String, wire: Wire, bytes: &[u8]) -> Result<(), String> {
    match wire {
        Wire::Number => {
            let number = Numeric::read(bytes).ok_or("the server sent a number that cannot be read")?;
            if let Some(word) = number.special() {
                return Err(no_number(word));
            }
            scratch.clear();
            number.write(scratch);
            values.append_value(&scratch);
        }
        Wire::Uuid => values.append_value(utf8(&uuid(fixed(bytes)?))?),
        Wire::Jsonb => values.append_value(utf8(jsonb(bytes)?)?),
        _ => values.append_value(utf8(bytes)?),
    }
    Ok(())
}

/// Drops the version byte that precedes the text of a `jsonb`.
fn jsonb(bytes: &[u8]) -> Result<&[u8], String> {
    match bytes.split_first() {
        Some((1, text)) => Ok(text),
        _ => Err("the server sent a version of jsonb that is not known".to_owned()),
    }
}

/// Text as the server sends it: in a database with the encoding SQL_ASCII that may be anything.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes)
        .map_err(|error| format!("the text is not valid UTF-8 at byte {}; convert it in the view", error.valid_up_to()))
}

/// Lower-case hexadecimal with hyphens.
pub(super) fn uuid(bytes: [u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

const HEX: [u8; 16] = *b"0123456789abcdef";
