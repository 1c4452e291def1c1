//! Clocks that disagree, and the hour that comes twice.

use super::*;
use crate::core::model::data_source::ClockChange;
use jiff::SignedDuration;

/// Longer than a lease lasts.
const TAKEN_OVER: u64 = 45;

/// Every tenth minute from one moment to another, both included: those of the executions.
fn each_tenth_minute(from: &str, to: &str) -> Vec<String> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
    let count = to.duration_since(from).as_mins() / 10;
    (0..=count).map(|number| format!("loans:{}", from + SignedDuration::from_mins(10 * number))).collect()
}

#[tokio::test(start_paused = true)]
async fn leaders_that_disagree_by_an_hour_fire_each_due_time_once_whichever_comes_first() {
    for (first, second) in [(1, 0), (0, 1), (-1, 0), (0, -1), (1, -1), (-1, 1)] {
        let world = World::new();
        world.add("loans", "0 0/10 * * * ?", |it| it.rule.misfire = Misfire::FireAll).await;
        let clock = |hours| {
            let clock = MemoryClock::starting_at(world.clock.now());
            clock.jump_wall(SignedDuration::from_hours(hours));
            clock
        };
        let clocks = [clock(first), clock(second)];
        let pod = world.start_by("pod-1", &clocks[0]);
        // The other one stands by, and leads when the first one has died.
        world.seconds(10).await;
        let other = world.start_by("pod-2", &clocks[1]);
        world.seconds(1800).await;
        pod.kill();
        world.seconds(TAKEN_OVER + 3 * 3600).await;
        let (now, mut began) = (clocks[1].now(), world.began());
        began.sort();
        let last =
            if first > second { began.last().unwrap().trim_start_matches("loans:").parse().unwrap() } else { now };
        assert_eq!(began, each_tenth_minute("2026-11-29T10:40:00Z", &last.to_string()), "{first} and {second} hours");
        assert!(last > now - SignedDuration::from_mins(10), "it goes on: {first} and {second} hours");
        other.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_hour_that_comes_twice_is_fired_as_each_schedule_says() {
    let world = World::starting_at("2026-10-24T12:00:00Z");
    let choices = [
        ("usual", None, vec!["01:30:00"]),
        ("first", Some(ClockChange::First), vec!["00:30:00"]),
        ("both", Some(ClockChange::Both), vec!["00:30:00", "01:30:00"]),
    ];
    for (name, dst, _) in &choices {
        let change = |it: &mut Schedule| {
            it.rule.zone = "Europe/Berlin".to_owned();
            it.rule.dst = *dst;
        };
        world.add(name, "0 30 2 * * ?", change).await;
        world.add(&format!("{name}-polls"), "0 0/30 0-4 * * ?", change).await;
    }
    let pod = world.start("pod-1");
    // Someone else leads in the middle of the hour.
    world.seconds(12 * 3600 + 2700).await;
    pod.kill();
    let other = world.start("pod-2");
    world.seconds(12 * 3600).await;
    for (name, _, due) in &choices {
        let (all, at) = (world.executions(name).await, |it: &Execution| it.due_time.strftime("%H:%M:%S").to_string());
        let (fired, told): (Vec<_>, Vec<_>) = all.iter().rev().partition(|it| it.outcome == Outcome::Succeeded);
        assert_eq!(fired.into_iter().map(at).collect::<Vec<_>>(), *due, "{name}");
        // What counts once says so.
        let told: Vec<&str> = told.iter().filter_map(|it| it.reason.as_deref()).collect();
        let once = "clocks went back: 02:30:00 came twice and counts once";
        assert_eq!(told, vec![once; 2 - due.len()], "{name}");
        let polled = world.executions(&format!("{name}-polls")).await;
        let polled = polled.iter().filter(|it| it.outcome == Outcome::Succeeded).map(|it| it.due_time);
        let half_hours = polled.filter(|at| (0..2).contains(&at.to_zoned(jiff::tz::TimeZone::UTC).hour())).count();
        assert_eq!(half_hours, 2 * due.len(), "{name}");
    }
    other.end().await;
}
