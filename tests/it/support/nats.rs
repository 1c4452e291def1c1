//! NATS servers with JetStream, built from their source. One that the tests share, and ones of a test's own that it may kill.

use super::ports::free_port;
use super::running::{until, until_async};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Builds the program where `tests/run` has not.
const FETCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/nats/fetch");

/// Where it is then.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/bin");

const PROGRAM: &str = "nats-server";

/// Runs the server until standard input ends: that is, until the test process does, however it ends.
const SHELL: &str = r#"setpriv --pdeathsig KILL "$@" >>"$0/log" 2>&1 </dev/null & server=$!
echo $server >"$0/pid"
cat >/dev/null
kill -KILL $server; wait"#;

/// A server.
pub struct Nats {
    port: u16,
    folder: tempfile::TempDir,
    /// More of its settings.
    settings: String,
    shell: Option<Child>,
    /// Holds the name space that its small disk is mounted in.
    apart: Option<Child>,
}

impl Nats {
    /// A server of the test's own.
    pub fn start() -> Self {
        Self::with("")
    }

    /// As [`Self::start`], with more settings.
    pub fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut nats = Self { port: free_port(), folder, settings: settings.to_owned(), shell: None, apart: None };
        nats.again();
        nats
    }

    /// A server of the test's own whose disk has `size`, in the words of `mount`. `None` where this user may not mount one.
    #[expect(clippy::print_stderr, reason = "for whoever runs it with --nocapture")]
    pub fn on_disk_of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        std::fs::create_dir(&store).expect("a folder");
        let script = format!("mount -t tmpfs -o size={size} none '{}' && echo mounted && exec cat", store.display());
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut apart = command.spawn().expect("cannot start unshare");
        let mut word = String::new();
        let out = apart.stdout.as_mut().expect("it is piped");
        BufReader::new(out).read_line(&mut word).expect("it is read");
        if word != "mounted\n" {
            apart.wait().expect("it ends");
            eprintln!("this user may not have a name space of its own: nothing is tried");
            return None;
        }
        let mut nats = Self { port: free_port(), folder, settings: String::new(), shell: None, apart: Some(apart) };
        nats.again();
        Some(nats)
    }

    /// Another size of its small disk.
    pub fn resize(&self, size: &str) {
        let store = self.folder.path().join("store");
        let option = format!("remount,size={size}");
        let done = self.within("mount").args(["-o", &option, "none"]).arg(store).status().expect("nsenter starts");
        assert!(done.success());
    }

    /// A command that sees its small disk, if it has one.
    fn within(&self, program: &str) -> Command {
        let Some(apart) = &self.apart else { return Command::new(program) };
        let mut command = Command::new("nsenter");
        command.args(["-t", &apart.id().to_string(), "-U", "-m", "--preserve-credentials", program]);
        command
    }

    /// The server that tests share; each has streams of its own there.
    pub fn shared() -> &'static Self {
        static STARTED: OnceLock<Nats> = OnceLock::new();
        STARTED.get_or_init(Self::start)
    }

    /// A name that no other test has.
    pub fn fresh(word: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        format!("{word}{}", NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    /// Started again after [`Self::kill`], with what it had.
    pub fn again(&mut self) {
        let folder = self.folder.path();
        let (port, store, more) = (self.port, folder.join("store"), &self.settings);
        // More than there is: what streams reserve is never written.
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", max_file_store: 4TB }}\n{more}\n",
            store.display()
        );
        let path = folder.join("config");
        std::fs::write(&path, config).expect("the settings are written");
        let mut command = self.within("sh");
        command.args(["-c", SHELL]).arg(folder).arg(program()).arg("-c").arg(path);
        self.shell =
            Some(command.stdin(Stdio::piped()).process_group(0).spawn().expect("cannot start a shell for NATS"));
        until("nats-server", || TcpStream::connect(("127.0.0.1", self.port)).ok());
        until("JetStream", || {
            let log = std::fs::read_to_string(folder.join("log")).ok()?;
            log.rsplit("Starting nats-server").next()?.contains("Server is ready").then_some(())
        });
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

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://{}", self.place())
    }

    /// A call of JetStream's API, and its answer.
    pub async fn api(&self, call: &str, body: &Value) -> Value {
        let client = self.client().await;
        let answer = client.request(format!("$JS.API.{call}"), body.to_string().into()).await.expect("it answers");
        serde_json::from_slice(&answer.payload).expect("JSON")
    }

    /// A client of the test's own.
    pub async fn client(&self) -> async_nats::Client {
        until_async("a connection", async || async_nats::connect(self.url()).await.ok()).await
    }

    /// Stores a message.
    pub async fn put(&self, subject: &str, payload: &[u8]) -> Value {
        let client = self.client().await;
        let answer = client.request(subject.to_owned(), payload.to_vec().into()).await.expect("it answers");
        serde_json::from_slice(&answer.payload).expect("JSON")
    }

    /// As [`Self::put`], with headers.
    pub async fn put_with(&self, subject: &str, headers: &[(&str, &str)], payload: &[u8]) {
        let mut map = async_nats::HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let client = self.client().await;
        let sent = client.request_with_headers(subject.to_owned(), map, payload.to_vec().into()).await;
        let answer: Value = serde_json::from_slice(&sent.expect("it answers").payload).expect("JSON");
        assert!(answer.get("error").is_none(), "{answer}");
    }

    /// A header of the last message of a subject.
    pub async fn header(&self, stream: &str, subject: &str, name: &str) -> Option<String> {
        let found = self.api(&format!("STREAM.MSG.GET.{stream}"), &json!({ "last_by_subj": subject })).await;
        let headers = STANDARD.decode(found["message"]["hdrs"].as_str()?).expect("base64");
        let headers = String::from_utf8(headers).expect("ASCII");
        headers.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.trim().to_owned()))
    }

    /// How many messages there are by subject.
    pub async fn subjects(&self, stream: &str) -> Vec<String> {
        let info = self.api(&format!("STREAM.INFO.{stream}"), &json!({ "subjects_filter": ">" })).await;
        info["state"]["subjects"].as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        if let Some(mut apart) = self.apart.take() {
            drop(apart.stdin.take());
            drop(apart.wait());
        }
    }
}

/// The program: in PATH, else built here.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|file| file.exists()) {
        return found;
    }
    let built = Command::new(FETCH).arg(FOLDER).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    let advice = "run `tests/run` once, or install Debian's `golang-go`, or put `nats-server` into PATH";
    assert!(built.status.success(), "nats-server cannot be built: {advice}\n{words}");
    PathBuf::from(FOLDER).join(PROGRAM)
}
