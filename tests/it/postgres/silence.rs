//! A server that falls silent: how long it is waited for, and that only waiting counts.

use super::faults::{all_gone, wide_view};
use super::{query, read};
use crate::support::postgres::Database;
use crate::support::running::{PATIENCE, at_async};
use crate::support::toxiproxy::Line;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::query::Fetch;
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position, Query, SourceError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// By a line, with these waits.
fn far(database: &Database, line: &Line, waits: &str) -> Postgres {
    let url = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", line.port));
    Postgres::new(&Secret::new(format!("{url}?{waits}"))).unwrap()
}

fn line_to(database: &Database) -> Line {
    Line::to(&format!("127.0.0.1:{}", database.port()))
}

/// What comes of it; a wait without end fails the test.
async fn ended<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it waits without end")
}

/// A passing fault that names the setting.
#[track_caller]
fn is_late(error: &SourceError, key: &str) {
    assert!(error.is_transient() && error.to_string().contains(key), "{error}");
}

#[tokio::test]
async fn a_server_that_falls_silent_between_rows_is_waited_for_as_long_as_the_address_says() {
    let database = wide_view().await;
    for fetch in [Fetch::Stream, Fetch::Paged] {
        let line = line_to(&database);
        let source = far(&database, &line, "idle_timeout=1&query_timeout=1");
        let query = Query { fetch, ..query("v", &["id"], &["id", "pad"]) };
        let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
        let mut rows = stream.next().await.unwrap().as_ref().map_or(0, Page::rows);
        line.cut();
        let error = loop {
            match ended(stream.next()).await {
                Ok(page) => rows += page.expect("the view has not ended").rows(),
                Err(error) => break error,
            }
        };
        is_late(&error, "_timeout` in the address");
        assert!(rows < 30_000 && stream.next().await.unwrap().is_none(), "after an error the stream is done");
    }
}

#[tokio::test]
async fn time_in_which_nobody_reads_is_no_silence() {
    let database = wide_view().await;
    let source = far(&database, &line_to(&database), "idle_timeout=1&query_timeout=1");
    let mut stream = source.open(&query("v", &["id"], &["id", "pad"]), &Position::default(), None).await.unwrap();
    let mut rows = stream.next().await.unwrap().as_ref().map_or(0, Page::rows);
    at_async(Instant::now() + Duration::from_secs(3)).await;
    while let Some(page) = stream.next().await.unwrap() {
        rows += page.rows();
    }
    assert_eq!(rows, 30_000);
}

#[tokio::test]
async fn a_statement_is_waited_for_until_its_first_row_and_stopped_then() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT g AS id, pg_sleep(300)::text AS slow FROM generate_series(1, 2) g").await;
    let client = database.client().await;
    let source = Postgres::new(&Secret::new(format!("{}?query_timeout=1&idle_timeout=0", database.url()))).unwrap();
    let error = ended(read(&source, &query("v", &["id"], &["slow"]), &Position::default())).await.unwrap_err();
    is_late(&error, "within 1 s; `query_timeout`");
    assert!(all_gone(&client).await, "the server is not at work for nobody");
}

#[tokio::test]
async fn counting_and_describing_end_too_when_the_server_is_silent() {
    let database = wide_view().await;
    let line = line_to(&database);
    let source = far(&database, &line, "connect_timeout=1&query_timeout=1");
    source.extent(&query("v", &["id"], &["id"])).await.unwrap();
    let view = ViewName::parse("v").unwrap().into();
    let mut stream = source.open(&query("v", &["id"], &["id"]), &Position::default(), None).await.unwrap();
    line.cut();
    // A session that stood before, and those that are to be made.
    is_late(&ended(stream.next()).await.unwrap_err(), "query_timeout");
    is_late(&ended(source.extent(&query("v", &["id"], &["id"]))).await.unwrap_err(), "connect_timeout");
    is_late(&ended(source.columns(&view)).await.unwrap_err(), "connect_timeout");
}

#[tokio::test]
async fn a_listener_that_says_nothing_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let source = Postgres::new(&Secret::new(format!("postgres://u:s3cret@127.0.0.1:{port}/db?connect_timeout=1")));
    let error = ended(source.unwrap().columns(&ViewName::parse("v").unwrap().into())).await.unwrap_err();
    is_late(&error, "`connect_timeout` in the address");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}
