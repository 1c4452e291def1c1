//! A bucket whose keys a program gives, and one whose store has too much to do.

use super::nats::POLLS;
use super::rig::bytes;
use super::s3::{Bucket, LARGE, SIZE};
use crate::support::daemon::{Daemon, stop};
use crate::support::running::until;
use crate::support::s3::{ACCESS, S3, SECRET};
use crate::support::toxiproxy::Line;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// Has the rig's keys given by a program, which writes down that it was asked.
fn given_by_a_program(bucket: &Bucket, script: &str) {
    let filegen = &bucket.rig.filegen;
    let program = filegen.path("give keys");
    let asked = filegen.path("asked");
    filegen.write("give keys", &format!("#!/bin/sh\necho \"$*\" >>'{}'\n{script}", asked.display()));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    filegen.write(".aws/credentials", "");
    let line = format!("[default]\ncredential_process = \"{}\" to 'the partner' $HOME\n", program.display());
    filegen.write(".aws/config", &line);
}

fn asked(bucket: &Bucket) -> Vec<String> {
    let text = fs::read_to_string(bucket.rig.filegen.path("asked")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn keys_of_a_program_are_asked_for_anew_when_they_end_and_are_shown_nowhere() {
    let bucket = Bucket::shared(&[POLLS]);
    given_by_a_program(
        &bucket,
        &format!(
            "echo {SECRET} >&2\nprintf '{{\"Version\":1,\"AccessKeyId\":\"{ACCESS}\",\"SecretAccessKey\":\"{SECRET}\",\
             \"Expiration\":\"%s\"}}' \"$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)\"\n"
        ),
    );
    let rig = &bucket.rig;
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    let mut number = 0;
    until("keys that were given a second time", || {
        rig.drop_in(&format!("f{number}"), b"1");
        number += 1;
        until("the file", || rig.names("in").is_empty().then_some(()));
        (asked(&bucket).len() >= 2).then_some(())
    });
    assert_eq!(asked(&bucket)[0], "to the partner $HOME", "no shell has looked at it");
    assert_eq!(rig.names("target").len(), number);
    let log = stop([daemon]).remove(0);
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn a_program_that_gives_no_keys_is_told_and_sets_nothing_aside() {
    let bucket = Bucket::shared(&[]);
    bucket.rig.put("a", b"1");
    given_by_a_program(&bucket, &format!("echo {SECRET}; echo {SECRET} >&2; exit 4\n"));
    let told = bucket.rig.transfer("run").exits(3).stderr;
    assert!(told.contains("exit status: 4") && told.contains("by hand") && !told.contains(SECRET), "{told}");
    bucket.rig.filegen.write(".aws/config", "[default]\nsso_session = bank\n");
    let told = bucket.rig.transfer("run").exits(3).stderr;
    let way = "credential_process = aws configure export-credentials --profile default";
    assert!(told.contains("single sign-on") && told.contains(way), "{told}");
    assert!(bucket.rig.names("in") == ["a"] && bucket.rig.names("error").is_empty());
    bucket.keys(ACCESS, SECRET);
    bucket.rig.run(0);
}

#[test]
fn a_store_that_is_busy_is_told_as_busy_with_what_helps() {
    let server = S3::with(&["--max-requests", "1"]);
    let line = Line::to(&server.place());
    let other = Bucket::at(&server, &line.host(), "", &[LARGE[0], LARGE[1], POLLS]);
    let bucket = Bucket::at(&server, &server.place(), "", &[]);
    // The one request that it takes at a time goes on for long.
    line.slow_to(20);
    other.rig.drop_in("large", &bytes(SIZE, 1));
    let daemon = Daemon::of(&mut other.rig.filegen.command("daemon -c t.yaml --health-port 0"));
    let mut number = 0;
    let told = until("a busy store", || {
        bucket.rig.put(&format!("a{number}"), b"1");
        number += 1;
        let done = bucket.rig.transfer("run");
        (done.code != Some(0)).then(|| done.exits(6).stderr)
    });
    assert!(told.contains("is busy") && told.contains("SlowDown"), "{told}");
    assert!(told.contains("nothing is lost") && told.contains("concurrency") && !told.contains("correct"), "{told}");
    daemon.running.signal(Signal::KILL);
    drop(daemon.running.finish());
    line.close();
    bucket.rig.run(0);
    assert_eq!(bucket.rig.names("target").len(), number);
}
