//! A folder of this host that files are brought to.

use super::apart::apart;
use super::folders::failed;
use crate::core::ports::folders::{Content, FolderError};
use crate::core::ports::handover::{Given, Handover};
use crate::files::{self, Beneath, Found, copy_digested};
use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Permissions of what is made here until it is whole: then it has those of the file that it is a copy of.
const FILE_MODE: u32 = 0o600;

/// Permissions of folders that are made; the umask takes from them.
const FOLDER_MODE: u32 = 0o777;

/// A folder of this host. Each call runs on a thread of its own.
#[derive(Clone, Debug)]
pub struct LocalHandover(PathBuf);

impl LocalHandover {
    /// The folder at `directory`.
    pub fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }
}

#[async_trait]
impl Handover for LocalHandover {
    fn describe(&self) -> String {
        self.0.display().to_string()
    }

    async fn give(&self, root: &Path, path: &str, content: &Content, name: &str) -> Result<Given, FolderError> {
        let (folder, root, path) = (self.0.clone(), root.to_owned(), path.to_owned());
        let (content, name) = (content.clone(), name.to_owned());
        apart(move || {
            let to = files::folder_made(&folder, FOLDER_MODE);
            let to = to.map_err(|error| failed(&folder.display().to_string(), &error))?;
            let from = Beneath::of(&root).map_err(|error| failed(&root.display().to_string(), &error))?;
            copy((&from, &path), (&to, &name), &content)
                .map_err(|error| failed(&folder.join(&name).display().to_string(), &error))
        })
        .await
    }

    async fn lend(&self, root: &Path, path: &str, file: (u64, &str), name: &str) -> Result<Given, FolderError> {
        let (folder, root, path) = (self.0.clone(), root.to_owned(), path.to_owned());
        let (size, sha256, name) = (file.0, file.1.to_owned(), name.to_owned());
        apart(move || {
            let to = files::folder_made(&folder, FOLDER_MODE);
            let to = to.map_err(|error| failed(&folder.display().to_string(), &error))?;
            let from = Beneath::of(&root).map_err(|error| failed(&root.display().to_string(), &error))?;
            let there = there(&to, &name, (size, &sha256));
            if let Some(given) = there.map_err(|error| failed(&folder.join(&name).display().to_string(), &error))? {
                return Ok(given);
            }
            let source = whole(&from, &path, (size, &sha256));
            let source = source.map_err(|error| failed(&root.join(&path).display().to_string(), &error))?;
            let Some(source) = source else { return Ok(Given::Changed) };
            link((&from, &path, &source), (&to, &name), (size, &sha256))
                .map_err(|error| failed(&folder.join(&name).display().to_string(), &error))
        })
        .await
    }

    async fn try_out(&self, root: &Path, nonce: &str) -> Result<bool, FolderError> {
        let (folder, root) = (self.0.clone(), root.to_owned());
        // A name that every collector leaves alone.
        let name = format!(".filegen-{nonce}.part");
        apart(move || {
            let told = |place: &Path, error: &io::Error| failed(&place.display().to_string(), error);
            let to = files::folder_made(&folder, FOLDER_MODE).map_err(|error| told(&folder, &error))?;
            let from = Beneath::of(&root).map_err(|error| told(&root, &error))?;
            let file = from.create(&name, FILE_MODE).map_err(|error| told(&root, &error))?;
            let tried = match to.link_open(&file, &name) {
                Ok(()) => Ok(true),
                Err(_) => to.create(&name, FILE_MODE).map(|_| false),
            };
            let _ = (to.unlink(&name).is_ok(), from.unlink(&name).is_ok());
            tried.map_err(|error| told(&folder, &error))
        })
        .await
    }
}

/// A file, if it is this one; it was read to its end.
fn whole(from: &Beneath, path: &str, (size, sha256): (u64, &str)) -> io::Result<Option<File>> {
    let mut source = from.open(path)?;
    if Found::of_file(&source)?.bytes != size {
        return Ok(None);
    }
    let read = copy_digested(&mut source, &mut io::sink())?;
    Ok((read.0 == size && read.1 == sha256).then_some(source))
}

/// Gives the very file that was read a second name; where that cannot be, its copy.
fn link(
    (from, path, source): (&Beneath, &str, &File),
    (to, name): (&Beneath, &str),
    file: (u64, &str),
) -> io::Result<Given> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    to.make_dirs(folder, FOLDER_MODE)?;
    match to.link_open(source, name) {
        Ok(()) => {
            to.sync_dir(folder)?;
            Ok(Given::There)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(there(to, name, file)?.unwrap_or(Given::Changed)),
        // Another file system, or one without links.
        Err(_) => {
            let found = Found::of_file(source)?;
            let (seconds, nanos) = found.modified;
            let modified_at = Timestamp::new(seconds, i32::try_from(nanos).unwrap_or_default()).unwrap_or_default();
            let content = Content { sha256: file.1.to_owned(), size: file.0, modified_at, stamp: found.stamp() };
            copy((from, path), (to, name), &content)
        }
    }
}

fn copy((from, path): (&Beneath, &str), (to, name): (&Beneath, &str), content: &Content) -> io::Result<Given> {
    let file = (content.size, content.sha256.as_str());
    if let Some(given) = there(to, name, file)? {
        return Ok(given);
    }
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    to.make_dirs(folder, FOLDER_MODE)?;
    // One name a file: what a killed process left gives way to the next try.
    let own = Sha256::digest(format!("{path}\0{name}").as_bytes());
    let temporary =
        format!("{folder}{}.filegen-{}.part", if folder.is_empty() { "" } else { "/" }, hex::encode(&own[..16]));
    let _ = to.unlink(&temporary).is_ok();
    let mut source = from.open(path)?;
    let mut copy = to.create(&temporary, FILE_MODE)?;
    let done = (|| {
        let (size, sha256) = copy_digested(&mut source, &mut copy)?;
        let is_whole =
            Found::of_file(&source)?.stamp() == content.stamp && (size, &sha256) == (content.size, &content.sha256);
        if !is_whole {
            return Ok(Given::Changed);
        }
        let kept = source.metadata()?;
        copy.set_permissions(kept.permissions())?;
        copy.set_modified(kept.modified()?)?;
        copy.sync_all()?;
        match to.publish_new(&copy, &temporary, name) {
            Ok(()) => {
                to.sync_dir(folder)?;
                Ok(Given::There)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Ok(there(to, name, file)?.unwrap_or(Given::Changed))
            }
            Err(error) => Err(error),
        }
    })();
    if !matches!(done, Ok(Given::There)) {
        let _ = to.unlink_own(&copy, &temporary).is_ok();
    }
    done
}

/// What has the name: this very content, or another one. `None` when nothing has it.
fn there(to: &Beneath, name: &str, (size, sha256): (u64, &str)) -> io::Result<Option<Given>> {
    let found = match to.stat(name) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !found.is_file() || found.bytes != size {
        return Ok(Some(Given::Taken));
    }
    let is_same = match to.open(name) {
        Ok(mut file) => copy_digested(&mut file, &mut io::sink())?.1 == sha256,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(if is_same { Given::There } else { Given::Taken }))
}
