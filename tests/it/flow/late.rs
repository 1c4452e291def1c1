//! A holder that was replaced while an effect of it was under way: it learns of that, and is not told that the volume is
//! broken; and it says that the run is made only when it is.

use super::rig::Rig;
use crate::support::state::{at, lease};
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::core::generate::fence::{fence, remove};
use filegen::core::generate::{GenerateError, Job, Outcome, Ports, generate};
use filegen::core::model::run::{RunId, RunStatus};
use filegen::core::model::term::Token;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::volume::VolumeError;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Another holder takes over in the moment before this operation.
struct Replacing {
    before: &'static str,
    ports: Ports,
    run: RunId,
}

#[async_trait]
impl Hook for Replacing {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        // Once the holder's own folder is made.
        if operation == self.before && path.contains("t00000003/") || operation == "link" {
            let newer = term(9);
            for dead in fence(&self.ports, &self.run, &newer).await.unwrap_or_default() {
                remove(&self.ports, &dead, &newer).await.unwrap();
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_effect_that_finds_a_tombstone_means_that_the_lease_is_lost() {
    for before in ["create", "sync folder", "make read-only", "link"] {
        let rig = Rig::new();
        let hook = Replacing { before, ports: rig.ports.clone(), run: rig.run().clone() };
        let late = term(3);
        let ended = rig.generate_hooked(&late, Arc::new(hook)).await;
        assert!(matches!(ended, Err(GenerateError::TermEnded(_))), "{before}: {ended:?}");
        assert!(late.check().is_err(), "{before}: the term does not come back");
        assert!(rig.published().await.is_empty(), "{before}: nothing became visible");
    }
}

/// The clock of a process that was stopped: it has jumped, and its work goes on before the renewals notice.
#[derive(Default)]
struct Jumping(AtomicU64);

#[async_trait]
impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        at(0)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

/// Stops the process for an hour right behind its manifest, and lets another take over meanwhile.
struct Stopping {
    clock: Arc<Jumping>,
    ports: Ports,
    job: Job,
    /// Whether the other gets as far as to record the run.
    records: bool,
}

#[async_trait]
impl Hook for Stopping {
    async fn before(&self, Change { operation, .. }: Change<'_>) -> Result<(), VolumeError> {
        // The staged names are the first to go when the manifest is there.
        if operation == "unlink" && self.clock.0.swap(3600, Ordering::Relaxed) == 0 {
            assert_eq!(self.ports.state.leases.install(&lease("LoanWorker", 9, "another")).await, Ok(true));
            if self.records {
                let made = generate(&self.ports, &self.job, &term(9)).await;
                assert!(matches!(made, Ok(Outcome::AlreadyPublished(_))), "{made:?}");
            }
        }
        Ok(())
    }
}

/// The process is the one that published: what it may say of that depends on whether somebody has recorded it.
#[tokio::test]
async fn a_holder_that_is_stopped_behind_its_manifest_says_that_the_run_is_made_only_when_it_is_recorded() {
    for records in [true, false] {
        let (rig, clock) = (Rig::new(), Arc::new(Jumping::default()));
        let hook = Stopping { clock: Arc::clone(&clock), ports: rig.ports.clone(), job: rig.job(), records };
        let ended = rig.execute_hooked(clock, Arc::new(hook)).await;
        let record = rig.ports.state.runs.run(rig.run()).await.unwrap().unwrap();
        let files = rig.ports.state.runs.files(rig.run()).await.unwrap();
        assert_eq!(rig.published().await.len(), 2, "its own files are there in any case");
        if records {
            let report = ended.unwrap();
            assert!(matches!(report.outcome, Outcome::Published(_)) && report.token == Some(Token(1)), "{report:?}");
            assert_eq!((record.status, record.token), (RunStatus::Published, Some(Token(9))));
            assert!(files.iter().all(|file| file.token == Token(9) && file.event.is_some()), "{files:?}");
        } else {
            assert!(ended.is_err(), "{ended:?}");
            assert_eq!((record.status, record.token), (RunStatus::Running, Some(Token(1))));
            assert!(
                files.iter().all(|file| file.event.is_none()),
                "nothing is announced under the ended term: {files:?}"
            );
        }
        let held = rig.ports.state.leases.read(&(&rig.run().worker).into()).await.unwrap().unwrap();
        assert!(held.token == Token(9) && held.released.is_none(), "the other's lease is left alone: {held:?}");
    }
}
