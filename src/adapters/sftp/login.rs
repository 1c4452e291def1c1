//! Saying who we are: a key of a file, keys of an agent, a password, and questions whose answer is the password. All that is given is
//! tried, in this order; a server that wants two of them gets two.

use crate::core::model::secret::Secret;
use crate::core::model::sftp::SftpLogin;
use crate::files;
use russh::client::{AuthResult, Handle, Handler, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Error as KeyError, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{MethodKind, MethodSet};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::UnixStream;

/// Largest file of a key, in bytes.
const KEY_MAX: u64 = 64 * 1024;

/// Keys of an agent that are tried: servers end the connection after six wrong ones, as delivered.
const AGENT_KEYS_MAX: usize = 5;

/// Rounds of questions.
const ROUNDS_MAX: usize = 5;

/// A connection that ends with a refusal has ended after this.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Why there is no login.
pub(super) enum Unknown {
    /// The server says no.
    Refused(String),
    /// The connection ended.
    Ended(String),
}

impl From<russh::Error> for Unknown {
    fn from(error: russh::Error) -> Self {
        Self::Ended(error.to_string())
    }
}

/// How far a login is.
enum Step {
    Done,
    /// What the server would take next.
    Next(MethodSet),
}

/// An agent, and its keys.
type Agent = (AgentClient<UnixStream>, Vec<PublicKey>);

/// What is logged in with, read before the server is asked for anything: what is wrong here is nothing that it should see.
pub(super) struct Means {
    key: Option<Arc<PrivateKey>>,
    agent: Option<Agent>,
    password: Option<Secret>,
}

impl Means {
    /// Reads keys.
    ///
    /// # Errors
    /// When one cannot be read, or the agent does not answer.
    pub(super) async fn of(login: &SftpLogin) -> Result<Self, String> {
        let key = login.key.as_deref().map(|path| private_key(path, login)).transpose()?;
        let agent = if login.has_agent { Some(agent().await?) } else { None };
        Ok(Self { key, agent, password: login.password.clone() })
    }

    /// What tells it from another, without a secret key.
    pub(super) fn digest(&self, digest: &mut Sha256) {
        let agents = self.agent.iter().flat_map(|(_, keys)| keys).map(|key| key.fingerprint(HashAlg::Sha256));
        let key = self.key.iter().map(|key| key.public_key().fingerprint(HashAlg::Sha256));
        for fingerprint in key.chain(agents) {
            digest.update(fingerprint.as_bytes());
        }
        if let Some(password) = &self.password {
            digest.update(b"password");
            digest.update(password.reveal());
        }
    }

    fn shown(&self) -> String {
        let given = [
            self.key.as_ref().map(|_| "a key"),
            self.agent.as_ref().map(|_| "keys of an agent"),
            self.password.as_ref().map(|_| "a password"),
        ];
        given.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Logs in. `is_offered` is set once the server has seen something that it may refuse.
pub(super) async fn login<H: Handler>(
    handle: &mut Handle<H>,
    user: &str,
    means: &mut Means,
    is_offered: &AtomicBool,
) -> Result<(), Unknown> {
    // Asked first: a password is given in one way only, and the server says in which.
    let none = handle.authenticate_none(user).await?;
    let Step::Next(mut takes) = step(handle, none).await? else { return Ok(()) };
    if let Some(key) = means.key.clone()
        && takes.contains(&MethodKind::PublicKey)
    {
        is_offered.store(true, Ordering::Relaxed);
        match with_key(handle, user, key).await? {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    if let Some(agent) = &mut means.agent
        && takes.contains(&MethodKind::PublicKey)
    {
        is_offered.store(true, Ordering::Relaxed);
        match with_agent(handle, user, agent, takes).await? {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    // One of both: a wrong password given twice may lock the user out.
    if let Some(password) = means.password.as_ref().map(Secret::reveal) {
        let step = if takes.contains(&MethodKind::Password) {
            is_offered.store(true, Ordering::Relaxed);
            let tried = handle.authenticate_password(user, password).await?;
            step(handle, tried).await?
        } else if takes.contains(&MethodKind::KeyboardInteractive) {
            is_offered.store(true, Ordering::Relaxed);
            with_answers(handle, user, password).await?
        } else {
            Step::Next(takes)
        };
        match step {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    let (given, taken) = (means.shown(), takes.iter().map(|method| <&str>::from(method).to_owned()));
    let taken: Vec<String> = taken.collect();
    Err(Unknown::Refused(format!(
        "the login was refused: {} was given, and the server would take {}; check the user, and `key`, `agent` or `password` beside \
         `sftp`",
        if given.is_empty() { "nothing".to_owned() } else { given },
        if taken.is_empty() { "nothing more".to_owned() } else { taken.join(", ") },
    )))
}

/// What an answer means. The client calls the end of the connection a refusal that leaves no other way.
async fn step<H: Handler>(handle: &mut Handle<H>, result: AuthResult) -> Result<Step, Unknown> {
    match result {
        AuthResult::Success => Ok(Step::Done),
        AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty() => {
            match tokio::time::timeout(ENDS_WITHIN, handle).await {
                Err(_) => Ok(Step::Next(remaining_methods)),
                Ok(_) => Err(Unknown::Ended("the server ended the connection".to_owned())),
            }
        }
        AuthResult::Failure { remaining_methods, .. } => Ok(Step::Next(remaining_methods)),
    }
}

fn private_key(path: &Path, login: &SftpLogin) -> Result<Arc<PrivateKey>, String> {
    let shown = path.display();
    let bytes = files::read(path, KEY_MAX).map_err(|error| format!("`key` `{shown}` cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("`key` `{shown}` is no text"))?;
    let passphrase = login.passphrase.as_ref().map(Secret::reveal);
    // The client's words may repeat what they could not read.
    decode_secret_key(&text, passphrase).map(Arc::new).map_err(|error| match (&error, passphrase) {
        (KeyError::KeyIsEncrypted, None) => format!("`key` `{shown}` is encrypted; write `passphrase` beside it"),
        (_, Some(_)) => format!("`key` `{shown}` cannot be read with this `passphrase`"),
        (_, None) => format!("`key` `{shown}` is no private key of OpenSSH, PKCS#8 or PKCS#1, or is encrypted"),
    })
}

/// How an RSA key signs: as the server says that it takes, and never with SHA-1.
async fn hash<H: Handler>(handle: &Handle<H>, is_rsa: bool) -> Result<Option<HashAlg>, Unknown> {
    if !is_rsa {
        return Ok(None);
    }
    Ok(handle.best_supported_rsa_hash().await?.flatten().or(Some(HashAlg::Sha256)))
}

async fn with_key<H: Handler>(handle: &mut Handle<H>, user: &str, key: Arc<PrivateKey>) -> Result<Step, Unknown> {
    let hash = hash(handle, key.algorithm().is_rsa()).await?;
    let tried = handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await?;
    step(handle, tried).await
}

/// The agent's keys, as many as are tried.
async fn agent() -> Result<Agent, String> {
    let away = |error: &dyn std::fmt::Display| {
        format!("`agent: true`, and the agent at SSH_AUTH_SOCK does not answer: {error}")
    };
    let mut agent = AgentClient::connect_env().await.map_err(|error| away(&error))?;
    let keys = agent.request_identities().await.map_err(|error| away(&error))?;
    let keys = keys.into_iter().filter_map(|identity| match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key),
        AgentIdentity::Certificate { .. } => None,
    });
    Ok((agent, keys.take(AGENT_KEYS_MAX).collect()))
}

async fn with_agent<H: Handler>(
    handle: &mut Handle<H>,
    user: &str,
    (agent, keys): &mut Agent,
    mut takes: MethodSet,
) -> Result<Step, Unknown> {
    for key in keys.iter() {
        let hash = hash(handle, key.algorithm().is_rsa()).await?;
        let tried = handle.authenticate_publickey_with(user, key.clone(), hash, agent).await;
        let tried = tried.map_err(|error| Unknown::Ended(error.to_string()))?;
        match step(handle, tried).await? {
            Step::Done => return Ok(Step::Done),
            Step::Next(next) => takes = next,
        }
        if !takes.contains(&MethodKind::PublicKey) {
            break;
        }
    }
    Ok(Step::Next(takes))
}

/// Answers each question that is not shown while it is typed with the password, and others with nothing.
async fn with_answers<H: Handler>(handle: &mut Handle<H>, user: &str, password: &str) -> Result<Step, Unknown> {
    let mut asked = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        match asked {
            Asked::Success => return Ok(Step::Done),
            Asked::Failure { remaining_methods, partial_success } => {
                return step(handle, AuthResult::Failure { remaining_methods, partial_success }).await;
            }
            Asked::InfoRequest { prompts, .. } => {
                let answer = |hidden: bool| if hidden { password.to_owned() } else { String::new() };
                let answers = prompts.iter().map(|prompt| answer(!prompt.echo)).collect();
                asked = handle.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    Err(Unknown::Refused("the server asked question after question".to_owned()))
}
