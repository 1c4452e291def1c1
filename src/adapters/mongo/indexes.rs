//! The indexes. Speed and litter removal only: what must be unique is unique by `_id`, but for the names of data sources,
//! whose index is made before the first one is written.

use super::MongoState;
use super::deliveries;
use super::error::MongoError;
use super::schedules;
use super::transfers;
use crate::core::ports::store::StoreError;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::IndexOptions;
use std::time::Duration;

/// A lease that was renewed last so long before is litter: of a worker that is no more. Generous, because what is left
/// tells people who was last alive. Its removal changes no token.
const LITTER: Duration = Duration::from_hours(7 * 24);

/// Collection, name and keys of each index.
fn all() -> impl Iterator<Item = (&'static str, &'static str, Document)> {
    let own = [
        ("worker_epochs", "highest_token", doc! { "workerId": 1, "token": -1 }),
        ("worker_leases", "litter", doc! { "expiresAt": 1 }),
        ("runs", "of_worker", doc! { "workerId": 1, "date": -1 }),
        ("runs", "unpublished", doc! { "workerId": 1, "status": 1, "date": 1 }),
        ("runs", "by_date", doc! { "date": -1, "workerId": 1 }),
        ("file_status", "of_run", doc! { "workerId": 1, "date": 1, "fileId": 1 }),
        ("file_status", "unsent", doc! { "workerId": 1, "sentAt": 1, "completedAt": 1 }),
        (deliveries::COLLECTION, "of_run", doc! { "workerId": 1, "date": 1, "version": 1, "position": 1 }),
        (deliveries::COLLECTION, "unsent", doc! { "workerId": 1, "sentAt": 1 }),
        (deliveries::COLLECTION, "undone", doc! { "workerId": 1, "done": 1, "date": 1 }),
        ("odd_events", "latest", doc! { "at": -1 }),
        ("odd_events", "of_worker", doc! { "workerId": 1, "at": -1, "_id": -1 }),
        ("DataSource", "by_name", doc! { "name": 1, "_id": 1 }),
        ("DataSource", "changed", doc! { "updatedAt": 1 }),
        ("DataSource", "unsent", doc! { "unsent": 1, "updatedAt": 1 }),
        ("DiscoveredFile", "of_source", doc! { "dataSourceId": 1, "path": 1 }),
        ("DiscoveredFile", "unsent", doc! { "unsent": 1, "discoveredAt": 1 }),
        ("audit", "latest", doc! { "at": -1, "_id": -1 }),
    ];
    own.into_iter().chain(schedules::indexes()).chain(transfers::indexes())
}

impl MongoState {
    /// Makes the indexes that are missing, and the collections with them. Those that are there stay as they are, also
    /// when somebody has given them other options.
    ///
    /// # Errors
    /// When no server answers in time, or the user may not make indexes.
    pub async fn make_indexes(&self) -> Result<(), StoreError> {
        for (collection, name, keys) in all() {
            let options = IndexOptions::builder().name(name.to_owned());
            let options = if name == "litter" { options.expire_after(LITTER).build() } else { options.build() };
            let index = IndexModel::builder().keys(keys).options(options).build();
            self.call(async {
                match self.collection::<Document>(collection).create_index(index).await {
                    Err(error) if is_another(&error) => Ok(()),
                    made => made.map(|_| ()).map_err(MongoError::from),
                }
            })
            .await?;
        }
        Ok(())
    }

    /// The indexes that are not there, as `collection.name`; changes nothing.
    ///
    /// # Errors
    /// When no server answers in time.
    pub async fn missing_indexes(&self) -> Result<Vec<String>, StoreError> {
        let mut missing = Vec::new();
        for (collection, name, keys) in all() {
            let there = self.call(self.has_index(collection, &keys)).await?;
            if !there {
                missing.push(format!("{collection}.{name}"));
            }
        }
        Ok(missing)
    }

    async fn has_index(&self, collection: &str, keys: &Document) -> Result<bool, MongoError> {
        let mut found = match self.collection::<Document>(collection).list_indexes().await {
            Err(error) if is_no_collection(&error) => return Ok(false),
            found => found?,
        };
        while found.advance().await? {
            if same_keys(&found.deserialize_current()?.keys, keys) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Servers and people write an order as 32 bits, 64 bits or floating-point.
fn same_keys(found: &Document, wanted: &Document) -> bool {
    let order = |value: &mongodb::bson::Bson| {
        value
            .as_i32()
            .map(f64::from)
            .or_else(|| value.as_f64())
            .or_else(|| Some(if value.as_i64()? < 0 { -1.0 } else { 1.0 }))
    };
    found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| a.0 == b.0 && order(a.1) == order(b.1))
}

/// The same index is there with other options, or under another name.
fn is_another(error: &Error) -> bool {
    const OPTIONS_CONFLICT: i32 = 85;
    const KEY_SPECS_CONFLICT: i32 = 86;
    matches!(&*error.kind, ErrorKind::Command(refused) if [OPTIONS_CONFLICT, KEY_SPECS_CONFLICT].contains(&refused.code))
}

fn is_no_collection(error: &Error) -> bool {
    const NAMESPACE_NOT_FOUND: i32 = 26;
    matches!(&*error.kind, ErrorKind::Command(refused) if refused.code == NAMESPACE_NOT_FOUND)
}
