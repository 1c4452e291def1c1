//! The daemon's HTTP listener and clients that mean no good.

use crate::support::daemon::{Daemon, worker};
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use rustix::process::Signal;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

/// The same command where a process may have this many descriptors.
fn with_descriptors(count: u32, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -n {count} && exec \"$0\" \"$@\"")]);
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited
}

/// A connection on which a request never ends.
fn half_request(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // One that is let go to make room has ended already.
    let _ = stream.write_all(b"GET /status HTTP/1.1\r\nhost: 127");
    stream
}

#[test]
fn half_requests_stop_neither_probes_nor_the_run() {
    let filegen = worker(30);
    let command = filegen.command("daemon -c worker.yaml --health-port 0");
    let mut daemon = Daemon::of(&mut with_descriptors(100, &command));
    daemon.running.wait_for("leadership acquired");
    let half: Vec<TcpStream> = (0..150).map(|_| half_request(daemon.http.port())).collect();
    assert_eq!(daemon.get("/health/live").0, 200);
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    daemon.running.wait_for("run published");
    assert_eq!(daemon.get("/health/live").0, 200);
    drop(half);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

/// Sends these bytes, and returns what is answered before the connection ends.
fn raw(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // What is sent behind a refusal may end the connection with a reset: then this is what came before.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn what_is_announced_or_sent_beyond_the_limits_is_refused_before_it_comes() {
    let filegen = worker(3);
    let daemon = Daemon::start(&filegen);
    let port = daemon.http.port();
    let announced = "/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n";
    let refused = raw(port, &format!("POST {announced}"));
    assert!(refused.starts_with("HTTP/1.1 405 "), "{refused}");
    let refused = raw(port, &format!("GET {announced}"));
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("announces 99999999999"), "{refused}");
    for (bytes, code) in [(15 << 10, 200), (32 << 10, 431)] {
        let head =
            format!("GET /status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: {}\r\n\r\n", "a".repeat(bytes));
        let answer = raw(port, &head);
        assert!(answer.starts_with(&format!("HTTP/1.1 {code} ")), "{bytes}: {answer}");
    }
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

/// A scheduler has two doors.
#[test]
fn half_requests_at_every_door_leave_the_work_its_descriptors() {
    let filegen = worker(30);
    std::fs::create_dir(filegen.path("data")).unwrap();
    for name in ["one", "two"] {
        let file = format!(
            "scheduler: {name}\nstate: {{ url: \"sqlite:{name}.db\" }}\nroots: [data]\n\
             api: {{ port: 0, listen: 127.0.0.1 }}\npage: {{ port: 0, listen: 127.0.0.1 }}\n"
        );
        filegen.write(&format!("{name}.yaml"), &file);
    }
    let command = filegen.command("daemon -c worker.yaml -c one.yaml -c two.yaml --health-port 0");
    let mut daemon = Daemon::of(&mut with_descriptors(120, &command));
    let seen = RefCell::new((false, vec![daemon.http.port()]));
    let ports = daemon.running.wait_for_line("a leader and four doors", |line| {
        let (leads, ports) = &mut *seen.borrow_mut();
        *leads |= line.contains("leadership acquired");
        if line.contains(" door=") {
            ports.extend(line.rsplit("port=").next().and_then(|port| port.trim().parse::<u16>().ok()));
        }
        (*leads && ports.len() == 5).then(|| ports.clone())
    });
    let connections = ports.iter().flat_map(|port| std::iter::repeat_n(*port, 60));
    let half: Vec<TcpStream> = connections.map(half_request).collect();
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    daemon.running.wait_for("run published");
    assert_eq!(daemon.get("/health/live").0, 200);
    drop(half);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

/// A scheduler's door, which asks for no token here.
#[test]
fn bodies_that_never_end_keep_neither_probes_nor_clients_out() {
    let filegen = Filegen::empty();
    std::fs::create_dir(filegen.path("data")).unwrap();
    let file = "scheduler: one\nroots: [data]\napi: { port: 0, listen: 127.0.0.1 }\n";
    filegen.write("one.yaml", file);
    let command = filegen.command("daemon -c one.yaml --health-port 0");
    let mut daemon = Daemon::of(&mut with_descriptors(100, &command));
    let line = daemon.running.wait_for("door=api");
    let api = Http::at(line.rsplit("port=").next().and_then(|port| port.trim().parse().ok()).unwrap());
    let path = "/api/v1/datasource";
    let slow = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{{"
    );
    let mut held = Vec::new();
    for at in 0..40 {
        let mut stream = TcpStream::connect(("127.0.0.1", api.port())).unwrap();
        stream.write_all(slow.as_bytes()).unwrap();
        held.push(stream);
        if at % 8 == 7 {
            let source = format!(r#"{{"name":"n{at}","path":"data","cronExpression":"0 0 2 * * ?"}}"#);
            let saved = api.post(path, "application/json", &source);
            assert_eq!(saved.code, 201, "behind {at} slow ones: {}", saved.body);
            assert_eq!(api.get("/health/live").code, 200);
        }
    }
    let refused = raw(api.port(), &slow.replace("60000", "100000"));
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("at most 65536 bytes"), "{refused}");
    drop(held);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn requests_name_a_host_of_the_list_and_answers_carry_what_browsers_heed() {
    let filegen = worker(3);
    let command = "daemon -c worker.yaml --health-port 0 --health-address 127.0.0.1 --health-host filegen.example";
    let daemon = Daemon::of(&mut filegen.command(command));
    let asked = |host: &str| {
        let request = daemon.http.request("GET", "/status").header("host", host);
        daemon.http.send(request, ())
    };
    for host in ["filegen.example", "FILEGEN.example:5000", "localhost", "10.1.2.3:5000", "[::1]"] {
        assert_eq!(asked(host).code, 200, "{host}");
    }
    let refused = asked("evil.example");
    assert_eq!((refused.code, refused.header("content-type")), (421, "application/problem+json"), "{refused:?}");
    let unnamed = raw(daemon.http.port(), "GET /status HTTP/1.1\r\nconnection: close\r\n\r\n");
    assert!(unnamed.starts_with("HTTP/1.1 421 "), "{unnamed}");
    let probe = raw(daemon.http.port(), "GET /health/live HTTP/1.0\r\n\r\n");
    assert!(probe.starts_with("HTTP/1.0 200 "), "{probe}");
    let page = daemon.http.get("/");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{page:?}");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
    let refused = filegen.run("daemon -c worker.yaml --health-port 0 --health-address 192.0.2.1").exits(1);
    assert!(refused.stderr.contains("cannot listen on port 0 of 192.0.2.1"), "{}", refused.stderr);
}
