//! S3 servers: versitygw over a folder of this host, started by this process and ending with it. What a bucket shows is in its folder.

use super::own::{self, Own};
use std::ffi::OsString;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who may do everything.
pub const ACCESS: &str = "tests";
pub const SECRET: &str = "s3cret-of-tests";

/// A server.
pub struct S3 {
    own: Own,
    settings: Vec<String>,
}

impl Deref for S3 {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.own
    }
}

impl DerefMut for S3 {
    fn deref_mut(&mut self) -> &mut Own {
        &mut self.own
    }
}

impl S3 {
    /// A server of the test's own.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// As [`Self::start`], with more of its settings: `%` is its folder.
    pub fn with(settings: &[&str]) -> Self {
        let own = Own::new();
        for name in ["buckets", "iam"] {
            fs::create_dir(own.file(name)).expect("a folder");
        }
        let settings = settings.iter().map(|it| it.replace('%', &own.file("").display().to_string())).collect();
        let mut server = Self { own, settings };
        server.again();
        server
    }

    /// The server that tests share; each has buckets of its own there.
    pub fn shared() -> &'static Self {
        static STARTED: OnceLock<S3> = OnceLock::new();
        STARTED.get_or_init(Self::start)
    }

    /// Started again after [`Own::kill`], with what it had.
    pub fn again(&mut self) {
        let mut command: Vec<OsString> = vec![program().into()];
        let place = self.place();
        let options = ["--access", ACCESS, "--secret", SECRET, "--keep-alive", "--port", &place];
        command.extend(options.map(OsString::from));
        command.extend(self.settings.iter().map(OsString::from));
        command.extend(["posix".into(), self.file("buckets").into()]);
        self.run("versitygw", command);
    }

    /// A bucket that no other test has.
    pub fn bucket(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bucket{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        fs::create_dir(self.path(&name)).expect("a folder");
        name
    }

    /// A bucket's folder, or a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.file("buckets").join(name)
    }

    /// Makes a user who may do nothing until a bucket's policy lets him. The server wants `--iam-dir`.
    pub fn user(&self, access: &str, secret: &str) {
        let endpoint = format!("http://{}", self.place());
        let mut command = Command::new(program());
        command.args(["admin", "--access", ACCESS, "--secret", SECRET, "--endpoint-url", &endpoint, "create-user"]);
        let made = command.args(["--access", access, "--secret", secret, "--role", "user"]).output();
        let made = made.expect("it starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Gives a bucket a policy, past the server. Nothing else about the bucket is changed.
    pub fn policy(&self, bucket: &str, policy: &serde_json::Value) {
        let (text, flags) = (policy.to_string(), rustix::fs::XattrFlags::empty());
        rustix::fs::setxattr(self.path(bucket), "user.policy", text.as_bytes(), flags).expect("it gets a policy");
    }

    /// Puts a file into a bucket past the server. One without a tag would be replaced whatever a request says.
    pub fn put(path: &Path, content: &[u8]) {
        fs::write(path, content).expect("it is written");
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, "user.etag", b"none", flags).expect("it gets a tag");
    }

    /// The pieces of unfinished uploads to a bucket.
    pub fn pieces(&self, bucket: &str) -> Vec<PathBuf> {
        let mut pieces = Vec::new();
        gather(&self.path(bucket).join(".sgwtmp/multipart"), &mut pieces);
        pieces
    }
}

fn gather(folder: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => gather(&entry.path(), all),
            _ => all.push(entry.path()),
        }
    }
}

fn program() -> PathBuf {
    own::program("versitygw", "s3")
}
