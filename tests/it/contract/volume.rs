//! What every volume promises.

use crate::support::term;
use filegen::adapters::disk::Disk;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::model::term::Term;
use filegen::core::ports::volume::{EntryKind, Volume, VolumeError, VolumeFile};
use std::future::Future;
use std::sync::Arc;

async fn on_each<F: Future<Output = ()>>(claim: impl Fn(Arc<dyn Volume>, Term) -> F) {
    claim(Arc::new(MemoryVolume::default()), term(1)).await;
    let folder = tempfile::tempdir().unwrap();
    claim(Arc::new(Disk::new(folder.path())), term(1)).await;
}

async fn write(volume: &dyn Volume, term: &Term, path: &str, text: &str) -> Arc<dyn VolumeFile> {
    let file = volume.create(term, path).await.unwrap();
    file.write_at(term, 0, text.into()).await.1.unwrap();
    file.sync_data(term).await.unwrap();
    file
}

async fn read(volume: &dyn Volume, path: &str) -> String {
    let bytes = volume.open(path).await.unwrap().read_at(0, 1 << 20).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

fn exists<T>(result: &Result<T, VolumeError>) -> bool {
    matches!(result, Err(VolumeError::Exists { .. }))
}

#[tokio::test]
async fn a_name_is_given_once() {
    on_each(|volume, term| async move {
        volume.make_dirs(&term, "a/b").await.unwrap();
        volume.make_dirs(&term, "a/b").await.unwrap();
        assert!(exists(&volume.make_dir(&term, "a/b").await));
        write(&*volume, &term, "a/f", "one").await;
        assert!(exists(&volume.create(&term, "a/f").await.map(drop)));
        assert!(exists(&volume.make_dir(&term, "a/f").await), "a tombstone keeps a late mkdir out");
        assert!(exists(&volume.link(&term, "a/f", "a/b").await));
        write(&*volume, &term, "a/g", "two").await;
        assert!(exists(&volume.link(&term, "a/g", "a/f").await));
        assert_eq!(read(&*volume, "a/f").await, "one");
    })
    .await;
}

#[tokio::test]
async fn a_missing_folder_is_said() {
    on_each(|volume, term| async move {
        let missing = |result: Result<(), VolumeError>| matches!(result, Err(VolumeError::NotFound { .. }));
        assert!(missing(volume.make_dir(&term, "no/b").await));
        assert!(missing(volume.create(&term, "no/f").await.map(drop)));
        assert!(missing(volume.open("no").await.map(drop)));
        assert!(missing(volume.unlink(&term, "no").await));
        assert!(missing(volume.rename(&term, "no", "yes").await));
        assert_eq!(volume.list("no").await.unwrap(), []);
        assert_eq!(volume.stat("no/f").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_open_file_outlives_its_name_and_cannot_reach_the_next_of_that_name() {
    on_each(|volume, term| async move {
        volume.make_dirs(&term, "t1").await.unwrap();
        let old = write(&*volume, &term, "t1/f", "old").await;
        volume.rename(&term, "t1", "t1.dead2").await.unwrap();
        volume.create(&term, "t1").await.unwrap();
        volume.unlink(&term, "t1.dead2/f").await.unwrap();
        volume.remove_dir(&term, "t1.dead2").await.unwrap();
        volume.make_dirs(&term, "t2").await.unwrap();
        write(&*volume, &term, "t2/f", "new").await;
        volume.link(&term, "t2/f", "final").await.unwrap();
        old.write_at(&term, 0, b"late".to_vec()).await.1.unwrap();
        assert_eq!(read(&*volume, "final").await, "new");
        assert!(volume.link(&term, "t1/f", "late").await.is_err(), "nothing is reached through a tombstone");
    })
    .await;
}

#[tokio::test]
async fn a_folder_goes_only_when_it_is_empty() {
    on_each(|volume, term| async move {
        volume.make_dirs(&term, "d").await.unwrap();
        write(&*volume, &term, "d/f", "x").await;
        assert!(matches!(volume.remove_dir(&term, "d").await, Err(VolumeError::NotEmpty { .. })));
        volume.unlink(&term, "d/f").await.unwrap();
        volume.remove_dir(&term, "d").await.unwrap();
        assert_eq!(volume.stat("d").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn bytes_stand_where_they_were_written() {
    on_each(|volume, term| async move {
        let file = write(&*volume, &term, "f", "0123456789").await;
        file.write_at(&term, 4, b"xy".to_vec()).await.1.unwrap();
        file.write_at(&term, 12, b"z".to_vec()).await.1.unwrap();
        assert_eq!(read(&*volume, "f").await, "0123xy6789\0\0z");
        assert_eq!(file.read_at(9, 100).await.unwrap(), b"9\0\0z");
        assert_eq!(file.read_at(50, 1).await.unwrap(), b"");
        file.set_size(&term, 3).await.unwrap();
        assert_eq!(file.size().await.unwrap(), 3);
        volume.create(&term, "copy").await.unwrap();
        volume.copy_prefix(&term, "f", "copy", 2).await.unwrap();
        assert_eq!(read(&*volume, "copy").await, "01");
        assert!(volume.open("f").await.unwrap().write_at(&term, 0, b"no".to_vec()).await.1.is_err());
    })
    .await;
}

#[tokio::test]
async fn names_are_listed_in_order_with_their_kind() {
    on_each(|volume, term| async move {
        volume.make_dirs(&term, "d/z").await.unwrap();
        write(&*volume, &term, "d/b", "12345").await;
        write(&*volume, &term, "d/a", "").await;
        let listed: Vec<_> = volume.list("d").await.unwrap().into_iter().map(|e| (e.name, e.kind, e.bytes)).collect();
        let expected = [("a", EntryKind::File, 0), ("b", EntryKind::File, 5), ("z", EntryKind::Dir, 0)];
        assert_eq!(listed, expected.map(|(name, kind, bytes)| (name.to_owned(), kind, bytes)));
    })
    .await;
}

#[tokio::test]
async fn nothing_changes_once_the_term_has_ended() {
    on_each(|volume, term| async move {
        volume.make_dirs(&term, "d/e").await.unwrap();
        let file = write(&*volume, &term, "d/f", "kept").await;
        term.end();
        let refused = |result: Result<(), VolumeError>| matches!(result, Err(VolumeError::TermEnded(_)));
        assert!(refused(volume.make_dir(&term, "x").await));
        assert!(refused(volume.make_dirs(&term, "x/y").await));
        assert!(refused(volume.create(&term, "x").await.map(drop)));
        assert!(refused(volume.copy_prefix(&term, "d/f", "d/f", 1).await));
        assert!(refused(volume.rename(&term, "d/f", "x").await));
        assert!(refused(volume.link(&term, "d/f", "x").await));
        assert!(refused(volume.unlink(&term, "d/f").await));
        assert!(refused(volume.remove_dir(&term, "d/e").await));
        assert!(refused(volume.sync_dir(&term, "d").await));
        assert!(refused(volume.make_read_only(&term, "d/f").await));
        assert!(refused(file.write_at(&term, 0, b"lost".to_vec()).await.1));
        assert!(refused(file.set_size(&term, 0).await));
        assert!(refused(file.sync_data(&term).await));
        assert_eq!(read(&*volume, "d/f").await, "kept");
        assert_eq!(volume.list("").await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn no_path_leaves_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let volume = Disk::new(folder.path().join("root"));
    let term = term(1);
    volume.make_dirs(&term, "").await.unwrap();
    for path in ["../x", "/tmp/x", "a/../../x"] {
        assert!(matches!(volume.create(&term, path).await.map(drop), Err(VolumeError::Denied { .. })), "{path}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
