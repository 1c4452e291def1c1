//! Secrets of the environment stand in addresses and in properties of clients, and nowhere else: a value of any other field comes into
//! files, names, logs and pages.

use crate::config::cursor::Cursor;
use crate::config::grammar::generate::TRANSLATORS;
use crate::config::grammar::transfer::FILTERS;
use crate::config::grammar::{Section, Shape};
use crate::config::redact::holds_login;
use crate::config::tree::Value;
use crate::config::vars::is_secret_variable;

/// Refuses each reference to a secret outside of the fields for secrets.
pub(in crate::config) fn section(at: &Cursor<'_>, section: &'static Section) {
    for (name, node) in at.entries() {
        let below = at.below(name, node);
        match section.field(&name.text) {
            Some(field) if field.is_secret => {}
            Some(field) => shape(&below, field.shape),
            None => every(&below),
        }
    }
    value(at);
}

fn shape(at: &Cursor<'_>, expected: Shape) {
    match (expected, at.value()) {
        (Shape::Section(inner), _) => section(at, inner),
        (Shape::List(inner) | Shape::OneOrMore(inner), Some(Value::List(_))) => {
            at.items().iter().for_each(|item| shape(item, *inner));
        }
        (Shape::Own("translator"), Some(Value::Map(_))) => {
            let built_in = |name: &str| TRANSLATORS.iter().any(|(known, _)| *known == name);
            // The options of a translator of one's own go to one's own code, and are not shown.
            at.entries()
                .iter()
                .filter(|(name, _)| built_in(&name.text))
                .for_each(|(name, node)| every(&at.below(name, node)));
        }
        (Shape::Own("filters"), Some(Value::List(_))) => shape(at, FILTERS),
        _ => every(at),
    }
}

/// A value, and all values in it.
fn every(at: &Cursor<'_>) {
    at.entries().iter().for_each(|(name, node)| every(&at.below(name, node)));
    if matches!(at.value(), Some(Value::List(_))) {
        at.items().iter().for_each(every);
    }
    value(at);
}

fn value(at: &Cursor<'_>) {
    let Some(scalar) = at.scalar() else { return };
    let named = scalar.variables.iter().find(|name| is_secret_variable(name));
    let why = match named {
        Some(name) => format!("`${{{name}}}` is a secret by its name"),
        None if !scalar.variables.is_empty() && holds_login(&scalar.text) => {
            format!("{} is an address with a login", at.shown())
        }
        None => return,
    };
    at.report(
        "secret-variable",
        format!("{why}, and `{}` is shown to others", at.name()),
        "secrets stand in `url` and in `kafka.properties` only; if it is none, give the variable a name without CONNECTION_STRING, \
         PASSWORD, SECRET, TOKEN and the like",
    );
}
