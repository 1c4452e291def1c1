//! A manifest under a run's name: by hand, by a copy, and on a volume that was restored without its state store.

use crate::support::filegen::Filegen;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;

const MANIFEST: &str = "out/LoanWorker_20261121.manifest.json";

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
fn files_of_one_day_under_the_names_of_another_make_no_run_published() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    let other = |text: &str| text.replace("20261121", "20261120").replace("2026-11-21", "2026-11-20");
    for name in ["loan0_20261121.txt", "loan1_20261121.csv"] {
        fs::copy(filegen.path(&format!("out/{name}")), filegen.path(&other(&format!("out/{name}")))).unwrap();
    }
    filegen.write(&other(MANIFEST), &other(&filegen.read(MANIFEST)));
    let said = filegen.run("run -c worker.yaml --date 2026-11-20").exits(4).stderr;
    assert!(said.contains("`.filegen/LoanWorker/20261120` has no manifest of holder"), "{said}");
    assert_eq!(recorded(&filegen).len(), 2, "nothing is recorded of the other day");
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

/// Puts another manifest in the place of the one that is there, which is read-only.
fn forge(filegen: &Filegen, spoil: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_str(&filegen.read(MANIFEST)).unwrap();
    spoil(&mut manifest);
    fs::remove_file(filegen.path(MANIFEST)).unwrap();
    filegen.write(MANIFEST, &manifest.to_string());
}

fn version_2(manifest: &mut Value) {
    manifest["version"] = json!(2);
    for file in manifest["files"].as_array_mut().unwrap() {
        file["version"] = json!(2);
    }
}

/// Ids of the events that were recorded.
fn recorded(filegen: &Filegen) -> Vec<String> {
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let mut found = state.prepare("SELECT event FROM file_status WHERE event IS NOT NULL ORDER BY 1").unwrap();
    let events = found.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let id =
        |event: String| serde_json::from_str::<Value>(&event).unwrap()["correlationId"].as_str().unwrap().to_owned();
    events.map(|event| id(event.unwrap())).collect()
}

#[test]
fn a_made_up_next_version_is_not_believed_and_tells_nobody_anything() {
    type Spoil = fn(&mut Value);
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    let (true_one, ids) = (filegen.read(MANIFEST), recorded(&filegen));
    assert_eq!(ids.len(), 2, "{ids:?}");
    let forged: [(&str, Spoil); 7] = [
        ("differs from what holder", |manifest| manifest["files"][0]["controlTotals"]["Amount"] = json!("0.01")),
        ("differs from what holder", |manifest| manifest["sourceRows"] = json!(13)),
        ("no `.filegen/LoanWorker/20261121/v2`", version_2),
        ("other files", |manifest| {
            version_2(manifest);
            manifest["files"] = json!([]);
        }),
        ("no `.filegen/LoanWorker/20261121/v2`", |manifest| {
            version_2(manifest);
            for file in manifest["files"].as_array_mut().unwrap() {
                file.as_object_mut().unwrap().remove("name");
            }
        }),
        ("leaves out file Loan0", |manifest| manifest["files"] = json!([])),
        ("recorded another file", |manifest| manifest["files"][0]["sha256"] = json!("0".repeat(64))),
    ];
    for (why, spoil) in forged {
        forge(&filegen, spoil);
        let said = run(&filegen, 4);
        assert!(said.contains(why), "{why}: {said}");
        assert_eq!(recorded(&filegen), ids, "{why}");
        forge(&filegen, |manifest| *manifest = serde_json::from_str(&true_one).unwrap());
        run(&filegen, 0);
    }
}

#[test]
fn verify_tells_what_a_manifest_says_otherwise_than_its_holder() {
    type Spoil = fn(&mut Value);
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    let (true_one, verify) = (filegen.read(MANIFEST), "verify -c worker.yaml --date 2026-11-21");
    filegen.run(verify).exits(0);
    let forged: [Spoil; 3] = [
        |manifest| manifest["files"][0]["controlTotals"]["Amount"] = json!("0.01"),
        |manifest| manifest["sourceRows"] = json!(13),
        |manifest| manifest["completedAt"] = json!("2020-01-01T00:00:00Z"),
    ];
    for (number, spoil) in forged.into_iter().enumerate() {
        forge(&filegen, spoil);
        for command in [verify.to_owned(), format!("{verify} --full")] {
            let told = filegen.run(&command).exits(4);
            let all = format!("{}{}", told.stdout, told.stderr);
            assert!(all.contains("differs from what holder"), "{number} {command}: {all}");
        }
        forge(&filegen, |manifest| *manifest = serde_json::from_str(&true_one).unwrap());
    }
    filegen.run(verify).exits(0);
}

#[test]
fn a_correction_takes_away_no_file_that_only_a_manifest_gives_to_its_date() {
    for with_store in [true, false] {
        let filegen = Filegen::with_loans(12);
        filegen.run("run -c worker.yaml --date 2026-11-20").exits(0);
        filegen.publish();
        let true_one = filegen.read(MANIFEST);
        let other: Value = serde_json::from_str(&filegen.read("out/LoanWorker_20261120.manifest.json")).unwrap();
        let yesterday = filegen.read("out/loan0_20261120.txt");
        if !with_store {
            forget(&filegen);
        }
        forge(&filegen, |manifest| manifest["files"] = other["files"].clone());
        let done = filegen.run("correct -c worker.yaml --date 2026-11-21 --reason late-rows").exits(4);
        assert!(done.stderr.contains("is not believed"), "{}", done.stderr);
        assert_eq!(filegen.read("out/loan0_20261120.txt"), yesterday);
        assert!(filegen.has("out/loan0_20261121.txt"), "nothing is withdrawn");
        forge(&filegen, |manifest| *manifest = serde_json::from_str(&true_one).unwrap());
        filegen.run("correct -c worker.yaml --date 2026-11-21 --reason late-rows").exits(0);
        let manifest: Value = serde_json::from_str(&filegen.read(MANIFEST)).unwrap();
        assert_eq!(manifest["version"], 2);
    }
}

#[test]
fn a_corrected_date_is_believed_after_a_restore_of_its_volume() {
    for files in ["", "--files Loan0"] {
        let filegen = Filegen::with_loans(12);
        filegen.publish();
        filegen.sql("UPDATE loans SET Customer = 'changed' WHERE LoanId = 5");
        filegen.run(&format!("correct -c worker.yaml --date 2026-11-21 --reason late-rows {files}")).exits(0);
        let manifest = filegen.read(MANIFEST);
        forget(&filegen);
        let said = run(&filegen, 0);
        assert!(said.contains("`loan0_20261121.txt` is checked") && said.contains("already published"), "{said}");
        let ids = recorded(&filegen);
        assert_eq!((ids.len(), ids[0].as_str()), (2, "LoanWorker:Loan0:2026112102"), "{ids:?}");
        // The next correction goes on from there.
        filegen.sql("UPDATE loans SET Customer = 'again' WHERE LoanId = 5");
        filegen.run("correct -c worker.yaml --date 2026-11-21 --reason again").exits(0);
        assert!(filegen.read("out/loan0_20261121.txt").contains("again") && filegen.read(MANIFEST) != manifest);
        filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    }
}

#[test]
fn whatever_has_a_manifests_name_and_is_none_is_not_believed() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    forge(&filegen, |manifest| manifest["files"][0]["replaced"]["overflow"] = json!(-1));
    assert!(run(&filegen, 4).contains("is not believed"));
    fs::remove_file(filegen.path(MANIFEST)).unwrap();
    fs::File::create(filegen.path(MANIFEST)).unwrap().set_len(17 << 20).unwrap();
    let said = run(&filegen, 4);
    assert!(said.contains("is not believed") && said.contains("16 MiB"), "{said}");
}

#[test]
fn a_correction_takes_its_number_from_no_forged_manifest() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    let true_one = filegen.read(MANIFEST);
    for version in [7, u32::MAX] {
        forge(&filegen, |manifest| manifest["version"] = json!(version));
        let done = filegen.run("correct -c worker.yaml --date 2026-11-21 --reason late-rows").exits(4);
        assert!(done.stderr.contains("is not believed"), "{}", done.stderr);
        forge(&filegen, |manifest| *manifest = serde_json::from_str(&true_one).unwrap());
    }
    filegen.run("correct -c worker.yaml --date 2026-11-21 --reason late-rows").exits(0);
    let manifest: Value = serde_json::from_str(&filegen.read(MANIFEST)).unwrap();
    assert_eq!(manifest["version"], 2);
}
