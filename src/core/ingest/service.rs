//! Events out of a log into tables, batch by batch, until stopped or at the log's end.

mod lag;
mod parked;
mod remade;

use super::decode::{decode, raw};
use super::error::IngestError;
use super::event::{IngestEvent, Records, Tally};
use super::fold::fold;
use super::spec::{Ingest, OnRecreated};
use crate::core::backoff::{Backoff, Jitter};
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::letter::DeadLetter;
use crate::core::model::message::{Partition, Received, TopicPosition};
use crate::core::ports::clock::Clock;
use crate::core::ports::consumer::{BATCH_BYTES, Consumer, Polled};
use crate::core::ports::observer::Observer;
use crate::core::ports::sql_sink::{
    Batch, Change, Outcome, PositionMove, RowChange, SinkError, SqlSink, StoredPosition, WriteMode,
};
use crate::core::ports::store::Found;
use remade::Held;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a reader waits for the next event before it looks around.
const LOOK_AROUND: Duration = Duration::from_millis(200);

/// What an ingest works with.
pub struct IngestPorts {
    /// Where events come from.
    pub consumer: Box<dyn Consumer>,
    /// Where rows go.
    pub sink: Box<dyn SqlSink>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer<IngestEvent>>,
    /// Chance in waits.
    pub jitter: Jitter,
    /// Told when dead letters wait for the queue.
    pub letters: Arc<Notify>,
}

/// Where a partition stands.
#[derive(Clone, Copy, Default)]
struct Standing {
    /// As the sink has it.
    stored: Option<i64>,
    /// The next offset, for the end.
    next: i64,
    /// Where the partition ended when it was assigned.
    end: i64,
}

/// One reader of a log.
pub struct Service {
    spec: Arc<Ingest>,
    instance: String,
    ports: IngestPorts,
    topic: Option<String>,
    topic_id: String,
    standings: BTreeMap<i32, Standing>,
    tally: Tally,
    /// Whether events may be parked.
    has_parked: bool,
    swept: Option<Duration>,
    measured: Option<Duration>,
    looked: Option<Duration>,
    held_up: Option<String>,
    /// A change of the assignment that came while a batch was gathered.
    change: Option<Polled>,
}

/// What is done with a batch.
enum Sunk {
    Done(Vec<Outcome>),
    /// A rival has moved the positions.
    Dropped,
    Stopped,
}

impl Service {
    /// Reads nothing yet.
    pub fn new(spec: Arc<Ingest>, instance: String, ports: IngestPorts) -> Self {
        Self {
            spec,
            instance,
            ports,
            topic: None,
            topic_id: String::new(),
            standings: BTreeMap::new(),
            tally: Tally::default(),
            has_parked: true,
            swept: None,
            measured: None,
            looked: None,
            held_up: None,
            change: None,
        }
    }

    /// Reads until `stop`, or with `until_end` until each partition is where it ended when it was assigned.
    ///
    /// # Errors
    /// What no wait mends. What was written is durable.
    pub async fn run(mut self, until_end: bool, stop: &CancellationToken) -> Result<Tally, IngestError> {
        let ended = self.read(until_end, stop).await;
        self.ports.consumer.close().await;
        ended.map(|()| self.tally)
    }

    async fn read(&mut self, until_end: bool, stop: &CancellationToken) -> Result<(), IngestError> {
        let mut backoff = self.backoff();
        while let Err(error) = self.ports.sink.open(self.spec.sink.create).await {
            self.bear(&mut backoff, error.into(), stop).await?;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        let (mut assigned, mut away) = (None, self.backoff());
        while !stop.is_cancelled() {
            let polled = if let Some(change) = self.change.take() {
                Ok(change)
            } else {
                tokio::select! {
                    polled = self.ports.consumer.next_batch(self.spec.policies.batch, LOOK_AROUND) => polled,
                    () = stop.cancelled() => break,
                }
            };
            let polled = match polled {
                Ok(polled) => polled,
                Err(error) => {
                    self.bear(&mut away, error.into(), stop).await?;
                    continue;
                }
            };
            away.succeeded();
            match polled {
                Polled::Assigned(partitions) => {
                    assigned = Some(self.ports.clock.elapsed());
                    while let Err(error) = self.assigned(&partitions).await {
                        self.bear(&mut away, error, stop).await?;
                        if stop.is_cancelled() {
                            return Ok(());
                        }
                    }
                }
                Polled::Revoked(partitions) => {
                    self.revoked(&partitions);
                }
                Polled::Messages(messages) if !messages.is_empty() => {
                    let messages = self.gather(messages).await;
                    self.batch(messages, stop).await?;
                }
                Polled::Messages(_) => self.look_for_end().await?,
            }
            self.look_for_hold_up();
            self.sweep(stop).await?;
            self.look_at_topic(&mut away, stop).await?;
            self.measure().await;
            if until_end && self.change.is_none() && assigned.is_some_and(|at| self.is_done(at)) {
                break;
            }
        }
        Ok(())
    }

    /// Begins at the positions that the sink has; in a partition without one, at its first event.
    async fn assigned(&mut self, partitions: &[Partition]) -> Result<(), IngestError> {
        // None come where others of the group have still to give theirs up.
        if let Some(first) = partitions.first() {
            self.topic = Some(first.topic.clone());
        }
        self.topic_id = self.ports.consumer.topic_id().await?;
        let Found { records: stored, odd } = self.ports.sink.positions().await?;
        self.ports.observer.observe(&IngestEvent::Odd { of: Records::Positions, records: odd.clone() });
        let mut positions = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let place = format!("{}/{}", partition.topic, partition.number);
            if odd.iter().any(|odd| odd.id == place) {
                // Where to go on cannot be guessed: what comes of it is not written, and its position stays.
                self.standings.remove(&partition.number);
                continue;
            }
            let marks = self.ports.consumer.watermarks(partition).await?;
            let of_partition: Vec<&StoredPosition> = (stored.iter())
                .filter(|stored| stored.topic == partition.topic && stored.partition == partition.number)
                .collect();
            let Held { own, next, is_other } = self.held(&of_partition, marks);
            if is_other && self.spec.on_recreated == OnRecreated::Stop {
                return Err(IngestError::Recreated { topic: partition.topic.clone() });
            }
            let next = next.unwrap_or(marks.first).max(marks.first);
            self.standings.insert(partition.number, Standing { stored: own, next, end: marks.next });
            positions.push(TopicPosition { partition: partition.clone(), offset: next });
        }
        self.ports.consumer.seek(&positions).await?;
        let behind = |standing: &Standing| u64::try_from(standing.end.saturating_sub(standing.next)).unwrap_or(0);
        let is_known = self.standings.values().all(|standing| standing.end < i64::MAX);
        let behind = is_known.then(|| self.standings.values().map(behind).sum());
        self.ports.observer.observe(&IngestEvent::Begun { behind });
        Ok(())
    }

    /// Waits a little for a batch to be filled.
    async fn gather(&mut self, mut messages: Vec<Received>) -> Vec<Received> {
        let (most, until) = (self.spec.policies.batch, self.ports.clock.elapsed() + self.spec.policies.linger);
        let bytes = |messages: &[Received]| messages.iter().map(|message| message.payload.len()).sum::<usize>();
        while messages.len() < most && bytes(&messages) < BATCH_BYTES {
            let Some(rest) = until.checked_sub(self.ports.clock.elapsed()).filter(|rest| !rest.is_zero()) else {
                break;
            };
            match self.ports.consumer.next_batch(most - messages.len(), rest).await {
                Ok(Polled::Messages(more)) if !more.is_empty() => messages.extend(more),
                // An error comes again with the next poll, behind what was read.
                Ok(Polled::Messages(_)) | Err(_) => break,
                Ok(change) => {
                    self.change = Some(change);
                    break;
                }
            }
        }
        messages
    }

    /// One batch: decoded, folded, written with its positions.
    async fn batch(&mut self, messages: Vec<Received>, stop: &CancellationToken) -> Result<(), IngestError> {
        let messages: Vec<Received> =
            messages.into_iter().filter(|message| self.standings.contains_key(&message.id.partition)).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let topic = messages[0].id.topic.clone();
        let moves = self.moves(&messages);
        let commits = TopicPosition::behind(&messages);
        let now = self.ports.clock.now();
        let (mut changes, mut events, mut dead) = (Vec::new(), Vec::with_capacity(messages.len()), Vec::new());
        for (number, message) in messages.into_iter().enumerate() {
            match decode(&self.spec, raw(message, &self.topic_id), number, now) {
                Ok(change) => {
                    events.push((Arc::clone(&change.event), Outcome::Stale));
                    changes.push(change);
                }
                Err(refused) => {
                    let (event, error) = *refused;
                    dead.push(DeadLetter::new(&event, error.clone(), 1, now, &self.instance));
                    events.push((Arc::new(event), Outcome::Dead(error)));
                }
            }
        }
        let mut batch = self.empty_batch();
        (batch.rows, batch.dead, batch.moves, batch.numbers) =
            (fold(&self.spec.tables, changes), dead, moves, events.len());
        crash_point!("ingest.decoded");
        let begun = self.ports.clock.elapsed();
        let outcomes = match self.sink(&batch, stop).await? {
            Sunk::Done(outcomes) => outcomes,
            Sunk::Stopped => return Ok(()),
            Sunk::Dropped => return self.rejoin(&topic).await,
        };
        crash_point!("ingest.written");
        let took = self.ports.clock.elapsed().saturating_sub(begun);
        let mut tally = Tally::default();
        for ((_, outcome), sunk) in events.iter_mut().zip(outcomes) {
            if !matches!(outcome, Outcome::Dead(_)) {
                *outcome = sunk;
            }
            tally.count(outcome);
        }
        let moved = self.moved(&batch.moves);
        self.note(&tally);
        self.ports.observer.observe(&IngestEvent::Written { tally, took, moved, events });
        // For lag tools alone: what counts is in the sink.
        let _ = self.ports.consumer.commit(&commits).await.is_ok();
        if self.has_parked {
            self.release(stop).await?;
        }
        Ok(())
    }

    fn empty_batch(&self) -> Batch {
        Batch {
            rows: Vec::new(),
            dead: Vec::new(),
            unpark: Vec::new(),
            moves: Vec::new(),
            numbers: 0,
            mode: WriteMode::Apply,
            now: self.ports.clock.now(),
            instance: self.instance.clone(),
            attempts: self.spec.policies.attempts,
        }
    }

    fn note(&mut self, tally: &Tally) {
        self.tally.add(tally);
        self.has_parked |= tally.parked > 0;
        if tally.dead > 0 {
            self.ports.letters.notify_one();
        }
    }

    /// The steps of the positions that these messages make.
    fn moves(&self, messages: &[Received]) -> Vec<PositionMove> {
        let step = |position: TopicPosition| PositionMove {
            topic: position.partition.topic,
            topic_id: self.topic_id.clone(),
            partition: position.partition.number,
            from: self.standings.get(&position.partition.number).and_then(|standing| standing.stored),
            to: position.offset,
        };
        TopicPosition::behind(messages).into_iter().map(step).collect()
    }

    /// Notes durable steps; gives how far they went.
    fn moved(&mut self, moves: &[PositionMove]) -> u64 {
        let mut all = 0;
        for step in moves {
            if let Some(standing) = self.standings.get_mut(&step.partition) {
                all += u64::try_from(step.to.saturating_sub(standing.next)).unwrap_or(0);
                (standing.stored, standing.next) = (Some(step.to), step.to);
            }
        }
        all
    }

    /// Writes a batch, as often as it takes. A lost answer is not guessed: the positions tell whether the batch is durable.
    async fn sink(&mut self, batch: &Batch, stop: &CancellationToken) -> Result<Sunk, IngestError> {
        let mut backoff = self.backoff();
        loop {
            match self.ports.sink.write(batch).await {
                Ok(outcomes) => return Ok(Sunk::Done(outcomes)),
                Err(SinkError::Rival { place }) => {
                    self.ports.observer.observe(&IngestEvent::Rival { reason: place });
                    return Ok(Sunk::Dropped);
                }
                Err(error) => self.bear(&mut backoff, error.into(), stop).await?,
            }
            if stop.is_cancelled() {
                return Ok(Sunk::Stopped);
            }
            if let Ok(stored) = self.ports.sink.positions().await {
                let is_there = |step: &PositionMove| {
                    stored.records.iter().any(|stored| {
                        (&stored.topic, &stored.topic_id, stored.partition)
                            == (&step.topic, &step.topic_id, step.partition)
                            && stored.next == step.to
                    })
                };
                if !batch.moves.is_empty() && batch.moves.iter().all(is_there) {
                    return Ok(Sunk::Done(vec![Outcome::Written; batch.numbers]));
                }
            }
        }
    }

    /// Goes on where the sink's positions are now.
    async fn rejoin(&mut self, topic: &str) -> Result<(), IngestError> {
        let partition = |number: &i32| Partition { topic: topic.to_owned(), number: *number };
        let partitions: Vec<Partition> = self.standings.keys().map(partition).collect();
        self.assigned(&partitions).await
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(self.spec.policies.retry).with_jitter(Arc::clone(&self.ports.jitter))
    }

    /// Waits after a passing error. Anything else ends the ingest.
    async fn bear(
        &mut self,
        backoff: &mut Backoff,
        error: IngestError,
        stop: &CancellationToken,
    ) -> Result<(), IngestError> {
        if error.kind() != FailureKind::Unreachable {
            return Err(error);
        }
        let pause = backoff.failed();
        let (reason, attempt, after) = (error.to_string(), pause.attempt, pause.after);
        self.ports.observer.observe(&IngestEvent::Waiting { reason, attempt, after });
        tokio::select! {
            () = self.ports.clock.sleep(after) => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    }
}

/// A change that covers none.
pub(super) fn alone(change: Change) -> RowChange {
    RowChange { last: change, covered: Vec::new() }
}
