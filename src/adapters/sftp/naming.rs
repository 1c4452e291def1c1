//! A file that is whole gets its final name.

use super::fault::{is_broken, is_missing};
use super::link::Link;
use super::part::NEW;
use super::{Shared, below, folder_of, gone, trial_name};
use crate::core::ports::file_target::{Naming, TargetError};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, Packet, StatusCode};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A rename that replaces, as OpenSSH's PROTOCOL file, section 4.3, describes it.
const POSIX_RENAME: &str = "posix-rename@openssh.com";

impl Shared {
    /// Gives a file its final name. `false` when another one has it.
    pub(super) async fn rename(
        &self,
        link: &Arc<Link>,
        (part, size): (&str, u64),
        path: &str,
        naming: Naming,
    ) -> Result<bool, TargetError> {
        let (from, to) = (below(&self.address.path, part), below(&self.address.path, path));
        let renamed = match naming {
            Naming::New => {
                self.see_that_names_are_given_once(link, part).await?;
                link.sftp.rename(from.as_str(), to.as_str()).await.map(drop)
            }
            Naming::Replace => self.replace(link, &from, &to).await?,
        };
        if let Err(error) = renamed {
            // OpenSSH says of a name that is taken no more than "failure".
            let has_name = !is_broken(&error) && naming == Naming::New && link.sftp.lstat(to.as_str()).await.is_ok();
            let is_left =
                has_name && link.sftp.lstat(from.as_str()).await.is_ok_and(|left| left.attrs.size == Some(size));
            return if is_left { Ok(false) } else { Err(self.told_of_writing(link, path, &error).await) };
        }
        self.sync_folder(link, folder_of(path)).await?;
        Ok(true)
    }

    async fn replace(&self, link: &Link, from: &str, to: &str) -> Result<Result<(), Error>, TargetError> {
        if !link.can(POSIX_RENAME) {
            let reason = format!("`on_exists: replace` needs {POSIX_RENAME}, which it does not offer; choose another");
            return Err(TargetError::Unusable { target: self.shown.clone(), reason });
        }
        let text = |text: &str| [&u32::try_from(text.len()).unwrap_or(0).to_be_bytes()[..], text.as_bytes()].concat();
        let names = [text(from), text(to)].concat();
        Ok(match link.sftp.extended(POSIX_RENAME, names).await {
            Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok => Ok(()),
            Ok(Packet::Status(status)) => Err(Error::Status(status)),
            Ok(_) => Err(Error::UnexpectedPacket),
            Err(error) => Err(error),
        })
    }

    /// A rename replaces nothing: that is tried, once a process, with a file that is about to get its name. What a server calls itself says
    /// nothing of its SFTP. Whoever comes after a process that dies of it finds the second name beside the unfinished file's.
    ///
    /// # Errors
    /// When it was seen to replace something.
    async fn see_that_names_are_given_once(&self, link: &Link, part: &str) -> Result<(), TargetError> {
        if self.is_named_once.load(Ordering::Relaxed) {
            return Ok(());
        }
        let [one, two] = [part.to_owned(), trial_name(part)].map(|path| below(&self.address.path, &path));
        let told = |error: &Error| self.told(link, part, error);
        let made = link.sftp.open(two.as_str(), NEW, FileAttributes::empty()).await.map_err(|error| told(&error))?;
        link.sftp.close(made.handle).await.map_err(|error| told(&error))?;
        let replaced = link.sftp.rename(one.as_str(), two.as_str()).await;
        gone(link.sftp.remove(two.as_str()).await).map_err(|error| told(&error))?;
        match replaced {
            Ok(_) => {
                let reason = "its rename replaces what has the name".to_owned();
                Err(TargetError::NoLinks { target: self.shown.clone(), reason })
            }
            Err(error) if is_broken(&error) || is_missing(&error) => Err(told(&error)),
            Err(_) => {
                self.is_named_once.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}
