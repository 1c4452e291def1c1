//! Two transfers over one folder.

use super::rig::{FILE, Rig, bytes};
use crate::support::filegen::Done;
use crate::support::running::Running;
use serde_json::json;
use std::collections::BTreeMap;

/// A second transfer over the folder of the usual one, to a target of its own.
fn beside(rig: &Rig, after: &str) {
    let other = FILE
        .replace("transfer: sales", "transfer: other")
        .replace("  error: error", &format!("  error: error2\n  after: {after}"))
        .replace("archive: archive", "archive: archive2")
        .replace("directory: target", "directory: target2")
        .replace("ledger.db", "ledger2.db");
    rig.filegen.write("other.yaml", &other);
}

#[test]
fn another_transfer_that_takes_the_same_files_is_told_and_refused_beside_it() {
    let rig = Rig::new();
    beside(&rig, "archive");
    let check = rig.filegen.run("config check -c t.yaml --output json").exits(0).json();
    let warning = &check["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["field"], &warning["line"]),
        (&json!("folder-twice"), &json!("collect.directory"), &json!(3))
    );
    assert!(warning["message"].as_str().unwrap().contains("other.yaml:3 collects the same files"), "{warning}");
    let doctor = rig.filegen.run("doctor -c t.yaml").exits(0).stdout;
    assert!(doctor.lines().any(|line| line.starts_with("warn") && line.contains("other.yaml:3 collects")), "{doctor}");
    for command in ["config check", "daemon --health-port 0"] {
        let refused = rig.filegen.run(&format!("{command} -c t.yaml -c other.yaml")).exits(3).stderr;
        assert!(refused.contains("transfers sales and other both collect `**/*` from"), "{refused}");
        assert!(refused.contains("a folder or a pattern of its own"), "{refused}");
    }
    // Where both leave the files, or each takes others, neither is in the other's way.
    let fits = |text: &str| rig.filegen.write("t.yaml", text);
    beside(&rig, "keep");
    rig.filegen.run("config check -c t.yaml -c other.yaml").exits(3);
    fits(&FILE.replace("  source: api", "  source: api\n  after: keep"));
    rig.filegen.run("config check -c t.yaml -c other.yaml").exits(0);
    fits(&FILE.replace("**/*", "**/*.csv"));
    rig.filegen.run("config check -c t.yaml -c other.yaml").exits(0);
    assert_eq!(rig.filegen.run("config check -c t.yaml --output json").exits(0).json()["warnings"], json!([]));
}

#[test]
fn two_transfers_over_one_folder_lose_no_file_and_bring_none_in_part() {
    let rig = Rig::new();
    beside(&rig, "archive");
    let all: BTreeMap<String, Vec<u8>> =
        (0..40).map(|number| (format!("f{number:02}"), bytes(number * 1500, number as u64))).collect();
    for (path, content) in &all {
        rig.put(path, content);
    }
    let run = |file: &str| Running::start(&mut rig.filegen.command(&format!("transfer run -c {file}")));
    for _ in 0..2 {
        let both: Vec<Done> = [run("t.yaml"), run("other.yaml")].map(Running::finish).into();
        assert!(both.iter().all(|done| done.code == Some(0)), "{both:?}");
    }
    assert!(rig.names("in").is_empty() && rig.names("error").is_empty() && rig.names("error2").is_empty());
    let (here, there) = (rig.files("target"), rig.files("target2"));
    for (path, content) in &all {
        let came = [here.get(path), there.get(path)];
        assert!(came.iter().any(Option::is_some), "{path} is lost");
        assert!(came.into_iter().flatten().all(|it| it == content), "{path}");
    }
    let kept: usize = ["archive", "archive2"].map(|shelf| rig.shelf(shelf).len()).iter().sum();
    assert_eq!(kept, all.len(), "each source is in one archive");
}
