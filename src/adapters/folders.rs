//! Folders of this host, each opened from its root's handle.

use crate::core::ports::folders::{Content, FILES_MAX, FolderError, Folders, FoundFile, Listing, Pulse};
use crate::files::{Beneath, Foreign, Found, copy_digested};
use async_trait::async_trait;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Most odd things of one folder that are told.
const ODD_MAX: usize = 20;

/// Deepest folder below a data source's.
const DEPTH_MAX: usize = 64;

/// What is mounted where, as the system tells it without asking any disk.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Most bytes of that.
const MOUNTS_MAX: u64 = 4 << 20;

/// Folders of this host. Each call runs on a thread of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFolders;

#[async_trait]
impl Folders for LocalFolders {
    async fn check(&self, root: &Path, below: &str, pulse: &Pulse) -> Result<(), FolderError> {
        apart(root, below, pulse, |root, below, pulse| {
            let beneath = open(&root)?;
            // Opened as it is for a listing, so that rights and links are seen.
            beneath
                .names_by_step(&below, &|| pulse.beat())
                .map(drop)
                .map_err(|error| failed(&at(&root, &below), &error))
        })
        .await
    }

    async fn list(&self, root: &Path, below: &str, deep: bool, pulse: &Pulse) -> Result<Listing, FolderError> {
        apart(root, below, pulse, move |root, below, pulse| list(&root, &below, deep, pulse)).await
    }

    async fn read(&self, root: &Path, path: &str, pulse: &Pulse) -> Result<Content, FolderError> {
        apart(root, path, pulse, |root, path, pulse| {
            let file = open(&root)?.open(&path).map_err(|error| failed(&at(&root, &path), &error))?;
            content(file, pulse).map_err(|error| failed(&at(&root, &path), &error))
        })
        .await
    }

    fn disk(&self, root: &Path, below: &str) -> String {
        let mounts = crate::files::read(Path::new(MOUNTS), MOUNTS_MAX).unwrap_or_default();
        mount_of(&root.join(below), &String::from_utf8_lossy(&mounts))
    }
}

/// Works where it may block. A panic there goes on here.
async fn apart<T: Send + 'static>(
    root: &Path,
    below: &str,
    pulse: &Pulse,
    work: impl FnOnce(PathBuf, String, &Pulse) -> Result<T, FolderError> + Send + 'static,
) -> Result<T, FolderError> {
    let (root, below, pulse) = (root.to_owned(), below.to_owned(), pulse.clone());
    match tokio::task::spawn_blocking(move || work(root, below, &pulse)).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The mount point that a path lies below, by names alone: a disk that hangs answers nothing about itself. A root that is a link is taken
/// as it is written.
fn mount_of(path: &Path, mounts: &str) -> String {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(|point| point.replace("\\040", " "));
    let above = points.filter(|point| path.starts_with(point));
    above.max_by_key(String::len).unwrap_or_else(|| "/".to_owned())
}

fn open(root: &Path) -> Result<Beneath, FolderError> {
    Beneath::of(root).map_err(|error| failed(&root.display().to_string(), &error))
}

fn at(root: &Path, below: &str) -> String {
    if below.is_empty() { root.display().to_string() } else { root.join(below).display().to_string() }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn list(root: &Path, below: &str, deep: bool, pulse: &Pulse) -> Result<Listing, FolderError> {
    let beneath = open(root)?;
    let mut listing = Listing::default();
    // Paths below the listed folder, each with its depth.
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let path = if folder.is_empty() { below.to_owned() } else { join(below, &folder) };
        let names = match beneath.names_by_step(&path, &|| pulse.beat()) {
            Ok(names) => names,
            Err(error) if folder.is_empty() => return Err(failed(&at(root, &path), &error)),
            // The others are looked at.
            Err(error) => {
                let error = failed(&at(root, &path), &error);
                let is_gone = matches!(error, FolderError::Missing { .. });
                note(if is_gone { &mut listing.odd } else { &mut listing.closed }, error.to_string());
                continue;
            }
        };
        for (name, found) in names {
            let path = join(&folder, &name.to_string_lossy());
            if name.to_str().is_none() && found.is_file() {
                listing.unnameable.push(path);
            } else if name.to_str().is_none() && found.is_dir() {
                if deep {
                    let path = at(root, &join(below, &path));
                    note(&mut listing.closed, FolderError::Unnameable { path }.to_string());
                }
            } else if found.is_file() {
                listing.files.push(FoundFile {
                    size: found.bytes,
                    modified_at: modified(&found),
                    stamp: found.stamp(),
                    path,
                });
            } else if found.is_dir() {
                if deep && depth < DEPTH_MAX {
                    folders.push((path, depth + 1));
                } else if deep {
                    note(&mut listing.odd, format!("{path} lies below {DEPTH_MAX} folders, and is not looked into"));
                }
            } else {
                note(&mut listing.odd, format!("{path} is {}, and is passed over", found.words()));
            }
        }
        if listing.files.len() + listing.unnameable.len() > FILES_MAX {
            return Err(FolderError::TooMany { path: at(root, below) });
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    listing.unnameable.sort();
    Ok(listing)
}

fn note(odd: &mut Vec<String>, sentence: String) {
    if odd.len() < ODD_MAX {
        odd.push(sentence);
    }
}

/// Beats with each piece, and keeps nothing of it.
struct Beats<'a>(&'a Pulse);

impl Write for Beats<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.beat();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn content(mut file: File, pulse: &Pulse) -> io::Result<Content> {
    let (size, sha256) = copy_digested(&mut file, &mut Beats(pulse))?;
    let found = Found::of_file(&file)?;
    let (modified_at, stamp) = (modified(&found), found.stamp());
    Ok(Content { sha256, size, modified_at, stamp })
}

/// To the millisecond, as every store keeps it.
pub(super) fn modified(found: &Found) -> Timestamp {
    let (seconds, nanos) = found.modified;
    Timestamp::from_millisecond(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000)).unwrap_or_default()
}

pub(super) fn failed(path: &str, error: &io::Error) -> FolderError {
    let path = path.to_owned();
    if let Some(foreign) = Foreign::of(error) {
        return FolderError::Foreign { path, what: foreign.what };
    }
    match error.kind() {
        io::ErrorKind::NotFound => FolderError::Missing { path },
        io::ErrorKind::PermissionDenied => FolderError::Denied { path },
        io::ErrorKind::NotADirectory => FolderError::Foreign { path, what: "a file, not a folder" },
        _ => FolderError::Failed { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[tokio::test]
    async fn nothing_outside_of_a_root_is_looked_at() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = inside.path();
        let pulse = Pulse::default();
        fs::write(outside.path().join("secret.csv"), "s").unwrap();
        fs::create_dir_all(root.join("in/deep")).unwrap();
        fs::write(root.join("in/a.csv"), "abc").unwrap();
        fs::write(root.join("in/deep/b.csv"), "").unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink(outside.path().join("secret.csv"), root.join("in/link.csv")).unwrap();
        let paths = |listing: &Listing| listing.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        let flat = LocalFolders.list(root, "in", false, &pulse).await.unwrap();
        assert_eq!((paths(&flat), flat.odd.len()), (vec!["a.csv".to_owned()], 1), "{:?}", flat.odd);
        let deep = LocalFolders.list(root, "", true, &pulse).await.unwrap();
        assert_eq!(paths(&deep), ["in/a.csv", "in/deep/b.csv"]);
        let below = vec!["d"; DEPTH_MAX + 2].join("/");
        fs::create_dir_all(root.join("far").join(&below)).unwrap();
        let far = LocalFolders.list(root, "far", true, &pulse).await.unwrap();
        assert!(far.odd.len() == 1 && far.odd[0].contains("64 folders"), "{:?}", far.odd);
        fs::remove_dir_all(root.join("far")).unwrap();
        // What nothing can name is told, and never taken for something else.
        let odd = root.join("odd");
        fs::create_dir_all(odd.join(OsStr::from_bytes(b"d\xff"))).unwrap();
        fs::write(odd.join(OsStr::from_bytes(b"\xff.csv")), "").unwrap();
        let named = LocalFolders.list(root, "odd", true, &pulse).await.unwrap();
        assert_eq!((named.files.len(), &named.unnameable[..]), (0, &["\u{fffd}.csv".to_owned()][..]));
        assert!(
            named.closed.len() == 1 && named.closed[0].contains("d\u{fffd} is no UTF-8 text"),
            "{:?}",
            named.closed
        );
        assert!(LocalFolders.list(root, "odd", false, &pulse).await.unwrap().closed.is_empty());
        fs::remove_dir_all(odd).unwrap();
        for path in ["out", "in/link.csv"] {
            let error = LocalFolders.check(root, path, &pulse).await.unwrap_err();
            assert!(matches!(error, FolderError::Foreign { what: "a link", .. }), "{error:?}");
        }
        assert!(matches!(LocalFolders.read(root, "in/link.csv", &pulse).await, Err(FolderError::Foreign { .. })));
        assert!(matches!(LocalFolders.read(root, "out/secret.csv", &pulse).await, Err(FolderError::Foreign { .. })));
        assert!(matches!(LocalFolders.check(root, "none", &pulse).await, Err(FolderError::Missing { .. })));
        assert!(matches!(LocalFolders.check(root, "in/a.csv", &pulse).await, Err(FolderError::Foreign { .. })));
        let content = LocalFolders.read(root, "in/a.csv", &pulse).await.unwrap();
        assert_eq!((content.size, &content.sha256[..8]), (3, "ba7816bf"));
        assert_eq!(content.stamp, flat.files[0].stamp);
        assert!(pulse.is_over() && pulse.beats() > 5, "{pulse:?}");
        // A folder that becomes a link later is a link.
        fs::rename(root.join("in"), root.join("was")).unwrap();
        symlink(outside.path(), root.join("in")).unwrap();
        assert!(matches!(LocalFolders.list(root, "in", true, &pulse).await, Err(FolderError::Foreign { .. })));
    }
    #[test]
    fn a_path_lies_on_the_innermost_mount_above_it() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:30 / /data/my\\040share rw - nfs host:/ rw\n\
                      3 1 0:31 / /data rw - ext4 /dev/sdb rw\n";
        for (path, mount) in [
            ("/data/my share/in", "/data/my share"),
            ("/data/my share2", "/data"),
            ("/data", "/data"),
            ("/database", "/"),
        ] {
            assert_eq!(mount_of(Path::new(path), mounts), mount, "{path}");
        }
        assert_eq!(mount_of(Path::new("/data"), ""), "/");
    }
}
