//! A walk through a worker's runs that are not published, oldest business date first. A look reads so many records and no more; the next
//! one goes on behind them. So no number of records makes a look long, and each is reached.

use super::spec::BusinessDateSpec;
use super::window;
use crate::core::model::names::WorkerId;
use crate::core::model::run::{RunId, RunRecord};
use crate::core::ports::runs::{Behind, RunStore, Stretch};
use crate::core::ports::store::{OddRecord, StoreError};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Records asked for at a time.
pub(super) const STRETCH: usize = 256;

/// Stretches of one look: more runs than ten years have working days. A larger store is walked through in several looks.
const STRETCHES: usize = 16;

/// Odd records that are kept of one walk. Each of them has to be mended; more names make that no clearer.
const ODD_MAX: usize = 20;

/// How far a look came.
#[derive(Debug)]
pub(super) enum Looked<T> {
    /// To what was looked for.
    Found(T),
    /// To the end of what one look reads. The next one goes on there.
    Part,
    /// To the end of the list.
    End,
}

/// Reads on behind `behind`, and moves it when this look reads its share or the list's end. Each stretch goes to `take`, until that
/// finds something; then the next look begins where this one did.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn look<T>(
    runs: &dyn RunStore,
    worker: &WorkerId,
    behind: &mut Option<Behind>,
    mut take: impl FnMut(Vec<RunRecord>, Vec<OddRecord>) -> Option<T> + Send,
) -> Result<Looked<T>, StoreError> {
    let mut at = behind.clone();
    for _ in 0..STRETCHES {
        let Stretch { found, next } = runs.unpublished(worker, at.as_ref(), STRETCH).await?;
        if let Some(found) = take(found.records, found.odd) {
            return Ok(Looked::Found(found));
        }
        if next.is_none() {
            *behind = None;
            return Ok(Looked::End);
        }
        at = next;
    }
    *behind = at;
    Ok(Looked::Part)
}

/// The runs of yesterday and today, by their names: however far the walk is, they are looked at. One that cannot be read now is not among
/// them.
pub(super) async fn recent(
    runs: &dyn RunStore,
    worker: &WorkerId,
    dates: &BusinessDateSpec,
    now: Timestamp,
) -> Vec<RunRecord> {
    let mut found = Vec::new();
    for date in window::recent(dates, now) {
        let run = RunId { worker: worker.clone(), date };
        found.extend(runs.run(&run).await.ok().flatten());
    }
    found
}

/// Keeps the first odd records.
pub(super) fn keep_odd(kept: &mut BTreeSet<OddRecord>, more: impl IntoIterator<Item = OddRecord>) {
    for odd in more {
        if kept.len() >= ODD_MAX {
            return;
        }
        kept.insert(odd);
    }
}
