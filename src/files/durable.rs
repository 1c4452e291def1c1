//! Names of folders that must outlive a power cut, whoever made them.

use rustix::fs::{CWD, Mode, OFlags};
use std::fs::File;
use std::io;
use std::path::Path;

/// Makes an entry of `folder` durable.
fn sync(folder: &Path) -> io::Result<()> {
    self::folder(folder)?.sync_all()
}

/// Makes the names durable of `folder` and of what is above it, up to `given`; and of each of `missing`, which this process has
/// just made. Names found there are synced too: the process that made one may have died before it could do so.
///
/// # Errors
/// When a folder refuses. A `given` one that was there, a mount for example, may stand in a folder that only others may read, or
/// that knows no sync, as those of an automounter.
pub(crate) fn sync_names(given: &Path, folder: &Path, missing: &[&Path]) -> io::Result<()> {
    for made in folder.ancestors().take_while(|made| missing.contains(made) || made.starts_with(given)) {
        let Some(parent) = made.parent() else { break };
        match sync(if is_current(parent) { Path::new(".") } else { parent }) {
            Err(error) if !missing.contains(&made) && made == given && is_no_matter(&error) => {}
            synced => synced?,
        }
    }
    Ok(())
}

fn is_no_matter(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | ReadOnlyFilesystem | Unsupported)
}

/// Whether this is the end of a relative path: the folder in which the process runs.
pub(crate) fn is_current(folder: &Path) -> bool {
    folder.as_os_str().is_empty()
}

/// A folder, for its `fsync`.
pub(super) fn folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?.into())
}
