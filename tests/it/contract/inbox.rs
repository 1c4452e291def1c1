//! What every folder to collect from promises: only the version that is meant is ever moved.

use filegen::adapters::inbox::LocalInbox;
use filegen::adapters::memory::inbox::MemoryInbox;
use filegen::core::ports::folders::FoundFile;
use filegen::core::ports::inbox::{Inbox, Moved, Shelf};
use jiff::Timestamp;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// Puts a file there as its writer does.
type Write = Arc<dyn Fn(&str, &[u8]) + Send + Sync>;

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Arc<dyn Inbox>, Write) -> F) {
    let memory = MemoryInbox::default();
    let writer = memory.clone();
    let write: Write = Arc::new(move |path: &str, bytes: &[u8]| writer.write(path, bytes, Timestamp::UNIX_EPOCH));
    run(Arc::new(memory), write).await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("in")).unwrap();
    let inside = at("in");
    let write: Write = Arc::new(move |path: &str, bytes: &[u8]| {
        let path: PathBuf = inside.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As most writers do: under another name first.
        let beside = path.with_extension("new");
        fs::write(&beside, bytes).unwrap();
        fs::rename(beside, path).unwrap();
    });
    run(Arc::new(LocalInbox::new(&at("in"), &at("archive"), &at("in/error"), &[])), write).await;
}

async fn found(inbox: &dyn Inbox, path: &str) -> Option<FoundFile> {
    inbox.list(true).await.unwrap().files.into_iter().find(|file| file.path == path)
}

#[tokio::test]
async fn a_version_is_moved_and_another_one_is_left() {
    on_each(|inbox, write| async move {
        write("x/a.csv", b"one");
        let one = found(&*inbox, "x/a.csv").await.unwrap();
        assert!(inbox.list(false).await.unwrap().files.is_empty());
        let mut open = inbox.open("x/a.csv").await.unwrap();
        assert_eq!((open.read(1, 9).await, open.read(3, 9).await), (Ok(b"ne".to_vec()), Ok(Vec::new())));
        assert_eq!(open.now().await, Ok(one.clone()));
        write("x/a.csv", b"two!");
        for moved in [
            inbox.shelve(Shelf::Archive, "d", &one, "").await,
            inbox.keep_on(Shelf::Error, "d", &one, "").await,
            inbox.remove(&one).await,
        ] {
            assert_eq!(moved, Ok(Moved::Changed));
        }
        let two = found(&*inbox, "x/a.csv").await.unwrap();
        assert_eq!(inbox.shelve(Shelf::Archive, "d", &two, "").await, Ok(Moved::To("d/x/a.csv".to_owned())));
        // Whoever did not live to say so finds it again.
        assert_eq!(inbox.shelve(Shelf::Archive, "d", &two, "").await, Ok(Moved::To("d/x/a.csv".to_owned())));
        assert_eq!(inbox.remove(&two).await, Ok(Moved::Gone));
        write("x/a.csv", b"three");
        let three = found(&*inbox, "x/a.csv").await.unwrap();
        assert_eq!(inbox.shelve(Shelf::Archive, "d", &three, "").await, Ok(Moved::To("d/x/a-1.csv".to_owned())));
        write("b", b"4");
        let four = found(&*inbox, "b").await.unwrap();
        assert_eq!(inbox.remove(&four).await, Ok(Moved::To(String::new())));
        assert!(inbox.list(true).await.unwrap().files.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_explained_and_comes_back() {
    on_each(|inbox, write| async move {
        write("a.csv", b"one");
        let one = found(&*inbox, "a.csv").await.unwrap();
        assert_eq!(inbox.shelve(Shelf::Error, "d", &one, "").await, Ok(Moved::To("d/a.csv".to_owned())));
        inbox.explain("d/a.csv", b"why").await.unwrap();
        inbox.explain("d/a.csv", b"why else").await.unwrap();
        assert!(inbox.list(true).await.unwrap().files.is_empty(), "a shelf is no part of the folder");
        write("a.csv", b"other");
        assert_eq!(inbox.restore("d/a.csv", "a.csv").await, Ok(Moved::Changed), "the name is taken");
        let other = found(&*inbox, "a.csv").await.unwrap();
        inbox.remove(&other).await.unwrap();
        assert_eq!(inbox.restore("d/a.csv", "a.csv").await, Ok(Moved::To("a.csv".to_owned())));
        assert_eq!(inbox.restore("d/a.csv", "b.csv").await, Ok(Moved::Gone));
        let back = found(&*inbox, "a.csv").await.unwrap();
        assert_eq!((back.size, back.modified_at), (3, one.modified_at));
        assert_eq!(inbox.keep_on(Shelf::Error, "d", &back, "").await, Ok(Moved::To("d/a.csv".to_owned())));
        assert!(found(&*inbox, "a.csv").await.is_some());
    })
    .await;
}
