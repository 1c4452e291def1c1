//! A batch as one transaction.

use super::Work;
use super::apply::{Applied, Parent, Row};
use super::book;
use super::fault::SqliteFault;
use super::parked;
use crate::core::failpoints::crash::crash_point;
use crate::core::model::letter::{DeadLetter, LetterError, LetterKind};
use crate::core::ports::sql_sink::{Batch, Change, Outcome, RowChange, WriteMode};
use rusqlite::{Connection, Error, Transaction, TransactionBehavior};
use std::collections::HashMap;

/// Events whose trigger ends the whole transaction, by number.
type Poison = HashMap<usize, LetterError>;

/// Writes all or nothing.
pub(super) fn write(connection: &mut Connection, work: &Work, batch: &Batch) -> Result<Vec<Outcome>, SqliteFault> {
    let mut poison = Poison::new();
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writer =
            Writer { transaction: &transaction, work, batch, poison: &poison, outcomes: Vec::new(), has_parked: false };
        match writer.run() {
            Ok(()) => {
                let outcomes = writer.outcomes;
                if batch.mode == WriteMode::Judge {
                    transaction.rollback()?;
                } else {
                    crash_point!("sink.rows");
                    transaction.commit()?;
                }
                return Ok(outcomes);
            }
            // The transaction is gone, and the batch begins again without this event.
            Err(Stopped::Poisoned(number, error)) => {
                drop(transaction);
                poison.insert(number, error);
            }
            Err(Stopped::Fault(fault)) => return Err(fault),
        }
    }
}

/// Why a transaction ended early.
enum Stopped {
    Poisoned(usize, LetterError),
    Fault(SqliteFault),
}

impl<F: Into<SqliteFault>> From<F> for Stopped {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    work: &'a Work,
    batch: &'a Batch,
    poison: &'a Poison,
    outcomes: Vec<Outcome>,
    /// Whether events may have to queue behind parked ones.
    has_parked: bool,
}

impl Writer<'_> {
    fn run(&mut self) -> Result<(), Stopped> {
        self.outcomes = vec![Outcome::Stale; self.batch.numbers];
        for step in &self.batch.moves {
            book::advance(self.transaction, &self.work.reader, step, self.batch.now)?;
        }
        crash_point!("sink.moved");
        self.has_parked = parked::has_parked(self.transaction)?;
        for letter in &self.batch.dead {
            self.bury(letter)?;
        }
        for number in &self.batch.unpark {
            parked::unpark(self.transaction, *number)?;
        }
        for row in &self.batch.rows {
            self.row(row)?;
        }
        if !self.batch.dead.is_empty() || self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Dead(_))) {
            book::check_limit(self.transaction, &self.work.reader)?;
        }
        Ok(())
    }

    /// The newest event of a row; where that one does not go in, all of them as they came.
    fn row(&mut self, row: &RowChange) -> Result<(), Stopped> {
        if self.covers_orphans(row)? {
            return self.in_turn(row);
        }
        let last = self.attempt(&row.last)?;
        if !row.covered.is_empty() && !matches!(last, Applied::Written | Applied::Stale) {
            return self.in_turn(row);
        }
        for (change, outcome) in &row.covered {
            let outcome = if matches!(last, Applied::Stale) { Outcome::Stale } else { outcome.clone() };
            self.settle(change, outcome)?;
        }
        self.record(&row.last, last)
    }

    fn in_turn(&mut self, row: &RowChange) -> Result<(), Stopped> {
        for change in row.in_turn() {
            let applied = self.attempt(change)?;
            self.record(change, applied)?;
        }
        Ok(())
    }

    /// Whether a covered event's parent is not there.
    fn covers_orphans(&self, row: &RowChange) -> Result<bool, Error> {
        if row.covered.is_empty() {
            return Ok(false);
        }
        let tables = &self.work.tables;
        let columns = &tables.table_of(row.last.shape).columns;
        let referring: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].references.is_some()).collect();
        for change in row.covered_with_others(tables, &referring) {
            if Row::new(tables, change).missing_parent(self.transaction)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn attempt(&self, change: &Change) -> Result<Applied, Stopped> {
        if let Some(error) = self.poison.get(&change.number) {
            return Ok(Applied::Dead(error.clone()));
        }
        let row = Row::new(&self.work.tables, change);
        if self.has_parked
            && let Some(parent) = parked::waiting_before(self.transaction, &row.table.name, &row.key, change.parked)?
        {
            return Ok(Applied::Queues(parent));
        }
        let applied = row.apply(self.transaction);
        if self.transaction.is_autocommit() {
            let error = match applied {
                Ok(Applied::Dead(error)) => error,
                Err(error) => return Err(error.into()),
                Ok(_) => LetterError::new(LetterKind::Trigger, "a trigger ended the transaction"),
            };
            return Err(Stopped::Poisoned(change.number, error));
        }
        Ok(applied?)
    }

    fn record(&mut self, change: &Change, applied: Applied) -> Result<(), Stopped> {
        match applied {
            Applied::Written => self.settle(change, Outcome::Written),
            Applied::Stale => self.settle(change, Outcome::Stale),
            Applied::Dead(error) => self.die(change, error),
            Applied::Waits(parent) => self.park(change, &parent, true),
            Applied::Queues(parent) => self.park(change, &parent, false),
        }
    }

    fn settle(&mut self, change: &Change, outcome: Outcome) -> Result<(), Stopped> {
        if let Some(number) = change.parked {
            parked::unpark(self.transaction, number)?;
        }
        if let Some(slot) = self.outcomes.get_mut(change.number) {
            *slot = outcome;
        }
        Ok(())
    }

    fn die(&mut self, change: &Change, error: LetterError) -> Result<(), Stopped> {
        if self.batch.mode == WriteMode::Apply {
            let attempts = if change.parked.is_some() { self.batch.attempts } else { 1 };
            let letter = DeadLetter::new(&change.event, error.clone(), attempts, self.batch.now, &self.batch.instance);
            self.bury(&letter)?;
        }
        self.settle(change, Outcome::Dead(error))
    }

    /// Only a try that failed for the event's own parent counts as one.
    fn park(&mut self, change: &Change, parent: &Parent, counts: bool) -> Result<(), Stopped> {
        let error = orphan(parent);
        if let Some(number) = change.parked {
            // Its parent was there when it was released, and another one is missing now, or it was taken away again.
            let tries = parked::tried_again(self.transaction, number, parent, counts)?;
            if counts && tries >= self.batch.attempts {
                return self.die(change, error);
            }
        } else {
            let table = &self.work.tables.tables[self.work.tables.shapes[change.shape].table].name;
            let key = Row::new(&self.work.tables, change).key;
            let letter = DeadLetter::new(&change.event, error.of(table, None), 1, self.batch.now, &self.batch.instance);
            parked::park(self.transaction, &self.work.reader, &letter, (table, &key), parent)?;
            self.has_parked = true;
        }
        if let Some(slot) = self.outcomes.get_mut(change.number) {
            *slot = Outcome::Parked;
        }
        Ok(())
    }

    fn bury(&self, letter: &DeadLetter) -> Result<(), Error> {
        book::bury(self.transaction, &self.work.reader, letter)
    }
}

/// Why an event without its parent is no row.
pub(super) fn orphan(parent: &Parent) -> LetterError {
    let value = match &parent.value {
        rusqlite::types::Value::Text(text) => crate::core::model::shown::name(text),
        rusqlite::types::Value::Integer(number) => number.to_string(),
        _ => "?".to_owned(),
    };
    LetterError::new(
        LetterKind::Parent,
        format!("there is no row of `{}` whose {} is {value}", parent.table, parent.column),
    )
}
