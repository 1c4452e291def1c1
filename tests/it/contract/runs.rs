//! What every store of runs promises.

use crate::support::state::{State, at, file, key, on_each, run, worker};
use crate::support::term;
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::correction::Correction;
use filegen::core::model::event::CompletionEvent;
use filegen::core::model::names::InstanceId;
use filegen::core::model::param::{ParamKind, ParamValue, Params};
use filegen::core::model::query::ReadMode;
use filegen::core::model::run::{RunId, RunRecord, RunStatus};
use filegen::core::model::term::{Term, TermEnded, Token};
use filegen::core::ports::runs::{Announcement, FileState, FileStatus, Requested};
use filegen::core::ports::store::{Found, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

fn record(id: &RunId, rows: u64) -> RunRecord {
    RunRecord {
        id: id.clone(),
        status: RunStatus::Running,
        requested_by: "kafka:loan-data/3/17".to_owned(),
        requested_at: at(1),
        token: None,
        instance: Some(InstanceId::new("pod-1:7")),
        started_at: Some(at(2)),
        completed_at: None,
        last_page: 12,
        rows,
        rows_expected: Some(u64::from(u32::MAX) + 1),
        error: Some("ein Fehler: \"ä\"\n".to_owned()),
        failure: Some(FailureKind::Conflict),
        next_try_at: Some(at(9)),
        given: Some(Params::from([
            ("region".to_owned(), ParamValue::Text("O'Brien \"{x}\"".to_owned())),
            ("since".to_owned(), ParamKind::Date.read("2026-11-21").unwrap()),
            ("branch".to_owned(), ParamValue::Integer(i64::MIN)),
            ("limit".to_owned(), ParamValue::Decimal("-12.50".to_owned())),
            ("all".to_owned(), ParamValue::Boolean(true)),
        ])),
        correction: Some(correction(2)),
    }
}

fn correction(version: u32) -> Correction {
    let reason = "O'Brien's \"late\" rows {x}, ä\n".to_owned();
    Correction {
        version,
        reason,
        by: "night@host".to_owned(),
        files: vec!["a".to_owned()],
        suffix: true,
        stands: None,
        cancelled: None,
    }
}

pub(super) fn status(run: &RunId, name: &str, rows: u64) -> FileStatus {
    FileStatus {
        run: run.clone(),
        file: file(name),
        state: FileState::Writing,
        last_page: 3,
        rows,
        started_at: at(2),
        completed_at: None,
        token: Token(0),
        event: None,
    }
}

/// A published file whose event waits for a broker.
pub(super) fn published(run: &RunId, name: &str, millisecond: i64) -> FileStatus {
    let event = CompletionEvent {
        version: 1,
        reason: None,
        replaced: None,
        worker_id: run.worker.to_string(),
        file_id: name.to_owned(),
        event_type: None,
        completed_at: at(millisecond).to_string(),
        total_rows: 10,
        correlation_id: format!("{}:{name}:{}", run.worker, at(millisecond).as_second()),
        path: format!("{name}.txt"),
        bytes: 4711,
        sha256: "ab".repeat(32),
        business_date: run.date.to_string(),
        read_mode: ReadMode {
            fetch: "stream".to_owned(),
            isolation: "default".to_owned(),
            terms: vec![1, 2],
            source_moved: Some(false),
            counted: true,
        },
    };
    FileStatus {
        state: FileState::Published,
        completed_at: Some(at(millisecond)),
        token: Token(2),
        event: Some(Announcement { event, sent_at: None }),
        ..status(run, name, 10)
    }
}

fn ended(token: u64) -> Term {
    Term::new(Token(token), Duration::ZERO, Arc::new(|| Duration::ZERO))
}

pub(super) async fn unsent(state: &State, name: &str) -> Vec<String> {
    let pending = state.store().pending(&key(name)).await.unwrap().records;
    pending.into_iter().map(|entry| entry.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_requests_for_a_run_one_is_new() {
    on_each(|state| async move {
        for day in 1..=20 {
            let mut race = JoinSet::new();
            for pod in 0..16 {
                let store = state.door(pod);
                race.spawn(async move { store.request(&run("W", day), &pod.to_string(), at(1)).await.unwrap() });
            }
            let (mut new, mut repeats) = (Vec::new(), Vec::new());
            for answer in race.join_all().await {
                match answer {
                    Requested::New(record) => new.push(record),
                    Requested::AlreadyThere(record) => repeats.push(record),
                }
            }
            assert_eq!((new.len(), repeats.len()), (1, 15));
            assert!(repeats.iter().all(|repeat| *repeat == new[0]), "each learns who was first");
            assert_eq!(new[0].status, RunStatus::Pending);
            assert_eq!(state.store().run(&run("W", day)).await, Ok(Some(new.remove(0))));
        }
    })
    .await;
}

#[tokio::test]
async fn runs_come_newest_first() {
    on_each(|state| async move {
        let store = state.store();
        assert_eq!(store.run(&run("W", 1)).await, Ok(None));
        for (name, day) in [("W", 2), ("W", 11), ("V", 3), ("W", 9)] {
            store.request(&run(name, day), "x", at(0)).await.unwrap();
        }
        let ids = async |name: Option<&str>, limit| {
            let name = name.map(worker);
            let runs = store.runs(name.as_ref(), limit).await.unwrap().records;
            runs.into_iter().map(|record| record.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, 9).await, ["W:2026-11-11", "W:2026-11-09", "V:2026-11-03", "W:2026-11-02"]);
        assert_eq!(ids(Some("W"), 2).await, ["W:2026-11-11", "W:2026-11-09"]);
        assert_eq!(ids(Some("X"), 2).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_runs_progress_reads_as_it_was_written_under_the_terms_token() {
    on_each(|state| async move {
        let id = run("W", 21);
        for (token, rows) in [(3, 100), (3, 200), (4, 300)] {
            state.store().save_run(&term(token), &record(&id, rows)).await.unwrap();
            let written = RunRecord { token: Some(Token(token)), ..record(&id, rows) };
            assert_eq!(state.door(1).run(&id).await, Ok(Some(written)));
        }
    })
    .await;
}

#[tokio::test]
async fn an_older_token_writes_no_run_and_no_file() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_run(&term(7), &record(&id, 100)).await.unwrap();
        store.save_file(&term(7), &status(&id, "Loan0", 100)).await.unwrap();
        let stale = Err(StoreError::Stale { token: Token(6) });
        assert_eq!(state.door(1).save_run(&term(6), &record(&id, 5)).await, stale);
        assert_eq!(state.door(1).save_file(&term(6), &status(&id, "Loan0", 5)).await, stale);
        assert_eq!(store.run(&id).await.unwrap().unwrap().rows, 100);
        assert_eq!(store.files(&id).await.unwrap()[0].rows, 100);
        store.save_run(&term(6), &record(&run("W", 22), 5)).await.expect("another run is another matter");
    })
    .await;
}

#[tokio::test]
async fn what_a_newer_holder_has_touched_of_a_run_fences_all_of_it() {
    on_each(|state| async move {
        let (store, stale) = (state.store(), Err(StoreError::Stale { token: Token(6) }));
        let id = run("W", 21);
        store.save_run(&term(7), &record(&id, 100)).await.unwrap();
        assert_eq!(store.save_file(&term(6), &status(&id, "Loan0", 5)).await, stale, "a file it has not written yet");
        let id = run("W", 22);
        store.save_file(&term(7), &status(&id, "Loan0", 100)).await.unwrap();
        assert_eq!(store.save_file(&term(6), &status(&id, "Loan1", 5)).await, stale);
        assert_eq!(store.save_run(&term(6), &record(&id, 5)).await, stale);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_nobody_was_given_is_no_newer_holders_and_is_told() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_run(&term(1 << 50), &record(&id, 100)).await.unwrap();
        let told = |answer: Result<(), StoreError>| {
            let error = answer.unwrap_err();
            assert!(matches!(error, StoreError::Uncounted { found: Token(found), .. } if found == 1 << 50), "{error}");
            assert!(error.to_string().contains("W:2026-11-21"), "{error}");
            assert_eq!(error.kind(), FailureKind::Failed);
        };
        told(store.save_run(&term(6), &record(&id, 5)).await);
        told(store.save_file(&term(6), &status(&id, "Loan0", 5)).await);
        assert_eq!(store.save_run(&term(6), &record(&run("W", 22), 5)).await, Ok(()), "the others go on");
    })
    .await;
}

#[tokio::test]
async fn a_holder_in_the_middle_of_a_run_is_fenced_in_all_of_it_by_the_next_ones_first_write() {
    on_each(|state| async move {
        let (store, stale) = (state.store(), Err(StoreError::Stale { token: Token(6) }));
        let id = run("W", 21);
        store.save_run(&term(6), &record(&id, 100)).await.unwrap();
        for name in ["Loan0", "Loan1"] {
            store.save_file(&term(6), &status(&id, name, 100)).await.unwrap();
        }
        state.door(1).save_file(&term(7), &status(&id, "Loan0", 200)).await.unwrap();
        for name in ["Loan0", "Loan1", "Loan2"] {
            assert_eq!(store.save_file(&term(6), &status(&id, name, 300)).await, stale, "{name}");
        }
        assert_eq!(store.save_run(&term(6), &record(&id, 300)).await, stale);
        let rows: Vec<_> = store.files(&id).await.unwrap().iter().map(|file| (file.rows, file.token)).collect();
        assert_eq!(rows, [(200, Token(7)), (100, Token(6))], "each says who wrote it");
        assert_eq!(store.run(&id).await.unwrap().unwrap().rows, 100);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_asked_for_once_also_when_a_file_of_it_was_written_first() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_file(&term(2), &status(&id, "Loan0", 5)).await.unwrap();
        assert_eq!(store.run(&id).await, Ok(None));
        assert_eq!(store.runs(None, 5).await, Ok(Found::default()));
        let new = state.door(1).request(&id, "a", at(1)).await.unwrap();
        let Requested::New(first) = new else { panic!("{new:?}") };
        assert_eq!(store.request(&id, "b", at(2)).await, Ok(Requested::AlreadyThere(first)));
        let stale = Err(StoreError::Stale { token: Token(1) });
        assert_eq!(store.save_run(&term(1), &record(&id, 5)).await, stale, "the request does not undo the fence");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_after_the_term() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let over = Err(StoreError::TermEnded(TermEnded { token: Token(7) }));
        assert_eq!(store.save_run(&ended(7), &record(&id, 1)).await, over);
        assert_eq!(store.save_file(&ended(7), &status(&id, "Loan0", 1)).await, over);
        assert_eq!(store.run(&id).await, Ok(None));
        assert_eq!(store.files(&id).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn files_read_as_they_were_written_by_id() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        for name in ["b", "a"] {
            store.save_file(&term(2), &status(&id, name, 5)).await.unwrap();
        }
        store.save_file(&term(2), &published(&id, "b", 9)).await.unwrap();
        let a = FileStatus { token: Token(2), ..status(&id, "a", 5) };
        assert_eq!(state.door(1).files(&id).await, Ok(vec![a, published(&id, "b", 9)]));
        assert_eq!(store.files(&run("W", 22)).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn progress_that_comes_late_takes_no_event_away() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_file(&term(1), &status(&id, "Loan0", 5)).await.unwrap();
        store.save_file(&term(1), &published(&id, "Loan0", 1000)).await.unwrap();
        let written = store.files(&id).await.unwrap();
        state.door(1).save_file(&term(1), &status(&id, "Loan0", 3)).await.expect("it is not needed any more");
        assert_eq!(store.files(&id).await.unwrap(), written);
        assert_eq!(unsent(&state, "W").await.len(), 1);
        // Another holder makes the file anew: its own progress is news.
        store.save_file(&term(2), &status(&id, "Loan0", 2)).await.unwrap();
        assert_eq!((store.files(&id).await.unwrap()[0].rows, unsent(&state, "W").await.len()), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn an_acknowledged_event_is_not_announced_anew_by_a_repeat() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        store.save_file(&term(2), &published(&id, "a", 1000)).await.unwrap();
        store.mark_sent(&FileStatus::outbox_id(&id, &file("a"), 1), at(2000)).await.unwrap();
        store.save_file(&term(3), &published(&id, "a", 1000)).await.unwrap();
        assert_eq!(unsent(&state, "W").await, [""; 0], "the same event");
        store.save_file(&term(3), &published(&id, "a", 9000)).await.unwrap();
        assert_eq!(unsent(&state, "W").await, ["W:2026-11-21:a"], "another one");
    })
    .await;
}

#[tokio::test]
async fn a_published_run_is_wanted_again_once_as_its_next_version() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let published = RunRecord { status: RunStatus::Published, correction: None, ..record(&id, 65) };
        let wanted = published.reopened(correction(2), published.given.clone(), "command:a:1", at(50));
        assert_eq!(store.reopen(&published, &wanted).await, Ok(false), "it is not there");
        let running = RunRecord { status: RunStatus::Running, ..published.clone() };
        store.save_run(&term(7), &running).await.unwrap();
        assert_eq!(store.reopen(&published, &wanted).await, Ok(false), "it is not published");
        store.save_run(&term(7), &published).await.unwrap();
        for door in &state.doors {
            let first = door.run(&id).await.unwrap().unwrap().status == RunStatus::Published;
            assert_eq!(door.reopen(&published, &wanted).await, Ok(first), "the first one alone");
        }
        let stored = store.run(&id).await.unwrap().unwrap();
        assert_eq!(stored, RunRecord { token: Some(Token(7)), ..wanted.clone() }, "the token stays");
        assert_eq!((stored.version(), stored.wanted_correction()), (1, Some(&correction(2))));
        let older = store.save_run(&term(6), &published).await;
        assert_eq!(older, Err(StoreError::Stale { token: Token(6) }), "older holders are refused as before");

        let corrected = RunRecord { status: RunStatus::Published, ..stored };
        store.save_run(&term(8), &corrected).await.unwrap();
        assert_eq!((corrected.version(), corrected.wanted_correction()), (2, None));
        assert_eq!(store.reopen(&published, &wanted).await, Ok(false), "it is version 2 by now");
        let third = corrected.reopened(correction(3), None, "command:a:1", at(60));
        assert_eq!(store.reopen(&corrected, &third).await, Ok(true));
    })
    .await;
}

#[tokio::test]
async fn what_is_late_by_a_version_changes_nothing() {
    on_each(|state| async move {
        let (store, id) = (state.store(), run("W", 21));
        let first = RunRecord { status: RunStatus::Published, correction: None, ..record(&id, 65) };
        store.save_run(&term(7), &first).await.unwrap();
        store.save_file(&term(7), &published(&id, "Loan0", 2000)).await.unwrap();
        let wanted = first.reopened(correction(2), None, "command:a:1", at(50));
        assert_eq!(store.reopen(&first, &wanted).await, Ok(true));
        store.save_run(&term(7), &first).await.expect("its answer was lost, and it came again");
        assert_eq!(store.run(&id).await.unwrap().unwrap().wanted_correction(), Some(&correction(2)));
        let mut second = published(&id, "Loan0", 3000);
        second.event.as_mut().unwrap().event.version = 2;
        store.save_file(&term(7), &second).await.unwrap();
        store.save_file(&term(7), &published(&id, "Loan0", 2000)).await.expect("late too");
        assert_eq!(unsent(&state, "W").await, ["W:2026-11-21:Loan0#2"]);
    })
    .await;
}
