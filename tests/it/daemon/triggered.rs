//! From a trigger's event to files and completion events, over a real broker.

use super::{Daemon, worker};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use rustix::process::Signal;
use serde_json::Value;

fn listening(filegen: &Filegen, trigger: &Topic, completion: &Topic) {
    let kafka = format!(
        "trigger: {{ kafka: {{ brokers: '{}', topic: {}, properties: {{ session.timeout.ms: '6000' }} }} }}\n\
         completion: {{ kafka: {{ brokers: '{}', topic: {} }} }}\n",
        trigger.brokers, trigger.name, completion.brokers, completion.name
    );
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + &kafka));
}

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
    for daemon in &mut daemons {
        daemon.running.signal(Signal::TERM);
    }
    for daemon in daemons {
        daemon.running.finish().exits(0);
    }
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    assert_eq!(status["workers"][0]["runs"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(status["workers"][0]["runs"][0]["status"], "published", "{status}");
    assert_eq!(completion.length().await, 2, "each event once");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}
