//! A disk that fails or is full at any one change: the term ends, headers stay behind the journal, nothing is tried
//! again on that descriptor, and the next holder ends with the same bytes.

use super::rig::Rig;
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::core::generate::model::header::Header;
use filegen::core::generate::model::journal::Journal;
use filegen::core::generate::{GenerateError, Outcome};
use filegen::core::ports::volume::VolumeError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How the disk fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Eio,
    Full,
}

/// Fails the `at`th change, and notes what is tried on the same path behind it.
struct Failing {
    at: u64,
    fault: Fault,
    seen: AtomicU64,
    failed: Mutex<Option<(&'static str, String)>>,
    again: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Hook for Failing {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        let mut failed = self.failed.lock().unwrap();
        if self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            *failed = Some((operation, path.to_owned()));
            let (path, reason) = (path.to_owned(), "as the test wants it".to_owned());
            return Err(match self.fault {
                Fault::Eio => VolumeError::Io { operation, path, reason },
                Fault::Full => VolumeError::Full { path, reason },
            });
        }
        if failed.as_ref().is_some_and(|(_, other)| other == path) {
            self.again.lock().unwrap().push(operation);
        }
        Ok(())
    }
}

/// A header never claims a page that the journal beside it does not have.
async fn check_headers(rig: &Rig, token: u64, context: &str) {
    let dir = format!(".filegen/LoanWorker/20261121/t{token:08}");
    let names = rig.ports.volume.list(&dir).await.unwrap();
    let has = |name: &str| names.iter().any(|entry| entry.name == name);
    let journal = if has("journal.jsonl") { rig.read(&format!("{dir}/journal.jsonl")).await } else { Vec::new() };
    let committed = Journal::parse(&journal).last_page().map_or(0, |last| last.page);
    for name in ["Loan0", "Loan1"].into_iter().filter(|name| has(name)) {
        if let Ok(header) = Header::parse(&rig.read(&format!("{dir}/{name}")).await) {
            assert!(header.page <= committed, "{context}: {name} claims page {}, journal has {committed}", header.page);
        }
    }
}

/// Lets each change of the holder with `token` fail in turn; `begin` brings the run to where it starts. How many there are.
async fn fails_at_each_change(fault: Fault, token: u64, begin: impl AsyncFn(&Rig)) -> u64 {
    let golden = {
        let rig = Rig::new();
        rig.generate(&term(1)).await.unwrap();
        rig.published().await
    };
    for at in 1.. {
        let rig = Rig::new();
        begin(&rig).await;
        let hook = Arc::new(Failing { at, fault, seen: 0.into(), failed: Mutex::default(), again: Mutex::default() });
        let holder = term(token);
        let ended = rig.generate_hooked(&holder, hook.clone()).await;
        let Some((operation, path)) = hook.failed.lock().unwrap().clone() else { return at - 1 };
        let context = format!("{fault:?} at change {at}, {operation} {path}");
        if operation == "unlink" && !path.contains(".dead") {
            // Behind the manifest: names that are left over harm nobody.
            assert!(matches!(ended, Ok(Outcome::Published(_))), "{context}: {ended:?}");
        } else {
            assert!(matches!(ended, Err(GenerateError::Volume(_))), "{context}: {ended:?}");
            assert!(holder.check().is_err(), "{context}: the term goes on");
        }
        assert!(hook.again.lock().unwrap().is_empty(), "{context}: tried again on the same path: {:?}", hook.again);
        check_headers(&rig, token, &context).await;
        for (name, bytes) in rig.published().await {
            assert!(golden.get(&name) == Some(&bytes), "{context}: {name} is visible and not whole");
        }
        rig.generate(&term(token + 1)).await.unwrap_or_else(|error| panic!("{context}: the next holder: {error}"));
        assert!(rig.published().await == golden, "{context}");
    }
    unreachable!("a run ends")
}

#[tokio::test]
async fn a_fault_at_any_change_of_a_run_ends_its_term() {
    for fault in [Fault::Eio, Fault::Full] {
        let changes = fails_at_each_change(fault, 1, async |_| ()).await;
        assert!(changes > 50, "{changes} changes");
    }
}

#[tokio::test]
async fn a_fault_at_any_change_of_a_takeover_ends_its_term() {
    for fault in [Fault::Eio, Fault::Full] {
        let begin = async |rig: &Rig| {
            // Somewhere behind the second page.
            let hook = Failing { at: 35, fault, seen: 0.into(), failed: Mutex::default(), again: Mutex::default() };
            rig.generate_hooked(&term(1), Arc::new(hook)).await.unwrap_err();
            let journal = rig.read(".filegen/LoanWorker/20261121/t00000001/journal.jsonl").await;
            assert_eq!(Journal::parse(&journal).last_page().unwrap().page, 2);
        };
        let changes = fails_at_each_change(fault, 2, begin).await;
        assert!(changes > 30, "{changes} changes");
    }
}
