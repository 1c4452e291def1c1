//! A folder of an SFTP server as a file describes it.

use super::secret::Secret;
use std::path::PathBuf;

/// A folder of an SFTP server, and how to reach it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SftpSpec {
    /// `sftp://USER[:PASSWORD]@HOST[:22]/PATH`.
    pub url: Secret,
    /// How this process says who it is.
    pub login: SftpLogin,
    /// Files of host keys, as OpenSSH keeps them.
    pub known_hosts: Vec<PathBuf>,
    /// Host keys that are taken, by their SHA-256: `SHA256:…`. Where there are some, no file is looked into.
    pub fingerprints: Vec<String>,
    /// What is looked at before a file gets its name.
    pub verify: SftpVerify,
}

/// What this process logs in with, beside what the address has. All that is given is tried, in this order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SftpLogin {
    /// A file with a private key.
    pub key: Option<PathBuf>,
    /// What the key is encrypted with.
    pub passphrase: Option<Secret>,
    /// Whether keys of the agent at `SSH_AUTH_SOCK` are tried.
    pub has_agent: bool,
    /// The user's password, also where the server asks for it as a question.
    pub password: Option<Secret>,
}

/// What is looked at before a file gets its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SftpVerify {
    /// All of it is read back, and its digest compared.
    Content,
    /// Its size.
    Size,
}

impl SftpVerify {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Size => "size",
        }
    }
}
