//! The probes of `doctor` on the output folder, and on volumes that must not be used.

use async_trait::async_trait;
use filegen::adapters::disk::Disk;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::doctor::report::{CheckResult, Report};
use filegen::core::doctor::volume;
use filegen::core::model::finding::CheckVerdict;
use filegen::core::model::term::Term;
use filegen::core::ports::volume::{Entry, Volume, VolumeError, VolumeFile};
use std::sync::{Arc, Mutex, Weak};

/// What the probes find on a volume.
async fn found(volume: &dyn Volume) -> Vec<CheckResult> {
    let mut report = Report::new(&|_| {});
    volume::check(volume, "test", &mut report).await;
    report.found
}

async fn check(volume: &dyn Volume) {
    let found = found(volume).await;
    let bad: Vec<_> = found.iter().filter(|found| found.finding.verdict != CheckVerdict::Pass).collect();
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
    let found = found(&Disk::new(folder.path().join("file/root"))).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].finding.verdict, CheckVerdict::Fail);
}

/// What is wrong with a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// A copy shares its bytes with what it was copied from.
    CopyIsTheSame,
    /// A folder takes the place of a plain file.
    MkdirReplaces,
    /// A name below a plain file can be made.
    CreateBelowFile,
    /// A link to what is not there appears all the same.
    LinkFromNowhere,
    /// An open file keeps its folder, as one NFS client does it.
    OpenFileStays,
    /// A folder in which a file was ever made is never removed.
    FolderStays,
}

/// A volume in memory, but for one fault.
struct Faulty {
    inner: MemoryVolume,
    fault: Fault,
    made: Mutex<Vec<Weak<dyn VolumeFile>>>,
}

impl Faulty {
    /// Whether any file below the old holder's folder is still open.
    fn any_open(&self) -> bool {
        self.made.lock().unwrap().iter().any(|file| file.strong_count() > 0)
    }
}

#[async_trait]
impl Volume for Faulty {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let made = self.inner.make_dir(term, path).await;
        if made.is_err() && self.fault == Fault::MkdirReplaces && self.inner.unlink(term, path).await.is_ok() {
            return self.inner.make_dir(term, path).await;
        }
        made
    }
    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.inner.make_dirs(term, path).await
    }
    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let made = match self.inner.create(term, path).await {
            Err(_) if self.fault == Fault::CreateBelowFile => {
                self.inner.create(term, &format!("{path}-elsewhere").replace("t1/", "")).await
            }
            made => made,
        }?;
        if path.ends_with("/t1/file") {
            self.made.lock().unwrap().push(Arc::downgrade(&made));
        }
        Ok(made)
    }
    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.inner.open(path).await
    }
    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        if self.fault == Fault::CopyIsTheSame && from.contains("t1") {
            self.inner.unlink(term, to).await?;
            return self.inner.link(term, from, to).await;
        }
        self.inner.copy_prefix(term, from, to, bytes).await
    }
    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.inner.rename(term, from, to).await
    }
    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        match self.inner.link(term, from, to).await {
            Err(_) if self.fault == Fault::LinkFromNowhere && from.contains("t1/") => {
                self.inner.create(term, to).await.map(drop)
            }
            linked => linked,
        }
    }
    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.inner.unlink(term, path).await
    }
    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let stays = match self.fault {
            Fault::OpenFileStays => self.any_open(),
            Fault::FolderStays => true,
            _ => false,
        };
        if stays && path.contains("/t1.") {
            return Err(VolumeError::NotEmpty { path: path.to_owned() });
        }
        self.inner.remove_dir(term, path).await
    }
    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.inner.sync_dir(term, path).await
    }
    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.inner.make_read_only(term, path).await
    }
    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.inner.list(path).await
    }
    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        self.inner.stat(path).await
    }
    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.inner.free_bytes().await
    }
}

/// How the fencing probe ends on a volume with this fault.
async fn fencing(fault: Fault) -> (CheckVerdict, String) {
    let volume = Faulty { inner: MemoryVolume::default(), fault, made: Mutex::default() };
    let found = found(&volume).await;
    let found = found.into_iter().find(|found| found.finding.check == "fencing").expect("it was tried");
    (found.finding.verdict, found.finding.detail)
}

#[tokio::test]
async fn a_volume_on_which_an_old_holder_gets_through_is_refused_and_how_is_said() {
    for (fault, told) in [
        (Fault::CopyIsTheSame, "its open file is the published one"),
        (Fault::MkdirReplaces, "a late mkdir replaces the tombstone"),
        (Fault::CreateBelowFile, "a late create succeeds"),
        (Fault::LinkFromNowhere, "a late link succeeds"),
        (Fault::FolderStays, "cannot be removed"),
    ] {
        let (verdict, detail) = fencing(fault).await;
        assert_eq!(verdict, CheckVerdict::Fail, "{fault:?}: {detail}");
        assert!(detail.contains(told) && detail.contains("use another file system"), "{fault:?}: {detail}");
    }
}

#[tokio::test]
async fn a_volume_that_keeps_a_folder_while_a_file_in_it_is_open_passes_and_that_is_said() {
    let (verdict, detail) = fencing(Fault::OpenFileStays).await;
    assert_eq!(verdict, CheckVerdict::Pass, "{detail}");
    assert!(detail.contains("as NFS does") && detail.contains("only two hosts can show"), "{detail}");
}
