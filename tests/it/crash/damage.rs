//! What people and disks do to a run's things between two runs: never a wrong byte, always a word about it.

use super::rig::Rig;
use crate::support::filegen::in_time;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

fn golden() -> BTreeMap<String, Vec<u8>> {
    let rig = Rig::new(4, "{}");
    rig.run_well();
    rig.published()
}

/// A rig whose run was killed with four pages committed, and its staging folder.
fn killed() -> (Rig, PathBuf) {
    let rig = Rig::new(4, "{}");
    assert!(!rig.run("journal.synced=3*off->return").status.success());
    let (folder, journal) = rig.staged().remove(0);
    assert_eq!(journal.last_page().unwrap().page, 4);
    (rig, folder)
}

/// Runs again: all files whole; returns what was said on the way.
fn ends_well(rig: &Rig) -> String {
    let output = rig.run("");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(rig.published() == golden(), "{said}");
    said
}

#[test]
fn a_torn_journal_keeps_the_pages_before_the_tear() {
    let (rig, folder) = killed();
    let journal = folder.join("journal.jsonl");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    let said = ends_well(&rig);
    assert!(said.contains("torn") && said.contains("pages up to 3"), "{said}");
}

#[test]
fn a_flipped_bit_in_the_journal_is_noticed() {
    let (rig, folder) = killed();
    let journal = folder.join("journal.jsonl");
    let mut bytes = fs::read(&journal).unwrap();
    let third_line = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 10;
    bytes[third_line] ^= 4;
    fs::write(&journal, bytes).unwrap();
    let said = ends_well(&rig);
    assert!(said.contains("checksum") && said.contains("pages up to 1"), "{said}");
}

#[test]
fn a_flipped_bit_in_a_staged_file_is_noticed() {
    let (rig, folder) = killed();
    let staged = folder.join("Loan3");
    let middle = fs::metadata(&staged).unwrap().len() / 2;
    let file = fs::OpenOptions::new().read(true).write(true).open(&staged).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[byte[0] ^ 1], middle).unwrap();
    let said = ends_well(&rig);
    assert!(said.contains("do not match the journal"), "{said}");
}

#[test]
fn bytes_behind_the_commit_are_cut_off() {
    let (rig, folder) = killed();
    for name in ["Loan0", "Loan1", "Loan2", "Loan3"] {
        let staged = folder.join(name);
        let mut bytes = fs::read(&staged).unwrap();
        bytes.extend_from_slice(b"half a record that was never commit");
        fs::write(&staged, bytes).unwrap();
    }
    ends_well(&rig);
}

#[test]
fn a_header_that_disagrees_is_written_anew_from_the_journal() {
    let (rig, folder) = killed();
    for header in [
        "99,99999                        \n",
        "0,0                             \n",
        "garbage, not a header at all!!!\n",
    ] {
        let file = fs::OpenOptions::new().write(true).open(folder.join("Loan0")).unwrap();
        file.write_all_at(&header.as_bytes()[..32], 0).unwrap();
    }
    ends_well(&rig);
}

#[test]
fn without_a_journal_the_run_starts_over_and_says_so() {
    let (rig, folder) = killed();
    fs::remove_file(folder.join("journal.jsonl")).unwrap();
    let said = ends_well(&rig);
    assert!(said.contains("without a journal") && said.contains("starting over"), "{said}");
}

#[test]
fn staging_deleted_by_hand_costs_only_time() {
    let (rig, folder) = killed();
    fs::remove_dir_all(&folder).unwrap();
    ends_well(&rig);
    let (rig, folder) = killed();
    fs::remove_file(folder.join("Loan2")).unwrap();
    ends_well(&rig);
    let (rig, _) = killed();
    fs::remove_dir_all(rig.path("out/.filegen/LoanWorker")).unwrap();
    ends_well(&rig);
}

#[test]
fn a_file_of_another_content_under_the_final_name_is_left_alone() {
    let rig = Rig::new(4, "{}");
    fs::create_dir_all(rig.path("out")).unwrap();
    fs::write(rig.path("out/loan1_20261121.csv"), "somebody else's").unwrap();
    let output = rig.run("");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("loan1_20261121.csv") && said.contains("hint"), "{said}");
    assert_eq!(fs::read(rig.path("out/loan1_20261121.csv")).unwrap(), b"somebody else's");
    assert!(!rig.has_manifest());
    fs::remove_file(rig.path("out/loan1_20261121.csv")).unwrap();
    ends_well(&rig);
}

#[test]
fn a_worker_file_that_changed_meanwhile_does_not_go_on_from_old_pages() {
    let (rig, _) = killed();
    let worker = fs::read_to_string(rig.path("worker.yaml")).unwrap();
    fs::write(rig.path("worker.yaml"), worker.replace("delimiter: \"|\"", "delimiter: \";\"")).unwrap();
    let output = rig.run("");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--restart"), "{said}");
    let restarted = in_time(&mut rig.filegen(&["run", "-c", "worker.yaml", "--date", "2026-11-21", "--restart"], ""));
    assert!(restarted.status.success());
    assert!(rig.published()["loan0_20261121.txt"].contains(&b';'));
}

#[test]
fn a_view_that_changed_its_columns_meanwhile_is_said() {
    let (rig, _) = killed();
    let database = rusqlite::Connection::open(rig.path("loans.db")).unwrap();
    database
        .execute_batch(
            "DROP VIEW v_LoanData;
             CREATE TABLE other (LoanId INTEGER PRIMARY KEY, Name TEXT, Amount TEXT);
             INSERT INTO other SELECT LoanId, Name, Amount FROM loans;
             CREATE VIEW v_LoanData AS SELECT * FROM other;",
        )
        .unwrap();
    let output = rig.run("");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Amount") && said.contains("changed"), "{said}");
}

#[test]
fn a_full_disk_ends_the_run_and_the_next_one_goes_on() {
    let rig = Rig::with_names(1, "{}", "printf('%.4000c', 'x')");
    // A limit on file sizes fails writes just as a full disk does, and needs no rights.
    let limited = "trap '' XFSZ; ulimit -f 220; exec \"$0\" run -c worker.yaml --date 2026-11-21";
    let mut bash = Command::new("bash");
    let output = in_time(bash.args(["-c", limited, env!("CARGO_BIN_EXE_filegen")]).current_dir(rig.path("")));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Loan0") && said.contains("space"), "{said}");
    rig.check_headers();
    let (_, journal) = rig.staged().remove(0);
    let committed = journal.last_page().unwrap().page;
    assert!((1..7).contains(&committed), "{committed}");
    rig.run_well();
    let undisturbed = Rig::with_names(1, "{}", "printf('%.4000c', 'x')");
    undisturbed.run_well();
    assert!(rig.published() == undisturbed.published());
}

#[test]
fn two_runs_at_once_make_one_set_of_files() {
    let rig = Rig::new(4, "{ takeover_polling_interval: 50ms }");
    let children: Vec<_> = (0..3).map(|_| rig.start("")).collect();
    for child in children {
        child.finish().exits(0);
    }
    assert!(rig.published() == golden());
}
