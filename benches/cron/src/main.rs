//! 1,000,000 next times of mixed expressions, beside the crates `cron` and `croner`, in one run: `cargo run --release --manifest-path
//! benches/cron/Cargo.toml`. The crates get the expressions that they can express; where one gives other times than Quartz, that is
//! said and counts all the same. Prints medians of five rounds in turn.

/// The part of the library that is measured; it needs nothing else of it.
#[path = "../../../src/core"]
mod core {
    pub mod model {
        #[allow(dead_code, reason = "the bench uses a part of it")]
        pub mod civil;
        #[allow(dead_code, reason = "the bench uses a part of it")]
        pub mod shown;
    }
    pub mod schedule {
        #[allow(dead_code, unused_imports, reason = "the bench uses a part of it")]
        pub mod cron;
    }
}

use crate::core::schedule::cron::{Dst, Expression};
use chrono::DateTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::str::FromStr;
use std::time::{Duration, Instant};

const TIMES: usize = 1_000_000;
const ROUNDS: usize = 5;
const FROM: &str = "2026-01-01T00:00:00Z";

/// In a form that all three take: `0-59/15` and not `0/15`, `*` for both day fields where no day is named. Weekdays by name, since the
/// crates count them otherwise.
const EXPRESSIONS: [&str; 10] = [
    "*/30 * * * * *",
    "0 */2 * * * *",
    "0 0-59/15 * * * *",
    "0 0 */2 * * *",
    "0 15 10 * * *",
    "0 0-59/5 14,18 * * *",
    "0 0,30 8-10 * * *",
    "0 15 10 15 * *",
    "0 30 2 * * MON-FRI",
    "0 0 0 1 1 *",
];

/// With the `?` that Quartz asks for.
fn quartz(text: &str) -> String {
    let fields: Vec<&str> = text.split(' ').collect();
    match (fields[3], fields[5]) {
        (_, "*") => [&fields[..5], &["?"]].concat().join(" "),
        ("*", _) => [&fields[..3], &["?"], &fields[4..]].concat().join(" "),
        _ => panic!("{text}: both day fields"),
    }
}

/// Takes times from `start` until there are enough; a year's expression ends early, and starts anew.
fn take(start: impl Fn() -> Box<dyn Iterator<Item = i64>>) -> i64 {
    let (mut left, mut sum) = (TIMES / EXPRESSIONS.len(), 0_i64);
    while left > 0 {
        // Fifty years' worth of the rarest one at a time.
        for at in start().take(left.min(50)) {
            sum = sum.wrapping_add(at);
            left -= 1;
        }
    }
    sum
}

fn ours(zone: &'static TimeZone) -> i64 {
    let from: Timestamp = FROM.parse().expect("a moment");
    let times = |text: &&str| {
        let expression: &'static Expression = Box::leak(Box::new(Expression::parse(&quartz(text)).expect("an expression")));
        take(|| Box::new(expression.slots(zone, Dst::Quartz, from).map(Timestamp::as_second)))
    };
    EXPRESSIONS.iter().map(times).fold(0, i64::wrapping_add)
}

fn with_cron(zone: chrono_tz::Tz) -> i64 {
    let from = DateTime::parse_from_rfc3339(FROM).expect("a moment").with_timezone(&zone);
    let times = |text: &&str| {
        let schedule: &'static cron::Schedule = Box::leak(Box::new(cron::Schedule::from_str(text).expect("an expression")));
        take(|| Box::new(schedule.after(&from).map(|at| at.timestamp())))
    };
    EXPRESSIONS.iter().map(times).fold(0, i64::wrapping_add)
}

fn with_croner(zone: chrono_tz::Tz) -> i64 {
    let from = DateTime::parse_from_rfc3339(FROM).expect("a moment").with_timezone(&zone);
    let parser = croner::parser::CronParser::builder().seconds(croner::parser::Seconds::Required).build();
    let times = |text: &&str| {
        let pattern: &'static croner::Cron = Box::leak(Box::new(parser.parse(text).expect("an expression")));
        take(|| Box::new(pattern.iter_after(from).map(|at| at.timestamp())))
    };
    EXPRESSIONS.iter().map(times).fold(0, i64::wrapping_add)
}

fn timed(work: impl Fn() -> i64) -> (Duration, i64) {
    let start = Instant::now();
    let sum = work();
    (start.elapsed(), sum)
}

fn main() {
    println!("{TIMES} next times of {} expressions, medians of {ROUNDS} rounds in turn", EXPRESSIONS.len());
    for name in ["UTC", "Europe/Berlin"] {
        let ours_zone: &'static TimeZone = Box::leak(Box::new(TimeZone::get(name).expect("a zone")));
        let zone: chrono_tz::Tz = name.parse().expect("a zone");
        let mut rounds: [Vec<(Duration, i64)>; 3] = Default::default();
        for _ in 0..ROUNDS {
            rounds[0].push(timed(|| ours(ours_zone)));
            rounds[1].push(timed(|| with_cron(zone)));
            rounds[2].push(timed(|| with_croner(zone)));
        }
        let [ours, cron, croner] = rounds.map(|mut round| {
            round.sort();
            round[ROUNDS / 2]
        });
        for (crate_name, (took, sum)) in [("filegen", ours), ("cron 0.17.0", cron), ("croner 4.0.3", croner)] {
            let same = if sum == ours.1 { "" } else { "  (other times)" };
            let ratio = ours.0.as_secs_f64() / took.as_secs_f64();
            println!("{name:14} {crate_name:13} {:7.1} ms   filegen / it {ratio:.2}{same}", took.as_secs_f64() * 1e3);
        }
    }
}
