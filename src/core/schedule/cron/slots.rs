//! Due instants, one after the other: an expression's local times in a zone, and what clock changes make of them.

use super::Times;
use super::offsets::{Offsets, Stretch};
use super::time::Local;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::{max, min};

/// What becomes of local times that a clock change skips or repeats.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Dst {
    /// As Quartz: a skipped time is not due, a repeated time is due once, in the later pass.
    #[default]
    Quartz,
    /// A skipped time is due at the moment of the change; a repeated time once, in the later pass.
    RunMissing,
    /// A skipped time is not due, a repeated time is due once, in the earlier pass.
    First,
    /// A skipped time is not due, a repeated time is due in both passes. Whoever looks every few minutes wants this: with the
    /// others, an hour is silent.
    Both,
}

/// Due instants in order. See [`Expression::slots`](super::Expression::slots).
#[derive(Debug)]
pub struct Slots<'a> {
    times: Times<'a>,
    dst: Dst,
    offsets: Offsets,
    stretch: Stretch,
    /// The first second that may be the next due one. `None` behind the end.
    from: Option<i64>,
    /// `from` on the local clock, where the last due one lies in the same stretch: it need not be worked out again.
    local: Option<Local>,
}

impl Dst {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::Quartz, Self::RunMissing, Self::First, Self::Both];

    /// The word in files and options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quartz => "quartz",
            Self::RunMissing => "run_missing",
            Self::First => "first",
            Self::Both => "both",
        }
    }
}

impl<'a> Slots<'a> {
    pub(super) fn new(times: Times<'a>, zone: &TimeZone, dst: Dst, after: Timestamp) -> Self {
        // `as_second` goes towards zero; before 1970, a part of a second counts back.
        let from = after.as_second() - i64::from(after.subsec_nanosecond() < 0) + 1;
        let offsets = Offsets::of(zone);
        let stretch = offsets.at(from);
        Self { times, dst, offsets, stretch, from: Some(from), local: None }
    }

    /// The next due second, since 1970-01-01T00:00:00Z.
    fn next_second(&mut self) -> Option<i64> {
        loop {
            let from = self.from?;
            let Stretch { start, end, offset, before, after, .. } = self.stretch;
            if from == start && self.dst == Dst::RunMissing && before < offset {
                let skipped = self.times.next_local(Local::from_seconds(start + before))?;
                if skipped.seconds() < start + offset {
                    return Some(start);
                }
            }
            // Local times that this stretch shares with the one before or behind are due in one of both.
            let (mut low, mut high) = (from + offset, end.map(|end| end + offset));
            match self.dst {
                Dst::Both => {}
                Dst::First => low = max(low, start.saturating_add(before)),
                Dst::Quartz | Dst::RunMissing => high = high.zip(end).map(|(high, end)| min(high, end + after)),
            }
            let (from, found) = match self.local.take() {
                Some(from) => (from, self.times.next_behind(from)),
                None => (Local::from_seconds(low), self.times.next_local(Local::from_seconds(low))),
            };
            match found {
                Some(local) if high.is_none_or(|high| local.seconds() < high) => {
                    self.local = Some(local.next_second());
                    return Some(local.seconds() - offset);
                }
                Some(_) => {}
                // There is none any more, unless the clock goes back behind where it was looked for.
                None if end.is_some_and(|end| end + after < from.seconds()) => {}
                None => return None,
            }
            self.enter(self.offsets.behind(&self.stretch)?);
        }
    }

    fn enter(&mut self, stretch: Stretch) {
        (self.from, self.local, self.stretch) = (Some(stretch.start), None, stretch);
    }
}

impl Iterator for Slots<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        let second = self.next_second();
        self.from = second.map(|second| second + 1);
        if self.from.is_some() && self.from == self.stretch.end {
            match self.offsets.behind(&self.stretch) {
                Some(stretch) => self.enter(stretch),
                None => self.from = None,
            }
        }
        Timestamp::from_second(second?).ok()
    }
}
