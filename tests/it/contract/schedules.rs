//! What every store of schedules promises.

use crate::support::state::{at, on_each};
use crate::support::term;
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::data_source::{Action, ClosedDay, DeadlineTime, Misfire, Overlap};
use filegen::core::model::schedule::{
    Cause, Execution, Outcome, Rule, Schedule, ScheduleId, ScheduleStatus, Undecided,
};
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::schedules::{HistoryPlace, Writer};
use filegen::core::ports::store::StoreError;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

fn rule() -> Rule {
    Rule {
        cron_expression: "0 0/2 * * * ?".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        calendar: Some("target".to_owned()),
        closed_day: ClosedDay::Next,
        dst: None,
        misfire: Misfire::FireAll,
        overlap: Overlap::Queue,
        deadline: Some(DeadlineTime { time: "06:30".to_owned() }),
        pause_after_failures: Some(5),
    }
}

fn undecided() -> Undecided {
    Undecided { rule: rule(), after: at(0), until: at(100), why: "its times were changed".to_owned() }
}

fn schedule(id: &str) -> Schedule {
    Schedule {
        id: ScheduleId::new(id),
        data_source_id: id.to_owned(),
        name: "Überweisungen \"neu\"".to_owned(),
        version: 3,
        is_deleted: false,
        is_active: true,
        rule: rule(),
        action: Action::Run("LoanWorker".to_owned()),
        status: ScheduleStatus::Active,
        next_execution_time: Some(at(1_000)),
        decided_until: at(0),
        undecided: vec![undecided()],
        last_execution_time: None,
        last_status: Some(Outcome::Failed),
        last_files_seen: Some(u64::from(u32::MAX) + 9),
        last_files_new: Some(1),
        last_error: Some("kein Ordner".to_owned()),
        last_success_id: Some("a".to_owned()),
        last_failure_id: None,
        execution_count: u64::from(u32::MAX) + 7,
        failure_count: 2,
        failures_in_row: 1,
        paused_by: None,
        pause_reason: None,
        paused_at: None,
        deadline_missed: Some("2026-11-21".to_owned()),
        deadline_since: Some(at(400)),
        changed_at: at(500),
        revision: 1,
        token: 0,
    }
}

fn execution(id: &str, due: i64, outcome: Outcome) -> Execution {
    Execution { token: 2, ..Execution::new(&ScheduleId::new(id), at(due), 1, Cause::Due, outcome) }
}

fn next(schedule: &Schedule, name: &str) -> Schedule {
    Schedule { revision: schedule.revision + 1, name: name.to_owned(), ..schedule.clone() }
}

/// A term that has ended.
fn ended() -> Term {
    Term::new(Token(9), Duration::ZERO, Arc::new(|| Duration::from_secs(1)))
}

#[tokio::test]
async fn a_schedule_is_kept_as_it_is_and_changed_only_by_who_saw_it_last() {
    on_each(|state| async move {
        let (store, first) = (state.schedules(0), schedule("b"));
        assert_eq!(store.insert_schedule(&first).await, Ok(true));
        assert_eq!(store.insert_schedule(&next(&first, "other")).await, Ok(false));
        let other = state.schedules(1);
        assert_eq!(other.schedule(&first.id).await, Ok(Some(first.clone())));
        assert_eq!(other.schedule(&ScheduleId::new("c")).await, Ok(None));
        let second = next(&first, "second");
        assert_eq!(other.replace_schedule(Writer::Other, &second).await, Ok(true));
        assert_eq!(store.replace_schedule(Writer::Other, &next(&first, "late")).await, Ok(false));
        assert_eq!(store.replace_schedule(Writer::Other, &schedule("c")).await, Ok(false), "it is not there");
        store.insert_schedule(&Schedule { changed_at: at(900), ..schedule("a") }).await.unwrap();
        let ids = |all: Vec<Schedule>| all.into_iter().map(|it| it.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(store.schedules().await.unwrap()), ["a", "b"]);
        // Page by page, each behind the one before.
        let page = async |after: &str, most| {
            let page = store.schedules_behind(after, most).await.unwrap();
            assert_eq!(page.found.odd, []);
            (ids(page.found.records), page.next)
        };
        assert_eq!(page("", 1).await, (vec!["a".to_owned()], Some("a".to_owned())));
        assert_eq!(page("a", 1).await, (vec!["b".to_owned()], Some("b".to_owned())));
        assert_eq!(page("b", 1).await, (vec![], None));
        assert_eq!(page("", 3).await, (vec!["a".to_owned(), "b".to_owned()], None));
        let changed = async |since| {
            let changed = store.changed_since(at(since)).await.unwrap();
            changed.iter().map(|(id, revision)| format!("{id} {revision}")).collect::<Vec<_>>()
        };
        assert_eq!(
            (changed(500).await, changed(501).await),
            (vec!["a 1".to_owned(), "b 2".to_owned()], vec!["a 1".to_owned()])
        );
        let named = ["b", "nobody", "a"].map(ScheduleId::new);
        assert_eq!(ids(store.schedules_of(&named).await.unwrap()), ["a", "b"]);
        assert_eq!(store.schedules_of(&[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn of_many_new_schedules_those_that_are_there_stay_as_they_are() {
    on_each(|state| async move {
        let store = state.schedules(0);
        let ids = |ids: &[&str]| ids.iter().map(|id| ScheduleId::new(*id)).collect::<BTreeSet<_>>();
        let named = |id: &str, name: &str| Schedule { name: name.to_owned(), ..schedule(id) };
        assert_eq!(store.insert_schedules(vec![]).await, Ok(ids(&[])));
        let first = ["b", "d"].map(|id| named(id, "first"));
        assert_eq!(store.insert_schedules(first.to_vec()).await, Ok(ids(&["b", "d"])));
        let more = ["a", "b", "c", "d", "e"].map(|id| named(id, "second"));
        assert_eq!(state.schedules(1).insert_schedules(more.to_vec()).await, Ok(ids(&["a", "c", "e"])));
        assert_eq!(store.insert_schedules(more.to_vec()).await, Ok(ids(&[])));
        let names: Vec<String> = store.schedules().await.unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["second", "first", "second", "first", "second"]);
    })
    .await;
}

#[tokio::test]
async fn pages_of_the_history_leave_none_out_that_has_the_due_time_of_another() {
    on_each(|state| async move {
        let store = state.schedules(0);
        let of = |id: &str, attempt: u32, due: i64| {
            Execution::new(&ScheduleId::new(id), at(due), attempt, Cause::Due, Outcome::Missed)
        };
        let all = [of("a", 1, 9), of("a", 2, 5), of("b", 1, 5), of("a", 1, 5), of("a", 3, 5), of("a", 1, 1)];
        for execution in &all {
            store.insert_execution(None, execution).await.unwrap();
        }
        let a = ScheduleId::new("a");
        for (schedule, whole) in [(None, 6), (Some(&a), 5)] {
            for size in 1..4 {
                let (mut found, mut place) = (Vec::new(), None);
                loop {
                    let page = state.schedules(1).history(schedule, place.as_ref(), size).await.unwrap();
                    let Some(last) = page.last() else { break };
                    place = Some(HistoryPlace::of(last));
                    found.extend(page);
                }
                let mut ordered = found.clone();
                ordered.sort_by(|a, b| (b.due_time, &b.id).cmp(&(a.due_time, &a.id)));
                ordered.dedup();
                assert_eq!((found.len(), &ordered), (whole, &found), "{size} at a time");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_older_leader_is_refused_and_people_keep_its_token() {
    on_each(|state| async move {
        let (store, first) = (state.schedules(0), schedule("a"));
        store.insert_schedule(&first).await.unwrap();
        let second = next(&first, "by the leader");
        assert_eq!(store.replace_schedule(Writer::Leader(&term(5)), &second).await, Ok(true));
        assert_eq!(store.schedule(&first.id).await.unwrap().unwrap().token, 5);
        let third = next(&second, "by a person");
        assert_eq!(store.replace_schedule(Writer::Other, &third).await, Ok(true));
        assert_eq!(store.schedule(&first.id).await.unwrap().unwrap().token, 5);
        let fourth = next(&third, "by an older leader");
        let refused = store.replace_schedule(Writer::Leader(&term(4)), &fourth).await;
        assert_eq!(refused, Err(StoreError::Stale { token: Token(4) }));
        let (odd, term_of_nobody) = (schedule("b"), term(1 << 50));
        store.insert_schedule(&odd).await.unwrap();
        let changed = next(&odd, "by nobody");
        assert_eq!(store.replace_schedule(Writer::Leader(&term_of_nobody), &changed).await, Ok(true));
        let refused = store.replace_schedule(Writer::Leader(&term(6)), &next(&changed, "by the leader")).await;
        assert!(matches!(refused, Err(StoreError::Uncounted { found: Token(found), .. }) if found == 1 << 50));
        let refused = store.replace_schedule(Writer::Leader(&ended()), &fourth).await.unwrap_err();
        assert_eq!(refused.kind(), FailureKind::Lease);
        assert_eq!(store.schedule(&first.id).await.unwrap().unwrap().name, "by a person");
    })
    .await;
}

#[tokio::test]
async fn of_many_who_insert_a_due_time_one_runs_it() {
    on_each(|state| async move {
        let mut tasks = JoinSet::new();
        for number in 0..16_u32 {
            let store = state.schedules(number as usize);
            let instance = Some(format!("pod-{number}"));
            let it = Execution { instance, ..execution("a", 0, Outcome::Running) };
            tasks.spawn(async move { store.insert_execution(Some(&term(2)), &it).await.unwrap() });
        }
        let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        let refused = state.schedules(0).insert_execution(Some(&ended()), &execution("a", 1, Outcome::Running)).await;
        assert_eq!(refused.unwrap_err().kind(), FailureKind::Lease);
        assert_eq!(state.schedules(1).history(None, None, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_execution_is_ended_by_who_saw_it_last_and_reads_back() {
    on_each(|state| async move {
        let (store, first) = (state.schedules(0), execution("a", 0, Outcome::Running));
        store.insert_execution(None, &first).await.unwrap();
        let ended = Execution {
            outcome: Outcome::Succeeded,
            started_at: Some(at(1)),
            ended_at: Some(at(2)),
            instance: Some("pod-1:7".to_owned()),
            files_seen: 12,
            files_new: 3,
            reason: Some("ä\n\"".to_owned()),
            ..first.clone()
        };
        let seen = |token| (Outcome::Running, token);
        assert_eq!(store.replace_execution(None, seen(1), &ended).await, Ok(false), "another's token");
        let left = store.replace_execution(Some(&self::ended()), seen(2), &ended).await;
        assert_eq!(left.unwrap_err().kind(), FailureKind::Lease);
        assert_eq!(store.replace_execution(Some(&term(2)), seen(2), &ended).await, Ok(true));
        assert_eq!(store.replace_execution(Some(&term(2)), seen(2), &first).await, Ok(false), "it has ended");
        assert_eq!(state.schedules(1).execution(&first.id).await, Ok(Some(ended)));
        assert_eq!(store.execution("nothing").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn the_history_is_in_order_and_what_is_old_goes_but_for_what_is_kept() {
    on_each(|state| async move {
        let store = state.schedules(0);
        let ends = [Outcome::Succeeded, Outcome::Failed, Outcome::Missed, Outcome::Skipped];
        for (due, outcome) in (0_i64..).map(|due| due * 1000).zip(ends) {
            store.insert_execution(None, &execution("a", due, outcome)).await.unwrap();
        }
        store.insert_execution(None, &execution("a", 5_000, Outcome::Queued)).await.unwrap();
        store.insert_execution(None, &execution("b", 2_500, Outcome::Running)).await.unwrap();
        let (a, b) = (ScheduleId::new("a"), ScheduleId::new("b"));
        let due = |all: Result<Vec<Execution>, StoreError>| {
            let all = all.unwrap();
            all.iter().map(|it| it.due_time.as_millisecond() - at(0).as_millisecond()).collect::<Vec<_>>()
        };
        assert_eq!(due(store.history(None, None, 3).await), [5_000, 3_000, 2_500]);
        assert_eq!(due(store.history(Some(&a), Some(&HistoryPlace::before(at(3_000))), 2).await), [2_000, 1_000]);
        assert_eq!(due(store.history(None, None, 0).await), [0_i64; 0]);
        assert_eq!(due(store.executions_due(&a, at(1_000), at(3_000)).await), [1_000, 2_000, 3_000]);
        assert_eq!(due(store.open_executions(10).await), [2_500, 5_000]);
        assert_eq!(due(store.open_executions(1).await), [2_500]);
        let keep = [execution("a", 0, Outcome::Succeeded).id, "nothing".to_owned()];
        assert_eq!(store.forget_executions(&a, at(9_000), &keep, 0).await, Ok(0));
        assert_eq!(store.forget_executions(&a, at(9_000), &keep, 2).await, Ok(2));
        assert_eq!(due(store.history(None, None, 9).await), [5_000, 3_000, 2_500, 0], "the oldest first");
        assert_eq!(store.forget_executions(&a, at(9_000), &keep, 9).await, Ok(1));
        assert_eq!(due(store.history(None, None, 9).await), [5_000, 2_500, 0], "what is open stays");
        assert_eq!(store.forget_executions(&b, at(9_000), &[], 9).await, Ok(0));
    })
    .await;
}
