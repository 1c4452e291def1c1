//! `filegen verify`: numbers side by side, pages read again, and what a difference looks like.

use super::inspect_headers::overwrite;
use crate::support::filegen::Filegen;
use serde_json::Value;

fn detail(json: &Value, file: usize, check: &str) -> String {
    let checks = json["files"][file]["checks"].as_array().unwrap();
    let found = checks.iter().find(|entry| entry["check"] == check);
    found
        .map(|entry| format!("{}: {}", entry["outcome"].as_str().unwrap(), entry["detail"].as_str().unwrap_or("")))
        .unwrap_or_default()
}

fn published() -> Filegen {
    let filegen = Filegen::with_loans(95);
    filegen.publish();
    filegen
}

#[test]
fn an_untouched_run_is_the_same_everywhere() {
    let filegen = published();
    let done = filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    insta::assert_snapshot!("verify", done.stdout);
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --pages 3 --output json").exits(0).json();
    assert_eq!((json["verdict"].as_str(), json["pagesCompared"].as_u64()), (Some("same"), Some(3)));
    for numbers in ["headerRows", "records", "stateRows", "sqlRows"] {
        assert_eq!(
            (json["files"][0][numbers].as_u64(), json["files"][1][numbers].as_u64()),
            (Some(95), Some(47)),
            "{numbers}"
        );
    }
}

#[test]
fn a_row_that_changed_in_the_source_is_found_by_its_page_offset_and_record() {
    let filegen = published();
    filegen.sql("UPDATE loans SET Customer = 'someone else' WHERE LoanId = 57");
    filegen.run("verify -c worker.yaml --date 2026-11-21").exits(0);
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    let found = detail(&json, 0, "pages");
    let offset = filegen.read("out/loan0_20261121.txt").find("57|customer 57").unwrap() + "57|".len();
    assert!(found.starts_with("differs: page 6, offset"), "{found}");
    assert!(found.contains(&format!("offset {offset}, record 57:")), "{found}");
    assert!(found.contains("57|customer 57|") && found.contains("57|someone else|"), "{found}");
    assert!(detail(&json, 1, "pages").contains("record 9:"), "records of the file count, not rows of the view");
}

#[test]
fn the_first_record_is_not_counted_among_records() {
    let filegen = Filegen::with_loans(25);
    filegen.edit("Amount > 500", "Amount > 20");
    filegen.publish();
    filegen.sql("UPDATE loans SET Customer = 'someone else' WHERE LoanId = 3");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 0, "pages").contains("record 3:"), "{}", detail(&json, 0, "pages"));
    assert!(detail(&json, 1, "pages").contains("record 2:"), "{}", detail(&json, 1, "pages"));
    overwrite(&filegen, "out/loan1_20261121.csv", 33, b"e");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 1, "pages").contains("offset 33, in the first record"), "{}", detail(&json, 1, "pages"));
}

#[test]
fn a_byte_that_changed_in_a_file_is_found() {
    let filegen = published();
    let at = filegen.read("out/loan0_20261121.txt").find("31|customer").unwrap() as u64;
    overwrite(&filegen, "out/loan0_20261121.txt", at, b"9");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 0, "sha256").starts_with("differs"));
    assert!(detail(&json, 0, "pages").starts_with(&format!("differs: page 4, offset {at}, record 31:")));
    assert!(detail(&json, 1, "pages").starts_with("same"));
}

#[test]
fn first_and_last_record_are_made_again_too() {
    let filegen = published();
    let text = filegen.read("out/loan1_20261121.csv");
    let tail = text.find("TAIL").unwrap() as u64;
    overwrite(&filegen, "out/loan1_20261121.csv", tail, b"t");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 1, "pages").contains("behind the last page"), "{}", detail(&json, 1, "pages"));
}

#[test]
fn rows_that_came_since_are_a_difference() {
    let filegen = published();
    filegen.sql("INSERT INTO loans VALUES (1000, 'late', 1)");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --output json").exits(4).json();
    assert!(detail(&json, 0, "sql count").contains("96 rows now, but the manifest says 95"));
    filegen.sql("DELETE FROM loans WHERE LoanId IN (1000, 12)");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 0, "pages").contains("page 2"));
}

#[test]
fn rows_behind_those_that_a_run_by_row_number_counted_are_none_of_its_pages() {
    let filegen = Filegen::with_loans(95);
    filegen.edit("  key: [LoanId]\n", "  fetch: offset\n");
    filegen.publish();
    filegen.sql("INSERT INTO loans VALUES (1000, 'late', 1)");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 0, "sql count").contains("96 rows now, but the manifest says 95"));
    assert!(detail(&json, 0, "pages").starts_with("same"), "{}", detail(&json, 0, "pages"));
    filegen.sql("DELETE FROM loans WHERE LoanId = 12");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(4).json();
    assert!(detail(&json, 0, "pages").contains("page 2"));
}

#[test]
fn a_staged_run_is_verified_as_far_as_it_is_committed() {
    let filegen = Filegen::with_loans(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").json();
    assert_eq!((json["published"].as_bool(), json["pagesCompared"].as_u64()), (Some(false), Some(2)));
    assert_eq!((json["files"][0]["records"].as_u64(), json["files"][0]["state"].as_str()), (Some(20), Some("staged")));
    assert!(detail(&json, 0, "pages").starts_with("same"));
}

#[test]
fn what_could_not_be_checked_is_no_pass() {
    let filegen = published();
    std::fs::remove_dir_all(filegen.path("out/.filegen/LoanWorker")).unwrap();
    let done = filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(1);
    assert!(done.stdout.contains("pages unchecked: the run's journal"), "{}", done.stdout);
    filegen.edit("sqlite:loans.db", "sqlite:gone.db");
    filegen.edit("files:", "policies: { max_retries: 0 }\nfiles:");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --output json").exits(3).json();
    assert_eq!(json["verdict"], "incomplete");
    assert!(detail(&json, 0, "sql count").starts_with("unchecked"));
}

#[test]
fn settings_that_changed_since_the_run_are_said() {
    let filegen = published();
    filegen.edit("delimiter: \"|\"", "delimiter: \";\"");
    let json = filegen.run("verify -c worker.yaml --date 2026-11-21 --pages 2 --output json").exits(1).json();
    assert!(detail(&json, 0, "pages").contains("the worker file has changed"), "{}", detail(&json, 0, "pages"));
}

#[test]
fn a_run_that_left_nothing_exits_1() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("verify -c worker.yaml --date 2026-11-20").exits(1);
    assert!(done.stderr.contains("LoanWorker:2026-11-20 has left no file"), "{}", done.stderr);
    filegen.run("verify -c worker.yaml --full --pages 3").exits(2);
}
