//! When a schedule is due: an expression, the zone whose clock it reads, and the days that it leaves out.

use super::cron::{Dst, Expression};
use crate::core::model::calendar::Calendar;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A set of due instants. It is fixed: no answer depends on when one asks.
#[derive(Clone, PartialEq, Debug)]
pub struct Timetable {
    /// Which seconds of the local clock are due.
    pub expression: Expression,
    /// The zone of that clock.
    pub zone: TimeZone,
    /// What becomes of times that a clock change skips or repeats.
    pub dst: Dst,
    /// A time on a day without business is left out. `None`: every day is as good as another.
    pub calendar: Option<Calendar>,
}

impl Timetable {
    /// The first due instant after `after`; `None` when there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut after = after;
        loop {
            let due = self.expression.next_after(&self.zone, self.dst, after)?;
            let day = self.zone.to_datetime(due).date();
            if self.calendar.is_none_or(|calendar| calendar.is_open(day)) {
                return Some(due);
            }
            // On with the next day: an expression may name every second of this one. A day that a zone leaves out begins
            // where the one behind it does.
            let midnight = day.tomorrow().ok()?.to_zoned(self.zone.clone()).ok()?.timestamp();
            after = midnight.checked_sub(SignedDuration::from_nanos(1)).ok()?.max(due);
        }
    }

    /// The first due instants after `after`, at most `count`.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(after), |due| self.next_after(*due)).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upcoming(text: &str, zone: &str, calendar: Calendar, from: &str, count: usize) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let expression = Expression::parse(text).unwrap();
        let table = Timetable { expression, zone, dst: Dst::Quartz, calendar: Some(calendar) };
        table.upcoming(from.parse().unwrap(), count).iter().map(Timestamp::to_string).collect()
    }

    #[test]
    fn days_without_business_are_left_out() {
        let nights = upcoming("0 0 4 * * ?", "UTC", Calendar::Target, "2026-04-02T12:00:00Z", 2);
        assert_eq!(nights, ["2026-04-07T04:00:00Z", "2026-04-08T04:00:00Z"], "Good Friday to Easter Monday");
        // The day is the zone's, not that of UTC.
        let tokyo = upcoming("0 0 8 * * ?", "Asia/Tokyo", Calendar::Weekends, "2026-11-27T12:00:00Z", 1);
        assert_eq!(tokyo, ["2026-11-29T23:00:00Z"], "Monday there");
    }

    #[test]
    fn a_timetable_of_closed_days_alone_has_no_times() {
        assert!(
            upcoming("* * * ? * SAT,SUN", "Europe/Berlin", Calendar::Weekends, "2026-11-28T00:00:00Z", 1).is_empty()
        );
    }
}
