//! What cannot work is told before it is tried.

use super::rig::Rig;
use crate::support::filegen::Done;

fn check(rig: &Rig) -> Done {
    rig.filegen.run("config check -c worker.yaml -c t.yaml")
}

/// Sees that check and daemon refuse both files, and what they say of it.
#[track_caller]
fn refused(rig: &Rig, words: &[&str]) {
    for command in ["config check", "daemon --health-port 0"] {
        let said = rig.filegen.run(&format!("{command} -c worker.yaml -c t.yaml")).exits(3).stderr;
        for word in words {
            assert!(said.contains(word), "{command}: no `{word}` in {said}");
        }
    }
}

#[test]
fn both_files_that_fit_are_fine_and_the_worker_s_alone_is_told_what_it_lacks() {
    let rig = Rig::new();
    assert!(!check(&rig).exits(0).stderr.contains("warning"));
    let said = rig.filegen.run("config check -c worker.yaml").exits(0).stderr;
    assert!(said.contains("delivers to sales") && said.contains("-c FILE"), "{said}");
    let shown = rig.filegen.run("config show -c worker.yaml").exits(0).stdout;
    assert!(shown.contains("deliver: sales"), "{shown}");
    let said = rig.filegen.run("daemon --health-port 0 -c worker.yaml").exits(3).stderr;
    assert!(said.contains("delivers to sales") && said.contains("transfer: sales"), "{said}");
}

#[test]
fn a_wrong_name_is_told_with_those_that_are_there() {
    let rig = Rig::new();
    rig.change_worker("deliver: sales", "deliver: sale");
    refused(&rig, &["delivers to sale,", "did you mean `sales`?"]);
    rig.change_worker("deliver: sale", "deliver: a/b");
    let said = rig.filegen.run("config check -c worker.yaml").exits(3).stderr;
    assert!(said.contains("deliver") && said.contains("for example `sales`"), "{said}");
}

#[test]
fn a_transfer_that_would_not_take_the_files_is_refused_with_what_to_write_instead() {
    let cases = [
        ([("pattern: \"**\"", "pattern: \"*.txt\"")], ["does not take", "pattern: \"**\""]),
        ([("pattern: \"**\"", "pattern: \"loan*\"")], ["manifest.json", "pattern: \"**\""]),
        ([("stable_for: 0s", "max_size: 100B")], ["takes no manifest", "raise `max_size`"]),
        ([("stable_for: 0s", "done_file: \"{name}.done\"")], ["nobody writes that", "leave `done_file` out"]),
        ([("directory: handover", "directory: out")], ["output folder lies in it", "a folder of its own"]),
        ([("directory: handover", "directory: .")], ["output folder lies in it", "a folder of its own"]),
        ([("stable_for: 0s", "after: keep")], ["for ever", "after: archive"]),
    ];
    for (changes, words) in cases {
        refused(&Rig::with(&changes), &words);
    }
    let rig = Rig::new();
    let text = rig.filegen.read("t.yaml");
    let (before, rest) = text.split_once("collect:").unwrap();
    let only = format!("{before}{}", rest.split_once("broker:").map(|(_, rest)| format!("broker:{rest}")).unwrap());
    rig.filegen.write("t.yaml", &only);
    refused(&rig, &["collects nothing", "add `collect:"]);
    let rig = Rig::new();
    rig.change_worker("event_type: LoanDataReady", "event_type: FileDelivered");
    refused(&rig, &["event type FileDelivered", "another `event_type`"]);
}

#[test]
fn what_works_until_a_correction_comes_is_a_warning() {
    let rig = Rig::with(&[("on_exists: replace", "on_exists: error")]);
    let said = check(&rig).exits(0).stderr;
    assert!(said.contains("warning") && said.contains("on_exists: replace"), "{said}");
    rig.change_worker("  root: out\n", "  root: out\n  corrections: suffix\n");
    assert!(!check(&rig).exits(0).stderr.contains("warning"));
}
