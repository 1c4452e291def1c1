//! A batch as one transaction: rows in layers, no row twice in one, each layer and type of event with a statement of its own.

use super::attempt::Attempt;
use super::book;
use super::link::{Fault, Link};
use super::parked::{self, Waiting};
use super::rows::Applied;
use super::{Open, Parent, Work};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::letter::{DeadLetter, LetterError, LetterKind};
use crate::core::model::shown;
use crate::core::ports::sql_sink::{Batch, Change, Outcome, RowChange, WriteMode};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Writes all or nothing. With [`WriteMode::Judge`] the transaction is left open, to be undone.
pub(super) async fn write(open: &mut Open, work: &Work, batch: &Batch) -> Result<Vec<Outcome>, Fault> {
    open.link.begin().await?;
    let outcomes = vec![Outcome::Stale; batch.numbers];
    let mut writer = Writer { open, work, batch, outcomes, has_parked: false, letters: Vec::new() };
    writer.run().await?;
    let (outcomes, link) = (writer.outcomes, &open.link);
    if batch.mode != WriteMode::Judge {
        crash_point!("sink.rows");
        link.run("COMMIT").await?;
    }
    Ok(outcomes)
}

struct Writer<'a> {
    open: &'a mut Open,
    work: &'a Work,
    batch: &'a Batch,
    outcomes: Vec<Outcome>,
    /// Whether events may have to queue behind parked ones.
    has_parked: bool,
    /// For the outbox.
    letters: Vec<DeadLetter>,
}

impl Writer<'_> {
    async fn run(&mut self) -> Result<(), Fault> {
        let batch = self.batch;
        book::advance(&self.open.link, &self.work.reader, &batch.moves, batch.now).await?;
        crash_point!("sink.moved");
        self.has_parked = parked::has_parked(&self.open.link).await?;
        self.letters.extend(batch.dead.iter().cloned());
        parked::unpark(&self.open.link, &batch.unpark).await?;
        for ((_, _, shape), rows) in self.layers() {
            self.layer(shape, &rows).await?;
        }
        if !self.letters.is_empty() {
            book::bury(&self.open.link, &self.work.reader, &self.letters).await?;
            book::check_limit(&self.open.link, &self.work.reader).await?;
        }
        Ok(())
    }

    /// Rows by table, layer and shape: what comes later for a row stands in a later layer. Rows of a table with sums are added up
    /// within a layer, as long as they are of one shape.
    fn layers<'b>(&self) -> BTreeMap<(usize, usize, usize), Vec<&'b RowChange>>
    where
        Self: 'b,
    {
        let mut layers: BTreeMap<(usize, usize, usize), Vec<&RowChange>> = BTreeMap::new();
        let mut last: HashMap<(usize, String), (usize, usize)> = HashMap::with_capacity(self.batch.rows.len());
        for row in &self.batch.rows {
            let shape = row.last.shape;
            let set = &self.work.tables;
            let table = set.shapes[shape].table;
            let layer = match last.get(&(table, set.row_key(shape, &row.last.values))) {
                None => 0,
                Some((layer, before)) if set.tables[table].has_sums && *before == shape => *layer,
                Some((layer, _)) => layer + 1,
            };
            last.insert((table, set.row_key(shape, &row.last.values)), (layer, shape));
            layers.entry((table, layer, shape)).or_default().push(row);
        }
        layers
    }

    /// The newest event of each row at once. Where one does not go in, the events that it covers count too; and where the server
    /// refuses one, nobody knows which: then all are applied one after the other, as they came.
    async fn layer(&mut self, shape: usize, rows: &[&RowChange]) -> Result<(), Fault> {
        let (held, rows) = self.with_orphans(shape, rows).await?;
        let rows = rows.as_slice();
        let changes: Vec<&Change> = rows.iter().map(|row| &row.last).collect();
        let attempt = Attempt::new(self.open, self.work, shape, self.has_parked);
        let Some(applied) = attempt.at_once(&changes).await? else {
            return self.in_turn(&[rows, held.as_slice()].concat()).await;
        };
        let (mut settled, mut failed) = (Vec::with_capacity(rows.len()), held);
        for (row, applied) in rows.iter().zip(applied) {
            if !matches!(applied, Applied::Written | Applied::Stale) && !row.covered.is_empty() {
                failed.push(*row);
                continue;
            }
            for (change, outcome) in &row.covered {
                let is_stale = matches!(applied, Applied::Stale);
                settled.push((change, if is_stale { Applied::Stale } else { Applied::Covered(outcome.clone()) }));
            }
            settled.push((&row.last, applied));
        }
        self.record(settled).await?;
        self.in_turn(&failed).await
    }

    /// Rows that cover an event whose parent is not there, and the others: such an event waits, and what came for its row behind it.
    async fn with_orphans<'b>(
        &mut self,
        shape: usize,
        rows: &[&'b RowChange],
    ) -> Result<(Vec<&'b RowChange>, Vec<&'b RowChange>), Fault> {
        let mut covered: BTreeMap<usize, Vec<(usize, &Change)>> = BTreeMap::new();
        let columns = Attempt::new(self.open, self.work, shape, false).referring();
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.covered.is_empty()) {
            for change in row.covered_with_others(&self.work.tables, &columns) {
                covered.entry(change.shape).or_default().push((at, change));
            }
        }
        let mut held = HashSet::new();
        for (shape, covered) in covered {
            let changes: Vec<&Change> = covered.iter().map(|(_, change)| *change).collect();
            let orphaned = Attempt::new(self.open, self.work, shape, false).orphaned(&changes).await?;
            held.extend(orphaned.into_iter().map(|place| covered[place].0));
        }
        let mut parts = (Vec::new(), Vec::with_capacity(rows.len()));
        for (at, row) in rows.iter().enumerate() {
            if held.contains(&at) { parts.0.push(*row) } else { parts.1.push(*row) }
        }
        Ok(parts)
    }

    /// All events of these rows, in the order in which they came.
    async fn in_turn(&mut self, rows: &[&RowChange]) -> Result<(), Fault> {
        let mut all: Vec<&Change> = rows.iter().flat_map(|row| row.in_turn()).collect();
        all.sort_by_key(|change| change.number);
        while let Some(shape) = all.first().map(|change| change.shape) {
            let attempt = Attempt::new(self.open, self.work, shape, self.has_parked);
            let same = all.iter().take_while(|change| change.shape == shape).count();
            let rest = all.split_off(if attempt.is_own_parent() { 1 } else { same });
            let applied = attempt.in_turn(&all).await?;
            self.record(all.into_iter().zip(applied).collect()).await?;
            all = rest;
        }
        Ok(())
    }

    /// Notes what became of events, and keeps or forgets those that wait.
    async fn record(&mut self, applied: Vec<(&Change, Applied)>) -> Result<(), Fault> {
        let (mut settled, mut tried, mut parked) = (Vec::new(), Vec::new(), Vec::new());
        for (change, applied) in applied {
            let outcome = match applied {
                Applied::Written => Outcome::Written,
                Applied::Stale => Outcome::Stale,
                Applied::Covered(outcome) => outcome,
                Applied::Dead(error) => {
                    self.bury(change, &error);
                    Outcome::Dead(error)
                }
                Applied::Waits(_) | Applied::Queues(_) => {
                    // Only a try that failed for the event's own parent counts as one.
                    let counts = matches!(applied, Applied::Waits(_));
                    let (Applied::Waits(parent) | Applied::Queues(parent)) = applied else { continue };
                    match change.parked {
                        Some(number) => tried.push((number, parent, change, counts)),
                        None => parked.push(self.waiting(change, parent)),
                    }
                    self.note(change, Outcome::Parked);
                    continue;
                }
            };
            settled.extend(change.parked);
            self.note(change, outcome);
        }
        settled.extend(self.tried_again(tried).await?);
        let link: &Link = &self.open.link;
        parked::unpark(link, &settled).await?;
        self.has_parked |= !parked.is_empty();
        parked::park(link, &self.work.reader, &parked).await
    }

    /// Counts tries of parked events: their parent was there when they were released, and another one is missing now, or it was taken
    /// away again. Gives those that are dead by now.
    async fn tried_again(&mut self, tried: Vec<(i64, Parent, &Change, bool)>) -> Result<Vec<i64>, Fault> {
        if tried.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<(i64, Parent, bool)> =
            tried.iter().map(|(number, parent, _, counts)| (*number, parent.clone(), *counts)).collect();
        let tries: HashMap<i64, u32> = parked::tried_again(&self.open.link, &asked).await?.into_iter().collect();
        let mut dead = Vec::new();
        for (number, parent, change, counts) in tried {
            if counts && tries.get(&number).is_some_and(|tries| *tries >= self.batch.attempts) {
                let error = orphan(&parent);
                self.bury(change, &error);
                self.note(change, Outcome::Dead(error));
                dead.push(number);
            }
        }
        Ok(dead)
    }

    fn note(&mut self, change: &Change, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(change.number) {
            *slot = outcome;
        }
    }

    fn bury(&mut self, change: &Change, error: &LetterError) {
        if self.batch.mode == WriteMode::Apply {
            let attempts = if change.parked.is_some() { self.batch.attempts } else { 1 };
            self.letters.push(DeadLetter::new(
                &change.event,
                error.clone(),
                attempts,
                self.batch.now,
                &self.batch.instance,
            ));
        }
    }

    fn waiting(&self, change: &Change, parent: Parent) -> Waiting {
        let table = self.work.tables.table_of(change.shape).name.clone();
        let key = self.work.tables.row_key(change.shape, &change.values);
        let error = orphan(&parent).of(&table, None);
        let letter = DeadLetter::new(&change.event, error, 1, self.batch.now, &self.batch.instance);
        Waiting { letter, table, key, parent }
    }
}

/// Why an event without its parent is no row.
fn orphan(parent: &Parent) -> LetterError {
    let value = shown::name(&parent.value);
    LetterError::new(
        LetterKind::Parent,
        format!("there is no row of `{}` whose {} is {value}", parent.table, parent.column),
    )
}
