//! Who may do what with that which this volume makes.
//!
//! Folders below `.filegen` hold rows before anybody has agreed to them, so they are the owner's alone. Where the folder above is
//! one that its group may write to, holders of several users share it: whoever may write there may take over here too.

use crate::core::model::names::HIDDEN;
use crate::core::model::permissions::Permissions;
use crate::files::{Beneath, Found};
use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock};

/// What the worker file wants, and the group's number once it was looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeper {
    wanted: Permissions,
    gid: Arc<OnceLock<Result<u32, String>>>,
}

impl Keeper {
    pub(super) fn new(wanted: Permissions) -> Self {
        Self { wanted, gid: Arc::default() }
    }

    /// What a folder is made with; the umask takes from it.
    pub(super) fn of_new_dir(path: &str) -> u32 {
        if path == HIDDEN { 0o700 } else { 0o777 }
    }

    /// What a file is made with; the umask takes from it.
    pub(super) fn of_new_file(&self) -> u32 {
        self.wanted.mode.map_or(0o666, |mode| mode | 0o600)
    }

    /// What a file is published with; `now` is what it has.
    pub(super) fn of_published(&self, now: u32) -> u32 {
        self.wanted.mode.unwrap_or(now & !0o222)
    }

    /// Gives a folder that was just made to those who are to have it.
    pub(super) fn made_dir(&self, root: &Beneath, path: &str) -> io::Result<()> {
        if let Some(gid) = self.gid()? {
            root.give_to(path, gid).map_err(|error| self.not_given(&error))?;
        }
        let own = root.stat(path)?;
        if !is_hidden(path) {
            return match self.wanted.mode {
                Some(mode) => root.set_mode(path, Permissions::of_folder(mode) | own.mode & 0o2000),
                None => Ok(()),
            };
        }
        let above = root.stat(path.rsplit_once('/').map_or("", |(above, _)| above))?;
        if own.shares_with(&above) || (path == HIDDEN && self.wanted.is_shared()) {
            // Nobody asked for this: a file system that knows no permissions is no reason to fail.
            let _ = root.set_mode(path, own.mode | 0o070).is_ok();
        }
        Ok(())
    }

    /// A `.filegen` that was there, made by the state store, is opened to the group where the worker file says so.
    pub(super) fn found_dir(&self, root: &Beneath, path: &str, found: &Found) {
        if path == HIDDEN && self.wanted.is_shared() && found.mode & 0o070 != 0o070 {
            // It may be another user's. `doctor` tells.
            let _ = self.made_dir(root, path).is_ok();
        }
    }

    /// Gives a file that was just made to those who are to have it.
    pub(super) fn made_file(&self, root: &Beneath, path: &str, file: &File) -> io::Result<()> {
        if let Some(gid) = self.gid()? {
            Found::give_to(file, gid).map_err(|error| self.not_given(&error))?;
        }
        if is_hidden(path) && self.wanted.mode.is_none() {
            let own = Found::of_file(file)?;
            // A holder of another user has to read what it takes over.
            if own.mode & 0o040 == 0
                && own.shares_with(&root.stat(path.rsplit_once('/').map_or("", |(above, _)| above))?)
            {
                let _ = Found::set_mode(file, own.mode | 0o040).is_ok();
            }
        }
        Ok(())
    }

    fn gid(&self) -> io::Result<Option<u32>> {
        let Some(group) = &self.wanted.group else { return Ok(None) };
        let found = self.gid.get_or_init(|| {
            group.parse().or_else(|_| match crate::files::group_number(group) {
                Ok(Some(gid)) => Ok(gid),
                Ok(None) => Err(format!("`output.group`: this host has no group `{group}`; give its number")),
                Err(error) => {
                    Err(format!("`output.group`: /etc/group cannot be read: {error}; give the group's number"))
                }
            })
        });
        found.clone().map(Some).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))
    }

    fn not_given(&self, error: &io::Error) -> io::Error {
        let group = self.wanted.group.as_deref().unwrap_or_default();
        let why = format!(
            "`output.group`: this process may not give files to the group `{group}`, it is no member of it ({error})"
        );
        io::Error::new(io::ErrorKind::PermissionDenied, why)
    }
}

fn is_hidden(path: &str) -> bool {
    path.split('/').next() == Some(HIDDEN)
}
