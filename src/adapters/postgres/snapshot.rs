//! What is visible to a transaction. It shows whether another transaction has ended since.

use super::session::Session;
use crate::core::ports::source::SourceError;

/// Which transactions a statement sees: those below the first number but for the list. The same text later means that
/// none of them has ended since and none has written. The name is the one that all versions know; PostgreSQL's manual,
/// "System Information Functions".
const SNAPSHOT: &str = "SELECT txid_current_snapshot()";

/// What is visible now. `None` when the server does not say. Rows of another server, read through this one, are not covered.
pub(super) async fn snapshot(session: &mut Session) -> Result<Option<String>, SourceError> {
    Ok(session.query(SNAPSHOT).await?.first().and_then(|row| Some(row.try_get(0).ok()??.to_owned())))
}
