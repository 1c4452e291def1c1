//! Several instances: leaders that die, are stopped, or come back late.

use super::*;
use crate::core::model::schedule::Cause;
use crate::core::ports::schedules::Writer;

/// Longer than a lease lasts.
const TAKEN_OVER: u64 = 45;

#[tokio::test(start_paused = true)]
async fn of_several_instances_one_fires() {
    let world = World::new();
    world.add("loans", "0 * * * * ?", |_| {}).await;
    let pods = ["pod-1", "pod-2", "pod-3"].map(|name| world.start(name));
    world.seconds(605).await;
    assert_eq!(world.began().len(), 10);
    for pod in pods {
        pod.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_leader_had_under_way_is_interrupted_and_done_again() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    world.lasts("loans", 100);
    let first = world.start("pod-1");
    world.seconds(1810).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Running"]);
    first.kill();
    let second = world.start("pod-2");
    world.seconds(TAKEN_OVER).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Interrupted", "11:00:00 Running"]);
    world.seconds(120).await;
    let all = world.executions("loans").await;
    assert_eq!(all[0].id, "loans:2026-11-29T11:00:00Z#2");
    assert_eq!((all[0].outcome, all[0].attempt, all[0].token), (Outcome::Succeeded, 2, 2));
    assert_eq!(all[1].reason.as_deref(), Some("its leader, with token 1, ended in it"));
    assert_eq!(world.schedule("loans").await.last_status, Some(Outcome::Succeeded));
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_schedule_has_heard_of_is_written_down_by_the_next_leader() {
    let world = World::new();
    world.add("loans", "0 0 11 * * ?", |_| {}).await;
    world.add("rates", "0 0 11 * * ?", |it| it.rule.overlap = Overlap::Allow).await;
    world.lasts("loans", 100);
    world.lasts("rates", 100);
    world.seconds(1795).await;
    let first = world.start("pod-1");
    world.seconds(10).await;
    first.kill();
    // It was killed right behind the schedule's hearing of the end, before the execution says so.
    for (id, outcome) in [("loans", Outcome::Succeeded), ("rates", Outcome::Failed)] {
        let running = world.executions(id).await.remove(0);
        assert_eq!(running.outcome, Outcome::Running);
        let error = (outcome == Outcome::Failed).then(|| "no folder".to_owned());
        let ended = Execution { outcome, error, files_seen: 3, files_new: 2, ..running };
        let told = record::told(&world.schedule(id).await, &ended, None, world.clock.now());
        assert_eq!(world.store.replace_schedule(Writer::Other, &told).await, Ok(true));
        // Another one of the same schedule, of which nothing is known: it was due before.
        let due = "2026-11-29T10:00:00Z".parse().unwrap();
        let other = Execution { token: 1, ..Execution::new(&ended.schedule_id, due, 1, Cause::Due, Outcome::Running) };
        assert_eq!(world.store.insert_execution(None, &other).await, Ok(true));
    }
    let second = world.start("pod-2");
    world.seconds(TAKEN_OVER).await;
    for (id, outcome, files) in [("loans", Outcome::Succeeded, (3, 2)), ("rates", Outcome::Failed, (3, 2))] {
        let all = world.executions(id).await;
        let of = |due: &str| all.iter().filter(|it| it.due_time.to_string().contains(due)).collect::<Vec<_>>();
        let heard = of("T11:00");
        assert_eq!((heard.len(), heard[0].outcome, (heard[0].files_seen, heard[0].files_new)), (1, outcome, files));
        assert!(heard[0].ended_at.is_some() && heard[0].reason.as_deref().unwrap().contains("had heard"), "{heard:?}");
        let first = of("T10:00").into_iter().find(|it| it.attempt == 1).unwrap();
        assert_eq!(first.outcome, Outcome::Interrupted, "{all:?}");
        assert_eq!(world.schedule(id).await.execution_count, 2, "each is counted once");
    }
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_due_time_that_ends_each_leader_is_left_at_last() {
    let world = World::new();
    world.add("poison", "0 0 11 * * ?", |_| {}).await;
    world.lasts("poison", 1000);
    world.seconds(1800).await;
    for name in ["pod-1", "pod-2", "pod-3", "pod-4"] {
        let pod = world.start(name);
        world.seconds(TAKEN_OVER).await;
        pod.kill();
    }
    let last = world.start("pod-5");
    world.seconds(TAKEN_OVER).await;
    assert_eq!(world.history("poison").await, ["11:00:00 Interrupted"; 3]);
    last.end().await;
}

#[tokio::test(start_paused = true)]
async fn with_misfire_skip_what_was_interrupted_stays_so() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |it| it.rule.misfire = Misfire::Skip).await;
    world.lasts("loans", 100);
    let first = world.start("pod-1");
    world.seconds(1810).await;
    first.kill();
    let second = world.start("pod-2");
    world.seconds(TAKEN_OVER).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Interrupted"]);
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_what_is_in_hand_and_the_next_leader_goes_on() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    world.lasts("loans", 30);
    let first = world.start("pod-1");
    world.seconds(1810).await;
    first.end().await;
    assert_eq!(world.history("loans").await, ["11:00:00 Interrupted", "11:00:00 Queued"]);
    let second = world.start("pod-2");
    world.seconds(TAKEN_OVER).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Interrupted", "11:00:00 Succeeded"]);
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_at_one_instance_is_begun_by_the_leader_at_once_when_it_hears_of_it() {
    let world = World::new();
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    let pod = world.start("pod-1");
    world.seconds(60).await;
    let asked =
        crate::core::schedule::steer::Asked { who: "ann".to_owned(), why: String::new(), at: world.clock.now() };
    world.steering().run_now("loans", &asked).await.unwrap();
    pod.wanted.notify_one();
    world.clock.sleep(Duration::from_millis(1)).await;
    assert_eq!(world.began().len(), 1);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_with_a_token_that_nobody_was_given_stops_itself_alone_and_is_told() {
    let world = World::new();
    world.add("foreign", "0 0 * * * ?", |schedule| schedule.token = 1 << 62).await;
    world.add("loans", "0 0 * * * ?", |_| {}).await;
    let pod = world.start("pod-1");
    world.seconds(2 * 3600).await;
    assert_eq!(world.history("loans").await, ["11:00:00 Succeeded", "12:00:00 Succeeded"]);
    let is_told = |event: &ScheduleEvent| matches!(event, ScheduleEvent::Unusable { schedule, reason } if schedule.as_str() == "foreign" && reason.contains("not believed"));
    assert!(world.heard(is_told) > 0);
    assert_eq!(world.executions("loans").await[0].token, 1, "one term");
    pod.end().await;
}
