//! Lost connections, refusals, and reads that nobody waits for any more.

use super::{query, read, source};
use crate::support::postgres::{Database, PASSWORD};
use crate::support::running::PATIENCE;
use crate::support::source::shown;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position, SourceError};
use std::time::Instant;
use tokio_postgres::Client;

/// Filegen's connections to the client's database.
const OURS: &str = "FROM pg_stat_activity WHERE application_name = 'filegen' AND datname = current_database()";

async fn connections(client: &Client) -> i64 {
    client.query_one(&format!("SELECT count(*) {OURS}"), &[]).await.unwrap().get(0)
}

/// Asks until there is no connection of ours; false when they do not go.
pub async fn all_gone(client: &Client) -> bool {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if connections(client).await == 0 {
            return true;
        }
    }
    false
}

/// 30,000 rows of 2 KB: far more than sockets hold, so that a read is always in the middle of it.
pub async fn wide_view() -> Database {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE t (id int PRIMARY KEY, pad text);
             INSERT INTO t SELECT g, repeat('x', 2000) FROM generate_series(1, 30000) g;
             CREATE VIEW v AS SELECT * FROM t",
        )
        .await;
    database
}

#[tokio::test]
async fn a_connection_lost_in_mid_page_is_a_passing_fault_and_a_read_behind_the_last_page_completes() {
    let database = wide_view().await;
    let (client, source) = (database.client().await, source(&database));
    for fetch in [Fetch::Stream, Fetch::Paged] {
        let mut query = query("v", &["id"], &["id", "pad"]);
        query.fetch = fetch;
        let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
        let mut pages = vec![stream.next().await.unwrap().unwrap()];
        client.execute(&format!("SELECT pg_terminate_backend(pid) {OURS}"), &[]).await.unwrap();
        let error = loop {
            match stream.next().await {
                Ok(Some(page)) => pages.push(page),
                Ok(None) => panic!("the end was reached over a lost connection"),
                Err(error) => break error,
            }
        };
        assert!(error.is_transient(), "{error:?}");
        assert!(stream.next().await.unwrap().is_none(), "after an error the stream is done");
        let from = Position { after: pages.last().map(|page| page.last_key.clone()), rows: 0 };
        pages.extend(read(&source, &query, &from).await.unwrap());
        let ids = pages.iter().flat_map(|page| shown(&page.batch)).map(|row| row[0].clone().unwrap());
        assert!(ids.eq((1..=30_000).map(|id| id.to_string())), "{fetch:?}");
    }
}

#[tokio::test]
async fn a_dropped_read_closes_its_connection() {
    let database = wide_view().await;
    let (client, source) = (database.client().await, source(&database));
    let mut stream = source.open(&query("v", &["id"], &["id", "pad"]), &Position::default(), None).await.unwrap();
    stream.next().await.unwrap().unwrap();
    assert_eq!(connections(&client).await, 1);
    drop(stream);
    assert!(all_gone(&client).await);
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_stopped_at_the_server() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT 1 AS id, pg_sleep(600)::text AS slow").await;
    let (client, source) = (database.client().await, source(&database));
    let mut stream = source.open(&query("v", &["id"], &["id", "slow"]), &Position::default(), None).await.unwrap();
    tokio::select! {
        page = stream.next() => panic!("{page:?}"),
        () = async { while client.query_one(&format!("SELECT count(*) {OURS} AND wait_event = 'PgSleep'"), &[]).await.unwrap().get::<_, i64>(0) == 0 {} } => {}
    }
    drop(stream);
    assert!(all_gone(&client).await);
}

#[tokio::test]
async fn a_finished_read_leaves_no_connection_and_no_complaint() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT g AS id FROM generate_series(1, 5) g").await;
    let (client, source) = (database.client().await, source(&database));
    let query = query("v", &["id"], &["id"]);
    source.extent(&query).await.unwrap();
    assert_eq!(read(&source, &query, &Position::default()).await.unwrap().len(), 1);
    assert!(all_gone(&client).await);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_one_that_says_no_denies() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT 1 AS id").await;
    let columns = async |url: String| {
        let source = Postgres::new(&Secret::new(url)).unwrap();
        source.columns(&ViewName::parse("v").unwrap().into()).await.unwrap_err()
    };
    let closed = database.url().replace(&format!(":{}/", database.port()), ":1/");
    let error = columns(closed).await;
    assert!(error.is_transient() && error.to_string().contains("postgres://127.0.0.1:1/"), "{error}");
    let stranger = database.url().replace("filegen:", "stranger:");
    let elsewhere = database.url().replace(database.name(), "no_such_database");
    for (url, word) in [(stranger, "28P01"), (elsewhere, "3D000")] {
        let error = columns(url).await;
        assert!(matches!(error, SourceError::Denied { .. }) && error.to_string().contains("; check "), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(word) && !text.contains("s3cret") && !text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn a_snapshot_is_one_point_in_time_for_all_pages() {
    let database = Database::create().await;
    let source = source(&database);
    for (isolation, rows) in [(Isolation::Default, 3000), (Isolation::Snapshot, 2000)] {
        database
            .run(
                "DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int PRIMARY KEY);
                 INSERT INTO t SELECT generate_series(1, 2000); CREATE VIEW v AS SELECT * FROM t",
            )
            .await;
        let mut query = query("v", &["id"], &["id"]);
        (query.fetch, query.isolation) = (Fetch::Paged, isolation);
        let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
        let mut read = stream.next().await.unwrap().unwrap().rows();
        database.run("INSERT INTO t SELECT generate_series(2001, 3000)").await;
        while let Some(page) = stream.next().await.unwrap() {
            read += page.rows();
        }
        assert_eq!(read, rows, "{isolation:?}");
    }
}

#[tokio::test]
async fn an_error_of_the_servers_while_reading_names_its_state() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT g AS id, 100 / (5 - g) AS x FROM generate_series(1, 9) g").await;
    let error = read(&source(&database), &query("v", &["id"], &["x"]), &Position::default()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("division by zero (SQLSTATE 22012)"), "{error}");
}
