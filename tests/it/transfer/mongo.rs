//! A transfer whose ledger is in MongoDB.

use super::nats::{COLLECTS, POLLS, Place, daemon, delivers};
use super::rig::{Rig, bytes};
use crate::daemon::kept;
use crate::support::daemon::{Daemon, stop};
use crate::support::mongo::Database;
use crate::support::nats::Nats;
use crate::support::ports::free_port;
use crate::support::running::{until, until_async};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;

const FILE: &str = "state: { url: \"sqlite:ledger.db\" }";

pub(super) fn state(url: &str) -> String {
    format!("state: {{ url: \"{url}\" }}")
}

/// One with both sides.
fn rig(place: &Place, url: &str, changes: &[(&str, &str)]) -> Rig {
    let state = state(url);
    place.rig(&[&[(FILE, state.as_str()), POLLS][..], changes].concat())
}

/// A folder that collects alone, and one that delivers alone: where their ledgers are, and what else both files say.
pub(super) fn sides(place: &Place, urls: [&str; 2], changes: &[(&str, &str)]) -> (Rig, Rig) {
    let [here, there] = urls.map(state);
    let of = |state: &str, side: &[(&str, &str)]| place.rig(&[&[(FILE, state), POLLS][..], changes, side].concat());
    let (here, there) = (of(&here, &[COLLECTS]), of(&there, &[]));
    delivers(&there);
    (here, there)
}

/// One that tells of each file that it begins.
fn telling(rig: &Rig) -> Daemon {
    Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0 -vv"))
}

/// Files that were not begun at their first byte.
fn gone_on(logs: &[String]) -> Vec<&str> {
    let begun = logs.iter().flat_map(|log| log.lines()).filter(|line| line.contains("file begins"));
    begun.filter(|line| !line.contains("resumed=0")).collect()
}

pub(super) fn kill(daemon: Daemon) {
    daemon.running.signal(Signal::KILL);
    assert_eq!(daemon.running.finish().code, None);
}

async fn documents(database: &Database, wanted: Document) -> Vec<Document> {
    let files = database.client().await.collection::<Document>("TransferFile");
    files.find(wanted).await.unwrap().try_collect().await.unwrap()
}

/// How often a document became `state`.
fn became(document: &Document, state: &str) -> usize {
    let steps = document.get_array("steps").unwrap().iter();
    steps.filter(|step| step.as_document().unwrap().get_str("state").unwrap() == state).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn collectors_and_deliverers_share_one_ledger_and_killed_ones_are_followed_behind_their_last_chunk() {
    let (database, server) = (Database::new(), Nats::shared());
    let (place, url) = (Place::on(server), database.url());
    let (here, there) = sides(&place, [&url, &url], &[]);
    let mut all = BTreeMap::from([("one".to_owned(), bytes(400_000, 1)), ("two".to_owned(), bytes(400_000, 2))]);
    here.drop_in("one", &all["one"]);
    let first = daemon(&here, "");
    let is_there = async || server.subjects(&place.messages()).await.iter().any(|it| it.contains(".m.")).then_some(());
    until_async("the message", is_there).await;
    stop([first]);
    // One of each side, in the middle of a file of its own.
    let (deliverer, collector) =
        (daemon(&there, "transfer.written=sleep(30)"), daemon(&here, "transfer.chunk=sleep(30)"));
    here.drop_in("two", &all["two"]);
    let durable = async |side: &str, path: &str, least: i64| {
        let found = documents(&database, doc! { "side": side, "path": path }).await;
        (found.first()?.get_i64("durable").unwrap() > least).then_some(())
    };
    until_async("half of the one", async || durable("deliver", "one", 50_000).await).await;
    until_async("half of the other", async || durable("collect", "two", 10).await).await;
    kill(deliverer);
    kill(collector);
    for number in 0..30_u64 {
        let (path, content) = (format!("f{number}"), bytes(usize::try_from(number * 700).unwrap(), number));
        here.drop_in(&path, &content);
        all.insert(path, content);
    }
    let (collectors, deliverers) = ([telling(&here), telling(&here)], [telling(&there), telling(&there)]);
    until("the small files", || (here.shelf("archive").len() >= 30).then_some(()));
    until("all files", || (here.shelf("archive").len() == 32).then_some(()));
    assert!(here.shelf("archive") == all && there.files("target") == all && here.names("error").is_empty());
    let logs = stop(collectors);
    assert!(gone_on(&logs).len() == 1 && gone_on(&logs)[0].contains("two"), "{:?}", gone_on(&logs));
    let logs = stop(deliverers);
    assert!(gone_on(&logs).len() == 1 && gone_on(&logs)[0].contains("one"), "{:?}", gone_on(&logs));
    let delivered = logs.iter().map(|log| log.matches("file is delivered").count()).sum::<usize>();
    assert_eq!(delivered, 32, "{logs:?}");
    assert_eq!(place.held(server).await, [""; 0]);
    let told = kept::told("TransferFile");
    for (side, end) in [("collect", "archived"), ("deliver", "delivered")] {
        let found = documents(&database, doc! { "side": side }).await;
        assert!(found.len() == 32 && found.iter().all(|file| became(file, end) == 1), "{side}");
        for (name, types) in kept::found(&found) {
            assert!(told.get(&name).is_some_and(|told| types.is_subset(told)), "{name}: {types:?}");
        }
        let found = kept::found(&found);
        assert!(told.keys().all(|name| found.contains_key(name)), "{told:?} {found:?}");
    }
    let status = there.transfer("status --output json").exits(0).json();
    assert_eq!((&status["waiting"], &status["filesLastHour"]), (&0.into(), &32.into()), "{status}");
    let list = there.transfer("list --name two --output json").exits(0).json();
    let id = list["files"][0]["id"].as_str().unwrap_or_default().to_owned();
    let shown = there.transfer(&format!("show {} --output json", &id[..12])).exits(0).json();
    let states: Vec<&str> = shown["steps"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert!(states.starts_with(&["seen", "sending"]) && states.contains(&"delivered"), "{shown}");
    there.transfer("verify").exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_goes_again_when_asked_and_what_cannot_be_read_is_told() {
    let database = Database::new();
    let place = Place::on(Nats::shared());
    let rig = rig(&place, &database.url(), &[]);
    rig.put("a", b"1");
    rig.put("b", b"2");
    std::fs::create_dir_all(rig.filegen.path("target")).unwrap();
    rig.filegen.write("target/a", "another");
    rig.run(4);
    assert_eq!(rig.names("target"), ["a", "b"]);
    let failed = rig.transfer("list --state failed --output json").exits(0).json();
    let id = failed["files"][0]["id"].as_str().unwrap().to_owned();
    std::fs::remove_file(rig.filegen.path("target/a")).unwrap();
    rig.transfer("redrive 0000 --reason x").exits(1);
    rig.transfer(&format!("redrive {} --reason mended", &id[..10])).exits(0);
    rig.run(0);
    assert_eq!(rig.files("target")["a"], b"1");
    let audit = database.client().await.collection::<Document>("audit");
    let kept = audit.find_one(doc! { "reason": "mended" }).await.unwrap();
    assert!(kept.is_some(), "who did it, and why, is kept");
    let files = database.client().await.collection::<Document>("TransferFile");
    let spoilt = doc! { "$set": { "state": "zzz" } };
    files.update_one(doc! { "_id": format!("sales:collect:{id}") }, spoilt).await.unwrap();
    let told = rig.transfer("list").exits(0);
    assert!(format!("{}{}", told.stdout, told.stderr).contains(&format!("collect {id}")), "{}", told.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_missing_indexes_and_makes_them_and_secrets_are_shown_nowhere() {
    let database = Database::new();
    let place = Place::on(Nats::shared());
    let rig = rig(&place, &database.url(), &[]);
    let verdict = |told: &Value, check: &str| {
        let rows = told["checks"].as_array().unwrap();
        let row = rows.iter().find(|row| row["area"] == "state" && row["check"] == check);
        row.map(|row| (row["verdict"].as_str().unwrap().to_owned(), row["detail"].as_str().unwrap().to_owned()))
    };
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
    let (is, detail) = verdict(&told, "indexes").unwrap();
    assert!(is == "warn" && detail.contains("TransferFile.by_state, TransferFile.by_path"), "{detail}");
    assert_eq!(verdict(&told, "ledger").unwrap().0, "pass");
    rig.filegen.run("doctor -c t.yaml --fix --yes --reason restored").exits(0);
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
    assert_eq!(verdict(&told, "indexes").unwrap().0, "pass");
    let far = state("mongodb://ann:s3cret@10.255.255.1/filegen");
    let rig = place.rig(&[(FILE, &far)]);
    let checked = rig.filegen.run("config check -c t.yaml").exits(0);
    let shown = rig.filegen.run("config show -c t.yaml").exits(0).stdout;
    let told = format!("{}{}", checked.stdout, checked.stderr);
    assert!(told.contains("10.255.255.1/filegen is not encrypted"), "{told}");
    assert!(!told.contains("s3cret") && !shown.contains("s3cret") && shown.contains("10.255.255.1"), "{shown}");
}

#[test]
fn a_ledger_that_is_away_is_told_and_waited_for() {
    let place = Place::on(Nats::shared());
    let rig = rig(&place, &format!("mongodb://127.0.0.1:{}/filegen", free_port()), &[]);
    rig.put("a", b"1");
    let daemon = daemon(&rig, "");
    until("not ready", || daemon.get("/health/ready").1.contains("cannot reach the state store").then_some(()));
    assert_eq!((daemon.get("/health/live").0, rig.names("in")), (200, vec!["a".to_owned()]));
    stop([daemon]);
    rig.filegen.run("doctor -c t.yaml").exits(6);
}
