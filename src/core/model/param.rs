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

    /// Reads a value of this kind. `None` when the text is no such value.
    pub fn read(self, text: &str) -> Option<ParamValue> {
        match self {
            Self::Date => crate::core::model::run::BusinessDate::parse(text)
                .filter(|_| text.contains('-'))
                .map(|day| ParamValue::Date(day.0)),
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
    use crate::core::model::run::BusinessDate;
    use jiff::civil::Date;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        BusinessDate::parse(&text).map(|day| day.0).ok_or_else(|| D::Error::custom("no day"))
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
