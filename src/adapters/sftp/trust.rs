//! Whether a server is the one it should be: its host key against files as OpenSSH keeps them, or against fingerprints.
//!
//! The file's form is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": several names in a line, wildcards, `!` for "not", hashed names,
//! `[host]:port`, `@revoked`. Lines of certificate authorities are passed over: a key is taken by itself.

use super::address::Address;
use crate::core::model::sftp::SftpSpec;
use crate::files;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, HashAlg, PublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::Path;

/// Largest file of host keys, in bytes.
const FILE_MAX: u64 = 16 << 20;

/// What a server's key is held against.
pub(super) struct Trust {
    fingerprints: Vec<String>,
    /// Keys of this very server, and where they stand.
    known: Vec<(PublicKey, String)>,
    /// Keys of its host that are said of no port: they count where none is known for its port.
    of_host: Vec<(PublicKey, String)>,
    revoked: Vec<PublicKey>,
    /// For messages: where was looked.
    looked: String,
}

impl Trust {
    /// What the file says of this server.
    ///
    /// # Errors
    /// When a file of host keys cannot be read, or knows nothing of this server.
    pub(super) fn of(spec: &SftpSpec, address: &Address) -> Result<Self, String> {
        let mut trust = Self {
            fingerprints: spec.fingerprints.clone(),
            known: Vec::new(),
            of_host: Vec::new(),
            revoked: Vec::new(),
            looked: String::new(),
        };
        if !trust.fingerprints.is_empty() {
            return Ok(trust);
        }
        for path in &spec.known_hosts {
            trust.read(path, address)?;
        }
        if trust.known.is_empty() {
            trust.known.append(&mut trust.of_host);
        }
        Ok(trust)
    }

    fn read(&mut self, path: &Path, address: &Address) -> Result<(), String> {
        let shown = path.display().to_string();
        if !self.looked.is_empty() {
            self.looked.push_str(", ");
        }
        self.looked.push_str(&shown);
        let bytes = match files::read(path, FILE_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("`{shown}`, a file of host keys, cannot be read: {error}")),
        };
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text.lines().enumerate() {
            let Some(entry) = entry(line) else { continue };
            let [own, bare] = names(address).map(|name| fits(entry.host_patterns(), &name));
            let line = || (entry.public_key().clone(), format!("{shown}:{}", number + 1));
            match entry.marker() {
                None if own => self.known.push(line()),
                None if bare => self.of_host.push(line()),
                Some(Marker::Revoked) if own || bare => self.revoked.push(entry.public_key().clone()),
                None | Some(Marker::Revoked | Marker::CertAuthority) => {}
            }
        }
        Ok(())
    }

    /// Which kinds of keys the server is asked for: those that are known of it, so that a server with several keys shows one of
    /// these. All that are safe where a fingerprint says which.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let all = russh::Preferred::DEFAULT.key.iter().filter(|it| **it != Algorithm::Rsa { hash: None });
        let is_known = |algorithm: &&Algorithm| {
            self.known.is_empty() || self.known.iter().any(|(key, _)| is_of(key.algorithm(), algorithm))
        };
        all.filter(is_known).cloned().collect()
    }

    /// What tells it from another.
    pub(super) fn digest(&self, digest: &mut Sha256) {
        for fingerprint in &self.fingerprints {
            digest.update(fingerprint);
        }
        for key in self.known.iter().map(|(key, _)| key).chain(&self.revoked) {
            digest.update(key.fingerprint(HashAlg::Sha256).as_bytes());
        }
    }

    /// Whether fingerprints decide, and no file of host keys.
    pub(super) fn is_by_fingerprint(&self) -> bool {
        !self.fingerprints.is_empty()
    }

    /// Whether the server is known.
    ///
    /// # Errors
    /// Why it is not, and what to do.
    pub(super) fn check(&self, key: &PublicKey) -> Result<(), String> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let shown = format!("{} {fingerprint}", key.algorithm().as_str());
        if !self.fingerprints.is_empty() {
            let is_named = self.fingerprints.iter().any(|known| known.trim_end_matches('=') == fingerprint);
            return if is_named {
                Ok(())
            } else {
                Err(format!("its host key is {shown}, and `fingerprint` says another; ask the partner which is right"))
            };
        }
        if self.revoked.iter().any(|revoked| revoked.key_data() == key.key_data()) {
            return Err(format!("its host key {shown} is marked as revoked in {}", self.looked));
        }
        if self.known.iter().any(|(known, _)| known.key_data() == key.key_data()) {
            return Ok(());
        }
        if let Some((_, place)) = self.known.first() {
            return Err(format!(
                "its host key has changed: it is {shown}, and {place} has another; somebody may stand in between; ask the partner, \
                 then correct that line"
            ));
        }
        let looked = if self.looked.is_empty() { "no file of host keys" } else { &self.looked };
        Err(format!(
            "its host key {shown} is not known ({looked}); compare it with what the partner says, then write \
             `fingerprint: {fingerprint}` beside `sftp`"
        ))
    }
}

/// Whether a key of this kind is shown when `asked` is asked for: an RSA key serves several.
pub(super) fn is_of(key: Algorithm, asked: &Algorithm) -> bool {
    match (key, asked) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (key, asked) => key == *asked,
    }
}

/// A line that says something of a host. One that cannot be read is as if it were not there: it makes no host known.
fn entry(line: &str) -> Option<Entry> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    // Fields may stand apart by tabs, too, which the parser does not take; what is behind the key is a comment.
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let most = if line.starts_with('@') { 4 } else { 3 };
    fields.get(..most.min(fields.len()))?.join(" ").parse().ok()
}

/// The name that a server has in such files, as OpenSSH builds it, and the one of its host.
fn names(address: &Address) -> [String; 2] {
    let name = address.name().to_ascii_lowercase();
    let own = if address.port == 22 { name.clone() } else { format!("[{name}]:{}", address.port) };
    [own, name]
}

fn fits(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => is_hash(salt, name, hash),
        HostPatterns::Patterns(patterns) => {
            let fits = |pattern: &str| is_like(pattern.to_ascii_lowercase().as_bytes(), name.as_bytes());
            let is_refused = patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(fits);
            !is_refused && patterns.iter().any(|pattern| fits(pattern))
        }
    }
}

fn is_hash(salt: &[u8], name: &str, hash: &[u8; 20]) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
    mac.update(name.as_bytes());
    mac.verify_slice(hash).is_ok()
}

/// `*` and `?` as OpenSSH has them; each step back goes to the last `*` alone, so that this ends soon.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place, mut back) = (0, 0, None);
    while place < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at, place));
                at += 1;
            }
            Some(sign) if *sign == b'?' || *sign == text[place] => {
                at += 1;
                place += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    at = star + 1;
                    place = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::secret::Secret;
    use crate::core::model::sftp::{SftpLogin, SftpVerify};

    /// Keys that were made for this test.
    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAP6kNQmpqMnMgIdovFomMB5bdAROKXMNbR8VxM+kOVO";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHXRZk2BlTlJ2+F8eG4AnHnAik6Sx5RQRsdfBF3ZUddL";

    fn trust(lines: &str, url: &str, fingerprints: &[&str]) -> Trust {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, lines).unwrap();
        let spec = SftpSpec {
            url: Secret::new(url),
            login: SftpLogin::default(),
            known_hosts: vec![folder.path().join("none"), path],
            fingerprints: fingerprints.iter().map(ToString::to_string).collect(),
            verify: SftpVerify::Content,
        };
        Trust::of(&spec, &Address::parse(url).unwrap()).unwrap()
    }

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).unwrap()
    }

    #[test]
    fn a_server_is_known_by_any_line_that_is_of_it() {
        for (line, url, is_known) in [
            ("h.bank KEY", "sftp://u@H.Bank/", true),
            ("h.bank KEY", "sftp://u@h.bank:2222/", true),
            ("[h.bank]:2222 KEY", "sftp://u@h.bank:2222/", true),
            ("[h.bank]:2222 KEY", "sftp://u@h.bank/", false),
            ("[h.bank]:2222 OTHER\nh.bank KEY", "sftp://u@h.bank:2222/", false),
            ("h.bank OTHER\nH.BANK KEY", "sftp://u@h.bank/", true),
            ("*.bank,!x.bank\tKEY", "sftp://u@h.bank/", true),
            ("*.bank,!x.bank KEY", "sftp://u@x.bank/", false),
            ("10.0.0.? KEY a comment of words", "sftp://u@10.0.0.7/", true),
            ("a,h.bank,b KEY", "sftp://u@h.bank/", true),
            ("[::1]:2222 KEY", "sftp://u@[::1]:2222/", true),
            ("@cert-authority h.bank KEY", "sftp://u@h.bank/", false),
            ("h.bank KEY\n@revoked * KEY", "sftp://u@h.bank/", false),
            ("# h.bank KEY\nnonsense\n", "sftp://u@h.bank/", false),
            ("", "sftp://u@h.bank/", false),
            // As `ssh-keygen -H` of OpenSSH 9.2 wrote them.
            ("|1|KFJ+0EwHcEKqpLE0DqCDbP6QHrw=|0DU890uBKrevr8itGDnhgclea0g= KEY", "sftp://u@h.bank:2222/", true),
            ("|1|8X6AfXdChrp37FvcTApmcbUPMbc=|sfm0vWSnkzBQLYKyMT9vPOGkfGc= KEY", "sftp://u@h.bank/", true),
            ("|1|8X6AfXdChrp37FvcTApmcbUPMbc=|sfm0vWSnkzBQLYKyMT9vPOGkfGc= KEY", "sftp://u@x.bank/", false),
        ] {
            let lines = line.replace("KEY", ONE).replace("OTHER", TWO);
            assert_eq!(trust(&lines, url, &[]).check(&key(ONE)).is_ok(), is_known, "{line} {url}");
        }
    }

    #[test]
    fn another_key_than_the_known_one_is_told_with_its_place() {
        let told = trust(&format!("\nh.bank {TWO}"), "sftp://u@h.bank/", &[]).check(&key(ONE)).unwrap_err();
        assert!(told.contains("has changed") && told.contains("known_hosts:2"), "{told}");
        let told = trust("", "sftp://u@h.bank/", &[]).check(&key(ONE)).unwrap_err();
        assert!(told.contains("not known") && told.contains("fingerprint: SHA256:"), "{told}");
    }

    #[test]
    fn a_fingerprint_decides_alone() {
        let one = key(ONE).fingerprint(HashAlg::Sha256).to_string();
        let lines = format!("h.bank {TWO}");
        assert_eq!(trust(&lines, "sftp://u@h.bank/", &[&one]).check(&key(ONE)), Ok(()));
        assert_eq!(trust(&lines, "sftp://u@h.bank/", &["SHA256:x", &format!("{one}=")]).check(&key(ONE)), Ok(()));
        assert!(trust(&lines, "sftp://u@h.bank/", &[&one]).check(&key(TWO)).is_err());
    }

    #[test]
    fn wildcards_are_those_of_openssh() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*.bank", "a.b.bank", true),
            ("?.bank", ".bank", false),
            ("a*b*c", "axbxbc", true),
            ("a*b*c", "axbx", false),
            ("[h]:*", "[h]:22", true),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }
}
