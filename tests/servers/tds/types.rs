//! SQL Server's types: their names, their TYPE_INFO on the wire, and parameters of any of them.

use super::reply::us_varchar;
use encoding_rs::Encoding;

/// A type with its sizes; none stands for `max`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SqlType {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Real,
    Float,
    SmallMoney,
    Money,
    Decimal(u8, u8),
    Numeric(u8, u8),
    Guid,
    Date,
    Time(u8),
    SmallDateTime,
    DateTime,
    DateTime2(u8),
    DateTimeOffset(u8),
    Char(u16),
    VarChar(Option<u16>),
    NChar(u16),
    NVarChar(Option<u16>),
    Text,
    NText,
    Binary(u16),
    VarBinary(Option<u16>),
    Image,
    Xml,
    Variant,
}

/// A collation: its name, its five bytes on the wire, and the code page of its `varchar`.
#[derive(Debug)]
pub struct Collation {
    pub name: &'static str,
    pub wire: [u8; 5],
    pub code_page: u32,
    pub encoding: &'static Encoding,
}

/// `SQL_Latin1_General_CP1_CI_AS`.
pub const DEFAULT_COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];

/// The collations there are; the first is the default. Low 20 bits: the locale; then flags (ignore case, accents, kana and width;
/// bit 25: binary; bit 26: UTF-8) and a version; the last byte is the sort number of the old `SQL_` collations.
pub static COLLATIONS: [Collation; 8] = [
    collation("SQL_Latin1_General_CP1_CI_AS", DEFAULT_COLLATION, 1252, encoding_rs::WINDOWS_1252),
    collation("Latin1_General_CI_AS", [0x09, 0x04, 0xd0, 0x00, 0], 1252, encoding_rs::WINDOWS_1252),
    collation("Latin1_General_CI_AI", [0x09, 0x04, 0xf0, 0x00, 0], 1252, encoding_rs::WINDOWS_1252),
    collation("Latin1_General_BIN2", [0x09, 0x04, 0x00, 0x02, 0], 1252, encoding_rs::WINDOWS_1252),
    collation("Cyrillic_General_CI_AS", [0x19, 0x04, 0xd0, 0x00, 0], 1251, encoding_rs::WINDOWS_1251),
    collation("Greek_CI_AS", [0x08, 0x04, 0xd0, 0x00, 0], 1253, encoding_rs::WINDOWS_1253),
    collation("Japanese_CI_AS", [0x11, 0x04, 0xd0, 0x00, 0], 932, encoding_rs::SHIFT_JIS),
    collation("Latin1_General_100_CI_AS_SC_UTF8", [0x09, 0x04, 0xd0, 0x24, 0], 65001, encoding_rs::UTF_8),
];

const fn collation(name: &'static str, wire: [u8; 5], code_page: u32, encoding: &'static Encoding) -> Collation {
    Collation { name, wire, code_page, encoding }
}

impl Collation {
    pub fn named(name: &str) -> Option<&'static Self> {
        COLLATIONS.iter().find(|collation| collation.name.eq_ignore_ascii_case(name))
    }
}

/// A column of a result.
#[derive(Clone, Copy, Debug)]
pub struct ColumnType {
    pub kind: SqlType,
    /// Declared NOT NULL: sent in the fixed form, where there is one.
    pub fixed: bool,
    pub collation: &'static Collation,
}

impl ColumnType {
    pub fn plain(kind: SqlType) -> Self {
        Self { kind, fixed: false, collation: &COLLATIONS[0] }
    }

    /// Reads what `database` made of a declaration: `FIXED_ TEXT_ C_Greek_CI_AS varchar(20)`.
    pub fn declared(text: &str) -> Option<Self> {
        let mut column = Self::plain(SqlType::Bit);
        let mut rest = text.trim();
        loop {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            match word {
                "FIXED_" => column.fixed = true,
                "TEXT_" => {}
                _ => match word.strip_prefix("C_") {
                    Some(name) => column.collation = Collation::named(name)?,
                    None => break,
                },
            }
            rest = after;
        }
        column.kind = SqlType::parse(rest)?;
        Some(column)
    }

    /// The collation's name, for types that have one.
    pub fn collation_name(&self) -> Option<&'static str> {
        use SqlType::{Char, NChar, NText, NVarChar, Text, VarChar};
        matches!(self.kind, Char(_) | VarChar(_) | NChar(_) | NVarChar(_) | Text | NText).then_some(self.collation.name)
    }

    /// Writes the column's COLMETADATA.
    pub fn metadata(&self, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0, 0, 0, u8::from(!self.fixed) | 0x08, 0]);
        match self.fixed_token() {
            Some(token) => out.push(token),
            None => self.type_info(out),
        }
        if matches!(self.kind, SqlType::Text | SqlType::NText | SqlType::Image) {
            out.push(1);
            us_varchar(out, "t");
        }
        super::reply::b_varchar(out, name);
    }

    /// The token of a type without a length, for columns that are never NULL.
    pub fn fixed_token(&self) -> Option<u8> {
        let token = match self.kind {
            SqlType::Bit => 0x32,
            SqlType::TinyInt => 0x30,
            SqlType::SmallInt => 0x34,
            SqlType::Int => 0x38,
            SqlType::BigInt => 0x7f,
            SqlType::Real => 0x3b,
            SqlType::Float => 0x3e,
            SqlType::Money => 0x3c,
            SqlType::SmallMoney => 0x7a,
            SqlType::DateTime => 0x3d,
            SqlType::SmallDateTime => 0x3a,
            _ => return None,
        };
        self.fixed.then_some(token)
    }

    fn type_info(&self, out: &mut Vec<u8>) {
        let mut sized = |token: u8, length: Option<u16>, collated: bool| {
            out.push(token);
            out.extend_from_slice(&length.unwrap_or(u16::MAX).to_le_bytes());
            if collated {
                out.extend_from_slice(&self.collation.wire);
            }
        };
        match self.kind {
            SqlType::Char(n) => sized(0xaf, Some(n), true),
            SqlType::VarChar(n) => sized(0xa7, n, true),
            SqlType::NChar(n) => sized(0xef, Some(n * 2), true),
            SqlType::NVarChar(n) => sized(0xe7, n.map(|n| n * 2), true),
            SqlType::Binary(n) => sized(0xad, Some(n), false),
            SqlType::VarBinary(n) => sized(0xa5, n, false),
            SqlType::Bit => out.extend_from_slice(&[0x68, 1]),
            SqlType::TinyInt => out.extend_from_slice(&[0x26, 1]),
            SqlType::SmallInt => out.extend_from_slice(&[0x26, 2]),
            SqlType::Int => out.extend_from_slice(&[0x26, 4]),
            SqlType::BigInt => out.extend_from_slice(&[0x26, 8]),
            SqlType::Real => out.extend_from_slice(&[0x6d, 4]),
            SqlType::Float => out.extend_from_slice(&[0x6d, 8]),
            SqlType::SmallMoney => out.extend_from_slice(&[0x6e, 4]),
            SqlType::Money => out.extend_from_slice(&[0x6e, 8]),
            SqlType::SmallDateTime => out.extend_from_slice(&[0x6f, 4]),
            SqlType::DateTime => out.extend_from_slice(&[0x6f, 8]),
            SqlType::Decimal(p, s) => out.extend_from_slice(&[0x6a, decimal_bytes(p), p, s]),
            SqlType::Numeric(p, s) => out.extend_from_slice(&[0x6c, decimal_bytes(p), p, s]),
            SqlType::Guid => out.extend_from_slice(&[0x24, 16]),
            SqlType::Date => out.push(0x28),
            SqlType::Time(s) => out.extend_from_slice(&[0x29, s]),
            SqlType::DateTime2(s) => out.extend_from_slice(&[0x2a, s]),
            SqlType::DateTimeOffset(s) => out.extend_from_slice(&[0x2b, s]),
            SqlType::Xml => out.extend_from_slice(&[0xf1, 0]),
            SqlType::Variant => out.extend_from_slice(&[0x62, 0x49, 0x1f, 0, 0]),
            SqlType::Text | SqlType::NText | SqlType::Image => {
                let (token, length) = match self.kind {
                    SqlType::Text => (0x23, i32::MAX),
                    SqlType::NText => (0x63, i32::MAX - 1),
                    _ => (0x22, i32::MAX),
                };
                out.push(token);
                out.extend_from_slice(&length.to_le_bytes());
                if self.kind != SqlType::Image {
                    out.extend_from_slice(&self.collation.wire);
                }
            }
        }
    }
}

/// Bytes of a decimal with its sign.
pub fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

impl SqlType {
    /// Reads `decimal(15,2)`, `nvarchar(max)`, `datetime2`.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        let (name, args) = match text.split_once('(') {
            Some((name, args)) => (name, args.strip_suffix(')')?.split(',').collect::<Vec<_>>()),
            None => (text.as_str(), Vec::new()),
        };
        let number = |index: usize, default: u16| args.get(index).map_or(Some(default), |text| text.parse().ok());
        let digits = |index: usize, default: u16| number(index, default).map(|n| n as u8);
        let length = || if args.first() == Some(&"max") { Some(None) } else { number(0, 1).map(Some) };
        Some(match name {
            "bit" => Self::Bit,
            "tinyint" => Self::TinyInt,
            "smallint" => Self::SmallInt,
            "int" => Self::Int,
            "bigint" => Self::BigInt,
            "real" => Self::Real,
            "float" if number(0, 53)? <= 24 => Self::Real,
            "float" => Self::Float,
            "smallmoney" => Self::SmallMoney,
            "money" => Self::Money,
            "decimal" | "dec" => Self::Decimal(digits(0, 18)?, digits(1, 0)?),
            "numeric" => Self::Numeric(digits(0, 18)?, digits(1, 0)?),
            "uniqueidentifier" => Self::Guid,
            "date" => Self::Date,
            "time" => Self::Time(digits(0, 7)?),
            "smalldatetime" => Self::SmallDateTime,
            "datetime" => Self::DateTime,
            "datetime2" => Self::DateTime2(digits(0, 7)?),
            "datetimeoffset" => Self::DateTimeOffset(digits(0, 7)?),
            "char" => Self::Char(number(0, 1)?),
            "varchar" => Self::VarChar(length()?),
            "nchar" => Self::NChar(number(0, 1)?),
            "nvarchar" | "sysname" => Self::NVarChar(length()?),
            "text" => Self::Text,
            "ntext" => Self::NText,
            "binary" => Self::Binary(number(0, 1)?),
            "varbinary" => Self::VarBinary(length()?),
            "image" => Self::Image,
            "xml" => Self::Xml,
            "sql_variant" => Self::Variant,
            _ => return None,
        })
    }

    /// As the catalogue writes it: `decimal(15,2)`.
    pub fn name(self) -> String {
        let sized = |name: &str, n: Option<u16>| n.map_or(format!("{name}(max)"), |n| format!("{name}({n})"));
        match self {
            Self::Decimal(p, s) => format!("decimal({p},{s})"),
            Self::Numeric(p, s) => format!("numeric({p},{s})"),
            Self::Time(s) => format!("time({s})"),
            Self::DateTime2(s) => format!("datetime2({s})"),
            Self::DateTimeOffset(s) => format!("datetimeoffset({s})"),
            Self::Char(n) => sized("char", Some(n)),
            Self::VarChar(n) => sized("varchar", n),
            Self::NChar(n) => sized("nchar", Some(n)),
            Self::NVarChar(n) => sized("nvarchar", n),
            Self::Binary(n) => sized("binary", Some(n)),
            Self::VarBinary(n) => sized("varbinary", n),
            Self::Guid => "uniqueidentifier".to_owned(),
            Self::Variant => "sql_variant".to_owned(),
            other => format!("{other:?}").to_ascii_lowercase(),
        }
    }

    /// How SQLite has to order its values; none for SQLite's own order.
    pub fn order(self, collation: &Collation) -> Option<&'static str> {
        match self {
            Self::Decimal(..) | Self::Numeric(..) | Self::Money | Self::SmallMoney => Some("sql_decimal"),
            Self::Guid => Some("sql_guid"),
            Self::SmallDateTime | Self::DateTime | Self::DateTime2(_) | Self::DateTimeOffset(_) => Some("sql_time"),
            Self::Char(_) | Self::VarChar(_) | Self::NChar(_) | Self::NVarChar(_) => Some(match collation.name {
                name if name.ends_with("_BIN2") => "sql_bin",
                name if name.ends_with("_CI_AI") => "sql_ci_ai",
                _ => "sql_ci",
            }),
            _ => None,
        }
    }

    /// Whether SQLite has to keep its values as text.
    pub fn is_text(self) -> bool {
        use SqlType::{BigInt, Binary, Bit, Float, Image, Int, Real, SmallInt, TinyInt, VarBinary, Variant};
        !matches!(
            self,
            Bit | TinyInt | SmallInt | Int | BigInt | Real | Float | Binary(_) | VarBinary(_) | Image | Variant
        )
    }
}
