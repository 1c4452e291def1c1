//! Where rows come from, and files go to.

use super::marks::SqlContext;
use crate::config::address;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::generate::{OUTPUT, SOURCE};
use crate::config::resolve::state::refused_at;
use crate::core::generate::spec::{Corrections, OutputSpec, ParamSpec, SourceSpec, WhenEmpty};
use crate::core::model::database::Database;
use crate::core::model::names::ViewName;
use crate::core::model::permissions::Permissions;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::secret::Secret;
use crate::core::model::sql::{Lexicon, Relation, Template, check_expression, check_query};
use std::collections::HashSet;
use std::num::NonZeroU32;

pub(super) fn source(at: &Cursor<'_>, params: &[ParamSpec]) -> Option<SourceSpec> {
    let fields = at.read(&SOURCE);
    let url = fields.text("url").and_then(|url| refused_at(&fields, address::source(&url, at.context.folder)));
    let lexicon = url.as_deref().and_then(Database::of_address).and_then(Lexicon::of);
    let view = relation(&fields, &SqlContext { params, lexicon });
    let fetch = match fields.text("fetch").as_deref() {
        Some("stream") => Some(Fetch::Stream),
        Some("paged") => Some(Fetch::Paged),
        Some("offset") => Some(Fetch::Offset),
        _ => None,
    };
    let isolation = match fields.text("isolation").as_deref() {
        Some("default") => Some(Isolation::Default),
        Some("snapshot") => Some(Isolation::Snapshot),
        _ => None,
    };
    let count = fields.flag("count");
    if count == Some(false) && fetch.is_some_and(|fetch| fetch != Fetch::Stream) {
        let hint = "remove `count: false`, or write `fetch: stream`";
        let message = "only `fetch: stream` ends without a count: its one statement ends by itself";
        fields.place("count").report("impossible-value", message, hint);
    }
    let key = key(at, fetch);
    Some(SourceSpec {
        url: Secret::new(url?),
        view: view?,
        key: key?,
        page_size: NonZeroU32::new(u32::try_from(fields.whole("page_size")?).ok()?)?,
        page_bytes: fields.size("page_bytes")?,
        value_bytes: fields.size("value_bytes")?,
        fetch: fetch?,
        count: count?,
        isolation: isolation?,
    })
}

/// The view, or the query in its place: one of them.
fn relation(fields: &Fields<'_>, sql: &SqlContext<'_>) -> Option<Relation<Template>> {
    match (fields.at.field("view"), fields.at.field("query")) {
        (Some(_), Some(query)) => {
            query.report("impossible-value", "rows come from a view or from a query", "remove `view` or `query`");
            None
        }
        (_, Some(at)) => {
            let check = |lexicon, text: &str| check_query(lexicon, text).map(drop);
            sql.template(&at, at.text()?, check).map(Relation::Query)
        }
        (Some(at), None) => view(&at, at.text().filter(|text| !text.is_empty())?, sql),
        (None, None) => None,
    }
}

/// A view's name, or the call of a function with parameters.
fn view(at: &Cursor<'_>, text: &str, sql: &SqlContext<'_>) -> Option<Relation<Template>> {
    let called = || text.strip_suffix(')')?.split_once('(').filter(|(_, arguments)| arguments.contains('{'));
    let (name, arguments) = called().map_or((text, None), |(name, arguments)| (name.trim_end(), Some(arguments)));
    let name = match ViewName::parse(name) {
        Ok(name) => name,
        Err(error) => {
            let hint = "write `name` or `schema.name`; a part with a dot stands in brackets: `dbo.[v.Loan Data]`";
            at.report("impossible-value", error.to_string(), hint);
            return None;
        }
    };
    if let Some(arguments) = arguments {
        let arguments = sql.template(at, arguments, check_expression)?;
        return Some(Relation::Function { name, arguments });
    }
    let has_mark = Template::parse(text, |_| true).map_or(true, |template| !template.names().is_empty());
    if has_mark && !text.contains('[') {
        let hint = "write the SELECT under `query`, or the name in brackets if the braces are its own: `[v_{date}]`";
        at.report("unknown-parameter", "a view's name cannot hold a parameter", hint);
        return None;
    }
    Some(Relation::View(name))
}

/// The key's columns. No column comes twice. The list is empty only with `fetch: offset`.
fn key(at: &Cursor<'_>, fetch: Option<Fetch>) -> Option<Vec<String>> {
    let Some(key) = at.field("key") else {
        if fetch.is_some_and(|fetch| fetch != Fetch::Offset)
            && (at.field("view").is_some() || at.field("query").is_some())
        {
            at.section("key").report(
                "missing-field",
                "`source.key` is missing",
                "name the column or columns that are unique and not null; only `fetch: offset` goes without, and promises less",
            );
        }
        return (fetch == Some(Fetch::Offset)).then(Vec::new);
    };
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for item in key.items() {
        let column = item.text()?;
        if !seen.insert(column) {
            item.report(
                "duplicate-column",
                format!("key column `{column}` stands here for the second time"),
                "remove it",
            );
        }
        columns.push(column.to_owned());
    }
    Some(columns)
}

fn permissions(fields: &Fields<'_>) -> Option<Permissions> {
    let mode = match fields.text("mode") {
        None => None,
        Some(text) => {
            let mode = Permissions::mode_of(&text);
            if mode.is_none() {
                fields.place("mode").report(
                    "impossible-value",
                    "these are no permissions of a data file",
                    "three octal digits, the owner's with the right to read and none with the right to run it: `\"0640\"`, `\"0444\"`",
                );
            }
            Some(mode?)
        }
    };
    let group = fields.text("group").map(|group| group.trim().to_owned());
    if group.as_ref().is_some_and(|group| group.is_empty() || group.contains([':', '/', '\n'])) {
        fields.place("group").report("impossible-value", "this is no group", "a name of /etc/group, or a number");
        return None;
    }
    Some(Permissions { mode, group })
}

pub(super) fn output(at: &Cursor<'_>) -> Option<OutputSpec> {
    let fields = at.read(&OUTPUT);
    let root = fields.text("root")?;
    let root = match address::resolved(&root, at.context.folder) {
        Ok(root) => root,
        Err((message, hint)) => {
            fields.place("root").report("impossible-value", message, hint);
            return None;
        }
    };
    let when_empty = match fields.text("when_empty")?.as_ref() {
        "write" => WhenEmpty::Write,
        "skip" => WhenEmpty::Skip,
        "fail" => WhenEmpty::Fail,
        _ => return None,
    };
    let corrections = match fields.text("corrections")?.as_ref() {
        "replace" => Corrections::Replace,
        "suffix" => Corrections::Suffix,
        _ => return None,
    };
    Some(OutputSpec { root, when_empty, corrections, permissions: permissions(&fields)? })
}
