//! Edits and pauses while due times come and executions run.

use super::*;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::model::schedule::Execution;
use crate::core::schedule::steer::Asked;
use crate::core::schedule::sync;
use jiff::SignedDuration;

fn source(world: &World, version: u64, cron: &str) -> DataSource {
    let now = world.clock.now();
    DataSource {
        id: DataSourceId::new("loans").unwrap(),
        name: "loans".to_owned(),
        description: String::new(),
        path: "data".to_owned(),
        pattern: "*".to_owned(),
        recursive: false,
        cron_expression: cron.to_owned(),
        zone: "UTC".to_owned(),
        calendar: None,
        is_active: true,
        overlap: Overlap::Queue,
        misfire: Misfire::FireAll,
        action: Does::default(),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version,
        created_at: now,
        updated_at: now,
    }
}

impl World {
    /// An event of this version arrives.
    async fn hears(&self, version: u64, cron: &str, is_deleted: bool) {
        let (source, now) = (source(self, version, cron), self.clock.now());
        assert_eq!(sync::apply(&self.store, &source, is_deleted, &self.settings, now).await, Ok(true));
    }

    fn asked(&self) -> Asked {
        Asked { who: "ann".to_owned(), why: String::new(), at: self.clock.now() }
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_in_the_middle_of_a_fire_lets_it_end_and_goes_on_with_the_new_times() {
    let world = World::new();
    world.hears(1, "0 0 * * * ?", false).await;
    world.lasts("loans", 600);
    let pod = world.start("pod-1");
    world.seconds(1860).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Running"]);
    // The new times have some that are past, and one that is now.
    world.hears(2, "0 0/1 * * * ?", false).await;
    world.seconds(30).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Running"], "nothing fires because of an edit");
    world.seconds(3).await;
    world.hears(3, "0 30 * * * ?", false).await;
    world.seconds(600).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Succeeded"]);
    let edited = world.schedule("loans").await;
    assert_eq!((edited.execution_count, edited.version), (1, 3), "what ended is known under the new version");
    assert_eq!(edited.last_status, Some(Outcome::Succeeded));
    world.seconds(1200).await;
    assert_eq!(world.history("loans").await[1..], ["11:30:00 Running"]);
    // One that is deleted in a fire ends, too, and is fired no more.
    world.hears(4, "0 30 * * * ?", true).await;
    world.seconds(3 * 3600).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Succeeded", "11:30:00 Succeeded"]);
    pod.end().await;
}

/// What the history says of each due time that did not run.
async fn reasons(world: &World) -> Vec<String> {
    let mut all = world.executions("loans").await;
    all.reverse();
    let words = |it: &Execution| it.reason.clone().unwrap_or_default();
    all.iter().map(|it| format!("{} {}: {}", it.due_time.strftime("%H:%M"), it.outcome.as_str(), words(it))).collect()
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_jitter_when_it_is_changed_or_paused_stands_in_the_history() {
    let jitter = Duration::from_mins(10);
    let world = World { settings: Settings { jitter, ..Settings::default() }, ..World::new() };
    let offset = crate::core::schedule::plan::offset(&ScheduleId::new("loans"), jitter);
    assert!(offset > SignedDuration::from_mins(2), "{offset}");
    world.hears(1, "0 0 * * * ?", false).await;
    let pod = world.start("pod-1");
    // 11:01, and it has not begun.
    world.seconds(1860).await;
    world.hears(2, "0 30 * * * ?", false).await;
    world.seconds(10).await;
    let edited = "11:00 Skipped: its times were changed before it began".to_owned();
    assert_eq!(reasons(&world).await, [&edited[..]]);
    assert!(world.schedule("loans").await.undecided.is_empty());
    // 11:31:10.
    world.seconds(1800).await;
    world.steering().pause("loans", &world.asked()).await.unwrap();
    world.seconds(10).await;
    world.steering().resume("loans", &world.asked()).await.unwrap();
    world.seconds(3600).await;
    let paused = "11:30 Skipped: it was paused before it began".to_owned();
    assert_eq!(reasons(&world).await, [&edited[..], &paused]);
    assert!(world.began().is_empty());
    world.seconds(1200).await;
    assert_eq!(world.began(), ["loans:2026-11-29T12:30:00Z"], "all goes on");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_before_an_edit_that_no_leader_saw_stands_in_the_history() {
    let world = World::new();
    world.hears(1, "0 0 * * * ?", false).await;
    world.seconds(2 * 3600).await;
    // 12:30, twice, and a pause.
    world.hears(2, "0 0/20 * * * ?", false).await;
    world.seconds(1800).await;
    world.hears(3, "0 15 * * * ?", false).await;
    world.seconds(900).await;
    world.steering().pause("loans", &world.asked()).await.unwrap();
    let pod = world.start("pod-1");
    world.seconds(60).await;
    let missed = "Missed: nobody led at its time, and";
    let expected = [
        format!("11:00 {missed} its times were changed since"),
        format!("12:00 {missed} its times were changed since"),
        format!("12:40 {missed} its times were changed since"),
        "13:00 Skipped: its times were changed before it began".to_owned(),
        "13:15 Skipped: it was paused before it began".to_owned(),
    ];
    assert_eq!(reasons(&world).await, expected);
    assert!(world.began().is_empty());
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_day_without_business_that_has_passed_stays_one_whatever_its_calendar_says_later() {
    let calendar = |days: &[&str]| {
        let days = days.iter().map(|text| text.parse().unwrap()).collect();
        let calendars = [("bank".to_owned(), BusinessDays::without("bank", None, days))].into();
        Settings { calendars, ..Settings::default() }
    };
    let mut world = World { settings: calendar(&["2026-11-29"]), ..World::new() };
    world.add("loans", "0 0 11 * * ?", |it| it.rule.calendar = Some("bank".to_owned())).await;
    let pod = world.start("pod-1");
    world.seconds(3600).await;
    pod.end().await;
    // The file was edited, and the service started again.
    world.settings = calendar(&[]);
    let pod = world.start("pod-2");
    world.seconds(3600).await;
    assert!(world.history("loans").await.is_empty(), "{:?}", world.history("loans").await);
    world.seconds(23 * 3600).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Succeeded"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn resumed_after_a_week_it_goes_on_from_now_whoever_leads() {
    let world = World::new();
    world.hears(1, "0 0 * * * ?", false).await;
    let pod = world.start("pod-1");
    world.seconds(1860).await;
    world.steering().pause("loans", &world.asked()).await.unwrap();
    world.seconds(3 * 3600).await;
    // Meanwhile somebody edits it, and another one leads.
    world.hears(2, "0 15 * * * ?", false).await;
    pod.kill();
    world.clock.jump_wall(SignedDuration::from_hours(7 * 24 - 6));
    let other = world.start("pod-2");
    world.seconds(3 * 3600).await;
    world.steering().resume("loans", &world.asked()).await.unwrap();
    world.seconds(120).await;
    assert_eq!(world.began(), ["loans:2026-11-29T11:00:00Z"], "nothing of the week is made up for");
    world.seconds(3600).await;
    assert_eq!(world.began()[1..], ["loans:2026-12-06T11:15:00Z"]);
    other.end().await;
}
