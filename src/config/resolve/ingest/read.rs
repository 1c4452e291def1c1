//! The routes of the read API.

use super::fields::door;
use crate::config::cursor::Cursor;
use crate::config::grammar::ingest::{MEMBER, READ};
use crate::config::suggest::listed;
use crate::core::ingest::spec::{MemberSpec, ReadSpec, RouteSpec};
use crate::core::model::sql::{Lexicon, Template, check_query};

/// Most rows of a list, unless the file says otherwise.
const LIMIT: u32 = 100;

/// Paths that every door has.
const RESERVED: [&str; 4] = ["/health", "/metrics", "/openapi.json", "/produce"];

/// The door for readers. `None` when anything is wrong; that is noted then.
pub(super) fn read(at: &Cursor<'_>, lexicon: Option<Lexicon>) -> Option<ReadSpec> {
    let fields = at.read(&READ);
    let place = at.section("routes");
    let routes: Vec<Option<RouteSpec>> =
        place.entries().iter().map(|(name, node)| route(&place.below(name, node), &name.text, lexicon)).collect();
    for (at, (name, node)) in place.entries().iter().enumerate() {
        let before = place.entries()[..at].iter().map(|(name, _)| name.text.as_str());
        if let Some(other) = before.into_iter().find(|other| shape(other) == shape(&name.text)) {
            let message = format!("this path answers the same requests as `{other}`");
            place.below(name, node).report("impossible-value", message, "give each route a path of its own");
        }
    }
    if routes.is_empty() {
        place.report(
            "missing-field",
            "`routes` has no route",
            "add one: `\"/users/{id}\": { user: { one: \"SELECT …\" } }`",
        );
    }
    Some(ReadSpec {
        door: door(&fields)?,
        pool: u32::try_from(fields.whole("pool")?).ok()?,
        timeout: fields.duration("timeout")?,
        routes: routes.into_iter().collect::<Option<_>>()?,
    })
}

fn route(at: &Cursor<'_>, path: &str, lexicon: Option<Lexicon>) -> Option<RouteSpec> {
    let Some(parameters) = parameters(path) else {
        let hint = "a path is `/users/{id}`: letters, digits, `-`, `_`, `.` and names in braces between slashes";
        at.report("impossible-value", "this is no path of a route", hint);
        return None;
    };
    if RESERVED.iter().any(|taken| path == *taken || path.starts_with(&format!("{taken}/"))) {
        at.report("impossible-value", format!("each door has {} of its own", listed(RESERVED)), "choose another path");
        return None;
    }
    let members: Vec<Option<MemberSpec>> = at
        .entries()
        .iter()
        .map(|(name, node)| member(&at.below(name, node), &name.text, &parameters, lexicon))
        .collect();
    if members.is_empty() {
        at.report("missing-field", "this route answers with nothing", "add a member: `user: { one: \"SELECT …\" }`");
    }
    Some(RouteSpec { path: path.to_owned(), members: members.into_iter().collect::<Option<_>>()?, parameters })
}

/// A path without the names of its parameters: two of one shape answer the same requests.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// The names in the braces of a path. `None` for what is no path.
fn parameters(path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        let is_word =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if is_word(name) && !names.iter().any(|other| other == name) => names.push(name.to_owned()),
            None if is_word(part) => {}
            _ => return None,
        }
    }
    Some(names)
}

fn member(at: &Cursor<'_>, name: &str, parameters: &[String], lexicon: Option<Lexicon>) -> Option<MemberSpec> {
    let fields = at.read(&MEMBER);
    let (one, many) = (at.field("one"), at.field("many"));
    if one.is_some() && many.is_some() {
        at.report("impossible-value", "a member is one row or many", "remove `one` or `many`");
        return None;
    }
    let limit = fields.whole("limit").and_then(|limit| u32::try_from(limit).ok());
    if let Some(place) = at.field("limit").filter(|_| one.is_some()) {
        place.report("impossible-value", "`limit` does nothing to one row", "remove it");
    }
    let is_many = many.is_some();
    let place = one.or(many)?;
    let text = place.text()?;
    let template = match Template::parse(text, |name| parameters.iter().any(|known| known == name)) {
        Ok(template) => template,
        Err(error) => {
            let known = listed(parameters.iter().map(String::as_str));
            let message = format!("`{}` is no parameter of the path", error.mark);
            place.report(
                "unknown-parameter",
                message,
                format!("the path has {known}; write one as `{{name}}`, without quotes"),
            );
            return None;
        }
    };
    if let Some(Err(why)) = lexicon.map(|lexicon| check_query(lexicon, &template.outline())) {
        place.report("impossible-value", format!("this statement cannot be used: {why}"), "write one SELECT");
        return None;
    }
    Some(MemberSpec { name: name.to_owned(), sql: template, many: is_many.then_some(limit.unwrap_or(LIMIT)) })
}
