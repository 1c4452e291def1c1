//! What people do to data sources: make, change, take away, look. API, page and commands share it.

use super::bounds::{Bounds, LOOKED_AT};
use super::change::{ChangeKind, changed};
use super::data_source::{Fault, Faults, Rules, Stamp};
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::model::shown;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::clock::Clock;
use crate::core::ports::data_sources::{DataSources, Listed, Wanted, Written};
use crate::core::ports::folders::FolderError;
use crate::core::ports::ledger::Ledger;
use crate::core::ports::store::StoreError;
use crate::core::schedule::cron::Expression;
use crate::core::schedule::discover::known;
use crate::core::schedule::explain;
use crate::core::schedule::looks::Looks;
use crate::core::schedule::plan::Settings;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Notify;

/// Data sources, and what they are held against.
pub struct Sources {
    /// Where they are kept.
    pub store: Arc<dyn DataSources>,
    /// What was told of their files.
    pub ledger: Arc<dyn Ledger>,
    /// What must be true of them.
    pub rules: Rules,
    /// What holds for all schedules.
    pub settings: Settings,
    /// The folders that they name.
    pub looks: Arc<Looks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// A new id each time.
    pub new_id: Arc<dyn Fn() -> String + Send + Sync>,
    /// What people changed, and who.
    pub audit: Arc<dyn AuditLog>,
    /// Whose changes these are.
    pub who: String,
    /// Notified of each change: its event waits.
    pub wake: Arc<Notify>,
    /// How many there may be, and how often each may be due.
    pub bounds: Bounds,
}

/// A data source as it was kept, and what its owner should know.
#[derive(Clone, PartialEq, Debug)]
pub struct Saved {
    /// As it is now.
    pub source: DataSource,
    /// What is not wrong, and worth a second look: each a sentence.
    pub warnings: Vec<String>,
}

/// Why it was not done.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum SourceError {
    /// What was given is wrong.
    #[error("the data source cannot be taken: {0}")]
    Wrong(#[from] Faults),
    /// The name is another data source's.
    #[error("the name {} is taken by another data source", shown::name(name))]
    NameTaken {
        /// Which.
        name: String,
    },
    /// Somebody else changed it first.
    #[error("somebody was faster: version {} of {} is there now", now.version, shown::name(&now.name))]
    Faster {
        /// As it is now.
        now: Box<DataSource>,
    },
    /// There is none.
    #[error("there is no data source {}", shown::name(id))]
    Missing {
        /// As it was given.
        id: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for SourceError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Wrong(_) => FailureKind::Config,
            Self::NameTaken { .. } | Self::Faster { .. } => FailureKind::Conflict,
            // Nothing is wrong with the file: what was asked for is not there.
            Self::Missing { .. } => FailureKind::Refused,
            Self::Store(error) => error.kind(),
        }
    }
}

/// Which versions a change is meant for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Whichever is there.
    Any,
    /// One of these.
    Versions(Vec<u64>),
}

impl Seen {
    fn fits(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

impl Sources {
    /// Makes a data source.
    ///
    /// # Errors
    /// As [`SourceError`] says. Nothing was changed then, unless the store is away: then that is unknown.
    pub async fn create(&self, given: &Value) -> Result<Saved, SourceError> {
        let Saved { source, warnings } = self.made(given).await?;
        self.one_more().await?;
        let event = changed(ChangeKind::Created, &source, source.created_at);
        self.audit("datasource create", &source).await?;
        let written = self.store.create(&source, &event).await?;
        self.saved(written, source, warnings)
    }

    /// What [`Sources::create`] would make. Nothing is written.
    ///
    /// # Errors
    /// As [`Sources::create`].
    pub async fn would_create(&self, given: &Value) -> Result<Saved, SourceError> {
        let made = self.made(given).await?;
        self.room(1).await?;
        self.free_name(made).await
    }

    async fn made(&self, given: &Value) -> Result<Saved, SourceError> {
        let now = self.now();
        // An id is made here and never given: hexadecimal digits and dashes.
        let id = DataSourceId::new((self.new_id)()).ok_or_else(|| SourceError::Missing { id: String::new() })?;
        self.read(given, Stamp { id, version: 1, created_at: now, updated_at: now }).await
    }

    /// All that is wrong at once: what only the disk knows of the path, too.
    async fn read(&self, given: &Value, stamp: Stamp) -> Result<Saved, SourceError> {
        match self.rules.read(given, stamp) {
            Ok(source) => {
                let warnings = self.look(&source).await?;
                Ok(Saved { source, warnings })
            }
            Err(Faults(mut faults)) => {
                let path = given.get("path").and_then(Value::as_str).unwrap_or_default();
                if let Err(Faults(more)) = self.look_at_path(path).await {
                    faults.extend(more);
                }
                Err(Faults(faults).into())
            }
        }
    }

    /// As the store will look again when it writes.
    async fn free_name(&self, saved: Saved) -> Result<Saved, SourceError> {
        let named = self.store.named(&saved.source.name).await?;
        match named.filter(|other| other.id != saved.source.id) {
            Some(other) => Err(SourceError::NameTaken { name: other.name }),
            None => Ok(saved),
        }
    }

    /// Puts a data source in the place of the version that was seen.
    ///
    /// # Errors
    /// As [`Sources::create`].
    pub async fn update(&self, id: &str, seen: &Seen, given: &Value) -> Result<Saved, SourceError> {
        let (there, Saved { source, warnings }) = self.next_version(id, seen, given).await?;
        let event = changed(ChangeKind::Updated, &source, source.updated_at);
        self.audit("datasource update", &source).await?;
        if known::plain(&there.path) != known::plain(&source.path) {
            // What was told is of this folder, if a build told it that did not say so.
            self.ledger.home(&there.id, &known::home(&there.path, &self.rules.roots)).await?;
        }
        let written = self.store.replace(&source, &event).await?;
        self.saved(written, source, warnings)
    }

    /// What [`Sources::update`] would make of it. Nothing is written.
    ///
    /// # Errors
    /// As [`Sources::create`].
    pub async fn would_update(&self, id: &str, seen: &Seen, given: &Value) -> Result<Saved, SourceError> {
        let (_, next) = self.next_version(id, seen, given).await?;
        self.free_name(next).await
    }

    /// The version that is there, and the next one.
    async fn next_version(&self, id: &str, seen: &Seen, given: &Value) -> Result<(DataSource, Saved), SourceError> {
        let there = self.there(id, seen).await?;
        let (id, created_at, now) = (there.id.clone(), there.created_at, self.now().max(there.updated_at));
        let stamp = Stamp { id, version: there.version + 1, created_at, updated_at: now };
        let next = self.read(given, stamp).await?;
        Ok((there, next))
    }

    /// Takes away the version that was seen.
    ///
    /// # Errors
    /// As [`Sources::create`].
    pub async fn delete(&self, id: &str, seen: &Seen) -> Result<DataSource, SourceError> {
        let there = self.there(id, seen).await?;
        let now = self.now().max(there.updated_at);
        // The event's version is above all others', so that a late change does not bring the data source back.
        let last = DataSource { version: there.version + 1, updated_at: now, ..there.clone() };
        self.audit("datasource delete", &there).await?;
        let written = self.store.delete(&there.id, there.version, &changed(ChangeKind::Deleted, &last, now)).await?;
        self.saved(written, there, Vec::new()).map(|saved| saved.source)
    }

    /// What [`Sources::delete`] would take away. Nothing is written.
    ///
    /// # Errors
    /// As [`Sources::create`].
    pub async fn would_delete(&self, id: &str, seen: &Seen) -> Result<DataSource, SourceError> {
        self.there(id, seen).await
    }

    /// A data source as it would be made now. Nothing is written, and no folder is looked at.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self, given: &Value) -> Result<DataSource, SourceError> {
        let now = self.now();
        let id = DataSourceId::new("new").ok_or_else(|| SourceError::Missing { id: String::new() })?;
        let source = self.rules.read(given, Stamp { id, version: 1, created_at: now, updated_at: now })?;
        self.pace(&source)?;
        Ok(source)
    }

    /// One data source by its id.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn get(&self, id: &str) -> Result<DataSource, SourceError> {
        let missing = || SourceError::Missing { id: id.to_owned() };
        let known = DataSourceId::new(id).ok_or_else(missing)?;
        self.store.data_source(&known).await?.ok_or_else(missing)
    }

    /// One data source by its id or its name.
    ///
    /// # Errors
    /// As [`Sources::get`].
    pub async fn find(&self, given: &str) -> Result<DataSource, SourceError> {
        match self.get(given).await {
            Err(SourceError::Missing { id }) => self.store.named(given).await?.ok_or(SourceError::Missing { id }),
            found => found,
        }
    }

    /// Some data sources.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, wanted: &Wanted) -> Result<Listed, SourceError> {
        Ok(self.store.data_sources(wanted).await?)
    }

    /// Keeps who changes a data source, before it is changed: a change that nobody can explain is worse than a recorded try.
    async fn audit(&self, action: &str, source: &DataSource) -> Result<(), StoreError> {
        let detail = format!("{} ({}), version {}", source.name, source.id, source.version);
        self.audit.audit(&AuditEntry::new(self.now(), &self.who, action, &detail, "")).await?;
        crash_point!("source.saving");
        Ok(())
    }

    async fn there(&self, id: &str, seen: &Seen) -> Result<DataSource, SourceError> {
        let there = self.get(id).await?;
        if seen.fits(there.version) { Ok(there) } else { Err(SourceError::Faster { now: Box::new(there) }) }
    }

    fn saved(&self, written: Written, source: DataSource, warnings: Vec<String>) -> Result<Saved, SourceError> {
        match written {
            Written::Done => {
                crash_point!("source.saved");
                self.wake.notify_one();
                Ok(Saved { source, warnings })
            }
            Written::NameTaken => Err(SourceError::NameTaken { name: source.name }),
            Written::Changed(now) => Err(SourceError::Faster { now }),
            Written::Gone => Err(SourceError::Missing { id: source.id.to_string() }),
        }
    }

    /// Whether another one may be made.
    async fn one_more(&self) -> Result<(), SourceError> {
        if !self.bounds.take() {
            self.bounds.counted(self.room(1).await?);
        }
        Ok(())
    }

    /// How many more there may be, where there is room for so many.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) async fn room(&self, more: u64) -> Result<u64, SourceError> {
        let there = self.store.data_sources(&Wanted { most: 1, ..Wanted::default() }).await?.total;
        Ok(self.bounds.room(there, more)?)
    }

    /// What a person should know of how often a data source is due.
    fn pace(&self, source: &DataSource) -> Result<Option<String>, Faults> {
        self.bounds.pace(&self.next(source, self.clock.now(), LOOKED_AT))
    }

    /// What only the disk and the calendar know. A folder that is not there yet is none of the faults.
    async fn look(&self, source: &DataSource) -> Result<Vec<String>, Faults> {
        let mut warnings: Vec<String> = self.look_at_path(&source.path).await?.into_iter().collect();
        warnings.extend(self.pace(source)?);
        if Expression::parse(&source.cron_expression).is_ok() && self.next(source, self.clock.now(), 1).is_empty() {
            warnings.push("the cron expression is never due again".to_owned());
        }
        Ok(warnings)
    }

    /// What a person should know of a folder.
    async fn look_at_path(&self, path: &str) -> Result<Option<String>, Faults> {
        let Ok(place) = self.rules.roots.place(path) else { return Ok(None) };
        match self.looks.check(&place).await {
            Ok(()) => Ok(None),
            Err(error @ FolderError::Foreign { .. }) => {
                let message = format!("the path cannot be taken: {error}");
                let hint = "write a folder by its own path: links are not followed".to_owned();
                Err(Faults(vec![Fault { pointer: "/path".to_owned(), message, hint, at: None }]))
            }
            Err(error) => Ok(Some(format!("{error}; until it can be read, each look at it fails"))),
        }
    }

    /// The next due times of a data source.
    pub fn next(&self, source: &DataSource, after: Timestamp, count: usize) -> Vec<Timestamp> {
        explain::upcoming(source, &self.settings, after, count)
    }

    /// To the millisecond, as every store keeps it.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
