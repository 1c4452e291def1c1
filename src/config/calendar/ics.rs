//! Whole days of an iCalendar file (RFC 5545): events with `DTSTART;VALUE=DATE`, their ranges, and those of every year. What else
//! an event may say about its days is refused, so that none is missed without a word.

use super::{Fault, add};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Last year of an event that comes back each year: as far as cron expressions reach.
const YEAR_MAX: i16 = 2199;

/// One property, unfolded.
struct Property<'a> {
    line: usize,
    name: String,
    parameters: String,
    value: &'a str,
}

/// What is known of the event being read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Date>,
    /// The day behind the last one.
    end: Option<Date>,
    days: Option<i32>,
    yearly: Option<Yearly>,
    excepted: BTreeSet<Date>,
    more: Vec<Date>,
    cancelled: bool,
}

/// How long an event comes back.
#[derive(Clone, Copy)]
struct Yearly {
    count: Option<i16>,
    until: Option<Date>,
    every: i16,
}

const WHOLE_DAY: &str = "make it an event of whole days: `DTSTART;VALUE=DATE:20261224`";

/// The days of all events.
pub(super) fn dates(text: &str) -> Result<BTreeSet<Date>, Fault> {
    let unfolded = unfold(text);
    if !unfolded.iter().any(|(_, line)| line.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(Fault::new(1, "there is no BEGIN:VCALENDAR", "name a file that a calendar program has exported"));
    }
    let mut dates = BTreeSet::new();
    let mut event: Option<Event> = None;
    // Parts of an event that have properties of the same names: alarms.
    let mut inner = 0_u32;
    for (number, line) in &unfolded {
        let property = property(*number, line);
        match (property.name.as_str(), property.value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => event = Some(Event { line: *number, ..Event::default() }),
            ("END", "VEVENT") => {
                if let Some(event) = event.take() {
                    event.days(&mut dates)?;
                }
            }
            ("BEGIN", _) => inner += u32::from(event.is_some()),
            ("END", _) => inner = inner.saturating_sub(1),
            _ => {
                if let Some(event) = event.as_mut().filter(|_| inner == 0) {
                    event.take(&property)?;
                }
            }
        }
    }
    match event {
        Some(event) => Err(Fault::new(event.line, "this event does not end", "the file is cut off; export it again")),
        None => Ok(dates),
    }
}

/// Lines by their number, with the ones that go on put together.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, last))) => last.push_str(more),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines
}

/// `NAME;PARAMETERS:VALUE`; a colon in quotes parts nothing.
fn property(line: usize, text: &str) -> Property<'_> {
    let mut quoted = false;
    let colon = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    });
    let (head, value) = colon.map_or((text, ""), |colon| (&text[..colon], &text[colon + 1..]));
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Property { line, name: name.to_ascii_uppercase(), parameters: parameters.to_ascii_uppercase(), value: value.trim() }
}

impl Property<'_> {
    fn fault(&self, message: impl Into<String>, hint: &'static str) -> Fault {
        Fault::new(self.line, message, hint)
    }

    /// Dates between commas.
    fn dates(&self) -> Result<Vec<Date>, Fault> {
        let is_date = self.parameters.split(';').any(|parameter| parameter == "VALUE=DATE");
        self.value
            .split(',')
            .map(|text| {
                // A date without its parameter is plain enough.
                let date = (is_date || text.len() == 8).then(|| compact(text)).flatten();
                date.ok_or_else(|| self.fault(format!("{} \"{text}\" is no whole day", self.name), WHOLE_DAY))
            })
            .collect()
    }

    fn date(&self) -> Result<Date, Fault> {
        match self.dates()?.as_slice() {
            [date] => Ok(*date),
            _ => Err(self.fault(format!("{} names several days", self.name), WHOLE_DAY)),
        }
    }
}

/// `20261224`.
fn compact(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i16>().ok();
    let small = |range| part(range).and_then(|value| i8::try_from(value).ok());
    if digits { Date::new(part(0..4)?, small(4..6)?, small(6..8)?).ok() } else { None }
}

impl Event {
    fn take(&mut self, property: &Property<'_>) -> Result<(), Fault> {
        match property.name.as_str() {
            "DTSTART" => self.start = Some(property.date()?),
            "DTEND" => self.end = Some(property.date()?),
            "DURATION" => self.days = Some(duration(property)?),
            "RRULE" => self.yearly = Some(yearly(property)?),
            "EXDATE" => self.excepted.extend(property.dates()?),
            "RDATE" => self.more.extend(property.dates()?),
            "STATUS" => self.cancelled = property.value.eq_ignore_ascii_case("CANCELLED"),
            "EXRULE" | "RECURRENCE-ID" => {
                let message = format!("{} is not read", property.name);
                return Err(property.fault(message, "write the days as events of their own"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds its days.
    fn days(self, dates: &mut BTreeSet<Date>) -> Result<(), Fault> {
        if self.cancelled {
            return Ok(());
        }
        let Some(start) = self.start else { return Err(Fault::new(self.line, "this event has no DTSTART", WHOLE_DAY)) };
        let days = match (self.end, self.days) {
            (Some(end), _) => start.until(end).map_or(1, |span| span.get_days()).max(1),
            (None, days) => days.unwrap_or(1).max(1),
        };
        let mut starts = vec![start];
        if let Some(Yearly { count, until, every }) = self.yearly {
            let years = (1..).map_while(|nth: i16| start.year().checked_add(nth.checked_mul(every)?));
            let later = years
                .take_while(|year| *year <= YEAR_MAX)
                // 29 February comes in leap years alone.
                .filter_map(|year| Date::new(year, start.month(), start.day()).ok())
                .take_while(|day| until.is_none_or(|until| *day <= until));
            starts.extend(
                later.take(count.map_or(usize::MAX, |count| usize::from(count.unsigned_abs()).saturating_sub(1))),
            );
        }
        starts.extend(self.more);
        for first in starts.into_iter().filter(|day| !self.excepted.contains(day)) {
            let last = first.saturating_add(jiff::Span::new().days(days - 1));
            add(dates, first, last, self.line)?;
        }
        Ok(())
    }
}

/// `P1D` or `P2W`.
fn duration(property: &Property<'_>) -> Result<i32, Fault> {
    let number = |unit: char| property.value.strip_prefix('P')?.strip_suffix(unit)?.parse::<i32>().ok();
    let days = number('D').or_else(|| number('W').and_then(|weeks| weeks.checked_mul(7)));
    days.filter(|days| *days > 0)
        .ok_or_else(|| property.fault(format!("DURATION \"{}\" is no number of whole days", property.value), WHOLE_DAY))
}

/// `FREQ=YEARLY`, with what does not change the day.
fn yearly(property: &Property<'_>) -> Result<Yearly, Fault> {
    let hint = "write each year's day as an event of its own; FREQ=YEARLY with COUNT, UNTIL or INTERVAL alone is read";
    let mut yearly = Yearly { count: None, until: None, every: 1 };
    let mut is_yearly = false;
    for part in property.value.to_ascii_uppercase().split(';').filter(|part| !part.is_empty()) {
        let refuse = || property.fault(format!("a rule with {part} is not read"), hint);
        let (name, value) = part.split_once('=').ok_or_else(refuse)?;
        let number = || value.parse::<i16>().ok().filter(|number| *number > 0);
        match name {
            "FREQ" if value == "YEARLY" => is_yearly = true,
            "COUNT" => yearly.count = Some(number().ok_or_else(refuse)?),
            "INTERVAL" => yearly.every = number().ok_or_else(refuse)?,
            "UNTIL" => yearly.until = Some(value.get(..8).and_then(compact).ok_or_else(refuse)?),
            // Where a week begins says nothing about a day of the year.
            "WKST" => {}
            _ => return Err(refuse()),
        }
    }
    if is_yearly { Ok(yearly) } else { Err(property.fault("a rule without FREQ=YEARLY is not read", hint)) }
}
