//! A lock of the operating system that a holder keeps while its process lives, so that its death is known at once.
//!
//! It is `flock(2)`: it belongs to the open file, so two stores in one process exclude each other, and the kernel drops
//! it with the last descriptor, however the process ends. POSIX record locks (`fcntl`) belong to the process: it would
//! not exclude itself, and closing any descriptor of the file would drop them. A stopped process keeps its lock; then
//! the lease's time to live decides.

use crate::core::model::names::LeaseKey;
use crate::core::model::term::Token;
use crate::files;
use rustix::fs::{FlockOperation, flock};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::warn;

/// The locks that this store holds: one file a key, `PATH.<key>.lock`, never deleted.
pub(super) struct Guards {
    path: PathBuf,
    /// This kernel since its start. `None` where its locks prove nothing, because a server keeps them.
    boot: Option<String>,
    held: Mutex<HashMap<LeaseKey, Held>>,
    told: AtomicBool,
}

struct Held {
    token: Token,
    _lock: File,
}

impl Guards {
    /// `trusted`: locks are kept by this kernel alone.
    pub(super) fn new(path: &Path, trusted: bool) -> Self {
        let boot = trusted.then(|| files::read(Path::new("/proc/sys/kernel/random/boot_id"), 4096).ok()).flatten();
        let boot =
            boot.and_then(|id| String::from_utf8(id).ok()).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        Self { path: path.to_owned(), boot, held: Mutex::default(), told: AtomicBool::new(false) }
    }

    /// Holds the key's lock for `token` from now on. What it returns goes into the lease: it says that the lock was
    /// held when the lease was written, and by a process of which kernel. `None` when the lock cannot be had, because a
    /// holder before us is stopped, or a contender looks just now: then the lease proves nothing, and a later renewal
    /// tries again.
    pub(super) fn take(&self, key: &LeaseKey, token: Token) -> Option<String> {
        let boot = self.boot.clone()?;
        let mut all = self.held();
        match all.get_mut(key) {
            Some(held) if held.token > token => return None,
            Some(held) => held.token = token,
            None => {
                let path = self.file(key);
                let file = files::open_or_make_private(&path).map_err(|error| self.tell(&path, &error)).ok()?;
                flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
                all.insert(key.clone(), Held { token, _lock: file });
            }
        }
        Some(boot)
    }

    /// Tells once that a lock cannot be had at all: the work goes on without it.
    fn tell(&self, path: &Path, error: &io::Error) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let path = path.display();
            warn!(%path, %error, "a lock file cannot be used: others learn of a crash only when the lease has run out");
        }
    }

    /// Gives the lock back, unless it is held for a newer token by now.
    pub(super) fn give_back(&self, key: &LeaseKey, token: Token) {
        let mut all = self.held();
        if all.get(key).is_some_and(|held| held.token <= token) {
            all.remove(key);
        }
    }

    /// Whether the process that wrote `guarded_by` into its lease has ended. Shared, so that contenders who look at the
    /// same time do not take each other for the holder.
    pub(super) fn is_gone(&self, key: &LeaseKey, guarded_by: &str) -> bool {
        self.boot.as_deref() == Some(guarded_by)
            && files::open(&self.file(key))
                .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_ok())
    }

    fn file(&self, key: &LeaseKey) -> PathBuf {
        super::beside(&self.path, &format!("{key}.lock"))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<LeaseKey, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
