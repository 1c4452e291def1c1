//! Documents read and written again, for tests.

use super::{AuditDocument, EpochDocument, FileDocument, LeaseDocument, OddEventDocument, Read, RunDocument};
use mongodb::bson::{deserialize_from_slice, serialize_to_vec};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a document of one of our collections, as a server sends it, and writes what was read: for tests that feed it
/// whatever they like.
///
/// # Errors
/// What is wrong with the document.
pub fn rewritten(collection: &str, document: &[u8]) -> Result<Vec<u8>, String> {
    fn again<D, T>(
        document: &[u8],
        read: impl Fn(D) -> Read<T>,
        write: impl Fn(&T) -> Read<D>,
    ) -> Result<Vec<u8>, String>
    where
        D: Serialize + DeserializeOwned,
    {
        let document: D = deserialize_from_slice(document).map_err(|error| error.to_string())?;
        let value = read(document).map_err(|odd| odd.0)?;
        serialize_to_vec(&write(&value).map_err(|odd| odd.0)?).map_err(|error| error.to_string())
    }
    match collection {
        "worker_leases" => again(document, LeaseDocument::read, LeaseDocument::new),
        "worker_epochs" => again(document, EpochDocument::read, EpochDocument::new),
        "runs" => again(document, RunDocument::read, RunDocument::new),
        "file_status" => again(document, FileDocument::read, |status| FileDocument::new(status, status.token)),
        "audit" => again(document, AuditDocument::read, |entry| Ok(AuditDocument::new(entry))),
        "odd_events" => again(document, OddEventDocument::read, |event| Ok(OddEventDocument::new(event))),
        other => Err(format!("`{other}` is none of our collections")),
    }
}
