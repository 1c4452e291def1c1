//! A due time that comes while the one before still runs, and how many run at once.

use super::*;
use crate::core::model::schedule::Cause;
use crate::core::schedule::steer::Asked;

#[tokio::test(start_paused = true)]
async fn a_due_time_is_left_out_while_the_one_before_runs_and_the_next_one_is_not() {
    let world = World::new();
    world.add("slow", "0 * * * * ?", |_| {}).await;
    world.lasts("slow", 90);
    let pod = world.start("pod-1");
    world.seconds(200).await;
    assert_eq!(world.history("slow").await, ["10:31:00 Succeeded", "10:32:00 Skipped", "10:33:00 Running"]);
    let skipped = &world.executions("slow").await[1];
    assert_eq!(skipped.reason.as_deref(), Some("the execution before still ran"));
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_waits_where_it_is_to_be_queued() {
    let world = World::new();
    world.add("slow", "0 * * * * ?", |it| it.rule.overlap = Overlap::Queue).await;
    world.lasts("slow", 150);
    let pod = world.start("pod-1");
    world.seconds(225).await;
    // The first one ends at 10:33:30.
    assert_eq!(world.history("slow").await, ["10:31:00 Succeeded", "10:32:00 Running", "10:33:00 Skipped"]);
    world.seconds(20).await;
    assert_eq!(world.history("slow").await[3..], ["10:34:00 Queued"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn they_run_side_by_side_where_that_is_allowed() {
    let world = World::new();
    world.add("slow", "0 * * * * ?", |it| it.rule.overlap = Overlap::Allow).await;
    world.lasts("slow", 150);
    let pod = world.start("pod-1");
    world.seconds(170).await;
    assert_eq!(world.history("slow").await, ["10:31:00 Running", "10:32:00 Running"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_was_said_and_one_that_hangs_holds_up_no_other() {
    let world = World::new();
    for number in 0..20 {
        let id = format!("source-{number}");
        world.add(&id, "0 0 * * * ?", |_| {}).await;
        world.lasts(&id, if number == 0 { 3000 } else { 10 });
    }
    let pod = world.start("pod-1");
    world.seconds(1800 + 120).await;
    assert_eq!(world.work.ended.lock().unwrap().len(), 19);
    assert_eq!(world.work.at_once.lock().unwrap().1, 4);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn all_missed_times_are_made_up_for_one_at_a_time_in_order() {
    let settings = Settings { catch_up: 3, ..Settings::default() };
    let world = World { settings, ..World::new() };
    world.add("loans", "0 0/10 * * * ?", |it| it.rule.misfire = Misfire::FireAll).await;
    world.lasts("loans", 30);
    world.seconds(3600 + 120).await;
    let pod = world.start("pod-1");
    world.seconds(100).await;
    let began: Vec<String> = world.began().iter().map(|id| id[17..22].to_owned()).collect();
    assert_eq!(began, ["11:10", "11:20", "11:30"]);
    assert_eq!(world.work.at_once.lock().unwrap().1, 1);
    assert_eq!(world.history("loans").await[..3], ["10:40:00 Missed", "10:50:00 Missed", "11:00:00 Missed"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn where_nothing_was_missed_fire_all_lets_no_more_wait_than_overlap_says() {
    for (overlap, waits) in [(Overlap::Queue, 1), (Overlap::Skip, 0)] {
        let world = World::new();
        let rule = |it: &mut Schedule| (it.rule.misfire, it.rule.overlap) = (Misfire::FireAll, overlap);
        world.add("loans", "0 * * * * ?", rule).await;
        world.lasts("loans", 150);
        let pod = world.start("pod-1");
        world.seconds(1200).await;
        let queued = world.executions("loans").await.iter().filter(|it| it.outcome == Outcome::Queued).count();
        assert!(queued <= waits, "{overlap:?}: {queued}");
        let skipped = world.executions("loans").await.iter().filter(|it| it.outcome == Outcome::Skipped).count();
        assert!(skipped > 8, "{overlap:?}: {skipped}");
        pod.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_up_for_runs_one_at_a_time_whatever_else_may_overlap() {
    for overlap in [Overlap::Allow, Overlap::Queue] {
        let settings = Settings { catch_up: 5, ..Settings::default() };
        let world = World { settings, ..World::new() };
        world
            .add("loans", "0 0/10 * * * ?", |it| {
                it.rule.misfire = Misfire::FireAll;
                it.rule.overlap = overlap;
            })
            .await;
        world.lasts("loans", 30);
        world.seconds(3600 + 120).await;
        let pod = world.start("pod-1");
        world.seconds(170).await;
        let began = || world.began().iter().map(|id| id[17..22].to_owned()).collect::<Vec<_>>();
        assert_eq!(began(), ["10:50", "11:00", "11:10", "11:20", "11:30"], "{overlap:?}");
        assert_eq!(world.work.at_once.lock().unwrap().1, 1, "{overlap:?}");
        let ids = [8, 9].map(|hour| {
            let due = format!("2026-11-29T0{hour}:00:00Z").parse().unwrap();
            Execution::new(&ScheduleId::new("loans"), due, 1, Cause::Backfill, Outcome::Queued)
        });
        let asked = Asked { who: "ann".to_owned(), why: String::new(), at: world.clock.now() };
        assert_eq!(world.steering().backfill(&ids, &asked).await.unwrap(), 2);
        world.seconds(70).await;
        assert_eq!(began()[5..], ["08:00", "09:00"], "{overlap:?}");
        assert_eq!(world.work.at_once.lock().unwrap().1, 1, "{overlap:?}");
        pod.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_does_not_begin_once_its_schedule_is_paused_whoever_leads() {
    for is_killed in [false, true] {
        let world = World::new();
        world.add("slow", "0 * * * * ?", |it| it.rule.overlap = Overlap::Queue).await;
        world.lasts("slow", 150);
        let first = world.start("pod-1");
        world.seconds(130).await;
        assert_eq!(world.history("slow").await, ["10:31:00 Running", "10:32:00 Queued"]);
        let asked = Asked { who: "ann".to_owned(), why: String::new(), at: world.clock.now() };
        let by_hand = world.steering().run_now("slow", &asked).await.unwrap();
        world.steering().pause("slow", &asked).await.unwrap();
        let last = if is_killed {
            first.kill();
            world.start("pod-2")
        } else {
            first
        };
        world.seconds(45 + 400).await;
        let due: Vec<String> = world.began().into_iter().filter(|id| *id != by_hand.id).collect();
        assert_eq!(due, ["slow:2026-11-29T10:31:00Z"], "killed: {is_killed}");
        assert!(world.began().contains(&by_hand.id), "what a person asked for");
        let waited =
            world.executions("slow").await.into_iter().find(|it| it.id == "slow:2026-11-29T10:32:00Z").unwrap();
        let reason = Some("its schedule was paused before its turn came");
        assert_eq!((waited.outcome, waited.reason.as_deref()), (Outcome::Skipped, reason));
        last.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_dies_before_it_says_what_it_decided_lets_no_more_be_made_up_for() {
    let settings = Settings { catch_up: 3, ..Settings::default() };
    let world = World { settings, ..World::new() };
    world.add("loans", "0 0/10 * * * ?", |it| it.rule.misfire = Misfire::FireAll).await;
    world.lasts("loans", 5);
    // As it stands behind such a leader.
    for due in ["10:40", "10:50", "11:00"] {
        let due = format!("2026-11-29T{due}:00Z").parse().unwrap();
        let queued = Execution::new(&ScheduleId::new("loans"), due, 1, Cause::CatchUp, Outcome::Queued);
        assert!(world.store.insert_execution(None, &queued).await.unwrap());
    }
    world.seconds(2 * 3600 + 120).await;
    let pod = world.start("pod-1");
    world.seconds(100).await;
    let began: Vec<String> = world.began().iter().map(|id| id[17..22].to_owned()).collect();
    assert_eq!(began, ["12:10", "12:20", "12:30"]);
    assert_eq!(world.history("loans").await[..3], ["10:40:00 Skipped", "10:50:00 Skipped", "11:00:00 Skipped"]);
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_place_does_not_count_as_running() {
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let world = World { settings, ..World::new() };
    world.add("slow", "0 0 11 * * ?", |_| {}).await;
    world.add("loans", "0 * * * * ?", |_| {}).await;
    world.lasts("slow", 600);
    world.lasts("loans", 1);
    world.seconds(1800 - 30).await;
    let pod = world.start("pod-1");
    world.seconds(30 + 150).await;
    let all = world.executions("loans").await;
    let skipped = all.iter().find(|it| it.outcome == Outcome::Skipped).unwrap();
    assert_eq!(skipped.reason.as_deref(), Some("the execution before still waited for its turn"), "{all:?}");
    pod.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_fails_alone() {
    struct Panics;
    #[async_trait]
    impl Action for Panics {
        async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
            assert_ne!(firing.schedule.id.as_str(), "bad", "on purpose");
            Ok(Done::default())
        }
    }
    let world = World::new();
    world.add("bad", "0 * * * * ?", |_| {}).await;
    world.add("good", "0 * * * * ?", |_| {}).await;
    let service = Service {
        key: LeaseKey::new("schedule:intake").unwrap(),
        instance: InstanceId::new("pod-1"),
        policies: Policies::default(),
        leases: Arc::new(world.leases.clone()),
        schedules: Arc::new(world.store.clone()),
        feed: None,
        clock: Arc::new(world.clock.clone()),
        settings: Arc::default(),
        action: Arc::new(Panics),
        observer: Arc::clone(&world.notes) as Arc<_>,
        nonce: Arc::new(|| "nonce".to_owned()),
        abort: Arc::new(|| {}),
        wanted: Arc::default(),
        leading: Leading::default(),
    };
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let task = tokio::spawn(async move { service.serve(&stopped).await });
    world.seconds(65).await;
    assert_eq!(world.history("bad").await, ["10:31:00 Failed"]);
    assert_eq!(world.history("good").await, ["10:31:00 Succeeded"]);
    stop.cancel();
    task.await.unwrap();
}
