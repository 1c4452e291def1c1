//! Traces where something about them is wrong: files are moved all the same, and it is told once.

use super::nats::POLLS;
use super::rig::Rig;
use super::traces::{ENDPOINT, traced};
use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::otel::Collector;
use crate::support::running::until;

const AWAY: &str = "collector of traces does not answer";

#[test]
fn a_collector_that_is_away_holds_nothing_up_and_gets_the_spans_when_it_is_back() {
    let (rig, mut collector) = (Rig::with(&[POLLS]), Collector::later());
    rig.put("a", b"1");
    let told = Filegen::finish(&mut traced(&rig, "transfer run -c t.yaml", &collector)).exits(0).stderr;
    assert!(told.matches(AWAY).count() == 1 && rig.names("target") == ["a"], "{told}");
    let mut daemon = Daemon::of(&mut traced(&rig, "daemon -c t.yaml --health-port 0", &collector));
    for name in ["b", "c"] {
        rig.drop_in(name, name.as_bytes());
    }
    until("the archive", || (rig.shelf("archive").len() == 3).then_some(()));
    daemon.running.wait_for(AWAY);
    let (code, shown) = daemon.get("/metrics");
    assert!(code == 200 && shown.contains("filegen_trace_collector_up 0"), "{shown}");
    collector.begin();
    until("all spans", || (collector.spans().iter().filter(|span| span.name == "transfer").count() == 2).then_some(()));
    let sent = format!("filegen_trace_spans_total{{outcome=\"sent\"}} {}", collector.spans().len());
    until("the count", || daemon.get("/metrics").1.contains(&sent).then_some(()));
    assert!(daemon.get("/metrics").1.contains("filegen_trace_collector_up 1"));
    let log = stop([daemon]).remove(0);
    assert_eq!(log.matches(AWAY).count(), 1, "told once: {log}");
    assert!(log.contains("collector of traces answers again"), "{log}");
}

#[test]
fn a_secret_header_is_sent_and_never_shown() {
    let collector = Collector::start();
    let rig = Rig::new();
    rig.filegen.write("headers", "api-key=s3cret-from-file\n");
    let with = |args: &str, variable: &str, value: &str| {
        let mut command = traced(&rig, args, &collector);
        let done = Filegen::finish(command.env(variable, value));
        let told = format!("{}{}", done.stdout, done.stderr);
        assert!(!told.contains("s3cret"), "{args}: {told}");
        (done.code, told)
    };
    let file = rig.filegen.path("headers").display().to_string();
    rig.put("a", b"1");
    assert_eq!(with("transfer run -c t.yaml -vvv", "OTEL_EXPORTER_OTLP_HEADERS_FILE", &file).0, Some(0));
    assert_eq!(collector.keys().last().map(String::as_str), Some("s3cret-from-file"));
    rig.put("b", b"2");
    assert_eq!(with("transfer run -c t.yaml -vvv", "OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=s3cret%20two").0, Some(0));
    assert_eq!(collector.keys().last().map(String::as_str), Some("s3cret two"));
    for bad in ["s3cret", "host=s3cret", "a b=s3cret"] {
        for args in ["doctor -c t.yaml", "config check -c t.yaml", "config show -c t.yaml", "transfer run -c t.yaml"] {
            let (code, told) = with(args, "OTEL_EXPORTER_OTLP_HEADERS", bad);
            assert_eq!(code, Some(0), "{told}");
            assert!(args.contains("show") || told.contains("OTEL_EXPORTER_OTLP_HEADERS"), "{args}: {told}");
        }
    }
}

#[test]
fn a_collector_is_verified_against_an_authority_of_ours() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let collector = Collector::with_tls(&own.cert.pem(), &own.signing_key.serialize_pem());
    let rig = Rig::new();
    rig.filegen.write("ca.pem", &own.cert.pem());
    rig.put("a", b"1");
    let told = Filegen::finish(&mut traced(&rig, "transfer run -c t.yaml", &collector)).exits(0).stderr;
    assert!(told.contains(AWAY) && rig.names("target") == ["a"] && collector.spans().is_empty(), "{told}");
    rig.put("b", b"2");
    let mut command = traced(&rig, "transfer run -c t.yaml", &collector);
    let done = Filegen::finish(command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", rig.filegen.path("ca.pem"))).exits(0);
    assert!(!done.stderr.contains("traces") && !collector.spans().is_empty(), "{}", done.stderr);
}

#[test]
fn doctor_and_check_tell_of_the_collector() {
    let mut collector = Collector::start();
    let rig = Rig::new();
    let told = |args: &str, endpoint: &str| {
        let mut command = rig.filegen.command(args);
        let done = Filegen::finish(command.env(ENDPOINT, endpoint)).exits(0);
        format!("{}{}", done.stdout, done.stderr)
    };
    let doctor = |endpoint: &str| told("doctor -c t.yaml", endpoint);
    assert!(!rig.filegen.run("doctor -c t.yaml").exits(0).stdout.contains("traces"), "nobody asked for them");
    let url = collector.url();
    let shown = doctor(&url);
    let line = shown.lines().find(|line| line.contains("traces")).unwrap_or_default();
    assert!(line.contains("pass") && line.contains("/v1/traces takes spans"), "{shown}");
    assert!(collector.spans().is_empty(), "asking leaves nothing there");
    let shown = doctor(&format!("{url}/nowhere"));
    assert!(shown.contains("answers 404"), "{shown}");
    collector = Collector::later();
    let shown = doctor(&collector.url());
    assert!(shown.contains("warn  traces") && shown.contains("refused"), "{shown}");
    // Nobody answers there, and nobody is asked.
    let shown = told("config check -c t.yaml", "http://otel.bank.example:4318");
    assert!(shown.contains("http://otel.bank.example:4318 is not encrypted"), "{shown}");
    for bad in ["otel:4318", "https://ann:s3cret@otel.bank", "grpc://otel"] {
        for args in ["config check -c t.yaml", "doctor -c t.yaml", "transfer run -c t.yaml"] {
            let shown = told(args, bad);
            assert!(shown.contains("OTEL_EXPORTER_OTLP_ENDPOINT: ") && !shown.contains("s3cret"), "{args}: {shown}");
        }
    }
    let mut command = traced(&rig, "doctor -c t.yaml", &collector);
    let shown = Filegen::finish(command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")).exits(0).stdout;
    assert!(shown.contains("only `http/protobuf` is spoken here"), "{shown}");
}
