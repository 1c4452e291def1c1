//! Who may write the state file and what lies around it. SQLite writes beside the file, so the folder counts as much.

use super::beside_wal;
use crate::core::model::amount::counted;
use crate::core::model::finding::{CheckVerdict, Finding};
use rustix::fs::{Access, access};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The bit that lets a file's group write it.
const GROUP_WRITES: u32 = 0o020;

/// Free bytes below which SQLite soon takes no more writes: its log of changes alone grows by more in a busy minute.
const ROOM: u64 = 4 << 20;

/// What keeps this user, or others of the output root's group, from writing the state file or the folders in which a run works.
/// What is not there yet keeps nobody.
pub fn rights(state: &Path, root: &Path, hidden: &[PathBuf]) -> Finding {
    let folder = state.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut places = vec![root.to_owned(), folder.to_owned(), state.to_owned()];
    places.extend(beside_wal(state));
    places.extend(hidden.iter().cloned());
    places.retain(|place| place.exists());
    places.dedup();
    let finding = |verdict, detail: String| Finding { check: "permissions".to_owned(), verdict, detail };
    let shut: Vec<&PathBuf> =
        places.iter().filter(|place| access(place.as_path(), Access::WRITE_OK).is_err()).collect();
    if !shut.is_empty() {
        let detail =
            format!("this user may not write {}; give it the right, or run as the user who made them", listed(&shut));
        return finding(CheckVerdict::Fail, detail);
    }
    let free = rustix::fs::statvfs(folder).ok().map(|there| there.f_bavail.saturating_mul(there.f_frsize));
    if let Some(detail) = free.and_then(|free| lack_of_room(free, folder)) {
        return finding(CheckVerdict::Fail, detail);
    }
    let mode = |place: &Path| place.metadata().map_or(0, |found| found.permissions().mode());
    if mode(root) & GROUP_WRITES == 0 {
        return finding(CheckVerdict::Pass, "this user may write all of it".to_owned());
    }
    let narrow: Vec<&PathBuf> = places.iter().filter(|place| mode(place) & GROUP_WRITES == 0).collect();
    if narrow.is_empty() {
        return finding(CheckVerdict::Pass, "this user and the output root's group may write all of it".to_owned());
    }
    let detail = format!(
        "the group may write the output root, and not {}: a run by another of its users would fail; where several users share \
         the work, `chmod g+rw` the files and `chmod g+rwx` the folders",
        listed(&narrow)
    );
    finding(CheckVerdict::Warn, detail)
}

/// Why a file system with so many free bytes takes no state.
fn lack_of_room(free: u64, folder: &Path) -> Option<String> {
    (free < ROOM).then(|| {
        format!(
            "the file system of `{}` has {} left, and the state store is about to take no more writes: free some space",
            folder.display(),
            counted(free, "byte")
        )
    })
}

fn listed(places: &[&PathBuf]) -> String {
    places.iter().map(|place| format!("`{}`", place.display())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_system_without_room_is_told() {
        assert_eq!(lack_of_room(ROOM, Path::new("out")), None);
        let told = lack_of_room(0, Path::new("out")).unwrap();
        assert!(told.contains("`out` has 0 bytes left") && told.contains("free some space"), "{told}");
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_the_group_may_not_write_in_a_shared_root_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (root, hidden) = (folder.path().join("out"), folder.path().join("out/.filegen"));
        let state = hidden.join("state.db");
        let verdict = || rights(&state, &root, std::slice::from_ref(&hidden)).verdict;
        assert_eq!(verdict(), CheckVerdict::Pass, "nothing is there yet");
        fs::create_dir_all(&hidden).unwrap();
        fs::write(&state, "").unwrap();
        for (mode_of_root, mode_of_hidden, mode_of_state, wanted) in [
            (0o755, 0o755, 0o644, CheckVerdict::Pass),
            (0o775, 0o775, 0o664, CheckVerdict::Pass),
            (0o775, 0o755, 0o664, CheckVerdict::Warn),
            (0o775, 0o775, 0o644, CheckVerdict::Warn),
        ] {
            for (path, mode) in [(&root, mode_of_root), (&hidden, mode_of_hidden), (&state, mode_of_state)] {
                set(path, mode);
            }
            assert_eq!(verdict(), wanted, "{mode_of_root:o} {mode_of_hidden:o} {mode_of_state:o}");
        }
        let told = rights(&state, &root, &[]).detail;
        assert!(told.contains("state.db`") && told.contains("chmod g+rw") && !told.contains(".filegen`"), "{told}");
    }
}
