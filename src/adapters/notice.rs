//! Folders of this host that tell of changes, where their file system does.

use crate::files;
use rustix::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::io::unix::AsyncFd;

/// Most folders that are watched: a kernel has so many watches for a user, or few more.
const FOLDERS_MAX: usize = 1000;

/// Folders, watched from the first wait on.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// `None` inside where the system gives none.
    handle: OnceLock<Option<AsyncFd<OwnedFd>>>,
    folders: Mutex<Vec<PathBuf>>,
}

impl Notices {
    /// Folders that are to be watched too.
    pub(super) fn add(&self, folders: impl IntoIterator<Item = PathBuf>) {
        let mut known = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in folders {
            if known.len() >= FOLDERS_MAX || known.contains(&folder) {
                continue;
            }
            if let Some(Some(handle)) = self.handle.get() {
                watch(handle.get_ref(), &folder);
            }
            known.push(folder);
        }
    }

    /// Answers when something changed since the last answer, and at once at the first call. Never where nothing is told.
    pub(super) async fn changed(&self) {
        if self.handle.get().is_none() {
            self.begin();
            // What came before the watch began is seen by another look.
            return;
        }
        match self.handle.get() {
            Some(Some(handle)) => match handle.readable().await {
                Ok(mut ready) => {
                    files::drain(handle.get_ref());
                    ready.clear_ready();
                }
                Err(_) => std::future::pending().await,
            },
            _ => std::future::pending().await,
        }
    }

    fn begin(&self) {
        #[expect(deprecated, reason = "`register` is unsafe; an `OwnedFd` is one descriptor for life, as it asks for")]
        let handle = self.handle.get_or_init(|| files::notices().and_then(AsyncFd::new).ok());
        if let Some(handle) = handle {
            let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            folders.iter().for_each(|folder| watch(handle.get_ref(), folder));
        }
    }
}

/// A folder that cannot be watched is looked at now and then, as all are.
fn watch(handle: &OwnedFd, folder: &Path) {
    let _ = files::watch(handle, folder).is_ok();
}
