//! A count that holds for as long as no transaction ends.

use super::extent::extent;
use super::session::Session;
use crate::core::ports::source::{Extent, Query, SourceError, Sum};

/// Which transactions a statement sees: those below the first number but for the list. The same text later means that
/// none of them has ended since and none has written. The name is the one that all versions know; PostgreSQL's manual,
/// "System Information Functions".
const SNAPSHOT: &str = "SELECT txid_current_snapshot()::text";

/// What a view held, and what was visible then.
///
/// A view that looks at the clock, or at another server, may hold other rows all the same; the rows read tell that.
pub(super) struct Counted {
    snapshot: String,
    query: Query,
    extent: Extent,
}

/// Counts, and keeps the count where the server can tell of changes.
pub(super) async fn count(
    session: &mut Session,
    query: &Query,
    sums: &[Sum],
) -> Result<(Extent, Option<Counted>), SourceError> {
    // Asked first: what ends between the two questions is counted, and makes the count look older than it is.
    let snapshot = snapshot(session).await?;
    let extent = extent(session, query, sums).await?;
    let counted = snapshot.map(|snapshot| Counted { snapshot, query: query.clone(), extent: extent.clone() });
    Ok((extent, counted))
}

impl Counted {
    /// Whether it answers this query.
    pub(super) fn is_of(&self, query: &Query) -> bool {
        self.query.asks_as(query)
    }

    /// What the view holds now: counted only when a transaction has ended since.
    pub(super) async fn again(self, session: &mut Session, query: &Query) -> Result<Extent, SourceError> {
        if snapshot(session).await?.is_some_and(|now| now == self.snapshot) {
            return Ok(self.extent);
        }
        extent(session, query, &[]).await
    }
}

async fn snapshot(session: &mut Session) -> Result<Option<String>, SourceError> {
    Ok(session.query(SNAPSHOT).await?.first().and_then(|row| row.try_get(0).ok()))
}
