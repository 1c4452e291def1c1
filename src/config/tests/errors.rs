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

#[test]
fn all_problems_are_told_at_once() {
    insta::assert_snapshot!(shown(&refused(WRONG)));
}
