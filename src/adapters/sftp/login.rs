//! Saying who we are: a key of a file, keys of an agent, a password, and questions whose answer is the password. All that is given is
//! tried, in this order; a server that wants two of them gets two.

use crate::core::model::secret::Secret;
use crate::core::model::sftp::SftpLogin;
use crate::files;
use russh::client::{AuthResult, Handle, Handler, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Error as KeyError, HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use russh::{MethodKind, MethodSet};
use std::path::Path;
use std::sync::Arc;

/// Largest file of a key, in bytes.
const KEY_MAX: u64 = 64 * 1024;

/// Keys of an agent that are tried: servers end the connection after six wrong ones, as delivered.
const AGENT_KEYS_MAX: usize = 5;

/// Rounds of questions.
const ROUNDS_MAX: usize = 5;

/// Why there is no login.
pub(super) enum Unknown {
    /// The server, or what is given, says no.
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

impl From<AuthResult> for Step {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::Done,
            AuthResult::Failure { remaining_methods, .. } => Self::Next(remaining_methods),
        }
    }
}

/// Logs in.
pub(super) async fn login<H: Handler>(handle: &mut Handle<H>, user: &str, login: &SftpLogin) -> Result<(), Unknown> {
    let key = login.key.as_deref().map(|path| private_key(path, login)).transpose().map_err(Unknown::Refused)?;
    let password = login.password.as_ref().map(Secret::reveal);
    // Asked first: a password is given in one way only, and the server says in which.
    let mut takes = match handle.authenticate_none(user).await?.into() {
        Step::Done => return Ok(()),
        Step::Next(takes) => takes,
    };
    if let Some(key) = key
        && takes.contains(&MethodKind::PublicKey)
    {
        match with_key(handle, user, key).await? {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    if login.has_agent && takes.contains(&MethodKind::PublicKey) {
        match with_agent(handle, user, takes).await? {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    // One of both: a wrong password given twice may lock the user out.
    if let Some(password) = password {
        let step = if takes.contains(&MethodKind::Password) {
            handle.authenticate_password(user, password).await?.into()
        } else if takes.contains(&MethodKind::KeyboardInteractive) {
            with_answers(handle, user, password).await?
        } else {
            Step::Next(takes)
        };
        match step {
            Step::Done => return Ok(()),
            Step::Next(next) => takes = next,
        }
    }
    let taken: Vec<String> = takes.iter().map(|method| <&str>::from(method).to_owned()).collect();
    let given = [
        login.key.as_ref().map(|_| "a key"),
        login.has_agent.then_some("keys of an agent"),
        login.password.as_ref().map(|_| "a password"),
    ];
    let given: Vec<&str> = given.into_iter().flatten().collect();
    Err(Unknown::Refused(format!(
        "the login was refused: {} was given, and the server would take {}; check the user, and `key`, `agent` or `password` beside \
         `sftp`",
        if given.is_empty() { "nothing".to_owned() } else { given.join(", ") },
        if taken.is_empty() { "nothing more".to_owned() } else { taken.join(", ") },
    )))
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
    Ok(handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await?.into())
}

async fn with_agent<H: Handler>(handle: &mut Handle<H>, user: &str, takes: MethodSet) -> Result<Step, Unknown> {
    let away = |error: &dyn std::fmt::Display| {
        Unknown::Refused(format!("`agent: true`, and the agent at SSH_AUTH_SOCK does not answer: {error}"))
    };
    let mut agent = AgentClient::connect_env().await.map_err(|error| away(&error))?;
    let keys = agent.request_identities().await.map_err(|error| away(&error))?;
    let mut step = Step::Next(takes);
    for identity in keys.into_iter().take(AGENT_KEYS_MAX) {
        let AgentIdentity::PublicKey { key, .. } = identity else { continue };
        let hash = hash(handle, key.algorithm().is_rsa()).await?;
        let tried = handle.authenticate_publickey_with(user, key, hash, &mut agent).await;
        step = tried.map_err(|error| Unknown::Ended(error.to_string()))?.into();
        match &step {
            Step::Next(next) if next.contains(&MethodKind::PublicKey) => {}
            Step::Done | Step::Next(_) => break,
        }
    }
    Ok(step)
}

/// Answers each question that is not shown while it is typed with the password, and others with nothing.
async fn with_answers<H: Handler>(handle: &mut Handle<H>, user: &str, password: &str) -> Result<Step, Unknown> {
    let mut asked = handle.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..ROUNDS_MAX {
        match asked {
            Asked::Success => return Ok(Step::Done),
            Asked::Failure { remaining_methods, .. } => return Ok(Step::Next(remaining_methods)),
            Asked::InfoRequest { prompts, .. } => {
                let answer = |hidden: bool| if hidden { password.to_owned() } else { String::new() };
                let answers = prompts.iter().map(|prompt| answer(!prompt.echo)).collect();
                asked = handle.authenticate_keyboard_interactive_respond(answers).await?;
            }
        }
    }
    Err(Unknown::Refused("the server asked question after question".to_owned()))
}
