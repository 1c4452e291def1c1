//! Looks at a worker's deadline again and again, and tells how it stands.

use super::{Judgement, expected, judge};
use crate::core::generate::spec::Worker;
use crate::core::model::run::RunId;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How the deadline stands.
#[derive(Clone, PartialEq, Debug)]
pub struct DeadlineEvent {
    /// The run that is due.
    pub run: RunId,
    /// What is to be said of it.
    pub judgement: Judgement,
    /// Whether this is the first look at which this run is at risk.
    pub newly_at_risk: bool,
}

/// Looks until `stop`; a worker without a deadline needs none. `rate` gives the rows a second of a run under way here.
pub async fn watch(
    worker: &Worker,
    runs: &dyn RunStore,
    rate: &(dyn Fn(&RunId) -> Option<f64> + Sync),
    clock: &dyn Clock,
    observer: &dyn Observer<DeadlineEvent>,
    stop: &CancellationToken,
) {
    let Some(spec) = &worker.deadline else { return };
    let mut told = None;
    loop {
        let now = clock.now();
        if let Some((date, _)) = expected(spec, now) {
            let run = RunId { worker: worker.id.clone(), date };
            // A store that is away is said by its own probe.
            if let Ok(record) = runs.run(&run).await
                && let Some(judgement) = judge(spec, record.as_ref(), rate(&run), now)
            {
                let newly_at_risk = judgement.at_risk && told != Some(date);
                if newly_at_risk {
                    told = Some(date);
                }
                observer.observe(&DeadlineEvent { run, judgement, newly_at_risk });
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}
