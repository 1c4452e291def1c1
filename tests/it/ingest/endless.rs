//! What never ends does not keep a reader from its stop: a line, and a standard input that stays open.

use super::{EVENTS_OF_TWO_USERS, FILE, letters, rows, with_events};
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::running::{Running, until};
use rustix::process::Signal;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Stdio;

/// So many bytes take longer to read than any test waits.
const ENDLESS: u64 = 4 << 40;

/// The events, and a last line without end.
fn with_endless_line(events: &[&str]) -> Filegen {
    let filegen = with_events(events);
    OpenOptions::new().append(true).open(filegen.path("events.jsonl")).unwrap().set_len(ENDLESS).unwrap();
    filegen
}

/// Waits until there are so many users; there is no table before the first.
fn users(filegen: &Filegen, count: usize) {
    until("the users", || {
        let sink = rusqlite::Connection::open(filegen.path("orders.db")).ok()?;
        let users: i64 = sink.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).ok()?;
        (usize::try_from(users) == Ok(count)).then_some(())
    });
}

#[test]
fn a_run_ends_within_an_endless_line() {
    let filegen = with_endless_line(&EVENTS_OF_TWO_USERS);
    let run = Running::start(&mut filegen.command("ingest run -c events.yaml"));
    users(&filegen, 1);
    run.signal(Signal::TERM);
    run.finish().exits(143);
}

#[test]
fn a_daemon_ends_within_an_endless_line() {
    let filegen = with_endless_line(&EVENTS_OF_TWO_USERS);
    let daemon = Daemon::of(&mut filegen.command("daemon -c events.yaml --health-port 0"));
    users(&filegen, 1);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn a_line_without_end_makes_its_reader_not_ready_until_it_ends() {
    let filegen = with_events(&EVENTS_OF_TWO_USERS);
    let daemon = Daemon::of(&mut filegen.command("daemon -c events.yaml --health-port 0"));
    users(&filegen, 1);
    until("the daemon is ready", || (daemon.get("/health/ready").0 == 200).then_some(()));
    let mut writer = OpenOptions::new().append(true).open(filegen.path("events.jsonl")).unwrap();
    writer.write_all("x".repeat(3 << 20).as_bytes()).unwrap();
    until("the line is told", || {
        let (code, told) = daemon.get("/health/ready");
        (code == 503 && told.contains("has no end yet")).then_some(())
    });
    writer.write_all(b"\n").unwrap();
    until("the daemon is ready again", || (daemon.get("/health/ready").0 == 200).then_some(()));
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn a_run_ends_when_its_file_becomes_shorter() {
    let [user, ..] = EVENTS_OF_TWO_USERS;
    let filegen = with_endless_line(&EVENTS_OF_TWO_USERS);
    let run = Running::start(&mut filegen.command("ingest run -c events.yaml"));
    users(&filegen, 1);
    // Behind the first event, and before what is being read.
    let length = user.len() as u64 + 1;
    OpenOptions::new().write(true).open(filegen.path("events.jsonl")).unwrap().set_len(length).unwrap();
    let done = run.finish();
    assert!(done.stderr.contains("became shorter while it was read"), "{}", done.stderr);
    done.exits(7);
}

#[test]
fn an_event_behind_a_line_that_is_too_long_is_read() {
    let [user, order, ..] = EVENTS_OF_TWO_USERS;
    let long = "x".repeat(40 << 20);
    let filegen = with_events(&[user, &long, order, ""]);
    filegen.run("ingest run -c events.yaml").exits(0);
    assert_eq!(rows(&filegen, "SELECT order_id FROM orders"), [[Some("o1".to_owned())]]);
    let dead = letters(&filegen, "");
    assert_eq!((dead.len(), dead[0]["error"]["kind"].as_str()), (1, Some("size")), "{dead:?}");
}

#[test]
fn a_run_ends_while_its_standard_input_stays_open() {
    let filegen = Filegen::empty();
    filegen.write("events.yaml", FILE);
    let (input, mut writer) = std::io::pipe().unwrap();
    let mut command = filegen.command("ingest run -c events.yaml --from -");
    let run = Running::start(command.stdin(Stdio::from(input)));
    drop(command);
    writeln!(writer, "{}", EVENTS_OF_TWO_USERS[0]).unwrap();
    users(&filegen, 1);
    write!(writer, "{{").unwrap();
    run.signal(Signal::TERM);
    run.finish().exits(143);
    drop(writer);
}

#[test]
fn a_standard_input_is_read_to_its_end_in_whatever_pieces_it_comes() {
    let filegen = Filegen::empty();
    filegen.write("events.yaml", FILE);
    let (input, mut writer) = std::io::pipe().unwrap();
    let mut command = filegen.command("ingest run -c events.yaml --from -");
    let run = Running::start(command.stdin(Stdio::from(input)));
    drop(command);
    let (begin, end) = EVENTS_OF_TWO_USERS[0].split_at(20);
    write!(writer, "{begin}").unwrap();
    writeln!(writer, "{end}").unwrap();
    users(&filegen, 1);
    // The last line has no end.
    write!(writer, "\n{}", EVENTS_OF_TWO_USERS[1]).unwrap();
    drop(writer);
    run.finish().exits(0);
    assert_eq!(rows(&filegen, "SELECT order_id FROM orders"), [[Some("o1".to_owned())]]);
}
