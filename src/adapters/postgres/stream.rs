//! One read of a view: copies asked for as the query's `fetch` says, cut into pages as they arrive.

use super::decode::{AT_ONCE, Cutter, Shape, Text};
use super::describe::DIALECT;
use super::extent;
use super::kept::Kept;
use super::kinds::Wire;
use super::render::{Typed, Types};
use super::session::{More, Session};
use super::too_long::Limit;
use crate::adapters::sql::{self, PageRequest, Range, Waiting};
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::ports::source::{PageStream, Position, Query, SourceError};
use async_trait::async_trait;
use std::pin::Pin;
use tokio_postgres::CopyOutStream;

/// An open read with a connection of its own; dropped, that connection is gone.
pub(super) struct Reading {
    query: Query,
    types: Types,
    until: Option<Key>,
    /// Where the next copy starts.
    position: Position,
    /// `None` at the end and after an error.
    session: Option<Session>,
    /// Where the session waits behind the end.
    place: Waiting<Kept>,
    copy: Option<Pin<Box<CopyOutStream>>>,
    /// Whether a statement left out rows by comparing keys: then NULLs were left out unseen.
    compared: bool,
    /// Whether the connection is between two transactions.
    between: bool,
    cutter: Cutter,
    text: Text,
}

impl Reading {
    /// A read on this session, which waits in `place` when all has been read; asks for no row yet.
    ///
    /// # Errors
    /// As [`PageSource::open`](crate::core::ports::source::PageSource::open).
    pub(super) fn new(
        Kept { query, types, session, .. }: Kept,
        from: &Position,
        until: Option<&Key>,
        place: Waiting<Kept>,
    ) -> Result<Self, SourceError> {
        let query = &query;
        let shape = shape(query, &types)?;
        if let Some(before) = &query.kinds {
            sql::unchanged(before, &shape.columns)?;
        }
        Ok(Self {
            query: query.clone(),
            types,
            until: until.cloned(),
            position: from.clone(),
            session: Some(session),
            place,
            copy: None,
            compared: false,
            between: false,
            cutter: Cutter::new(shape),
            text: Text::default(),
        })
    }

    /// Asks for rows behind the position: with [`Fetch::Paged`] for one more than a page takes, to look at.
    async fn start_copy(&mut self, session: &mut Session) -> Result<(), SourceError> {
        let rows = u64::from(self.query.page_size.get());
        let (range, taken) = match self.query.fetch {
            Fetch::Stream => (Range::All, None),
            Fetch::Paged => (Range::Rows(rows + 1), Some(rows)),
            Fetch::Offset => (Range::Offset { skip: self.position.rows, rows: rows + 1 }, Some(rows)),
        };
        let after = self.position.after.as_ref();
        self.compared |= after.is_some() && self.query.fetch != Fetch::Offset;
        let request = PageRequest { query: &self.query, after, until: self.until.as_ref(), range };
        let key: Vec<String> = self.query.key.iter().map(|name| DIALECT.column(name)).collect();
        let limit = Some(Limit { value_bytes: self.query.value_bytes, key: &key });
        let typed = Typed { types: &self.types, wanted: &self.query.columns, limit };
        let statement = sql::page(&DIALECT, &typed, &request)?;
        self.copy = Some(session.copy(&statement.sql).await?);
        self.cutter.begin_copy(taken);
        Ok(())
    }

    /// Notes the end of a copy; true when it was the last.
    async fn end_copy(&mut self, session: &mut Session) -> Result<bool, SourceError> {
        self.copy = None;
        if !self.text.is_empty() {
            let reason = "the server's answer ended within a row".to_owned();
            return Err(SourceError::Failed { source_name: session.name().to_owned(), reason });
        }
        if !self.cutter.has_more() {
            if self.compared && self.until.is_none() {
                extent::no_null_keys(session, &self.query).await?;
            }
            return Ok(true);
        }
        self.position.rows += u64::from(self.query.page_size.get());
        if let Some(key) = self.cutter.last_key()? {
            self.position.after = Some(key);
        }
        if self.query.isolation == Isolation::Default {
            // No transaction stays open while the page is on its way through the files.
            session.undo().await?;
            self.between = true;
        }
        Ok(false)
    }

    /// Whether the page has room, or a copy is to be brought to its end before the page goes its way.
    fn wants_more(&self) -> bool {
        !self.cutter.is_full() || self.copy.is_some() && self.cutter.has_all()
    }

    /// Reads until a page is full; true when there is no more to read behind it.
    async fn read(&mut self, session: &mut Session) -> Result<bool, SourceError> {
        if !self.text.is_empty() {
            self.text.give(&mut self.cutter)?;
        }
        while self.wants_more() {
            let Some(copy) = &mut self.copy else {
                if std::mem::take(&mut self.between) {
                    session.begin(Isolation::Default).await?;
                }
                self.start_copy(session).await?;
                continue;
            };
            match session.more(copy, self.text.end(), AT_ONCE).await? {
                More::Text => self.text.give(&mut self.cutter)?,
                More::End if self.end_copy(session).await? => return Ok(true),
                More::End => {}
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl PageStream for Reading {
    fn columns(&self) -> Option<Vec<Column>> {
        Some(self.cutter.columns().to_vec())
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        // Taken out, so that an error or a dropped call leaves no connection behind in the middle of a row.
        let Some(mut session) = self.session.take() else { return Ok(None) };
        if self.read(&mut session).await? {
            let (query, types) = (self.query.clone(), std::mem::take(&mut self.types));
            self.place.keep(Kept { session, query, types, has_read: true });
        } else {
            self.session = Some(session);
        }
        self.cutter.take()
    }
}

/// What stands where in the rows of a query.
fn shape(query: &Query, types: &Types) -> Result<Shape, SourceError> {
    let typed = Typed { types, wanted: &query.columns, limit: None };
    let request = PageRequest { query, after: None, until: None, range: Range::All };
    let layout = sql::page(&DIALECT, &typed, &request)?.layout;
    let wire = |name: &String| types.get(name).map_or(Wire::Cast, |column| column.wire);
    let column = |name: &String| Column { name: name.clone(), kind: wire(name).kind() };
    Ok(Shape {
        columns: query.columns.iter().map(column).collect(),
        wires: query.columns.iter().map(wire).collect(),
        nested: query.columns.iter().map(|name| types.get(name).and_then(|column| column.nested.clone())).collect(),
        key: query.key.iter().zip(layout.key).map(|(name, index)| (name.clone(), index, wire(name))).collect(),
        first_mask: layout.first_mask,
        masks: layout.masks,
        rank: layout.rank,
        page_size: usize::try_from(query.page_size.get()).unwrap_or(usize::MAX),
        page_bytes: query.page_bytes,
    })
}
