//! Every type's values, at their extremes, beside the server's own text for them.

use super::{query, read, source};
use crate::support::postgres::Database;
use crate::support::source::shown;
use filegen::core::model::column::Kind;
use filegen::core::ports::source::{PageSource, Position, SourceError};

/// A type, its kind, some values, and SQL that writes column `c` as `shown` does.
struct Case {
    of: &'static str,
    kind: Kind,
    values: Vec<String>,
    text: String,
}

fn case(of: &'static str, kind: Kind, values: &[&str], text: &str) -> Case {
    let values = values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
    Case { of, kind, values, text: text.to_owned() }
}

/// Settings of a database that change how the server writes values, and must not change what is read.
const ODD_SETTINGS: &str = "DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German, DMY''', current_database());
    EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Kathmandu''', current_database());
    EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -5', current_database());
    EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
    EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database());
END $$";

fn numbers() -> Vec<Case> {
    let decimal = |precision, scale| Kind::Decimal { precision, scale };
    let nines = "9".repeat(38);
    let wide = format!("{}.{}", "9".repeat(28), "9".repeat(10));
    let tenth = format!("{}.9", "9".repeat(37));
    vec![
        case("smallint", Kind::Int, &["-32768", "0", "32767"], "c::text"),
        case("integer", Kind::Int, &["-2147483648", "2147483647"], "c::text"),
        case("bigint", Kind::Int, &["-9223372036854775808", "9007199254740993", "9223372036854775807"], "c::text"),
        case("numeric(38,0)", decimal(38, 0), &[&nines, &format!("-{nines}"), "0", "10000", "100000000"], "c::text"),
        case(
            "numeric(38,10)",
            decimal(38, 10),
            &[&wide, &format!("-{wide}"), "0.0000000001", "1", "-10000"],
            "c::text",
        ),
        case("numeric(38,1)", decimal(38, 1), &[&tenth, &format!("-{tenth}"), "0.1", "10000.0"], "c::text"),
        case("numeric(38,38)", decimal(38, 38), &[&format!("0.{nines}"), "1e-38"], "c::text"),
        case("numeric(15,2)", decimal(15, 2), &["1234567890123.45", "-0.01", "0.5"], "c::text"),
        case("numeric(5,5)", decimal(5, 5), &["0.00001", "-0.99999", "0.1"], "c::text"),
        case("numeric(3,-2)", Kind::Number, &["12345", "-99900"], "c::text"),
        case("numeric(60,20)", Kind::Number, &[&nines, "0.00000000000000000001"], "c::text"),
        case(
            "numeric",
            Kind::Number,
            &[
                &wide,
                "1e-30",
                "-1e-5",
                "1e60",
                "100.00",
                "-0.5",
                "10000",
                "0.00010",
                "0",
                "0.000",
                "123456789.000000001",
            ],
            "c::text",
        ),
        case("real", Kind::Float32, &["0.1", "-3.4028235e38", "1e-45", "16777216"], "c::text"),
        case(
            "double precision",
            Kind::Float64,
            &["0.1", "1.7976931348623157e308", "5e-324", "-0.30000000000000004", "9007199254740993"],
            "c::text",
        ),
        case("boolean", Kind::Bool, &["true", "false"], "c::text"),
        case("money", decimal(19, 2), &["1234.5", "-92233720368547758.08", "0"], "c::numeric::text"),
        case("oid", Kind::Int, &["0", "4294967295"], "c::text"),
        case("xid", Kind::Int, &["3"], "c::text"),
    ]
}

fn times() -> Vec<Case> {
    let mut cases = vec![
        case(
            "date",
            Kind::Date,
            &["0001-01-01", "1500-02-28", "1582-10-10", "2000-02-29", "9999-12-31"],
            "to_char(c, 'YYYY-MM-DD')",
        ),
        case(
            "time",
            Kind::Time { digits: 6 },
            &["00:00:00", "23:59:59.999999", "24:00:00"],
            "(extract(epoch from c) * 1000000000)::bigint::text",
        ),
        case(
            "time(3)",
            Kind::Time { digits: 3 },
            &["12:34:56.789"],
            "(extract(epoch from c) * 1000000000)::bigint::text",
        ),
    ];
    let types = ["(0)", "(1)", "(2)", "(3)", "(4)", "(5)", "(6)", ""];
    let plain = [
        "timestamp(0)",
        "timestamp(1)",
        "timestamp(2)",
        "timestamp(3)",
        "timestamp(4)",
        "timestamp(5)",
        "timestamp(6)",
        "timestamp",
    ];
    let zoned = [
        "timestamptz(0)",
        "timestamptz(1)",
        "timestamptz(2)",
        "timestamptz(3)",
        "timestamptz(4)",
        "timestamptz(5)",
        "timestamptz(6)",
        "timestamptz",
    ];
    for (index, digits) in [0, 1, 2, 3, 4, 5, 6, 6].into_iter().enumerate() {
        assert_eq!(plain[index], format!("timestamp{}", types[index]));
        let fraction = if digits == 0 { String::new() } else { format!(".FF{digits}") };
        let form = format!("'YYYY-MM-DD\"T\"HH24:MI:SS{fraction}");
        let values = [
            "0001-01-01 00:00:00",
            "1582-10-10 10:10:10.654321",
            "1969-12-31 23:59:59.999999",
            "9999-12-30 23:59:59.5",
        ];
        cases.push(case(
            plain[index],
            Kind::Timestamp { digits, utc: false },
            &values,
            &format!("to_char(c, {form}')"),
        ));
        let values = ["0001-01-02 00:00:00+00", "1582-10-10 10:10:10.654321-03", "2026-11-21 10:30:00.123456+05:45"];
        let text = format!("to_char(c AT TIME ZONE 'UTC', {form}\"Z\"')");
        cases.push(case(zoned[index], Kind::Timestamp { digits, utc: true }, &values, &text));
    }
    cases
}

/// SQL that writes a range of whole numbers as a file has it.
const RANGE: &str = "CASE WHEN isempty(c) THEN '{\"lower\":null,\"upper\":null,\"bounds\":\"empty\"}' ELSE '{\"lower\":' || \
    coalesce(lower(c)::text, 'null') || ',\"upper\":' || upper(c) || ',\"bounds\":\"' || left(c::text, 1) || right(c::text, 1) || '\"}' END";

fn texts() -> Vec<Case> {
    let mega = "x".repeat(1 << 20);
    vec![
        case("text", Kind::Text, &["", "O'Brien \\ \"quoted\"\r\n\t", "Żółć 漢字 🏦", &mega], "c"),
        case("varchar(20)", Kind::Text, &["", "trailing   "], "c"),
        case("char(6)", Kind::Text, &["ab", "", "abcdef"], "rpad(c::text, 6)"),
        case("name", Kind::Text, &["pg_class"], "c::text"),
        case(
            "uuid",
            Kind::Uuid,
            &["00000000-0000-0000-0000-000000000000", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"],
            "c::text",
        ),
        case("json", Kind::Json, &["{\"a\" : 1.10,  \"b\": null}", "null"], "c::text"),
        case("jsonb", Kind::Json, &["{\"b\": [1, 12345678901234567890.10], \"a\": \"é\"}"], "c::text"),
        Case {
            of: "bytea",
            kind: Kind::Bytes,
            values: vec!["decode('00ff1027', 'hex')".to_owned(), "''".to_owned()],
            text: "encode(c, 'hex')".to_owned(),
        },
        case("mood", Kind::Text, &["sad", "very happy"], "c::text"),
        case("pair", Kind::Json, &["(1,\"a \"\"b\")", "(,)"], "to_json(c)::text"),
        case("integer[]", Kind::Json, &["{1,NULL,3}", "{}", "{{1,2},{3,4}}", "[0:1]={5,6}"], "to_json(c)::text"),
        Case {
            of: "text[]",
            kind: Kind::Json,
            values: vec!["ARRAY['Warisan', 'a, \"b\" {' || chr(92) || '}', 'NULL', NULL, '']".to_owned()],
            text: "to_json(c)::text".to_owned(),
        },
        case("double precision[]", Kind::Json, &["{0.1,0.30000000000000004}"], "to_json(c)::text"),
        case("date[]", Kind::Json, &["{2026-11-21}"], "to_json(c)::text"),
        case("pair[]", Kind::Json, &["{\"(1,x)\",NULL}"], "to_json(c)::text"),
        case("amount[]", Kind::Json, &["{1.50,-0.05}"], "to_json(c)::text"),
        case("mood[]", Kind::Json, &["{sad,\"very happy\"}"], "to_json(c)::text"),
        case(
            "hstore",
            Kind::Json,
            &["a=>1, \"b c\"=>NULL", ""],
            "replace(replace(to_json(c)::text, ': ', ':'), ', ', ',')",
        ),
        case("interval", Kind::Text, &["1 year 2 mons 3 days 04:05:06.789", "-1 day"], "c::text"),
        case("inet", Kind::Text, &["10.0.0.1/8", "::1"], "c::text"),
        case("timetz", Kind::Text, &["10:30:00+05:45"], "c::text"),
        case("int4range", Kind::Json, &["[1,5)", "(,7)", "empty"], RANGE),
        case(
            "datemultirange",
            Kind::Json,
            &["{[2026-01-01,2026-02-01),[2026-03-01,)}"],
            "'[' || (SELECT string_agg(r, ',') \
            FROM (SELECT '{\"lower\":\"' || lower(u) || '\",\"upper\":' || \
            coalesce('\"' || upper(u) || '\"', 'null') || ',\"bounds\":\"[)\"}' AS r FROM unnest(c) u) l) || ']'",
        ),
        case("\"char\"", Kind::Text, &["x"], "c::text"),
        case("amount", Kind::Decimal { precision: 10, scale: 2 }, &["12345678.90"], "c::text"),
        case("label", Kind::Text, &["a domain over text"], "c::text"),
    ]
}

#[tokio::test]
async fn every_type_gives_what_the_server_writes_for_it() {
    let database = Database::create().await;
    database.run(ODD_SETTINGS).await;
    database
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'very happy'); CREATE TYPE pair AS (a int, b text);
             CREATE EXTENSION hstore; CREATE DOMAIN amount AS numeric(10, 2); CREATE DOMAIN label AS text",
        )
        .await;
    let (client, source) = (database.client().await, source(&database));
    client.batch_execute("SET DateStyle = 'ISO'; SET extra_float_digits = 3").await.unwrap();
    for (number, case) in [numbers(), times(), texts()].into_iter().flatten().enumerate() {
        let Case { of, kind, values, text } = case;
        let rows: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("({at}, {value})")).collect();
        let sql = format!(
            "SET standard_conforming_strings = on; SET DateStyle = 'ISO'; CREATE TABLE t{number} (k int, c {of});
             INSERT INTO t{number} VALUES {}, (1000, NULL); CREATE VIEW v{number} AS SELECT * FROM t{number}",
            rows.join(", ")
        );
        database.run(&sql).await;
        let expected = client.query(&format!("SELECT {text} FROM v{number} ORDER BY k"), &[]).await.unwrap();
        let expected: Vec<Option<String>> = expected.iter().map(|row| row.get(0)).collect();
        assert_eq!(expected.len(), values.len() + 1);

        let query = query(&format!("v{number}"), &["k"], &["c"]);
        let columns = source.columns(&query.view).await.unwrap();
        assert_eq!(columns[1].kind, kind, "{of}");
        let pages = read(&source, &query, &Position::default()).await.unwrap();
        let found: Vec<Option<String>> = shown(&pages[0].batch).into_iter().map(|mut row| row.remove(0)).collect();
        match kind {
            Kind::Float32 | Kind::Float64 => assert_eq!(bits(&found, kind), bits(&expected, kind), "{of}"),
            _ => assert!(found == expected, "{of}: {found:.300?} is not {expected:.300?}"),
        }
    }
}

fn bits(texts: &[Option<String>], kind: Kind) -> Vec<Option<u64>> {
    let of = |text: &String| match kind {
        Kind::Float32 => text.parse::<f32>().unwrap().to_bits().into(),
        _ => text.parse::<f64>().unwrap().to_bits(),
    };
    texts.iter().map(|text| text.as_ref().map(of)).collect()
}

#[tokio::test]
async fn what_cannot_be_carried_is_an_error_with_column_and_key() {
    let database = Database::create().await;
    let source = source(&database);
    for (number, (of, value, word)) in [
        ("date", "infinity", "infinity"),
        ("date", "0044-03-15 BC", "0044-03-15 BC"),
        ("date", "10000-01-01", "10000-01-01"),
        ("timestamp", "-infinity", "-infinity"),
        ("timestamptz", "0001-12-31 23:59:59+00 BC", " BC"),
        ("numeric", "NaN", "NaN"),
        ("numeric", "Infinity", "Infinity"),
        ("numeric(10,2)", "NaN", "NaN"),
    ]
    .into_iter()
    .enumerate()
    {
        let view = format!("v{number}");
        database.run(&format!("CREATE VIEW {view} AS SELECT 'row ' || 7 AS k, '{value}'::{of} AS \"The Date\"")).await;
        let error = read(&source, &query(&view, &["k"], &["The Date"]), &Position::default()).await.unwrap_err();
        let SourceError::Value { column, key, reason } = &error else { panic!("{of} {value}: {error:?}") };
        assert_eq!((column.as_str(), key.as_str()), ("The Date", "row 7"));
        assert!(reason.contains(word), "{reason}");
    }
}

#[tokio::test]
async fn a_type_whose_text_is_not_known_is_refused_by_its_column_before_the_first_row() {
    let database = Database::create().await;
    database
        .run(
            "CREATE TYPE told AS (a int, named regclass);
             CREATE VIEW v AS SELECT 1 AS k, 2 AS fine, 'pg_class'::regclass AS named, \
             ARRAY['pg_class'::regclass] AS list, ROW(1, 'pg_class')::told AS parts WHERE false",
        )
        .await;
    let source = source(&database);
    assert_eq!(read(&source, &query("v", &["k"], &["fine"]), &Position::default()).await.unwrap().len(), 0);
    for column in ["named", "list", "parts"] {
        let error = read(&source, &query("v", &["k"], &[column]), &Position::default()).await.unwrap_err();
        let SourceError::Refused { reason } = &error else { panic!("{column}: {error:?}") };
        assert!(reason.contains(&format!("column `{column}`")), "{reason}");
    }
    assert_eq!(source.columns(&query("v", &[], &[]).view).await.unwrap().len(), 5, "a view may hold them all the same");
}
