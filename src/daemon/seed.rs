//! Data sources that a scheduler file brings along: made once, when its store was never used.

use super::{DaemonError, TARGET};
use crate::config::{self, Environment};
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::data_sources::Wanted;
use crate::core::schedule::import::import;
use crate::core::schedule::sources::{SourceError, Sources};
use crate::wiring::SchedulerState;
use std::path::Path;
use tracing::info;

/// What stands in the audit trail before the first is made, and behind the last.
const BEGUN: &str = "datasource seed";
const ENDED: &str = "datasource seeded";

/// Entries of the trail in which a beginning without an end is looked for: the process ended in it.
const LOOKED_BACK: usize = 100;

/// Makes the data sources of a file, unless the store holds one or has held one: what people deleted stays deleted. What a process has
/// begun and not ended, the next one ends.
pub(super) async fn seed(path: &Path, sources: &Sources, state: &SchedulerState) -> Result<(), DaemonError> {
    // A store that is away is not in the way of the service: it is tried again at the next start.
    if !is_wanted(sources, state).await.unwrap_or(false) {
        return Ok(());
    }
    let given = config::data_sources(path, &Environment).map_err(DaemonError::Config)?;
    let made = async {
        audit(sources, BEGUN, path).await?;
        let done = import(sources, &given, false).await?;
        audit(sources, ENDED, path).await?;
        Ok(done)
    };
    match made.await {
        Ok(done) => info!(target: TARGET, file = %path.display(), count = done.len(), "data sources made"),
        // Another instance makes them at this moment.
        Err(SourceError::NameTaken { .. } | SourceError::Faster { .. } | SourceError::Store(_)) => {}
        Err(error) => return Err(DaemonError::Sources { path: path.to_owned(), error }),
    }
    Ok(())
}

async fn is_wanted(sources: &Sources, state: &SchedulerState) -> Result<bool, SourceError> {
    let trail = sources.audit.audits(LOOKED_BACK).await?.records;
    if let Some(last) = trail.iter().find(|entry| [BEGUN, ENDED].contains(&entry.action.as_str())) {
        return Ok(last.action == BEGUN);
    }
    if sources.list(&Wanted { most: 1, ..Wanted::default() }).await?.total > 0 {
        return Ok(false);
    }
    // Schedules of deleted data sources are kept.
    let page = state.schedules.schedules_behind("", 1).await?.found;
    Ok(page.records.is_empty() && page.odd.is_empty())
}

async fn audit(sources: &Sources, action: &str, path: &Path) -> Result<(), SourceError> {
    let file = path.display().to_string();
    Ok(sources.audit.audit(&AuditEntry::new(sources.clock.now(), &sources.who, action, &file, "")).await?)
}
