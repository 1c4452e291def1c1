//! A server of the tests' own: started by this process on a free port, with a folder, and ending with it.

use super::ports::free_port;
use super::running::until;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs the server until standard input ends: that is, until the test process does, however it ends.
const SHELL: &str = r#"setpriv --pdeathsig KILL "$@" >>"$0/log" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -KILL $server; wait"#;

/// Where programs are that were built from their source.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/bin");

/// A server.
pub struct Own {
    pub port: u16,
    folder: tempfile::TempDir,
    shell: Option<Child>,
}

impl Own {
    /// A place for one; nothing is started yet.
    pub fn new() -> Self {
        Self { port: free_port(), folder: tempfile::tempdir().expect("a folder"), shell: None }
    }

    /// Starts it, or starts it again behind [`Self::kill`], and waits until it answers. `what` is what to install where it does not.
    pub fn run(&mut self, what: &str, command: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        self.run_in(Command::new("sh"), what, command);
    }

    /// As [`Self::run`], by this very shell.
    pub fn run_in(&mut self, mut shell: Command, what: &str, command: impl IntoIterator<Item = impl AsRef<OsStr>>) {
        shell.args(["-c", SHELL]).arg(self.folder.path()).args(command);
        self.shell = Some(shell.stdin(Stdio::piped()).process_group(0).spawn().expect("cannot start a shell"));
        until(what, || TcpStream::connect(("127.0.0.1", self.port)).ok());
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

    /// Something of its folder.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it has told.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).expect("it has a log")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program: in PATH, else built from its source by `tests/servers/KIND/fetch`.
pub fn program(name: &str, kind: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists()) {
        return found;
    }
    let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(kind).join("fetch");
    let built = Command::new(fetch).arg(BUILT).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    let advice = format!("run `tests/run` once, or install Debian's `golang-go`, or put `{name}` into PATH");
    assert!(built.status.success(), "{name} cannot be built: {advice}\n{words}");
    Path::new(BUILT).join(name)
}
