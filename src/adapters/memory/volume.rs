//! A directory tree in memory: names, inodes and open files as a local file system has them. Everything is durable at once.

use crate::core::model::term::Term;
use crate::core::ports::volume::{Entry, EntryKind, Volume, VolumeError, VolumeFile};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A volume that lives as long as this value or a clone of it.
#[derive(Clone, Debug, Default)]
pub struct MemoryVolume {
    names: Arc<Mutex<BTreeMap<String, Node>>>,
}

#[derive(Clone, Debug)]
enum Node {
    File(Arc<Mutex<Inode>>),
    Dir,
}

/// A file's content, shared by its names and open files. Permissions are not kept: no operation opens an existing
/// file for writing.
#[derive(Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Names = BTreeMap<String, Node>;

/// The path without trailing or doubled slashes; the root is the empty text.
fn clean(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_dir(names: &Names, path: &str) -> bool {
    path.is_empty() || matches!(names.get(path), Some(Node::Dir))
}

fn not_found(path: &str) -> VolumeError {
    VolumeError::NotFound { path: path.to_owned() }
}

/// A name may be made where its folder is and nothing else has it.
fn free(names: &Names, path: &str) -> Result<(), VolumeError> {
    if names.contains_key(path) {
        return Err(VolumeError::Exists { path: path.to_owned() });
    }
    if is_dir(names, parent(path)) { Ok(()) } else { Err(not_found(path)) }
}

fn children<'a>(names: &'a Names, path: &str) -> impl Iterator<Item = (&'a String, &'a Node)> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    names.iter().filter(move |(name, _)| {
        name.strip_prefix(prefix.as_str()).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
    })
}

fn entry(path: &str, node: &Node) -> Entry {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    match node {
        Node::Dir => Entry { name, kind: EntryKind::Dir, bytes: 0 },
        Node::File(inode) => Entry { name, kind: EntryKind::File, bytes: locked(inode).bytes.len() as u64 },
    }
}

impl MemoryVolume {
    fn change<T>(
        &self,
        term: &Term,
        path: &str,
        run: impl FnOnce(&mut Names, &str) -> Result<T, VolumeError>,
    ) -> Result<T, VolumeError> {
        term.check()?;
        run(&mut locked(&self.names), &clean(path))
    }

    fn file(&self, path: &str) -> Result<Arc<Mutex<Inode>>, VolumeError> {
        match locked(&self.names).get(&clean(path)) {
            Some(Node::File(inode)) => Ok(Arc::clone(inode)),
            Some(Node::Dir) => Err(VolumeError::Foreign { path: path.to_owned(), what: "a folder" }),
            None => Err(not_found(path)),
        }
    }
}

#[async_trait]
impl Volume for MemoryVolume {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.change(term, path, |names, path| {
            free(names, path)?;
            names.insert(path.to_owned(), Node::Dir);
            Ok(())
        })
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.change(term, path, |names, path| {
            let mut so_far = String::new();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                if !so_far.is_empty() {
                    so_far.push('/');
                }
                so_far.push_str(part);
                match names.get(&so_far) {
                    None => {
                        names.insert(so_far.clone(), Node::Dir);
                    }
                    Some(Node::Dir) => {}
                    Some(Node::File(_)) => return Err(VolumeError::Exists { path: so_far }),
                }
            }
            Ok(())
        })
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.change(term, path, |names, path| {
            free(names, path)?;
            let inode = Arc::new(Mutex::new(Inode::default()));
            names.insert(path.to_owned(), Node::File(Arc::clone(&inode)));
            Ok(Arc::new(MemoryFile { inode, path: path.to_owned(), writable: true }) as Arc<dyn VolumeFile>)
        })
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        Ok(Arc::new(MemoryFile { inode: self.file(path)?, path: path.to_owned(), writable: false }))
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        term.check()?;
        let source = locked(&*self.file(from)?).bytes.clone();
        let length = source.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
        locked(&*self.file(to)?).bytes = source[..length].to_vec();
        Ok(())
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let to = clean(to);
        self.change(term, from, |names, from| {
            let node = names.get(from).cloned().ok_or_else(|| not_found(from))?;
            if !is_dir(names, parent(&to)) {
                return Err(not_found(&to));
            }
            let below = format!("{from}/");
            let moved: Vec<String> = names.keys().filter(|name| name.starts_with(&below)).cloned().collect();
            for name in moved {
                if let Some(node) = names.remove(&name) {
                    names.insert(format!("{to}/{}", &name[below.len()..]), node);
                }
            }
            names.remove(from);
            names.insert(to, node);
            Ok(())
        })
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let inode = self.file(from)?;
        self.change(term, to, |names, to| {
            free(names, to)?;
            names.insert(to.to_owned(), Node::File(inode));
            Ok(())
        })
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.change(term, path, |names, path| match names.get(path) {
            Some(Node::File(_)) => {
                names.remove(path);
                Ok(())
            }
            Some(Node::Dir) => {
                Err(VolumeError::Io { operation: "remove", path: path.to_owned(), reason: "is a folder".to_owned() })
            }
            None => Err(not_found(path)),
        })
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.change(term, path, |names, path| {
            if !matches!(names.get(path), Some(Node::Dir)) {
                return Err(not_found(path));
            }
            if children(names, path).next().is_some() {
                return Err(VolumeError::NotEmpty { path: path.to_owned() });
            }
            names.remove(path);
            Ok(())
        })
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.change(term, path, |names, path| if is_dir(names, path) { Ok(()) } else { Err(not_found(path)) })
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        term.check()?;
        self.file(path).map(drop)
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        let names = locked(&self.names);
        Ok(children(&names, &clean(path)).map(|(path, node)| entry(path, node)).collect())
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        let path = clean(path);
        Ok(locked(&self.names).get(&path).map(|node| entry(&path, node)))
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        Ok(u64::MAX)
    }
}

struct MemoryFile {
    inode: Arc<Mutex<Inode>>,
    path: String,
    writable: bool,
}

impl MemoryFile {
    fn change<T>(
        &self,
        term: &Term,
        operation: &'static str,
        run: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<T, VolumeError> {
        term.check()?;
        if !self.writable {
            let reason = "it was opened for reading".to_owned();
            return Err(VolumeError::Denied { operation, path: self.path.clone(), reason });
        }
        Ok(run(&mut locked(&self.inode).bytes))
    }
}

#[async_trait]
impl VolumeFile for MemoryFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        let result = self.change(term, "write", |bytes| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let end = start.saturating_add(buffer.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[start..end].copy_from_slice(&buffer);
        });
        (buffer, result)
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        self.change(term, "sync", |_| ())
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        let inode = locked(&self.inode);
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(inode.bytes.len());
        let end = start.saturating_add(len).min(inode.bytes.len());
        Ok(inode.bytes[start..end].to_vec())
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        Ok(locked(&self.inode).bytes.len() as u64)
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        self.change(term, "cut", |content| content.resize(usize::try_from(bytes).unwrap_or(usize::MAX), 0))
    }
}
