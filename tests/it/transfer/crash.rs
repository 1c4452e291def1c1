//! The real process, ended at each point on either side; the next run finds each file once and whole.

use super::nats::Place;
use super::rig::{Rig, bytes};
use super::s3::{Bucket, LARGE, SIZE};
use super::sftp;
use crate::support::nats::Nats;
use crate::support::s3::S3;
use std::collections::BTreeMap;

/// Points that a run passes, in the order of the steps.
const POINTS: [&str; 18] = [
    "transfer.seen",
    "transfer.sending",
    "transfer.chunk",
    "transfer.settled",
    "transfer.enveloped",
    "transfer.sent",
    "transfer.receiving",
    "transfer.written",
    "transfer.synced",
    "transfer.part_synced",
    "transfer.writing",
    "transfer.published",
    "transfer.delivered",
    "transfer.answered",
    "transfer.receipt",
    "transfer.archived",
    "transfer.settled_source",
    "transfer.refused",
];

/// Those that a run passes once a chunk.
const IN_CHUNKS: [&str; 4] = ["transfer.chunk", "transfer.settled", "transfer.written", "transfer.synced"];

fn sources() -> BTreeMap<String, Vec<u8>> {
    [("a", bytes(30_000, 7)), ("b", b"small".to_vec()), ("x/c", bytes(12_288, 8))]
        .map(|(path, content)| (path.to_owned(), content))
        .into_iter()
        .collect()
}

/// What holds at any moment: what is visible is whole, and a source is somewhere.
fn check_between(rig: &Rig, sources: &BTreeMap<String, Vec<u8>>, context: &str) {
    for (path, content) in rig.files("target") {
        if !path.contains(".filegen-") {
            assert!(sources.get(&path) == Some(&content), "{context}: {path} is visible and not whole");
        }
    }
    let (inside, archived) = (rig.files("in"), rig.shelf("archive"));
    for (path, content) in sources {
        let is_there = inside.get(path) == Some(content) || archived.get(path) == Some(content);
        assert!(is_there, "{context}: the source {path} is nowhere");
        if archived.contains_key(path) {
            assert!(rig.files("target").contains_key(path), "{context}: {path} is archived and not delivered");
        }
    }
}

/// Ends the process at a point behind so many passes, and runs again. Whether it passed the point so often.
fn killed_at(point: &str, passes: u32, rig: &Rig, sources: &BTreeMap<String, Vec<u8>>) -> bool {
    for (path, content) in sources {
        rig.put(path, content);
    }
    let killed = rig.run_with(&format!("{point}={passes}*off->return"));
    let is_reached = killed.code.is_none();
    if !is_reached {
        killed.exits(0);
    }
    check_between(rig, sources, &format!("{point} after {passes}"));
    rig.run(0);
    assert_eq!(&rig.files("target"), sources, "{point} after {passes}");
    assert_eq!(&rig.shelf("archive"), sources, "{point} after {passes}");
    assert!(rig.names("in").is_empty() && rig.names("spool").is_empty(), "{point}: {:?}", rig.names("spool"));
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"), "{point}");
    is_reached
}

/// Points and passes of a run that refuses nothing.
fn cases() -> Vec<(&'static str, u32)> {
    let points = POINTS.into_iter().filter(|point| *point != "transfer.refused");
    let passes =
        |point: &'static str| [0, 2].into_iter().filter(move |passes| *passes == 0 || IN_CHUNKS.contains(&point));
    points.flat_map(|point| passes(point).map(move |passes| (point, passes))).collect()
}

#[test]
fn killed_at_each_point_each_file_arrives_once_and_whole() {
    let sources = sources();
    let unreached: Vec<_> = cases()
        .into_iter()
        .filter(|(point, passes)| !killed_at(point, *passes, &Rig::new(), &sources) && *passes == 0)
        .collect();
    assert!(unreached.is_empty(), "points that no run passes: {unreached:?}");
}

#[test]
fn killed_at_each_point_over_nats_each_file_arrives_once_and_whole() {
    let sources = sources();
    // What a killed process had is its own for `ack_wait`: several wait side by side.
    let cases = cases();
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(6)) {
            let sources = &sources;
            scope.spawn(move || {
                for (point, passes) in part {
                    let is_reached = killed_at(point, *passes, &Place::on(Nats::shared()).rig(&[]), sources);
                    assert!(is_reached || *passes > 0, "{point}: no run passes it");
                }
            });
        }
    });
}

#[test]
fn killed_at_each_point_over_sftp_each_file_arrives_once_and_whole() {
    let sources = sources();
    for (point, passes) in cases() {
        let is_reached = killed_at(point, passes, &sftp::shared(&[]), &sources);
        assert!(is_reached || passes > 0, "{point}: no run passes it");
    }
}

#[test]
fn killed_at_each_point_over_s3_each_file_arrives_once_and_whole() {
    let sources = sources();
    for (point, passes) in cases() {
        let is_reached = killed_at(point, passes, &Bucket::shared(&[]).rig, &sources);
        assert!(is_reached || passes > 0, "{point}: no run passes it");
    }
    let sources = BTreeMap::from([("a".to_owned(), bytes(SIZE, 1))]);
    for (point, passes) in
        cases().into_iter().filter(|(point, _)| !IN_CHUNKS.contains(point)).chain([("transfer.written", 21)])
    {
        let bucket = Bucket::shared(&LARGE);
        assert!(killed_at(point, passes, &bucket.rig, &sources), "{point}: no run passes it");
        assert!(bucket.pieces(S3::shared()).is_empty(), "{point}: an upload is left");
    }
}

#[test]
fn what_a_killed_process_had_not_finished_in_the_spool_is_swept() {
    let rig = Rig::new();
    rig.put("first", b"1");
    rig.run(0);
    for left in ["a/.left.1", "m/.left.2"] {
        rig.filegen.write(&format!("spool/sales/{left}"), "half");
    }
    rig.run(0);
    assert!(rig.names("spool").is_empty(), "{:?}", rig.names("spool"));
}

#[test]
fn killed_while_it_sets_aside_a_file_is_refused_once() {
    for point in ["transfer.refused", "transfer.answered", "transfer.set_aside", "transfer.settled_source"] {
        let rig = Rig::new();
        let large = bytes(30_000, 9);
        rig.put("large", &large);
        // Another content has the name: the delivering side refuses.
        std::fs::create_dir(rig.filegen.path("target")).unwrap();
        rig.filegen.write("target/large", "other");
        assert_eq!(rig.run_with(&format!("{point}=return")).code, None, "{point}");
        rig.filegen.run("transfer run -c t.yaml");
        let failed = rig.shelf("error");
        assert_eq!(failed.keys().collect::<Vec<_>>(), ["large", "large.error"], "{point}");
        assert!(failed["large"] == large && rig.names("in").is_empty() && rig.names("target") == ["large"], "{point}");
        let listed = rig.transfer("list --state failed --output json").exits(0).json();
        assert_eq!(listed["files"].as_array().unwrap().len(), 1, "{point}");
    }
}

#[test]
fn a_killed_run_goes_on_behind_the_last_durable_chunk() {
    for (point, side) in [("transfer.settled", "collect"), ("transfer.synced", "deliver")] {
        let rig = Rig::new();
        rig.put("a", &bytes(40_000, 10));
        assert_eq!(rig.run_with(&format!("{point}=2*off->return")).code, None);
        let done = rig.transfer("run").exits(0);
        assert!(done.stderr.contains("`a` goes on behind"), "{side}: {}", done.stderr);
        assert!(rig.files("target")["a"] == bytes(40_000, 10), "{side}");
    }
}

#[test]
fn a_ledger_that_is_lost_on_either_side_brings_no_file_twice() {
    let rig = Rig::with(&[("  archive: archive\n", "  after: keep\n")]);
    rig.put("a", &bytes(9_000, 11));
    rig.put("b", b"1");
    rig.run(0);
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(rig.filegen.path(name));
    }
    rig.run(0);
    assert_eq!(rig.names("target"), ["a", "b"]);
}
