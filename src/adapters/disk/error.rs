//! The system's errors in the volume's words: one table, by number. Source: `errno(3)` and the pages of the calls themselves.

use crate::core::ports::volume::VolumeError;
use crate::files::Foreign;
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// What an error means to a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Word {
    /// Something has that name.
    Exists,
    /// Nothing has that name.
    NotFound,
    /// The folder still holds names.
    NotEmpty,
    /// No room is left.
    Full,
    /// Not allowed, or not possible here; a person mends rights, mount or worker file.
    Denied,
    /// The disk, or what stands for it. Nothing on the descriptor is trusted any more.
    Io,
}

/// Errors, their word, and what to do where the word does not say it. What is not here is [`Word::Io`].
const TABLE: &[(&[Errno], Word, &str)] = &[
    (&[Errno::EXIST], Word::Exists, ""),
    (&[Errno::NOENT], Word::NotFound, ""),
    (&[Errno::NOTEMPTY], Word::NotEmpty, ""),
    (&[Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::MLINK], Word::Full, ""),
    (&[Errno::ACCESS, Errno::PERM], Word::Denied, "give this user the right to read and write there"),
    (&[Errno::ROFS], Word::Denied, "mount it for writing, or name another folder"),
    (
        &[Errno::XDEV],
        Word::Denied,
        "it is on another device than `output.root`: a file gets its name by a link, within one device",
    ),
    (&[Errno::LOOP], Word::Denied, "symbolic links lead back to themselves: mend them"),
    (&[Errno::NAMETOOLONG], Word::Denied, "choose a shorter name"),
    (
        &[Errno::NOSYS, Errno::OPNOTSUPP],
        Word::Denied,
        "its file system does not do this; name another for `output.root`",
    ),
    (&[Errno::IO, Errno::STALE, Errno::NXIO, Errno::NOTDIR, Errno::ISDIR], Word::Io, ""),
    (&[Errno::MFILE, Errno::NFILE], Word::Io, "too many files are open: raise the limit (`ulimit -n`, `LimitNOFILE=`)"),
];

/// Says what was tried on what, and how the system answered.
pub(super) fn failed(operation: &'static str, path: &str, error: &io::Error) -> VolumeError {
    let path = if path.is_empty() { ".".to_owned() } else { path.to_owned() };
    if let Some(Foreign { path, what }) = Foreign::of(error) {
        return VolumeError::Foreign { path: path.clone(), what };
    }
    let (word, advice) = known(error);
    let reason = if advice.is_empty() { error.to_string() } else { format!("{error}; {advice}") };
    match word {
        Word::Exists => VolumeError::Exists { path },
        Word::NotFound => VolumeError::NotFound { path },
        Word::NotEmpty => VolumeError::NotEmpty { path },
        Word::Full => VolumeError::Full { path, reason },
        Word::Denied => VolumeError::Denied { operation, path, reason },
        Word::Io => VolumeError::Io { operation, path, reason },
    }
}

/// As [`failed`], below a root. One that leads through a plain file is the worker file's fault.
pub(super) fn failed_below(operation: &'static str, root: &Path, path: &str, error: &io::Error) -> VolumeError {
    no_root(&[Errno::NOTDIR], operation, root, error).unwrap_or_else(|| failed(operation, path, error))
}

/// Says why a folder below the root was not made. So is a root that is not there, and cannot be made.
pub(super) fn not_made(operation: &'static str, root: &Path, path: &str, error: &io::Error) -> VolumeError {
    let no_place = [Errno::NOENT, Errno::NOTDIR, Errno::INVAL, Errno::EXIST];
    no_root(&no_place, operation, root, error).unwrap_or_else(|| failed(operation, path, error))
}

/// The error of a root that is no folder, when it is one of these.
fn no_root(errors: &[Errno], operation: &'static str, root: &Path, error: &io::Error) -> Option<VolumeError> {
    if !errors.contains(&Errno::from_io_error(error)?) || root.is_dir() {
        return None;
    }
    let reason = format!("{error}; no folder can be made there: name another for `output.root`");
    Some(VolumeError::Denied { operation, path: root.display().to_string(), reason })
}

fn known(error: &io::Error) -> (Word, &'static str) {
    let Some(errno) = Errno::from_io_error(error) else {
        // Words of our own, which say what to do.
        let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
        return (if is_refused { Word::Denied } else { Word::Io }, "");
    };
    let row = TABLE.iter().find(|(errors, _, _)| errors.contains(&errno));
    row.map_or((Word::Io, ""), |(_, word, advice)| (*word, *advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_word_and_those_that_a_person_mends_say_how() {
        for (errors, word, advice) in TABLE {
            for errno in *errors {
                let told = failed("link", "out/loan0.txt", &io::Error::from(*errno));
                let found = match &told {
                    VolumeError::Exists { .. } => Word::Exists,
                    VolumeError::NotFound { .. } => Word::NotFound,
                    VolumeError::NotEmpty { .. } => Word::NotEmpty,
                    VolumeError::Full { .. } => Word::Full,
                    VolumeError::Denied { .. } => Word::Denied,
                    VolumeError::Io { .. } | VolumeError::Foreign { .. } | VolumeError::TermEnded(_) => Word::Io,
                };
                assert_eq!(found, *word, "{errno}: {told}");
                let words = told.to_string();
                assert!(words.contains("`out/loan0.txt`") && words.ends_with(advice), "{errno}: {words}");
                assert!(*word != Word::Denied || !advice.is_empty(), "{errno} needs advice");
            }
        }
    }

    #[test]
    fn what_a_name_is_told_apart_by_has_a_word_of_its_own() {
        let of = |errno: Errno| failed("link", "out/loan0.txt", &io::Error::from(errno));
        let path = || "out/loan0.txt".to_owned();
        assert_eq!(of(Errno::EXIST), VolumeError::Exists { path: path() });
        assert_eq!(of(Errno::NOENT), VolumeError::NotFound { path: path() });
        assert_eq!(of(Errno::NOTEMPTY), VolumeError::NotEmpty { path: path() });
        for denied in [Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::XDEV] {
            assert!(matches!(of(denied), VolumeError::Denied { operation: "link", .. }), "{denied}");
        }
        let root = failed("list", "", &io::Error::from(Errno::NOENT));
        assert_eq!(root, VolumeError::NotFound { path: ".".to_owned() }, "the root has a name for people");
    }

    #[test]
    fn words_of_our_own_are_kept() {
        let own = io::Error::new(io::ErrorKind::PermissionDenied, "this host has no such group");
        let told = failed("make folder", "a", &own);
        assert!(
            matches!(&told, VolumeError::Denied { reason, .. } if reason == "this host has no such group"),
            "{told:?}"
        );
        assert!(matches!(failed("copy", "a", &io::Error::other("no")), VolumeError::Io { .. }));
    }

    #[test]
    fn a_disk_and_a_quota_that_are_used_up_are_full_and_a_broken_disk_is_not() {
        let of = |errno: Errno| failed("sync", "out/loan0.txt", &io::Error::from(errno));
        for full in [Errno::NOSPC, Errno::DQUOT, Errno::FBIG] {
            assert!(matches!(of(full), VolumeError::Full { .. }), "{full}");
        }
        for broken in [Errno::IO, Errno::STALE, Errno::NXIO, Errno::BADF] {
            assert!(matches!(of(broken), VolumeError::Io { operation: "sync", .. }), "{broken}");
        }
    }

    #[test]
    fn a_root_that_cannot_be_made_is_a_wrong_root() {
        let made = |root: &Path, errno: Errno| not_made("make folder", root, ".filegen", &io::Error::from(errno));
        let nowhere = Path::new("/proc/no/such");
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::INVAL, Errno::EXIST] {
            let told = made(nowhere, errno);
            assert!(matches!(&told, VolumeError::Denied { path, .. } if path == "/proc/no/such"), "{told:?}");
        }
        let looked = |errno: Errno| failed_below("list", nowhere, "", &io::Error::from(errno));
        assert!(matches!(looked(Errno::NOTDIR), VolumeError::Denied { .. }), "it leads through a file");
        assert!(matches!(looked(Errno::NOENT), VolumeError::NotFound { .. }), "it may be made yet");
        assert!(matches!(made(nowhere, Errno::IO), VolumeError::Io { .. }), "a broken disk is one");
        assert!(matches!(made(nowhere, Errno::ROFS), VolumeError::Denied { .. }));
        assert!(matches!(made(Path::new("/"), Errno::NOENT), VolumeError::NotFound { .. }), "it is there");
    }
}
