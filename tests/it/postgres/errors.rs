//! The server's errors by kind: each row of the table, raised by the real server, and the usual ones by their real cause.

use super::{query, read, source};
use crate::support::filegen::Filegen;
use crate::support::postgres::Database;
use filegen::adapters::faults::Sort;
use filegen::adapters::postgres::Postgres;
use filegen::adapters::postgres::sqlstates::TABLE;
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position, SourceError};

/// What a run says of a view whose function says this.
async fn raised(database: &Database, state: &str) -> SourceError {
    let raise = format!(
        "CREATE OR REPLACE FUNCTION say() RETURNS int LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'so it is'; END $$;
         CREATE OR REPLACE VIEW v AS SELECT 1 AS id, say() AS x"
    );
    database.run(&raise).await;
    read(&source(database), &query("v", &["id"], &["id", "x"]), &Position::default()).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn each_state_that_is_known_has_its_kind_and_its_advice() {
    let database = Database::create().await;
    for row in TABLE {
        for code in row.codes {
            // A class is tried by a state of it that no row names.
            let state = if code.len() == 2 { format!("{code}ZZZ") } else { (*code).to_owned() };
            let error = raised(&database, &state).await;
            let kind = match row.sort {
                Sort::Passing => FailureKind::Unreachable,
                Sort::Denied | Sort::Statement => FailureKind::Config,
                Sort::Failed => FailureKind::Refused,
            };
            let words = error.to_string();
            assert_eq!(error.kind(), kind, "{state}: {words}");
            assert!(words.contains(&format!("so it is (SQLSTATE {state})")) && words.ends_with(row.advice), "{words}");
        }
    }
    let unknown = raised(&database, "ZZ123").await;
    assert_eq!(unknown.kind(), FailureKind::Refused);
    assert!(unknown.to_string().ends_with("(SQLSTATE ZZ123); the server's log may say more"), "{unknown}");
}

#[tokio::test]
async fn the_usual_causes_say_what_to_mend() {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
             CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (2) RETURNING id';
             CREATE VIEW v_writes AS SELECT id, writes() AS x FROM t;
             CREATE VIEW v_divides AS SELECT id, id / (id - 1) AS x FROM t;
             CREATE MATERIALIZED VIEW v_empty AS SELECT id, id AS x FROM t WITH NO DATA;
             CREATE SCHEMA hidden; CREATE VIEW hidden.v AS SELECT id, id AS x FROM t;
             CREATE VIEW v_shut AS SELECT id, id AS x FROM t",
        )
        .await;
    let (config, refused) = (FailureKind::Config, FailureKind::Refused);
    for (view, kind, state, told) in [
        ("v_writes", config, "25006", "a run only reads"),
        ("v_divides", refused, "22012", "mend the row or the expression"),
        ("v_empty", config, "55000", "REFRESH the materialized view"),
    ] {
        let error = read(&source(&database), &query(view, &["id"], &["x"]), &Position::default()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{view}: {error}");
        let words = error.to_string();
        assert!(words.contains(&format!("(SQLSTATE {state})")) && words.contains(told), "{view}: {words}");
    }
    // A role that may log in, and nothing else.
    let role = format!("{}_reader", database.name());
    database.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'quiet-harbour-7'")).await;
    let stranger = Postgres::new(&Secret::new(as_role(&database, &role))).unwrap();
    for view in ["v_shut", "hidden.v"] {
        let error = read(&stranger, &query(view, &["id"], &["x"]), &Position::default()).await.unwrap_err();
        assert!(matches!(error, SourceError::Denied { .. }), "{view}: {error:?}");
        assert!(error.to_string().contains("; GRANT what is missing"), "{view}: {error}");
    }
    // The same by the commands, with the line of the worker file.
    let filegen = Filegen::empty();
    let source = format!("worker: W\nsource:\n  url: '{}'\n  view: v_shut\n  key: [id]\n", as_role(&database, &role));
    let files =
        "files: [{ id: A, name: 'a_{date}.txt', translator: { delimited: { delimiter: ',', columns: [id, x] } } }]\n";
    filegen.write("worker.yaml", &format!("{source}output: {{ root: out }}\n{files}"));
    let problem =
        filegen.run("config check -c worker.yaml --source --output json").exits(3).json()["problems"][0].take();
    assert_eq!((&problem["code"], &problem["line"]), (&"refused-source".into(), &2.into()), "{problem}");
    assert!(problem["message"].as_str().unwrap().contains("GRANT what is missing"), "{problem}");
    let doctor = filegen.run("doctor -c worker.yaml").exits(3).stdout;
    assert!(doctor.lines().any(|line| line.starts_with("fail") && line.contains("GRANT what is missing")), "{doctor}");
    database.run(&format!("ALTER ROLE {role} NOLOGIN")).await;
    let error = stranger.columns(&filegen::core::model::names::ViewName::parse("v").unwrap().into()).await.unwrap_err();
    assert!(matches!(error, SourceError::Denied { .. }) && error.to_string().contains("SQLSTATE 28000"), "{error:?}");
    database.run(&format!("DROP ROLE {role}")).await;
}

/// The database's address, for another role with a password.
fn as_role(database: &Database, role: &str) -> String {
    let url = database.url();
    let rest = url.split_once('@').map(|(_, rest)| rest.to_owned()).unwrap();
    format!("postgres://{role}:quiet-harbour-7@{rest}")
}
