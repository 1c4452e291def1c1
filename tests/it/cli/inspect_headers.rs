//! `filegen inspect-headers`: what stands on the volume, with and without the worker file.

use crate::support::filegen::{Filegen, names_below};
use serde_json::Value;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

/// Overwrites bytes of a file, whether or not it is read-only.
pub fn overwrite(filegen: &Filegen, name: &str, offset: u64, bytes: &[u8]) {
    let path = filegen.path(name);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

fn outcome<'a>(json: &'a Value, file: &str, check: &str) -> &'a str {
    let entry = json["files"].as_array().unwrap().iter().find(|entry| entry["fileId"] == file).unwrap();
    let checks = entry["checks"].as_array().unwrap();
    checks.iter().find(|entry| entry["check"] == check).unwrap()["outcome"].as_str().unwrap()
}

/// A run of 30 rows that stopped behind page 2.
fn staged() -> Filegen {
    let filegen = Filegen::with_loans(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    filegen
}

fn staging(filegen: &Filegen) -> String {
    let run = "out/.filegen/LoanWorker/20261121";
    let names = names_below(&filegen.path(run));
    let folder = names.iter().find(|name| filegen.path(&format!("{run}/{name}")).is_dir()).unwrap();
    format!("{run}/{folder}")
}

#[test]
fn published_and_staged_files_are_shown_with_page_and_rows() {
    let filegen = Filegen::with_loans(95);
    filegen.publish();
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(7);
    let done = filegen.run("inspect-headers -c worker.yaml").exits(0);
    insta::assert_snapshot!("inspect_headers", done.stdout);
    let json = filegen.run("inspect-headers -c worker.yaml --output json").exits(0).json();
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!((files[0]["state"].as_str(), files[0]["page"].as_u64()), (Some("published"), Some(10)));
    assert_eq!((files[2]["state"].as_str(), files[2]["page"].as_u64()), (Some("staged"), Some(2)));
    assert_eq!((files[2]["rows"].as_u64(), files[2]["businessDate"].as_str()), (Some(20), Some("2026-11-22")));
}

#[test]
fn deep_counts_records_without_first_and_last_record() {
    let filegen = Filegen::with_loans(95);
    filegen.sql("UPDATE loans SET Customer = 'two' || char(10) || 'lines' WHERE LoanId = 70");
    filegen.edit("columns: [LoanId, Customer, Amount] }\n  - id: Loan1", "columns: [LoanId, Amount] }\n  - id: Loan1");
    filegen.publish();
    let json = filegen.run("inspect-headers --deep -c worker.yaml --output json").exits(0).json();
    assert_eq!((json["files"][0]["records"].as_u64(), json["files"][1]["records"].as_u64()), (Some(95), Some(47)));
    for check in ["header", "journal", "bytes", "sha256", "records"] {
        assert_eq!(outcome(&json, "Loan1", check), "same");
    }
}

#[test]
fn a_changed_byte_of_a_published_file_exits_4() {
    let filegen = Filegen::with_loans(95);
    filegen.publish();
    overwrite(&filegen, "out/loan0_20261121.txt", 700, b"#");
    filegen.run("inspect-headers -c worker.yaml").exits(0);
    let done = filegen.run("inspect-headers --deep -c worker.yaml").exits(4);
    assert!(done.stdout.contains("sha256 differs") && done.stdout.contains("journal differs"), "{}", done.stdout);
    let json = filegen.run("inspect-headers --deep -c worker.yaml --output json").exits(4).json();
    assert_eq!((outcome(&json, "Loan0", "sha256"), outcome(&json, "Loan1", "sha256")), ("differs", "same"));
}

#[test]
fn a_changed_byte_of_a_staged_file_exits_4_and_names_the_page() {
    let filegen = staged();
    filegen.run("inspect-headers --deep -c worker.yaml").exits(0);
    let folder = staging(&filegen);
    let length = std::fs::metadata(filegen.path(&format!("{folder}/Loan0"))).unwrap().len();
    overwrite(&filegen, &format!("{folder}/Loan0"), length - 3, b"#");
    let done = filegen.run("inspect-headers --deep -c worker.yaml").exits(4);
    assert!(done.stdout.contains("page 2 (up to offset"), "{}", done.stdout);
}

#[test]
fn a_header_that_claims_more_than_the_journal_exits_4() {
    let filegen = staged();
    overwrite(&filegen, &format!("{}/Loan0", staging(&filegen)), 0, b"3,30 ");
    let done = filegen.run("inspect-headers -c worker.yaml").exits(4);
    assert!(done.stdout.contains("page 3 with 30 rows, but the journal has page 2 with 20 rows"), "{}", done.stdout);
    overwrite(&filegen, &format!("{}/Loan0", staging(&filegen)), 0, b"xyz");
    assert_eq!(
        filegen.run("inspect-headers -c worker.yaml --output json").exits(4).json()["files"][0]["header"],
        "damaged"
    );
}

#[test]
fn a_published_file_that_is_gone_exits_4() {
    let filegen = Filegen::with_loans(5);
    filegen.publish();
    std::fs::remove_file(filegen.path("out/loan1_20261121.csv")).unwrap();
    let done = filegen.run("inspect-headers -c worker.yaml").exits(4);
    assert!(done.stdout.contains("loan1_20261121.csv: file differs"), "{}", done.stdout);
}

#[test]
fn a_file_or_folder_can_be_named_without_a_worker_file() {
    let filegen = Filegen::with_loans(95);
    filegen.publish();
    let json = filegen.run("inspect-headers out/loan0_20261121.txt --output json").exits(0).json();
    assert_eq!(json["files"].as_array().unwrap().len(), 1);
    assert_eq!((json["files"][0]["page"].as_u64(), json["files"][0]["fileId"].as_str()), (Some(10), Some("Loan0")));
    let json = filegen.run("inspect-headers out --output json").exits(0).json();
    assert_eq!(json["files"].as_array().unwrap().len(), 2);
    filegen.write("alone.txt", "7,70                           \nx\n");
    let json = filegen.run("inspect-headers alone.txt --output json").exits(0).json();
    assert_eq!((json["files"][0]["page"].as_u64(), json["files"][0]["state"].as_str()), (Some(7), Some("unknown")));
}

#[test]
fn nothing_there_is_said_and_a_path_that_is_not_there_exits_1() {
    let filegen = Filegen::with_loans(1);
    let done = filegen.run("inspect-headers -c worker.yaml").exits(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", "no staged or published files\n"));
    assert!(filegen.run("inspect-headers nowhere.txt").exits(1).stderr.contains("nowhere.txt"));
    filegen.run("inspect-headers").exits(2);
}
