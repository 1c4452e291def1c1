//! A session between two questions of a run, with what it knows of the columns.

use super::address::Address;
use super::describe;
use super::kinds::Wire;
use super::render::Types;
use super::session::Session;
use crate::adapters::sql::{Leave, Waiting};
use crate::core::model::column::Column;
use crate::core::ports::source::{Query, SourceError};

/// A session in a transaction, and the query whose types it has learned. The transaction holds the view as it was described:
/// nobody changes its columns before the transaction ends.
pub(super) struct Kept {
    pub session: Session,
    pub query: Query,
    pub types: Types,
    /// Whether a read has ended in its transaction.
    pub has_read: bool,
}

impl Leave for Kept {
    async fn leave(self) {
        self.session.close().await;
    }
}

impl Kept {
    /// Whether the session can answer this query: it has its view, its isolation and its parameters.
    fn fits(&self, query: &Query) -> bool {
        self.query.view == query.view && self.query.isolation == query.isolation && self.session.has(&query.params())
    }

    /// The waiting session in a transaction that sees the present, with the types that it knows; else a new one.
    pub(super) async fn renewed(
        place: &Waiting<Self>,
        address: &Address,
        query: &Query,
    ) -> Result<(Session, Option<Types>), SourceError> {
        if let Some(mut kept) = place.take(|kept| kept.fits(query))
            && kept.session.renew(query.isolation).await.is_ok()
        {
            let types = kept.query.asks_as(query).then_some(kept.types);
            return Ok((kept.session, types));
        }
        Ok((Session::open(address, query.isolation, query.params()).await?, None))
    }

    /// The waiting session as it is, if it has counted this query or another of the same view; else a new one.
    pub(super) async fn next(place: &Waiting<Self>, address: &Address, query: &Query) -> Result<Self, SourceError> {
        match place.take(|kept| kept.fits(query)) {
            // What was read before is no part of the next read.
            Some(kept) if kept.has_read => {
                place.keep(kept);
                let (session, _) = Self::renewed(place, address, query).await?;
                Self::learned(session, query).await
            }
            Some(kept) if kept.query.asks_as(query) => Ok(Self { query: query.clone(), ..kept }),
            Some(kept) => Self::learned(kept.session, query).await,
            None => {
                let session = Session::open(address, query.isolation, query.params()).await?;
                Self::learned(session, query).await
            }
        }
    }

    /// A session that learns the query's types.
    pub(super) async fn learned(mut session: Session, query: &Query) -> Result<Self, SourceError> {
        let types = describe::types(&mut session, query).await?;
        Ok(Self { session, query: query.clone(), types, has_read: false })
    }

    /// The query's wanted columns.
    pub(super) fn columns(&self) -> Vec<Column> {
        let kind = |name: &String| self.types.get(name).map_or(Wire::Cast, |column| column.wire).kind();
        self.query.columns.iter().map(|name| Column { name: name.clone(), kind: kind(name) }).collect()
    }
}
