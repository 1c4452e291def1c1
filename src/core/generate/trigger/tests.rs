//! What events ask for, and that none is marked before what it asks for is durable.

use super::*;
use crate::adapters::memory::broker::MemoryBroker;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::generate::spec::AcceptSpec;
use crate::core::model::calendar::Calendar;
use crate::core::model::kafka::{GroupProtocol, KafkaSpec};
use crate::core::model::message::Message;
use crate::core::model::payload::Payload;
use crate::core::model::run::BusinessDate;
use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

fn trigger(matches: &[(&str, Value)]) -> TriggerSpec {
    let kafka = KafkaSpec {
        brokers: "localhost:9092".to_owned(),
        topic: "loan-data".to_owned(),
        group: None,
        protocol: GroupProtocol::default(),
        properties: BTreeMap::new(),
    };
    TriggerSpec { kafka, matches: matches.iter().map(|(at, value)| ((*at).to_owned(), value.clone())).collect() }
}

fn dates(timezone: &str) -> BusinessDateSpec {
    BusinessDateSpec {
        timezone: timezone.to_owned(),
        pointer: "/businessDate".to_owned(),
        calendar: Calendar::Weekends.into(),
        accept: ANY_DATE,
    }
}

/// Every date that has a name of eight digits.
const ANY_DATE: AcceptSpec = AcceptSpec { past_days: 4_000_000, future_days: 4_000_000, runs_per_hour: 60 };

const NOW: Timestamp = Timestamp::constant(1_795_824_000, 0);

fn delivery(offset: i64, payload: &[u8], at: Option<&str>) -> Received {
    let id = EventId { topic: "loan-data".to_owned(), partition: 3, offset };
    let (key, headers, at) = (None, Vec::new(), at.map(|at| at.parse().unwrap()));
    Received { id, key, headers, payload: payload.to_vec(), at }
}

fn heard(payload: &str, at: Option<&str>, timezone: &str) -> TriggerDecision {
    interpret(&delivery(0, payload.as_bytes(), at), &trigger(&[]), &dates(timezone), NOW)
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
    let only_timestamp = BusinessDateSpec { pointer: String::new(), ..dates("UTC") };
    let event = delivery(0, br#"{"businessDate":"2020-01-01"}"#, Some("2026-11-20T23:30:00Z"));
    assert_eq!(interpret(&event, &trigger(&[]), &only_timestamp, NOW), run(2026, 11, 20));
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
fn a_date_outside_the_window_is_odd_wherever_it_comes_from() {
    let narrow = BusinessDateSpec {
        accept: AcceptSpec { past_days: 5, future_days: 0, ..AcceptSpec::default() },
        ..dates("UTC")
    };
    let asks = |payload: &str, at: &str| {
        interpret(
            &delivery(0, payload.as_bytes(), Some(at)),
            &trigger(&[]),
            &narrow,
            "2026-11-21T12:00:00Z".parse().unwrap(),
        )
    };
    for (payload, sent) in [
        (r#"{"businessDate":"2090-01-01"}"#, "2026-11-21T12:00:00Z"),
        (r#"{"businessDate":"2026-11-22"}"#, "2026-11-21T12:00:00Z"),
        (r#"{"businessDate":"2026-11-15"}"#, "2026-11-21T12:00:00Z"),
        (r#"{"businessDate":"9999-12-31"}"#, "2026-11-21T12:00:00Z"),
        ("{}", "2090-01-01T00:00:00Z"),
        ("{}", "1970-01-01T00:00:00Z"),
    ] {
        let TriggerDecision::Odd(reason) = asks(payload, sent) else { panic!("{payload}") };
        assert!(reason.contains("business_date.accept") && reason.contains("--force"), "{payload}: {reason}");
    }
    assert_eq!(asks(r#"{"businessDate":"2026-11-16"}"#, "2026-11-21T12:00:00Z"), run(2026, 11, 16));
    assert_eq!(asks(r#"{"businessDate":"2026-11-10"}"#, "2026-11-14T12:00:00Z"), run(2026, 11, 10), "it waited a week");
}

#[test]
fn only_events_that_match_are_for_this_worker() {
    let wanted = trigger(&[("/dataset", json!("loans")), ("/source/version", json!(2))]);
    let asks =
        |payload: Value| interpret(&delivery(0, payload.to_string().as_bytes(), None), &wanted, &dates("UTC"), NOW);
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
        interpret(&event, &trigger(&[("/a", json!(1))]), &dates("Europe/Berlin"), NOW);
        interpret(&event, &trigger(&[]), &dates("no/zone"), NOW);
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
        prop_assume!((1..=9999).contains(&day.year()));
        for form in ["%Y-%m-%d", "%Y%m%d", "%Y-%m-%dT12:00:00Z"] {
            let payload = json!({ "businessDate": day.strftime(form).to_string() }).to_string();
            prop_assert_eq!(heard(&payload, None, "UTC"), TriggerDecision::Run(BusinessDate(day)), "{}", payload);
        }
    }
}

/// What was done, in order; and what was committed then.
type Trail = Arc<Mutex<Vec<String>>>;

/// The broker's only topic.
const TOPIC: &str = "loan-data";

/// Listens until all of these events are committed; the trail holds the news, each with the offset that is committed then.
/// With `faults` the broker is away at first, and again when the last event was heard.
async fn listened(events: &[&str], faults: u32) -> (Arc<MemoryState>, Vec<String>) {
    let (broker, stop) = (MemoryBroker::default(), CancellationToken::new());
    broker.create(TOPIC, 4);
    for event in events {
        broker.put(TOPIC, 3, &Message { payload: event.as_bytes().to_vec(), ..Message::default() });
    }
    broker.be_away(faults);
    let (runs, trail) = (Arc::new(MemoryState::default()), Trail::default());
    let (told, brokers, last) = (Arc::clone(&trail), broker.clone(), i64::try_from(events.len()).unwrap() - 1);
    let observer = move |event: &TriggerEvent| {
        let (what, offset) = match event {
            TriggerEvent::Requested { run, event } => (format!("requested {}", run.id.date), event.offset),
            TriggerEvent::Repeated { run, event } => (format!("repeated {}", run.id.date), event.offset),
            TriggerEvent::Other { event } => ("other".to_owned(), event.offset),
            TriggerEvent::Odd { event, .. } => ("odd".to_owned(), event.offset),
            TriggerEvent::Failing { attempt, .. } => (format!("failing {attempt}"), -1),
            TriggerEvent::Recovered => ("recovered".to_owned(), -1),
        };
        if offset == last {
            brokers.be_away(faults);
        }
        let committed =
            brokers.committed("g", TOPIC, 3).map_or(String::new(), |offset| format!(", {offset} committed"));
        told.lock().unwrap().push(format!("{what}{committed}"));
    };
    let listener = Listener {
        worker: WorkerId::new("LoanWorker").unwrap(),
        trigger: trigger(&[]),
        dates: dates("UTC"),
        retry: RetrySpec::default(),
        runs: Arc::clone(&runs) as Arc<dyn RunStore>,
        dead_letters: Arc::clone(&runs) as Arc<dyn DeadLetters>,
        clock: Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH)),
        observer: Arc::new(observer),
    };
    let mut consumer = broker.consumer(TOPIC, "g");
    let ending = async {
        while broker.committed("g", TOPIC, 3) != Some(last + 1) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        stop.cancel();
    };
    tokio::join!(listen(&listener, &mut consumer, &stop), ending);
    // It has left its group: another member has all partitions at once, and nothing comes again.
    let mut next = broker.consumer(TOPIC, "g");
    let Ok(Polled::Assigned(all)) = next.next_batch(9, Duration::ZERO).await else { panic!("it has joined") };
    assert_eq!((all.len(), next.next_batch(9, Duration::ZERO).await), (4, Ok(Polled::Messages(Vec::new()))));
    let trail = trail.lock().unwrap().clone();
    (runs, trail)
}

#[tokio::test(start_paused = true)]
async fn events_are_committed_behind_what_they_ask_for_and_a_repeat_makes_no_run() {
    let day = r#"{"businessDate":"2026-11-21"}"#;
    let (runs, trail) = listened(&[day, "no JSON", day], 0).await;
    assert_eq!(trail, ["requested 2026-11-21", "odd", "repeated 2026-11-21"], "nothing is committed before the last");
    let made = runs.runs(None, 9).await.unwrap().records;
    assert_eq!(made.iter().map(|run| run.requested_by.as_str()).collect::<Vec<_>>(), ["kafka:loan-data/3/0"]);
    let odd = runs.dead_letters(None, 9).await.unwrap().records;
    assert_eq!((odd.len(), odd[0].id.offset, &odd[0].payload), (1, 1, &None));
    let kept = runs.dead_letter(&odd[0].owner, &odd[0].id).await.unwrap().unwrap();
    assert_eq!(kept.payload, Some(Payload::of(b"no JSON")));
}

#[tokio::test(start_paused = true)]
async fn more_events_than_a_batch_holds_are_committed_batch_by_batch() {
    let events: Vec<&str> = vec!["{}"; BATCH + 1];
    let (_, trail) = listened(&events, 0).await;
    assert_eq!(trail.len(), BATCH + 1);
    assert!(!trail[BATCH - 1].contains("committed"), "{trail:?}");
    assert!(trail[BATCH].ends_with(&format!("{BATCH} committed")), "{trail:?}");
}

#[tokio::test(start_paused = true)]
async fn faults_are_borne_and_skip_nothing() {
    let events = [r#"{"businessDate":"2026-11-21"}"#, r#"{"businessDate":"2026-11-22"}"#];
    let (runs, trail) = listened(&events, 2).await;
    let wanted = [
        "failing 1",
        "failing 2",
        "requested 2026-11-21",
        "requested 2026-11-22",
        "failing 3",
        "failing 4",
        "recovered, 2 committed",
    ];
    assert_eq!(trail, wanted);
    assert_eq!(runs.runs(None, 9).await.unwrap().records.len(), 2);
}
