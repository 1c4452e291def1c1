//! Parameters that a worker file declares.

use crate::config::cursor::Cursor;
use crate::config::grammar::generate::PARAMETER;
use crate::config::tree::Value;
use crate::core::generate::spec::{PARAMS_OF_EVERY_RUN, ParamSpec};
use crate::core::model::param::ParamKind;

/// Longest name: PostgreSQL's longest, without the part before it.
const NAME_MAX: usize = 50;

pub(super) fn params(at: &Cursor<'_>) -> Vec<ParamSpec> {
    let mut params: Vec<ParamSpec> = Vec::new();
    for (name, node) in at.entries() {
        let below = at.below(name, node);
        if let Err(why) = check_name(&name.text, &params) {
            let hint = "letters, digits and `_`, for example `region`";
            at.report_at(name.span, "impossible-name", format!("the parameter `{}` {why}", name.text), hint);
            continue;
        }
        params.extend(param(name.text.clone(), &below));
    }
    params
}

fn check_name(name: &str, before: &[ParamSpec]) -> Result<(), &'static str> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err("has a name that SQL could not name");
    }
    if name.len() > NAME_MAX {
        return Err("has a name longer than 50 characters");
    }
    if PARAMS_OF_EVERY_RUN.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Err("is one that every run has");
    }
    if before.iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
        return Err("stands here for the second time, whatever the case");
    }
    Ok(())
}

fn param(name: String, at: &Cursor<'_>) -> Option<ParamSpec> {
    let of = |kind, value| Some(ParamSpec { name, kind, value, is_given: false });
    if let Some(Value::Map(_)) = at.value() {
        let fields = at.read(&PARAMETER);
        let kind = ParamKind::parse(&fields.text("type")?)?;
        let Some(text) = fields.text("value") else { return of(kind, None) };
        let value = kind.read(&text);
        if value.is_none() {
            let place = fields.place("value");
            place.report("impossible-value", format!("this is no {}", kind.as_str()), format!("write {}", kind.form()));
        }
        return of(kind, Some(value?));
    }
    let scalar = at.scalar()?;
    let value = if scalar.plain { ParamKind::guess(&scalar.text) } else { None };
    let Some(value) = value.or_else(|| ParamKind::Text.read(&scalar.text)) else {
        at.report("impossible-value", "a parameter cannot hold a NUL character", "remove it");
        return None;
    };
    of(value.kind(), Some(value))
}
