//! `run --date` outside the window that the worker file takes.

use crate::support::filegen::Filegen;

#[test]
fn a_date_outside_the_window_needs_force_and_a_reason_that_is_kept() {
    let filegen = Filegen::with_loans(3);
    let wide = filegen.read("worker.yaml");
    let narrow: Vec<&str> = wide.lines().filter(|line| !line.starts_with("business_date")).collect();
    filegen.write("worker.yaml", &format!("{}\n", narrow.join("\n")));
    let done = filegen.run("run -c worker.yaml --date 2090-01-01").exits(3);
    assert!(done.stderr.contains("business_date.accept") && done.stderr.contains("--force"), "{}", done.stderr);
    assert!(!filegen.has("out/loan0_20900101.txt"));
    filegen.run("run -c worker.yaml --date 2090-01-01 --force").exits(2);
    filegen.run("run -c worker.yaml --date 0000-01-01 --force --reason x").exits(2);
    filegen.run("run -c worker.yaml --date 2090-01-01 --force --reason audit").exits(0);
    assert!(filegen.has("out/loan0_20900101.txt"));
    let done = filegen.run("run -c worker.yaml --date 2090-01-01").exits(0);
    assert!(done.stderr.contains("already published"), "what is published may be asked for: {}", done.stderr);
    let state = rusqlite::Connection::open(filegen.path("out/.filegen/state.db")).unwrap();
    let kept: (String, String) = state
        .query_row("SELECT detail, reason FROM audit WHERE action = 'run --force'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, ("run LoanWorker:2090-01-01".to_owned(), "audit".to_owned()));
}

#[test]
fn a_person_who_asks_for_a_day_that_has_not_begun_is_believed_and_told() {
    let filegen = Filegen::with_loans(3);
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let tomorrow = today.tomorrow().unwrap().tomorrow().unwrap();
    let done = filegen.run(&format!("run -c worker.yaml --date {tomorrow}")).exits(0);
    let told = format!("{tomorrow} has not begun in UTC");
    assert!(done.stderr.contains(&told) && done.stderr.contains("filegen correct"), "{}", done.stderr);
    let done = filegen.run(&format!("run -c worker.yaml --date {}", today.yesterday().unwrap())).exits(0);
    assert!(!done.stderr.contains("has not begun"), "{}", done.stderr);
}
