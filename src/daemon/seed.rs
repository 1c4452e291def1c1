//! Data sources that a scheduler file brings along: made once, when its store was never used.

use super::{DaemonError, TARGET};
use crate::config::{self, Environment};
use crate::core::ports::data_sources::Wanted;
use crate::core::schedule::import::import;
use crate::core::schedule::sources::{SourceError, Sources};
use crate::wiring::SchedulerState;
use std::path::Path;
use tracing::info;

/// Makes the data sources of a file, unless the store holds one or has held one: what people deleted stays deleted.
pub(super) async fn seed(path: &Path, sources: &Sources, state: &SchedulerState) -> Result<(), DaemonError> {
    let used = sources.list(&Wanted { most: 1, ..Wanted::default() }).await.map(|found| found.total > 0);
    // Schedules of deleted data sources are kept.
    let used = match used {
        Ok(false) => {
            let page = state.schedules.schedules_behind("", 1).await;
            page.map(|page| !page.found.records.is_empty() || !page.found.odd.is_empty()).map_err(SourceError::from)
        }
        used => used,
    };
    // A store that is away is not in the way of the service: it is tried again at the next start.
    if used.unwrap_or(true) {
        return Ok(());
    }
    let given = config::data_sources(path, &Environment).map_err(DaemonError::Config)?;
    match import(sources, &given, false).await {
        Ok(done) => info!(target: TARGET, file = %path.display(), count = done.len(), "data sources made"),
        // Another instance makes them at this moment.
        Err(SourceError::NameTaken { .. } | SourceError::Faster { .. } | SourceError::Store(_)) => {}
        Err(error) => return Err(DaemonError::Sources { path: path.to_owned(), error }),
    }
    Ok(())
}
