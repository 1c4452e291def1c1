//! A transfer's events as the spans of traces: one trace for each version of a file, through both sides.
//!
//! ```text
//! transfer                 the collecting side's way with a version; a redrive is another one, below the first
//!   stable, hash, send, receipt, settle
//!   deliver                each try of the delivering side, below what the message says
//!     receive, filter, write, publish, receipt
//! ```
//! The ids of trace and ways come from the version's id: a process that goes on where another one was killed adds to the same ones. What
//! the killed one had in hand has no span.

use crate::core::model::shown;
use crate::core::model::trace::{Sampler, Span, SpanId, SpanKind, SpanValue, TraceId, TraceParent};
use crate::core::model::transfer::{FileRecord, Side};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::spans::SpanSink;
use crate::core::transfer::event::{Step, TransferEvent};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most versions of a side that are remembered: a way that is not looks shorter than it was, a try has no span.
const MOST: usize = 10_000;

/// Makes the spans of one transfer in this process.
pub struct TransferTraces {
    transfer: String,
    sampler: Sampler,
    sink: Arc<dyn SpanSink>,
    clock: Arc<dyn Clock>,
    open: Mutex<Open>,
}

/// What has begun here and not ended.
#[derive(Default)]
struct Open {
    ways: HashMap<String, Way>,
    tries: HashMap<String, Try>,
    /// Versions that lay there again.
    again: HashSet<String>,
}

/// A version on the collecting side.
#[derive(Clone, Copy, Default)]
struct Way {
    begun_at: Option<Timestamp>,
    resumed: u64,
}

/// A try of the delivering side.
struct Try {
    trace: TraceId,
    span: SpanId,
    parent: Option<SpanId>,
    is_sampled: bool,
    begun_at: Timestamp,
    path: Option<String>,
    size: u64,
    resumed: u64,
    failed: Option<String>,
    /// They go with it: whoever is killed leaves none below a span that nobody has.
    steps: Vec<Span>,
}

/// Most steps of a try that are kept.
const STEPS: usize = 64;

impl TransferTraces {
    /// For those traces that the sampler keeps.
    pub fn new(transfer: &str, sampler: Sampler, sink: Arc<dyn SpanSink>, clock: Arc<dyn Clock>) -> Self {
        Self { transfer: transfer.to_owned(), sampler, sink, clock, open: Mutex::default() }
    }

    /// The trace of a version on a side, for log lines. `None` where it is not kept.
    pub fn trace_of(&self, side: Side, id: &str) -> Option<TraceId> {
        if side == Side::Deliver
            && let Some(taken) = self.open().tries.get(id)
        {
            return taken.is_sampled.then_some(taken.trace);
        }
        let trace = TraceId::of_file(id);
        self.sampler.keeps(trace, None).then_some(trace)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // What a panicking thread left is still good enough for a trace.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self, id: &str, said: Option<TraceParent>) {
        let trace = said.map_or_else(|| TraceId::of_file(id), |said| said.trace);
        let taken = Try {
            trace,
            span: chance(),
            parent: said.map(|said| said.span),
            is_sampled: self.sampler.keeps(trace, said.map(|said| said.is_sampled)),
            begun_at: self.clock.now(),
            path: None,
            size: 0,
            resumed: 0,
            failed: None,
            steps: Vec::new(),
        };
        let mut open = self.open();
        if open.tries.len() < MOST {
            open.tries.insert(id.to_owned(), taken);
        }
    }

    fn begun(&self, side: Side, id: &str, path: &str, (size, resumed): (u64, u64)) {
        let mut open = self.open();
        if side == Side::Collect {
            if let Some(way) = open.ways.get_mut(id) {
                way.resumed = resumed;
            }
        } else if let Some(taken) = open.tries.get_mut(id) {
            (taken.path, taken.size, taken.resumed) = (Some(path.to_owned()), size, resumed);
        }
    }

    /// A step of the collecting side, below its way.
    fn step_of_way(&self, (id, way): (&str, u32), step: Step, times: (Timestamp, Timestamp), failed: Option<&str>) {
        let resumed = {
            let mut open = self.open();
            if step != Step::Settle && (open.ways.len() < MOST || open.ways.contains_key(id)) {
                let known = open.ways.entry(id.to_owned()).or_default();
                known.begun_at = Some(known.begun_at.map_or(times.0, |known| known.min(times.0)));
            }
            open.ways.get(id).map_or(0, |way| way.resumed)
        };
        let trace = TraceId::of_file(id);
        let mut values = Vec::new();
        if step == Step::Send && resumed > 0 {
            values.push(("filegen.resumed_bytes", SpanValue::Number(resumed)));
        }
        let kind = if step == Step::Send { SpanKind::Producer } else { SpanKind::Internal };
        let parent = Some(SpanId::of_way(&self.transfer, id, way));
        self.put(
            Piece { trace, id: chance(), parent, is_parent_remote: false, name: step.as_str(), kind },
            times,
            values,
            failed,
        );
    }

    /// A step of the delivering side, below its try.
    fn step_of_try(&self, id: &str, step: Step, times: (Timestamp, Timestamp), failed: Option<&str>) {
        let mut open = self.open();
        let Some(taken) = open.tries.get_mut(id).filter(|taken| taken.is_sampled && taken.steps.len() < STEPS) else {
            return;
        };
        let piece = Piece {
            trace: taken.trace,
            id: chance(),
            parent: Some(taken.span),
            is_parent_remote: false,
            name: step.as_str(),
            kind: SpanKind::Internal,
        };
        taken.steps.push(made(piece, times, Vec::new(), failed));
    }

    /// The end of a way. The first is the first span of its trace; the others belong below it.
    fn way_ended(&self, record: &FileRecord, way: u32, failed: Option<&str>) {
        let (now, id) = (self.clock.now(), record.id.as_str());
        let begun = self.open().ways.remove(id).unwrap_or_default().begun_at;
        let begun_at = match record.failure.as_ref().filter(|_| way > 0) {
            // The way before it ended there, or before.
            Some(failure) => begun.unwrap_or(failure.last_at),
            None => begun.map_or(record.seen_at, |begun| begun.min(record.seen_at)),
        };
        let of_way = |way| SpanId::of_way(&self.transfer, id, way);
        let piece = Piece {
            trace: TraceId::of_file(id),
            id: of_way(way),
            parent: (way > 0).then(|| of_way(0)),
            is_parent_remote: false,
            name: "transfer",
            kind: SpanKind::Internal,
        };
        let values = self.values_of(id, &record.path, record.size);
        self.put(piece, (begun_at, now), values, failed);
    }

    /// The end of a try.
    fn try_ended(&self, id: &str, failed: Option<&str>) {
        let Some(taken) = self.open().tries.remove(id).filter(|taken| taken.is_sampled) else { return };
        let mut values = self.values_of(id, taken.path.as_deref().unwrap_or_default(), taken.size);
        if taken.resumed > 0 {
            values.push(("filegen.resumed_bytes", SpanValue::Number(taken.resumed)));
        }
        let piece = Piece {
            trace: taken.trace,
            id: taken.span,
            parent: taken.parent,
            is_parent_remote: taken.parent.is_some(),
            name: "deliver",
            kind: SpanKind::Consumer,
        };
        let failed = failed.or(taken.failed.as_deref());
        let whole = made(piece, (taken.begun_at, self.clock.now()), values, failed);
        taken.steps.into_iter().chain([whole]).for_each(|span| self.sink.put(span));
    }

    fn values_of(&self, id: &str, path: &str, size: u64) -> Vec<(&'static str, SpanValue)> {
        vec![
            ("filegen.transfer", SpanValue::Text(self.transfer.clone())),
            ("filegen.file.id", SpanValue::Text(shown::name(id))),
            ("file.path", SpanValue::Text(shown::name(path))),
            ("file.size", SpanValue::Number(size)),
        ]
    }

    /// A span of the collecting side, if its trace is kept.
    fn put(
        &self,
        piece: Piece,
        times: (Timestamp, Timestamp),
        values: Vec<(&'static str, SpanValue)>,
        failed: Option<&str>,
    ) {
        if self.sampler.keeps(piece.trace, None) {
            self.sink.put(made(piece, times, values, failed));
        }
    }
}

/// A span without times and what it carries.
#[derive(Clone, Copy)]
struct Piece {
    trace: TraceId,
    id: SpanId,
    parent: Option<SpanId>,
    is_parent_remote: bool,
    name: &'static str,
    kind: SpanKind,
}

fn made(
    piece: Piece,
    (begun_at, ended_at): (Timestamp, Timestamp),
    values: Vec<(&'static str, SpanValue)>,
    failed: Option<&str>,
) -> Span {
    let Piece { trace, id, parent, is_parent_remote, name, kind } = piece;
    let failed = failed.map(shown::name);
    Span { trace, id, parent, is_parent_remote, name, kind, begun_at, ended_at, values, failed }
}

fn chance() -> SpanId {
    SpanId::of_chance(fastrand::u64(..))
}

/// Why a version failed for good.
fn reason(record: &FileRecord) -> &str {
    record.failure.as_ref().map_or("", |failure| failure.reason.as_str())
}

impl Observer<TransferEvent> for TransferTraces {
    fn observe(&self, event: &TransferEvent) {
        match event {
            TransferEvent::Taken { id, trace } => self.taken(id, *trace),
            TransferEvent::Begun { side, id, path, size, resumed } => self.begun(*side, id, path, (*size, *resumed)),
            TransferEvent::Stepped { side, id, way, step, since, until, failed } => {
                let (times, failed) = ((*since, *until), failed.as_deref());
                match side {
                    Side::Collect => self.step_of_way((id, *way), *step, times, failed),
                    Side::Deliver => self.step_of_try(id, *step, times, failed),
                }
            }
            TransferEvent::Again { id, .. } => {
                let mut open = self.open();
                if open.again.len() < MOST {
                    open.again.insert(id.clone());
                }
            }
            // Its way ended when it arrived.
            TransferEvent::Settled(record) if self.open().again.remove(&record.id) => {}
            TransferEvent::Settled(record) => self.way_ended(record, record.way(), None),
            TransferEvent::Dropped { record: Some(record), why, .. } => {
                self.way_ended(record, record.way(), Some(why));
            }
            TransferEvent::Failed(record) if record.side == Side::Collect => {
                self.way_ended(record, record.way().saturating_sub(1), Some(reason(record)));
            }
            TransferEvent::Failed(record) => {
                if let Some(taken) = self.open().tries.get_mut(&record.id) {
                    taken.failed = Some(reason(record).to_owned());
                }
            }
            TransferEvent::LetGo { id, is_anothers: true, .. } => drop(self.open().tries.remove(id)),
            TransferEvent::LetGo { id, failed, .. } => self.try_ended(id, failed.as_deref()),
            TransferEvent::Found { .. }
            | TransferEvent::Odd { .. }
            | TransferEvent::Foreign { .. }
            | TransferEvent::Unreadable { .. }
            | TransferEvent::Moved { .. }
            | TransferEvent::Sent(_)
            | TransferEvent::Dropped { record: None, .. }
            | TransferEvent::Delivered { .. }
            | TransferEvent::Looked { .. }
            | TransferEvent::Waiting { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::clock::MemoryClock;
    use crate::adapters::memory::spans::MemorySpans;

    fn traces(sampler: Sampler) -> (Arc<MemorySpans>, TransferTraces) {
        let (spans, clock) = (Arc::new(MemorySpans::default()), MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
        (Arc::clone(&spans), TransferTraces::new("sales", sampler, spans, Arc::new(clock)))
    }

    fn step(side: Side, step: Step) -> TransferEvent {
        let (since, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        TransferEvent::Stepped { side, id: "a".to_owned(), way: 0, step, since, until, failed: None }
    }

    fn let_go(is_anothers: bool) -> TransferEvent {
        TransferEvent::LetGo { id: "a".to_owned(), failed: None, is_anothers }
    }

    #[test]
    fn steps_of_a_try_go_with_it_and_what_is_another_s_has_none() {
        let (spans, traces) = traces(Sampler::ALL);
        let taken = TransferEvent::Taken { id: "a".to_owned(), trace: None };
        traces.observe(&taken);
        traces.observe(&step(Side::Deliver, Step::Receive));
        assert!(spans.taken().is_empty(), "whoever is killed here leaves nothing");
        traces.observe(&let_go(false));
        let names: Vec<&str> = spans.taken().iter().map(|span| span.name).collect();
        assert_eq!(names, ["receive", "deliver"]);
        assert_eq!(spans.taken()[0].parent, Some(spans.taken()[1].id));
        traces.observe(&taken);
        traces.observe(&step(Side::Deliver, Step::Receive));
        traces.observe(&let_go(true));
        traces.observe(&step(Side::Deliver, Step::Receive));
        traces.observe(&let_go(false));
        assert_eq!(spans.taken().len(), 2);
    }

    #[test]
    fn the_sender_s_word_decides_which_traces_are_kept() {
        let said =
            |flag: &str| TraceParent::parse(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flag}"));
        for (share, flag, kept) in [(1.0, "00", 0), (0.0, "01", 1), (1.0, "01", 1), (0.0, "00", 0)] {
            let (spans, traces) = traces(Sampler { asks_parent: true, share });
            traces.observe(&step(Side::Collect, Step::Hash));
            assert_eq!(spans.taken().len(), usize::from(share > 0.0), "its own word on its own side");
            let before = spans.taken().len();
            traces.observe(&TransferEvent::Taken { id: "a".to_owned(), trace: said(flag) });
            assert_eq!(traces.trace_of(Side::Deliver, "a").is_some(), kept > 0);
            traces.observe(&let_go(false));
            assert_eq!(spans.taken().len() - before, kept, "{share} {flag}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (spans, traces) = traces(Sampler::ALL);
        for number in 0..MOST + 10 {
            traces.observe(&TransferEvent::Taken { id: number.to_string(), trace: None });
        }
        traces.observe(&TransferEvent::Taken { id: "a".to_owned(), trace: None });
        (0..1000).for_each(|_| traces.observe(&step(Side::Deliver, Step::Receive)));
        traces.observe(&let_go(false));
        assert!(spans.taken().is_empty() && traces.open().tries.len() == MOST);
    }
}
