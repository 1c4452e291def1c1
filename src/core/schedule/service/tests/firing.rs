//! Due times, deadlines, pauses, and what people ask for.

use super::*;
use crate::core::model::data_source::DeadlineTime;
use crate::core::model::schedule::Cause;
use crate::core::ports::audit::AuditLog;
use crate::core::ports::schedules::Writer;
use crate::core::schedule::steer::{self, Asked};
use jiff::SignedDuration;

fn asked(world: &World) -> Asked {
    Asked { who: "ann".to_owned(), why: "a late delivery".to_owned(), at: world.clock.now() }
}

#[tokio::test(start_paused = true)]
async fn each_due_time_fires_once_and_stands_in_the_history() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    let pod = world.start("pod-1");
    world.seconds(2 * 3600).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Succeeded", "12:00:00 Succeeded"]);
    let schedule = world.schedule("loans").await;
    let next = "2026-11-29T13:00:00Z".parse().ok();
    assert_eq!((schedule.execution_count, schedule.next_execution_time), (2, next));
    assert_eq!(schedule.last_status, Some(Outcome::Succeeded));
    let first = &world.executions("loans").await[1];
    assert_eq!((first.id.as_str(), first.files_seen, first.files_new), ("loans:2026-11-29T11:00:00Z", 3, 1));
    assert_eq!((first.instance.as_deref(), first.token, first.attempt), (Some("pod-1"), 1, 1));
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_made_up_for_once_and_many_misses_stop_nothing() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    world.seconds(3 * 3600 + 1800 + 120).await;
    let pod = world.start("pod-1");
    world.seconds(10).await;
    let caught_up = ["11:00:00 Missed", "12:00:00 Missed", "13:00:00 Missed", "14:00:00 Succeeded"];
    assert_eq!(world.history("loans").await, caught_up);
    assert_eq!(world.began(), ["loans:2026-11-29T14:00:00Z"], "under its own due time");
    world.seconds(3600).await;
    assert_eq!(world.history("loans").await[4..], ["15:00:00 Succeeded"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_fires_nothing_twice_and_leaves_nothing_out() {
    let world = World::new();
    world.add("loans", "0 0/10 * * * ?", |it| it.rule.misfire = Misfire::FireAll).await;
    let pod = world.start("pod-1");
    world.seconds(1860).await;
    world.clock.jump_wall(SignedDuration::from_hours(-1));
    world.seconds(1800).await;
    assert_eq!(world.began().len(), 3, "10:40, 10:50 and 11:00, and no second time");
    world.clock.jump_wall(SignedDuration::from_hours(2));
    world.seconds(120).await;
    let began = world.began();
    assert_eq!(began.len(), 12, "{began:?}");
    let mut once = began.clone();
    once.dedup();
    assert_eq!(once, began);
    assert_eq!(began.last().unwrap(), "loans:2026-11-29T12:30:00Z");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_schedule_is_silent_and_resumes_from_now() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    let pod = world.start("pod-1");
    world.seconds(60).await;
    world.steering().pause("loans", &asked(&world)).await.unwrap();
    world.seconds(3 * 3600).await;
    assert!(world.began().is_empty());
    let trail = || async { world.leases.audits(9).await.unwrap().records };
    assert_eq!(trail().await.iter().map(|it| it.action.as_str()).collect::<Vec<_>>(), ["schedule pause"]);
    let paused = world.schedule("loans").await;
    assert_eq!((paused.paused_by.as_deref(), paused.pause_reason.as_deref()), (Some("ann"), Some("a late delivery")));
    assert!(matches!(world.steering().pause("loans", &asked(&world)).await, Err(steer::SteerError::Already { .. })));
    assert_eq!(trail().await.len(), 1, "nothing was tried");
    // A person may ask for one all the same.
    let asked_for = world.steering().run_now("loans", &asked(&world)).await.unwrap();
    world.seconds(5).await;
    assert_eq!(world.began(), [asked_for.id]);
    world.steering().resume("loans", &asked(&world)).await.unwrap();
    world.seconds(3600).await;
    assert_eq!(world.history("loans").await.len(), 2, "nothing that was due meanwhile");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_pause_a_schedule_and_are_told() {
    let world = World { settings: Settings { pause_after_failures: Some(3), ..Settings::default() }, ..World::new() };
    world.add("loans", "0 * * * * ?", |_| {}).await;
    world.add("frail", "0 * * * * ?", |it| it.rule.pause_after_failures = Some(0)).await;
    *world.work.fails.lock().unwrap() = true;
    let pod = world.start("pod-1");
    world.seconds(600).await;
    let schedule = world.schedule("loans").await;
    assert_eq!((schedule.status, schedule.failure_count), (ScheduleStatus::Paused, 3));
    assert_eq!(schedule.paused_by.as_deref(), Some(record::BY_ITSELF));
    let of = |id: &str| world.began().iter().filter(|it| it.starts_with(id)).count();
    assert_eq!((of("loans"), of("frail")), (3, 9), "one says never");
    assert_eq!(world.heard(|event| matches!(event, ScheduleEvent::Paused { .. })), 1);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_between_two_times_is_made_up_for_exactly_once() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |it| it.rule.misfire = Misfire::Skip).await;
    world.seconds(3 * 3600).await;
    let pod = world.start("pod-1");
    world.seconds(1810).await;
    let before = ["11:00:00 Missed", "12:00:00 Missed", "13:00:00 Missed", "14:00:00 Succeeded"];
    assert_eq!(world.history("loans").await, before);
    let span = ("2026-11-29T09:00:00Z".parse().unwrap(), "2026-11-29T23:00:00Z".parse().unwrap());
    let missed = steer::missed(&world.store, &world.settings, "loans", span, &asked(&world)).await.unwrap();
    let due: Vec<String> = missed.iter().map(|it| it.id.clone()).collect();
    assert_eq!(
        due[..3],
        ["09", "10", "11"].map(|hour| match hour {
            "11" => format!("loans:2026-11-29T{hour}:00:00Z#2"),
            _ => format!("loans:2026-11-29T{hour}:00:00Z"),
        })
    );
    assert_eq!(due.len(), 5);
    assert_eq!(world.steering().backfill(&missed, &asked(&world)).await.unwrap(), 5);
    assert_eq!(world.steering().backfill(&missed, &asked(&world)).await.unwrap(), 0, "a repeat asks for none again");
    world.seconds(10).await;
    let succeeded = world.executions("loans").await.iter().filter(|it| it.outcome == Outcome::Succeeded).count();
    assert_eq!(succeeded, 6);
    let again = steer::missed(&world.store, &world.settings, "loans", span, &asked(&world)).await.unwrap();
    assert!(again.is_empty(), "{again:?}");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_up_for_that_the_history_has_forgotten() {
    let settings = Settings { history: Duration::from_hours(5), ..Settings::default() };
    let world = World { settings, ..World::new() };
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    let span = ("2026-11-01T00:00:00Z".parse().unwrap(), "2026-11-30T00:00:00Z".parse().unwrap());
    let missed = steer::missed(&world.store, &world.settings, "loans", span, &asked(&world)).await.unwrap();
    let due: Vec<String> = missed.iter().map(|it| it.due_time.to_string()).collect();
    assert_eq!((due.len(), due[0].as_str()), (5, "2026-11-29T06:00:00Z"));
    world.add("rates", "* * * * * ?", |_| {}).await;
    let many = steer::missed(&world.store, &world.settings, "rates", span, &asked(&world)).await;
    assert_eq!(many, Err(steer::SteerError::TooMany));
    let none = world.steering().backfill(&[], &asked(&world)).await;
    assert_eq!((none, world.leases.audits(9).await.unwrap().records.len()), (Ok(0), 0));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_is_late_only_behind_its_jitter() {
    let settings = Settings { jitter: Duration::from_hours(1), ..Settings::default() };
    let world = World { settings, ..World::new() };
    let ids: Vec<String> = (0..20).map(|number| format!("loans-{number}")).collect();
    for id in &ids {
        world.add(id, "0 0 11 * * ?", |_| {}).await;
    }
    let pod = world.start("pod-1");
    for _ in 0..60 {
        world.seconds(60).await;
        for id in &ids {
            let late = steer::late_by(&world.schedule(id).await, &world.settings, world.clock.now());
            assert!(late.is_none_or(|late| late.as_secs() <= 1), "{id}: {late:?}");
        }
    }
    world.seconds(3600).await;
    assert_eq!(world.began().len(), 20);
    let on_time =
        |event: &ScheduleEvent| matches!(event, ScheduleEvent::Began { late, .. } if *late < Duration::from_secs(2));
    assert_eq!(world.heard(on_time), 20, "a jitter is no lateness");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_told_when_nothing_succeeded_also_when_nothing_began() {
    let world = World::starting_at("2026-11-29T01:00:00Z");
    let deadline = Some(DeadlineTime { time: "06:30".to_owned() });
    world.add("never", "0 0 8 * * ?", |it| it.rule.deadline.clone_from(&deadline)).await;
    world.add("early", "0 0 4 * * ?", |it| it.rule.deadline.clone_from(&deadline)).await;
    let pod = world.start("pod-1");
    world.seconds(6 * 3600).await;
    let told = |id: &str| {
        world.heard(|event| matches!(event, ScheduleEvent::DeadlineMissed { schedule, .. } if schedule.as_str() == id))
    };
    assert_eq!((told("never"), told("early")), (1, 0));
    assert_eq!(world.schedule("never").await.deadline_missed.as_deref(), Some("2026-11-29"));
    world.seconds(24 * 3600).await;
    assert_eq!((told("never"), told("early")), (2, 0), "once a day");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_told_of_what_paused_too_and_whatever_was_edited_since() {
    let settings = Settings { pause_after_failures: Some(3), ..Settings::default() };
    let world = World { settings, ..World::starting_at("2026-11-29T01:00:00Z") };
    let deadline = Some(DeadlineTime { time: "06:30".to_owned() });
    for id in ["fails", "paused", "edited"] {
        let begins = Some(world.clock.now());
        let deadline = deadline.clone();
        world.add(id, "0 0/10 2-3 * * ?", |it| (it.rule.deadline, it.deadline_since) = (deadline, begins)).await;
    }
    world
        .add("late", "0 0 8 * * ?", |it| {
            it.rule.deadline.clone_from(&deadline);
            it.deadline_since = Some("2026-11-29T07:00:00Z".parse().unwrap());
        })
        .await;
    *world.work.fails.lock().unwrap() = true;
    let pod = world.start("pod-1");
    world.seconds(2 * 3600).await;
    assert_eq!(world.schedule("fails").await.status, ScheduleStatus::Paused);
    world.steering().resume("paused", &asked(&world)).await.unwrap();
    world.steering().pause("paused", &asked(&world)).await.unwrap();
    pod.end().await;
    // Nobody leads at its time, and somebody edits one behind it.
    world.seconds(4 * 3600).await;
    let edited = world.schedule("edited").await;
    let edited = Schedule { revision: edited.revision + 1, changed_at: world.clock.now(), ..edited };
    assert_eq!(world.store.replace_schedule(Writer::Other, &edited).await, Ok(true));
    let pod = world.start("pod-2");
    world.seconds(600).await;
    let told = |id: &str| {
        world.heard(|event| matches!(event, ScheduleEvent::DeadlineMissed { schedule, .. } if schedule.as_str() == id))
    };
    assert_eq!([told("fails"), told("paused"), told("edited"), told("late")], [1, 1, 1, 0]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_clock_change_left_out_stands_in_the_history() {
    let world = World::starting_at("2026-03-28T12:00:00Z");
    world.add("nightly", "0 30 2 * * ?", |it| it.rule.zone = "Europe/Berlin".to_owned()).await;
    let pod = world.start("pod-1");
    world.seconds(36 * 3600 + 3600).await;
    let all = world.executions("nightly").await;
    assert_eq!(world.history("nightly").await, ["01:00:00 Skipped", "00:30:00 Succeeded"]);
    assert_eq!(all[1].reason.as_deref(), Some("clocks went forward: 02:30:00 did not exist"));
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_history_is_kept_for_its_time_with_the_last_success_and_failure_for_ever() {
    let settings = Settings { history: Duration::from_hours(5), ..Settings::default() };
    let world = World { settings, ..World::new() };
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    *world.work.fails.lock().unwrap() = true;
    let pod = world.start("pod-1");
    world.seconds(3600).await;
    *world.work.fails.lock().unwrap() = false;
    world.seconds(20 * 3600).await;
    let kept = world.history("loans").await;
    assert_eq!(kept[0], "11:00:00 Failed");
    assert!(kept.len() < 9, "{kept:?}");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_history_of_what_fires_no_more_goes_too() {
    let settings = Settings { history: Duration::from_hours(5), ..Settings::default() };
    let world = World { settings, ..World::new() };
    let day = |day: i64| world.clock.now() - SignedDuration::from_hours(24 * day);
    let last = Execution::id_of(&ScheduleId::new("yearly"), day(2), 1);
    world.add("yearly", "0 0 0 1 1 ?", |it| it.last_success_id = Some(last.clone())).await;
    world
        .add("gone", "0 0 0 1 1 ?", |it| {
            it.is_deleted = true;
            it.last_success_id = Some(Execution::id_of(&ScheduleId::new("gone"), it.decided_until, 1));
        })
        .await;
    for id in ["yearly", "gone"].map(ScheduleId::new) {
        for before in 1..2_500 {
            let old = Execution::new(&id, day(before), 1, Cause::Due, Outcome::Succeeded);
            assert!(world.store.insert_execution(None, &old).await.unwrap());
        }
    }
    let pod = world.start("pod-1");
    world.seconds(10).await;
    let kept: Vec<String> = world.executions("yearly").await.into_iter().map(|it| it.id).collect();
    assert_eq!(kept, [last]);
    assert_eq!(world.executions("gone").await, []);
    pod.end().await;
}
