//! Events of changes, heard: each becomes a schedule's change, unless it is late. Repeats, replays and events out of order do no harm.

use super::change::{ChangeEvent, ChangeKind};
use super::plan::Settings;
use super::sync;
use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::message::{Received, TopicPosition};
use crate::core::model::names::LeaseKey;
use crate::core::model::payload::Payload;
use crate::core::model::policy::RetrySpec;
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::consumer::{Consumer, Polled};
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::observer::Observer;
use crate::core::ports::schedules::ScheduleStore;
use crate::core::ports::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Most events that are taken, and committed, together.
const BATCH: usize = 64;

/// Longest wait for an event before it is asked for again.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What became of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The schedule says it now.
    Applied {
        /// What happened to the data source.
        kind: ChangeKind,
    },
    /// The schedule says it, or something later, already.
    Late {
        /// What happened to the data source.
        kind: ChangeKind,
    },
    /// It cannot be read. It is kept, and passed over.
    Odd {
        /// Why.
        reason: String,
    },
    /// Broker or store failed. The same is tried again until it works.
    Failing {
        /// What failed.
        reason: String,
        /// Failures in a row, from 1.
        attempt: u32,
        /// Time until the next try.
        after: Duration,
    },
}

/// Makes schedules of changes.
#[derive(Clone)]
pub struct Applier {
    /// Where schedules are.
    pub schedules: Arc<dyn ScheduleStore>,
    /// What holds for all schedules.
    pub settings: Settings,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Notified when a schedule has changed.
    pub wanted: Arc<Notify>,
}

impl Applier {
    /// Applies one event, unless it is late or cannot be read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn apply(&self, payload: &[u8]) -> Result<Heard, StoreError> {
        let event: ChangeEvent = match serde_json::from_slice(payload) {
            Ok(event) => event,
            Err(error) => {
                let words = shown::text(&error.to_string());
                return Ok(Heard::Odd { reason: format!("it is no event of a change: {words}") });
            }
        };
        if event.data_source.id.as_str() != event.data_source_id || event.data_source.version != event.version {
            return Ok(Heard::Odd { reason: "its data source is not the one that it names".to_owned() });
        }
        let kind = event.event_type;
        let (source, is_deleted) = (&event.data_source, kind == ChangeKind::Deleted);
        let applied = sync::apply(&*self.schedules, source, is_deleted, &self.settings, self.clock.now()).await;
        let applied = match applied {
            // Its schedule alone stands still: the events behind it are other ones'.
            Err(error @ StoreError::Odd { .. }) => return Ok(Heard::Odd { reason: error.to_string() }),
            applied => applied?,
        };
        crash_point!("change.applied");
        if applied {
            self.wanted.notify_one();
            return Ok(Heard::Applied { kind });
        }
        Ok(Heard::Late { kind })
    }
}

/// Hears changes.
pub struct Listener {
    /// Whose dead letters.
    pub owner: LeaseKey,
    /// What becomes of each.
    pub applier: Applier,
    /// Where events that cannot be read are kept.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Delay between retries. Retries never stop.
    pub retry: RetrySpec,
    /// Hears what became of each.
    pub observer: Arc<dyn Observer<Heard>>,
}

impl Listener {
    async fn handle(&self, message: &Received) -> Result<Heard, StoreError> {
        let heard = self.applier.apply(&message.payload).await?;
        if let Heard::Odd { reason } = &heard {
            self.keep(message, reason).await?;
        }
        Ok(heard)
    }

    async fn keep(&self, message: &Received, reason: &str) -> Result<(), StoreError> {
        let letter = DeadLetter {
            id: message.id.clone(),
            owner: self.owner.clone(),
            at: self.applier.clock.now(),
            reason: reason.to_owned(),
            payload: Some(Payload::of(&message.payload)),
        };
        self.dead_letters.keep_dead_letter(&letter).await
    }

    async fn failed(&self, backoff: &mut Backoff, reason: String) {
        let Pause { attempt, after } = backoff.failed();
        self.observer.observe(&Heard::Failing { reason, attempt, after });
        self.applier.clock.sleep(after).await;
    }
}

/// Takes events until `stop`, then leaves the group. An event is committed when what it changes is durable.
pub async fn hear(listener: &Listener, consumer: &mut dyn Consumer, stop: &CancellationToken) {
    tokio::select! {
        biased;
        // Events in hand were not committed, so they come again.
        () = stop.cancelled() => {}
        () = hear_all(listener, consumer) => {}
    }
    consumer.close().await;
}

async fn hear_all(listener: &Listener, consumer: &mut dyn Consumer) {
    let mut backoff = Backoff::new(listener.retry);
    loop {
        let batch = match consumer.next_batch(BATCH, LOOK_EVERY).await {
            Ok(Polled::Messages(batch)) if !batch.is_empty() => batch,
            Ok(_) => continue,
            Err(error) => {
                listener.failed(&mut backoff, error.to_string()).await;
                continue;
            }
        };
        for message in &batch {
            loop {
                match listener.handle(message).await {
                    Ok(heard) => break listener.observer.observe(&heard),
                    Err(error) => listener.failed(&mut backoff, error.to_string()).await,
                }
            }
        }
        crash_point!("change.heard");
        while let Err(error) = consumer.commit(&TopicPosition::behind(&batch)).await {
            listener.failed(&mut backoff, error.to_string()).await;
        }
        backoff.succeeded();
    }
}
