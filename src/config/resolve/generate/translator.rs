//! Translators and their columns.

use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::generate::{COLUMN, DELIMITED, FIXED_WIDTH, JSON, TEMPLATE};
use crate::config::json::to_json;
use crate::config::receivers::Receiver;
use crate::config::separators;
use crate::config::tree::{Name, Node, Value};
use crate::config::yaml::scalar;
use crate::core::generate::spec::{
    Align, Case, ColumnSpec, DelimitedSpec, EmptyText, Escape, FixedWidthSpec, Forms, From, JsonNode, JsonSpec,
    LeadingQuote, Quote, TemplateSpec, TranslatorSpec, Trim, WidthIn,
};
use std::collections::HashSet;

/// A file's translator. `needs_delimiter` says whether a delimited file has no receiver that would give one.
pub(super) fn translator(
    at: &Cursor<'_>,
    receiver: Option<&'static Receiver>,
    needs_delimiter: bool,
) -> Option<TranslatorSpec> {
    let options = |name: &str| {
        receiver.filter(|receiver| receiver.translator == name).map(|receiver| (receiver.name, receiver.options))
    };
    let [(name, node)] = at.entries() else { return None };
    let at = at.below(name, node);
    match name.text.as_str() {
        "delimited" => {
            delimited(&at.read_for(&DELIMITED, options("delimited")), needs_delimiter).map(TranslatorSpec::Delimited)
        }
        "fixed_width" => {
            fixed_width(&at, &at.read_for(&FIXED_WIDTH, options("fixed_width"))).map(TranslatorSpec::FixedWidth)
        }
        "json" => json(&at.read(&JSON)).map(TranslatorSpec::Json),
        "template" => template(&at.read(&TEMPLATE)).map(TranslatorSpec::Template),
        other => Some(TranslatorSpec::Custom { name: other.to_owned(), options: to_json(&node.value) }),
    }
}

fn delimited(fields: &Fields<'_>, needs_delimiter: bool) -> Option<DelimitedSpec> {
    let columns = columns(&fields.at.section("columns"));
    // A field under a wrong name may be the delimiter.
    let is_known = |(name, _): &(Name, Node)| DELIMITED.field(&name.text).is_some();
    if needs_delimiter && fields.at.field("delimiter").is_none() && fields.at.entries().iter().all(is_known) {
        let hint =
            "add it: any text between the values, such as `|`, `,` or `tab`; a file with a `receiver` goes without";
        let place = fields.place("delimiter");
        place.report("missing-field", format!("`{}` is missing", place.path), hint);
    }
    Some(DelimitedSpec {
        delimiter: separators::delimiter(&fields.text("delimiter")?).ok()?,
        quote: match fields.text("quote")?.as_ref() {
            "never" => Quote::Never,
            "minimal" => Quote::Minimal,
            "always" => Quote::Always,
            "nonnumeric" => Quote::NonNumeric,
            _ => return None,
        },
        escape: match fields.text("escape")?.as_ref() {
            "double" => Escape::Double,
            "backslash" => Escape::Backslash,
            _ => return None,
        },
        empty: match fields.text("empty")?.as_ref() {
            "quoted" => EmptyText::Quoted,
            "bare" => EmptyText::Bare,
            _ => return None,
        },
        leading_quote: match fields.text("leading_quote")?.as_ref() {
            "refuse" => LeadingQuote::Refuse,
            "keep" => LeadingQuote::Keep,
            _ => return None,
        },
        names: fields.flag("names")?,
        columns: columns?,
    })
}

fn fixed_width(at: &Cursor<'_>, fields: &Fields<'_>) -> Option<FixedWidthSpec> {
    let width_in = match fields.text("width_in")?.as_ref() {
        "bytes" => WidthIn::Bytes,
        "characters" => WidthIn::Characters,
        _ => return None,
    };
    let list = at.section("columns");
    let columns = columns(&list)?;
    for (column, at) in columns.iter().zip(list.items()) {
        if let From::Column(name) = &column.from
            && column.width.is_none()
            // A field under a wrong name may be the width.
            && at.entries().iter().all(|(name, _)| COLUMN.field(&name.text).is_some())
        {
            let hint = format!("write `{{ column: {}, width: 12 }}`", scalar(name));
            at.report("missing-field", format!("the fixed-width column `{name}` has no width"), hint);
        }
    }
    Some(FixedWidthSpec { columns, width_in })
}

/// The columns of a record, each under a name of its own.
fn columns(list: &Cursor<'_>) -> Option<Vec<ColumnSpec>> {
    let items = list.items();
    let columns: Vec<Option<ColumnSpec>> = items.iter().map(column).collect();
    let mut seen = HashSet::new();
    for (column, at) in columns.iter().zip(&items) {
        let Some(ColumnSpec { from: From::Column(column), name, .. }) = column else { continue };
        if !seen.insert(name.as_ref().unwrap_or(column).as_str()) {
            let name = name.as_ref().unwrap_or(column);
            let hint = "remove it, or give it a `name` of its own: `{ column: …, name: … }`";
            at.report("duplicate-column", format!("column `{name}` stands here for the second time"), hint);
        }
    }
    columns.into_iter().collect()
}

fn column(at: &Cursor<'_>) -> Option<ColumnSpec> {
    if let Some(name) = at.text() {
        return Some(ColumnSpec { from: From::Column(name.to_owned()), ..ColumnSpec::default() });
    }
    let fields = at.read(&COLUMN);
    let from = match (fields.owned("column"), fields.owned("literal")) {
        (Some(column), None) => From::Column(column),
        (None, Some(literal)) => From::Literal(literal),
        _ => return None,
    };
    Some(ColumnSpec {
        from,
        name: fields.owned("name"),
        format: fields.owned("format"),
        null: fields.owned("null"),
        width: fields.whole("width").and_then(|width| u32::try_from(width).ok()),
        align: match fields.text("align")?.as_ref() {
            "left" => Align::Left,
            "right" => Align::Right,
            _ => return None,
        },
        pad: fields.text("pad").and_then(|text| text.chars().next()),
        case: match fields.text("case").as_deref() {
            Some("upper") => Some(Case::Upper),
            Some("lower") => Some(Case::Lower),
            _ => None,
        },
        trim: match fields.text("trim")?.as_ref() {
            "none" => Trim::None,
            "left" => Trim::Left,
            "right" => Trim::Right,
            "both" => Trim::Both,
            _ => return None,
        },
        zone: None,
        forms: Forms::default(),
    })
}

fn json(fields: &Fields<'_>) -> Option<JsonSpec> {
    let at = fields.at.field("fields")?;
    Some(JsonSpec { fields: json_fields(&at)?, skip_null: fields.flag("skip_null")? })
}

fn json_fields(at: &Cursor<'_>) -> Option<Vec<(String, JsonNode)>> {
    at.entries().iter().map(|(name, node)| Some((name.text.clone(), json_node(&at.below(name, node))?))).collect()
}

fn json_node(at: &Cursor<'_>) -> Option<JsonNode> {
    match at.value() {
        Some(Value::Map(_)) if at.field("column").is_none() && at.field("literal").is_none() => {
            json_fields(at).map(JsonNode::Object)
        }
        Some(Value::List(_)) => at.items().iter().map(json_node).collect::<Option<_>>().map(JsonNode::Array),
        _ => column(at).map(JsonNode::Value),
    }
}

fn template(fields: &Fields<'_>) -> Option<TemplateSpec> {
    let items = fields.at.section("columns").items();
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for item in &items {
        let column = item.text()?;
        if !seen.insert(column) {
            item.report("duplicate-column", format!("column `{column}` stands here for the second time"), "remove it");
        }
        columns.push(column.to_owned());
    }
    Some(TemplateSpec { record: fields.owned("record")?, columns, zone: None })
}
