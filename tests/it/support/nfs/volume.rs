//! A volume whose every operation goes to an NFS server: each path is looked up anew, each open file is a handle.

use super::{Handle, Nfs};
use async_trait::async_trait;
use filegen::core::model::term::Term;
use filegen::core::ports::volume::{Entry, EntryKind, Volume, VolumeError, VolumeFile};
use std::io;
use std::sync::Arc;

/// A folder of an export.
pub struct NfsVolume {
    pub nfs: Arc<Nfs>,
    pub root: String,
}

struct NfsFile {
    nfs: Arc<Nfs>,
    handle: Handle,
    path: String,
}

fn failed(operation: &'static str, path: &str, error: &io::Error) -> VolumeError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::AlreadyExists => VolumeError::Exists { path },
        io::ErrorKind::NotFound => VolumeError::NotFound { path },
        io::ErrorKind::DirectoryNotEmpty => VolumeError::NotEmpty { path },
        _ => VolumeError::Io { operation, path, reason },
    }
}

impl NfsVolume {
    fn call<T>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        path: &str,
        run: impl FnOnce(&Nfs) -> io::Result<T>,
    ) -> Result<T, VolumeError> {
        if let Some(term) = term {
            term.check()?;
        }
        run(&self.nfs).map_err(|error| failed(operation, path, &error))
    }

    fn full(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    /// A path's folder, and its last part.
    fn place(&self, path: &str) -> io::Result<(Handle, String)> {
        let path = self.full(path);
        let (folder, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &path));
        Ok((self.nfs.resolve(folder)?, name.to_owned()))
    }

    fn file(&self, handle: Handle, path: &str) -> Arc<dyn VolumeFile> {
        Arc::new(NfsFile { nfs: Arc::clone(&self.nfs), handle, path: path.to_owned() })
    }
}

#[async_trait]
impl Volume for NfsVolume {
    fn describe(&self) -> String {
        format!("NFS {}", self.root)
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "make folder", path, |nfs| {
            let (folder, name) = self.place(path)?;
            nfs.make_dir(&folder, &name).map(drop)
        })
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "make folders", path, |nfs| {
            let mut at = nfs.root.clone();
            for part in self.full(path).split('/').filter(|part| !part.is_empty()) {
                at = match nfs.make_dir(&at, part) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => nfs.lookup(&at, part)?,
                    made => made?,
                };
            }
            Ok(())
        })
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let handle = self.call(Some(term), "create", path, |nfs| {
            let (folder, name) = self.place(path)?;
            nfs.create(&folder, &name)
        })?;
        Ok(self.file(handle, path))
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let handle = self.call(None, "open", path, |nfs| nfs.resolve(&self.full(path)))?;
        Ok(self.file(handle, path))
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        self.call(Some(term), "copy", from, |nfs| {
            let (source, target) = (nfs.resolve(&self.full(from))?, nfs.resolve(&self.full(to))?);
            let length = u32::try_from(bytes.min(1 << 20)).unwrap_or(u32::MAX);
            nfs.write(&target, 0, &nfs.read(&source, 0, length)?)
        })
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "rename", from, |nfs| {
            let ((folder, name), (target, new)) = (self.place(from)?, self.place(to)?);
            nfs.rename(&folder, &name, &target, &new)
        })
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "link", to, |nfs| {
            let (folder, name) = self.place(to)?;
            nfs.link(&nfs.resolve(&self.full(from))?, &folder, &name)
        })
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "remove", path, |nfs| {
            let (folder, name) = self.place(path)?;
            nfs.remove(&folder, &name)
        })
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "remove folder", path, |nfs| {
            let (folder, name) = self.place(path)?;
            nfs.remove_dir(&folder, &name)
        })
    }

    /// The server has made names durable before it answered.
    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.call(Some(term), "sync folder", path, |nfs| nfs.resolve(&self.full(path)).map(drop))
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let set = |nfs: &Nfs| nfs.set(&nfs.resolve(&self.full(path))?, Some(0o444), None);
        self.call(Some(term), "make read-only", path, set)
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        let found = self.call(None, "list", path, |nfs| nfs.list(&nfs.resolve(&self.full(path))?));
        let found = match found {
            Err(VolumeError::NotFound { .. }) => Vec::new(),
            found => found?,
        };
        let entry = |one: super::Found| {
            let kind = if one.is_dir { EntryKind::Dir } else { EntryKind::File };
            Entry { name: one.name, kind, bytes: if one.is_dir { 0 } else { one.bytes } }
        };
        Ok(found.into_iter().map(entry).collect())
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let around = match self.list(folder).await {
            Err(VolumeError::Io { .. }) => Vec::new(),
            around => around?,
        };
        Ok(around.into_iter().find(|entry| entry.name == name))
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        Ok(u64::MAX)
    }
}

impl NfsFile {
    fn call<T>(
        &self,
        term: Option<&Term>,
        operation: &'static str,
        run: impl FnOnce(&Nfs) -> io::Result<T>,
    ) -> Result<T, VolumeError> {
        if let Some(term) = term {
            term.check()?;
        }
        run(&self.nfs).map_err(|error| failed(operation, &self.path, &error))
    }
}

#[async_trait]
impl VolumeFile for NfsFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        let written = self.call(Some(term), "write", |nfs| nfs.write(&self.handle, offset, &buffer));
        (buffer, written)
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        self.call(Some(term), "sync", |nfs| nfs.commit(&self.handle))
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        // The tests' files are small enough for one answer.
        let length = u32::try_from(len.min(1 << 20)).unwrap_or(u32::MAX);
        self.call(None, "read", |nfs| nfs.read(&self.handle, offset, length))
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        self.call(None, "look at", |nfs| nfs.look(&self.handle).map(|(_, bytes)| bytes))
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        self.call(Some(term), "cut", |nfs| nfs.set(&self.handle, None, Some(bytes)))
    }
}
