//! Traces: one for each version of a file, through both sides, at a real collector.

use super::nats::{COLLECTS, Place, delivers};
use super::rig::{Rig, bytes};
use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::nats::Nats;
use crate::support::otel::{Collector, Span};
use crate::support::running::until;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What names a collector.
pub(super) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// A command with its traces.
pub(super) fn traced(rig: &Rig, args: &str, collector: &Collector) -> Command {
    let mut command = rig.filegen.command(args);
    command.env(ENDPOINT, collector.url());
    command
}

fn run(rig: &Rig, collector: &Collector) {
    Filegen::finish(&mut traced(rig, "transfer run -c t.yaml", collector)).exits(0);
}

/// The ids of files by their paths.
fn ids(rig: &Rig) -> BTreeMap<String, String> {
    let told = rig.transfer("list --output json").exits(0).json();
    let text = |file: &serde_json::Value, name: &str| file[name].as_str().unwrap().to_owned();
    told["files"].as_array().unwrap().iter().map(|file| (text(file, "path"), text(file, "id"))).collect()
}

/// The spans of a file, which are all in the trace of its id; each but the first below one that is there.
#[track_caller]
fn tree(spans: &[Span], id: &str) -> Vec<Span> {
    let own: Vec<Span> = spans.iter().filter(|span| span.trace == id[..32]).cloned().collect();
    let ids: BTreeSet<&str> = own.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), own.len(), "no span comes twice: {own:#?}");
    let first: Vec<&Span> = own.iter().filter(|span| span.parent.is_empty()).collect();
    assert!(first.len() == 1 && first[0].name == "transfer", "one is the first: {own:#?}");
    for span in &own {
        assert!(span.parent.is_empty() || ids.contains(span.parent.as_str()), "no span hangs in the air: {span:#?}");
        assert!(span.begun <= span.ended, "{span:#?}");
    }
    own
}

/// The names of the spans below one, in the order of their begin.
fn below<'a>(own: &'a [Span], parent: &Span) -> Vec<&'a str> {
    let mut all: Vec<&Span> = own.iter().filter(|span| span.parent == parent.id).collect();
    all.sort_by_key(|span| (span.begun, span.ended));
    all.into_iter().map(|span| span.name.as_str()).collect()
}

fn one<'a>(own: &'a [Span], name: &str) -> &'a Span {
    let all: Vec<&Span> = own.iter().filter(|span| span.name == name).collect();
    assert_eq!(all.len(), 1, "{name}: {own:#?}");
    all[0]
}

/// Sees that a file's trace has both sides.
#[track_caller]
fn has_both_sides(spans: &[Span], id: &str, path: &str) {
    let own = tree(spans, id);
    let (way, taken) = (one(&own, "transfer"), one(&own, "deliver"));
    let mut steps = below(&own, way);
    steps.retain(|name| *name != "deliver");
    assert_eq!(steps, ["stable", "hash", "send", "receipt", "settle"], "{own:#?}");
    assert_eq!(taken.parent, way.id);
    assert_eq!(below(&own, taken), ["receive", "publish", "receipt"], "{own:#?}");
    assert_eq!((one(&own, "send").kind, taken.kind), (4, 5), "a producer and a consumer");
    for span in [way, taken] {
        let value = |name: &str| span.values.get(name).map(String::as_str);
        assert_eq!((value("file.path"), value("filegen.file.id")), (Some(path), Some(id)), "{span:#?}");
    }
    // What the delivering side does behind its answer, it may do behind the way's end.
    let is_within = |span: &Span| span.begun >= way.begun && (span.ended <= way.ended || span.name == "deliver");
    assert!(own.iter().all(|span| span.failed.is_none() && is_within(span)), "{own:#?}");
}

#[test]
fn a_file_over_the_spool_has_one_trace_with_both_sides() {
    let (rig, collector) = (Rig::new(), Collector::start());
    rig.put("small", b"1");
    rig.put("large", &bytes(30_000, 1));
    let mut command = traced(&rig, "transfer run -c t.yaml", &collector);
    command.env("OTEL_SERVICE_NAME", "mover").env("OTEL_RESOURCE_ATTRIBUTES", "zone=eu%20west");
    Filegen::finish(&mut command).exits(0);
    let spans = collector.spans();
    for (path, id) in ids(&rig) {
        has_both_sides(&spans, &id, &path);
        let shown = rig.transfer(&format!("show {id}")).exits(0).stdout;
        assert!(shown.contains(&format!("trace id     {}\n", &id[..32])), "{shown}");
        let shown = rig.transfer(&format!("show {id} --output json")).exits(0).json();
        assert_eq!(shown["traceId"], id[..32]);
    }
    let named = |name: &str, value: &str| spans.iter().all(|span| span.resource[name] == value);
    assert!(named("service.name", "mover") && named("zone", "eu west"), "{spans:#?}");
    // What lies there again has arrived: that ends no way.
    rig.put("small", b"1");
    run(&rig, &collector);
    assert_eq!(tree(&collector.spans(), &ids(&rig)["small"]).iter().filter(|span| span.name == "transfer").count(), 1);
}

#[test]
fn a_file_over_nats_has_one_trace_through_two_processes() {
    let (place, collector) = (Place::on(Nats::shared()), Collector::start());
    let (here, there) = (place.rig(&[COLLECTS]), place.rig(&[]));
    delivers(&there);
    here.put("small", b"1");
    here.put("large", &bytes(300_000, 1));
    let start = |rig: &Rig, name: &str| {
        let mut command = traced(rig, "daemon -c t.yaml --health-port 0", &collector);
        Daemon::of(command.env("OTEL_SERVICE_NAME", name))
    };
    let daemons = [start(&here, "here"), start(&there, "there")];
    until("the archive", || (here.shelf("archive").len() == 2).then_some(()));
    let logs = stop(daemons);
    let spans = collector.spans();
    for (path, id) in ids(&here) {
        has_both_sides(&spans, &id, &path);
        let of = |name: &str| tree(&spans, &id).into_iter().find(|span| span.name == name).unwrap();
        assert_eq!(of("transfer").resource["service.name"], "here");
        assert_eq!(of("deliver").resource["service.name"], "there");
        // Log lines lead to it.
        let trace = format!("trace_id={}", &id[..32]);
        let says = |log: &str, words: &str| log.lines().any(|line| line.contains(words) && line.contains(&trace));
        assert!(says(&logs[0], "source is dealt with") && says(&logs[1], "file is delivered"), "{logs:?}");
    }
}

#[test]
fn whoever_goes_on_after_a_kill_goes_on_in_the_same_trace() {
    for point in [
        "transfer.sending",
        "transfer.settled",
        "transfer.enveloped",
        "transfer.sent",
        "transfer.synced",
        "transfer.published",
        "transfer.answered",
        "transfer.archived",
    ] {
        let (rig, collector) = (Rig::new(), Collector::start());
        rig.put("large", &bytes(40_000, 1));
        let passes = if ["transfer.settled", "transfer.synced"].contains(&point) { "2*off->" } else { "" };
        let mut command = traced(&rig, "transfer run -c t.yaml", &collector);
        let killed = Filegen::finish(command.env("FAILPOINTS", format!("{point}={passes}return")));
        assert_eq!(killed.code, None, "{point}");
        run(&rig, &collector);
        let spans = collector.spans();
        for id in ids(&rig).values() {
            let own = tree(&spans, id);
            assert!(!own.is_empty(), "{point}");
            let resumed: Vec<&str> = own
                .iter()
                .filter(|it| it.values.contains_key("filegen.resumed_bytes"))
                .map(|it| it.name.as_str())
                .collect();
            match point {
                "transfer.settled" => assert_eq!(resumed, ["send"], "{own:#?}"),
                "transfer.synced" => assert_eq!(resumed, ["deliver"], "{own:#?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn a_redrive_stays_in_the_trace_below_the_first_way() {
    let (rig, collector) = (Rig::new(), Collector::start());
    rig.put("a", b"1");
    std::fs::create_dir(rig.filegen.path("target")).unwrap();
    rig.filegen.write("target/a", "other");
    Filegen::finish(&mut traced(&rig, "transfer run -c t.yaml", &collector)).exits(4);
    std::fs::remove_file(rig.filegen.path("target/a")).unwrap();
    rig.transfer("redrive --all --reason mended").exits(0);
    run(&rig, &collector);
    let own = tree(&collector.spans(), &ids(&rig)["a"]);
    let ways: Vec<&Span> = own.iter().filter(|span| span.name == "transfer").collect();
    let tries: Vec<&Span> = own.iter().filter(|span| span.name == "deliver").collect();
    assert!(ways.len() == 2 && tries.len() == 2, "{own:#?}");
    let (first, second) = if ways[0].parent.is_empty() { (ways[0], ways[1]) } else { (ways[1], ways[0]) };
    assert_eq!(second.parent, first.id);
    assert!(first.failed.as_ref().is_some_and(|why| why.contains("other content")) && second.failed.is_none());
    let of = |way: &Span| tries.iter().find(|it| it.parent == way.id).unwrap().failed.clone();
    assert!(of(first).is_some_and(|why| why.contains("other content")) && of(second).is_none(), "{own:#?}");
}

#[test]
fn filters_have_steps_of_their_own_and_a_correction_a_trace() {
    let collector = Collector::start();
    let rig = Rig::with(&[(
        "  max_size: 1MiB",
        "  max_size: 1MiB\n  on_exists: replace\n  filters: [{ gzip: {} }]\n  work: work",
    )]);
    rig.put("a", &bytes(9_000, 1));
    run(&rig, &collector);
    rig.put("a", &bytes(9_000, 2));
    run(&rig, &collector);
    let spans = collector.spans();
    let taken: Vec<&Span> = spans.iter().filter(|span| span.name == "deliver").collect();
    assert!(taken.len() == 2 && taken[0].trace != taken[1].trace, "{taken:#?}");
    for taken in taken {
        assert_eq!(below(&spans, taken), ["receive", "filter", "write", "publish", "receipt"]);
    }
}

#[tokio::test]
async fn a_message_carries_its_trace_where_one_is_kept_and_nothing_elsewhere() {
    let server = Nats::shared();
    for (sampler, ends) in [(None, None), (Some("always_on"), Some("-01")), (Some("always_off"), Some("-00"))] {
        let (place, collector) = (Place::on(server), Collector::start());
        let rig = place.rig(&[COLLECTS, ("  stable_for: 0s", "  receipt: false\n  stable_for: 0s")]);
        rig.put("a", b"1");
        let mut command = rig.filegen.command("transfer run -c t.yaml");
        if let Some(sampler) = sampler {
            command.env(ENDPOINT, collector.url()).env("OTEL_TRACES_SAMPLER", sampler);
        }
        Filegen::finish(&mut command).exits(0);
        let id = ids(&rig)["a"].clone();
        let said = server.header(&place.messages(), &place.subject(&format!("m.{id}")), "traceparent").await;
        assert_eq!(said.as_ref().map(|said| &said[52..]), ends, "{said:?}");
        assert!(said.is_none_or(|said| said.starts_with(&format!("00-{}-", &id[..32]))));
        assert_eq!(collector.spans().is_empty(), sampler != Some("always_on"));
    }
}

/// A small file of a collector of another maker, with what it says of its trace.
async fn put(server: &Nats, place: &Place, id: &str, said: &str) {
    let envelope = json!({
        "version": 1, "id": id, "sourcePath": id, "name": id, "source": "them", "contentType": "text/plain", "size": 1,
        "sha256": hex::encode(Sha256::digest(b"1")), "modifiedAt": "2026-11-28T10:00:00Z", "timestamp": "2026-11-28T10:00:01Z",
        "chunks": null, "chunkSize": null, "metadata": {},
    });
    let envelope = envelope.to_string();
    let length = envelope.len().to_string();
    let headers =
        [("Filegen-Version", "1"), ("Filegen-Envelope", &length), ("Filegen-Content", "inline"), ("traceparent", said)];
    server.put_with(&place.subject(&format!("m.{id}")), &headers, format!("{envelope}1").as_bytes()).await;
}

#[tokio::test]
async fn another_maker_s_trace_is_gone_on_with_and_a_malformed_one_harms_nothing() {
    const THEIRS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (server, collector) = (Nats::shared(), Collector::start());
    let place = Place::on(server);
    let rig = place.rig(&[]);
    delivers(&rig);
    run(&rig, &collector);
    let bad = ["00-zz-b7ad6b7169203331-01".to_owned(), "ä".to_owned(), "0".repeat(2000)];
    let all: Vec<String> = [THEIRS.to_owned()].into_iter().chain(bad).collect();
    for (number, said) in all.iter().enumerate() {
        put(server, &place, &format!("order-{number}"), said).await;
    }
    run(&rig, &collector);
    assert_eq!(rig.names("target").len(), all.len());
    let spans = collector.spans();
    let theirs: Vec<&Span> = spans.iter().filter(|span| span.trace == THEIRS[3..35]).collect();
    let taken: Vec<&&Span> = theirs.iter().filter(|span| span.name == "deliver").collect();
    assert!(taken.len() == 1 && taken[0].parent == THEIRS[36..52] && theirs.len() == 4, "{theirs:#?}");
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
    assert_eq!(traces.len(), all.len(), "each other one has a trace of its own");
    let shown = rig.transfer("show order-0 --output json").exits(0).json();
    assert_eq!(shown["traceId"], THEIRS[3..35]);
}
