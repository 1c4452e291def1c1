//! Which kind a PostgreSQL column is, how the text of its values is read, and how its type is written in SQL.

use crate::core::model::column::Kind;
use tokio_postgres::types::{Kind as Sort, Type};

/// How a column's values come in a text `COPY`: as their type's output function writes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wire {
    Bool,
    Int,
    Float4,
    Float8,
    /// `numeric(precision, scale)`.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// `numeric` whose values have a scale of their own.
    Number,
    Text,
    Uuid,
    Json,
    Bytes,
    Date,
    Time {
        digits: u8,
    },
    Timestamp {
        digits: u8,
        utc: bool,
    },
    /// Any other type: the server is asked for its text form.
    Cast,
}

/// A column's type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ColumnType {
    /// How values come over the wire.
    pub wire: Wire,
    /// The type's name in SQL, quoted, with its schema.
    pub sql: String,
    /// Whether two values are one to the server only where they come as the same text, but for what
    /// [`same`](super::decode) knows. Of text this is its collation's to say.
    pub told_apart_by_text: bool,
}

impl ColumnType {
    /// Reads it from what the server says about a result's column. Domains are described by their base type there.
    pub(super) fn of(column: &tokio_postgres::Column) -> Self {
        let of_type = column.type_();
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let sql = format!("{}.{}", quoted(of_type.schema()), quoted(of_type.name()));
        let wire = wire(of_type, column.type_modifier());
        Self { wire, sql, told_apart_by_text: told_apart_by_text(of_type) }
    }
}

impl Wire {
    /// What the values are in a page.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Float4 => Kind::Float32,
            Self::Float8 => Kind::Float64,
            Self::Decimal { precision, scale } => Kind::Decimal { precision, scale: scale.cast_signed() },
            Self::Number => Kind::Number,
            Self::Text | Self::Cast => Kind::Text,
            Self::Uuid => Kind::Uuid,
            Self::Json => Kind::Json,
            Self::Bytes => Kind::Bytes,
            Self::Date => Kind::Date,
            Self::Time { digits } => Kind::Time { digits },
            Self::Timestamp { digits, utc } => Kind::Timestamp { digits, utc },
        }
    }
}

fn wire(of_type: &Type, modifier: i32) -> Wire {
    match *of_type {
        Type::BOOL => Wire::Bool,
        Type::INT2 | Type::INT4 | Type::INT8 => Wire::Int,
        Type::FLOAT4 => Wire::Float4,
        Type::FLOAT8 => Wire::Float8,
        Type::NUMERIC => decimal(modifier).unwrap_or(Wire::Number),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Wire::Text,
        Type::UUID => Wire::Uuid,
        Type::JSON | Type::JSONB => Wire::Json,
        Type::BYTEA => Wire::Bytes,
        Type::DATE => Wire::Date,
        Type::TIME => Wire::Time { digits: digits(modifier) },
        Type::TIMESTAMP => Wire::Timestamp { digits: digits(modifier), utc: false },
        Type::TIMESTAMPTZ => Wire::Timestamp { digits: digits(modifier), utc: true },
        _ => Wire::Cast,
    }
}

/// Whether a type has no two values that are equal and come as different texts, but for zeros that do not count. Not those of
/// which this is not known: citext, intervals, `char(n)`, jsonb, and arrays, ranges and composites of any of them.
fn told_apart_by_text(of_type: &Type) -> bool {
    let known = matches!(
        *of_type,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::TEXT
            | Type::VARCHAR
            | Type::NAME
            | Type::UUID
            | Type::BYTEA
            | Type::DATE
            | Type::TIME
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::OID
            | Type::INET
            | Type::CIDR
            | Type::MACADDR
            | Type::MONEY
            | Type::BIT
            | Type::VARBIT
    );
    known || matches!(of_type.kind(), Sort::Enum(_))
}

/// Reads `numeric`'s modifier: precision and scale, shifted by four; none where Arrow's decimal cannot hold them.
fn decimal(modifier: i32) -> Option<Wire> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let precision = u8::try_from((packed >> 16) & 0xffff).ok().filter(|digits| (1..=38).contains(digits))?;
    // Eleven bits, signed: PostgreSQL 15 knows negative scales.
    let scale = u8::try_from(((packed & 0x7ff) ^ 1024) - 1024).ok().filter(|scale| *scale <= precision)?;
    Some(Wire::Decimal { precision, scale })
}

/// Fraction digits of a time; six when its type does not say.
fn digits(modifier: i32) -> u8 {
    u8::try_from(modifier).ok().filter(|digits| *digits <= 6).unwrap_or(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_is_a_decimal_only_where_arrow_can_hold_it() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(decimal(modifier(15, 2)), Some(Wire::Decimal { precision: 15, scale: 2 }));
        assert_eq!(decimal(modifier(38, 38)), Some(Wire::Decimal { precision: 38, scale: 38 }));
        assert_eq!(decimal(-1), None);
        assert_eq!(decimal(modifier(39, 2)), None);
        assert_eq!(decimal(modifier(10, -2)), None);
        assert_eq!(decimal(modifier(3, 5)), None);
    }

    #[test]
    fn a_time_without_a_precision_has_six_digits() {
        assert_eq!(wire(&Type::TIMESTAMPTZ, -1), Wire::Timestamp { digits: 6, utc: true });
        assert_eq!(wire(&Type::TIME, 0), Wire::Time { digits: 0 });
        assert_eq!(wire(&Type::INTERVAL, -1), Wire::Cast);
    }
}
