//! The outbox: completion events go to the broker in order, each until it is acknowledged. Files never wait for a broker.

#[cfg(test)]
mod tests;

use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::{HasKind, Kind};
use crate::core::model::event::CompletionEvent;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::RunId;
use crate::core::ports::clock::Clock;
use crate::core::ports::events::{BrokerError, EventSink};
use crate::core::ports::leases::StoreError;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::{AuditEntry, RunStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks into the outbox: another process may have put something there.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What became of completion events.
#[derive(Clone, PartialEq, Debug)]
pub enum OutboxEvent {
    /// The broker has one more, and the outbox says so.
    Sent {
        /// As it was sent.
        event: Box<CompletionEvent>,
    },
    /// So many wait for the broker; told at each look into the outbox.
    Waiting {
        /// How many.
        events: usize,
    },
    /// Broker or store failed; the same is tried again until it works.
    Failing {
        /// What failed.
        reason: String,
        /// Failures in a row, from 1.
        attempt: u32,
        /// Time until the next try.
        after: Duration,
    },
}

/// Why an event is still in the outbox.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum OutboxError {
    /// The broker did not acknowledge it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The outbox cannot be read, or not told.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for OutboxError {
    fn kind(&self) -> Kind {
        match self {
            Self::Broker(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

/// A worker's outbox and the broker it empties into.
#[derive(Clone)]
pub struct OutboxPublisher {
    /// Whose events.
    pub worker: WorkerId,
    /// Where they wait.
    pub runs: Arc<dyn RunStore>,
    /// Where they go.
    pub sink: Arc<dyn EventSink>,
    /// Delay between retries. Retries never stop.
    pub retry: RetrySpec,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer<OutboxEvent>>,
}

impl OutboxPublisher {
    /// Sends what waits, oldest first, each marked when it is acknowledged; ends at the first that fails. How many were sent.
    ///
    /// # Errors
    /// What failed; the events from there on still wait.
    pub async fn send_waiting(&self) -> Result<usize, OutboxError> {
        let waiting = self.runs.unsent(&self.worker).await?;
        self.observer.observe(&OutboxEvent::Waiting { events: waiting.len() });
        let mut sent = 0;
        for status in waiting {
            let Some(entry) = status.event.filter(|entry| entry.sent_at.is_none()) else { continue };
            if planted("marked before sent") {
                self.runs.mark_sent(&status.run.worker, status.run.date, &status.file, self.clock.now()).await?;
            }
            crash_point!("announce.sending");
            self.sink.send(&entry.event).await?;
            crash_point!("announce.acknowledged");
            let now = self.clock.now();
            self.runs.mark_sent(&status.run.worker, status.run.date, &status.file, now).await?;
            crash_point!("announce.marked");
            self.observer.observe(&OutboxEvent::Sent { event: Box::new(entry.event) });
            sent += 1;
        }
        if sent > 0 {
            self.observer.observe(&OutboxEvent::Waiting { events: 0 });
        }
        Ok(sent)
    }
}

/// Empties the outbox until `stop`: at once when `wake` tells of a published file, else every few seconds. A broker that is
/// away is tried for ever; an event of which the acknowledgement was lost is sent again, with the same correlation id.
pub async fn announce(announcer: &OutboxPublisher, wake: &Notify, stop: &CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = empty_for_ever(announcer, wake) => {}
    }
}

async fn empty_for_ever(announcer: &OutboxPublisher, wake: &Notify) {
    let mut backoff = Backoff::new(announcer.retry);
    loop {
        match announcer.send_waiting().await {
            Ok(_) => {
                backoff.succeeded();
                tokio::select! {
                    biased;
                    () = wake.notified() => {}
                    () = announcer.clock.sleep(LOOK_EVERY) => {}
                }
            }
            Err(error) => {
                let Pause { attempt, after } = backoff.failed();
                let reason = error.to_string();
                announcer.observer.observe(&OutboxEvent::Failing { reason, attempt, after });
                announcer.clock.sleep(after).await;
            }
        }
    }
}

/// Events that a person sends again.
#[derive(Clone, Copy, Debug)]
pub struct SendAgain<'a> {
    /// Whose.
    pub run: &'a RunId,
    /// Which: as they were sent first.
    pub events: &'a [CompletionEvent],
    /// Who says so: operating-system user and instance.
    pub who: &'a str,
    /// Why, for the audit trail.
    pub reason: &'a str,
}

/// Sends chosen events now, sent before or not, and keeps who did it and why for ever. How many were sent: all.
///
/// # Errors
/// What failed; the events before it are sent.
pub async fn send_again(
    sink: &dyn EventSink,
    runs: &dyn RunStore,
    clock: &dyn Clock,
    again: &SendAgain<'_>,
) -> Result<usize, OutboxError> {
    let files: Vec<&str> = again.events.iter().map(|event| event.file_id.as_str()).collect();
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let entry = AuditEntry {
        at: clock.now(),
        who: again.who.to_owned(),
        action: "publish-completion".to_owned(),
        detail: format!("run {}, events of {}", again.run, files.join(", ")),
        reason: again.reason.to_owned(),
    };
    runs.audit(&entry).await?;
    for event in again.events {
        sink.send(event).await?;
        // An id that the outbox cannot hold is not in it.
        if let Ok(file) = FileId::new(&event.file_id) {
            runs.mark_sent(&again.run.worker, again.run.date, &file, clock.now()).await?;
        }
    }
    Ok(again.events.len())
}
