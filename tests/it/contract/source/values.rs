//! What stands in a page, and that it is exact.

use super::{KEYSET, MODES, SCRAMBLED, query, read, rest, rows_of, scrambled, view};
use crate::support::source::{Row, SqlType, Value, strings, worlds};
use arrow_array::Array as _;
use filegen::core::model::column::Kind;
use filegen::core::model::key::{Key, KeyValue};
use filegen::core::model::page::Page;
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{Position, Query};
use std::num::NonZeroU32;

#[tokio::test]
async fn a_page_holds_the_wanted_columns_and_then_the_masks() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &scrambled(6)).await;
        let mut query = query(&view, &["name", "part"], &["part", "id"]);
        query.predicates = vec!["\"id\" >= 9".into(), "\"name\" = 'n00'".into()];
        for fetch in MODES {
            query.fetch = fetch;
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            let expected = [
                strings(&["0", "0", "false", "true"]),
                strings(&["1", "3", "false", "true"]),
                strings(&["0", "6", "false", "false"]),
                strings(&["1", "9", "true", "false"]),
                strings(&["0", "12", "true", "false"]),
                strings(&["1", "15", "true", "false"]),
            ];
            assert_eq!(rows_of(&pages), expected, "{} {fetch:?}", world.name());
            assert!(pages.iter().all(|page| page.batch.column(2).null_count() == 0), "masks are never null");
        }
        let keys = (
            Key(vec![KeyValue::Text("n00".to_owned()), KeyValue::Int(0)]),
            Key(vec![KeyValue::Text("n02".to_owned()), KeyValue::Int(1)]),
        );
        query.fetch = Fetch::Stream;
        let extent = source.extent(&query).await.unwrap();
        assert_eq!((extent.rows, extent.matching), (6, vec![3, 2]), "{}", world.name());
        assert_eq!(extent.range, Some(keys), "{}", world.name());
    }
}

#[tokio::test]
async fn a_mask_is_false_where_the_predicate_is_unknown() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let rows = vec![vec![Value::Int(1), Value::Null], vec![Value::Int(2), "x".into()]];
        world.create(&view, &[("id", SqlType::Int), ("state", SqlType::Text)], &rows).await;
        let mut query = query(&view, &["id"], &["id"]);
        query.predicates = vec!["\"state\" <> 'y'".into(), "\"state\" IS NULL".into()];
        let pages = read(&*source, &query, &Position::default()).await.unwrap();
        assert_eq!(
            rows_of(&pages),
            [strings(&["1", "false", "true"]), strings(&["2", "true", "false"])],
            "{}",
            world.name()
        );
        assert_eq!(source.extent(&query).await.unwrap().matching, [1, 1], "{}", world.name());
    }
}

/// A column of each type.
const EXTREME: [(&str, SqlType); 11] = [
    ("id", SqlType::Int),
    ("flag", SqlType::Bool),
    ("ratio", SqlType::Double),
    ("amount", SqlType::Decimal(12, 2)),
    ("huge", SqlType::Decimal(38, 10)),
    ("t", SqlType::Text),
    ("raw", SqlType::Bytes),
    ("uid", SqlType::Uuid),
    ("day", SqlType::Date),
    ("at", SqlType::Timestamp(6)),
    ("doc", SqlType::Json),
];

/// The least, the greatest and no value of each.
fn extremes() -> Vec<Row> {
    vec![
        vec![
            Value::Int(i64::MIN),
            Value::Bool(true),
            Value::Double(0.1),
            "-0.07".into(),
            "-9999999999999999999999999999.9999999999".into(),
            "".into(),
            Value::Bytes(vec![]),
            "0a0b0c0d-0000-4000-8000-ffffffffffff".into(),
            "0001-01-01".into(),
            "1582-10-04 00:00:00.000001".into(),
            "{\"a\": [1, null, \"x\"]}".into(),
        ],
        vec![
            Value::Int(0),
            Value::Bool(false),
            Value::Double(-1e300),
            "9999999999.99".into(),
            "9999999999999999999999999999.9999999999".into(),
            "line\nbreak \"q\" ä 日本 🙂".into(),
            Value::Bytes(vec![0, 255, 16]),
            "ffffffff-ffff-ffff-ffff-ffffffffffff".into(),
            "9999-12-31".into(),
            "2026-11-21 10:30:00.123456".into(),
            "[12345678901234567890.5]".into(),
        ],
        [vec![Value::Int(i64::MAX)], vec![Value::Null; 10]].concat(),
    ]
}

fn extremes_shown() -> Vec<Vec<Option<String>>> {
    let mut null = vec![None; 11];
    null[0] = Some(i64::MAX.to_string());

    vec![
        strings(&[
            "-9223372036854775808",
            "true",
            "0.1",
            "-0.07",
            "-9999999999999999999999999999.9999999999",
            "",
            "",
            "0a0b0c0d-0000-4000-8000-ffffffffffff",
            "0001-01-01",
            "1582-10-04T00:00:00.000001",
            "{\"a\": [1, null, \"x\"]}",
        ]),
        strings(&[
            "0",
            "false",
            "-1e300",
            "9999999999.99",
            "9999999999999999999999999999.9999999999",
            "line\nbreak \"q\" ä 日本 🙂",
            "00ff10",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "9999-12-31",
            "2026-11-21T10:30:00.123456",
            "[12345678901234567890.5]",
        ]),
        null,
    ]
}

#[tokio::test]
async fn values_arrive_exactly() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &EXTREME, &extremes()).await;
        let names: Vec<&str> = EXTREME.iter().map(|(name, _)| *name).collect();
        let mut stream = source.open(&query(&view, &["id"], &names), &Position::default(), None).await.unwrap();
        let pages = rest(&mut *stream).await.unwrap();
        assert_eq!(rows_of(&pages), extremes_shown(), "{}", world.name());
        let kinds = stream.columns().unwrap();
        for (seen, (name, of)) in kinds.iter().zip(EXTREME) {
            let other = match of {
                SqlType::Timestamp(_) => Kind::TimestampText,
                // Not every database has a type for it.
                SqlType::Json => Kind::Text,
                of => of.kind(),
            };
            let fits = [of.kind(), other].contains(&seen.kind);
            assert!(fits && seen.name == name, "{}: {seen:?}", world.name());
        }
    }
}

#[tokio::test]
async fn names_are_taken_as_they_are() {
    for world in worlds().await {
        let names = ["select", "Group By", "a.b", "it's", "a\"b", "[x]", "é; --"];
        let columns: Vec<(&str, SqlType)> = names.iter().map(|name| (*name, SqlType::Int)).collect();
        let rows: Vec<Row> = (0..5).map(|at| (0..7).map(|column| Value::Int(at * 7 + column)).collect()).collect();
        for text in ["v.Loan \"Data]", "Order", "ünï code"] {
            let view = view(&format!("[{}].[{}]", world.schema(), text.replace(']', "]]")));
            world.create(&view, &columns, &rows).await;
            let (source, query) = (world.source(), query(&view, &["a\"b", "it's"], &["[x]", "select", "é; --"]));
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(rows_of(&pages)[1], strings(&["12", "7", "13"]), "{} {text}", world.name());
            assert_eq!(source.extent(&query).await.unwrap().rows, 5);
            let seen: Vec<String> =
                source.columns(&view.clone().into()).await.unwrap().into_iter().map(|column| column.name).collect();
            assert_eq!(seen, names, "{} {text}", world.name());
        }
    }
}

#[tokio::test]
async fn large_values_come_a_few_at_a_time() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let rows: Vec<Row> = (0..12).map(|at| vec![Value::Int(at), Value::Text("ä".repeat(500_000))]).collect();
        world.create(&view, &[("id", SqlType::Int), ("t", SqlType::Text)], &rows).await;
        for fetch in KEYSET {
            let mut query = Query { fetch, page_bytes: 2_000_000, ..query(&view, &["id"], &["id", "t"]) };
            query.page_size = NonZeroU32::new(10_000).unwrap();
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(pages.iter().map(Page::rows).sum::<u64>(), 12, "{}", world.name());
            let heaviest = pages.iter().map(|page| page.batch.get_array_memory_size()).max().unwrap();
            assert!(heaviest < 8_000_000, "{} {fetch:?}: a page takes {heaviest} bytes", world.name());
        }
    }
}
