//! age, version 1 (c2sp.org/age): encrypts to X25519 recipients, and to Ed25519 keys of SSH. Only writes.
//!
//! The crate `age` cannot be had without its translations, and is seventy crates, most of them second versions of others here. This is one
//! page over ring's HKDF, HMAC and ChaCha20-Poly1305, and the tests' other programs read what it writes.

use crate::core::model::filters::AgeSpec;
use crate::core::model::shown;
use crate::core::ports::filters::Stage;
use crate::files;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Bytes that are sealed together.
const CHUNK: usize = 64 << 10;

/// Largest file of recipients, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// Most recipients of a file: each makes its header longer.
pub(super) const RECIPIENTS_MAX: usize = 100;

/// What the keys that unlock a header are derived for.
const X25519: &[u8] = b"age-encryption.org/v1/X25519";
const SSH_ED25519: &[u8] = b"age-encryption.org/v1/ssh-ed25519";

/// Whom a content is encrypted to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Recipient {
    /// `age1…`
    X25519([u8; 32]),
    /// `ssh-ed25519 …`: the key as SSH writes it, and as a point of Curve25519.
    Ssh { wire: Vec<u8>, point: [u8; 32] },
}

impl Recipient {
    /// # Errors
    /// Why it is none, without it: it may be a secret key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("AGE-SECRET-KEY-")) {
            return Err(
                "this is a secret key: take it away, make another one, and write its public key, `age1…`".to_owned()
            );
        }
        match text.split_whitespace().next().unwrap_or_default() {
            "ssh-ed25519" => return Self::ssh(text),
            "ssh-rsa" => return Err("keys of SSH are taken as `ssh-ed25519` alone".to_owned()),
            first if first.starts_with("age1pq1") => {
                return Err(
                    "this is a post-quantum recipient, which is not taken yet: ask for an `age1…` of X25519".to_owned()
                );
            }
            _ => {}
        }
        let wrong = || "this is no recipient of age: `age1…` with 62 characters, or `ssh-ed25519 …`".to_owned();
        let decoded = CheckedHrpstring::new::<Bech32>(text).map_err(|_| wrong())?;
        if decoded.hrp().as_str() != "age" {
            return Err(wrong());
        }
        let bytes: Vec<u8> = decoded.byte_iter().collect();
        bytes.try_into().map(Self::X25519).map_err(|_| wrong())
    }

    fn ssh(text: &str) -> Result<Self, String> {
        let wrong = || "this is no key of SSH: `ssh-ed25519 AAAA…` as it stands in a `.pub` file".to_owned();
        let wire = text.split_whitespace().nth(1).and_then(|text| STANDARD.decode(text).ok()).ok_or_else(wrong)?;
        // Its name and the key, each behind its length (RFC 8709).
        let key = wire.strip_prefix(b"\0\0\0\x0bssh-ed25519\0\0\0\x20").ok_or_else(wrong)?;
        let point = CompressedEdwardsY::from_slice(key).ok().and_then(|key| key.decompress()).ok_or_else(wrong)?;
        Ok(Self::Ssh { point: point.to_montgomery().to_bytes(), wire })
    }

    /// The lines of a header that give the key of a content to this recipient.
    fn stanza(&self, file_key: &[u8; 16], random: &SystemRandom) -> Result<String, String> {
        let mut secret = [0; 32];
        random.fill(&mut secret).map_err(|_| "the system gives no random bytes".to_owned())?;
        let share = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
        let (args, label, point, shared) = match self {
            Self::X25519(key) => (String::new(), X25519, key, MontgomeryPoint(*key).mul_clamped(secret)),
            Self::Ssh { wire, point } => {
                let tweak = derived(wire, b"", SSH_ED25519)?;
                let shared = MontgomeryPoint(*point).mul_clamped(secret).mul_clamped(tweak);
                let tag = STANDARD_NO_PAD.encode(&Sha256::digest(wire)[..4]);
                (format!("{tag} "), SSH_ED25519, point, shared)
            }
        };
        let name = if matches!(self, Self::X25519(_)) { "X25519" } else { "ssh-ed25519" };
        // A point that makes the key the same for all is none that a program of age has made.
        if shared.to_bytes() == [0; 32] {
            return Err("a recipient's key is none that anybody can have".to_owned());
        }
        let wrap = derived(&[share, *point].concat(), &shared.to_bytes(), label)?;
        let body = sealed(&key_of(&wrap)?, [0; NONCE_LEN], file_key)?;
        Ok(format!("-> {name} {args}{}\n{}\n", STANDARD_NO_PAD.encode(share), STANDARD_NO_PAD.encode(body)))
    }
}

/// All recipients of a section and of its file, each once.
///
/// # Errors
/// Which is none, or that there are none.
pub(super) fn recipients(spec: &AgeSpec) -> Result<Vec<Recipient>, String> {
    let mut all = Vec::new();
    let mut add = |recipient: Recipient| {
        if !all.contains(&recipient) {
            all.push(recipient);
        }
    };
    for (index, text) in spec.recipients.iter().enumerate() {
        add(Recipient::parse(text).map_err(|why| format!("recipient {}: {why}", index + 1))?);
    }
    if let Some(path) = &spec.recipients_file {
        for (line, text) in lines(path)? {
            let wrong = |why| format!("`{}`, line {line}: {why}", path.display());
            add(Recipient::parse(&text).map_err(wrong)?);
        }
    }
    match all.len() {
        0 => Err("there is no recipient".to_owned()),
        count if count > RECIPIENTS_MAX => {
            Err(format!("there are {count} recipients, and at most {RECIPIENTS_MAX} are taken"))
        }
        _ => Ok(all),
    }
}

/// Lines of a file of recipients with their numbers. Comments and blank lines are left out.
fn lines(path: &Path) -> Result<Vec<(usize, String)>, String> {
    let wrong = |why: &dyn std::fmt::Display| {
        let why = shown::text(&why.to_string());
        format!("the file of recipients `{}` cannot be read: {why}", path.display())
    };
    let bytes = files::read(path, FILE_MAX).map_err(|error| wrong(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong(&"it is no text"))?;
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim().to_owned()));
    Ok(numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect())
}

/// Encrypts a content.
pub(super) struct Age {
    /// What stands in front of the content, until it is given out.
    header: Vec<u8>,
    key: LessSafeKey,
    held: Vec<u8>,
    chunks: u64,
}

impl Age {
    /// # Errors
    /// When a recipient cannot be used, or the system gives no random bytes.
    pub(super) fn new(recipients: &[Recipient]) -> Result<Self, String> {
        let random = SystemRandom::new();
        let (mut file_key, mut nonce) = ([0; 16], [0; 16]);
        for bytes in [&mut file_key, &mut nonce] {
            random.fill(bytes).map_err(|_| "the system gives no random bytes".to_owned())?;
        }
        let mut header = "age-encryption.org/v1\n".to_owned();
        for recipient in recipients {
            header.push_str(&recipient.stanza(&file_key, &random)?);
        }
        header.push_str("---");
        let mac = hmac::Key::new(hmac::HMAC_SHA256, &derived(b"", &file_key, b"header")?);
        let mac = STANDARD_NO_PAD.encode(hmac::sign(&mac, header.as_bytes()));
        header = format!("{header} {mac}\n");
        let key = key_of(&derived(&nonce, &file_key, b"payload")?)?;
        let header = [header.as_bytes(), &nonce].concat();
        Ok(Self { header, key, held: Vec::with_capacity(CHUNK), chunks: 0 })
    }

    fn seal(&mut self, is_last: bool, out: &mut Vec<u8>) -> Result<(), String> {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&self.chunks.to_be_bytes());
        nonce[11] = u8::from(is_last);
        out.append(&mut self.header);
        out.extend(sealed(&self.key, nonce, &self.held)?);
        self.held.clear();
        self.chunks += 1;
        Ok(())
    }
}

impl Stage for Age {
    fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        while !piece.is_empty() {
            // The last chunk is another one, and may be full: it waits for what comes behind it.
            if self.held.len() == CHUNK {
                self.seal(false, out)?;
            }
            let (now, later) = piece.split_at(piece.len().min(CHUNK - self.held.len()));
            self.held.extend_from_slice(now);
            piece = later;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.seal(true, out)
    }
}

/// HKDF with SHA-256: 32 bytes.
fn derived(salt: &[u8], secret: &[u8], label: &[u8]) -> Result<[u8; 32], String> {
    let mut key = [0; 32];
    let labels = [label];
    let made = hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&labels, hkdf::HKDF_SHA256)
        .map(|okm| okm.fill(&mut key));
    made.and_then(|made| made).map(|()| key).map_err(|_| "a key cannot be derived".to_owned())
}

fn key_of(bytes: &[u8; 32]) -> Result<LessSafeKey, String> {
    UnboundKey::new(&CHACHA20_POLY1305, bytes).map(LessSafeKey::new).map_err(|_| "a key cannot be made".to_owned())
}

fn sealed(key: &LessSafeKey, nonce: [u8; NONCE_LEN], plain: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(plain.len() + CHACHA20_POLY1305.tag_len());
    bytes.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).map_err(|_| "a piece cannot be sealed".to_owned())?;
    Ok(bytes)
}
