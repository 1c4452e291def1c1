//! A folder of this host that files are delivered to.
//!
//! A file grows under a temporary name in the folder where it will stay, and gets its final one by `link`, which replaces nothing. The
//! process that writes keeps a lock on it; so a stopped one that goes on later still writes to its own file, and to nobody else's.

use super::apart::apart;
use crate::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use crate::files::{self, Beneath, Foreign, Found, copy_digested};
use async_trait::async_trait;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Permissions of a file until it is whole.
const PRIVATE: u32 = 0o600;

/// A folder of this host. Each call runs on a thread of its own.
#[derive(Clone, Debug)]
pub struct LocalTarget {
    directory: Arc<PathBuf>,
    mode: u32,
    folder_mode: u32,
}

impl LocalTarget {
    /// The folder at `directory`, made where it is missing. Files get the permissions `mode`, folders `folder_mode` less the umask.
    pub fn new(directory: &Path, mode: u32, folder_mode: u32) -> Self {
        Self { directory: Arc::new(directory.to_owned()), mode, folder_mode }
    }

    /// Whether a name that a file has is refused to another.
    async fn named_once(&self, name: &str) -> Result<(), TargetError> {
        let (mut other, _) = self
            .part("", PartName { id: &format!("{name}-2"), writer: "", former: &[], whole: None, upload: None }, 0)
            .await?;
        let again = other.publish(name, Naming::New).await;
        if !matches!(again, Ok(true)) {
            other.discard().await?;
        }
        if again? {
            let reason = "the file system replaced a file that has the name".to_owned();
            return Err(TargetError::NoLinks { target: self.describe(), reason });
        }
        Ok(())
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, Beneath) -> Result<T, TargetError> + Send + 'static,
    ) -> Result<T, TargetError> {
        let own = self.clone();
        apart(move || {
            let root = files::folder_made(&own.directory, own.folder_mode).map_err(|error| {
                let (target, reason) = (own.directory.display().to_string(), error.to_string());
                TargetError::Unusable { target, reason }
            })?;
            work(&own, root)
        })
        .await
    }
}

#[async_trait]
impl FileTarget for LocalTarget {
    fn describe(&self) -> String {
        self.directory.display().to_string()
    }

    async fn probe(&self, name: &str) -> Result<(), TargetError> {
        const TEXT: &[u8] = b"probe";
        let name = format!(".filegen-{name}.probe");
        let (mut part, _) =
            self.part("", PartName { id: &name, writer: "", former: &[], whole: None, upload: None }, 0).await?;
        part.append(TEXT.to_vec()).await?;
        let named = match part.publish(&name, Naming::New).await {
            Ok(true) => self.named_once(&name).await,
            Ok(false) => Err(TargetError::Failed { path: name.clone(), reason: "the name is taken".to_owned() }),
            Err(error) => {
                part.discard().await?;
                return Err(error);
            }
        };
        self.with(move |_, root| {
            let gone = root.unlink(&name).and_then(|()| root.sync_dir(""));
            gone.map_err(|error| failed(&name, &error))
        })
        .await?;
        named
    }

    async fn room(&self) -> Result<Option<Room>, TargetError> {
        self.with(|own, root| {
            let room = root.statvfs().map_err(|error| failed(&own.describe(), &error))?;
            let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
            Ok(Some(Room { free: bytes(room.f_bavail), all: bytes(room.f_blocks) }))
        })
        .await
    }

    async fn part(
        &self,
        folder: &str,
        name: PartName<'_>,
        keep: u64,
    ) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        // A lock on the file is what keeps it for a process.
        let (folder, id) = (folder.to_owned(), name.id.to_owned());
        let part = self.with(move |own, root| {
            let name = format!(".filegen-{id}.part");
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let opened = open(&root, &folder, &path, own.folder_mode).and_then(|file| {
                let there = Found::of_file(&file.0)?.bytes.min(keep);
                file.0.set_len(there)?;
                Ok((file, there))
            });
            let (file, there) = opened.map_err(|error| failed(&path, &error))?;
            Ok((Part { target: own.clone(), root: Arc::new(root), path, file: Arc::new(file), end: there }, there))
        });
        let (part, there) = part.await?;
        Ok((Box::new(part), there))
    }

    async fn remove(&self, path: &str) -> Result<(), TargetError> {
        let path = path.to_owned();
        self.with(move |_, root| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            match root.unlink(&path).and_then(|()| root.sync_dir(folder)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path, &error)),
                Ok(()) | Err(_) => Ok(()),
            }
        })
        .await
    }

    async fn keep_name(&self, path: &str) -> Result<(), TargetError> {
        let path = path.to_owned();
        self.with(move |_, root| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let kept = root.open(&path).and_then(|file| file.sync_all()).and_then(|()| root.sync_dir(folder));
            kept.map_err(|error| failed(&path, &error))
        })
        .await
    }

    async fn find(&self, path: &str, size: u64) -> Result<Option<Arrived>, TargetError> {
        let path = path.to_owned();
        self.with(move |_, root| match root.open(&path).and_then(|file| arrived(file, size)) {
            Ok(arrived) => Ok(Some(arrived)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        })
        .await
    }
}

/// The part file at `path`, kept for this process. One that another process keeps is left to it: it loses its name.
fn open(root: &Beneath, folder: &str, path: &str, folder_mode: u32) -> io::Result<Kept> {
    root.make_dirs(folder, folder_mode)?;
    let file = root.open_or_create(path, PRIVATE)?;
    if files::keep(&file)? {
        return Ok(Kept(file));
    }
    root.unlink_own(&file, path)?;
    let file = root.create(path, PRIVATE)?;
    files::keep(&file)?;
    Ok(Kept(file))
}

/// A file that this process keeps until nobody here has it any more. It is let go by name: a child process that is just being started has
/// a copy of each open file for a moment, and would keep it on.
struct Kept(File);

impl Drop for Kept {
    fn drop(&mut self) {
        files::let_go(&self.0);
    }
}

/// Reads a file that has this size: what another one claims costs nothing.
fn arrived(mut file: File, size: u64) -> io::Result<Arrived> {
    let found = Found::of_file(&file)?.bytes;
    if found != size {
        return Ok(Arrived { size: found, sha256: None });
    }
    let (size, sha256) = copy_digested(&mut file, &mut io::sink())?;
    Ok(Arrived { size, sha256: Some(sha256) })
}

struct Part {
    target: LocalTarget,
    root: Arc<Beneath>,
    path: String,
    file: Arc<Kept>,
    end: u64,
}

impl Part {
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Beneath, &File, &str) -> io::Result<T> + Send + 'static,
    ) -> Result<T, TargetError> {
        let (root, file, path) = (Arc::clone(&self.root), Arc::clone(&self.file), self.path.clone());
        apart(move || work(&root, &file.0, &path).map_err(|error| failed(&path, &error))).await
    }
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, TargetError> {
        self.work(move |_, file, _| {
            let mut bytes = vec![0; most];
            let count = file.read_at(&mut bytes, offset)?;
            bytes.truncate(count);
            Ok(bytes)
        })
        .await
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        let (end, length) = (self.end, bytes.len() as u64);
        self.work(move |_, file, _| file.write_all_at(&bytes, end)).await?;
        self.end += length;
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), TargetError> {
        self.work(|_, file, _| file.sync_data()).await
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Result<bool, TargetError> {
        let (target, path) = (self.target.clone(), path.to_owned());
        let (root, file, own) = (Arc::clone(&self.root), Arc::clone(&self.file), self.path.clone());
        apart(move || {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let give = || {
                Found::set_mode(&file.0, target.mode)?;
                file.0.sync_all()?;
                match naming {
                    Naming::New => root.publish_new(&file.0, &own, &path)?,
                    Naming::Replace => root.publish_over(&file.0, &own, &path)?,
                }
                root.sync_dir(folder)
            };
            match give() {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => {
                    Err(TargetError::NoLinks { target: target.describe(), reason: error.to_string() })
                }
                Err(error) => Err(failed(&path, &error)),
            }
        })
        .await
    }

    async fn discard(&mut self) -> Result<(), TargetError> {
        self.work(Beneath::unlink_own).await
    }
}

/// What the system says of a path at the target.
fn failed(path: &str, error: &io::Error) -> TargetError {
    let path = path.to_owned();
    if let Some(foreign) = Foreign::of(error) {
        return TargetError::Foreign { path: foreign.path.clone(), what: foreign.what.to_owned() };
    }
    let reason = error.to_string();
    match Errno::from_io_error(error) {
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => TargetError::Denied { path },
        Some(Errno::NOSPC | Errno::DQUOT) => TargetError::Full { reason },
        Some(Errno::NAMETOOLONG | Errno::ILSEQ | Errno::FBIG) => TargetError::Name { path, reason },
        Some(Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::XDEV) => {
            TargetError::Foreign { path, what: "not what its name needs".to_owned() }
        }
        _ => TargetError::Failed { path, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_keeps_no_file_once_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let root = Beneath::of(folder.path()).unwrap();
        let again = || open(&root, "", "a", 0o750).unwrap();
        let kept = again();
        kept.0.write_all_at(b"half", 0).unwrap();
        // As a child process has it between its beginning and its program.
        let _copy = kept.0.try_clone().unwrap();
        drop(kept);
        assert_eq!(Found::of_file(&again().0).unwrap().bytes, 4, "it goes on");
        let _held = again();
        assert_eq!(Found::of_file(&again().0).unwrap().bytes, 0, "while somebody has it, another one begins anew");
    }
}
