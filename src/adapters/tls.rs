//! TLS for clients of every kind: how far a server's certificate is checked, and against which authorities.

use crate::files;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use std::path::Path;
use std::sync::Arc;

/// Largest file of certificates in bytes: ten times all authorities of a system.
const ROOTS_BYTES_MAX: u64 = 4 << 20;

/// How far a server's certificate is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// Not at all.
    Nothing,
    /// Signed by a known authority.
    Authority,
    /// Signed by a known authority for this very host.
    Host,
}

/// A client's settings. `roots` is a file of certificates (PEM, or one as DER), else the system's count; `option` is what
/// names such a file in an address, for errors.
///
/// # Errors
/// Why the root certificates cannot be used.
pub fn client(
    check: Check,
    roots: Option<&Path>,
    option: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ClientConfig, String> {
    // Ours alone, whatever the process has installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = match check {
        Check::Nothing => None,
        Check::Authority | Check::Host => {
            let roots = Arc::new(certificates(roots, option)?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(verifier.map_err(|error| error.to_string())?)
        }
    };
    let verifier = Verifier { check, inner, provider: Arc::clone(&provider) };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// The certificates of a file, or those of the system.
fn certificates(file: Option<&Path>, option: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(format!("this system has no root certificates; name a file with {option}"));
        }
        return Ok(roots);
    };
    let unreadable = |why: &dyn std::fmt::Display| format!("{option} `{}` cannot be used: {why}", file.display());
    let bytes = files::read(file, ROOTS_BYTES_MAX).map_err(|error| unreadable(&error))?;
    // A certificate as DER is an ASN.1 sequence; PEM is text.
    if bytes.starts_with(&[0x30]) {
        roots.add(CertificateDer::from(bytes)).map_err(|error| unreadable(&error))?;
        return Ok(roots);
    }
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() { Err(unreadable(&"it holds no certificate")) } else { Ok(roots) }
}

/// Checks a server's certificate as far as asked, and that the server holds its key. Where nothing is checked, nothing is:
/// certificates that servers make for themselves are often of a version or with a key that is taken nowhere else.
#[derive(Debug)]
struct Verifier {
    check: Check,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, chain, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Authority => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.inner.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.inner.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::sign::any_supported_type;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};
    use rustls::{ServerConfig, ServerConnection};

    /// Of version 1, as some servers make it for themselves, for 100 years from 2026.
    const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBQTCB6QIUG96MCeshCn60srkXcsdvKeWXLRcwCgYIKoZIzj0EAwIwIzEhMB8G
A1UEAwwYU1NMX1NlbGZfU2lnbmVkX0ZhbGxiYWNrMCAXDTI2MTEyMjA1MjAyM1oY
DzIxMjYxMDI5MDUyMDIzWjAjMSEwHwYDVQQDDBhTU0xfU2VsZl9TaWduZWRfRmFs
bGJhY2swWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATzU+x4x2CTyL4P4yi5X5ie
4dBbW62zLVj2ONT/Uge45iH8m3KwuNb/x96nHp3BmFKvnWvrOMg+qls+nxejD5Cf
MAoGCCqGSM49BAMCA0cAMEQCICmUE8n3taeTOPTXcux5uRRW88d3w1w/Vix2564Y
EDQ9AiBkXLEYVs96ZwfKxtUrZCmqrJXM8xlgxEM9zb++rkCzgA==
-----END CERTIFICATE-----";

    /// Its key, which opens nothing else.
    const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXxGzs5S7c3+5vAeo
iNV+//dMoVtKqoyLQTbV/7uZZeehRANCAATzU+x4x2CTyL4P4yi5X5ie4dBbW62z
LVj2ONT/Uge45iH8m3KwuNb/x96nHp3BmFKvnWvrOMg+qls+nxejD5Cf
-----END PRIVATE KEY-----";

    /// One that did not sign it.
    const AUTHORITY: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIUEZK9Fca4DmeLK67JhFGBhjj0sgcwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMYW4gYXV0aG9yaXR5MCAXDTI2MTEyMjA1MjEwNFoYDzIxMjYx
MDI5MDUyMTA0WjAXMRUwEwYDVQQDDAxhbiBhdXRob3JpdHkwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQUYG1Ohx5SDOuQyvKxrYXZra/RACOc327p/PJYBZcXCzd3
wXvunlyVhbg+yqz73z0hKoBO9+HCtK2Mrt/Mswo0o1MwUTAdBgNVHQ4EFgQUb8aW
qbX/Kt8PfGOzoJvydARshlowHwYDVR0jBBgwFoAUb8aWqbX/Kt8PfGOzoJvydARs
hlowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAnD3+nZweMvy2
NKxtVdBW4Wn3AcTEzrV6PBTGkvjoLXgCIQDwiUylz5tIMPyQiKz9DqRzpafD/kTt
GLbnvBJB/tvE2Q==
-----END CERTIFICATE-----";

    /// Shakes hands with a server of that certificate.
    fn handshake(check: Check, roots: Option<&Path>) -> Result<(), Error> {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = any_supported_type(&PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
        // Past the library's own look at it, which refuses such a certificate.
        let certified = CertifiedKey::new(vec![certificate], key);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        shake(client(check, roots, "roots", rustls::DEFAULT_VERSIONS).unwrap(), server)
    }

    fn shake(client: ClientConfig, server: ServerConfig) -> Result<(), Error> {
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent).unwrap();
            server.read_tls(&mut sent.as_slice()).unwrap();
            server.process_new_packets()?;
            sent.clear();
            server.write_tls(&mut sent).unwrap();
            client.read_tls(&mut sent.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_certificate_of_version_1_will_do_where_nothing_is_checked_and_nowhere_else() {
        assert_eq!(handshake(Check::Nothing, None), Ok(()));
        let folder = tempfile::tempdir().unwrap();
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, AUTHORITY).unwrap();
        for check in [Check::Authority, Check::Host] {
            assert!(matches!(handshake(check, Some(&roots)), Err(Error::InvalidCertificate(_))), "{check:?}");
        }
    }

    /// Shakes hands as the client of `localhost` with a server of a certificate for `name`, signed by `signer` or by itself.
    fn meets(
        check: Check,
        roots: &Path,
        name: &str,
        signer: Option<&rcgen::Issuer<'_, rcgen::KeyPair>>,
        expired: bool,
    ) -> Result<(), Error> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        }
        let certificate = match signer {
            Some(signer) => params.signed_by(&key, signer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        shake(client(check, Some(roots), "roots", rustls::DEFAULT_VERSIONS).unwrap(), server)
    }

    #[test]
    fn only_the_right_certificate_is_taken() {
        let authority = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let folder = tempfile::tempdir().unwrap();
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, params.self_signed(&authority).unwrap().pem()).unwrap();
        let signer = rcgen::Issuer::new(params, authority);
        let fits = |check, name, signer: Option<&_>, expired| meets(check, &roots, name, signer, expired).is_ok();
        for (what, name, signer, expired, [nothing, authority, host]) in [
            ("right", "localhost", Some(&signer), false, [true, true, true]),
            ("wrong name", "db.bank", Some(&signer), false, [true, true, false]),
            ("self-made", "localhost", None, false, [true, false, false]),
            ("expired", "localhost", Some(&signer), true, [true, false, false]),
        ] {
            assert_eq!(fits(Check::Nothing, name, signer, expired), nothing, "{what}");
            assert_eq!(fits(Check::Authority, name, signer, expired), authority, "{what}");
            assert_eq!(fits(Check::Host, name, signer, expired), host, "{what}");
        }
    }
}
