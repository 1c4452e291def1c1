//! S3 servers: versitygw over a folder of this host, started by this process and ending with it. What a bucket shows is in its folder.

use super::ports::free_port;
use super::running::until;
use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Builds the program where `tests/run` has not.
const FETCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/s3/fetch");

/// Where it is then.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/bin");

const PROGRAM: &str = "versitygw";

/// Runs the server until standard input ends: that is, until the test process does, however it ends.
const SHELL: &str = r#"setpriv --pdeathsig KILL "$@" >>"$0/log" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -KILL $server; wait"#;

/// Who may do everything.
pub const ACCESS: &str = "tests";
pub const SECRET: &str = "s3cret-of-tests";

/// A server.
pub struct S3 {
    port: u16,
    folder: tempfile::TempDir,
    settings: Vec<String>,
    shell: Option<Child>,
}

impl S3 {
    /// A server of the test's own.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// As [`Self::start`], with more of its settings: `%` is its folder.
    pub fn with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["buckets", "iam"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let settings = settings.iter().map(|it| it.replace('%', &folder.path().display().to_string())).collect();
        let mut server = Self { port: free_port(), folder, settings, shell: None };
        server.again();
        server
    }

    /// The server that tests share; each has buckets of its own there.
    pub fn shared() -> &'static Self {
        static STARTED: OnceLock<S3> = OnceLock::new();
        STARTED.get_or_init(Self::start)
    }

    /// Started again after [`Self::kill`], with what it had.
    pub fn again(&mut self) {
        let folder = self.folder.path();
        let mut command = Command::new("sh");
        command.args(["-c", SHELL]).arg(folder).arg(program());
        command.args(["--access", ACCESS, "--secret", SECRET, "--keep-alive", "--port", &self.place()]);
        command.args(&self.settings).arg("posix").arg(folder.join("buckets"));
        self.shell = Some(command.stdin(Stdio::piped()).process_group(0).spawn().expect("cannot start a shell for S3"));
        until("versitygw", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// Ended at once, without a farewell.
    pub fn kill(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            shell.wait().expect("the shell ends");
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
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
        self.folder.path().join("buckets").join(name)
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

    /// What it told of requests.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("it has a log")
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

/// The program, of the path or built.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|file| file.exists()) {
        return found;
    }
    let built = Command::new(FETCH).arg(FOLDER).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    let advice = "run `tests/run` once, or install Debian's `golang-go`, or put `versitygw` into PATH";
    assert!(built.status.success(), "versitygw cannot be built: {advice}\n{words}");
    PathBuf::from(FOLDER).join(PROGRAM)
}
