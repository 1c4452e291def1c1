//! Several instances: leaders that die, are stopped, or come back late.

use super::*;

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
    crate::core::schedule::steer::run_now(&world.store, "loans", &asked).await.unwrap();
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
