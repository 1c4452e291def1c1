//! A transfer to a bucket, when something dies or is lost on the way.

use super::nats::{COLLECTS, POLLS};
use super::rig::bytes;
use super::s3::{Bucket, LARGE, SIZE};
use crate::support::daemon::Daemon;
use crate::support::running::until;
use crate::support::s3::{ACCESS, S3, SECRET};
use crate::support::toxiproxy::Line;
use filegen::adapters::s3::S3Target;
use filegen::core::model::s3::S3Spec;
use filegen::core::model::secret::Secret;
use filegen::core::ports::file_target::{FileTarget, PartName, Whole};
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;

/// How often the server was given a piece of a bucket's file.
fn given(server: &S3, bucket: &Bucket, number: &str) -> usize {
    let (path, query) = (format!("/{}/in/", bucket.name), format!("partNumber={number}&"));
    let log = server.log();
    log.lines().filter(|line| line.contains("| PUT |") && line.contains(&path) && line.contains(&query)).count()
}

#[test]
fn a_killed_process_goes_on_at_the_pieces_that_are_there() {
    let server = S3::shared();
    let line = Line::to(&server.place());
    let bucket = Bucket::at(server, &line.host(), "", &LARGE);
    let content = bytes(SIZE, 1);
    bucket.rig.put("a", &content);
    line.slow_to(3000);
    let daemon = Daemon::of(&mut bucket.rig.filegen.command("daemon -c t.yaml --health-port 0"));
    until("a piece", || (!bucket.pieces(server).is_empty()).then_some(()));
    daemon.running.signal(Signal::KILL);
    assert_eq!(daemon.running.finish().code, None);
    line.close();
    let there = bucket.pieces(server);
    assert!(bucket.rig.names("target").is_empty() && there.len() < 4, "{there:?}");
    bucket.change(&server.place(), "", &LARGE);
    bucket.rig.run(0);
    assert!(bucket.rig.files("target") == BTreeMap::from([("a".to_owned(), content)]));
    for number in there {
        assert_eq!(given(server, &bucket, &number), 1, "piece {number} is sent again");
    }
    assert!(bucket.pieces(server).is_empty(), "an upload is left");
}

#[test]
fn a_store_that_is_killed_and_comes_again_gets_the_file_once() {
    let mut server = S3::start();
    let line = Line::to(&server.place());
    let bucket = Bucket::at(&server, &line.host(), "", &[LARGE[0], LARGE[1], POLLS]);
    let daemon = Daemon::of(&mut bucket.rig.filegen.command("daemon -c t.yaml --health-port 0"));
    line.slow_to(3000);
    let content = bytes(SIZE, 2);
    bucket.rig.drop_in("a", &content);
    until("a piece", || (!bucket.pieces(&server).is_empty()).then_some(()));
    server.kill();
    until("not ready", || daemon.get("/health/ready").1.contains("does not answer").then_some(()));
    assert!(bucket.rig.names("target").is_empty());
    server.again();
    line.heal();
    until("the file", || bucket.rig.names("in").is_empty().then_some(()));
    assert!(bucket.rig.files("target") == BTreeMap::from([("a".to_owned(), content)]));
    assert!(bucket.pieces(&server).is_empty(), "an upload is left");
    daemon.running.signal(Signal::TERM);
    assert_eq!(daemon.running.finish().code, Some(0));
}

#[test]
fn a_file_whose_answer_is_lost_is_delivered_once() {
    let server = S3::shared();
    let line = Line::to(&server.place());
    let bucket = Bucket::at(server, &line.host(), "", &[POLLS]);
    let mut command = bucket.rig.filegen.command("daemon -c t.yaml --health-port 0");
    // Time to spoil the line, behind the look whether the store is there.
    let daemon = Daemon::of(command.env("FAILPOINTS", "transfer.writing=1*off->1*sleep(8000)->off"));
    // The first one finds that names are given once.
    bucket.rig.drop_in("first", b"1");
    until("the first file", || bucket.rig.names("in").is_empty().then_some(()));
    bucket.rig.drop_in("a", b"once");
    let ledger = rusqlite::Connection::open(bucket.rig.filegen.path("ledger.db")).unwrap();
    let state = "SELECT state FROM TransferFile WHERE side = 'deliver' AND path = 'a'";
    let is_writing = || ledger.query_row(state, [], |row| row.get::<_, String>(0)).ok().filter(|it| it == "writing");
    until("its turn", is_writing);
    line.mute();
    until("the file", || bucket.rig.names("target").contains(&"a".to_owned()).then_some(()));
    line.close();
    until("not ready", || daemon.get("/health/ready").1.contains("does not answer").then_some(()));
    assert_eq!(bucket.rig.names("in"), ["a"], "nobody knows yet");
    line.heal();
    until("its end", || bucket.rig.names("in").is_empty().then_some(()));
    assert_eq!(bucket.rig.names("target"), ["a", "first"]);
    let path = format!("/{}/in/a ", bucket.name);
    assert_eq!(server.log().lines().filter(|line| line.contains("| PUT |") && line.contains(&path)).count(), 1);
    daemon.running.signal(Signal::TERM);
    let done = daemon.running.finish();
    assert!(done.code == Some(0) && bucket.rig.names("error").is_empty(), "{}", done.stderr);
}

#[test]
fn content_that_is_not_what_its_envelope_tells_is_never_put_together() {
    let bucket = Bucket::shared(&LARGE);
    let rig = &bucket.rig;
    rig.put("a", &bytes(SIZE, 3));
    let text = rig.filegen.read("t.yaml");
    rig.change(&[COLLECTS, LARGE[1]]);
    assert_eq!(rig.run_with("transfer.sent=return").code, None);
    rig.filegen.write("t.yaml", &text);
    let chunks = fs::read_dir(rig.filegen.path("spool/sales/c")).unwrap().next().unwrap().unwrap().path();
    let mut spoilt = fs::read(&chunks).unwrap();
    spoilt[SIZE - 5] ^= 1;
    fs::write(&chunks, spoilt).unwrap();
    rig.run(4);
    assert!(rig.names("target").is_empty() && bucket.pieces(S3::shared()).is_empty(), "{:?}", rig.names("target"));
    let failure: serde_json::Value = serde_json::from_slice(&rig.shelf("error")["a.error"]).unwrap();
    assert_eq!(failure["kind"], json!("difference"));
}

#[tokio::test]
async fn uploads_that_nobody_goes_on_with_are_given_up_and_others_are_let_alone() {
    let server = S3::shared();
    let bucket = Bucket::shared(&[LARGE[0], LARGE[1], POLLS]);
    let rig = &bucket.rig;
    // Somebody else's, at the same place and to the same name.
    let spec = S3Spec {
        url: Secret::new(format!("s3://{}/in", bucket.name)),
        endpoint: Some(Secret::new(format!("http://{}", server.place()))),
        region: None,
        path_style: None,
        ca: None,
        profile: None,
        variables: [("AWS_ACCESS_KEY_ID", ACCESS), ("AWS_SECRET_ACCESS_KEY", SECRET)]
            .map(|(name, value)| (name, Secret::new(value)))
            .into(),
    };
    let target = S3Target::new(&spec).unwrap();
    let whole = Whole { path: "a", size: SIZE as u64, sha256: "" };
    let name = PartName { id: "other", writer: "w", former: &[], whole: Some(whole), upload: None };
    let mut foreign = target.part("", name, 0).await.unwrap().0;
    foreign.append(bytes(SIZE, 9)).await.unwrap();
    foreign.sync().await.unwrap();
    let others = bucket.pieces(server).len();
    assert_eq!(others, 3);
    rig.put("a", &bytes(SIZE, 4));
    assert_eq!(rig.run_with("transfer.part_synced=return").code, None);
    assert_eq!(bucket.pieces(server).len(), others + 3);
    // It has failed for good, and the store was away then.
    let ledger = rusqlite::Connection::open(rig.filegen.path("ledger.db")).unwrap();
    let failed = "UPDATE TransferFile SET state = 'failed', record = json_set(record, '$.state', 'failed') WHERE side = 'deliver'";
    assert_eq!(ledger.execute(failed, []).unwrap(), 1);
    let message = fs::read_dir(rig.filegen.path("spool/sales/m")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(message).unwrap();
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    rig.drop_in("b", b"1");
    until("the next file", || rig.names("target").contains(&"b".to_owned()).then_some(()));
    assert_eq!(bucket.pieces(server).len(), others, "its own are gone, and no others");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish();
    let left = "SELECT count(*) FROM TransferFile WHERE json_extract(record, '$.upload') IS NOT NULL";
    assert_eq!(ledger.query_row(left, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
    foreign.discard().await.unwrap();
    assert!(bucket.pieces(server).is_empty());
}
