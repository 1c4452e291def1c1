//! Encryption to PostgreSQL with libpq's meaning of `sslmode`: none, as offered, encryption alone, the authority, or the very host.
//! The client library leaves the whole of it to the connector here, so that a server that offers no encryption is refused in words
//! that say what to do, and none gets a password in clear.

use super::address::{Address, Demand};
use super::auth::{Methods, Watch};
use crate::adapters::tls::{self, Check};
use crate::core::ports::source::SourceError;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
type EncryptedConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// The request for encryption: its length, and the code that stands for a version (PostgreSQL's manual, "SSLRequest").
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Makes connections' TLS as an address demands.
///
/// # Errors
/// [`SourceError::Refused`] when the root certificates cannot be read.
pub(super) fn connector(address: &Address) -> Result<Connector, SourceError> {
    let made =
        tls::client(address.check, address.root_certificates.as_deref(), "sslrootcert", rustls::DEFAULT_VERSIONS);
    let mut config =
        made.map_err(|reason| SourceError::Refused { reason: format!("TLS to {}: {reason}", address.name) })?;
    if address.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    let terms = Terms {
        demand: address.demand,
        is_demand_said: address.is_demand_said,
        check: address.check,
        direct: address.direct,
        methods: address.methods.clone(),
        longest: address.longest,
    };
    Ok(Connector { tls: MakeRustlsConnect::new(config), terms: Arc::new(terms) })
}

/// What an address says of a connection.
struct Terms {
    demand: Demand,
    is_demand_said: bool,
    check: Check,
    direct: bool,
    methods: Methods,
    longest: usize,
}

/// Makes a connection to one host.
#[derive(Clone)]
pub(super) struct Connector {
    tls: MakeRustlsConnect,
    terms: Arc<Terms>,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Channel;
    type TlsConnect = HostConnector;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<HostConnector> {
        let tls = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.tls, host).map_err(io::Error::other)?;
        Ok(HostConnector { tls, terms: Arc::clone(&self.terms) })
    }
}

/// A connection to be made.
pub(super) struct HostConnector {
    tls: EncryptedConnect,
    terms: Arc<Terms>,
}

impl TlsConnect<Socket> for HostConnector {
    type Stream = Channel;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Channel>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let terms = &self.terms;
            let watch = |encrypted| Watch::new(terms.methods.clone(), encrypted, terms.longest);
            let mut socket = socket;
            if terms.demand == Demand::Nothing || !(terms.direct || offers(&mut socket).await?) {
                if terms.demand == Demand::Always {
                    return Err(terms.refused("the server offers no encryption"));
                }
                return Ok(Channel { wire: Wire::Plain(socket), watch: watch(false) });
            }
            let wire = self.tls.connect(socket).await.map_err(|error| match error.kind() {
                // What the server showed does not fit, and will not fit the next time.
                ErrorKind::InvalidData | ErrorKind::InvalidInput => terms.refused(&error.to_string()),
                _ => error,
            })?;
            Ok(Channel { wire: Wire::Encrypted(Box::new(wire)), watch: watch(true) })
        })
    }
}

/// Asks for encryption.
async fn offers(socket: &mut Socket) -> io::Result<bool> {
    socket.write_all(&SSL_REQUEST).await?;
    socket.flush().await?;
    let mut answer = [0];
    socket.read_exact(&mut answer).await?;
    Ok(answer == *b"S")
}

impl Terms {
    /// A server that is not as the address demands.
    fn refused(&self, why: &str) -> io::Error {
        let advice = match (self.check, self.is_demand_said) {
            (_, false) => {
                "the address has no `sslmode`, so the server is verified in full, as `sslmode=verify-full` has it: have encryption \
                 turned on there, or name its authority with `sslrootcert=/path/ca.pem`; `sslmode=require` encrypts without knowing \
                 the server, `sslmode=disable` shows rows to everybody on the way"
            }
            (Check::Nothing, true) => "have encryption turned on there, or correct `sslmode` in the address",
            (_, true) => {
                "check the host's name and `sslrootcert` in the address; `sslmode=verify-ca` takes the authority's certificates \
                 for any name"
            }
        };
        io::Error::new(ErrorKind::InvalidData, Unfit(format!("TLS: {why}; {advice}")))
    }
}

/// Why a server is not spoken with. Another try would not help.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unfit {}

/// Whether an error, or what caused it, is of the kind that [`Unfit`] is; and its words.
pub(super) fn unfit(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        let held = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(unfit) = held.and_then(|held| held.downcast_ref::<Unfit>()) {
            return Some(unfit.to_string());
        }
        cause = inner.source();
    }
    None
}

/// A connection, whose server is watched.
pub(super) struct Channel {
    wire: Wire,
    watch: Watch,
}

enum Wire {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

impl TlsStream for Channel {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.wire {
            Wire::Plain(_) => ChannelBinding::none(),
            Wire::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

impl AsyncRead for Channel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        })?;
        let taken = self.watch.take(&buffer.filled()[before..]).map(drop);
        Poll::Ready(taken.map_err(|why| io::Error::new(ErrorKind::InvalidData, Unfit(why.to_owned()))))
    }
}

impl AsyncWrite for Channel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
