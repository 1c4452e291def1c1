//! Predicates that memory understands: `"Amount" >= 10 AND Status = 'open' AND Closed IS NOT NULL`.

use super::cell::{Cell, scale};
use crate::adapters::sql::unknown_column;
use crate::core::model::column::{Column, Kind};
use crate::core::model::decimal::Decimal;
use crate::core::model::param::ParamValue;
use crate::core::model::sql::{Part, Relation, Sql};
use crate::core::ports::source::SourceError;
use std::cmp::Ordering;

/// Conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    column: usize,
    kind: Kind,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    IsNull(bool),
    Compare(&'static [Ordering], Literal),
}

#[derive(Clone, Debug)]
enum Literal {
    Number(Decimal),
    Text(String),
}

/// Longer ones first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, &[Ordering]); 6] = [
    ("<=", &[Ordering::Less, Ordering::Equal]),
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("<>", &[Ordering::Less, Ordering::Greater]),
    ("<", &[Ordering::Less]),
    (">", &[Ordering::Greater]),
    ("=", &[Ordering::Equal]),
];

impl Filter {
    pub(super) fn parse(sql: &Sql, view: &Relation, columns: &[Column]) -> Result<Self, SourceError> {
        let text = written(sql);
        let conditions = text.split(" AND ").map(|part| condition(part.trim(), &text, view, columns));
        Ok(Self { conditions: conditions.collect::<Result<_, _>>()? })
    }

    /// Whether a row is in. As in SQL, a comparison with NULL is not true.
    pub(super) fn admits(&self, row: &[Cell]) -> bool {
        self.conditions.iter().all(|condition| {
            let cell = row.get(condition.column).unwrap_or(&Cell::Null);
            match &condition.test {
                Test::IsNull(null) => matches!(cell, Cell::Null) == *null,
                Test::Compare(accepted, literal) => {
                    compare(cell, condition.kind, literal).is_some_and(|order| accepted.contains(&order))
                }
            }
        })
    }
}

/// The predicate with its parameters as literals: there is nothing here that they could be bound to.
fn written(sql: &Sql) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Param { value: ParamValue::Integer(_) | ParamValue::Decimal(_), .. } => part_value(part),
        Part::Param { .. } => format!("'{}'", part_value(part).replace('\'', "''")),
    };
    sql.parts().iter().map(part).collect()
}

fn part_value(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Param { value, .. } => value.to_string(),
    }
}

fn condition(part: &str, whole: &str, view: &Relation, columns: &[Column]) -> Result<Condition, SourceError> {
    let refuse = || SourceError::Refused {
        reason: format!("memory cannot evaluate the predicate `{whole}`; it knows `COLUMN OP LITERAL` joined by AND"),
    };
    let (name, rest) = match part.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or_else(refuse)?,
        None => part.split_at(part.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(part.len())),
    };
    let column = (columns.iter().position(|column| column.name == name))
        .ok_or_else(|| unknown_column(view, name, columns.iter().map(|column| column.name.clone())))?;
    let kind = columns.get(column).map_or(Kind::Text, |column| column.kind);
    let rest = rest.trim();
    let test = match rest {
        "IS NULL" => Test::IsNull(true),
        "IS NOT NULL" => Test::IsNull(false),
        _ => {
            let found =
                OPERATORS.iter().find_map(|(sign, accepted)| Some((*accepted, rest.strip_prefix(sign)?.trim())));
            let (accepted, value) = found.ok_or_else(refuse)?;
            let literal = match value.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
                Some(text) => Literal::Text(text.replace("''", "'")),
                None => Literal::Number(Decimal::parse(value.as_bytes()).ok_or_else(refuse)?),
            };
            Test::Compare(accepted, literal)
        }
    };
    Ok(Condition { column, kind, test })
}

fn compare(cell: &Cell, kind: Kind, literal: &Literal) -> Option<Ordering> {
    match (cell, literal) {
        (Cell::Text(text), Literal::Text(other)) => Some(text.cmp(other)),
        (Cell::Int(_) | Cell::Decimal(_) | Cell::Float(_), Literal::Number(number)) => {
            let cell = cell.number(kind)?;
            let scale = scale(kind).max(cell.scale).max(number.scale);
            Some(cell.at_scale(scale)?.cmp(&number.at_scale(scale)?))
        }
        _ => None,
    }
}
