//! What is in the folder.

use super::{Places, file_of, joined, parted};
use crate::core::ports::folders::{FILES_MAX, FolderError};
use crate::core::ports::inbox::{InboxListing, OddEntry};
use crate::files::Beneath;
use std::ffi::OsString;

/// Deepest folder that is looked at.
const DEPTH_MAX: usize = 64;

/// Most odd entries that one look tells.
const ODD_MAX: usize = 100;

/// What this product makes for a moment begins so.
pub(super) const TEMPORARY: &str = ".filegen-";

/// A file on its way to be deleted has this in front of its name.
pub(super) const GONE: &str = ".filegen-gone.";

pub(super) fn list(places: &Places, deep: bool) -> Result<InboxListing, FolderError> {
    let root = places.root()?;
    let mut listing = InboxListing::default();
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        places.notices.add([places.directory.join(&folder)]);
        let names = match root.names(&folder) {
            Ok(names) => names,
            Err(error) if folder.is_empty() => return Err(places.failed(&folder, &error)),
            Err(error) => {
                let (above, name) = parted(&folder);
                note(&mut listing, above, name.into(), places.failed(&folder, &error).to_string(), false);
                continue;
            }
        };
        for (name, found) in names {
            let Some(text) = name.to_str() else {
                let what = "its name is no UTF-8 text".to_owned();
                note(&mut listing, &folder, name, what, found.is_file());
                continue;
            };
            let path = joined(&folder, text);
            if text.starts_with(TEMPORARY) {
                bring_back(&root, &folder, text);
            } else if places.left_out.contains(&path) {
                // A shelf, or a place of the broker.
            } else if found.is_file() {
                listing.files.push(file_of(&path, &found));
            } else if !found.is_dir() {
                note(&mut listing, &folder, name, format!("it is {}, and is passed over", found.words()), false);
            } else if deep && depth < DEPTH_MAX {
                folders.push((path, depth + 1));
            } else if deep {
                note(
                    &mut listing,
                    &folder,
                    name,
                    format!("it lies below {DEPTH_MAX} folders, and is not looked into"),
                    false,
                );
            }
        }
        if listing.files.len() > FILES_MAX {
            return Err(FolderError::TooMany { path: places.directory.display().to_string() });
        }
    }
    Ok(listing)
}

/// A file that was about to be deleted when its process ended: whether it was the version that was meant is not known, so it is looked
/// at again.
fn bring_back(root: &Beneath, folder: &str, name: &str) {
    let Some(own) = name.strip_prefix(GONE) else { return };
    let path = joined(folder, own);
    // A newer version may have the name: then this one was dealt with.
    let _ = root.move_new(folder, name.as_ref(), root, &path).is_ok();
}

fn note(listing: &mut InboxListing, folder: &str, name: OsString, what: String, is_file: bool) {
    if listing.odd.len() < ODD_MAX {
        listing.odd.push(OddEntry { folder: folder.to_owned(), name, what, is_file });
    }
}
