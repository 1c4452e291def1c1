//! A SQL Server database of one's own: on the server named in `FILEGEN_TEST_SQLSERVER` (an ADO string of a login that may
//! create databases), else on one in a container, else on a TDS server in this process.

use super::containers;
use super::ports::free_port;
use crate::tds::{Form, Options, Server};
use filegen::adapters::sqlserver::SqlServerSource;
use filegen::core::model::secret::Secret;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use testcontainers::{ContainerRequest, ImageExt};
use tiberius::{Client, Config, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// A database that goes when this is dropped.
pub struct Database {
    ado: String,
    place: Place,
}

enum Place {
    Here { server: Box<Server>, folder: TempDir },
    Real { admin: String, name: String },
}

/// Makes names of databases unique within this process.
static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// An empty database on the real server, where there is one.
    pub async fn fresh() -> Self {
        let Some(admin) = tokio::task::spawn_blocking(server).await.unwrap() else {
            return Self::here(Options::default());
        };
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("filegen_{}_{number}", std::process::id());
        execute(&admin, &format!("CREATE DATABASE [{name}]")).await.unwrap();
        execute(&admin, &format!("ALTER DATABASE [{name}] SET ALLOW_SNAPSHOT_ISOLATION ON")).await.unwrap();
        let keep = |pair: &&str| {
            let key = pair.split('=').next().unwrap_or_default().trim().to_lowercase();
            !matches!(key.as_str(), "database" | "initial catalog" | "")
        };
        let kept: Vec<&str> = admin.split(';').filter(keep).collect();
        Self { ado: format!("{};Database={name}", kept.join(";")), place: Place::Real { admin, name } }
    }

    /// An empty database on a server in this process.
    pub fn here(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("loans.db"), options).unwrap();
        Self { ado: server.ado("TrustServerCertificate=true"), place: Place::Here { server: Box::new(server), folder } }
    }

    /// The server in this process; only after [`Database::here`].
    pub fn server(&self) -> &Server {
        match &self.place {
            Place::Here { server, .. } => server,
            Place::Real { .. } => panic!("a real server takes no faults"),
        }
    }

    /// Another server in this process with the same rows, which words its answers in this form; only after [`Database::here`].
    pub fn worded(&self, form: Form) -> Server {
        match &self.place {
            Place::Here { folder, .. } => {
                Server::start(&folder.path().join("loans.db"), Options { form, ..Options::default() }).unwrap()
            }
            Place::Real { .. } => panic!("a real server words its answers itself"),
        }
    }

    /// Its connection string.
    pub fn ado(&self) -> &str {
        &self.ado
    }

    /// The source under test, with more keys in its address.
    pub fn source(&self, more: &str) -> SqlServerSource {
        SqlServerSource::new(&Secret::new(format!("{};{more}", self.ado))).unwrap()
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) {
        execute(&self.ado, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A connection of the client library itself.
    pub async fn client(&self) -> Client<Compat<TcpStream>> {
        connect(&self.ado).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Place::Real { admin, name } = &self.place else { return };
        let sql = format!("ALTER DATABASE [{name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; DROP DATABASE [{name}]");
        let admin = admin.clone();
        // A runtime cannot be entered twice; what a failed test leaves behind on the server is in the way of nobody.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            drop(runtime.block_on(execute(&admin, &sql)));
        });
        drop(dropped.join());
    }
}

/// The real server that tests share, where there is one.
fn server() -> Option<String> {
    static SHARED: OnceLock<Option<String>> = OnceLock::new();
    SHARED.get_or_init(|| std::env::var("FILEGEN_TEST_SQLSERVER").ok().or_else(contained)).clone()
}

/// The address of a server in a container, by the login that may do everything.
fn contained() -> Option<String> {
    const PASSWORD: &str = "Of-the-tests-1";
    let variables = [
        ("ACCEPT_EULA", "Y"),
        ("MSSQL_PID", "Developer"),
        ("MSSQL_MEMORY_LIMIT_MB", "2048"),
        ("MSSQL_SA_PASSWORD", PASSWORD),
    ];
    let (port, host) = (free_port(), containers::host());
    let ado =
        format!("Server=tcp:{host},{port};User Id=sa;Password={PASSWORD};Encrypt=true;TrustServerCertificate=true");
    let set = |request: ContainerRequest<_>, (name, value)| request.with_env_var(name, value);
    containers::start(
        containers::SQLSERVER,
        (port, 1433),
        |request| variables.into_iter().fold(request, set),
        || containers::answer(execute(&ado, "SELECT 1")),
    )?;
    Some(ado)
}

async fn connect(ado: &str) -> tiberius::Result<Client<Compat<TcpStream>>> {
    let config = Config::from_ado_string(ado)?;
    let tcp = TcpStream::connect(config.get_addr()).await?;
    // The library's handshake is a large future.
    Box::pin(Client::connect(config, tcp.compat_write())).await
}

async fn execute(ado: &str, sql: &str) -> tiberius::Result<Vec<Vec<Row>>> {
    connect(ado).await?.simple_query(sql).await?.into_results().await
}
