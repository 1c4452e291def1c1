//! Collectors of OpenTelemetry, built from their source, and the spans that they were given.

use super::ports::free_port;
use super::running::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Builds the program where `tests/run` has not.
const FETCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/otel/fetch");

/// Where it is then.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/bin");

/// Runs the server until standard input ends: that is, until the test process does, however it ends.
const SHELL: &str = r#"setpriv --pdeathsig KILL "$@" >>"$0/log" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -KILL $server; wait"#;

/// A span, as its collector has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty: it is the first of its trace.
    pub parent: String,
    pub name: String,
    pub kind: u64,
    pub begun: u128,
    pub ended: u128,
    pub values: BTreeMap<String, String>,
    pub failed: Option<String>,
    /// What its process is called, and more of it.
    pub resource: BTreeMap<String, String>,
}

/// A collector.
pub struct Collector {
    port: u16,
    folder: tempfile::TempDir,
    tls: bool,
    shell: Option<Child>,
}

impl Collector {
    /// A collector of the test's own.
    pub fn start() -> Self {
        let mut collector = Self::later();
        collector.begin();
        collector
    }

    /// One that shows this certificate, with its key.
    pub fn with_tls(certificate: &str, key: &str) -> Self {
        let mut collector = Self::later();
        collector.tls = true;
        for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
            fs::write(collector.folder.path().join(name), text).expect("it is written");
        }
        collector.begin();
        collector
    }

    /// One that nobody has started yet: its address is known.
    pub fn later() -> Self {
        Self { port: free_port(), folder: tempfile::tempdir().expect("a folder"), tls: false, shell: None }
    }

    /// Starts it.
    pub fn begin(&mut self) {
        let folder = self.folder.path();
        let (port, at) = (self.port, folder.display());
        let tls = format!(", tls: {{ cert_file: {at}/cert.pem, key_file: {at}/key.pem }}");
        let tls = if self.tls { tls.as_str() } else { "" };
        let settings = format!(
            "receivers: {{ otlp: {{ protocols: {{ http: {{ endpoint: '127.0.0.1:{port}', include_metadata: true{tls} }} }} }} }}\n\
             exporters: {{ lines: {{ path: {at}/spans }} }}\n\
             service: {{ pipelines: {{ traces: {{ receivers: [otlp], exporters: [lines] }} }} }}\n"
        );
        fs::write(folder.join("config.yaml"), settings).expect("it is written");
        let mut command = Command::new("sh");
        command.args(["-c", SHELL]).arg(folder).arg(program()).arg(format!("file:{at}/config.yaml"));
        self.shell = Some(command.stdin(Stdio::piped()).process_group(0).spawn().expect("a shell starts"));
        until("the collector", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http{}://localhost:{}", if self.tls { "s" } else { "" }, self.port)
    }

    /// The values of the header `api-key` that requests came with.
    pub fn keys(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("spans.keys")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// All that it was given.
    pub fn spans(&self) -> Vec<Span> {
        let text = fs::read_to_string(self.folder.path().join("spans")).unwrap_or_default();
        // A line that is being written is looked at the next time.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let batches = lines.map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        batches
            .flat_map(|batch| list(&batch["resourceSpans"]).iter().flat_map(of_resource).collect::<Vec<_>>())
            .collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            shell.wait().expect("the shell ends");
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn of_resource(resource: &Value) -> Vec<Span> {
    let of = values(&resource["resource"]["attributes"]);
    let scopes = list(&resource["scopeSpans"]).iter();
    scopes.flat_map(|scope| list(&scope["spans"])).map(|span| read(span, &of)).collect()
}

fn values(attributes: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| {
        let text = value["stringValue"].as_str().or_else(|| value["intValue"].as_str());
        text.unwrap_or_default().to_owned()
    };
    list(attributes).iter().map(|pair| (pair["key"].as_str().unwrap().to_owned(), text(&pair["value"]))).collect()
}

fn read(span: &Value, resource: &BTreeMap<String, String>) -> Span {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let time = |name: &str| span[name].as_str().and_then(|nanos| nanos.parse().ok()).expect("a time");
    let failed = (span["status"]["code"] == 2).then(|| span["status"]["message"].as_str().unwrap().to_owned());
    Span {
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        name: text("name"),
        kind: span["kind"].as_u64().unwrap_or(0),
        begun: time("startTimeUnixNano"),
        ended: time("endTimeUnixNano"),
        values: values(&span["attributes"]),
        failed,
        resource: resource.clone(),
    }
}

/// The program, built where it is not there.
fn program() -> PathBuf {
    let built = Command::new(FETCH).arg(FOLDER).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    let advice = "run `tests/run` once, or install Debian's `golang-go`";
    assert!(built.status.success(), "the collector cannot be built: {advice}\n{words}");
    PathBuf::from(FOLDER).join("otelcol")
}
