//! Whether a folder is where the root is. A file gets a second name by a link, and a link works within one mount of one device.

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::io;
use std::path::Path;

/// Where a folder is: its device and, where the kernel tells it (5.8 and later), its mount.
#[derive(PartialEq, Eq)]
struct Home {
    device: (u32, u32),
    mount: Option<u64>,
}

impl Home {
    fn of(folder: &Path) -> io::Result<Self> {
        let found = statx(CWD, folder, AtFlags::empty(), StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)?;
        let knows = found.stx_mask & StatxFlags::MNT_ID.bits() != 0;
        Ok(Self { device: (found.stx_dev_major, found.stx_dev_minor), mount: knows.then_some(found.stx_mnt_id) })
    }
}

/// Whether a link from below `root` into `folder` can work. `None` where one of the two is not there yet.
pub(super) fn is_one(root: &Path, folder: &Path) -> io::Result<Option<bool>> {
    match (Home::of(root), Home::of(folder)) {
        (Ok(root), Ok(folder)) => Ok(Some(root == folder)),
        (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_another_file_system_is_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (root, sub) = (folder.path(), folder.path().join("sub"));
        assert_eq!(is_one(root, &sub).unwrap(), None, "it is not there yet");
        std::fs::create_dir(&sub).unwrap();
        assert_eq!(is_one(root, &sub).unwrap(), Some(true));
        // Always a file system of its own.
        assert_eq!(is_one(root, Path::new("/proc/self")).unwrap(), Some(false));
        assert_eq!(is_one(&root.join("no"), &sub).unwrap(), None);
    }
}
