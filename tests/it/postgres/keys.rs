//! Keys of every type: the server alone compares them, and reads back what was read.

use super::{query, source};
use crate::support::postgres::Database;
use crate::support::source::shown;
use filegen::core::model::key::Key;
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{PageSource, Position};
use std::num::NonZeroU32;

/// Types with values in any order; collations where text has one.
const KEYS: [(&str, &[&str]); 27] = [
    ("smallint", &["-5", "300", "0"]),
    ("integer", &["7", "-2147483648", "2147483647"]),
    ("bigint", &["9223372036854775807", "9223372036854775806", "-9223372036854775808"]),
    ("numeric", &["1.10", "1.1000001", "-1e30", "1e-30", "0", "NaN", "Infinity"]),
    ("numeric(38,4)", &["9999999999999999999999999999999999.9999", "9999999999999999999999999999999999.9998"]),
    ("real", &["0.1", "0.10000001", "NaN", "-Infinity"]),
    ("double precision", &["0.1", "0.10000000000000002", "NaN", "Infinity", "5e-324", "-1e300"]),
    ("boolean", &["true", "false"]),
    ("text", &["", "a", "B", "O'Brien", "back\\slash", "\\'", "Ünï 漢字 🏦", " ", "line\nbreak", "E'x'", "$1", "$$"]),
    ("text COLLATE \"C\"", &["a", "B", "_", "é", "z"]),
    ("text COLLATE \"und-x-icu\"", &["a", "B", "_", "é", "z", "A-b", "Ab", "ab"]),
    ("varchar(10)", &["b", "a ", "a"]),
    ("char(5)", &["b", "a", "a b"]),
    ("uuid", &["f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "00000000-0000-0000-0000-000000000001"]),
    ("date", &["infinity", "-infinity", "0044-03-15 BC", "1500-01-01", "9999-12-31", "10000-01-01"]),
    ("time", &["24:00:00", "00:00:00", "12:00:00.000001"]),
    ("timestamp", &["infinity", "2026-11-21 10:30:00.123456", "2026-11-21 10:30:00.123457", "0044-03-15 01:02:03 BC"]),
    ("timestamptz", &["2026-11-21 10:30:00.123456+01", "2026-11-21 10:30:00.123457+01", "0001-01-01 BC", "-infinity"]),
    ("bytea", &["\\x00", "\\x", "\\x5c27ff", "\\xff"]),
    ("mood", &["sad", "happy", "O'K \\ so"]),
    ("inet", &["10.0.0.1", "9.0.0.1", "::1"]),
    ("interval", &["1 mon", "29 days", "1 day 00:00:00.000001"]),
    ("integer[]", &["{2}", "{1,2}", "{10}"]),
    ("money", &["1234.50", "-0.05", "92233720368547758.07"]),
    ("oid", &["4294967295", "0", "10"]),
    ("int4range", &["[2,9)", "(,3)", "empty"]),
    ("\"Odd \"\"Schema.x\".\"Odd.\"\"Type\"", &["z", "a"]),
];

#[tokio::test]
async fn every_type_can_be_a_key_and_is_resumed_behind() {
    let database = Database::create().await;
    // The enums' labels are not in alphabetical order: their order must be the server's.
    database
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'O''K \\ so', 'happy'); CREATE SCHEMA \"Odd \"\"Schema.x\";
             CREATE TYPE \"Odd \"\"Schema.x\".\"Odd.\"\"Type\" AS ENUM ('z', 'a');
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
             EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database());
             EXECUTE format('ALTER DATABASE %I SET TimeZone = ''America/St_Johns''', current_database()); END $$",
        )
        .await;
    let (client, source) = (database.client().await, source(&database));
    client.batch_execute("SET standard_conforming_strings = on; SET DateStyle = 'ISO'").await.unwrap();
    for (number, (of, values)) in KEYS.into_iter().enumerate() {
        let row = |(label, value): (usize, &&str)| format!("('{}', {label})", value.replace('\'', "''"));
        let rows: Vec<String> = values.iter().enumerate().map(row).collect();
        let sql = format!(
            "CREATE TABLE t{number} (\"The Key\" {of}, label int); INSERT INTO t{number} VALUES {};
             CREATE VIEW v{number} AS SELECT * FROM t{number}",
            rows.join(", ")
        );
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let ordered =
            client.query(&format!("SELECT label::text FROM v{number} ORDER BY \"The Key\""), &[]).await.unwrap();
        let ordered: Vec<String> = ordered.iter().map(|row| row.get(0)).collect();

        let mut query = query(&format!("v{number}"), &["The Key"], &["label"]);
        (query.page_size, query.fetch) = (NonZeroU32::MIN, Fetch::Paged);
        let range = source.extent(&query).await.unwrap().range.unwrap();
        let mut stream = source.open(&query, &Position::default(), Some(&range.1)).await.unwrap();
        let (mut labels, mut keys): (Vec<String>, Vec<Key>) = (Vec::new(), Vec::new());
        while let Some(page) = stream.next().await.unwrap() {
            labels.push(shown(&page.batch)[0][0].clone().unwrap());
            keys.push(page.last_key);
        }
        assert_eq!(labels, ordered, "{of}: {keys:?}");
        assert_eq!((keys.first(), keys.last()), (Some(&range.0), Some(&range.1)), "{of}");

        query.fetch = Fetch::Stream;
        for (at, key) in keys.iter().enumerate() {
            let from = Position { after: Some(key.clone()), rows: 0 };
            let pages = super::read(&source, &query, &from).await.unwrap();
            let rest: Vec<String> = pages.iter().map(|page| shown(&page.batch)[0][0].clone().unwrap()).collect();
            assert_eq!(rest, ordered[at + 1..], "{of} behind {key}");
        }
    }
}

#[tokio::test]
async fn numbers_that_the_server_holds_equal_are_one_key() {
    let database = Database::create().await;
    database.run("CREATE VIEW v AS SELECT * FROM (VALUES (1.0), (1.00)) t (k)").await;
    let error = super::read(&source(&database), &query("v", &["k"], &["k"]), &Position::default()).await.unwrap_err();
    assert!(error.to_string().contains("key 1.0") && error.to_string().contains("appears twice"), "{error}");
}

#[tokio::test]
async fn an_order_without_an_index_is_found_and_one_with_is_not() {
    use filegen::core::model::finding::CheckVerdict::{Fail, Pass, Warn};
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b));
             INSERT INTO t SELECT g / 10, g % 10, g % 7 FROM generate_series(1, 1000) g;
             INSERT INTO t VALUES (-1, -1, NULL); ANALYZE t; CREATE VIEW v AS SELECT * FROM t",
        )
        .await;
    let source = source(&database);
    let verdicts = async |key: &[&str]| {
        let findings = source.examine(&query("v", key, &["c"])).await.unwrap();
        findings.into_iter().map(|finding| finding.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&["a", "b"]).await, [Pass, Pass, Pass]);
    assert_eq!(verdicts(&["b", "a"]).await, [Pass, Pass, Warn]);
    assert_eq!(verdicts(&["c"]).await, [Fail, Fail, Warn]);
}

#[tokio::test]
async fn declared_lengths_are_those_of_texts() {
    let database = Database::create().await;
    database.run("CREATE TABLE t (id int, a char(3), b varchar(20), c text, d numeric(9,2)); CREATE VIEW v AS SELECT * FROM t").await;
    let lengths = source(&database).lengths(&query("v", &["id"], &["id"]).view).await.unwrap();
    let lengths: Vec<(&str, u32)> = lengths.iter().map(|(name, length)| (name.as_str(), *length)).collect();
    assert_eq!(lengths, [("a", 3), ("b", 20)]);
    assert!(source(&database).lengths(&query("gone", &["id"], &["id"]).view).await.is_err());
}
