//! The outbox relay. It sends recorded messages to the broker in order, each until it is acknowledged. The work that recorded
//! a message never waits for a broker.

#[cfg(test)]
mod tests;

use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::message::Message;
use crate::core::model::names::LeaseKey;
use crate::core::model::policy::RetrySpec;
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::producer::Producer;
use crate::core::ports::store::{OddRecord, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Time between two looks into an outbox that this process alone writes to in the main.
pub const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Time until somebody whose turn it is not looks whether it is.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What became of the messages.
#[derive(Clone, PartialEq, Debug)]
pub enum OutboxEvent {
    /// The broker has acknowledged a message, and the outbox has recorded that.
    Sent {
        /// As it was sent.
        entry: OutboxEntry,
    },
    /// How many messages wait for the broker. Reported at each look into the outbox.
    Waiting {
        /// How many.
        events: usize,
    },
    /// A record cannot be read, so its message is not sent. The others are.
    Odd {
        /// Which, and what is wrong with it.
        record: OddRecord,
    },
    /// Broker or store failed. The same call is tried again until it works.
    Failing {
        /// What failed.
        reason: String,
        /// Failures in a row, from 1.
        attempt: u32,
        /// Time until the next try.
        after: Duration,
    },
}

/// Why a message is still in the outbox.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum OutboxError {
    /// The broker did not acknowledge it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The outbox cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HasKind for OutboxError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Broker(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }
}

/// An outbox and the broker it empties into.
#[derive(Clone)]
pub struct OutboxPublisher {
    /// Whose messages.
    pub owner: LeaseKey,
    /// Where they wait.
    pub outbox: Arc<dyn Outbox>,
    /// Where they go.
    pub sink: Arc<dyn Producer>,
    /// Delay between retries. Retries never stop.
    pub retry: RetrySpec,
    /// Longest time between two looks: another process may have put something there.
    pub look_every: Duration,
    /// Whether it is this process that sends; asked before each message. Of several that send at once, each from a list of its own, one
    /// would send a message behind those that came after it.
    pub has_turn: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer<OutboxEvent>>,
}

impl OutboxPublisher {
    /// Sends the waiting messages, oldest first, and marks each when it is acknowledged; then looks whether more wait. Ends at the first
    /// failure. Returns how many were sent.
    ///
    /// # Errors
    /// What failed; the messages from there on still wait.
    pub async fn send_waiting(&self) -> Result<usize, OutboxError> {
        self.send(&mut BTreeSet::new()).await
    }

    /// As [`send_waiting`](Self::send_waiting). Tells of odd records that were not `told` before.
    async fn send(&self, told: &mut BTreeSet<OddRecord>) -> Result<usize, OutboxError> {
        let mut sent = 0;
        let (mut last, mut unmarked): (BTreeSet<OutboxId>, BTreeSet<OutboxId>) = Default::default();
        while (self.has_turn)() {
            let found = self.outbox.pending(&self.owner).await?;
            for record in found.odd {
                if told.insert(record.clone()) {
                    self.observer.observe(&OutboxEvent::Odd { record });
                }
            }
            let mut waiting = found.records;
            self.observer.observe(&OutboxEvent::Waiting { events: waiting.len() });
            // What takes no mark waits for the next time.
            unmarked.extend(waiting.iter().filter(|entry| last.contains(&entry.id)).map(|entry| entry.id.clone()));
            waiting.retain(|entry| !unmarked.contains(&entry.id));
            if waiting.is_empty() {
                return Ok(sent);
            }
            last = waiting.iter().map(|entry| entry.id.clone()).collect();
            sent += self.send_all(waiting).await?;
        }
        Ok(sent)
    }

    /// Returns how many were sent: not all of them when the turn has gone to somebody else.
    async fn send_all(&self, waiting: Vec<OutboxEntry>) -> Result<usize, OutboxError> {
        let mut sent = 0;
        for entry in waiting {
            if !(self.has_turn)() {
                break;
            }
            if planted("marked before sent") {
                self.outbox.mark_sent(&entry.id, self.clock.now()).await?;
            }
            crash_point!("outbox.sending");
            self.sink.send(&message(&entry)).await?;
            crash_point!("outbox.acknowledged");
            self.outbox.mark_sent(&entry.id, self.clock.now()).await?;
            crash_point!("outbox.marked");
            self.observer.observe(&OutboxEvent::Sent { entry });
            sent += 1;
        }
        Ok(sent)
    }
}

/// Empties the outbox until `stop`: at once when `wake` is notified of a new entry, else every few seconds. A broker that is away
/// is tried for ever. A message whose acknowledgement was lost is sent again, byte for byte.
pub async fn relay(publisher: &OutboxPublisher, wake: &Notify, stop: &CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = relay_for_ever(publisher, wake) => {}
    }
}

async fn relay_for_ever(publisher: &OutboxPublisher, wake: &Notify) {
    let mut backoff = Backoff::new(publisher.retry);
    let mut told = BTreeSet::new();
    loop {
        match publisher.send(&mut told).await {
            Ok(_) => {
                backoff.succeeded();
                let pause = if (publisher.has_turn)() { publisher.look_every } else { ASK_EVERY };
                tokio::select! {
                    biased;
                    () = wake.notified() => {}
                    () = publisher.clock.sleep(pause) => {}
                }
            }
            Err(error) => {
                let Pause { attempt, after } = backoff.failed();
                let reason = error.to_string();
                publisher.observer.observe(&OutboxEvent::Failing { reason, attempt, after });
                publisher.clock.sleep(after).await;
            }
        }
    }
}

/// Messages that a person sends again.
#[derive(Clone, Copy, Debug)]
pub struct SendAgain<'a> {
    /// What they are about, for the audit trail: `run LoanWorker:2026-11-21`.
    pub about: &'a str,
    /// The messages, as they were sent first.
    pub entries: &'a [OutboxEntry],
    /// Who asks for it: operating-system user and instance.
    pub who: &'a str,
    /// Why, for the audit trail.
    pub reason: &'a str,
}

/// Sends chosen messages now, whether or not they were sent before, and keeps for ever who did it and why. Returns how many were
/// sent: all of them.
///
/// # Errors
/// What failed; the messages before it are sent.
pub async fn send_again(
    sink: &dyn Producer,
    outbox: &dyn Outbox,
    trail: &dyn AuditLog,
    clock: &dyn Clock,
    again: &SendAgain<'_>,
) -> Result<usize, OutboxError> {
    let keys: Vec<&str> = again.entries.iter().map(|entry| entry.key.as_str()).collect();
    // First the trail: a change that nobody can explain is worse than a recorded try.
    let detail = format!("{}, events of {}", again.about, keys.join(", "));
    let entry = AuditEntry::new(clock.now(), again.who, "publish-completion", &detail, again.reason);
    trail.audit(&entry).await?;
    for entry in again.entries {
        sink.send(&message(entry)).await?;
        outbox.mark_sent(&entry.id, clock.now()).await?;
    }
    Ok(again.entries.len())
}

fn message(entry: &OutboxEntry) -> Message {
    Message { key: Some(entry.key.clone().into_bytes()), payload: entry.payload.clone(), ..Message::default() }
}
