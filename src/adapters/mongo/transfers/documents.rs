//! Records as documents, and back.

use crate::adapters::mongo::documents::{Odd, bson_date};
use crate::adapters::mongo::schedule_documents;
use crate::core::model::transfer::{FileRecord, FileState, FileStep, Side};
use crate::core::ports::transfer_ledger::Holder;
use jiff::Timestamp;
use mongodb::bson::{Bson, Document, RawDocument, doc};

/// The collection.
pub(super) const COLLECTION: &str = "TransferFile";

/// Longest record that is read, in bytes: its longest texts are a path and a reason.
const RECORD_MAX: usize = 1 << 20;

/// `sales:collect:3f2a91…`. Neither name holds a colon.
pub(super) fn key(transfer: &str, side: Side, id: &str) -> String {
    format!("{transfer}:{}:{id}", side.as_str())
}

/// Why a document cannot be used.
pub(super) fn unreadable(what: &str) -> Odd {
    Odd(format!("a document of {COLLECTION} cannot be read: {what}; mend the document"))
}

/// A record, without who works on it and its steps.
pub(super) fn document(record: &FileRecord) -> Result<Document, Odd> {
    let mut document = schedule_documents::document(record)?;
    document.insert("_id", key(&record.transfer, record.side, &record.id));
    document.insert("id", &record.id);
    // What is left out now must not stay from the time before.
    for optional in ["made", "upload", "trace"] {
        document.entry(optional.to_owned()).or_insert(Bson::Null);
    }
    document.entry("tries".to_owned()).or_insert(Bson::Int64(0));
    document.entry("writers".to_owned()).or_insert(Bson::Array(Vec::new()));
    Ok(document)
}

/// A record from its document, without its steps.
pub(super) fn read(found: &RawDocument) -> Result<FileRecord, String> {
    if found.as_bytes().len() > RECORD_MAX {
        return Err(unreadable("it is longer than 1 MiB").0);
    }
    let mut document = Document::try_from(found).map_err(|error| unreadable(&error.to_string()).0)?;
    if !matches!(document.remove("holder"), None | Some(Bson::Null | Bson::String(_))) {
        return Err(unreadable("`holder` is no text").0);
    }
    if !matches!(document.remove("heldUntil"), None | Some(Bson::Null | Bson::DateTime(_))) {
        return Err(unreadable("`heldUntil` is no date").0);
    }
    let (own, id) = (document.remove("_id"), document.remove("id"));
    document.insert("_id", id);
    let record: FileRecord = schedule_documents::read(document).map_err(|odd| odd.0)?;
    let wanted = key(&record.transfer, record.side, &record.id);
    if own == Some(Bson::String(wanted)) {
        Ok(record)
    } else {
        Err(unreadable("its id says otherwise than `transfer`, `side` and `id`").0)
    }
}

/// `collect 3f2a91…`, of a document that may be odd.
pub(super) fn shown(found: &RawDocument) -> String {
    let text = |field| found.get_str(field).unwrap_or_default();
    format!("{} {}", text("side"), text("id"))
}

/// A step, as its document keeps it.
pub(super) fn step(record: &FileRecord, holder: &Holder) -> Document {
    doc! { "state": record.state.as_str(), "at": bson_date(record.changed_at), "by": &holder.shown }
}

/// A step of a side. `None` when it cannot be read.
pub(super) fn read_step(side: Side, step: &Bson) -> Option<FileStep> {
    let step = step.as_document()?;
    let at = Timestamp::from_millisecond(step.get_datetime("at").ok()?.timestamp_millis()).ok()?;
    let state = FileState::parse(step.get_str("state").ok()?)?;
    Some(FileStep { side, state, at, by: step.get_str("by").ok()?.to_owned() })
}
