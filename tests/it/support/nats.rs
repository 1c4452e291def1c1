//! NATS servers with JetStream, built from their source. One that the tests share, and ones of a test's own that it may kill.

use super::own::{Own, program};
use super::running::{until, until_async};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server.
pub struct Nats {
    own: Own,
    /// More of its settings.
    settings: String,
    /// Holds the name space that its small disk is mounted in.
    apart: Option<Child>,
}

impl Deref for Nats {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.own
    }
}

impl DerefMut for Nats {
    fn deref_mut(&mut self) -> &mut Own {
        &mut self.own
    }
}

impl Nats {
    /// A server of the test's own.
    pub fn start() -> Self {
        Self::with("")
    }

    /// As [`Self::start`], with more settings.
    pub fn with(settings: &str) -> Self {
        let mut nats = Self { own: Own::new(), settings: settings.to_owned(), apart: None };
        nats.again();
        nats
    }

    /// A server of the test's own whose disk has `size`, in the words of `mount`. `None` where this user may not mount one.
    #[expect(clippy::print_stderr, reason = "for whoever runs it with --nocapture")]
    pub fn on_disk_of(size: &str) -> Option<Self> {
        let own = Own::new();
        let store = own.file("store");
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
        let mut nats = Self { own, settings: String::new(), apart: Some(apart) };
        nats.again();
        Some(nats)
    }

    /// Another size of its small disk.
    pub fn resize(&self, size: &str) {
        let store = self.file("store");
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

    /// Started again after [`Own::kill`], with what it had.
    pub fn again(&mut self) {
        let (port, store, more) = (self.port, self.file("store"), &self.settings);
        // More than there is: what streams reserve is never written.
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", max_file_store: 4TB }}\n{more}\n",
            store.display()
        );
        let path = self.file("config");
        std::fs::write(&path, config).expect("the settings are written");
        let shell = self.within("sh");
        self.run_in(shell, "nats-server", [program("nats-server", "nats"), "-c".into(), path]);
        until("JetStream", || {
            let log = self.log();
            log.rsplit("Starting nats-server").next()?.contains("Server is ready").then_some(())
        });
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
