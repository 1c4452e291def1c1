//! The values of one statement: those of keys and of the run's parameters, numbered as the statement names them.

use super::{Dialect, Params, Render};
use crate::core::model::key::KeyValue;
use crate::core::model::param::ParamValue;
use crate::core::model::sql::{Part, Relation, Sql, check_expression, check_query};
use crate::core::ports::source::SourceError;
use std::fmt::Display;

/// A value that a statement names by its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Of a key column.
    Key {
        /// The column.
        column: String,
        /// Its value.
        value: KeyValue,
    },
    /// Of the run's parameter with this name.
    Param {
        /// `date`.
        name: String,
        /// Its value.
        value: ParamValue,
    },
}

/// What stands behind FROM, and what has to stand before the statement's SELECT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct From {
    /// `WITH a AS (…), … `, or nothing.
    pub with: String,
    /// A name, a function's call or a query in parentheses; it takes the alias `t`.
    pub text: String,
}

/// The values of the statement that is being written.
pub struct Bindings<'a> {
    dialect: &'a Dialect,
    values: Vec<Bound>,
}

impl<'a> Bindings<'a> {
    /// No values yet.
    pub fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, values: Vec::new() }
    }

    /// The values in the order of their numbers; empty when the dialect numbers none.
    pub fn into_values(self) -> Vec<Bound> {
        self.values
    }

    /// A key's value beside its column in a comparison.
    pub fn key(&mut self, render: &dyn Render, column: &str, value: &KeyValue) -> String {
        let placeholder = if self.dialect.params == Params::Literals {
            super::literal(value)
        } else {
            self.values.push(Bound::Key { column: column.to_owned(), value: value.clone() });
            self.dialect.placeholder(self.values.len())
        };
        render.bound(column, value, &placeholder)
    }

    /// A predicate, for a place in parentheses.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for a predicate that is more or less than one expression.
    pub fn predicate(&mut self, sql: &Sql) -> Result<String, SourceError> {
        check_expression(self.dialect.lexicon, &sql.outline()).map_err(|why| refused("the predicate", sql, &why))?;
        Ok(self.text(sql))
    }

    /// What rows are read from.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for arguments that are no expressions and for a query that is not one SELECT.
    pub fn relation(&mut self, relation: &Relation) -> Result<From, SourceError> {
        let plain = |text| From { with: String::new(), text };
        match relation {
            Relation::View(name) => Ok(plain(self.dialect.view(name))),
            Relation::Function { name, arguments } => {
                check_expression(self.dialect.lexicon, &arguments.outline())
                    .map_err(|why| refused("the view", relation, &why))?;
                Ok(plain(format!("{}({})", self.dialect.view(name), self.text(arguments))))
            }
            Relation::Query(sql) => {
                let outline = sql.outline();
                let main = check_query(self.dialect.lexicon, &outline)
                    .map_err(|why| SourceError::Refused { reason: format!("`source.query` cannot be used: {why}") })?;
                match main.filter(|_| self.dialect.with_leads) {
                    // The line's end ends a comment.
                    None => Ok(plain(format!("({}\n)", self.text(sql)))),
                    Some(at) => {
                        let (head, main) = split(sql, at);
                        let name = self.dialect.name("filegen query");
                        let with = format!("{}\n, {name} AS ({}\n) ", self.text(&head), self.text(&main));
                        Ok(From { with, text: name })
                    }
                }
            }
        }
    }

    /// The text with the parameters' placeholders. A parameter that comes again has its first number.
    fn text(&mut self, sql: &Sql) -> String {
        let mut text = String::new();
        for part in sql.parts() {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Param { name, value } => text.push_str(&self.param(name, value)),
            }
        }
        text
    }

    fn param(&mut self, name: &str, value: &ParamValue) -> String {
        match self.dialect.params {
            Params::Named => return format!("{{{name}}}"),
            Params::Literals => return setting(name, value),
            Params::Question | Params::AtP => {}
        }
        let known = self.values.iter().position(|bound| matches!(bound, Bound::Param { name: n, .. } if n == name));
        let number = known.unwrap_or_else(|| {
            self.values.push(Bound::Param { name: name.to_owned(), value: value.clone() });
            self.values.len() - 1
        });
        let placeholder = self.dialect.placeholder(number + 1);
        match (value, self.dialect.params) {
            // SQLite has no decimals: what it compares is the number that the text says.
            (ParamValue::Decimal(_), Params::Question) => format!("CAST({placeholder} AS NUMERIC)"),
            (ParamValue::Decimal(text), _) => {
                let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                format!("CAST({placeholder} AS decimal(38,{scale}))")
            }
            _ => placeholder,
        }
    }
}

/// The name of the PostgreSQL setting that holds a parameter's value.
pub fn setting_name(name: &str) -> String {
    // A parameter of a worker file has no `$` in its name.
    format!("filegen.{}", name.replace('.', "$"))
}

/// Reads a parameter's value where nothing can be bound: from a setting of the transaction, to which it was bound.
fn setting(name: &str, value: &ParamValue) -> String {
    let kind = match value {
        ParamValue::Date(_) => "date",
        ParamValue::Text(_) => "text",
        ParamValue::Integer(number) if i32::try_from(*number).is_ok() => "int4",
        ParamValue::Integer(_) => "int8",
        ParamValue::Decimal(_) => "numeric",
        ParamValue::Boolean(_) => "bool",
    };
    format!("CAST(pg_catalog.current_setting('{}') AS pg_catalog.{kind})", setting_name(name))
}

/// The SQL before and from a byte of its outline on.
fn split(sql: &Sql, at: usize) -> (Sql, Sql) {
    let (mut head, mut main) = (Vec::new(), Vec::new());
    let mut start = 0;
    for part in sql.parts() {
        match part {
            Part::Text(text) => {
                let (before, after) = text.split_at(at.saturating_sub(start).min(text.len()));
                head.push(Part::Text(before.to_owned()));
                main.push(Part::Text(after.to_owned()));
                start += text.len();
            }
            Part::Param { .. } => {
                if start < at { &mut head } else { &mut main }.push(part.clone());
                start += 1;
            }
        }
    }
    (Sql::new(head), Sql::new(main))
}

fn refused(what: &str, sql: &dyn Display, why: &str) -> SourceError {
    SourceError::Refused { reason: format!("{what} `{sql}` cannot be used: {why}") }
}
