//! No number of other runs, no record that cannot be read, and no run that panics hides the day that is due.

use super::rig::Rig;
use crate::support::term;
use filegen::adapters::memory::clock::MemoryClock;
use filegen::adapters::memory::source::{Cell, MemorySource};
use filegen::adapters::memory::state::MemoryState;
use filegen::core::election::ElectionEvent;
use filegen::core::generate::Ports;
use filegen::core::generate::due::{DueEvent, RunsProbe};
use filegen::core::generate::event::GenerateEvent;
use filegen::core::generate::run::Identity;
use filegen::core::generate::service::Service;
use filegen::core::health::Probe;
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::names::{InstanceId, ViewName};
use filegen::core::model::run::{BusinessDate, RunId, RunStatus};
use filegen::core::model::term::Token;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::observer::{Observer, Retrying, Unobserved};
use filegen::core::ports::runs::RunStore;
use filegen::core::ports::state::StateStore;
use filegen::{Records, Registry, Rows, TranslateError, Translator};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The day that is due.
const TODAY: Date = date(2026, 11, 21);

/// A worker whose translator panics at one name.
const WORKER: &str = r#"
worker: LoanWorker
source: { url: "sqlite:loans.db", view: v_Loans, key: [LoanId], page_size: 2 }
output: { root: out }
files:
  - id: Loan0
    name: "loan0_{date}.txt"
    translator: { touchy: {} }
"#;

/// Panics at the name `panic`.
struct Touchy;

impl Translator for Touchy {
    fn columns(&self) -> Vec<String> {
        vec!["Name".to_owned()]
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        for row in rows.iter() {
            let text = rows.text(0, row).unwrap_or_default();
            assert!(text != "panic", "this translator does not like the name");
            records.push_str(&text);
            records.end(row)?;
        }
        Ok(())
    }
}

/// What was said.
#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl Observer<ElectionEvent> for Said {
    fn observe(&self, _: &ElectionEvent) {}
}

impl Observer<Retrying> for Said {
    fn observe(&self, _: &Retrying) {}
}

impl Observer<GenerateEvent> for Said {
    fn observe(&self, event: &GenerateEvent) {
        let text = match event {
            GenerateEvent::Warning { text } => text.clone(),
            GenerateEvent::Failed { run, error, .. } => format!("{run} failed: {error}"),
            _ => return,
        };
        self.0.lock().unwrap().push(text);
    }
}

struct House {
    state: MemoryState,
    service: Service,
    said: Arc<Said>,
    clock: Arc<dyn Clock>,
}

impl House {
    fn new() -> Self {
        Self::of(&Rig::new(), Registry::default())
    }

    fn of(rig: &Rig, registry: Registry) -> Self {
        let state = MemoryState::default();
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(MemoryClock::starting_at(noon));
        let ports =
            Ports { state: StateStore::of(Arc::new(state.clone())), clock: Arc::clone(&clock), ..rig.ports.clone() };
        let said = Arc::new(Said::default());
        let identity = Identity {
            instance: InstanceId::new("host:1"),
            nonce: Arc::new(|| "nonce".to_owned()),
            abort: Arc::new(|| ()),
        };
        let service = Service {
            worker: rig.job().worker,
            registry: Arc::new(registry),
            ports,
            identity,
            observer: Arc::clone(&said) as Arc<_>,
            wanted: Arc::new(Notify::new()),
            publisher: None,
            courier: None,
        };
        Self { state, service, said, clock }
    }

    fn run(&self, date: Date) -> RunId {
        RunId { worker: self.service.worker.id.clone(), date: BusinessDate(date) }
    }

    async fn ask(&self, date: Date) {
        self.state.request(&self.run(date), "kafka:loan-data/0/1", self.clock.now()).await.unwrap();
    }

    /// Serves until this day's run is published; for how long on its own clock.
    async fn serve_until_published(&self, date: Date) -> Duration {
        let (stop, began) = (CancellationToken::new(), self.clock.elapsed());
        let watching = async {
            while self.state.run(&self.run(date)).await.unwrap().is_none_or(|run| run.status != RunStatus::Published) {
                let waited = self.clock.elapsed().saturating_sub(began);
                assert!(waited < Duration::from_hours(48), "{date} is not made: {}", self.said());
                self.clock.sleep(Duration::from_secs(1)).await;
            }
            stop.cancel();
        };
        tokio::join!(self.service.serve(&stop), watching);
        self.clock.elapsed().saturating_sub(began)
    }

    fn said(&self) -> String {
        self.said.0.lock().unwrap().join("\n")
    }
}

#[tokio::test(start_paused = true)]
async fn today_is_made_whatever_an_earlier_build_recorded_for_later_days() {
    let house = House::new();
    for day in 0..450 {
        house.ask(date(2090, 1, 1).saturating_add(Span::new().days(day))).await;
    }
    house.ask(TODAY).await;
    let took = house.serve_until_published(TODAY).await;
    assert!(took < Duration::from_mins(1), "{took:?}");
    let junk = house.state.run(&house.run(date(2090, 1, 1))).await.unwrap().unwrap();
    assert_eq!(junk.status, RunStatus::Pending, "and no file of 2090 has today's rows");
    assert!(house.said().contains("450 recorded runs from 2090-01-01"), "{}", house.said());
    // By hand, with a reason.
    house.state.ask_again(&junk.id, "command:host:9", house.clock.now()).await.unwrap();
    house.serve_until_published(junk.id.date.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_day_that_has_not_begun_is_made_when_it_has() {
    let house = House::new();
    let tomorrow = TODAY.tomorrow().unwrap();
    house.ask(tomorrow).await;
    house.serve_until_published(tomorrow).await;
    assert!(
        house.clock.now() >= tomorrow.to_zoned_datetime(TimeZone::UTC).unwrap().timestamp(),
        "{}",
        house.clock.now()
    );
    assert!(house.said().contains("LoanWorker:2026-11-22 is wanted before its day"), "{}", house.said());
}

#[tokio::test(start_paused = true)]
async fn a_backfill_is_made_behind_any_number_of_newer_runs() {
    let house = House::new();
    let days = |back: i64| TODAY.saturating_sub(Span::new().days(back));
    for back in 1..=399 {
        house.ask(days(back)).await;
    }
    house.ask(days(400)).await;
    house.serve_until_published(days(400)).await;
}

#[tokio::test(start_paused = true)]
async fn the_day_that_is_due_does_not_wait_for_a_backfill_that_the_limit_holds_back() {
    let house = House::new();
    for back in 2..=200 {
        house.ask(TODAY.saturating_sub(Span::new().days(back))).await;
    }
    house.ask(TODAY).await;
    let took = house.serve_until_published(TODAY).await;
    assert!(took < Duration::from_mins(1), "{took:?}");
    assert!(house.said().contains("60 new runs an hour"), "{}", house.said());
    let took = house.serve_until_published(TODAY.saturating_sub(Span::new().days(2))).await;
    assert!(took > Duration::from_hours(2), "199 runs at 60 an hour, none of them lost: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn no_number_of_refused_records_makes_a_look_long_and_each_run_behind_them_is_made() {
    let house = House::new();
    // More than three looks read, before every day that is due.
    for day in 0..15_000 {
        house.ask(date(1900, 1, 1).saturating_add(Span::new().days(day))).await;
    }
    let older = TODAY.saturating_sub(Span::new().days(30));
    house.ask(older).await;
    house.ask(TODAY).await;
    let took = house.serve_until_published(TODAY).await;
    assert!(took < Duration::from_secs(2), "the first look makes it: {took:?}");
    let waits = house.state.run(&house.run(older)).await.unwrap().unwrap();
    assert_eq!(waits.status, RunStatus::Pending, "one look does not come so far");
    // Of a probe, one look does not either, and it keeps what it has seen.
    let probe = house.probe();
    let first = probe.look().await.unwrap();
    assert!(first.refused > 1000 && first.refused < 15_000 && first.waiting == 0, "{first:?}");
    let mut last = first;
    while last.refused < 15_000 {
        let next = probe.look().await.unwrap();
        assert!(next.refused > last.refused, "{next:?} behind {last:?}");
        last = next;
    }
    assert_eq!((last.waiting, last.oldest.map(|(run, _)| run)), (1, Some(house.run(older))));
    house.serve_until_published(older).await;
    assert!(house.said().contains("15000 recorded runs from 1900-01-01"), "{}", house.said());
}

#[tokio::test(start_paused = true)]
async fn a_folder_of_a_token_above_all_counting_ends_no_service() {
    let rig = Rig::new();
    let house = House::of(&rig, Registry::default());
    for day in ["20261121", "20261003"] {
        let foreign = format!(".filegen/LoanWorker/{day}/t18446744073709551615");
        rig.ports.volume.make_dirs(&term(1), &foreign).await.unwrap();
    }
    house.ask(TODAY).await;
    house.serve_until_published(TODAY).await;
    assert!(
        house.said().contains("t18446744073709551615` is of a token that filegen did not count"),
        "{}",
        house.said()
    );
    assert_eq!(house.state.run(&house.run(TODAY)).await.unwrap().unwrap().token, Some(Token(1)));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_stops_no_other_and_readiness_says_so() {
    let house = House::new();
    house.state.spoil(&house.run(date(2026, 11, 20)), "`bogus` is no status");
    house.ask(TODAY).await;
    house.serve_until_published(TODAY).await;
    assert_eq!(house.said().matches("LoanWorker:2026-11-20 of the state store cannot be read").count(), 1, "told once");
    let said = house.probe().check().await.unwrap_err();
    assert!(said.contains("LoanWorker:2026-11-20") && said.contains("bogus"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_too_long_makes_its_worker_not_ready() {
    let house = House::new();
    house.ask(date(2090, 1, 1)).await;
    house.ask(TODAY).await;
    assert_eq!(house.probe().check().await, Ok(()), "what is not believed is not due");
    house.clock.sleep(Duration::from_hours(2) + Duration::from_secs(1)).await;
    let said = house.probe().check().await.unwrap_err();
    assert!(said.contains("LoanWorker:2026-11-21 has been due for 120 minutes"), "{said}");
    let due = house.probe().look().await.unwrap();
    assert_eq!((due.waiting, due.refused, due.odd.len()), (1, 1, 0));
    house.serve_until_published(TODAY).await;
    assert_eq!(house.probe().check().await, Ok(()));
    let due = house.probe().look().await.unwrap();
    assert_eq!(due, DueEvent { refused: 1, ..DueEvent::default() });
}

impl House {
    fn probe(&self) -> RunsProbe {
        let worker = Arc::clone(&self.service.worker);
        RunsProbe::new(worker, Arc::new(self.state.clone()), Arc::clone(&self.clock), Arc::new(Unobserved))
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_own_run_and_the_others_go_on() {
    let registry = || Registry::default().with("touchy", |_| Ok(Box::new(Touchy)));
    let source = MemorySource::default();
    let columns = [("LoanId", Kind::Int), ("Name", Kind::Text)];
    let columns = columns.map(|(name, kind)| Column { name: name.to_owned(), kind });
    let rows = ["a", "panic"].iter().zip(1..).map(|(name, id)| vec![Cell::Int(id), Cell::Text((*name).to_owned())]);
    let view = ViewName::parse("v_Loans").unwrap();
    source.put(&view, columns.into(), rows.collect());
    let source = Arc::new(source);
    let rig = Rig::with(Arc::clone(&source) as Arc<_>, WORKER, &registry());
    let house = House::of(&rig, registry());
    let yesterday = date(2026, 11, 20);
    house.ask(yesterday).await;
    house.ask(TODAY).await;
    // The rows of today are others; those of the day before come again at each try.
    let stop = CancellationToken::new();
    let mending = async {
        while house.state.run(&house.run(yesterday)).await.unwrap().is_none_or(|run| run.status != RunStatus::Failed) {
            house.clock.sleep(Duration::from_millis(100)).await;
        }
        source.delete(&view, |row| matches!(&row[1], Cell::Text(name) if name == "panic"));
        while house.state.run(&house.run(TODAY)).await.unwrap().is_none_or(|run| run.status != RunStatus::Published) {
            house.clock.sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
    };
    tokio::join!(house.service.serve(&stop), mending);
    let failed = house.said();
    assert!(failed.contains("LoanWorker:2026-11-20 failed") && failed.contains("does not like the name"), "{failed}");
}
