//! What is SQLite's own: declared types, stored values, collations, files.

use super::connect::TABLE;
use super::*;
use crate::adapters::faults::{Sort, find};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::finding::CheckVerdict;
use crate::core::model::key::KeyValue;
use crate::core::model::names::ViewName;
use crate::core::model::page::Page;
use crate::core::model::query::{Fetch, Isolation};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use rusqlite::{Connection, ffi};
use std::num::NonZeroU32;
use tempfile::TempDir;

mod decimals;

/// A database made by some SQL, with a view `v`.
fn database(sql: &str) -> (TempDir, SqliteSource) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, SqliteSource::new(path))
}

fn view() -> Relation {
    ViewName::parse("v").unwrap().into()
}

fn query(key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: view(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(2).unwrap(),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

async fn read(source: &SqliteSource, query: &Query) -> Result<(Vec<Page>, Vec<Column>), SourceError> {
    let mut stream = source.open(query, &Position::default(), None).await?;
    let mut pages = Vec::new();
    while let Some(page) = stream.next().await? {
        pages.push(page);
    }
    Ok((pages, stream.columns().unwrap()))
}

/// The first column as text, and its kind.
async fn texts(source: &SqliteSource, query: &Query) -> Result<(Vec<Option<String>>, Kind), SourceError> {
    let (pages, columns) = read(source, query).await?;
    let mut texts = Vec::new();
    for page in &pages {
        let array = page.batch.column(0).as_string::<i32>();
        texts.extend((0..array.len()).map(|row| array.is_valid(row).then(|| array.value(row).to_owned())));
    }
    Ok((texts, columns[0].kind))
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[tokio::test]
async fn an_expression_takes_whatever_numbers_come_later() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, rate REAL);
         INSERT INTO t VALUES (1, NULL), (2, NULL), (3, 2.5), (4, 1e-7), (5, 3e21);
         CREATE VIEW v AS SELECT id, coalesce(rate, 0) AS rate, rate * 2 AS twice FROM t;",
    );
    let (rates, kind) = texts(&source, &query(&["id"], &["rate"])).await.unwrap();
    assert_eq!(kind, Kind::Number);
    assert_eq!(rates, some(&["0", "0", "2.5", "0.0000001", "3000000000000000000000"]));
    let (twice, kind) = texts(&source, &query(&["id"], &["twice"])).await.unwrap();
    assert_eq!((twice[2].as_deref(), kind), (Some("5.0"), Kind::Text), "nothing but NULL at first is text");
}

#[tokio::test]
async fn a_resumed_read_keeps_the_kinds_that_the_first_one_found() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a REAL);
         INSERT INTO t VALUES (1, NULL), (2, NULL), (3, 1.5), (4, 2.0);
         CREATE VIEW v AS SELECT id, a + 0 AS x FROM t;",
    );
    let mut query = query(&["id"], &["x"]);
    let (_, columns) = read(&source, &query).await.unwrap();
    assert_eq!(columns[0].kind, Kind::Text);
    query.kinds = Some(columns.clone());
    let from = Position { after: Some(Key(vec![KeyValue::Int(2)])), rows: 2 };
    let mut stream = source.open(&query, &from, None).await.unwrap();
    let page = stream.next().await.unwrap().unwrap();
    assert_eq!(page.batch.column(0).as_string::<i32>().value(0), "1.5");
    assert_eq!(stream.columns(), Some(columns));
    query.kinds = Some(vec![Column { name: "x".to_owned(), kind: Kind::Float64 }]);
    let (pages, _) = read(&source, &query).await.unwrap();
    assert!((pages[1].batch.column(0).as_primitive::<Float64Type>().value(0) - 1.5).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_with_its_row_and_what_to_do() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, d DECIMAL(6,2), b BOOLEAN, day DATE, at DATETIME, u UUID, j JSON,
                         x BLOB, y TEXT);
         INSERT INTO t VALUES (1, 1, 1.5, 1, '2026-11-21', '2026-11-21 10:00', NULL, '{}', x'00', 'ok');
         INSERT INTO t VALUES (7, '', 1.005, 2, '2026-02-30', 1700000000, 'zz', '{', 'text', x'ff');
         CREATE VIEW v AS SELECT *, CASE id WHEN 1 THEN 5 ELSE 'five' END AS mixed, CAST(x'ff' AS TEXT) AS bad FROM t;",
    );
    for (column, part) in [
        ("n", "NULLIF(\"n\", '')"),
        ("d", "decimal(6,2)"),
        ("b", "boolean"),
        ("day", "YYYY-MM-DD"),
        ("at", "datetime(…, 'unixepoch')"),
        ("u", "uuid"),
        ("j", "JSON text"),
        ("x", "text"),
        ("y", "bytes"),
    ] {
        let outcome = read(&source, &query(&["id"], &[column])).await.map(drop);
        let Err(SourceError::Value { column: named, key, reason }) = outcome else { panic!("{column}: {outcome:?}") };
        assert!(named == column && key == "7" && reason.contains(part), "{column}: {key}: {reason}");
    }
    let one = Query { page_size: NonZeroU32::MIN, ..query(&["id"], &["mixed"]) };
    let outcome = read(&source, &one).await.map(drop);
    let Err(SourceError::Value { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("'five'") && reason.contains("CAST"), "{reason}");
    let outcome = read(&source, &query(&["id"], &["bad"])).await.map(drop);
    let Err(SourceError::Value { key, reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(key == "1" && reason.contains("UTF-8"), "{reason}");
}

#[tokio::test]
async fn timestamps_are_written_one_way() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP(3));
         INSERT INTO t VALUES (1, '2026-11-21'), (2, '2026-11-21 10:30'), (3, '2026-11-21T10:30:05.5Z'),
                              (4, '0001-01-01 00:00:00.123456 +01:00');
         CREATE VIEW v AS SELECT * FROM t;",
    );
    let (ats, kind) = texts(&source, &query(&["id"], &["at"])).await.unwrap();
    let expected = [
        "2026-11-21T00:00:00.000",
        "2026-11-21T10:30:00.000",
        "2026-11-21T10:30:05.500Z",
        "0001-01-01T00:00:00.123456+01:00",
    ];
    assert_eq!((ats, kind), (some(&expected), Kind::TimestampText));
}

#[tokio::test]
async fn keys_that_are_one_for_the_database_are_one_here() {
    for (collation, values, one) in [
        ("NOCASE", "('b'), ('a'), ('A')", true),
        ("RTRIM", "('b'), ('a'), ('a ')", true),
        ("BINARY", "('b'), ('a'), ('A'), ('a '), ('A '), ('B'), ('b ')", false),
        ("NOCASE", "('b'), ('a'), ('a '), ('b ')", false),
        ("RTRIM", "('b'), ('a'), ('A'), ('B')", false),
    ] {
        let (_folder, source) = database(&format!(
            "CREATE TABLE t (k TEXT COLLATE {collation}); INSERT INTO t VALUES {values}; CREATE VIEW v AS SELECT k FROM t;"
        ));
        for (fetch, size) in [(Fetch::Stream, 1), (Fetch::Stream, 9), (Fetch::Paged, 1), (Fetch::Paged, 9)] {
            let query = Query { fetch, page_size: NonZeroU32::new(size).unwrap(), ..query(&["k"], &["k"]) };
            let outcome = texts(&source, &query).await;
            let what = format!("{collation} {values} {fetch:?} {size}: {outcome:?}");
            match outcome {
                Err(SourceError::Key { reason }) => assert!(one && reason.contains("collation"), "{what}"),
                Ok((texts, _)) => assert!(!one && texts.len() == values.split(',').count(), "{what}"),
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn numbers_and_bytes_may_be_keys() {
    let (_folder, source) = database(
        "CREATE TABLE t (k); INSERT INTO t VALUES (1), (1.5), (-9e300), ('x'), (x'00ff'), (x''); CREATE VIEW v AS SELECT k FROM t;",
    );
    let query = Query { page_size: NonZeroU32::MIN, ..query(&["k"], &[]) };
    let (pages, _) = read(&source, &query).await.unwrap();
    let keys: Vec<String> = pages.iter().map(|page| page.last_key.to_string()).collect();
    assert_eq!(keys, ["-9e300", "1", "1.5", "x", "0x", "0x00ff"]);
    for (at, page) in pages.iter().enumerate() {
        let from = Position { after: Some(page.last_key.clone()), rows: 0 };
        let mut stream = source.open(&query, &from, None).await.unwrap();
        let next = stream.next().await.unwrap().map(|page| page.last_key.to_string());
        assert_eq!(next.as_ref(), keys.get(at + 1));
    }
    let (_folder, source) =
        database("CREATE TABLE t (k); INSERT INTO t VALUES (2), (2.0); CREATE VIEW v AS SELECT k FROM t;");
    assert!(matches!(read(&source, &query).await, Err(SourceError::Key { .. })), "2 and 2.0 are one key");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said() {
    let (folder, _source) = database("");
    let reason = async |path: &Path| match SqliteSource::new(path).columns(&view()).await {
        Err(
            SourceError::Failed { source_name, reason }
            | SourceError::Denied { source_name, reason }
            | SourceError::Absent { source_name, reason },
        ) => {
            format!("{source_name}: {reason}")
        }
        other => panic!("{other:?}"),
    };
    let missing = folder.path().join("missing.db");
    let said = reason(&missing).await;
    assert!(said.contains("missing.db") && said.contains("url"), "{said}");
    assert!(!missing.exists(), "nothing is made");
    assert!(reason(folder.path()).await.contains("folder"));
    let other = folder.path().join("other.db");
    std::fs::write(&other, "a text file that is longer than a header of SQLite\n".repeat(40)).unwrap();
    assert!(reason(&other).await.contains("no SQLite database"));
}

#[test]
fn each_error_that_is_known_has_its_kind_and_its_advice() {
    let numbers = [
        ffi::SQLITE_BUSY,
        ffi::SQLITE_LOCKED,
        ffi::SQLITE_PROTOCOL,
        ffi::SQLITE_IOERR_READ,
        ffi::SQLITE_SCHEMA,
        ffi::SQLITE_NOTADB,
        ffi::SQLITE_PERM,
        ffi::SQLITE_CANTOPEN_ISDIR,
        ffi::SQLITE_READONLY_RECOVERY,
        ffi::SQLITE_ERROR,
        ffi::SQLITE_TOOBIG,
        ffi::SQLITE_MISMATCH,
        ffi::SQLITE_FULL,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_CORRUPT_INDEX,
    ];
    crate::adapters::faults::check(TABLE);
    let place = DatabasePath::new(Path::new("x.db"));
    let mut tried = Vec::new();
    for number in numbers {
        let said = rusqlite::Error::SqliteFailure(ffi::Error::new(number), Some("so it is".to_owned()));
        let code = said.sqlite_error_code().unwrap();
        let row = find(TABLE, &code).unwrap_or_else(|| panic!("{code:?}"));
        let kind = match row.sort {
            Sort::Passing => FailureKind::Unreachable,
            Sort::Denied | Sort::Statement => FailureKind::Config,
            Sort::Failed => FailureKind::Refused,
        };
        let told = place.fault(&said);
        assert_eq!(told.kind(), kind, "{code:?}: {told}");
        assert!(told.to_string().ends_with(&format!("so it is; {}", row.advice)), "{told}");
        tried.push(code);
    }
    assert!(TABLE.iter().flat_map(|row| row.codes).all(|code| tried.contains(code)), "each row is tried");
    let abort = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), None);
    assert!(place.fault(&abort).to_string().contains("integrity_check"), "what no row has");
}

#[tokio::test]
async fn a_damaged_file_and_an_expression_that_fails_are_told_by_the_real_reader() {
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO t SELECT i, 'some text to fill a page ' || i FROM n;";
    let view = "CREATE VIEW v AS SELECT id, pad, CASE WHEN id = 1500 THEN abs(-9223372036854775808) END AS x FROM t;";
    let (folder, source) = database(&format!("CREATE TABLE t (id INTEGER PRIMARY KEY, pad TEXT); {rows} {view}"));
    let Err(error) = read(&source, &query(&["id"], &["x"])).await else { panic!("no such number") };
    assert!(matches!(&error, SourceError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("integer overflow; an expression of the view"), "{error}");

    let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let Err(error) = read(&source, &query(&["id"], &["pad"])).await else { panic!("half of it is gone") };
    assert!(error.to_string().contains("the file is damaged"), "{error}");
}

#[tokio::test]
async fn doctor_hears_whether_an_index_gives_the_order() {
    let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE VIEW v AS SELECT * FROM t;";
    let (_folder, source) = database(sql);
    let verdict = async |key: &str| {
        let findings = source.examine(&query(&[key], &["id"])).await.unwrap();
        findings.into_iter().find(|finding| finding.check.contains("index")).unwrap().verdict
    };
    assert_eq!(verdict("id").await, CheckVerdict::Pass);
    assert_eq!(verdict("k").await, CheckVerdict::Warn);
}

#[tokio::test]
async fn doctor_hears_of_a_key_of_several_types() {
    let sql = "CREATE TABLE a (k INTEGER); CREATE TABLE b (k TEXT); INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES ('3'), ('4');
               CREATE VIEW v AS SELECT k FROM a UNION ALL SELECT k FROM b; CREATE VIEW w AS SELECT CAST(k AS TEXT) AS k FROM v;";
    let (_folder, source) = database(sql);
    let told = async |view: &str| {
        let query = Query { view: ViewName::parse(view).unwrap().into(), ..query(&["k"], &["k"]) };
        let findings = source.examine(&query).await.unwrap();
        findings.into_iter().find(|finding| finding.check == "key has one type").map(|finding| finding.detail)
    };
    let detail = told("v").await.unwrap();
    assert!(detail.contains("(number, text)") && detail.contains("CAST(k AS TEXT)"), "{detail}");
    assert_eq!(told("w").await, None);
}

#[tokio::test]
async fn nothing_can_be_written_through_a_source() {
    let (_folder, source) = database("CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t;");
    let outcome = worker::run(&source.place, |db| {
        let error = db.connection.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
        Err::<(), _>(db.fault(&error))
    });
    assert!(matches!(outcome.await, Err(SourceError::Denied { .. })));
}

#[test]
fn declared_types_mean_what_people_mean() {
    let decimal = |precision, scale| Some(Kind::Decimal { precision, scale });
    for (declared, kind) in [
        ("INTEGER", Some(Kind::Int)),
        ("unsigned big int", Some(Kind::Int)),
        ("Decimal(10, 2)", decimal(10, 2)),
        ("NUMERIC(38)", decimal(38, 0)),
        ("NUMERIC(15,2)", decimal(15, 2)),
        ("NUMERIC(16,2)", Some(Kind::DecimalText { precision: 16, scale: 2 })),
        ("DECIMAL TEXT(38,10)", decimal(38, 10)),
        ("NUMERIC", Some(Kind::Number)),
        ("DECIMAL(39,2)", Some(Kind::Number)),
        ("DECIMAL(4,5)", Some(Kind::Number)),
        ("money", Some(Kind::Number)),
        ("BOOL", Some(Kind::Bool)),
        ("DOUBLE PRECISION", Some(Kind::Float64)),
        ("VARCHAR(20)", Some(Kind::Text)),
        ("CLOB", Some(Kind::Text)),
        ("BLOB", Some(Kind::Bytes)),
        ("DATE", Some(Kind::Date)),
        ("DATETIME", Some(Kind::TimestampText)),
        ("TIMESTAMP(3)", Some(Kind::TimestampText)),
        ("TIME", Some(Kind::Text)),
        ("TIME(6)", Some(Kind::Time { digits: 6 })),
        ("uuid", Some(Kind::Uuid)),
        ("UNIQUEIDENTIFIER", Some(Kind::Uuid)),
        ("JSON", Some(Kind::Json)),
        ("INTERVAL", None),
        ("", None),
        ("whatever", None),
    ] {
        assert_eq!(declared::kind(declared), kind, "{declared}");
    }
}

#[test]
fn days_are_those_of_the_calendar() {
    for text in
        ["0000-01-01", "0001-01-01", "1582-10-10", "1900-02-28", "1969-12-31", "2000-02-29", "2026-11-21", "9999-12-31"]
    {
        let since = text.parse::<jiff::civil::Date>().unwrap() - jiff::civil::date(1970, 1, 1);
        assert_eq!(convert::days(text.as_bytes()), Some(since.get_days()), "{text}");
    }
    assert_eq!(convert::days(b"1970-01-02 00:00:00.000"), Some(1));
    for bad in [
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "21.11.2026",
        "2026-11-21 10:00",
        "2026-11-21x",
        "",
        "20261121",
    ] {
        assert_eq!(convert::days(bad.as_bytes()), None, "{bad}");
    }
}

#[tokio::test]
async fn a_file_put_in_the_place_of_the_counted_one_is_counted_anew() {
    let (folder, source) =
        database("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT * FROM t");
    let query = query(&["id"], &["id"]);
    assert_eq!(source.extent(&query).await.unwrap().rows, 1);
    let (other, _) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE VIEW v AS SELECT * FROM t",
    );
    std::fs::rename(other.path().join("views.db"), folder.path().join("views.db")).unwrap();
    assert_eq!(source.extent_after(&query, None).await.unwrap().extent.rows, 2);
}
