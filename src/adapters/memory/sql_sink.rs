//! Tables in memory as a sink of events: rows, references, positions, outbox and parked events, changed together or not at all.

use crate::core::model::finding::Finding;
use crate::core::model::letter::{DeadLetter, LetterError, LetterKind};
use crate::core::model::rows::{SqlValue, TableSet};
use crate::core::ports::sql_sink::{
    Batch, Change, Outcome, Outgoing, Parked, RowChange, SinkCounts, SinkError, SinkReader, SqlSink, StoredPosition,
    WriteMode,
};
use crate::core::ports::store::Found;
use async_trait::async_trait;
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A row: each column's value, by its index.
pub type MemoryRow = BTreeMap<usize, SqlValue>;

/// Whose positions they are, topic, topic's id, partition.
type Place = (String, String, String, i32);

/// All that is kept.
#[derive(Clone, Default)]
struct Kept {
    rows: BTreeMap<(usize, String), MemoryRow>,
    positions: BTreeMap<Place, i64>,
    outbox: Vec<Outgone>,
    parked: Vec<ParkedEvent>,
    ledger: BTreeSet<(usize, String)>,
    arrivals: BTreeMap<(usize, String), (String, i32, i64)>,
    numbers: i64,
}

/// A row of the outbox.
#[derive(Clone)]
struct Outgone {
    number: i64,
    index: String,
    entry: String,
}

#[derive(Clone)]
struct ParkedEvent {
    number: i64,
    row: (usize, String),
    /// The parent's table and key. `None`: its predecessor has expired, and it is to be tried.
    parent: Option<(usize, String)>,
    letter: DeadLetter,
    attempts: u32,
}

/// The tables. Clones share them.
#[derive(Clone)]
pub struct MemorySink {
    tables: Arc<TableSet>,
    reader: SinkReader,
    kept: Arc<Mutex<Kept>>,
    away: Arc<Mutex<bool>>,
}

/// Columns, by index, and their values.
type Values<'a> = Vec<(usize, &'a SqlValue)>;

/// What a change does.
enum Applied {
    Written,
    Stale,
    Waits((usize, String)),
    /// Behind an earlier event of its row.
    Queues(Option<(usize, String)>),
    Dead(LetterError),
}

impl MemorySink {
    /// Empty tables.
    pub fn new(tables: Arc<TableSet>, group: &str, outbox_limit: u64) -> Self {
        let reader =
            SinkReader { source: String::new(), group: group.to_owned(), outbox_limit, outbox_bytes: u64::MAX };
        Self { tables, reader, kept: Arc::default(), away: Arc::default() }
    }

    /// The same, with a limit in bytes too.
    #[must_use]
    pub fn with_outbox_bytes(self, outbox_bytes: u64) -> Self {
        Self { reader: SinkReader { outbox_bytes, ..self.reader }, ..self }
    }

    /// Answers no call while it is away.
    pub fn set_away(&self, is_away: bool) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = is_away;
    }

    /// The rows of a table, by their keys.
    pub fn rows(&self, table: &str) -> BTreeMap<String, MemoryRow> {
        let index = self.tables.tables.iter().position(|other| other.name == table);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = kept.rows.iter().filter(|((table, _), _)| Some(*table) == index);
        rows.map(|((_, key), row)| (key.clone(), row.clone())).collect()
    }

    /// Puts a row into the outbox as somebody else would.
    pub fn put_outbox(&self, index: &str, entry: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        bury(&mut kept, index.to_owned(), entry.to_owned());
    }

    /// Writes a position as somebody else would, of the topic `t` with the id `x`.
    pub fn put_position(&self, partition: i32, next: i64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.positions.insert((self.reader.group.clone(), "t".to_owned(), "x".to_owned(), partition), next);
    }

    fn answering(&self) -> Result<MutexGuard<'_, Kept>, SinkError> {
        if *self.away.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(SinkError::Unreachable { sink: self.describe(), reason: "it is away".to_owned() });
        }
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Each column that the change sets, and each that it adds to.
    fn values<'a>(&'a self, change: &'a Change) -> (Values<'a>, Values<'a>) {
        let shape = &self.tables.shapes[change.shape];
        let mut values = change.values.iter();
        let set = shape.columns.iter().copied().zip(values.by_ref()).collect();
        (set, shape.sums.iter().copied().zip(values).collect())
    }

    fn row_of(&self, change: &Change) -> (usize, String) {
        let table = self.tables.shapes[change.shape].table;
        let (set, _) = self.values(change);
        let part = |index: &usize| {
            set.iter().find(|(column, _)| column == index).map_or_else(String::new, |(_, value)| value.canonical())
        };
        let parts: Vec<String> = self.tables.tables[table].identity.iter().map(part).collect();
        (table, if let [one] = parts.as_slice() { one.clone() } else { serde_json::Value::from(parts).to_string() })
    }

    fn missing_parent(&self, kept: &Kept, change: &Change) -> Option<(usize, String)> {
        let table = self.tables.table_of(change.shape);
        self.values(change).0.into_iter().find_map(|(index, value)| {
            let (parent, _) = table.columns[index].references.as_ref()?;
            let parent = (self.tables.tables.iter().position(|table| table.name == *parent)?, value.canonical());
            (*value != SqlValue::Null && !kept.rows.contains_key(&parent)).then_some(parent)
        })
    }

    fn apply(&self, kept: &mut Kept, change: &Change) -> Applied {
        let row = self.row_of(change);
        let before = change.parked.unwrap_or(i64::MAX);
        if let Some(first) = kept.parked.iter().find(|parked| parked.row == row && parked.number < before) {
            return Applied::Queues(first.parent.clone());
        }
        let table = &self.tables.tables[row.0];
        let (set, add) = self.values(change);
        if let Some(parent) = self.missing_parent(kept, change) {
            return Applied::Waits(parent);
        }
        let id = change.event.event_id.clone().unwrap_or_default();
        if table.has_sums && kept.ledger.contains(&(row.0, id.clone())) {
            return Applied::Stale;
        }
        let mut new = kept.rows.get(&row).cloned().unwrap_or_default();
        let value = |index: Option<usize>| {
            index.and_then(|index| set.iter().find(|(other, _)| *other == index)).map(|(_, value)| *value)
        };
        let newer = |index: Option<usize>| match (value(index), index.and_then(|index| new.get(&index))) {
            (Some(own), Some(theirs)) => own.version_cmp(theirs),
            (Some(_), None) => Ordering::Greater,
            _ => Ordering::Equal,
        };
        let place = &change.event.place;
        let arrival = (place.topic_id.clone(), place.partition, place.offset);
        let is_newer = if table.version.is_some() {
            newer(table.version).then_with(|| newer(table.event_id)) == Ordering::Greater
        } else {
            kept.arrivals
                .get(&row)
                .is_none_or(|seen| (&seen.0, seen.1) != (&arrival.0, arrival.1) || seen.2 < arrival.2)
        };
        if !is_newer && add.is_empty() {
            return Applied::Stale;
        }
        if is_newer {
            new.extend(set.iter().map(|(index, value)| (*index, (*value).clone())));
        }
        for (index, part) in add {
            let before = new.get(&index).unwrap_or(&SqlValue::Null);
            let Some(sum) = before.plus(part, table.columns[index].kind) else {
                return Applied::Dead(
                    LetterError::new(LetterKind::Range, "the sum is too large").of(&table.name, None),
                );
            };
            new.insert(index, sum);
        }
        if table.has_sums {
            kept.ledger.insert((row.0, id));
        }
        kept.arrivals.insert(row.clone(), arrival);
        kept.rows.insert(row, new);
        Applied::Written
    }

    fn row(&self, kept: &mut Kept, row: &RowChange, batch: &Batch, outcomes: &mut [Outcome]) {
        // A change that fails leaves nothing, so the newest may be tried before the others.
        let mut tried = kept.clone();
        let last = self.apply(&mut tried, &row.last);
        let covers_orphans = row.covered.iter().any(|(change, _)| self.missing_parent(kept, change).is_some());
        if !covers_orphans && matches!(last, Applied::Written | Applied::Stale) {
            *kept = tried;
            for (change, outcome) in &row.covered {
                let outcome = if matches!(last, Applied::Stale) { Outcome::Stale } else { outcome.clone() };
                settle(kept, change, outcome, outcomes);
            }
            return self.record(kept, &row.last, last, batch, outcomes);
        }
        for change in row.in_turn() {
            let applied = self.apply(kept, change);
            self.record(kept, change, applied, batch, outcomes);
        }
    }

    fn record(&self, kept: &mut Kept, change: &Change, applied: Applied, batch: &Batch, outcomes: &mut [Outcome]) {
        let die = |kept: &mut Kept, error: LetterError, outcomes: &mut [Outcome]| {
            if batch.mode == WriteMode::Apply {
                letter(kept, &DeadLetter::new(&change.event, error.clone(), 1, batch.now, &batch.instance));
            }
            settle(kept, change, Outcome::Dead(error), outcomes);
        };
        match applied {
            Applied::Written => settle(kept, change, Outcome::Written, outcomes),
            Applied::Stale => settle(kept, change, Outcome::Stale, outcomes),
            Applied::Dead(error) => die(kept, error, outcomes),
            Applied::Waits(_) | Applied::Queues(_) => {
                // Only a try that failed for the event's own parent counts as one.
                let (parent, tries) = match applied {
                    Applied::Waits(parent) => (Some(parent), 1),
                    Applied::Queues(parent) => (parent, 0),
                    _ => (None, 0),
                };
                let error = LetterError::new(LetterKind::Parent, "its parent is not there");
                if let Some(parked) = kept.parked.iter_mut().find(|parked| Some(parked.number) == change.parked) {
                    (parked.parent, parked.attempts) = (parent, parked.attempts + tries);
                    if tries > 0 && parked.attempts >= batch.attempts {
                        return die(kept, error, outcomes);
                    }
                } else {
                    kept.numbers += 1;
                    let letter = DeadLetter::new(&change.event, error, 1, batch.now, &batch.instance);
                    let (number, row) = (kept.numbers, self.row_of(change));
                    if kept.parked.iter().all(|parked| parked.letter.index() != letter.index()) {
                        kept.parked.push(ParkedEvent { number, row, parent, letter, attempts: 0 });
                    }
                }
                if let Some(slot) = outcomes.get_mut(change.number) {
                    *slot = Outcome::Parked;
                }
            }
        }
    }
}

fn settle(kept: &mut Kept, change: &Change, outcome: Outcome, outcomes: &mut [Outcome]) {
    kept.parked.retain(|parked| Some(parked.number) != change.parked);
    if let Some(slot) = outcomes.get_mut(change.number) {
        *slot = outcome;
    }
}

fn letter(kept: &mut Kept, letter: &DeadLetter) {
    bury(kept, letter.index(), letter.to_json());
}

fn bury(kept: &mut Kept, index: String, entry: String) {
    if kept.outbox.iter().all(|other| other.index != index) {
        kept.numbers += 1;
        kept.outbox.push(Outgone { number: kept.numbers, index, entry });
    }
}

#[async_trait]
impl SqlSink for MemorySink {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn schema(&self, _: &TableSet) -> Vec<String> {
        Vec::new()
    }

    async fn open(&mut self, _: bool) -> Result<(), SinkError> {
        self.answering().map(drop)
    }

    async fn positions(&mut self) -> Result<Found<StoredPosition>, SinkError> {
        let kept = self.answering()?;
        let mut found = Found::default();
        for ((_, topic, topic_id, partition), next) in
            kept.positions.iter().filter(|((group, ..), _)| *group == self.reader.group)
        {
            let position =
                StoredPosition { topic: topic.clone(), topic_id: topic_id.clone(), partition: *partition, next: *next };
            found.add(|| position.place(), position.clone().checked());
        }
        Ok(found)
    }

    async fn write(&mut self, batch: &Batch) -> Result<Vec<Outcome>, SinkError> {
        let mut held = self.answering()?;
        let mut kept = held.clone();
        for step in &batch.moves {
            let place = (self.reader.group.clone(), step.topic.clone(), step.topic_id.clone(), step.partition);
            if kept.positions.get(&place).copied() != step.from {
                return Err(SinkError::Rival { place: format!("{}/{}", step.topic, step.partition) });
            }
            kept.positions.insert(place, step.to);
        }
        batch.dead.iter().for_each(|dead| letter(&mut kept, dead));
        kept.parked.retain(|parked| !batch.unpark.contains(&parked.number));
        let mut outcomes = vec![Outcome::Stale; batch.numbers];
        for row in &batch.rows {
            self.row(&mut kept, row, batch, &mut outcomes);
        }
        let bytes = kept.outbox.iter().map(|row| row.entry.len() as u64).sum();
        let full = self.reader.full(self.describe(), kept.outbox.len() as u64, bytes);
        if let Some(full) = full.filter(|_| kept.outbox.len() > held.outbox.len()) {
            return Err(full);
        }
        if batch.mode != WriteMode::Judge {
            *held = kept;
        }
        Ok(outcomes)
    }

    async fn released(&mut self, max: usize) -> Result<Vec<Parked>, SinkError> {
        let kept = self.answering()?;
        let is_free = |parked: &&ParkedEvent| parked.parent.as_ref().is_none_or(|at| kept.rows.contains_key(at));
        let free = kept.parked.iter().filter(is_free).take(max);
        Ok(free.filter_map(|parked| Some(Parked { number: parked.number, event: parked.letter.event()? })).collect())
    }

    async fn examine(&mut self, _: bool, _: Timestamp) -> Result<Vec<Finding>, SinkError> {
        self.answering().map(|_| Vec::new())
    }

    async fn has_parked(&mut self) -> Result<bool, SinkError> {
        Ok(!self.answering()?.parked.is_empty())
    }

    async fn expire(&mut self, before: Timestamp, now: Timestamp, instance: &str) -> Result<u64, SinkError> {
        let mut kept = self.answering()?;
        let (mut seen, mut old) = (BTreeSet::new(), Vec::new());
        for parked in std::mem::take(&mut kept.parked) {
            let is_first = seen.insert(parked.row.clone());
            if is_first && parked.parent.is_some() && parked.letter.timestamp < before {
                old.push(parked);
            } else {
                kept.parked.push(parked);
            }
        }
        for parked in &mut kept.parked {
            if old.iter().any(|dead: &ParkedEvent| dead.row == parked.row) {
                parked.parent = None;
            }
        }
        for parked in &old {
            let (attempts, timestamp) = (parked.attempts + 1, now);
            let instance = instance.to_owned();
            letter(&mut kept, &DeadLetter { attempts, timestamp, instance, ..parked.letter.clone() });
        }
        Ok(old.len() as u64)
    }

    async fn outbox(&mut self, after: i64, max: usize) -> Result<Outgoing, SinkError> {
        let mut found = Outgoing::default();
        for row in self.answering()?.outbox.iter().filter(|row| row.number > after).take(max) {
            found.last = Some(row.number);
            found.add(row.number, DeadLetter::kept(&row.index, Some(row.entry.as_bytes())));
        }
        Ok(found)
    }

    async fn sent(&mut self, numbers: &[i64]) -> Result<(), SinkError> {
        self.answering()?.outbox.retain(|row| !numbers.contains(&row.number));
        Ok(())
    }

    async fn counts(&mut self) -> Result<SinkCounts, SinkError> {
        let positions = self.positions().await?;
        let kept = self.answering()?;
        let rows = |index: usize| kept.rows.keys().filter(|(table, _)| *table == index).count() as u64;
        let tables = self.tables.tables.iter().enumerate();
        Ok(SinkCounts {
            positions,
            parked: kept.parked.len() as u64,
            outbox: kept.outbox.len() as u64,
            tables: tables.map(|(index, table)| (table.name.clone(), rows(index))).collect(),
        })
    }
}
