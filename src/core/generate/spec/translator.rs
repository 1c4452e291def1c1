//! The translators' part of a worker file: how a page becomes the bytes of one file.

use serde_json::Value;

/// How a page becomes bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum TranslatorSpec {
    /// Values between delimiters.
    Delimited(DelimitedSpec),
    /// Values in columns of fixed width.
    FixedWidth(FixedWidthSpec),
    /// One JSON object a line.
    Json(JsonSpec),
    /// A minijinja template a record.
    Template(TemplateSpec),
    /// A translator registered by name, with its options as JSON.
    Custom {
        /// The name it was registered under.
        name: String,
        /// Whatever stands under the name in the worker file.
        options: Value,
    },
}

impl TranslatorSpec {
    /// Goes through all columns that have a form of their own.
    pub fn each_column(&mut self, change: &mut dyn FnMut(&mut ColumnSpec)) {
        match self {
            Self::Delimited(spec) => spec.columns.iter_mut().for_each(change),
            Self::FixedWidth(spec) => spec.columns.iter_mut().for_each(change),
            Self::Json(spec) => spec.fields.iter_mut().for_each(|(_, node)| node.each_column(change)),
            Self::Template(_) | Self::Custom { .. } => {}
        }
    }
}

/// Values between delimiters, RFC 4180 when quoted.
#[derive(Clone, PartialEq)]
pub struct DelimitedSpec {
    /// One or more characters between the values.
    pub delimiter: String,
    /// When values stand in quotes.
    pub quote: Quote,
    /// How a quote inside quotes is told from the one that ends them.
    pub escape: Escape,
    /// How an empty text is told from NULL.
    pub empty: EmptyText,
    /// What becomes of a value that begins with a quote where nothing is quoted.
    pub leading_quote: LeadingQuote,
    /// Whether the first record holds the columns' names.
    pub names: bool,
    /// The values, left to right.
    pub columns: Vec<ColumnSpec>,
}

/// When values stand in quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Quote {
    /// Never; a value that would break the record is an error.
    #[default]
    Never,
    /// Where a value holds the delimiter, a quote or a line break, is an empty text, or would be taken for something else: with
    /// blanks around it, as `NULL`, `\N`, `\.`, or with `#` or `'` before it.
    Minimal,
    /// Every value but NULL.
    Always,
    /// Every value but numbers and NULL.
    NonNumeric,
}

/// How a quote inside quotes is told from the one that ends them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Escape {
    /// It stands twice.
    #[default]
    Double,
    /// A backslash stands before it, and before a backslash.
    Backslash,
}

/// What becomes of a value that begins with a quote where nothing is quoted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LeadingQuote {
    /// It is an error: most readers would take it for the beginning of a quoted value.
    #[default]
    Refuse,
    /// It is written as it is.
    Keep,
}

/// How an empty text is written where quoting is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EmptyText {
    /// `""`: different from NULL.
    #[default]
    Quoted,
    /// Nothing: the same as NULL.
    Bare,
}

/// Values in columns of fixed width.
#[derive(Clone, PartialEq)]
pub struct FixedWidthSpec {
    /// The fields, left to right; each has a width, or is a literal of its own length.
    pub columns: Vec<ColumnSpec>,
    /// What widths count.
    pub width_in: WidthIn,
}

/// What the widths of a file count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WidthIn {
    /// Bytes of the file.
    #[default]
    Bytes,
    /// Characters, however many bytes each takes.
    Characters,
}

/// One JSON object a line.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonSpec {
    /// Fields in order.
    pub fields: Vec<(String, JsonNode)>,
    /// Whether fields that are NULL are left out.
    pub skip_null: bool,
}

/// What a JSON field holds.
#[derive(Clone, PartialEq, Debug)]
pub enum JsonNode {
    /// A column's value.
    Value(ColumnSpec),
    /// A nested object.
    Object(Vec<(String, JsonNode)>),
    /// An array.
    Array(Vec<JsonNode>),
}

impl JsonNode {
    fn each_column(&mut self, change: &mut dyn FnMut(&mut ColumnSpec)) {
        match self {
            Self::Value(column) => change(column),
            Self::Object(fields) => fields.iter_mut().for_each(|(_, node)| node.each_column(change)),
            Self::Array(items) => items.iter_mut().for_each(|node| node.each_column(change)),
        }
    }
}

/// A minijinja template a record; columns are its variables.
#[derive(Clone, PartialEq, Eq)]
pub struct TemplateSpec {
    /// The template of one record, without its line end.
    pub record: String,
    /// Columns it may use.
    pub columns: Vec<String>,
    /// On whose clock instants are written: the file's own zone.
    pub zone: Option<String>,
}

/// One value of a record: a column or a literal, and its form.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ColumnSpec {
    /// The column, or the text itself.
    pub from: From,
    /// The name in the first line of a delimited file; the column's own when not given.
    pub name: Option<String>,
    /// A number's (`0.00`) or a date's (strftime) format.
    pub format: Option<String>,
    /// What NULL is written as.
    pub null: Option<String>,
    /// Characters of the field.
    pub width: Option<u32>,
    /// Where the value stands in its field.
    pub align: Align,
    /// What fills the field.
    pub pad: Option<char>,
    /// Upper or lower case.
    pub case: Option<Case>,
    /// Which blanks go.
    pub trim: Trim,
    /// On whose clock instants are written: the file's own zone.
    pub zone: Option<String>,
    /// The file's own forms, for what the column has no form of its own for.
    pub forms: Forms,
}

/// How a whole file writes values of some kinds, where their columns have no form of their own.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Forms {
    /// What true and false are written as: `Y/N`.
    pub booleans: Option<String>,
    /// How timestamps are written.
    pub timestamps: Timestamps,
    /// What stands between a number's whole part and its fraction.
    pub decimal: DecimalSign,
    /// How bytes are written.
    pub bytes: BytesForm,
}

/// How bytes are written: two lower-case digits each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BytesForm {
    /// `00ff41`.
    #[default]
    Hex,
    /// `\x00ff41`, as PostgreSQL reads it.
    Prefixed,
    /// `\x00\xff\x41`, as DuckDB reads it.
    Escaped,
}

/// How timestamps are written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Timestamps {
    /// `2026-11-21T10:30:00.5`, instants with `Z` or their offset.
    #[default]
    Iso,
    /// `2026-11-21 10:30:00.5`, instants with `+00:00` or their offset.
    Space,
    /// `2026-11-21 10:30:00.5`, instants without an offset: in UTC, or on the clock of the file's zone.
    Plain,
    /// A strftime format.
    Format(String),
}

/// What stands between a number's whole part and its fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DecimalSign {
    /// `1234.50`, and `1,234.50` in groups.
    #[default]
    Point,
    /// `1234,50`, and `1.234,50` in groups.
    Comma,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum From {
    /// A column of the view.
    Column(String),
    /// The same text in every record.
    Literal(String),
}

impl Default for From {
    fn default() -> Self {
        Self::Literal(String::new())
    }
}

/// Where a value stands in its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Align {
    /// At the start.
    #[default]
    Left,
    /// At the end.
    Right,
}

/// Letter case of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// All capitals.
    Upper,
    /// No capitals.
    Lower,
}

/// Which blanks around a value go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trim {
    /// None.
    #[default]
    None,
    /// Before it.
    Left,
    /// Behind it.
    Right,
    /// Both.
    Both,
}
