//! An ingest on the status page.

use crate::core::health::Dependencies;
use crate::core::ports::queue::LetterQueue;
use crate::http::panel::{Panel, PanelView};
use crate::telemetry::ingest::IngestStatus;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the queue's count.
const PATIENCE: Duration = Duration::from_secs(2);

/// One ingest of this process.
pub struct IngestPanel {
    /// What it is doing.
    pub status: Arc<IngestStatus>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
    /// Its queue of dead letters.
    pub queue: Arc<dyn LetterQueue>,
}

#[async_trait]
impl Panel for IngestPanel {
    fn name(&self) -> &str {
        self.status.ingest()
    }

    async fn look(&self) -> PanelView {
        let (state, rates) = (self.status.now(), self.status.rates());
        let waiting = match tokio::time::timeout(PATIENCE, self.queue.count()).await {
            Ok(Ok(count)) => Some(count),
            _ => None,
        };
        let answers = self.dependencies.answers();
        let mut troubles: Vec<String> = state.hold_up().cloned().into_iter().collect();
        troubles.extend(state.queue_away.as_ref().map(|why| format!("dead letters wait in the sink: {why}")));
        for (name, answer) in answers.iter().filter(|(name, answer)| answer.state == "down" && **name != "writing") {
            let why = answer.last_error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            troubles.push(format!("{name} is down{why}"));
        }
        if state.ended {
            troubles.push("one of its tasks has ended".to_owned());
        }
        let lag: Vec<Value> =
            state.lag.iter().map(|(partition, behind)| json!({ "partition": partition, "lag": behind })).collect();
        let reasons: Map<String, Value> =
            state.dead.iter().map(|(kind, count)| (kind.as_str().to_owned(), (*count).into())).collect();
        let tally = state.tally;
        let body = json!({
            "ingest": self.status.ingest(),
            "state": if state.hold_up().is_some() { "waiting" } else { "writing" },
            "lag": state.lag.values().sum::<u64>(),
            "partitions": lag,
            "messagesPerSecond": rates.per_second,
            "p95Seconds": rates.p95.map(|took| took.as_secs_f64()),
            "written": tally.written, "stale": tally.stale, "folded": tally.folded,
            "parked": tally.parked, "dead": tally.dead,
            "deadLetters": { "inQueue": waiting, "byReason": reasons },
            "lastError": state.last_error.map(|(at, what)| json!({ "at": at, "what": what })),
            "dependencies": answers,
        });
        PanelView { troubles, body }
    }
}
