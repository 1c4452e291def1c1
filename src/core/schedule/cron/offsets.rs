//! A zone's offsets from UTC, as far as expressions reach. They are found once for each zone of a process: the search for one change
//! costs as much as that for many due times. Whoever changes the host's time zones restarts the process.

use super::{YEAR_MAX, YEAR_MIN, civil};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Found so far, by the zone's name.
static FOUND: RwLock<BTreeMap<String, Arc<[Change]>>> = RwLock::new(BTreeMap::new());

/// Changes of one zone that are kept: no zone has four a year.
const CHANGES_MAX: usize = 1000;

/// A day, in seconds.
const DAY: i64 = 86_400;

/// From when on an offset holds.
#[derive(Clone, Copy, Debug)]
struct Change {
    /// Seconds since 1970-01-01T00:00:00Z.
    start: i64,
    /// Local time less UTC, in seconds.
    offset: i64,
}

/// The offsets of one zone, in order. The first holds since ever.
#[derive(Clone, Debug)]
pub(super) struct Offsets(Arc<[Change]>);

/// A stretch of time with one offset from UTC. All in seconds, since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    index: usize,
    pub(super) start: i64,
    /// Exclusive. `None` for the last one.
    pub(super) end: Option<i64>,
    /// Local time less UTC.
    pub(super) offset: i64,
    /// The offset of the stretch before.
    pub(super) before: i64,
    /// The offset of the stretch behind.
    pub(super) after: i64,
}

impl Offsets {
    pub(super) fn of(zone: &TimeZone) -> Self {
        let Some(name) = zone.iana_name() else { return Self(find(zone)) };
        let found = FOUND.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        Self(found.unwrap_or_else(|| {
            let found = find(zone);
            FOUND.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&found));
            found
        }))
    }

    /// The stretch that a second lies in.
    pub(super) fn at(&self, second: i64) -> Stretch {
        self.stretch(self.0.partition_point(|change| change.start <= second).saturating_sub(1))
    }

    /// The stretch behind this one.
    pub(super) fn behind(&self, stretch: &Stretch) -> Option<Stretch> {
        stretch.end.map(|_| self.stretch(stretch.index + 1))
    }

    fn stretch(&self, index: usize) -> Stretch {
        let at = |index: usize| self.0.get(index);
        let Change { start, offset } = at(index).copied().unwrap_or(Change { start: i64::MIN, offset: 0 });
        let (before, behind) = (index.checked_sub(1).and_then(at), at(index + 1));
        Stretch {
            index,
            start,
            end: behind.map(|change| change.start),
            offset,
            before: before.map_or(offset, |change| change.offset),
            after: behind.map_or(offset, |change| change.offset),
        }
    }
}

/// All offsets from before the first year that an expression may name until behind the last one.
fn find(zone: &TimeZone) -> Arc<[Change]> {
    let first = civil::days(i64::from(YEAR_MIN), 1, 1) * DAY - 7 * DAY;
    let last = civil::days(i64::from(YEAR_MAX) + 1, 1, 1) * DAY + 7 * DAY;
    let from = Timestamp::from_second(first).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = |at: Timestamp| i64::from(zone.to_offset(at).seconds());
    let mut found = vec![Change { start: i64::MIN, offset: offset(from) }];
    // What is strictly behind the second before may be this very one.
    let from = from.checked_sub(SignedDuration::from_secs(1)).unwrap_or(from);
    for change in zone.following(from).take(CHANGES_MAX) {
        let start = change.timestamp().as_second();
        if start > last {
            break;
        }
        found.push(Change { start, offset: i64::from(change.offset().seconds()) });
    }
    found.into()
}
