//! A file that grows at the server under its temporary name.

use super::fault::{is_missing, status};
use super::link::Link;
use super::reader::{Reader, close_later, closed};
use super::{Shared, below};
use crate::core::ports::file_target::{Naming, TargetError, TargetPart};
use async_trait::async_trait;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

/// The permissions in what a server calls a mode.
const PERMISSIONS: u32 = 0o7777;

/// A file, open for writing. Writes are on their way while the next bytes come; [`TargetPart::sync`] waits for them.
pub(super) struct Part {
    pub(super) shared: Arc<Shared>,
    pub(super) link: Arc<Link>,
    /// Below the target.
    pub(super) path: String,
    /// `None` once it is closed.
    pub(super) handle: Option<String>,
    pub(super) end: u64,
    pub(super) writes: JoinSet<Result<(), Error>>,
    pub(super) reader: Option<Reader>,
    /// Its place among those that are open: given up with the handle, since companions want one, too.
    pub(super) open: Option<OwnedSemaphorePermit>,
}

impl Part {
    fn told(&self, error: &Error) -> TargetError {
        self.shared.told(&self.link, &self.path, error)
    }

    fn handle(&self) -> Result<String, TargetError> {
        self.handle.clone().ok_or_else(|| self.told(&closed()))
    }

    fn full_path(&self) -> String {
        below(&self.shared.address.path, &self.path)
    }

    /// Waits for all that was written.
    async fn settled(&mut self) -> Result<(), TargetError> {
        while let Some(written) = self.writes.join_next().await {
            if let Err(error) = written.unwrap_or_else(|_| Err(closed())) {
                return Err(self.shared.told_of_writing(&self.link, &self.path, &error).await);
            }
        }
        Ok(())
    }

    /// Whole and durable, with its permissions, and closed: some servers say only then that a disk is full.
    async fn ready(&mut self) -> Result<(), TargetError> {
        self.sync().await?;
        let handle = self.handle()?;
        if let Some(mode) = self.shared.mode {
            self.permit(&handle, mode).await?;
        }
        self.handle = None;
        let slow = self.link.slow();
        let closed = self.link.sftp.close(handle).await;
        drop(slow);
        self.open = None;
        if let Err(error) = closed {
            return Err(self.shared.told_of_writing(&self.link, &self.path, &error).await);
        }
        let found = self.link.sftp.lstat(self.full_path()).await.map_err(|error| self.told(&error))?;
        match found.attrs.size {
            Some(size) if size != self.end => {
                // The next try begins anew.
                self.discard().await?;
                let reason = format!("{} bytes were written, and the server has {size}", self.end);
                Err(TargetError::Failed { path: self.path.clone(), reason })
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn permit(&self, handle: &str, mode: u32) -> Result<(), TargetError> {
        let has = self.link.sftp.fstat(handle).await.map_err(|error| self.told(&error))?;
        if has.attrs.permissions.is_some_and(|has| has & PERMISSIONS == mode) {
            return Ok(());
        }
        let wanted = FileAttributes { permissions: Some(mode), ..FileAttributes::empty() };
        match self.link.sftp.fsetstat(handle, wanted).await {
            Ok(_) => Ok(()),
            Err(error) if matches!(status(&error), Some(StatusCode::OpUnsupported | StatusCode::PermissionDenied)) => {
                let reason = format!("it does not let permissions be set to {mode:04o}; write `permissions: server`");
                Err(TargetError::Unusable { target: self.shared.shown.clone(), reason })
            }
            Err(error) => Err(self.told(&error)),
        }
    }
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, TargetError> {
        self.settled().await?;
        if self.reader.as_ref().is_none_or(|reader| reader.at != offset) {
            let path = self.full_path();
            let reader = Reader::open(&self.link, &path, offset, self.end).await;
            let told = |error: Error| self.shared.told_of_reading(&self.link, &self.path, &error);
            self.reader = Some(reader.map_err(told)?);
        }
        let taken = match &mut self.reader {
            Some(reader) => reader.take(most).await,
            None => Ok(Vec::new()),
        };
        taken.map_err(|error| self.told(&error))
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.reader = None;
        let handle = self.handle()?;
        for piece in bytes.chunks(self.link.write_most) {
            let place = Arc::clone(&self.link.window).acquire_owned().await.map_err(|_| self.told(&closed()))?;
            let (link, handle, offset, piece) = (Arc::clone(&self.link), handle.clone(), self.end, piece.to_vec());
            self.end += piece.len() as u64;
            // A task of its own: whoever holds a place in the window goes on by itself.
            self.writes.spawn(async move {
                let written = link.sftp.write(handle, offset, piece).await;
                drop(place);
                written.map(drop)
            });
        }
        while let Some(written) = self.writes.try_join_next() {
            if let Err(error) = written.unwrap_or_else(|_| Err(closed())) {
                return Err(self.shared.told_of_writing(&self.link, &self.path, &error).await);
            }
        }
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), TargetError> {
        self.settled().await?;
        if !self.link.can(russh_sftp::extensions::FSYNC) {
            return Ok(());
        }
        let handle = self.handle()?;
        let _slow = self.link.slow();
        match self.link.sftp.fsync(handle).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.shared.told_of_writing(&self.link, &self.path, &error).await),
        }
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Result<bool, TargetError> {
        self.reader = None;
        if self.handle.is_some() {
            self.ready().await?;
        }
        self.shared.rename(&self.link, (&self.path, self.end), path, naming).await
    }

    async fn discard(&mut self) -> Result<(), TargetError> {
        self.reader = None;
        self.writes.abort_all();
        if let Some(handle) = self.handle.take() {
            close_later(&self.link, handle);
            self.open = None;
        }
        match self.link.sftp.remove(self.full_path()).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(self.told(&error)),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            close_later(&self.link, handle);
        }
    }
}

/// How a file is opened whose bytes so far are kept, and one that must not be there yet.
pub(super) const GOES_ON: OpenFlags = OpenFlags::WRITE;
pub(super) const NEW: OpenFlags = OpenFlags::WRITE.union(OpenFlags::CREATE).union(OpenFlags::EXCLUDE);
