//! Worker files, good and bad.

mod errors;
mod files;
mod ingest;
mod init;
mod properties;
mod ranges;
mod receivers;
mod schedule;
mod schema;
mod show;
mod topics;
mod transfer;
mod variables;

use super::*;
use crate::core::generate::spec::{Align, ColumnSpec, From, JsonNode, Quote, TranslatorSpec};
use crate::core::model::policy::{Policies, RetrySpec};
use crate::core::model::query::Fetch;
use jiff::civil::{Weekday, time};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The worker file of the design, as it stands there.
const DESIGN: &str = include_str!("design.yaml");

/// A worker file in which no field is at its default.
const FULL: &str = include_str!("full.yaml");

fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parsed(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    parse(text, Path::new("/etc/filegen/worker.yaml"), &vars(pairs), &Registry::default())
}

#[test]
fn the_designs_example_is_read_as_it_stands() {
    let worker = parsed(DESIGN, &[]).unwrap().into_worker().unwrap();
    assert_eq!(worker.id.as_str(), "LoanWorker");
    assert_eq!(worker.source.url.reveal(), "sqlite:/etc/filegen/loans.db");
    assert_eq!(worker.source.view.name().unwrap().parts(), ["v_LoanData"]);
    assert_eq!(worker.source.key, ["LoanId"]);
    assert_eq!((worker.source.page_size.get(), worker.source.page_bytes), (10_000, 16 << 20));
    assert_eq!(worker.source.fetch, Fetch::Stream);
    assert_eq!(worker.output.root, Path::new("/etc/filegen/out"));
    assert_eq!(worker.state.reveal(), "sqlite:/etc/filegen/out/.filegen/state.db");
    assert_eq!((worker.commit.pages.get(), worker.commit.interval), (16, Duration::ZERO));
    let retry = RetrySpec { max_retries: 5, ..RetrySpec::default() };
    assert_eq!(worker.policies, Policies { retry, ..Policies::default() });
    let trigger = worker.trigger.clone().unwrap().kafka;
    assert_eq!((trigger.brokers.as_str(), trigger.topic.as_str()), ("localhost:9092", "loan-data"));
    assert_eq!(trigger.group.as_deref(), Some("filegen-LoanWorker"));
    let completion = worker.completion.clone().unwrap();
    assert_eq!((completion.topic.as_str(), completion.group), ("file-events", None));

    let [loan0, loan1, loan2, loan3] = worker.files.as_slice() else { panic!("{:?}", worker.files) };
    assert_eq!(loan0.event_type.as_deref(), Some("LoanDataReady"));
    assert_eq!((loan0.newline.as_str(), loan0.progress_header), ("\n", true));
    let TranslatorSpec::Delimited(spec) = &loan0.translator else { panic!("{loan0:?}") };
    assert_eq!((spec.delimiter.as_str(), spec.quote, spec.columns.len()), ("|", Quote::Never, 4));
    let TranslatorSpec::Delimited(spec) = &loan1.translator else { panic!("{loan1:?}") };
    assert_eq!(spec.quote, Quote::Minimal);
    let TranslatorSpec::FixedWidth(spec) = &loan2.translator else { panic!("{loan2:?}") };
    let first = ColumnSpec {
        from: From::Column("LoanId".to_owned()),
        width: Some(12),
        align: Align::Right,
        pad: Some('0'),
        ..ColumnSpec::default()
    };
    assert_eq!(spec.columns[0], first);
    assert_eq!(spec.columns[1].format.as_deref(), Some("0.00"));
    assert_eq!(spec.columns[3].from, From::Literal("USD".to_owned()));
    let TranslatorSpec::Json(spec) = &loan3.translator else { panic!("{loan3:?}") };
    let column =
        |name: &str| JsonNode::Value(ColumnSpec { from: From::Column(name.to_owned()), ..ColumnSpec::default() });
    assert_eq!(spec.fields, [("id".to_owned(), column("LoanId")), ("balance".to_owned(), column("Balance"))]);
}

#[test]
fn a_deadline_is_the_days_after_in_the_business_dates_zone_unless_the_file_says_otherwise() {
    let with = |section: &str| {
        let text = DESIGN.replace("timezone: UTC", "timezone: Europe/Berlin").replace("policies:", section);
        parsed(&text, &[]).unwrap().into_worker().unwrap().deadline.clone()
    };
    for none in ["policies:", "deadline:\npolicies:"] {
        assert_eq!(with(none), None, "{none}");
    }
    let spec = with("deadline: { time: 06:30 }\npolicies:").unwrap();
    assert_eq!((spec.time, spec.days_after, spec.timezone.as_str()), (time(6, 30, 0, 0), 1, "Europe/Berlin"));
    assert_eq!((spec.weekdays.len(), spec.warn_before), (7, Duration::from_hours(1)));
    let spec = with("deadline: { time: 06:30, timezone: UTC, weekdays: [sun, mon] }\npolicies:").unwrap();
    assert_eq!((spec.timezone.as_str(), spec.weekdays.as_slice()), ("UTC", &[Weekday::Monday, Weekday::Sunday][..]));
    let spec = with("deadline: { time: 06:30, weekdays: sat }\npolicies:").unwrap();
    assert_eq!(spec.weekdays, [Weekday::Saturday]);
}
