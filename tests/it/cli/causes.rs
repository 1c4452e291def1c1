//! What a person is told when the worker file or what it names is wrong: exit code 3, what to do, and the same from each command.

use crate::support::filegen::{Done, Filegen};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

const RUN: &str = "run -c worker.yaml --date 2026-11-21";
const DOCTOR: &str = "doctor -c worker.yaml";

/// Each command ends with this code, and what it says holds this text. What is told on stderr has a hint.
#[track_caller]
fn each(filegen: &Filegen, commands: &[&str], code: i32, text: &str) {
    for command in commands {
        let Done { stdout, stderr, .. } = filegen.run(command).exits(code);
        assert!(format!("{stdout}{stderr}").contains(text), "{command}: {stdout}{stderr}");
        assert!(!stderr.contains("error:") || stderr.contains("hint:"), "{command}: {stderr}");
    }
}

#[test]
fn a_missing_database_file_is_3_in_every_command() {
    let filegen = Filegen::with_loans(30);
    filegen.publish();
    std::fs::rename(filegen.path("loans.db"), filegen.path("away.db")).unwrap();
    let verify = "verify -c worker.yaml --date 2026-11-21";
    let others = "run -c worker.yaml --date 2026-11-22";
    let (check, dry) = ("config check -c worker.yaml --source", "run -c worker.yaml --date 2026-11-22 --dry-run");
    let drill = "drill -c worker.yaml";
    each(&filegen, &[others, dry, DOCTOR, verify, check, drill], 3, "there is no such file");
    // In a folder that is none.
    filegen.edit("sqlite:loans.db", "sqlite:away.db/loans.db");
    each(&filegen, &[others, DOCTOR, check], 3, "there is no such file");
}

#[test]
fn a_file_that_is_no_database_is_3() {
    let filegen = Filegen::with_loans(3);
    filegen.write("loans.db", &"a text file that is longer than a header of SQLite\n".repeat(40));
    each(&filegen, &[RUN, DOCTOR], 3, "it is no SQLite database");
    filegen.edit("sqlite:loans.db", "sqlite:.");
    each(&filegen, &[RUN, DOCTOR], 3, "is a folder, not a database file");
}

#[test]
fn a_root_where_no_folder_can_be_made_is_3() {
    for root in ["/proc/filegen/out", "/proc/out", "/sys/out", "worker.yaml/out"] {
        let filegen = Filegen::with_loans(3);
        filegen.edit("root: out", &format!("root: {root}"));
        // With the state beside the files, and with a state of its own.
        each(&filegen, &[RUN, DOCTOR], 3, "out");
        filegen.edit("files:", "state: { url: 'sqlite:state.db' }\nfiles:");
        each(&filegen, &[RUN, DOCTOR], 3, "out");
    }
}

#[test]
fn a_state_store_that_is_none_is_3() {
    let filegen = Filegen::with_loans(3);
    filegen.edit("files:", "state: { url: 'sqlite:state.db' }\nfiles:");
    let status = "status -c worker.yaml";
    filegen.write("state.db", &"this is no database at all, but long enough to have a header\n".repeat(40));
    each(&filegen, &[RUN, DOCTOR, status], 3, "it is not a state file");
    std::fs::remove_file(filegen.path("state.db")).unwrap();
    rusqlite::Connection::open(filegen.path("state.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    each(&filegen, &[RUN, DOCTOR, status], 3, "another program's database");
    filegen.edit("sqlite:state.db", "sqlite:worker.yaml/state.db");
    each(&filegen, &[RUN, DOCTOR], 3, "state.url");
}

#[test]
fn a_key_that_is_not_unique_is_7_in_every_command() {
    let view = "DROP VIEW v_Loans; CREATE VIEW v_Loans AS SELECT LoanId / 2 AS LoanId, Customer, Amount FROM loans";
    for fetch in ["stream", "paged"] {
        let filegen = Filegen::with_loans(25);
        filegen.sql(view);
        filegen.edit("  page_size: 10", &format!("  page_size: 10\n  fetch: {fetch}"));
        each(&filegen, &[RUN, DOCTOR, "drill -c worker.yaml"], 7, "key");
    }
}

/// A folder on another device than this one.
fn elsewhere(than: &Path) -> (tempfile::TempDir, PathBuf) {
    let device = |path: &Path| path.metadata().unwrap().dev();
    let here = device(than);
    let others = [Path::new("/dev/shm"), Path::new(env!("CARGO_MANIFEST_DIR"))];
    let other = others.into_iter().find(|other| device(other) != here).expect("a folder on another device");
    let folder = tempfile::tempdir_in(other).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn a_sub_folder_on_another_device_is_found_before_anything_is_read() {
    let filegen = Filegen::with_loans(30);
    filegen.edit("name: \"loan0_{date}.txt\"", "name: \"sub/{date}/loan0.txt\"");
    std::fs::create_dir(filegen.path("out")).unwrap();
    let (_kept, other) = elsewhere(&filegen.path("out"));
    symlink(&other, filegen.path("out/sub")).unwrap();
    let run = filegen.run(RUN).exits(3).stderr;
    assert!(run.contains("`sub`") && run.contains("another device") && run.contains("hint:"), "{run}");
    assert!(!run.contains("reading 30 rows"), "nothing was read: {run}");
    let doctor = filegen.run(DOCTOR).exits(3).stdout;
    let found = doctor.lines().find(|line| line.contains("sub-folders")).unwrap_or_else(|| panic!("{doctor}"));
    assert!(found.starts_with("fail") && found.contains("another device"), "{found}");
    std::fs::remove_file(filegen.path("out/sub")).unwrap();
    std::fs::create_dir(filegen.path("out/sub")).unwrap();
    filegen.run(RUN).exits(0);
    assert!(filegen.run(DOCTOR).exits(0).stdout.contains("on the device of output.root"));
}

#[test]
fn a_where_that_the_source_refuses_is_shown_in_its_place() {
    let filegen = Filegen::with_loans(3);
    filegen.run("config check -c worker.yaml --source").exits(0);
    filegen.edit("Amount > 500", "Amont > 500");
    filegen.run("config check -c worker.yaml").exits(0);
    let json = filegen.run("config check -c worker.yaml --source --output json").exits(3).json();
    let problem = &json["problems"][0];
    assert_eq!(
        (problem["code"].as_str(), problem["field"].as_str()),
        (Some("refused-predicate"), Some("files[1].where"))
    );
    assert!(problem["message"].as_str().unwrap().contains("Amont"), "{problem}");
    let text = filegen.read("worker.yaml");
    let line = text.lines().position(|line| line.contains("Amont")).unwrap() + 1;
    assert_eq!(problem["line"], line, "{problem}");
    let told = filegen.run(DOCTOR).exits(3).stdout;
    assert!(told.lines().any(|line| line.starts_with("fail") && line.contains("Amont")), "{told}");
}

#[test]
fn a_state_file_that_others_of_the_group_may_not_write_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let filegen = Filegen::with_loans(3);
    filegen.publish();
    let set =
        |path: &str, mode| std::fs::set_permissions(filegen.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    set("out", 0o2775);
    set("out/.filegen/state.db", 0o644);
    let told = filegen.run(DOCTOR).exits(0).stdout;
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("permissions") && line.contains("state")).collect();
    let [found] = lines[..] else { panic!("one line about the state file: {told}") };
    assert!(found.starts_with("warn") && found.contains("state.db") && found.contains("chmod g+rw"), "{found}");
}

#[test]
fn two_worker_files_of_one_worker_in_one_folder_are_found() {
    let filegen = Filegen::with_loans(3);
    std::fs::remove_file(filegen.path("worker.yaml")).unwrap();
    let init = |name: &str| {
        filegen.run(&format!("config init --from sqlite:loans.db --view v_Loans -c {name}")).exits(0).stderr
    };
    assert!(!init("a.yaml").contains("warning"));
    assert!(init("b.yaml").contains("./a.yaml:3 declares this worker too"), "found when it is made");
    let json = filegen.run("config check -c b.yaml --output json").exits(0).json();
    let warning = &json["warnings"][0];
    assert_eq!(
        (warning["code"].as_str(), warning["field"].as_str(), &warning["line"]),
        (Some("worker-twice"), Some("worker"), &3.into())
    );
    assert!(warning["message"].as_str().unwrap().contains("a.yaml:3"), "{warning}");
    let doctor = filegen.run("doctor -c a.yaml").exits(0).stdout;
    assert!(doctor.lines().any(|line| line.starts_with("warn") && line.contains("b.yaml:3 declares")), "{doctor}");
    let together = filegen.run("config check -c a.yaml -c b.yaml").exits(3).stderr;
    assert!(together.contains("stands in a.yaml and in b.yaml") && !together.contains("declares"), "{together}");
    // With a root of its own it is another environment's.
    filegen.write("b.yaml", &filegen.read("b.yaml").replace("root: out", "root: other"));
    assert_eq!(filegen.run("config check -c b.yaml --output json").exits(0).json()["warnings"], serde_json::json!([]));
}

#[test]
fn names_that_a_correction_takes_beside_the_old_ones_are_found() {
    let filegen = Filegen::with_loans(3);
    filegen.edit("loan1_{date}.csv", "loan0_{date}_v2.txt");
    filegen.run("config check -c worker.yaml").exits(0);
    filegen.edit("root: out", "root: out\n  corrections: suffix");
    let told = || filegen.run("config check -c worker.yaml --output json").exits(3).json()["problems"][0].take();
    let problem = told();
    assert_eq!((&problem["line"], &problem["field"]), (&18.into(), &"files[1].name".into()), "{problem}");
    assert!(problem["message"].as_str().unwrap().contains("which version 2 of file Loan0 takes"), "{problem}");
    filegen.edit("loan0_{date}_v2.txt", "{worker}_{date}_v12.manifest.json");
    let problem = told();
    assert!(problem["message"].as_str().unwrap().contains("which version 12 of the manifest takes"), "{problem}");
    // Of another worker in one root.
    filegen.edit("{worker}_{date}_v12.manifest.json", "loan1_{date}.csv");
    let other =
        filegen.read("worker.yaml").replace("worker: LoanWorker", "worker: Other").replace("corrections: suffix", "");
    filegen.write("other.yaml", &other.replace("loan0_{date}", "loan0_{date}_v3").replace("loan1_{date}", "x_{date}"));
    filegen.run("config check -c other.yaml").exits(0);
    let told = filegen.run("config check -c worker.yaml -c other.yaml").exits(3).stderr;
    assert!(told.contains("version 3 of worker LoanWorker takes") && told.contains("_v3.txt"), "{told}");
}
