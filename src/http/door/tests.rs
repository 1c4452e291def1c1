//! Connections over real sockets, on a clock that stands still and jumps to the next time-out when nothing else happens.

mod tls;

use super::super::guard;
use super::*;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ASKED: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A server over `/`, which answers, `/take`, which takes a body, and `/never`, which does not answer. `descriptors` bounds its
/// connections.
fn door(descriptors: u64) -> SocketAddr {
    door_that_tells(descriptors, Arc::default())
}

/// The same. It tells when `/never` is being answered.
fn door_that_tells(descriptors: u64, begun: Arc<Notify>) -> SocketAddr {
    door_with(descriptors, begun, None)
}

/// The same, perhaps with TLS.
fn door_with(descriptors: u64, begun: Arc<Notify>, tls: Option<TlsAcceptor>) -> SocketAddr {
    let never = get(async move || {
        begun.notify_one();
        std::future::pending::<StatusCode>().await
    });
    let take = post(async |body: Bytes| format!("{} bytes", body.len()));
    let routes = Router::new().route("/never", never).route("/take", take);
    let pages = guard::pages(routes, most(descriptors, PAGE_CONNECTIONS));
    let router = Router::new().route("/", get(|| async { "here" })).merge(pages);
    let listener = bind(Some(LOOPBACK), 0).unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(serve(
        guard::all(router, guard::Hosts::Any),
        listener,
        (descriptors, PAGE_CONNECTIONS),
        tls,
        CancellationToken::new(),
    ));
    at
}

async fn sent(at: SocketAddr, text: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(text).await.unwrap();
    stream
}

/// All that comes until the server ends the connection.
async fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended too.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn half_a_request_ends_in_time_and_so_does_an_idle_connection() {
    let at = door(1000);
    let started = tokio::time::Instant::now();
    assert_eq!(answer(sent(at, b"GET / HTTP/1.1\r\nhost: loc").await).await, "");
    assert_eq!(answer(sent(at, b"").await).await, "");
    assert!(answer(sent(at, ASKED).await).await.ends_with("here"), "it is answered, and then nothing more is asked");
    assert!(started.elapsed() < CONNECTION_TIME, "each ends by its own time-out: {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_a_problem_after_its_time() {
    let started = tokio::time::Instant::now();
    let said =
        answer(sent(door(1000), b"GET /never HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await).await;
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("there is no answer after 30 s"), "{said}");
    assert!(said.contains("x-content-type-options: nosniff") && said.contains("frame-ancestors 'none'"), "{said}");
    assert_eq!(started.elapsed().as_secs(), ANSWER_TIME.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_ends_with_its_connection() {
    let asked = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 60000\r\n\r\nhalf";
    let said = answer(sent(door(1000), asked).await).await;
    assert!(said.starts_with("HTTP/1.1 405 "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn half_requests_keep_nobody_out() {
    // Two connections at a time.
    let at = door(8);
    let mut half = Vec::new();
    for _ in 0..50 {
        half.push(sent(at, b"GET / HTTP/1.1\r\n").await);
        let whole = sent(at, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        assert!(answer(whole).await.ends_with("here"));
    }
    let [_other, mut newest] = two_more(at).await;
    for stream in half {
        assert_eq!(answer(stream).await, "");
    }
    // No time-out has ended them: it would have ended the newest too.
    newest.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(answer(newest).await.ends_with("here"));
}

/// As many silent connections as a door of two has places: they take those of all before.
async fn two_more(at: SocketAddr) -> [TcpStream; 2] {
    [TcpStream::connect(at).await.unwrap(), TcpStream::connect(at).await.unwrap()]
}

/// A request whose body never ends.
const SLOW: &[u8] = b"POST /take HTTP/1.1\r\nhost: localhost\r\ncontent-length: 60000\r\n\r\nhalf";

#[tokio::test(start_paused = true)]
async fn bodies_that_never_end_keep_nobody_out() {
    for descriptors in [0, 8, 64, 1000] {
        let at = door(descriptors);
        let mut slow = Vec::new();
        for _ in 0..PAGE_CONNECTIONS + 8 {
            slow.push(sent(at, SLOW).await);
            let asked = "POST /take HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 5\r\n\r\n12345";
            let said = answer(sent(at, asked.as_bytes()).await).await;
            assert!(said.ends_with("5 bytes"), "{descriptors} descriptors, {} slow ones: {said}", slow.len());
            let probe = sent(at, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
            assert!(answer(probe).await.ends_with("here"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_long_is_refused_before_it_comes_and_a_client_that_still_sends_sees_the_answer() {
    let at = door(1000);
    let head = "POST /take HTTP/1.1\r\nhost: localhost\r\n";
    let started = tokio::time::Instant::now();
    for (more, body) in
        [("content-length: 100000\r\n", "half"), ("content-length: 100000\r\nexpect: 100-continue\r\n", "")]
    {
        let said = answer(sent(at, format!("{head}{more}\r\n{body}").as_bytes()).await).await;
        assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("announces 100000"), "{said}");
    }
    assert!(started.elapsed() < HEAD_TIME, "nobody waits for the rest: {:?}", started.elapsed());
    // The head, the length of a chunk, and as much of it as one likes.
    let many = "x".repeat(1 << 20);
    for more in [
        format!("content-length: {}\r\n\r\n{many}", many.len()),
        format!("transfer-encoding: chunked\r\n\r\n100000\r\n{many}\r\n0\r\n\r\n"),
    ] {
        let said = answer(sent(at, format!("{head}connection: close\r\n{more}").as_bytes()).await).await;
        assert!(said.starts_with("HTTP/1.1 413 "), "{said}");
    }
}

/// On the real clock: on one that jumps, the slow pages would end.
#[tokio::test]
async fn slow_pages_leave_a_connection_for_a_probe() {
    for descriptors in [0, 8, 64, 1000] {
        let begun = Arc::new(Notify::new());
        let at = door_that_tells(descriptors, Arc::clone(&begun));
        let mut slow = Vec::new();
        for _ in 0..PAGE_CONNECTIONS {
            let page = sent(at, b"GET /never HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            tokio::select! {
                () = begun.notified() => {}
                // It is refused.
                refused = page.readable() => refused.unwrap(),
            }
            slow.push(page);
            let probe = sent(at, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
            assert!(answer(probe).await.ends_with("here"), "{descriptors} descriptors, {} pages", slow.len());
        }
    }
}

#[test]
fn connections_leave_descriptors_for_the_work() {
    let most = |descriptors| most(descriptors, PAGE_CONNECTIONS);
    assert_eq!((most(0), most(100), most(1024), most(u64::MAX)), (2, 25, 64, 64));
}

#[tokio::test]
async fn a_host_without_ipv6_is_listened_on_by_ipv4() {
    // An address for documents: no host has it.
    let elsewhere: IpAddr = "2001:db8::1".parse().unwrap();
    let listener = first_of([elsewhere, LOOPBACK], 0).unwrap();
    let taken = listener.local_addr().unwrap();
    assert_eq!(taken.ip(), LOOPBACK);
    let refused = first_of([LOOPBACK, LOOPBACK], taken.port()).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    let all = bind(None, 0).unwrap();
    TcpStream::connect((LOOPBACK, all.local_addr().unwrap().port())).await.unwrap();
}
