//! Folders of the server.

use super::fault::is_missing;
use super::link::Link;
use super::reader::closed;
use super::{Shared, below};
use crate::core::ports::file_target::TargetError;
use russh_sftp::extensions;
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use std::sync::Arc;

/// What stands where a plain file should. `None` for one, and for what the server does not say.
pub(super) fn foreign(found: &FileAttributes) -> Option<&'static str> {
    found.permissions?;
    if found.is_regular() {
        None
    } else if found.is_dir() {
        Some("a folder")
    } else if found.is_symlink() {
        Some("a link")
    } else {
        Some("no plain file")
    }
}

impl Shared {
    /// Makes what is missing of a folder below the target. A link on the way is not followed.
    pub(super) async fn make_folders(&self, link: &Arc<Link>, folder: &str) -> Result<(), TargetError> {
        if folder.is_empty() || link.knows(folder) {
            return Ok(());
        }
        let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
        for end in ends {
            let folder = &folder[..end];
            if !link.knows(folder) {
                self.make_folder(link, folder).await?;
                link.remember(folder);
            }
        }
        Ok(())
    }

    async fn make_folder(&self, link: &Arc<Link>, folder: &str) -> Result<(), TargetError> {
        let path = below(&self.address.path, folder);
        let attrs = FileAttributes { permissions: self.folder_mode(), ..FileAttributes::empty() };
        let told = |error| self.told(link, folder, &error);
        let found = match link.sftp.lstat(path.as_str()).await {
            Err(error) if is_missing(&error) => {
                let made = link.sftp.mkdir(path.as_str(), attrs).await;
                if made.is_ok() {
                    return self.sync_folder(link, super::folder_of(folder)).await;
                }
                // Another process may have made it meanwhile.
                match (link.sftp.lstat(path.as_str()).await, made) {
                    (Ok(found), _) => found.attrs,
                    (Err(_), Err(error)) | (Err(error), Ok(_)) => return Err(told(error)),
                }
            }
            found => found.map_err(told)?.attrs,
        };
        if found.is_dir() || found.permissions.is_none() {
            return Ok(());
        }
        let what = foreign(&found).unwrap_or("a file").to_owned();
        Err(TargetError::Foreign { path: folder.to_owned(), what })
    }

    /// Makes the names in a folder durable, where the server can: OpenSSH opens a folder as a file, and syncs it.
    pub(super) async fn sync_folder(&self, link: &Arc<Link>, folder: &str) -> Result<(), TargetError> {
        if !link.can(extensions::FSYNC) {
            return Ok(());
        }
        let path = below(&self.address.path, folder);
        let _open = Arc::clone(&link.readers).acquire_owned().await.map_err(|_| self.told(link, folder, &closed()))?;
        // Others cannot, and say so in many ways.
        let Ok(opened) = link.sftp.open(path, OpenFlags::READ, FileAttributes::empty()).await else { return Ok(()) };
        let _slow = link.slow();
        let synced = link.sftp.fsync(opened.handle.as_str()).await;
        let closed = link.sftp.close(opened.handle).await;
        match synced.and(closed) {
            Err(error) if super::fault::is_broken(&error) => Err(self.told(link, folder, &error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
