//! A polling rate in place of a cron expression: `00:02:00`, `2m`.

use crate::core::model::as_text::read_duration;
use std::time::Duration;

/// The cron expression of a rate. A rate that divides no minute, hour or day has none: its steps would begin anew at each.
///
/// # Errors
/// What is wrong, and what to write.
pub(super) fn expression(text: &str) -> Result<String, (String, String)> {
    let example = "write hours, minutes and seconds as 00:02:00, or a time with its unit as 2m";
    // What has colons and is no time of a clock, `00:60:00` say, is not guessed at.
    let with_unit = || if text.contains(':') { None } else { read_duration(text) };
    let Some(rate) = span(text).or_else(with_unit) else {
        return Err(("this is no polling rate".to_owned(), example.to_owned()));
    };
    if rate.subsec_nanos() != 0 || rate.is_zero() {
        return Err(("a polling rate is whole seconds, at least one".to_owned(), example.to_owned()));
    }
    let seconds = rate.as_secs();
    // A unit, how many of it its next one holds, and the expression of each so many of it.
    let divides = |unit: u64, of: u64| seconds.is_multiple_of(unit) && of.is_multiple_of(seconds / unit);
    let step = |unit: u64| if seconds == unit { "*".to_owned() } else { format!("*/{}", seconds / unit) };
    match seconds {
        86_400 => Ok("0 0 0 * * ?".to_owned()),
        ..60 if divides(1, 60) => Ok(format!("{} * * * * ?", step(1))),
        60..3600 if divides(60, 60) => Ok(format!("0 {} * * * ?", step(60))),
        3600..86_400 if divides(3600, 24) => Ok(format!("0 0 {} * * ?", step(3600))),
        _ => {
            let message = format!("a rate of {text} comes out even with no minute, hour or day");
            Err((message, format!("{}, or a cronExpression", nearest(seconds))))
        }
    }
}

/// The rates around one that has no expression.
fn nearest(seconds: u64) -> String {
    let even =
        |unit: u64, of: u64| (1..of).filter(move |count| of.is_multiple_of(*count)).map(move |count| count * unit);
    let all: Vec<u64> = even(1, 60).chain(even(60, 60)).chain(even(3600, 24)).chain([86_400]).collect();
    let shown = |seconds: u64| match seconds {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    };
    let below = all.iter().rev().find(|rate| **rate < seconds);
    let above = all.iter().find(|rate| **rate > seconds);
    let both: Vec<String> = below.into_iter().chain(above).map(|rate| shown(*rate)).collect();
    format!("write {}", both.join(" or "))
}

/// `hh:mm:ss`, also with days as `d.hh:mm:ss`.
fn span(text: &str) -> Option<Duration> {
    let (days, clock) = text.trim().split_once('.').unwrap_or(("0", text.trim()));
    let mut parts = clock.split(':').map(|part| {
        let fits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse::<u64>().ok())?
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60 && days.len() <= 4;
    let days: u64 = days.parse().ok()?;
    fits.then(|| Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_cron_expression() {
        for (rate, expected) in [
            ("00:02:00", "0 */2 * * * ?"),
            ("2m", "0 */2 * * * ?"),
            ("00:00:30", "*/30 * * * * ?"),
            ("1s", "* * * * * ?"),
            ("1m", "0 * * * * ?"),
            ("90m", ""),
            ("01:00:00", "0 0 * * * ?"),
            ("6h", "0 0 */6 * * ?"),
            ("24h", "0 0 0 * * ?"),
            ("1.00:00:00", "0 0 0 * * ?"),
            ("1d", "0 0 0 * * ?"),
        ] {
            assert_eq!(expression(rate).unwrap_or_default(), expected, "{rate}");
        }
        for (bad, told) in [
            ("", "00:02:00"),
            ("2", "00:02:00"),
            ("00:60:00", "00:02:00"),
            ("0s", "00:02:00"),
            ("1.5s", "00:02:00"),
            ("7m", "write 6m or 10m"),
            ("90s", "write 1m or 2m"),
            ("2d", "write 24h"),
        ] {
            let (message, hint) = expression(bad).unwrap_err();
            assert!(hint.contains(told), "{bad}: {message}; {hint}");
        }
    }
}
