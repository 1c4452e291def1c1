//! SQL text for views read by key, shared by every SQL source: pure functions, no connection.
//!
//! The view has the alias `t` in every statement and each column is written `t."name"`. So `ORDER BY` means the view's own
//! column and never an output column of the same name (PostgreSQL would sort a `col::text` as text), and a name that the
//! view does not have is an error (SQLite would take `"name"` as a string).

mod bindings;
mod counted;
mod extent;
mod names;
mod page;
#[cfg(test)]
mod tests;
mod waiting;

pub use bindings::{Bindings, Bound, From, setting_name};
pub use counted::LastCount;
pub use extent::{ExtentLayout, ExtentStatement, duplicate_keys, extent, null_keys};
pub use names::{mask_field, one_key, too_long, unchanged, unknown_column, unknown_view};
pub use page::{Layout, PageRequest, PageStatement, Range, page, shown};
pub use waiting::{Leave, Waiting};

use crate::core::model::key::KeyValue;
use crate::core::model::names::ViewName;
use crate::core::model::sql::{Lexicon, Relation};
use crate::core::ports::source::SourceError;

/// How one database writes SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// How names are quoted.
    pub quote: Quote,
    /// How a statement refers to values.
    pub params: Params,
    /// Whether `(a, b) > (1, 2)` compares as a whole; else it is written out with OR.
    pub row_values: bool,
    /// How a statement is kept to a number of rows.
    pub limit: Limit,
    /// The function that counts without overflow: `count`.
    pub count: &'static str,
    /// Whether a WITH stands before the whole statement, and never inside parentheses.
    pub with_leads: bool,
    /// What strings, names and comments look like inside SQL of a worker file.
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

/// How a statement refers to values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Params {
    /// `?1`.
    Question,
    /// `@P1`.
    AtP,
    /// For PostgreSQL's `COPY`, in which nothing can be bound. A key's value is an untyped string literal, which takes the
    /// type of the column beside it. A parameter's is read from a setting of the transaction, to which it was bound.
    Literals,
    /// As the worker file has it, `{date}`: for people to read.
    Named,
}

/// How a statement is kept to a number of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// `LIMIT n OFFSET m` at the end.
    Limit,
    /// `TOP (n)` at the start, or `OFFSET m ROWS FETCH NEXT n ROWS ONLY` at the end.
    TopFetch,
}

impl Dialect {
    /// SQLite.
    pub const SQLITE: Self = Self {
        quote: Quote::Double,
        params: Params::Question,
        row_values: true,
        limit: Limit::Limit,
        count: "count",
        with_leads: false,
        lexicon: Lexicon::SQLITE,
    };

    /// PostgreSQL.
    pub const POSTGRES: Self = Self {
        quote: Quote::Double,
        params: Params::Literals,
        row_values: true,
        limit: Limit::Limit,
        count: "count",
        with_leads: false,
        lexicon: Lexicon::POSTGRES,
    };

    /// Microsoft SQL Server.
    pub const SQL_SERVER: Self = Self {
        quote: Quote::Brackets,
        params: Params::AtP,
        row_values: false,
        limit: Limit::TopFetch,
        count: "COUNT_BIG",
        with_leads: true,
        lexicon: Lexicon::SQL_SERVER,
    };

    /// Quotes one name.
    pub fn name(&self, name: &str) -> String {
        match self.quote {
            Quote::Double => format!("\"{}\"", name.replace('"', "\"\"")),
            Quote::Brackets => format!("[{}]", name.replace(']', "]]")),
        }
    }

    /// Quotes each part of a table's name: `orders` or `sales.orders`.
    pub fn table(&self, table: &str) -> String {
        table.split('.').map(|part| self.name(part)).collect::<Vec<_>>().join(".")
    }

    /// Quotes a view's parts: `"sales"."My View"`.
    pub fn view(&self, view: &ViewName) -> String {
        view.parts().iter().map(|part| self.name(part)).collect::<Vec<_>>().join(".")
    }

    /// A column of the view: `t."Amount"`.
    pub fn column(&self, name: &str) -> String {
        format!("t.{}", self.name(name))
    }

    /// Refers to the value with this number, from 1.
    fn placeholder(&self, number: usize) -> String {
        match self.params {
            Params::Question => format!("?{number}"),
            Params::AtP => format!("@P{number}"),
            Params::Literals | Params::Named => format!("${number}"),
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

/// The length of each wanted column in bytes in place of its value, by the database's function, and keys as another renders
/// them: to find a value that is too long to be read.
pub struct Lengths<'a> {
    /// `DATALENGTH`.
    pub function: &'static str,
    /// Renders keys.
    pub keys: &'a dyn Render,
}

impl Render for Lengths<'_> {
    fn column(&self, _: &str, reference: &str) -> String {
        format!("{}({reference})", self.function)
    }

    fn key(&self, name: &str, reference: &str) -> Option<String> {
        Some(self.keys.key(name, reference).unwrap_or_else(|| reference.to_owned()))
    }

    fn bound(&self, name: &str, value: &KeyValue, placeholder: &str) -> String {
        self.keys.bound(name, value, placeholder)
    }
}

/// A statement and the values of its numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values in the order of their numbers.
    pub params: Vec<Bound>,
}

/// Selects all columns of a view and no row: for its columns' names and types.
///
/// # Errors
/// [`SourceError::Refused`] for a query that is not one SELECT.
pub fn no_rows(dialect: &Dialect, view: &Relation) -> Result<Statement, SourceError> {
    selected(dialect, view, " WHERE 1 = 0")
}

/// Selects all columns and rows of a view, in no order.
///
/// # Errors
/// As [`no_rows`].
pub fn all_rows(dialect: &Dialect, view: &Relation) -> Result<Statement, SourceError> {
    selected(dialect, view, "")
}

fn selected(dialect: &Dialect, view: &Relation, rows: &str) -> Result<Statement, SourceError> {
    let mut bindings = Bindings::new(dialect);
    let From { with, text } = bindings.relation(view)?;
    Ok(Statement { sql: format!("{with}SELECT t.* FROM {text} t{rows}"), params: bindings.into_values() })
}

/// The key columns in order, each ascending or each descending.
fn order_by(dialect: &Dialect, key: &[String], descending: bool) -> String {
    let direction = if descending { " DESC" } else { "" };
    key.iter().map(|name| format!("{}{direction}", dialect.column(name))).collect::<Vec<_>>().join(", ")
}
