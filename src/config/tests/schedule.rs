//! Scheduler files, good and bad.

use super::*;
use crate::core::model::data_source::{ClockChange, Misfire, Overlap};
use std::net::{IpAddr, Ipv4Addr};

/// The scheduler file of the contract, as it stands there.
const CONTRACT: &str = include_str!("scheduler.yaml");

fn scheduler(text: &str, pairs: &[(&str, &str)]) -> Result<Scheduler, ConfigError> {
    parsed(text, pairs).and_then(Loaded::into_scheduler).map(Arc::unwrap_or_clone)
}

#[test]
fn the_contracts_scheduler_is_read_as_it_stands() {
    let read = scheduler(CONTRACT, &[]).unwrap();
    assert_eq!((read.id.as_str(), read.state.reveal()), ("intake", "sqlite:/etc/filegen/intake.db"));
    let changes = read.changes.unwrap();
    assert_eq!((changes.brokers.as_str(), changes.topic.as_str()), ("localhost:9092", "datasource-events"));
    assert_eq!(changes.group.as_deref(), Some("scheduling-service"));
    let discovered = read.discovered.unwrap();
    assert_eq!((discovered.topic.as_str(), discovered.group), ("file-discovered", None));
    assert_eq!(read.roots.roots, [Path::new("/etc/filegen/data")]);
    assert_eq!((read.api.port, read.api.listen, read.page.port), (5001, None, 8080));
    assert_eq!(read.api.cors, ["http://localhost:8080"]);
    let defaults = read.defaults;
    assert_eq!((defaults.cron.as_str(), defaults.zone.as_str()), ("0 */2 * * * ?", "UTC"));
    assert_eq!(
        (defaults.misfire, defaults.overlap, defaults.dst),
        (Misfire::FireOnce, Overlap::Skip, ClockChange::Quartz)
    );
    assert_eq!((defaults.grace, defaults.jitter), (Duration::from_mins(1), Duration::ZERO));
    assert_eq!(
        (read.policies.lease_ttl, read.limits.history),
        (Duration::from_secs(30), Duration::from_hours(90 * 24))
    );
}

#[test]
fn a_scheduler_needs_a_name_alone() {
    let read = scheduler("scheduler: intake\n", &[("KAFKA_BROKERS", "k:9092")]).unwrap();
    assert_eq!((read.changes, read.discovered), (None, None), "brokers alone make no topic");
    let whole = scheduler(CONTRACT, &[]).unwrap();
    assert_eq!(
        (read.roots, read.defaults, read.limits, read.policies),
        (whole.roots, whole.defaults, whole.limits, whole.policies)
    );
    assert_eq!(read.state.reveal(), "sqlite:/etc/filegen/intake.db");
    let environment = [("MONGO_CONNECTION_STRING", "mongodb://m/ezplatform"), ("DATA_ROOT", "/data")];
    let read = scheduler("scheduler: intake\n", &environment).unwrap();
    assert_eq!((read.state.reveal(), read.roots.roots.as_slice()), ("mongodb://m/ezplatform", &["/data".into()][..]));
    let read = scheduler("scheduler: a\nroots: [x, /y]\npage: { listen: 127.0.0.1 }\nsources: s.yaml\n", &[]).unwrap();
    assert_eq!(read.roots.roots, [Path::new("/etc/filegen/x"), Path::new("/y")]);
    assert_eq!(read.page.listen, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    assert_eq!(read.sources.as_deref(), Some(Path::new("/etc/filegen/s.yaml")));
}

#[test]
fn everything_that_is_wrong_with_a_scheduler_is_told_at_once() {
    let text = "scheduler: a b\nstate: { url: \"postgres://h\" }\nroots: [x, x]\nlisten: x\n\
                calendars: { house: holidays.txt }\napi: { port: 70000, cors: [\"localhost:8080\"], listen: here }\n\
                defaults: { zone: Mars, misfire: never, grace: 60, jitter: 0s }\n\
                policies: { history: 1h, lease_heartbeat_interval: 20s, concurrency: 0 }\n";
    let error = scheduler(text, &[]).unwrap_err();
    let fields: Vec<&str> = error.problems.iter().filter_map(|problem| problem.field.as_deref()).collect();
    for field in [
        "scheduler",
        "state.url",
        "roots[1]",
        "calendars.house",
        "api.port",
        "api.cors",
        "api.listen",
        "defaults.zone",
        "defaults.misfire",
        "defaults.grace",
        "policies.history",
        "policies.lease_heartbeat_interval",
        "policies.concurrency",
    ] {
        assert!(fields.iter().any(|found| found.starts_with(field)), "{field}: {error}");
    }
    assert!(error.to_string().contains("unknown field `listen`"), "{error}");
    let same = scheduler("scheduler: a\napi: { port: 8080 }\n", &[]).unwrap_err();
    assert!(same.to_string().contains("both have port 8080"), "{same}");
}

#[test]
fn a_command_for_workers_takes_no_scheduler() {
    let error = parsed(CONTRACT, &[]).unwrap().into_worker().unwrap_err();
    assert!(error.to_string().contains("this is a scheduler file, and this command takes a worker file"), "{error}");
    let error = parsed(DESIGN, &[]).unwrap().into_scheduler().unwrap_err();
    assert!(error.to_string().contains("name a scheduler file"), "{error}");
}

#[test]
fn a_scheduler_as_it_is_understood_is_a_scheduler_file() {
    let shown = |text: &str| parsed(text, &[]).unwrap().resolved(&|url| url.reveal().to_owned()).to_yaml();
    let text = format!(
        "{}sources: s.yaml\ncalendars: {{ house: h.ics }}\n",
        CONTRACT.replace("port: 8080", "port: 8080, listen: \"::1\"")
    );
    let yaml = shown(&text);
    assert_eq!(scheduler(&yaml, &[]).unwrap(), scheduler(&text, &[]).unwrap(), "{yaml}");
    assert!(yaml.contains("history: \"90d\""), "{yaml}");
    let json = serde_json::to_value(parsed(&text, &[]).unwrap().resolved(&|_| "***".to_owned())).unwrap();
    assert_eq!(json.pointer("/scheduler/state/url"), Some(&"***".into()));
}
