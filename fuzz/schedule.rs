//! What holds for any cron expression, any event of a change, and any request that describes a data source.

use filegen::adapters::memory::schedules::MemorySchedules;
use filegen::adapters::system_clock::SystemClock;
use filegen::core::model::data_source::{ClockChange, DataSourceId, Misfire, Overlap};
use filegen::core::model::shown::is_harmful;
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::cron::{Dst, Expression};
use filegen::core::schedule::data_source::{Fault, Faults, Others, Rules, Stamp};
use filegen::core::schedule::hear::{Applier, Heard};
use filegen::core::schedule::plan::Settings;
use filegen::core::schedule::roots::Roots;
use filegen::core::schedule::spec::Defaults;
use filegen::core::schedule::words;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Zones with clocks that change by an hour, by half an hour, and over a day.
const ZONES: [&str; 3] = ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"];

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(is_harmful)
}

/// An expression is refused at a place in it, with what to write instead; or its times come one after the other, whenever one asks, and
/// it can be said in words.
pub fn expression(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{error:?}");
            assert!(is_plain(&error.message) && is_plain(&error.hint), "{error:?}");
            return;
        }
    };
    assert!(is_plain(&words::of(text)));
    let dst = [Dst::Quartz, Dst::RunMissing, Dst::First, Dst::Both][usize::from(*first) % 4];
    let zone = TimeZone::get(ZONES[usize::from(*first / 4) % ZONES.len()]).unwrap();
    let mut after = Timestamp::from_second(1_767_225_600 + i64::from(*first) * 86_400).unwrap();
    for _ in 0..5 {
        let Some(next) = expression.next_after(&zone, dst, after) else { break };
        assert!(next > after);
        let just_before = next.checked_sub(SignedDuration::from_nanos(1)).unwrap();
        assert_eq!(expression.next_after(&zone, dst, just_before), Some(next), "whenever one asks");
        after = next;
    }
}

/// An event of a change is applied once, and is late from then on; or it is odd for a reason that can be shown.
pub fn change_event(bytes: &[u8]) {
    let schedules: Arc<dyn ScheduleStore> = Arc::new(MemorySchedules::default());
    let wanted = Arc::new(Notify::new());
    let applier = Applier {
        schedules: Arc::clone(&schedules),
        settings: Settings::default(),
        clock: Arc::new(SystemClock),
        wanted,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        match applier.apply(bytes).await.unwrap() {
            Heard::Applied { kind } => {
                let known = schedules.schedules().await.unwrap();
                assert_eq!(applier.apply(bytes).await.unwrap(), Heard::Late { kind });
                assert_eq!(schedules.schedules().await.unwrap(), known);
            }
            Heard::Odd { reason } => {
                assert!(is_plain(&reason) && reason.len() < 3000, "{reason:?}");
                assert!(schedules.schedules().await.unwrap().is_empty());
            }
            heard => panic!("nothing was there before: {heard:?}"),
        }
    });
}

/// A data source is what it says when it is read again; or each fault names a field, says what to write, and can be shown.
pub fn data_source(bytes: &[u8]) {
    let Ok(given) = serde_json::from_slice::<Value>(bytes) else { return };
    let stamp = || Stamp {
        id: DataSourceId::new("a1").unwrap(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    match rules().read(&given, stamp()) {
        Ok(source) => {
            assert!(rules().roots.place(&source.path).is_ok() && Expression::parse(&source.cron_expression).is_ok());
            let again = serde_json::to_value(&source).unwrap();
            assert_eq!(rules().read(&again, stamp()).as_ref(), Ok(&source), "what was read can be sent back");
        }
        Err(Faults(faults)) => {
            assert!(!faults.is_empty());
            for Fault { pointer, message, hint, .. } in faults {
                assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer}");
                assert!(
                    is_plain(&message) && is_plain(&hint) && !pointer.chars().any(is_harmful),
                    "{pointer:?} {message:?} {hint:?}"
                );
            }
        }
    }
}

fn rules() -> Rules {
    Rules {
        roots: Roots { base: "/srv".into(), roots: vec!["/srv/data".into()] },
        defaults: Defaults {
            cron: "0 */2 * * * ?".to_owned(),
            zone: "UTC".to_owned(),
            misfire: Misfire::FireOnce,
            overlap: Overlap::Skip,
            dst: ClockChange::Quartz,
            grace: Duration::from_mins(1),
            jitter: Duration::ZERO,
            stable_for: Duration::from_secs(2),
            max_size: 1 << 30,
            look_within: Duration::from_hours(1),
            pause_after_failures: None,
        },
        calendars: BTreeSet::from(["house".to_owned()]),
        others: Others { workers: BTreeSet::from(["LoanWorker".to_owned()]), transfers: BTreeSet::new() },
    }
}
