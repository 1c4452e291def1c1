//! The broker: a log of events that ask for runs, one member of the group at a time, and the completion events it got.

use crate::handover;
use crate::pod::Pod;
use crate::sim::{LATEST, Line, Sim, TTL, locked};
use async_trait::async_trait;
use filegen::core::model::event::CompletionEvent;
use filegen::core::model::message::{EventId, Message, Partition, Received, TopicPosition};
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::consumer::{Consumer, Polled, Watermarks};
use filegen::core::ports::producer::Producer;
use std::sync::Arc;
use std::time::Duration;

/// How often a member asks for events.
const POLL: Duration = Duration::from_secs(9);

#[derive(Default)]
pub struct Broker {
    pub log: Vec<Received>,
    committed: usize,
    owner: Option<Owner>,
}

/// Who reads the one partition.
struct Owner {
    pod: (usize, u64),
    seen: Duration,
    next: usize,
}

impl Broker {
    /// The member's next events. It is the reader when there is no other, or when that one was missed for too long.
    fn poll(&mut self, pod: (usize, u64), max: usize, now: Duration) -> Vec<Received> {
        let taken = self.owner.as_ref().is_some_and(|owner| owner.pod != pod && now.saturating_sub(owner.seen) < TTL);
        if taken {
            return Vec::new();
        }
        let next = match &self.owner {
            Some(owner) if owner.pod == pod => owner.next,
            _ => self.committed,
        };
        let events: Vec<_> = self.log.iter().skip(next).take(max).cloned().collect();
        self.owner = Some(Owner { pod, seen: now, next: next + events.len() });
        events
    }

    fn commit(&mut self, pod: (usize, u64), offset: i64, now: Duration) {
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.pod == pod) {
            owner.seen = now;
            self.committed = self.committed.max(usize::try_from(offset).unwrap_or(0));
        }
    }
}

pub struct SimEvents {
    pub pod: Arc<Pod>,
}

fn away() -> BrokerError {
    BrokerError::Unreachable { topic: "simulated".to_owned(), reason: "no answer".to_owned() }
}

#[async_trait]
impl Consumer for SimEvents {
    async fn next_batch(&mut self, max: usize, _: Duration) -> Result<Polled, BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        loop {
            pod.gate().await;
            if pod.weather.is_cut(Line::Broker, sim.now()).is_none() {
                let events = locked(&sim.broker).poll((pod.number, pod.life), max, sim.now());
                if let (Some(first), Some(last)) = (events.first(), events.last()) {
                    sim.note(pod.number, format_args!("hears {} to {}", first.id, last.id));
                    return Ok(Polled::Messages(events));
                }
            }
            sim.sleep_until(sim.now() + POLL).await;
        }
    }

    async fn commit(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        pod.gate().await;
        if pod.weather.is_cut(Line::Broker, sim.now()).is_some() {
            sim.sleep_until(sim.now() + TTL / 6).await;
            return Err(away());
        }
        for position in positions {
            sim.note(pod.number, format_args!("commits {}", position.offset));
            locked(&sim.broker).commit((pod.number, pod.life), position.offset, sim.now());
        }
        Ok(())
    }

    async fn seek(&mut self, _: &[TopicPosition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn pause(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn resume(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn watermarks(&mut self, _: &Partition) -> Result<Watermarks, BrokerError> {
        Err(away())
    }
}

pub struct SimSink {
    pub pod: Arc<Pod>,
}

#[async_trait]
impl Producer for SimSink {
    async fn send_all(&self, messages: &[Message]) -> Vec<Result<EventId, BrokerError>> {
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            let place = EventId { topic: "file-events".to_owned(), partition: 0, offset: 0 };
            answers.push(self.send_one(message).await.map(|()| place));
        }
        answers
    }
}

impl SimSink {
    async fn send_one(&self, message: &Message) -> Result<(), BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        pod.gate().await;
        let timeout_after = Some(TTL / 3);
        let cut = pod.weather.is_cut(Line::Broker, sim.now());
        let (there, back) = match cut {
            Some(left) => (left, Duration::ZERO),
            None if sim.strikes(sim.mix.lost_event) => {
                let late = sim.rng().chance(500);
                if late { (sim.rng().millis(LATEST), Duration::ZERO) } else { (Duration::ZERO, LATEST) }
            }
            None => (sim.rng().millis(Duration::from_millis(300)), Duration::ZERO),
        };
        let event = handover::event_of(&message.payload);
        let number = pod.number;
        let come = move |sim: &Sim| match event {
            Ok(event) => handover::arrived(sim, &event),
            Err(event) => arrive(sim, number, *event),
        };
        pod.far(there, back, timeout_after, come).await.ok_or_else(away)
    }
}

/// An event is durable at the broker: whoever reads it will look for its file.
fn arrive(sim: &Sim, pod: usize, event: CompletionEvent) {
    sim.note(pod, format_args!("event {}", event.correlation_id));
    let key = (event.business_date.clone(), event.file_id.clone(), event.version);
    let disk = locked(&sim.disk);
    let mut book = locked(&sim.book);
    let (id, count) = book.events.entry(key).or_insert_with(|| (event.correlation_id.clone(), 0));
    *count += 1;
    if *id != event.correlation_id {
        let wrong = format!("two completion events of one file: {id} and {}", event.correlation_id);
        book.wrong.push(wrong);
    }
    if book.superseded.get(&event.business_date).is_some_and(|version| event.version <= *version) {
        // It came late: its file has given up the name.
        return;
    }
    if !disk.is_durable(&event.path) {
        book.wrong.push(format!("the completion event of `{}` was sent before the file was durable", event.path));
    }
    if let Some((_, bytes)) = book.published.get(&event.path)
        && bytes.len() as u64 != event.bytes
    {
        let wrong = format!("the completion event of `{}` says {} bytes of {}", event.path, event.bytes, bytes.len());
        book.wrong.push(wrong);
    }
    book.promised.insert(event.path);
}
