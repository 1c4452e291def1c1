//! A directory of this host's file system as a [`Volume`]. Every call runs on a blocking thread; the term is checked
//! there, right before the system call.

mod copy;
mod error;
mod file;

pub use file::DiskFile;

use crate::adapters::folders;
use crate::core::model::term::Term;
use crate::core::ports::volume::{Entry, EntryKind, Volume, VolumeError, VolumeFile};
use async_trait::async_trait;
use error::failed;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The output root on a local or mounted file system.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// A volume under `root`; the folder is made by the first change, not here.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The path on this host; refuses what could leave the root.
    fn place(&self, path: &str) -> Result<PathBuf, VolumeError> {
        let relative = Path::new(path);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if inside {
            Ok(self.root.join(relative))
        } else {
            Err(VolumeError::Denied {
                operation: "use",
                path: path.to_owned(),
                reason: "it would leave the output root".to_owned(),
            })
        }
    }

    /// Runs one system call on a blocking thread, under `term` when it changes anything.
    async fn call<T: Send + 'static>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        path: &str,
        run: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        let place = self.place(path)?;
        let name = path.to_owned();
        let term = term.cloned();
        off_thread(move || {
            if let Some(term) = term {
                term.check()?;
            }
            run(&place).map_err(|error| failed(operation, &name, &error))
        })
        .await
    }
}

/// Runs `work` where it may block. A panic there goes on here.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Makes `folder` and what is missing above it. Every name from the root's on is durable afterwards.
fn make_dirs_durably(root: &Path, folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|folder| !folders::is_current(folder) && !folder.is_dir()).collect();
    for folder in missing.iter().rev() {
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made?,
        }
    }
    folders::sync_names(root, folder, &missing)
}

fn entry(name: String, metadata: &fs::Metadata) -> Entry {
    let kind = if metadata.is_file() {
        EntryKind::File
    } else if metadata.is_dir() {
        EntryKind::Dir
    } else {
        EntryKind::Other
    };
    Entry { name, kind, bytes: if metadata.is_file() { metadata.len() } else { 0 } }
}

#[async_trait]
impl Volume for Disk {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "make folder", path, |place| fs::create_dir(place)).await
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let root = self.root.clone();
        self.call(Some(term), "make folder", path, move |folder| make_dirs_durably(&root, folder)).await
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let name = path.to_owned();
        self.call(Some(term), "create", path, move |place| {
            let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(place)?;
            Ok(Arc::new(DiskFile::new(file, name)) as Arc<dyn VolumeFile>)
        })
        .await
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let name = path.to_owned();
        self.call(None, "open", path, move |place| {
            Ok(Arc::new(DiskFile::new(fs::File::open(place)?, name)) as Arc<dyn VolumeFile>)
        })
        .await
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        let target = self.place(to)?;
        self.call(Some(term), "copy", from, move |place| copy::prefix(place, &target, bytes)).await
    }

    async fn shares_blocks(&self, term: &Term, from: &str, to: &str) -> Result<Option<bool>, VolumeError> {
        let target = self.place(to)?;
        self.call(Some(term), "clone", from, move |place| copy::clones(place, &target).map(Some)).await
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let target = self.place(to)?;
        self.call(Some(term), "rename", from, move |place| fs::rename(place, target)).await
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let origin = self.place(from)?;
        // The error names the target: that is what may already be there.
        self.call(Some(term), "link", to, move |place| fs::hard_link(origin, place)).await
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "remove", path, |place| fs::remove_file(place)).await
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "remove folder", path, |place| fs::remove_dir(place)).await
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "sync folder", path, folders::sync).await
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "make read-only", path, |place| {
            let mut permissions = fs::metadata(place)?.permissions();
            permissions.set_mode(permissions.mode() & !0o222);
            fs::set_permissions(place, permissions)
        })
        .await
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.call(None, "list", path, |place| {
            let names = match fs::read_dir(place) {
                Ok(names) => names,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let mut entries = Vec::new();
            for name in names {
                let name = name?;
                match name.metadata() {
                    Ok(metadata) => entries.push(entry(name.file_name().to_string_lossy().into_owned(), &metadata)),
                    // Gone between the listing and the look.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(entries)
        })
        .await
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        self.call(None, "look at", path, |place| match fs::symlink_metadata(place) {
            Ok(metadata) => Ok(Some(entry(name, &metadata))),
            // A plain file where a folder was expected (a tombstone) has no names below it either.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.call(None, "look at", "", |place| {
            let there = place.ancestors().find(|folder| folder.exists()).unwrap_or(place);
            let stat = rustix::fs::statvfs(there)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        })
        .await
    }
}
