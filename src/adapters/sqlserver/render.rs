//! What SQL Server's statements add to plain column references, and the values of their parameters.

use super::describe::{ReadPlan, Seen};
use super::run_params::run_parameter;
use super::tds;
use crate::adapters::sql::{Bound, Render};
use crate::core::model::column::Kind;
use crate::core::model::key::KeyValue;
use crate::core::ports::source::{Query, SourceError};
use encoding_rs::Encoding;
use tds_protocol::rpc::{RpcParam, TypeInfo};

/// Code pages that are read here as Windows reads them: the single-byte ones. Of the others, some would be read differently
/// (932 to 950), one is not asked for (UTF-8), and some are not there at all (437, 850); the server turns those into
/// Unicode.
const READ_HERE: [&Encoding; 10] = [
    encoding_rs::WINDOWS_874,
    encoding_rs::WINDOWS_1250,
    encoding_rs::WINDOWS_1251,
    encoding_rs::WINDOWS_1252,
    encoding_rs::WINDOWS_1253,
    encoding_rs::WINDOWS_1254,
    encoding_rs::WINDOWS_1255,
    encoding_rs::WINDOWS_1256,
    encoding_rs::WINDOWS_1257,
    encoding_rs::WINDOWS_1258,
];

impl Seen {
    /// The column as it is selected.
    fn selected(&self, reference: &str) -> Option<String> {
        match self.base.as_str() {
            "json" => Some(format!("CAST({reference} AS nvarchar(max))")),
            _ if self.is_code_page_text() && !self.encoding.is_some_and(|encoding| READ_HERE.contains(&encoding)) => {
                // A character takes at least one byte, so 4000 bytes are at most 4000 characters.
                let short = self.length().is_some_and(|length| length <= 4000);
                let kind = if short { "nvarchar(4000)" } else { "nvarchar(max)" };
                Some(format!("CAST({reference} AS {kind})"))
            }
            _ => None,
        }
    }

    /// Whether two values are one to the server only where they come as the same bytes. All other types have values that are
    /// equal and not the same: texts of another case, width or accent, or with blanks behind them, bytes with zeros behind
    /// them, 0 and -0, one instant in two zones.
    fn is_told_apart_by_bytes(&self) -> bool {
        matches!(
            self.base.as_str(),
            "bit"
                | "tinyint"
                | "smallint"
                | "int"
                | "bigint"
                | "decimal"
                | "numeric"
                | "money"
                | "smallmoney"
                | "binary"
                | "date"
                | "time"
                | "smalldatetime"
                | "datetime"
                | "datetime2"
                | "uniqueidentifier"
        )
    }

    /// The most characters of a text with a declared length. A code page takes at least one byte for each.
    pub(super) fn characters(&self) -> Option<u32> {
        matches!(self.base.as_str(), "char" | "varchar" | "nchar" | "nvarchar").then(|| self.length()).flatten()
    }

    /// The length of `varchar(20)`.
    fn length(&self) -> Option<u32> {
        self.type_name.split_once('(')?.1.trim_end_matches(')').parse().ok()
    }
}

impl Render for ReadPlan {
    fn column(&self, name: &str, reference: &str) -> String {
        self.named(name).and_then(|seen| seen.selected(reference)).unwrap_or_else(|| reference.to_owned())
    }

    fn key(&self, name: &str, reference: &str) -> Option<String> {
        self.named(name)?.selected(reference)
    }

    /// Texts that differ may be one to their collation, and so may bytes, floats and moments to their type's comparison.
    fn ranks(&self, key: &[String]) -> bool {
        !key.iter().all(|name| self.named(name).is_some_and(Seen::is_told_apart_by_bytes))
    }

    /// Of exactly the column's type: compared as another type, an index does not help, and `datetime` or `varchar` sort
    /// differently.
    fn bound(&self, name: &str, value: &KeyValue, placeholder: &str) -> String {
        let Some(seen) = self.named(name) else { return placeholder.to_owned() };
        match value {
            KeyValue::Typed(_) => format!("CAST({placeholder} AS {})", seen.type_name),
            KeyValue::Text(_) if seen.is_code_page_text() => {
                match seen.collation.as_deref().filter(|name| is_word(name)) {
                    // With the column's own collation, or characters outside the database's code page would be lost.
                    Some(collation) => format!("CAST({placeholder} COLLATE {collation} AS varchar(8000))"),
                    None => format!("CAST({placeholder} AS varchar(8000))"),
                }
            }
            _ => placeholder.to_owned(),
        }
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A statement's values as parameters.
///
/// # Errors
/// [`SourceError::Refused`] when one was not written by a column of its type.
pub(super) fn parameters(plan: &ReadPlan, query: &Query, values: &[Bound]) -> Result<Vec<RpcParam>, SourceError> {
    let param = |bound: &Bound| match bound {
        Bound::Key { column, value } => plan.named(column).and_then(|seen| parameter(seen, value)),
        Bound::Param { value, .. } => Some(run_parameter(value)),
    };
    let params = values.iter().map(param);
    params.collect::<Option<Vec<_>>>().ok_or_else(|| SourceError::Refused {
        reason: format!(
            "the key to read from does not fit the types of {}; if the view was changed during the run, start the run anew",
            query.key.join(", ")
        ),
    })
}

/// A key's value as a parameter of its column's type. `None` when it was not written by a column of this type.
fn parameter(seen: &Seen, value: &KeyValue) -> Option<RpcParam> {
    let of = |kind: TypeInfo, bytes: Vec<u8>| RpcParam::new("", kind, bytes.into());
    Some(match value {
        KeyValue::Int(number) => match seen.base.as_str() {
            "tinyint" | "bit" => of(TypeInfo::tinyint(), vec![u8::try_from(*number).ok()?]),
            "smallint" => of(TypeInfo::smallint(), i16::try_from(*number).ok()?.to_le_bytes().into()),
            "int" => of(TypeInfo::int(), i32::try_from(*number).ok()?.to_le_bytes().into()),
            _ => of(TypeInfo::bigint(), number.to_le_bytes().into()),
        },
        KeyValue::Text(text) | KeyValue::Typed(text) => tds::text(text),
        KeyValue::Float(text) if seen.kind == Kind::Float32 => {
            of(TypeInfo::real(), text.parse::<f32>().ok()?.to_le_bytes().into())
        }
        KeyValue::Float(text) => of(TypeInfo::float(), text.parse::<f64>().ok()?.to_le_bytes().into()),
        KeyValue::Bytes(hex) => tds::binary(bytes(hex)?),
    })
}

/// Reads hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    hex.as_bytes()
        .chunks_exact(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}
