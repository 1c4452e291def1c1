//! What of an OpenPGP certificate may be used now: by its own signatures, each verified, the latest of each kind.

use crate::core::model::moment::moment;
use jiff::{SignedDuration, Timestamp};
use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, KeyVersion, Tag};
use std::path::Path;
use std::time::SystemTime;

/// Why a key may not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unfit {
    /// It is at its end, taken back, or not yet valid: that may be another one by tomorrow.
    Ended(String),
    /// It is none for this use.
    Wrong(String),
}

impl Unfit {
    /// In words.
    pub(super) fn why(self) -> String {
        match self {
            Self::Ended(why) | Self::Wrong(why) => why,
        }
    }

    /// The same of a certificate in a file.
    pub(super) fn of(self, path: &Path, name: &str) -> Self {
        let of = |why| format!("{name} in `{}`: {why}", path.display());
        match self {
            Self::Ended(why) => Self::Ended(of(why)),
            Self::Wrong(why) => Self::Wrong(of(why)),
        }
    }
}

/// What a key is to be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    Encrypting,
    Signing,
}

/// Which key may be used, and until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fit {
    /// Its place among the subkeys. `None`: the primary key.
    pub(super) subkey: Option<usize>,
    /// When it, or its certificate, ends.
    pub(super) until: Option<Timestamp>,
}

/// A certificate and a time.
pub(super) struct Certificate<'a> {
    key: &'a SignedPublicKey,
    now: Timestamp,
}

impl<'a> Certificate<'a> {
    pub(super) fn new(key: &'a SignedPublicKey, now: Timestamp) -> Self {
        Self { key, now }
    }

    /// The last half of its fingerprint, as GnuPG shows it.
    pub(super) fn name(&self) -> String {
        self.key.legacy_key_id().to_string().to_uppercase()
    }

    /// The newest subkey that may be used; for signing, else the primary key.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn fit(&self, to: Use) -> Result<Fit, Unfit> {
        if self.key.version() != KeyVersion::V4 {
            return Err(Unfit::Wrong("it is not of version 4, which GnuPG reads".to_owned()));
        }
        let own = self.own()?;
        let mut best: Option<(Timestamp, Fit)> = None;
        let mut why = None;
        for (index, subkey) in self.key.public_subkeys.iter().enumerate() {
            match self.subkey(subkey, to) {
                None => {}
                Some(Ok(until)) => {
                    let made = time(subkey.key.created_at());
                    if best.is_none_or(|(other, _)| other <= made) {
                        best = Some((made, Fit { subkey: Some(index), until: earlier(until, own.until) }));
                    }
                }
                Some(Err(unfit)) => why = Some(unfit),
            }
        }
        if let Some((_, fit)) = best {
            return Ok(fit);
        }
        if to == Use::Signing && own.signs {
            return Ok(Fit { subkey: None, until: own.until });
        }
        let what = if to == Use::Signing { "signs" } else { "is encrypted to" };
        Err(why.unwrap_or_else(|| Unfit::Wrong(format!("it has no subkey that {what}"))))
    }

    /// What the primary key says of itself.
    fn own(&self) -> Result<Own, Unfit> {
        let (primary, details) = (&self.key.primary_key, &self.key.details);
        let revoked = details.revocation_signatures.iter();
        let revoked =
            revoked.filter(|it| it.typ() == Some(SignatureType::KeyRevocation) && it.verify_key(primary).is_ok());
        if let Some(revoked) = revoked.min_by_key(|it| it.created()) {
            return Err(Unfit::Ended(format!("it was revoked{}", since(revoked))));
        }
        let direct = details.direct_signatures.iter().filter(|it| it.verify_key(primary).is_ok());
        let named = details.users.iter().flat_map(|user| user.signatures.iter().map(move |it| (user, it)));
        let named = named.filter(|(user, it)| {
            it.is_certification() && it.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        });
        let signatures = direct.chain(named.map(|(_, it)| it)).filter(|it| self.counts(it));
        let Some(latest) = signatures.max_by_key(|it| it.created()) else {
            return Err(Unfit::Wrong(
                "no signature of its own can be verified: it is spoilt, or its kind of key is not taken".to_owned(),
            ));
        };
        let until = self.valid(time(primary.created_at()), latest, "it")?;
        Ok(Own { until, signs: latest.key_flags().sign() })
    }

    /// Whether a subkey may be used, and until when. `None`: it is for something else.
    fn subkey(&self, subkey: &SignedPublicSubKey, to: Use) -> Option<Result<Option<Timestamp>, Unfit>> {
        let primary = &self.key.primary_key;
        let verified = |it: &&Signature| it.verify_subkey_binding(primary, &subkey.key).is_ok();
        let bindings = subkey.signatures.iter().filter(|it| it.typ() == Some(SignatureType::SubkeyBinding));
        let latest = bindings.filter(|it| self.counts(it)).filter(verified).max_by_key(|it| it.created())?;
        let flags = latest.key_flags();
        let serves = match to {
            Use::Encrypting => {
                (flags.encrypt_comms() || flags.encrypt_storage()) && subkey.key.algorithm().can_encrypt()
            }
            Use::Signing => {
                // The subkey, too, has to say that it belongs there.
                let back = latest.embedded_signature();
                flags.sign() && back.is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok())
            }
        };
        if !serves {
            return None;
        }
        let name = format!("its subkey {}", subkey.key.legacy_key_id().to_string().to_uppercase());
        let mut revoked = subkey.signatures.iter().filter(|it| it.typ() == Some(SignatureType::SubkeyRevocation));
        if let Some(revoked) = revoked.find(verified) {
            return Some(Err(Unfit::Ended(format!("{name} was revoked{}", since(revoked)))));
        }
        Some(self.valid(time(subkey.key.created_at()), latest, &name))
    }

    /// Whether a signature is there already, still counts, and was not made with a digest that is broken.
    fn counts(&self, signature: &Signature) -> bool {
        let Some(made) = signature.created().map(time) else { return false };
        let ends = end(made, signature.signature_expiration_time());
        let is_broken = matches!(signature.hash_alg(), None | Some(HashAlgorithm::Md5));
        made <= self.now && ends.is_none_or(|ends| ends > self.now) && !is_broken
    }

    /// Until when a key is valid by its latest signature.
    fn valid(&self, made: Timestamp, signature: &Signature, what: &str) -> Result<Option<Timestamp>, Unfit> {
        let until = end(made, signature.key_expiration_time());
        if made > self.now {
            return Err(Unfit::Ended(format!("{what} is not valid before {}", moment(made))));
        }
        match until {
            Some(until) if until <= self.now => Err(Unfit::Ended(format!("{what} was valid until {}", moment(until)))),
            _ => Ok(until),
        }
    }
}

/// What a primary key is by its own signatures.
struct Own {
    until: Option<Timestamp>,
    signs: bool,
}

fn since(signature: &Signature) -> String {
    signature.created().map_or_else(String::new, |at| format!(" at {}", moment(time(at))))
}

fn time(at: pgp::types::Timestamp) -> Timestamp {
    Timestamp::try_from(SystemTime::from(at)).unwrap_or(Timestamp::MAX)
}

/// `None`: never.
fn end(made: Timestamp, after: Option<pgp::types::Duration>) -> Option<Timestamp> {
    let seconds = std::time::Duration::from(after?).as_secs();
    let seconds = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    made.checked_add(SignedDuration::from_secs(seconds)).ok()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}
