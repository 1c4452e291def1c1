//! Schedules beside their data sources, a stretch of ids at a time: memory and each question stay small, however many there are.

use super::sync::Feed;
use crate::core::model::data_source::DataSource;
use crate::core::model::schedule::Schedule;
use crate::core::ports::schedules::{PAGE, ScheduleStore};
use crate::core::ports::store::{Found, OddRecord, Page, StoreError};

/// What there is of the ids of one stretch.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Schedules by id, those of deleted data sources among them.
    pub schedules: Vec<Schedule>,
    /// Data sources by id, and those that cannot be read.
    pub sources: Found<DataSource>,
    /// Schedules that cannot be read; the next stretch may tell the same ones.
    pub odd: Vec<OddRecord>,
    /// The last id of the stretch. `None`: there is nothing behind it.
    pub next: Option<String>,
}

impl Stretch {
    /// The stretch behind an id. Schedules are read before the data sources are: one that was there before is of one of them, or of a
    /// deleted one. Without a feed there are only schedules.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn behind(store: &dyn ScheduleStore, feed: Option<&dyn Feed>, after: &str) -> Result<Self, StoreError> {
        let Page { found: Found { records: mut schedules, odd }, next } = store.schedules_behind(after, PAGE).await?;
        let Some(feed) = feed else { return Ok(Self { schedules, sources: Found::default(), odd, next }) };
        let sources = feed.sources_behind(after, next.as_deref(), PAGE).await?;
        // Where the data sources end earlier, so does the stretch.
        if let Some(end) = &sources.next {
            schedules.retain(|it| it.id.as_str() <= end.as_str());
        }
        Ok(Self { schedules, sources: sources.found, odd, next: sources.next.or(next) })
    }

    /// Adds what cannot be read to `all`, unless it is there: stretches overlap.
    pub fn add_odd_to(&self, all: &mut Vec<OddRecord>) {
        let sources = self
            .sources
            .odd
            .iter()
            .map(|it| OddRecord { id: format!("DataSource {}", it.id), reason: it.reason.clone() });
        for odd in sources.chain(self.odd.iter().cloned()) {
            if !all.contains(&odd) {
                all.push(odd);
            }
        }
    }
}
