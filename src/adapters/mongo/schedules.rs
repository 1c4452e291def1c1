//! Schedules and executions: the collections `ScheduledDataSource` and `ScheduleExecution`.

use super::MongoState;
use super::documents::long;
use super::error::{MongoError, duplicates, is_duplicate};
use super::lists::{at_most, found};
use super::runs::above;
use super::schedule_documents::{document, read};
use crate::core::model::schedule::{Execution, Outcome, Schedule, ScheduleId};
use crate::core::model::term::Term;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::schedules::{HistoryPlace, ScheduleStore, Writer};
use crate::core::ports::store::{OddRecord, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::options::ReadConcern;
use mongodb::{Collection, Cursor};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

const SCHEDULES: &str = "ScheduledDataSource";
const EXECUTIONS: &str = "ScheduleExecution";

/// Collection, name and keys of each index.
pub(super) fn indexes() -> [(&'static str, &'static str, Document); 4] {
    [
        (SCHEDULES, "changed", doc! { "changedAt": 1 }),
        (EXECUTIONS, "of_schedule", doc! { "scheduleId": 1, "dueTime": -1, "_id": -1 }),
        (EXECUTIONS, "latest", doc! { "dueTime": -1, "_id": -1 }),
        (EXECUTIONS, "open", doc! { "outcome": 1, "dueTime": 1 }),
    ]
}

impl MongoState {
    fn of_schedules(&self) -> Collection<Document> {
        self.collection(SCHEDULES)
    }

    fn of_executions(&self) -> Collection<Document> {
        self.collection(EXECUTIONS)
    }

    async fn one<T: DeserializeOwned>(&self, collection: &str, id: &str) -> Result<Option<T>, MongoError> {
        let Some(found) = self.collection::<Document>(collection).find_one(doc! { "_id": id }).await? else {
            return Ok(None);
        };
        let odd = |odd| MongoError::Refused(self.odd(format!("{collection} {id}"), &found, odd));
        read(found.clone()).map(Some).map_err(odd)
    }
}

#[async_trait]
impl ScheduleStore for MongoState {
    async fn schedules_behind(&self, after: &str, most: usize) -> Result<Page<Schedule>, StoreError> {
        let wanted = doc! { "_id": { "$gt": after } };
        self.call(async {
            let mut page = super::lists::page(&self.of_schedules(), wanted, most, read).await?;
            page.found.odd = named(page.found.odd, SCHEDULES);
            Ok(page)
        })
        .await
    }

    async fn odd_executions(&self) -> Result<Vec<OddRecord>, StoreError> {
        let open = doc! { "outcome": { "$in": [Outcome::Queued.as_str(), Outcome::Running.as_str()] } };
        self.call(async {
            let open = self.of_executions().find(open).await?;
            Ok(named(found(open, usize::MAX, read::<Execution>).await?.odd, EXECUTIONS))
        })
        .await
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        self.call(async { self.one(SCHEDULES, id.as_str()).await }).await
    }

    async fn changed_since(&self, since: Timestamp) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
        let changed = doc! { "changedAt": { "$gte": date(since) } };
        self.call(async {
            let schedules = self.of_schedules();
            // Sorted here: a server that is asked for the order of ids may read them all.
            let found = schedules.find(changed).projection(doc! { "revision": 1 });
            let pairs = super::lists::collect(found.await?, |document: Document| {
                let revision = document.get_i64("revision").ok().and_then(|it| u64::try_from(it).ok());
                // One of other types is one that cannot be read.
                Ok(document.get_str("_id").ok().map(ScheduleId::new).zip(revision))
            });
            let mut changed: Vec<(ScheduleId, u64)> = pairs.await?.into_iter().flatten().collect();
            changed.sort_unstable();
            Ok(changed)
        })
        .await
    }

    async fn schedules_of(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(ScheduleId::as_str).collect();
        let wanted = doc! { "_id": { "$in": ids } };
        self.call(async { all(self.of_schedules().find(wanted).sort(doc! { "_id": 1 }).await?).await }).await
    }

    async fn insert_schedules(&self, schedules: Vec<Schedule>) -> Result<BTreeSet<ScheduleId>, StoreError> {
        if schedules.is_empty() {
            return Ok(BTreeSet::new());
        }
        self.call(async {
            let documents = schedules.iter().map(document).collect::<Result<Vec<_>, _>>()?;
            // Out of order: one that is there keeps no other from being new.
            let there = match self.of_schedules().insert_many(documents).ordered(false).await {
                Ok(_) => BTreeSet::new(),
                Err(error) => duplicates(&error).ok_or(error)?,
            };
            let new = schedules.into_iter().enumerate().filter(|(at, _)| !there.contains(at));
            Ok(new.map(|(_, schedule)| schedule.id).collect())
        })
        .await
    }

    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Result<bool, StoreError> {
        self.call(async {
            let mut change = document(schedule)?;
            let id = change.remove("_id").unwrap_or_default();
            let mut wanted = doc! { "_id": id.clone(), "revision": long(schedule.revision.saturating_sub(1))? };
            match writer {
                Writer::Other => {
                    change.remove("token");
                }
                Writer::Leader(term) => {
                    let token = long(term.token().0)?;
                    change.insert("token", token);
                    wanted.insert("token", doc! { "$lte": token });
                    term.check()?;
                }
            }
            let schedules = self.of_schedules();
            if schedules.update_one(wanted, doc! { "$set": change }).await?.matched_count == 1 {
                return Ok(true);
            }
            if let Writer::Leader(term) = writer {
                // What the majority does not have yet counts too: whoever doubts does not write.
                let newer = schedules.find_one(doc! { "_id": id, "token": { "$gt": long(term.token().0)? } });
                if let Some(newer) = newer.read_concern(ReadConcern::local()).await? {
                    return Err(above(term, &newer, "token", || format!("schedule {}", schedule.id)));
                }
            }
            Ok(false)
        })
        .await
    }

    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Result<bool, StoreError> {
        self.call(async {
            let new = document(execution)?;
            Term::check_any(term)?;
            insert(self.of_executions(), new).await
        })
        .await
    }

    async fn execution(&self, id: &str) -> Result<Option<Execution>, StoreError> {
        self.call(async { self.one(EXECUTIONS, id).await }).await
    }

    async fn replace_execution(
        &self,
        term: Option<&Term>,
        (outcome, token): (Outcome, u64),
        execution: &Execution,
    ) -> Result<bool, StoreError> {
        self.call(async {
            let mut change = document(execution)?;
            let id = change.remove("_id").unwrap_or_default();
            let seen = doc! { "_id": id, "outcome": outcome.as_str(), "token": long(token)? };
            Term::check_any(term)?;
            Ok(self.of_executions().update_one(seen, doc! { "$set": change }).await?.matched_count == 1)
        })
        .await
    }

    async fn open_executions(&self, limit: usize) -> Result<Vec<Execution>, StoreError> {
        let Some(limit) = at_most(limit) else { return Ok(Vec::new()) };
        let open = doc! { "outcome": { "$in": [Outcome::Queued.as_str(), Outcome::Running.as_str()] } };
        self.call(async {
            let executions = self.of_executions();
            let found = executions.find(open).sort(doc! { "dueTime": 1, "_id": 1 });
            all(found.limit(limit).await?).await
        })
        .await
    }

    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        let Some(limit) = at_most(limit) else { return Ok(Vec::new()) };
        let mut wanted = Document::new();
        if let Some(id) = schedule {
            wanted.insert("scheduleId", id.as_str());
        }
        if let Some(HistoryPlace { due_time, id }) = behind {
            let due = date(*due_time);
            let tied = doc! { "dueTime": due, "_id": { "$lt": id } };
            wanted.insert("dueTime", doc! { "$lte": due });
            wanted.insert("$or", [doc! { "dueTime": { "$lt": due } }, tied]);
        }
        self.call(async {
            let executions = self.of_executions();
            let found = executions.find(wanted).sort(doc! { "dueTime": -1, "_id": -1 });
            all(found.limit(limit).await?).await
        })
        .await
    }

    async fn executions_due(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        let due = doc! { "scheduleId": schedule.as_str(), "dueTime": { "$gte": date(from), "$lte": date(to) } };
        self.call(async { all(self.of_executions().find(due).sort(doc! { "dueTime": 1, "_id": 1 }).await?).await })
            .await
    }

    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Result<u64, StoreError> {
        let Some(most) = at_most(most) else { return Ok(0) };
        let old = doc! {
            "scheduleId": schedule.as_str(),
            "dueTime": { "$lt": date(before) },
            "outcome": { "$nin": [Outcome::Queued.as_str(), Outcome::Running.as_str()] },
            "_id": { "$nin": keep },
        };
        self.call(async {
            let executions = self.of_executions();
            let found = executions.find(old.clone()).projection(doc! { "_id": 1 }).sort(doc! { "dueTime": 1 });
            let ids = super::lists::collect(found.limit(most).await?, |it: Document| Ok(it.get("_id").cloned()));
            let ids: Vec<Bson> = ids.await?.into_iter().flatten().collect();
            if ids.is_empty() {
                return Ok(0);
            }
            // Beside the ids: what runs again meanwhile is not old.
            let gone = doc! { "$and": [{ "_id": { "$in": ids } }, old] };
            Ok(executions.delete_many(gone).await?.deleted_count)
        })
        .await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.server_time().await
    }
}

fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

/// False when a document of this id is there.
async fn insert(collection: Collection<Document>, new: Document) -> Result<bool, MongoError> {
    match collection.insert_one(new).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Those that can be read.
async fn all<T: DeserializeOwned>(cursor: Cursor<Document>) -> Result<Vec<T>, MongoError> {
    Ok(found(cursor, usize::MAX, read).await?.records)
}

/// With the collection before their ids.
fn named(odd: Vec<OddRecord>, collection: &str) -> Vec<OddRecord> {
    odd.into_iter().map(|it| OddRecord { id: format!("{collection} {}", it.id), ..it }).collect()
}
