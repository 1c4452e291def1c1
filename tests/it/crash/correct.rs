//! A correction, ended as if by SIGKILL at each point, once and twice over: under the names stands the old set or the new one, never
//! both, and whoever leads next ends with the new one.

use super::rig::{ROWS, Rig};
use crate::support::filegen::in_time;
use crate::support::mongo::Database;
use crate::support::syscalls::{Call, trace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;

type Files = BTreeMap<String, Vec<u8>>;

const REASON: &str = "late rows";

/// Points that a correction passes, in order.
const POINTS: [&str; 19] = [
    "fence.buried",
    "staging.created",
    "staging.durable",
    "journal.written",
    "journal.synced",
    "complete.synced",
    "correct.deciding",
    "correct.decided",
    "complete.journaled",
    "correct.keeping",
    "correct.kept",
    "correct.manifest",
    "correct.withdrawing",
    "correct.withdrawn",
    "publish.linking",
    "publish.linked",
    "publish.manifest",
    "record.file",
    "record.run",
];

/// Where the first holder dies, and where the next one does.
const FIRST: [&str; 4] = [
    "journal.synced=2*off->return",
    "correct.withdrawing=1*off->return",
    "correct.withdrawn=return",
    "publish.linked=1*off->return",
];
const SECOND: [&str; 7] = [
    "fence.renamed",
    "fence.unlinked",
    "adopt.named",
    "staging.durable",
    "correct.kept",
    "correct.withdrawn",
    "publish.linking",
];

/// The view as it is when the date is corrected: each row has another name.
fn change(rig: &Rig) {
    let source = rusqlite::Connection::open(rig.path("loans.db")).unwrap();
    source.execute_batch("UPDATE loans SET Name = 'other ' || LoanId, Amount = Amount + 1").unwrap();
}

/// What the files are before and after.
fn golden() -> (Files, Files) {
    let rig = Rig::new(4, "{}");
    rig.run_well();
    let before = rig.published();
    let rig = Rig::new(4, "{}");
    change(&rig);
    rig.run_well();
    let after = rig.published();
    assert!(before.keys().eq(after.keys()) && before.iter().all(|(name, bytes)| after[name] != *bytes));
    (before, after)
}

/// A rig whose date is published, and whose view has changed since.
fn published(suffix: bool, state: Option<&Database>) -> Rig {
    let rig = Rig::new(4, "{}");
    let worker = fs::read_to_string(rig.path("worker.yaml")).unwrap();
    let corrections = if suffix { "output: { root: out, corrections: suffix }" } else { "output: { root: out }" };
    let state = state.map_or_else(String::new, |state| format!("state: {{ url: \"{}\" }}\n", state.url()));
    fs::write(rig.path("worker.yaml"), state + &worker.replace("output: { root: out }", corrections)).unwrap();
    rig.run_well();
    change(&rig);
    rig
}

/// Corrects; whether it was killed.
fn correct(rig: &Rig, failpoints: &str) -> bool {
    let arguments = ["correct", "-c", "worker.yaml", "--date", "2026-11-21", "--reason", REASON];
    let output = in_time(&mut rig.filegen(&arguments, failpoints));
    let killed = output.status.signal().is_some();
    assert!(killed || output.status.success(), "{failpoints}: {}", String::from_utf8_lossy(&output.stderr));
    killed
}

fn manifest(rig: &Rig, name: &str) -> Option<Value> {
    serde_json::from_slice(&fs::read(rig.path("out").join(name)).ok()?).ok()
}

const MANIFEST: &str = "LoanWorker_20261121.manifest.json";

const KEPT: &str = "out/.filegen/LoanWorker/20261121/v1/kept";

/// What holds at any moment.
fn check_between(rig: &Rig, (before, after): &(Files, Files), context: &str) {
    rig.check_headers();
    let found = rig.published();
    let are = |set: &Files| found.iter().all(|(name, bytes)| set.get(name) == Some(bytes));
    assert!(are(before) || are(after), "{context}: old and new files stand side by side: {:?}", found.keys());
    if let Some(manifest) = manifest(rig, MANIFEST) {
        let set = if manifest["version"] == 2 { after } else { before };
        assert!(found == *set, "{context}: the manifest of version {} without its files", manifest["version"]);
    }
}

/// What holds at the end: the new set with its reason, and the old one kept whole.
fn check_end(rig: &Rig, (before, after): &(Files, Files), context: &str) {
    assert!(rig.published() == *after, "{context}");
    let there = manifest(rig, MANIFEST).expect("a manifest");
    assert_eq!((&there["version"], &there["reason"]), (&2.into(), &REASON.into()), "{context}");
    assert_eq!(there["sourceRows"], ROWS, "{context}");
    let kept = rig.path(KEPT);
    let old: Value = serde_json::from_slice(&fs::read(kept.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&old["version"], &old["reason"]), (&1.into(), &Value::Null), "{context}");
    for file in old["files"].as_array().unwrap() {
        let bytes = fs::read(kept.join(file["id"].as_str().unwrap())).unwrap();
        assert!(
            before.get(file["name"].as_str().unwrap()) == Some(&bytes),
            "{context}: {} is not kept whole",
            file["id"]
        );
    }
    let deep = in_time(&mut rig.filegen(&["inspect-headers", "--deep", "-c", "worker.yaml"], ""));
    assert!(deep.status.success(), "{context}: {}", String::from_utf8_lossy(&deep.stdout));
}

#[test]
fn killed_at_every_point_a_correction_leaves_one_set_and_ends_with_the_new_one() {
    let golden = golden();
    for point in POINTS {
        let mut hit = false;
        for passes in [0, 2] {
            let rig = published(false, None);
            let context = format!("{point} after {passes} passes");
            let killed = correct(&rig, &format!("{point}={passes}*off->return"));
            hit |= killed;
            check_between(&rig, &golden, &context);
            // Whoever comes next makes it, also without being told so.
            rig.run_well();
            check_end(&rig, &golden, &context);
        }
        assert!(hit, "{point} was never reached");
    }
}

#[test]
fn a_correction_that_is_taken_over_at_every_point_is_taken_over_in_turn() {
    let golden = golden();
    for first in FIRST {
        for second in SECOND {
            let rig = published(false, None);
            let context = format!("{first}, then {second}");
            assert!(correct(&rig, first), "{context}: it was not killed");
            check_between(&rig, &golden, &context);
            let _ = rig.run(&format!("{second}=return"));
            check_between(&rig, &golden, &context);
            let _ = rig.run("staging.durable=return");
            check_between(&rig, &golden, &context);
            assert!(!correct(&rig, ""), "the same words again go on with it");
            check_end(&rig, &golden, &context);
        }
    }
}

#[test]
fn a_correction_that_has_begun_to_switch_is_finished_also_without_its_state_store() {
    let golden = golden();
    for point in ["correct.manifest=return", "correct.withdrawn=return", "publish.linked=1*off->return"] {
        let rig = published(false, None);
        assert!(correct(&rig, point));
        for file in ["state.db", "state.db-wal", "state.db-shm"] {
            let _ = fs::remove_file(rig.path("out/.filegen").join(file));
        }
        rig.run_well();
        check_end(&rig, &golden, point);
    }
}

#[test]
fn a_correction_survives_its_process_with_state_in_mongodb() {
    let golden = golden();
    for point in
        ["journal.synced=2*off->return", "correct.withdrawn=return", "publish.linked=return", "record.file=return"]
    {
        let state = Database::new();
        let rig = published(false, Some(&state));
        assert!(correct(&rig, point), "{point}");
        check_between(&rig, &golden, point);
        rig.run_well();
        check_end(&rig, &golden, point);
    }
}

#[test]
fn with_a_suffix_the_old_set_stays_readable_at_every_moment() {
    let (before, after) = golden();
    let names: Vec<String> = after.keys().map(|name| name.replacen("_20261121.", "_20261121_v2.", 1)).collect();
    let new: Files = names.into_iter().zip(after.into_values()).collect();
    for point in ["complete.journaled", "correct.kept", "publish.linking", "publish.linked", "publish.manifest"] {
        let rig = published(true, None);
        assert!(correct(&rig, &format!("{point}=return")));
        let found = rig.published();
        assert!(before.iter().all(|(name, bytes)| found.get(name) == Some(bytes)), "{point}: the old set is not whole");
        assert_eq!(manifest(&rig, MANIFEST).unwrap()["version"], 1, "{point}");
        rig.run_well();
        let found = rig.published();
        assert!(found.len() == 8 && before.iter().chain(&new).all(|(name, bytes)| found[name] == *bytes), "{point}");
        assert_eq!(manifest(&rig, "LoanWorker_20261121_v2.manifest.json").unwrap()["reason"], REASON, "{point}");
    }
}

/// The real calls, as `strace` saw them: each step is synced before the next one begins.
#[test]
fn a_correction_syncs_each_step_before_the_next() {
    let rig = published(false, None);
    let arguments = ["correct", "-c", "worker.yaml", "--date", "2026-11-21", "--reason", REASON];
    let traced = trace(&mut rig.filegen(&arguments, ""), &rig.path(""));
    let calls: Vec<Call> = traced.into_iter().filter(|(_, _, ends)| *ends).map(|(_, call, _)| call).collect();
    let last = |what: &str, is: &dyn Fn(&Call) -> bool| {
        calls.iter().rposition(is).unwrap_or_else(|| panic!("no {what} in {calls:?}"))
    };
    let first = |what: &str, after: usize, is: &dyn Fn(&Call) -> bool| {
        let found =
            calls[after..].iter().position(is).unwrap_or_else(|| panic!("no {what} behind {after} in {calls:?}"));
        after + found
    };
    let is_sync = |folder: &'static str| move |call: &Call| matches!(call, Call::Sync { path } if path == folder);
    let is_visible = |path: &str| path.starts_with("out/") && !path.starts_with("out/.filegen/");
    let kept = last("kept name", &|call| matches!(call, Call::Link { to, .. } if to.starts_with(KEPT)));
    let kept = first("sync of what is kept", kept, &is_sync(KEPT));
    let manifest = format!("out/{MANIFEST}");
    let gone = first("withdrawal", 0, &|call| matches!(call, Call::Rename { from, .. } if is_visible(from)));
    assert!(kept < gone, "kept before anything moves: {calls:?}");
    assert!(matches!(&calls[gone], Call::Rename { from, .. } if *from == manifest), "the manifest first: {calls:?}");
    let synced = first("sync of the root", gone, &is_sync("out"));
    let files =
        first("withdrawal of a file", gone + 1, &|call| matches!(call, Call::Rename { from, .. } if is_visible(from)));
    assert!(synced < files, "the manifest is gone durably before the files: {calls:?}");
    let moved = last("withdrawal", &|call| matches!(call, Call::Rename { from, .. } if is_visible(from)));
    let synced =
        first("sync of the root", moved, &is_sync("out")).max(first("sync of a folder", moved, &is_sync("out/sub")));
    let new = first("new file", 0, &|call| matches!(call, Call::Link { to, .. } if is_visible(to)));
    assert!(synced < new, "all old files are gone durably before the first new one: {calls:?}");
    let end = last("link", &|call| matches!(call, Call::Link { .. }));
    assert!(matches!(&calls[end], Call::Link { to, .. } if *to == manifest), "the manifest last: {calls:?}");
    first("sync of the root", end, &is_sync("out"));
}
