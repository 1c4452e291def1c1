//! The connections of the HTTP listener: how many there may be, and how long each may take. A client that sends or reads slowly
//! keeps nobody out, and takes no descriptor that the work needs. With TLS, the handshake comes before the first request's head, and has as
//! much time as that.

mod body;
mod places;

pub(super) use places::{ConnectionSlot, Places};

use axum::Router;
use axum::body::Body;
use body::WatchedBody;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest time for a request's head to come, and between two requests on one connection; and for a handshake.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// Longest time from a request's head to its answer, with the body that the request brings.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(30);

/// After this time a connection ends with the answer in hand. It then has [`ANSWER_TIME`] to take it.
const CONNECTION_TIME: Duration = Duration::from_mins(2);

/// Longest head of a request that is surely taken. One that is twice as long is surely not: it is read in pieces.
const HEAD_MAX: usize = 16 * 1024;

/// Most connections at a time to the pages for people and probes, where the process may have descriptors enough.
pub const PAGE_CONNECTIONS: usize = 64;

/// Most connections at a time to a door that programs use.
pub const DOOR_CONNECTIONS: usize = 1024;

/// Time before the next try when the system gives no connection: for a moment it has no descriptor, or no memory.
const NO_CONNECTION: Duration = Duration::from_millis(100);

/// Connections that wait for the process to take them.
const BACKLOG: i32 = 128;

/// Listens on a port of an address; 0 takes any free port. Without an address it listens on all addresses: of both families where
/// the host has both.
///
/// # Errors
/// When the port cannot be bound.
pub fn bind(address: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    match address {
        Some(address) => listen(SocketAddr::new(address, port)),
        None => first_of([Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()], port),
    }
}

/// Listens on the first address that this host has. A port that is taken or not allowed is so on each of them.
fn first_of(addresses: [IpAddr; 2], port: u16) -> io::Result<TcpListener> {
    let [first, second] = addresses;
    listen(SocketAddr::new(first, port)).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
        _ => listen(SocketAddr::new(second, port)),
    })
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        // Whatever the host's default is: a listener on all addresses takes IPv4 too.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// How many connections there may be where a process may have so many descriptors: a quarter of them, the rest is for the work.
/// One more than the pages at the least: a probe finds a connection.
pub(super) fn most(descriptors: u64, wanted: usize) -> usize {
    usize::try_from(descriptors / 4).unwrap_or(wanted).clamp(2, wanted)
}

/// Answers until `stop`, then ends each connection behind the answer in hand. `descriptors` is how many the process may have,
/// `wanted` how many connections there may be at most. With `tls`, nothing else is answered.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    (descriptors, wanted): (u64, usize),
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) {
    let places = Places::new(most(descriptors, wanted));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(NO_CONNECTION).await;
            continue;
        };
        while tasks.try_join_next().is_some() {}
        let slot = Arc::<ConnectionSlot>::default();
        if let Some(place) = places.take(Arc::clone(&slot)) {
            let answering = answer(stream, tls.clone(), router.clone(), slot, stop.clone());
            tasks.spawn(async move {
                answering.await;
                drop(place);
            });
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Answers one connection. One whose handshake is not over is idle: another may take its place.
async fn answer(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    slot: Arc<ConnectionSlot>,
    stop: CancellationToken,
) {
    let Some(tls) = tls else { return talk(stream, router, slot, stop).await };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HEAD_TIME, tls.accept(stream)) => shaken,
        () = slot.gone.cancelled() => return,
        () = stop.cancelled() => return,
    };
    // What is wrong with a handshake is the client's to see.
    if let Ok(Ok(stream)) = shaken {
        talk(stream, router, slot, stop).await;
    }
}

/// Answers the requests of one connection, until the client ends it, its time is over, or another takes its place.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    router: Router,
    slot: Arc<ConnectionSlot>,
    stop: CancellationToken,
) {
    let routes = TowerToHyperService::new(router);
    let answering = service_fn(|request: Request<Incoming>| {
        let (routes, slot) = (routes.clone(), Arc::clone(&slot));
        async move {
            let (mut head, body) = request.into_parts();
            let body = WatchedBody::new(body, &head.headers, Arc::clone(&slot));
            head.extensions.insert(Arc::clone(&slot));
            let answer = routes.call(Request::from_parts(head, Body::new(body))).await;
            slot.idles();
            answer
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_MAX);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), answering));
    // What is wrong with a connection is the client's to see.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = slot.gone.cancelled() => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(CONNECTION_TIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = slot.gone.cancelled() => {}
        () = tokio::time::sleep(ANSWER_TIME) => {}
    }
}

#[cfg(test)]
mod tests;
