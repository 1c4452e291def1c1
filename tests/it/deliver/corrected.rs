//! Later versions of a date are delivered as versions of their own, behind the ones before.

use super::rig::{NAMES, Rig, end};
use crate::support::running::until;

#[test]
fn a_correction_takes_the_place_of_the_version_before_at_the_target_too() {
    let rig = Rig::new();
    rig.run();
    let daemon = rig.daemon();
    rig.arrives();
    rig.filegen.sql("UPDATE loans SET Customer = 'corrected' WHERE LoanId = 3");
    rig.filegen.run("correct -c worker.yaml --date 2026-11-21 --reason wrong").exits(0);
    let all = rig.stand(&["delivered"; 6]);
    let versions: Vec<_> = all.iter().map(|one| one["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 1, 1, 2, 2, 2]);
    rig.is_as_published(&NAMES);
    assert!(rig.filegen.read(&format!("target/{}", NAMES[0])).contains("corrected"));
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]));
    end(daemon);
}

#[test]
fn a_version_that_was_never_handed_over_gives_way_to_the_next() {
    let rig = Rig::new();
    rig.run();
    rig.filegen.sql("UPDATE loans SET Customer = 'corrected' WHERE LoanId = 3");
    rig.filegen.run("correct -c worker.yaml --date 2026-11-21 --reason wrong").exits(0);
    let daemon = rig.daemon();
    let states = until("all done", || {
        let all = rig.deliveries();
        let states: Vec<_> = all.iter().map(|one| one["state"].as_str().unwrap_or_default().to_owned()).collect();
        states.iter().all(|state| state == "delivered" || state == "replaced").then_some(states)
    });
    // The second file's bytes are the same in both versions: one transfer serves both.
    assert_eq!(states[0], "replaced");
    assert_eq!(states[3..], ["delivered"; 3]);
    rig.is_as_published(&NAMES);
    end(daemon);
}

#[test]
fn beside_each_other_each_version_has_names_of_its_own() {
    let rig = Rig::with(&[("on_exists: replace", "on_exists: error")]);
    rig.change_worker("  root: out\n", "  root: out\n  corrections: suffix\n");
    rig.run();
    let daemon = rig.daemon();
    rig.arrives();
    // One file anew: the other one is the first version's, and is not told of twice.
    rig.filegen.run("correct -c worker.yaml --date 2026-11-21 --files Loan0 --reason wrong").exits(0);
    rig.stand(&["delivered"; 5]);
    let names = rig.target();
    assert!(names.contains(&"loan0_20261121_v2.txt".to_owned()) && names.len() == 5, "{names:?}");
    assert_eq!(rig.order().last().map(String::as_str), Some("LoanWorker_20261121_v2.manifest.json"));
    end(daemon);
}

#[test]
fn a_version_with_the_bytes_of_an_earlier_one_is_told_and_not_taken_for_delivered() {
    let rig = Rig::new();
    rig.run();
    let daemon = rig.daemon();
    rig.arrives();
    rig.filegen.sql("UPDATE loans SET Customer = 'wrong' WHERE LoanId = 3");
    rig.filegen.run("correct -c worker.yaml --date 2026-11-21 --reason wrong").exits(0);
    rig.stand(&["delivered"; 6]);
    rig.filegen.sql("UPDATE loans SET Customer = 'customer 3' WHERE LoanId = 3");
    rig.filegen.run("correct -c worker.yaml --date 2026-11-21 --reason back").exits(0);
    let all = until("the refusal", || {
        let all = rig.deliveries();
        (all.len() == 9 && all[6]["state"] == "failed").then_some(all)
    });
    assert!(all[6]["reason"].as_str().unwrap().contains("corrections: suffix"), "{}", all[6]);
    assert_eq!(all[8]["state"], "due", "its manifest does not say that it is there");
    end(daemon);
}
