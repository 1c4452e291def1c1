//! Data sources: `DataSource`. A document holds the events of its changes that were not sent yet, so that one write keeps both. A
//! data source that was taken away stays, marked, until its last event is sent.

use super::MongoState;
use super::documents::{Odd, bson_date, long};
use super::error::{MongoError, is_duplicate};
use super::lists::collect;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::ports::data_sources::{DataSources, Listed, Wanted, Written};
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::store::{Found, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

const COLLECTION: &str = "DataSource";

/// Most documents whose events are taken at once.
const AT_ONCE: i64 = 1000;

/// Fields of a document that only we know.
const OURS: [&str; 4] = ["nameKey", "outbox", "unsent", "deletedAt"];

#[async_trait]
impl DataSources for MongoState {
    async fn create(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        self.call(async {
            let sources = self.sources_with_names().await?;
            let mut document = written(source)?;
            document.insert("_id", source.id.as_str());
            document.insert("outbox", vec![entry(event)]);
            match sources.insert_one(document).await {
                Ok(_) => Ok(Written::Done),
                Err(error) if is_duplicate(&error) => match find(&sources, &source.id).await? {
                    Some(there) if there == *source => Ok(Written::Done),
                    Some(there) => Ok(Written::Changed(Box::new(there))),
                    None => Ok(Written::NameTaken),
                },
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    async fn replace(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        self.call(async {
            let sources = self.sources_with_names().await?;
            let change = doc! { "$set": written(source)?, "$push": { "outbox": entry(event) } };
            let before =
                doc! { "_id": source.id.as_str(), "version": long(source.version)? - 1, "deletedAt": Bson::Null };
            match sources.update_one(before, change).await {
                Ok(done) if done.matched_count > 0 => return Ok(Written::Done),
                Err(error) if is_duplicate(&error) => return Ok(Written::NameTaken),
                done => done?,
            };
            Ok(match find(&sources, &source.id).await? {
                Some(there) if there == *source => Written::Done,
                Some(there) => Written::Changed(Box::new(there)),
                None => Written::Gone,
            })
        })
        .await
    }

    async fn delete(&self, id: &DataSourceId, version: u64, event: &OutboxEntry) -> Result<Written, StoreError> {
        self.call(async {
            let sources = self.collection::<Document>(COLLECTION);
            let this = doc! { "_id": id.as_str(), "version": long(version)?, "deletedAt": Bson::Null };
            let gone = doc! {
                "deletedAt": bson_date(Timestamp::now()), "unsent": true,
                // No name holds a control character: the name is free.
                "nameKey": format!("\u{0}{id}"),
            };
            let done = sources.update_one(this, doc! { "$set": gone, "$push": { "outbox": entry(event) } }).await?;
            if done.matched_count > 0 {
                return Ok(Written::Done);
            }
            Ok(find(&sources, id).await?.map_or(Written::Gone, |there| Written::Changed(Box::new(there))))
        })
        .await
    }

    async fn data_source(&self, id: &DataSourceId) -> Result<Option<DataSource>, StoreError> {
        self.call(find(&self.collection(COLLECTION), id)).await
    }

    async fn named(&self, name: &str) -> Result<Option<DataSource>, StoreError> {
        self.call(async {
            let sources = self.collection::<Document>(COLLECTION);
            let found = sources.find_one(doc! { "name": name, "deletedAt": Bson::Null }).await?;
            Ok(found.map(read).transpose()?)
        })
        .await
    }

    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError> {
        let mut range = doc! { "$gt": after };
        range.extend(until.map(|until| ("$lte".to_owned(), until.into())));
        let wanted = doc! { "_id": range, "deletedAt": Bson::Null };
        self.call(async { super::lists::page(&self.collection(COLLECTION), wanted, most, read).await }).await
    }

    async fn data_sources(&self, wanted: &Wanted) -> Result<Listed, StoreError> {
        let mut fits = doc! { "deletedAt": Bson::Null };
        if let Some(active) = wanted.active {
            fits.insert("isActive", active);
        }
        let texts = |ids: &[DataSourceId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        let only = wanted.only.as_deref().map(|only| ("$in".to_owned(), texts(only).into()));
        let but = (!wanted.but.is_empty()).then(|| ("$nin".to_owned(), texts(&wanted.but).into()));
        let ids: Document = only.into_iter().chain(but).collect();
        if !ids.is_empty() {
            fits.insert("_id", ids);
        }
        if !wanted.text.is_empty() {
            let words = literally(&wanted.text);
            let part = |field: &str| doc! { field: { "$regex": &words, "$options": "i" } };
            fits.insert("$or", ["name", "description", "path", "pattern"].map(part).to_vec());
        }
        self.call(async {
            let sources = self.collection::<Document>(COLLECTION);
            let total = sources.count_documents(fits.clone()).await?;
            if wanted.most == 0 {
                return Ok(Listed { total, ..Listed::default() });
            }
            let found = sources.find(fits).sort(doc! { "name": 1, "_id": 1 }).skip(wanted.skip);
            let found = super::lists::found(found.limit(i64::from(wanted.most)).await?, usize::MAX, read).await?;
            Ok(Listed { total, sources: found.records, odd: found.odd })
        })
        .await
    }
}

impl MongoState {
    /// The collection, once its names are known to be unique.
    async fn sources_with_names(&self) -> Result<Collection<Document>, MongoError> {
        let sources = self.collection::<Document>(COLLECTION);
        self.unique_names
            .get_or_try_init(async || {
                // Sparse: documents of others have no such field.
                let options = IndexOptions::builder().name("unique_name".to_owned()).unique(true).sparse(true).build();
                let index = IndexModel::builder().keys(doc! { "nameKey": 1 }).options(options).build();
                sources.create_index(index).await.map(|_| ())
            })
            .await?;
        Ok(sources)
    }

    /// The events of data sources that wait, oldest change first.
    pub(super) async fn waiting_changes(&self) -> Result<Found<OutboxEntry>, MongoError> {
        let sources = self.collection::<Document>(COLLECTION);
        let found = sources.find(doc! { "unsent": true }).sort(doc! { "updatedAt": 1, "_id": 1 }).limit(AT_ONCE);
        let mut waiting = Found::default();
        for document in collect(found.await?, Ok).await? {
            for event in document.get_array("outbox").into_iter().flatten() {
                let entry = event.as_document().and_then(read_entry).ok_or_else(|| odd("an event in its outbox").0);
                waiting.add(|| format!("{COLLECTION} {}", document.get_str("_id").unwrap_or_default()), entry);
            }
        }
        Ok(waiting)
    }

    /// Takes a sent event away, and with the last one what is left of a data source that is gone.
    pub(super) async fn mark_change_sent(&self, id: &OutboxId, event: &str) -> Result<(), MongoError> {
        let sources = self.collection::<Document>(COLLECTION);
        let Some((source, _)) = event.rsplit_once(':') else { return Ok(()) };
        let pull = doc! { "$pull": { "outbox": { "id": id.as_str() } } };
        sources.update_one(doc! { "_id": source }, pull).await?;
        let empty = doc! { "_id": source, "outbox": { "$size": 0 } };
        sources.update_one(empty.clone(), doc! { "$set": { "unsent": false } }).await?;
        let mut gone = empty;
        gone.insert("deletedAt", doc! { "$ne": Bson::Null });
        sources.delete_one(gone).await?;
        Ok(())
    }
}

async fn find(sources: &Collection<Document>, id: &DataSourceId) -> Result<Option<DataSource>, MongoError> {
    let found = sources.find_one(doc! { "_id": id.as_str(), "deletedAt": Bson::Null }).await?;
    Ok(found.map(read).transpose()?)
}

/// A data source as a document keeps it, without its id.
fn written(source: &DataSource) -> Result<Document, MongoError> {
    let failed = |error: mongodb::bson::error::Error| Odd(format!("the data source cannot be kept: {error}"));
    let mut document = mongodb::bson::serialize_to_document(source).map_err(failed)?;
    document.remove("id");
    // What is left out now must not stay from the version before.
    for optional in ["dst", "closedDay", "deadline", "pauseAfterFailures"] {
        document.entry(optional.to_owned()).or_insert(Bson::Null);
    }
    document.insert("version", long(source.version)?);
    document.insert("createdAt", bson_date(source.created_at));
    document.insert("updatedAt", bson_date(source.updated_at));
    document.insert("nameKey", &source.name);
    document.insert("unsent", true);
    Ok(document)
}

fn read(mut document: Document) -> Result<DataSource, Odd> {
    for ours in OURS {
        document.remove(ours);
    }
    let id = document.remove("_id").unwrap_or(Bson::Null);
    document.insert("id", id);
    for time in ["createdAt", "updatedAt"] {
        let at = document.get_datetime(time).map_err(|_| odd(time))?;
        let at = Timestamp::from_millisecond(at.timestamp_millis()).map_err(|_| odd(time))?;
        document.insert(time, at.to_string());
    }
    mongodb::bson::deserialize_from_document(document).map_err(|error| odd(&error.to_string()))
}

fn odd(what: &str) -> Odd {
    Odd(format!("a document of {COLLECTION} cannot be read: {what}; mend the document"))
}

pub(super) fn entry(event: &OutboxEntry) -> Document {
    let payload = Binary { subtype: BinarySubtype::Generic, bytes: event.payload.clone() };
    let text = String::from_utf8(event.payload.clone()).map_or(Bson::Binary(payload), Bson::String);
    doc! { "id": event.id.as_str(), "key": &event.key, "payload": text }
}

pub(super) fn read_entry(document: &Document) -> Option<OutboxEntry> {
    let payload = match document.get("payload")? {
        Bson::String(text) => text.clone().into_bytes(),
        Bson::Binary(binary) => binary.bytes.clone(),
        _ => return None,
    };
    let id = OutboxId::new(document.get_str("id").ok()?);
    Some(OutboxEntry { id, key: document.get_str("key").ok()?.to_owned(), payload })
}

/// A text as a pattern that fits that text alone.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}
