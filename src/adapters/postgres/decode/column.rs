//! One column of a page under construction: a value's text goes straight to where Arrow keeps it.

use super::value::{boolean, bytes, decimal, digits, float, is_no_number, no_number, number, strange, whole};
use super::{civil, nested};
use crate::adapters::postgres::kinds::Wire;
use crate::adapters::postgres::nested::Nested;
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
    /// What the values of [`Wire::Nested`] are made of.
    nested: Option<Arc<Nested>>,
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
    Text(StringBuilder),
    Bytes(BinaryBuilder),
}

struct Primitive<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

/// A value that cannot be carried.
pub(super) struct Strange {
    /// How many values came before it.
    pub(super) row: usize,
    /// What is wrong with it.
    pub(super) reason: String,
}

/// Gives one field after the other away, until one is refused.
#[inline]
fn each<'a>(
    fields: impl Iterator<Item = Option<&'a str>>,
    mut take: impl FnMut(Option<&'a str>) -> Result<(), String>,
) -> Result<(), Strange> {
    for (row, field) in fields.enumerate() {
        take(field).map_err(|reason| Strange { row, reason })?;
    }
    Ok(())
}

impl<T: ArrowPrimitiveType> Primitive<T> {
    fn new(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), nulls: NullBufferBuilder::new(rows) }
    }

    fn extend<'a>(
        &mut self,
        fields: impl Iterator<Item = Option<&'a str>>,
        parse: impl Fn(&str) -> Result<T::Native, String>,
    ) -> Result<(), Strange> {
        each(fields, |text| {
            if let Some(text) = text {
                self.values.push(parse(text)?);
                self.nulls.append_non_null();
            } else {
                self.values.push(T::Native::default());
                self.nulls.append_null();
            }
            Ok(())
        })
    }

    fn take(&mut self, rows: usize) -> Result<PrimitiveArray<T>, ArrowError> {
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(rows));
        PrimitiveArray::try_new(values.into(), self.nulls.finish())
    }
}

impl Column {
    /// An empty column with room for `rows` values.
    pub(super) fn new(wire: Wire, nested: Option<Arc<Nested>>, rows: usize) -> Self {
        let values = match wire {
            Wire::Bool => Values::Bool(BooleanBuilder::with_capacity(rows)),
            Wire::Int | Wire::Oid => Values::Int(Primitive::new(rows)),
            Wire::Float4 => Values::Float32(Primitive::new(rows)),
            Wire::Float8 => Values::Float64(Primitive::new(rows)),
            Wire::Decimal { .. } | Wire::Money => Values::Decimal(Primitive::new(rows)),
            Wire::Date => Values::Date(Primitive::new(rows)),
            Wire::Time { .. } => Values::Time(Primitive::new(rows)),
            Wire::Timestamp { .. } => Values::Timestamp(Primitive::new(rows)),
            Wire::Number | Wire::Text | Wire::Uuid | Wire::Json | Wire::Nested | Wire::Cast | Wire::Unknown => {
                Values::Text(StringBuilder::with_capacity(rows, rows * 8))
            }
            Wire::Bytes => Values::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
        };
        Self { wire, nested, values }
    }

    /// Appends values, in row order; none is NULL.
    ///
    /// # Errors
    /// At the first that cannot be carried exactly; those before it are appended.
    pub(super) fn extend<'a>(&mut self, fields: impl Iterator<Item = Option<&'a str>>) -> Result<(), Strange> {
        let wire = self.wire;
        match &mut self.values {
            Values::Bool(values) => each(fields, |text| {
                values.append_option(text.map(boolean).transpose()?);
                Ok(())
            }),
            Values::Int(values) => values.extend(fields, whole),
            Values::Float32(values) => values.extend(fields, number),
            Values::Float64(values) => values.extend(fields, float),
            Values::Decimal(values) => values.extend(fields, |text| decimal(text, wire)),
            Values::Date(values) => values.extend(fields, civil::date),
            Values::Time(values) => values.extend(fields, civil::time),
            Values::Timestamp(values) => values.extend(fields, civil::timestamp),
            Values::Text(values) => each(fields, |text| match text {
                Some(text) if let Some(nested) = &self.nested => {
                    let mut json = String::new();
                    nested::write(nested, text, &mut json)?;
                    values.append_value(json);
                    Ok(())
                }
                Some(text) if wire == Wire::Number && is_no_number(text) => Err(no_number(text)),
                text => {
                    values.append_option(text);
                    Ok(())
                }
            }),
            Values::Bytes(values) => each(fields, |text| {
                let value = |text| {
                    bytes(text).and_then(|digits| hex::decode(digits).ok()).ok_or_else(|| strange(text, "bytes"))
                };
                values.append_option(text.map(value).transpose()?);
                Ok(())
            }),
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
                match digits(self.wire) {
                    Some((precision, scale)) => {
                        Arc::new(array.with_precision_and_scale(precision, scale.cast_signed())?)
                    }
                    None => Arc::new(array),
                }
            }
            Values::Date(values) => Arc::new(values.take(rows)?),
            Values::Time(values) => Arc::new(values.take(rows)?),
            Values::Timestamp(values) => {
                let array = values.take(rows)?;
                let utc = matches!(self.wire, Wire::Timestamp { utc: true, .. });
                if utc { Arc::new(array.with_timezone("UTC")) } else { Arc::new(array) }
            }
            Values::Text(values) => {
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
