//! The events of changes: what is told of a data source that was made, changed or taken away.

use crate::core::model::as_text;
use crate::core::model::data_source::DataSource;
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose entries the changes are in the outbox.
pub const CHANGES: &str = "schedule:changes";

/// What happened to a data source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It was made.
    #[serde(rename = "DataSourceCreatedEvent")]
    Created,
    /// It was changed.
    #[serde(rename = "DataSourceUpdatedEvent")]
    Updated,
    /// It was taken away.
    #[serde(rename = "DataSourceDeletedEvent")]
    Deleted,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    /// The word in metrics: `created`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// An event of a change, as it is sent. Its id is made of the data source and its version, so it is the same at every try.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEvent {
    /// The same whenever it is sent: `ID:VERSION`.
    pub event_id: String,
    /// What happened.
    pub event_type: ChangeKind,
    /// When.
    #[serde(with = "as_text::moment")]
    pub occurred_at: Timestamp,
    /// To which data source.
    pub data_source_id: String,
    /// Above that of every event before.
    pub version: u64,
    /// As it was then; of one that was taken away, its last state.
    pub data_source: DataSource,
}

/// What is told of a change.
pub fn changed(kind: ChangeKind, source: &DataSource, at: Timestamp) -> OutboxEntry {
    let event = ChangeEvent {
        event_id: format!("{}:{}", source.id, source.version),
        event_type: kind,
        occurred_at: at,
        data_source_id: source.id.to_string(),
        version: source.version,
        data_source: source.clone(),
    };
    let id = OutboxId::new(format!("{CHANGES}/{}", event.event_id));
    OutboxEntry { id, key: event.data_source_id.clone(), payload: serde_json::to_vec(&event).unwrap_or_default() }
}
