//! A directory of this host's file system as a [`Volume`]. Every call runs on a blocking thread; the term is checked
//! there, right before the system call.

mod copy;
mod device;
mod error;
mod file;
mod permissions;

pub use file::DiskFile;

use crate::core::model::permissions::Permissions;
use crate::core::model::term::Term;
use crate::core::ports::volume::{Entry, EntryKind, Volume, VolumeError, VolumeFile};
use crate::files::{self, Beneath, Foreign, Found};
use async_trait::async_trait;
use error::{failed_below, not_made};
use permissions::Keeper;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What making a folder and those above it is called: the root may be among them.
const MAKE_DIRS: &str = "make folder";

/// The output root on a local or mounted file system.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
    keeper: Keeper,
}

impl Disk {
    /// A volume under `root`; the folder is made by the first change, not here.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::with(root, Permissions::default())
    }

    /// As [`Disk::new`]; what is published gets these permissions.
    pub fn with(root: impl Into<PathBuf>, permissions: Permissions) -> Self {
        Self { root: root.into(), keeper: Keeper::new(permissions) }
    }

    /// Runs one operation on a blocking thread, under `term` when it changes anything. Each begins at the root's path, so that a
    /// volume that is mounted anew is found again.
    async fn call<T: Send + 'static>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        paths: &[&str],
        run: impl FnOnce(&Beneath) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        self.on(term, operation, paths, move |root| run(&Beneath::of(root)?)).await
    }

    /// As [`Disk::call`], given the root's path. The first of `paths` names the error.
    async fn on<T: Send + 'static>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        paths: &[&str],
        run: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        for path in paths {
            stays_inside(path)?;
        }
        let name = paths.first().copied().unwrap_or_default().to_owned();
        let (root, term) = (self.root.clone(), term.cloned());
        off_thread(move || {
            if let Some(term) = term {
                term.check()?;
            }
            run(&root).map_err(|error| {
                let tell = if operation == MAKE_DIRS { not_made } else { failed_below };
                tell(operation, &root, &name, &error)
            })
        })
        .await
    }
}

/// Refuses a path that could leave the root.
fn stays_inside(path: &str) -> Result<(), VolumeError> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        return Ok(());
    }
    Err(VolumeError::Denied {
        operation: "use",
        path: path.to_owned(),
        reason: "it would leave the output root".to_owned(),
    })
}

/// Runs `work` where it may block. A panic there goes on here.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Makes `path` below `root` and what is missing above it. Every name from the root's on is durable afterwards.
fn make_dirs_durably(root: &Path, path: &str, keeper: &Keeper) -> io::Result<()> {
    let above: Vec<&Path> =
        root.ancestors().take_while(|folder| !files::is_current(folder) && !folder.is_dir()).collect();
    if !above.is_empty() {
        files::make_folders(root)?;
    }
    let root_folder = Beneath::of(root)?;
    if !above.is_empty() {
        keeper.made_dir(&root_folder, "")?;
    }
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    let folders: Vec<&str> = ends.map(|end| &path[..end]).filter(|folder| !folder.is_empty()).collect();
    for folder in &folders {
        match root_folder.make_dir(folder, Keeper::of_new_dir(folder)) {
            Ok(()) => keeper.made_dir(&root_folder, folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = root_folder.stat(folder)?;
                match found.as_entry() {
                    EntryKind::Dir => keeper.found_dir(&root_folder, folder, &found),
                    EntryKind::File => return Err(error),
                    EntryKind::Other => return Err(Foreign::error(folder, found.kind)),
                }
            }
            Err(error) => return Err(error),
        }
    }
    for folder in folders.iter().rev() {
        root_folder.sync_dir(folder.rsplit_once('/').map_or("", |(parent, _)| parent))?;
    }
    files::sync_names(root, root, &above)
}

impl Found {
    fn as_entry(&self) -> EntryKind {
        if self.is_file() {
            EntryKind::File
        } else if self.is_dir() {
            EntryKind::Dir
        } else {
            EntryKind::Other
        }
    }
}

fn entry(name: String, found: &Found) -> Entry {
    Entry { name, kind: found.as_entry(), bytes: if found.is_file() { found.bytes } else { 0 } }
}

#[async_trait]
impl Volume for Disk {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let (place, keeper) = (path.to_owned(), self.keeper.clone());
        self.call(Some(term), "make folder", &[path], move |root| {
            root.make_dir(&place, Keeper::of_new_dir(&place))?;
            keeper.made_dir(root, &place)
        })
        .await
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let (place, keeper) = (path.to_owned(), self.keeper.clone());
        self.on(Some(term), MAKE_DIRS, &[path], move |root| make_dirs_durably(root, &place, &keeper)).await
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let (name, keeper) = (path.to_owned(), self.keeper.clone());
        self.call(Some(term), "create", &[path], move |root| {
            let file = root.create(&name, keeper.of_new_file())?;
            keeper.made_file(root, &name, &file)?;
            Ok(Arc::new(DiskFile::new(file, name)) as Arc<dyn VolumeFile>)
        })
        .await
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let name = path.to_owned();
        self.call(None, "open", &[path], move |root| {
            Ok(Arc::new(DiskFile::new(root.open(&name)?, name)) as Arc<dyn VolumeFile>)
        })
        .await
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        let (source, target) = (from.to_owned(), to.to_owned());
        self.call(Some(term), "copy", &[from, to], move |root| {
            copy::prefix(&root.open(&source)?, &root.open_to_write(&target)?, bytes)
        })
        .await
    }

    async fn shares_blocks(&self, term: &Term, from: &str, to: &str) -> Result<Option<bool>, VolumeError> {
        let (source, target) = (from.to_owned(), to.to_owned());
        self.call(Some(term), "clone", &[from, to], move |root| {
            Ok(Some(copy::clones(&root.open(&source)?, &root.open_to_write(&target)?)))
        })
        .await
    }

    async fn is_one_device(&self, folder: &str) -> Result<Option<bool>, VolumeError> {
        let place = folder.to_owned();
        self.on(None, "look at", &[folder], move |root| device::is_one(root, &root.join(place))).await
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let (origin, target) = (from.to_owned(), to.to_owned());
        self.call(Some(term), "rename", &[from, to], move |root| root.rename(&origin, &target)).await
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let (origin, target) = (from.to_owned(), to.to_owned());
        // The error names the target: that is what may already be there.
        self.call(Some(term), "link", &[to, from], move |root| root.link(&origin, &target)).await
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let place = path.to_owned();
        self.call(Some(term), "remove", &[path], move |root| root.unlink(&place)).await
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let place = path.to_owned();
        self.on(Some(term), "remove folder", &[path], move |root| match place.as_str() {
            // No folder can be removed from its own handle.
            "" | "." => files::remove_folder(root),
            place => Beneath::of(root)?.remove_dir(place),
        })
        .await
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let place = path.to_owned();
        self.call(Some(term), "sync folder", &[path], move |root| root.sync_dir(&place)).await
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let (place, keeper) = (path.to_owned(), self.keeper.clone());
        self.call(Some(term), "make read-only", &[path], move |root| {
            let file = root.open(&place)?;
            Found::set_mode(&file, keeper.of_published(Found::of_file(&file)?.mode))
        })
        .await
    }

    async fn mode(&self, path: &str) -> Result<Option<u32>, VolumeError> {
        let place = path.to_owned();
        self.call(None, "look at", &[path], move |root| Ok(Some(root.stat(&place)?.mode))).await
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        let place = path.to_owned();
        self.call(None, "list", &[path], move |root| root.list(&place))
            .await
            .or_else(|error| if matches!(error, VolumeError::NotFound { .. }) { Ok(Vec::new()) } else { Err(error) })
            .map(|names| {
                let mut entries: Vec<Entry> = names.into_iter().map(|(name, found)| entry(name, &found)).collect();
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                entries
            })
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        let (place, name) = (path.to_owned(), path.rsplit('/').next().unwrap_or(path).to_owned());
        self.call(None, "look at", &[path], move |root| match root.stat(&place) {
            Ok(found) => Ok(Some(entry(name, &found))),
            // A plain file where a folder was expected (a tombstone) has no names below it either.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
            Err(error) => Err(error),
        })
        .await
        .or_else(|error| if matches!(error, VolumeError::NotFound { .. }) { Ok(None) } else { Err(error) })
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.on(None, "look at", &[""], |root| {
            let there = root.ancestors().find(|folder| folder.exists()).unwrap_or(root);
            let stat = Beneath::of(there)?.statvfs()?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        })
        .await
    }
}
