//! Keys of every type: read to the end from each row, in the server's order, with values as parameters.

use super::{pages, query, rows};
use crate::support::source::shown;
use crate::support::sqlserver::Database;
use crate::tds::Options;
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{PageSource, Position, Query, SourceError};
use std::num::NonZeroU32;

/// Types that a key can have, and values.
const KEYS: &[(&str, &[&str])] = &[
    ("bit", &["1", "0"]),
    ("tinyint", &["255", "0", "7"]),
    ("smallint", &["-5", "300", "7"]),
    ("int", &["-100000", "2147483647", "7"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807", "7"]),
    ("decimal(38,10)", &["'9999999999999999999999999999.0000000001'", "'-12.5'", "'9'", "'10'", "0"]),
    ("money", &["'12.5'", "'-3'", "'922337203685477.5807'", "'9.9999'"]),
    ("float", &["0.1e0", "1e300", "-2.5e0", "0.30000000000000004e0"]),
    (
        "uniqueidentifier",
        &[
            "'00000000-0000-0000-0000-010000000000'",
            "'FF000000-0000-0000-0000-000000000001'",
            "'01000000-0000-0000-0000-000000000002'",
            "'00000000-0000-0100-0000-000000000001'",
            "'00000000-0000-0001-0000-000000000001'",
        ],
    ),
    ("date", &["'2026-11-21'", "'0001-01-01'", "'9999-12-31'"]),
    ("time(7)", &["'10:30:00.1234567'", "'00:00:00'", "'10:30:00.1234568'"]),
    ("datetime", &["'2026-11-21T10:30:00.003'", "'2026-11-21T10:30:00.007'", "'1753-01-01T00:00:00'"]),
    ("smalldatetime", &["'2026-11-21T10:30:00'", "'2026-11-21T10:31:00'"]),
    ("datetime2(7)", &["'2026-11-21T10:30:00.1234567'", "'2026-11-21T10:30:00.1234568'", "'0001-01-01T00:00:00'"]),
    (
        "datetimeoffset(7)",
        &["'2026-11-21T00:30:00+01:00'", "'2026-11-20T23:45:00+00:00'", "'2026-11-21T09:00:00+10:00'"],
    ),
    ("varchar(20)", &["'b'", "'a-c'", "'ab'", "'B2'", "''", "'a''b'"]),
    ("varchar(20) COLLATE Cyrillic_General_CI_AS", &["N'Ы'", "N'а'", "N'Б'"]),
    ("nvarchar(20)", &["N'Zürich'", "N'aachen'", "N'Bonn'"]),
    ("varchar(20) COLLATE Latin1_General_BIN2", &["'b'", "'B'", "'a'", "'A'"]),
    ("varbinary(8)", &["0x00", "0xff", "0x0102"]),
];

#[tokio::test]
async fn every_key_type_resumes_behind_every_row() {
    let database = Database::fresh().await;
    for (at, (declared, values)) in KEYS.iter().enumerate() {
        let table = format!("k{at}");
        database.execute(&format!("CREATE TABLE {table} (n int NOT NULL, k {declared} NOT NULL)")).await;
        let list: Vec<String> = values.iter().enumerate().map(|(n, value)| format!("({n}, {value})")).collect();
        database.execute(&format!("INSERT INTO {table} VALUES {}", list.join(", "))).await;
        let source = database.source("");
        for fetch in [Fetch::Stream, Fetch::Paged] {
            let mut query = query(&table, &["k"], &["n"]);
            (query.page_size, query.fetch) = (NonZeroU32::MIN, fetch);
            let all = rows(&source, &query).await;
            assert_eq!(all.len(), values.len(), "{declared} {fetch:?}");
            let (whole, _) = pages(&source, &query, &Position::default()).await;
            for (done, page) in whole.iter().enumerate() {
                let from = Position { after: Some(page.last_key.clone()), rows: 0 };
                let (rest, error) = pages(&source, &query, &from).await;
                assert_eq!(error, None, "{declared} behind {}", page.last_key);
                let rest: Vec<_> = rest.iter().flat_map(|page| shown(&page.batch)).collect();
                assert_eq!(rest, all[done + 1..], "{declared} {fetch:?} behind {}", page.last_key);
            }
        }
        let extent = source.extent(&query(&table, &["k"], &["n"])).await.unwrap();
        assert_eq!(extent.rows, values.len() as u64);
        let (first, last) = extent.range.unwrap();
        let (whole, _) = pages(&source, &query(&table, &["k"], &["n"]), &Position::default()).await;
        assert_eq!((&first, &last), (&whole[0].first_key, &whole[0].last_key), "{declared}");
    }
}

#[tokio::test]
async fn values_of_keys_are_parameters_and_never_text() {
    let database = Database::here(Options::default());
    database.execute("CREATE TABLE t (id int NOT NULL, name varchar(20) NOT NULL)").await;
    database.execute("INSERT INTO t VALUES (1, 'it''s'), (2, 'x')").await;
    let mut query = query("t", &["name", "id"], &["id"]);
    (query.page_size, query.fetch) = (NonZeroU32::MIN, Fetch::Paged);
    assert_eq!(rows(&database.source(""), &query).await.len(), 2);
    let statements = database.server().statements();
    let paged = statements.iter().find(|sql| sql.contains("TOP (2)") && sql.contains("@P2")).unwrap();
    assert!(paged.starts_with("(@P1 nvarchar(4000), @P2 int) SELECT TOP (2) "), "{paged}");
    assert!(paged.contains("CAST(@P1 COLLATE SQL_Latin1_General_CP1_CI_AS AS varchar(8000))"), "{paged}");
    assert!(!statements.iter().any(|sql| sql.contains("ORDER BY") && sql.contains("it's")), "{statements:?}");
    // Of the column's own type: SQL Server finds a `datetime` of .003 greater than a `datetime2` of .003.
    database.execute("CREATE TABLE m (at datetime NOT NULL)").await;
    database.execute("INSERT INTO m VALUES ('2026-11-21T10:30:00.003'), ('2026-11-21T10:30:00.007')").await;
    let query = Query { page_size: NonZeroU32::MIN, fetch: Fetch::Paged, ..super::query("m", &["at"], &["at"]) };
    assert_eq!(rows(&database.source(""), &query).await.len(), 2);
    let statements = database.server().statements();
    assert!(statements.iter().any(|sql| sql.contains("t.[at] > CAST(@P1 AS datetime)")), "{statements:?}");
}

#[tokio::test]
async fn keys_that_the_collation_takes_for_one_are_found() {
    let database = Database::fresh().await;
    database.execute("CREATE TABLE t (id int NOT NULL, name varchar(20) COLLATE Latin1_General_CI_AS NOT NULL)").await;
    database.execute("INSERT INTO t VALUES (1, 'a'), (2, 'Key'), (3, 'kEY'), (4, 'z')").await;
    let source = database.source("");
    let (_, error) = pages(&source, &query("t", &["name"], &["id"]), &Position::default()).await;
    let Some(SourceError::Key { reason }) = &error else { panic!("{error:?}") };
    assert!(reason.contains("Key and kEY are one key") || reason.contains("kEY and Key are one key"), "{reason}");
    database.execute("CREATE TABLE e (id int NOT NULL, name varchar(20) NOT NULL)").await;
    database.execute("INSERT INTO e VALUES (1, ''), (2, ' ')").await;
    let (_, error) = pages(&source, &query("e", &["name"], &["id"]), &Position::default()).await;
    assert!(matches!(error, Some(SourceError::Key { .. })), "blanks at the end do not count: {error:?}");
    database.execute("CREATE TABLE b (id int NOT NULL, name varchar(20) COLLATE Latin1_General_BIN2 NOT NULL)").await;
    database.execute("INSERT INTO b VALUES (1, 'KEY'), (2, 'key')").await;
    assert_eq!(rows(&source, &query("b", &["name"], &["id"])).await.len(), 2, "a binary collation tells them apart");
}
