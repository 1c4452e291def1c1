//! The broker: a log of events that ask for runs, one member of the group at a time, and the completion events it got.

use crate::pod::Pod;
use crate::sim::{LATEST, Line, Sim, TTL, locked};
use async_trait::async_trait;
use filegen::core::model::event::CompletionEvent;
use filegen::core::ports::events::{BrokerError, Delivery, EventId, EventSink, EventSource};
use std::sync::Arc;
use std::time::Duration;

/// How often a member asks for events.
const POLL: Duration = Duration::from_secs(9);

#[derive(Default)]
pub struct Broker {
    pub log: Vec<Delivery>,
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
    /// The member's next event. It is the reader when there is no other, or when that one was missed for too long.
    fn poll(&mut self, pod: (usize, u64), now: Duration) -> Option<Delivery> {
        let taken = self.owner.as_ref().is_some_and(|owner| owner.pod != pod && now.saturating_sub(owner.seen) < TTL);
        if taken {
            return None;
        }
        let next = match &self.owner {
            Some(owner) if owner.pod == pod => owner.next,
            _ => self.committed,
        };
        let event = self.log.get(next).cloned();
        self.owner = Some(Owner { pod, seen: now, next: next + usize::from(event.is_some()) });
        event
    }

    fn commit(&mut self, pod: (usize, u64), offset: i64, now: Duration) {
        if let Some(owner) = self.owner.as_mut().filter(|owner| owner.pod == pod) {
            owner.seen = now;
            self.committed = self.committed.max(usize::try_from(offset).unwrap_or(0) + 1);
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
impl EventSource for SimEvents {
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        loop {
            pod.gate().await;
            if pod.weather.is_cut(Line::Broker, sim.now()).is_none() {
                let event = locked(&sim.broker).poll((pod.number, pod.life), sim.now());
                if let Some(event) = event {
                    sim.note(pod.number, format_args!("hears {}", event.id));
                    return Ok(event);
                }
            }
            sim.sleep_until(sim.now() + POLL).await;
        }
    }

    async fn done(&mut self, id: &EventId) -> Result<(), BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        pod.gate().await;
        if pod.weather.is_cut(Line::Broker, sim.now()).is_some() {
            sim.sleep_until(sim.now() + TTL / 6).await;
            return Err(away());
        }
        sim.note(pod.number, format_args!("done with {id}"));
        locked(&sim.broker).commit((pod.number, pod.life), id.offset, sim.now());
        Ok(())
    }
}

pub struct SimSink {
    pub pod: Arc<Pod>,
}

#[async_trait]
impl EventSink for SimSink {
    async fn send(&self, event: &CompletionEvent) -> Result<(), BrokerError> {
        let (pod, sim) = (&self.pod, &self.pod.sim);
        pod.gate().await;
        let patience = Some(TTL / 3);
        let cut = pod.weather.is_cut(Line::Broker, sim.now());
        let (there, back) = match cut {
            Some(left) => (left, Duration::ZERO),
            None if sim.strikes(sim.mix.lost_event) => {
                let late = sim.rng().chance(500);
                if late { (sim.rng().millis(LATEST), Duration::ZERO) } else { (Duration::ZERO, LATEST) }
            }
            None => (sim.rng().millis(Duration::from_millis(300)), Duration::ZERO),
        };
        let (event, number) = (event.clone(), pod.number);
        pod.far(there, back, patience, move |sim| arrive(sim, number, event)).await.ok_or_else(away)
    }
}

/// An event is durable at the broker: whoever reads it will look for its file.
fn arrive(sim: &Sim, pod: usize, event: CompletionEvent) {
    sim.note(pod, format_args!("event {}", event.correlation_id));
    let key = (event.business_date.clone(), event.file_id.clone());
    let disk = locked(&sim.disk);
    let mut book = locked(&sim.book);
    let (id, count) = book.events.entry(key).or_insert_with(|| (event.correlation_id.clone(), 0));
    *count += 1;
    if *id != event.correlation_id {
        let wrong = format!("two completion events of one file: {id} and {}", event.correlation_id);
        book.wrong.push(wrong);
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
