//! What every folder that files are brought to promises: a file appears whole, once, and replaces nothing.

use crate::support::state::at;
use filegen::adapters::folders::LocalFolders;
use filegen::adapters::handover::LocalHandover;
use filegen::adapters::memory::folders::MemoryFolders;
use filegen::adapters::memory::handover::MemoryHandover;
use filegen::core::ports::folders::{Content, Folders, Pulse};
use filegen::core::ports::handover::{Given, Handover};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

/// Puts a file with this content at a path.
type Write = Box<dyn Fn(&Path, &str)>;

struct Place {
    root: std::path::PathBuf,
    folders: Arc<dyn Folders>,
    to: Arc<dyn Handover>,
    target: std::path::PathBuf,
    write: Write,
}

impl Place {
    async fn content(&self, path: &str) -> Content {
        self.folders.read(&self.root, path, &Pulse::default()).await.unwrap()
    }

    async fn there(&self, name: &str) -> Option<String> {
        self.folders.read(&self.target, name, &Pulse::default()).await.ok().map(|content| content.sha256)
    }
}

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Place) -> F) {
    let memory = MemoryFolders::default();
    let written = memory.clone();
    run(Place {
        root: "/data".into(),
        to: Arc::new(MemoryHandover::new(&memory, Path::new("/in"))),
        folders: Arc::new(memory),
        target: "/in".into(),
        write: Box::new(move |path, content| written.write(path, content.as_bytes(), at(1))),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let (root, target) = (folder.path().join("data"), folder.path().join("in"));
    run(Place {
        to: Arc::new(LocalHandover::new(&target)),
        folders: Arc::new(LocalFolders),
        write: Box::new(|path, content| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }),
        root,
        target,
    })
    .await;
}

#[tokio::test]
async fn a_file_appears_whole_once_and_replaces_nothing() {
    on_each(|place| async move {
        (place.write)(&place.root.join("x/a"), "one");
        let one = place.content("x/a").await;
        for _ in 0..2 {
            assert_eq!(place.to.give(&place.root, "x/a", &one, "deep/a").await, Ok(Given::There));
        }
        assert_eq!(place.there("deep/a").await.as_ref(), Some(&one.sha256));
        (place.write)(&place.root.join("x/a"), "other");
        assert_eq!(place.to.give(&place.root, "x/a", &one, "b").await, Ok(Given::Changed));
        assert_eq!(place.there("b").await, None);
        let other = place.content("x/a").await;
        assert_eq!(place.to.give(&place.root, "x/a", &other, "deep/a").await, Ok(Given::Taken));
        assert_eq!(place.there("deep/a").await.as_ref(), Some(&one.sha256));
        assert!(place.to.give(&place.root, "none", &other, "c").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_as_readable_as_its_file_leaves_nothing_beside_it_and_follows_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let (root, target) = (folder.path().join("data"), folder.path().join("in"));
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("a"), "one").unwrap();
    fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o640)).unwrap();
    let content = LocalFolders.read(&root, "a", &Pulse::default()).await.unwrap();
    let to = LocalHandover::new(&target);
    assert_eq!(to.give(&root, "a", &content, "deep/a").await, Ok(Given::There));
    assert_eq!(fs::metadata(target.join("deep/a")).unwrap().permissions().mode() & 0o777, 0o640);
    let names: Vec<_> = fs::read_dir(target.join("deep")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a"]);
    let wrong = Content { sha256: "0".repeat(64), ..content.clone() };
    assert_eq!(to.give(&root, "a", &wrong, "b").await, Ok(Given::Changed));
    assert_eq!(fs::read_dir(&target).unwrap().count(), 1, "nothing of a copy that does not count stays");
    symlink("a", root.join("link")).unwrap();
    assert!(to.give(&root, "link", &content, "b").await.is_err());
    symlink(&root, target.join("out")).unwrap();
    assert!(to.give(&root, "a", &content, "out/b").await.is_err());
    assert!(!root.join("b").exists());
}

#[tokio::test]
async fn a_file_that_is_lent_appears_whole_once_and_replaces_nothing() {
    on_each(|place| async move {
        (place.write)(&place.root.join("x/a"), "one");
        let one = place.content("x/a").await;
        let file = (one.size, one.sha256.as_str());
        for _ in 0..2 {
            assert_eq!(place.to.lend(&place.root, "x/a", file, "x/a").await, Ok(Given::There));
        }
        assert_eq!(place.there("x/a").await.as_ref(), Some(&one.sha256));
        let wrong = (3, "0".repeat(64));
        assert_eq!(place.to.lend(&place.root, "x/a", (wrong.0, &wrong.1), "b").await, Ok(Given::Changed));
        assert_eq!(place.there("b").await, None);
        (place.write)(&place.root.join("c"), "two");
        let two = place.content("c").await;
        assert_eq!(place.to.lend(&place.root, "c", (two.size, &two.sha256), "x/a").await, Ok(Given::Taken));
        assert_eq!(place.there("x/a").await.as_ref(), Some(&one.sha256));
        assert!(place.to.lend(&place.root, "none", file, "d").await.is_err());
        assert!(place.to.try_out(&place.root, "n").await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn what_is_lent_is_the_file_itself_and_a_copy_only_on_another_file_system() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("a"), "one").unwrap();
    let content = LocalFolders.read(&root, "a", &Pulse::default()).await.unwrap();
    let file = (content.size, content.sha256.as_str());
    let number = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).unwrap();
    let near = LocalHandover::new(&folder.path().join("in"));
    assert_eq!(near.try_out(&root, "n").await, Ok(true));
    assert_eq!(near.lend(&root, "a", file, "x/a").await, Ok(Given::There));
    assert_eq!(number(&folder.path().join("in/x/a")), number(&root.join("a")));
    let own = fs::metadata(&root).unwrap().dev();
    let others = ["/dev/shm", "/tmp", env!("CARGO_TARGET_TMPDIR")];
    if let Some(other) = others.into_iter().find(|path| fs::metadata(path).is_ok_and(|found| found.dev() != own)) {
        let other = tempfile::tempdir_in(other).unwrap();
        let far = LocalHandover::new(other.path());
        assert_eq!(far.try_out(&root, "n").await, Ok(false));
        assert_eq!(far.lend(&root, "a", file, "a").await, Ok(Given::There));
        assert_eq!(fs::read_to_string(other.path().join("a")).unwrap(), "one");
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1, "nothing of the tries stays");
    }
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    // A link is no file that was published.
    symlink("a", root.join("link")).unwrap();
    assert!(near.lend(&root, "link", file, "b").await.is_err());
    symlink(&root, folder.path().join("in/out")).unwrap();
    assert!(near.lend(&root, "a", file, "out/b").await.is_err());
}
