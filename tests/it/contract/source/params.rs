//! Parameters are bound: each means its value, whatever stands in it. A query and its parameters read as a view does.

use super::{MODES, after, firsts, query, read, rest, view};
use crate::support::source::{Row, SqlType, worlds};
use filegen::core::model::key::{Key, KeyValue};
use filegen::core::model::param::{ParamKind, Params};
use filegen::core::model::sql::{Relation, Sql, Template};
use filegen::core::ports::source::{Position, Query, SourceError};
use std::num::NonZeroU32;

const COLUMNS: [(&str, SqlType); 4] =
    [("id", SqlType::Int), ("who", SqlType::Text), ("d", SqlType::Date), ("amount", SqlType::Decimal(9, 2))];

/// Texts that would end a literal, begin a comment, name a parameter or mean something else in one database or another.
const HOSTILE: [&str; 14] = [
    "O'Brien",
    "x' OR '1'='1",
    "'; DROP TABLE v; --",
    "\\' OR 1=1 --",
    "\\",
    "E'\\''",
    "$1",
    "$x$ y $x$",
    "{date}",
    "@P1 ?1 :who",
    "%_[a]",
    "--",
    "/* x",
    "ä😀\u{1}\n\t\"",
];

fn rows() -> Vec<Row> {
    let row = |(index, who): (usize, &&str)| {
        let number = i64::try_from(index).unwrap() + 1;
        vec![
            number.into(),
            (*who).into(),
            format!("2026-11-{number:02}").as_str().into(),
            format!("{number}.50").as_str().into(),
        ]
    };
    HOSTILE.iter().enumerate().map(row).collect()
}

fn bound(text: &str, params: &[(&str, ParamKind, &str)]) -> Sql {
    template(text, params).0.bind(&template(text, params).1).unwrap()
}

fn template(text: &str, params: &[(&str, ParamKind, &str)]) -> (Template, Params) {
    let values: Params =
        params.iter().map(|(name, kind, value)| ((*name).to_owned(), kind.read(value).unwrap())).collect();
    (Template::parse(text, |name| values.contains_key(name)).unwrap(), values)
}

fn over(text: &str, params: &[(&str, ParamKind, &str)]) -> Query {
    Query { view: Relation::Query(bound(text, params)), ..query(&view("v"), &["id"], &["id", "who"]) }
}

#[tokio::test]
async fn a_parameter_is_its_value_and_nothing_else() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &COLUMNS, &rows()).await;
        for (index, text) in HOSTILE.iter().enumerate() {
            let mut query = query(&view, &["id"], &["id"]);
            query.predicates = vec![bound("\"who\" = {who}", &[("who", ParamKind::Text, text)])];
            let extent = source.extent(&query).await.unwrap();
            assert_eq!((extent.rows, extent.matching), (14, vec![1]), "{} {text:?}", world.name());
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            let masks: Vec<bool> = super::rows_of(&pages).iter().map(|row| row[1].as_deref() == Some("true")).collect();
            assert_eq!(masks.iter().position(|mask| *mask), Some(index), "{} {text:?}", world.name());
        }
        let mut query = query(&view, &["id"], &["id"]);
        query.predicates = vec![
            bound("\"id\" <= {n}", &[("n", ParamKind::Integer, "9")]),
            bound("\"amount\" > {a}", &[("a", ParamKind::Decimal, "13.50")]),
        ];
        assert_eq!(source.extent(&query).await.unwrap().matching, [9, 1], "{}", world.name());
        if world.name() != "memory" {
            query.predicates = vec![bound(
                "\"d\" <= {date} AND \"d\" > {from}",
                &[("date", ParamKind::Date, "2026-11-10"), ("from", ParamKind::Date, "2026-11-07")],
            )];
            assert_eq!(source.extent(&query).await.unwrap().matching, [3], "{}", world.name());
        }
    }
}

#[tokio::test]
async fn a_query_is_counted_paged_and_resumed_as_a_view_is() {
    let date = [("date", ParamKind::Date, "2026-11-03"), ("who", ParamKind::Text, "O'Brien")];
    for world in worlds().await.into_iter().filter(|world| world.name() != "memory") {
        let source = world.source();
        world.create(&view("v"), &COLUMNS, &rows()).await;
        for text in [
            "SELECT \"id\", \"who\", \"amount\" FROM \"v\" WHERE \"d\" > {date} AND \"who\" <> {who}",
            "WITH late AS (SELECT * FROM \"v\" WHERE \"d\" > {date}) SELECT \"id\", \"who\", \"amount\" FROM late \
             WHERE \"who\" <> {who}",
        ] {
            let mut query = over(text, &date);
            query.page_size = NonZeroU32::new(4).unwrap();
            query.predicates = vec![bound("\"id\" > {low}", &[("low", ParamKind::Integer, "12")])];
            let ids: Vec<String> = (4..=14).map(|id: i64| id.to_string()).collect();
            let extent = source.extent(&query).await.unwrap();
            assert_eq!((extent.rows, &extent.matching[..]), (11, &[2][..]), "{} {text}", world.name());
            let (first, last) = extent.range.unwrap();
            assert_eq!((first.to_string(), last.to_string()), ("4".to_owned(), "14".to_owned()));
            let within = source.extent_after(&query, Some(&Key(vec![KeyValue::Int(9)]))).await.unwrap().within;
            assert_eq!(within, 6, "{} {text}", world.name());
            for fetch in MODES {
                query.fetch = fetch;
                let pages = read(&*source, &query, &Position::default()).await.unwrap();
                assert_eq!((firsts(&pages), pages.len()), (ids.clone(), 3), "{} {fetch:?} {text}", world.name());
            }
            query.fetch = filegen::core::model::query::Fetch::Paged;
            let (from, until) = (after(&Key(vec![KeyValue::Int(8)])), Key(vec![KeyValue::Int(12)]));
            let some = rest(&mut *source.open(&query, &from, Some(&until)).await.unwrap()).await.unwrap();
            assert_eq!(firsts(&some), ["9", "10", "11", "12"], "{} {text}", world.name());
            let names: Vec<String> =
                source.columns(&query.view).await.unwrap().into_iter().map(|column| column.name).collect();
            assert_eq!(names, ["id", "who", "amount"], "{} {text}", world.name());
            assert!(source.examine(&query).await.unwrap().len() >= 2, "{}", world.name());
        }
    }
}

#[tokio::test]
async fn what_is_no_single_select_is_refused_and_does_nothing() {
    for world in worlds().await {
        let source = world.source();
        world.create(&view("v"), &COLUMNS, &rows()).await;
        for text in ["DELETE FROM v", "SELECT 1 AS \"id\"; DELETE FROM v", "SELECT \"id\" FROM \"v\";", "SELECT nope("]
        {
            let error = source.extent(&over(text, &[])).await.unwrap_err();
            assert!(matches!(error, SourceError::Refused { .. }), "{} {text}: {error}", world.name());
        }
        assert_eq!(source.extent(&query(&view("v"), &["id"], &["id"])).await.unwrap().rows, 14);
    }
}
