//! Holds a file against the grammar: unknown and missing fields, wrong types, impossible values. All of them.

mod date_format;
pub(super) mod generate;
pub(super) mod receivers;
pub(super) mod transfer;
pub(super) mod variables;

use super::cursor::{Context, Cursor};
use super::grammar::generate::MAX;
use super::grammar::{Field, Presence, Section, Shape};
use super::redact::name_shown;
use super::separators;
use super::suggest::{listed, nearest};
use super::tree::{Name, Node, Value};
use super::values;
use super::vars::value;

/// Checks a whole section and everything in it; gives the names that were probably meant by unknown ones.
pub(super) fn section(at: &Cursor<'_>, section: &'static Section) -> Vec<&'static str> {
    match at.value() {
        // A section without a line in it is as good as none.
        Some(Value::Map(_) | Value::Null) | None => {}
        Some(Value::Broken) => return Vec::new(),
        Some(_) => {
            wrong(at, "a section (`name: value` lines)", &format!("it may hold {}", names(section)));
            return Vec::new();
        }
    }
    let mut meant = Vec::new();
    for (name, node) in at.entries() {
        match section.field(&name.text) {
            Some(field) => shape(&at.below(name, node), field.shape),
            None => meant.extend(unknown(at, section, name)),
        }
    }
    for field in section.fields {
        // A field that is there under a wrong name is not missing as well.
        if at.field(field.name).is_none() && !meant.contains(&field.name) {
            missing(at, field);
        }
    }
    meant
}

/// A field that is in no table; gives the name that was probably meant.
fn unknown(at: &Cursor<'_>, section: &'static Section, name: &Name) -> Option<&'static str> {
    if at.context.problems.borrow().is_full() {
        return None;
    }
    let near = nearest(&name.text, section.fields.iter().map(|field| field.name));
    let hint = near.map_or_else(|| format!("there are {}", names(section)), |near| format!("did you mean `{near}`?"));
    at.report_at(name.span, "unknown-field", format!("unknown field `{}`{}", name_shown(&name.text), of(at)), hint);
    near
}

/// A field that the file leaves out.
fn missing(at: &Cursor<'_>, field: &'static Field) {
    let hint = match field.presence {
        Presence::RequiredInSection if matches!(at.value(), None | Some(Value::Null)) => return,
        Presence::RequiredUnless(other) if at.field(other).is_some() => return,
        Presence::Required | Presence::RequiredInSection | Presence::RequiredUnless(_) => {
            format!("add it. {}", field.doc)
        }
        Presence::Environment(variable, None) if !is_set(at.context, variable) => {
            format!("add it, or set the environment variable {variable}. {}", field.doc)
        }
        Presence::EnvironmentAny(variables, None) if !variables.iter().any(|variable| is_set(at.context, variable)) => {
            format!("add it, or set the environment variable {}. {}", variables.join(" or "), field.doc)
        }
        // A section without a line of its own may still lack what has no default.
        _ => match field.shape {
            Shape::Section(inner) => {
                section(&at.section(field.name), inner);
                return;
            }
            _ => return,
        },
    };
    let place = at.section(field.name);
    place.report("missing-field", format!("`{}` is missing", place.path), hint);
}

fn is_set(context: &Context<'_>, variable: &'static str) -> bool {
    // A file that cannot be read is told where it is read.
    value(variable, context.vars).map_or(true, |value| value.is_some_and(|value| !value.is_empty()))
}

fn shape(at: &Cursor<'_>, expected: Shape) {
    match expected {
        Shape::Section(inner) => {
            section(at, inner);
        }
        Shape::List(item) => list(at, *item),
        Shape::OneOrMore(item) => match at.value() {
            Some(Value::List(_)) => list(at, *item),
            _ => shape(at, *item),
        },
        Shape::Names(inner) => each(at, |name, node| shape(&at.below(name, node), *inner)),
        Shape::Foreign(inner) => each(at, |name, node| shape(&at.foreign(name, node), *inner)),
        Shape::Own(name) => {
            if let Some(own) = at.context.shapes.iter().find(|own| own.name == name) {
                (own.check)(at);
            }
        }
        Shape::Policy(options) => policy(at, options),
        other => scalar(at, other, &description(other)),
    }
}

fn each<'a>(at: &Cursor<'a>, check: impl Fn(&Name, &'a Node)) {
    match at.value() {
        Some(Value::Map(_)) => at.entries().iter().for_each(|(name, node)| check(name, node)),
        _ => wrong(at, "names and values (`name: value`)", "write `{ name: value }`, or a line for each"),
    }
}

fn list(at: &Cursor<'_>, item: Shape) {
    match at.value() {
        Some(Value::List(items)) if items.is_empty() => {
            at.report("empty-list", format!("`{}` is empty", at.name()), "give at least one");
        }
        Some(Value::List(_)) => at.items().iter().for_each(|at| shape(at, item)),
        _ => wrong(at, "a list", "write `[a, b]`, or a line with `- ` for each"),
    }
}

/// A value in one piece.
fn scalar(at: &Cursor<'_>, expected: Shape, description: &str) {
    let Some(text) = at.text() else {
        let hint = if matches!(at.value(), Some(Value::Null)) {
            "give it a value, or remove the line; an empty text is `\"\"`"
        } else {
            "put quotes around a text that starts with a bracket or brace"
        };
        return wrong(at, description, hint);
    };
    let within = |value: Option<u64>, least, most| value.is_some_and(|value| (least..=most).contains(&value));
    let fits = match expected {
        Shape::Words => !text.is_empty(),
        Shape::Character => text.chars().count() == 1,
        Shape::Whole(least, most) => within(values::whole(text), least, most),
        Shape::Size(least, most) => within(values::size(text), least, most),
        Shape::AtLeast(least) => text.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= least),
        Shape::Flag => values::flag(text).is_some(),
        Shape::Duration => values::duration(text).is_some(),
        Shape::Days => values::days(text).is_some(),
        Shape::Limit => values::limit(text).is_some(),
        Shape::Encoding => values::encoding(text).is_some(),
        Shape::Delimiter => separators::delimiter(text).is_ok(),
        Shape::LineEnd => separators::line_end(text).is_ok(),
        Shape::Choice(options) => options.contains(&text),
        _ => true,
    };
    if fits {
        return;
    }
    let why = match expected {
        Shape::Delimiter => separators::delimiter(text).err(),
        Shape::LineEnd => separators::line_end(text).err(),
        _ => None,
    };
    if let Some(why) = why {
        return wrong(at, description, &why);
    }
    let near = match expected {
        Shape::Choice(options) => nearest(text, options.iter().copied()),
        Shape::Encoding => nearest(text, values::encoding_names()),
        _ => None,
    };
    wrong(at, description, &near.map_or_else(|| example(expected), |near| format!("did you mean `{near}`?")));
}

/// One of two words, or the second one with a limit.
fn policy(at: &Cursor<'_>, options: [&'static str; 2]) {
    let [_, counted] = options;
    match at.value() {
        Some(Value::Map(_)) => match at.entries() {
            [(name, node)] if name.text == counted => drop(section(&at.below(name, node), &MAX)),
            _ => {
                let hint = format!("write `{counted}`, or `{{ {counted}: {{ max: 100 }} }}`");
                wrong(at, &listed(options), &hint);
            }
        },
        _ if at.text().is_some_and(|text| options.contains(&text)) => {}
        _ => {
            let near = at.text().and_then(|text| nearest(text, options));
            let hint = near.map_or_else(|| "write one of them".to_owned(), |near| format!("did you mean `{near}`?"));
            wrong(at, &format!("one of {}", listed(options)), &hint);
        }
    }
}

/// Notes a value of a wrong type, or one that cannot be.
fn wrong(at: &Cursor<'_>, expected: &str, hint: &str) {
    if at.value() == Some(&Value::Broken) {
        return;
    }
    let code = if at.scalar().is_some() { "impossible-value" } else { "wrong-type" };
    let name = if at.path.is_empty() { format!("a {}", at.context.noun) } else { format!("`{}`", at.name()) };
    at.report(code, format!("{name} must be {expected}, but is {}", at.shown()), hint);
}

/// A shape in words, for "must be …".
fn description(shape: Shape) -> String {
    match shape {
        Shape::Text => "a text".to_owned(),
        Shape::Words => "a text that is not empty".to_owned(),
        Shape::Character => "one character".to_owned(),
        Shape::Delimiter => "what stands between values".to_owned(),
        Shape::LineEnd => "what ends a record".to_owned(),
        Shape::Whole(least, most) => format!("a whole number from {least} to {most}"),
        Shape::AtLeast(least) => format!("a number of at least {least}"),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Duration => "a time with its unit".to_owned(),
        Shape::Days => "whole days".to_owned(),
        Shape::Limit => "a number, or a share of the rows".to_owned(),
        Shape::Size(least, most) => {
            format!("a size from {} to {}", values::write_size(least), values::write_size(most))
        }
        Shape::Choice(options) => format!("one of {}", listed(options.iter().copied())),
        Shape::Encoding => format!("one of {}", listed(values::encoding_names())),
        _ => "a value".to_owned(),
    }
}

/// An example of a shape, for hints.
fn example(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::Words => "write a text; quotes are allowed",
        Shape::Character => "for example `\"0\"`",
        Shape::Delimiter => "for example `\"|\"`, `tab` or `U+001F`",
        Shape::LineEnd => "for example `lf`, `crlf` or `none`",
        Shape::Whole(..) => "write digits; `_` may group them: `10_000`",
        Shape::AtLeast(_) => "for example `2.0`",
        Shape::Flag => "write `true` or `false` without quotes",
        Shape::Limit => "for example `100` or `1%`",
        Shape::Days => "for example `0d`, `5d` or `400d`",
        Shape::Duration => "for example `500ms`, `30s`, `5m` or `1h`",
        Shape::Size(..) => "for example `16MiB`, `8MB` or a number of bytes",
        _ => "write one of them",
    }
    .to_owned()
}

fn names(section: &Section) -> String {
    listed(section.fields.iter().map(|field| field.name))
}

/// ` in \`source\``, or nothing for the whole file.
fn of(at: &Cursor<'_>) -> String {
    if at.path.is_empty() { String::new() } else { format!(" in `{}`", at.path) }
}
