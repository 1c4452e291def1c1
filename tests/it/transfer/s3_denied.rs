//! A store that lets its keys do too little, or asks for fewer requests.

use super::nats::POLLS;
use super::rig::bytes;
use super::s3::{Bucket, LARGE, SIZE};
use crate::support::daemon::{Daemon, stop};
use crate::support::running::until;
use crate::support::s3::S3;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const READER: (&str, &str) = ("reader", "s3cret-of-reader");

fn statement(effect: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": effect, "Principal": { "AWS": [READER.0] }, "Action": actions, "Resource": resources })
}

fn policy(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A bucket whose keys are a user's who may do what its policy says.
struct Denied {
    server: S3,
    bucket: Bucket,
    all: [String; 2],
}

impl Denied {
    fn new(changes: &[(&str, &str)]) -> Self {
        let server = S3::with(&["--iam-dir", "%/iam"]);
        server.user(READER.0, READER.1);
        let bucket = Bucket::at(&server, &server.place(), "", changes);
        bucket.keys(READER.0, READER.1);
        let all = ["", "/*"].map(|below| format!("arn:aws:s3:::{}{below}", bucket.name));
        Self { server, bucket, all }
    }

    fn allow(&self, actions: &[&str], denied: Option<&str>) {
        let deny = denied.map(|name| {
            statement("Deny", &["s3:PutObject"], &[format!("arn:aws:s3:::{}/in/{name}", self.bucket.name)])
        });
        let all: Vec<Value> = [statement("Allow", actions, &self.all)].into_iter().chain(deny).collect();
        self.server.policy(&self.bucket.name, &policy(&all));
    }
}

const READS: [&str; 2] = ["s3:GetObject", "s3:ListBucket"];

#[test]
fn keys_that_may_only_read_stop_the_side_and_set_nothing_aside() {
    let denied = Denied::new(&LARGE);
    let rig = &denied.bucket.rig;
    rig.put("a", b"1");
    rig.put("large", &bytes(SIZE, 1));
    for actions in [&[][..], &READS] {
        if !actions.is_empty() {
            denied.allow(actions, None);
        }
        for command in ["transfer run -c t.yaml", "doctor -c t.yaml"] {
            let done = rig.filegen.run(command).exits(3);
            let told = format!("{}{}", done.stdout, done.stderr);
            assert!(told.contains("AccessDenied") && told.contains("must be let list"), "{command}: {told}");
        }
        assert!(rig.names("in") == ["a", "large"] && rig.names("error").is_empty(), "{:?}", rig.names("error"));
    }
    denied.allow(&["s3:*"], None);
    rig.run(0);
    assert_eq!(rig.names("target"), ["a", "large"]);
    assert!(denied.bucket.pieces(&denied.server).is_empty(), "no upload is left");
}

#[test]
fn a_name_that_is_denied_fails_alone() {
    let tries = ("initial_backoff: 10ms", "max_retries: 2, initial_backoff: 10ms");
    let denied = Denied::new(&[LARGE[0], LARGE[1], tries]);
    let rig = &denied.bucket.rig;
    denied.allow(&["s3:*"], Some("secret*"));
    let (large, small) = (bytes(SIZE, 1), b"1".to_vec());
    let all = [("open", &small), ("open-large", &large), ("secret", &small), ("secret-large", &large)];
    for (path, content) in all {
        rig.put(path, content);
    }
    rig.run(4);
    let open = BTreeMap::from([("open".to_owned(), small), ("open-large".to_owned(), large)]);
    assert!(rig.files("target") == open, "{:?}", rig.names("target"));
    for name in ["secret", "secret-large"] {
        let failure: Value = serde_json::from_slice(&rig.shelf("error")[&format!("{name}.error")]).unwrap();
        let reason = failure["reason"].as_str().unwrap();
        assert!(reason.contains("AccessDenied") && reason.contains("other files are taken"), "{failure}");
    }
    assert!(denied.bucket.pieces(&denied.server).is_empty(), "no upload is left");
}

#[test]
fn rights_that_are_taken_away_meanwhile_are_waited_for() {
    let denied = Denied::new(&[POLLS]);
    let rig = &denied.bucket.rig;
    denied.allow(&["s3:*"], None);
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    rig.drop_in("a", b"1");
    until("the first file", || rig.names("in").is_empty().then_some(()));
    denied.allow(&READS, None);
    rig.drop_in("b", b"2");
    until("not ready", || daemon.get("/health/ready").1.contains("must be let list").then_some(()));
    assert!(rig.names("in") == ["b"] && rig.names("error").is_empty());
    denied.allow(&["s3:*"], None);
    until("the second file", || rig.names("in").is_empty().then_some(()));
    assert_eq!(rig.names("target"), ["a", "b"]);
    stop([daemon]);
}

#[test]
fn a_store_that_asks_for_fewer_requests_is_waited_for_and_gets_each_file_once() {
    let server = S3::with(&["--max-requests", "1"]);
    let bucket = Bucket::at(&server, &server.place(), "", &[LARGE[0], LARGE[1], POLLS]);
    let rig = &bucket.rig;
    let mut all = BTreeMap::from([("large".to_owned(), bytes(SIZE, 1))]);
    all.extend((0..30).map(|number| (format!("f{number}"), bytes(1000 * number, number as u64))));
    for (path, content) in &all {
        rig.drop_in(path, content);
    }
    let daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    until("all files", || rig.names("in").is_empty().then_some(()));
    let log = stop([daemon]).remove(0);
    assert!(log.contains("SlowDown"), "{log}");
    assert!(rig.files("target") == all && rig.names("error").is_empty(), "{:?}", rig.names("target"));
    assert!(bucket.pieces(&server).is_empty(), "an upload is left");
}
