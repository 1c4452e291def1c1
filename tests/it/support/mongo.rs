//! A MongoDB: the one named in `FILEGEN_TEST_MONGODB`, else one in a container, else a wire server in memory that this
//! process starts and that ends with it. Each test has a database of its own.

use super::containers;
use super::ports::free_port;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::secret::Secret;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testcontainers::ImageExt;

/// The variable with the address of a server whose user may make and drop databases.
const ADDRESS: &str = "FILEGEN_TEST_MONGODB";

/// Where the local server's jars are kept.
const JARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/mongo");

/// Its program.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/mongo");

/// A server, and what keeps it alive where this process has started it: it stops when this end of the pipe is closed.
struct Server {
    address: String,
    started: Option<Child>,
    /// Nobody has to tidy up on it.
    ends_with_us: bool,
}

/// A database of one test. Dropped with it where the server outlives the test.
pub struct Database {
    name: String,
}

impl Database {
    /// Names a database that is not there: the first write makes it.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { name: format!("filegen_test_{}_{number}", std::process::id()) }
    }

    /// Its address as a worker file has it.
    pub fn url(&self) -> String {
        at_database(&server().address, &self.name)
    }

    /// Its address with another host and port, as one member that is asked alone.
    pub fn url_at(&self, host: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let (_, path) = rest.split_once('/').unwrap();
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{scheme}://{user}{host}/{path}{joint}directConnection=true")
    }

    /// The first server's `host:port`.
    pub fn host() -> String {
        let rest = server().address.split_once("://").unwrap().1;
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let host = rest.split([',', '/', '?']).next().unwrap();
        if host.contains(':') { host.to_owned() } else { format!("{host}:27017") }
    }

    /// A client of the product, with indexes made.
    pub async fn open(&self) -> MongoState {
        MongoState::open(&Secret::new(self.url()), Duration::from_mins(4)).await.unwrap()
    }

    /// A plain client, for looking and for disturbing.
    pub async fn client(&self) -> mongodb::Database {
        Client::with_uri_str(self.url()).await.expect("cannot connect to the test server").database(&self.name)
    }

    /// One document, by its id.
    pub async fn document(&self, collection: &str, id: &str) -> Option<Document> {
        self.client().await.collection(collection).find_one(doc! { "_id": id }).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if server().ends_with_us {
            return;
        }
        let (address, name) = (self.url(), self.name.clone());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                // Litter on a test server is no reason to fail a test that has passed.
                if let Ok(client) = Client::with_uri_str(address).await {
                    let _ = client.database(&name).drop().await;
                }
            });
        };
        let _ = std::thread::spawn(work).join();
    }
}

/// Puts a database into an address. Its user is still known where it was: in `admin`, or in the database named before.
fn at_database(address: &str, name: &str) -> String {
    let (place, options) = address.split_once('?').unwrap_or((address, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or_else(|| panic!("{ADDRESS} is no mongodb:// address"));
    let (hosts, before) = rest.split_once('/').unwrap_or((rest, ""));
    let mut options: Vec<String> = options.split('&').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    if hosts.contains('@') && !options.iter().any(|option| option.starts_with("authSource=")) {
        options.push(format!("authSource={}", if before.is_empty() { "admin" } else { before }));
    }
    let options = if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) };
    format!("{scheme}://{hosts}/{name}{options}")
}

fn server() -> &'static Server {
    static STARTED: OnceLock<Server> = OnceLock::new();
    STARTED.get_or_init(|| match std::env::var(ADDRESS) {
        Ok(address) => Server { address, started: None, ends_with_us: false },
        Err(_) => contained().unwrap_or_else(|| start(&[])),
    })
}

/// A replica set of one member in a container. It knows itself by the port that it has outside, so that it is found there.
fn contained() -> Option<Server> {
    let port = free_port();
    let command = ["mongod", "--replSet", "rs0", "--bind_ip_all", "--wiredTigerCacheSizeGB", "0.25", "--port"];
    let command: Vec<String> = command.map(str::to_owned).into_iter().chain([port.to_string()]).collect();
    let host = format!("{}:{port}", containers::host());
    containers::start(
        containers::MONGODB,
        (port, port),
        |request| request.with_cmd(command),
        || containers::answer(begin_set(&host)).filter(|leads| *leads),
    )?;
    Some(Server { address: format!("mongodb://{host}"), started: None, ends_with_us: true })
}

/// Makes a member a set of its own, where it is not yet; whether it leads that by now.
async fn begin_set(host: &str) -> mongodb::error::Result<bool> {
    let url = format!("mongodb://{host}/?directConnection=true&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000");
    let admin = Client::with_uri_str(url).await?.database("admin");
    let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
    // Refused from the second time on.
    let _ = admin.run_command(doc! { "replSetInitiate": set }).await;
    let member = admin.run_command(doc! { "hello": 1 }).await?;
    Ok(member.get_bool("isWritablePrimary").unwrap_or(false))
}

/// A server of one test, whose certificate an authority of its own has signed.
pub struct TlsServer {
    folder: tempfile::TempDir,
    server: Server,
}

impl TlsServer {
    /// Makes the authority, and starts the server.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the server");
        let made = Command::new("sh").arg(Path::new(SERVER).join("certify")).arg(folder.path()).output();
        let made = made.expect("cannot start a shell");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let server = start(&[folder.path().join("server.pem"), folder.path().join("server.der")]);
        Self { folder, server }
    }

    /// Its address, with further options.
    pub fn url(&self, more: &str) -> String {
        format!("{}/filegen?tls=true{more}", self.server.address.replace("127.0.0.1", "localhost"))
    }

    /// The authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.server.started {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Starts a server with these arguments; fetches it first where `tests/run` has not.
fn start(arguments: &[PathBuf]) -> Server {
    let advice =
        format!("run `tests/run` once, or install Debian's `default-jdk-headless` and `maven`, or set {ADDRESS}");
    let fetched = Command::new(Path::new(SERVER).join("fetch")).arg(JARS).output().expect("cannot start a shell");
    let words = String::from_utf8_lossy(&fetched.stderr).into_owned();
    assert!(fetched.status.success(), "the MongoDB server of the tests cannot be fetched: {advice}\n{words}");
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", &format!("{JARS}/*")]);
    command.arg(Path::new(SERVER).join("Server.java")).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // Ctrl-C reaches the tests only; the server then ends with them.
    command.process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start java ({error}): {advice}"));
    let mut output = BufReader::new(child.stdout.take().expect("piped above"));
    let mut line = String::new();
    output.read_line(&mut line).expect("cannot read from the server");
    let Some(port) = line.strip_prefix("ready ") else {
        let _ = output.read_to_string(&mut line);
        panic!("the MongoDB server of the tests did not start: {advice}\n{line}");
    };
    Server { address: format!("mongodb://127.0.0.1:{}", port.trim_end()), started: Some(child), ends_with_us: true }
}
