//! One column of the page under construction: takes SQLite's values, gives an Arrow array.

use super::convert;
use super::declared::fraction_digits;
use super::view::Seen;
use crate::core::model::column::Kind;
use crate::core::model::decimal::Decimal;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64NanosecondArray,
};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBufferBuilder, OffsetBuffer};
use rusqlite::types::{Value, ValueRef};
use std::sync::Arc;

/// Whole numbers up to this size are floats exactly.
const EXACT_IN_FLOAT: i64 = 1 << 53;

const NOT_UTF8: &str = "its text is not valid UTF-8; store it as UTF-8, or write hex(…) in the view";

/// Characters of a bad value that a message shows.
const SHOWN: usize = 40;

/// A column under construction.
pub(super) struct Cells {
    name: String,
    declared: String,
    /// `None` until the first page has told.
    kind: Option<Kind>,
    values: Values,
    nulls: NullBufferBuilder,
    /// Fraction digits that a declared timestamp asks for.
    digits: usize,
}

enum Values {
    /// The first page of a column that declares nothing.
    Undecided(Vec<Value>),
    Bool(BooleanBufferBuilder),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Decimal {
        unscaled: Vec<i128>,
        precision: u8,
        scale: i8,
    },
    /// Text taken as it is.
    Text(Bytes),
    /// Text of a form of its own, and bytes.
    Formed(Bytes),
    Date(Vec<i32>),
    Time(Vec<i64>),
}

/// Values one behind the other, and where each ends.
struct Bytes {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Bytes {
    fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { ends, bytes: Vec::new() }
    }

    /// Closes the value that was appended; its size in bytes.
    fn close(&mut self) -> Result<usize, String> {
        let before = self.ends.last().copied().unwrap_or(0);
        let end = i32::try_from(self.bytes.len()).map_err(|_| "a page's text has more than 2 GiB; lower page_bytes")?;
        self.ends.push(end);
        Ok(usize::try_from(end - before).unwrap_or(0))
    }

    fn push(&mut self, value: &[u8]) -> Result<usize, String> {
        self.bytes.extend_from_slice(value);
        self.close()
    }
}

impl Values {
    fn new(kind: Option<Kind>, rows: usize) -> Self {
        match kind {
            None => Self::Undecided(Vec::with_capacity(rows)),
            Some(Kind::Bool) => Self::Bool(BooleanBufferBuilder::new(rows)),
            Some(Kind::Int) => Self::Int(Vec::with_capacity(rows)),
            Some(Kind::Float64 | Kind::Float32) => Self::Float(Vec::with_capacity(rows)),
            Some(Kind::Decimal { precision, scale }) => {
                Self::Decimal { unscaled: Vec::with_capacity(rows), precision, scale }
            }
            Some(Kind::Text) => Self::Text(Bytes::new(rows)),
            Some(
                Kind::DecimalText { .. }
                | Kind::Number
                | Kind::Uuid
                | Kind::Json
                | Kind::TimestampText
                | Kind::Timestamp { .. }
                | Kind::Bytes,
            ) => Self::Formed(Bytes::new(rows)),
            Some(Kind::Date) => Self::Date(Vec::with_capacity(rows)),
            Some(Kind::Time { .. }) => Self::Time(Vec::with_capacity(rows)),
        }
    }
}

impl Cells {
    /// An empty column of what the view declares.
    pub(super) fn new(seen: &Seen, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            declared: seen.declared.clone(),
            kind: seen.kind,
            values: Values::new(seen.kind, 0),
            nulls: NullBufferBuilder::new(0),
            digits: fraction_digits(&seen.declared),
        }
    }

    /// Adds a value; its size in bytes. The error says what is wrong with the value and what to do.
    #[inline]
    pub(super) fn push(&mut self, value: &ValueRef<'_>) -> Result<usize, String> {
        let size = match (&mut self.values, value) {
            (Values::Int(values), ValueRef::Integer(value)) => {
                values.push(*value);
                8
            }
            (Values::Float(values), ValueRef::Real(value)) => {
                values.push(*value);
                8
            }
            (Values::Text(text), ValueRef::Text(value)) => {
                check_utf8(value)?;
                text.push(value)?
            }
            (Values::Undecided(values), value) => {
                values.push(Value::try_from(*value).map_err(|_| NOT_UTF8)?);
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value { bytes.len() } else { 8 }
            }
            (_, ValueRef::Null) => {
                self.pad()?;
                self.nulls.append_null();
                return Ok(1);
            }
            _ => self.convert(*value)?,
        };
        self.nulls.append_non_null();
        Ok(size)
    }

    /// Puts something where NULL stands.
    fn pad(&mut self) -> Result<(), String> {
        match &mut self.values {
            Values::Undecided(values) => values.push(Value::Null),
            Values::Bool(values) => values.append(false),
            Values::Int(values) | Values::Time(values) => values.push(0),
            Values::Float(values) => values.push(0.0),
            Values::Decimal { unscaled, .. } => unscaled.push(0),
            Values::Text(text) | Values::Formed(text) => text.close().map(drop)?,
            Values::Date(values) => values.push(0),
        }
        Ok(())
    }

    /// Adds a value that is not stored as its kind is carried.
    fn convert(&mut self, value: ValueRef<'_>) -> Result<usize, String> {
        let fits = match (&mut self.values, value) {
            (Values::Bool(values), value) => truth(value).map(|truth| values.append(truth)),
            // What an expression with a declared type on one side only may give: 2.0 for 2, and 2 for 2.0.
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "whole and in range")]
            (Values::Int(values), ValueRef::Real(value)) => {
                (value.fract() == 0.0 && value.abs() <= EXACT_IN_FLOAT as f64).then(|| values.push(value as i64))
            }
            #[expect(clippy::cast_precision_loss, reason = "in range")]
            (Values::Float(values), ValueRef::Integer(value)) => {
                (-EXACT_IN_FLOAT..=EXACT_IN_FLOAT).contains(&value).then(|| values.push(value as f64))
            }
            (Values::Decimal { unscaled, precision, scale }, value) => {
                let scale = scale.unsigned_abs();
                let exact = match value {
                    ValueRef::Real(value) => convert::scaled(value, scale),
                    value => convert::number(value).and_then(|number| number.at_scale(scale)),
                };
                exact.filter(|exact| Decimal::fits(*exact, *precision)).map(|exact| unscaled.push(exact))
            }
            (Values::Date(values), ValueRef::Text(text)) => convert::days(text).map(|days| values.push(days)),
            (Values::Time(values), ValueRef::Text(text)) => convert::nanoseconds(text).map(|nanos| values.push(nanos)),
            // A column of a type that SQLite itself does not know as text keeps `5` as a number.
            (Values::Text(text), ValueRef::Integer(value)) => {
                text.bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                return text.close();
            }
            (Values::Text(text), ValueRef::Real(value)) => {
                text.bytes.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
                return text.close();
            }
            (Values::Formed(out), value) => {
                if form(self.kind, self.digits, value, &mut out.bytes) {
                    return out.close();
                }
                None
            }
            _ => None,
        };
        fits.map(|()| 8).ok_or_else(|| self.misfit(value))
    }

    /// What is wrong with a value that does not fit, and what to do.
    fn misfit(&self, value: ValueRef<'_>) -> String {
        let name = &self.name;
        let kind = self.kind.map_or_else(String::new, Kind::describe);
        let (stored, shown) = match value {
            ValueRef::Null => ("NULL", String::new()),
            ValueRef::Integer(value) => ("a whole number", value.to_string()),
            ValueRef::Real(value) => ("a float", format!("{value:?}")),
            ValueRef::Text([]) if !self.declared.is_empty() => {
                return format!(
                    "it is an empty text, which is no {kind}; \
                     if it means NULL, write NULLIF(\"{name}\", '') in the view, else correct the row"
                );
            }
            ValueRef::Text(text) => ("text", format!("'{}'", String::from_utf8_lossy(text))),
            ValueRef::Blob(bytes) => ("bytes", format!("{} of them", bytes.len())),
        };
        let mut shown: String = shown.chars().take(SHOWN + 1).collect();
        if shown.chars().count() > SHOWN {
            shown.pop();
            shown.push('…');
        }
        let advice = match self.kind {
            _ if self.declared.is_empty() => {
                return format!(
                    "the value is {stored} ({shown}), but the first page's values made the column a {kind}; \
                     it declares no type, so CAST it to one in the view"
                );
            }
            Some(Kind::Date) => "a date is text, YYYY-MM-DD; for a Unix time write date(…, 'unixepoch') in the view",
            Some(Kind::TimestampText) => {
                "a timestamp is text, YYYY-MM-DD HH:MM:SS; for a Unix time write datetime(…, 'unixepoch') in the view"
            }
            Some(Kind::Decimal { .. } | Kind::DecimalText { .. }) => {
                "correct the row, or ROUND and CAST the column in the view"
            }
            Some(Kind::Json) => "store JSON text, or write json(…) in the view",
            _ => "correct the row, or CAST the column in the view",
        };
        format!("the value is {stored} ({shown}) and does not fit `{}`, a {kind}; {advice}", self.declared)
    }

    /// Decides the kind of a column that declares none, from the values of the first page.
    ///
    /// Whole numbers become [`Kind::Number`] and not [`Kind::Int`]: `COALESCE(rate, 0)` may give whole numbers for a page and
    /// floats later. Without any value it is text, which takes whatever follows.
    pub(super) fn decide(&mut self) -> Result<(), String> {
        let Values::Undecided(values) = &mut self.values else { return Ok(()) };
        let values = std::mem::take(values);
        let any = |test: fn(&Value) -> bool| values.iter().any(test);
        let kind = if any(|value| matches!(value, Value::Blob(_))) {
            Kind::Bytes
        } else if any(|value| matches!(value, Value::Text(_))) {
            Kind::Text
        } else if any(|value| matches!(value, Value::Integer(_))) {
            Kind::Number
        } else if any(|value| matches!(value, Value::Real(_))) {
            Kind::Float64
        } else {
            Kind::Text
        };
        self.kind = Some(kind);
        self.values = Values::new(Some(kind), values.len());
        self.nulls = NullBufferBuilder::new(values.len());
        values.iter().try_for_each(|value| self.push(&value.into()).map(drop))
    }

    /// The column's kind; text as long as nothing has told.
    pub(super) fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Text)
    }

    /// The name that the query gave the column.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The finished column; what follows belongs to the next page.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, String> {
        let rows = self.nulls.len();
        let nulls = self.nulls.finish();
        let values = std::mem::replace(&mut self.values, Values::new(self.kind, rows));
        let wrong = |error: arrow_schema::ArrowError| error.to_string();
        Ok(match values {
            // Decided before it is finished.
            Values::Undecided(_) => return Err("its kind is not known".to_owned()),
            Values::Bool(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int(values) => Arc::new(Int64Array::try_new(values.into(), nulls).map_err(wrong)?),
            Values::Float(values) => Arc::new(Float64Array::try_new(values.into(), nulls).map_err(wrong)?),
            Values::Decimal { unscaled, precision, scale } => {
                let array = Decimal128Array::try_new(unscaled.into(), nulls).map_err(wrong)?;
                Arc::new(array.with_precision_and_scale(precision, scale).map_err(wrong)?)
            }
            Values::Date(values) => Arc::new(Date32Array::try_new(values.into(), nulls).map_err(wrong)?),
            Values::Time(values) => Arc::new(Time64NanosecondArray::try_new(values.into(), nulls).map_err(wrong)?),
            Values::Text(Bytes { ends, bytes }) | Values::Formed(Bytes { ends, bytes }) => {
                let (ends, bytes) = (OffsetBuffer::new(ends.into()), Buffer::from_vec(bytes));
                if self.kind == Some(Kind::Bytes) {
                    Arc::new(BinaryArray::try_new(ends, bytes, nulls).map_err(wrong)?)
                } else {
                    Arc::new(StringArray::try_new(ends, bytes, nulls).map_err(wrong)?)
                }
            }
        })
    }
}

fn check_utf8(text: &[u8]) -> Result<(), String> {
    if text.is_ascii() || std::str::from_utf8(text).is_ok() {
        return Ok(());
    }
    Err(NOT_UTF8.to_owned())
}

fn truth(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Integer(0) => Some(false),
        ValueRef::Integer(1) => Some(true),
        ValueRef::Text(text) if text.eq_ignore_ascii_case(b"true") => Some(true),
        ValueRef::Text(text) if text.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// Appends a value in its kind's own form. False where it has none; nothing is appended then.
fn form(kind: Option<Kind>, digits: usize, value: ValueRef<'_>, out: &mut Vec<u8>) -> bool {
    match (kind, value) {
        (Some(Kind::Number), value) => match convert::number(value) {
            Some(number) => {
                out.extend_from_slice(number.to_string().as_bytes());
                true
            }
            None => false,
        },
        (Some(Kind::DecimalText { precision, scale }), value) => {
            let number = convert::decimal(value, precision, scale.unsigned_abs());
            out.extend(number.iter().flat_map(|number| number.to_string().into_bytes()));
            number.is_some()
        }
        (Some(Kind::Uuid), value) => convert::uuid(value, out),
        (Some(Kind::TimestampText), ValueRef::Text(text)) => convert::timestamp(text, digits, out),
        (Some(Kind::Json), ValueRef::Text(text)) => {
            let valid =
                serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() && std::str::from_utf8(text).is_ok();
            if valid {
                out.extend_from_slice(text);
            }
            valid
        }
        // SQLite makes a number of JSON text that is one, because of the type's affinity.
        (Some(Kind::Json), ValueRef::Integer(value)) => {
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            true
        }
        (Some(Kind::Json), ValueRef::Real(value)) if value.is_finite() => {
            out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
            true
        }
        (Some(Kind::Bytes), ValueRef::Blob(bytes)) => {
            out.extend_from_slice(bytes);
            true
        }
        _ => false,
    }
}
