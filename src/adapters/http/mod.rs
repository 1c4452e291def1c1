//! Requests over HTTP/1.1 and their answers, for all adapters whose servers speak it: connections are kept for the next request, and nothing waits for ever.

mod place;

use crate::adapters::tls::{self, Check};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

pub(super) use place::Place;

/// Time for a connection and its TLS.
const CONNECTED_WITHIN: Duration = Duration::from_secs(15);

/// A request's bytes go out in such pieces; each of them is a sign of life.
const PIECE: usize = 64 * 1024;

/// A connection that was not used for so long is not used again: servers end those, and a request that meets the end may be lost.
const IDLE_MOST: Duration = Duration::from_secs(4);

/// Connections to one place that are kept.
const KEPT_MOST: usize = 32;

/// Largest answer that is taken whole, in bytes: a list of 1,000 parts has 400 kB.
const ANSWER_MAX: usize = 2 << 20;

/// How long a line may be quiet while something is asked for.
pub(super) const QUIET: Duration = Duration::from_secs(30);

/// Why a request came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum HttpFault {
    /// No answer, or a broken one: what was asked for may have been done.
    Away(String),
    /// Nothing can be asked with what is configured.
    Unusable(String),
}

/// A request.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) place: Place,
    /// Encoded, with its query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// How long nothing may move.
    pub(super) quiet: Duration,
}

/// What came back; its body is still on its way.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    body: Incoming,
    quiet: Duration,
    /// Goes back to the kept ones when all of the body came.
    kept: Option<(Arc<Kept>, Place, Sender)>,
}

type Sender = SendRequest<Sent>;

type Kept = Mutex<HashMap<Place, Vec<(Sender, Instant)>>>;

/// Who says which certificates count, in words for a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// What names the authority's certificate.
    pub(super) ca: &'static str,
    /// What names the server.
    pub(super) endpoint: &'static str,
}

/// A client. Its connections are shared.
pub(super) struct Http {
    ca: Option<PathBuf>,
    named: Named,
    tls: OnceCell<TlsConnector>,
    kept: Arc<Kept>,
}

impl Http {
    /// Certificates are checked against those of a file, or of the system.
    pub(super) fn new(ca: Option<PathBuf>, named: Named) -> Self {
        Self { ca, named, tls: OnceCell::new(), kept: Arc::default() }
    }

    /// Sends a request, and waits for the begin of the answer.
    pub(super) async fn send(&self, request: Request) -> Result<Response, HttpFault> {
        let Request { method, place, target, headers, body, quiet } = request;
        let moved = Arc::new(Mutex::new(Instant::now()));
        let mut http = hyper::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            http = http.header(name, value);
        }
        http = http.header(USER_AGENT, HeaderValue::from_static("filegen"));
        let http = http.body(Sent { rest: body, moved: Arc::clone(&moved) });
        let mut http = http.map_err(|error| HttpFault::Unusable(format!("no such request can be made: {error}")))?;
        loop {
            let (mut sender, was_kept) = match self.kept_to(&place) {
                Some(sender) => (sender, true),
                None => (self.connected(&place).await?, false),
            };
            *moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            let answer = sender.try_send_request(http);
            let mut error = match still(answer, &moved, quiet).await? {
                Ok(answer) => {
                    let (head, body) = answer.into_parts();
                    let (status, headers) = (head.status.as_u16(), head.headers);
                    let kept = Some((Arc::clone(&self.kept), place, sender));
                    return Ok(Response { status, headers, body, quiet, kept });
                }
                Err(error) => error,
            };
            match error.take_message() {
                // The kept connection had ended: nothing was sent.
                Some(again) if was_kept => http = again,
                Some(_) | None => return Err(HttpFault::Away(words(error.error()))),
            }
        }
    }

    fn kept_to(&self, place: &Place) -> Option<Sender> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let there = kept.get_mut(place)?;
        there.retain(|(sender, since)| sender.is_ready() && since.elapsed() < IDLE_MOST);
        there.pop().map(|(sender, _)| sender)
    }

    async fn connected(&self, place: &Place) -> Result<Sender, HttpFault> {
        let connecting = async {
            let host = place.host.trim_start_matches('[').trim_end_matches(']');
            let stream = TcpStream::connect((host, place.port)).await;
            let stream = stream.map_err(|error| HttpFault::Away(format!("{}: {error}", place.shown())))?;
            let _ = stream.set_nodelay(true);
            if !place.is_tls {
                return begun(stream).await;
            }
            let name = ServerName::try_from(host.to_owned());
            let name =
                name.map_err(|_| HttpFault::Unusable("its host is no name that a certificate can have".to_owned()))?;
            let stream = self.tls().await?.connect(name, stream).await;
            begun(stream.map_err(|error| untrusted(place, self.named, &error))?).await
        };
        let late = |_| HttpFault::Away(format!("{} does not answer within {CONNECTED_WITHIN:?}", place.shown()));
        timeout(CONNECTED_WITHIN, connecting).await.map_err(late)?
    }

    async fn tls(&self) -> Result<&TlsConnector, HttpFault> {
        let ready = self.tls.get_or_try_init(async || {
            let config = tls::client(
                Check::Host,
                self.ca.as_deref(),
                &format!("`{}`", self.named.ca),
                rustls::DEFAULT_VERSIONS,
            )?;
            Ok::<_, String>(TlsConnector::from(Arc::new(config)))
        });
        ready.await.map_err(HttpFault::Unusable)
    }
}

async fn begun<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Sender, HttpFault> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| HttpFault::Away(words(&error)))?;
    // It ends with its sender.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

/// A certificate that is not the right one is no passing thing.
fn untrusted(place: &Place, named: Named, error: &std::io::Error) -> HttpFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => {
            let hint = format!("name the authority's certificate in `{}`, or correct `{}`", named.ca, named.endpoint);
            HttpFault::Unusable(format!("the certificate of {} is not trusted: {error}; {hint}", place.shown()))
        }
        _ => HttpFault::Away(format!("{}: {error}", place.shown())),
    }
}

fn words(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words = format!("{words}: {inner}");
        source = inner.source();
    }
    words
}

/// Waits for as long as something moves.
async fn still<T>(work: impl Future<Output = T>, moved: &Mutex<Instant>, quiet: Duration) -> Result<T, HttpFault> {
    let mut work = std::pin::pin!(work);
    loop {
        let last = *moved.lock().unwrap_or_else(PoisonError::into_inner);
        match tokio::time::timeout_at(last + quiet, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) if *moved.lock().unwrap_or_else(PoisonError::into_inner) > last => {}
            Err(_) => return Err(HttpFault::Away(format!("nothing moved for {} s", quiet.as_secs()))),
        }
    }
}

impl Response {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next bytes of the body. `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, HttpFault> {
        loop {
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let quiet = || HttpFault::Away(format!("nothing came for {} s", self.quiet.as_secs()));
            match timeout(self.quiet, frame).await.map_err(|_| quiet())? {
                Some(Ok(frame)) => {
                    // Trailers say nothing here.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => return Err(HttpFault::Away(words(&error))),
                None => {
                    if let Some((kept, place, sender)) = self.kept.take() {
                        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                        let there = kept.entry(place).or_default();
                        there.push((sender, Instant::now()));
                        let most = there.len().saturating_sub(KEPT_MOST);
                        there.drain(..most);
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// All of the body.
    pub(super) async fn whole(mut self) -> Result<Vec<u8>, HttpFault> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            if whole.len() + piece.len() > ANSWER_MAX {
                return Err(HttpFault::Away("its answer is longer than any should be".to_owned()));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// A request's body, on its way.
pub(super) struct Sent {
    rest: Bytes,
    moved: Arc<Mutex<Instant>>,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let most = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(most);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
