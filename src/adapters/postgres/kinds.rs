//! Which kind a PostgreSQL column is, how the text of its values is read, and how its type is written in SQL.

use crate::core::model::column::Kind;
use tokio_postgres::types::{Kind as Made, Type};

/// How a column's values come in a text `COPY`: as their type's output function writes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wire {
    Bool,
    Int,
    /// `oid`, `xid`, `cid` and `xid8`: numbers that the server does not add up.
    Oid,
    Float4,
    Float8,
    /// `numeric(precision, scale)`.
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// `numeric` whose values have a scale of their own.
    Number,
    /// The server is asked for it as a `numeric`.
    Money,
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
    /// An array, a composite, a range or an hstore.
    Nested,
    /// Any other type with a known text form: the server is asked for that.
    Cast,
    /// A type whose text form is not known.
    Unknown,
}

/// Digits of `money`: those of a 64-bit number of cents. The session's `lc_monetary` says that they are cents.
pub(super) const MONEY: (u8, u8) = (19, 2);

impl Wire {
    /// What the values are in a page.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int | Self::Oid => Kind::Int,
            Self::Float4 => Kind::Float32,
            Self::Float8 => Kind::Float64,
            Self::Decimal { precision, scale } => Kind::Decimal { precision, scale: scale.cast_signed() },
            Self::Money => Kind::Decimal { precision: MONEY.0, scale: MONEY.1.cast_signed() },
            Self::Number => Kind::Number,
            Self::Text | Self::Cast | Self::Unknown => Kind::Text,
            Self::Uuid => Kind::Uuid,
            Self::Json | Self::Nested => Kind::Json,
            Self::Bytes => Kind::Bytes,
            Self::Date => Kind::Date,
            Self::Time { digits } => Kind::Time { digits },
            Self::Timestamp { digits, utc } => Kind::Timestamp { digits, utc },
        }
    }
}

/// How values of a type come.
pub(super) fn wire(of_type: &Type, modifier: i32) -> Wire {
    match *of_type {
        Type::BOOL => Wire::Bool,
        Type::INT2 | Type::INT4 | Type::INT8 => Wire::Int,
        Type::OID | Type::XID | Type::CID | Type::XID8 => Wire::Oid,
        Type::FLOAT4 => Wire::Float4,
        Type::FLOAT8 => Wire::Float8,
        Type::NUMERIC => decimal(modifier).unwrap_or(Wire::Number),
        Type::MONEY => Wire::Money,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Wire::Text,
        Type::UUID => Wire::Uuid,
        Type::JSON | Type::JSONB => Wire::Json,
        Type::BYTEA => Wire::Bytes,
        Type::DATE => Wire::Date,
        Type::TIME => Wire::Time { digits: digits(modifier) },
        Type::TIMESTAMP => Wire::Timestamp { digits: digits(modifier), utc: false },
        Type::TIMESTAMPTZ => Wire::Timestamp { digits: digits(modifier), utc: true },
        _ => other(of_type),
    }
}

/// The server's own types whose text form depends on no setting, or on a setting that the session fixes. Types that name an object
/// (`regclass`) are not among them: the role's `search_path` decides whether their text has a schema.
const WITH_TEXT: [Type; 31] = [
    Type::CHAR,
    Type::INTERVAL,
    Type::TIMETZ,
    Type::BIT,
    Type::VARBIT,
    Type::INET,
    Type::CIDR,
    Type::MACADDR,
    Type::MACADDR8,
    Type::POINT,
    Type::LSEG,
    Type::PATH,
    Type::BOX,
    Type::POLYGON,
    Type::LINE,
    Type::CIRCLE,
    Type::XML,
    Type::JSONPATH,
    Type::TS_VECTOR,
    Type::TSQUERY,
    Type::TID,
    Type::PG_LSN,
    Type::PG_SNAPSHOT,
    Type::TXID_SNAPSHOT,
    Type::INT2_VECTOR,
    Type::OID_VECTOR,
    Type::REFCURSOR,
    Type::REGROLE,
    Type::REGNAMESPACE,
    Type::ACLITEM,
    Type::UNKNOWN,
];

/// Types of PostgreSQL's own extensions with a text form that depends on no setting.
const OF_EXTENSIONS: [&str; 4] = ["citext", "ltree", "lquery", "ltxtquery"];

/// The type of hstore's own extension.
pub(super) const HSTORE: &str = "hstore";

fn other(of_type: &Type) -> Wire {
    if WITH_TEXT.contains(of_type) {
        return Wire::Cast;
    }
    match of_type.kind() {
        Made::Enum(_) => Wire::Cast,
        Made::Array(_) | Made::Composite(_) | Made::Range(_) | Made::Multirange(_) => Wire::Nested,
        Made::Domain(of) => wire(of, -1),
        Made::Simple if of_type.name() == HSTORE => Wire::Nested,
        Made::Simple if OF_EXTENSIONS.contains(&of_type.name()) => Wire::Cast,
        _ => Wire::Unknown,
    }
}

/// Whether equal values of a type always come as the same text, except for zeros that do not count. False for types of which this
/// is not known: citext, intervals, `char(n)`, jsonb, and arrays, ranges and composites of any of them.
pub(super) fn told_apart_by_text(of_type: &Type) -> bool {
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
    known || matches!(of_type.kind(), Made::Enum(_))
}

/// Reads `numeric`'s modifier: precision and scale, shifted by four. `None` when Arrow's decimal cannot hold them.
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
