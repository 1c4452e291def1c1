//! A data source as somebody describes it, held against all that must be true of it.

mod fault;
mod fields;
mod rate;
#[cfg(test)]
mod tests;

pub use fault::{Fault, Faults};

use super::roots::{PathFault, Roots};
use super::spec::Defaults;
use crate::core::model::calendar::Calendar;
use crate::core::model::data_source::{
    Action, ClockChange, ClosedDay, DataSource, DataSourceId, DeadlineTime, Discover, Misfire, Overlap,
};
use crate::core::model::pattern::Pattern;
use crate::core::model::shown;
use crate::core::schedule::cron::Expression;
use fields::Fields;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeSet;

/// Longest name, in characters.
const NAME_MAX: usize = 100;

/// Longest description, in characters.
const DESCRIPTION_MAX: usize = 2000;

/// Longest name of another part of the daemon, of a zone, a calendar or a done-file, in characters.
const WORD_MAX: usize = 200;

/// Fields that only the store sets. They are taken and not looked at, so that what was read can be sent back.
const KEPT: [&str; 5] = ["id", "version", "createdAt", "updatedAt", "warnings"];

/// What a data source is held against.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    /// Folders that it may name.
    pub roots: Roots,
    /// What holds where it says nothing.
    pub defaults: Defaults,
    /// Names of the scheduler's own calendars.
    pub calendars: BTreeSet<String>,
    /// What else the same daemon serves.
    pub others: Others,
}

/// What the same daemon serves beside the scheduler, by name: data sources may name it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Others {
    /// Workers, whose runs are started.
    pub workers: BTreeSet<String>,
    /// Transfers that collect, to which files are brought.
    pub transfers: BTreeSet<String>,
}

/// What the store knows of a data source beside what people say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Which.
    pub id: DataSourceId,
    /// Counts its changes, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Rules {
    /// Reads a data source. Fields that are left out have the scheduler's defaults.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(&self, given: &Value, stamp: Stamp) -> Result<DataSource, Faults> {
        let Value::Object(object) = given else {
            let (message, hint) = ("a data source is a JSON object", "write { \"name\": …, \"path\": … }");
            let fault = Fault { pointer: String::new(), message: message.to_owned(), hint: hint.to_owned(), at: None };
            return Err(Faults(vec![fault]));
        };
        let mut fields = Fields::new(object);
        let source = DataSource {
            name: name(&mut fields),
            description: fields.text("description", DESCRIPTION_MAX).unwrap_or_default(),
            path: self.path(&mut fields),
            pattern: pattern(&mut fields),
            recursive: fields.flag("recursive").unwrap_or(false),
            cron_expression: self.cron(&mut fields),
            zone: self.zone(&mut fields),
            calendar: self.calendar(&mut fields),
            is_active: fields.flag("isActive").unwrap_or(true),
            overlap: fields.choice::<Overlap>("overlap").unwrap_or(self.defaults.overlap),
            misfire: fields.choice::<Misfire>("misfire").unwrap_or(self.defaults.misfire),
            action: self.action(&mut fields),
            dst: fields.choice::<ClockChange>("dst"),
            closed_day: fields.choice::<ClosedDay>("closedDay"),
            deadline: deadline(&mut fields),
            pause_after_failures: fields.whole("pauseAfterFailures", 1_000_000),
            id: stamp.id,
            version: stamp.version,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
        };
        fields.refuse_others(&KEPT);
        fields.end(source)
    }

    fn path(&self, fields: &mut Fields<'_>) -> String {
        let Some(path) = fields.required("path", usize::MAX) else { return String::new() };
        if let Err(fault) = self.roots.place(&path) {
            let hint = match fault {
                PathFault::Outside => format!("write a folder below {}", self.roots.shown()),
                PathFault::Empty | PathFault::TooLong | PathFault::Control | PathFault::Up => {
                    "write a folder by its path".to_owned()
                }
            };
            fields.refuse("path", format!("the path cannot be taken: {fault}"), hint);
        }
        path
    }

    /// The expression, or that of the rate which stands for it.
    fn cron(&self, fields: &mut Fields<'_>) -> String {
        let rate = fields.text("pollingRate", WORD_MAX);
        let cron = fields.text("cronExpression", WORD_MAX);
        match (cron, rate) {
            (Some(cron), Some(_)) => {
                fields.refuse("pollingRate", "cronExpression says when, too", "leave one of the two out");
                cron
            }
            (None, Some(rate)) => match rate::expression(&rate) {
                Ok(expression) => expression,
                Err((message, hint)) => {
                    fields.refuse("pollingRate", message, hint);
                    String::new()
                }
            },
            (cron, None) => {
                let cron = cron.unwrap_or_else(|| self.defaults.cron.clone());
                if let Err(error) = Expression::parse(&cron) {
                    let before = |end: usize| cron.get(..end).unwrap_or_default().chars().count();
                    let at = before(error.at.start)..before(error.at.end);
                    let (message, hint) = (error.to_string(), error.hint);
                    fields.refuse_at("cronExpression", message, hint, Some(at));
                }
                cron
            }
        }
    }

    fn zone(&self, fields: &mut Fields<'_>) -> String {
        let zone = fields.text("zone", WORD_MAX).unwrap_or_else(|| self.defaults.zone.clone());
        if let Ok(known) = TimeZone::get(&zone) {
            // As its database writes it: other readers of the document may tell capital from small letters.
            return known.iana_name().map_or(zone, str::to_owned);
        }
        fields.refuse("zone", "no time zone has this name", "write an IANA name: UTC, Europe/Berlin");
        zone
    }

    fn calendar(&self, fields: &mut Fields<'_>) -> Option<String> {
        let name = fields.text("calendar", WORD_MAX)?;
        if Calendar::parse(&name).is_none() && !self.calendars.contains(&name) {
            let own = self.calendars.iter().map(String::as_str);
            let all: Vec<&str> = Calendar::NAMES.into_iter().chain(own).collect();
            fields.refuse(
                "calendar",
                "there is no such calendar",
                format!("write {}, or null; `calendars:` of the scheduler file names files of dates", all.join(", ")),
            );
        }
        Some(name)
    }

    fn action(&self, fields: &mut Fields<'_>) -> Action {
        let Some(given) = fields.take("action") else { return Action::default() };
        let one = given.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
        let form = "write {\"discover\":{}}, {\"transfer\":\"NAME\"} or {\"run\":\"NAME\"}";
        match one.map(|(name, value)| (name.as_str(), value)) {
            Some(("discover", Value::Object(settings))) => discover(fields, settings),
            Some(("transfer", Value::String(name))) => {
                served(fields, "transfer", name, &self.others.transfers);
                Action::Transfer(name.clone())
            }
            Some(("run", Value::String(name))) => {
                served(fields, "run", name, &self.others.workers);
                Action::Run(name.clone())
            }
            _ => {
                fields.refuse("action", "this is no action", form);
                Action::default()
            }
        }
    }
}

fn name(fields: &mut Fields<'_>) -> String {
    let Some(name) = fields.required("name", NAME_MAX) else { return String::new() };
    let trimmed = name.trim().to_owned();
    if trimmed.is_empty() {
        fields.refuse("name", "the name is empty", "write what people call it");
    } else if trimmed.chars().any(|c| shown::is_harmful(c) && !matches!(c, '\u{200c}' | '\u{200d}')) {
        let fault = "the name holds a control character, or one that turns the text around or is not seen";
        fields.refuse("name", fault, "write it in one line of letters");
    }
    trimmed
}

fn pattern(fields: &mut Fields<'_>) -> String {
    let pattern = fields.text("pattern", usize::MAX).unwrap_or_else(|| "*".to_owned());
    if let Err(fault) = Pattern::parse(&pattern) {
        let hint = "for example *.csv, loans_??.txt, {a,b}.csv, **/*.csv";
        fields.refuse("pattern", format!("the pattern cannot be taken: {fault}"), hint);
    }
    pattern
}

/// What a due time starts is served by the same daemon, or nothing would ever start.
fn served(fields: &mut Fields<'_>, what: &str, name: &str, there: &BTreeSet<String>) {
    if there.contains(name) {
        return;
    }
    let hint = if there.is_empty() {
        format!("name its file beside this one when the daemon starts; it serves no {what} now")
    } else {
        format!("there are {}", there.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
    };
    let message = format!("this daemon serves nothing of the name {}", shown::text(name));
    fields.refuse(&format!("action/{what}"), message, hint);
}

fn discover(fields: &mut Fields<'_>, settings: &serde_json::Map<String, Value>) -> Action {
    let mut inner = Fields::below("action/discover", settings);
    let stable_for = inner.duration("stableFor");
    let done_file = inner.text("doneFile", WORD_MAX);
    if let Some(name) = &done_file
        && (name.is_empty() || name.contains('/') || name.chars().any(char::is_control))
    {
        inner.refuse("doneFile", "this is no name of a file", "write {name}.done, or a name such as _SUCCESS");
    }
    inner.refuse_others(&[]);
    fields.absorb(inner);
    Action::Discover(Discover { stable_for, done_file })
}

fn deadline(fields: &mut Fields<'_>) -> Option<DeadlineTime> {
    let given = fields.take("deadline")?;
    let time = given.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("time")?.as_str());
    // As the clockwork reads it, and no seconds.
    let fits = |time: &str| time.len() == 5 && time.get(2..3) == Some(":") && time.parse::<jiff::civil::Time>().is_ok();
    let Some(time) = time.filter(|time| fits(time)) else {
        fields.refuse("deadline", "this is no deadline", "write {\"time\":\"06:30\"}, on the clock of its zone");
        return None;
    };
    Some(DeadlineTime { time: time.to_owned() })
}
