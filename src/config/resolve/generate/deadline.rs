//! When files are due.

use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::common::WEEKDAYS;
use crate::config::grammar::generate::DEADLINE;
use crate::config::resolve::{check_zone, days};
use crate::config::values;
use crate::core::generate::spec::{BusinessDateSpec, DeadlineSpec};
use crate::core::model::run_schedule::{DueDate, RunSchedule};
use jiff::civil::{Time, Weekday};

/// The deadline. `Some(None)` when the file has none. `None` when something is wrong.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no deadline")]
pub(super) fn deadline(
    at: &Cursor<'_>,
    dates: Option<&BusinessDateSpec>,
    clock: Option<&RunSchedule>,
) -> Option<Option<DeadlineSpec>> {
    if at.value().is_none() {
        return Some(None);
    }
    let fields = at.read(&DEADLINE);
    let given_zone = fields.owned("timezone");
    if let Some(zone) = &given_zone {
        check_zone(&fields.place("timezone"), zone);
    }
    let (time, weekdays) = (time(&fields), weekdays(&fields));
    // A run of the day before comes on days with business, for dates of any kind.
    let shared =
        clock.filter(|clock| clock.business_date != DueDate::DayBefore).and_then(|clock| clock.calendar.clone());
    let calendar =
        if at.field("calendar").is_some() { Some(days(&fields, "calendar", at.context.folder)?) } else { shared };
    Some(Some(DeadlineSpec {
        time: time?,
        days_after: u8::try_from(fields.whole("days_after")?).ok()?,
        timezone: given_zone.or_else(|| Some(dates?.timezone.clone()))?,
        weekdays: weekdays?,
        calendar,
        warn_before: fields.duration("warn_before")?,
    }))
}

fn time(fields: &Fields<'_>) -> Option<Time> {
    let time = values::clock(&fields.text("time").filter(|text| !text.is_empty())?);
    if time.is_none() {
        let place = fields.place("time");
        let message = format!("`time` must be a time of the day, but is {}", place.shown());
        place.report("impossible-value", message, "write hours and minutes: `\"06:30\"`, `\"23:45\"`");
    }
    time
}

/// In the week's order, so that the same days are the same value; all when the file names none.
fn weekdays(fields: &Fields<'_>) -> Option<Vec<Weekday>> {
    let mut given = Vec::new();
    for item in fields.place("weekdays").items() {
        let day = values::weekday(item.text()?)?;
        if given.contains(&day) {
            let message = format!("{} stands twice among the weekdays", item.shown());
            item.report("impossible-value", message, "remove one of them");
        }
        given.push(day);
    }
    let all = WEEKDAYS.iter().filter_map(|name| values::weekday(name));
    Some(all.filter(|day| given.is_empty() || given.contains(day)).collect())
}
