//! The same with TLS.

use super::*;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A door's side, and a client that trusts it.
fn pair() -> (TlsAcceptor, TlsConnector) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)))
}

fn door(descriptors: u64) -> (SocketAddr, TlsConnector) {
    let (acceptor, connector) = pair();
    (door_with(descriptors, Arc::default(), Some(acceptor)), connector)
}

async fn shaken(at: SocketAddr, client: &TlsConnector) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    client.connect(name, TcpStream::connect(at).await.unwrap()).await.unwrap()
}

async fn asked(at: SocketAddr, client: &TlsConnector) -> String {
    let mut stream = shaken(at, client).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    // With the word that ends TLS: a client can tell it from a break.
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_door_answers_with_tls_alone() {
    let (at, client) = door(1000);
    assert!(asked(at, &client).await.ends_with("here"));
    let mut refused = Vec::new();
    let _ = sent(at, ASKED).await.read_to_end(&mut refused).await;
    assert!(refused.starts_with(&[0x15, 3]), "an alert: {refused:?}");
    let told = super::super::super::ask(Some(LOOPBACK), at.port(), "/", &client, ANSWER_TIME).await.unwrap();
    assert_eq!((told.code, told.body.as_str()), (200, "here"));
}

#[tokio::test(start_paused = true)]
async fn silence_before_and_behind_a_handshake_ends_in_time() {
    let (at, client) = door(1000);
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let started = tokio::time::Instant::now();
        assert_eq!(answer(sent(at, begun).await).await, "");
        assert_eq!(started.elapsed().as_secs(), HEAD_TIME.as_secs(), "{begun:?}");
    }
    let started = tokio::time::Instant::now();
    let mut stream = shaken(at, &client).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert!(started.elapsed().as_secs() < CONNECTION_TIME.as_secs(), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn half_handshakes_keep_nobody_out() {
    // Two connections at a time.
    let (at, client) = door(8);
    let mut half = Vec::new();
    for _ in 0..50 {
        half.push(sent(at, b"\x16\x03\x01\x02\x00\x01").await);
        assert!(asked(at, &client).await.ends_with("here"));
    }
    let [_other, newest] = two_more(at).await;
    for stream in half {
        assert_eq!(answer(stream).await, "");
    }
    // No time-out has ended them: it would have ended the newest too.
    let name = ServerName::try_from("localhost").unwrap();
    client.connect(name, newest).await.unwrap();
}
