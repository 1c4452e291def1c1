//! What of a published run is to be handed over to a flow that takes files, and how far that is.

use super::event::FileDelivered;
use super::moment::{instant, maybe_instant, moment};
use super::names::{FileId, WorkerId};
use super::run::{BusinessDate, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far a file or a manifest is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is published, and to be handed over.
    Due,
    /// It was handed over. Its receipt is not there yet.
    HandedOver,
    /// Its receipt is there.
    Delivered,
    /// It was refused for good. It goes on when its reason is mended.
    Failed,
    /// A later version took its name before it was handed over.
    Replaced,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Due, Self::HandedOver, Self::Delivered, Self::Failed, Self::Replaced];

    /// The word in the state store, tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::HandedOver => "handed-over",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Replaced => "replaced",
        }
    }
}

/// A published file, or the manifest of a run's version, on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Of which run.
    pub run: RunId,
    /// Which file. `None`: the manifest.
    pub file: Option<FileId>,
    /// The version that made it, from 1.
    pub version: u32,
    /// Its place among those of its version: files in their order, the manifest last.
    pub position: u32,
    /// Whom it is handed over to.
    pub to: String,
    /// Relative to the output root, and below the folder that it goes to.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Of all of it, in hexadecimal digits.
    pub sha256: String,
    /// That of its completion event. `None` for a manifest.
    pub correlation_id: Option<String>,
    /// The ids of what must have arrived before it is handed over.
    pub behind: Vec<String>,
    /// How far it is.
    pub state: DeliveryState,
    /// Nothing more is done for it by itself.
    pub done: bool,
    /// Why it is no further.
    pub reason: Option<String>,
    /// What it is called on its way.
    pub transfer_id: Option<String>,
    /// When its run was published.
    pub due_at: Timestamp,
    /// When it was handed over first.
    pub handed_at: Option<Timestamp>,
    /// When its receipt was seen.
    pub delivered_at: Option<Timestamp>,
    /// The event that tells of its arrival, once it is to be sent.
    pub event: Option<FileDelivered>,
    /// When a broker acknowledged that.
    pub sent_at: Option<Timestamp>,
    /// Counts the changes of the record.
    pub revision: u64,
}

impl Delivery {
    /// `LoanWorker:2026-11-21:Loan0#1`, and of a manifest `LoanWorker:2026-11-21:#1`, which no file's id can be.
    pub fn id(&self) -> String {
        Self::id_of(&self.run, self.file.as_ref(), self.version)
    }

    /// The same, of its parts.
    pub fn id_of(run: &RunId, file: Option<&FileId>, version: u32) -> String {
        format!("{run}:{}#{version}", file.map_or("", FileId::as_str))
    }

    /// What people call it.
    pub fn shown(&self) -> &str {
        self.file.as_ref().map_or("manifest", FileId::as_str)
    }
}

/// What the ids of its outbox entries begin with, before a slash.
pub const OUTBOX: &str = "delivered";

/// A delivery as stores keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDocument {
    worker_id: String,
    date: String,
    file_id: Option<String>,
    version: u32,
    position: u32,
    to: String,
    path: String,
    bytes: u64,
    sha256: String,
    correlation_id: Option<String>,
    behind: Vec<String>,
    state: DeliveryState,
    done: bool,
    reason: Option<String>,
    transfer_id: Option<String>,
    #[serde(with = "instant")]
    due_at: Timestamp,
    #[serde(with = "maybe_instant", default)]
    handed_at: Option<Timestamp>,
    #[serde(with = "maybe_instant", default)]
    delivered_at: Option<Timestamp>,
    event: Option<FileDelivered>,
    #[serde(with = "maybe_instant", default)]
    sent_at: Option<Timestamp>,
    revision: u64,
}

impl From<&Delivery> for DeliveryDocument {
    fn from(delivery: &Delivery) -> Self {
        let it = delivery.clone();
        Self {
            worker_id: it.run.worker.to_string(),
            date: it.run.date.to_string(),
            file_id: it.file.map(|file| file.to_string()),
            version: it.version,
            position: it.position,
            to: it.to,
            path: it.path,
            bytes: it.bytes,
            sha256: it.sha256,
            correlation_id: it.correlation_id,
            behind: it.behind,
            state: it.state,
            done: it.done,
            reason: it.reason,
            transfer_id: it.transfer_id,
            due_at: it.due_at,
            handed_at: it.handed_at,
            delivered_at: it.delivered_at,
            event: it.event,
            sent_at: it.sent_at,
            revision: it.revision,
        }
    }
}

impl DeliveryDocument {
    /// Reads it back.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(self) -> Result<Delivery, String> {
        let date = BusinessDate::parse(&self.date).ok_or_else(|| format!("`{}` is no date", self.date))?;
        let worker = WorkerId::new(self.worker_id).map_err(|error| error.to_string())?;
        Ok(Delivery {
            run: RunId { worker, date },
            file: self.file_id.map(FileId::new).transpose().map_err(|error| error.to_string())?,
            version: self.version,
            position: self.position,
            to: self.to,
            path: self.path,
            bytes: self.bytes,
            sha256: self.sha256,
            correlation_id: self.correlation_id,
            behind: self.behind,
            state: self.state,
            done: self.done,
            reason: self.reason,
            transfer_id: self.transfer_id,
            due_at: self.due_at,
            handed_at: self.handed_at,
            delivered_at: self.delivered_at,
            event: self.event,
            sent_at: self.sent_at,
            revision: self.revision,
        })
    }
}

/// How far a delivery is, as status and JSON show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// `Loan0`, or `manifest`.
    pub item: String,
    /// The version that made it.
    pub version: u32,
    /// Whom it is handed over to.
    pub transfer: String,
    /// Relative to the output root.
    pub path: String,
    /// How far it is, as a word.
    pub state: &'static str,
    /// When it was handed over first.
    pub handed_over_at: Option<String>,
    /// When its receipt was seen.
    pub delivered_at: Option<String>,
    /// What it is called on its way.
    pub transfer_id: Option<String>,
    /// Why it is no further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When a broker acknowledged the event of its arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_sent_at: Option<String>,
}

impl DeliveryView {
    /// Of a record.
    pub fn new(delivery: &Delivery) -> Self {
        Self {
            item: delivery.shown().to_owned(),
            version: delivery.version,
            transfer: delivery.to.clone(),
            path: delivery.path.clone(),
            state: delivery.state.as_str(),
            handed_over_at: delivery.handed_at.map(moment),
            delivered_at: delivery.delivered_at.map(moment),
            transfer_id: delivery.transfer_id.clone(),
            reason: delivery.reason.clone(),
            event_sent_at: delivery.sent_at.map(moment),
        }
    }

    /// Why it was refused, in a sentence. `None` for one that was not.
    pub fn refusal(&self) -> Option<String> {
        let why = self.reason.as_deref().filter(|_| self.state == DeliveryState::Failed.as_str())?;
        Some(format!("{} is refused by transfer {}: {why}", self.path, self.transfer))
    }
}
