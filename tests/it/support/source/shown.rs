//! Pages as text, so that sources with different kinds for one type can be held to one expectation.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType as Micros;
use arrow_array::types::{Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Time64NanosecondType};
use arrow_array::{Array, RecordBatch};
use filegen::core::model::column::Kind;

/// Each row of a batch as text; none for NULL. Bytes are hexadecimal, masks `true` or `false`.
pub fn shown(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let fields = batch.schema_ref().fields().clone();
    (0..batch.num_rows())
        .map(|row| {
            (fields.iter().zip(batch.columns()))
                .map(|(field, array)| {
                    (!array.is_null(row)).then(|| value(Kind::of(field).unwrap_or(Kind::Bool), array, row))
                })
                .collect()
        })
        .collect()
}

/// What [`shown`] gives for these texts.
pub fn strings(row: &[&str]) -> Vec<Option<String>> {
    row.iter().map(|text| Some((*text).to_owned())).collect()
}

fn value(kind: Kind, array: &dyn Array, row: usize) -> String {
    match kind {
        Kind::Bool => array.as_boolean().value(row).to_string(),
        Kind::Int => array.as_primitive::<Int64Type>().value(row).to_string(),
        Kind::Float32 => format!("{:?}", array.as_primitive::<Float32Type>().value(row)),
        Kind::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        Kind::Decimal { scale, .. } => decimal(array.as_primitive::<Decimal128Type>().value(row), scale),
        Kind::Bytes => array.as_binary::<i32>().value(row).iter().flat_map(|byte| hex(*byte)).collect(),
        Kind::Date => {
            let days = array.as_primitive::<Date32Type>().value(row);
            (jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(days)).to_string()
        }
        Kind::Time { .. } => array.as_primitive::<Time64NanosecondType>().value(row).to_string(),
        Kind::Timestamp { digits, utc } => timestamp(array.as_primitive::<Micros>().value(row), digits, utc),
        Kind::DecimalText { .. } | Kind::Number | Kind::Text | Kind::Uuid | Kind::Json | Kind::TimestampText => {
            array.as_string::<i32>().value(row).to_owned()
        }
    }
}

fn decimal(unscaled: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap();
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if unscaled < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn timestamp(micros: i64, digits: u8, utc: bool) -> String {
    let at = jiff::civil::datetime(1970, 1, 1, 0, 0, 0, 0) + jiff::Span::new().microseconds(micros);
    let mut text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    if digits > 0 {
        let fraction = format!("{:06}", at.subsec_nanosecond() / 1000);
        text.push('.');
        text.push_str(&fraction[..usize::from(digits)]);
    }
    text + if utc { "Z" } else { "" }
}

fn hex(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap())
}
