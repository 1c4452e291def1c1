//! Files that the transfer refuses for good: told with the reason, the manifest waits, and a redrive goes on.

use super::rig::{NAMES, Rig, end};
use crate::support::running::until;
use std::fs;

#[test]
fn a_file_that_is_refused_at_the_target_keeps_the_manifest_and_goes_on_after_a_redrive() {
    let rig = Rig::with(&[("on_exists: replace", "on_exists: error")]);
    fs::create_dir(rig.filegen.path("target")).unwrap();
    rig.filegen.write(&format!("target/{}", NAMES[0]), "somebody else's");
    rig.run();
    let daemon = rig.daemon();
    let all = rig.stand(&["failed", "delivered", "due"]);
    let reason = all[0]["reason"].as_str().unwrap();
    assert!(reason.contains(NAMES[0]), "{reason}");
    let table = rig.filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(table.contains("failed") && table.contains("Loan0"), "{table}");
    let page = daemon.get("/").1;
    assert!(page.contains("refused"), "{page}");
    assert!(!rig.target().contains(&NAMES[2].to_owned()), "the manifest is behind all its files");
    let metrics = daemon.get("/metrics").1;
    let has = |name: &str, value: &str| {
        metrics.lines().any(|line| line.starts_with(&format!("{name}{{worker=\"LoanWorker\"")) && line.ends_with(value))
    };
    assert!(has("filegen_deliveries_failed", " 1") && has("filegen_deliveries_waiting", " 1"), "{metrics}");
    // A restart changes nothing of it.
    end(daemon);
    let daemon = rig.daemon();
    until("leading", || daemon.get("/").1.contains("leads with token").then_some(()));
    rig.stand(&["failed", "delivered", "due"]);
    fs::remove_file(rig.filegen.path("target").join(NAMES[0])).unwrap();
    rig.filegen.run("transfer redrive --all --reason mended -c t.yaml").exits(0);
    rig.arrives();
    let all = rig.stand(&["delivered"; 3]);
    assert!(all[0]["reason"].is_null());
    end(daemon);
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]));
}

#[test]
fn a_name_that_is_taken_waits_until_it_is_free() {
    let rig = Rig::new();
    fs::create_dir(rig.filegen.path("handover")).unwrap();
    // A link is no file that the transfer takes, and it has the name.
    std::os::unix::fs::symlink("nowhere", rig.filegen.path("handover").join(NAMES[0])).unwrap();
    rig.run();
    let daemon = rig.daemon();
    let told = until("told", || {
        let all = rig.deliveries();
        all.first().and_then(|one| one["reason"].as_str().map(str::to_owned)).filter(|reason| !reason.is_empty())
    });
    assert!(told.contains("another file of this name"), "{told}");
    assert!(rig.target().is_empty(), "the files go in their order: {:?}", rig.target());
    let _ = fs::remove_file(rig.filegen.path("handover").join(NAMES[0]));
    rig.arrives();
    end(daemon);
}
