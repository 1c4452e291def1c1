//! What a cron expression means, for whoever types one: in words, with its next times, or with what is wrong and where.

use super::cron::Expression;
use super::plan::{self, Settings};
use super::spec::Defaults;
use super::words;
use crate::core::model::data_source::{ClockChange, ClosedDay, DataSource, Misfire, Overlap, Words};
use crate::core::model::schedule::Rule;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// The expression.
    pub expression: String,
    /// The zone. `None`: the scheduler's.
    pub zone: Option<String>,
    /// Days without business. `None`: every day is as good as another.
    pub calendar: Option<String>,
    /// Clock changes. `None`: as the scheduler says.
    pub dst: Option<String>,
    /// How many times.
    pub count: usize,
}

/// What it means.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// Whether it can be used.
    pub ok: bool,
    /// In a sentence. `None`: it means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Its next times; none when it is never due again.
    pub next: Vec<Next>,
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

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Wrong {
    /// Which field: `cronExpression`, `zone`, `calendar`.
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
    let wrong = |error| Explained { ok: false, words: None, next: Vec::new(), error: Some(error) };
    if let Err(error) = Expression::parse(text) {
        let chars = |end: usize| text.get(..end).unwrap_or_default().chars().count();
        let (start, end) = (Some(chars(error.at.start)), Some(chars(error.at.end)));
        let message = error.to_string();
        return wrong(Wrong { field: "cronExpression", message, hint: error.hint, start, end });
    }
    let zone = question.zone.clone().unwrap_or_else(|| defaults.zone.clone());
    let dst = question.dst.as_deref().and_then(ClockChange::parse);
    let rule = rule(text, &zone, question.calendar.clone(), dst);
    match plan::timetable(&rule, settings) {
        Err(fault) => {
            wrong(Wrong { field: fault.field, message: fault.message, hint: fault.hint, start: None, end: None })
        }
        Ok(table) => {
            let clock = TimeZone::get(&zone).unwrap_or(TimeZone::UTC);
            let next = |at: Timestamp| Next {
                local: at.to_zoned(clock.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string(),
                utc: at.to_string(),
            };
            let next = table.upcoming(now, question.count).into_iter().map(next).collect();
            Explained { ok: true, words: Some(words::of(text)), next, error: None }
        }
    }
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
