//! What holds for any bytes. Shared by the fuzz targets and by the test that replays their corpus.

pub mod address;
pub mod checks;
pub mod envelope;
pub mod events;
pub mod forged;
pub mod mongo;
mod passwords;
pub mod schedule;
pub mod sqlserver;

use filegen::Registry;
use filegen::adapters::mongo::rewritten;
use filegen::config;
use filegen::core::generate::model::header::{HEADER_BYTES, Header};
use filegen::core::generate::model::journal::{Journal, JournalWriter};
use filegen::core::generate::spec::{AcceptSpec, BusinessDateSpec, TriggerSpec};
use filegen::core::generate::trigger::{TriggerDecision, interpret};
use filegen::core::model::calendar::Calendar;
use filegen::core::model::kafka::{GroupProtocol, KafkaSpec};
use filegen::core::model::message::{EventId, Received};
use filegen::core::model::trace::TraceParent;
use std::collections::BTreeMap;
use std::path::Path;

/// A header is refused, or is exactly what would be written for it.
pub fn header(bytes: &[u8]) {
    if let Ok(header) = Header::parse(bytes) {
        assert_eq!(header.encode(), bytes[..HEADER_BYTES]);
    }
}

/// The readable part of a journal is a journal; so is every cut of it; and only that part is believed.
pub fn journal(bytes: &[u8]) {
    let journal = Journal::parse(bytes);
    let good = &bytes[..usize::try_from(journal.bytes).unwrap()];
    assert_eq!(journal.damage.is_none(), good.len() == bytes.len());
    let again = Journal::parse(good);
    assert_eq!((&again.entries, again.chain, again.damage), (&journal.entries, journal.chain, None));

    for page in 0..=journal.last_page().map_or(0, |last| last.page).min(8) {
        let cut = journal.cut_after(page, bytes);
        let kept = Journal::parse(&bytes[..usize::try_from(cut.bytes).unwrap()]);
        assert_eq!((&kept.entries, kept.chain), (&cut.entries, cut.chain));
        assert!(kept.last_page().is_none_or(|last| last.page <= page));
    }

    let (mut writer, mut written) = (JournalWriter::default(), Vec::new());
    for entry in &journal.entries {
        writer.append(entry, &mut written).unwrap();
    }
    assert_eq!(Journal::parse(&written).entries, journal.entries);
}

/// A worker file is fit for use, or all that is wrong with it can be shown, each problem inside the file.
pub fn worker_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match config::parse(text, Path::new("/worker.yaml"), &(), &Registry::default()) {
        Ok(loaded) => {
            let mut ids: Vec<_> = loaded.flow.worker().unwrap().files.iter().map(|file| file.id.to_string()).collect();
            ids.sort();
            ids.dedup();
            assert!(!ids.is_empty() && ids.len() == loaded.flow.worker().unwrap().files.len());
            assert!(!loaded.resolved(&filegen::wiring::address_shown).to_yaml().is_empty());
        }
        Err(error) => {
            assert!(!error.problems.is_empty());
            for place in error.problems.iter().filter_map(|problem| problem.place) {
                assert!(place.line > 0 && place.column > 0 && place.offset + place.length <= text.len());
            }
            assert!(!format!("{:?}", error.report()).is_empty());
            assert!(!error.to_json().is_null());
        }
    }
}

/// An event asks for a day that it can be read back from, is another's, or is odd for a reason that is short and printable;
/// and whatever it asks for without a timestamp, it asks for with one.
pub fn trigger_event(bytes: &[u8]) {
    let kafka = KafkaSpec {
        brokers: String::new(),
        topic: String::new(),
        group: None,
        protocol: GroupProtocol::default(),
        properties: BTreeMap::new(),
    };
    let trigger = TriggerSpec { kafka, matches: vec![("/kind".to_owned(), "loans".into())] };
    let dates = BusinessDateSpec {
        timezone: "America/New_York".to_owned(),
        pointer: "/businessDate".to_owned(),
        calendar: Calendar::Weekends.into(),
        accept: AcceptSpec { past_days: 4_000_000, future_days: 4_000_000, runs_per_hour: 60 },
    };
    let id = EventId { topic: "t".to_owned(), partition: 0, offset: 0 };
    let delivery =
        |payload: &[u8], at| Received { id: id.clone(), key: None, headers: Vec::new(), payload: payload.to_vec(), at };
    let now = jiff::Timestamp::UNIX_EPOCH;
    match interpret(&delivery(bytes, None), &trigger, &dates, now) {
        heard @ TriggerDecision::Run(date) => {
            let at = Some(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(interpret(&delivery(bytes, at), &trigger, &dates, now), heard);
            let plain = format!(r#"{{"kind":"loans","businessDate":"{}"}}"#, date.compact());
            if date.0.year() >= 1000 {
                assert_eq!(interpret(&delivery(plain.as_bytes(), None), &trigger, &dates, now), heard);
            }
        }
        TriggerDecision::Other => {
            assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|event| event.is_object()));
        }
        TriggerDecision::Odd(reason) => {
            assert!(!reason.is_empty() && reason.len() < 2000 && !reason.chars().any(char::is_control), "{reason:?}");
        }
    }
}

/// Whatever a SQL Server sends is rows, or an error that says something.
pub fn sqlserver_reply(bytes: &[u8]) {
    sqlserver::sqlserver_reply(bytes);
}

/// A document of the state store is refused, or is what would be written for it.
pub fn mongo_document(bytes: &[u8]) {
    let Some((which, document)) = bytes.split_first() else { return };
    let collection =
        ["worker_leases", "worker_epochs", "runs", "file_status", "audit", "odd_events"][usize::from(*which) % 6];
    match rewritten(collection, document) {
        Ok(written) => assert_eq!(rewritten(collection, &written).as_ref(), Ok(&written)),
        Err(reason) => assert!(!reason.is_empty()),
    }
}

/// Whatever a MongoDB answers is ours, or an error that says something.
pub fn mongo_reply(bytes: &[u8]) {
    drop(mongo::mongo_reply(bytes));
}

/// A journal or manifest with right checksums and wrong content is refused, or leads to files that are as they should be.
pub fn forged(bytes: &[u8]) {
    forged::forged(bytes);
}

/// An event is a row whose values fit, or is refused for reasons that can be shown; its bytes come back from the queue.
pub fn event(bytes: &[u8]) {
    events::event(bytes);
}

/// An entry of the queue is refused, or stays as it is when it is written again.
pub fn dead_letter(bytes: &[u8]) {
    events::dead_letter(bytes);
}

/// An envelope that is taken says nothing that cannot be, and leads nowhere outside of the target.
pub fn envelope(bytes: &[u8]) {
    envelope::envelope(bytes);
}

/// A content passes a check of JSON as it is, or is refused for a reason that holds nothing of it.
pub fn json_check(bytes: &[u8]) {
    checks::json_check(bytes);
}

/// No part of a password in an address is told.
pub fn address(bytes: &[u8]) {
    address::address(bytes);
}

/// A cron expression is refused with its place, or has times.
pub fn cron_expression(bytes: &[u8]) {
    schedule::expression(bytes);
}

/// An event of a change is applied once, or is odd.
pub fn change_event(bytes: &[u8]) {
    schedule::change_event(bytes);
}

/// A data source is read, or each of its faults is told.
pub fn data_source(bytes: &[u8]) {
    schedule::data_source(bytes);
}

/// What is read of a trace is written back as the same, in the first version's 55 characters; what is not read counts as none.
pub fn traceparent(bytes: &[u8]) {
    let Some(parent) = std::str::from_utf8(bytes).ok().and_then(TraceParent::parse) else { return };
    let text = parent.to_string();
    assert!(bytes.len() <= TraceParent::BYTES_MAX && text.len() == 55 && TraceParent::parse(&text) == Some(parent));
    assert!(bytes[3..52] == text.as_bytes()[3..52] && parent.trace.bytes() != [0; 16] && parent.span.bytes() != [0; 8]);
}
