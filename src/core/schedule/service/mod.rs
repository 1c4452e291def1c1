//! The clockwork in the long-running process. It stands by, then leads for as long as the lease lasts. The leader alone decides due
//! times and runs executions.

mod ended;
mod fire;
mod lead;
mod leading;
mod live;
mod prune;
#[cfg(test)]
mod tests;
mod wall;

pub use leading::Leading;

use super::action::Action;
use super::event::{ScheduleEvent, ScheduleObserver};
use super::plan::Settings;
use super::sync::Feed;
use crate::core::backoff::{Backoff, Pause};
use crate::core::election::{Candidate, ElectionError, LeaderGuard};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::policy::Policies;
use crate::core::model::term::Token;
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::observer::Retrying;
use crate::core::ports::schedules::ScheduleStore;
use lead::{Lead, LeadEnd};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The clockwork of one scheduler.
#[derive(Clone)]
pub struct Service {
    /// What is led: `schedule:intake`.
    pub key: LeaseKey,
    /// As whom.
    pub instance: InstanceId,
    /// Lease times and retries.
    pub policies: Policies,
    /// Who leads.
    pub leases: Arc<dyn LeaseStore>,
    /// Schedules and executions.
    pub schedules: Arc<dyn ScheduleStore>,
    /// Where the data sources are. `None`: schedules are made by others.
    pub feed: Option<Arc<dyn Feed>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What holds for all schedules.
    pub settings: Arc<Settings>,
    /// What a due time does.
    pub action: Arc<dyn Action>,
    /// Who watches.
    pub observer: Arc<dyn ScheduleObserver>,
    /// Makes a random string, unique to each claim.
    pub nonce: Arc<dyn Fn() -> String + Send + Sync>,
    /// Ends the process without clean-up.
    pub abort: Arc<dyn Fn() + Send + Sync>,
    /// Notified when something was changed or asked for here, so that the leader looks at once.
    pub wanted: Arc<Notify>,
    /// Told when this instance begins and ends to lead.
    pub leading: Leading,
}

impl Service {
    /// Serves until `stop`. Faults end a term or an execution, never the service.
    pub async fn serve(&self, stop: &CancellationToken) {
        let mut backoff = Backoff::new(self.policies.retry);
        while !stop.is_cancelled() {
            let leadership = match self.campaign(stop).await {
                Ok(leadership) => leadership,
                Err(ElectionError::Stopped { .. }) => return,
                Err(error) => {
                    self.pause(backoff.failed(), error.to_string(), stop).await;
                    continue;
                }
            };
            let began = self.clock.elapsed();
            self.leading.begins(leadership.term().clone());
            let end = Lead::new(self, leadership.term().clone(), stop.clone()).run(&leadership.lost()).await;
            let (said, reason) = match end {
                LeadEnd::Stopped => ("the service was stopped", None),
                LeadEnd::Term(reason) => ("the term ended", Some(reason)),
            };
            self.leading.ends();
            leadership.release_or_warn(said).await;
            // A term that did some work starts the count afresh; one that fails at once must not spin.
            if self.clock.elapsed().saturating_sub(began) > self.policies.lease_ttl {
                backoff.succeeded();
            } else {
                backoff.failed();
            }
            if let Some(reason) = reason {
                self.observer.observe(&ScheduleEvent::TermEnded { reason: reason.clone() });
                self.pause(backoff.pause(), reason, stop).await;
            }
        }
    }

    /// Waits for the lease.
    async fn campaign(&self, stop: &CancellationToken) -> Result<LeaderGuard, ElectionError> {
        let candidate = Candidate {
            key: self.key.clone(),
            instance: self.instance.clone(),
            policies: self.policies.clone(),
            leases: Arc::clone(&self.leases),
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&self.observer) as Arc<_>,
            nonce: Arc::clone(&self.nonce),
            abort: Arc::clone(&self.abort),
        };
        candidate.acquire(Token(0), true, stop).await
    }

    async fn pause(&self, Pause { attempt, after }: Pause, reason: String, stop: &CancellationToken) {
        self.observer.observe(&Retrying { reason, attempt, after });
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.clock.sleep(after) => {}
        }
    }
}
