//! The three services of `deploy/compose.events.yaml`, as three daemons of one file, and the requests that lie beside it.

use super::served::served_with;
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::kafka::Topic;
use crate::support::running::until;
use rustix::process::Signal;
use std::path::Path;

/// A request of the file: method, address, type of the body, body.
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    is_produce: bool,
    kind: &'a str,
    body: String,
}

fn requests(text: &str) -> Vec<Request<'_>> {
    let parts = text.split("\n###").skip(1);
    let request = |part: &'_ str| -> Option<(usize, usize)> { Some((part.find('\n')?, part.len())) };
    parts
        .filter_map(|part| {
            let (start, _) = request(part)?;
            let mut lines = part[start..].trim_start().lines();
            let (method, url) = lines.next()?.split_once(' ')?;
            let (door, path) = url.split_once("}}")?;
            let kind = lines.next().and_then(|line| line.strip_prefix("Content-Type: ")).unwrap_or_default();
            let body = lines.skip_while(|line| line.is_empty()).collect::<Vec<_>>().join("\n");
            Some(Request { method, path, is_produce: door == "{{produce", kind, body })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_requests_do_what_they_say_against_three_instances() {
    let topic = Topic::create(2).await;
    let work = move || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/compose");
        let filegen = Filegen::empty();
        let file = std::fs::read_to_string(folder.join("events.yaml")).unwrap();
        filegen.write("events.yaml", &file.replace("port: 8080", "port: 0").replace("port: 8082", "port: 0"));
        let set = [
            ("KAFKA_BROKERS", topic.brokers.clone()),
            ("KAFKA_TOPIC", topic.name.clone()),
            ("KAFKA_GROUP_ID", "g".to_owned()),
            ("SQL_CONNECTION", format!("sqlite:{}", filegen.path("sink.db").display())),
        ];
        let instance = |part: &str, door: &str| {
            let mut command = filegen.command("daemon -c events.yaml --health-port 0 -vv");
            command.envs(set.clone()).env("FILEGEN_SERVE", part);
            served_with(&mut command, door)
        };
        let (ingest, status) = instance("ingest", "");
        let (produce, sent) = instance("produce", "produce");
        let (read, asked) = instance("read", "read");
        assert_eq!(status.get("/users/x").code, 404, "an instance that only reads the topic has no other door");
        let text = std::fs::read_to_string(folder.join("events.http")).unwrap();
        let all = requests(&text);
        assert_eq!(all.len(), 6);
        for request in all {
            let door: &Http = if request.is_produce { &sent } else { &asked };
            let code = if request.method == "POST" { 202 } else { 200 };
            until(request.path, || {
                let answer = match request.method {
                    "POST" => door.post(request.path, request.kind, &request.body),
                    _ => door.get(request.path),
                };
                (answer.code == code).then_some(())
            });
        }
        let order = until("the payment", || {
            Some(asked.get("/orders/http-order").json()).filter(|order| order["payment"].is_object())
        });
        assert_eq!(order["payment"]["paymentId"], "http-payment", "{order}");
        for daemon in [ingest, produce, read] {
            daemon.running.signal(Signal::TERM);
            daemon.running.finish().exits(0);
        }
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}
