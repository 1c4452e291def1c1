//! Every type: its kind, its ends, and NULL.

use super::{query, rows};
use crate::support::sqlserver::Database;
use filegen::core::model::column::Kind;
use filegen::core::model::names::ViewName;
use filegen::core::ports::source::{PageSource, Position, SourceError};

const fn timestamp(digits: u8) -> Kind {
    Kind::Timestamp { digits, utc: false }
}

const fn decimal(precision: u8, scale: i8) -> Kind {
    Kind::Decimal { precision, scale }
}

/// Type, kind, and literals with the text that each must give.
type Case = (&'static str, Kind, &'static [(&'static str, &'static str)]);

const NUMBERS: &[Case] = &[
    ("bit", Kind::Bool, &[("0", "false"), ("1", "true")]),
    ("tinyint", Kind::Int, &[("0", "0"), ("255", "255")]),
    ("smallint", Kind::Int, &[("-32768", "-32768"), ("32767", "32767")]),
    ("int", Kind::Int, &[("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
    (
        "bigint",
        Kind::Int,
        &[("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")],
    ),
    (
        "decimal(38,0)",
        decimal(38, 0),
        &[
            ("'99999999999999999999999999999999999999'", "99999999999999999999999999999999999999"),
            ("'-99999999999999999999999999999999999999'", "-99999999999999999999999999999999999999"),
        ],
    ),
    (
        "decimal(38,38)",
        decimal(38, 38),
        &[
            ("'0.99999999999999999999999999999999999999'", "0.99999999999999999999999999999999999999"),
            ("'-0.00000000000000000000000000000000000001'", "-0.00000000000000000000000000000000000001"),
        ],
    ),
    ("decimal(28,10)", decimal(28, 10), &[("'123456789012345678.0123456789'", "123456789012345678.0123456789")]),
    ("numeric(19,4)", decimal(19, 4), &[("'922337203685477.5808'", "922337203685477.5808"), ("0", "0.0000")]),
    ("decimal(9,2)", decimal(9, 2), &[("'-1234567.89'", "-1234567.89"), ("'12.5'", "12.50")]),
    (
        "money",
        decimal(19, 4),
        &[("'922337203685477.5807'", "922337203685477.5807"), ("'-922337203685477.5808'", "-922337203685477.5808")],
    ),
    ("smallmoney", decimal(10, 4), &[("'214748.3647'", "214748.3647"), ("'-214748.3648'", "-214748.3648")]),
    ("real", Kind::Float32, &[("3.4028235e38", "3.4028235e38"), ("-0.1e0", "-0.1"), ("1.5e0", "1.5")]),
    (
        "float",
        Kind::Float64,
        &[
            ("1.7976931348623157e308", "1.7976931348623157e308"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("0.1e0", "0.1"),
        ],
    ),
];

const TIMES: &[Case] = &[
    (
        "date",
        Kind::Date,
        &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31"), ("'1582-10-10'", "1582-10-10")],
    ),
    ("time(0)", Kind::Time { digits: 0 }, &[("'23:59:59'", "86399000000000")]),
    ("time(3)", Kind::Time { digits: 3 }, &[("'10:30:00.123'", "37800123000000")]),
    ("time(7)", Kind::Time { digits: 7 }, &[("'23:59:59.9999999'", "86399999999900"), ("'00:00:00'", "0")]),
    (
        "datetime",
        timestamp(3),
        &[
            ("'1753-01-01T00:00:00'", "1753-01-01T00:00:00.000"),
            ("'9999-12-31T23:59:59.997'", "9999-12-31T23:59:59.997"),
            ("'2026-11-21T10:30:00.003'", "2026-11-21T10:30:00.003"),
        ],
    ),
    (
        "smalldatetime",
        timestamp(0),
        &[("'1900-01-01T00:00:00'", "1900-01-01T00:00:00"), ("'2079-06-06T23:59:00'", "2079-06-06T23:59:00")],
    ),
    ("datetime2(0)", timestamp(0), &[("'9999-12-31T23:59:59'", "9999-12-31T23:59:59")]),
    ("datetime2(3)", timestamp(3), &[("'0001-01-01T00:00:00.001'", "0001-01-01T00:00:00.001")]),
    ("datetime2(6)", timestamp(6), &[("'2026-11-21T10:30:00.123456'", "2026-11-21T10:30:00.123456")]),
    (
        "datetime2(7)",
        Kind::TimestampText,
        &[
            ("'9999-12-31T23:59:59.9999999'", "9999-12-31T23:59:59.9999999"),
            ("'0001-01-01T00:00:00.0000001'", "0001-01-01T00:00:00.0000001"),
        ],
    ),
    (
        "datetimeoffset(7)",
        Kind::TimestampText,
        &[
            ("'2026-11-21T00:30:00.1234567+01:00'", "2026-11-21T00:30:00.1234567+01:00"),
            ("'2026-11-21T23:30:00.0000001-14:00'", "2026-11-21T23:30:00.0000001-14:00"),
            ("'9999-12-31T23:59:59.9999999+00:00'", "9999-12-31T23:59:59.9999999+00:00"),
        ],
    ),
    ("datetimeoffset(0)", Kind::TimestampText, &[("'2026-11-21T10:30:00+05:45'", "2026-11-21T10:30:00+05:45")]),
];

const TEXTS: &[Case] = &[
    ("char(5)", Kind::Text, &[("'ab'", "ab   ")]),
    ("varchar(20)", Kind::Text, &[("N'€ü'", "€ü"), ("''", "")]),
    ("varchar(20) COLLATE Cyrillic_General_CI_AS", Kind::Text, &[("N'Привет'", "Привет")]),
    ("varchar(20) COLLATE Greek_CI_AS", Kind::Text, &[("N'Ωμέγα'", "Ωμέγα")]),
    ("varchar(20) COLLATE Japanese_CI_AS", Kind::Text, &[("N'日本語ｱ'", "日本語ｱ")]),
    ("varchar(40) COLLATE Latin1_General_100_CI_AS_SC_UTF8", Kind::Text, &[("N'日本 Привет 😀'", "日本 Привет 😀")]),
    ("varchar(max)", Kind::Text, &[("'x'", "x"), ("''", "")]),
    ("nchar(3)", Kind::Text, &[("N'日'", "日  ")]),
    ("nvarchar(20)", Kind::Text, &[("N'😀 ok'", "😀 ok"), ("N''", "")]),
    ("nvarchar(max)", Kind::Text, &[("N'ß'", "ß"), ("N''", "")]),
    ("text", Kind::Text, &[("'old'", "old")]),
    ("ntext", Kind::Text, &[("N'old ß'", "old ß")]),
    ("xml", Kind::Text, &[("N'<a b=\"1\">ü</a>'", "<a b=\"1\">ü</a>")]),
    ("binary(4)", Kind::Bytes, &[("0x01ff", "01ff0000")]),
    ("varbinary(8)", Kind::Bytes, &[("0x00ff", "00ff"), ("0x", "")]),
    ("varbinary(max)", Kind::Bytes, &[("0x00", "00"), ("0x", "")]),
    ("image", Kind::Bytes, &[("0x0102", "0102")]),
    (
        "uniqueidentifier",
        Kind::Uuid,
        &[("'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff")],
    ),
];

/// One table with a row for each literal, one with NULLs, and the columns both nullable and, without that row, not.
async fn check(cases: &[Case]) {
    let database = Database::fresh().await;
    for (at, (declared, kind, values)) in cases.iter().enumerate() {
        for null in ["NULL", "NOT NULL"] {
            let table = format!("t{at}_{}", null.len());
            database.execute(&format!("CREATE TABLE {table} (id int NOT NULL, v {declared} {null})")).await;
            let mut rows_in: Vec<String> =
                values.iter().enumerate().map(|(id, (literal, _))| format!("({id}, {literal})")).collect();
            let mut expected: Vec<Option<String>> = values.iter().map(|(_, text)| Some((*text).to_owned())).collect();
            if null == "NULL" {
                rows_in.push(format!("({}, NULL)", values.len()));
                expected.push(None);
            }
            database.execute(&format!("INSERT INTO {table} VALUES {}", rows_in.join(", "))).await;
            let view = format!("v_{table}");
            database.execute(&format!("CREATE VIEW {view} AS SELECT id, v FROM {table}")).await;
            let source = database.source("");
            let columns = source.columns(&ViewName::parse(&view).unwrap().into()).await.unwrap();
            assert_eq!(columns[1].kind, *kind, "{declared} {null}");
            let read = rows(&source, &query(&view, &["id"], &["v"])).await;
            let read: Vec<Option<String>> = read.into_iter().map(|mut row| row.remove(0)).collect();
            assert_eq!(read, expected, "{declared} {null}");
        }
    }
}

#[tokio::test]
async fn numbers_come_digit_for_digit() {
    check(NUMBERS).await;
}

#[tokio::test]
async fn dates_and_times_keep_every_digit_and_their_offset() {
    check(TIMES).await;
}

#[tokio::test]
async fn texts_come_as_stored_whatever_the_code_page() {
    check(TEXTS).await;
}

#[tokio::test]
async fn a_long_text_comes_whole() {
    let database = Database::fresh().await;
    database.execute("CREATE TABLE t (id int NOT NULL, v nvarchar(max), b varbinary(max))").await;
    let long = "äöü😀".repeat(250_000);
    let hex = "00ff".repeat(200_000);
    database.execute(&format!("INSERT INTO t VALUES (1, N'{long}', 0x{hex})")).await;
    let read = rows(&database.source(""), &query("t", &["id"], &["v", "b"])).await;
    assert!(read == [[Some(long), Some(hex)]], "a megabyte is not cut");
}

#[tokio::test]
async fn a_type_without_one_text_is_refused_by_name() {
    let database = Database::fresh().await;
    database.execute("CREATE TABLE t (id int NOT NULL, anything sql_variant)").await;
    let source = database.source("");
    assert!(rows(&source, &query("t", &["id"], &["id"])).await.is_empty(), "nobody asks for that column");
    let error = source.open(&query("t", &["id"], &["anything"]), &Position::default(), None).await.err().unwrap();
    let SourceError::Refused { reason } = &error else { panic!("{error:?}") };
    assert!(reason.contains("`anything`") && reason.contains("sql_variant") && reason.contains("CAST"), "{reason}");
}
