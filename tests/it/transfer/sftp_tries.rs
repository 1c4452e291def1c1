//! Tries at an SFTP server: late ones, and many at once.

use super::nats::POLLS;
use super::rig::{Rig, bytes};
use super::sftp::{shared, through, usual};
use crate::support::daemon::Daemon;
use crate::support::running::until;
use crate::support::sftp::Sftp;
use crate::support::toxiproxy::Line;
use std::collections::BTreeMap;
use std::fs;

/// The name of the one unfinished file.
fn part(rig: &Rig) -> Option<String> {
    rig.names("target").into_iter().find(|name| name.contains(".filegen-"))
}

#[test]
fn what_an_earlier_try_wrote_is_never_cut() {
    let rig = shared(&[]);
    let content = bytes(300_000, 1);
    rig.put("a", &content);
    rig.run_with("transfer.synced=return");
    let part = rig.filegen.path("target").join(part(&rig).expect("a part"));
    // A late request has given it a name, and whoever had the handle wrote more.
    let named = rig.filegen.path("named");
    fs::hard_link(&part, &named).unwrap();
    let longer = [&content[..], b"and more"].concat();
    fs::write(&named, &longer).unwrap();
    rig.run(0);
    assert!(fs::read(&named).unwrap() == longer, "{} bytes", fs::metadata(&named).unwrap().len());
    assert!(rig.files("target") == BTreeMap::from([("a".to_owned(), content)]), "{:?}", rig.names("target"));
}

#[test]
fn each_try_of_a_process_has_a_name_of_its_own() {
    let server = Sftp::shared();
    let line = Line::to(&server.place());
    let login = format!("{}, verify: size", usual(server));
    let rig = through(server, &line.host(), &login, &[POLLS]);
    let mut daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    line.slow(1);
    rig.drop_in("b", &bytes(900_000, 2));
    let first = until("a part", || part(&rig));
    line.close();
    daemon.running.wait_for("does not answer");
    line.heal();
    line.slow(1);
    until("another part", || part(&rig).filter(|name| *name != first));
    line.heal();
    until("the file", || rig.names("in").is_empty().then_some(()));
    assert_eq!(rig.names("target"), ["b"], "no part is left");
    daemon.running.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.running.finish().code, Some(0));
}

#[test]
fn many_files_at_once_have_their_companions() {
    let rig = shared(&[
        ("  max_size: 1MiB", "  max_size: 1MiB\n  companions: [{ sha256: \"{{ name }}.sha256\" }]"),
        ("chunk: 4KiB", "chunk: 512KiB, concurrency: 100"),
    ]);
    for number in 0..150 {
        rig.put(&format!("{number}"), &bytes(200, number));
    }
    rig.run(0);
    assert_eq!(rig.names("target").len(), 300);
}

#[test]
fn answers_that_are_short_are_asked_on() {
    let server = Sftp::python(&["password", "short"]);
    let login = format!("fingerprint: \"{}\", password: \"open:sesame\"", server.fingerprint());
    let changes = [("  max_size: 1MiB", "  max_size: 8MiB"), ("chunk: 4KiB", "chunk: 512KiB")];
    let rig = through(&server, &server.place(), &login, &changes);
    let all: BTreeMap<_, _> = (0..8).map(|number| (format!("{number}"), bytes(4_300_000, number))).collect();
    for (path, content) in &all {
        rig.put(path, content);
    }
    rig.run(0);
    assert!(rig.files("target") == all, "{:?}", rig.names("target"));
}
