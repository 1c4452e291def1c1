//! What is said of a state store's server and of topics, over stand-ins.

use super::report::Report;
use super::topics::{NamedProbe, Topics};
use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::kind::FailureKind;
use crate::core::model::finding::CheckVerdict;
use crate::core::model::policy::Policies;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::audit::AuditLog;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::{Timestamp, ToSpan};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A server with a clock, and indexes that can be made or not.
struct Server {
    time: Result<Option<Timestamp>, StoreError>,
    missing: Mutex<Vec<String>>,
    makes: bool,
}

impl Server {
    fn with(time: Result<Option<Timestamp>, StoreError>, missing: &[&str]) -> Self {
        let missing = missing.iter().map(|&name| name.to_owned()).collect();
        Self { time, missing: Mutex::new(missing), makes: true }
    }
}

#[async_trait]
impl StoreAdmin for Server {
    fn describe(&self) -> String {
        "mongodb://db/filegen".to_owned()
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.time.clone()
    }

    async fn missing_indexes(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.missing.lock().unwrap().clone())
    }

    async fn make_indexes(&self) -> Result<(), StoreError> {
        if self.makes {
            self.missing.lock().unwrap().clear();
        }
        Ok(())
    }
}

fn silent() -> StoreError {
    StoreError::Unreachable { store: "db".to_owned(), reason: "no answer".to_owned() }
}

fn report() -> Report<'static> {
    Report::new(&|_| {})
}

async fn clock_check(time: Result<Option<Timestamp>, StoreError>) -> (CheckVerdict, String) {
    let mut report = report();
    state::clock(&Server::with(time, &[]), &MemoryClock::starting_at(noon()), &mut report).await;
    let found = report.found.remove(0);
    (found.finding.verdict, found.finding.detail)
}

#[tokio::test(start_paused = true)]
async fn clocks_that_differ_by_more_than_a_second_are_told_and_never_fail() {
    let (verdict, detail) = clock_check(Ok(Some(noon() + 999.milliseconds()))).await;
    assert_eq!((verdict, detail.as_str()), (CheckVerdict::Pass, "the server's clock is 0.999 s ahead of this host's"));
    let (verdict, detail) = clock_check(Ok(Some(noon() - 1500.milliseconds()))).await;
    assert!(verdict == CheckVerdict::Warn && detail.contains("1.500 s behind") && detail.contains("NTP"), "{detail}");
    assert_eq!(clock_check(Ok(Some(noon() + 1500.milliseconds()))).await.0, CheckVerdict::Warn);
    assert_eq!(clock_check(Ok(None)).await.0, CheckVerdict::Pass);
    assert_eq!(clock_check(Err(silent())).await.0, CheckVerdict::Warn);
}

#[tokio::test(start_paused = true)]
async fn missing_indexes_are_told_and_made_on_record() {
    let (server, runs) = (Server::with(Ok(None), &["runs.by_date", "odd_events.latest"]), MemoryState::default());
    let clock = MemoryClock::starting_at(noon());
    let mut report = report();
    state::indexes(&server, &mut report).await;
    assert_eq!(report.found[0].finding.verdict, CheckVerdict::Warn);
    assert!(report.found[0].finding.detail.contains("runs.by_date, odd_events.latest"), "{:?}", report.found[0]);
    let words = Fix { who: "ann at pod-1:7", reason: "INC-4711" };
    let made = fix(&server, &runs, &clock, &words).await.unwrap().unwrap();
    assert_eq!(made.finding.detail, "made: runs.by_date, odd_events.latest");
    let audits = runs.audits(9).await.unwrap().records;
    assert_eq!((audits.len(), audits[0].who.as_str(), audits[0].reason.as_str()), (1, "ann at pod-1:7", "INC-4711"));
    assert_eq!((audits[0].action.as_str(), audits[0].at), ("doctor --fix", noon()));
    assert!(audits[0].detail.contains("runs.by_date") && audits[0].detail.contains("mongodb://db/filegen"));
    assert_eq!(fix(&server, &runs, &clock, &words).await, Ok(None), "nothing is missing any more");
    assert_eq!(runs.audits(9).await.unwrap().records.len(), 1, "and nothing was done");

    let stubborn = Server { makes: false, ..Server::with(Ok(None), &["runs.by_date"]) };
    let left = fix(&stubborn, &runs, &clock, &words).await.unwrap().unwrap();
    assert_eq!(left.finding.verdict, CheckVerdict::Fail);
}

#[test]
fn a_lease_too_short_for_a_busy_disk_is_told_with_what_to_write() {
    let told = |ttl: Duration| {
        let mut report = report();
        state::lease_time(&Policies { lease_ttl: ttl, ..Policies::default() }, &mut report);
        let found = report.found.remove(0).finding;
        (found.verdict, found.detail)
    };
    let (verdict, detail) = told(Duration::from_secs(2));
    assert_eq!(verdict, CheckVerdict::Warn);
    for part in ["an eighth of it, 250 ms", "exit code 6", "30s"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert_eq!(told(Duration::from_millis(4999)).0, CheckVerdict::Warn);
    assert_eq!(told(Duration::from_secs(5)), (CheckVerdict::Pass, "625 ms for each call to the store".to_owned()));
}

/// A topic that answers as it is told to.
struct Topic {
    there: Result<usize, BrokerError>,
    allowed: [Result<(), BrokerError>; 2],
}

#[async_trait]
impl TopicProbe for Topic {
    fn describe(&self) -> String {
        "t at b:1".to_owned()
    }

    async fn check(&self) -> Result<usize, BrokerError> {
        self.there.clone()
    }

    async fn may(&self, wanted: TopicUse) -> Result<(), BrokerError> {
        self.allowed[usize::from(wanted == TopicUse::Write)].clone()
    }
}

fn refused() -> BrokerError {
    BrokerError::Refused { topic: "t at b:1".to_owned(), reason: "no".to_owned() }
}

fn named(name: &'static str, probe: Arc<dyn TopicProbe>) -> NamedProbe {
    let uses: &[TopicUse] = if name == "trigger" { &[TopicUse::Read] } else { &[TopicUse::Write] };
    NamedProbe { name, uses, probe }
}

async fn told(topics: Topics) -> Vec<(String, CheckVerdict, bool)> {
    let mut report = report();
    topics::topics(&topics, &MemoryClock::starting_at(noon()), &mut report).await;
    report
        .found
        .into_iter()
        .map(|found| (found.finding.check, found.finding.verdict, found.failure == Some(FailureKind::Unreachable)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_trigger_must_be_read_and_a_completion_topic_written() {
    let read_only = || Arc::new(Topic { there: Ok(3), allowed: [Ok(()), Err(refused())] }) as Arc<dyn TopicProbe>;
    let all = told(Ok(vec![named("trigger", read_only()), named("completion", read_only())])).await;
    let pass = |check: &str| (check.to_owned(), CheckVerdict::Pass, false);
    let fail = ("completion write".to_owned(), CheckVerdict::Fail, false);
    assert_eq!(all, [pass("trigger topic"), pass("trigger read"), pass("completion topic"), fail]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_does_not_answer_is_asked_no_further() {
    let away = BrokerError::Unreachable { topic: "t at b:1".to_owned(), reason: "refused".to_owned() };
    for (error, unreachable) in [(away, true), (refused(), false)] {
        let topic = Topic { there: Err(error), allowed: [Ok(()), Ok(())] };
        let all = told(Ok(vec![named("trigger", Arc::new(topic))])).await;
        assert_eq!(all, [("trigger topic".to_owned(), CheckVerdict::Fail, unreachable)]);
    }
    assert_eq!(told(Ok(vec![])).await, []);
    assert_eq!(told(Err(refused())).await, [("client".to_owned(), CheckVerdict::Fail, false)]);
}
