//! What is told of a new file.

use crate::core::model::as_text;
use crate::core::model::data_source::DataSourceId;
use crate::core::ports::ledger::ToldFile;
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Whose entries the events of new files are in the outbox.
pub const DISCOVERED: &str = "schedule:discovered";

/// The one type of this event.
const TYPE: &str = "FileDiscoveredEvent";

/// The event of a new file, as it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDiscovered {
    /// The same whenever it is sent: made of data source, path and content.
    pub event_id: String,
    /// `FileDiscoveredEvent`.
    pub event_type: String,
    /// By which data source it was found.
    pub data_source_id: String,
    /// The whole path on the host that found it.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of its whole content.
    pub sha256: String,
    /// When its content was changed, as its writer says.
    #[serde(with = "as_text::moment")]
    pub modified_at: Timestamp,
    /// When it was told.
    #[serde(with = "as_text::moment")]
    pub discovered_at: Timestamp,
    /// By which execution.
    pub execution_id: String,
}

impl FileDiscovered {
    pub(super) fn of(told: &ToldFile, path: String) -> Self {
        Self {
            event_id: told.id.clone(),
            event_type: TYPE.to_owned(),
            data_source_id: told.source.to_string(),
            path,
            size: told.size,
            sha256: told.sha256.clone(),
            modified_at: told.modified_at,
            discovered_at: told.discovered_at,
            execution_id: told.execution.clone(),
        }
    }

    pub(super) fn entry(&self) -> OutboxEntry {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let id = OutboxId::new(format!("{DISCOVERED}/{}", self.event_id));
        OutboxEntry { id, key: self.data_source_id.clone(), payload }
    }
}

/// The id of a version of a file. Lengths stand before the parts, so that no two versions have one text.
pub(super) fn id(source: &DataSourceId, path: &str, sha256: &str, size: u64) -> String {
    let source = source.as_str();
    let text = format!("{}:{source}{}:{path}{sha256}:{size}", source.len(), path.len());
    hex::encode(&Sha256::digest(text)[..16])
}
