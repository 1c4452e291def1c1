//! SQL of a worker file with places for parameters: `OpenDate <= {date}`; and what rows are read from.
//!
//! One name in braces is a parameter's place. Braces around anything else are SQL's own: `'{1,2}'`, `'{"a":1}'`, `{4}` in a
//! pattern. `{{abc}}` is the text `{abc}`, where no parameter has that name.

mod lexicon;
mod marks;
mod query;

pub use lexicon::{Lexicon, PARAMETER, Piece, pieces};
pub use marks::{MarkError, Template};
pub use query::{check_expression, check_query};

use super::names::ViewName;
use super::param::{ParamValue, Params};
use std::fmt;

/// SQL with the values of its parameters beside it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sql {
    parts: Vec<Part>,
}

/// A part of [`Sql`].
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Plain SQL.
    Text(String),
    /// A parameter's place.
    Param {
        /// `date`.
        name: String,
        /// What is bound there.
        value: ParamValue,
    },
}

impl Sql {
    /// Puts parts together.
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Adds its parameters to a list.
    pub fn gather(&self, params: &mut Params) {
        for part in &self.parts {
            if let Part::Param { name, value } = part {
                params.insert(name.clone(), value.clone());
            }
        }
    }

    /// The text with [`PARAMETER`] in each parameter's place.
    pub fn outline(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Param { .. } => PARAMETER.to_string(),
        };
        self.parts.iter().map(text).collect()
    }
}

impl From<String> for Sql {
    /// SQL without parameters, braces and all.
    fn from(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Display for Sql {
    /// As it stands in the worker file: `OpenDate <= {date}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Param { name, .. } => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// What rows are read from. `S` is SQL as it is written ([`Template`]) or bound ([`Sql`]).
#[derive(Clone, PartialEq)]
pub enum Relation<S = Sql> {
    /// A view or table.
    View(ViewName),
    /// A table function and its arguments.
    Function {
        /// Its name.
        name: ViewName,
        /// What stands between the parentheses.
        arguments: S,
    },
    /// One SELECT.
    Query(S),
}

impl<S> Relation<S> {
    /// The name, where it has one.
    pub fn name(&self) -> Option<&ViewName> {
        match self {
            Self::View(name) | Self::Function { name, .. } => Some(name),
            Self::Query(_) => None,
        }
    }

    /// Its SQL; a view has none.
    pub fn sql(&self) -> Option<&S> {
        match self {
            Self::View(_) => None,
            Self::Function { arguments: sql, .. } | Self::Query(sql) => Some(sql),
        }
    }
}

impl Relation<Template> {
    /// The relation with values for its parameters.
    ///
    /// # Errors
    /// The name of a parameter that has no value.
    pub fn bind(&self, params: &Params) -> Result<Relation, String> {
        Ok(match self {
            Self::View(name) => Relation::View(name.clone()),
            Self::Function { name, arguments } => {
                Relation::Function { name: name.clone(), arguments: arguments.bind(params)? }
            }
            Self::Query(sql) => Relation::Query(sql.bind(params)?),
        })
    }
}

impl<S> From<ViewName> for Relation<S> {
    fn from(name: ViewName) -> Self {
        Self::View(name)
    }
}

impl<S: fmt::Debug> fmt::Debug for Relation<S> {
    /// A view's is its name's: runs' digests are made of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(name) => fmt::Debug::fmt(name, f),
            Self::Function { name, arguments } => {
                f.debug_struct("Function").field("name", name).field("arguments", arguments).finish()
            }
            Self::Query(sql) => f.debug_tuple("Query").field(sql).finish(),
        }
    }
}

impl<S: fmt::Display> fmt::Display for Relation<S> {
    /// `dbo.v_LoanData`, `dbo.f_LoanData({date})` or `source.query`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(name) => write!(f, "{name}"),
            Self::Function { name, arguments } => write!(f, "{name}({arguments})"),
            Self::Query(_) => f.write_str("source.query"),
        }
    }
}
