//! Holds what only a worker file has against the grammar: columns, JSON fields, translators.

use super::{scalar, section, wrong};
use crate::config::cursor::Cursor;
use crate::config::grammar::Shape;
use crate::config::grammar::generate::{COLUMN, PARAMETER, TRANSLATORS};
use crate::config::redact::name_shown;
use crate::config::suggest::{listed, nearest};
use crate::config::tree::Value;

/// A column's name, or its object.
pub(in crate::config) fn column_or_name(at: &Cursor<'_>) {
    match at.value() {
        Some(Value::Map(_)) => column(at),
        _ => scalar(at, Shape::Words, "a column's name, or `{ column: NAME, … }`"),
    }
}

/// A parameter's value, or its object.
pub(in crate::config) fn parameter(at: &Cursor<'_>) {
    match at.value() {
        Some(Value::Map(_)) => drop(section(at, &PARAMETER)),
        _ => scalar(at, Shape::Text, "a value, or `{ type: date }`"),
    }
}

/// Output names and what they hold.
pub(in crate::config) fn json_fields(at: &Cursor<'_>) {
    match at.value() {
        Some(Value::Map(_)) => at.entries().iter().for_each(|(name, node)| json_node(&at.below(name, node))),
        _ => wrong(at, "names and columns (`name: Column`)", "for example `{ id: LoanId, balance: Balance }`"),
    }
}

/// The object form of a column.
fn column(at: &Cursor<'_>) {
    let meant = section(at, &COLUMN);
    match (at.field("column"), at.field("literal")) {
        (None, None) if meant.iter().any(|name| matches!(*name, "column" | "literal")) => {}
        (None, None) => at.report(
            "missing-field",
            "neither `column` nor `literal` says what stands here",
            "write `{ column: NAME, … }` or `{ literal: TEXT }`",
        ),
        (Some(_), Some(literal)) => literal.report(
            "impossible-value",
            "a value is either a column's or a literal",
            "remove `column` or `literal`",
        ),
        (None, Some(_)) => {
            for name in ["format", "null", "case", "trim"] {
                if let Some(at) = at.field(name) {
                    at.report(
                        "impossible-value",
                        format!("`{name}` does nothing to a literal"),
                        "remove it, and write the literal as it is to appear",
                    );
                }
            }
        }
        (Some(_), None) => {}
    }
}

/// What a JSON field holds. A map with `column` or `literal` is a column's object; any other is a nested object.
fn json_node(at: &Cursor<'_>) {
    match at.value() {
        Some(Value::Map(_)) if at.field("column").is_some() || at.field("literal").is_some() => column(at),
        Some(Value::Map(_)) => at.entries().iter().for_each(|(name, node)| json_node(&at.below(name, node))),
        Some(Value::List(_)) => at.items().iter().for_each(json_node),
        _ => column_or_name(at),
    }
}

/// Exactly one translator. The options of one that is registered by name are its own business.
pub(in crate::config) fn translator(at: &Cursor<'_>) {
    let known = || TRANSLATORS.iter().map(|(name, _)| *name).chain(at.context.registry.names());
    let all = listed(known());
    if !matches!(at.value(), Some(Value::Map(_))) {
        return wrong(at, "a translator and its options", &format!("for example `{EXAMPLE}`; there are {all}"));
    }
    for (name, node) in at.entries() {
        if let Some((_, inner)) = TRANSLATORS.iter().find(|(other, _)| *other == name.text) {
            section(&at.below(name, node), inner);
        } else if !known().any(|other| other == name.text) {
            let hint = nearest(&name.text, known())
                .map_or_else(|| format!("there are {all}"), |near| format!("did you mean `{near}`?"));
            at.report_at(
                name.span,
                "unknown-translator",
                format!("unknown translator `{}`", name_shown(&name.text)),
                hint,
            );
        }
    }
    match at.entries() {
        [] => at.report("missing-field", "`translator` names no translator", format!("there are {all}")),
        [_] => {}
        [_, (second, _), ..] => {
            at.report_at(second.span, "impossible-value", "a file has one translator", "remove one of them");
        }
    }
}

const EXAMPLE: &str = "delimited: { delimiter: \"|\", columns: [A, B] }";
