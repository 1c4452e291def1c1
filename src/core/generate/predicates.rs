//! Whether the source takes a worker's predicates, tried on the view's first row before a run needs them. Only reads.

use super::plan::Plan;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::sql::Sql;
use crate::core::ports::source::{PageSource, Position, Query, SourceError};
use std::num::NonZeroU32;

/// Files whose predicate the source refuses, by their index in the worker file, and why.
///
/// # Errors
/// When the view cannot be read even without predicates: a missing right, a server that is away.
pub async fn refused(source: &dyn PageSource, plan: &Plan) -> Result<Vec<(usize, String)>, SourceError> {
    first_row(source, plan, None).await?;
    let mut refused = Vec::new();
    for (index, predicate) in plan.query.predicates.iter().enumerate() {
        let reason = match first_row(source, plan, Some(predicate)).await {
            Ok(()) => continue,
            Err(SourceError::Refused { reason } | SourceError::Failed { reason, .. }) => reason,
            Err(error) => return Err(error),
        };
        let files = plan.files.iter().enumerate().filter(|(_, file)| file.predicate == Some(index));
        refused.extend(files.map(|(file, _)| (file, reason.clone())));
    }
    Ok(refused)
}

/// Reads one row, in no order, with this predicate.
async fn first_row(source: &dyn PageSource, plan: &Plan, predicate: Option<&Sql>) -> Result<(), SourceError> {
    let query = Query {
        view: plan.query.view.clone(),
        key: Vec::new(),
        columns: plan.query.columns.clone(),
        predicates: predicate.into_iter().cloned().collect(),
        page_size: NonZeroU32::MIN,
        page_bytes: plan.query.page_bytes,
        value_bytes: plan.query.value_bytes,
        fetch: Fetch::Offset,
        isolation: Isolation::Default,
        kinds: None,
    };
    source.open(&query, &Position::default(), None).await?.next().await.map(drop)
}
