//! The probes of `doctor` on the output folder.

use filegen::adapters::disk::Disk;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::doctor::examine_volume;
use filegen::core::ports::source::Verdict;
use filegen::core::ports::volume::Volume;

async fn check(volume: &dyn Volume) {
    let found = examine_volume(volume, "test").await;
    let bad: Vec<_> = found.iter().filter(|found| found.finding.verdict != Verdict::Pass).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let checks: Vec<_> = found.iter().map(|found| found.finding.check.as_str()).collect();
    assert_eq!(checks, ["writable", "write and fsync", "rename", "link", "copy", "fencing"]);
    assert_eq!(volume.list(".filegen").await.unwrap(), [], "the probes clean up");
}

#[tokio::test]
async fn a_sound_volume_passes_and_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    check(&Disk::new(folder.path())).await;
    check(&MemoryVolume::default()).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_fails() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let found = examine_volume(&Disk::new(folder.path().join("file/root")), "test").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding.verdict, Verdict::Fail);
}
