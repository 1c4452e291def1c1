//! Ended as if by SIGKILL at each point, once and twice over; the next run ends with the same bytes.

use super::rig::Rig;
use crate::support::filegen::in_time;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

/// Points that a first run passes.
const IN_A_RUN: [&str; 13] = [
    "fence.buried",
    "staging.created",
    "staging.durable",
    "commit.begun",
    "commit.written",
    "commit.synced",
    "journal.written",
    "journal.synced",
    "header.written",
    "complete.synced",
    "complete.journaled",
    "publish.linking",
    "publish.linked",
];

/// Points that a takeover passes.
const IN_A_TAKEOVER: [&str; 5] = ["fence.renamed", "fence.unlinked", "adopt.copied", "adopt.named", "staging.durable"];

fn golden(files: usize) -> BTreeMap<String, Vec<u8>> {
    let rig = Rig::new(files, "{}");
    rig.run_well();
    let golden = rig.published();
    assert_eq!(golden.len(), files);
    golden
}

/// Runs into the failure point; false when the run ended without reaching it.
fn crash(rig: &Rig, failpoints: &str) -> bool {
    let output = rig.run(failpoints);
    let killed = output.status.signal().is_some();
    assert!(killed || output.status.success(), "{failpoints}: {}", String::from_utf8_lossy(&output.stderr));
    killed
}

/// What holds at any moment: headers are not ahead, and what is visible is whole.
fn check_between(rig: &Rig, golden: &BTreeMap<String, Vec<u8>>, context: &str) {
    rig.check_headers();
    for (name, bytes) in rig.published() {
        assert!(golden.get(&name) == Some(&bytes), "{context}: {name} is visible and not whole");
    }
    if rig.has_manifest() {
        assert_eq!(rig.published().len(), golden.len(), "{context}: the manifest is not the last to appear");
    }
}

fn killed_at_every_point(files: usize) {
    let golden = golden(files);
    for point in IN_A_RUN {
        let mut hit = false;
        for passes in [0, 1, 4] {
            let rig = Rig::new(files, "{}");
            let context = format!("{point} after {passes} passes, {files} files");
            hit |= crash(&rig, &format!("{point}={passes}*off->return"));
            check_between(&rig, &golden, &context);
            rig.run_well();
            assert!(rig.published() == golden, "{context}");
            assert!(rig.has_manifest());
        }
        assert!(hit, "{point} was never reached");
    }
}

#[test]
fn one_file_killed_at_every_point_ends_with_the_same_bytes() {
    killed_at_every_point(1);
}

#[test]
fn three_files_killed_at_every_point_end_with_the_same_bytes() {
    killed_at_every_point(3);
}

#[test]
fn four_files_killed_at_every_point_end_with_the_same_bytes() {
    killed_at_every_point(4);
}

#[test]
fn a_takeover_killed_at_every_point_is_taken_over_in_turn() {
    for files in [1, 3, 4] {
        let golden = golden(files);
        for first in ["journal.synced=2*off->return", "commit.written=5*off->return", "publish.linked=return"] {
            for point in IN_A_TAKEOVER {
                let rig = Rig::new(files, "{}");
                let context = format!("{first}, then {point}, {files} files");
                assert!(crash(&rig, first), "{context}: the first run was not killed");
                assert!(crash(&rig, &format!("{point}=return")), "{context}: the takeover was not killed");
                check_between(&rig, &golden, &context);
                assert!(crash(&rig, "staging.durable=return"), "{context}: the second takeover was not killed");
                check_between(&rig, &golden, &context);
                rig.run_well();
                assert!(rig.published() == golden, "{context}");
            }
        }
    }
}

#[test]
fn a_resumed_run_keeps_what_was_committed() {
    let rig = Rig::new(4, "{}");
    assert!(crash(&rig, "journal.synced=3*off->return"));
    let (_, journal) = rig.staged().remove(0);
    assert_eq!(journal.last_page().unwrap().page, 4);
    assert!(crash(&rig, "journal.synced=return"), "the second holder commits one more page, then dies");
    let (_, journal) = rig.staged().remove(0);
    assert_eq!(journal.last_page().unwrap().page, 5, "pages 1 to 4 were not made again");
    assert_eq!(journal.tokens().len(), 2);
    rig.run_well();
    assert!(rig.published() == golden(4));
}

#[test]
fn killed_behind_the_manifest_the_next_run_says_already_published() {
    let rig = Rig::new(4, "{}");
    assert!(crash(&rig, "publish.manifest=return"));
    assert!(rig.has_manifest());
    let output = rig.run("");
    assert!(output.status.success());
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("already published"), "{said}");
    let mut event = rig.filegen(&["publish-completion", "-c", "worker.yaml", "--date", "2026-11-21", "--dry-run"], "");
    assert!(in_time(&mut event).status.success(), "the completion events were recorded by the second run");
}
