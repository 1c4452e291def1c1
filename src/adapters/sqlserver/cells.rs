//! One column of a page while it fills: the server's values into Arrow builders, exactly.

use super::civil;
use super::describe::Seen;
use super::tds::{Value, utf8};
use crate::core::model::column::Kind;
use crate::core::model::decimal::Decimal;
use arrow_array::ArrayRef;
use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder, Int64Builder,
    StringBuilder, Time64NanosecondBuilder, TimestampMicrosecondBuilder,
};
use std::sync::Arc;
use uuid::Uuid;

/// A column's values so far.
pub(super) struct Cells {
    seen: Seen,
    builder: Builder,
    /// For texts that are made here.
    scratch: Vec<u8>,
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

/// The error for a value that is not of the column's type. The server's own description would then be wrong.
const STRANGE: &str = "the server sent a value of another type than it described; report this";

/// Bytes of a column's values in one page, at most: Arrow's offsets have 31 bits.
const MOST_BYTES: usize = i32::MAX as usize;

const TOO_MUCH: &str = "its page would hold more than 2 GiB of this column; use a smaller page_bytes or page_size";

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
            Kind::DecimalText { .. } | Kind::Number | Kind::Text | Kind::Uuid | Kind::Json | Kind::TimestampText => {
                Builder::Text(StringBuilder::new())
            }
        };
        Self { seen, builder, scratch: Vec::new() }
    }

    /// The column.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Takes one value and returns its size in bytes; an error says why it cannot be carried.
    #[inline]
    pub(super) fn push(&mut self, value: Value<'_>) -> Result<usize, &'static str> {
        match (&mut self.builder, value) {
            (builder, Value::Null) => {
                builder.null();
                Ok(0)
            }
            (Builder::Int(builder), Value::Int(value)) => {
                builder.append_value(value);
                Ok(8)
            }
            (Builder::Text(builder), Value::Wide(bytes)) => text(builder, utf8(&bytes, None, &mut self.scratch)?),
            (Builder::Text(builder), Value::Narrow(bytes, encoding)) => {
                text(builder, utf8(&bytes, Some(encoding), &mut self.scratch)?)
            }
            (Builder::Decimal(builder, precision, scale), Value::Decimal(value)) => {
                let fitting = |number: &i128| Decimal::fits(*number, *precision);
                builder.append_value(value.at_scale(*scale).filter(fitting).ok_or(STRANGE)?);
                Ok(16)
            }
            (Builder::Timestamp(builder), Value::Moment(value)) => {
                builder.append_value(value.micros());
                Ok(8)
            }
            (Builder::Date(builder), Value::Date(days)) => {
                builder.append_value(i32::try_from(days).map_err(|_| STRANGE)?);
                Ok(4)
            }
            (Builder::Time(builder), Value::Time(nanos, _)) => {
                builder.append_value(nanos);
                Ok(8)
            }
            (Builder::Bool(builder), Value::Bit(value)) => {
                builder.append_value(value);
                Ok(1)
            }
            (Builder::Float64(builder), Value::Float64(value)) => {
                builder.append_value(value);
                Ok(8)
            }
            (Builder::Float32(builder), Value::Float32(value)) => {
                builder.append_value(value);
                Ok(4)
            }
            (Builder::Bytes(builder), Value::Bytes(value)) => {
                if builder.values_slice().len() + value.len() > MOST_BYTES {
                    return Err(TOO_MUCH);
                }
                builder.append_value(&value);
                Ok(value.len())
            }
            (Builder::Text(builder), value) => text(builder, &made(&value).ok_or(STRANGE)?),
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

impl Builder {
    fn null(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal(builder, ..) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Bytes(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
        }
    }
}

fn text(builder: &mut StringBuilder, text: &str) -> Result<usize, &'static str> {
    if builder.values_slice().len() + text.len() > MOST_BYTES {
        return Err(TOO_MUCH);
    }
    builder.append_value(text);
    Ok(text.len())
}

/// The text of a value that travels as another type.
fn made(value: &Value<'_>) -> Option<String> {
    let mut text = String::new();
    match value {
        Value::Guid(bytes) => guid(bytes, &mut text),
        Value::Moment(moment) => moment.write(&mut text),
        Value::Offset(moment, minutes) => civil::offset(*moment, *minutes, &mut text)?,
        _ => return None,
    }
    Some(text)
}

/// `6f9619ff-8b86-d011-b42d-00c04fc964ff`.
pub(super) fn guid(bytes: &[u8; 16], out: &mut String) {
    out.push_str(Uuid::from_bytes(*bytes).hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}
