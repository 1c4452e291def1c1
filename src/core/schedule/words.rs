//! A cron expression in words: `at 02:30:00, Monday to Friday`. For people who are not sure what they wrote; the times decide.

/// Names of weekdays, Quartz's 1 first.
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

/// Most clock times that are written out.
const TIMES_MAX: usize = 6;

/// An expression that can be read, in words. Empty for one that cannot.
pub fn of(expression: &str) -> String {
    let upper = expression.to_ascii_uppercase();
    let fields: Vec<&str> = upper.split_whitespace().collect();
    let (second, minute, hour, day, month, weekday, year) = match fields.as_slice() {
        [second, minute, hour, day, month, weekday] => (*second, *minute, *hour, *day, *month, *weekday, "*"),
        [second, minute, hour, day, month, weekday, year] => (*second, *minute, *hour, *day, *month, *weekday, *year),
        _ => return String::new(),
    };
    let time = time(second, minute, hour);
    let is_clock_time = time.starts_with("at ");
    let mut parts = vec![time];
    let days = if weekday == "?" { month_day(day) } else { week_day(weekday) };
    match days {
        Some(days) => parts.push(days),
        // A rhythm goes on by itself; a clock time wants its days.
        None if is_clock_time => parts.push("every day".to_owned()),
        None => {}
    }
    if month != "*" {
        parts.push(format!("in {}", listed(month, &|text| named(text, &MONTHS, 1))));
    }
    if year != "*" {
        parts.push(format!("in {}", listed(year, &str::to_owned)));
    }
    parts.join(", ")
}

/// Whether a field is one number, or a list of numbers.
fn numbers(field: &str) -> Option<Vec<u32>> {
    field.split(',').map(|text| text.parse().ok()).collect()
}

/// `*/15` or `0/15`: how many.
fn step(field: &str) -> Option<&str> {
    field.split_once('/').filter(|(from, _)| matches!(*from, "*" | "0")).map(|(_, step)| step)
}

fn time(second: &str, minute: &str, hour: &str) -> String {
    if let Some((seconds, (minutes, hours))) = numbers(second).zip(numbers(minute).zip(numbers(hour))) {
        let count = seconds.len() * minutes.len() * hours.len();
        if count <= TIMES_MAX {
            let mut times = Vec::new();
            for hour in &hours {
                for minute in &minutes {
                    let each = seconds.iter().map(|second| match second {
                        0 => format!("{hour:02}:{minute:02}"),
                        second => format!("{hour:02}:{minute:02}:{second:02}"),
                    });
                    times.extend(each);
                }
            }
            return format!("at {}", and(&times));
        }
    }
    let at_zero = second == "0";
    match (second, minute, hour) {
        ("*", "*", "*") => return "every second".to_owned(),
        (_, "*", "*") if at_zero => return "every minute".to_owned(),
        (_, "0", "*") if at_zero => return "every hour".to_owned(),
        (_, "*", "*") if step(second).is_some() => {
            return format!("every {} seconds", step(second).unwrap_or_default());
        }
        (_, _, "*") if at_zero && step(minute).is_some() => {
            return every(step(minute).unwrap_or_default(), "minute");
        }
        (_, "0", _) if at_zero && step(hour).is_some() => return every(step(hour).unwrap_or_default(), "hour"),
        _ => {}
    }
    let mut parts = Vec::new();
    if !at_zero {
        parts.push(unit(second, "second"));
    }
    match step(minute) {
        Some(step) if at_zero => parts.push(every(step, "minute")),
        _ => parts.push(unit(minute, "minute")),
    }
    match hour {
        "*" => parts.push("of every hour".to_owned()),
        hour => match step(hour) {
            Some(step) => parts.push(format!("of {} hour", nth(step))),
            None => parts.push(format!("of the hours {}", listed(hour, &str::to_owned))),
        },
    }
    parts.join(" ")
}

fn every(step: &str, unit: &str) -> String {
    if step == "1" { format!("every {unit}") } else { format!("every {step} {unit}s") }
}

fn unit(field: &str, unit: &str) -> String {
    match (field, step(field)) {
        ("*", _) => format!("every {unit}"),
        (_, Some(step)) => every(step, unit),
        (field, None) => format!("at {unit} {}", listed(field, &str::to_owned)),
    }
}

fn nth(step: &str) -> String {
    match step {
        "1" => "every".to_owned(),
        "2" => "every second".to_owned(),
        "3" => "every third".to_owned(),
        step => format!("every {step}th"),
    }
}

/// `None`: every day.
fn month_day(field: &str) -> Option<String> {
    if matches!(field, "*" | "?" | "*/1" | "1/1") {
        return None;
    }
    if let Some(step) = field.strip_prefix("*/").or_else(|| field.strip_prefix("1/")) {
        return Some(format!("on {} day of the month, from the 1st on", nth(step)));
    }
    let one = |text: &str| {
        let (text, near) = match text.strip_suffix('W') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let day = match text.strip_prefix('L') {
            Some("") if near => return "the last workday (Monday to Friday) of the month".to_owned(),
            Some("" | "-0") => "the last day of the month".to_owned(),
            Some(before) => format!("the day {} before the last of the month", before.trim_start_matches('-')),
            None => format!("day {text}"),
        };
        if near { format!("the workday (Monday to Friday) nearest to {day}") } else { day }
    };
    Some(format!("on {} of the month", listed(field, &one)).replace("of the month of the month", "of the month"))
}

/// `None`: every day.
fn week_day(field: &str) -> Option<String> {
    if matches!(field, "*" | "?" | "1-7" | "SUN-SAT") {
        return None;
    }
    let name = |text: &str| named(text, &WEEKDAYS, 1);
    if field == "L" {
        return Some("on Saturday".to_owned());
    }
    if let Some((weekday, nth)) = field.split_once('#') {
        let nth = nth.parse::<usize>().ok().and_then(|nth| ORDINALS.get(nth.checked_sub(1)?)).copied();
        return Some(format!("on the {} {} of the month", nth.unwrap_or(""), name(weekday)));
    }
    if let Some(weekday) = field.strip_suffix('L') {
        return Some(format!("on the last {} of the month", name(weekday)));
    }
    Some(format!("on {}", listed(field, &name)))
}

/// A name or number as a person says it: `MON` and `2` are Monday.
fn named(text: &str, names: &[&str], first: usize) -> String {
    let by_number = text.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(first)?));
    let by_word = || names.iter().find(|name| name.to_ascii_uppercase().starts_with(text) && text.len() >= 3);
    by_number.or_else(by_word).map_or_else(|| text.to_owned(), |name| (*name).to_owned())
}

/// A list of values, ranges and steps.
fn listed(field: &str, name: &dyn Fn(&str) -> String) -> String {
    let one = |text: &str| {
        let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
        let shown = match range.split_once('-') {
            Some((from, to)) if !from.is_empty() && from != "L" => format!("{} to {}", name(from), name(to)),
            _ => name(range),
        };
        match step {
            Some(step) if range.contains('-') => format!("every {step} from {shown}"),
            Some(step) => format!("every {step} from {shown} on"),
            None => shown,
        }
    };
    and(&field.split(',').map(one).collect::<Vec<_>>())
}

fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn an_expression_is_said_as_a_person_would() {
        for (expression, words) in [
            ("0 */2 * * * ?", "every 2 minutes"),
            ("0 0/15 * * * ?", "every 15 minutes"),
            ("* * * * * ?", "every second"),
            ("*/30 * * * * ?", "every 30 seconds"),
            ("0 * * * * ?", "every minute"),
            ("0 0 * * * ?", "every hour"),
            ("0 0 */6 * * ?", "every 6 hours"),
            ("0 30 2 ? * MON-FRI", "at 02:30, on Monday to Friday"),
            ("0 30 2 ? * 2-6", "at 02:30, on Monday to Friday"),
            ("15 0 6,12,18 * * ?", "at 06:00:15, 12:00:15 and 18:00:15, every day"),
            ("0 0 22 LW * ?", "at 22:00, on the last workday (Monday to Friday) of the month"),
            ("0 0 22 L * ?", "at 22:00, on the last day of the month"),
            ("0 0 4 15W * ?", "at 04:00, on the workday (Monday to Friday) nearest to day 15 of the month"),
            ("0 0 4 1,15 * ?", "at 04:00, on day 1 and day 15 of the month"),
            ("0 0 4 ? * FRI#2", "at 04:00, on the second Friday of the month"),
            ("0 0 4 ? jan,MAR 6L 2027", "at 04:00, on the last Friday of the month, in January and March, in 2027"),
            ("0 */5 8-17 ? * MON-FRI", "every 5 minutes of the hours 8 to 17, on Monday to Friday"),
            ("nonsense", ""),
        ] {
            assert_eq!(of(expression), words, "{expression}");
        }
    }
}
