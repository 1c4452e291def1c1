//! How a result's columns travel: what stands before each value, and what the value is.

use super::{Error, senseless};
use encoding_rs::Encoding;
use tds_protocol::token::ColumnData;
use tds_protocol::types::TypeId;

/// A column of a result.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) struct Column {
    pub(super) form: Form,
    pub(super) kind: Kind,
}

/// What stands before a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Nothing: it is never NULL and has these many bytes.
    Fixed(usize),
    /// One byte: zero for NULL, else this number.
    Exact(u8),
    /// One byte: zero for NULL, else at most this number.
    Short(u8),
    /// Two bytes: all ones for NULL, else at most this number.
    Long(u16),
    /// Its length in eight bytes, then pieces with theirs in four.
    Pieces,
    /// A pointer and a time stamp, then four bytes: `text`, `ntext` and `image`.
    Pointer,
}

/// What a value is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    Bit,
    Int,
    Float,
    Money,
    Decimal {
        scale: u8,
    },
    Guid,
    Date,
    Time {
        digits: u8,
    },
    DateTime,
    DateTime2 {
        digits: u8,
    },
    DateTimeOffset {
        digits: u8,
    },
    /// UTF-16, little-endian.
    Wide,
    /// Of a code page; none where it is not known here.
    Narrow(Option<&'static Encoding>),
    Bytes,
}

/// Largest length of a value that is not sent in pieces.
const PIECES: u32 = 0xffff;

impl Column {
    /// Reads a column's description.
    pub(super) fn new(data: &ColumnData) -> Result<Self, Error> {
        let info = &data.type_info;
        let most = info.max_length.unwrap_or_default();
        let digits = info.scale.unwrap_or_default();
        let exact = Form::Exact(u8::try_from(most).unwrap_or_default());
        let long = if most == PIECES { Form::Pieces } else { Form::Long(u16::try_from(most).unwrap_or_default()) };
        let narrow = Kind::Narrow(info.collation.as_ref().and_then(tds_protocol::token::Collation::encoding));
        let (form, kind) = match data.type_id {
            TypeId::Bit => (Form::Fixed(1), Kind::Bit),
            TypeId::Int1 => (Form::Fixed(1), Kind::Int),
            TypeId::Int2 => (Form::Fixed(2), Kind::Int),
            TypeId::Int4 => (Form::Fixed(4), Kind::Int),
            TypeId::Int8 => (Form::Fixed(8), Kind::Int),
            TypeId::Float4 => (Form::Fixed(4), Kind::Float),
            TypeId::Float8 => (Form::Fixed(8), Kind::Float),
            TypeId::Money4 => (Form::Fixed(4), Kind::Money),
            TypeId::Money => (Form::Fixed(8), Kind::Money),
            TypeId::DateTime4 => (Form::Fixed(4), Kind::DateTime),
            TypeId::DateTime => (Form::Fixed(8), Kind::DateTime),
            TypeId::BitN => (exact, Kind::Bit),
            TypeId::IntN => (exact, Kind::Int),
            TypeId::FloatN => (exact, Kind::Float),
            TypeId::MoneyN => (exact, Kind::Money),
            TypeId::DateTimeN => (exact, Kind::DateTime),
            TypeId::Guid => (Form::Exact(16), Kind::Guid),
            TypeId::Decimal | TypeId::Numeric | TypeId::DecimalN | TypeId::NumericN => {
                (Form::Short(17), Kind::Decimal { scale: digits })
            }
            TypeId::Date => (Form::Exact(3), Kind::Date),
            TypeId::Time => (Form::Exact(clock(digits)), Kind::Time { digits }),
            TypeId::DateTime2 => (Form::Exact(clock(digits) + 3), Kind::DateTime2 { digits }),
            TypeId::DateTimeOffset => (Form::Exact(clock(digits) + 5), Kind::DateTimeOffset { digits }),
            TypeId::NChar | TypeId::NVarChar => (long, Kind::Wide),
            TypeId::BigChar | TypeId::BigVarChar => (long, narrow),
            TypeId::BigBinary | TypeId::BigVarBinary => (long, Kind::Bytes),
            TypeId::Xml => (Form::Pieces, Kind::Wide),
            TypeId::NText => (Form::Pointer, Kind::Wide),
            TypeId::Text => (Form::Pointer, narrow),
            TypeId::Image => (Form::Pointer, Kind::Bytes),
            other => return senseless(format!("column `{}` of a type that was not asked for: {other:?}", data.name)),
        };
        Ok(Self { form, kind })
    }
}

/// Bytes of a time of day with these digits of a second.
fn clock(digits: u8) -> u8 {
    match digits {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}
