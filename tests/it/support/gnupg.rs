//! GnuPG with a folder of keys of its own, whose agent ends with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Keys by the names of their owners.
pub struct Gnupg {
    home: tempfile::TempDir,
}

/// What GnuPG made of a message.
pub struct Opened {
    /// What stood in it. `None` where it could not be read.
    pub content: Option<Vec<u8>>,
    /// What it tells programs, a line each.
    pub status: String,
}

impl Gnupg {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Self { home }
    }

    fn gpg(&self, passphrase: &str) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", self.home.path()).stdin(Stdio::null());
        gpg.args(["--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase", passphrase]);
        gpg
    }

    #[track_caller]
    fn done(command: &mut Command) -> Output {
        let done = command.output().expect("gpg runs: `apt install gnupg`");
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
        done
    }

    /// A certificate, and one subkey of it that is for `usage`: its fingerprint. `made` is a time of GnuPG's, if not now.
    pub fn key(
        &self,
        owner: &str,
        (kind, usage): (&str, &str),
        ends: &str,
        made: Option<&str>,
        passphrase: &str,
    ) -> String {
        let (primary, subkey) = match kind {
            "rsa" => ("rsa2048", "rsa2048"),
            "brainpool" => ("brainpoolP256r1", "brainpoolP256r1"),
            _ if usage == "encr" => ("ed25519", "cv25519"),
            _ => ("ed25519", "ed25519"),
        };
        let time = |mut gpg: Command| {
            gpg.args(made.iter().flat_map(|made| ["--faked-system-time", made]));
            gpg
        };
        Self::done(time(self.gpg(passphrase)).args(["--quick-gen-key", owner, primary, "cert", ends]));
        let fingerprint = self.fingerprint(owner);
        Self::done(time(self.gpg(passphrase)).args(["--quick-add-key", &fingerprint, subkey, usage, ends]));
        fingerprint
    }

    fn fingerprint(&self, owner: &str) -> String {
        self.fingerprints(owner).swap_remove(0)
    }

    /// Of the key, then of its subkeys.
    fn fingerprints(&self, owner: &str) -> Vec<String> {
        let listed = Self::done(self.gpg("").args(["--with-colons", "--list-keys", owner])).stdout;
        let listed = String::from_utf8(listed).unwrap();
        let lines = listed.lines().filter(|line| line.starts_with("fpr:"));
        lines.map(|line| line.split(':').nth(9).unwrap().to_owned()).collect()
    }

    /// Its validity ends then, with that of its subkeys: each by its name, for `*` leaves out those that have ended (2.2.40).
    pub fn renew(&self, fingerprint: &str, ends: &str) {
        Self::done(self.gpg("").args(["--quick-set-expire", fingerprint, ends]));
        for subkey in self.fingerprints(fingerprint).into_iter().skip(1) {
            Self::done(self.gpg("").args(["--quick-set-expire", fingerprint, ends, &subkey]));
        }
    }

    /// Takes the key back, by the revocation that GnuPG made with it.
    pub fn revoke(&self, fingerprint: &str) {
        let path = self.home.path().join(format!("openpgp-revocs.d/{fingerprint}.rev"));
        // A colon stands in front, so that nobody does so by accident.
        let text = fs::read_to_string(path).unwrap().replace("\n:---", "\n---");
        let file = self.home.path().join("revocation");
        fs::write(&file, text).unwrap();
        Self::done(self.gpg("").arg("--import").arg(file));
    }

    /// Takes a public key in, to verify with.
    pub fn import(&self, from: &Path) {
        Self::done(self.gpg("").arg("--import").arg(from));
    }

    /// Writes a public key, as text or packets.
    pub fn export(&self, owner: &str, to: &Path, is_armored: bool) {
        let armor = is_armored.then_some("--armor");
        Self::done(self.gpg("").args(armor).arg("--output").arg(to).args(["--export", owner]));
    }

    /// Writes a secret key: whole, or its subkeys alone.
    pub fn export_secret(&self, owner: &str, to: &Path, which: &str, passphrase: &str) {
        Self::done(self.gpg(passphrase).arg("--armor").arg("--output").arg(to).args([which, owner]));
    }

    /// Reads a message.
    pub fn open(&self, message: &Path) -> Opened {
        let done = self.gpg("").args(["--status-fd", "2", "--decrypt"]).arg(message).output().unwrap();
        let status = String::from_utf8_lossy(&done.stderr).into_owned();
        Opened { content: done.status.success().then_some(done.stdout), status }
    }

    /// The packets of a message, in GnuPG's words.
    pub fn packets(&self, message: &Path) -> String {
        let done = Self::done(self.gpg("").arg("--list-packets").arg(message));
        String::from_utf8(done.stdout).unwrap()
    }
}

impl Drop for Gnupg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").env("GNUPGHOME", self.home.path()).args(["--kill", "all"]).status();
    }
}
