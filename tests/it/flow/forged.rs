//! Journals that somebody made who knows how: each checksum is right, and what they say was never of this run.

use super::rig::Rig;
use crate::support::term;
use filegen::core::generate::model::journal::{Journal, JournalWriter};
use filegen::core::generate::{GenerateError, Outcome};
use serde_json::{Value, json};

const STAGED: &str = ".filegen/LoanWorker/20261121/t00000007";

/// What somebody did to the lines.
type Change = fn(&mut Vec<Value>);

/// What becomes of a run whose holder died behind its second page, when its journal's lines are changed so; and its files, if there are
/// any.
async fn taken_over(change: impl FnOnce(&mut Vec<Value>)) -> (Rig, Result<Outcome, GenerateError>) {
    let (whole, stopped) = (Rig::new(), Rig::new());
    whole.generate(&term(7)).await.unwrap();
    let journal = whole.read(&format!("{STAGED}/journal.jsonl")).await;
    let lines = Journal::parse(&journal).entries;
    let mut lines: Vec<Value> = lines.iter().take(3).map(|line| serde_json::to_value(line).unwrap()).collect();
    change(&mut lines);
    let (mut writer, mut forged) = (JournalWriter::default(), Vec::new());
    for line in &lines {
        writer.append_text(line.to_string().as_bytes(), &mut forged);
    }
    assert_eq!(Journal::parse(&forged).entries.len(), 3, "{:?}", Journal::parse(&forged).damage);
    let volume = &stopped.ports.volume;
    volume.make_dirs(&term(7), STAGED).await.unwrap();
    let mut files = vec![("journal.jsonl", forged)];
    for (id, name) in [("Loan0", "loan0_20261121.txt"), ("Loan1", "loan1_20261121.csv")] {
        files.push((id, whole.read(name).await));
    }
    for (name, bytes) in files {
        let file = volume.create(&term(7), &format!("{STAGED}/{name}")).await.unwrap();
        file.write_at(&term(7), 0, bytes).await.1.unwrap();
    }
    let done = stopped.generate(&term(8)).await;
    (stopped, done)
}

#[tokio::test]
async fn a_journal_that_contradicts_its_own_settings_is_passed_over_and_the_run_is_made_anew() {
    let (rig, done) = taken_over(|_| ()).await;
    let Ok(Outcome::Published(manifest)) = done else { panic!("{done:?}") };
    assert_eq!(manifest.read_mode.terms, [7, 8], "a true one is gone on with");
    let whole = rig.published().await;
    let changes: [(&str, Change); 6] = [
        ("another run", |lines| lines[0]["run"] = json!("LoanWorker:2026-11-20")),
        ("other files", |lines| lines[0]["files"] = json!(["Loan0", "Loan9"])),
        ("files in another order", |lines| lines[0]["files"] = json!(["Loan1", "Loan0"])),
        ("no keys", |lines| {
            lines[0]["range"] = json!([[], []]);
            lines[1]["key"] = json!([]);
            lines[2]["key"] = json!([]);
        }),
        ("other columns", |lines| lines[1]["columns"][0]["name"] = json!("Nobody")),
        ("no columns", |lines| lines[1]["columns"] = json!([])),
    ];
    for (what, change) in changes {
        let (rig, done) = taken_over(change).await;
        let Ok(Outcome::Published(manifest)) = done else { panic!("{what}: {done:?}") };
        assert_eq!(manifest.read_mode.terms, [8], "{what}");
        assert_eq!(rig.published().await, whole, "{what}");
    }
}

#[tokio::test]
async fn a_journal_of_other_settings_waits_for_a_person() {
    let (_, done) = taken_over(|lines| lines[0]["spec"] = json!("0123456789abcdef")).await;
    let Err(GenerateError::Staged { reason }) = done else { panic!("{done:?}") };
    assert!(reason.contains("the worker file has changed"), "{reason}");
}
