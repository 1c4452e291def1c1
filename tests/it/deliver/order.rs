//! Files first, then the manifest: also where a file is slow, and where the transfer is served only later.

use super::rig::{NAMES, Rig, end};
use crate::support::running::until;
use std::fs;
use std::os::unix::fs::MetadataExt;

#[test]
fn what_is_published_is_delivered_once_the_manifest_last_and_stays_where_it_is() {
    let rig = Rig::new();
    let said = rig.run();
    assert!(said.stdout.contains("transfer sales") || said.stderr.contains("transfer sales"), "{said:?}");
    let daemon = rig.daemon();
    rig.arrives();
    let all = rig.stand(&["delivered"; 3]);
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]));
    rig.delivered_once();
    let items: Vec<_> = all.iter().map(|one| one["item"].as_str().unwrap()).collect();
    assert_eq!(items, ["Loan0", "Loan1", "manifest"]);
    for one in &all {
        assert_eq!(one["transfer"], "sales");
        assert!(one["deliveredAt"].is_string() && one["handedOverAt"].is_string(), "{one}");
        let shown = rig.filegen.run(&format!("transfer show {} -c t.yaml", one["transferId"].as_str().unwrap()));
        assert!(shown.exits(0).stdout.contains(one["path"].as_str().unwrap()));
    }
    // Published files are lent, not given: a second name of the same file went through the archive.
    let published = fs::metadata(rig.filegen.path("out").join(NAMES[0])).unwrap();
    assert_eq!((published.nlink(), published.mode() & 0o222), (2, 0), "the archive's name, and nobody writes to it");
    let log = end(daemon);
    assert_eq!(log.matches("receipt of the file is there").count(), 3, "{log}");
    // A restart finds nothing to do.
    let daemon = rig.daemon();
    until("leading", || daemon.get("/").1.contains("leads with token").then_some(()));
    rig.stand(&["delivered"; 3]);
    assert!(!end(daemon).contains("handed over"));
    rig.delivered_once();
}

#[test]
fn the_manifest_waits_for_a_file_that_is_slow() {
    let rig = Rig::new();
    rig.run();
    // Somebody's mark keeps the first file where it is; the second, and the manifest, could go long before.
    fs::create_dir(rig.filegen.path("handover")).unwrap();
    let mark = format!("handover/{}.lock", NAMES[0]);
    rig.filegen.write(&mark, "");
    let daemon = rig.daemon();
    rig.stand(&["handed-over", "delivered", "due"]);
    assert_eq!(rig.target(), [NAMES[1]]);
    end(daemon);
    let daemon = rig.daemon();
    until("leading", || daemon.get("/").1.contains("leads with token").then_some(()));
    rig.stand(&["handed-over", "delivered", "due"]);
    fs::remove_file(rig.filegen.path(&mark)).unwrap();
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    assert_eq!(rig.order(), [NAMES[1], NAMES[0], NAMES[2]]);
    end(daemon);
}

#[test]
fn what_is_sent_and_not_there_yet_is_not_delivered() {
    let rig = Rig::new();
    rig.run();
    // The target cannot be used for now.
    fs::write(rig.filegen.path("target"), "in the way").unwrap();
    let daemon = rig.daemon();
    let all = until("both files sent", || {
        let all = rig.deliveries();
        (all.len() == 3 && all[..2].iter().all(|one| one["transferId"].is_string())).then_some(all)
    });
    assert_eq!(all.iter().map(|one| &one["state"]).collect::<Vec<_>>(), ["handed-over", "handed-over", "due"]);
    assert!(all.iter().all(|one| one["deliveredAt"].is_null()), "{all:?}");
    fs::remove_file(rig.filegen.path("target")).unwrap();
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    assert_eq!(rig.order().last().map(String::as_str), Some(NAMES[2]));
    end(daemon);
}

#[test]
fn a_transfer_that_is_served_only_later_gets_what_is_due() {
    let rig = Rig::new();
    rig.run();
    rig.stand(&["due"; 3]);
    // Nothing collects: what is handed over waits, and so does the manifest.
    fs::write(rig.filegen.path("handover"), "in the way").unwrap();
    let daemon = rig.daemon();
    until("told", || daemon.get("/health/ready").1.contains("cannot be brought to sales").then_some(()));
    let all = rig.stand(&["due"; 3]);
    assert!(all[0]["reason"].as_str().unwrap().contains("handover"), "{all:?}");
    assert!(daemon.get("/").1.contains("cannot be brought to sales"));
    fs::remove_file(rig.filegen.path("handover")).unwrap();
    rig.arrives();
    let all = rig.stand(&["delivered"; 3]);
    assert!(all.iter().all(|one| one["reason"].is_null()), "{all:?}");
    until("ready", || (daemon.get("/health/ready").0 == 200).then_some(()));
    assert!(end(daemon).contains("deliver: trying again"));
}

#[test]
fn across_file_systems_files_are_copied() {
    let other = if rig_device(".") == rig_device("/dev/shm") { "/tmp" } else { "/dev/shm" };
    let folder = tempfile::tempdir_in(other).unwrap();
    let rig = Rig::with(&[
        ("directory: handover", &format!("directory: {}/in", folder.path().display())),
        ("archive: archive", &format!("archive: {}/archive", folder.path().display())),
        ("error: error", &format!("error: {}/error", folder.path().display())),
    ]);
    rig.run();
    let daemon = rig.daemon();
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    end(daemon);
    rig.delivered_once();
}

fn rig_device(path: &str) -> u64 {
    let folder = if path == "." { std::env::temp_dir() } else { path.into() };
    fs::metadata(folder).unwrap().dev()
}

#[test]
fn a_date_that_was_published_before_is_delivered_when_it_is_asked_for() {
    let rig = Rig::new();
    rig.change_worker("deliver: sales\n", "");
    rig.run();
    assert!(rig.deliveries().is_empty());
    rig.filegen.write("worker.yaml", &(rig.filegen.read("worker.yaml") + "deliver: sales\n"));
    let daemon = rig.daemon();
    until("leading", || daemon.get("/").1.contains("leads with token").then_some(()));
    assert!(rig.target().is_empty());
    rig.run();
    rig.arrives();
    rig.stand(&["delivered"; 3]);
    end(daemon);
}
