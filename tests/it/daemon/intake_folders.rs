//! A scheduler over folders that may not be read, and over one that holds very many files.

use super::intake::{Intake, SCHEDULER};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use crate::support::running::until;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

/// Files of a large folder: of more than are asked for at once. `FILEGEN_FILES` says otherwise: 100,000 take minutes.
const FILES: u64 = 4_000;

/// As whom the scheduler runs where this process is root's, who may read everything.
const USER: u32 = 4001;

fn make(intake: &Intake, name: &str, path: &str) -> String {
    let given = json!({
        "name": name, "path": path, "pattern": "**/*.csv", "recursive": true, "cronExpression": "* * * * * ?"
    });
    let made = intake.post(&given);
    assert_eq!(made.code, 201, "{}", made.body);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The latest execution of this outcome for which more holds.
fn look(intake: &Intake, id: &str, outcome: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(&format!("a look that {outcome}"), || {
        // A long look has many due times behind it.
        let history = intake.api.get(&format!("/api/v1/schedule/{id}/history?limit=1000"));
        let all = if history.code == 200 { history.json()["items"].as_array().cloned() } else { None };
        all.unwrap_or_default().into_iter().find(|it| it["outcome"] == outcome && holds(it))
    })
}

/// How many files were told.
fn discovered(intake: &Intake) -> u64 {
    let metrics = intake.daemon.get("/metrics").1;
    let counts = metrics.lines().filter(|line| line.starts_with("files_discovered_total"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn a_folder_or_a_file_that_may_not_be_read_fails_its_looks_and_no_others() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", SCHEDULER);
    for folder in ["data/in", "data/closed"] {
        fs::create_dir_all(filegen.path(folder)).unwrap();
        filegen.write(&format!("{folder}/a.csv"), "a");
    }
    filegen.write("data/in/secret.csv", "b");
    let rights = |name: &str, mode: u32| fs::set_permissions(filegen.path(name), Permissions::from_mode(mode)).unwrap();
    rights("data/in/secret.csv", 0o000);
    rights("data/closed", 0o000);
    let mut command = filegen.command("daemon -c intake.yaml --health-port 0");
    if rustix::process::geteuid().is_root() {
        for name in ["", "intake.yaml", "data", "data/in", "data/closed", "data/in/a.csv", "data/in/secret.csv"] {
            chown(filegen.path(name), Some(USER), Some(USER)).unwrap();
        }
        command.uid(USER).gid(USER);
    }
    let folder = filegen.path("data");
    let intake = Intake::of(filegen, &mut command);
    let (open, closed) = (make(&intake, "open", "data/in"), make(&intake, "closed", "data/closed"));
    let failed = look(&intake, &open, "Failed", |it| it["filesNew"] == 1);
    let error = failed["error"].as_str().unwrap();
    assert!(
        error.contains("1 of 2 files are new") && error.contains("secret.csv may not be read by the user"),
        "{error}"
    );
    let error = look(&intake, &closed, "Failed", |_| true)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("data/closed may not be read by the user"), "{error}");
    // With the right, each goes on by itself: what was told before is not told again.
    for (name, mode) in [("closed", 0o755), ("in/secret.csv", 0o644)] {
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
    }
    for id in [&open, &closed] {
        look(&intake, id, "Succeeded", |it| it["filesNew"] == 1);
        look(&intake, id, "Succeeded", |it| it["filesNew"] == 0);
    }
    stop([intake.daemon]);
}

#[test]
fn what_a_folder_hides_fails_its_looks_and_what_it_shows_is_told() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", SCHEDULER);
    fs::create_dir_all(filegen.path("data/in/closed")).unwrap();
    filegen.write("data/in/a.csv", "a");
    filegen.write("data/in/closed/b.csv", "b");
    let odd_name =
        |ending: &str| filegen.path("data/in").join(OsStr::from_bytes(&[b"caf\xe9", ending.as_bytes()].concat()));
    fs::write(odd_name(".csv"), "c").unwrap();
    fs::write(odd_name(".txt"), "not asked for").unwrap();
    fs::set_permissions(filegen.path("data/in/closed"), Permissions::from_mode(0o000)).unwrap();
    let mut command = filegen.command("daemon -c intake.yaml --health-port 0");
    if rustix::process::geteuid().is_root() {
        for name in ["", "intake.yaml", "data", "data/in", "data/in/closed"] {
            chown(filegen.path(name), Some(USER), Some(USER)).unwrap();
        }
        command.uid(USER).gid(USER);
    }
    let (closed, csv, renamed) = (filegen.path("data/in/closed"), odd_name(".csv"), filegen.path("data/in/cafe.csv"));
    let intake = Intake::of(filegen, &mut command);
    let id = make(&intake, "in", "data/in");
    let failed = look(&intake, &id, "Failed", |it| it["filesNew"] == 1);
    assert_eq!(failed["filesSeen"], 2, "{failed}");
    let error = failed["error"].as_str().unwrap();
    for part in
        ["1 of 2 files are new", "1 failed, 1 folder in it", "the name of caf\u{fffd}.csv", "in/closed may not be read"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(intake.api.get(&format!("/api/v1/schedule/{id}")).json()["lastStatus"], "Failed");
    // Mended, it goes on by itself.
    fs::set_permissions(closed, Permissions::from_mode(0o755)).unwrap();
    fs::rename(csv, renamed).unwrap();
    until("both files that were hidden", || (discovered(&intake) == 3).then_some(()));
    look(&intake, &id, "Succeeded", |it| it["filesSeen"] == 3 && it["filesNew"] == 0);
    stop([intake.daemon]);
}

#[test]
fn a_folder_of_very_many_files_is_told_once_and_keeps_no_other_waiting() {
    let files = std::env::var("FILEGEN_FILES").ok().and_then(|text| text.parse().ok()).unwrap_or(FILES);
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", SCHEDULER);
    for folder in ["data/large", "data/small"] {
        fs::create_dir_all(filegen.path(folder)).unwrap();
    }
    for number in 0..files {
        filegen.write(&format!("data/large/{number}.csv"), &number.to_string());
    }
    let intake = Intake::over(filegen);
    let (large, small) = (make(&intake, "large", "data/large"), make(&intake, "small", "data/small"));
    intake.filegen.write("data/small/a.csv", "a");
    look(&intake, &small, "Succeeded", |it| it["filesNew"] == 1);
    // As long as it gets on, it may take its time.
    for part in (0..=files).step_by(2_000) {
        until(&format!("{part} files that are told"), || (discovered(&intake) > part).then_some(()));
        let due = |it: &Value| it["dueTime"].as_str().map(str::to_owned);
        let last = due(&look(&intake, &small, "Succeeded", |_| true));
        look(&intake, &small, "Succeeded", |it| due(it) > last);
    }
    look(&intake, &large, "Succeeded", |it| it["filesNew"] == files);
    look(&intake, &large, "Succeeded", |it| it["filesNew"] == 0 && it["filesSeen"] == files);
    stop([intake.daemon]);
}
