//! Due instants, one after the other: an expression's local times in a zone, and what clock changes make of them.

use super::Expression;
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

/// A stretch of time with one offset from UTC. All in seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: i64,
    /// Exclusive. `None` for the last one.
    end: Option<i64>,
    /// Local time less UTC.
    offset: i64,
    /// The offset of the stretch before.
    before: i64,
    /// The offset of the stretch behind.
    after: i64,
}

/// Due instants in order. See [`Expression::slots`].
#[derive(Debug)]
pub struct Slots<'a> {
    expression: &'a Expression,
    zone: &'a TimeZone,
    dst: Dst,
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
    pub(super) fn new(expression: &'a Expression, zone: &'a TimeZone, dst: Dst, after: Timestamp) -> Self {
        // `as_second` goes towards zero; before 1970, a part of a second counts back.
        let from = after.as_second() - i64::from(after.subsec_nanosecond() < 0) + 1;
        Self { expression, zone, dst, stretch: Stretch::of(zone, from), from: Some(from), local: None }
    }

    /// The next due second, since 1970-01-01T00:00:00Z.
    fn next_second(&mut self) -> Option<i64> {
        loop {
            let from = self.from?;
            let Stretch { start, end, offset, before, after } = self.stretch;
            if from == start && self.dst == Dst::RunMissing && before < offset {
                let skipped = self.expression.next_local(Local::from_seconds(start + before))?;
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
            let from = self.local.take().unwrap_or_else(|| Local::from_seconds(low));
            let local = self.expression.next_local(from)?;
            let seconds = local.seconds();
            if high.is_none_or(|high| seconds < high) {
                self.local = Some(local.next_second());
                return Some(seconds - offset);
            }
            self.enter(self.stretch.following(self.zone)?);
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
            match self.stretch.following(self.zone) {
                Some(stretch) => self.enter(stretch),
                None => self.from = None,
            }
        }
        Timestamp::from_second(second?).ok()
    }
}

impl Stretch {
    /// The stretch that a second lies in.
    fn of(zone: &TimeZone, second: i64) -> Self {
        let at = Timestamp::from_second(second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second() - 1))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = i64::from(zone.to_offset(at).seconds());
        // What is strictly before the next second may be this very one.
        let start = at.checked_add(jiff::SignedDuration::from_secs(1)).ok().and_then(|at| zone.preceding(at).next());
        let start = start.map(|change| change.timestamp());
        let before = start.and_then(|start| start.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
        let end = zone.following(at).next();
        Self {
            start: start.map_or(i64::MIN, Timestamp::as_second),
            end: end.as_ref().map(|change| change.timestamp().as_second()),
            offset,
            before: before.map_or(offset, |before| i64::from(zone.to_offset(before).seconds())),
            after: end.as_ref().map_or(offset, |change| i64::from(change.offset().seconds())),
        }
    }

    /// The stretch behind this one.
    fn following(&self, zone: &TimeZone) -> Option<Self> {
        let start = self.end?;
        let end = zone.following(Timestamp::from_second(start).ok()?).next();
        Some(Self {
            start,
            end: end.as_ref().map(|change| change.timestamp().as_second()),
            offset: self.after,
            before: self.offset,
            after: end.as_ref().map_or(self.after, |change| i64::from(change.offset().seconds())),
        })
    }
}
