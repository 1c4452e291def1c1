//! The README's example, whole: real loans into four files, each read by a reader that is not ours and held against SQL.

use crate::support::filegen::Filegen;
use rusqlite::Connection;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// Bytes of the header line.
const HEADER: usize = 32;

/// The example's folder, with everything published once.
static PUBLISHED: LazyLock<Filegen> = LazyLock::new(|| {
    let filegen = Filegen::empty();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["loans.yaml", "loans.db"] {
        fs::copy(examples.join(name), filegen.path(name)).unwrap();
    }
    filegen.run("run -c loans.yaml --date 2026-11-21").exits(0);
    filegen
});

/// A published file, whole.
fn whole(name: &str) -> String {
    PUBLISHED.read(&format!("out/{name}"))
}

/// A published file's header line, and what follows it.
fn file(name: &str) -> (String, String) {
    let mut text = whole(name);
    let body = text.split_off(HEADER);
    (text, body)
}

/// Rows of a query, every value as SQLite prints it; NULL is none.
fn rows(sql: &str) -> Vec<Vec<Option<String>>> {
    let source = Connection::open(PUBLISHED.path("loans.db")).unwrap();
    let mut statement = source.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn the_pipe_delimited_file_holds_every_loan_and_ends_in_its_control_totals() {
    let (header, body) = file("loan0_20261121.txt");
    assert_eq!(header, format!("{:31}\n", "10,10000"));
    let mut lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines.pop(), Some("TRAILER|2026-11-21|10000|163619225.00"));
    let expected = rows(
        "SELECT CAST(LoanId AS TEXT), CAST(CustomerId AS TEXT), printf('%.2f', Amount), StartDate FROM Loan ORDER BY LoanId",
    );
    let found = lines.iter().map(|line| line.split('|').map(|value| Some(value.to_owned())).collect());
    assert_eq!(found.collect::<Vec<Vec<_>>>(), expected);
}

#[test]
fn a_csv_reader_reads_every_value_of_the_csv_file_as_it_is() {
    let body = whole("loan1_20261121.csv");
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        &csv::StringRecord::from(vec!["LoanId", "Status", "InterestRate", "TermMonths", "Installment", "JobTitle"])
    );
    let expected = rows(
        "SELECT CAST(LoanId AS TEXT), Status, printf('%.4f', InterestRate), CAST(TermMonths AS TEXT),
         printf('%.2f', Installment), JobTitle FROM Loan ORDER BY LoanId",
    );
    let found: Vec<Vec<String>> =
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
    let expected: Vec<Vec<String>> =
        expected.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
    assert_eq!(found, expected);
    assert!(expected.iter().any(|row| row[5].contains(',')), "some titles need quotes");
}

#[test]
fn the_fixed_width_file_can_be_cut_at_its_columns() {
    let (_, body) = file("loan2_20261121.dat");
    let expected = rows(
        "SELECT printf('%012d', LoanId), printf('%15.2f', Amount), strftime('%Y%m%d', StartDate), Grade,
         upper(Status), 'USD' FROM Loan ORDER BY LoanId",
    );
    let cut = |line: &str| {
        assert_eq!(line.len(), 59, "{line:?}");
        [0..12, 12..27, 27..35, 35..36, 36..56, 56..59].map(|range| Some(line[range].trim_end().to_owned())).to_vec()
    };
    assert_eq!(body.lines().map(cut).collect::<Vec<_>>(), expected);
}

/// A JSON object whose values keep their text.
type Object<'a> = BTreeMap<&'a str, &'a RawValue>;

#[test]
fn a_json_reader_reads_the_late_loans_with_exact_numbers_as_they_are() {
    let body = whole("loan3_20261121.jsonl");
    let expected = rows(
        "SELECT CAST(LoanId AS TEXT), json_quote(Status), printf('%.2f', Balance), printf('%.2f', Amount), State,
         json_quote(JobTitle) FROM Loan WHERE Status NOT IN ('Current', 'Fully Paid') ORDER BY LoanId",
    );
    let values = |line| {
        let loan: Object<'_> = serde_json::from_str(line).unwrap();
        let terms: Object<'_> = serde_json::from_str(loan["terms"].get()).unwrap();
        let customer: Object<'_> = serde_json::from_str(loan["customer"].get()).unwrap();
        let state: String = serde_json::from_str(customer["state"].get()).unwrap();
        let raw = [loan["id"], loan["status"], loan["balance"], terms["amount"]].map(|value| value.get().to_owned());
        raw.into_iter().chain([state, customer["job"].get().to_owned()]).map(Some).collect()
    };
    assert_eq!(body.lines().map(values).collect::<Vec<Vec<_>>>(), expected);
}

#[test]
fn the_example_is_checked_verified_and_published_once() {
    let filegen = &*PUBLISHED;
    filegen.run("config check -c loans.yaml").exits(0);
    let again = filegen.run("run -c loans.yaml --date 2026-11-21").exits(0);
    assert!(again.stderr.contains("already published"), "{}", again.stderr);
    filegen.run("verify -c loans.yaml --date 2026-11-21 --full").exits(0);
}

#[test]
fn a_query_gives_the_loans_of_the_state_that_a_run_is_told() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::copy(examples.join("new_loans.yaml"), PUBLISHED.path("new_loans.yaml")).unwrap();
    PUBLISHED.run("run -c new_loans.yaml --date 2018-02-28 --param state=CA").exits(0);
    let expected = rows(
        "SELECT CAST(LoanId AS TEXT) FROM v_LoanData WHERE State = 'CA' AND Amount >= 10000 AND StartDate <= '2018-02-28' ORDER BY LoanId",
    );
    let file = PUBLISHED.read("out/new_all_20180228.csv");
    let found: Vec<&str> = file.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(found.len() > 100, "{}", found.len());
    assert_eq!(found, expected.iter().map(|row| row[0].as_deref().unwrap()).collect::<Vec<_>>());
    PUBLISHED.run("verify -c new_loans.yaml --date 2018-02-28 --full").exits(0);
}

#[test]
fn the_nightly_worker_says_when_its_run_is_due() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::copy(examples.join("nightly.yaml"), PUBLISHED.path("nightly.yaml")).unwrap();
    assert_eq!(PUBLISHED.run("config check -c nightly.yaml").exits(0).stderr, "");
    let told = PUBLISHED.run("status -c nightly.yaml --worker NightlyLoans --output json").exits(0).json();
    assert!(told["workers"][0]["nextDue"]["at"].as_str().unwrap().ends_with(":30:00Z"), "{told}");
}
