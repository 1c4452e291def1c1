//! Output roots.

use crate::adapters::disk::Disk;
use crate::core::generate::spec::OutputSpec;
use crate::core::model::names::HIDDEN;
use crate::core::ports::volume::Volume;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The output root.
pub fn volume(root: &Path) -> Arc<dyn Volume> {
    Arc::new(Disk::new(root))
}

/// The worker's output root; what is published gets the permissions that its file wants.
pub fn volume_of(output: &OutputSpec) -> Arc<dyn Volume> {
    Arc::new(Disk::with(&output.root, output.permissions.clone()))
}

/// A path on this host as a volume sees it.
#[derive(Clone)]
pub struct VolumePath {
    /// The output root that the path lies in.
    pub volume: Arc<dyn Volume>,
    /// The path below the root. `None` is the whole root.
    pub path: Option<String>,
}

impl VolumePath {
    /// A whole output root.
    pub fn root(root: &Path) -> Self {
        Self { volume: volume(root), path: None }
    }
}

/// Finds the output root that a path lies in: above `.filegen`, or the nearest folder with a `.filegen` in it, else the
/// path's own folder. A folder that lies in no other root is a root itself.
pub fn place(path: &Path) -> VolumePath {
    // By its components, so that a slash at the end makes no other path.
    let whole: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect();
    let hidden = whole.ancestors().find(|part| part.file_name().is_some_and(|name| name == HIDDEN));
    let root = match hidden.and_then(Path::parent) {
        Some(root) => Some(root),
        None => whole.ancestors().find(|folder| folder.join(HIDDEN).is_dir()),
    };
    let root = root.unwrap_or_else(|| if whole.is_dir() { &whole } else { whole.parent().unwrap_or(&whole) });
    let below = whole.strip_prefix(root).ok().and_then(Path::to_str).filter(|below| !below.is_empty());
    VolumePath { volume: volume(root), path: below.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_its_output_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join(".filegen/W/20261121/t00000001")).unwrap();
        std::fs::create_dir_all(root.join("sub")).unwrap();
        let seen = |path: &str| {
            let place = place(&root.join(path));
            assert_eq!(place.volume.describe(), root.display().to_string(), "{path}");
            place.path
        };
        assert_eq!(seen(""), None);
        assert_eq!(seen("loan0.txt").as_deref(), Some("loan0.txt"));
        assert_eq!(seen("sub/loan0.txt").as_deref(), Some("sub/loan0.txt"));
        assert_eq!(seen(".filegen/W/20261121/t00000001/Loan0").as_deref(), Some(".filegen/W/20261121/t00000001/Loan0"));
    }
}
