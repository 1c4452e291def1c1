//! The meaning of a declared type. SQLite takes any words as a type, and enforces none.

use crate::core::model::column::Kind;

/// The most digits that a decimal column can have.
const MAX_PRECISION: u8 = 38;

/// Digits of every decimal that a float keeps.
const FLOAT_DIGITS: u8 = 15;

/// The kind of a column with this declared type. `None` when the type does not say, and only the values can.
pub(super) fn kind(declared: &str) -> Option<Kind> {
    let upper = declared.trim().to_ascii_uppercase();
    let name = upper.split('(').next().unwrap_or_default().trim();
    let arguments = arguments(&upper);
    let starts = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    let holds = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Some(if starts(&["DECIMAL", "NUMERIC", "NUMBER", "DEC"]) {
        // Before the words of text: `DECIMAL TEXT(38,10)` keeps all digits, because SQLite leaves text alone there.
        decimal(&arguments, holds(&["CHAR", "CLOB", "TEXT"]))
    } else if holds(&["MONEY"]) {
        Kind::Number
    } else if starts(&["POINT", "INTERVAL"]) {
        return None;
    } else if holds(&["INT"]) {
        Kind::Int
    } else if starts(&["BOOL"]) {
        Kind::Bool
    } else if starts(&["UUID", "GUID", "UNIQUEIDENTIFIER"]) {
        Kind::Uuid
    } else if starts(&["JSON"]) {
        Kind::Json
    } else if starts(&["DATETIME", "TIMESTAMP", "SMALLDATETIME"]) {
        Kind::TimestampText
    } else if name == "DATE" {
        Kind::Date
    } else if starts(&["TIME"]) {
        match arguments.as_slice() {
            [digits @ 0..=9] => Kind::Time { digits: *digits },
            // How many digits to write is not known.
            _ => Kind::Text,
        }
    } else if holds(&["CHAR", "CLOB", "TEXT", "STRING"]) {
        Kind::Text
    } else if holds(&["BLOB", "BINARY", "BYTEA"]) {
        Kind::Bytes
    } else if holds(&["REAL", "FLOA", "DOUB"]) {
        Kind::Float64
    } else {
        return None;
    })
}

/// The most characters of a declared text: `VARCHAR(20)`. SQLite does not hold values to it.
pub(super) fn length(declared: &str) -> Option<u32> {
    let (name, rest) = declared.split_once('(')?;
    let is_text = name.trim().to_ascii_uppercase().contains("CHAR");
    is_text.then(|| rest.split_once(')')?.0.trim().parse().ok()).flatten()
}

/// Fraction digits that a declared timestamp asks for: `TIMESTAMP(3)`.
pub(super) fn fraction_digits(declared: &str) -> usize {
    match arguments(declared).as_slice() {
        [digits @ 0..=9] => usize::from(*digits),
        _ => 0,
    }
}

/// A float keeps every decimal of 15 digits. Of one with more it may have lost some behind the point: then those that it has
/// are written. A type with a word of text in it keeps no floats.
fn decimal(arguments: &[u8], keeps_text: bool) -> Kind {
    let (precision, scale) = match *arguments {
        [precision @ 1..=MAX_PRECISION] => (precision, 0),
        [precision @ 1..=MAX_PRECISION, scale] if scale <= precision => (precision, i8::try_from(scale).unwrap_or(0)),
        _ => return Kind::Number,
    };
    if keeps_text || precision <= FLOAT_DIGITS || scale == 0 {
        Kind::Decimal { precision, scale }
    } else {
        Kind::DecimalText { precision, scale }
    }
}

/// The numbers in parentheses. Empty when anything else stands there.
fn arguments(declared: &str) -> Vec<u8> {
    let inside = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside);
    let numbers: Option<Vec<u8>> =
        inside.map(|inside| inside.split(',').map(|part| part.trim().parse().ok()).collect()).unwrap_or_default();
    numbers.unwrap_or_default()
}
