//! One column of a page while it fills: the client library's values into Arrow builders, exactly.

use super::civil::{self, Moment};
use super::describe::Seen;
use crate::adapters::decimal::Decimal;
use crate::core::model::column::Kind;
use arrow_array::ArrayRef;
use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder, Int64Builder,
    StringBuilder, Time64NanosecondBuilder, TimestampMicrosecondBuilder,
};
use std::sync::Arc;
use tiberius::ColumnData;

/// A column's values so far.
pub(super) struct Cells {
    seen: Seen,
    builder: Builder,
    /// For texts that are made here.
    scratch: String,
}

enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64NanosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

/// A value that is not of the column's type: the server's own description would be wrong.
const STRANGE: &str = "the server sent a value of another type than it described; report this";

impl Cells {
    /// An empty column.
    pub(super) fn new(seen: Seen) -> Self {
        let builder = match seen.kind {
            Kind::Bool => Builder::Bool(BooleanBuilder::new()),
            Kind::Int => Builder::Int(Int64Builder::new()),
            Kind::Float32 => Builder::Float32(Float32Builder::new()),
            Kind::Float64 => Builder::Float64(Float64Builder::new()),
            Kind::Decimal { precision, scale } => {
                let builder = Decimal128Builder::new().with_data_type(seen.kind.arrow_type());
                Builder::Decimal(builder, precision, scale.unsigned_abs())
            }
            Kind::Bytes => Builder::Bytes(BinaryBuilder::new()),
            Kind::Date => Builder::Date(Date32Builder::new()),
            Kind::Time { .. } => Builder::Time(Time64NanosecondBuilder::new()),
            Kind::Timestamp { .. } => Builder::Timestamp(TimestampMicrosecondBuilder::new()),
            Kind::Number | Kind::Text | Kind::Uuid | Kind::Json | Kind::TimestampText => {
                Builder::Text(StringBuilder::new())
            }
        };
        Self { seen, builder, scratch: String::new() }
    }

    /// The column.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Takes one value and returns its size in bytes; an error says why it cannot be carried.
    pub(super) fn push(&mut self, value: &ColumnData<'_>) -> Result<usize, &'static str> {
        match (&mut self.builder, value) {
            (Builder::Bool(builder), ColumnData::Bit(value)) => {
                builder.append_option(*value);
                Ok(1)
            }
            (Builder::Int(builder), value) => {
                builder.append_option(integer(value).ok_or(STRANGE)?);
                Ok(8)
            }
            (Builder::Float32(builder), ColumnData::F32(value)) => {
                builder.append_option(*value);
                Ok(4)
            }
            (Builder::Float64(builder), ColumnData::F64(value)) => {
                builder.append_option(*value);
                Ok(8)
            }
            (Builder::Decimal(builder, precision, scale), ColumnData::Numeric(value)) => {
                let fitting = |number: &i128| Decimal::fits(*number, *precision);
                let unscaled = value.map(|value| {
                    let number = Decimal { unscaled: value.value(), scale: value.scale() };
                    number.at_scale(*scale).filter(fitting).ok_or(STRANGE)
                });
                builder.append_option(unscaled.transpose()?);
                Ok(16)
            }
            (Builder::Bytes(builder), ColumnData::Binary(value)) => {
                builder.append_option(value.as_deref());
                Ok(value.as_ref().map_or(0, |bytes| bytes.len()))
            }
            (Builder::Date(builder), ColumnData::Date(value)) => {
                let days = value.map(|date| civil::days(date).and_then(|days| i32::try_from(days).ok()).ok_or(STRANGE));
                builder.append_option(days.transpose()?);
                Ok(4)
            }
            (Builder::Time(builder), ColumnData::Time(value)) => {
                builder.append_option(value.map(|time| civil::nanos(time).ok_or(STRANGE)).transpose()?);
                Ok(8)
            }
            (Builder::Timestamp(builder), value) => {
                builder.append_option(moment(value)?.map(Moment::micros));
                Ok(8)
            }
            (Builder::Text(builder), value) => {
                self.scratch.clear();
                let text = text(value, &mut self.scratch)?;
                builder.append_option(text);
                Ok(text.map_or(0, str::len))
            }
            _ => Err(STRANGE),
        }
    }

    /// The values so far as an array; starts anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match &mut self.builder {
            Builder::Bool(builder) => Arc::new(builder.finish()),
            Builder::Int(builder) => Arc::new(builder.finish()),
            Builder::Float32(builder) => Arc::new(builder.finish()),
            Builder::Float64(builder) => Arc::new(builder.finish()),
            Builder::Decimal(builder, ..) => Arc::new(builder.finish()),
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Bytes(builder) => Arc::new(builder.finish()),
            Builder::Date(builder) => Arc::new(builder.finish()),
            Builder::Time(builder) => Arc::new(builder.finish()),
            Builder::Timestamp(builder) => Arc::new(builder.finish()),
        }
    }
}

/// A whole number; the outer option is none for anything else.
#[allow(clippy::option_option, reason = "not a whole number, and NULL, are two answers")]
pub(super) fn integer(value: &ColumnData<'_>) -> Option<Option<i64>> {
    match value {
        ColumnData::U8(value) => Some(value.map(i64::from)),
        ColumnData::I16(value) => Some(value.map(i64::from)),
        ColumnData::I32(value) => Some(value.map(i64::from)),
        ColumnData::I64(value) => Some(*value),
        _ => None,
    }
}

/// A point on the calendar without an offset.
pub(super) fn moment(value: &ColumnData<'_>) -> Result<Option<Moment>, &'static str> {
    let moment = match value {
        ColumnData::DateTime2(value) => value.map(Moment::of_datetime2),
        ColumnData::DateTime(value) => value.map(Moment::of_datetime),
        ColumnData::SmallDateTime(value) => value.map(Moment::of_smalldatetime),
        _ => return Err(STRANGE),
    };
    moment.map(|moment| moment.ok_or(STRANGE)).transpose()
}

/// The text of a value that travels as text; made in `scratch` where it is not there already.
fn text<'a>(value: &'a ColumnData<'_>, scratch: &'a mut String) -> Result<Option<&'a str>, &'static str> {
    match value {
        ColumnData::String(value) => return Ok(value.as_deref()),
        ColumnData::Xml(value) => return Ok(value.as_ref().map(|xml| (**xml).as_ref())),
        ColumnData::Guid(None) | ColumnData::DateTime2(None) | ColumnData::DateTimeOffset(None) => return Ok(None),
        ColumnData::Guid(Some(value)) => {
            let mut buffer = tiberius::Uuid::encode_buffer();
            scratch.push_str(value.hyphenated().encode_lower(&mut buffer));
        }
        ColumnData::DateTime2(Some(value)) => Moment::of_datetime2(*value).ok_or(STRANGE)?.write(scratch),
        ColumnData::DateTimeOffset(Some(value)) => civil::offset(*value, scratch).ok_or(STRANGE)?,
        _ => return Err(STRANGE),
    }
    Ok(Some(scratch))
}
