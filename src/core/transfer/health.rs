//! What a transfer needs from outside, asked for health.

use crate::core::health::Probe;
use crate::core::model::transfer::Side;
use crate::core::ports::file_broker::FileSender;
use crate::core::ports::file_target::FileTarget;
use crate::core::ports::inbox::Inbox;
use crate::core::ports::store::OddRecord;
use crate::core::ports::transfer_ledger::TransferLedger;
use crate::core::transfer::status::odd_records;
use async_trait::async_trait;
use std::sync::Arc;

/// The folder that files are collected from.
pub struct FolderProbe {
    /// Which.
    pub inbox: Arc<dyn Inbox>,
}

#[async_trait]
impl Probe for FolderProbe {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn check(&self) -> Result<(), String> {
        self.inbox.list(false).await.map(drop).map_err(|error| error.to_string())
    }
}

/// What carries the files: a small message is stored and taken away, so that a broker that answers and stores nothing shows.
pub struct BrokerProbe {
    /// The collecting side's end.
    pub sender: Arc<dyn FileSender>,
    /// A text that nobody else has.
    pub nonce: String,
}

#[async_trait]
impl Probe for BrokerProbe {
    fn name(&self) -> &'static str {
        "broker"
    }

    async fn check(&self) -> Result<(), String> {
        self.sender.probe(&format!("health-{}", self.nonce)).await.map_err(|error| error.to_string())
    }
}

/// Where files go.
pub struct TargetProbe {
    /// Which.
    pub target: Arc<dyn FileTarget>,
}

#[async_trait]
impl Probe for TargetProbe {
    fn name(&self) -> &'static str {
        "target"
    }

    async fn check(&self) -> Result<(), String> {
        self.target.room().await.map(drop).map_err(|error| error.to_string())
    }
}

/// No version's id: whether the ledger answers does not hang on how much it holds.
const ASKED: &str = "health";

/// Most records of what is on its way that are read each time.
const OPEN: usize = 1000;

/// What remembers which version is how far.
pub struct LedgerProbe {
    /// The ledger.
    pub ledger: Arc<dyn TransferLedger>,
    /// Whose records are asked for.
    pub transfer: String,
}

#[async_trait]
impl Probe for LedgerProbe {
    fn name(&self) -> &'static str {
        "ledger"
    }

    async fn check(&self) -> Result<(), String> {
        self.ledger.find(&self.transfer, Side::Collect, ASKED).await.map(drop).map_err(|error| error.to_string())
    }
}

/// Whether the records of what is on its way can be read: one that cannot holds up its own version, and a person should know.
pub struct RecordsProbe {
    /// The ledger.
    pub ledger: Arc<dyn TransferLedger>,
    /// Whose records are read.
    pub transfer: String,
}

#[async_trait]
impl Probe for RecordsProbe {
    fn name(&self) -> &'static str {
        "records"
    }

    async fn check(&self) -> Result<(), String> {
        // Whether the ledger answers is asked apart.
        let odd = odd_records(&*self.ledger, &self.transfer, OPEN).await.unwrap_or_default();
        match odd.first() {
            Some(OddRecord { id, reason }) => Err(format!("{id} cannot be read: {reason}")),
            None => Ok(()),
        }
    }
}
