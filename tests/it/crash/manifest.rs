//! Holds each value of a manifest against the files themselves. Nothing here is the tool's own: records are counted, and amounts added
//! up, from the files' bytes.

use super::rig::{ROWS, Rig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Rows of one page.
const PAGE: u64 = 10;

/// Bytes of a header line.
const HEADER: usize = 32;

/// What a file is known to be.
struct Known {
    id: &'static str,
    name: &'static str,
    has_header: bool,
    /// Records that are no rows: the first and the last.
    has_control_records: bool,
    /// Rows that the worker file's predicate lets through.
    belongs: fn(u32) -> bool,
}

const ALL: [Known; 4] = [
    Known { id: "Loan0", name: "loan0_20261121.txt", has_header: true, has_control_records: true, belongs: |_| true },
    Known {
        id: "Loan1",
        name: "loan1_20261121.csv",
        has_header: true,
        has_control_records: false,
        belongs: |row| row % 3 == 0,
    },
    Known {
        id: "Loan2",
        name: "sub/loan2_20261121.dat",
        has_header: false,
        has_control_records: false,
        belongs: |_| true,
    },
    Known {
        id: "Loan3",
        name: "loan3_20261121.jsonl",
        has_header: true,
        has_control_records: false,
        belongs: |_| true,
    },
];

impl Rig {
    /// Fails when one value of a manifest is not what the published files say. With `corrections: suffix` each version has its own.
    #[track_caller]
    pub fn check_manifest(&self) {
        let published = self.published();
        let mut held = 0;
        for suffix in ["", "_v2"] {
            let text = std::fs::read(self.path(&format!("out/LoanWorker_20261121{suffix}.manifest.json")));
            assert!(text.is_ok() || !suffix.is_empty(), "there is no manifest");
            if let Ok(text) = text {
                held += check_one(&serde_json::from_slice(&text).unwrap(), suffix, &published);
            }
        }
        assert_eq!(held, published.len(), "one entry for each file");
    }
}

/// Holds one version's manifest against its files. Gives their number.
#[track_caller]
fn check_one(manifest: &Value, suffix: &str, published: &BTreeMap<String, Vec<u8>>) -> usize {
    let pages = u64::from(ROWS).div_ceil(PAGE);
    for (field, expected) in [
        ("workerId", json!("LoanWorker")),
        ("runId", json!("LoanWorker:2026-11-21")),
        ("businessDate", json!("2026-11-21")),
        ("pages", json!(pages)),
        ("sourceRows", json!(ROWS)),
    ] {
        assert_eq!(manifest[field], expected, "the manifest's `{field}`");
    }
    assert!(manifest["token"].as_u64().is_some_and(|token| token > 0), "{}", manifest["token"]);
    let files = manifest["files"].as_array().unwrap();
    for (told, known) in files.iter().zip(&ALL) {
        let (stem, end) = known.name.rsplit_once('.').unwrap();
        let name = format!("{stem}{suffix}.{end}");
        assert_eq!(told["name"], name, "the manifest's `name`");
        check(told, known, pages, published.get(&name).map(Vec::as_slice));
    }
    files.len()
}

/// Holds a file's entry against its bytes.
#[track_caller]
fn check(told: &Value, known: &Known, pages: u64, bytes: Option<&[u8]>) {
    let id = known.id;
    let bytes = bytes.unwrap_or_else(|| panic!("{} is not there", told["name"]));
    let (header, body) = bytes.split_at(if known.has_header { HEADER } else { 0 });
    let body = std::str::from_utf8(body).unwrap();
    let lines: Vec<&str> = body.lines().collect();
    let records = match lines.as_slice() {
        [_, records @ .., _] if known.has_control_records => records,
        records => records,
    };
    let rows = (1..=ROWS).filter(|row| (known.belongs)(*row)).count();
    assert_eq!(records.len(), rows, "{id}: records in the file");
    let totals = if known.has_control_records {
        let cents: u64 = records.iter().map(|record| cents(record.rsplit('|').next().unwrap_or_default())).sum();
        json!({ "Amount": format!("{}.{:02}", cents / 100, cents % 100) })
    } else {
        json!({})
    };
    for (field, expected) in [
        ("id", json!(id)),
        ("rows", json!(rows)),
        ("bytes", json!(bytes.len())),
        ("sha256", json!(hex::encode(Sha256::digest(bytes)))),
        ("controlTotals", totals.clone()),
    ] {
        assert_eq!(told[field], expected, "{id}: the manifest's `{field}`");
    }
    if let Some(changed) = told["replaced"].as_object() {
        let none =
            |value: &Value| value.as_u64() == Some(0) || value.as_object().is_some_and(serde_json::Map::is_empty);
        assert!(changed.values().all(none), "{id}: {changed:?}");
    }
    if known.has_header {
        let header = std::str::from_utf8(header).unwrap();
        assert_eq!(header.trim_end(), format!("{pages},{rows}"), "{id}: the header line");
    }
    if known.has_control_records {
        let last = format!("T{rows};{}", totals["Amount"].as_str().unwrap());
        assert_eq!(lines.last(), Some(&last.as_str()), "{id}: the last record");
    }
}

/// `12.50`, `12.5` and `12` in cents.
fn cents(amount: &str) -> u64 {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    assert!(fraction.len() <= 2, "{amount}");
    format!("{whole}{fraction:0<2}").parse().unwrap()
}
