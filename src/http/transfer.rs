//! A transfer on the status page.

use super::panel::{Panel, PanelView};
use crate::core::health::Dependencies;
use crate::core::model::transfer::FileState;
use crate::core::ports::clock::Clock;
use crate::core::ports::transfer_ledger::TransferLedger;
use crate::core::transfer::spec::Transfer;
use crate::core::transfer::status::status;
use crate::telemetry::transfer::TransferActivity;
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the ledger.
const PATIENCE: Duration = Duration::from_secs(2);

/// One transfer of this process.
pub struct TransferPanel {
    /// What it declares.
    pub transfer: Arc<Transfer>,
    /// Where files go, as others may see it. `None` where it has no delivering side.
    pub delivers: Option<String>,
    /// What it is doing.
    pub activity: Arc<TransferActivity>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
    /// Which version is how far.
    pub ledger: Arc<dyn TransferLedger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Panel for TransferPanel {
    fn name(&self) -> &str {
        self.activity.transfer()
    }

    async fn look(&self) -> PanelView {
        let state = self.activity.now();
        let looking = status(&*self.ledger, &self.transfer, self.clock.now());
        let ledger = match tokio::time::timeout(PATIENCE, looking).await {
            Ok(Ok(status)) => Some(status),
            _ => None,
        };
        let answers = self.dependencies.answers();
        let mut troubles: Vec<String> = state.halted.values().cloned().collect();
        for (name, answer) in answers.iter().filter(|(name, answer)| answer.state == "down" && **name != "moving") {
            let why = answer.last_error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            troubles.push(format!("{name} is down{why}"));
        }
        if state.ended {
            troubles.push("one of its tasks has ended".to_owned());
        }
        // A file that fails on both sides is one file.
        let counts = ledger.iter().flat_map(|status| &status.counts);
        let failed =
            counts.filter(|count| count.state == FileState::Failed).map(|count| count.files).max().unwrap_or(0);
        let body = json!({
            "transfer": self.activity.transfer(),
            "state": if state.halted.is_empty() { "moving" } else { "waiting" },
            "collects": self.transfer.collect.as_ref().map(|collect| collect.directory.display().to_string()),
            "delivers": self.delivers,
            "collected": state.collected,
            "delivered": state.delivered,
            "bytes": state.bytes,
            "failed": failed,
            "ledger": ledger,
            "lastError": state.last_error.map(|(at, what)| json!({ "at": at, "what": what })),
            "dependencies": answers,
        });
        PanelView { troubles, body }
    }
}
