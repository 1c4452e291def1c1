//! The ledger of discovered files: `DiscoveredFile`. A document holds its event until that is sent.

use super::MongoState;
use super::data_sources::{entry, read_entry};
use super::documents::{Odd, bson_date, long};
use super::error::{MongoError, is_duplicate};
use super::lists::{collect, found, named};
use crate::core::model::data_source::DataSourceId;
use crate::core::ports::ledger::{Home, Ledger, ToldFile};
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use mongodb::bson::{Document, doc};

const COLLECTION: &str = "DiscoveredFile";

/// The folder that each data source's files were looked for in at first.
const HOMES: &str = "DiscoveredHome";

/// Most events that are taken at once.
const AT_ONCE: i64 = 1000;

#[async_trait]
impl Ledger for MongoState {
    async fn tell(&self, file: &ToldFile, event: Option<&OutboxEntry>) -> Result<bool, StoreError> {
        self.call(async {
            let files = self.collection::<Document>(COLLECTION);
            let mut document = doc! {
                "_id": &file.id, "dataSourceId": file.source.as_str(), "path": &file.path, "size": long(file.size)?,
                "sha256": &file.sha256, "stamp": &file.stamp, "modifiedAt": bson_date(file.modified_at),
                "discoveredAt": bson_date(file.discovered_at), "executionId": &file.execution,
            };
            if let Some(event) = event {
                document.insert("unsent", true);
                document.insert("event", entry(event));
            }
            match files.insert_one(document).await {
                Ok(_) => Ok(true),
                Err(error) if is_duplicate(&error) => {
                    let stamp = doc! { "$set": { "stamp": &file.stamp } };
                    files.update_one(doc! { "_id": &file.id }, stamp).await?;
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    async fn is_told(&self, id: &str) -> Result<bool, StoreError> {
        self.call(async {
            let files = self.collection::<Document>(COLLECTION);
            Ok(files.find_one(doc! { "_id": id }).projection(doc! { "_id": 1 }).await?.is_some())
        })
        .await
    }

    async fn home(&self, source: &DataSourceId, folder: &Home) -> Result<Home, StoreError> {
        self.call(async {
            let homes = self.collection::<Document>(HOMES);
            let wanted = || homes.find_one(doc! { "_id": source.as_str() });
            if let Some(known) = wanted().await? {
                return Ok(read_home(&known).ok_or_else(odd_home)?);
            }
            let new = doc! { "_id": source.as_str(), "path": &folder.words, "place": &folder.place };
            match homes.insert_one(new).await {
                Ok(_) => Ok(folder.clone()),
                Err(error) if is_duplicate(&error) => {
                    Ok(wanted().await?.as_ref().and_then(read_home).ok_or_else(odd_home)?)
                }
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    async fn told(&self, source: &DataSourceId, first: &str, last: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.call(async {
            let files = self.collection::<Document>(COLLECTION);
            let wanted = doc! { "dataSourceId": source.as_str(), "path": { "$gte": first, "$lte": last } };
            let found = files.find(wanted).projection(doc! { "path": 1, "stamp": 1 }).await?;
            let pair = |document: Document| {
                let text = |name| document.get_str(name).map(str::to_owned).map_err(|_| odd(name));
                Ok((text("path")?, text("stamp")?))
            };
            collect(found, pair).await
        })
        .await
    }
}

impl MongoState {
    /// The events of files that wait, oldest first.
    pub(super) async fn waiting_files(&self) -> Result<Found<OutboxEntry>, MongoError> {
        let files = self.collection::<Document>(COLLECTION);
        let waiting = files.find(doc! { "unsent": true }).sort(doc! { "discoveredAt": 1, "_id": 1 }).limit(AT_ONCE);
        let event =
            |document: Document| document.get_document("event").ok().and_then(read_entry).ok_or_else(|| odd("event"));
        Ok(named(COLLECTION, found(waiting.await?, usize::MAX, event).await?))
    }

    /// Takes a sent event away.
    pub(super) async fn mark_file_sent(&self, id: &OutboxId, file: &str) -> Result<(), MongoError> {
        let files = self.collection::<Document>(COLLECTION);
        let sent = doc! { "$unset": { "event": "", "unsent": "" } };
        files.update_one(doc! { "_id": file, "event.id": id.as_str() }, sent).await?;
        Ok(())
    }
}

fn read_home(home: &Document) -> Option<Home> {
    let text = |name| home.get_str(name).ok().map(str::to_owned);
    Some(Home { words: text("path")?, place: text("place")? })
}

fn odd_home() -> Odd {
    Odd(format!("a document of {HOMES} cannot be read; mend the document"))
}

fn odd(what: &str) -> Odd {
    Odd(format!("a document of {COLLECTION} cannot be read: {what}; mend the document"))
}
