//! The runbook's commands with production's source and state store: SQL Server, by its connection string from the
//! environment, and MongoDB.

use crate::support::filegen::{Done, Filegen};
use crate::support::mongo;
use crate::support::sqlserver::Database;
use serde_json::Value;

/// A view of 95 loans, of which row 63 cannot be written.
async fn loans() -> Database {
    let database = Database::fresh().await;
    let table =
        "CREATE TABLE loans (LoanId bigint NOT NULL PRIMARY KEY, Customer nvarchar(40), Amount decimal(10,2) NOT NULL)";
    database.execute(table).await;
    let rows: Vec<String> = (1..=95).map(|id| format!("({id}, N'customer {id}', {id}.25)")).collect();
    database.execute(&format!("INSERT INTO loans (LoanId, Customer, Amount) VALUES {}", rows.join(", "))).await;
    database.execute("UPDATE loans SET Customer = N'a|b' WHERE LoanId = 63").await;
    database.execute("CREATE VIEW v_Loans AS SELECT LoanId, Customer, Amount FROM loans").await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_resumed_from_a_page_and_verified_byte_for_byte() {
    let (source, state) = (loans().await, mongo::Database::new());
    let filegen = Filegen::with_loans(0);
    filegen.edit("  url: sqlite:loans.db\n", "");
    let run = |args: &str| -> Done {
        let mut command = filegen.command(args);
        command.env("SQL_CONNECTION_STRING", source.ado()).env("MONGO_CONNECTION_STRING", state.url());
        Filegen::finish(&mut command)
    };
    let done = run("run -c worker.yaml --date 2026-11-21").exits(7);
    assert!(done.stderr.contains("63"), "{}", done.stderr);
    let doctor = run("doctor -c worker.yaml --output json").exits(0).json();
    let checks = doctor["checks"].as_array().unwrap();
    let reachable = checks.iter().find(|check| check["area"] == "source" && check["check"] == "reachable").unwrap();
    assert!(!reachable["detail"].as_str().unwrap().contains("assword"), "{reachable}");

    source.execute("UPDATE loans SET Customer = N'changed' WHERE LoanId = 15 OR LoanId = 63").await;
    let dry = run("resume --from-page 3 -c worker.yaml --date 2026-11-21 --dry-run --output json").exits(0).json();
    assert_eq!((dry["resumesFromPage"].as_u64(), dry["keptRows"].as_u64()), (Some(3), Some(20)), "{dry}");
    run("resume --from-page 3 -c worker.yaml --date 2026-11-21 --reason INC-4711 --yes").exits(0);
    let file = filegen.read("out/loan0_20261121.txt");
    assert!(file.contains("15|customer 15|15.25") && file.contains("63|changed|63.25"), "page 2 is kept: {file}");

    // What changed behind the run's back is found: in page 2, by its key.
    let verify = "verify -c worker.yaml --date 2026-11-21 --full";
    let differs = run(&format!("{verify} --output json")).exits(4);
    assert_eq!(differs.json()["verdict"], "differs");
    source.execute("UPDATE loans SET Customer = N'customer 15' WHERE LoanId = 15").await;
    run(verify).exits(0);
    run("verify -c worker.yaml --date 2026-11-21 --pages 3").exits(0);
    let status: Value = run("status -c worker.yaml --output json").exits(0).json();
    assert_eq!(
        (&status["workers"][0]["runs"][0]["status"], &status["workers"][0]["runs"][0]["rows"]),
        (&"published".into(), &95.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_differ_in_an_accent_only_end_the_run_with_7_and_publish_nothing() {
    let source = Database::fresh().await;
    source.execute("CREATE TABLE shops (k nvarchar(20) COLLATE Latin1_General_CI_AI NOT NULL, n int NOT NULL)").await;
    source.execute("INSERT INTO shops VALUES (N'bar', 1), (N'cafe', 2), (N'café', 3), (N'zoo', 4)").await;
    for (number, read) in
        ["page_size: 1, fetch: paged", "page_size: 2", "page_size: 2, fetch: paged", "page_size: 9"].iter().enumerate()
    {
        let filegen = Filegen::empty();
        filegen.write(
            "worker.yaml",
            &format!(
                "worker: Shops{number}\nsource: {{ view: shops, key: k, {read} }}\noutput: {{ root: out }}\n\
                 files:\n  - id: A\n    name: \"a_{{date}}.txt\"\n    \
                 translator: {{ delimited: {{ delimiter: \"|\", columns: [k, n] }} }}\n"
            ),
        );
        for _ in 0..2 {
            let mut command = filegen.command("run -c worker.yaml --date 2026-11-21");
            command.env("SQL_CONNECTION_STRING", source.ado());
            let done = Filegen::finish(&mut command).exits(7);
            assert!(done.stderr.contains("cafe") && done.stderr.contains("café"), "{read}: {}", done.stderr);
            assert!(!filegen.has("out/a_20261121.txt"), "{read}");
        }
    }
}
