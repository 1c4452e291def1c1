//! What a cron expression means, for whoever types one: in words, with its next times, or with what is wrong and where.

use super::cron::Expression;
use super::plan::{self, Settings};
use super::spec::Defaults;
use super::timetable::{Affected, Timetable};
use super::words;
use crate::core::model::calendar::Calendar;
use crate::core::model::data_source::{ClockChange, ClosedDay, DataSource, Misfire, Overlap, Words};
use crate::core::model::schedule::Rule;
use crate::core::model::shown;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How far ahead dates are told whose times do not stay.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 61);

/// Such dates, at most.
const LEFT_MAX: usize = 12;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// The expression.
    pub expression: String,
    /// The zone. `None`: the scheduler's.
    pub zone: Option<String>,
    /// Days without business. `None`: every day is as good as another.
    pub calendar: Option<String>,
    /// What becomes of times on days without business. `None`: they are left out.
    pub closed_day: Option<String>,
    /// Clock changes. `None`: as the scheduler says.
    pub dst: Option<String>,
    /// How many times.
    pub count: usize,
}

/// What it means.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Whether it can be used.
    pub ok: bool,
    /// In a sentence. `None`: it means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Its next times; none when it is never due again.
    pub next: Vec<Next>,
    /// Dates whose times do not stay: until the last of the next times, and for two months at least.
    pub affected: Vec<Left>,
    /// Up to how many seconds behind its due time each execution begins. `None`: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<u64>,
    /// What is wrong. `None`: nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Wrong>,
}

/// A due time on both clocks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Next {
    /// On the zone's clock, with its offset.
    pub local: String,
    /// In UTC.
    pub utc: String,
}

/// A date whose times do not stay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// The date that the expression names: `2026-12-25`.
    pub date: String,
    /// Where its times go. `None`: they are left out.
    pub moved_to: Option<String>,
    /// In words: `left out: 2026-12-25, holiday of target`.
    pub words: String,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Wrong {
    /// Which field: `cronExpression`, `zone`, `calendar`, `closedDay`, `dst`.
    pub field: &'static str,
    /// What.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    /// From which character of the expression, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    /// Up to which, exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<usize>,
}

/// Explains an expression.
pub fn explain(question: &Question, settings: &Settings, defaults: &Defaults, now: Timestamp) -> Explained {
    let text = question.expression.trim();
    let wrong = |error| Explained {
        ok: false,
        words: None,
        next: Vec::new(),
        affected: Vec::new(),
        jitter_seconds: None,
        error: Some(error),
    };
    if let Err(error) = Expression::parse(text) {
        let chars = |end: usize| text.get(..end).unwrap_or_default().chars().count();
        let (start, end) = (Some(chars(error.at.start)), Some(chars(error.at.end)));
        let message = error.to_string();
        return wrong(Wrong { field: "cronExpression", message, hint: error.hint, start, end });
    }
    let choices = chosen("dst", question.dst.as_deref())
        .and_then(|dst| Ok((dst, chosen("closedDay", question.closed_day.as_deref())?)));
    let (dst, closed_day) = match choices {
        Ok(choices) => choices,
        Err(error) => return wrong(error),
    };
    let zone = question.zone.clone().unwrap_or_else(|| defaults.zone.clone());
    let rule = Rule { closed_day: closed_day.unwrap_or_default(), ..rule(text, &zone, question.calendar.clone(), dst) };
    match plan::timetable(&rule, settings) {
        Err(fault) => {
            wrong(Wrong { field: fault.field, message: fault.message, hint: fault.hint, start: None, end: None })
        }
        Ok(table) => {
            let next = table.upcoming(now, question.count);
            Explained {
                ok: true,
                words: Some(words::of(text)),
                affected: left(&table, rule.calendar.as_deref(), now, next.last().copied()),
                next: next.into_iter().map(|at| Next::on(&table.zone, at)).collect(),
                jitter_seconds: Some(settings.jitter.as_secs()).filter(|seconds| *seconds > 0),
                error: None,
            }
        }
    }
}

impl Next {
    fn on(clock: &TimeZone, at: Timestamp) -> Self {
        let local = at.to_zoned_datetime(clock.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string();
        Self { local, utc: at.to_string() }
    }
}

/// A choice by its word.
fn chosen<W: Words>(field: &'static str, word: Option<&str>) -> Result<Option<W>, Wrong> {
    let Some(word) = word else { return Ok(None) };
    W::parse(word).map(Some).ok_or_else(|| {
        let known: Vec<&str> = W::ALL.iter().map(|(_, word)| *word).collect();
        let message = format!("{} is no word of {field}", shown::name(word));
        Wrong { field, message, hint: format!("write {}", known.join(", ")), start: None, end: None }
    })
}

/// The next due times of a schedule, and the dates whose times do not stay. Nothing where its words mean nothing.
pub fn outlook(rule: &Rule, settings: &Settings, now: Timestamp, count: usize) -> (Vec<Next>, Vec<Left>) {
    let Ok(table) = plan::timetable(rule, settings) else { return Default::default() };
    let next = table.upcoming(now, count);
    let left = left(&table, rule.calendar.as_deref(), now, next.last().copied());
    (next.into_iter().map(|at| Next::on(&table.zone, at)).collect(), left)
}

/// The dates whose times do not stay, the first of them: days without business, and the clock change that comes next.
fn left(table: &Timetable, calendar: Option<&str>, now: Timestamp, last: Option<Timestamp>) -> Vec<Left> {
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX).max(last.unwrap_or(now));
    let calendar = calendar.unwrap_or_default();
    let closed = |it: Affected| {
        let date = it.day.to_string();
        let why = match it.day.weekday() {
            // A file of dates may close a Saturday for a reason of its own.
            Weekday::Saturday | Weekday::Sunday if Calendar::parse(calendar).is_some() => "weekend".to_owned(),
            _ => format!("holiday of {calendar}"),
        };
        let words = match it.moved_to {
            None => format!("left out: {date}, {why}"),
            Some(to) => format!("moved from {date} to {to}: {why}"),
        };
        Left { date, moved_to: it.moved_to.map(|to| to.to_string()), words }
    };
    let mut all: Vec<Left> = table.affected(now, until).into_iter().take(LEFT_MAX).map(closed).collect();
    if let Some(change) = table.left_out(now, until) {
        let date = table.zone.to_datetime(change.at).date().to_string();
        let words = format!("left out: {date}, {}", change.reason());
        all.push(Left { date, moved_to: None, words });
        all.sort_by(|a, b| a.date.cmp(&b.date));
    }
    all
}

/// The next due times of a data source; none where its words mean nothing.
pub fn upcoming(source: &DataSource, settings: &Settings, after: Timestamp, count: usize) -> Vec<Timestamp> {
    let rule = Rule {
        closed_day: source.closed_day.unwrap_or_default(),
        ..rule(&source.cron_expression, &source.zone, source.calendar.clone(), source.dst)
    };
    plan::timetable(&rule, settings).map(|table| table.upcoming(after, count)).unwrap_or_default()
}

fn rule(expression: &str, zone: &str, calendar: Option<String>, dst: Option<ClockChange>) -> Rule {
    Rule {
        cron_expression: expression.to_owned(),
        zone: zone.to_owned(),
        calendar,
        closed_day: ClosedDay::default(),
        dst,
        misfire: Misfire::default(),
        overlap: Overlap::default(),
        deadline: None,
        pause_after_failures: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        use std::time::Duration;
        Defaults {
            cron: "0 */2 * * * ?".to_owned(),
            zone: "UTC".to_owned(),
            misfire: Misfire::default(),
            overlap: Overlap::default(),
            dst: ClockChange::Quartz,
            grace: Duration::from_mins(1),
            jitter: Duration::ZERO,
            stable_for: Duration::ZERO,
            max_size: 1,
            look_within: Duration::ZERO,
            pause_after_failures: None,
        }
    }

    fn asked(text: &str, calendar: Option<&str>, closed_day: Option<&str>, dst: Option<&str>) -> Explained {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let question = Question {
            expression: text.to_owned(),
            zone: Some("Europe/Berlin".to_owned()),
            calendar: own(calendar),
            closed_day: own(closed_day),
            dst: own(dst),
            count: 2,
        };
        let settings = Settings { jitter: std::time::Duration::from_secs(30), ..Settings::default() };
        explain(&question, &settings, &defaults(), "2026-12-20T12:00:00Z".parse().unwrap())
    }

    fn told(explained: &Explained) -> (Vec<&str>, Vec<&str>) {
        let next = explained.next.iter().map(|it| &it.utc[..10]).collect();
        (next, explained.affected.iter().map(|it| it.words.as_str()).take(2).collect())
    }

    #[test]
    fn dates_that_a_calendar_closes_are_told_with_where_their_times_go() {
        let friday = asked("0 0 4 ? * FRI", Some("target"), None, None);
        let (holiday, new_year) =
            ("left out: 2026-12-25, holiday of target", "left out: 2027-01-01, holiday of target");
        assert_eq!(told(&friday), (vec!["2027-01-08", "2027-01-15"], vec![holiday, new_year]));
        let moved = asked("0 0 4 ? * FRI", Some("target"), Some("previous"), None);
        let words = "moved from 2026-12-25 to 2026-12-24: holiday of target";
        assert_eq!(
            told(&moved),
            (vec!["2026-12-24", "2026-12-31"], vec![words, "moved from 2027-01-01 to 2026-12-31: holiday of target"])
        );
        assert_eq!(moved.affected[0].moved_to.as_deref(), Some("2026-12-24"));
        let sunday = asked("0 0 4 ? * SUN", Some("weekends"), Some("next"), None);
        assert_eq!(told(&sunday).1[0], "moved from 2026-12-20 to 2026-12-21: weekend");
        assert_eq!(asked("0 0 4 ? * FRI", None, None, None).affected, []);
        assert_eq!(moved.jitter_seconds, Some(30));
    }

    #[test]
    fn a_clock_change_that_comes_before_the_last_time_is_told_and_a_choice_is_read() {
        let spring = asked("0 30 2 28 3 ?", None, None, None);
        let words = "left out: 2027-03-28, clocks went forward: 02:30:00 did not exist";
        assert_eq!(told(&spring).1, [words]);
        assert_eq!(asked("0 30 2 28 3 ?", None, None, Some("run_missing")).affected, []);
        for (closed_day, dst, field) in [(Some("never"), None, "closedDay"), (None, Some("never"), "dst")] {
            let wrong = asked("0 30 2 28 3 ?", None, closed_day, dst);
            assert_eq!((wrong.ok, wrong.error.map(|error| error.field)), (false, Some(field)));
        }
    }
}
