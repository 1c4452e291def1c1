//! A folder of an SFTP server that files are delivered to.
//!
//! A file grows under a temporary name in the folder where it will stay: `.filegen-ID-WRITER.part`. Nobody can keep a file of a server
//! for himself, so each try has a name of its own; whoever takes a version over takes the earlier file's name away first, and never cuts
//! it: a late request of an earlier try may have given it its final name. That one is given by a rename that replaces nothing.

mod address;
mod fault;
mod find;
mod folders;
mod link;
mod login;
mod naming;
mod part;
mod progress;
mod reader;
mod refusals;
mod trust;

pub use address::{look, refused};
pub use refusals::Logins;

use crate::core::model::permissions::Permissions;
use crate::core::model::sftp::{SftpSpec, SftpVerify};
use crate::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use address::Address;
use async_trait::async_trait;
use fault::{is_broken, is_missing, status};
use link::Link;
use part::{GOES_ON, NEW, Part};
use reader::closed;
use russh_sftp::client::error::Error;
use russh_sftp::extensions;
use russh_sftp::protocol::{FileAttributes, StatusCode};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// After a failed connect, others that wait for one are told the same for so long, and the server is let alone.
const NOT_AGAIN_WITHIN: Duration = Duration::from_millis(500);

/// Between two looks at what a refused login is made with.
const LOOKED_AGAIN: Duration = Duration::from_secs(2);

/// Free bytes below which a server's bare "failure" means a full disk.
const FULL_BELOW: u64 = 1 << 20;

/// A folder of an SFTP server. Clones share one connection.
#[derive(Clone)]
pub struct SftpTarget(Arc<Shared>);

struct Shared {
    spec: SftpSpec,
    address: Address,
    shown: String,
    /// Permissions of files; what the server gives them when `None`.
    mode: Option<u32>,
    logins: Logins,
    link: Mutex<State>,
    /// A rename was seen to replace nothing.
    is_named_once: AtomicBool,
}

#[derive(Default)]
struct State {
    link: Option<Arc<Link>>,
    /// Until when no other try is made, and how the last one failed.
    failed: Option<(Instant, TargetError)>,
}

impl SftpTarget {
    /// The folder that an address names. Nothing is connected yet. Files get the permissions `mode`, folders what goes with it. All
    /// targets of a process share `logins`.
    ///
    /// # Errors
    /// What is wrong with the address, without any part of it.
    pub fn new(spec: &SftpSpec, mode: Option<u32>, logins: &Logins) -> Result<Self, &'static str> {
        let address = Address::parse(spec.url.reveal())?;
        let shown = address.shown();
        let (spec, logins, link) = (spec.clone(), logins.clone(), Mutex::default());
        Ok(Self(Arc::new(Shared { spec, address, shown, mode, logins, link, is_named_once: AtomicBool::new(false) })))
    }
}

/// A path below a folder of the server.
fn below(folder: &str, path: &str) -> String {
    match (folder, path) {
        (folder, "") => folder.to_owned(),
        ("/", path) => format!("/{path}"),
        (folder, path) => format!("{folder}/{path}"),
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn part_name(folder: &str, id: &str, writer: &str) -> String {
    below_target(folder, &format!(".filegen-{id}-{writer}.part"))
}

/// Where an unfinished file must not come to when names are given once.
fn trial_name(part: &str) -> String {
    format!("{}.trial", part.strip_suffix(".part").unwrap_or(part))
}

fn below_target(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

impl Shared {
    /// The connection, made anew where there is none or the last one ended.
    async fn link(self: &Arc<Self>) -> Result<Arc<Link>, TargetError> {
        if let Ok(state) = self.link.try_lock()
            && let Some(link) = state.link.as_ref().filter(|link| !link.is_over())
        {
            return Ok(Arc::clone(link));
        }
        // A task of its own: whoever gives up waiting takes no login back that the server has begun to look at.
        let shared = Arc::clone(self);
        match tokio::spawn(async move { shared.linked().await }).await {
            Ok(linked) => linked,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(TargetError::Away { target: self.shown.clone(), reason: "the process stops".to_owned() }),
        }
    }

    async fn linked(&self) -> Result<Arc<Link>, TargetError> {
        let mut state = self.link.lock().await;
        if let Some(link) = state.link.take_if(|link| link.is_over()) {
            tokio::spawn(async move { link.close().await });
        }
        if let Some(link) = &state.link {
            return Ok(Arc::clone(link));
        }
        if let Some((until, error)) = &state.failed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.connected().await {
            Ok(link) => {
                let link = Arc::new(link);
                *state = State { link: Some(Arc::clone(&link)), failed: None };
                Ok(link)
            }
            Err(error) => {
                state.failed = Some((Instant::now() + NOT_AGAIN_WITHIN, error.clone()));
                Err(error)
            }
        }
    }

    async fn connected(&self) -> Result<Link, TargetError> {
        let ready = link::ready(&self.spec, &self.address).await;
        let ready = ready.map_err(|reason| TargetError::Unusable { target: self.shown.clone(), reason })?;
        let link = link::connect(ready, &self.address, &self.logins).await?;
        self.has_folder(&link).await?;
        Ok(link)
    }

    async fn has_folder(&self, link: &Link) -> Result<(), TargetError> {
        let unusable = |reason: &str| TargetError::Unusable { target: self.shown.clone(), reason: reason.to_owned() };
        match link.sftp.stat(self.address.path.as_str()).await {
            Ok(found) if found.attrs.is_dir() => Ok(()),
            Ok(_) => Err(unusable("it is no folder")),
            Err(error) if is_missing(&error) => {
                Err(unusable("there is no such folder; make it, or correct the path of `sftp`"))
            }
            Err(error) => Err(fault::told(&self.shown, ".", &error)),
        }
    }

    /// What an error means; a connection that is of no more use is given up.
    fn told(&self, link: &Link, path: &str, error: &Error) -> TargetError {
        if is_broken(error) {
            link.give_up();
        }
        fault::told(&self.shown, path, error)
    }

    /// As [`Self::told`], of something that takes room: a full disk is "failure" and no more.
    async fn told_of_writing(&self, link: &Link, path: &str, error: &Error) -> TargetError {
        if status(error) == Some(StatusCode::Failure)
            && let Ok(Some(Room { free, .. })) = self.room_of(link).await
            && free < FULL_BELOW
        {
            return TargetError::Full { reason: format!("{}: {free} bytes are free", self.shown) };
        }
        self.told(link, path, error)
    }

    async fn room_of(&self, link: &Link) -> Result<Option<Room>, TargetError> {
        if !link.can(extensions::STATVFS) {
            return Ok(None);
        }
        let found = match link.sftp.statvfs(self.address.path.as_str()).await {
            Err(error) if is_broken(&error) => return Err(self.told(link, ".", &error)),
            Err(error) if is_missing(&error) => return self.has_folder(link).await.map(|()| None),
            // It offers to tell, and does not: that is no word about any file.
            Err(_) => return Ok(None),
            Ok(found) => found,
        };
        let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size);
        Ok(Some(Room { free: bytes(found.blocks_avail), all: bytes(found.blocks) }))
    }

    /// Opens the unfinished file of a name, and says how many bytes of it are kept.
    async fn open(&self, link: &Link, folder: &str, name: PartName<'_>, keep: u64) -> Result<(String, u64), Error> {
        let path = |writer: &str| below(&self.address.path, &part_name(folder, name.id, writer));
        let own = path(name.writer);
        let attrs = FileAttributes { permissions: self.mode, ..FileAttributes::empty() };
        // The latest of them is taken from whoever made it, the others go.
        let mut can_go_on = keep > 0 && link.sftp.lstat(own.as_str()).await.is_ok();
        for former in name.former.iter().rev() {
            gone(link.sftp.remove(trial_name(&path(former))).await)?;
            if keep > 0 && !can_go_on && link.sftp.rename(path(former), own.as_str()).await.is_ok() {
                can_go_on = true;
            } else {
                gone(link.sftp.remove(path(former)).await)?;
            }
        }
        if can_go_on {
            let handle = link.sftp.open(own.as_str(), GOES_ON, FileAttributes::empty()).await?.handle;
            let size = link.sftp.fstat(handle.as_str()).await?.attrs.size.unwrap_or(0);
            // What is behind `keep` is written over by the same bytes, and not cut off: it may have its final name already.
            return Ok((handle, size.min(keep)));
        }
        let opened = match link.sftp.open(own.as_str(), NEW, attrs.clone()).await {
            // The server answered nobody, and did what was asked.
            Err(error) if status(&error) == Some(StatusCode::Failure) => {
                gone(link.sftp.remove(own.as_str()).await)?;
                link.sftp.open(own.as_str(), NEW, attrs).await?
            }
            opened => opened?,
        };
        Ok((opened.handle, 0))
    }

    fn reads_back(&self) -> bool {
        self.spec.verify == SftpVerify::Content
    }

    fn folder_mode(&self) -> Option<u32> {
        self.mode.map(Permissions::of_folder)
    }
}

/// Something was taken away, or was not there.
fn gone<T>(removed: Result<T, Error>) -> Result<(), Error> {
    match removed {
        Err(error) if !is_missing(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[async_trait]
impl FileTarget for SftpTarget {
    fn describe(&self) -> String {
        self.0.shown.clone()
    }

    async fn probe(&self, name: &str) -> Result<(), TargetError> {
        let (own, path) = (
            PartName { id: name, writer: "probe", former: &[], whole: None, upload: None },
            format!(".filegen-{name}.probe"),
        );
        let (mut part, _) = self.part("", own, 0).await?;
        part.append(b"probe".to_vec()).await?;
        let named = part.publish(&path, Naming::New).await;
        if !matches!(named, Ok(true)) {
            part.discard().await?;
        }
        named?;
        let read = if self.0.reads_back() { self.find(&path, 5).await } else { Ok(None) };
        let (mut other, _) = self.part("", own, 0).await?;
        let again = other.publish(&path, Naming::New).await;
        other.discard().await?;
        let link = self.0.link().await?;
        gone(link.sftp.remove(below(&self.0.address.path, &path)).await)
            .map_err(|error| self.0.told(&link, &path, &error))?;
        if let Some(found) = read?
            && !found.is(5, &hex::encode(Sha256::digest(b"probe")))
        {
            return Err(TargetError::Failed { path, reason: "read back, it is not what was written".to_owned() });
        }
        if again? {
            let reason = "its rename replaces what has the name".to_owned();
            return Err(TargetError::NoLinks { target: self.describe(), reason });
        }
        Ok(())
    }

    async fn room(&self) -> Result<Option<Room>, TargetError> {
        let link = self.0.link().await?;
        self.0.room_of(&link).await
    }

    async fn part(
        &self,
        folder: &str,
        name: PartName<'_>,
        keep: u64,
    ) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        let link = self.0.link().await?;
        let path = part_name(folder, name.id, name.writer);
        let open = Arc::clone(&link.writers).acquire_owned().await;
        let open = open.map_err(|_| self.0.told(&link, &path, &closed()))?;
        self.0.make_folders(&link, folder).await?;
        // What cannot be read back is written anew.
        let keep = if self.0.reads_back() { keep } else { 0 };
        let (handle, there) = match self.0.open(&link, folder, name, keep).await {
            Ok(opened) => opened,
            Err(error) => {
                // The folder may have gone since it was seen.
                link.forget_folders();
                return Err(self.0.told_of_writing(&link, &path, &error).await);
            }
        };
        let (shared, handle) = (Arc::clone(&self.0), Some(handle));
        let (writes, reader) = (JoinSet::new(), None);
        Ok((Box::new(Part { shared, link, path, handle, end: there, writes, reader, open: Some(open) }), there))
    }

    fn is_far(&self) -> bool {
        true
    }

    async fn remove(&self, path: &str) -> Result<(), TargetError> {
        let link = self.0.link().await?;
        self.0.take_away(&link, path).await
    }

    async fn mended(&self) {
        loop {
            tokio::time::sleep(LOOKED_AGAIN).await;
            let Ok(ready) = link::ready(&self.0.spec, &self.0.address).await else { continue };
            let login = self.0.logins.of(ready.stamp);
            if login.lock().await.may_try(&self.0.shown).is_ok() {
                return;
            }
        }
    }

    async fn keep_name(&self, path: &str) -> Result<(), TargetError> {
        let link = self.0.link().await?;
        self.0.sync_folder(&link, folder_of(path)).await
    }

    async fn find(&self, path: &str, size: u64) -> Result<Option<Arrived>, TargetError> {
        let link = self.0.link().await?;
        self.0.found(&link, path, size).await
    }
}
