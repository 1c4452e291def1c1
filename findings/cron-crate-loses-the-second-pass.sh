#!/usr/bin/env bash
# cron 0.17.0 (Rust): where clocks go back, its iterator walks backwards, and asked one by one it skips an hour.
#
# One would expect: `schedule.after(t)` gives times in rising order, and taking the first, then asking again from it,
#   gives the same ones. `0 0/30 * * * *` fires every half hour, 48 times in 24 hours.
# What happens: in the repeated hour of 25 October 2026 in Berlin the iterator yields 02:00+02, 02:00+01, 02:30+02,
#   02:30+01: the third lies half an hour before the second. Asked step by step (`after(last).next()`, what a
#   scheduler that stores its last time does) the whole second pass is missing: 90 minutes of silence.
#   A daily job at 02:30 fires twice by the iterator and once step by step.
# Why it matters: "sleep until the next one" with a time that lies in the past fires at once; a poller sees nothing for
#   an hour; a run that is keyed by its time behaves otherwise after a restart.
# Safely: evaluate in UTC, or check that each time is later than the one before, and test both ways on both nights.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "second-pass"
version = "0.1.0"
edition = "2021"

[dependencies]
chrono = { version = "=0.4.45", default-features = false, features = ["std"] }
chrono-tz = "=0.10.4"
cron = "=0.17.0"
TOML
cat > src/main.rs <<'RUST'
use chrono::{DateTime, TimeZone};
use chrono_tz::{Europe::Berlin, Tz};
use std::str::FromStr;

fn shown(times: &[DateTime<Tz>]) -> String {
    times.iter().map(|t| t.format("%d %H:%M%:::z").to_string()).collect::<Vec<_>>().join("  ")
}

/// The first `n` times after `start`: by the iterator, and by asking anew from each.
fn both(expression: &str, start: DateTime<Tz>, n: usize) -> (Vec<DateTime<Tz>>, Vec<DateTime<Tz>>) {
    let schedule = cron::Schedule::from_str(expression).unwrap();
    let iterator: Vec<_> = schedule.after(&start).take(n).collect();
    let mut steps = vec![];
    let mut at = start;
    for _ in 0..n {
        at = schedule.after(&at).next().unwrap();
        steps.push(at);
    }
    println!("{expression}\n  iterator: {}\n  by steps: {}", shown(&iterator), shown(&steps));
    (iterator, steps)
}

fn main() {
    println!("cron 0.17.0, Europe/Berlin, the night of 25 October 2026");
    let start = Berlin.with_ymd_and_hms(2026, 10, 25, 1, 40, 0).unwrap();
    let (iterator, steps) = both("0 0/30 * * * *", start, 6);
    assert_eq!(shown(&iterator), "25 02:00+02  25 02:00+01  25 02:30+02  25 02:30+01  25 03:00+01  25 03:30+01");
    assert!(iterator.windows(2).any(|w| w[1] < w[0]), "the iterator only rises now");
    let longest = steps.windows(2).map(|w| (w[1] - w[0]).num_minutes()).max().unwrap();
    println!("  longest silence by steps: {longest} minutes");
    assert_eq!(longest, 90);

    let (iterator, steps) = both("0 30 2 * * *", start, 3);
    assert_eq!(shown(&iterator), "25 02:30+02  25 02:30+01  26 02:30+01");
    assert_eq!(shown(&steps), "25 02:30+02  26 02:30+01  27 02:30+01");
    println!("seen: two answers to one question, one of them out of order");
}
RUST
CARGO_PROFILE_DEV_DEBUG=0 cargo run -q
