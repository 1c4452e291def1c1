//! Types of events, and the tables that they make together.

use super::fields::pointer;
use crate::config::cursor::Cursor;
use crate::config::grammar::ingest::{EVENT, EVENT_COLUMN};
use crate::config::suggest::{listed, nearest};
use crate::config::tree::{Name, Node};
use crate::core::ingest::convert::default;
use crate::core::ingest::spec::{ColumnSource, Envelope, EventSpec, Pointer};
use crate::core::model::names::ViewName;
use crate::core::model::rows::{RowShape, SqlType, Table, TableColumn, TableSet};
use std::collections::{HashMap, HashSet};

/// A column of one event.
struct Column<'a> {
    name: String,
    at: Cursor<'a>,
    kind: SqlType,
    source: ColumnSource,
    is_sum: bool,
    references: Option<(String, String)>,
}

/// One event, before tables are put together.
struct Event<'a> {
    name: String,
    at: Cursor<'a>,
    key: Option<Pointer>,
    table: String,
    identity: Vec<String>,
    version: Option<String>,
    id_column: Option<String>,
    columns: Vec<Column<'a>>,
}

/// All types of events, and their tables, parents before children. `None` when anything is wrong; that is noted then.
pub(super) fn events<'a>(at: &Cursor<'a>, envelope: &Envelope) -> Option<(Vec<EventSpec>, TableSet)> {
    if at.entries().is_empty() {
        at.report(
            "missing-field",
            "`events` declares no type of events",
            "add one: its type, with `table`, `identity` and `columns`",
        );
        return None;
    }
    let read = |(name, node): &'a (Name, Node)| event(&at.below(name, node), &name.text, envelope);
    let events: Vec<Option<Event<'a>>> = at.entries().iter().map(read).collect();
    let events: Vec<Event<'a>> = events.into_iter().collect::<Option<_>>()?;
    let before = at.context.problems.borrow().len();
    let tables = tables(&events);
    references(&events, &tables);
    let order = parents_first(at, &tables)?;
    if at.context.problems.borrow().len() > before {
        return None;
    }
    let tables: Vec<Table> = order.iter().map(|index| tables[*index].clone()).collect();
    let (mut specs, mut shapes) = (Vec::new(), Vec::new());
    for event in events {
        let table = tables.iter().position(|table| table.name == event.table)?;
        let index = |column: &&Column<'_>| tables[table].column(&column.name);
        let part = |sums: bool| event.columns.iter().filter(move |column| column.is_sum == sums);
        shapes.push(RowShape {
            event: event.name.clone(),
            table,
            columns: part(false).map(|column| index(&column)).collect::<Option<_>>()?,
            sums: part(true).map(|column| index(&column)).collect::<Option<_>>()?,
        });
        let columns = part(false).chain(part(true)).map(|column| column.source.clone()).collect();
        specs.push(EventSpec { name: event.name, key: event.key, columns });
    }
    Some((specs, TableSet { tables, shapes }))
}

fn event<'a>(at: &Cursor<'a>, name: &str, envelope: &Envelope) -> Option<Event<'a>> {
    let fields = at.read(&EVENT);
    let key = fields.text("key").is_some().then(|| pointer(&fields, "key"));
    let table = fields.owned("table").filter(|table| match ViewName::parse(table) {
        Ok(_) => true,
        Err(error) => {
            let hint = "write `name` or `schema.name`";
            fields.place("table").report("impossible-value", error.to_string(), hint);
            false
        }
    });
    let place = at.section("columns");
    let read = |(name, node): &'a (Name, Node)| column(&place.below(name, node), &name.text);
    let columns: Vec<Option<Column<'a>>> = place.entries().iter().map(read).collect();
    let columns: Vec<Column<'a>> = columns.into_iter().collect::<Option<_>>()?;
    let names = || columns.iter().map(|column| column.name.as_str());
    let identity: Vec<String> =
        at.section("identity").items().iter().filter_map(Cursor::text).map(str::to_owned).collect();
    for item in at.section("identity").items() {
        known(&item, item.text()?, names());
    }
    let version = fields.owned("version");
    if let Some(version) = &version {
        known(&fields.place("version"), version, names());
    }
    let find = |name: &str| columns.iter().find(|column| column.name == name);
    for column in identity.iter().chain(&version).filter_map(|name| find(name)) {
        if column.source.optional || column.is_sum {
            let message =
                format!("column `{}` is part of the row's identity or version, so each event needs it", column.name);
            column.at.report("impossible-value", message, "remove `optional` and `add`");
        }
    }
    if let Some(column) = version.as_deref().and_then(find).filter(|column| !column.kind.is_version()) {
        let message = format!("values of {} have no order that every database agrees on", column.kind);
        column.at.report(
            "impossible-value",
            message,
            "take a timestamp, a date, a whole number or a text as `version`",
        );
    }
    let id_column = columns
        .iter()
        .find(|column| column.source.from == envelope.id && !column.is_sum)
        .map(|column| column.name.clone());
    let needs_id = version.is_some() || columns.iter().any(|column| column.is_sum);
    if needs_id && id_column.is_none() {
        let message = format!("`{name}` has no column with the event's id: the row has to remember which event it has");
        let hint = format!("add `event_id: {{ from: {}, type: text(64) }}` to its columns", envelope.id.as_str());
        at.report("missing-field", message, hint);
    }
    let key = key.map_or(Some(None), |key| key.map(Some))?;
    let name = name.to_owned();
    (!identity.is_empty()).then_some(())?;
    Some(Event { name, at: at.clone(), key, table: table?, identity, version, id_column, columns })
}

/// Notes a column that the event does not have.
fn known<'a>(at: &Cursor<'_>, name: &str, names: impl Iterator<Item = &'a str> + Clone) {
    if names.clone().any(|other| other == name) {
        return;
    }
    let hint = nearest(name, names.clone())
        .map_or_else(|| format!("its columns are {}", listed(names)), |near| format!("did you mean `{near}`?"));
    at.report("unknown-column", format!("{} is no column of this event", at.shown()), hint);
}

fn column<'a>(at: &Cursor<'a>, name: &str) -> Option<Column<'a>> {
    let fields = at.read(&EVENT_COLUMN);
    let is_sum = at.field("add").is_some();
    if is_sum && at.field("from").is_some() {
        at.report("impossible-value", "a value either is the column's or is added to it", "remove `from` or `add`");
        return None;
    }
    let from = pointer(&fields, if is_sum { "add" } else { "from" });
    let text = fields.text("type")?;
    let kind = SqlType::parse(&text);
    if kind.is_none() {
        let hint = "write `text(200)`, `integer`, `bigint`, `decimal(18,2)`, `double`, `boolean`, `date`, `timestamp`, `uuid` or `json`";
        fields.place("type").report("impossible-value", "this is no type of a column", hint);
    }
    let kind = kind?;
    if is_sum && !kind.adds_up() {
        let hint = "take `integer`, `bigint` or `decimal(p,s)`";
        fields.place("type").report("impossible-value", format!("values of {kind} cannot be added up exactly"), hint);
    }
    let default_text = fields.owned("default");
    if let Some(text) = &default_text
        && let Err(why) = default(text, kind)
    {
        fields.place("default").report(
            "impossible-value",
            format!("this default is no {kind}: {why}"),
            "write a value of the type",
        );
    }
    let references = match fields.text("references") {
        None => None,
        Some(text) => {
            let pair = text.rsplit_once('.').filter(|(table, column)| !table.is_empty() && !column.is_empty());
            if pair.is_none() {
                let hint = "write `table.column`: `users.user_id`";
                fields.place("references").report("impossible-value", "this names no column of a table", hint);
            }
            let (table, column) = pair?;
            Some((table.to_owned(), column.to_owned()))
        }
    };
    let source = ColumnSource { from: from?, optional: fields.flag("optional")?, default: default_text };
    Some(Column { name: name.to_owned(), at: at.clone(), kind, source, is_sum, references })
}

/// The tables that the events write to, in the order of the file.
fn tables(events: &[Event<'_>]) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for event in events {
        if let Some(table) = tables.iter_mut().find(|table| table.name == event.table) {
            merge(table, event, false);
            continue;
        }
        let (columns, identity) = (Vec::new(), Vec::new());
        let name = event.table.clone();
        let mut table = Table { name, columns, identity, version: None, event_id: None, has_sums: false };
        merge(&mut table, event, true);
        tables.push(table);
    }
    for table in &mut tables {
        for event in events.iter().filter(|event| event.table == table.name) {
            for column in &mut table.columns {
                // An event that does not set it leaves it empty in a new row.
                column.nullable |= !event.columns.iter().any(|own| own.name == column.name);
            }
        }
    }
    tables
}

fn merge(table: &mut Table, event: &Event<'_>, is_first: bool) {
    for column in &event.columns {
        if let Some(known) = table.columns.iter_mut().find(|known| known.name == column.name) {
            if known.kind != column.kind {
                let message = format!(
                    "column `{}` of `{}` is {} here and {} elsewhere",
                    column.name, table.name, column.kind, known.kind
                );
                column.at.report("impossible-value", message, "give it one type in all events");
            }
            known.nullable |= column.source.optional;
            known.references = known.references.take().or_else(|| column.references.clone());
            continue;
        }
        table.columns.push(TableColumn {
            name: column.name.clone(),
            kind: column.kind,
            nullable: column.source.optional,
            references: column.references.clone(),
        });
    }
    table.has_sums |= event.columns.iter().any(|column| column.is_sum);
    let find = |table: &Table, name: &Option<String>| name.as_ref().and_then(|name| table.column(name));
    let identity: Vec<usize> = event.identity.iter().filter_map(|name| table.column(name)).collect();
    let version = find(table, &event.version);
    let id_column = find(table, &event.id_column);
    if is_first {
        (table.identity, table.version, table.event_id) = (identity, version, id_column);
    } else if (&table.identity, table.version, table.event_id) != (&identity, version, id_column) {
        let message = format!(
            "`{}` and an event before it write to `{}` with another identity, version or id column",
            event.name, table.name
        );
        event.at.report("impossible-value", message, "all events of one table share these three");
    }
}

/// Notes parents that do not fit.
fn references(events: &[Event<'_>], tables: &[Table]) {
    for column in events.iter().flat_map(|event| &event.columns) {
        let Some((parent, key)) = &column.references else { continue };
        let Some(table) = tables.iter().find(|table| table.name == *parent) else { continue };
        let place = column.at.section("references");
        match table.column(key) {
            Some(index) if table.identity == [index] => {
                let other = table.columns[index].kind;
                if std::mem::discriminant(&other) != std::mem::discriminant(&column.kind) {
                    let message = format!("`{}` is {} and `{parent}.{key}` is {other}", column.name, column.kind);
                    place.report("impossible-value", message, "give both one type");
                }
            }
            _ => {
                let message = format!("`{parent}.{key}` is not the identity of `{parent}`");
                place.report("impossible-value", message, "name the parent's one key column");
            }
        }
    }
}

/// The indexes of the tables, parents before children. `None` when they refer to each other in a circle; that is noted then.
fn parents_first(at: &Cursor<'_>, tables: &[Table]) -> Option<Vec<usize>> {
    let index: HashMap<&str, usize> =
        tables.iter().enumerate().map(|(index, table)| (table.name.as_str(), index)).collect();
    let parents = |child: usize| {
        let named = tables[child].columns.iter().filter_map(|column| column.references.as_ref());
        named.filter_map(|(parent, _)| index.get(parent.as_str()).copied()).filter(move |parent| *parent != child)
    };
    let (mut order, mut placed) = (Vec::new(), HashSet::new());
    while order.len() < tables.len() {
        let next = (0..tables.len())
            .find(|child| !placed.contains(child) && parents(*child).all(|parent| placed.contains(&parent)));
        let Some(next) = next else {
            let hint = "one of them has to be written first: remove a `references`";
            at.report("impossible-value", "tables refer to each other in a circle", hint);
            return None;
        };
        placed.insert(next);
        order.push(next);
    }
    Some(order)
}
