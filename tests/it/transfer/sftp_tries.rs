//! Tries at an SFTP server: late ones, and many at once.

use super::nats::{COLLECTS, POLLS};
use super::rig::{Rig, bytes};
use super::sftp::{shared, through, usual};
use crate::support::daemon::{Daemon, stop};
use crate::support::running::until;
use crate::support::sftp::Sftp;
use crate::support::toxiproxy::Line;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt};

/// The name of the one unfinished file.
fn part(rig: &Rig) -> Option<String> {
    rig.names("target").into_iter().find(|name| name.contains(".filegen-"))
}

#[test]
fn what_an_earlier_try_wrote_is_never_cut() {
    // Behind its first sync nothing of it counts yet; behind the third one, two do, and it is gone on with.
    for (passes, goes_on) in [(0, false), (2, true)] {
        let rig = shared(&[]);
        let content = bytes(300_000, 1);
        rig.put("a", &content);
        rig.run_with(&format!("transfer.synced={passes}*off->return"));
        let part = rig.filegen.path("target").join(part(&rig).expect("a part"));
        // A late request has given it a name, and whoever had the handle wrote more.
        let named = rig.filegen.path("named");
        fs::hard_link(&part, &named).unwrap();
        let longer = [&content[..], b"and more"].concat();
        fs::write(&named, &longer).unwrap();
        let told = rig.transfer("run").exits(0).stderr;
        assert_eq!(told.contains("`a` goes on behind"), goes_on, "{told}");
        assert!(fs::read(&named).unwrap() == longer, "{} bytes", fs::metadata(&named).unwrap().len());
        assert!(rig.files("target") == BTreeMap::from([("a".to_owned(), content)]), "{:?}", rig.names("target"));
    }
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
fn what_filters_made_goes_on_where_an_earlier_try_ended() {
    let rig = shared(&[
        ("  max_size: 1MiB", "  max_size: 8MiB\n  filters: [{ gzip: {} }]\n  work: work"),
        ("{{ folder }}{{ name }}", "{{ folder }}{{ name }}.gz"),
        ("chunk: 4KiB", "chunk: 512KiB"),
    ]);
    let content = bytes(4_000_000, 7);
    rig.put("a", &content);
    for (is_spoilt, passes) in [(false, 9), (true, 2)] {
        assert_eq!(rig.run_with(&format!("transfer.copied={passes}*sleep(30)->return")).code, None);
        let part = rig.filegen.path("target").join(part(&rig).expect("a part"));
        let there = fs::metadata(&part).unwrap();
        assert!(there.len() > 100_000, "{}", there.len());
        // The same file, whoever gives it which name.
        let named = rig.filegen.path("named");
        let _ = fs::remove_file(&named);
        fs::hard_link(&part, &named).unwrap();
        if is_spoilt {
            // As a server that lost its power leaves it: the size is there, and some of the bytes are not.
            let file = fs::File::options().write(true).open(&named).unwrap();
            file.write_all_at(&[0; 4096], 50_000).unwrap();
        }
    }
    rig.run(0);
    let target = rig.filegen.path("target/a.gz");
    assert_eq!(fs::metadata(&target).unwrap().ino(), fs::metadata(rig.filegen.path("named")).unwrap().ino());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&rig.files("target")["a.gz"][..]).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == content && rig.names("target") == ["a.gz"], "{:?}", rig.names("target"));
}

#[test]
fn a_file_on_a_slow_line_that_is_cut_goes_on_where_it_was_and_arrives_once() {
    let server = Sftp::shared();
    let line = Line::to(&server.place());
    let changes = [POLLS, ("  max_size: 1MiB", "  max_size: 8MiB"), ("chunk: 4KiB", "chunk: 64KiB")];
    let rig = through(server, &line.host(), &usual(server), &changes);
    let content = bytes(4_000_000, 8);
    line.slow_to(500);
    rig.drop_in("a", &content);
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0 -vv"));
    for cut in 1_u64..=2 {
        // Two chunks are made durable at a time.
        let least = cut * 1_000_000;
        until("much of the file", || {
            let there = fs::metadata(rig.filegen.path("target").join(part(&rig)?)).ok()?.len();
            (there > least).then_some(())
        });
        line.close();
        until("not ready", || daemon.get("/health/ready").1.contains("does not answer").then_some(()));
        assert!(rig.names("target").iter().all(|name| name.contains(".filegen-")), "{:?}", rig.names("target"));
        line.heal();
        line.slow_to(if cut == 1 { 500 } else { 100_000 });
    }
    until("the file", || rig.names("in").is_empty().then_some(()));
    assert!(rig.files("target") == BTreeMap::from([("a".to_owned(), content.clone())]), "{:?}", rig.names("target"));
    assert!(rig.shelf("archive") == BTreeMap::from([("a".to_owned(), content)]));
    daemon.running.signal(rustix::process::Signal::TERM);
    let log = daemon.running.finish().stderr;
    let resumed: Vec<u64> = log
        .lines()
        .filter(|line| line.contains("file begins") && line.contains("side=deliver"))
        .filter_map(|line| line.split("resumed=").nth(1)?.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(resumed.first() == Some(&0) && resumed.last() >= Some(&1_000_000), "{resumed:?}");
    assert!(resumed.is_sorted(), "nothing that is durable is sent again: {resumed:?}");
    assert_eq!(log.matches("file is delivered").count(), 1, "{log}");
}

#[test]
fn two_versions_of_a_name_that_wait_together_have_each_its_own_companion() {
    const NAMES: usize = 30;
    let keep = ("  archive: archive\n", "  after: keep\n");
    let replace = "  max_size: 1MiB\n  on_exists: replace\n  companions: [{ sha256: \"{{ name }}.sha256\" }]";
    let rig = shared(&[keep, ("  max_size: 1MiB", replace), ("chunk: 4KiB", "chunk: 4KiB, concurrency: 60")]);
    let text = rig.filegen.read("t.yaml");
    // They are collected first, and then delivered together.
    rig.change(&[keep, POLLS, COLLECTS]);
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    for version in 1..=2 {
        for name in 0..NAMES {
            rig.drop_in(&format!("f{name}"), &bytes(2_000 + name, version));
        }
        let sent = || rig.names("spool").iter().filter(|name| name.contains("/m/")).count();
        until("the messages", || (sent() == NAMES * usize::try_from(version).unwrap()).then_some(()));
    }
    stop([daemon]);
    rig.filegen.write("t.yaml", &text);
    // The first of them stand still between the file and its companion.
    rig.run_with("transfer.published=3*sleep(300)->off").exits(0);
    let there = rig.files("target");
    assert_eq!(there.len(), NAMES * 2, "{:?}", rig.names("target"));
    for name in 0..NAMES {
        let (file, sum) = (&there[&format!("f{name}")], &there[&format!("f{name}.sha256")]);
        let digest = hex::encode(Sha256::digest(file));
        assert!(String::from_utf8_lossy(sum).starts_with(&digest), "f{name}");
    }
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
