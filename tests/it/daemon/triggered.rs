//! From a trigger's event to files and completion events, over a real broker.

use crate::support::daemon::{Daemon, listening, stop, worker};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::running::{PATIENCE, until};
use serde_json::Value;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn one_event_sent_five_times_to_three_daemons_makes_one_run_with_each_completion_event() {
    let (trigger, completion) = (Topic::create(3).await, Topic::create(1).await);
    let filegen = worker(300);
    listening(&filegen, &trigger, &completion);
    let mut daemons: Vec<Daemon> = (0..3).map(|_| Daemon::start(&filegen)).collect();
    for partition in [0, 1, 2, 0, 1] {
        trigger.write(partition, &[r#"{"businessDate": "2026-11-21"}"#]).await;
    }
    trigger.write(2, &["{"]).await;
    let events = completion.read(2).await;
    let mut ids = Vec::new();
    for (key, value) in &events {
        let event: Value = serde_json::from_str(value).unwrap();
        assert_eq!(event["fileId"], key.as_str());
        assert_eq!((&event["workerId"], &event["businessDate"]), (&"LoanWorker".into(), &"2026-11-21".into()));
        ids.push(event["correlationId"].as_str().unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2, "one for each file: {events:?}");
    shows_what_was_passed_over(&filegen, &mut daemons, &trigger);
    stop(daemons);
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert_eq!(status["workers"][0]["runs"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(status["workers"][0]["runs"][0]["status"], "published", "{status}");
    assert_eq!(completion.length().await, 2, "each event once");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_of_a_fault_of_its_own_is_not_alive() {
    let (trigger, completion) = (Topic::create(1).await, Topic::create(1).await);
    let filegen = worker(30);
    listening(&filegen, &trigger, &completion);
    let mut command = filegen.command("daemon -c worker.yaml --health-port 0");
    let daemon = Daemon::of(command.env("FAILPOINTS", "trigger.recorded=panic"));
    assert_eq!(daemon.get("/health/live").0, 200);
    trigger.write(0, &[r#"{"businessDate": "2026-11-21"}"#]).await;
    let (_, body) = until("an end of the task", || Some(daemon.get("/health/live")).filter(|(code, _)| *code == 503));
    assert!(body.contains("its service has ended"), "{body}");
}

/// One of the daemons says in its log that it passed over what is no JSON; the command, JSON and page of each show it.
fn shows_what_was_passed_over(filegen: &Filegen, daemons: &mut [Daemon], trigger: &Topic) {
    let until = Instant::now() + PATIENCE;
    let shown = loop {
        let shown = filegen.run("status -c worker.yaml --output json").exits(0).json();
        if shown["workers"][0]["passedOver"][0].is_object() {
            break shown;
        }
        assert!(Instant::now() < until, "it was not passed over: {shown}");
    };
    let event = &shown["workers"][0]["passedOver"][0];
    assert_eq!((event["topic"].as_str(), event["partition"].as_i64()), (Some(trigger.name.as_str()), Some(2)));
    assert_eq!(event["offset"], 1, "{event}");
    let reason = event["reason"].as_str().unwrap();
    let text = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(text.contains("PASSED OVER") && text.contains(&trigger.name), "{text}");
    for daemon in daemons {
        let status: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
        assert_eq!(status["workers"][0]["passedOver"][0]["reason"], reason, "{status}");
        assert!(daemon.get("/").1.contains("Events passed over"));
    }
}
