//! `filegen config`: files written, checked, shown and explained.

use crate::support::filegen::Filegen;
use serde_json::json;

#[test]
fn init_writes_a_worker_file_that_check_takes_and_never_replaces_one_unasked() {
    let filegen = Filegen::empty();
    let done = filegen.run("config init -c worker.yaml").exits(0);
    assert_eq!(done.stdout, "wrote worker.yaml\n");
    let done = filegen.run("config check -c worker.yaml").exits(0);
    assert_eq!(done.stdout, "worker.yaml: ok: LoanWorker makes 4 files from v_LoanData\n");

    filegen.write("worker.yaml", "mine");
    let done = filegen.run("config init -c worker.yaml").exits(1);
    assert!(done.stderr.contains("--force"), "{}", done.stderr);
    assert_eq!(filegen.read("worker.yaml"), "mine");
    filegen.run("config init -c worker.yaml --force").exits(0);
    filegen.run("config check -c worker.yaml").exits(0);
    assert!(!filegen.has("worker.yaml.new"));

    // Without a name it is data for a pipe.
    assert_eq!(filegen.run("config init").exits(0).stdout, filegen.read("worker.yaml"));
    let json = filegen.run("config init --output json").exits(0).json();
    assert_eq!(json, json!({ "file": null, "text": filegen.read("worker.yaml") }));
}

#[test]
fn a_scheduler_file_is_written_checked_and_shown_as_a_worker_file_is() {
    let filegen = Filegen::empty();
    filegen.run("config init --kind scheduler -c intake.yaml").exits(0);
    let checked = filegen.run("config check -c intake.yaml").exits(0);
    assert!(checked.stdout.starts_with("intake.yaml: ok: intake takes data sources below "), "{}", checked.stdout);
    let json = filegen.run("config check -c intake.yaml --output json").exits(0).json();
    assert_eq!((&json["ok"], &json["scheduler"], &json["worker"]), (&json!(true), &json!("intake"), &json!(null)));
    let shown = filegen.run("config show -c intake.yaml --output json").exits(0).json();
    assert_eq!(shown.pointer("/scheduler/policies/history"), Some(&json!("90d")));
    let refused = filegen.run("config init --kind schedule").exits(2);
    assert!(refused.stderr.contains("there are worker, ingest, scheduler"), "{}", refused.stderr);
    let refused = filegen.run("run -c intake.yaml").exits(3);
    assert!(refused.stderr.contains("this is a scheduler file"), "{}", refused.stderr);
    filegen.write("wrong.yaml", "scheduler: intake\nroot: data\ndefaults: { grace: soon }\n");
    let refused = filegen.run("config check -c wrong.yaml").exits(3);
    for told in ["wrong.yaml:2:1", "did you mean `roots`?", "wrong.yaml:3:20"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
}

#[test]
fn check_tells_every_problem_of_every_file_and_exits_3() {
    let filegen = Filegen::with_loans(0);
    filegen.write(
        "wrong.yaml",
        &filegen.read("worker.yaml").replace("view:", "veiw:").replace("page_size: 10", "page_size: ten"),
    );
    let done = filegen.run("config check -c wrong.yaml -c worker.yaml -c missing.yaml").exits(3);
    assert_eq!(done.stdout, "worker.yaml: ok: LoanWorker makes 2 files from v_Loans\n");
    for told in
        ["wrong.yaml:4:3", "did you mean `view`?", "wrong.yaml:6:14", "missing.yaml: there is no such worker file"]
    {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    let done = filegen.run("config check --output json -c wrong.yaml").exits(3);
    let result = done.json();
    assert_eq!((&result["ok"], &result["file"]), (&json!(false), &json!("wrong.yaml")));
    let places: Vec<_> = result["problems"].as_array().unwrap().iter().map(|p| (&p["line"], &p["column"])).collect();
    assert_eq!(places, [(&json!(4), &json!(3)), (&json!(6), &json!(14))]);
    let result = filegen.run("config check --output json -c worker.yaml").exits(0).json();
    assert_eq!((&result["ok"], &result["problems"]), (&json!(true), &json!([])));
}

#[test]
fn show_tells_origins_and_hides_secrets() {
    let filegen = Filegen::with_loans(0);
    filegen.edit("  url: sqlite:loans.db\n", "");
    let mut command = filegen.command("config show -c worker.yaml");
    let done = Filegen::finish(command.env("SQL_CONNECTION_STRING", "postgres://ann:s3cret@h/db")).exits(0);
    let line = |name: &str| done.stdout.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    assert_eq!(
        line("url:").split_whitespace().collect::<Vec<_>>().join(" "),
        "url: \"postgres://ann:***@h:5432/db\" # environment SQL_CONNECTION_STRING"
    );
    assert!(line("page_size:").ends_with("# line 5"), "{}", done.stdout);
    assert!(line("page_bytes:").ends_with("# default"), "{}", done.stdout);

    let mut command = filegen.command("config show -c worker.yaml --output json");
    let done = Filegen::finish(command.env("SQL_CONNECTION_STRING", "postgres://ann:s3cret@h/db")).exits(0);
    let shown = done.json();
    assert_eq!(shown["worker"]["source"]["url"], "postgres://ann:***@h:5432/db");
    assert_eq!(shown["origins"]["source.page_size"], json!({ "from": "file", "line": 5 }));
    let error = filegen.run("config show -c worker.yaml --output json").exits(3).json_error();
    assert_eq!(error["problems"][0]["field"], "source.url");
}

#[test]
fn a_variable_that_is_not_set_is_named_with_its_line() {
    let filegen = Filegen::with_loans(0);
    filegen.edit("sqlite:loans.db", "${LOANS_DB}");
    let done = filegen.run("config check -c worker.yaml").exits(3);
    for told in ["worker.yaml:3:8", "`LOANS_DB` is not set", "${LOANS_DB:-default}"] {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    let mut command = filegen.command("config check -c worker.yaml");
    Filegen::finish(command.env("LOANS_DB", "sqlite:loans.db")).exits(0);
}

#[test]
fn schema_is_one_json_document_in_both_forms() {
    let filegen = Filegen::empty();
    let pretty = filegen.run("config schema").exits(0).stdout;
    let schema = filegen.run("config schema --output json").exits(0).json();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&pretty).unwrap(), schema);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["oneOf"][0]["properties"]["source"]["properties"]["page_size"]["description"].is_string());
}

#[test]
fn relative_paths_mean_the_same_from_every_folder() {
    let filegen = Filegen::with_loans(0);
    std::fs::create_dir(filegen.path("elsewhere")).unwrap();
    let here = filegen.run("config show -c worker.yaml --output json").exits(0).json();
    let mut command = filegen.command("config show -c ../worker.yaml --output json");
    let there = Filegen::finish(command.current_dir(filegen.path("elsewhere"))).exits(0).json();
    let plain =
        |shown: &serde_json::Value| shown["worker"]["output"]["root"].as_str().unwrap().replace("elsewhere/../", "");
    assert_eq!(plain(&here), plain(&there));
}

#[test]
fn init_takes_the_columns_of_a_real_view() {
    let filegen = Filegen::with_loans(3);
    filegen.run("config init --from sqlite:loans.db --view v_Loans -c new.yaml").exits(0);
    filegen.run("config check -c new.yaml --source").exits(0);
    let shown = filegen.run("config show -c new.yaml --output json").exits(0).json();
    assert_eq!(shown["worker"]["source"]["key"], json!(["LoanId"]));
    assert_eq!(
        shown["worker"]["files"][0]["translator"]["delimited"]["columns"],
        json!(["LoanId", "Customer", "Amount"])
    );
    // In another folder a relative address still means the same database.
    std::fs::create_dir(filegen.path("sub")).unwrap();
    filegen.run("config init --from sqlite:loans.db --view v_Loans --key Amount,LoanId -c sub/new.yaml").exits(0);
    filegen.run("config check -c sub/new.yaml --source").exits(0);
    assert!(filegen.read("sub/new.yaml").contains("key: [Amount, LoanId]"));
}

#[test]
fn what_init_writes_makes_the_files_of_a_view_with_line_breaks_and_long_texts() {
    let filegen = Filegen::with_loans(0);
    filegen.sql(
        "CREATE TABLE n (Id INTEGER PRIMARY KEY, Code CHAR(3), Name VARCHAR(4), Note TEXT, Body TEXT);
         CREATE VIEW v_Notes AS SELECT * FROM n;",
    );
    let long = "long ".repeat(30);
    filegen.sql(&format!("INSERT INTO n VALUES (1, 'ABC', 'Zoë|', 'two\nlines', '{long}'), (2, 'D', '\"q', 'x', ',')"));
    filegen.run("config init --from sqlite:loans.db --view v_Notes -c new.yaml").exits(0);
    filegen.run("run -c new.yaml --date 2026-11-21").exits(0);
    let fixed = filegen.read("out/notes_20261121.dat");
    let record = format!("{:>20}{:3}{:7}{:187}", 1, "ABC", "Zoë|", long);
    assert_eq!(fixed.lines().nth(1), Some(record.as_str()), "widths count bytes; the note is left out");
    let mut csv = csv::Reader::from_path(filegen.path("out/notes_20261121.csv")).unwrap();
    let notes: Vec<String> = csv.records().map(|record| record.unwrap()[3].to_owned()).collect();
    assert_eq!(notes, ["two\nlines", "x"], "other programs read it as it is");
    let json = filegen.read("out/notes_20261121.jsonl");
    assert!(json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{json}");
}

#[test]
fn init_writes_nothing_when_the_view_cannot_be_looked_at() {
    let filegen = Filegen::with_loans(0);
    for (args, code, told) in [
        ("--from sqlite:loans.db --view v_Lons", 3, "v_Loans"),
        ("--from sqlite:loans.db --view v_Loans --key loan_id", 3, "`LoanId`"),
        ("--from mysql://ann:s3cret@h --view v", 3, "mysql:"),
        ("--view v", 3, "SQL_CONNECTION_STRING"),
        ("--from postgres://ann@localhost:1/db --view v", 6, "postgres://"),
        ("--from sqlite:loans.db", 2, "--view"),
    ] {
        let done = filegen.run(&format!("config init {args} -c new.yaml")).exits(code);
        assert!(done.stderr.contains(told) && !done.stderr.contains("s3cret"), "{args}: {}", done.stderr);
        assert!(!filegen.has("new.yaml"), "{args}");
    }
}

#[test]
fn init_takes_a_key_in_any_case_and_shows_a_view_with_a_dot_in_brackets() {
    let filegen = Filegen::with_loans(0);
    filegen.sql("CREATE VIEW \"v.Dotted\" AS SELECT * FROM v_Loans");
    let done = filegen.run("config init --from sqlite:loans.db --view v_Loans --key LOANID").exits(0);
    assert!(done.stdout.contains("  key: [LoanId]\n"), "{}", done.stdout);
    let done = filegen.run("config init --from sqlite:loans.db --view v.Dotted").exits(3);
    assert!(done.stderr.contains("did you mean `[v.Dotted]`?"), "{}", done.stderr);
    filegen.run("config init --from sqlite:loans.db --view [v.Dotted]").exits(0);
}

#[test]
fn check_with_source_and_doctor_tell_of_decimals_that_are_floats() {
    let filegen = Filegen::with_loans(0);
    filegen.sql(
        "CREATE TABLE priced (id INTEGER PRIMARY KEY, price DECIMAL(38,10)); INSERT INTO priced VALUES (7, 831935287882.7045830593);
         CREATE VIEW v_Priced AS SELECT * FROM priced",
    );
    filegen.write(
        "priced.yaml",
        "worker: Priced\nsource: { url: sqlite:loans.db, view: v_Priced, key: id }\noutput: { root: out }\nfiles:\n  \
         - { id: P, name: \"p_{date}.txt\", translator: { delimited: { delimiter: \"|\", columns: [id, price] } }, \
         progress_header: false }\n",
    );
    let told = "`price` is declared DECIMAL(38,10) and holds floats: of 831935287882.7046 in the row with key 7";
    let checked = filegen.run("config check -c priced.yaml --source").exits(0);
    assert!(checked.stderr.contains(told), "{}", checked.stderr);
    let json = filegen.run("config check -c priced.yaml --source --output json").exits(0).json();
    assert!(json["warnings"][0]["message"].as_str().unwrap().contains(told), "{json}");
    let doctor = filegen.run("doctor -c priced.yaml").exits(0);
    assert!(doctor.stdout.replace(['\n', ' '], "").contains(&told.replace(' ', "")), "{}", doctor.stdout);
    filegen.run("run -c priced.yaml --date 2026-11-21").exits(0);
    assert_eq!(filegen.read("out/p_20261121.txt"), "7|831935287882.7046\n");
}

#[test]
fn check_with_source_tells_each_column_that_the_view_does_not_have() {
    let filegen = Filegen::with_loans(0);
    filegen.run("config check -c worker.yaml --source").exits(0);
    filegen.edit("columns: [LoanId, Customer, Amount]", "columns: [LoanId, Custmer, Amount]");
    filegen.run("config check -c worker.yaml").exits(0);
    let result = filegen.run("config check -c worker.yaml --source --output json").exits(3).json();
    let problems = result["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{result}");
    assert_eq!(problems[0]["code"], "unknown-column");
    assert_eq!(problems[0]["hint"], "did you mean `Customer`?");
    filegen.edit("sqlite:loans.db", "sqlite:missing.db");
    let done = filegen.run("config check -c worker.yaml --source");
    assert_ne!(done.code, Some(0));
    assert!(done.stderr.contains("missing.db"), "{}", done.stderr);
}

#[test]
fn check_warns_of_a_lease_too_short_for_a_busy_disk_and_says_what_to_write() {
    let filegen = Filegen::with_loans(0);
    filegen.edit("output:", "policies: { lease_ttl: 2s, lease_heartbeat_interval: 500ms }\noutput:");
    let done = filegen.run("config check -c worker.yaml").exits(0);
    assert!(done.stdout.contains("worker.yaml: ok"), "{}", done.stdout);
    for told in ["warning: worker.yaml:7:24: `lease_ttl` is short", "an eighth of it, 250 ms", "30s suits"] {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    let json = filegen.run("config check -c worker.yaml --output json").exits(0).json();
    assert_eq!((&json["ok"], &json["problems"], &json["warnings"][0]["line"]), (&json!(true), &json!([]), &json!(7)));
    let doctor = filegen.run("doctor -c worker.yaml").exits(0).stdout;
    assert!(doctor.lines().any(|line| line.starts_with("warn") && line.contains("lease time")), "{doctor}");
    filegen.edit("lease_ttl: 2s", "lease_ttl: 5s");
    assert_eq!(filegen.run("config check -c worker.yaml").exits(0).stderr, "");
    let json = filegen.run("config check -c worker.yaml --output json").exits(0).json();
    assert_eq!(json["warnings"], json!([]));
}

#[test]
fn workers_that_write_one_name_are_refused_together_by_the_check_and_the_daemon() {
    let filegen = Filegen::with_loans(1);
    let text = filegen.read("worker.yaml");
    filegen.write("other.yaml", &text.replace("worker: LoanWorker", "worker: Other"));
    filegen.run("config check -c worker.yaml").exits(0);
    filegen.run("config check -c other.yaml").exits(0);
    for command in ["config check -c worker.yaml -c other.yaml", "daemon --health-port 0 -c worker.yaml -c other.yaml"]
    {
        let told = filegen.run(command).exits(3).stderr;
        assert!(told.contains("workers LoanWorker and Other both write `loan0_20240101.txt`"), "{command}: {told}");
    }
    let other =
        |root: &str| text.replace("worker: LoanWorker", "worker: Other").replace("root: out", &format!("root: {root}"));
    filegen.write("other.yaml", &other("out2"));
    filegen.run("config check -c worker.yaml -c other.yaml").exits(0);
    std::fs::create_dir(filegen.path("out")).unwrap();
    std::os::unix::fs::symlink("out", filegen.path("linked")).unwrap();
    for (root, name) in [
        ("./later/../out", "loan0_{date}"),
        ("linked", "loan0_{date}"),
        (".", "out/loan0_{date}"),
        ("out", "loan0_20270102"),
    ] {
        filegen.write("other.yaml", &other(root).replace("loan0_{date}", name));
        let told = filegen.run("config check -c worker.yaml -c other.yaml").exits(3).stderr;
        assert!(told.contains("workers LoanWorker and Other both write"), "{root} {name}: {told}");
    }
    // Within one worker too.
    filegen.write("other.yaml", &text.replace("loan1_{date}.csv", "loan0_20270102.txt"));
    let told = filegen.run("config check -c other.yaml").exits(3).stderr;
    assert!(told.contains("on 2027-01-02 this name is `loan0_20270102.txt`"), "{told}");
    filegen.write("other.yaml", &text);
    let told = filegen.run("config check -c worker.yaml -c other.yaml").exits(3).stderr;
    assert!(told.contains("worker LoanWorker stands in worker.yaml and in other.yaml"), "{told}");
}

#[test]
fn one_id_in_two_files_is_refused_for_every_kind_by_the_check_and_the_daemon() {
    let filegen = Filegen::empty();
    for kind in ["worker", "ingest", "scheduler", "transfer"] {
        filegen.run(&format!("config init --kind {kind} -c {kind}.yaml")).exits(0);
        filegen.write(&format!("{kind}2.yaml"), &filegen.read(&format!("{kind}.yaml")));
        for command in ["config check", "daemon --health-port 0"] {
            let told = filegen.run(&format!("{command} -c {kind}.yaml -c {kind}2.yaml")).exits(3).stderr;
            let place = format!(" stands in {kind}.yaml and in {kind}2.yaml");
            assert!(told.contains(&place) && told.contains(&format!("{kind} ")), "{command} {kind}: {told}");
        }
    }
}

#[test]
fn a_root_that_is_no_folder_and_ids_of_our_own_files_are_refused() {
    for (from, to, words) in [
        ("root: out", "root: \"~/out\"", "`~` is not expanded"),
        ("root: out", "root: \"s3://user:secret@bucket/out\"", "this is an address, not a path on this host"),
        ("id: Loan0", "id: Journal.jsonl", "one of filegen's own files"),
        ("id: Loan0", "id: manifest.json", "one of filegen's own files"),
        ("worker: LoanWorker", "worker: state.db", "one of filegen's own files"),
    ] {
        let filegen = Filegen::with_loans(1);
        filegen.edit(from, to);
        let told = filegen.run("config check -c worker.yaml").exits(3).stderr;
        assert!(told.contains(words), "{to}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
