//! Where a run's files are to appear. A file gets its name by a link from its staged one, so each folder has to be on the output
//! root's own device; that is looked at before anything is read.

use crate::core::generate::spec::Worker;
use crate::core::model::run::RunId;
use crate::core::ports::volume::{Volume, VolumeError};
use std::collections::BTreeSet;

/// The folders below the root that a run's names lie in. A name without one adds none.
pub(super) fn folders(worker: &Worker, run: &RunId) -> BTreeSet<String> {
    let names = worker.files.iter().map(|file| file.name.render(run, &file.id));
    names.filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned())).collect()
}

/// Sees that a link can reach each folder that is there.
///
/// # Errors
/// [`VolumeError::Denied`] for a folder on another device, such as a mount or a symbolic link to one.
pub(super) async fn check(volume: &dyn Volume, folders: &BTreeSet<String>) -> Result<(), VolumeError> {
    for folder in folders {
        // The folder above may be the mount: a folder of one day is made only by that day's run.
        for path in ancestors(folder) {
            if volume.is_one_device(path).await? == Some(false) {
                let reason = "it is on another device than `output.root`, and a file gets its name by a link, which works within one \
                              device; name a folder of that device as `output.root`, or leave the sub-folder out of the name"
                    .to_owned();
                return Err(VolumeError::Denied { operation: "publish into", path: path.to_owned(), reason });
            }
        }
    }
    Ok(())
}

/// The folder, and those above it below the root.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |path| Some(path.rsplit_once('/')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_above_count_too() {
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        assert_eq!(ancestors("a").collect::<Vec<_>>(), ["a"]);
    }
}
