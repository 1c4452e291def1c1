//! What every target promises: a name shows a whole file, and is given once.

use crate::support::sftp::Sftp;
use filegen::adapters::file_target::LocalTarget;
use filegen::adapters::memory::file_target::MemoryTarget;
use filegen::adapters::sftp::{Logins, SftpTarget};
use filegen::core::model::secret::Secret;
use filegen::core::model::sftp::{SftpLogin, SftpSpec, SftpVerify};
use filegen::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, TargetPart};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Arc<dyn FileTarget>) -> F) {
    run(Arc::new(MemoryTarget::default())).await;
    let folder = tempfile::tempdir().unwrap();
    run(Arc::new(LocalTarget::new(&folder.path().join("made/target"), 0o640, 0o750))).await;
    let folder = tempfile::tempdir().unwrap();
    run(Arc::new(sftp(folder.path()))).await;
}

/// A folder of this host through OpenSSH's server.
fn sftp(folder: &Path) -> SftpTarget {
    let server = Sftp::shared();
    let spec = SftpSpec {
        url: Secret::new(server.url(folder)),
        login: SftpLogin { key: Some(server.path("user_ed25519")), ..SftpLogin::default() },
        known_hosts: Vec::new(),
        fingerprints: vec![server.fingerprint()],
        verify: SftpVerify::Content,
    };
    SftpTarget::new(&spec, Some(0o640), &Logins::default()).unwrap()
}

/// A name of one writer's.
fn name(id: &str) -> PartName<'_> {
    PartName { id, writer: "w1", former: &[] }
}

fn arrived(bytes: &[u8]) -> Arrived {
    Arrived { size: bytes.len() as u64, sha256: Some(hex::encode(Sha256::digest(bytes))) }
}

async fn written(target: &dyn FileTarget, folder: &str, id: &str, bytes: &[u8]) -> Box<dyn TargetPart> {
    let (mut part, there) = target.part(folder, name(id), 0).await.unwrap();
    assert_eq!(there, 0);
    part.append(bytes.to_vec()).await.unwrap();
    part.sync().await.unwrap();
    part
}

#[tokio::test]
async fn a_name_is_given_once_and_shows_the_whole_file() {
    on_each(|target| async move {
        assert_eq!(target.find("x/y/a", 3).await, Ok(None));
        let mut one = written(&*target, "x/y", "1", b"one").await;
        assert_eq!(target.find("x/y/a", 3).await, Ok(None));
        assert_eq!(one.publish("x/y/a", Naming::New).await, Ok(true));
        assert_eq!(target.find("x/y/a", 3).await, Ok(Some(arrived(b"one"))));
        let mut two = written(&*target, "x/y", "2", b"two!").await;
        assert_eq!(two.publish("x/y/a", Naming::New).await, Ok(false));
        assert_eq!(target.find("x/y/a", 3).await, Ok(Some(arrived(b"one"))));
        assert_eq!(two.publish("x/y/a", Naming::Replace).await, Ok(true));
        assert_eq!(target.find("x/y/a", 4).await, Ok(Some(arrived(b"two!"))));
        assert_eq!((target.remove("x/y/a").await, target.remove("x/y/a").await), (Ok(()), Ok(())));
        assert_eq!(target.find("x/y/a", 4).await, Ok(None));
        let mut three = written(&*target, "", "3", b"").await;
        assert_eq!(three.publish("empty", Naming::New).await, Ok(true));
        let mut four = written(&*target, "x/y", "4", b"four").await;
        assert_eq!(four.publish("x/y/a", Naming::New).await, Ok(true));
        let other = Arrived { size: 4, sha256: None };
        assert_eq!(target.find("x/y/a", 3 << 40).await, Ok(Some(other)), "another size: it is not read");
        assert_eq!(target.find("empty", 0).await, Ok(Some(arrived(b""))));
    })
    .await;
}

#[tokio::test]
async fn an_unfinished_file_goes_on_where_it_is_told() {
    on_each(|target| async move {
        drop(written(&*target, "x", "1", b"0123456789").await);
        let (mut part, there) = target.part("x", name("1"), 4).await.unwrap();
        assert_eq!((there, part.read(0, 9).await), (4, Ok(b"0123".to_vec())));
        assert_eq!(part.read(2, 1).await, Ok(b"2".to_vec()));
        part.append(b"abcdef".to_vec()).await.unwrap();
        assert_eq!(part.publish("x/whole", Naming::New).await, Ok(true));
        assert_eq!(target.find("x/whole", 10).await, Ok(Some(arrived(b"0123abcdef"))));
        let mut gone = written(&*target, "x", "2", b"zzz").await;
        gone.discard().await.unwrap();
        gone.discard().await.unwrap();
        drop(gone);
        let (_, there) = target.part("x", name("2"), 99).await.unwrap();
        assert_eq!(there, 0);
    })
    .await;
}

#[tokio::test]
async fn a_stopped_writer_that_goes_on_writes_to_no_file_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let target = LocalTarget::new(folder.path(), 0o640, 0o750);
    let mut stale = written(&target, "", "1", b"stale").await;
    let (mut fresh, there) = target.part("", name("1"), 5).await.unwrap();
    assert_eq!(there, 0, "another process has the file open: a new one is begun");
    fresh.append(b"fresh".to_vec()).await.unwrap();
    stale.append(b"!!!".to_vec()).await.unwrap();
    assert!(stale.publish("a", Naming::New).await.is_err(), "its file has lost its name");
    assert_eq!(fresh.publish("a", Naming::New).await, Ok(true));
    stale.append(b"!!!".to_vec()).await.unwrap();
    stale.discard().await.unwrap();
    assert_eq!(target.find("a", 5).await, Ok(Some(arrived(b"fresh"))));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a"]);
}

#[tokio::test]
async fn at_a_server_an_unfinished_file_is_taken_from_whoever_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let target = sftp(folder.path());
    let mut stale = written(&target, "x", "1", b"0123456789").await;
    let former = ["w0".to_owned(), "w1".to_owned()];
    let next = PartName { id: "1", writer: "w2", former: &former };
    let (mut fresh, there) = target.part("x", next, 4).await.unwrap();
    assert_eq!((there, fresh.read(0, 9).await), (4, Ok(b"0123".to_vec())), "it goes on in what is there");
    assert!(stale.publish("x/a", Naming::New).await.is_err(), "its file has lost its name");
    stale.discard().await.unwrap();
    fresh.append(b"456789".to_vec()).await.unwrap();
    assert_eq!(fresh.publish("x/a", Naming::New).await, Ok(true));
    assert_eq!(target.find("x/a", 10).await, Ok(Some(arrived(b"0123456789"))));
    // What is begun anew is another file.
    let mut stale = written(&target, "x", "2", b"stale").await;
    let (mut fresh, there) = target.part("x", PartName { id: "2", ..next }, 0).await.unwrap();
    fresh.append(b"fresh".to_vec()).await.unwrap();
    stale.append(b"!!!".to_vec()).await.unwrap();
    assert!(there == 0 && stale.publish("x/b", Naming::New).await.is_err());
    assert_eq!(fresh.publish("x/b", Naming::New).await, Ok(true));
    assert_eq!(target.find("x/b", 5).await, Ok(Some(arrived(b"fresh"))));
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path().join("x")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a", "b"]);
}
