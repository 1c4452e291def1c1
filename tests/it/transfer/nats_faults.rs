//! A transfer over NATS, when the server is killed, full or away, a process stands still, or what lies there is spoilt.

use super::nats::{COLLECTS, POLLS, Place, daemon, delivers};
use super::rig::bytes;
use crate::support::daemon::{Daemon, stop};
use crate::support::nats::Nats;
use crate::support::running::{until, until_async};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;

#[tokio::test]
async fn a_server_killed_in_the_middle_of_a_large_file_is_waited_for_on_both_sides() {
    for (point, stream) in [("transfer.chunk=sleep(3)", "chunks"), ("transfer.written=sleep(3)", "target")] {
        let mut server = Nats::start();
        let place = Place::on(&server);
        let rig = place.rig(&[POLLS]);
        let content = bytes(800_000, 5);
        let daemon = daemon(&rig, point);
        rig.drop_in("a", &content);
        if stream == "chunks" {
            until_async("chunks", async || (server.subjects(&place.chunks()).await.len() > 30).then_some(())).await;
        } else {
            let half = || rig.files("target").values().any(|part| part.len() > 100_000).then_some(());
            until("half of the file", half);
        }
        server.kill();
        until("not ready", || daemon.get("/health/ready").1.contains("broker").then_some(()));
        assert_eq!(daemon.get("/health/live").0, 200);
        assert_eq!(rig.names("in"), ["a"], "nothing is moved");
        server.again();
        until("the archive", || rig.shelf("archive").contains_key("a").then_some(()));
        assert!(rig.files("target")["a"] == content && rig.names("error").is_empty(), "{stream}");
        let log = stop([daemon]).remove(0);
        assert_eq!(log.matches("file is delivered").count(), 1, "{log}");
        assert_eq!(place.held(&server).await, [""; 0], "{stream}");
    }
}

#[tokio::test]
async fn a_message_that_comes_twice_writes_nothing_and_a_lost_ledger_brings_nothing_twice() {
    let server = Nats::shared();
    let place = Place::on(server);
    let (here, there) = (place.rig(&[COLLECTS, POLLS]), place.rig(&[POLLS]));
    delivers(&there);
    let collector = daemon(&here, "");
    here.drop_in("a", &bytes(20_000, 6));
    let message = until_async("the message", async || {
        let held = server.subjects(&place.messages()).await;
        held.into_iter().find(|subject| subject.contains(".m."))
    })
    .await;
    let stored = server.api(&format!("STREAM.MSG.GET.{}", place.messages()), &json!({ "last_by_subj": message })).await;
    let deliverer = daemon(&there, "");
    until("the archive", || here.shelf("archive").contains_key("a").then_some(()));
    stop([collector]);
    let inode = || fs::metadata(there.filegen.path("target/a")).unwrap().ino();
    let first = inode();
    // The very message again, behind the server's back: without an id.
    let text = |name: &str| stored["message"][name].as_str().unwrap().to_owned();
    let payload = base64_of(&text("data"));
    let client = server.client().await;
    let answer = client.request(message.clone(), payload.into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains("seq"), "{answer:?}");
    let receipt = message.replace(".m.", ".done.");
    until_async("the receipt", async || server.subjects(&place.messages()).await.contains(&receipt).then_some(()))
        .await;
    until_async("the end", async || (!server.subjects(&place.messages()).await.contains(&message)).then_some(())).await;
    assert_eq!((inode(), there.names("target")), (first, vec!["a".to_owned()]));
    // The collecting side has lost its ledger, and the file lies there again.
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = fs::remove_file(here.filegen.path(name));
    }
    let collector = daemon(&here, "");
    here.drop_in("a", &bytes(20_000, 6));
    until("the folder to be empty", || here.names("in").is_empty().then_some(()));
    assert_eq!((inode(), there.names("target")), (first, vec!["a".to_owned()]));
    stop([collector, deliverer]);
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// Sends a file, spoils what the streams have of it, and delivers; why the file was set aside.
async fn spoilt(spoil: impl AsyncFn(&Nats, &Place, String)) -> Value {
    let server = Nats::shared();
    let place = Place::on(server);
    let (here, there) = (place.rig(&[COLLECTS, POLLS]), place.rig(&[POLLS]));
    delivers(&there);
    let collector = daemon(&here, "");
    here.drop_in("a", &bytes(20_000, 7));
    let id = until_async("the message", async || {
        let held = server.subjects(&place.messages()).await;
        held.iter().find_map(|subject| subject.split_once(".m.").map(|(_, id)| id.to_owned()))
    })
    .await;
    spoil(server, &place, id).await;
    let deliverer = daemon(&there, "");
    until("the file to be set aside", || here.shelf("error").contains_key("a.error").then_some(()));
    assert!(there.names("target").is_empty() && here.names("in").is_empty() && here.shelf("archive").is_empty());
    assert!(here.shelf("error")["a"] == bytes(20_000, 7));
    until_async("the streams to be empty", async || place.held(server).await.is_empty().then_some(())).await;
    stop([collector, deliverer]);
    serde_json::from_slice(&here.shelf("error")["a.error"]).unwrap()
}

async fn replaced(server: &Nats, stream: String, subject: String, payload: &[u8]) {
    server.api(&format!("STREAM.PURGE.{stream}"), &json!({ "filter": subject })).await;
    let stored = server.put(&subject, payload).await;
    assert!(stored.get("error").is_none(), "{stored}");
}

#[tokio::test]
async fn what_is_spoilt_at_the_broker_is_set_aside_with_its_reason_on_both_sides() {
    let missing = spoilt(async |server, place, id| {
        let filter = json!({ "filter": place.subject(&format!("c.{id}.3")) });
        server.api(&format!("STREAM.PURGE.{}", place.chunks()), &filter).await;
    });
    let wrong = spoilt(async |server, place, id| {
        let subject = place.subject(&format!("c.{id}.3"));
        replaced(server, place.chunks(), subject, &bytes(4096, 99)).await;
    });
    let long = spoilt(async |server, place, id| {
        let subject = place.subject(&format!("c.{id}.1"));
        replaced(server, place.chunks(), subject, &bytes(500_000, 99)).await;
    });
    let foreign = spoilt(async |server, place, id| {
        replaced(server, place.messages(), place.subject(&format!("m.{id}")), b"no envelope").await;
    });
    let unknown = spoilt(async |server, place, id| {
        let subject = place.subject(&format!("m.{id}"));
        replaced(server, place.messages(), subject, format!("{{\"version\":7,\"id\":\"{id}\"}}").as_bytes()).await;
    });
    let huge = spoilt(async |server, place, id| {
        replaced(server, place.messages(), place.subject(&format!("m.{id}")), &vec![b' '; 900_000]).await;
    });
    let told = tokio::join!(missing, wrong, long, foreign, unknown, huge);
    let told = [told.0, told.1, told.2, told.3, told.4, told.5];
    let wanted =
        ["chunk 3 of 5 is missing", "digest", "digest", "envelope is wrong", "version is 7", "larger than 64 KiB"];
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told["reason"].as_str().unwrap().contains(wanted), "{wanted}: {told}");
    }
}

#[test]
fn a_holder_stopped_for_longer_than_ack_wait_harms_nothing() {
    let place = Place::on(Nats::shared());
    let (here, there) = (place.rig(&[COLLECTS, POLLS]), place.rig(&[POLLS]));
    delivers(&there);
    let collector = daemon(&here, "");
    let mut command = there.filegen.command("daemon -c t.yaml --health-port 0 -vv");
    let mut first = Daemon::of(command.env("FAILPOINTS", "transfer.written=sleep(20)"));
    let content = bytes(400_000, 8);
    here.drop_in("a", &content);
    first.running.wait_for("side=deliver");
    first.running.freeze(&there.filegen.path("ledger.db"));
    // The message goes to the other one, whom the ledger tells that it is taken.
    let second = daemon(&there, "");
    here.drop_in("b", b"2");
    until("the other file", || here.shelf("archive").contains_key("b").then_some(()));
    first.running.signal(Signal::CONT);
    until("the first file", || here.shelf("archive").contains_key("a").then_some(()));
    assert!(there.files("target")["a"] == content && here.names("error").is_empty());
    let logs = stop([first, second, collector]);
    let delivered: usize = logs.iter().map(|log| log.matches("file is delivered").count()).sum();
    assert_eq!(delivered, 2, "each once");
}

#[test]
fn a_server_that_is_away_is_waited_for_and_told() {
    let mut server = Nats::start();
    let place = Place::on(&server);
    server.kill();
    let rig = place.rig(&[POLLS]);
    rig.put("a", b"1");
    let done = rig.transfer("run").exits(6);
    assert!(done.stderr.contains(&server.place()), "{}", done.stderr);
    assert_eq!((rig.names("in"), rig.names("error")), (vec!["a".to_owned()], Vec::new()), "nothing is moved");
    let daemon = daemon(&rig, "");
    until("not ready", || daemon.get("/health/ready").1.contains("broker").then_some(()));
    server.again();
    until("the archive", || rig.shelf("archive").contains_key("a").then_some(()));
    until("readiness", || (daemon.get("/health/ready").0 == 200).then_some(()));
    stop([daemon]);
}

#[tokio::test]
async fn a_server_killed_right_behind_an_acknowledgement_brings_nothing_twice() {
    let mut server = Nats::start();
    let place = Place::on(&server);
    let rig = place.rig(&[]);
    for (name, content) in [("a", bytes(30_000, 9)), ("b", b"2".to_vec())] {
        rig.put(name, &content);
        rig.run(0);
        server.kill();
        server.again();
    }
    let before = fs::metadata(rig.filegen.path("target/a")).unwrap().ino();
    rig.put("c", b"3");
    rig.run(0);
    assert_eq!(rig.names("target"), ["a", "b", "c"]);
    assert_eq!(fs::metadata(rig.filegen.path("target/a")).unwrap().ino(), before);
    assert!(rig.names("error").is_empty() && rig.names("in").is_empty());
    assert_eq!(place.held(&server).await, [""; 0]);
}

#[test]
fn a_full_stream_is_waited_for_and_emptied() {
    let place = Place::on(Nats::shared());
    let small = ("max_bytes: 64MiB", "max_bytes: 1MiB");
    let (here, there) = (place.rig(&[COLLECTS, POLLS, small]), place.rig(&[POLLS, small]));
    delivers(&there);
    // The stream of messages has a quarter of it.
    for number in 0..100 {
        here.drop_in(&format!("f{number}"), &bytes(3500, number));
    }
    let collector = daemon(&here, "");
    until("not ready", || collector.get("/health/ready").1.contains("the stream is full").then_some(()));
    let deliverer = daemon(&there, "");
    until("the archive", || (here.shelf("archive").len() == 100).then_some(()));
    assert!(here.names("error").is_empty() && there.names("target").len() == 100);
    stop([collector, deliverer]);
}

#[tokio::test]
async fn a_server_whose_disk_is_full_is_told_and_waited_for_and_brings_each_file_once() {
    let Some(mut server) = Nats::on_disk_of("4m") else { return };
    let place = Place::on(&server);
    let (here, there) = (place.rig(&[COLLECTS, POLLS]), place.rig(&[POLLS]));
    delivers(&there);
    for number in 0..100 {
        here.drop_in(&format!("f{number:03}"), &bytes(100_000, number));
    }
    let collector = daemon(&here, "");
    until("not ready", || collector.get("/health/ready").1.contains("disk").then_some(()));
    assert!(here.names("error").is_empty() && here.names("archive").is_empty() && here.names("in").len() == 100);
    // Its people give it room; what the stream says then needs a restart of the server.
    server.resize("256m");
    server.kill();
    server.again();
    let deliverer = daemon(&there, "");
    until("the archive", || (here.shelf("archive").len() == 100).then_some(()));
    assert!(there.files("target") == here.shelf("archive"), "{:?}", there.names("target").len());
    assert!(here.names("error").is_empty() && there.names("error").is_empty());
    // A probe that was given up when the disk was full may be there; the next one takes it away.
    until_async("empty streams", async || place.held(&server).await.is_empty().then_some(())).await;
    let logs = stop([collector, deliverer]);
    assert_eq!(logs[1].matches("file is delivered").count(), 100);
}
