//! A real PostgreSQL: the one named in `FILEGEN_TEST_POSTGRES`, else a server that this process starts and that ends
//! with it. Each test has a database of its own.

use super::ports::free_port;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_postgres::{Client, Config, NoTls};

/// The variable with the address of a server whose user may create databases.
const ADDRESS: &str = "FILEGEN_TEST_POSTGRES";

/// The local server's password; tests look for it where no secret may be.
pub const PASSWORD: &str = "s3cret of the tests";

/// Keeps the server alive: it stops when this process's end of the pipe is closed.
struct Server {
    config: Config,
    /// The started server's shell and its folder; none for a server that was there before.
    started: Option<(Child, PathBuf)>,
}

/// A database of one test. Dropped with it where the server outlives the test.
pub struct Database {
    name: String,
    config: Config,
}

impl Database {
    /// Makes an empty database with UTF-8 text and the C collation.
    pub async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("filegen_test_{}_{number}", std::process::id());
        let server = server();
        let text = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
        connect(&server.config).await.batch_execute(&text).await.expect("cannot create a database");
        let mut config = server.config.clone();
        config.dbname(&name);
        Self { name, config }
    }

    /// Its address as a worker file has it, password included.
    pub fn url(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(name)) => name.clone(),
            Some(tokio_postgres::config::Host::Unix(path)) => path.to_string_lossy().into_owned(),
            None => "localhost".to_owned(),
        };
        self.url_at(&host)
    }

    /// Its address with another name of the host, or the folder of its socket.
    pub fn url_at(&self, host: &str) -> String {
        let user = escape(self.config.get_user().unwrap_or("postgres"));
        let password = self.config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let password = password.map(|text| format!(":{}", escape(&text))).unwrap_or_default();
        format!("postgres://{user}{password}@{}:{}/{}", escape(host), self.port(), self.name)
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    /// The folder of the server that this process has started: its socket, and `ca.pem`, the authority that has signed for
    /// `localhost`.
    pub fn folder() -> Option<PathBuf> {
        server().started.as_ref().map(|(_, folder)| folder.clone())
    }

    /// The database's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection for preparing and disturbing.
    pub async fn client(&self) -> Client {
        connect(&self.config).await
    }

    /// Runs statements.
    pub async fn run(&self, sql: &str) {
        if let Err(error) = self.client().await.batch_execute(sql).await {
            panic!("{sql}\n{error:?}");
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if server().started.is_some() {
            return;
        }
        let (config, name) = (server().config.clone(), self.name.clone());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // Litter on a test server is no reason to fail a test that has passed.
                let _ = connect(&config).await.batch_execute(&sql).await;
            });
        };
        let _ = std::thread::spawn(work).join();
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("cannot connect to the test server");
    tokio::spawn(connection);
    client
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var(ADDRESS) {
        Ok(address) => {
            let config = address.parse().unwrap_or_else(|error| panic!("{ADDRESS} is no address: {error}"));
            Server { config, started: None }
        }
        Err(_) => start(),
    })
}

/// Starts a server under a shell that waits for the end of our pipe, so that it stops however this process ends.
fn start() -> Server {
    let bin = binaries().unwrap_or_else(|| {
        panic!("no initdb in PATH or /usr/lib/postgresql/*/bin: install Debian's `postgresql`, or set {ADDRESS}")
    });
    let port = free_port();
    let mut command = as_ordinary_user();
    command.args(["sh", "-c", include_str!("postgres.sh")]);
    command.env("BIN", bin).env("PORT", port.to_string()).env("PASSWORD", PASSWORD);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
    // Ctrl-C reaches the tests only; the server then ends with them.
    command.process_group(0);
    let mut child = command.spawn().expect("cannot start a shell for the PostgreSQL server");
    let mut output = BufReader::new(child.stdout.take().expect("piped above"));
    let mut line = String::new();
    output.read_line(&mut line).expect("cannot read from the server's shell");
    let Some(folder) = line.strip_prefix("ready ").map(|folder| PathBuf::from(folder.trim_end())) else {
        let _ = output.read_to_string(&mut line);
        panic!("PostgreSQL did not start:\n{line}");
    };
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).user("filegen").password(PASSWORD).dbname("postgres");
    Server { config, started: Some((child, folder)) }
}

/// The folder of the newest server's programs: Debian keeps them out of PATH.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |dir: &PathBuf| dir.join("initdb").exists() && dir.join("pg_ctl").exists();
    if let Some(dir) = std::env::split_paths(&path).find(has) {
        return Some(dir);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |dir: &PathBuf| dir.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    versions.flatten().map(|entry| entry.path().join("bin")).filter(has).max_by_key(version)
}

/// PostgreSQL refuses to run as root.
fn as_ordinary_user() -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = ["postgres", "nobody"].into_iter().find(|user| passwd.contains(&format!("\n{user}:")));
    let user = user.expect("root cannot run PostgreSQL, and there is no user `postgres` or `nobody`");
    let mut command = Command::new("setpriv");
    let group = primary_group(&passwd, user);
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    command
}

fn primary_group<'a>(passwd: &'a str, user: &str) -> &'a str {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user));
    line.and_then(|line| line.split(':').nth(3)).unwrap_or("65534")
}

fn escape(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
