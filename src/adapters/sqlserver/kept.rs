//! A session between two questions of a run, with the columns that it has described.

use super::address::Address;
use super::describe::{ReadPlan, Seen};
use super::tds::Connection;
use crate::adapters::sql::{Leave, Waiting};
use crate::core::model::column::Column;
use crate::core::model::query::Isolation;
use crate::core::ports::source::{Query, SourceError};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a server to take a farewell.
const FAREWELL: Duration = Duration::from_secs(5);

/// A session, and what it knows of a query's view.
pub(super) struct Kept {
    pub address: Arc<Address>,
    pub client: Connection,
    pub query: Query,
    /// All columns of the view.
    pub all: Vec<Seen>,
    /// Whether a read has ended in its transaction.
    pub has_read: bool,
}

impl Leave for Kept {
    async fn leave(mut self) {
        if self.query.isolation == Isolation::Snapshot {
            let undone = self.address.run(&mut self.client, "ROLLBACK TRANSACTION");
            // A lost connection undoes it too.
            drop(tokio::time::timeout(FAREWELL, undone).await);
        }
    }
}

impl Kept {
    /// Whether the session can answer this query with the columns that it knows.
    fn fits(&self, query: &Query) -> bool {
        (&self.query.view, &self.query.key, self.query.isolation) == (&query.view, &query.key, query.isolation)
    }

    /// The waiting session, in a transaction that sees the present where it is to have one; else a new one. With
    /// `described_anew` it asks for the columns again.
    pub(super) async fn now(
        place: &Waiting<Self>,
        address: &Arc<Address>,
        query: &Query,
        described_anew: bool,
    ) -> Result<Self, SourceError> {
        if let Some(mut kept) = place.take(|kept| kept.fits(query))
            && address.renew(&mut kept.client, query.isolation).await.is_ok()
        {
            return if described_anew {
                Self::described(address, kept.client, query).await
            } else {
                Ok(Self { query: query.clone(), has_read: false, ..kept })
            };
        }
        Self::described(address, address.connect(query.isolation).await?, query).await
    }

    /// The waiting session as it is, if it knows the view; else a new one.
    pub(super) async fn next(
        place: &Waiting<Self>,
        address: &Arc<Address>,
        query: &Query,
    ) -> Result<Self, SourceError> {
        match place.take(|kept| kept.fits(query)) {
            // What was read before is no part of the next read.
            Some(kept) if kept.has_read => {
                place.keep(kept);
                Self::now(place, address, query, false).await
            }
            Some(kept) => Ok(Self { query: query.clone(), ..kept }),
            None => Self::described(address, address.connect(query.isolation).await?, query).await,
        }
    }

    async fn described(address: &Arc<Address>, mut client: Connection, query: &Query) -> Result<Self, SourceError> {
        let all = address.seen(&mut client, &query.view, &query.key).await?;
        Ok(Self { address: Arc::clone(address), client, query: query.clone(), all, has_read: false })
    }

    /// The query against the view's columns.
    pub(super) fn plan(&self) -> Result<ReadPlan, SourceError> {
        ReadPlan::new(&self.query, self.all.clone())
    }

    /// The query's wanted columns, if this session knows the view.
    pub(super) fn columns(&self, query: &Query) -> Option<Vec<Column>> {
        let plan = self.fits(query).then(|| ReadPlan::new(query, self.all.clone()))?;
        plan.ok().map(|plan| plan.columns())
    }
}
