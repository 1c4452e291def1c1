//! `filegen run`: files, table, JSON, progress, signals, and each exit code.

use crate::support::filegen::{Filegen, names_below};
use rustix::process::Signal;

#[test]
fn a_run_makes_all_files_and_says_what_it_made() {
    let filegen = Filegen::with_loans(95);
    let done = filegen.publish();
    assert_eq!(
        names_below(&filegen.path("out")),
        [".filegen", "LoanWorker_20261121.manifest.json", "loan0_20261121.txt", "loan1_20261121.csv",]
    );
    let file = filegen.read("out/loan0_20261121.txt");
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!((lines.len(), lines[0].trim_end(), lines[1]), (96, "10,95", "1|customer 1|10.25"));
    let file = filegen.read("out/loan1_20261121.csv");
    assert_eq!(file.lines().next().map(str::trim_end), Some("10,47"));
    assert_eq!(file.lines().nth(1), Some("HEAD 2026-11-21 47"));
    insta::with_settings!({ filters => [
        (r"[0-9a-f]{12}\b", "[SHA256]"),
        (r"[0-9.]+ s \([0-9,]+ rows/s, [0-9.]+ .?B/s\)", "[TIME] ([RATE])"),
    ] }, {
        insta::assert_snapshot!("run_table", done.stdout);
        insta::assert_snapshot!("run_lines", done.stderr);
    });
}

#[test]
fn a_run_that_is_published_says_so_and_changes_nothing() {
    let filegen = Filegen::with_loans(12);
    filegen.publish();
    let manifest = filegen.read("out/LoanWorker_20261121.manifest.json");
    filegen.sql("DELETE FROM loans");
    let done = filegen.publish();
    assert!(done.stderr.contains("already published"), "{}", done.stderr);
    assert_eq!(filegen.read("out/LoanWorker_20261121.manifest.json"), manifest);
    let json = filegen.run("run -c worker.yaml --date 2026-11-21 --output json").exits(0).json();
    assert_eq!(json["outcome"], "alreadyPublished");
    assert_eq!(json["files"][0]["rows"], 12);
}

#[test]
fn json_is_the_manifest_and_how_long_it_took() {
    let filegen = Filegen::with_loans(25);
    let done = filegen.run("run -c worker.yaml --date 20261121 --output json --quiet").exits(0);
    assert_eq!(done.stderr, "");
    let json = done.json();
    assert_eq!(json["outcome"], "published");
    assert_eq!(json["runId"], "LoanWorker:2026-11-21");
    assert_eq!((json["pages"].as_u64(), json["sourceRows"].as_u64()), (Some(3), Some(25)));
    assert_eq!(json["files"][0]["name"], "loan0_20261121.txt");
    assert_eq!(json["files"][0]["sha256"].as_str().map(str::len), Some(64));
    assert!(json["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(json["readMode"]["sourceMoved"], false);
}

#[test]
fn the_date_is_today_in_the_workers_zone() {
    let filegen = Filegen::with_loans(1);
    filegen.write(
        "worker.yaml",
        &filegen.read("worker.yaml").replace("business_date: {", "business_date: { timezone: Pacific/Kiritimati,"),
    );
    let zone = jiff::tz::TimeZone::get("Pacific/Kiritimati").unwrap();
    let before = jiff::Timestamp::now().to_zoned_datetime(zone.clone()).date();
    let json = filegen.run("run -c worker.yaml --output json").exits(0).json();
    let after = jiff::Timestamp::now().to_zoned_datetime(zone).date();
    let date = json["businessDate"].as_str().unwrap();
    assert!([before.to_string(), after.to_string()].contains(&date.to_owned()), "{date}");
}

#[test]
fn a_dry_run_shows_what_would_be_done_and_makes_nothing() {
    let filegen = Filegen::with_loans(95);
    let done = filegen.run("run -c worker.yaml --date 2026-11-21 --dry-run").exits(0);
    assert!(!filegen.has("out"), "a dry run makes no folder");
    insta::assert_snapshot!("run_dry", filegen.masked(&done.stdout));
    let json = filegen.run("run -c worker.yaml --date 2026-11-21 --dry-run --output json").exits(0).json();
    assert_eq!((json["outcome"].as_str(), json["resumesFromPage"].as_u64()), (Some("dryRun"), Some(1)));
    assert_eq!((json["rows"].as_u64(), json["pages"].as_u64()), (Some(95), Some(10)));
    assert_eq!(json["files"][1]["rows"], 47);
}

#[test]
fn a_view_a_file_or_a_right_that_is_not_there_exits_3_with_a_hint() {
    let filegen = Filegen::with_loans(1);
    filegen.edit("v_Loans", "v_Laons");
    let done = filegen.run("run -c worker.yaml").exits(3);
    assert!(done.stderr.contains("v_Laons") && done.stderr.contains("hint: "), "{}", done.stderr);
    filegen.edit("sqlite:loans.db", "sqlite:no/such.db");
    let done = filegen.run("run -c worker.yaml --output json").exits(3);
    assert_eq!(done.json_error()["exitCode"], 3);
    let done = filegen.run("run -c worker.yaml").exits(3);
    assert!(
        done.stderr.contains("there is no such file") && done.stderr.contains("hint: check `source.url`"),
        "{}",
        done.stderr
    );
    filegen.edit("sqlite:no/such.db", "sqlite:loans.db");
    filegen.edit("v_Laons", "v_Loans");
    // Its root is a file: not even a superuser may make a folder in it.
    filegen.write("file", "");
    filegen.edit("root: out", "root: file/out");
    let done = filegen.run("run -c worker.yaml").exits(3);
    assert!(done.stderr.contains("hint: "), "{}", done.stderr);
}

#[test]
fn a_value_that_would_break_its_record_exits_7_and_names_the_row() {
    let filegen = Filegen::with_loans(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    assert!(done.stderr.contains("Loan0") && done.stderr.contains("23"), "{}", done.stderr);
    assert!(!filegen.has("out/loan0_20261121.txt"), "nothing half-made is visible");
}

#[test]
fn a_file_that_is_in_the_way_is_never_replaced() {
    let filegen = Filegen::with_loans(3);
    std::fs::create_dir(filegen.path("out")).unwrap();
    filegen.write("out/loan1_20261121.csv", "mine\n");
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(1);
    assert!(done.stderr.contains("loan1_20261121.csv"), "{}", done.stderr);
    assert_eq!(filegen.read("out/loan1_20261121.csv"), "mine\n");
    assert!(!filegen.has("out/LoanWorker_20261121.manifest.json"));
}

#[test]
fn restart_throws_staged_pages_away() {
    let filegen = Filegen::with_loans(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    filegen.sql("UPDATE loans SET Customer = 'changed'");
    let done = filegen.run("run -c worker.yaml --date 2026-11-21 --restart").exits(0);
    assert!(!done.stderr.contains("resumed"), "{}", done.stderr);
    assert_eq!(filegen.read("out/loan0_20261121.txt").matches("changed").count(), 30);
}

/// A view that is slow to give rows: each costs a walk over a recursive query.
fn slow(filegen: &Filegen) {
    filegen.sql(
        "DROP VIEW v_Loans;
         CREATE VIEW v_Loans AS SELECT LoanId, Customer, Amount +
           (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000 + LoanId) SELECT 0 * count(*) FROM n)
           AS Amount FROM loans",
    );
}

#[test]
fn a_signal_commits_the_page_in_hand_and_says_how_to_go_on() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let filegen = Filegen::with_loans(1500);
        filegen.edit("where: \"Amount > 500\"", "where: \"LoanId > 50\"");
        slow(&filegen);
        let mut running = filegen.start("run -c worker.yaml --date 2026-11-21 -v");
        running.wait_for("progress updated");
        running.signal(signal);
        let done = running.finish().exits(code);
        assert!(done.stderr.contains("to go on: filegen run -c worker.yaml --date 2026-11-21"), "{}", done.stderr);
        let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
        assert_eq!(status["workers"][0]["lease"]["state"], "released");
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let filegen = Filegen::with_loans(1500);
    slow(&filegen);
    filegen.edit("page_size: 10", "page_size: 3000");
    let mut running = filegen.start("run -c worker.yaml --date 2026-11-21");
    running.wait_for("reading");
    running.signal(Signal::TERM);
    running.wait_for("stopping");
    running.signal(Signal::TERM);
    running.finish().exits(143);
}

#[test]
fn while_another_holds_the_lease_no_wait_exits_5_and_a_release_needs_force() {
    let filegen = Filegen::with_loans(1500);
    slow(&filegen);
    filegen.edit("files:", "policies: { lease_ttl: 10m }\nfiles:");
    let mut running = filegen.start("run -c worker.yaml --date 2026-11-21 -v");
    running.wait_for("progress updated");
    // It holds the lease and cannot end under our eyes.
    running.freeze(&filegen.path("out/.filegen/state.db"));
    let done = filegen.run("run -c worker.yaml --date 2026-11-22 --no-wait").exits(5);
    assert!(done.stderr.contains("holds the lease"), "{}", done.stderr);
    assert!(done.stderr.contains("filegen lease show -c worker.yaml"), "{}", done.stderr);
    let lease = filegen.run("lease show -c worker.yaml --output json").exits(0).json();
    assert_eq!(lease["leases"][0]["state"], "held");
    let refused = filegen.run("lease release -c worker.yaml --reason drill --yes").exits(5);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert!(filegen.run("lease release -c worker.yaml --reason drill").exits(5).stdout.is_empty());
    let args = "lease release -c worker.yaml --reason drill --force";
    assert!(filegen.run(args).exits(2).stderr.contains("--yes"), "a person must agree");
    assert!(filegen.run(&format!("{args} --dry-run")).exits(0).stdout.starts_with("would release"));
    let json = filegen.run(&format!("{args} --yes --output json")).exits(0).json();
    assert_eq!((json["state"].as_str(), json["token"].as_u64()), (Some("held"), Some(1)));
    // Woken, it learns that the lease is not its own any more.
    filegen.run("run -c worker.yaml --date 2026-11-21 --no-wait --quiet").exits(0);
    running.signal(Signal::CONT);
    running.finish().exits(5);
}

#[test]
fn log_lines_are_json_where_asked_for() {
    let filegen = Filegen::with_loans(15);
    let done = filegen.run("run -c worker.yaml --date 2026-11-21 -vv --log-format json").exits(0);
    let lines: Vec<serde_json::Value> =
        done.stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(lines.iter().any(|line| line["message"] == "progress updated" && line["page"] == 2), "{}", done.stderr);
}

/// SQLite 3.54 compares such a column by the type of each arm in WHERE, and by the values in ORDER BY: pages by key would miss rows.
#[test]
fn a_union_of_keys_of_different_types_publishes_nothing_and_the_cast_that_is_advised_helps() {
    let filegen = Filegen::empty();
    filegen.sql(
        "create table old(k integer primary key); insert into old values(1),(2),(10),(20);
         create table new(k text primary key); insert into new values('3'),('10'),('100'),('x');
         create view v as select k from old union all select k from new;
         create view cured as select 'o' || cast(k as text) as k from old union all select 'n' || k from new;",
    );
    let file = |view: &str| {
        format!(
            "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: {view}, key: k, page_size: 2, fetch: paged }}\noutput: {{ root: out }}\n\
             files:\n  - id: A\n    name: \"a_{{date}}.csv\"\n    progress_header: false\n    translator: {{ delimited: {{ delimiter: \",\", \
             columns: [k] }} }}\n"
        )
    };
    filegen.write("worker.yaml", &file("v"));
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    assert!(done.stderr.contains("nothing is published") && done.stderr.contains("CAST each"), "{}", done.stderr);
    assert!(!filegen.has("out/a_20261121.csv"));
    filegen.write("worker.yaml", &file("cured"));
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(0);
    assert_eq!(filegen.read("out/a_20261122.csv").lines().count(), 8);
}

#[test]
fn a_published_date_whose_file_is_gone_exits_4_and_names_it() {
    let filegen = Filegen::with_loans(5);
    filegen.publish();
    std::fs::remove_file(filegen.path("out/loan1_20261121.csv")).unwrap();
    let done = filegen.run("run -c worker.yaml --date 2026-11-21").exits(4);
    assert!(done.stderr.contains("no longer there") && done.stderr.contains("`loan1_20261121.csv`"), "{}", done.stderr);
    assert!(!done.stderr.contains("`loan0_20261121.txt`"), "{}", done.stderr);
}

#[test]
fn a_published_date_whose_receiver_took_everything_is_made_again_only_when_somebody_says_so() {
    let filegen = Filegen::with_loans(5);
    filegen.publish();
    let first = filegen.read("out/loan0_20261121.txt");
    let take = || {
        for entry in std::fs::read_dir(filegen.path("out")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::remove_file(path).unwrap();
            }
        }
    };
    take();
    for command in ["run", "run --dry-run", "resume --from-page 1 --yes"] {
        let done = filegen.run(&format!("{command} -c worker.yaml --date 2026-11-21")).exits(4);
        assert!(
            done.stderr.contains("somebody has taken its files") && done.stderr.contains("--restart"),
            "{}",
            done.stderr
        );
    }
    assert!(!filegen.has("out/loan0_20261121.txt"));
    assert!(filegen.run("status -c worker.yaml").stdout.contains("published"), "it stays so");
    filegen.run("run --restart -c worker.yaml --date 2026-11-21").exits(0);
    assert_eq!(filegen.read("out/loan0_20261121.txt"), first);
    // A corrected date would be made as the version before, or appear once more.
    filegen.run("correct -c worker.yaml --date 2026-11-21 --reason again").exits(0);
    take();
    for command in ["run", "run --restart", "run --dry-run"] {
        let done = filegen.run(&format!("{command} -c worker.yaml --date 2026-11-21")).exits(4);
        assert!(done.stderr.contains("from a copy") && !filegen.has("out/loan0_20261121.txt"), "{}", done.stderr);
    }
}
