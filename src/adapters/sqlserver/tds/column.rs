//! How a result's columns travel: what stands before each value, and what the value is.

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
    /// Not known here: such a column can be described, but no value of it be read.
    Unknown,
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
    /// Of a code page. `None` where it is not known here.
    Narrow(Option<&'static Encoding>),
    Bytes,
}

/// Largest length of a value that is not sent in pieces.
const PIECES: u32 = 0xffff;

/// What a statement's column is, by the server's answer to that statement.
#[derive(Clone, PartialEq, Debug)]
pub(in super::super) struct Described {
    pub name: String,
    /// As the catalogue writes it: `decimal(15,2)`.
    pub type_name: String,
    /// Of text that is not Unicode: how it is read, where that is known here.
    pub encoding: Option<&'static Encoding>,
    /// Whether its collation stores UTF-8.
    pub is_utf8: bool,
}

impl Described {
    /// Reads a column's description.
    pub(super) fn new(data: &ColumnData) -> Self {
        let collation = data.type_info.collation;
        Self {
            name: data.name.clone(),
            type_name: type_name(data),
            encoding: collation.and_then(|collation| collation.encoding()),
            is_utf8: collation.is_some_and(|collation| collation.is_utf8()),
        }
    }
}

/// The type's name with its sizes.
fn type_name(data: &ColumnData) -> String {
    let info = &data.type_info;
    let length = info.max_length.unwrap_or_default();
    let digits = info.scale.unwrap_or_default();
    let sized = |name: &str, bytes: u32| match length {
        PIECES => format!("{name}(max)"),
        length => format!("{name}({})", length / bytes),
    };
    let name = match (data.type_id, length) {
        (TypeId::Bit | TypeId::BitN, _) => "bit",
        (TypeId::Int1, _) | (TypeId::IntN, 1) => "tinyint",
        (TypeId::Int2, _) | (TypeId::IntN, 2) => "smallint",
        (TypeId::Int4, _) | (TypeId::IntN, 4) => "int",
        (TypeId::Int8 | TypeId::IntN, _) => "bigint",
        (TypeId::Float4, _) | (TypeId::FloatN, 4) => "real",
        (TypeId::Float8 | TypeId::FloatN, _) => "float",
        (TypeId::Money4, _) | (TypeId::MoneyN, 4) => "smallmoney",
        (TypeId::Money | TypeId::MoneyN, _) => "money",
        (TypeId::DateTime4, _) | (TypeId::DateTimeN, 4) => "smalldatetime",
        (TypeId::DateTime | TypeId::DateTimeN, _) => "datetime",
        (TypeId::Guid, _) => "uniqueidentifier",
        (TypeId::Date, _) => "date",
        (TypeId::Xml, _) => "xml",
        (TypeId::Text, _) => "text",
        (TypeId::NText, _) => "ntext",
        (TypeId::Image, _) => "image",
        (TypeId::Variant, _) => "sql_variant",
        (TypeId::Udt, _) => "CLR (geography, geometry, hierarchyid or one's own)",
        (TypeId::Decimal | TypeId::Numeric | TypeId::DecimalN | TypeId::NumericN, _) => {
            return format!("decimal({},{digits})", info.precision.unwrap_or_default());
        }
        (TypeId::Time, _) => return format!("time({digits})"),
        (TypeId::DateTime2, _) => return format!("datetime2({digits})"),
        (TypeId::DateTimeOffset, _) => return format!("datetimeoffset({digits})"),
        (TypeId::NChar, _) => return sized("nchar", 2),
        (TypeId::NVarChar, _) => return sized("nvarchar", 2),
        (TypeId::BigChar, _) => return sized("char", 1),
        (TypeId::BigVarChar, _) => return sized("varchar", 1),
        (TypeId::BigBinary, _) => return sized("binary", 1),
        (TypeId::BigVarBinary, _) => return sized("varbinary", 1),
        (other, _) => return format!("{other:?}"),
    };
    name.to_owned()
}

impl Column {
    /// Reads a column's description.
    pub(super) fn new(data: &ColumnData) -> Self {
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
            _ => (Form::Unknown, Kind::Bytes),
        };
        Self { form, kind }
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
