//! Values that are too long.

use super::{MODES, query, read, view};
use crate::support::source::{Row, SqlType, Value, worlds};
use filegen::core::model::key::{Key, KeyValue};
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{Position, Query, SourceError};

const MOST: usize = 1 << 20;

#[tokio::test]
async fn a_value_that_is_too_long_is_an_error_with_its_column_and_its_rows_key() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let text = |bytes: usize| Value::Text("x".repeat(bytes));
        let rows: Vec<Row> = [(1, 10), (2, MOST), (3, MOST + 1), (4, 30 * MOST), (5, 10)]
            .into_iter()
            .map(|(id, bytes)| vec![Value::Int(id), Value::Text("short".to_owned()), text(bytes)])
            .collect();
        world.create(&view, &[("id", SqlType::Int), ("s", SqlType::Text), ("t", SqlType::Text)], &rows).await;
        for fetch in MODES {
            // The key stands behind the value in the row.
            let query = Query { fetch, value_bytes: MOST as u64, ..query(&view, &["id"], &["s", "t", "id"]) };
            for (behind, next) in [(0, 3), (3, 4)] {
                let from = Position { after: Some(Key(vec![KeyValue::Int(behind)])), rows: behind.unsigned_abs() };
                let error = read(&*source, &query, &from).await.unwrap_err();
                let what = format!("{} {fetch:?}: {error}", world.name());
                let SourceError::Value { column, key, reason } = &error else { panic!("{what}") };
                assert_eq!(column, "t", "{what}");
                assert!(reason.contains("source.value_bytes"), "{what}");
                assert!(key.contains(&next.to_string()) || fetch == Fetch::Offset, "{what}");
            }
            if fetch == Fetch::Offset {
                // Rows that are skipped may have to be sorted with the others.
                continue;
            }
            let from = Position { after: Some(Key(vec![KeyValue::Int(4)])), rows: 4 };
            assert_eq!(read(&*source, &query, &from).await.unwrap().len(), 1, "{} {fetch:?}", world.name());
            let shorter = Query { columns: vec!["id".to_owned(), "s".to_owned()], ..query };
            assert!(read(&*source, &shorter, &Position::default()).await.is_ok(), "what is not wanted may be long");
        }
    }
}
