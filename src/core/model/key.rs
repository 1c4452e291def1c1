//! A row's place in the stable order: the values of the key columns, exactly as the source compares them.

use super::shown;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One key column's value. The text forms are the source's own, so that it reads back what it wrote.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyValue {
    /// Any whole number up to 64 bits.
    Int(i64),
    /// Text, compared by the source's collation.
    Text(String),
    /// An exact number, a UUID, a date or a timestamp in the source's own text form; the column's type says which.
    Typed(String),
    /// A float: its shortest text that reads back as the same bits.
    Float(String),
    /// Bytes as lower-case hexadecimal.
    Bytes(String),
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(value) | Self::Typed(value) | Self::Float(value) => f.write_str(value),
            Self::Bytes(hex) => write!(f, "0x{hex}"),
        }
    }
}

/// The values of all key columns of one row, in the worker file's order.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub Vec<KeyValue>);

impl fmt::Display for Key {
    /// `42`, or `42, 2026-11-21` for a composite key. For people: values come from the source.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&shown::name(&value.to_string()))?;
        }
        Ok(())
    }
}
