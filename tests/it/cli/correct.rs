//! `filegen correct`: a published date as its next version, seen by every command; and what is refused.

use crate::support::daemon::{Daemon, worker};
use crate::support::filegen::{Done, Filegen, names_below};
use crate::support::running::Running;
use rustix::process::Signal;
use serde_json::{Value, json};

const CORRECT: &str = "correct -c worker.yaml --date 2026-11-21 --reason late-rows";

fn manifest(filegen: &Filegen, name: &str) -> Value {
    serde_json::from_str(&filegen.read(&format!("out/{name}.manifest.json"))).unwrap()
}

fn events(filegen: &Filegen) -> Vec<Value> {
    let args = "publish-completion -c worker.yaml --date 2026-11-21 --dry-run --output json";
    let json = filegen.run(args).exits(0).json();
    json["events"].as_array().unwrap().iter().map(|message| message["value"].clone()).collect()
}

fn status(filegen: &Filegen) -> Value {
    let json = filegen.run("status -c worker.yaml --output json").exits(0).json();
    json["workers"][0]["runs"][0].clone()
}

/// Sixty loans, published, and one changed since.
fn published() -> Filegen {
    let filegen = Filegen::with_loans(60);
    filegen.publish();
    filegen.sql("UPDATE loans SET Customer = 'changed' WHERE LoanId = 55");
    filegen
}

/// The command with a reason of several words.
fn because(filegen: &Filegen, reason: &str, more: &str) -> Done {
    let mut command = filegen.command(&format!("correct -c worker.yaml --date 2026-11-21 {more}"));
    Filegen::finish(command.args(["--reason", reason]))
}

#[test]
fn a_corrected_date_is_its_next_version_for_every_command() {
    let filegen = published();
    let first = events(&filegen);
    assert_eq!((&first[0]["version"], first[0].get("reason")), (&1.into(), None));
    assert_eq!(status(&filegen)["version"], 1);
    let done = because(&filegen, "late <b>rows</b>, INC-4711", "").exits(0);
    assert!(done.stdout.contains("version 2: late <b>rows</b>, INC-4711"), "{}", done.stdout);

    let second = manifest(&filegen, "LoanWorker_20261121");
    assert_eq!((&second["version"], &second["reason"]), (&2.into(), &"late <b>rows</b>, INC-4711".into()));
    assert_eq!(second["files"][0]["version"], 2);
    assert!(filegen.read("out/loan0_20261121.txt").contains("changed"));
    let kept = filegen.read("out/.filegen/LoanWorker/20261121/v1/kept/Loan0");
    assert!(!kept.contains("changed") && kept.contains("customer 55"), "{kept}");

    let events = events(&filegen);
    assert_eq!(events[1]["correlationId"], "LoanWorker:Loan1:2026112102");
    assert_eq!((&events[1]["version"], &events[1]["reason"]), (&2.into(), &second["reason"]));
    let [_, action, detail, reason] = filegen.audits().pop().unwrap();
    assert_eq!((action.as_str(), reason.as_str()), ("correct", "late <b>rows</b>, INC-4711"));
    assert!(detail.contains("LoanWorker:2026-11-21, version 2 of all files"), "{detail}");

    let run = status(&filegen);
    assert_eq!(
        (&run["status"], &run["version"], &run["correction"]["reason"]),
        (&"published".into(), &2.into(), &reason.into())
    );
    let text = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(text.contains("2026-11-21: version 2, corrected by"), "{text}");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    let looked = filegen.run("inspect-headers --deep -c worker.yaml --output json").exits(0).json();
    let states: Vec<&str> =
        looked["files"].as_array().unwrap().iter().filter_map(|file| file["state"].as_str()).collect();
    assert_eq!(states, ["published", "published", "kept", "kept"]);

    filegen.sql("UPDATE loans SET Customer = 'again' WHERE LoanId = 55");
    filegen.run(CORRECT).exits(0);
    assert_eq!(manifest(&filegen, "LoanWorker_20261121")["version"], 3);
    assert!(filegen.read("out/.filegen/LoanWorker/20261121/v2/kept/Loan0").contains("changed"));
    assert!(filegen.read("out/loan0_20261121.txt").contains("again"));
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    assert_eq!(filegen.publish().stderr.matches("already published").count(), 1);
}

#[test]
fn some_files_are_made_anew_and_the_others_keep_their_version() {
    let filegen = Filegen::with_loans(60);
    filegen.publish();
    // A row of the first file alone.
    filegen.sql("UPDATE loans SET Customer = 'changed' WHERE LoanId = 5");
    let loan1 = filegen.read("out/loan1_20261121.csv");
    filegen.run(&format!("{CORRECT} --files Loan0")).exits(0);
    let second = manifest(&filegen, "LoanWorker_20261121");
    let versions: Vec<&Value> = second["files"].as_array().unwrap().iter().map(|file| &file["version"]).collect();
    assert_eq!((&second["version"], versions), (&2.into(), vec![&json!(2), &json!(1)]));
    assert_eq!(filegen.read("out/loan1_20261121.csv"), loan1);
    assert!(filegen.read("out/loan0_20261121.txt").contains("changed"));
    let ids: Vec<Value> = events(&filegen).iter().map(|event| event["correlationId"].clone()).collect();
    assert_eq!(ids, ["LoanWorker:Loan0:2026112102", "LoanWorker:Loan1:2026112101"]);
    // Each file by the journal of the version that made it.
    let all = filegen.run("verify -c worker.yaml --date 2026-11-21 --full --output json").exits(0).json();
    assert_eq!((all["verdict"].as_str(), &all["pagesCompared"]), (Some("same"), &12.into()), "{all}");
    filegen.sql("UPDATE loans SET Customer = 'moved' WHERE LoanId = 58");
    let moved = filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(4).stdout;
    assert!(moved.contains("moved") && moved.contains("loan1_20261121.csv"), "{moved}");
    filegen.sql("UPDATE loans SET Customer = 'customer 58' WHERE LoanId = 58");
    filegen.run("inspect-headers --deep -c worker.yaml").exits(0);
    // The third version makes the other file anew, and keeps the first one's second version.
    filegen.run(&format!("{CORRECT} --files Loan1")).exits(0);
    let third = manifest(&filegen, "LoanWorker_20261121");
    let versions: Vec<&Value> = third["files"].as_array().unwrap().iter().map(|file| &file["version"]).collect();
    assert_eq!((&third["version"], versions), (&3.into(), vec![&json!(2), &json!(3)]));
    assert_eq!(filegen.read("out/.filegen/LoanWorker/20261121/v2/kept/Loan1"), loan1);
    filegen.run("inspect-headers --deep -c worker.yaml").exits(0);
}

#[test]
fn with_a_suffix_the_new_files_stand_beside_the_old_ones() {
    let filegen = published();
    filegen.edit("root: out", "root: out\n  corrections: suffix");
    let old = filegen.read("out/loan0_20261121.txt");
    for version in [2, 3] {
        filegen.sql(&format!("UPDATE loans SET Customer = 'in version {version}' WHERE LoanId = 55"));
        filegen.run(CORRECT).exits(0);
        assert_eq!(filegen.read("out/loan0_20261121.txt"), old);
        assert_eq!(manifest(&filegen, "LoanWorker_20261121")["version"], 1);
        let new = manifest(&filegen, &format!("LoanWorker_20261121_v{version}"));
        let name = format!("loan0_20261121_v{version}.txt");
        assert_eq!((&new["version"], &new["files"][0]["name"]), (&version.into(), &name.as_str().into()));
        assert!(filegen.read(&format!("out/{name}")).contains(&format!("in version {version}")));
        assert_eq!(events(&filegen)[0]["path"], name.as_str());
        filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    }
    // Names that were given stay: where versions stand side by side, the next one does too.
    filegen.edit("corrections: suffix", "corrections: replace");
    filegen.run(CORRECT).exits(0);
    assert_eq!(manifest(&filegen, "LoanWorker_20261121_v4")["version"], 4);
    assert_eq!(filegen.read("out/loan0_20261121.txt"), old);
}

#[test]
fn what_cannot_be_corrected_is_refused_and_changes_nothing() {
    let filegen = Filegen::with_loans(30);
    let never = filegen.run(CORRECT).exits(1);
    assert!(never.stderr.contains("was never published"), "{}", never.stderr);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    let failed = filegen.run(CORRECT).exits(1);
    assert!(failed.stderr.contains("is not published yet, it is failed"), "{}", failed.stderr);
    filegen.sql("UPDATE loans SET Customer = 'a b' WHERE LoanId = 23");
    filegen.publish();
    let unknown = filegen.run(&format!("{CORRECT} --files Loan9")).exits(1);
    assert!(unknown.stderr.contains("it has Loan0, Loan1"), "{}", unknown.stderr);
    for bad in ["", "  ", "a\nb", "\u{1b}[31m"] {
        because(&filegen, bad, "").exits(2);
    }
    filegen.run("correct -c worker.yaml --date 2026-11-21").exits(2);
    filegen.run("correct -c worker.yaml --reason x").exits(2);
    assert!(filegen.audits().is_empty(), "nothing was changed: {:?}", filegen.audits());

    let restart = filegen.run("run -c worker.yaml --date 2026-11-21 --restart").exits(1);
    assert!(restart.stderr.contains("filegen correct --date 2026-11-21"), "{}", restart.stderr);
    std::fs::remove_file(filegen.path("out/loan0_20261121.txt")).unwrap();
    let gone = filegen.run("run -c worker.yaml --date 2026-11-21").exits(4);
    assert!(gone.stderr.contains("filegen correct -c worker.yaml --date 2026-11-21"), "{}", gone.stderr);
    filegen.run(CORRECT).exits(0);
    assert!(filegen.has("out/loan0_20261121.txt"));
    assert!(!filegen.has("out/.filegen/LoanWorker/20261121/v1/kept/Loan0"), "a receiver had taken it");
    assert!(filegen.has("out/.filegen/LoanWorker/20261121/v1/kept/Loan1"));
}

#[test]
fn a_foreign_file_under_an_old_name_stops_a_correction_before_anything_moves() {
    let filegen = published();
    std::fs::remove_file(filegen.path("out/loan1_20261121.csv")).unwrap();
    filegen.write("out/loan1_20261121.csv", "mine\n");
    let before = filegen.read("out/loan0_20261121.txt");
    let done = filegen.run(CORRECT).exits(1);
    assert!(done.stderr.contains("loan1_20261121.csv"), "{}", done.stderr);
    assert_eq!(
        (filegen.read("out/loan0_20261121.txt"), filegen.read("out/loan1_20261121.csv")),
        (before, "mine\n".to_owned())
    );
    assert_eq!(manifest(&filegen, "LoanWorker_20261121")["version"], 1);
    assert_eq!(status(&filegen)["status"], "failed");
    std::fs::remove_file(filegen.path("out/loan1_20261121.csv")).unwrap();
    filegen.publish();
    assert_eq!(manifest(&filegen, "LoanWorker_20261121")["version"], 2);
}

#[test]
fn a_correction_that_failed_goes_on_with_its_reason_and_files() {
    let filegen = published();
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    because(&filegen, "first words", "--files Loan0").exits(7);
    let run = status(&filegen);
    assert_eq!((&run["status"], &run["version"]), (&"failed".into(), &1.into()));
    assert_eq!(run["files"][0]["state"], "published", "the old files stand: {run}");
    let text = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(text.contains("version 2 is wanted by") && text.contains("first words"), "{text}");
    filegen.run("verify -c worker.yaml --date 2026-11-21").exits(0);
    let other = because(&filegen, "other words", "").exits(1);
    assert!(other.stderr.contains("version 2 of Loan0"), "{}", other.stderr);
    filegen.sql("UPDATE loans SET Customer = 'mended' WHERE LoanId = 23");
    let done = because(&filegen, "other words", "--files Loan0").exits(0);
    assert!(done.stderr.contains("goes on with that reason: first words"), "{}", done.stderr);
    let second = manifest(&filegen, "LoanWorker_20261121");
    assert_eq!((&second["reason"], &second["files"][1]["version"]), (&"first words".into(), &1.into()));
    assert_eq!(filegen.audits().len(), 1);
}

#[test]
fn a_dry_run_says_what_would_go_aside_and_changes_nothing() {
    let filegen = published();
    let before = filegen.read("out/LoanWorker_20261121.manifest.json");
    let json = filegen.run(&format!("{CORRECT} --files Loan0 --dry-run --output json")).exits(0).json();
    assert_eq!(
        (&json["outcome"], &json["version"], &json["withdrawn"]),
        (&"dryRun".into(), &2.into(), &json!(["loan0_20261121.txt"]))
    );
    assert_eq!(json["files"].as_array().map(Vec::len), Some(1), "{json}");
    let text = filegen.run(&format!("{CORRECT} --dry-run")).exits(0).stdout;
    assert!(text.contains("loan0_20261121.txt, loan1_20261121.csv; kept below .filegen"), "{text}");
    assert_eq!(filegen.read("out/LoanWorker_20261121.manifest.json"), before);
    assert_eq!((status(&filegen)["status"].as_str(), filegen.audits().len()), (Some("published"), 0));
}

#[test]
fn an_empty_view_takes_the_files_away_where_the_worker_file_says_so() {
    let filegen = Filegen::with_loans(30);
    filegen.edit("root: out", "root: out\n  when_empty: skip");
    filegen.publish();
    filegen.sql("DELETE FROM loans");
    filegen.run(CORRECT).exits(0);
    let second = manifest(&filegen, "LoanWorker_20261121");
    assert_eq!((&second["version"], &second["files"][0]["name"]), (&2.into(), &Value::Null));
    assert!(!filegen.has("out/loan0_20261121.txt") && filegen.has("out/.filegen/LoanWorker/20261121/v1/kept/Loan0"));
    assert!(events(&filegen).is_empty(), "no event for a file that is not there");
    filegen.sql("INSERT INTO loans VALUES (1, 'late', 600)");
    filegen.run(CORRECT).exits(0);
    assert!(filegen.read("out/loan0_20261121.txt").contains("late"));
    assert_eq!(events(&filegen)[0]["correlationId"], "LoanWorker:Loan0:2026112103");
}

#[test]
fn a_correction_has_the_parameters_of_the_version_before_and_those_that_it_is_given() {
    let filegen = Filegen::with_loans(30);
    let worker = filegen.read("worker.yaml");
    let named =
        worker.replace("  - id: Loan0\n", "  - id: Loan0\n    where: \"LoanId <= {most} AND LoanId >= {least}\"\n");
    filegen.write("worker.yaml", &(named + "params: { most: { type: integer }, least: { type: integer } }\n"));
    filegen.run("run -c worker.yaml --date 2026-11-21 --param most=20 --param least=5").exits(0);
    filegen.run(&format!("{CORRECT} --param most=10")).exits(0);
    let second = manifest(&filegen, "LoanWorker_20261121");
    assert_eq!(
        (&second["parameters"]["most"]["value"], &second["parameters"]["least"]["value"]),
        (&10.into(), &5.into())
    );
    assert_eq!(second["files"][0]["rows"], 6);
}

#[test]
fn a_daemon_that_serves_the_worker_makes_the_correction() {
    let filegen = worker(60);
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("leadership acquired");
    filegen.publish();
    filegen.sql("UPDATE loans SET Customer = 'changed' WHERE LoanId = 55");
    let done = because(&filegen, "<script>alert(1)</script>", "--output json").exits(0);
    let json = done.json();
    assert_eq!((&json["outcome"], &json["version"]), (&"published".into(), &2.into()), "{json}");
    assert!(json["madeBy"].as_str().is_some_and(|by| by.ends_with(&format!(":{}", daemon.running.id()))), "{json}");
    assert!(filegen.read("out/loan0_20261121.txt").contains("changed"));
    let (_, page) = daemon.get("/");
    assert!(page.contains("version 2, corrected by") && page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script>alert(1)"), "the reason is escaped");
    let shown: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
    assert_eq!(shown["workers"][0]["runs"][0]["version"], 2, "{shown}");
}

const CANCEL: &str = "correct -c worker.yaml --date 2026-11-21 --reason wrong-date --cancel";

#[test]
fn a_correction_that_does_not_work_is_cancelled_and_its_number_is_not_given_again() {
    let filegen = published();
    let none = filegen.run(CANCEL).exits(1);
    assert!(none.stderr.contains("no correction of run LoanWorker:2026-11-21 is wanted"), "{}", none.stderr);
    let before = filegen.read("out/loan0_20261121.txt");
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    because(&filegen, "first words", "").exits(7);
    assert_eq!(status(&filegen)["status"], "failed");

    let json = filegen.run(&format!("{CANCEL} --output json")).exits(0).json();
    assert_eq!(
        (&json["version"], &json["askedBecause"], &json["recorded"]),
        (&2.into(), &"first words".into(), &true.into())
    );
    let [_, action, detail, reason] = filegen.audits().pop().unwrap();
    assert_eq!((action.as_str(), reason.as_str()), ("cancel-correction", "wrong-date"));
    assert!(detail.contains("version 2 of all files"), "{detail}");
    let run = status(&filegen);
    assert_eq!((&run["status"], &run["version"], &run["error"]), (&"published".into(), &1.into(), &Value::Null));
    let text = filegen.run("status -c worker.yaml").exits(0).stdout;
    assert!(text.contains("version 2 was cancelled by") && text.contains("wrong-date; version 1 stands"), "{text}");
    assert_eq!(filegen.read("out/loan0_20261121.txt"), before);
    let staged = names_below(&filegen.path("out/.filegen/LoanWorker/20261121/v2"));
    assert!(
        staged.iter().all(|name| !filegen.path("out/.filegen/LoanWorker/20261121/v2").join(name).is_dir()),
        "{staged:?}"
    );
    filegen.run("verify -c worker.yaml --date 2026-11-21").exits(0);
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    filegen.run(CANCEL).exits(1);

    filegen.sql("UPDATE loans SET Customer = 'mended' WHERE LoanId = 23");
    because(&filegen, "second words", "").exits(0);
    let next = manifest(&filegen, "LoanWorker_20261121");
    assert_eq!((&next["version"], &next["reason"]), (&3.into(), &"second words".into()));
    assert_eq!(events(&filegen)[0]["correlationId"], "LoanWorker:Loan0:2026112103");
    assert!(filegen.has("out/.filegen/LoanWorker/20261121/v1/kept/Loan0"));
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    // What has appeared is not taken back.
    let late = filegen.run(CANCEL).exits(1);
    assert!(late.stderr.contains("no correction"), "{}", late.stderr);
}

#[test]
fn whoever_makes_a_cancelled_correction_ends_without_it() {
    let filegen = published();
    let mut command = filegen.command(CORRECT);
    let mut making = Running::start(command.env("FAILPOINTS", "commit.begun=sleep(300)"));
    making.wait_for("reading 60 rows");
    making.signal(Signal::STOP);
    let done = filegen.run(CANCEL).exits(0);
    assert!(done.stdout.contains("cancelled version 2 of all files"), "{}", done.stdout);
    assert!(done.stderr.contains("another process leads"), "{}", done.stderr);
    making.signal(Signal::CONT);
    let made = making.finish().exits(1);
    let why = "version 2 of run LoanWorker:2026-11-21 was cancelled by";
    assert!(made.stderr.contains(why) && made.stderr.contains("wrong-date"), "{}", made.stderr);
    // Whoever leads next records it.
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    let run = status(&filegen);
    assert_eq!((&run["status"], &run["version"]), (&"published".into(), &1.into()), "{run}");
    assert_eq!(manifest(&filegen, "LoanWorker_20261121")["version"], 1);
}
