//! A transfer to a bucket of a real S3 server.

use super::rig::{Rig, bytes};
use crate::support::filegen::Filegen;
use crate::support::s3::{ACCESS, S3, SECRET};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

/// For files of several pieces.
pub(super) const LARGE: [(&str, &str); 2] =
    [("  max_size: 1MiB", "  max_size: 64MiB"), ("chunk: 4KiB", "chunk: 512KiB")];

/// More than one piece.
pub(super) const SIZE: usize = 12 << 20;

/// A rig that delivers to the prefix `in` of a bucket; the folder `target` shows it.
pub(super) struct Bucket {
    pub(super) rig: Rig,
    pub(super) name: String,
}

impl Bucket {
    /// A bucket of the server, and `place` as the way to it. `more` is what stands beside the address.
    pub(super) fn at(server: &S3, place: &str, more: &str, changes: &[(&str, &str)]) -> Self {
        let (rig, name) = (Rig::new(), server.bucket());
        let folder = server.path(&name).join("in");
        fs::create_dir(&folder).unwrap();
        symlink(folder, rig.filegen.path("target")).unwrap();
        let bucket = Self { rig, name };
        bucket.change(place, more, changes);
        bucket
    }

    /// With the server that tests share.
    pub(super) fn shared(changes: &[(&str, &str)]) -> Self {
        Self::at(S3::shared(), &S3::shared().place(), "", changes)
    }

    /// Writes the file anew.
    pub(super) fn change(&self, place: &str, more: &str, changes: &[(&str, &str)]) {
        let to = format!("s3: \"s3://{}/in\", endpoint: \"http://{place}\"{more}", self.name);
        self.rig.change_to(&to, changes);
        self.keys(ACCESS, SECRET);
    }

    /// Keys in AWS's file of the rig's home.
    pub(super) fn keys(&self, access: &str, secret: &str) {
        let text = format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n");
        let _ = fs::create_dir(self.rig.filegen.path(".aws"));
        self.rig.filegen.write(".aws/credentials", &text);
    }

    /// The numbers of the pieces that are there.
    pub(super) fn pieces(&self, server: &S3) -> Vec<String> {
        let pieces = server.pieces(&self.name).into_iter();
        pieces.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }
}

#[test]
fn files_of_all_sizes_and_names_arrive_whole_with_their_companions() {
    let companions = ("  max_size: 1MiB", "  max_size: 64MiB\n  companions: [{ sha256: \"{{ name }}.sha256\" }]");
    let bucket = Bucket::shared(&[companions, LARGE[1]]);
    let rig = &bucket.rig;
    let piece = 5 << 20;
    let mut all = BTreeMap::from([("empty".to_owned(), Vec::new()), ("large".to_owned(), bytes(SIZE, 1))]);
    all.insert("one piece".to_owned(), bytes(piece, 2));
    all.insert("and a byte".to_owned(), bytes(piece + 1, 3));
    for (number, name) in (0..).zip(["a b", "*", "x'\"y", "ä", "deep/er/c d", "-rf", "a+b=c&d", "%41"]) {
        all.insert(name.to_owned(), bytes(1000 * number, number as u64));
    }
    for (path, content) in &all {
        rig.put(path, content);
    }
    rig.run(0);
    let (sums, there): (BTreeMap<_, _>, BTreeMap<_, _>) =
        rig.files("target").into_iter().partition(|(path, _)| path.ends_with(".sha256"));
    assert!(there == all && sums.len() == all.len(), "{:?}", rig.names("target"));
    assert!(rig.shelf("archive") == all && rig.names("in").is_empty());
    assert!(bucket.pieces(S3::shared()).is_empty(), "no upload is left");
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"));
    rig.transfer("verify").exits(0);
    fs::write(rig.filegen.path("target/a b"), "other").unwrap();
    rig.transfer("verify").exits(4);
}

#[test]
fn what_has_the_name_stays_unless_the_file_says_otherwise() {
    for size in [1000, SIZE] {
        for (on_exists, code, there) in
            [("error", 4, &["a"][..]), ("same", 4, &["a"]), ("suffix", 0, &["a", "a-1"]), ("replace", 0, &["a"])]
        {
            let more = format!("  max_size: 64MiB\n  on_exists: {on_exists}");
            let bucket = Bucket::shared(&[("  max_size: 1MiB", &more), LARGE[1]]);
            let rig = &bucket.rig;
            let content = bytes(size, 1);
            S3::put(&rig.filegen.path("target/a"), b"other");
            S3::put(&rig.filegen.path("target/same"), &content);
            rig.put("a", &content);
            rig.put("same", &content);
            rig.run(code);
            let names: Vec<_> = there.iter().copied().chain(["same"]).collect();
            assert_eq!(rig.names("target"), names, "{on_exists} {size}");
            let files = rig.files("target");
            let is_other = files["a"] == b"other";
            assert_eq!(is_other, on_exists != "replace", "{on_exists} {size}");
            let failed = rig.shelf("error");
            assert_eq!(failed.contains_key("a.error"), code == 4, "{on_exists}: {:?}", failed.keys());
            let is_there = there.last().is_some_and(|last| files[*last] == content);
            assert!(code == 4 || is_there, "{on_exists} {size}");
            assert!(bucket.pieces(S3::shared()).is_empty(), "{on_exists}: no upload is left");
        }
    }
}

#[test]
fn a_store_that_lets_nobody_in_or_has_no_bucket_sets_nothing_aside() {
    let server = S3::shared();
    for (access, secret, told) in
        [(ACCESS, "wr0ng", "check the keys"), ("nobody", SECRET, "check the keys"), ("", "", "no keys were found")]
    {
        let bucket = Bucket::shared(&[]);
        bucket.keys(access, secret);
        bucket.rig.put("a", b"1");
        let done = bucket.rig.transfer("run").exits(3);
        assert!(done.stderr.contains(told), "{}", done.stderr);
        assert!(!done.stderr.contains("wr0ng") && !done.stderr.contains(SECRET), "{}", done.stderr);
        assert!(bucket.rig.names("in") == ["a"] && bucket.rig.names("error").is_empty());
        bucket.keys(ACCESS, SECRET);
        bucket.rig.run(0);
        assert_eq!(bucket.rig.names("target"), ["a"]);
    }
    let bucket = Bucket::shared(&[]);
    fs::remove_dir_all(server.path(&bucket.name)).unwrap();
    bucket.rig.put("a", b"1");
    let told = bucket.rig.transfer("run").exits(3).stderr;
    assert!(told.contains("no such bucket") && bucket.rig.names("in") == ["a"], "{told}");
}

#[test]
fn doctor_tells_what_the_store_keeps_and_show_hides_its_secrets() {
    let bucket = Bucket::shared(&[]);
    let done = bucket.rig.filegen.run("doctor -c t.yaml").exits(0);
    for told in [
        "a name is given once",
        "If-None-Match",
        "not what its SHA-256 says is refused",
        "If-Match",
        "goes on at the pieces",
    ] {
        assert!(done.stdout.contains(told), "{told}: {}", done.stdout);
    }
    assert!(bucket.rig.names("target").is_empty(), "{:?}", bucket.rig.names("target"));
    assert!(bucket.pieces(S3::shared()).is_empty(), "no upload is left");
    bucket.keys(ACCESS, "wr0ng");
    let done = bucket.rig.filegen.run("doctor -c t.yaml").exits(3);
    assert!(done.stdout.contains("SignatureDoesNotMatch") && !done.stdout.contains("wr0ng"), "{}", done.stdout);
    bucket.change("minio.example:9000", ", region: eu-west-1", &[]);
    let mut command = bucket.rig.filegen.command("config show -c t.yaml");
    let shown = Filegen::finish(command.env("AWS_SECRET_ACCESS_KEY", "wr0ng")).exits(0).stdout;
    assert!(shown.contains("http://minio.example:9000") && !shown.contains("wr0ng"), "{shown}");
    let checked = bucket.rig.filegen.run("config check -c t.yaml").exits(0);
    let told = checked.stdout + &checked.stderr;
    assert!(told.contains("minio.example:9000 is not encrypted"), "{told}");
}

#[test]
fn a_store_of_an_own_authority_is_trusted_with_its_certificate_alone() {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&authority).unwrap().pem();
    let signer = rcgen::Issuer::new(params, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &signer).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("cert"), certificate.pem()).unwrap();
    fs::write(path("key"), key.serialize_pem()).unwrap();
    let server = S3::with(&["--cert", &path("cert"), "--key", &path("key")]);
    let place = server.place().replace("127.0.0.1", "localhost");
    let bucket = Bucket::at(&server, &place, "", &[]);
    let https = |more: &str| {
        bucket.change(&place, more, &[]);
        let text = bucket.rig.filegen.read("t.yaml").replace("http://", "https://");
        bucket.rig.filegen.write("t.yaml", &text);
    };
    bucket.rig.filegen.write("ca.pem", &ca);
    bucket.rig.put("a", b"1");
    bucket.rig.put("large", &bytes(1 << 20, 1));
    https("");
    let told = bucket.rig.transfer("run").exits(3).stderr;
    assert!(told.contains("is not trusted") && bucket.rig.names("target").is_empty(), "{told}");
    https(", ca: ca.pem");
    bucket.rig.run(0);
    assert_eq!(bucket.rig.names("target"), ["a", "large"]);
}
