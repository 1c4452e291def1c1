//! `filegen resume`: rolls back to a page and goes on from there.

use crate::support::filegen::Filegen;

/// A run of 30 rows that stopped behind page 2, because row 23 cannot be written.
fn stopped() -> Filegen {
    let filegen = Filegen::with_loans(30);
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(7);
    filegen.sql("UPDATE loans SET Customer = 'changed ' || LoanId");
    filegen
}

#[test]
fn pages_before_the_chosen_one_are_kept_and_the_others_written_again() {
    let filegen = stopped();
    filegen.run("resume --from-page 2 -c worker.yaml --date 2026-11-21 --reason INC-4711 --yes").exits(0);
    let file = filegen.read("out/loan0_20261121.txt");
    assert!(file.contains("10|customer 10|"), "page 1 is kept");
    assert!(file.contains("11|changed 11|") && file.contains("30|changed 30|"), "pages from 2 on are read again");
    assert_eq!(file.lines().count(), 31);
    let kept = filegen.audits();
    assert_eq!(kept.len(), 1, "a run that just goes on is nobody's change: {kept:?}");
    let [who, action, detail, reason] = &kept[0];
    assert!(who.contains(" at "), "{who}");
    assert_eq!((action.as_str(), reason.as_str()), ("resume", "INC-4711"));
    assert_eq!(detail, "run LoanWorker:2026-11-21, written again from page 2 on");
}

#[test]
fn a_restart_is_on_record_too() {
    let filegen = stopped();
    filegen.run("run -c worker.yaml --date 2026-11-21 --restart").exits(0);
    assert_eq!(filegen.audits()[0][1], "run --restart");
}

#[test]
fn a_dry_run_says_what_would_be_kept_and_changes_nothing() {
    let filegen = stopped();
    let before = filegen.run("inspect-headers -c worker.yaml --output json").json();
    let args = "resume --from-page 2 -c worker.yaml --date 2026-11-21 --dry-run --output json";
    let json = filegen.run(args).exits(0).json();
    assert_eq!((json["resumesFromPage"].as_u64(), json["keptRows"].as_u64()), (Some(2), Some(10)));
    assert_eq!(filegen.run("inspect-headers -c worker.yaml --output json").json(), before);
    assert!(filegen.audits().is_empty());
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let filegen = stopped();
    let done = filegen.run("resume --from-page 2 -c worker.yaml --date 2026-11-21").exits(2);
    assert!(done.stderr.contains("--yes"), "{}", done.stderr);
    assert!(!filegen.has("out/loan0_20261121.txt"));
}

#[test]
fn a_page_that_nothing_leads_up_to_exits_1() {
    let filegen = stopped();
    let done = filegen.run("resume --from-page 4 -c worker.yaml --date 2026-11-21 --yes").exits(1);
    assert!(done.stderr.contains("only 2 pages are committed"), "{}", done.stderr);
    filegen.run("resume --from-page 0 -c worker.yaml").exits(2);
}

#[test]
fn a_published_run_is_not_rolled_back() {
    let filegen = Filegen::with_loans(30);
    filegen.publish();
    let done = filegen.run("resume --from-page 1 -c worker.yaml --date 2026-11-21 --yes").exits(1);
    assert!(done.stderr.contains("published files never change"), "{}", done.stderr);
    filegen.run("resume --from-page 1 -c worker.yaml --date 2026-11-21 --dry-run").exits(1);
}
