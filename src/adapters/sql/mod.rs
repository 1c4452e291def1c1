//! SQL text for views read by key, shared by every SQL source: pure functions, no connection.
//!
//! The view has the alias `t` in every statement and each column is written `t."name"`. So `ORDER BY` means the view's own
//! column and never an output column of the same name (PostgreSQL would sort a `col::text` as text), and a name that the
//! view does not have is an error (SQLite would take `"name"` as a string).

mod counted;
mod extent;
mod names;
mod page;
mod predicate;
#[cfg(test)]
mod tests;

pub use counted::LastCount;
pub use extent::{ExtentLayout, ExtentStatement, duplicate_keys, extent, null_keys};
pub use names::{mask_field, one_key, unchanged, unknown_column, unknown_view};
pub use page::{Layout, PageRequest, PageStatement, Range, page, shown};
pub use predicate::check_predicate;

use crate::core::model::key::KeyValue;
use crate::core::model::names::ViewName;

/// How one database writes SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// How names are quoted.
    pub quote: Quote,
    /// How a statement refers to the values of a key.
    pub params: Params,
    /// Whether `(a, b) > (1, 2)` compares as a whole; else it is written out with OR.
    pub row_values: bool,
    /// How a statement is kept to a number of rows.
    pub limit: Limit,
    /// The function that counts without overflow: `count`.
    pub count: &'static str,
    /// What strings, names and comments look like inside a predicate.
    pub lexicon: Lexicon,
}

/// How names are quoted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quote {
    /// `"a""b"`.
    Double,
    /// `[a]]b]`.
    Brackets,
}

/// How a statement refers to the values of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Params {
    /// `?1`.
    Question,
    /// `$1`.
    Dollar,
    /// `@P1`.
    AtP,
    /// The value itself as an untyped string literal, which takes the type of the column beside it: for PostgreSQL's
    /// `COPY`, which has no parameters.
    Literals,
}

/// How a statement is kept to a number of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// `LIMIT n OFFSET m` at the end.
    Limit,
    /// `TOP (n)` at the start, or `OFFSET m ROWS FETCH NEXT n ROWS ONLY` at the end.
    TopFetch,
}

/// What a database takes as strings, names, comments and parameters: needed to tell where a predicate ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lexicon {
    /// Marks that open a quoted name besides `"`: `[` and the backtick.
    pub name_marks: &'static str,
    /// `$tag$ … $tag$` and `E'\''` are strings.
    pub postgres_strings: bool,
    /// `/* /* */ */` is one comment.
    pub nested_comments: bool,
    /// Characters that start a parameter.
    pub parameter_marks: &'static str,
}

impl Dialect {
    /// SQLite.
    pub const SQLITE: Self = Self {
        quote: Quote::Double,
        params: Params::Question,
        row_values: true,
        limit: Limit::Limit,
        count: "count",
        lexicon: Lexicon { name_marks: "[`", postgres_strings: false, nested_comments: false, parameter_marks: "?:@$" },
    };

    /// PostgreSQL, with parameters.
    pub const POSTGRES: Self = Self {
        quote: Quote::Double,
        params: Params::Dollar,
        row_values: true,
        limit: Limit::Limit,
        count: "count",
        lexicon: Lexicon { name_marks: "", postgres_strings: true, nested_comments: true, parameter_marks: "" },
    };

    /// PostgreSQL, for statements without parameters.
    pub const POSTGRES_COPY: Self = Self { params: Params::Literals, ..Self::POSTGRES };

    /// Microsoft SQL Server.
    pub const SQL_SERVER: Self = Self {
        quote: Quote::Brackets,
        params: Params::AtP,
        row_values: false,
        limit: Limit::TopFetch,
        count: "COUNT_BIG",
        lexicon: Lexicon { name_marks: "[", postgres_strings: false, nested_comments: true, parameter_marks: "@" },
    };

    /// Quotes one name.
    pub fn name(&self, name: &str) -> String {
        match self.quote {
            Quote::Double => format!("\"{}\"", name.replace('"', "\"\"")),
            Quote::Brackets => format!("[{}]", name.replace(']', "]]")),
        }
    }

    /// Quotes a view's parts: `"sales"."My View"`.
    pub fn view(&self, view: &ViewName) -> String {
        view.parts().iter().map(|part| self.name(part)).collect::<Vec<_>>().join(".")
    }

    /// A column of the view: `t."Amount"`.
    pub fn column(&self, name: &str) -> String {
        format!("t.{}", self.name(name))
    }

    /// Refers to the parameter with this number, from 1; with [`Params::Literals`], the value itself.
    pub fn placeholder(&self, number: usize, value: &KeyValue) -> String {
        match self.params {
            Params::Question => format!("?{number}"),
            Params::Dollar => format!("${number}"),
            Params::AtP => format!("@P{number}"),
            Params::Literals => literal(value),
        }
    }
}

/// An untyped string literal as PostgreSQL reads it (`standard_conforming_strings`, its default, is on).
fn literal(value: &KeyValue) -> String {
    match value {
        KeyValue::Int(value) => format!("'{value}'"),
        KeyValue::Text(text) | KeyValue::Typed(text) | KeyValue::Float(text) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        KeyValue::Bytes(hex) => format!("'\\x{}'", hex.replace('\'', "''")),
    }
}

/// What a source adds to plain column references.
pub trait Render {
    /// A wanted column in the select list: `t."id"::text`. Gets its name and its plain reference.
    fn column(&self, name: &str, reference: &str) -> String {
        let _ = name;
        reference.to_owned()
    }

    /// A key column in the select list, where a key's value is not read from the wanted column of that name. When it is
    /// none, the key is read from the wanted column, and selected by its plain reference if no such column is wanted.
    fn key(&self, name: &str, reference: &str) -> Option<String> {
        let _ = (name, reference);
        None
    }

    /// A key's value beside its column in a comparison: `$1::text::uuid`. Gets the column's name, the value, and its
    /// placeholder.
    fn bound(&self, name: &str, value: &KeyValue, placeholder: &str) -> String {
        let _ = (name, value);
        placeholder.to_owned()
    }

    /// Whether rows come with their rank in the order of the key: where values that differ to us may be one to the database.
    fn ranks(&self, key: &[String]) -> bool {
        let _ = key;
        false
    }
}

/// Plain references: nothing added.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Render for Plain {}

/// Selects all columns of a view and no row: for its columns' names and types.
pub fn no_rows(dialect: &Dialect, view: &ViewName) -> String {
    format!("SELECT t.* FROM {} t WHERE 1 = 0", dialect.view(view))
}

/// The key columns in order, each ascending or each descending.
fn order_by(dialect: &Dialect, key: &[String], descending: bool) -> String {
    let direction = if descending { " DESC" } else { "" };
    key.iter().map(|name| format!("{}{direction}", dialect.column(name))).collect::<Vec<_>>().join(", ")
}
