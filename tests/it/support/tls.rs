//! An authority of our own, certificates of it, and a client that trusts it alone.

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The name that certificates are made out to.
const NAME: &str = "files.bank.example";

/// One connection with TLS.
pub type Connection = StreamOwned<ClientConnection, TcpStream>;

pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    client: Arc<ClientConfig>,
}

impl Authority {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let mut roots = RootCertStore::empty();
        roots.add(params.self_signed(&key).unwrap().der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut client = client.with_root_certificates(roots).with_no_client_auth();
        // Each handshake shows the certificate that is in use now.
        client.resumption = rustls::client::Resumption::disabled();
        Self { issuer: rcgen::Issuer::new(params, key), client: Arc::new(client) }
    }

    /// A certificate that begins and ends so many days from now, and its key, as PEM.
    pub fn certificate(&self, from: i64, to: i64) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        let day = |days: i64| {
            let step = Duration::from_secs(days.unsigned_abs() * 86_400);
            let now = SystemTime::now();
            if days < 0 { now - step } else { now + step }
        };
        (params.not_before, params.not_after) = (day(from).into(), day(to).into());
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A connection to a door of this host, shaken and trusted.
    #[track_caller]
    pub fn connect(&self, port: u16) -> Connection {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        client.complete_io(&mut stream).unwrap();
        StreamOwned::new(client, stream)
    }

    /// What a new connection is shown.
    #[track_caller]
    pub fn shown(&self, port: u16) -> Vec<u8> {
        certificate_of(&self.connect(port))
    }

    /// Asks on a connection of its own: all of the answer.
    #[track_caller]
    pub fn ask(&self, port: u16, path: &str, more: &str) -> String {
        let mut stream = self.connect(port);
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// The certificate that the server has shown.
pub fn certificate_of(stream: &Connection) -> Vec<u8> {
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}
