//! Clocks that disagree, and the hour that comes twice.

use super::*;
use crate::core::model::data_source::{ClockChange, DataSource, DataSourceId};
use crate::core::schedule::steer::Asked;
use crate::core::schedule::sync;
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
async fn where_the_store_has_a_clock_all_go_by_it_and_no_edit_fires_early_late_or_at_once() {
    for minutes in [-60, -1, 0, 1, 60] {
        let mut world = World::new();
        world.store = MemorySchedules::by(world.clock.clone());
        world.add("loans", "0 0/10 * * * ?", |_| {}).await;
        world.add("rates", "0 0 4 * * ?", |_| {}).await;
        let clock = MemoryClock::starting_at(world.clock.now());
        clock.jump_wall(SignedDuration::from_mins(minutes));
        let pod = world.start_by("pod-1", &clock);
        world.seconds(1795).await;
        assert_eq!(world.began(), each_tenth_minute("2026-11-29T10:40:00Z", "2026-11-29T10:50:00Z"), "{minutes}");
        // By a host whose clock is wrong too, the other way round.
        let at = world.clock.now() - SignedDuration::from_mins(minutes);
        let asked = Asked { who: "ann".to_owned(), why: String::new(), at };
        world.steering().pause("loans", &asked).await.unwrap();
        world.steering().resume("loans", &asked).await.unwrap();
        let rule = Rule { cron_expression: "30 0 11 * * ?".to_owned(), ..world.schedule("rates").await.rule };
        let source = edited(&world.schedule("rates").await, rule);
        assert_eq!(sync::apply(&world.store, &source, false, &world.settings, at).await, Ok(true));
        world.seconds(4).await;
        assert_eq!(world.began().len(), 2, "{minutes}: nothing fires at once");
        world.seconds(2).await;
        assert_eq!(world.began().last().unwrap(), "loans:2026-11-29T11:00:00Z", "{minutes}");
        // The leader's clock is set, and nothing comes of it.
        clock.jump_wall(SignedDuration::from_hours(1));
        world.seconds(25).await;
        assert_eq!(world.began().len(), 3, "{minutes}");
        world.seconds(6).await;
        assert_eq!(world.began().last().unwrap(), "rates:2026-11-29T11:00:30Z", "{minutes}");
        assert_eq!(world.history("rates").await, ["11:00:30 Succeeded"], "{minutes}");
        pod.end().await;
    }
}

/// A data source that says another time.
fn edited(schedule: &Schedule, rule: Rule) -> DataSource {
    DataSource {
        id: DataSourceId::new(schedule.data_source_id.as_str()).unwrap(),
        name: schedule.name.clone(),
        description: String::new(),
        path: "data".to_owned(),
        pattern: "*".to_owned(),
        recursive: false,
        cron_expression: rule.cron_expression,
        zone: rule.zone,
        calendar: None,
        is_active: true,
        overlap: rule.overlap,
        misfire: rule.misfire,
        action: schedule.action.clone(),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version: schedule.version + 1,
        created_at: schedule.changed_at,
        updated_at: schedule.changed_at,
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
        let half_hours =
            polled.filter(|at| (0..2).contains(&at.to_zoned_datetime(jiff::tz::TimeZone::UTC).hour())).count();
        assert_eq!(half_hours, 2 * due.len(), "{name}");
    }
    other.end().await;
}
