//! A manifest counts where the state store knows its files, or where the files prove it; else nothing is recorded and nothing sent.

use super::rig::Rig;
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::adapters::memory::state::MemoryState;
use filegen::core::failpoints::planted::plant;
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::generate::model::journal::{Entry, Journal};
use filegen::core::generate::model::manifest::Manifest;
use filegen::core::generate::{GenerateError, Outcome};
use filegen::core::kind::{FailureKind, HasKind};
use filegen::core::model::run::RunStatus;
use filegen::core::ports::state::StateStore;
use filegen::core::ports::volume::{Volume, VolumeError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Puts bytes under a name, in place of what has it.
async fn put(rig: &Rig, path: &str, bytes: Vec<u8>) {
    let (volume, term) = (&rig.ports.volume, term(99));
    match volume.unlink(&term, path).await {
        Ok(()) | Err(VolumeError::NotFound { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let file = volume.create(&term, path).await.unwrap();
    file.write_at(&term, 0, bytes).await.1.unwrap();
}

async fn put_manifest(rig: &Rig, manifest: &Manifest) {
    put(rig, &manifest_name(rig.run(), 1), serde_json::to_vec(manifest).unwrap()).await;
}

/// Where holder 7 has its own manifest.
const ORIGINAL: &str = ".filegen/LoanWorker/20261121/t00000007/manifest.json";

/// As if holder 7 had written it.
async fn put_both(rig: &Rig, manifest: &Manifest) {
    put_manifest(rig, manifest).await;
    put(rig, ORIGINAL, serde_json::to_vec(manifest).unwrap()).await;
}

/// A rig whose run is published, with an empty state store: as restored from a copy of the volume alone.
async fn restored() -> (Rig, Manifest) {
    let mut rig = Rig::new();
    let Ok(Outcome::Published(manifest)) = rig.generate(&term(7)).await else { panic!("it is published") };
    rig.ports.state = StateStore::of(Arc::new(MemoryState::default()));
    (rig, manifest)
}

async fn refused(rig: &Rig) -> String {
    let error = rig.generate(&term(8)).await.expect_err("it is not believed");
    assert!(matches!(error, GenerateError::Unproved { .. }) && error.kind() == FailureKind::Difference, "{error}");
    assert_eq!(rig.ports.state.runs.files(rig.run()).await.unwrap(), [], "nothing is recorded: {error}");
    let record = rig.ports.state.runs.run(rig.run()).await.unwrap().unwrap();
    assert_eq!(record.status, RunStatus::Failed, "and the run says so");
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_restored_volume_is_believed_once_its_files_were_read() {
    let (rig, manifest) = restored().await;
    assert_eq!(rig.generate(&term(8)).await, Ok(Outcome::AlreadyPublished(manifest.clone())));
    let files = rig.ports.state.runs.files(rig.run()).await.unwrap();
    assert!(files.len() == 2 && files.iter().all(|file| file.event.is_some()), "its events are recorded");
    // Now the store knows: nothing is read again.
    put(&rig, "loan0_20261121.txt", b"moved away, and another in its place".to_vec()).await;
    assert_eq!(rig.generate(&term(9)).await, Ok(Outcome::AlreadyPublished(manifest)));
}

#[tokio::test(start_paused = true)]
async fn a_manifest_of_an_earlier_build_is_believed_by_its_files() {
    let (rig, manifest) = restored().await;
    let earlier = Manifest { spec: None, writes: None, ..manifest };
    put_both(&rig, &earlier).await;
    assert_eq!(rig.generate(&term(8)).await, Ok(Outcome::AlreadyPublished(earlier)));
}

#[tokio::test(start_paused = true)]
async fn what_the_files_do_not_prove_is_not_believed() {
    type Spoil = fn(&mut Manifest);
    let spoilt: [(&str, Spoil); 12] = [
        ("manifest of run", |manifest| manifest.run_id = "LoanWorker:2026-11-20".to_owned()),
        ("manifest of run", |manifest| manifest.business_date = "2026-11-20".to_owned()),
        ("manifest of run", |manifest| manifest.worker_id = "Other".to_owned()),
        ("when it was made", |manifest| manifest.completed_at = "yesterday".to_owned()),
        ("other settings", |manifest| manifest.spec = Some("0123456789abcdef".to_owned())),
        ("other files", |manifest| drop(manifest.files.pop())),
        ("other files", |manifest| manifest.files[0].id = "Loan9".to_owned()),
        ("it names", |manifest| manifest.files[0].name = Some("loan1_20261121.csv".to_owned())),
        ("leaves files out", |manifest| manifest.files[0].name = None),
        ("bytes instead of", |manifest| manifest.files[0].bytes += 1),
        ("rows", |manifest| manifest.files[0].rows += 1),
        ("another digest", |manifest| manifest.files[1].sha256 = "0".repeat(64)),
    ];
    for (why, spoil) in spoilt {
        let (rig, mut manifest) = restored().await;
        spoil(&mut manifest);
        put_both(&rig, &manifest).await;
        let said = refused(&rig).await;
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_file_proves_is_held_against_the_holders_original() {
    type Spoil = fn(&mut Manifest);
    let spoilt: [(&str, Spoil); 6] = [
        ("differs from what holder 7 wrote", |manifest| manifest.source_rows += 1),
        ("differs from what holder 7 wrote", |manifest| manifest.completed_at = "2026-11-21T00:00:00Z".to_owned()),
        ("differs from what holder 7 wrote", |manifest| manifest.files[0].replaced.overflow += 1),
        ("differs from what holder 7 wrote", |manifest| {
            manifest.files[1].control_totals.insert("Amount".to_owned(), "0.01".to_owned());
        }),
        ("differs from what holder 7 wrote", |manifest| manifest.reason = Some("why not".to_owned())),
        ("no manifest of holder 6", |manifest| manifest.token = 6),
    ];
    for (why, spoil) in spoilt {
        let (rig, mut manifest) = restored().await;
        spoil(&mut manifest);
        put_manifest(&rig, &manifest).await;
        let said = refused(&rig).await;
        assert!(said.contains(why), "{why}: {said}");
    }
    let (rig, _) = restored().await;
    rig.ports.volume.unlink(&term(99), ORIGINAL).await.unwrap();
    let said = refused(&rig).await;
    assert!(said.contains("no manifest of holder 7") && said.contains("restore `.filegen`"), "{said}");
    let (rig, _) = restored().await;
    put(&rig, ORIGINAL, b"{ torn".to_vec()).await;
    assert!(refused(&rig).await.contains("differs"));
}

#[tokio::test(start_paused = true)]
async fn the_original_is_found_in_a_folder_that_was_taken_from_its_holder() {
    let (rig, manifest) = restored().await;
    let dir = ".filegen/LoanWorker/20261121/t00000007";
    rig.ports.volume.rename(&term(99), dir, &format!("{dir}.dead8")).await.unwrap();
    assert_eq!(rig.generate(&term(9)).await, Ok(Outcome::AlreadyPublished(manifest)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_or_another_proves_nothing() {
    let (rig, _) = restored().await;
    let mut bytes = rig.read("loan1_20261121.csv").await;
    *bytes.last_mut().unwrap() ^= 1;
    put(&rig, "loan1_20261121.csv", bytes).await;
    assert!(refused(&rig).await.contains("another digest"));
    let (rig, _) = restored().await;
    rig.ports.volume.unlink(&term(99), "loan1_20261121.csv").await.unwrap();
    assert!(refused(&rig).await.contains("is not there"));
    let (rig, _) = restored().await;
    rig.ports.volume.unlink(&term(99), "loan1_20261121.csv").await.unwrap();
    rig.ports.volume.make_dir(&term(99), "loan1_20261121.csv").await.unwrap();
    assert!(refused(&rig).await.contains("no regular file"));
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_differs_from_what_was_recorded_changes_no_record() {
    let rig = Rig::new();
    let Ok(Outcome::Published(mut manifest)) = rig.generate(&term(7)).await else { panic!("it is published") };
    manifest.files[0].sha256 = "0".repeat(64);
    put_manifest(&rig, &manifest).await;
    let error = rig.generate(&term(8)).await.expect_err("it is another");
    assert!(error.to_string().contains("the state store recorded"), "{error}");
    let record = rig.ports.state.runs.run(rig.run()).await.unwrap().unwrap();
    assert_eq!(record.status, RunStatus::Published, "what was published stays so");
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_comes_while_a_run_publishes_must_list_its_files() {
    let (made, mut manifest) = restored().await;
    let rig = Rig::new();
    manifest.files[0].rows += 1;
    drop(made);
    let (path, bytes) = (manifest_name(rig.run(), 1), serde_json::to_vec(&manifest).unwrap());
    let hook = Arc::new(Arrives { volume: Arc::clone(&rig.ports.volume), path, bytes });
    let error = rig.generate_hooked(&term(7), hook).await.expect_err("it is not ours");
    assert!(matches!(error, GenerateError::Unproved { .. }), "{error}");
    assert_eq!(rig.ports.state.runs.files(rig.run()).await.unwrap(), []);
}

/// Faults of the code that the tests above find.
const FAULTS: [&str; 1] = ["marker believed"];

#[tokio::test(start_paused = true)]
async fn with_a_planted_fault_a_forged_manifest_is_believed() {
    for fault in FAULTS {
        let (rig, mut manifest) = restored().await;
        manifest.files[1].sha256 = "0".repeat(64);
        put_manifest(&rig, &manifest).await;
        plant(fault);
        let believed = rig.generate(&term(8)).await;
        plant("");
        assert!(believed.is_ok(), "{fault}: {believed:?}");
    }
}

/// The journal of a holder.
async fn journal(rig: &Rig, token: u64) -> Journal {
    Journal::parse(&rig.read(&format!(".filegen/LoanWorker/20261121/t{token:08}/journal.jsonl")).await)
}

#[tokio::test(start_paused = true)]
async fn a_journal_of_every_way_to_read_is_believed_to_its_end() {
    for more in ["", ", count: false", ", fetch: paged", ", fetch: offset"] {
        let (rig, whole) = (Rig::reading(more), Rig::reading(more));
        let Ok(Outcome::Published(_)) = whole.generate(&term(7)).await else { panic!("{more}") };
        let hook = Arc::new(EndsAt { journal_writes: 3, seen: AtomicU64::new(0) });
        rig.generate_hooked(&term(7), hook).await.expect_err("its disk failed");
        let begun = journal(&rig, 7).await;
        assert!(begun.damage.is_none() && begun.last_page().is_some(), "{more}: {:?}", begun.damage);
        let Ok(Outcome::Published(_)) = rig.generate(&term(8)).await else { panic!("{more}") };
        for (journal, terms) in [(journal(&whole, 7).await, 0), (journal(&rig, 8).await, 1)] {
            assert!(journal.damage.is_none() && journal.complete().is_some(), "{more}: {:?}", journal.damage);
            let found = journal.entries.iter().filter(|entry| matches!(entry, Entry::Term { .. })).count();
            assert_eq!((found, journal.last_page().map(|last| last.page)), (terms, Some(3)), "{more}");
        }
        assert_eq!(rig.published().await, whole.published().await, "{more}");
    }
}

/// Fails one write to the journal.
struct EndsAt {
    journal_writes: u64,
    seen: AtomicU64,
}

#[async_trait]
impl Hook for EndsAt {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        if operation == "write"
            && path.ends_with("journal.jsonl")
            && self.seen.fetch_add(1, Ordering::Relaxed) + 1 == self.journal_writes
        {
            return Err(VolumeError::Io {
                operation,
                path: path.to_owned(),
                reason: "as the test wants it".to_owned(),
            });
        }
        Ok(())
    }
}

/// Puts a manifest there just before the run does.
struct Arrives {
    volume: Arc<dyn Volume>,
    path: String,
    bytes: Vec<u8>,
}

#[async_trait]
impl Hook for Arrives {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        if operation == "link" && path == self.path {
            let file = self.volume.create(&term(99), path).await?;
            file.write_at(&term(99), 0, self.bytes.clone()).await.1?;
        }
        Ok(())
    }
}
