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
