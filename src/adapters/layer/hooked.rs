//! A volume with something between it and whoever changes it.

use crate::core::model::term::Term;
use crate::core::ports::volume::{Entry, Volume, VolumeError, VolumeFile};
use async_trait::async_trait;
use std::sync::Arc;

/// A change that is about to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// What is done: `make folder`, `create`, `copy`, `rename`, `link`, `unlink`, `remove folder`, `sync folder`,
    /// `make read-only`; to a file `write`, `sync` or `cut`.
    pub operation: &'static str,
    /// To what: the new name of a copy or link, the old one of a rename.
    pub path: &'a str,
    /// Where in the file a write begins; 0 for all else.
    pub offset: u64,
}

/// Sees each change before it is made, and may refuse it.
#[async_trait]
pub trait Hook: Send + Sync {
    /// Called before each change, which waits for the answer; an error is the change's.
    async fn before(&self, change: Change<'_>) -> Result<(), VolumeError>;
}

/// A volume with a hook. Looking passes by it.
#[derive(Clone)]
pub struct Hooked {
    /// What is changed.
    pub volume: Arc<dyn Volume>,
    /// What stands before it.
    pub hook: Arc<dyn Hook>,
}

impl Hooked {
    async fn before(&self, operation: &'static str, path: &str) -> Result<(), VolumeError> {
        self.hook.before(Change { operation, path, offset: 0 }).await
    }
}

impl HookedFile {
    async fn before(&self, operation: &'static str, offset: u64) -> Result<(), VolumeError> {
        self.hook.before(Change { operation, path: &self.path, offset }).await
    }
}

struct HookedFile {
    file: Arc<dyn VolumeFile>,
    path: String,
    hook: Arc<dyn Hook>,
}

#[async_trait]
impl Volume for Hooked {
    fn describe(&self) -> String {
        self.volume.describe()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("make folder", path).await?;
        self.volume.make_dir(term, path).await
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("make folder", path).await?;
        self.volume.make_dirs(term, path).await
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.before("create", path).await?;
        let file = self.volume.create(term, path).await?;
        Ok(Arc::new(HookedFile { file, path: path.to_owned(), hook: Arc::clone(&self.hook) }))
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.volume.open(path).await
    }

    async fn is_one_device(&self, folder: &str) -> Result<Option<bool>, VolumeError> {
        self.volume.is_one_device(folder).await
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        self.before("copy", to).await?;
        self.volume.copy_prefix(term, from, to, bytes).await
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.before("rename", from).await?;
        self.volume.rename(term, from, to).await
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.before("link", to).await?;
        self.volume.link(term, from, to).await
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("unlink", path).await?;
        self.volume.unlink(term, path).await
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("remove folder", path).await?;
        self.volume.remove_dir(term, path).await
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("sync folder", path).await?;
        self.volume.sync_dir(term, path).await
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.before("make read-only", path).await?;
        self.volume.make_read_only(term, path).await
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.volume.list(path).await
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        self.volume.stat(path).await
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.volume.free_bytes().await
    }
}

#[async_trait]
impl VolumeFile for HookedFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        match self.before("write", offset).await {
            Ok(()) => self.file.write_at(term, offset, buffer).await,
            Err(error) => (buffer, Err(error)),
        }
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        self.before("sync", 0).await?;
        self.file.sync_data(term).await
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        self.file.read_at(offset, len).await
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        self.file.size().await
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        self.before("cut", 0).await?;
        self.file.set_size(term, bytes).await
    }
}
