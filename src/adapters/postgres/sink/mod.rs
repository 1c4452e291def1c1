//! Tables of a PostgreSQL database as a sink of events. A batch is one transaction: one upsert for each type of event, from arrays,
//! sorted by key so that rivals wait for each other in one order. When the server refuses a row, the rows of that type are tried once
//! more within one statement that has a sub-transaction a row.

mod attempt;
mod batch;
mod book;
mod ddl;
mod facts;
mod fit;
mod link;
mod parked;
mod rows;
mod statements;
mod states;
mod sums;
mod value;

use super::address::Address;
use crate::core::model::finding::Finding;
use crate::core::model::rows::TableSet;
use crate::core::model::secret::Secret;
use crate::core::ports::source::SourceError;
use crate::core::ports::sql_sink::{
    Batch, Outcome, Outgoing, Parked, SinkCounts, SinkError, SinkReader, SqlSink, StoredPosition, WriteMode,
};
use crate::core::ports::store::Found;
use async_trait::async_trait;
use facts::Facts;
use jiff::Timestamp;
use link::{Fault, Link};
use statements::Statements;
use std::collections::HashMap;
use std::sync::Arc;

/// Longest message of the server: what is kept there of an event is a quarter of it at most.
const MESSAGE_MAX: usize = 64 << 20;

/// A row that another one refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Parent {
    table: String,
    column: String,
    /// As text.
    value: String,
}

/// What every statement is about.
struct Work {
    tables: Arc<TableSet>,
    reader: SinkReader,
}

/// A connection, and what the database said of the tables once somebody writes.
struct Open {
    link: Link,
    facts: Facts,
    is_checked: bool,
    /// By shape; made when they are needed.
    statements: HashMap<usize, Arc<Statements>>,
}

/// The tables of one database.
pub struct PostgresSink {
    address: Address,
    work: Work,
    /// Taken while it is at work: a call that is given up leaves no transaction behind.
    open: Option<Open>,
}

impl PostgresSink {
    /// Tables of the database at this address. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SourceError::Refused`] when the address cannot be read.
    pub fn new(url: &Secret, tables: Arc<TableSet>, reader: SinkReader) -> Result<Self, SourceError> {
        let mut address = Address::parse(url)?;
        address.longest = MESSAGE_MAX;
        Ok(Self { address, work: Work { tables, reader }, open: None })
    }

    async fn take(&mut self) -> Result<Open, SinkError> {
        match self.open.take() {
            Some(open) if !open.link.is_closed() => Ok(open),
            _ => Ok(Open {
                link: Link::open(&self.address).await?,
                facts: Facts::default(),
                is_checked: false,
                statements: HashMap::new(),
            }),
        }
    }

    /// A connection on which the tables have been looked at.
    async fn checked(&mut self, create: bool) -> Result<Open, SinkError> {
        let mut open = self.take().await?;
        if create || !open.is_checked {
            open.facts = fit::ready(&open.link, &self.work.tables, create, true)
                .await
                .map_err(|fault| open.link.error(fault))?;
            open.is_checked = true;
            open.statements.clear();
        }
        Ok(open)
    }

    /// Keeps the connection for the next call, unless something is wrong with it.
    fn ended<T>(&mut self, open: Open, done: Result<T, Fault>) -> Result<T, SinkError> {
        match done {
            Ok(value) => {
                self.open = Some(open);
                Ok(value)
            }
            Err(fault) => Err(open.link.error(fault)),
        }
    }

    /// Runs within a transaction, which is committed.
    async fn change<T>(&mut self, work: impl AsyncFnOnce(&Link, &Work) -> Result<T, Fault>) -> Result<T, SinkError> {
        let open = self.take().await?;
        let done = async {
            open.link.begin().await?;
            let value = work(&open.link, &self.work).await?;
            open.link.run("COMMIT").await?;
            Ok(value)
        };
        let done = done.await;
        self.ended(open, done)
    }

    /// Runs statements that change nothing.
    async fn ask<T>(&mut self, work: impl AsyncFnOnce(&Link, &Work) -> Result<T, Fault>) -> Result<T, SinkError> {
        let open = self.take().await?;
        let done = work(&open.link, &self.work).await;
        self.ended(open, done)
    }
}

#[async_trait]
impl SqlSink for PostgresSink {
    fn describe(&self) -> String {
        self.address.name.clone()
    }

    fn schema(&self, tables: &TableSet) -> Vec<String> {
        ddl::statements(tables)
    }

    async fn open(&mut self, create: bool) -> Result<(), SinkError> {
        self.open = Some(self.checked(create).await?);
        Ok(())
    }

    async fn examine(&mut self, create: bool, now: Timestamp) -> Result<Vec<Finding>, SinkError> {
        self.ask(async |link, work| {
            fit::ready(link, &work.tables, create, false).await?;
            Ok(vec![fit::fits(), fit::clock(link, now).await?])
        })
        .await
    }

    async fn positions(&mut self) -> Result<Found<StoredPosition>, SinkError> {
        self.ask(async |link, work| book::positions(link, &work.reader).await).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<Vec<Outcome>, SinkError> {
        let mut open = self.checked(false).await?;
        let written = batch::write(&mut open, &self.work, batch).await;
        if matches!(written, Err(Fault::Sink(SinkError::Rival { .. } | SinkError::OutboxFull { .. })))
            || written.is_ok() && batch.mode == WriteMode::Judge
        {
            let undone = open.link.run("ROLLBACK").await;
            if undone.is_ok() {
                self.open = Some(open);
                return written.map_err(|fault| match fault {
                    Fault::Sink(error) => error,
                    Fault::Client(error) => SinkError::Failed { sink: self.describe(), reason: error.to_string() },
                });
            }
        }
        self.ended(open, written)
    }

    async fn released(&mut self, max: usize) -> Result<Vec<Parked>, SinkError> {
        self.ask(async |link, work| parked::released(link, &work.reader, max).await).await
    }

    async fn has_parked(&mut self) -> Result<bool, SinkError> {
        self.ask(async |link, _| parked::has_parked(link).await).await
    }

    async fn expire(&mut self, before: Timestamp, now: Timestamp, instance: &str) -> Result<u64, SinkError> {
        self.change(async |link, work| parked::expire(link, &work.reader, before, now, instance).await).await
    }

    async fn outbox(&mut self, after: i64, max: usize) -> Result<Outgoing, SinkError> {
        self.ask(async |link, work| book::outbox(link, &work.reader, after, max).await).await
    }

    async fn sent(&mut self, numbers: &[i64]) -> Result<(), SinkError> {
        self.change(async |link, work| book::sent(link, &work.reader, numbers).await).await
    }

    async fn counts(&mut self) -> Result<SinkCounts, SinkError> {
        self.ask(async |link, work| book::counts(link, work).await).await
    }
}
