//! What `doctor` and the example say.

use super::rig::{Rig, end};
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::running::until;
use std::fs;
use std::path::Path;

#[test]
fn doctor_says_whether_files_can_be_handed_over() {
    let rig = Rig::new();
    let said = rig.filegen.run("doctor -c worker.yaml").exits(0).stdout;
    assert!(said.contains("hand-over") && said.contains("-c FILE"), "{said}");
    let said = rig.filegen.run("doctor -c worker.yaml -c t.yaml").exits(0).stdout;
    assert!(said.contains("get a second name"), "{said}");
    assert!(rig.names("handover").is_empty());
    rig.run();
    let said = rig.filegen.run("doctor -c worker.yaml -c t.yaml").exits(0).stdout;
    assert!(said.contains("3 files on the way"), "{said}");
    fs::remove_dir(rig.filegen.path("handover")).unwrap();
    fs::write(rig.filegen.path("handover"), "").unwrap();
    let all = rig.filegen.run("doctor -c worker.yaml -c t.yaml --output json");
    let checks = all.json()["checks"].as_array().unwrap().clone();
    let failed = checks.iter().find(|one| one["check"] == "hand-over").unwrap();
    assert_eq!((&failed["area"], &failed["verdict"]), (&"deliver".into(), &"fail".into()), "{failed}");
    rig.filegen.run("doctor -c worker.yaml -c worker.yaml").exits(2);
}

#[test]
fn the_example_is_delivered_with_nothing_installed() {
    let (filegen, examples) = (Filegen::empty(), Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    for name in ["delivered.yaml", "partner.yaml", "loans.db"] {
        fs::copy(examples.join(name), filegen.path(name)).unwrap();
    }
    assert_eq!(filegen.run("config check -c delivered.yaml -c partner.yaml").exits(0).stderr, "");
    filegen.run("run -c delivered.yaml --date 2026-11-21").exits(0);
    let daemon = Daemon::of(&mut filegen.command("daemon -c delivered.yaml -c partner.yaml --health-port 0"));
    let there = until("the partner's files", || {
        let names = fs::read_dir(filegen.path("out/partner/delivered")).ok()?;
        let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        (names.len() == 3).then_some(names)
    });
    assert_eq!(there, ["DeliveredLoans_20261121.manifest.json", "late_20261121.jsonl", "loans_20261121.csv"]);
    for name in &there {
        let (published, arrived) = (format!("out/delivered/{name}"), format!("out/partner/delivered/{name}"));
        assert_eq!(filegen.read(&published), filegen.read(&arrived));
    }
    until("the status", || {
        let told = filegen.run("status -c delivered.yaml").exits(0).stdout;
        (told.matches("delivered").count() >= 3 && told.contains("manifest")).then_some(())
    });
    end(daemon);
}
