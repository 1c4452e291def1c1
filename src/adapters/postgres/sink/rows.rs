//! Rows of one shape, given as an array a column.

use super::Parent;
use super::link::{Bound, Fault, Link};
use super::parked::place;
use super::statements::Statements;
use super::value::Array;
use crate::core::model::letter::LetterError;
use crate::core::model::rows::{SqlValue, Table, TableSet};
use crate::core::ports::sql_sink::Outcome;
use std::collections::HashSet;
use std::sync::Arc;
use tokio_postgres::Row;

/// What an event does.
#[derive(Clone, Debug)]
pub(super) enum Applied {
    Written,
    Stale,
    /// A newer event of its row went in.
    Covered(Outcome),
    /// The parent that is not there yet.
    Waits(Parent),
    /// The parent that an earlier event of its row waits for.
    Queues(Parent),
    Dead(LetterError),
}

/// Where rows of one shape go.
pub(super) struct Rows<'a> {
    pub(super) link: &'a Link,
    pub(super) set: &'a TableSet,
    pub(super) shape: usize,
    pub(super) statements: Arc<Statements>,
}

impl<'a> Rows<'a> {
    pub(super) fn table(&self) -> &'a Table {
        self.set.table_of(self.shape)
    }

    /// The values of some changes as arrays, a column each.
    fn arrays<'c>(&self, rows: &[&'c [SqlValue]]) -> Vec<Array<'c>> {
        let shape = &self.set.shapes[self.shape];
        let column = |(at, index): (usize, &usize)| {
            Array::new(self.table().columns[*index].kind, rows.iter().map(move |row| &row[at]))
        };
        shape.columns.iter().chain(&shape.sums).enumerate().map(column).collect()
    }

    /// Upserts rows, and changes what is unique. Gives the rows of the answer, each with its number from 1.
    pub(super) async fn upsert(&self, rows: &[&[SqlValue]]) -> Result<Vec<Row>, Fault> {
        let arrays = self.arrays(rows);
        let bound: Vec<Bound<'_>> = arrays.iter().map(Array::bound).collect();
        let written = self.link.query(&self.statements.upsert, &bound).await?;
        if let Some(sql) = &self.statements.unique {
            let written: HashSet<usize> = written.iter().map(|row| place(row.get(0))).collect();
            let rows = rows.iter().enumerate().filter(|(at, _)| written.contains(at));
            let rows: Vec<&[SqlValue]> = rows.map(|(_, row)| *row).collect();
            let arrays = self.arrays(&rows);
            self.link.query(sql, &arrays.iter().map(Array::bound).collect::<Vec<_>>()).await?;
        }
        Ok(written)
    }
}
