//! What people see when a worker file is wrong, as a whole.

use super::*;
use miette::{GraphicalReportHandler, GraphicalTheme};

/// A worker file with everything wrong that can be wrong in one.
const WRONG: &str = r#"worker: Loan Worker
source:
  url: mysql://ann:secret@host/loans
  veiw: v_LoanData
  key: [LoanId, LoanId]
  page_size: lots
output: { root: [out], when_empty: Skip }
files:
  - id: Loan0
    name: "../loan0_{date}.txt"
    translator:
      delimited: { delimiter: "|", columns: [LoanId, { colum: Amount }, LoanId] }
  - id: loan0
    name: "loan1.csv"
    encoding: utf-16
    translator:
      delimitd: {}
  - id: Loan2
    name: "LoanWorker_{date}.manifest.json"
    newline: crlf
    translator:
      fixed_width: { columns: [{ column: Amount, width: 0, pad: ab }, { literal: USD, null: "" }] }
  - name: "{date}"
    translator: { json: { fields: { a: { b: [] } } }, template: { record: "x" } }
policies: { lease_ttl: 10, lease_heartbeat_interval: 0s, backoff_multiplier: .5 }
triger: {}
"#;

fn shown(error: &ConfigError) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    handler.render_report(&mut text, error.report().as_ref()).unwrap();
    text
}

fn refused(text: &str) -> ConfigError {
    parsed(text, &[]).unwrap_err()
}

/// The lines of an error for the design's example with one change in it.
fn changed(right: &str, wrong: &str) -> String {
    let text = DESIGN.replacen(right, wrong, 1);
    assert_ne!(text, DESIGN, "{right} is not in the example");
    match parsed(&text, &[]) {
        Ok(_) => format!("{wrong:?} is taken"),
        Err(error) => error.to_string().replace("/etc/filegen/", ""),
    }
}

#[test]
fn all_problems_are_told_at_once() {
    insta::assert_snapshot!(shown(&refused(WRONG)));
}

#[test]
fn each_mistake_is_told_in_its_own_words() {
    let mistakes = [
        ("sqlite:loans.db", "loans.db"),
        ("sqlite:loans.db", "${DB}"),
        ("sqlite:loans.db", "sqlite:${DB:-a}${X-}"),
        ("v_LoanData", "a..b"),
        ("  key: [LoanId]", "  #"),
        ("key: [LoanId]", "key: { a: b }"),
        ("page_size: 10000", "page_size: -1"),
        ("page_size: 10000", "page_size:"),
        ("page_size: 10000", "page_bytes: 2GiB"),
        ("page_size: 10000", "value_bytes: 1B"),
        ("page_size: 10000", "fetch: paged\n  count: false"),
        ("root: out", "when_empty: skip"),
        ("id: Loan1", "id: Loan0"),
        ("loan1_{date}.csv", "loan0_{date}.txt"),
        ("loan1_{date}.csv", "loan{date:1}.csv"),
        ("loan1_{date}.csv", "loan0_{date}.txt/x"),
        ("loan1_{date}.csv", "LoanWorker_{date}.manifest.json"),
        ("loan1_{date}.csv", "/tmp/{date}"),
        ("loan1_{date}.csv", "a/../../{date}"),
        ("loan1_{date}.csv", "{day}"),
        ("delimiter: \"|\"", "delimiter: EOL"),
        ("    event_type: LoanDataReady", "    newline: \\q"),
        ("delimiter: \"|\", ", ""),
        ("columns: [LoanId, CustomerId", "columns: [LoanId, LoanId"),
        ("width: 12, ", ""),
        ("width: 12", "wdith: 12"),
        ("      json: {", "      jsn: {"),
        ("      json: {", "      template: { columns: [LoanId], record: \"{{ Loan }}\" }\n      #"),
        ("format: \"0.00\"", "format: \"0.0.0\""),
        ("    event_type: LoanDataReady", "    last_record: \"{{ rows\""),
        ("    event_type: LoanDataReady", "    first_record: \"{{ row }}\""),
        ("    event_type: LoanDataReady", "    where: \"OpenDate <= '{{ date }}'\""),
        ("    event_type: LoanDataReady", "    where: \"OpenDate <= '{date}'\""),
        ("delimiter: \"|\"", "delimiter: \"\\n\""),
        ("UTC", "Mars/Olympus"),
        ("/businessDate", "businessDate"),
        ("policies:", "deadline: { time: \"25:00\" }\npolicies:"),
        ("policies:", "deadline: { time: 06:30, timezone: Europe/Berln }\npolicies:"),
        ("policies:", "deadline: { time: 06:30, weekdays: [mon, teu] }\npolicies:"),
        ("policies:", "deadline: { time: 06:30, weekdays: [mon, tue, mon] }\npolicies:"),
        ("policies:", "deadline: { time: 06:30, weekdays: [] }\npolicies:"),
        ("policies:", "deadline: { time: 06:30, days_after: 8 }\npolicies:"),
        ("policies:", "deadline: { days_after: 2 }\npolicies:"),
        ("sqlite:out/.filegen/state.db", "redis://h"),
        ("${KAFKA_BROKERS:-localhost:9092}", "localhost:port"),
        ("loan-data", "loan data"),
        ("lease_ttl: 30s", "lease_ttl: 30"),
        ("lease_ttl: 30s", "lease_ttl: 20s"),
        ("lease_ttl: 30s", "lease_ttl: -30s"),
        ("initial_backoff: 500ms", "initial_backoff: 1h"),
        ("takeover_polling_interval: 5s", "takeover_polling_interval: 0s"),
        ("worker: LoanWorker", "worker: !text LoanWorker"),
        ("worker: LoanWorker", "worker: [LoanWorker"),
        ("worker: LoanWorker", "? [a]\n: b\nworker: LoanWorker"),
        ("worker: LoanWorker", "worker: &a [*a]"),
        ("worker: LoanWorker", "worker: *b"),
    ];
    let told = mistakes.map(|(right, wrong)| format!("{wrong:?}\n{}\n", changed(right, wrong))).join("\n");
    insta::assert_snapshot!(told);
}

#[test]
fn a_problem_is_json_for_programs() {
    let error = refused(&DESIGN.replace("view:", "veiw:"));
    let problem = serde_json::json!([{
        "code": "unknown-field",
        "message": "unknown field `veiw` in `source`",
        "hint": "did you mean `view`?",
        "field": "source",
        "file": "/etc/filegen/worker.yaml",
        "line": 4,
        "column": 3,
    }]);
    assert_eq!(error.to_json(), problem);
}

#[test]
fn a_value_of_the_environment_is_text_and_never_shown() {
    let text = DESIGN.replace("page_size: 10000", "page_size: ${SIZE}").replace("v_LoanData", "${VIEW}");
    let error = parsed(&text, &[("SIZE", "s3cret"), ("VIEW", "a\n  url: sqlite:other.db")]).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    assert!(error.to_string().contains("the value of `${SIZE}`"), "{error}");
    assert!(!format!("{error} {error:?} {}", shown(&error)).contains("s3cret"));
    // A value cannot become structure, nor nothing.
    let loaded = parsed(&text, &[("SIZE", "5"), ("VIEW", "~, [x]: {")]).unwrap();
    assert_eq!(loaded.flow.worker().unwrap().source.view.name().unwrap().parts(), ["~, [x]: {"]);
    assert_eq!(loaded.flow.worker().unwrap().source.page_size.get(), 5);
}

#[test]
fn a_password_beside_a_mistake_is_masked() {
    let url = "sqlserver://ann:s3cret@h:1433/db";
    for wrong in [
        DESIGN.replace("sqlite:loans.db", url).replace("view:", "veiw:"),
        DESIGN.replace("url: sqlite:loans.db", "url: \"Server=h;Password=s3cret;x=1\"").replace("view:", "veiw:"),
        DESIGN.replace("url: sqlite:loans.db", &format!("url: [{url}]")),
        DESIGN.replace("url: sqlite:loans.db", &format!("url: {url}\n   x: [")),
        DESIGN.replace("url: sqlite:loans.db", &format!("url: mysql{url}")),
    ] {
        let error = refused(&wrong);
        let all = format!("{error} {error:?} {} {}", shown(&error), error.to_json());
        assert!(!all.contains("s3cret"), "{all}");
    }
}

#[test]
fn without_a_count_no_first_record_says_what_only_a_count_tells() {
    let uncounted = DESIGN.replacen("page_size: 10000", "count: false", 1);
    let with = |record: &str| parsed(&uncounted.replacen("    event_type: LoanDataReady", record, 1), &[]);
    assert!(with("    first_record: \"{{ date }}\"").is_ok() && with("    last_record: \"{{ rows }}\"").is_ok());
    for record in ["{{ rows }}", "{{ sum.Amount }}"] {
        let said = with(&format!("    first_record: \"{record}\"")).unwrap_err().to_string();
        assert!(said.contains("`count: false`") && said.contains("last_record"), "{record}: {said}");
    }
}
