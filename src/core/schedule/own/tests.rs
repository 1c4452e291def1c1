//! A worker's own clock on a paused clock, over runs in memory.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::data_source::{ClockChange, ClosedDay, Misfire};
use std::sync::Mutex;
use tokio::task::JoinHandle;

#[derive(Default)]
struct Notes(Mutex<Vec<OwnEvent>>);

impl Observer<OwnEvent> for Notes {
    fn observe(&self, event: &OwnEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct Rig {
    state: Arc<MemoryState>,
    clock: MemoryClock,
    notes: Arc<Notes>,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn spec(business_date: DueDate, misfire: Misfire) -> RunSchedule {
    RunSchedule {
        cron: "0 30 2 ? * MON-FRI".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        calendar: Some(Calendar::Target.into()),
        closed_day: ClosedDay::Skip,
        dst: ClockChange::Quartz,
        misfire,
        grace: Duration::from_mins(1),
        business_date,
    }
}

impl Rig {
    fn at(now: &str) -> Self {
        Self { state: Arc::default(), clock: MemoryClock::starting_at(at(now)), notes: Arc::default() }
    }

    /// An instance's clock, and what ends it.
    fn start(&self, spec: &RunSchedule) -> (JoinHandle<()>, CancellationToken) {
        self.start_as(Some(spec))
    }

    /// Of a worker that may have none.
    fn start_as(&self, spec: Option<&RunSchedule>) -> (JoinHandle<()>, CancellationToken) {
        let own = OwnClock {
            worker: WorkerId::new("LoanWorker").unwrap(),
            times: spec.map(|spec| OwnTimes::of(spec).unwrap()),
            retry: RetrySpec::default(),
            runs: Arc::clone(&self.state) as Arc<_>,
            marks: Arc::clone(&self.state) as Arc<_>,
            clock: Arc::new(self.clock.clone()),
            observer: Arc::clone(&self.notes) as Arc<_>,
        };
        let stop = CancellationToken::new();
        let told = stop.clone();
        (tokio::spawn(async move { own.keep(&told).await }), stop)
    }

    /// Lets instances work until a moment.
    async fn until(&self, moment: &str) {
        self.clock.sleep(Duration::try_from(at(moment).duration_since(self.clock.now())).unwrap()).await;
    }

    async fn dates(&self) -> Vec<String> {
        let found = self.state.runs(None, 100).await.unwrap();
        let mut dates: Vec<String> = found.records.iter().map(|run| run.id.date.to_string()).collect();
        dates.sort();
        dates
    }

    fn missed(&self) -> usize {
        self.notes.0.lock().unwrap().iter().filter(|event| matches!(event, OwnEvent::Missed { .. })).count()
    }
}

#[tokio::test(start_paused = true)]
async fn each_due_time_asks_for_the_run_of_its_date_once_whoever_looks() {
    // Good Friday and Easter Monday are without business.
    for (rule, wanted) in [
        (DueDate::Today, vec!["2026-04-02", "2026-04-07", "2026-04-08"]),
        (DueDate::DayBefore, vec!["2026-04-01", "2026-04-06", "2026-04-07"]),
        (DueDate::PreviousBusinessDay, vec!["2026-04-01", "2026-04-02", "2026-04-07"]),
    ] {
        let rig = Rig::at("2026-04-01T12:00:00Z");
        let all = [rig.start(&spec(rule, Misfire::FireOnce)), rig.start(&spec(rule, Misfire::FireOnce))];
        rig.until("2026-04-02T00:29:58Z").await;
        assert!(rig.dates().await.is_empty());
        rig.until("2026-04-08T12:00:00Z").await;
        assert_eq!(rig.dates().await, wanted, "{rule:?}");
        let found = rig.state.runs(None, 1).await.unwrap();
        assert_eq!(
            found.records[0].requested_by,
            "schedule:2026-04-08T00:30:00Z of 0 30 2 ? * MON-FRI in Europe/Berlin, target"
        );
        let notes = rig.notes.0.lock().unwrap();
        let is_new = |event: &&OwnEvent| matches!(event, OwnEvent::Requested { .. });
        let began = OwnEvent::Began { before: at("2026-04-01T00:30:00Z") };
        let told = notes.iter().filter(|event| **event == began).count();
        assert_eq!(told, 1, "whoever begins first tells what was before: {notes:?}");
        assert_eq!((notes.len(), notes.iter().filter(is_new).count()), (7, 3), "{notes:?}");
        drop(all);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_made_up_for_as_the_file_says() {
    for (misfire, wanted, missed) in [
        (Misfire::FireOnce, vec!["2026-11-23", "2026-11-26"], 2),
        // None older than a day.
        (Misfire::FireAll, vec!["2026-11-23", "2026-11-26"], 2),
        (Misfire::Skip, vec!["2026-11-23"], 3),
    ] {
        let rig = Rig::at("2026-11-22T12:00:00Z");
        let spec = spec(DueDate::Today, misfire);
        let (task, stop) = rig.start(&spec);
        rig.until("2026-11-23T12:00:00Z").await;
        stop.cancel();
        task.await.unwrap();
        rig.until("2026-11-26T12:00:00Z").await;
        let _again = rig.start(&spec);
        rig.until("2026-11-26T12:05:00Z").await;
        assert_eq!(
            (rig.dates().await, rig.missed()),
            (wanted.iter().map(|it| (*it).to_owned()).collect(), missed),
            "{misfire:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_new_or_set_otherwise_begins_now_and_a_run_that_is_there_stays() {
    let rig = Rig::at("2026-11-23T12:00:00Z");
    let spec = spec(DueDate::Today, Misfire::FireOnce);
    // An event was first.
    let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate::parse("2026-11-24").unwrap() };
    rig.state.request(&run, "kafka:t/0/1", rig.clock.now()).await.unwrap();
    let (task, stop) = rig.start(&spec);
    rig.until("2026-11-25T12:00:00Z").await;
    assert_eq!(rig.dates().await, ["2026-11-24", "2026-11-25"], "not the day on which it began");
    assert_eq!(rig.state.run(&run).await.unwrap().unwrap().requested_by, "kafka:t/0/1");
    stop.cancel();
    task.await.unwrap();
    rig.until("2026-11-28T12:00:00Z").await;
    let daily = RunSchedule { cron: "0 0 1 * * ?".to_owned(), calendar: None, ..spec };
    let _edited = rig.start(&daily);
    rig.until("2026-11-28T13:00:00Z").await;
    assert_eq!((rig.dates().await.len(), rig.missed()), (2, 0), "an edit fires nothing");
    rig.until("2026-11-29T12:00:00Z").await;
    assert_eq!(rig.dates().await.last().unwrap(), "2026-11-29");
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_by_a_clock_that_was_never_first_is_made_up_for_too() {
    let rig = Rig::at("2026-11-23T12:00:00Z");
    let spec = spec(DueDate::Today, Misfire::FireOnce);
    let event_of = async |date: &str| {
        let date = BusinessDate::parse(date).unwrap();
        let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date };
        rig.state.request(&run, "kafka:t/0/1", rig.clock.now()).await.unwrap();
    };
    // It has only begun when it ends.
    for (day, until) in [("2026-11-24", "2026-11-23T13:00:00Z"), ("2026-11-25", "2026-11-25T12:00:00Z")] {
        let (task, stop) = rig.start(&spec);
        event_of(day).await;
        rig.until(until).await;
        stop.cancel();
        task.await.unwrap();
    }
    assert_eq!(rig.dates().await, ["2026-11-24", "2026-11-25"], "an event was first each time");
    rig.until("2026-11-26T12:00:00Z").await;
    let _again = rig.start(&spec);
    rig.until("2026-11-26T12:05:00Z").await;
    assert_eq!(rig.dates().await.last().unwrap(), "2026-11-26");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_comes_again_after_it_was_taken_out_or_set_otherwise_begins_now() {
    let spec = spec(DueDate::Today, Misfire::FireOnce);
    let other = RunSchedule { cron: "0 0 22 31 12 ?".to_owned(), ..spec.clone() };
    for between in [None, Some(&other)] {
        let rig = Rig::at("2026-11-23T12:00:00Z");
        for (spec, until) in [(Some(&spec), "2026-11-24T12:00:00Z"), (between, "2026-11-24T13:00:00Z")] {
            let (task, stop) = rig.start_as(spec);
            rig.until(until).await;
            stop.cancel();
            task.await.unwrap();
        }
        rig.until("2026-11-26T12:00:00Z").await;
        let _again = rig.start(&spec);
        rig.until("2026-11-26T13:00:00Z").await;
        assert_eq!((rig.dates().await, rig.missed()), (vec!["2026-11-24".to_owned()], 0), "{between:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_calendar_and_no_other_instance_makes_a_clock_fire_at_once_or_miss() {
    let day = |text: &str| text.parse().unwrap();
    let closed = |days: &[&str]| {
        let calendar = BusinessDays::without("bank.yaml", None, days.iter().map(|text| day(text)).collect());
        RunSchedule { calendar: Some(calendar), ..spec(DueDate::Today, Misfire::FireOnce) }
    };
    let rig = Rig::at("2026-11-23T12:00:00Z");
    let stopped = async |(task, stop): (JoinHandle<()>, CancellationToken), at: &str| {
        rig.until(at).await;
        stop.cancel();
        task.await.unwrap();
    };
    // It lived through a day without business, which is one with business in the file of the next start.
    stopped(rig.start(&closed(&["2026-11-24"])), "2026-11-24T12:00:00Z").await;
    let previous = RunSchedule { closed_day: ClosedDay::Previous, ..closed(&[]) };
    for spec in [closed(&[]), previous, RunSchedule { dst: ClockChange::Both, ..closed(&[]) }] {
        let until = format!("{:.0}", rig.clock.now() + SignedDuration::from_mins(10));
        stopped(rig.start(&spec), &until).await;
        assert_eq!((rig.dates().await.len(), rig.missed()), (0, 0), "{spec:?}");
    }
    // An instance without a clock takes the mark of one that goes on, and that one makes another.
    let (task, stop) = rig.start(&closed(&[]));
    rig.until("2026-11-24T13:00:00Z").await;
    stopped(rig.start_as(None), "2026-11-24T13:00:10Z").await;
    stopped((task, stop), "2026-11-24T13:10:00Z").await;
    rig.until("2026-11-25T12:00:00Z").await;
    let _again = rig.start(&closed(&[]));
    rig.until("2026-11-25T12:01:00Z").await;
    assert_eq!(rig.dates().await, ["2026-11-25"]);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_loses_and_repeats_nothing() {
    let rig = Rig::at("2026-11-24T01:00:00Z");
    let hourly =
        RunSchedule { cron: "0 0 * * * ?".to_owned(), calendar: None, ..spec(DueDate::Today, Misfire::FireOnce) };
    let _clock = rig.start(&hourly);
    rig.until("2026-11-24T02:00:10Z").await;
    rig.clock.jump_wall(SignedDuration::from_hours(-1));
    rig.until("2026-11-24T02:00:10Z").await;
    rig.clock.jump_wall(SignedDuration::from_hours(24));
    rig.until("2026-11-25T02:01:30Z").await;
    assert_eq!(rig.dates().await, ["2026-11-24", "2026-11-25"]);
}

#[test]
fn words_that_mean_nothing_are_refused_with_their_field() {
    let good = spec(DueDate::Today, Misfire::FireOnce);
    let fault = |spec: &RunSchedule| OwnTimes::of(spec).unwrap_err().field;
    assert_eq!(fault(&RunSchedule { cron: "30 2 * * *".to_owned(), ..good.clone() }), "cron");
    assert_eq!(fault(&RunSchedule { zone: "Mars".to_owned(), ..good.clone() }), "zone");
    let next = OwnTimes::of(&good).unwrap().next(at("2026-11-28T00:00:00Z")).unwrap();
    assert_eq!((next.at, next.date.to_string().as_str()), (at("2026-11-30T01:30:00Z"), "2026-11-30"));
}
