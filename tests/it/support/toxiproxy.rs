//! Lines that can be cut: toxiproxy between the daemon and its servers, started by this process and ending with it.

use super::ports::free_port;
use super::running::{PATIENCE, until};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Builds the program where `tests/run` has not.
const FETCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/toxiproxy/fetch");

/// Where it is then.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/bin");

const PROGRAM: &str = "toxiproxy-server";

/// Runs the server until standard input ends: that is, until the test process does, however it ends.
const SHELL: &str = r#"setpriv --pdeathsig KILL "$0" -host 127.0.0.1 -port "$1" < /dev/null &
cat > /dev/null
kill -KILL $!"#;

/// The server, and the shell that keeps it while this process's end of the pipe is open.
struct Server {
    port: u16,
    _shell: Child,
}

/// A line from a port of this host to a server.
pub struct Line {
    name: String,
    /// Who connects here is connected to the server.
    pub port: u16,
}

impl Line {
    /// A line to `host:port`.
    pub fn to(server: &str) -> Self {
        Self::from(0, server)
    }

    /// A line from a chosen port to `host:port`.
    pub fn from(port: u16, server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("line{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let wanted =
            json!({ "name": name, "listen": format!("127.0.0.1:{port}"), "upstream": server, "enabled": true });
        let made = ask("POST", "/proxies", &wanted);
        let port = made["listen"].as_str().and_then(|listen| listen.rsplit_once(':')?.1.parse().ok());
        Self { name, port: port.unwrap_or_else(|| panic!("no port in {made}")) }
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A black hole: connections stay, new ones are taken, and no byte arrives on either side.
    pub fn cut(&self) {
        for stream in ["upstream", "downstream"] {
            // No time given: the connection is never closed.
            self.spoil(&json!({ "name": stream, "type": "timeout", "stream": stream, "attributes": { "timeout": 0 } }));
        }
    }

    /// What is sent arrives, and no answer does.
    pub fn mute(&self) {
        let mute = json!({ "name": "mute", "type": "timeout", "stream": "downstream", "attributes": { "timeout": 0 } });
        self.spoil(&mute);
    }

    /// Connections are closed, and new ones refused.
    pub fn close(&self) {
        ask("POST", &format!("/proxies/{}", self.name), &json!({ "enabled": false }));
    }

    /// So many kilobytes a second come from the server.
    pub fn slow(&self, kilobytes: u32) {
        self.spoil(&json!({ "name": "slow", "type": "bandwidth", "stream": "downstream", "attributes": { "rate": kilobytes } }));
    }

    /// So many kilobytes a second go to the server.
    pub fn slow_to(&self, kilobytes: u32) {
        self.spoil(&json!({ "name": "slow_to", "type": "bandwidth", "stream": "upstream", "attributes": { "rate": kilobytes } }));
    }

    /// As new. What was sent into a black hole stays lost: its connections are closed.
    pub fn heal(&self) {
        let spoilt = ask("GET", &format!("/proxies/{}", self.name), &Value::Null);
        for toxic in spoilt["toxics"].as_array().into_iter().flatten() {
            let name = toxic["name"].as_str().expect("each has a name");
            ask("DELETE", &format!("/proxies/{}/toxics/{name}", self.name), &Value::Null);
        }
        ask("POST", &format!("/proxies/{}", self.name), &json!({ "enabled": true }));
    }

    fn spoil(&self, toxic: &Value) {
        let path = format!("/proxies/{}/toxics", self.name);
        let answer = call(server().port, "POST", &path, toxic).unwrap_or_else(|error| panic!("POST {path}: {error}"));
        // Bytes that nobody reads hold the server's answer up, until it gives 503. The toxic is under way all the same, and
        // works as soon as they are read.
        if code(&answer) != Some("503") {
            answered("POST", &path, &answer);
        }
    }
}

/// Calls the server's API; its answer.
#[track_caller]
fn ask(method: &str, path: &str, body: &Value) -> Value {
    let answer = call(server().port, method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    answered(method, path, &answer)
}

/// The status code of an answer.
fn code(answer: &str) -> Option<&str> {
    answer.split(' ').nth(1)
}

/// What a good answer holds.
#[track_caller]
fn answered(method: &str, path: &str, answer: &str) -> Value {
    assert!(code(answer).is_some_and(|code| code.starts_with('2')), "{method} {path}: {answer}");
    let (_, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer}"));
    if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap_or_else(|_| panic!("{answer}")) }
}

fn call(port: u16, method: &str, path: &str, body: &Value) -> std::io::Result<String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    // HTTP 1.0, so that the answer comes in one piece and ends with the connection.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn server() -> &'static Server {
    static STARTED: OnceLock<Server> = OnceLock::new();
    STARTED.get_or_init(|| {
        let (port, mut command) = (free_port(), Command::new("sh"));
        command.args(["-c", SHELL]).arg(program()).arg(port.to_string());
        // Ctrl-C reaches the tests only; the server then ends with them.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut shell = command.spawn().expect("cannot start a shell for toxiproxy");
        until("toxiproxy", || {
            let ended = shell.try_wait().ok().flatten();
            assert!(ended.is_none(), "toxiproxy did not start: {ended:?}");
            call(port, "GET", "/version", &Value::Null).ok()
        });
        Server { port, _shell: shell }
    })
}

/// The program: in PATH, else built here.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|file| file.exists()) {
        return found;
    }
    let built = Command::new(FETCH).arg(FOLDER).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    let advice = "run `tests/run` once, or install Debian's `golang-go`, or put `toxiproxy-server` into PATH";
    assert!(built.status.success(), "toxiproxy cannot be built: {advice}\n{words}");
    PathBuf::from(FOLDER).join(PROGRAM)
}
