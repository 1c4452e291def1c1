//! What events ask for, and that none is marked before what it asks for is durable.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::run::BusinessDate;
use crate::core::ports::events::BrokerError;
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

fn trigger(matches: &[(&str, Value)]) -> TriggerSpec {
    let kafka = KafkaSpec {
        brokers: "localhost:9092".to_owned(),
        topic: "loan-data".to_owned(),
        group: None,
        properties: BTreeMap::new(),
    };
    TriggerSpec { kafka, matches: matches.iter().map(|(at, value)| ((*at).to_owned(), value.clone())).collect() }
}

fn dates(timezone: &str) -> BusinessDateSpec {
    BusinessDateSpec { timezone: timezone.to_owned(), pointer: "/businessDate".to_owned() }
}

fn delivery(offset: i64, payload: &[u8], at: Option<&str>) -> Delivery {
    let id = EventId { topic: "loan-data".to_owned(), partition: 3, offset };
    Delivery { id, payload: payload.to_vec(), at: at.map(|at| at.parse().unwrap()) }
}

fn heard(payload: &str, at: Option<&str>, timezone: &str) -> TriggerDecision {
    interpret(&delivery(0, payload.as_bytes(), at), &trigger(&[]), &dates(timezone))
}

fn run(year: i16, month: i8, day: i8) -> TriggerDecision {
    TriggerDecision::Run(BusinessDate(date(year, month, day)))
}

#[test]
fn a_business_date_is_taken_from_the_event_in_each_form() {
    for (value, zone) in [
        (json!("2026-11-21"), "UTC"),
        (json!("20261121"), "UTC"),
        (json!(20_261_121), "UTC"),
        (json!("2026-11-21T00:30:00Z"), "UTC"),
        (json!("2026-11-20T23:30:00Z"), "Europe/Berlin"),
        (json!("2026-11-22T01:30:00+02:00"), "UTC"),
    ] {
        let payload = json!({ "businessDate": value }).to_string();
        assert_eq!(heard(&payload, Some("2020-01-01T00:00:00Z"), zone), run(2026, 11, 21), "{payload} in {zone}");
    }
}

#[test]
fn without_a_date_the_timestamp_counts_in_the_zone() {
    for payload in ["{}", r#"{"businessDate":null}"#, r#"{"other":"2020-01-01"}"#] {
        assert_eq!(heard(payload, Some("2026-11-20T23:30:00Z"), "UTC"), run(2026, 11, 20));
        assert_eq!(heard(payload, Some("2026-11-20T23:30:00Z"), "Europe/Berlin"), run(2026, 11, 21));
        assert!(matches!(heard(payload, None, "UTC"), TriggerDecision::Odd(_)), "{payload}: never today");
    }
    let only_timestamp = BusinessDateSpec { timezone: "UTC".to_owned(), pointer: String::new() };
    let event = delivery(0, br#"{"businessDate":"2020-01-01"}"#, Some("2026-11-20T23:30:00Z"));
    assert_eq!(interpret(&event, &trigger(&[]), &only_timestamp), run(2026, 11, 20));
}

#[test]
fn what_cannot_be_understood_is_odd_and_says_why() {
    for (payload, why) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "a list, not a JSON object"),
        ("\"2026-11-21\"", "a text, not a JSON object"),
        (r#"{"businessDate":"2026-02-30"}"#, "`2026-02-30`, which is no date"),
        (r#"{"businessDate":"tomorrow"}"#, "`tomorrow`, which is no date"),
        (r#"{"businessDate":"2026-11-21T10:00:00"}"#, "which is no date"),
        (r#"{"businessDate":""}"#, "which is no date"),
        (r#"{"businessDate":20261}"#, "which is no date"),
        (r#"{"businessDate":{"day":21}}"#, "an object, not a date"),
        (r#"{"businessDate":true}"#, "a flag, not a date"),
    ] {
        let TriggerDecision::Odd(reason) = heard(payload, Some("2026-11-21T00:00:00Z"), "UTC") else {
            panic!("{payload}")
        };
        assert!(reason.contains(why), "{payload}: {reason}");
    }
}

#[test]
fn only_events_that_match_are_for_this_worker() {
    let wanted = trigger(&[("/dataset", json!("loans")), ("/source/version", json!(2))]);
    let asks = |payload: Value| interpret(&delivery(0, payload.to_string().as_bytes(), None), &wanted, &dates("UTC"));
    let day = "2026-11-21";
    assert_eq!(asks(json!({ "dataset": "loans", "source": { "version": 2 }, "businessDate": day })), run(2026, 11, 21));
    assert_eq!(
        asks(json!({ "dataset": "loans", "source": { "version": 2.0 }, "businessDate": day })),
        run(2026, 11, 21)
    );
    for other in [
        json!({ "dataset": "loans", "businessDate": day }),
        json!({ "dataset": "cards", "source": { "version": 2 }, "businessDate": day }),
        json!({ "dataset": "loans", "source": { "version": "2" }, "businessDate": day }),
        // Another worker's event may be odd in our eyes.
        json!({ "businessDate": "tomorrow" }),
    ] {
        assert_eq!(asks(other.clone()), TriggerDecision::Other, "{other}");
    }
    assert!(matches!(asks(json!([1])), TriggerDecision::Odd(_)), "what is no object may be anybody's");
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(payload in any::<Vec<u8>>(), millis in any::<Option<i64>>()) {
        let mut event = delivery(0, &payload, None);
        event.at = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        interpret(&event, &trigger(&[("/a", json!(1))]), &dates("Europe/Berlin"));
        interpret(&event, &trigger(&[]), &dates("no/zone"));
    }

    #[test]
    fn any_text_for_a_date_is_that_day_or_odd(text in any::<String>(), at in any::<bool>()) {
        let at = at.then_some("2001-02-03T04:05:06Z");
        let answer = heard(&json!({ "businessDate": text }).to_string(), at, "UTC");
        prop_assert!(!matches!(answer, TriggerDecision::Other));
        prop_assert!(answer != run(2001, 2, 3) || text.contains("2001"), "a date that is there is never passed over");
    }

    #[test]
    fn each_day_is_read_in_each_form(days in -700_000_i32..2_900_000) {
        let day = date(0, 1, 1).saturating_add(jiff::Span::new().days(days));
        prop_assume!((0..=9999).contains(&day.year()));
        for form in ["%Y-%m-%d", "%Y%m%d", "%Y-%m-%dT12:00:00Z"] {
            let payload = json!({ "businessDate": day.strftime(form).to_string() }).to_string();
            prop_assert_eq!(heard(&payload, None, "UTC"), TriggerDecision::Run(BusinessDate(day)), "{}", payload);
        }
    }
}

/// What was done, in order.
type Trail = Arc<Mutex<Vec<String>>>;

fn note(trail: &Trail, what: impl Into<String>) {
    trail.lock().unwrap().push(what.into());
}

/// A log of events that fails by script, and ends the test when it is empty.
struct Script {
    events: VecDeque<Result<Delivery, BrokerError>>,
    refused_marks: u32,
    trail: Trail,
    stop: CancellationToken,
}

fn away() -> BrokerError {
    BrokerError::Unreachable { topic: "loan-data".to_owned(), reason: "away".to_owned() }
}

#[async_trait]
impl EventSource for Script {
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        self.stop.cancel();
        std::future::pending().await
    }

    async fn done(&mut self, id: &EventId) -> Result<(), BrokerError> {
        if self.refused_marks > 0 {
            self.refused_marks -= 1;
            return Err(away());
        }
        note(&self.trail, format!("done {}", id.offset));
        Ok(())
    }

    async fn close(&mut self) {
        note(&self.trail, "closed");
    }
}

/// Listens to a script until its end; the trail holds news and marks in their order.
async fn listened(events: Vec<Result<Delivery, BrokerError>>, refused_marks: u32) -> (Arc<MemoryState>, Vec<String>) {
    let (runs, trail, stop) = (Arc::new(MemoryState::default()), Trail::default(), CancellationToken::new());
    let told = Arc::clone(&trail);
    let observer = move |news: &TriggerEvent| {
        let what = match news {
            TriggerEvent::Requested { run, .. } => format!("requested {}", run.id.date),
            TriggerEvent::Repeated { run, .. } => format!("repeated {}", run.id.date),
            TriggerEvent::Other { event } => format!("other {}", event.offset),
            TriggerEvent::Odd { event, .. } => format!("odd {}", event.offset),
            TriggerEvent::Failing { attempt, .. } => format!("failing {attempt}"),
            TriggerEvent::Recovered => "recovered".to_owned(),
        };
        note(&told, what);
    };
    let listener = Listener {
        worker: WorkerId::new("LoanWorker").unwrap(),
        trigger: trigger(&[]),
        dates: dates("UTC"),
        retry: RetrySpec::default(),
        runs: Arc::clone(&runs) as Arc<dyn RunStore>,
        clock: Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH)),
        observer: Arc::new(observer),
    };
    let mut script = Script { events: events.into(), refused_marks, trail: Arc::clone(&trail), stop: stop.clone() };
    listen(&listener, &mut script, &stop).await;
    let trail = trail.lock().unwrap().clone();
    (runs, trail)
}

#[tokio::test(start_paused = true)]
async fn each_event_is_marked_behind_what_it_asks_for_and_a_repeat_makes_no_run() {
    let day = br#"{"businessDate":"2026-11-21"}"#;
    let events = vec![Ok(delivery(1, day, None)), Ok(delivery(2, b"\xFF{", None)), Ok(delivery(3, day, None))];
    let (runs, trail) = listened(events, 0).await;
    assert_eq!(trail, ["requested 2026-11-21", "done 1", "odd 2", "done 2", "repeated 2026-11-21", "done 3", "closed"]);
    let made = runs.runs(None, 9).await.unwrap();
    assert_eq!(made.iter().map(|run| run.requested_by.as_str()).collect::<Vec<_>>(), ["kafka:loan-data/3/1"]);
    let odd = runs.dead_letters(None, 9).await.unwrap();
    assert_eq!((odd.len(), odd[0].id.offset, odd[0].payload.as_str()), (1, 2, "\u{FFFD}{"));
}

#[tokio::test(start_paused = true)]
async fn faults_are_borne_and_skip_nothing() {
    let events = vec![
        Err(away()),
        Err(away()),
        Ok(delivery(1, br#"{"businessDate":"2026-11-21"}"#, None)),
        Ok(delivery(2, br#"{"businessDate":"2026-11-22"}"#, None)),
    ];
    let (runs, trail) = listened(events, 1).await;
    let wanted = [
        "failing 1",
        "failing 2",
        "requested 2026-11-21",
        "failing 3",
        "done 1",
        "recovered",
        "requested 2026-11-22",
        "done 2",
        "closed",
    ];
    assert_eq!(trail, wanted);
    assert_eq!(runs.runs(None, 9).await.unwrap().len(), 2);
}
