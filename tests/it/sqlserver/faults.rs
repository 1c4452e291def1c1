//! Errors that pass and errors that do not; connections that are lost, silent or mad in mid-page.

use super::{pages, query, rows};
use crate::support::running::PATIENCE;
use crate::support::source::shown;
use crate::support::sqlserver::Database;
use crate::tds::{Action, Fault, Options};
use filegen::adapters::faults::{Sort, find};
use filegen::adapters::sqlserver::numbers;
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::ports::source::{PageSource, Position, SourceError};
use std::fmt::Write as _;
use std::num::NonZeroU32;

/// 1,000 rows of a table `t` on the server of the tests.
async fn thousand() -> Database {
    let database = Database::here(Options::default());
    database.execute("CREATE TABLE t (id int NOT NULL PRIMARY KEY, name nvarchar(100))").await;
    let mut sql = "INSERT INTO t VALUES (0, N'first')".to_owned();
    for id in 1..1000 {
        let _ = write!(sql, ", ({id}, N'{}')", "row ".repeat(id % 20));
    }
    database.execute(&sql).await;
    database
}

#[tokio::test]
async fn a_read_that_breaks_at_any_row_goes_on_behind_its_last_page() {
    let database = thousand().await;
    let source = database.source("Packet Size=512;Idle Timeout=1");
    for fetch in [Fetch::Stream, Fetch::Paged] {
        let mut query = query("t", &["id"], &["id", "name"]);
        (query.fetch, query.page_size) = (fetch, NonZeroU32::new(64).unwrap());
        let whole = rows(&source, &query).await;
        for row in [0, 1, 63, 64, 65, 500, 999] {
            let row = if fetch == Fetch::Paged { row.min(64) } else { row };
            let victim = Action::Error(1205, 13, "deadlock victim".to_owned());
            for action in [Action::Drop, Action::Garble, Action::Unended, victim] {
                database.server().inject(Fault::at(row, action.clone()));
                let (before, error) = pages(&source, &query, &Position::default()).await;
                let error = error.unwrap_or_else(|| panic!("{action:?} at {row} was not seen"));
                assert!(error.is_transient(), "{action:?} at {row}: {error:?}");
                let from = Position { after: before.last().map(|page| page.last_key.clone()), rows: 0 };
                let (after, error) = pages(&source, &query, &from).await;
                assert_eq!(error, None);
                let read: Vec<_> = before.iter().chain(&after).flat_map(|page| shown(&page.batch)).collect();
                assert!(read == whole, "{action:?} at {row} {fetch:?}");
            }
        }
    }
    assert_eq!(database.server().faults_left(), 0);
}

#[tokio::test]
async fn a_row_that_gets_lost_on_its_way_is_missed() {
    let database = thousand().await;
    for (fetch, row) in [(Fetch::Stream, 500), (Fetch::Paged, 5)] {
        database.server().inject(Fault::at(row, Action::Lose));
        let mut query = query("t", &["id"], &["id"]);
        (query.fetch, query.page_size) = (fetch, NonZeroU32::new(64).unwrap());
        let (_, error) = pages(&database.source(""), &query, &Position::default()).await;
        let Some(SourceError::Failed { reason, .. }) = &error else { panic!("{fetch:?}: {error:?}") };
        assert!(reason.contains("rows came where the server counts"), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let database = thousand().await;
    for (row, waits, key) in [(500, "Idle Timeout=1", "Idle Timeout"), (0, "Query Timeout=1", "Query Timeout")] {
        database.server().inject(Fault::at(row, Action::Stall));
        let (_, error) = pages(&database.source(waits), &query("t", &["id"], &["id"]), &Position::default()).await;
        let Some(SourceError::Unreachable { reason, .. }) = &error else { panic!("{error:?}") };
        assert!(reason.contains("within 1 s") && reason.contains(key), "{reason}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_a_login_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let address = format!("sqlserver://sa:x@127.0.0.1:{port}/db?connect_timeout=1");
    let source =
        filegen::adapters::sqlserver::SqlServerSource::new(&filegen::core::model::secret::Secret::new(address))
            .unwrap();
    let error = source.columns(&filegen::core::model::names::ViewName::parse("v").unwrap().into()).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("Connect Timeout"), "{error}");
    drop(silent);
    let error = source.columns(&filegen::core::model::names::ViewName::parse("v").unwrap().into()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn each_error_that_is_known_has_its_kind_and_its_advice() {
    let database = thousand().await;
    let source = database.source("");
    for row in numbers::TABLE {
        for number in row.codes {
            database.server().inject(Fault::error(3, *number, 16, "so it is"));
            let (_, error) = pages(&source, &query("t", &["id"], &["id"]), &Position::default()).await;
            let error = error.unwrap_or_else(|| panic!("{number} was not seen"));
            let kind = match row.sort {
                Sort::Passing => FailureKind::Unreachable,
                Sort::Denied | Sort::Statement => FailureKind::Config,
                Sort::Failed => FailureKind::Refused,
            };
            assert_eq!(error.kind(), kind, "{number}: {error}");
            let words = error.to_string();
            assert!(words.contains(&format!("error {number}, line 1: so it is; {}", row.advice)), "{words}");
        }
    }
    // What no row has, and what ends the connection.
    for (class, kind) in [(16, FailureKind::Refused), (21, FailureKind::Unreachable)] {
        database.server().inject(Fault::error(3, 50_001, class, "so it is"));
        let (_, error) = pages(&source, &query("t", &["id"], &["id"]), &Position::default()).await;
        let error = error.unwrap();
        assert!(error.kind() == kind && error.to_string().contains("so it is; the server"), "{class}: {error}");
    }
}

#[tokio::test]
async fn what_a_server_waits_for_after_a_failover_passes_and_what_a_person_mends_does_not() {
    let passing =
        [921, 976, 983, 8645, 1205, 1222, 10053, 10054, 10060, 10928, 10929, 40197, 40501, 40613, 49918, 49919];
    let denied = [229, 911, 916, 4060, 18456, 18470, 18488, 40615];
    let sort = |number: u32| find(numbers::TABLE, &number).map(|row| row.sort);
    assert!(passing.into_iter().all(|number| sort(number) == Some(Sort::Passing)));
    assert!(denied.into_iter().all(|number| sort(number) == Some(Sort::Denied)));
    assert_eq!([208, 207, 8134].map(sort), [Some(Sort::Statement), Some(Sort::Statement), Some(Sort::Failed)]);

    let database = thousand().await;
    let source = database.source("");
    let mut bad = query("t", &["id"], &["id"]);
    bad.predicates = vec!["nope = 1".into()];
    let (_, error) = pages(&source, &bad, &Position::default()).await;
    assert!(error.unwrap().to_string().contains("error 207, line 1: Invalid column name 'nope'."));
    let (_, error) = pages(&source, &query("nix", &["id"], &["id"]), &Position::default()).await;
    assert!(matches!(&error, Some(SourceError::Refused { reason }) if reason.contains("`nix`")), "{error:?}");
}

#[tokio::test]
async fn a_read_that_is_dropped_half_way_takes_its_connection_with_it() {
    let database = thousand().await;
    let source = database.source("");
    let mut query = query("t", &["id"], &["id"]);
    query.page_size = NonZeroU32::new(10).unwrap();
    let logins = database.server().logins().len();
    for _ in 0..3 {
        let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().rows(), 10);
        drop(stream);
    }
    assert_eq!(database.server().logins().len(), logins + 3, "each read has a connection of its own");
    // All are closed: the server's threads end, which they do when their clients went.
    let gone = tokio::time::timeout(PATIENCE, async {
        while database.server().sessions() > 0 {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
    assert_eq!(database.server().attentions(), 3, "the server is asked to stop what it is at");
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_comes_later() {
    let database = thousand().await;
    let source = database.source("");
    let mut query = query("t", &["id"], &["id"]);
    query.page_size = NonZeroU32::new(100).unwrap();
    for fetch in [Fetch::Stream, Fetch::Paged] {
        (query.fetch, query.isolation) = (fetch, Isolation::Snapshot);
        let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
        let mut count = stream.next().await.unwrap().unwrap().rows();
        let next = if fetch == Fetch::Stream { 5000 } else { 6000 };
        database.execute(&format!("INSERT INTO t VALUES ({next}, N'late')")).await;
        while let Some(page) = stream.next().await.unwrap() {
            count += page.rows();
        }
        assert_eq!(count, if fetch == Fetch::Stream { 1000 } else { 1001 }, "{fetch:?}");
    }
    let statements = database.server().statements();
    let asked = |sql: &String| sql.contains("SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION");
    assert!(statements.iter().any(asked), "no snapshot was asked for");
}

#[tokio::test]
async fn a_database_without_snapshots_says_so() {
    let database = Database::here(Options { snapshot: false, ..Options::default() });
    database.execute("CREATE TABLE t (id int NOT NULL)").await;
    let mut query = query("t", &["id"], &["id"]);
    query.isolation = Isolation::Snapshot;
    let (_, error) = pages(&database.source(""), &query, &Position::default()).await;
    let error = error.unwrap().to_string();
    assert!(error.contains("error 3952") && error.contains("isolation: snapshot"), "{error}");
}

#[tokio::test]
async fn a_count_that_nobody_waits_for_any_more_is_stopped() {
    let database = thousand().await;
    for more in ["Encrypt=true", "Encrypt=off"] {
        let before = database.server().attentions();
        database.server().inject(Fault { statement: "COUNT_BIG".to_owned(), row: 0, action: Action::Stall });
        let source = database.source(more);
        let query = query("t", &["id"], &["id"]);
        tokio::select! {
            counted = source.extent(&query) => panic!("{counted:?}"),
            () = async {
                while database.server().faults_left() > 0 {
                    tokio::task::yield_now().await;
                }
            } => {}
        }
        let asked = tokio::time::timeout(PATIENCE, async {
            while database.server().attentions() == before {
                tokio::task::yield_now().await;
            }
        });
        asked.await.unwrap();
    }
}
