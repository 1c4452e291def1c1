//! What every target promises: a name shows a whole file, and is given once.

use crate::support::s3::{ACCESS, S3, SECRET};
use crate::support::sftp::Sftp;
use filegen::adapters::file_target::LocalTarget;
use filegen::adapters::memory::file_target::MemoryTarget;
use filegen::adapters::s3::S3Target;
use filegen::adapters::sftp::{Logins, SftpTarget};
use filegen::core::model::s3::{AWS_VARIABLES, S3Spec};
use filegen::core::model::secret::Secret;
use filegen::core::model::sftp::{SftpLogin, SftpSpec, SftpVerify};
use filegen::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, TargetError, TargetPart, Whole};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Arc<dyn FileTarget>) -> F) {
    run(Arc::new(MemoryTarget::default())).await;
    let folder = tempfile::tempdir().unwrap();
    run(Arc::new(LocalTarget::new(&folder.path().join("made/target"), 0o640, 0o750))).await;
    let folder = tempfile::tempdir().unwrap();
    run(Arc::new(sftp(folder.path()))).await;
    run(Arc::new(s3())).await;
}

/// A bucket of its own; where `FILEGEN_TEST_S3` has the address of one, what is below a prefix of it, with the keys of AWS's variables.
fn s3() -> S3Target {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let own = |name: &'static str| Some((name, Secret::new(std::env::var(name).ok()?)));
    let spec = if let Ok(url) = std::env::var("FILEGEN_TEST_S3") {
        let below = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        spec(&format!("{url}/{below}"), None, AWS_VARIABLES.into_iter().filter_map(own).collect())
    } else {
        let server = S3::shared();
        let keys = [("AWS_ACCESS_KEY_ID", ACCESS), ("AWS_SECRET_ACCESS_KEY", SECRET)];
        let keys = keys.map(|(name, value)| (name, Secret::new(value)));
        spec(&format!("s3://{}/in", server.bucket()), Some(&server.place()), keys.into())
    };
    S3Target::new(&spec).unwrap()
}

fn spec(url: &str, place: Option<&str>, variables: BTreeMap<&'static str, Secret>) -> S3Spec {
    let endpoint = variables.get("AWS_ENDPOINT_URL_S3").cloned();
    let endpoint = place.map(|place| Secret::new(format!("http://{place}"))).or(endpoint);
    let (region, path_style, ca, profile) = (None, None, None, None);
    S3Spec { url: Secret::new(url), endpoint, region, path_style, ca, profile, variables }
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
    PartName { id, writer: "w1", former: &[], whole: None, upload: None }
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
        if target.is_bound_to_a_path() {
            // Pieces cannot be read: what is there is found when the bytes come again.
            return;
        }
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
    let next = PartName { id: "1", writer: "w2", former: &former, whole: None, upload: None };
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

/// A file of pieces.
fn large(seed: u64) -> Vec<u8> {
    (0..12_u64 << 17).flat_map(|at| (at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect()
}

#[tokio::test]
async fn a_large_file_goes_to_a_bucket_in_pieces_that_nobody_sees() {
    let target = s3();
    let (one, two) = (large(1), large(2));
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (sha256, other) = (digest(&one), digest(&two));
    let whole = |path, sha256| Some(Whole { path, size: one.len() as u64, sha256 });
    let mut first = target.part("", PartName { whole: whole("x/a", &sha256), ..name("1") }, 0).await.unwrap().0;
    let upload = first.upload().expect("it is begun");
    for piece in one.chunks(1 << 20).take(11) {
        first.append(piece.to_vec()).await.unwrap();
    }
    first.sync().await.unwrap();
    assert!(first.publish("x/a", Naming::New).await.is_err(), "it is not whole");
    drop(first);
    assert_eq!(target.find("x/a", 0).await, Ok(None));
    // The next try goes on with the same upload; a name that it was not begun for is refused, or another's.
    let again = PartName { whole: whole("x/a", &sha256), upload: Some(&upload), ..name("1") };
    let mut first = target.part("", again, 0).await.unwrap().0;
    assert_eq!(first.upload().as_ref(), Some(&upload));
    for piece in one.chunks(1 << 20) {
        first.append(piece.to_vec()).await.unwrap();
    }
    first.sync().await.unwrap();
    assert!(matches!(first.publish("x/b", Naming::New).await, Err(TargetError::Failed { .. })));
    let mut second = target.part("", PartName { whole: whole("x/a", &other), ..name("2") }, 0).await.unwrap().0;
    second.append(two.clone()).await.unwrap();
    second.sync().await.unwrap();
    assert_eq!(first.publish("x/a", Naming::New).await, Ok(true));
    assert_eq!(target.find("x/a", one.len() as u64).await, Ok(Some(arrived(&one))));
    assert_eq!(second.publish("x/a", Naming::New).await, Ok(false));
    assert_eq!(target.find("x/a", one.len() as u64).await, Ok(Some(arrived(&one))));
    assert_eq!(second.publish("x/a", Naming::Replace).await, Ok(true));
    assert_eq!(target.find("x/a", one.len() as u64).await, Ok(Some(arrived(&two))));
    // What is given up is gone, and may be given up again.
    let mut third = target.part("", PartName { whole: whole("x/c", &sha256), ..name("3") }, 0).await.unwrap().0;
    third.append(one.clone()).await.unwrap();
    let upload = third.upload().expect("it is begun");
    third.discard().await.unwrap();
    assert_eq!((target.abandon(&upload).await, target.abandon(&upload).await), (Ok(()), Ok(())));
    let mut late = target.part("", PartName { upload: Some(&upload), ..name("3") }, 0).await.unwrap().0;
    late.discard().await.unwrap();
    assert_eq!(target.find("x/c", 0).await, Ok(None));
}
