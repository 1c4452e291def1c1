//! `filegen schedule next`: the next times of an expression, without any file.

use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ui::table;
use crate::config;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::data_source::{ClosedDay, Words};
use crate::core::schedule::cron::{Dst, Expression, ExpressionError};
use crate::core::schedule::timetable::{Affected, Closed, Timetable};
use crate::wiring;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::path::Path;

/// An expression has six or seven fields: second, minute, hour, day of the month, month, day of the week, and a year that may
/// be left out. One of the two day fields is `?`. Weekdays are SUN to SAT or 1 to 7; L is the last, 15W the workday nearest to
/// the 15th, FRI#2 the second Friday, FRIL the last one.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen schedule next \"0 30 2 ? * MON-FRI\" --zone Europe/Berlin
  filegen schedule next \"0 0 22 LW * ?\" --calendar target --count 12
  filegen schedule next \"0 30 2 * * ?\" --zone America/New_York --from 2026-03-07T00:00 --dst run_missing --output json")]
pub(super) struct Args {
    /// The cron expression, in quotes
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
    /// The zone whose clock it reads, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    zone: TimeZone,
    /// Look behind this moment: with an offset, or on the zone's clock [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// How many times to show
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    count: u16,
    /// Leave out days without business: weekends, those of target (the euro's) or us-federal too, or a file of dates (.yaml, .ics)
    #[arg(long, value_name = "CALENDAR", value_parser = calendar)]
    calendar: Option<BusinessDays>,
    /// What becomes of times on such days: skip (they are left out), previous or next (they move to that day with business)
    #[arg(long, value_name = "skip|previous|next", default_value = "skip", value_parser = closed_day, requires = "calendar")]
    closed_day: ClosedDay,
    /// What becomes of times that a clock change skips or repeats: quartz (skipped ones are not due, repeated ones once, in the
    /// later pass), run_missing (skipped ones right behind the change), first (the earlier pass), both (both passes)
    #[arg(long, value_name = "quartz|run_missing|first|both", default_value = "quartz", value_parser = dst)]
    dst: Dst,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "no time zone has this name: write an IANA name such as Europe/Berlin".to_owned())
}

fn calendar(name: &str) -> Result<BusinessDays, String> {
    config::calendar::calendar(name, Path::new("")).map_err(|error| format!("{error}; {}", error.hint))
}

fn closed_day(word: &str) -> Result<ClosedDay, String> {
    ClosedDay::parse(word).ok_or_else(|| "write skip, previous or next".to_owned())
}

fn dst(name: &str) -> Result<Dst, String> {
    Dst::ALL
        .into_iter()
        .find(|dst| dst.as_str() == name)
        .ok_or_else(|| "write quartz, run_missing, first or both".to_owned())
}

#[derive(Serialize)]
struct Upcoming<'a> {
    expression: &'a str,
    zone: &'a str,
    /// With the zone's offset.
    next: Vec<String>,
    /// Days without business that the expression names, up to the last time shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    affected: Vec<Left>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Left {
    date: String,
    /// `None`: left out.
    moved_to: Option<String>,
}

impl From<&Affected> for Left {
    fn from(affected: &Affected) -> Self {
        Self { date: affected.day.to_string(), moved_to: affected.moved_to.map(|day| day.to_string()) }
    }
}

/// Shows them.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let expression = Expression::parse(&args.expression).map_err(|error| unreadable(&args.expression, &error))?;
    let from = match &args.from {
        Some(text) => moment(text, &args.zone)?,
        None => wiring::clock().now(),
    };
    let closed = args.calendar.clone().map(|calendar| Closed { calendar, goes: args.closed_day });
    let table = Timetable { expression, zone: args.zone.clone(), dst: args.dst, closed };
    let due = table.upcoming(from, usize::from(args.count));
    if due.is_empty() {
        context.ui.status("it is never due again");
    }
    let local = |at: &Timestamp, form: &str| at.to_zoned_datetime(args.zone.clone()).strftime(form).to_string();
    let next = due.iter().map(|at| local(at, "%Y-%m-%dT%H:%M:%S%:z")).collect();
    let affected = due.last().map_or_else(Vec::new, |last| table.affected(from, *last));
    for day in &affected {
        let goes =
            day.moved_to.map_or_else(|| "left out".to_owned(), |to| format!("moved to {}", to.strftime("%a %F")));
        context.ui.status(&format!("{} is without business: {goes}", day.day.strftime("%a %F")));
    }
    let affected = affected.iter().map(Left::from).collect();
    let name = args.zone.iana_name().unwrap_or("UTC");
    context.ui.result(&Upcoming { expression: table.expression.as_str(), zone: name, next, affected }, |_| {
        let mut shown = context.ui.table(&[name, "UTC", "in"]);
        for at in &due {
            let wait = at.duration_since(from).unsigned_abs();
            shown.row(vec![
                table::text(local(at, "%a %Y-%m-%d %H:%M:%S %:z")),
                table::text(at.to_string()),
                table::right(table::span(wait)),
            ]);
        }
        if due.is_empty() { String::new() } else { shown.text() }
    });
    Ok(CommandEnd::Done)
}

/// A moment with an offset, or a time on the zone's clock.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let local = |time: DateTime| zone.to_ambiguous_timestamp(time).compatible();
    text.parse::<Timestamp>().or_else(|_| text.parse::<DateTime>().and_then(local)).map_err(|error| {
        Failure::caused(Code::Usage, &error)
            .context(format!("\"{text}\" is no moment"))
            .hint("write it as 2026-03-29T00:00:00Z, or as 2026-03-29T02:30 on the zone's clock")
    })
}

/// What is wrong, with the place marked under the expression.
fn unreadable(text: &str, error: &ExpressionError) -> Failure {
    let start = text.get(..error.at.start).unwrap_or_default().chars().count();
    let marked = text.get(error.at.clone()).unwrap_or_default().chars().count().max(1);
    // A control character would move the marks.
    let shown: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let marks = format!("  {:start$}{}", "", "^".repeat(marked));
    Failure::new(Code::Usage, error.to_string()).details(vec![format!("  {shown}"), marks]).hint(error.hint.clone())
}
