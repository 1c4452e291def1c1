//! A question for health that is never answered.

use crate::support::running::PATIENCE;
use async_trait::async_trait;
use filegen::adapters::memory::source::MemorySource;
use filegen::adapters::memory::state::MemoryState;
use filegen::config;
use filegen::core::generate::params;
use filegen::core::generate::translate::Registry;
use filegen::core::health::{Dependencies, Probe, SourceProbe, StateProbe, TopicsProbe};
use filegen::core::model::param::Params;
use filegen::core::model::sql::Relation;
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::probe::{TopicProbe, TopicUse};
use filegen::telemetry::generate::status::WorkerStatus;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const WORKER: &str = "worker: W\nsource: { url: 'sqlite:x.db', view: v, key: [Id] }\noutput: { root: out }\n\
    files: [ { id: F, name: 'f_{date}.txt', translator: { delimited: { delimiter: '|', columns: [Id] } } } ]\n";

/// Takes a question and says nothing.
struct Silent(Notify);

#[async_trait]
impl TopicProbe for Silent {
    fn describe(&self) -> String {
        "silence".to_owned()
    }

    async fn check(&self) -> Result<usize, BrokerError> {
        self.0.notify_one();
        std::future::pending().await
    }

    async fn may(&self, _: TopicUse) -> Result<(), BrokerError> {
        std::future::pending().await
    }
}

/// No limit of time ever passes by it.
struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_question_for_health_that_nobody_answers_holds_up_no_exit() {
    let worker = config::parse(WORKER, Path::new("w.yaml"), &(), &Registry::default()).unwrap().into_worker().unwrap();
    let (silent, stop) = (Arc::new(Silent(Notify::new())), CancellationToken::new());
    let status = WorkerStatus::new(worker.id.clone(), "host:1", worker.policies.lease_ttl, Arc::new(Stopped));
    let view = worker.source.view.bind(&Params::new()).unwrap();
    let probes: Vec<Box<dyn Probe>> = vec![
        Box::new(StateProbe { leases: Arc::new(MemoryState::default()), key: (&worker.id).into() }),
        Box::new(SourceProbe { source: Arc::new(MemorySource::default()), view: Box::new(move || view.clone()) }),
        Box::new(TopicsProbe { topics: vec![("trigger", Arc::clone(&silent) as Arc<dyn TopicProbe>)] }),
    ];
    let dependencies = Dependencies::new(probes, Arc::new(Stopped), Arc::new(status));
    let ending = stop.clone();
    let watching = tokio::spawn(async move { dependencies.watch(&ending).await });
    timeout(PATIENCE, silent.0.notified()).await.expect("it asks");
    stop.cancel();
    timeout(PATIENCE, watching).await.expect("it does not wait for the answer").unwrap();
}

#[test]
fn health_asks_with_today_s_date_and_only_whether_the_source_answers_where_a_value_is_missing() {
    let view = |worker: &str, now: &str| {
        let worker =
            config::parse(worker, Path::new("w.yaml"), &(), &Registry::default()).unwrap().into_worker().unwrap();
        params::for_health(&worker, now.parse().unwrap())
    };
    let asks = |view: &Relation, now: &str| {
        let mut params = Params::new();
        view.sql().unwrap().gather(&mut params);
        assert_eq!(params["date"].to_string(), now);
    };
    let daily = WORKER.replace("view: v", "query: 'SELECT Id FROM v WHERE day <= {date}'");
    asks(&view(&daily, "2026-11-21T12:00:00Z"), "2026-11-21");
    asks(&view(&daily, "2026-11-22T12:00:00Z"), "2026-11-22");
    let given = daily.replace("<= {date}", "<= {date} AND n = {n}") + "params: { n: { type: text } }\n";
    let asked = view(&given, "2026-11-21T12:00:00Z");
    assert_eq!(asked.sql().unwrap().to_string(), "SELECT 1 AS answers");
}
