//! What clock changes leave out: local times that do not exist, and one of both passes of those that come twice.

use super::time::Local;
use super::{Dst, Times};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Times of one change that are counted. Beyond it the number says nothing more.
const COUNTED_MAX: u32 = 10_000;

/// Changes that are looked at for one that leaves something out. No zone has so many in ten years.
const CHANGES_MAX: usize = 40;

/// Which way the clocks went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockMove {
    /// Local times are skipped.
    Forward,
    /// Local times come twice.
    Back,
}

/// What one clock change leaves out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// When the clocks change.
    pub at: Timestamp,
    /// Which way.
    pub change: ClockMove,
    /// How many times of the expression are left out.
    pub times: u32,
    /// The first of them, on the local clock: `02:30:00`.
    pub first: String,
}

impl LeftOut {
    /// What happened, as a sentence without its end.
    pub fn reason(&self) -> String {
        let which = match self.times {
            1 => self.first.clone(),
            times => format!("{times} times from {} on", self.first),
        };
        match self.change {
            ClockMove::Forward => format!("clocks went forward: {which} did not exist"),
            ClockMove::Back => format!("clocks went back: {which} came twice and counts once"),
        }
    }
}

/// What the first change leaves out that leaves anything out.
pub(super) fn left_out(
    times: Times<'_>,
    zone: &TimeZone,
    dst: Dst,
    (after, until): (Timestamp, Timestamp),
) -> Option<LeftOut> {
    let second = SignedDuration::from_secs(1);
    for change in zone.following(after).take(CHANGES_MAX) {
        let at = change.timestamp();
        if at > until {
            return None;
        }
        let before = i64::from(zone.to_offset(at.checked_sub(second).ok()?).seconds());
        let behind = i64::from(change.offset().seconds());
        let (low, high) = (at.as_second() + before.min(behind), at.as_second() + before.max(behind));
        let moved = match (behind > before, dst) {
            (true, Dst::Quartz | Dst::First | Dst::Both) => ClockMove::Forward,
            (false, Dst::Quartz | Dst::RunMissing | Dst::First) => ClockMove::Back,
            // Skipped times are due at the change, and repeated ones twice.
            (true, Dst::RunMissing) | (false, Dst::Both) => continue,
        };
        if let Some((count, first)) = count(times, low, high) {
            return Some(LeftOut { at, change: moved, times: count, first });
        }
    }
    None
}

/// How many local times there are from `low` to before `high`, and the first one. `None` for none.
fn count(times: Times<'_>, low: i64, high: i64) -> Option<(u32, String)> {
    let mut local = times.next_local(Local::from_seconds(low)).filter(|local| local.seconds() < high)?;
    let (first, mut count) = (local.clock(), 1);
    while count < COUNTED_MAX {
        match times.next_local(local.next_second()) {
            Some(next) if next.seconds() < high => (local, count) = (next, count + 1),
            _ => break,
        }
    }
    Some((count, first))
}
