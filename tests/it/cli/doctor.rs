//! `filegen doctor`: the checklist, its JSON, and what makes it fail.

use crate::support::filegen::Filegen;
use serde_json::Value;

fn check<'a>(json: &'a Value, area: &str, check: &str) -> &'a Value {
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|entry| entry["area"] == area && entry["check"] == check).unwrap_or(&Value::Null)
}

#[test]
fn a_sound_worker_passes_and_nothing_is_left_behind() {
    let filegen = Filegen::with_loans(95);
    let done = filegen.run("doctor -c worker.yaml").exits(0);
    assert!(done.stdout.lines().filter(|line| line.starts_with("pass")).count() >= 10, "{}", done.stdout);
    assert!(done.stdout.ends_with("to look at\n") && done.stdout.contains(" 0 failed"), "{}", done.stdout);
    let json = filegen.run("doctor -c worker.yaml --output json").exits(0).json();
    assert_eq!(json["verdict"], "pass");
    assert!(check(&json, "source", "reachable")["milliseconds"].is_number());
    assert_eq!(check(&json, "output", "fencing")["verdict"], "pass");
    assert!(check(&json, "output", "free space")["detail"].as_str().unwrap().contains("a run needs about"));
    assert_eq!(std::fs::read_dir(filegen.path("out/.filegen")).unwrap().count(), 0);
}

#[test]
fn a_column_that_is_not_in_the_view_exits_1_and_a_near_one_is_named() {
    let filegen = Filegen::with_loans(5);
    filegen.edit("columns: [LoanId, Customer, Amount] }\n  - id: Loan1", "columns: [LoanId, Custmer] }\n  - id: Loan1");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(1).json();
    let found = check(&json, "source", "columns");
    assert_eq!(found["verdict"], "fail");
    assert!(found["detail"].as_str().unwrap().contains("did you mean `Customer`?"), "{found}");
}

#[test]
fn a_key_that_is_not_unique_exits_1() {
    let filegen = Filegen::with_loans(5);
    filegen.sql("DROP VIEW v_Loans; CREATE VIEW v_Loans AS SELECT 1 AS LoanId, Customer, Amount FROM loans");
    let done = filegen.run("doctor -c worker.yaml").exits(1);
    assert!(done.stdout.lines().any(|line| line.starts_with("fail") && line.contains("key")), "{}", done.stdout);
}

#[test]
fn a_value_that_cannot_be_written_exits_1() {
    let filegen = Filegen::with_loans(5);
    filegen.sql("UPDATE loans SET Customer = 'a|b'");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(1).json();
    assert_eq!(check(&json, "files", "Loan0")["verdict"], "fail");
}

#[test]
fn a_folder_that_cannot_be_written_exits_1() {
    let filegen = Filegen::with_loans(5);
    filegen.write("file", "");
    filegen.edit("root: out", "root: file/out");
    filegen.edit("files:", "state: { url: \"sqlite:state.db\" }\nfiles:");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(1).json();
    assert_eq!(check(&json, "output", "writable")["verdict"], "fail");
}

#[test]
fn a_source_that_cannot_be_reached_exits_6_and_the_rest_is_still_looked_at() {
    let filegen = Filegen::with_loans(5);
    filegen.edit("sqlite:loans.db", "sqlite:gone/loans.db");
    filegen.edit("files:", "policies: { max_retries: 0 }\nfiles:");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(6).json();
    assert_eq!(check(&json, "source", "reachable")["verdict"], "fail");
    assert_eq!(check(&json, "output", "link")["verdict"], "pass");
}

#[test]
fn a_state_store_of_another_program_exits_1() {
    let filegen = Filegen::with_loans(5);
    filegen.write("state.db", "this is no database at all, but it is long enough to have a header");
    filegen.edit("files:", "state: { url: \"sqlite:state.db\" }\nfiles:");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(1).json();
    assert_eq!(check(&json, "state", "reachable")["verdict"], "fail");
}
