//! Whether a worker's files will be there in time: said in log, metric and status page before they are late.

use super::generate::status::WorkerStatus;
use crate::core::generate::deadline::{expected, judge};
use crate::core::generate::spec::Worker;
use crate::core::model::run::RunId;
use crate::core::ports::clock::Clock;
use crate::core::ports::runs::RunStore;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks until `stop`; a worker without a deadline needs none.
pub async fn watch(
    worker: &Worker,
    runs: &dyn RunStore,
    live: &WorkerStatus,
    clock: &dyn Clock,
    stop: &CancellationToken,
) {
    let Some(spec) = &worker.deadline else { return };
    let mut said = None;
    loop {
        let now = clock.now();
        if let Some((date, _)) = expected(spec, now) {
            let id = RunId { worker: worker.id.clone(), date };
            // A store that is away is said by its own probe.
            if let Ok(run) = runs.run(&id).await {
                let rate = live.now().run.filter(|run| run.id == id.to_string()).map(|run| run.rate.0);
                if let Some(judgement) = judge(spec, run.as_ref(), rate, now) {
                    live.metrics().deadline(judgement.seconds_left, judgement.at_risk);
                    if let Some(reason) = &judgement.reason
                        && said != Some(date)
                    {
                        said = Some(date);
                        warn!(worker = worker.id.as_str(), run = %id, reason, "deadline at risk");
                        live.record_event(format!("deadline at risk: {reason}"));
                    }
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}
