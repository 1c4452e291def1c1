//! One column of a page under construction: a value's text goes straight to where Arrow keeps it.

use super::civil;
use crate::adapters::decimal::Decimal;
use crate::adapters::hex;
use crate::adapters::postgres::kinds::Wire;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::ArrowError;
use std::str::FromStr;
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
    pub(super) fn new(wire: Wire, rows: usize) -> Self {
        let values = match wire {
            Wire::Bool => Values::Bool(BooleanBuilder::with_capacity(rows)),
            Wire::Int => Values::Int(Primitive::new(rows)),
            Wire::Float4 => Values::Float32(Primitive::new(rows)),
            Wire::Float8 => Values::Float64(Primitive::new(rows)),
            Wire::Decimal { .. } => Values::Decimal(Primitive::new(rows)),
            Wire::Date => Values::Date(Primitive::new(rows)),
            Wire::Time { .. } => Values::Time(Primitive::new(rows)),
            Wire::Timestamp { .. } => Values::Timestamp(Primitive::new(rows)),
            Wire::Number | Wire::Text | Wire::Uuid | Wire::Json | Wire::Cast => {
                Values::Text(StringBuilder::with_capacity(rows, rows * 8))
            }
            Wire::Bytes => Values::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
        };
        Self { wire, values }
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
                Some(text) if wire == Wire::Number && is_no_number(text) => Err(no_number(text)),
                text => {
                    values.append_option(text);
                    Ok(())
                }
            }),
            Values::Bytes(values) => each(fields, |text| {
                let value = |text| bytes(text).and_then(hex::bytes).ok_or_else(|| strange(text, "bytes"));
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

/// A `boolean`.
///
/// # Errors
/// When the text is none.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "t" => Ok(true),
        "f" => Ok(false),
        _ => Err(strange(text, "a boolean")),
    }
}

/// A whole number.
///
/// # Errors
/// When the text is none.
pub(super) fn whole(text: &str) -> Result<i64, String> {
    short(text).map_or_else(|| number(text), Ok)
}

/// A float, of which the server writes as many digits as its bits need.
#[allow(clippy::cast_precision_loss, reason = "none with fewer than 16 digits")]
fn float(text: &str) -> Result<f64, String> {
    // Floats that count something are whole: twice as fast, and exact as long as there are few digits. Zero has two signs.
    match short(text) {
        Some(whole) if whole != 0 && text.len() < 16 => Ok(whole as f64),
        _ => number(text),
    }
}

/// A whole number of up to 18 digits; none for any other text.
#[inline]
fn short(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| strange(text, "a number"))
}

/// The digits of a `bytea`; none for another form than `hex`.
pub(super) fn bytes(text: &str) -> Option<&str> {
    text.strip_prefix("\\x")
}

fn decimal(text: &str, wire: Wire) -> Result<i128, String> {
    let Wire::Decimal { precision, scale } = wire else { return Err("the column is no decimal".to_owned()) };
    let unscaled = Decimal::parse(text.as_bytes()).and_then(|number| number.at_scale(scale));
    unscaled.filter(|unscaled| Decimal::fits(*unscaled, precision)).ok_or_else(|| {
        if is_no_number(text) {
            return no_number(text);
        }
        format!("`{text}` does not fit into numeric({precision},{scale}), which the view promises")
    })
}

/// Whether a `numeric` is infinite or not a number.
fn is_no_number(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}

fn no_number(word: &str) -> String {
    format!("`{word}` is not a number that a file can hold; give NULL or a text for it in the view")
}

fn strange(text: &str, wanted: &str) -> String {
    format!("the server sent `{text}` where {wanted} belongs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_at_every_length() {
        for text in ["0", "-7", "999999999999999999", "-9223372036854775808", "9223372036854775807"] {
            assert_eq!(whole(text).unwrap().to_string(), text);
        }
        for bad in ["", "-", "1.5", "9223372036854775808", "1_0", "x"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
        for text in
            ["0", "-0", "12", "-12", "999999999999999", "9007199254740993", "1e300", "0.1", "Infinity", "-Infinity"]
        {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(float(text).unwrap().to_bits(), expected.to_bits(), "{text}");
        }
        assert!(float("NaN").unwrap().is_nan() && float("").is_err() && float("-").is_err());
    }
}
