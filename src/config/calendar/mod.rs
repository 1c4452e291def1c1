//! Calendars: the three that are known by a word, and files of dates (`.yaml`, `.ics`).

mod ics;
#[cfg(test)]
mod tests;

use super::tree::{self, Node, Value};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::business_days::BusinessDays;
use crate::core::model::calendar::Calendar;
use crate::files;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Largest file of dates, in bytes.
const BYTES_MAX: u64 = 4 << 20;

/// Dates of one calendar: two centuries of days.
const DATES_MAX: usize = 80_000;

/// Days of one range: more is a typing error in a year.
const RANGE_MAX: i32 = 3_660;

/// Why a calendar cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("calendar {}{}: {message}", .path.display(), .line.map_or_else(String::new, |line| format!(", line {line}")))]
pub struct CalendarError {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Where in it, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl HasKind for CalendarError {
    fn kind(&self) -> FailureKind {
        FailureKind::Config
    }
}

/// What is wrong in a text, and at which line.
#[derive(Debug)]
struct Fault {
    line: Option<usize>,
    message: String,
    hint: &'static str,
}

impl Fault {
    fn new(line: usize, message: impl Into<String>, hint: &'static str) -> Self {
        Self { line: Some(line), message: message.into(), hint }
    }
}

const WORDS: &str = "write weekends, target, us-federal, or name a file of dates: `holidays.yaml`, `holidays.ics`";

/// A calendar by its word, or a file of dates; a relative path starts in `folder`.
///
/// # Errors
/// When there is neither, or the file is none of dates.
pub fn calendar(name: &str, folder: &Path) -> Result<BusinessDays, CalendarError> {
    if let Some(rule) = Calendar::parse(name) {
        return Ok(rule.into());
    }
    let refuse = |line, message: String, hint: &str| CalendarError {
        path: PathBuf::from(name),
        line,
        message,
        hint: hint.to_owned(),
    };
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let read: fn(&str, &str) -> Result<BusinessDays, Fault> = match extension.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => yaml,
        "ics" => |name, text| ics::dates(text).map(|dates| BusinessDays::without(name, None, dates)),
        _ => return Err(refuse(None, "there is no calendar of this name".to_owned(), WORDS)),
    };
    let bytes = files::read(&folder.join(name), BYTES_MAX)
        .map_err(|error| refuse(None, format!("it cannot be read: {error}"), "look at the path and its rights"))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse(None, "it is not UTF-8".to_owned(), "save it as UTF-8"))?;
    read(name, text.strip_prefix('\u{feff}').unwrap_or(&text))
        .map_err(|fault| refuse(fault.line, fault.message, fault.hint))
}

const FORM: &str = "write a list of dates (`- 2026-12-24`, `- 2026-12-24/2026-12-31`), or `beside: target` and `dates:` with that list";

/// A list of dates; or `beside`, a calendar by its word, and `dates`.
fn yaml(name: &str, text: &str) -> Result<BusinessDays, Fault> {
    let (tree, problems) = tree::parse(text, &());
    if let Some(problem) = problems.into_sorted().into_iter().next() {
        return Err(Fault { line: problem.place.map(|place| place.line), message: problem.message, hint: FORM });
    }
    let line = |node: &Node| node.span.place(text).line;
    let Some(tree) = tree else { return Err(Fault::new(1, "there are no dates", FORM)) };
    match &tree.value {
        Value::List(items) => Ok(BusinessDays::without(name, None, listed(items, text)?)),
        Value::Map(entries) => {
            let (mut rule, mut dates) = (None, BTreeSet::new());
            for (field, node) in entries {
                match (field.text.as_str(), &node.value) {
                    ("beside", Value::Scalar(word)) => {
                        let unknown = || {
                            let message = format!("no calendar is called \"{}\"", word.text);
                            Fault::new(line(node), message, "write weekends, target or us-federal")
                        };
                        rule = Some(Calendar::parse(&word.text).ok_or_else(unknown)?);
                    }
                    ("dates", Value::List(items)) => dates = listed(items, text)?,
                    (other, _) => return Err(Fault::new(line(node), format!("\"{other}\" has no meaning so"), FORM)),
                }
            }
            Ok(BusinessDays::without(name, rule, dates))
        }
        _ => Err(Fault::new(line(&tree), "this is no list of dates", FORM)),
    }
}

fn listed(items: &[Node], text: &str) -> Result<BTreeSet<Date>, Fault> {
    let mut dates = BTreeSet::new();
    for item in items {
        let line = item.span.place(text).line;
        let Value::Scalar(scalar) = &item.value else { return Err(Fault::new(line, "this is no date", FORM)) };
        let (first, last) = scalar.text.split_once('/').unwrap_or((&scalar.text, &scalar.text));
        let date = |text: &str| {
            text.trim().parse::<Date>().map_err(|_| Fault::new(line, format!("\"{}\" is no date", scalar.text), FORM))
        };
        add(&mut dates, date(first)?, date(last)?, line)?;
    }
    Ok(dates)
}

/// Adds each day from the first to the last.
fn add(dates: &mut BTreeSet<Date>, first: Date, last: Date, line: usize) -> Result<(), Fault> {
    let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
    if !(0..RANGE_MAX).contains(&days) {
        let message = format!("{first} to {last} is no range of days");
        return Err(Fault::new(line, message, "write the earlier date first, and ten years at most"));
    }
    dates.extend(first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last));
    if dates.len() > DATES_MAX {
        return Err(Fault::new(line, format!("there are more than {DATES_MAX} dates"), "leave out what is long past"));
    }
    Ok(())
}
