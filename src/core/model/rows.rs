//! Typed values on their way into a table, and the tables that take them. Nothing here passes through a float but `double`.

use super::decimal::Decimal;
use jiff::Timestamp;
use jiff::civil::Date;
use std::cmp::Ordering;
use std::fmt;
use uuid::Uuid;

/// Longest text that a column may declare, in characters.
pub const TEXT_MAX: u32 = 1_000_000;

/// Most digits of a decimal.
pub const PRECISION_MAX: u8 = 38;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SqlType {
    /// At most this many characters.
    Text(u32),
    /// 32 bits.
    Integer,
    /// 64 bits.
    Bigint,
    /// All digits, and those behind the point.
    Decimal {
        /// Digits.
        precision: u8,
        /// Of them behind the point.
        scale: u8,
    },
    /// 64 bits, binary.
    Double,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Timestamp,
    /// 128 bits.
    Uuid,
    /// A document, as it came.
    Json,
}

impl SqlType {
    /// Reads `text(64)`, `integer`, `decimal(18,2)`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let (name, inside) = match text.split_once('(') {
            Some((name, rest)) => (name.trim_end(), Some(rest.trim_end().strip_suffix(')')?)),
            None => (text.as_str(), None),
        };
        let numbers: Vec<u32> = match inside {
            Some(inside) => inside.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        match (name, numbers.as_slice()) {
            ("text", [most @ 1..=TEXT_MAX]) => Some(Self::Text(*most)),
            ("decimal", [precision, scale]) => {
                let (precision, scale) = (u8::try_from(*precision).ok()?, u8::try_from(*scale).ok()?);
                let fits = (1..=PRECISION_MAX).contains(&precision) && scale <= precision;
                fits.then_some(Self::Decimal { precision, scale })
            }
            ("integer", []) => Some(Self::Integer),
            ("bigint", []) => Some(Self::Bigint),
            ("double", []) => Some(Self::Double),
            ("boolean", []) => Some(Self::Boolean),
            ("date", []) => Some(Self::Date),
            ("timestamp", []) => Some(Self::Timestamp),
            ("uuid", []) => Some(Self::Uuid),
            ("json", []) => Some(Self::Json),
            _ => None,
        }
    }

    /// Whether its values can order the events of a row.
    pub fn is_version(self) -> bool {
        matches!(self, Self::Integer | Self::Bigint | Self::Text(_) | Self::Date | Self::Timestamp)
    }

    /// Whether values of it can be added up exactly.
    pub fn adds_up(self) -> bool {
        matches!(self, Self::Integer | Self::Bigint | Self::Decimal { .. })
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(most) => write!(f, "text({most})"),
            Self::Integer => f.write_str("integer"),
            Self::Bigint => f.write_str("bigint"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Double => f.write_str("double"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Uuid => f.write_str("uuid"),
            Self::Json => f.write_str("json"),
        }
    }
}

/// A value that fits its column.
#[derive(Clone, PartialEq, Debug)]
pub enum SqlValue {
    /// No value.
    Null,
    /// Text without NUL.
    Text(String),
    /// Of `integer` and `bigint`.
    Int(i64),
    /// At the scale of its column.
    Decimal(Decimal),
    /// Finite.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// A day.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
    /// 128 bits.
    Uuid(Uuid),
    /// A document, as it came.
    Json(String),
}

impl SqlValue {
    /// The sum of two values of a column. `None` when the column cannot hold it. No value counts as zero.
    pub fn plus(&self, other: &Self, kind: SqlType) -> Option<Self> {
        match (self, other, kind) {
            (Self::Null, value, _) | (value, Self::Null, _) => Some(value.clone()),
            (Self::Int(one), Self::Int(other), SqlType::Integer) => {
                i32::try_from(one.checked_add(*other)?).ok().map(|sum| Self::Int(sum.into()))
            }
            (Self::Int(one), Self::Int(other), _) => one.checked_add(*other).map(Self::Int),
            (Self::Decimal(one), Self::Decimal(other), SqlType::Decimal { precision, scale }) => {
                let unscaled = one.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
                Decimal::fits(unscaled, precision).then_some(Self::Decimal(Decimal { unscaled, scale }))
            }
            _ => None,
        }
    }

    /// The order of two versions of one column. Texts are compared by their bytes; no value is the smallest.
    pub fn version_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Timestamp(one), Self::Timestamp(other)) => one.cmp(other),
            (Self::Date(one), Self::Date(other)) => one.cmp(other),
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            _ => self.canonical().as_bytes().cmp(other.canonical().as_bytes()),
        }
    }

    /// The value as text: the same for the same value, and for no other of its column. Timestamps sort as their instants do.
    pub fn canonical(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) | Self::Json(text) => text.clone(),
            Self::Int(value) => value.to_string(),
            Self::Decimal(value) => value.to_string(),
            Self::Double(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Date(day) => day.to_string(),
            Self::Timestamp(at) => sortable(*at),
            Self::Uuid(value) => value.to_string(),
        }
    }
}

/// An instant as text that sorts as instants do, with just the digits that it has: `2026-11-21T10:30:00.5+00:00`. The sign of the
/// zone stands before the point among characters, so a fraction sorts behind its whole second.
pub fn sortable(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}+00:00", text.trim_end_matches('Z'))
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: SqlType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// The parent's table and column.
    pub references: Option<(String, String)>,
}

/// A table that events are written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// `name` or `schema.name`.
    pub name: String,
    /// In the order of the file.
    pub columns: Vec<TableColumn>,
    /// Columns of the key, by index.
    pub identity: Vec<usize>,
    /// The column that orders events of one row, by index. `None`: their positions do.
    pub version: Option<usize>,
    /// The column that holds the event's id, by index.
    pub event_id: Option<usize>,
    /// Whether events of this table are kept in the ledger because they add something up.
    pub has_sums: bool,
}

impl Table {
    /// The index of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// What one type of event writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowShape {
    /// The event's type.
    pub event: String,
    /// Index of the table.
    pub table: usize,
    /// Columns that it sets, by index in the table.
    pub columns: Vec<usize>,
    /// Columns that it adds to, by index in the table.
    pub sums: Vec<usize>,
}

/// All tables of a file, parents before children, and what each type of event writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableSet {
    /// Tables.
    pub tables: Vec<Table>,
    /// A shape for each type of event.
    pub shapes: Vec<RowShape>,
}

impl TableSet {
    /// The table of a shape.
    pub fn table_of(&self, shape: usize) -> &Table {
        &self.tables[self.shapes[shape].table]
    }

    /// The value of a column, by its index in the table. `values` stand in the order of the shape.
    pub fn value<'v>(&self, shape: usize, values: &'v [SqlValue], column: usize) -> Option<&'v SqlValue> {
        let mut all = self.shapes[shape].columns.iter().chain(&self.shapes[shape].sums).zip(values);
        all.find(|(index, _)| **index == column).map(|(_, value)| value)
    }

    /// The row's key as one text: no other key of its table has it. `values` stand in the order of the shape.
    pub fn row_key(&self, shape: usize, values: &[SqlValue]) -> String {
        let part = |index: &usize| self.value(shape, values, *index).map_or_else(String::new, SqlValue::canonical);
        let parts: Vec<String> = self.table_of(shape).identity.iter().map(part).collect();
        match parts.as_slice() {
            [one] => one.clone(),
            // JSON keeps the parts apart.
            parts => serde_json::Value::from(parts).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_as_it_is_written() {
        for text in
            ["text(64)", "integer", "bigint", "decimal(18,2)", "double", "boolean", "date", "timestamp", "uuid", "json"]
        {
            assert_eq!(SqlType::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
        }
        assert_eq!(
            SqlType::parse(" Decimal ( 38 , 0 ) ").map(|kind| kind.to_string()).as_deref(),
            Some("decimal(38,0)")
        );
        for bad in [
            "",
            "text",
            "text()",
            "text(0)",
            "decimal(18)",
            "decimal(2,3)",
            "decimal(39,1)",
            "integer(4)",
            "int",
            "text(5",
        ] {
            assert_eq!(SqlType::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_sort_as_their_texts_do() {
        let texts = [
            "1970-01-01T00:00:00Z",
            "2026-11-21T10:30:00+01:00",
            "2026-11-21T09:30:00.5Z",
            "2026-11-21T09:30:00.55Z",
            "2026-11-21T09:30:01Z",
        ];
        let written: Vec<String> = texts.iter().map(|text| sortable(text.parse().unwrap())).collect();
        assert!(written.is_sorted(), "{written:?}");
        assert_eq!(written[1], "2026-11-21T09:30:00+00:00");
    }
}
