//! A transfer over a real NATS server.

use super::rig::{Rig, bytes};
use crate::support::daemon::{Daemon, stop};
use crate::support::nats::Nats;
use crate::support::running::{Running, until};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;

/// Streams that no other test has: what their names begin with.
pub(super) struct Place {
    pub(super) url: String,
    pub(super) stream: String,
}

impl Place {
    pub(super) fn on(server: &Nats) -> Self {
        Self { url: server.url(), stream: Nats::fresh("FILES") }
    }

    fn broker(&self, more: &str) -> String {
        let (url, stream) = (&self.url, &self.stream);
        format!(
            "broker: {{ nats: {{ url: \"{url}\", stream: {stream}, subject: {stream}.in, max_bytes: 64MiB, ack_wait: 1s{more} }} }}"
        )
    }

    /// A rig whose broker these streams are.
    pub(super) fn rig(&self, changes: &[(&str, &str)]) -> Rig {
        let broker = self.broker("");
        let all: Vec<(&str, &str)> =
            [("broker: { local: spool }", broker.as_str())].into_iter().chain(changes.iter().copied()).collect();
        Rig::with(&all)
    }

    pub(super) fn messages(&self) -> String {
        format!("{}_sales", self.stream)
    }

    pub(super) fn chunks(&self) -> String {
        format!("{}C_sales", self.stream)
    }

    pub(super) fn subject(&self, rest: &str) -> String {
        format!("{}.in.{rest}", self.stream)
    }

    /// What both streams hold.
    pub(super) async fn held(&self, server: &Nats) -> Vec<String> {
        let mut held = server.subjects(&self.messages()).await;
        held.extend(server.subjects(&self.chunks()).await);
        held
    }
}

/// One side alone.
pub(super) const COLLECTS: (&str, &str) =
    ("deliver:\n  to: { directory: target }\n  name: \"{{ folder }}{{ name }}\"\n  max_size: 1MiB\n", "");
pub(super) const POLLS: (&str, &str) = ("  stable_for: 0s", "  poll: 50ms\n  stable_for: 0s");

pub(super) fn delivers(rig: &Rig) {
    let path = rig.filegen.path("t.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let (from, to) = (text.find("collect:").unwrap(), text.find("broker:").unwrap());
    fs::write(path, format!("{}{}", &text[..from], &text[to..])).unwrap();
}

pub(super) fn daemon(rig: &Rig, failpoints: &str) -> Daemon {
    Daemon::of(rig.filegen.command("daemon -c t.yaml --health-port 0").env("FAILPOINTS", failpoints))
}

#[tokio::test]
async fn files_of_all_sizes_and_names_arrive_and_nothing_stays_in_the_streams() {
    let place = Place::on(Nats::shared());
    let rig = place.rig(&[]);
    let names = ["a b", "*", ">", "x.*.y", "ä", "deep/er/c d", "large"];
    let mut all = BTreeMap::from([("empty".to_owned(), Vec::new()), ("large".to_owned(), bytes(300_000, 1))]);
    for (number, name) in (0..).zip(names) {
        all.entry(name.to_owned()).or_insert_with(|| bytes(1000 * number, number as u64));
    }
    for (path, content) in &all {
        rig.put(path, content);
    }
    rig.run(0);
    assert!(rig.files("target") == all && rig.shelf("archive") == all, "{:?}", rig.names("target"));
    assert!(rig.names("in").is_empty() && rig.names("error").is_empty());
    assert_eq!(place.held(Nats::shared()).await, [""; 0]);
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"));
}

#[tokio::test]
async fn a_deliverer_that_gives_no_receipt_is_not_waited_for_where_the_file_says_so() {
    let server = Nats::shared();
    let place = Place::on(server);
    let rig = place.rig(&[COLLECTS, ("  stable_for: 0s", "  receipt: false\n  stable_for: 0s")]);
    let all = BTreeMap::from([("a".to_owned(), b"1".to_vec()), ("large".to_owned(), bytes(300_000, 1))]);
    for (path, content) in &all {
        rig.put(path, content);
    }
    // Killed between the broker's word and the archive, and with it: each is in the streams once, and in the archive.
    for failpoint in ["transfer.sent=return", "transfer.archived=return", ""] {
        rig.run_with(failpoint);
    }
    assert!(rig.names("in").is_empty() && rig.shelf("archive") == all, "{:?}", rig.names("in"));
    let messages = server.subjects(&place.messages()).await;
    assert_eq!(messages.len(), 2, "nobody has taken them: {messages:?}");
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"));
    // Whoever delivers finds them, and its receipts are in nobody's way.
    rig.change(&[("broker: { local: spool }", &place.broker(""))]);
    delivers(&rig);
    rig.run(0);
    assert_eq!(rig.files("target"), all);
}

#[tokio::test]
async fn both_streams_and_the_consumer_are_as_promised() {
    let place = Place::on(Nats::shared());
    let rig = place.rig(&[]);
    rig.put("a", b"1");
    rig.run(0);
    let config = async |call: String| Nats::shared().api(&call, &json!({})).await["config"].clone();
    let messages = config(format!("STREAM.INFO.{}", place.messages())).await;
    let chunks = config(format!("STREAM.INFO.{}", place.chunks())).await;
    assert_eq!((&messages["retention"], &chunks["retention"]), (&"workqueue".into(), &"limits".into()));
    for stream in [&messages, &chunks] {
        assert_eq!((&stream["storage"], &stream["discard"]), (&"file".into(), &"new".into()));
        assert_eq!((&stream["discard_new_per_subject"], &stream["max_msgs_per_subject"]), (&true.into(), &1.into()));
        assert!(stream["max_bytes"].as_i64().unwrap() > 0, "{stream}");
    }
    assert!(chunks["max_age"].as_i64().unwrap() > 0);
    let consumer = config(format!("CONSUMER.INFO.{}.filegen", place.messages())).await;
    assert_eq!((&consumer["ack_policy"], &consumer["max_deliver"]), (&"explicit".into(), &(-1).into()), "{consumer}");
}

#[tokio::test]
async fn a_stream_or_consumer_with_other_settings_is_refused_and_told() {
    let server = Nats::shared();
    let place = Place::on(server);
    let rig = place.rig(&[]);
    rig.put("a", b"1");
    rig.run(0);
    rig.put("b", b"2");
    let info = server.api(&format!("STREAM.INFO.{}", place.messages()), &json!({})).await;
    let mut other = info["config"].clone();
    other["max_age"] = json!(600_000_000_000_u64);
    let changed = server.api(&format!("STREAM.UPDATE.{}", place.messages()), &other).await;
    assert!(changed.get("error").is_none(), "{changed}");
    for command in ["transfer run -c t.yaml", "doctor -c t.yaml"] {
        let done = rig.filegen.run(command);
        let told = format!("{}{}", done.stdout, done.stderr);
        assert_eq!(done.code, Some(3), "{command}: {told}");
        assert!(told.contains("`max_age` is") && told.contains("nats stream edit"), "{command}: {told}");
    }
    let _ = server.api(&format!("STREAM.UPDATE.{}", place.messages()), &info["config"]).await;
    let consumer = format!("CONSUMER.{{}}.{}.filegen", place.messages());
    let mut config = server.api(&consumer.replace("{}", "INFO"), &json!({})).await["config"].clone();
    config["ack_wait"] = json!(7_000_000_000_u64);
    let body = json!({ "stream_name": place.messages(), "config": config });
    let changed = server.api(&format!("CONSUMER.DURABLE.CREATE.{}.filegen", place.messages()), &body).await;
    assert!(changed.get("error").is_none(), "{changed}");
    let told = rig.transfer("run").exits(3).stderr;
    assert!(told.contains("`ack_wait` is 7000000000") && told.contains("nats consumer rm"), "{told}");
    assert_eq!(rig.names("in"), ["b"], "nothing is moved");
}

#[test]
fn several_instances_share_one_stream_and_each_file_comes_once() {
    let place = Place::on(Nats::shared());
    let rig = place.rig(&[POLLS]);
    let daemons = [daemon(&rig, ""), daemon(&rig, "")];
    let mut all = BTreeMap::new();
    for number in 0..40_u64 {
        let (path, content) = (format!("f{number}"), bytes(usize::try_from(number * 700).unwrap(), number));
        rig.drop_in(&path, &content);
        all.insert(path, content);
    }
    until("the archive", || (rig.shelf("archive").len() == 40).then_some(()));
    assert!(rig.shelf("archive") == all && rig.files("target") == all && rig.names("error").is_empty());
    let logs = stop(daemons);
    let delivered: usize = logs.iter().map(|log| log.matches("file is delivered").count()).sum();
    assert_eq!(delivered, 40, "each once");
}

#[test]
fn a_login_that_is_refused_is_told_without_it_and_the_right_one_is_taken() {
    let server = Nats::with("authorization { user: ann, password: \"s3cret/@ of nats\" }");
    let place = Place { url: server.url(), stream: "FILES".to_owned() };
    let escaped = format!("nats://ann:s3cret%2F%40%20of%20nats@{}", server.place());
    let at = |url: &str| Place { url: url.to_owned(), stream: place.stream.clone() };
    for wrong in
        [server.url(), format!("nats://ann:wr0ng@{}", server.place()), format!("nats://wr0ng@{}", server.place())]
    {
        let rig = at(&wrong).rig(&[]);
        rig.put("a", b"1");
        let done = rig.transfer("run").exits(3);
        assert!(done.stderr.contains("check user and password") && !done.stderr.contains("wr0ng"), "{}", done.stderr);
    }
    let rig = at(&escaped).rig(&[]);
    rig.put("a", b"1");
    rig.run(0);
    let shown = rig.filegen.run("config show -c t.yaml").exits(0).stdout;
    assert!(shown.contains("nats://***@") && !shown.contains("s3cret"), "{shown}");
    // Apart from the address, and from a file.
    let rig = at(&server.url()).rig(&[("ack_wait: 1s", "ack_wait: 1s, user: ann")]);
    rig.filegen.write("password", "s3cret/@ of nats\n");
    rig.put("b", b"2");
    let mut command = rig.filegen.command("transfer run -c t.yaml");
    let done = Running::start(command.env("NATS_PASSWORD_FILE", rig.filegen.path("password"))).finish();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn doctor_tells_how_the_streams_are_kept_and_a_connection_in_clear_is_told_everywhere() {
    let rig = Place::on(Nats::shared()).rig(&[]);
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
    let broker: Vec<String> = told["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["area"] == "broker")
        .map(|row| format!("{}: {}", row["check"].as_str().unwrap(), row["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        broker,
        ["writable: pass", "stream of messages: pass", "stream of chunks: pass", "durability: warn"],
        "{told}"
    );
    let far = Place { url: "nats://ann:s3cret@10.255.255.1:4222".to_owned(), stream: "F".to_owned() }.rig(&[]);
    let checked = far.filegen.run("config check -c t.yaml").exits(0);
    let told = format!("{}{}", checked.stdout, checked.stderr);
    assert!(told.contains("10.255.255.1:4222 is not encrypted") && told.contains("tls://"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn a_server_with_tls_is_checked_against_the_authorities_that_the_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = write("ca.pem", params.self_signed(&authority).unwrap().pem());
    let signer = rcgen::Issuer::new(params, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let signed = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &signer).unwrap();
    let (certificate, key) = (write("server.pem", signed.pem()), write("key.pem", key.serialize_pem()));
    let server = Nats::with(&format!("tls {{ cert_file: \"{certificate}\", key_file: \"{key}\" }}"));
    let url = server.url().replace("nats://127.0.0.1", "tls://localhost");
    let place = Place { url: url.clone(), stream: "FILES".to_owned() };
    let ours = format!("ack_wait: 1s, ca: \"{ca}\"");
    let rig = place.rig(&[("ack_wait: 1s", ours.as_str())]);
    rig.put("a", b"1");
    rig.run(0);
    // Another authority, and another name than the certificate's.
    let rig = place.rig(&[]);
    rig.put("b", b"2");
    let done = rig.transfer("run").exits(3);
    assert!(done.stderr.contains("broker.nats.ca"), "{}", done.stderr);
    let rig = Place { url: url.replace("localhost", "127.0.0.1"), stream: "FILES".to_owned() }
        .rig(&[("ack_wait: 1s", ours.as_str())]);
    rig.put("c", b"3");
    rig.transfer("run").exits(3);
}
