//! What needs a look, of all schedules; and how often they are read.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::schedules::MemorySchedules;
use crate::core::model::data_source::Action;
use crate::core::model::schedule::{Execution, Rule};
use crate::core::model::term::Term;
use crate::core::ports::schedules::{HistoryPlace, Writer};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

fn clock() -> MemoryClock {
    MemoryClock::starting_at("2026-11-29T12:00:00Z".parse().unwrap())
}

/// A schedule that is well.
fn schedule(id: &str) -> Schedule {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let rule = Rule {
        cron_expression: "0 0 4 * * ?".to_owned(),
        zone: "UTC".to_owned(),
        calendar: None,
        closed_day: crate::core::model::data_source::ClosedDay::default(),
        dst: None,
        misfire: crate::core::model::data_source::Misfire::default(),
        overlap: crate::core::model::data_source::Overlap::default(),
        deadline: None,
        pause_after_failures: None,
    };
    Schedule {
        id: ScheduleId::new(id),
        data_source_id: id.to_owned(),
        name: id.to_uppercase(),
        version: 1,
        is_deleted: false,
        is_active: true,
        rule,
        action: Action::default(),
        status: ScheduleStatus::Active,
        next_execution_time: Some(at("2999-01-01T00:00:00Z")),
        decided_until: at("2026-11-29T00:00:00Z"),
        undecided: Vec::new(),
        last_execution_time: None,
        last_status: None,
        last_files_seen: None,
        last_files_new: None,
        last_error: None,
        last_success_id: None,
        last_failure_id: None,
        execution_count: 0,
        failure_count: 0,
        failures_in_row: 0,
        paused_by: None,
        pause_reason: None,
        paused_at: None,
        deadline_missed: None,
        deadline_since: None,
        changed_at: at("2026-11-29T00:00:00Z"),
        revision: 1,
        token: 0,
    }
}

async fn keep(store: &MemorySchedules, change: impl FnOnce(&mut Schedule), id: &str) {
    let mut schedule = schedule(id);
    change(&mut schedule);
    assert!(store.insert_schedule(&schedule).await.unwrap());
}

fn paused(schedule: &mut Schedule, by: &str) {
    schedule.status = ScheduleStatus::Paused;
    schedule.paused_by = Some(by.to_owned());
    schedule.pause_reason = Some("why".to_owned());
}

#[tokio::test]
async fn all_that_is_wrong_is_told_the_worst_first_and_nothing_that_is_somebodys_will() {
    let (store, clock) = (MemorySchedules::default(), clock());
    keep(&store, |_| {}, "well").await;
    keep(&store, |it| paused(it, "ann"), "paused").await;
    keep(&store, |it| paused(it, BY_ITSELF), "itself").await;
    keep(&store, |it| it.last_status = Some(Outcome::Failed), "failed").await;
    keep(&store, |it| it.last_status = Some(Outcome::Interrupted), "interrupted").await;
    keep(&store, |it| it.status = ScheduleStatus::Failed, "unusable").await;
    keep(&store, |it| it.next_execution_time = None, "never").await;
    let once = |it: &mut Schedule| (it.next_execution_time, it.last_execution_time) = (None, Some(it.changed_at));
    keep(&store, once, "once").await;
    keep(
        &store,
        |it| it.next_execution_time = clock.now().checked_sub(jiff::SignedDuration::from_hours(1)).ok(),
        "late",
    )
    .await;
    keep(
        &store,
        |it| it.deadline_missed = Some(clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string()),
        "deadline",
    )
    .await;
    let gone = |it: &mut Schedule| (it.last_status, it.is_deleted) = (Some(Outcome::Failed), true);
    keep(&store, gone, "gone").await;
    let idle = |it: &mut Schedule| (it.last_status, it.is_active) = (Some(Outcome::Failed), false);
    keep(&store, idle, "idle").await;
    let board = Board::new(Arc::new(store), Settings::default(), Arc::new(clock));
    let look = board.look().await.unwrap();
    let told: Vec<String> = look.wrong.iter().map(|it| format!("{} {}", it.id, it.what)).collect();
    let expected = [
        "late overdue",
        "unusable cannot be used",
        "deadline deadline missed",
        "failed failed last",
        "interrupted interrupted last",
        "itself paused by itself",
        "never never due again",
    ];
    assert_eq!(told, expected);
    assert_eq!((look.wrong_total, look.lines.len()), (7, 11), "{look:?}");
    let filter = Filter { status: Some(ScheduleStatus::Paused), text: "pa".to_owned(), ..Filter::default() };
    let found: Vec<&str> = look
        .lines
        .iter()
        .filter(|it| filter.takes(&it.name, &it.id, (it.is_active, it.status)))
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(found, ["paused"]);
}

#[tokio::test]
async fn only_so_many_are_told_and_all_are_counted() {
    let (store, clock) = (MemorySchedules::default(), clock());
    for number in 0..WRONG_MAX + 7 {
        keep(&store, |it| it.last_status = Some(Outcome::Failed), &format!("s{number:03}")).await;
    }
    let look = Board::new(Arc::new(store), Settings::default(), Arc::new(clock)).look().await.unwrap();
    assert_eq!((look.wrong.len(), look.wrong_total), (WRONG_MAX, WRONG_MAX + 7));
}

/// Counts the readings, each of which takes a tenth of a second.
struct Counted {
    schedules: MemorySchedules,
    read: AtomicUsize,
}

#[async_trait]
impl ScheduleStore for Counted {
    async fn schedules_behind(&self, after: &str, most: usize) -> Result<Page<Schedule>, StoreError> {
        self.read.fetch_add(1, Ordering::SeqCst);
        tokio::time::advance(Duration::from_millis(100)).await;
        self.schedules.schedules_behind(after, most).await
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, StoreError> {
        self.schedules.schedule(id).await
    }

    async fn changed_since(&self, since: Timestamp) -> Result<Vec<(ScheduleId, u64)>, StoreError> {
        self.schedules.changed_since(since).await
    }

    async fn schedules_of(&self, ids: &[ScheduleId]) -> Result<Vec<Schedule>, StoreError> {
        self.schedules.schedules_of(ids).await
    }

    async fn insert_schedules(&self, schedules: Vec<Schedule>) -> Result<BTreeSet<ScheduleId>, StoreError> {
        self.schedules.insert_schedules(schedules).await
    }

    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Result<bool, StoreError> {
        self.schedules.replace_schedule(writer, schedule).await
    }

    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Result<bool, StoreError> {
        self.schedules.insert_execution(term, execution).await
    }

    async fn execution(&self, id: &str) -> Result<Option<Execution>, StoreError> {
        self.schedules.execution(id).await
    }

    async fn replace_execution(
        &self,
        term: Option<&Term>,
        seen: (Outcome, u64),
        execution: &Execution,
    ) -> Result<bool, StoreError> {
        self.schedules.replace_execution(term, seen, execution).await
    }

    async fn open_executions(&self, limit: usize) -> Result<Vec<Execution>, StoreError> {
        self.schedules.open_executions(limit).await
    }

    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<Execution>, StoreError> {
        self.schedules.history(schedule, behind, limit).await
    }

    async fn executions_due(
        &self,
        schedule: &ScheduleId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Execution>, StoreError> {
        self.schedules.executions_due(schedule, from, to).await
    }

    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Result<u64, StoreError> {
        self.schedules.forget_executions(schedule, before, keep, most).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_asks_all_the_time_has_all_schedules_read_a_small_part_of_it() {
    let schedules = MemorySchedules::default();
    keep(&schedules, |_| {}, "a").await;
    let store = Arc::new(Counted { schedules, read: AtomicUsize::new(0) });
    let board = Board::new(Arc::clone(&store) as Arc<_>, Settings::default(), Arc::new(clock()));
    // Ten minutes, looked at each five seconds. A reading takes 100 ms, so there is one each 20 s.
    for _ in 0..120 {
        board.look().await.unwrap();
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    let read = store.read.load(Ordering::SeqCst);
    assert!((20..=31).contains(&read), "{read}");
    // What was changed here is seen at once.
    keep(&store.schedules, |_| {}, "b").await;
    board.look().await.unwrap();
    board.forget();
    assert_eq!(board.look().await.unwrap().lines.len(), 2);
}
