//! A connection to an SFTP server, and what the server can do.

use super::address::Address;
use super::login::{self, Means, Unknown};
use super::progress::{Slow, Watched};
use super::refusals::{Logins, Stamp, stamp};
use super::trust::{self, Trust};
use crate::core::model::sftp::{SftpLogin, SftpSpec};
use crate::core::model::shown;
use crate::core::ports::file_target::TargetError;
use russh::client::{self, Handle, Handler};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Disconnect, Preferred};
use russh_sftp::client::{Config, RawSftpSession};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A connection with its login is there after this, or is given up.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

/// An answer to one request comes within this, however slow the line is; [`Watched`] looks whether anything moves. In seconds.
const ANSWER_WITHIN: u64 = 24 * 3_600;

/// A silent server is asked whether it is there.
const ASKED_AFTER: Duration = Duration::from_secs(15);

/// Requests that are on their way at once, of all files together: each holds at most [`MOST`] bytes.
const WINDOW: usize = 64;

/// Bytes of one request where the server says that it takes so many, less what frames them.
const MOST: u64 = 255 * 1024;

/// Bytes of one request that every server takes: draft-ietf-secsh-filexfer-02, section 3.
const LEAST: u64 = 32 * 1024;

/// Files that are open for writing at once, and for reading. OpenSSH's handles are numbers in four bytes, the smallest that are free;
/// russh-sftp 3.0 reads a handle as text, which they are below 128.
const WRITERS: usize = 64;
const READERS: usize = 48;

/// Folders that are remembered to be there.
const FOLDERS: usize = 4_096;

/// What the client does when the server speaks first: it looks whether the server is the right one.
pub(super) struct Client {
    trust: Arc<Trust>,
    /// Why it is not, and the kind of its key.
    said: Arc<Mutex<Option<(String, Algorithm)>>>,
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let (checked, kind) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => (self.trust.check(key), key.algorithm()),
            // None is asked for.
            PublicKeyOrCertificate::Certificate(shown) => {
                (Err("it shows a certificate, and a key was asked for".to_owned()), shown.algorithm())
            }
        };
        let is_known = checked.is_ok();
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = checked.err().map(|why| (why, kind));
        Ok(is_known)
    }
}

/// A connection that is logged in.
pub(super) struct Link {
    pub(super) sftp: RawSftpSession,
    connection: Handle<Client>,
    is_broken: AtomicBool,
    extensions: HashMap<String, String>,
    /// Requests under way that may take long.
    slow: Arc<AtomicUsize>,
    /// Bytes of one request at most.
    pub(super) write_most: usize,
    pub(super) read_most: u32,
    pub(super) window: Arc<Semaphore>,
    pub(super) writers: Arc<Semaphore>,
    pub(super) readers: Arc<Semaphore>,
    /// Folders below the target that were seen to be there.
    folders: Mutex<HashSet<String>>,
}

impl Link {
    /// Whether the server says that it knows an extension.
    pub(super) fn can(&self, extension: &str) -> bool {
        self.extensions.contains_key(extension)
    }

    /// Whether it is of no more use.
    pub(super) fn is_over(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed) || self.connection.is_closed()
    }

    /// Nobody shall use it again.
    pub(super) fn give_up(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// While what it gives is there, the server may take long over its answer.
    pub(super) fn slow(&self) -> Slow {
        Slow::of(&self.slow)
    }

    /// Whether a folder was seen to be there.
    pub(super) fn knows(&self, folder: &str) -> bool {
        self.folders().contains(folder)
    }

    /// It is there.
    pub(super) fn remember(&self, folder: &str) {
        let mut folders = self.folders();
        if folders.len() >= FOLDERS {
            folders.clear();
        }
        folders.insert(folder.to_owned());
    }

    /// Whatever was seen may be gone.
    pub(super) fn forget_folders(&self) {
        self.folders().clear();
    }

    fn folders(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says farewell, as far as the server still listens.
    pub(super) async fn close(&self) {
        let _ = self.sftp.close_session();
        let _ = self.connection.disconnect(Disconnect::ByApplication, "", "").await;
    }
}

/// What a connection is made with.
pub(super) struct Ready {
    trust: Arc<Trust>,
    means: Means,
    pub(super) stamp: Stamp,
}

/// Reads keys and host keys: the server hears nothing of what is wrong with these.
pub(super) async fn ready(spec: &SftpSpec, address: &Address) -> Result<Ready, String> {
    let trust = Arc::new(Trust::of(spec, address)?);
    let login = login_of(spec, address);
    let means = tokio::time::timeout(CONNECT_WITHIN, Means::of(&login)).await;
    let means = means.map_err(|_| "the agent at SSH_AUTH_SOCK does not answer in time".to_owned())??;
    let stamp = stamp(address, &trust, &means);
    Ok(Ready { trust, means, stamp })
}

/// Connects, looks whether it is the right server, and logs in; unless that was refused lately.
pub(super) async fn connect(ready: Ready, address: &Address, logins: &Logins) -> Result<Link, TargetError> {
    let Ready { trust, mut means, stamp } = ready;
    let target = address.shown();
    let away = |reason: String| TargetError::Away { target: target.clone(), reason };
    let login = logins.of(stamp);
    login.lock().await.may_try(&target)?;
    let is_offered = AtomicBool::new(false);
    let connecting = async {
        let mut handle = match trusted(&trust, address).await {
            Ok(handle) => handle,
            Err(Untrusted::Away(why)) => return Err(away(why)),
            Err(Untrusted::Refused(why)) => return Err(login.lock().await.refused(&target, why)),
        };
        let mut refusals = login.lock().await;
        // Another one may have been refused meanwhile.
        refusals.may_try(&target)?;
        match login::login(&mut handle, &address.user, &mut means, &is_offered).await {
            Ok(()) => refusals.taken(),
            Err(Unknown::Refused(why)) => return Err(refusals.refused(&target, why)),
            Err(Unknown::Ended(why)) => {
                let why = format!("the login was not answered: {why}");
                let is_doubtful = is_offered.load(Ordering::Relaxed);
                return Err(if is_doubtful { refusals.ended(&target, why) } else { away(why) });
            }
        }
        drop(refusals);
        is_offered.store(false, Ordering::Relaxed);
        opened(handle).await.map_err(away)
    };
    match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
        Ok(connected) => connected,
        Err(_) if is_offered.load(Ordering::Relaxed) => {
            Err(login.lock().await.ended(&target, "the login was not answered in time".to_owned()))
        }
        Err(_) => Err(away("no connection in time".to_owned())),
    }
}

/// What the address has of a login stands in for what the file does not say.
fn login_of(spec: &SftpSpec, address: &Address) -> SftpLogin {
    let password = spec.login.password.clone().or_else(|| address.password.clone());
    SftpLogin { password, ..spec.login.clone() }
}

enum Untrusted {
    Refused(String),
    Away(String),
}

/// A connection to the right server. Where fingerprints say which that is, it is asked for each kind of key in turn: it shows one.
async fn trusted(trust: &Arc<Trust>, address: &Address) -> Result<Handle<Client>, Untrusted> {
    let mut algorithms = trust.algorithms();
    let mut first = None;
    loop {
        let said = Arc::default();
        let client = Client { trust: Arc::clone(trust), said: Arc::clone(&said) };
        let stream = TcpStream::connect((address.name(), address.port));
        let stream = stream.await.map_err(|error| Untrusted::Away(error.to_string()))?;
        // Without it each small request waits for the answer to the one before.
        stream.set_nodelay(true).map_err(|error| Untrusted::Away(error.to_string()))?;
        let preferred = Preferred { key: Cow::Owned(algorithms.clone()), ..Preferred::DEFAULT };
        let config = client::Config {
            preferred,
            keepalive_interval: Some(ASKED_AFTER),
            nodelay: true,
            ..client::Config::default()
        };
        let error = match client::connect_stream(Arc::new(config), stream, client).await {
            Ok(handle) => return Ok(handle),
            Err(error) => error,
        };
        let told = said.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((why, kind)) = told else {
            let why = first.unwrap_or_else(|| unconnected(&error));
            return Err(if is_lasting(&error) { Untrusted::Refused(why) } else { Untrusted::Away(why) });
        };
        algorithms.retain(|asked| !trust::is_of(kind.clone(), asked));
        let why = first.get_or_insert(why);
        if algorithms.is_empty() || !trust.is_by_fingerprint() {
            return Err(Untrusted::Refused(why.clone()));
        }
    }
}

/// Whether another try would end the same way.
fn is_lasting(error: &russh::Error) -> bool {
    matches!(error, russh::Error::NoCommonAlgo { .. } | russh::Error::UnknownAlgo | russh::Error::Version)
}

fn unconnected(error: &russh::Error) -> String {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let theirs: Vec<String> = theirs.iter().map(|name| shown::text(name)).collect();
            format!("no {kind:?} algorithm in common; the server offers {}", theirs.join(", "))
        }
        error => error.to_string(),
    }
}

/// The subsystem of an SSH connection.
async fn opened(connection: Handle<Client>) -> Result<Link, String> {
    let channel = connection.channel_open_session().await.map_err(|error| format!("no channel: {error}"))?;
    let none = |error: &dyn std::fmt::Display| format!("the server offers no SFTP to this user: {error}");
    channel.request_subsystem(true, "sftp").await.map_err(|error| none(&error))?;
    let slow = Arc::<AtomicUsize>::default();
    let config = Config { max_packet_len: 512 * 1024, request_timeout_secs: ANSWER_WITHIN, ..Config::default() };
    let sftp = RawSftpSession::new_with_config(Watched::new(channel.into_stream(), Arc::clone(&slow)), config);
    let extensions = sftp.init().await.map_err(|error| none(&error))?.extensions;
    let (mut write, mut read) = (LEAST, LEAST);
    if extensions.contains_key(russh_sftp::extensions::LIMITS) {
        let limits = sftp.limits().await.map_err(|error| error.to_string())?;
        (write, read) = (limits.max_write_len.clamp(LEAST, MOST), limits.max_read_len.clamp(LEAST, MOST));
    }
    Ok(Link {
        sftp,
        connection,
        is_broken: AtomicBool::new(false),
        extensions,
        slow,
        write_most: usize::try_from(write).unwrap_or(32 * 1024),
        read_most: u32::try_from(read).unwrap_or(32 * 1024),
        window: Arc::new(Semaphore::new(WINDOW)),
        writers: Arc::new(Semaphore::new(WRITERS)),
        readers: Arc::new(Semaphore::new(READERS)),
        folders: Mutex::default(),
    })
}
