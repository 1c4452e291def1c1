//! Files of the server, looked for and taken away.

use super::fault::{is_missing, status};
use super::link::Link;
use super::reader::Reader;
use super::{Shared, below, folder_of, folders, gone};
use crate::core::ports::file_target::{Arrived, TargetError};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::StatusCode;
use sha2::{Digest, Sha256};
use std::sync::Arc;

impl Shared {
    /// What stands at a path.
    pub(super) async fn found(&self, link: &Arc<Link>, path: &str, size: u64) -> Result<Option<Arrived>, TargetError> {
        let full = below(&self.address.path, path);
        let found = match link.sftp.lstat(full.as_str()).await {
            Ok(found) => found.attrs,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.told(link, path, &error)),
        };
        if let Some(what) = folders::foreign(&found) {
            return Err(TargetError::Foreign { path: path.to_owned(), what: what.to_owned() });
        }
        let there = found.size.unwrap_or(size);
        if there != size {
            return Ok(Some(Arrived { size: there, sha256: None }));
        }
        match self.digest(link, &full, size).await {
            Ok((size, sha256)) => Ok(Some(Arrived { size, sha256: Some(sha256) })),
            Err(error) if is_missing(&error) => Ok(None),
            // A box that takes letters and shows none.
            Err(error) if status(&error) == Some(StatusCode::PermissionDenied) && !self.reads_back() => {
                Ok(Some(Arrived { size, sha256: None }))
            }
            Err(error) => Err(self.told_of_reading(link, path, &error)),
        }
    }

    /// As [`Self::told`], of something that this process wrote.
    pub(super) fn told_of_reading(&self, link: &Link, path: &str, error: &Error) -> TargetError {
        if status(error) != Some(StatusCode::PermissionDenied) {
            return self.told(link, path, error);
        }
        let reason = "it does not let be read what was written; write `verify: size` beside `sftp`".to_owned();
        TargetError::Unusable { target: self.shown.clone(), reason }
    }

    async fn digest(&self, link: &Arc<Link>, path: &str, size: u64) -> Result<(u64, String), Error> {
        // One byte more: a file that has grown since is another one.
        let mut reader = Reader::open(link, path, 0, size.saturating_add(1)).await?;
        let (mut digest, mut size) = (Sha256::new(), 0);
        loop {
            let piece = reader.piece().await?;
            if piece.is_empty() {
                return Ok((size, hex::encode(digest.finalize())));
            }
            size += piece.len() as u64;
            digest.update(&piece);
        }
    }

    /// Takes a plain file away, durably.
    pub(super) async fn take_away(&self, link: &Arc<Link>, path: &str) -> Result<(), TargetError> {
        let full = below(&self.address.path, path);
        let found = match link.sftp.lstat(full.as_str()).await {
            Err(error) if is_missing(&error) => return Ok(()),
            found => found.map_err(|error| self.told(link, path, &error))?,
        };
        if let Some(what) = folders::foreign(&found.attrs) {
            return Err(TargetError::Foreign { path: path.to_owned(), what: what.to_owned() });
        }
        gone(link.sftp.remove(full).await).map_err(|error| self.told(link, path, &error))?;
        self.sync_folder(link, folder_of(path)).await
    }
}
