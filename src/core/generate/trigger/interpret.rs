//! What an event asks for. Pure: it gets the worker's rules and the moment, and never reads a clock.

use crate::core::generate::spec::{BusinessDateSpec, TriggerSpec};
use crate::core::generate::window::Window;
use crate::core::model::message::Received;
use crate::core::model::run::BusinessDate;
use crate::core::model::shown::Shown;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Longest piece of an event that a reason repeats, in characters.
const SHOWN_MAX: usize = 60;

/// What an event asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TriggerDecision {
    /// A run for this day.
    Run(BusinessDate),
    /// Nothing: the event is for another worker.
    Other,
    /// The event cannot be understood or is not believed, for this reason.
    Odd(String),
}

/// Interprets an event: a JSON object that fits the trigger's `match`. It asks for the day at the pointer (`2026-11-21`, `20261121`,
/// or a moment with its offset, taken in the zone). Without a value there, it asks for the day of its own timestamp in the zone.
/// Either is taken only within the window of `business_date.accept` at `now`.
pub fn interpret(
    message: &Received,
    trigger: &TriggerSpec,
    dates: &BusinessDateSpec,
    now: Timestamp,
) -> TriggerDecision {
    let event = match serde_json::from_slice::<Value>(&message.payload) {
        Ok(Value::Object(fields)) => Value::Object(fields),
        Ok(other) => return TriggerDecision::Odd(format!("it is {}, not a JSON object", kind(&other))),
        Err(error) => return TriggerDecision::Odd(format!("it is not JSON: {error}")),
    };
    let fits = |(pointer, wanted): &(String, Value)| event.pointer(pointer).is_some_and(|found| same(found, wanted));
    if !trigger.matches.iter().all(fits) {
        return TriggerDecision::Other;
    }
    match date(&event, message.at, dates) {
        Ok(date) => match Window::at(dates, now, message.at).refusal(BusinessDate(date)) {
            None => TriggerDecision::Run(BusinessDate(date)),
            Some(reason) => TriggerDecision::Odd(reason),
        },
        Err(reason) => TriggerDecision::Odd(reason),
    }
}

fn date(event: &Value, at: Option<Timestamp>, dates: &BusinessDateSpec) -> Result<Date, String> {
    let zone = || {
        TimeZone::get(&dates.timezone).map_err(|error| format!("business_date.timezone `{}`: {error}", dates.timezone))
    };
    let pointer = dates.pointer.as_str();
    // A null is a producer's way to say that it has no date.
    let found = if pointer.is_empty() { None } else { event.pointer(pointer) }.filter(|found| !found.is_null());
    let Some(found) = found else {
        let moment = at.ok_or_else(|| format!("it has no business date at `{pointer}`, and no timestamp"))?;
        return Ok(moment.to_zoned_datetime(zone()?).date());
    };
    let text = match found {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        other => return Err(format!("at `{pointer}` stands {}, not a date", kind(other))),
    };
    if let Some(BusinessDate(day)) = BusinessDate::parse(&text) {
        return Ok(day);
    }
    match text.parse::<Timestamp>() {
        Ok(moment) => Ok(moment.to_zoned_datetime(zone()?).date()),
        Err(_) => Err(format!("at `{pointer}` stands `{}`, which is no date", short(&text))),
    }
}

/// JSON has one kind of number: 1 and 1.0 are the same.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found == wanted || found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn short(text: &str) -> String {
    Shown(text, SHOWN_MAX).to_string()
}
