//! What is refused and how it is said; names, predicates and TLS.

use super::{query, read, source};
use crate::support::postgres::Database;
use crate::support::source::shown;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::secret::Secret;
use filegen::core::model::sql::Sql;
use filegen::core::ports::source::{PageSource, Position, SourceError};

async fn loans() -> Database {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE t (\"LoanId\" bigint, amount numeric(15, 2), rate double precision, day timestamptz);
             INSERT INTO t VALUES (1, 10.50, 0.1, now()), (2, NULL, 0.2, now()), (3, -0.01, 0.3, now());
             CREATE VIEW v_loandata AS SELECT * FROM t",
        )
        .await;
    database
}

async fn refusal(source: &Postgres, view: &str, key: &str, column: &str, predicate: Option<&str>) -> String {
    let mut query = query(view, &[key], &[column]);
    query.predicates.extend(predicate.map(Sql::from));
    let opened = source.open(&query, &Position::default(), None).await.err();
    let counted = source.extent(&query).await.err();
    if predicate.is_none() && column == "LoanId" {
        assert_eq!(opened, counted);
    }
    match opened {
        Some(SourceError::Refused { reason }) => reason,
        other => panic!("{view} {key} {column} {predicate:?}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_the_nearest_name() {
    let database = loans().await;
    let source = source(&database);
    let said = refusal(&source, "v_LoanData", "LoanId", "LoanId", None).await;
    assert!(said.contains("no view or table `v_LoanData` (did you mean `v_loandata`?)"), "{said}");
    let said = refusal(&source, "Public.v_loandata", "LoanId", "LoanId", None).await;
    assert!(said.contains("did you mean `public.v_loandata`?"), "{said}");
    let said = refusal(&source, "v_loandata", "LoanId", "amuont", None).await;
    assert!(said.contains("no column `amuont` (did you mean `amount`?)"), "{said}");
    let said = refusal(&source, "v_loandata", "loanid", "LoanId", None).await;
    assert!(said.contains("no column `loanid` (did you mean `LoanId`?)"), "{said}");
    let said = refusal(&source, "elsewhere.public.v_loandata", "LoanId", "LoanId", None).await;
    assert!(said.contains("cross-database"), "{said}");
}

#[tokio::test]
async fn a_bad_predicate_is_refused_with_the_servers_words_and_the_place() {
    let database = loans().await;
    let source = source(&database);
    for (predicate, words, place) in [
        ("amount > 1 AND nosuch = 2", "column \"nosuch\" does not exist (SQLSTATE 42703)", "character 16"),
        ("amount >", "syntax error", "character 9"),
        ("rate = 'abc'", "invalid input syntax", "character 8"),
        ("day = ANY (1)", "SQLSTATE 42809", "character 5"),
    ] {
        let said = refusal(&source, "v_loandata", "LoanId", "amount", Some(predicate)).await;
        assert!(said.contains(&format!("`{predicate}`")) && said.contains(words) && said.contains(place), "{said}");
    }
    refusal(&source, "v_loandata", "LoanId", "amount", Some("true) THEN 1 END FROM t; DROP TABLE t; --")).await;
    database.run("SELECT * FROM t").await;
}

#[tokio::test]
async fn nothing_is_written_whatever_a_predicate_calls() {
    let database = loans().await;
    database
        .run("CREATE FUNCTION gone() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN true; END'")
        .await;
    let mut query = query("v_loandata", &["LoanId"], &["amount"]);
    query.predicates.push("gone()".into());
    let error = read(&source(&database), &query, &Position::default()).await.unwrap_err();
    assert!(error.to_string().contains("read-only transaction"), "{error}");
}

#[tokio::test]
async fn names_with_blanks_dots_quotes_and_letters_of_all_kinds_are_taken_as_they_are() {
    let database = Database::create().await;
    database
        .run(
            "CREATE SCHEMA \"Schema \"\"x\"\".y\"; CREATE VIEW \"Schema \"\"x\"\".y\".\"Ansicht [ä] .z\" AS
             SELECT 1 AS \"Schlüssel 鍵\", 'ß'::text AS \"a.\"\"b'\", 2 AS \"select\"",
        )
        .await;
    let source = source(&database);
    let query = query("[Schema \"x\".y].[Ansicht [ä]] .z]", &["Schlüssel 鍵"], &["a.\"b'", "select"]);
    let names: Vec<String> = source.columns(&query.view).await.unwrap().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["Schlüssel 鍵", "a.\"b'", "select"]);
    let range = source.extent(&query).await.unwrap().range.unwrap();
    assert_eq!(range.0.to_string(), "1");
    let pages = read(&source, &query, &Position::default()).await.unwrap();
    assert_eq!(shown(&pages[0].batch), [[Some("ß".to_owned()), Some("2".to_owned())]]);
}

#[tokio::test]
async fn tls_checks_as_much_of_the_server_as_sslmode_says() {
    let database = loans().await;
    let Some(folder) = Database::folder() else { return };
    let view = ViewName::parse("v_loandata").unwrap().into();
    let try_out = async |host: &str, parameters: &str| {
        let source = Postgres::new(&Secret::new(format!("{}?{parameters}", database.url_at(host)))).unwrap();
        source.columns(&view).await
    };
    let roots = format!("sslrootcert={}/ca.pem", folder.display());
    let socket = folder.to_string_lossy();
    for (host, parameters) in [
        ("127.0.0.1", "sslmode=disable".to_owned()),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-ca&{roots}")),
        ("127.0.0.1", format!("sslmode=require&{roots}")),
        ("localhost", format!("sslmode=verify-full&{roots}")),
        (&socket, "sslmode=prefer".to_owned()),
    ] {
        let result = try_out(host, &parameters).await;
        assert!(result.is_ok(), "{host} {parameters}: {result:?}");
    }
    for (host, parameters, words) in [
        ("127.0.0.1", format!("sslmode=verify-full&{roots}"), "certificate"),
        ("localhost", "sslmode=verify-full".to_owned(), ""),
        ("localhost", "sslmode=verify-full&sslrootcert=/no/such/file".to_owned(), "/no/such/file"),
    ] {
        let error = try_out(host, &parameters).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains(words), "{host} {parameters}: {error}");
    }
}

#[tokio::test]
async fn the_connection_is_encrypted_where_the_server_can() {
    let database = loans().await;
    if Database::folder().is_none() {
        return;
    }
    database.run("CREATE VIEW secure AS SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await;
    let pages = read(&source(&database), &query("secure", &["ssl"], &["ssl"]), &Position::default()).await.unwrap();
    assert_eq!(shown(&pages[0].batch), [[Some("true".to_owned())]]);
}

#[tokio::test]
async fn a_password_goes_in_clear_only_where_the_address_allows_it() {
    let database = loans().await;
    let Some(folder) = Database::folder() else { return };
    database.run("CREATE ROLE clear_user LOGIN PASSWORD 'cl3ar'; GRANT SELECT ON v_loandata TO clear_user").await;
    let rules = folder.join("data/pg_hba.conf");
    let before = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("host all clear_user 127.0.0.1/32 password\n{before}")).unwrap();
    database.run("SELECT pg_reload_conf()").await;
    let try_out = async |settings: &str| {
        let url = format!("postgres://clear_user:cl3ar@127.0.0.1:{}/{}?{settings}", database.port(), database.name());
        let columns =
            Postgres::new(&Secret::new(url)).unwrap().columns(&ViewName::parse("v_loandata").unwrap().into()).await;
        columns.map(|columns| columns.len())
    };
    // The server takes the new rules in a moment.
    let mut clear = try_out("sslmode=disable").await;
    while clear.is_ok() {
        clear = try_out("sslmode=disable").await;
    }
    let error = clear.unwrap_err();
    assert!(
        matches!(error, SourceError::Denied { .. }) && error.to_string().contains("require_auth=password"),
        "{error}"
    );
    assert!(!error.to_string().contains("cl3ar"), "{error}");
    for settings in
        ["sslmode=disable&require_auth=password", "sslmode=require", "sslmode=require&require_auth=password"]
    {
        assert_eq!(try_out(settings).await, Ok(4), "{settings}");
    }
    for settings in ["sslmode=require&require_auth=scram-sha-256", "sslmode=require&require_auth=!password"] {
        let error = try_out(settings).await.unwrap_err();
        assert!(error.to_string().contains("require_auth"), "{settings}: {error}");
    }
}
