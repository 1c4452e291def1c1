//! Lists of documents: one that cannot be read hides no other.

use super::documents::Odd;
use super::error::MongoError;
use crate::core::ports::store::{Found, Page};
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Collection, Cursor};
use serde::de::DeserializeOwned;
use std::sync::{Mutex, PoisonError};

/// The documents that can be read, up to `limit` of them, and what is wrong with the others before and between them.
pub(super) async fn found<T>(
    cursor: Cursor<Document>,
    limit: usize,
    read: impl Fn(Document) -> Result<T, Odd>,
) -> Result<Found<T>, MongoError> {
    found_while(cursor, |found, _| found.records.len() < limit, read).await
}

/// As [`found`], as long as `goes_on` says so of what was found and of the bytes that were read.
pub(super) async fn found_while<T>(
    mut cursor: Cursor<Document>,
    goes_on: impl Fn(&Found<T>, usize) -> bool,
    read: impl Fn(Document) -> Result<T, Odd>,
) -> Result<Found<T>, MongoError> {
    let (mut found, mut bytes) = (Found::default(), 0_usize);
    while goes_on(&found, bytes) && cursor.advance().await? {
        bytes = bytes.saturating_add(cursor.current().as_bytes().len());
        let document = cursor.deserialize_current()?;
        let id = match document.get("_id") {
            Some(Bson::String(id)) => id.clone(),
            other => format!("{}", other.unwrap_or(&Bson::Null)),
        };
        found.add(|| id, read(document).map_err(|odd| odd.0));
    }
    Ok(found)
}

/// A page of at most `most` documents, in the order of their ids, which are texts.
pub(super) async fn page<T>(
    collection: &Collection<Document>,
    wanted: Document,
    most: usize,
    read: impl Fn(Document) -> Result<T, Odd>,
) -> Result<Page<T>, MongoError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let cursor = collection.find(wanted).sort(doc! { "_id": 1 }).limit(limit).batch_size(batch(most)).await?;
    let last = Mutex::new((0_usize, String::new()));
    let read = |document: Document| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (last.0 + 1, document.get_str("_id").unwrap_or_default().to_owned());
        read(document)
    };
    let found = found(cursor, usize::MAX, read).await?;
    let (count, last) = last.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Page { found, next: (count >= most).then_some(last) })
}

/// As many documents at a time as are wanted, and no first batch of none.
pub(super) fn batch(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX).clamp(1, 1000)
}

pub(super) async fn collect<D: DeserializeOwned + Send + Sync, T>(
    mut found: Cursor<D>,
    read: impl Fn(D) -> Result<T, Odd>,
) -> Result<Vec<T>, MongoError> {
    let mut all = Vec::new();
    while found.advance().await? {
        all.push(read(found.deserialize_current()?)?);
    }
    Ok(all)
}

/// Odd documents that a list of so many records passes over, at most: no number of them makes it long.
const PASSED_OVER: usize = 1000;

/// How many documents are looked at for so many records.
pub(super) fn looked_at(limit: usize) -> Option<i64> {
    (limit > 0).then(|| at_most(limit.saturating_add(PASSED_OVER))).flatten()
}

/// What was found in a collection, with its name before the ids of odd documents.
pub(super) fn named<T>(collection: &str, mut found: Found<T>) -> Found<T> {
    for odd in &mut found.odd {
        odd.id = format!("{collection} {}", odd.id);
    }
    found
}

/// `None` for nothing: to the server, zero is no limit at all.
pub(super) fn at_most(limit: usize) -> Option<i64> {
    (limit > 0).then(|| i64::try_from(limit).unwrap_or(i64::MAX))
}
