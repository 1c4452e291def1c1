//! From text to an expression, or to what is wrong with it and where.

use super::days::{DayRule, MonthDays};
use super::field::{DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, YEAR};
use super::word::{ExpressionError, Word};
use super::{Expression, Years};

pub(super) fn expression(text: &str) -> Result<Expression, ExpressionError> {
    let whole = Word { text, at: 0 };
    // Blanks and tabs part fields, as in Quartz; a line break does not.
    let words: Vec<Word<'_>> = whole.pieces(' ').flat_map(|word| word.pieces('\t')).collect();
    let (&[second, minute, hour, day, month, weekday], year) = match words.as_slice() {
        [six @ .., year] if six.len() == 6 => (six.try_into().map_err(|_| count(whole, &words))?, Some(*year)),
        six => (six.try_into().map_err(|_| count(whole, &words))?, None),
    };
    Ok(Expression {
        text: text.to_owned(),
        seconds: SECOND.set(second)?,
        minutes: MINUTE.set(minute)?,
        hours: HOUR.set(hour)?,
        months: MONTH.set(month)?,
        days: match (day.text == "?", weekday.text == "?") {
            (false, true) => DayRule::Month(month_days(day)?),
            (true, false) => week_days(weekday)?,
            (both, _) => return Err(day_fields(both, [second, minute, hour, day, month, weekday], year)),
        },
        years: year.map_or(Ok(Years([u64::MAX; 4])), years)?,
    })
}

fn years(word: Word<'_>) -> Result<Years, ExpressionError> {
    let mut years = Years::NONE;
    for element in word.elements() {
        YEAR.each(element, &mut |year| years.insert(year))?;
    }
    if years == Years::NONE { YEAR.value(word, word).map(|_| years) } else { Ok(years) }
}

fn month_days(word: Word<'_>) -> Result<MonthDays, ExpressionError> {
    let mut days = MonthDays::default();
    for element in word.elements() {
        if !element.text.contains(['L', 'l', 'W', 'w']) {
            DAY.each(element, &mut |day| days.plain |= 1 << day)?;
            continue;
        }
        let (nearest, rest) = match element.without_last('W') {
            Some(rest) => (true, rest),
            None => (false, element),
        };
        if let Some(before) = before_last(rest)? {
            *(if nearest { &mut days.nearest_before_last } else { &mut days.before_last }) |= 1 << before;
        } else if nearest && rest.number().is_some() {
            days.nearest |= 1 << DAY.value(rest, element)?;
        } else {
            let (text, hint) =
                (element.text, "write L, L-3, LW, L-3W or 15W for single days, each an element of its own");
            return Err(element.error(format!("\"{text}\" is no day of the month"), hint.to_owned()));
        }
    }
    if days == MonthDays::default() { DAY.set(word).map(|_| days) } else { Ok(days) }
}

/// `L` or `L-n`: how many days before the last one. `None` for what is neither.
fn before_last(word: Word<'_>) -> Result<Option<u32>, ExpressionError> {
    match word.split_once('-') {
        None => Ok(word.is("L").then_some(0)),
        Some((last, before)) if last.is("L") => match before.number() {
            Some(days) if days <= 30 => Ok(Some(days)),
            Some(_) | None => Err(before.error(
                format!("\"{}\" is no number of days before the last", before.text),
                "write L-0 to L-30".to_owned(),
            )),
        },
        Some(_) => Ok(None),
    }
}

fn week_days(word: Word<'_>) -> Result<DayRule, ExpressionError> {
    let mut set = 0;
    let alone = word.elements().count() == 1;
    for element in word.elements() {
        let special = if element.is("L") {
            // Quartz: the last day of the week.
            Some(DayRule::Week(1 << 7))
        } else if let Some((weekday, nth)) = element.split_once('#') {
            let weekday = weekday_of(weekday, element)?;
            let Some(number @ 1..=5) = nth.number() else {
                let message = format!("a month has no weekday number \"{}\"", nth.text);
                return Err(nth.error(message, "write 1 to 5 behind the #, or FRIL for the last one".to_owned()));
            };
            Some(DayRule::Nth { weekday, nth: u8::try_from(number).unwrap_or(5) })
        } else if element.text.starts_with(['L', 'l']) {
            let message = format!("\"{}\" is no day of the week", element.text);
            return Err(element.error(message, "write L for Saturday, FRIL for the month's last Friday".to_owned()));
        } else if let Some(weekday) = element.without_last('L') {
            Some(DayRule::Last { weekday: weekday_of(weekday, element)? })
        } else {
            None
        };
        match special {
            Some(rule) if alone => return Ok(rule),
            Some(_) => {
                let message = format!("\"{}\" cannot be an element of a list of weekdays", element.text);
                return Err(element.error(message, "make it a schedule of its own".to_owned()));
            }
            None => WEEKDAY.each(element, &mut |day| set |= 1_u8 << day)?,
        }
    }
    if set == 0 { WEEKDAY.set(word).map(|_| DayRule::Week(0)) } else { Ok(DayRule::Week(set)) }
}

fn weekday_of(word: Word<'_>, element: Word<'_>) -> Result<u8, ExpressionError> {
    WEEKDAY.value(word, element).map(|weekday| u8::try_from(weekday).unwrap_or(7))
}

/// The day fields are both given, or neither is. `both`: neither is.
fn day_fields(both: bool, fields: [Word<'_>; 6], year: Option<Word<'_>>) -> ExpressionError {
    let [.., day, _, weekday] = fields;
    let mut written: Vec<&str> = fields.iter().chain(&year).map(|word| word.text).collect();
    let (message, hint) = if both {
        written[5] = "*";
        ("both day fields are ?: then no day is named", format!("write {}", written.join(" ")))
    } else if weekday.text == "*" {
        written[5] = "?";
        ("both day fields are given: exactly one is to be ?", format!("write {}", written.join(" ")))
    } else if day.text == "*" {
        written[3] = "?";
        ("both day fields are given: exactly one is to be ?", format!("write {}", written.join(" ")))
    } else {
        let hint =
            "write ? for the day of the month or for the day of the week; for either of them, make two schedules";
        ("both day fields are given: exactly one is to be ?", hint.to_owned())
    };
    ExpressionError::new(message.to_owned(), day.at..weekday.at + weekday.text.len(), hint)
}

/// There are not six or seven fields.
fn count(whole: Word<'_>, words: &[Word<'_>]) -> ExpressionError {
    let names =
        "six fields: second, minute, hour, day of the month, month, day of the week, and a year if one is meant";
    let (message, hint) = match words {
        [] => (
            "there is no expression".to_owned(),
            format!("write {names}; 0 30 2 ? * MON-FRI is half past two on workdays"),
        ),
        [word] if word.text.starts_with('@') => {
            let hint = match word.text.to_ascii_lowercase().as_str() {
                "@yearly" | "@annually" => "write 0 0 0 1 1 ?".to_owned(),
                "@monthly" => "write 0 0 0 1 * ?".to_owned(),
                "@weekly" => "write 0 0 0 ? * SUN".to_owned(),
                "@daily" | "@midnight" => "write 0 0 0 * * ?".to_owned(),
                "@hourly" => "write 0 0 * * * ?".to_owned(),
                _ => format!("write {names}"),
            };
            (format!("{} is a word of crontab, not of Quartz", word.text), hint)
        }
        &[minute, hour, day, month, weekday]
            if ![minute, hour, day, month, weekday].iter().any(|word| word.text == "?") =>
        {
            (
                "there are five fields, as in a crontab: the second is missing".to_owned(),
                crontab([minute, hour, day, month, weekday]),
            )
        }
        [_] => ("there is 1 field".to_owned(), format!("write {names}")),
        words => (format!("there are {} fields", words.len()), format!("write {names}")),
    };
    whole.error(message, hint)
}

/// The Quartz form of five fields of a crontab.
fn crontab([minute, hour, day, month, weekday]: [Word<'_>; 5]) -> String {
    // A crontab counts weekdays from 0 for Sunday, and 7 is Sunday, too; Quartz counts from 1.
    let quartz = |word: Word<'_>| word.number().map_or_else(|| word.text.to_owned(), |day| (day % 7 + 1).to_string());
    let weekdays: Vec<String> = weekday
        .elements()
        .map(|element| {
            let (base, step) = element
                .split_once('/')
                .map_or((element, String::new()), |(base, step)| (base, format!("/{}", step.text)));
            let base = base
                .split_once('-')
                .map_or_else(|| quartz(base), |(first, last)| format!("{}-{}", quartz(first), quartz(last)));
            base + &step
        })
        .collect();
    let (day, weekdays) = match (day.text, weekdays.join(",")) {
        (day, weekdays) if weekdays == "*" => (day, "?".to_owned()),
        ("*", weekdays) => ("?", weekdays),
        (day, weekdays) => {
            let (time, month) = (format!("0 {} {}", minute.text, hour.text), month.text);
            return format!("write two schedules: {time} {day} {month} ? and {time} ? {month} {weekdays}");
        }
    };
    format!("write 0 {} {} {day} {} {weekdays}", minute.text, hour.text, month.text)
}
