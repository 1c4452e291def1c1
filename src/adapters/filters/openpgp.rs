//! OpenPGP: encrypts to certificates, and signs. Only writes.
//!
//! Packets are those of RFC 4880: AES-256 with a modification detection code, which every GnuPG reads, and not the AEAD of RFC 9580, which
//! none does. Nothing is packed, and no name of a file stands inside.

use super::certificate::{Certificate, Fit, Unfit, Use};
use crate::core::model::filters::{OpenPgpSign, OpenPgpSpec};
use crate::core::model::secret::Secret;
use crate::core::model::shown;
use crate::core::ports::filters::Stage;
use crate::files;
use jiff::Timestamp;
use pgp::composed::{ArmorOptions, MessageBuilder, PublicOrSecret, SignedPublicKey, SignedSecretKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::PublicSubkey;
use pgp::types::{EncryptionKey, EskType, Password, SigningKey};
use rand_core::OsRng;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// Largest file of certificates or of a key, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// Most certificates of all files: each makes the message longer.
pub(super) const RECIPIENTS_MAX: usize = 100;

/// Bytes of a packet's part.
const PART: u32 = 64 << 10;

/// Pieces that wait for the thread that encrypts.
const WAITING: usize = 4;

/// What a block of text begins with.
const BLOCK: &str = "-----BEGIN PGP ";

/// All that a message is made with.
pub(super) struct Keys {
    to: Vec<PublicSubkey>,
    signer: Option<Signer>,
    is_armored: bool,
}

/// A key that signs.
struct Signer {
    key: SignedSecretKey,
    /// Which of its subkeys. `None`: the primary key.
    subkey: Option<usize>,
    passphrase: Option<Secret>,
}

impl Signer {
    fn password(&self) -> Password {
        self.passphrase.as_ref().map_or_else(Password::empty, |it| Password::from(it.reveal()))
    }

    fn key(&self) -> Option<&dyn SigningKey> {
        match self.subkey {
            None => Some(&self.key.primary_key),
            Some(index) => self.key.secret_subkeys.get(index).map(|subkey| &subkey.key as &dyn SigningKey),
        }
    }
}

/// A key, and until when it may be used.
pub(super) struct Found {
    /// What people know it by.
    pub(super) name: String,
    pub(super) until: Option<Timestamp>,
}

impl Keys {
    /// # Errors
    /// Why a key cannot be used now.
    pub(super) fn read(spec: &OpenPgpSpec, now: Timestamp) -> Result<Self, Unfit> {
        let mut to = Vec::new();
        for path in &spec.recipients {
            to.extend(recipients(path, now)?.into_iter().map(|(key, _)| key));
        }
        if to.len() > RECIPIENTS_MAX {
            return Err(Unfit::Wrong(format!(
                "there are {} certificates, and at most {RECIPIENTS_MAX} are taken",
                to.len()
            )));
        }
        let signer = spec.sign.as_ref().map(|sign| signer(sign, now)).transpose()?.map(|(signer, _)| signer);
        Ok(Self { to, signer, is_armored: spec.is_armored })
    }

    fn write(&self, from: impl Read, to: impl Write) -> pgp::errors::Result<()> {
        let mut message = MessageBuilder::from_reader("", from).seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
        message.partial_chunk_size(PART)?;
        for key in &self.to {
            message.encrypt_to_key(OsRng, key)?;
        }
        if let Some(signer) = &self.signer
            && let Some(key) = signer.key()
        {
            message.sign(key, signer.password(), HashAlgorithm::Sha256);
        }
        if self.is_armored {
            return message.to_armored_writer(OsRng, ArmorOptions::default(), to);
        }
        message.to_writer(OsRng, to)
    }
}

/// The subkeys of the certificates in a file that are encrypted to, each with what there is to say of it.
///
/// # Errors
/// Which certificate cannot be used, and why.
pub(super) fn recipients(path: &Path, now: Timestamp) -> Result<Vec<(PublicSubkey, Found)>, Unfit> {
    let wrong = |why: String| Unfit::Wrong(format!("`{}`: {why}", path.display()));
    let mut all = Vec::new();
    for key in certificates(path).map_err(wrong)? {
        let certificate = Certificate::new(&key, now);
        let name = certificate.name();
        let Fit { subkey, until } = certificate.fit(Use::Encrypting).map_err(|unfit| unfit.of(path, &name))?;
        let subkey = subkey.and_then(|index| key.public_subkeys.get(index)).map(|it| it.key.clone());
        let subkey = subkey.ok_or_else(|| wrong(format!("{name}: it has no subkey that is encrypted to")))?;
        // Whether its algorithm and curve are known is seen by trying.
        if subkey.encrypt(OsRng, &[0; 32], EskType::V3_4).is_err() {
            let why = "its kind of key is not taken: ask for one of Curve25519, of a NIST curve, or RSA";
            return Err(wrong(format!("{name}: {why}")));
        }
        all.push((subkey, Found { name, until }));
    }
    Ok(all)
}

fn certificates(path: &Path) -> Result<Vec<SignedPublicKey>, String> {
    let mut keys = Vec::new();
    for block in blocks(path)? {
        for key in parsed(&block)? {
            match key {
                PublicOrSecret::Public(key) => keys.push(key),
                PublicOrSecret::Secret(_) => {
                    return Err("it has a secret key: a recipient's file has public ones alone".to_owned());
                }
            }
        }
    }
    if keys.is_empty() { Err("it has no certificate of OpenPGP".to_owned()) } else { Ok(keys) }
}

/// The key that signs, unlocked once to see that it can be.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn signer_found(sign: &OpenPgpSign, now: Timestamp) -> Result<Found, Unfit> {
    signer(sign, now).map(|(_, found)| found)
}

fn signer(sign: &OpenPgpSign, now: Timestamp) -> Result<(Signer, Found), Unfit> {
    let path = &sign.key;
    let wrong = |why: &str| Unfit::Wrong(format!("`{}`: {why}", path.display()));
    let mut keys = Vec::new();
    for block in blocks(path).map_err(|why| wrong(&why))? {
        keys.extend(parsed(&block).map_err(|why| wrong(&why))?);
    }
    let mut keys = keys.into_iter();
    let key = match (keys.next(), keys.next()) {
        (Some(PublicOrSecret::Secret(key)), None) => key,
        (Some(PublicOrSecret::Public(_)), None) => {
            return Err(wrong("it has a public key alone: nothing signs with it"));
        }
        (None, _) => return Err(wrong("it has no key of OpenPGP")),
        (Some(_), Some(_)) => return Err(wrong("it has several keys: which of them signs is not known")),
    };
    // The certificate has the subkeys whose secret is elsewhere in front of the others.
    let public = key.to_public_key();
    let certificate = Certificate::new(&public, now);
    let name = certificate.name();
    let Fit { subkey, until } = certificate.fit(Use::Signing).map_err(|unfit| unfit.of(path, &name))?;
    let subkey = match subkey {
        None => None,
        Some(index) => {
            let there = key.public_subkeys.len();
            let secret = index.checked_sub(there).filter(|index| *index < key.secret_subkeys.len());
            Some(secret.ok_or_else(|| wrong("the secret of its subkey that signs is not in it"))?)
        }
    };
    let signer = Signer { key, subkey, passphrase: sign.passphrase.clone() };
    let password = signer.password();
    let unlocked = match signer.subkey {
        None => signer.key.primary_key.unlock(&password, |_, _| Ok(())).is_ok_and(|it| it.is_ok()),
        Some(index) => signer
            .key
            .secret_subkeys
            .get(index)
            .is_some_and(|subkey| subkey.key.unlock(&password, |_, _| Ok(())).is_ok_and(|it| it.is_ok())),
    };
    match (unlocked, &sign.passphrase) {
        (true, _) => Ok((signer, Found { name, until })),
        (false, Some(_)) => Err(wrong("its key cannot be unlocked with this passphrase")),
        (false, None) => Err(wrong(
            "its key cannot be unlocked without a passphrase, or its secret is not in it: write `passphrase`, or set OPENPGP_PASSPHRASE or OPENPGP_PASSPHRASE_FILE",
        )),
    }
}

/// The blocks of a file: a binary one is one.
fn blocks(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let bytes = files::read(path, FILE_MAX).map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        return Ok(vec![bytes]);
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is neither text nor packets of OpenPGP".to_owned())?;
    let begins: Vec<usize> = text.match_indices(BLOCK).map(|(at, _)| at).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    Ok(begins.iter().zip(ends).map(|(begin, end)| text.as_bytes()[*begin..end].to_vec()).collect())
}

/// The keys of a block. The library's words are for who wrote it: they hold traces of its calls.
fn parsed(block: &[u8]) -> Result<Vec<PublicOrSecret>, String> {
    let broken = |_| "it is no whole data of OpenPGP: it may have been cut off".to_owned();
    let (keys, _) = PublicOrSecret::from_reader_many(block).map_err(broken)?;
    keys.collect::<Result<_, _>>().map_err(broken)
}

/// Encrypts and signs a content. The library asks for the content, so that a thread of its own stands between.
pub(super) struct OpenPgp {
    keys: Option<Keys>,
    thread: Option<Running>,
}

struct Running {
    pieces: SyncSender<Vec<u8>>,
    made: Receiver<Vec<u8>>,
    done: JoinHandle<Result<(), String>>,
}

impl OpenPgp {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys: Some(keys), thread: None }
    }

    /// The thread, which begins with the first piece.
    fn running(&mut self) -> Result<&Running, String> {
        if let Some(keys) = self.keys.take() {
            let (pieces, taken) = sync_channel(WAITING);
            let (give, made) = channel();
            let work = move || {
                let from = Pieces { taken, piece: Vec::new(), at: 0, has_ended: false };
                keys.write(from, Given(give)).map_err(|error| shown::name(words(&error.to_string())))
            };
            let done = thread::Builder::new().name("openpgp".to_owned()).spawn(work);
            let done = done.map_err(|error| format!("there is no thread for it: {error}"))?;
            self.thread = Some(Running { pieces, made, done });
        }
        self.thread.as_ref().ok_or_else(|| "it has ended".to_owned())
    }

    /// Waits for the thread's end.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let Some(Running { pieces, made, done }) = self.thread.take() else { return Err("it has ended".to_owned()) };
        // An empty piece is the end; a thread whose pieces end without it has been given up.
        let _ = pieces.send(Vec::new());
        out.extend(made.iter().flatten());
        done.join().unwrap_or_else(|_| Err("the library panicked".to_owned()))
    }
}

impl Stage for OpenPgp {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        if piece.is_empty() {
            return Ok(());
        }
        let running = self.running()?;
        if running.pieces.send(piece.to_vec()).is_err() {
            // It ends before its content does where it cannot go on.
            return self.end(out).and(Err("it ended before its content".to_owned()));
        }
        out.extend(running.made.try_iter().flatten());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.running()?;
        self.end(out)
    }
}

/// An error of the library without the traces of its calls.
fn words(error: &str) -> &str {
    error.split(" { ").next().unwrap_or_default()
}

/// The content, as the thread reads it.
struct Pieces {
    taken: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    has_ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.has_ended {
            self.piece = self.taken.recv().map_err(|_| io::Error::other("it was given up"))?;
            (self.at, self.has_ended) = (0, self.piece.is_empty());
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// What was made, on its way out of the thread.
struct Given(std::sync::mpsc::Sender<Vec<u8>>);

impl Write for Given {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::Error::other("it was given up"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
