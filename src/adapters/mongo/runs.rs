//! `runs` and `file_status`.

use super::MongoState;
use super::documents::{FileDocument, Odd, RunDocument, bson_date, file_id, long};
use super::error::{MongoError, is_duplicate};
use super::lists::{at_most, batch, collect, found, found_while};
use crate::core::model::names::WorkerId;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::term::{Term, Token};
use crate::core::ports::runs::{Behind, FileStatus, Requested, RunStore, Stretch};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc, serialize_to_document};
use mongodb::options::ReadConcern;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The word of a published run.
const PUBLISHED: &str = RunStatus::Published.as_str();

/// The other words. A document with none of them is odd.
const UNPUBLISHED: [&str; 3] = [RunStatus::Pending.as_str(), RunStatus::Running.as_str(), RunStatus::Failed.as_str()];

/// Tries of a write whose document another one makes in between.
const TRIES: usize = 3;

impl MongoState {
    fn runs_of<T: Send + Sync>(&self) -> Collection<T> {
        self.collection("runs")
    }

    fn files_of<T: Send + Sync>(&self) -> Collection<T> {
        self.collection("file_status")
    }

    /// Sees to it that no older token writes to this run or to one of its files from now on.
    ///
    /// The run's document keeps the highest token that has written to it or to one of its files; each file's keeps a
    /// copy, so that one filter refuses an older holder there too.
    async fn fence(&self, term: &Term, run: &RunId) -> Result<(), MongoError> {
        let fenced = (run.date, term.token());
        let known = self.fenced.lock().unwrap_or_else(PoisonError::into_inner).get(&run.worker) == Some(&fenced);
        if known {
            return Ok(());
        }
        self.raise_fence(term, run).await?;
        self.fenced.lock().unwrap_or_else(PoisonError::into_inner).insert(run.worker.clone(), fenced);
        Ok(())
    }

    async fn raise_fence(&self, term: &Term, run: &RunId) -> Result<(), MongoError> {
        let token = long(term.token().0)?;
        upsert(&self.runs_of(), term, not_newer(&run.to_string(), term)?, Document::new(), None).await?;
        let older = with(of_run(run), doc! { "fence": { "$lt": token } });
        self.files_of::<Document>().update_many(older, doc! { "$set": { "fence": token } }).await?;
        Ok(())
    }

    /// Adds the run of a stretch's last date, if that is not among what was found. Any number of other documents may name the date, and
    /// the next stretch begins behind it.
    async fn add_run_of(&self, worker: &WorkerId, date: &str, found: &mut Found<RunRecord>) -> Result<(), MongoError> {
        let id = format!("{worker}:{date}");
        if found.records.last().is_some_and(|last| last.id.to_string() == id) {
            return Ok(());
        }
        let wanted = doc! { "_id": &id, "status": { "$in": UNPUBLISHED.to_vec() } };
        if let Some(document) = self.runs_of::<Document>().find_one(wanted).await? {
            found.add(|| id, RunDocument::read_whole(document).map_err(|odd| odd.0));
        }
        Ok(())
    }

    /// Adds the first documents whose status none of ours has.
    async fn add_odd(&self, worker: &WorkerId, found: &mut Found<RunRecord>) -> Result<(), MongoError> {
        let ours: Vec<&str> = UNPUBLISHED.into_iter().chain([PUBLISHED]).collect();
        let wanted = doc! { "workerId": worker.as_str(), "status": { "$exists": true, "$nin": ours } };
        let most = at_most(Found::<RunRecord>::ODD_MAX).unwrap_or_default();
        let cursor = self.runs_of::<Document>().find(wanted).limit(most).await?;
        let odd = super::lists::found(cursor, usize::MAX, RunDocument::read_whole).await?.odd;
        found.odd.extend(odd);
        found.odd.truncate(Found::<RunRecord>::ODD_MAX);
        Ok(())
    }

    /// The run as it is now, and durable.
    async fn current_run(&self, id: &RunId) -> Result<Option<RunRecord>, MongoError> {
        let runs = self.runs_of::<Document>();
        let found = runs.find_one(requested(doc! { "_id": id.to_string() }));
        let found = found.read_concern(ReadConcern::linearizable()).max_time(self.answer_within).await?;
        Ok(found.map(RunDocument::read_whole).transpose()?)
    }
}

#[async_trait]
impl RunStore for MongoState {
    async fn request(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<Requested, StoreError> {
        self.call(async {
            let document = RunDocument::new(&RunRecord::pending(id, requested_by, now))?;
            let fields = fields(&document)?;
            let new = with(doc! { "_id": id.to_string(), "fence": 0_i64 }, fields.clone());
            match self.runs_of::<Document>().insert_one(new).await {
                Ok(_) => return Ok(Requested::New(document.read()?)),
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(error.into()),
            }
            // Perhaps only its fence is there, because a file was written first.
            let fence = doc! { "_id": id.to_string(), "status": { "$exists": false } };
            if self.runs_of::<Document>().update_one(fence, doc! { "$set": fields }).await?.matched_count == 1 {
                return Ok(Requested::New(document.read()?));
            }
            self.current_run(id).await?.map(Requested::AlreadyThere).ok_or(MongoError::Contended)
        })
        .await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StoreError> {
        self.call(async {
            let found = self.runs_of::<Document>().find_one(requested(doc! { "_id": id.to_string() })).await?;
            Ok(found.map(RunDocument::read_whole).transpose()?)
        })
        .await
    }

    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Found<RunRecord>, StoreError> {
        self.call(async {
            let wanted = worker.map_or_else(Document::new, |worker| doc! { "workerId": worker.as_str() });
            let runs = self.runs_of::<Document>();
            let runs = runs.find(requested(wanted)).sort(doc! { "date": -1, "workerId": 1 });
            found(runs.batch_size(batch(limit)).await?, limit, RunDocument::read_whole).await
        })
        .await
    }

    async fn unpublished(
        &self,
        worker: &WorkerId,
        after: Option<&Behind>,
        limit: usize,
    ) -> Result<Stretch, StoreError> {
        let Some(most) = at_most(limit) else { return Ok(Stretch::default()) };
        self.call(async {
            // By the index `unpublished`, which has the dates in order for each of these words. Of a list each value stands in it, so that
            // no place behind one is behind it.
            let mut date = doc! { "$not": { "$type": "array" } };
            if let Some(after) = after {
                date.insert("$gt", String::from_utf8_lossy(&after.0).into_owned());
            }
            let wanted = doc! { "workerId": worker.as_str(), "status": { "$in": UNPUBLISHED.to_vec() }, "date": date };
            let runs = self.runs_of::<Document>();
            let cursor = runs.find(wanted).sort(doc! { "date": 1 }).limit(most).batch_size(batch(limit)).await?;
            let last = Mutex::new((0_usize, String::new()));
            let read = |document: Document| {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                *last = (last.0 + 1, document.get_str("date").unwrap_or_default().to_owned());
                RunDocument::read_whole(document)
            };
            let is_full = AtomicBool::new(false);
            let goes_on = |_: &Found<RunRecord>, bytes| {
                is_full.store(bytes >= Stretch::BYTES, Ordering::Relaxed);
                bytes < Stretch::BYTES
            };
            let mut found = found_while(cursor, goes_on, read).await?;
            let (count, last) = last.into_inner().unwrap_or_else(PoisonError::into_inner);
            let is_part = count >= limit || is_full.into_inner();
            if is_part {
                self.add_run_of(worker, &last, &mut found).await?;
            }
            if after.is_none() {
                self.add_odd(worker, &mut found).await?;
            }
            Ok(Stretch { found, next: is_part.then(|| Behind(last.into_bytes())) })
        })
        .await
    }

    async fn ask_again(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<(), StoreError> {
        self.call(async {
            let wanted = doc! { "_id": id.to_string(), "status": { "$exists": true, "$ne": PUBLISHED } };
            let asked = doc! { "$set": { "requestedBy": requested_by, "requestedAt": bson_date(now) } };
            self.runs_of::<Document>().update_one(wanted, asked).await?;
            Ok(())
        })
        .await
    }

    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError> {
        self.call(async {
            self.fence(term, &record.id).await?;
            let record = RunRecord { token: Some(term.token()), ..record.clone() };
            let id = record.id.to_string();
            let late = doc! { "_id": &id, "correction.version": { "$gt": i64::from(record.newest_version()) } };
            let wanted = with(not_newer(&id, term)?, not_later("correction.version", record.newest_version()));
            upsert(&self.runs_of(), term, wanted, fields(&RunDocument::new(&record)?)?, Some(late)).await
        })
        .await
    }

    async fn reopen(&self, old: &RunRecord, new: &RunRecord) -> Result<bool, StoreError> {
        self.call(async {
            let correction = old.correction.as_ref().map_or(Ok(Bson::Null), |it| fields(it).map(Bson::Document))?;
            let published = doc! { "_id": old.id.to_string(), "status": "published", "correction": correction };
            let mut change = fields(&RunDocument::new(new)?)?;
            // The stored one is what older holders are refused by.
            change.remove("token");
            Ok(self.runs_of::<Document>().update_one(published, doc! { "$set": change }).await?.matched_count == 1)
        })
        .await
    }

    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError> {
        self.call(async {
            self.fence(term, &status.run).await?;
            let (id, files) = (file_id(&status.run, &status.file), self.files_of::<Document>());
            let fields = fields(&FileDocument::new(status, term.token())?)?;
            // An acknowledgement outlives a repeat of the write that announced the event.
            if let Some(event @ Bson::Document(_)) = fields.get("event") {
                let same = with(not_newer(&id, term)?, doc! { "event": event.clone() });
                let mut kept = fields.clone();
                if status.event.as_ref().is_some_and(|entry| entry.sent_at.is_none()) {
                    kept.remove("sentAt");
                }
                if update(&files, term, same, kept).await? {
                    return Ok(());
                }
            }
            let mut wanted = not_newer(&id, term)?;
            let late = if let Some(entry) = &status.event {
                wanted.extend(not_later("event.version", entry.event.version));
                doc! { "_id": &id, "event.version": { "$gt": i64::from(entry.event.version) } }
            } else {
                wanted.extend(unannounced(term)?);
                doc! { "_id": &id, "token": long(term.token().0)?, "event": { "$ne": Bson::Null } }
            };
            if update(&files, term, wanted.clone(), fields.clone()).await? {
                return Ok(());
            }
            // Later than that; or not there yet, or a newer holder has fenced it: the run knows.
            self.raise_fence(term, &status.run).await?;
            upsert(&files, term, wanted, fields, Some(late)).await
        })
        .await
    }

    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError> {
        self.call(async {
            let found = self.files_of().find(of_run(run)).sort(doc! { "fileId": 1 }).await?;
            collect(found, FileDocument::read).await
        })
        .await
    }
}

fn fields(document: &impl Serialize) -> Result<Document, MongoError> {
    serialize_to_document(document).map_err(|error| Odd(format!("this cannot be kept: {error}")).into())
}

fn with(mut document: Document, more: Document) -> Document {
    document.extend(more);
    document
}

fn of_run(run: &RunId) -> Document {
    doc! { "workerId": run.worker.as_str(), "date": run.date.to_string() }
}

/// Leaves out what is only a fence: a run that no one has asked for yet.
fn requested(wanted: Document) -> Document {
    with(wanted, doc! { "status": { "$exists": true } })
}

/// A document that no newer holder has fenced.
fn not_newer(id: &str, term: &Term) -> Result<Document, MongoError> {
    Ok(doc! { "_id": id, "fence": { "$lte": long(term.token().0)? } })
}

/// A file whose completion event was not recorded under this token: progress that was under way for long must not take
/// the event away.
fn unannounced(term: &Term) -> Result<Document, MongoError> {
    Ok(doc! { "$or": [{ "event": Bson::Null }, { "token": { "$lt": long(term.token().0)? } }] })
}

/// A document of no later version than this one.
fn not_later(path: &str, version: u32) -> Document {
    doc! { path: { "$not": { "$gt": i64::from(version) } } }
}

/// Changes a document that is there. False when none matches.
async fn update(
    collection: &Collection<Document>,
    term: &Term,
    wanted: Document,
    fields: Document,
) -> Result<bool, MongoError> {
    term.check()?;
    let change = doc! { "$set": with(doc! { "fence": long(term.token().0)? }, fields) };
    Ok(collection.update_one(wanted, change).await?.matched_count == 1)
}

/// Why a document whose `field` holds a higher token than the holder's is not written to.
pub(super) fn above(term: &Term, newer: &Document, field: &str, record: impl FnOnce() -> String) -> MongoError {
    // One that is no whole number was never counted either.
    let found = newer.get_i64(field).ok().and_then(|token| u64::try_from(token).ok()).unwrap_or(u64::MAX);
    MongoError::Refused(StoreError::above(term.token(), Token(found), record))
}

/// Changes the wanted document or makes it; refused when a newer holder has fenced it, and left alone when it is as `late` says.
async fn upsert(
    collection: &Collection<Document>,
    term: &Term,
    wanted: Document,
    fields: Document,
    late: Option<Document>,
) -> Result<(), MongoError> {
    let token = long(term.token().0)?;
    let id = wanted.get("_id").cloned().unwrap_or_default();
    let change = doc! { "$set": with(doc! { "fence": token }, fields) };
    for _ in 0..TRIES {
        term.check()?;
        match collection.update_one(wanted.clone(), change.clone()).upsert(true).await {
            Ok(_) => return Ok(()),
            Err(error) if is_duplicate(&error) => {}
            Err(error) => return Err(error.into()),
        }
        // A newer holder's; or it was made just now, which the next try finds. What the majority does not have yet
        // counts too: whoever doubts does not write.
        let newer = collection.find_one(doc! { "_id": id.clone(), "fence": { "$gt": token } });
        if let Some(newer) = newer.read_concern(ReadConcern::local()).await? {
            return Err(above(term, &newer, "fence", || format!("the record {id} of {}", collection.name())));
        }
        if let Some(late) = &late
            && collection.find_one(late.clone()).await?.is_some()
        {
            return Ok(());
        }
    }
    Err(MongoError::Contended)
}
