//! A server that speaks TDS 7.4 in front of SQLite: SQL Server as far as a reader of views, and a writer of
//! tables, can tell, for tests.
//!
//! Written from the public protocol description [MS-TDS]; no code is shared with the client under test, and FreeTDS is
//! pointed at it as well. One thread per connection, blocking I/O; every connection has its own SQLite connection to one file.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a wire format is made of truncated lengths"
)]

mod batch;
mod bulk;
mod catalog;
mod change;
mod database;
mod fault;
mod form;
mod incoming;
mod login;
mod merge;
mod moment;
mod order;
mod reply;
mod request;
mod rows;
mod session;
mod tables;
mod tsql;
mod types;
mod values;
mod wire;
mod writes;

#[allow(unused_imports, reason = "the runner by hand injects nothing")]
pub use fault::{Action, Fault};
#[allow(unused_imports, reason = "the runner by hand answers in the usual form")]
pub use form::{Form, Nulls, Plp, Talk};
pub use login::Encryption;

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What it offers and insists on.
    pub encryption: Encryption,
    /// The only user, and the password.
    pub user: (String, String),
    /// The only database besides `master`.
    pub database: String,
    /// Where read-only connections are sent on to.
    pub read_only_route: Option<SocketAddr>,
    /// What the route calls that server, in place of its IP address: `host\instance`.
    pub route_name: Option<String>,
    /// Whether a login that was encrypted alone is refused under TLS too, as some servers do.
    pub refuses_under_tls: bool,
    /// Whether snapshot isolation is allowed.
    pub snapshot: bool,
    /// How it words its answers.
    pub form: Form,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encryption: Encryption::LoginOnly,
            user: ("sa".to_owned(), "Pa55 word;'\"".to_owned()),
            database: "loans".to_owned(),
            read_only_route: None,
            route_name: None,
            refuses_under_tls: false,
            snapshot: true,
            form: Form::default(),
        }
    }
}

/// What a client said of itself when it logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub user: String,
    pub database: String,
    pub application: String,
    /// The name by which the client calls the server.
    pub server: String,
    pub packet_size: u32,
    pub read_only: bool,
    /// Whether the login, and whether what follows it, is encrypted.
    pub encrypted: (bool, bool),
    /// The features that it asked for, by number; FEATUREEXTACK answers those that the server has.
    pub features: Vec<u8>,
}

/// A running server; it stops when dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    options: Options,
    ca: Option<String>,
}

/// What all connections of a server see.
struct Shared {
    file: PathBuf,
    options: Options,
    tls: Option<Arc<rustls::ServerConfig>>,
    stopped: AtomicBool,
    faults: Mutex<Vec<Fault>>,
    statements: Mutex<Vec<String>>,
    logins: Mutex<Vec<Login>>,
    attentions: Mutex<u64>,
    sockets: Mutex<Vec<TcpStream>>,
    sessions: AtomicUsize,
}

impl Server {
    /// Starts on a free port of the loopback device, in front of the SQLite file (made if it is not there).
    pub fn start(file: &Path, options: Options) -> io::Result<Self> {
        Self::listen(file, options, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts on an address.
    pub fn listen(file: &Path, options: Options, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let (tls, ca) = match options.encryption {
            Encryption::NotSupported => (None, None),
            _ => login::certificate().map(|(config, ca)| (Some(config), Some(ca)))?,
        };
        let shared = Arc::new(Shared {
            file: file.to_owned(),
            options: options.clone(),
            tls,
            stopped: AtomicBool::new(false),
            faults: Mutex::default(),
            statements: Mutex::default(),
            logins: Mutex::default(),
            attentions: Mutex::default(),
            sockets: Mutex::default(),
            sessions: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if accepting.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(copy) = socket.try_clone() {
                    lock(&accepting.sockets).push(copy);
                }
                let shared = Arc::clone(&accepting);
                shared.sessions.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    // A connection that ends badly is the client's business, which the test looks at.
                    drop(session::serve(&shared, socket));
                    shared.sessions.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { address, shared, options, ca })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An ADO connection string for it, with what is added to it.
    pub fn ado(&self, more: &str) -> String {
        let (user, password) = &self.options.user;
        let password = password.replace('"', "\"\"");
        format!(
            "Server=tcp:127.0.0.1,{};Database={};User Id={user};Password=\"{password}\";{more}",
            self.address.port(),
            self.options.database
        )
    }

    /// The certificate authority's certificate as PEM, where there is TLS.
    pub fn ca(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// Adds a fault; each strikes once.
    pub fn inject(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Faults that have not struck yet.
    pub fn faults_left(&self) -> usize {
        lock(&self.shared.faults).len()
    }

    /// All statements so far, as sent, each with its parameters' declaration in front where it has any.
    pub fn statements(&self) -> Vec<String> {
        lock(&self.shared.statements).clone()
    }

    /// All logins so far.
    pub fn logins(&self) -> Vec<Login> {
        lock(&self.shared.logins).clone()
    }

    /// Attention signals so far.
    pub fn attentions(&self) -> u64 {
        *lock(&self.shared.attentions)
    }

    /// Connections that are being served now.
    pub fn sessions(&self) -> usize {
        self.shared.sessions.load(Ordering::SeqCst)
    }

    /// Cuts every connection there is now.
    pub fn cut(&self) {
        for socket in lock(&self.shared.sockets).drain(..) {
            // One that is gone already is cut as well.
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread, which then sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
