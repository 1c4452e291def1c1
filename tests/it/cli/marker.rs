//! A manifest under a run's name: by hand, by a copy, and on a volume that was restored without its state store.

use crate::support::filegen::Filegen;
use std::fs;
use std::os::unix::fs::symlink;

fn run(filegen: &Filegen, code: i32) -> String {
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(code).stderr
}

/// As after a restore of the volume alone.
fn forget(filegen: &Filegen) {
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(filegen.path(&format!("out/.filegen/{name}")));
    }
}

#[test]
fn a_manifest_of_another_day_makes_no_run_published() {
    let filegen = Filegen::with_loans(12);
    filegen.run("run -c worker.yaml --date 2026-11-20").exits(0);
    let manifest = |day: u32| filegen.path(&format!("out/LoanWorker_202611{day}.manifest.json"));
    fs::copy(manifest(20), manifest(21)).unwrap();
    let said = run(&filegen, 4);
    assert!(said.contains("it is the manifest of run LoanWorker:2026-11-20") && said.contains("moved away"), "{said}");
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    let today = &status["workers"][0]["runs"][0];
    assert_eq!((today["businessDate"].as_str(), today["status"].as_str()), (Some("2026-11-21"), Some("failed")));
    assert_eq!(today["files"].as_array().map(Vec::len), Some(0), "no event: {status}");
    filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --dry-run").exits(1);
    fs::remove_file(manifest(21)).unwrap();
    run(&filegen, 0);
    assert!(filegen.has("out/loan0_20261121.txt"));
}

#[test]
fn a_restored_volume_is_read_once_and_believed() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    forget(&filegen);
    let said = run(&filegen, 0);
    assert!(said.contains("`loan0_20261121.txt` is checked") && said.contains("already published"), "{said}");
    let said = run(&filegen, 0);
    assert!(!said.contains("is checked"), "the store knows now: {said}");
    let events = filegen.run("publish-completion -c worker.yaml --date 2026-11-21 --dry-run --output json").exits(0);
    assert_eq!(events.json()["events"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_file_in_whose_place_a_link_stands_proves_nothing() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    forget(&filegen);
    let (file, elsewhere) = (filegen.path("out/loan1_20261121.csv"), filegen.path("elsewhere.csv"));
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    let said = run(&filegen, 4);
    assert!(said.contains("`loan1_20261121.csv`") && said.contains("is not believed"), "{said}");
    fs::remove_file(&file).unwrap();
    fs::rename(&elsewhere, &file).unwrap();
    run(&filegen, 0);
}
