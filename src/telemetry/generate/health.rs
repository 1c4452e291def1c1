//! A worker's dependencies and its deadline, as metrics and log lines; and whether the worker is stuck.

use super::status::WorkerStatus;
use crate::core::generate::deadline::DeadlineEvent;
use crate::core::generate::due::DueEvent;
use crate::core::health::{HealthEvent, Working};
use crate::core::ports::observer::Observer;
use std::time::Duration;
use tracing::{info, warn};

/// What JSON and text lines call their `target`. People filter by it, so it stays wherever this module stands.
const DEPENDENCIES: &str = "filegen::telemetry::dependencies";
/// As [`DEPENDENCIES`].
const DEADLINE: &str = "filegen::telemetry::deadline";

/// A run under way that neither reads nor commits for this long is stuck. A source may sort for many minutes first.
const STUCK: Duration = Duration::from_mins(30);

impl Observer<HealthEvent> for WorkerStatus {
    fn observe(&self, event: &HealthEvent) {
        self.metrics().dependency(event.probe, event.down.is_none(), event.took);
        let (worker, dependency) = (self.worker().as_str(), event.probe);
        match &event.down {
            _ if !event.changed => {}
            None => info!(target: DEPENDENCIES, worker, dependency, "dependency is up"),
            Some(reason) => warn!(target: DEPENDENCIES, worker, dependency, reason, "dependency is down"),
        }
    }
}

impl Observer<DueEvent> for WorkerStatus {
    fn observe(&self, due: &DueEvent) {
        let oldest = due.oldest.as_ref().map_or(Duration::ZERO, |(_, age)| *age);
        self.metrics().due(due.waiting, oldest, due.refused, due.odd.len() as u64);
    }
}

impl Observer<DeadlineEvent> for WorkerStatus {
    fn observe(&self, DeadlineEvent { run, judgement, newly_at_risk }: &DeadlineEvent) {
        self.metrics().deadline(judgement.seconds_left, judgement.at_risk);
        if let (true, Some(reason)) = (newly_at_risk, &judgement.reason) {
            warn!(target: DEADLINE, worker = self.worker().as_str(), %run, reason, "deadline at risk");
            self.record_event(format!("deadline at risk: {reason}"));
        }
    }
}

impl Working for WorkerStatus {
    fn stuck(&self, stopping: bool) -> Option<String> {
        let (state, now) = (self.now(), self.elapsed());
        // Of several workers that are to stop, one has given its lease back while another still writes.
        if !state.serving && !stopping {
            return Some("its service has ended".to_owned());
        }
        if state.token.is_some() && state.renewed.is_some_and(|at| now.saturating_sub(at) > self.lease_ttl() * 2) {
            return Some("it leads and does not renew its lease".to_owned());
        }
        let run = state.run.as_ref()?;
        let idle = now.saturating_sub(run.progress);
        (idle > STUCK).then(|| format!("run {} has not moved for {} minutes", run.id, idle.as_secs() / 60))
    }

    fn refresh(&self) {
        drop(self.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::clock::MemoryClock;
    use crate::core::election::ElectionEvent;
    use crate::core::model::names::WorkerId;
    use crate::core::model::term::Token;
    use crate::core::ports::clock::Clock;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_move_is_stuck() {
        let clock = MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH);
        let worker = WorkerId::new("LoanWorker").unwrap();
        let status = WorkerStatus::new(worker, "host:1", Duration::from_secs(30), Arc::new(clock.clone()));
        clock.sleep(Duration::from_mins(89)).await;
        assert_eq!(status.stuck(false), None, "standing by is no fault");
        status.observe(&ElectionEvent::Leading { token: Token(3) });
        clock.sleep(Duration::from_mins(1)).await;
        assert_eq!(status.stuck(false), None);
        clock.sleep(Duration::from_mins(1)).await;
        assert!(status.stuck(true).is_some_and(|reason| reason.contains("renew")));
        status.observe(&ElectionEvent::Renewed);
        assert_eq!(status.stuck(false), None);
        status.ended();
        assert!(status.stuck(false).is_some_and(|reason| reason.contains("ended")));
        assert_eq!(status.stuck(true), None, "it was told to");
    }
}
