//! SFTP servers: OpenSSH's, started by this process and ending with it; and one in Python that is what others are like.

use super::own::Own;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Installs the Python one where `tests/run` has not.
const FETCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/sftp/fetch");

/// Where it is then.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-servers/sftp");

/// What it serves.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/sftp/server.py");

/// sshd wants to be called by its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// A server.
pub struct Sftp {
    own: Own,
    user: String,
}

impl Deref for Sftp {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.own
    }
}

/// Makes a pair of keys at `path`.
pub fn keys(path: &Path, kind: &str, passphrase: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"]).arg(path);
    if kind == "rsa" {
        command.args(["-b", "2048"]);
    }
    assert!(command.status().expect("ssh-keygen runs").success(), "{kind}");
}

/// `SHA256:…` of a public key.
pub fn fingerprint(path: &Path) -> String {
    let done =
        Command::new("ssh-keygen").args(["-l", "-E", "sha256", "-f"]).arg(path).output().expect("ssh-keygen runs");
    let text = String::from_utf8(done.stdout).expect("text");
    text.split_whitespace().nth(1).expect("a fingerprint").to_owned()
}

impl Sftp {
    /// OpenSSH's server, for the user of this process, with a key of each kind: its own, and of those who may log in.
    pub fn openssh() -> Self {
        let mut own = Own::new();
        let path = |name: &str| own.file(name);
        for kind in ["ed25519", "ecdsa", "rsa"] {
            keys(&path(&format!("host_{kind}")), kind, "");
            keys(&path(&format!("user_{kind}")), kind, "");
        }
        keys(&path("user_locked"), "ed25519", "open sesame");
        keys(&path("user_other"), "ed25519", "");
        let known = ["ed25519", "ecdsa", "rsa", "locked"].map(|kind| path(&format!("user_{kind}.pub")));
        let known: Vec<String> = known.iter().map(|path| fs::read_to_string(path).expect("a key")).collect();
        fs::write(path("authorized"), known.concat()).expect("it is written");
        let (port, at) = (own.port, own.file("").display().to_string());
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {at}/host_ed25519\nHostKey {at}/host_ecdsa\nHostKey {at}/host_rsa\n\
             AuthorizedKeysFile {at}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\nPidFile none\nLogLevel VERBOSE\nMaxStartups 200\nMaxAuthTries 6\n"
        );
        fs::write(path("config"), config).expect("it is written");
        // As root, sshd wants a place to lock a part of itself into.
        let _ = fs::create_dir_all("/run/sshd");
        own.run("an SFTP server", [SSHD, "-D", "-e", "-f", &format!("{at}/config")]);
        let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
        let user = String::from_utf8(user).expect("text").trim().to_owned();
        Self { own, user }
    }

    /// The OpenSSH server that tests share; each delivers into a folder of its own.
    pub fn shared() -> &'static Self {
        static STARTED: OnceLock<Sftp> = OnceLock::new();
        STARTED.get_or_init(Self::openssh)
    }

    /// A server in Python: `ann` with the password `open:sesame`, and what is said of it: `password`, `questions`, `replaces`, `spoils`,
    /// `takes` (and shows nothing), `short` (answers to reads), `hangs-up` (on a wrong password), `picky` (of names), `openssh` (by its name).
    pub fn python(ways: &[&str]) -> Self {
        let done = Command::new("sh").arg(FETCH).arg(FOLDER).output().expect("a shell runs");
        assert!(done.status.success(), "no server: {}", String::from_utf8_lossy(&done.stderr));
        let mut own = Own::new();
        let key = own.file("host_ed25519");
        keys(&key, "ed25519", "");
        let (python, number) = (format!("{FOLDER}/venv/bin/python"), own.port.to_string());
        let key = key.display().to_string();
        own.run("an SFTP server", [&*python, SERVER, &*number, &*key].into_iter().chain(ways.iter().copied()));
        Self { own, user: "ann".to_owned() }
    }

    /// The address of a folder of this host.
    pub fn url(&self, folder: &Path) -> String {
        self.url_at(&self.place(), folder)
    }

    /// The same by another way to it.
    pub fn url_at(&self, place: &str, folder: &Path) -> String {
        format!("sftp://{}@{place}{}", self.user, folder.display())
    }

    /// Something of its folder: `user_ed25519`, `host_rsa.pub`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.file(name)
    }

    /// How often its log says something.
    pub fn told(&self, what: &str) -> usize {
        self.log().matches(what).count()
    }

    /// The host key's fingerprint.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.path("host_ed25519.pub"))
    }
}
