//! An event into what it does to a row, or everything that is wrong with it.

use super::convert::{convert, default};
use super::document::{Node, parse};
use super::spec::{ColumnSource, Ingest};
use crate::core::model::letter::EventPlace;
use crate::core::model::letter::{LetterError, LetterKind, RawEvent};
use crate::core::model::message::Received;
use crate::core::model::rows::{SqlType, SqlValue, Table};
use crate::core::model::shown;
use crate::core::ports::sql_sink::Change;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Largest event, in bytes.
pub const EVENT_MAX: usize = 1 << 20;

/// Longest id of an event, in bytes.
const ID_MAX: usize = 512;

/// An event may be this far ahead of this host's clock.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

/// What an event says it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Labels {
    /// Its id.
    pub id: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// What its type takes as the message's key, as text.
    pub key: Option<String>,
}

/// A message as an event of its log.
pub fn raw(message: Received, topic_id: &str) -> RawEvent {
    RawEvent {
        place: EventPlace {
            topic: message.id.topic,
            topic_id: topic_id.to_owned(),
            partition: message.id.partition,
            offset: message.id.offset,
        },
        key: message.key,
        headers: message.headers,
        payload: message.payload,
        event_id: None,
        kind: None,
    }
}

/// An event that cannot be a row, and why.
pub type Refused = Box<(RawEvent, LetterError)>;

/// What an event does, or the event again with the reason why it cannot be a row. Its id and type are known then, as far as they
/// can be read.
pub fn decode(spec: &Ingest, mut event: RawEvent, number: usize, now: Timestamp) -> Result<Change, Refused> {
    let (labels, made) = read(spec, &event.payload, now);
    (event.event_id, event.kind) = (labels.id, labels.kind);
    match made {
        Ok((shape, values)) => Ok(Change { number, shape, values, event: Arc::new(event), parked: None }),
        Err(mut errors) => {
            let rest = errors.split_off(1.min(errors.len()));
            let mut first = errors.pop().unwrap_or_else(|| LetterError::new(LetterKind::Json, "it cannot be read"));
            first.causes = rest.into_iter().map(|error| error.message).collect();
            Err(Box::new((event, first)))
        }
    }
}

/// The values of an event's row, with the index of its shape; or all that is wrong with it.
pub type Made = Result<(usize, Vec<SqlValue>), Vec<LetterError>>;

/// Reads a payload.
pub fn read(spec: &Ingest, payload: &[u8], now: Timestamp) -> (Labels, Made) {
    let one = |kind, message: String| (Labels::default(), Err(vec![LetterError::new(kind, message)]));
    if payload.is_empty() {
        return one(LetterKind::Empty, "the message has no payload: a tombstone is no event".to_owned());
    }
    if payload.len() > EVENT_MAX {
        return one(
            LetterKind::Size,
            format!("the event has {} bytes, and at most {EVENT_MAX} are taken", payload.len()),
        );
    }
    match parse(payload) {
        Err(why) => one(LetterKind::Json, why),
        Ok(root @ Node::Object(..)) => document(spec, &root, now),
        Ok(other) => one(LetterKind::Json, format!("the payload is {}, and an event is an object", other.what())),
    }
}

fn document(spec: &Ingest, root: &Node<'_>, now: Timestamp) -> (Labels, Made) {
    let label = |node: Option<&Node<'_>>| match node {
        Some(Node::Text(text)) if !text.is_empty() => Some(text.to_string()),
        _ => None,
    };
    let kind = label(root.at(&spec.envelope.kind));
    let shape = kind.as_deref().and_then(|kind| spec.events.iter().position(|event| event.name == kind));
    let key = shape.and_then(|shape| spec.events[shape].key.as_ref()).and_then(|pointer| match root.at(pointer) {
        Some(Node::Text(text)) => Some(text.to_string()),
        Some(Node::Number(digits)) => Some((*digits).to_owned()),
        _ => None,
    });
    let id = label(root.at(&spec.envelope.id));
    let labels = Labels { id: id.clone(), kind: kind.clone(), key };
    let mut errors = Vec::new();
    match (&kind, root.at(&spec.envelope.kind)) {
        (Some(_), _) => {}
        (None, node) => errors.push(no_label(node, spec.envelope.kind.as_str(), "the event's type")),
    }
    match (&id, root.at(&spec.envelope.id)) {
        (Some(id), _) if id.len() > ID_MAX => {
            errors.push(LetterError::new(LetterKind::Length, format!("the event's id has more than {ID_MAX} bytes")));
        }
        (Some(_), _) => {}
        (None, node) => errors.push(no_label(node, spec.envelope.id.as_str(), "the event's id")),
    }
    let Some(shape) = shape else {
        if let Some(kind) = &kind {
            let message = format!("the file declares no events of type `{}`", shown::name(kind));
            errors.insert(0, LetterError::new(LetterKind::Type, message));
        }
        return (labels, Err(errors));
    };
    if let Some(error) = untimely(spec, root, now) {
        errors.push(error);
    }
    let values = row(spec, shape, root, now, &mut errors);
    (labels, if errors.is_empty() { Ok((shape, values)) } else { Err(errors) })
}

fn no_label(node: Option<&Node<'_>>, pointer: &str, what: &str) -> LetterError {
    match node {
        None | Some(Node::Null) => LetterError::new(LetterKind::Missing, format!("{what} is missing at `{pointer}`")),
        Some(Node::Text(_)) => LetterError::new(LetterKind::Missing, format!("{what} at `{pointer}` is empty")),
        Some(other) => {
            LetterError::new(LetterKind::WrongKind, format!("{what} at `{pointer}` is {}, not a text", other.what()))
        }
    }
}

/// What is wrong with the time of an event.
fn untimely(spec: &Ingest, root: &Node<'_>, now: Timestamp) -> Option<LetterError> {
    let pointer = spec.envelope.time.as_ref()?;
    let node = root.at(pointer).filter(|node| !matches!(node, Node::Null))?;
    match convert(node, SqlType::Timestamp) {
        Ok(SqlValue::Timestamp(at)) => out_of_time(at, now, pointer.as_str()),
        Ok(_) => None,
        Err(error) => Some(LetterError { message: format!("`{}`: {}", pointer.as_str(), error.message), ..error }),
    }
}

fn out_of_time(at: Timestamp, now: Timestamp, pointer: &str) -> Option<LetterError> {
    let message = if at < Timestamp::UNIX_EPOCH {
        format!("`{pointer}`: {at} is before 1970")
    } else if at.duration_since(now) > AHEAD_MAX {
        format!("`{pointer}`: {at} is more than an hour ahead of this host's clock")
    } else {
        return None;
    };
    Some(LetterError::new(LetterKind::Timestamp, message))
}

/// The values of the row; what is wrong with one is noted, and leaves NULL.
fn row(spec: &Ingest, shape: usize, root: &Node<'_>, now: Timestamp, errors: &mut Vec<LetterError>) -> Vec<SqlValue> {
    let form = &spec.tables.shapes[shape];
    let table = &spec.tables.tables[form.table];
    let mut values = Vec::with_capacity(spec.events[shape].columns.len());
    for (index, source) in form.columns.iter().chain(&form.sums).zip(&spec.events[shape].columns) {
        let made = value(source, table.columns[*index].kind, root).and_then(|value| match value {
            SqlValue::Timestamp(at) if table.version == Some(*index) => {
                out_of_time(at, now, source.from.as_str()).map_or(Ok(SqlValue::Timestamp(at)), Err)
            }
            value => Ok(value),
        });
        values.push(made.unwrap_or_else(|error| {
            note(errors, error, source, table, *index, spec.envelope.time.as_ref());
            SqlValue::Null
        }));
    }
    values
}

/// Notes an error of a column, unless it was noted of the envelope's time already.
fn note(
    errors: &mut Vec<LetterError>,
    error: LetterError,
    source: &ColumnSource,
    table: &Table,
    index: usize,
    time: Option<&super::spec::Pointer>,
) {
    let is_known = time == Some(&source.from)
        && error.kind == LetterKind::Timestamp
        && errors.iter().any(|other| other.kind == LetterKind::Timestamp);
    if is_known {
        return;
    }
    let pointer = source.from.as_str();
    let message = if error.message.starts_with('`') && error.message.contains(pointer) {
        error.message
    } else {
        format!("`{pointer}`: {}", error.message)
    };
    errors.push(LetterError { message, ..error }.of(&table.name, Some(&table.columns[index].name)));
}

fn value(source: &ColumnSource, kind: SqlType, root: &Node<'_>) -> Result<SqlValue, LetterError> {
    match (root.at(&source.from), &source.default) {
        (None, Some(text)) => default(text, kind).map_err(|why| LetterError::new(LetterKind::WrongKind, why)),
        (None, None) | (Some(Node::Null), _) if source.optional => Ok(SqlValue::Null),
        (None, None) => Err(LetterError::new(LetterKind::Missing, "there is no value")),
        (Some(Node::Null), _) => Err(LetterError::new(LetterKind::Missing, "it is null, and a value is required")),
        (Some(node), _) => convert(node, kind),
    }
}
