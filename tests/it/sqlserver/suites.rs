//! Servers whose TLS has nothing that we have: OpenSSL's own server behind the packets of a TDS handshake.

use filegen::adapters::sqlserver::SqlServerSource;
use filegen::core::model::names::ViewName;
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::PageSource;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// A PRELOGIN's answer: version 16, and encryption is on.
const ANSWER: [u8; 18] = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 3, 0xe8, 0, 0, 1];

/// `openssl s_server` with some cipher suites; it ends when dropped.
struct OpenSsl {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl OpenSsl {
    fn with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "openssl makes a certificate");
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "cert.pem"])
            .args(settings)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It says where it listens: `ACCEPT 127.0.0.1:40123`.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ")?.parse().ok()).unwrap();
        // What it says later is taken, so that it never waits for a reader.
        std::thread::spawn(move || lines.count());
        Self { child, address, _folder: folder }
    }

    /// An address at which the handshake travels in TDS packets.
    fn wrapped(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (here, server) = (listener.local_addr().unwrap(), self.address);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || unwrap(client, server));
            }
        });
        here
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn packet(payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    [&[0x12, 1, high, low, 0, 0, 1, 0], payload].concat()
}

/// Answers a PRELOGIN, then takes TLS's records out of their packets, and puts the answers into others.
fn unwrap(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let take = |client: &mut TcpStream| -> std::io::Result<Vec<u8>> {
        let mut head = [0; 8];
        client.read_exact(&mut head)?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]])) - 8];
        client.read_exact(&mut payload)?;
        Ok(payload)
    };
    take(&mut client)?;
    client.write_all(&packet(&ANSWER))?;
    let mut server = TcpStream::connect(server)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if back.write_all(&packet(&buffer[..count])).is_err() {
                break;
            }
        }
        drop(back.shutdown(Shutdown::Both));
    });
    while let Ok(records) = take(&mut client) {
        server.write_all(&records)?;
    }
    // It serves one connection at a time, and waits for the end of this one.
    server.shutdown(Shutdown::Both)
}

async fn refusal(address: SocketAddr, encrypt: &str) -> String {
    let ado = format!(
        "Server=tcp:127.0.0.1,{};User Id=u;Password=p;TrustServerCertificate=true;Encrypt={encrypt}",
        address.port()
    );
    let source = SqlServerSource::new(&Secret::new(ado)).unwrap();
    source.columns(&ViewName::parse("t").unwrap().into()).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_old_cipher_suites_only_is_named_with_what_it_takes() {
    for (settings, takes) in [
        (&["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"][..], "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 in TLS 1.2"),
        (&["-tls1_2", "-cipher", "AES128-GCM-SHA256"][..], "TLS_RSA_WITH_AES_128_GCM_SHA256 in TLS 1.2"),
        (&["-tls1", "-cipher", "ALL:@SECLEVEL=0"][..], "in TLS 1.0"),
    ] {
        let server = OpenSsl::with(settings);
        let wrapped = server.wrapped();
        for (address, encrypt) in [(wrapped, "true"), (wrapped, "false"), (server.address, "strict")] {
            let said = refusal(address, encrypt).await;
            assert!(said.contains("nothing in common") && said.contains(takes), "{encrypt} {takes}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_before_the_login_is_refused_before_it_takes_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It goes on until the client leaves.
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept()?;
        let mut piece = packet(&[0; 4000]);
        piece[1] = 0;
        let mut sent = 0;
        while sent < 64 << 20 && client.write_all(&piece).is_ok() {
            sent += piece.len();
        }
        Ok::<_, std::io::Error>(sent)
    });
    let said = refusal(address, "true").await;
    assert!(said.contains("without end before the login"), "{said}");
    let sent = server.join().unwrap().unwrap();
    assert!(sent < 16 << 20, "{sent} bytes were taken, or wait in the system");
}
