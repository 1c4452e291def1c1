//! Many at a door at once: what they send, and what they ask for, does not take all memory.

use super::served::served;
use super::{READ, with_events};
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::ports::free_port;
use crate::support::running::until;
use rusqlite::Connection;
use rustix::process::Signal;
use std::io::Write as _;
use std::net::TcpStream;

/// Most memory that a process had, in MiB.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the kernel tells it");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn bodies_that_are_held_back_give_their_room_to_those_that_come() {
    let filegen = Filegen::empty();
    let source = format!("{{ kafka: {{ brokers: '127.0.0.1:{}', topic: t, group: g }} }}", free_port());
    let text = super::FILE.replace("{ file: events.jsonl }", &source);
    filegen.write("events.yaml", &(text + "produce: { port: 0, listen: 127.0.0.1 }\n"));
    let (daemon, door) = served(&filegen, "-c events.yaml", "produce");
    let almost = vec![b'x'; (1 << 20) - 1];
    let hold_back = || {
        let mut stream = TcpStream::connect(("127.0.0.1", door.port())).unwrap();
        let head = format!("POST /produce HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 1 << 20);
        stream.write_all(head.as_bytes()).unwrap();
        // One that finds no room is refused while it sends.
        let _ = stream.write_all(&almost);
        stream
    };
    let mut slow: Vec<TcpStream> = (0..33).map(|_| hold_back()).collect();
    let told = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let mut answer = [0; 1024];
        let count = stream.peek(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..count]).into_owned()
    };
    // Newcomers may come before the memory is full, or find those that hold it fresh, and be told to try again.
    let send = || door.post("/produce", "application/json", &"no event".repeat(10));
    let ended = until("one that held its body back is told", || {
        let answer = send();
        if answer.code == 503 {
            assert!(answer.body.contains("too much is sent"), "{}", answer.body);
            assert_eq!(answer.header("retry-after"), "5");
        }
        // One whose bytes were not all read when it was ended hears a reset: others follow it.
        slow.push(hold_back());
        slow.iter().map(told).find(|answer| answer.starts_with("HTTP/1.1 408 "))
    });
    assert!(ended.contains("came slowly"), "{ended}");
    // Those that hold theirs back are still there, some of them fresh: they give way too.
    until("there is room", || (send().code == 400).then_some(()));
    assert_eq!(door.get("/health/live").code, 200);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn answers_that_are_too_long_are_refused_before_they_are_in_memory() {
    let filegen = with_events(&[]);
    let routes = r#"    "/fat/{n}":
      rows: { many: "SELECT t FROM fat WHERE n <= {n}", limit: 100 }
    "/one/{n}":
      row: { one: "SELECT zeroblob({n}) AS b" }
"#;
    filegen.write("events.yaml", &(super::FILE.to_owned() + READ + routes));
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    until("the tables", || Some(()).filter(|()| door.get("/orders/none").code == 404));
    let tables = Connection::open(filegen.path("orders.db")).unwrap();
    tables.execute_batch("CREATE TABLE fat (n TEXT, t TEXT)").unwrap();
    for n in 10..70 {
        tables.execute("INSERT INTO fat VALUES (?1, ?2)", (n.to_string(), "x".repeat(1_000_000))).unwrap();
    }
    let ask = |path: &str| {
        let port = door.port();
        let path = path.to_owned();
        std::thread::spawn(move || Http::at(port).get(&path))
    };
    for round in [["/fat/99"; 8], ["/fat/16"; 8], ["/one/9000000"; 8]] {
        let asked: Vec<_> = round.map(ask).into_iter().collect();
        for answer in asked.into_iter().map(|asked| asked.join().unwrap()) {
            let told = "the answer is longer than 8388608 bytes; ask with a smaller `limit`";
            match answer.code {
                200 => assert!(round[0] == "/fat/16" && answer.body.len() > 7_000_000, "{}", answer.body.len()),
                500 => assert!(round[0] != "/fat/16" && answer.body.contains(told), "{}", answer.body),
                code => assert_eq!(code, 503, "{}", answer.body),
            }
        }
    }
    let peak = peak(daemon.running.id());
    assert!(peak < 256, "{peak} MiB");
    assert_eq!(door.get("/fat/12").code, 200);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn statements_that_sort_without_an_index_take_little_memory() {
    let filegen = with_events(&[]);
    let routes = r#"    "/sorted/{n}":
      rows: { many: "SELECT n, length(t) AS bytes FROM (SELECT n, t FROM wide WHERE n < {n} ORDER BY t)", limit: 3 }
    "/by_key/{n}":
      rows: { many: "SELECT n, length(t) AS bytes FROM wide WHERE n >= {n} ORDER BY n", limit: 3 }
"#;
    let read = READ.replace("  routes:\n", "  timeout: 60s\n  routes:\n");
    filegen.write("events.yaml", &(super::FILE.to_owned() + &read + routes));
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    until("the tables", || Some(()).filter(|()| door.get("/orders/none").code == 404));
    let tables = Connection::open(filegen.path("orders.db")).unwrap();
    tables.execute_batch("CREATE TABLE wide (n TEXT PRIMARY KEY, t BLOB)").unwrap();
    for n in 100..200 {
        tables.execute("INSERT INTO wide VALUES (?1, randomblob(1000000))", [n.to_string()]).unwrap();
    }
    tables.execute("INSERT INTO wide VALUES ('200', randomblob(2000000))", []).unwrap();
    let port = door.port();
    let asked = [(); 8].map(|()| std::thread::spawn(move || Http::at(port).get("/sorted/200")));
    for answer in asked.map(|asked| asked.join().unwrap()) {
        let waits = answer.code == 503 && answer.body.contains("without an index");
        assert!(answer.code == 200 && answer.body.contains("1000000") || waits, "{}", answer.body);
    }
    let peak = peak(daemon.running.id());
    assert!(peak < 160, "{peak} MiB");
    let refused = door.get("/sorted/201");
    assert_eq!(refused.code, 500, "{}", refused.body);
    assert!(refused.body.contains("give what it sorts by an index"), "{}", refused.body);
    assert!(door.get("/by_key/200").body.contains("2000000"));
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}
