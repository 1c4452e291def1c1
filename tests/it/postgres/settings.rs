//! A file does not depend on the settings of the role, the database or the server that it is read through.

use super::{query, read, source};
use crate::support::postgres::Database;
use crate::support::source::shown;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::finding::CheckVerdict;
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position};
use std::fmt::Write as _;

/// Every setting that changes how a value is written, how a text is read, or what a statement means, each with another value.
const OTHERS: [(&str, &str); 17] = [
    ("extra_float_digits", "-5"),
    ("DateStyle", "German, DMY"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "Asia/Tokyo"),
    ("timezone_abbreviations", "Australia"),
    ("bytea_output", "escape"),
    ("xmlbinary", "hex"),
    ("xmloption", "document"),
    ("client_encoding", "LATIN1"),
    ("standard_conforming_strings", "off"),
    ("array_nulls", "off"),
    ("transform_null_equals", "on"),
    ("default_text_search_config", "pg_catalog.english"),
    ("gin_fuzzy_search_limit", "1"),
    ("synchronize_seqscans", "on"),
    ("row_security", "off"),
    ("default_transaction_isolation", "serializable"),
];

/// Values and texts that each of the settings would change.
const VIEW: &str = "
    CREATE TABLE t (id int PRIMARY KEY, i interval, r tstzrange, at timestamptz, d date, f float8, b bytea, word text);
    INSERT INTO t VALUES (1, '36:00', '[2026-01-01 00:00+00,)', '2026-11-21 23:30+00', '2026-02-01', 0.1 + 0.2::float8, '\\x00ff', 'é running'),
                         (2, '-1 day', 'empty', NULL, '2026-01-02', 1e300, '', NULL);
    CREATE VIEW v AS SELECT t.*, i::text AS it, at::text AS att, at::date AS local_day, d::text AS dt, f::text AS ft, b::text AS bt,
        xmlelement(name x, b)::text AS xb, xml '<a/>'::text AS xt, ('01/02/2026'::text)::date AS read_day,
        ('2026-01-01 12:00 EST'::text)::timestamptz AS read_time, ('{NULL}'::text)::text[] IS NOT DISTINCT FROM ARRAY[NULL] AS read_null,
        to_tsvector(word)::text AS words, current_setting('client_encoding') AS encoding,
        current_setting('transaction_isolation') AS isolation FROM t;";

/// A role of its own with these settings, and the source that it reads.
async fn role(database: &Database, name: &str, settings: &[(&str, &str)]) -> Postgres {
    let name = format!("{}_{name}", database.name());
    let mut sql =
        format!("CREATE ROLE {name} LOGIN PASSWORD 'pw'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name};");
    for (setting, value) in settings {
        write!(sql, "ALTER ROLE {name} SET {setting} = '{value}';").unwrap();
    }
    database.run(&sql).await;
    let url = database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    Postgres::new(&Secret::new(format!("{scheme}://{name}:pw@{host}"))).unwrap()
}

async fn forget(database: &Database, names: &[&str]) {
    for name in names {
        let name = format!("{}_{name}", database.name());
        database.run(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
    }
}

#[tokio::test]
async fn two_roles_with_other_settings_give_the_same_bytes() {
    let database = Database::create().await;
    database.run(VIEW).await;
    let (plain, other) = (role(&database, "plain", &[]).await, role(&database, "other", &OTHERS).await);
    let names: Vec<String> = source(&database)
        .columns(&query("v", &[], &[]).view)
        .await
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut query = query("v", &["id"], &names);
    // Each means something else under another setting: the order of a date's parts, a backslash, `= NULL`.
    query.predicates =
        ["d = '01/02/2026'", "word = '\\'", "word = NULL", "at < '2026-11-22 00:30'"].map(Into::into).into();
    let mut told = Vec::new();
    for source in [&plain, &other] {
        let pages = read(source, &query, &Position::default()).await.unwrap();
        let extent = source.extent(&query).await.unwrap();
        told.push((shown(&pages[0].batch), extent));
    }
    assert_eq!(told[0], told[1]);
    let (rows, extent) = &told[0];
    let first = |name: &str| rows[0][names.iter().position(|other| *other == name).unwrap()].as_deref();
    assert_eq!((first("it"), first("att")), (Some("36:00:00"), Some("2026-11-21 23:30:00+00")));
    assert_eq!(first("isolation"), Some("read committed"), "a hot standby refuses the role's own");
    assert_eq!((first("read_day"), first("encoding")), (Some("2026-01-02"), Some("UTF8")));
    assert_eq!(extent.matching, [1, 0, 0, 1]);
    forget(&database, &["plain", "other"]).await;
}

#[tokio::test]
async fn rows_that_policies_hide_are_told() {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE t (id int PRIMARY KEY, region text); INSERT INTO t VALUES (1, 'EU'), (2, 'US');
             CREATE VIEW inner_v AS SELECT * FROM t; CREATE VIEW v AS SELECT * FROM inner_v; CREATE TABLE open (id int PRIMARY KEY);
             CREATE POLICY eu ON t USING (region = 'EU')",
        )
        .await;
    let source = source(&database);
    let told = async |view: &str| {
        let findings = source.examine(&query(view, &["id"], &["id"])).await.unwrap();
        findings.into_iter().find(|finding| finding.check == "no rows are hidden")
    };
    assert_eq!(told("v").await, None, "policies count only where the table has them switched on");
    database.run("ALTER TABLE t ENABLE ROW LEVEL SECURITY").await;
    for view in ["v", "t"] {
        let finding = told(view).await.unwrap();
        assert!(finding.verdict == CheckVerdict::Warn && finding.detail.contains("public.t"), "{view}: {finding:?}");
    }
    assert_eq!(told("open").await, None);
}
