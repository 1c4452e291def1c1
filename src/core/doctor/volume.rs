//! Tries everything that the commit protocol relies on, in a folder of its own below the output folder.

use super::fencing;
use super::report::{Area, Report};
use crate::core::model::finding::Verdict;
use crate::core::model::names::HIDDEN;
use crate::core::model::term::{Term, Token};
use crate::core::ports::volume::{Volume, VolumeError};
use std::sync::Arc;
use std::time::Duration;

/// What the probes write.
pub(super) const TEXT: &[u8] = b"filegen doctor\n";

/// Runs all probes, then removes what they made.
pub(crate) async fn check(volume: &dyn Volume, name: &str, report: &mut Report<'_>) {
    // No lease stands behind a probe: it writes where nothing else does.
    let term = Term::new(Token(0), Duration::MAX, Arc::new(|| Duration::ZERO));
    let probe = Probe { volume, term, dir: format!("{HIDDEN}/.doctor-{name}") };
    if let Err(error) = probe.begin().await {
        report.add(Area::Output, "writable", Verdict::Fail, error.to_string());
        return;
    }
    report.add(Area::Output, "writable", Verdict::Pass, volume.describe());
    judge(report, "write and fsync", "what is written and synced reads back", probe.write_and_sync().await);
    judge(report, "rename", "a folder moves with what is in it", probe.rename().await);
    judge(report, "link", "a link appears at once and never replaces a file", probe.link().await);
    probe.copy(report).await;
    fencing::fencing(&probe, report).await;
    if let Err(error) = probe.clean().await {
        report.add(Area::Output, "clean up", Verdict::Warn, format!("remove `{}` by hand: {error}", probe.dir));
    }
}

fn judge(report: &mut Report<'_>, check: &str, promise: &str, result: Result<bool, VolumeError>) {
    let (verdict, detail) = match result {
        Ok(true) => (Verdict::Pass, promise.to_owned()),
        Ok(false) => (Verdict::Fail, format!("not true here: {promise}; use another file system for output.root")),
        Err(error) => (Verdict::Fail, error.to_string()),
    };
    report.add(Area::Output, check, verdict, detail);
}

/// A folder of the probes' own, and the right to write there.
pub(super) struct Probe<'a> {
    pub(super) volume: &'a dyn Volume,
    pub(super) term: Term,
    dir: String,
}

impl Probe<'_> {
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    async fn begin(&self) -> Result<(), VolumeError> {
        self.volume.make_dirs(&self.term, &self.dir).await?;
        // What a check left that was ended half-way.
        self.empty(&self.dir).await
    }

    pub(super) async fn put(&self, path: &str, text: &[u8]) -> Result<(), VolumeError> {
        let file = self.volume.create(&self.term, path).await?;
        file.write_at(&self.term, 0, text.to_vec()).await.1?;
        file.sync_data(&self.term).await
    }

    pub(super) async fn text(&self, path: &str) -> Result<Vec<u8>, VolumeError> {
        self.volume.open(path).await?.read_at(0, 4096).await
    }

    async fn write_and_sync(&self) -> Result<bool, VolumeError> {
        let path = self.path("written");
        self.put(&path, TEXT).await?;
        self.volume.sync_dir(&self.term, &self.dir).await?;
        Ok(self.text(&path).await? == TEXT)
    }

    async fn rename(&self) -> Result<bool, VolumeError> {
        let (from, to) = (self.path("before"), self.path("after"));
        self.volume.make_dir(&self.term, &from).await?;
        self.put(&format!("{from}/file"), TEXT).await?;
        self.volume.rename(&self.term, &from, &to).await?;
        Ok(self.volume.stat(&from).await?.is_none() && self.text(&format!("{to}/file")).await? == TEXT)
    }

    async fn link(&self) -> Result<bool, VolumeError> {
        let (staged, name) = (self.path("staged"), self.path("published"));
        self.put(&staged, TEXT).await?;
        self.volume.link(&self.term, &staged, &name).await?;
        let other = self.path("other");
        self.put(&other, b"other\n").await?;
        let again = self.volume.link(&self.term, &other, &name).await;
        Ok(matches!(again, Err(VolumeError::Exists { .. })) && self.text(&name).await? == TEXT)
    }

    /// A copy must be complete. Whether it shares blocks only matters for speed.
    async fn copy(&self, report: &mut Report<'_>) {
        let (from, to) = (self.path("whole"), self.path("part"));
        let copied = async {
            self.put(&from, TEXT).await?;
            self.put(&to, b"").await?;
            self.volume.copy_prefix(&self.term, &from, &to, 7).await?;
            let whole = self.text(&to).await? == TEXT[..7];
            Ok::<_, VolumeError>((whole, self.volume.shares_blocks(&self.term, &from, &to).await?))
        };
        let (verdict, detail) = match copied.await {
            Ok((true, Some(true))) => (Verdict::Pass, "by reflink: a takeover copies nothing".to_owned()),
            Ok((true, Some(false))) => {
                (Verdict::Pass, "by the kernel, without reflink: a takeover copies all committed bytes".to_owned())
            }
            Ok((true, None)) => (Verdict::Pass, "copies are whole".to_owned()),
            Ok((false, _)) => (Verdict::Fail, "a copy is not what was copied; use another file system".to_owned()),
            Err(error) => (Verdict::Fail, error.to_string()),
        };
        report.add(Area::Output, "copy", verdict, detail);
    }

    async fn clean(&self) -> Result<(), VolumeError> {
        self.empty(&self.dir).await?;
        self.volume.remove_dir(&self.term, &self.dir).await
    }

    /// Removes what the probes made: files, and folders one level deep.
    async fn empty(&self, dir: &str) -> Result<(), VolumeError> {
        for entry in self.volume.list(dir).await? {
            let path = format!("{dir}/{}", entry.name);
            if self.volume.unlink(&self.term, &path).await.is_ok() {
                continue;
            }
            for inner in self.volume.list(&path).await? {
                self.volume.unlink(&self.term, &format!("{path}/{}", inner.name)).await?;
            }
            self.volume.remove_dir(&self.term, &path).await?;
        }
        Ok(())
    }
}
