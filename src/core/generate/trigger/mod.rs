//! From events to runs. A run that an event asks for is recorded first; only then is the event committed.

mod interpret;
#[cfg(test)]
mod tests;

pub use interpret::{TriggerDecision, interpret};

use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::spec::{BusinessDateSpec, TriggerSpec, Worker};
use crate::core::model::message::{EventId, Received, TopicPosition};
use crate::core::model::names::WorkerId;
use crate::core::model::payload::Payload;
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::{RunId, RunRecord};
use crate::core::ports::clock::Clock;
use crate::core::ports::consumer::{Consumer, Polled};
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::{Requested, RunStore};
use crate::core::ports::state::StateStore;
use crate::core::ports::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What happened to an event, or why events wait.
#[derive(Clone, PartialEq, Debug)]
pub enum TriggerEvent {
    /// A run is recorded that was not there before.
    Requested {
        /// As it is recorded.
        run: RunRecord,
        /// What asked for it.
        event: EventId,
    },
    /// The run was recorded before. Nothing is done.
    Repeated {
        /// As it is recorded.
        run: RunRecord,
        /// What asked for it again.
        event: EventId,
    },
    /// The event is another worker's.
    Other {
        /// Which.
        event: EventId,
    },
    /// The event was not understood or is not believed. It is kept as a dead letter.
    Odd {
        /// Which.
        event: EventId,
        /// What is wrong with it.
        reason: String,
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
    /// What failed before works again.
    Recovered,
}

/// A worker's trigger: what its events mean, and where runs are recorded.
#[derive(Clone)]
pub struct Listener {
    /// Whose runs.
    pub worker: WorkerId,
    /// Which events are for it.
    pub trigger: TriggerSpec,
    /// How an event gives a day.
    pub dates: BusinessDateSpec,
    /// Delay between retries. Retries never stop.
    pub retry: RetrySpec,
    /// Where runs are recorded.
    pub runs: Arc<dyn RunStore>,
    /// Where events are kept that cannot be understood.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer<TriggerEvent>>,
}

impl Listener {
    /// The worker's, when it has a trigger.
    pub fn new(
        worker: &Worker,
        state: &StateStore,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer<TriggerEvent>>,
    ) -> Option<Self> {
        Some(Self {
            worker: worker.id.clone(),
            trigger: worker.trigger.clone()?,
            dates: worker.business_date.clone(),
            retry: worker.policies.retry,
            runs: Arc::clone(&state.runs),
            dead_letters: Arc::clone(&state.dead_letters),
            clock,
            observer,
        })
    }

    /// Does what an event asks for, durably.
    async fn handle(&self, message: &Received) -> Result<TriggerEvent, StoreError> {
        let event = message.id.clone();
        // The same moment for both: the record tells by it that its date was taken.
        let now = self.clock.now();
        match interpret(message, &self.trigger, &self.dates, now) {
            TriggerDecision::Run(date) => {
                let id = RunId { worker: self.worker.clone(), date };
                let by = format!("kafka:{}/{}/{}", event.topic, event.partition, event.offset);
                Ok(match self.runs.request(&id, &by, now).await? {
                    Requested::New(run) => TriggerEvent::Requested { run, event },
                    Requested::AlreadyThere(run) => TriggerEvent::Repeated { run, event },
                })
            }
            TriggerDecision::Other => Ok(TriggerEvent::Other { event }),
            TriggerDecision::Odd(reason) => {
                let odd = DeadLetter {
                    id: event.clone(),
                    owner: (&self.worker).into(),
                    at: now,
                    reason: reason.clone(),
                    payload: Some(Payload::of(&message.payload)),
                };
                crash_point!("trigger.odd");
                self.dead_letters.keep_dead_letter(&odd).await?;
                Ok(TriggerEvent::Odd { event, reason })
            }
        }
    }
}

impl Listener {
    /// Drops dead letters that are too old or too many. What fails here is done behind the next odd event.
    async fn drop_dead_letters(&self) {
        let before = self.clock.now().checked_sub(DEAD_LETTERS_FOR).unwrap_or(Timestamp::MIN);
        let _ = self.dead_letters.drop_dead_letters(&(&self.worker).into(), before, DEAD_LETTERS_MAX).await;
    }
}

/// Most events that are taken, and committed, together.
const BATCH: usize = 64;

/// Longest wait for an event before it is asked for again.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// A dead letter is kept for this long.
const DEAD_LETTERS_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Most dead letters that are kept of one worker, so that nobody fills the state store with events. The oldest go first.
const DEAD_LETTERS_MAX: usize = 10_000;

/// Takes events until `stop`, then leaves the group. An event is committed only when the run that it asks for is durable. While
/// broker or store fail, the same event is tried again, and later events wait.
pub async fn listen(listener: &Listener, consumer: &mut dyn Consumer, stop: &CancellationToken) {
    tokio::select! {
        biased;
        // Events in hand were not committed, so they come again.
        () = stop.cancelled() => {}
        () = take_all(listener, consumer) => {}
    }
    consumer.close().await;
}

async fn take_all(listener: &Listener, consumer: &mut dyn Consumer) {
    let mut retries = Retries { listener, backoff: Backoff::new(listener.retry) };
    loop {
        let batch = match consumer.next_batch(BATCH, LOOK_EVERY).await {
            Ok(Polled::Messages(batch)) if !batch.is_empty() => batch,
            Ok(_) => continue,
            Err(error) => {
                retries.failed(&error).await;
                continue;
            }
        };
        let behind = TopicPosition::behind(&batch);
        if planted("offset first") {
            let _ = consumer.commit(&behind).await;
        }
        let mut any_odd = false;
        for message in &batch {
            let event = loop {
                match listener.handle(message).await {
                    Ok(event) => break event,
                    Err(error) => retries.failed(&error).await,
                }
            };
            any_odd |= matches!(event, TriggerEvent::Odd { .. });
            crash_point!("trigger.recorded");
            listener.observer.observe(&event);
        }
        // One answer of the broker for all of them.
        while let Err(error) = consumer.commit(&behind).await {
            retries.failed(&error).await;
        }
        crash_point!("trigger.marked");
        retries.succeeded();
        if any_odd {
            listener.drop_dead_letters().await;
        }
    }
}

/// Reports failures in a row, and waits between them.
struct Retries<'a> {
    listener: &'a Listener,
    backoff: Backoff,
}

impl Retries<'_> {
    async fn failed(&mut self, error: &(dyn Display + Sync)) {
        let Pause { attempt, after } = self.backoff.failed();
        self.listener.observer.observe(&TriggerEvent::Failing { reason: error.to_string(), attempt, after });
        self.listener.clock.sleep(after).await;
    }

    fn succeeded(&mut self) {
        if self.backoff.succeeded() {
            self.listener.observer.observe(&TriggerEvent::Recovered);
        }
    }
}
