//! TLS of our own doors: a certificate and its key in files, taken anew when they change. A connection goes on with what it began with.

use crate::core::model::door::TlsFiles;
use crate::core::model::moment::moment;
use crate::files;
use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Largest file of a certificate or a key: a handshake has no more.
const FILE_MAX: u64 = 64 << 10;

/// What is spoken inside.
const ALPN: &[u8] = b"http/1.1";

/// A certificate with its key, and when it may be used.
#[derive(Debug)]
struct Certificate {
    certified: Arc<CertifiedKey>,
    begins: Timestamp,
    ends: Timestamp,
}

impl Certificate {
    /// # Errors
    /// Why the files cannot be used.
    fn read(files: &TlsFiles) -> Result<Self, String> {
        let chain = parsed(&files.certificate, "certificate", |bytes| {
            CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>()
        })?;
        let Some(first) = chain.first() else { return Err(holds_no(&files.certificate, "certificate")) };
        let (begins, ends) = times(first)
            .map_err(|error| format!("the certificate in `{}` cannot be used: {error}", files.certificate.display()))?;
        let key = parsed(&files.key, "key", PrivateKeyDer::from_pem_slice)?;
        let provider = rustls::crypto::ring::default_provider();
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("the key in `{}` is not that of `{}`", files.key.display(), files.certificate.display())
            }
            error => format!("`{}` and `{}` cannot be used: {error}", files.certificate.display(), files.key.display()),
        })?;
        Ok(Self { certified: Arc::new(certified), begins, ends })
    }

    /// Why no client takes it now.
    fn unfit(&self, now: Timestamp) -> Option<String> {
        if now < self.begins {
            Some(format!("the certificate is not valid before {}", moment(self.begins)))
        } else if now > self.ends {
            Some(format!("the certificate was valid until {}: no client takes it", moment(self.ends)))
        } else {
            None
        }
    }
}

fn parsed<T>(path: &Path, what: &str, parse: fn(&[u8]) -> Result<T, pem::Error>) -> Result<T, String> {
    let bytes = files::read(path, FILE_MAX).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    parse(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => holds_no(path, what),
        // Nothing of a key is repeated.
        _ => format!("`{}` is no PEM", path.display()),
    })
}

fn holds_no(path: &Path, what: &str) -> String {
    let form = if what == "key" { ": PEM, without a passphrase" } else { " as PEM" };
    format!("`{}` holds no {what}{form}", path.display())
}

/// From when to when a certificate may be used. The verifier of clients tells it when it is asked of another time.
fn times(certificate: &CertificateDer<'_>) -> Result<(Timestamp, Timestamp), String> {
    let told = |error: Error| error.to_string();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).map_err(told)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| error.to_string())?;
    let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
    let at = |seconds| {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verifier.verify_server_cert(certificate, &[], &name, &[], time).err()
    };
    let begins = match at(0) {
        Some(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            not_before.as_secs()
        }
        _ => 0,
    };
    match at(u64::MAX) {
        Some(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Ok((timestamp(begins), timestamp(not_after.as_secs())))
        }
        Some(error) => Err(error.to_string()),
        None => Ok((timestamp(begins), Timestamp::MAX)),
    }
}

fn timestamp(seconds: u64) -> Timestamp {
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}

/// The certificate that connections get from now on.
#[derive(Debug)]
struct Kept(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Kept {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What a look at the files found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Renewal {
    /// What is in use.
    Same,
    /// Another certificate is in use from now on.
    Taken,
    /// They cannot be used: the one before stays in use.
    Refused(String),
}

/// The TLS of one door.
pub struct DoorTls {
    files: TlsFiles,
    kept: Arc<Kept>,
    settings: Arc<ServerConfig>,
    ends: Timestamp,
    /// Why the look before could not use the files. A look may fall between the change of one file and that of the other.
    doubt: Option<String>,
}

impl DoorTls {
    /// # Errors
    /// Why the files cannot be used.
    pub fn load(files: &TlsFiles) -> Result<Self, String> {
        let Certificate { certified, ends, .. } = Certificate::read(files)?;
        let kept = Arc::new(Kept(RwLock::new(certified)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut settings = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&kept) as Arc<_>);
        settings.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { files: files.clone(), kept, settings: Arc::new(settings), ends, doubt: None })
    }

    /// What a listener shakes hands with.
    pub fn settings(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.settings)
    }

    /// Until when the certificate in use is valid.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Reads the files again. What cannot be used, or is not valid now, is told when two looks find it so.
    pub fn renew(&mut self, now: Timestamp) -> Renewal {
        let read = Certificate::read(&self.files).and_then(|read| match read.unfit(now) {
            // The one in use is not better.
            Some(why) if !self.is_in_use(&read) => Err(why),
            _ => Ok(read),
        });
        match read {
            Ok(read) => {
                self.doubt = None;
                if self.is_in_use(&read) {
                    return Renewal::Same;
                }
                self.ends = read.ends;
                *self.kept.0.write().unwrap_or_else(PoisonError::into_inner) = read.certified;
                Renewal::Taken
            }
            Err(why) if self.doubt.as_ref() == Some(&why) => Renewal::Refused(why),
            Err(why) => {
                self.doubt = Some(why);
                Renewal::Same
            }
        }
    }

    /// A certificate has one key.
    fn is_in_use(&self, read: &Certificate) -> bool {
        self.kept.0.read().unwrap_or_else(PoisonError::into_inner).cert == read.certified.cert
    }
}

/// From when to when the certificate in these files is valid.
///
/// # Errors
/// Why the files cannot be used, or not now.
pub fn look(files: &TlsFiles, now: Timestamp) -> Result<Timestamp, String> {
    let read = Certificate::read(files)?;
    read.unfit(now).map_or(Ok(read.ends), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use std::fs;
    use tempfile::TempDir;

    const NOW: i64 = 1_790_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }

    /// A certificate for these days from now on, and its key.
    fn made(from: i64, to: i64) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["files.bank.example".to_owned()]).unwrap();
        let day = |days: i64| {
            let at = now().checked_add(SignedDuration::from_hours(24 * days)).unwrap();
            let day = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
            rcgen::date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
        };
        (params.not_before, params.not_after) = (day(from), day(to));
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn files(folder: &TempDir) -> TlsFiles {
        TlsFiles { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") }
    }

    fn put(files: &TlsFiles, (certificate, key): &(String, String)) {
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said_and_nothing_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder);
        let (certificate, key) = made(-1, 90);
        let (expired, early) = (made(-90, -1), made(2, 90));
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let broken = key.replace("-----END", "!secret!\n-----END");
        let long = "x".repeat(65 << 10);
        for (certificate, key, told) in [
            (&certificate, &made(-1, 90).1, "is not that of"),
            (&certificate, &String::new(), "holds no key"),
            (&certificate, &locked.to_owned(), "without a passphrase"),
            (&certificate, &broken, "is no PEM"),
            (&certificate, &long, "larger than 64 KiB"),
            (&key, &key, "holds no certificate"),
            (&expired.0, &expired.1, "no client takes it"),
            (&early.0, &early.1, "is not valid before"),
        ] {
            put(&files, &(certificate.clone(), key.clone()));
            let why = look(&files, now()).unwrap_err();
            assert!(why.contains(told) && !why.contains("ecret"), "{told}: {why}");
        }
        put(&files, &(certificate, key));
        let days = look(&files, now()).unwrap().duration_since(now()).as_hours() / 24;
        assert!((89..=90).contains(&days), "{days}");
        fs::remove_file(&files.key).unwrap();
        assert!(look(&files, now()).unwrap_err().contains("tls.key"));
    }

    #[test]
    fn a_changed_certificate_is_taken_and_a_spoilt_one_leaves_what_there_was() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(&folder);
        let (old, new, expired) = (made(-1, 20), made(-1, 90), made(-90, -1));
        put(&files, &old);
        let mut tls = DoorTls::load(&files).unwrap();
        let in_use = |tls: &DoorTls| Arc::clone(&tls.kept.0.read().unwrap());
        let first = in_use(&tls);
        assert_eq!(tls.renew(now()), Renewal::Same);
        let refused = |tls: &mut DoorTls, told: &str| {
            // Between the change of one file and that of the other there may be a look.
            assert_eq!(tls.renew(now()), Renewal::Same);
            let found = tls.renew(now());
            assert!(matches!(&found, Renewal::Refused(why) if why.contains(told)), "{found:?}");
            assert!(Arc::ptr_eq(&in_use(tls), &first));
        };
        fs::write(&files.certificate, &new.0).unwrap();
        refused(&mut tls, "is not that of");
        put(&files, &expired);
        refused(&mut tls, "no client takes it");
        put(&files, &new);
        assert_eq!(tls.renew(now()), Renewal::Taken);
        assert!(!Arc::ptr_eq(&in_use(&tls), &first) && tls.ends().duration_since(now()).as_hours() > 24 * 80);
        // One that has ended while it was in use is no news.
        let later = now().checked_add(SignedDuration::from_hours(24 * 100)).unwrap();
        assert_eq!((tls.renew(later), tls.renew(later)), (Renewal::Same, Renewal::Same));
    }
}
