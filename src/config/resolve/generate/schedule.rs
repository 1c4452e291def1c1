//! A worker's own clock.

use crate::config::cursor::Cursor;
use crate::config::grammar::clock::CLOCK;
use crate::config::resolve::{check_cron, check_zone, days};
use crate::core::generate::spec::BusinessDateSpec;
use crate::core::model::data_source::{ClockChange, ClosedDay, Misfire, Words};
use crate::core::model::run_schedule::{DueDate, RunSchedule};

/// The clock. `Some(None)` when the file has none. `None` when something is wrong.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no clock")]
pub(super) fn schedule(at: &Cursor<'_>, dates: Option<&BusinessDateSpec>) -> Option<Option<RunSchedule>> {
    if at.value().is_none() {
        return Some(None);
    }
    let fields = at.read(&CLOCK);
    let cron = fields.owned("cron")?;
    check_cron(&fields.place("cron"), &cron);
    let given = fields.owned("zone");
    if let Some(zone) = &given {
        check_zone(&fields.place("zone"), zone);
    }
    let days = days(&fields, "calendar", at.context.folder);
    Some(Some(RunSchedule {
        cron,
        zone: given.or_else(|| Some(dates?.timezone.clone()))?,
        calendar: days,
        closed_day: ClosedDay::parse(&fields.text("closed_day")?)?,
        dst: ClockChange::parse(&fields.text("dst")?)?,
        misfire: Misfire::parse(&fields.text("misfire")?)?,
        grace: fields.duration("grace")?,
        business_date: DueDate::parse(&fields.text("business_date")?)?,
    }))
}
