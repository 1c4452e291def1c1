//! What the checks of a volume share: a folder of their own below the output folder, and what is done in it.

use crate::core::model::names::HIDDEN;
use crate::core::model::term::{Term, Token};
use crate::core::ports::volume::{Volume, VolumeError};
use std::sync::Arc;
use std::time::Duration;

/// What the probes write.
pub(super) const TEXT: &[u8] = b"filegen doctor\n";

/// A folder of the probes' own, and the right to write there.
pub(super) struct Probe<'a> {
    pub(super) volume: &'a dyn Volume,
    pub(super) term: Term,
    pub(super) dir: String,
}

impl<'a> Probe<'a> {
    /// A folder named after `name`. No lease stands behind a probe: it writes where nothing else does.
    pub(super) fn new(volume: &'a dyn Volume, name: &str) -> Self {
        let term = Term::new(Token(0), Duration::MAX, Arc::new(|| Duration::ZERO));
        Self { volume, term, dir: format!("{HIDDEN}/.doctor-{name}") }
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    pub(super) async fn begin(&self) -> Result<(), VolumeError> {
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

    pub(super) async fn clean(&self) -> Result<(), VolumeError> {
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
