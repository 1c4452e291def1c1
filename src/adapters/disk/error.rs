//! The system's errors in the volume's words.

use crate::core::ports::volume::VolumeError;
use crate::files::Foreign;
use std::io;

/// Says what was tried on what, and how the system answered.
pub(super) fn failed(operation: &'static str, path: &str, error: &io::Error) -> VolumeError {
    let path = if path.is_empty() { ".".to_owned() } else { path.to_owned() };
    if let Some(Foreign { path, what }) = Foreign::of(error) {
        return VolumeError::Foreign { path: path.clone(), what };
    }
    let reason = error.to_string();
    match error.kind() {
        io::ErrorKind::AlreadyExists => VolumeError::Exists { path },
        io::ErrorKind::NotFound => VolumeError::NotFound { path },
        io::ErrorKind::DirectoryNotEmpty => VolumeError::NotEmpty { path },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            VolumeError::Full { path, reason }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            VolumeError::Denied { operation, path, reason }
        }
        _ => VolumeError::Io { operation, path, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn what_a_name_is_told_apart_by_has_a_word_of_its_own() {
        let of = |errno: Errno| failed("link", "out/loan0.txt", &io::Error::from(errno));
        let path = || "out/loan0.txt".to_owned();
        assert_eq!(of(Errno::EXIST), VolumeError::Exists { path: path() });
        assert_eq!(of(Errno::NOENT), VolumeError::NotFound { path: path() });
        assert_eq!(of(Errno::NOTEMPTY), VolumeError::NotEmpty { path: path() });
        for denied in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert!(matches!(of(denied), VolumeError::Denied { operation: "link", .. }), "{denied}");
        }
        let root = failed("list", "", &io::Error::from(Errno::NOENT));
        assert_eq!(root, VolumeError::NotFound { path: ".".to_owned() }, "the root has a name for people");
    }

    #[test]
    fn a_disk_and_a_quota_that_are_used_up_are_full_and_a_broken_disk_is_not() {
        let of = |errno: Errno| failed("sync", "out/loan0.txt", &io::Error::from(errno));
        for full in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert!(matches!(of(full), VolumeError::Full { .. }), "{full}");
        }
        for broken in [Errno::IO, Errno::STALE, Errno::NXIO] {
            assert!(matches!(of(broken), VolumeError::Io { operation: "sync", .. }), "{broken}");
        }
    }
}
