//! Parameters of a run: named values that a worker's SQL compares with. They are bound, never written into the SQL.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The parameters that a run's SQL names, each with its value.
pub type Params = BTreeMap<String, ParamValue>;

/// What a parameter's values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    /// A day.
    Date,
    /// Any text without a NUL character.
    Text,
    /// A whole number up to 64 bits.
    Integer,
    /// A decimal number of up to 38 digits.
    Decimal,
    /// True or false.
    Boolean,
}

/// A value as it is bound.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum ParamValue {
    /// A day.
    #[serde(with = "day")]
    Date(Date),
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number as it was written: `-12.50`.
    Decimal(String),
    /// True or false.
    Boolean(bool),
}

impl ParamKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Date, Self::Text, Self::Integer, Self::Decimal, Self::Boolean];

    /// The word in worker files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// How a value of this kind is written.
    pub fn form(self) -> &'static str {
        match self {
            Self::Date => "a day as 2026-11-21",
            Self::Text => "text without a NUL character",
            Self::Integer => "a whole number as -12",
            Self::Decimal => "a decimal number of up to 38 digits as -12.50",
            Self::Boolean => "true or false",
        }
    }

    /// Reads a plain value whose kind nobody has told: true or false, or a number. `None` for what is to be text: also `007` and
    /// `+5`, which are codes as often as numbers, and would not read back as they were written.
    pub fn guess(text: &str) -> Option<ParamValue> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let whole = digits.split('.').next().unwrap_or(digits);
        let is_odd = digits.starts_with('+') || (whole.len() > 1 && whole.starts_with('0')) || text == "-0";
        let kinds = [Self::Boolean, Self::Integer, Self::Decimal];
        kinds.into_iter().filter(|_| !is_odd).find_map(|kind| kind.read(text))
    }

    /// Reads a value of this kind. `None` when the text is no such value.
    pub fn read(self, text: &str) -> Option<ParamValue> {
        match self {
            Self::Date => day::read(text).map(ParamValue::Date),
            Self::Text => (!text.contains('\0')).then(|| ParamValue::Text(text.to_owned())),
            Self::Integer => text.parse().ok().map(ParamValue::Integer),
            Self::Decimal => is_decimal(text).then(|| ParamValue::Decimal(text.to_owned())),
            Self::Boolean => text.parse().ok().map(ParamValue::Boolean),
        }
    }
}

impl ParamValue {
    /// What it is.
    pub fn kind(&self) -> ParamKind {
        match self {
            Self::Date(_) => ParamKind::Date,
            Self::Text(_) => ParamKind::Text,
            Self::Integer(_) => ParamKind::Integer,
            Self::Decimal(_) => ParamKind::Decimal,
            Self::Boolean(_) => ParamKind::Boolean,
        }
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(day) => write!(f, "{day}"),
            Self::Text(text) | Self::Decimal(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
        }
    }
}

/// A sign, digits, and digits behind a point: 38 at most.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && fraction.is_none_or(are_digits) && whole.len() + fraction.map_or(0, str::len) <= 38
}

/// `region = EU, since = 2026-01-01`, for people.
pub fn listed(params: &Params) -> String {
    params.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

/// A day as `2026-11-21`.
mod day {
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads that form alone, of all that a date library might take.
    pub(super) fn read(text: &str) -> Option<Date> {
        text.parse().ok().filter(|day: &Date| day.to_string() == text)
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text).ok_or_else(|| D::Error::custom("no day"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_by_its_kind_alone() {
        for (kind, good, bad) in [
            (ParamKind::Date, &["2026-11-21", "2024-02-29"][..], &["2026-02-29", "20261121", "21.11.2026", ""][..]),
            (ParamKind::Text, &["", "O'Brien", "{date}"], &["a\0b"]),
            (ParamKind::Integer, &["0", "-9223372036854775808"], &["1.0", "9223372036854775808", "", "1e3", " 1"]),
            (ParamKind::Decimal, &["0", "-12.50", "+1.0"], &["1e3", ".5", "1.", "-", "NaN", "1,5", ""]),
            (ParamKind::Boolean, &["true", "false"], &["1", "yes", "TRUE"]),
        ] {
            for text in good {
                assert_eq!(kind.read(text).unwrap().kind(), kind, "{text}");
            }
            for text in bad {
                assert_eq!(kind.read(text), None, "{kind:?} {text}");
            }
        }
        assert_eq!(ParamKind::Decimal.read(&"9".repeat(39)), None);
    }

    #[test]
    fn a_plain_value_is_a_number_only_if_it_reads_back_as_it_was_written() {
        for (text, kind) in [
            ("0", ParamKind::Integer),
            ("-12", ParamKind::Integer),
            ("9223372036854775808", ParamKind::Decimal),
            ("0.50", ParamKind::Decimal),
            ("-0.5", ParamKind::Decimal),
            ("true", ParamKind::Boolean),
        ] {
            let value = ParamKind::guess(text).unwrap();
            assert_eq!((value.kind(), value.to_string().as_str()), (kind, text));
        }
        for text in ["007", "00", "-07", "-0", "+5", "+1.5", "01.50", "1e3", "EU", ""] {
            assert_eq!(ParamKind::guess(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_comes_back_from_json_as_it_was() {
        for (kind, text) in [
            (ParamKind::Date, "2026-11-21"),
            (ParamKind::Text, "O'Brien \"{x}\""),
            (ParamKind::Integer, "-12"),
            (ParamKind::Decimal, "-12.50"),
            (ParamKind::Boolean, "true"),
        ] {
            let value = kind.read(text).unwrap();
            let json = serde_json::to_string(&value).unwrap();
            assert!(json.starts_with(&format!("{{\"type\":\"{}\"", kind.as_str())), "{json}");
            assert_eq!(serde_json::from_str::<ParamValue>(&json).unwrap(), value);
            assert_eq!(value.to_string(), text);
        }
    }
}
