//! The logins and transactions of a run: one login, and nothing that a statement did stays.

use super::{query, read, source};
use crate::support::postgres::Database;
use crate::support::source::shown;
use filegen::core::model::key::{Key, KeyValue};
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::ports::source::{PageSource, Position, Query};

/// The only row's only value.
fn only(key: &Key) -> String {
    match key.0.as_slice() {
        [KeyValue::Int(number)] => number.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_questions_of_a_run_are_asked_by_one_session() {
    let database = Database::create().await;
    database.run("CREATE VIEW me AS SELECT pg_backend_pid() AS pid").await;
    for isolation in [Isolation::Default, Isolation::Snapshot] {
        let source = source(&database);
        let query = Query { isolation, ..query("me", &["pid"], &["pid"]) };
        let (first, last) = source.extent(&query).await.unwrap().range.unwrap();
        assert_eq!(source.kinds(&query).await.unwrap().len(), 1);
        let pages = read(&source, &query, &Position::default()).await.unwrap();
        let read = shown(&pages[0].batch)[0][0].clone().unwrap();
        // Something was written meanwhile, so that the view is counted again.
        database.run("CREATE TABLE written (a int)").await;
        let after = source.extent_after(&query, Some(&last)).await.unwrap().extent.range.unwrap().0;
        assert_eq!([only(&first), only(&after)], [read.clone(), read], "{isolation:?}");
        database.run("DROP TABLE written").await;
        assert_ne!(source.extent(&query).await.unwrap().range.unwrap().0, first, "the session has left");
        source.rest().await;
    }
}

#[tokio::test]
async fn what_a_statement_did_is_undone() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT n AS id, txid_current()::text AS x FROM generate_series(1, 2500) n").await;
    let client = database.client().await;
    for fetch in [Fetch::Stream, Fetch::Paged] {
        let source = source(&database);
        let query = Query { fetch, ..query("v", &["id"], &["x"]) };
        source.extent(&query).await.unwrap();
        let pages = read(&source, &query, &Position::default()).await.unwrap();
        source.extent_after(&query, None).await.unwrap();
        source.rest().await;
        let mut seen: Vec<String> =
            pages.iter().flat_map(|page| shown(&page.batch)).map(|row| row[0].clone().unwrap()).collect();
        seen.dedup();
        for number in seen {
            let asked = client.query_one(&format!("SELECT txid_status({number})"), &[]).await.unwrap();
            assert_eq!(asked.get::<_, Option<String>>(0).as_deref(), Some("aborted"), "{fetch:?}");
        }
    }
}
