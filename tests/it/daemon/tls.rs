//! Doors with a certificate of their own: who is answered, and what happens when it changes.

use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::running::until;
use crate::support::tls::{Authority, Connection, certificate_of};
use rustix::process::Signal;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

fn put(filegen: &Filegen, (certificate, key): &(String, String)) {
    filegen.write("tls.crt", certificate);
    filegen.write("tls.key", key);
}

/// A scheduler whose doors have a certificate.
fn scheduler(certificate: &(String, String)) -> Filegen {
    let filegen = Filegen::empty();
    std::fs::create_dir(filegen.path("data")).unwrap();
    let tls = "tls: { certificate: tls.crt, key: tls.key }";
    let file = format!(
        "scheduler: one\nroots: [data]\napi: {{ port: 0, token: long-enough, {tls} }}\npage: {{ port: 0, listen: 127.0.0.1, {tls} }}\n"
    );
    filegen.write("one.yaml", &file);
    put(&filegen, certificate);
    filegen
}

const DAEMON: &str = "daemon -c one.yaml --health-port 0 --health-tls-certificate tls.crt --health-tls-key tls.key";

fn started(filegen: &Filegen) -> (Daemon, [u16; 3]) {
    let mut daemon = Daemon::of(&mut filegen.command(DAEMON));
    let mut port = |door: &str| {
        let line = daemon.running.wait_for(&format!("door={door}"));
        line.rsplit("port=").next().and_then(|port| port.trim().parse().ok()).unwrap()
    };
    let (api, page) = (port("api"), port("page"));
    let status = daemon.http.port();
    (daemon, [status, api, page])
}

/// What comes back for a request without TLS.
fn plain(port: u16) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Asks on a connection that goes on.
fn asks_again(stream: &mut Connection) {
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut some = [0; 1024];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it has ended: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&some[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn every_door_with_a_certificate_answers_with_tls_alone_and_health_asks_it_so() {
    let authority = Authority::new();
    let filegen = scheduler(&authority.certificate(-1, 90));
    let (daemon, ports) = started(&filegen);
    for port in ports {
        let answer = authority.ask(port, "/health/live", "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let answer = plain(port);
        assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
        filegen.run(&format!("health --health-port {port}")).exits(0);
    }
    let sources = "/api/v1/datasource";
    assert!(authority.ask(ports[1], sources, "").starts_with("HTTP/1.1 401 "));
    let answer = authority.ask(ports[1], sources, "authorization: Bearer long-enough\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn a_changed_certificate_is_taken_while_connections_go_on_and_a_spoilt_one_is_told() {
    let authority = Authority::new();
    let filegen = scheduler(&authority.certificate(-1, 20));
    let (mut daemon, [status, api, page]) = started(&filegen);
    daemon.running.wait_for("the certificate in use ends at");
    let first = authority.shown(api);
    let mut open = authority.connect(api);

    put(&filegen, &authority.certificate(-1, 90));
    for port in [status, api, page] {
        until("the new certificate", || {
            asks_again(&mut open);
            (authority.shown(port) != first).then_some(())
        });
    }
    let second = authority.shown(api);
    asks_again(&mut open);
    assert_eq!(certificate_of(&open), first);

    filegen.write("tls.key", &authority.certificate(-1, 90).1);
    let line = daemon.running.wait_for("the one before stays");
    assert!(line.contains("is not that of") && line.contains("WARN"), "{line}");
    let refused = r#"filegen_door_certificate_refused{door="one/api"} 1"#;
    until("all are told", || authority.ask(status, "/metrics", "").contains(refused).then_some(()));
    let metrics = authority.ask(status, "/metrics", "");
    assert!(metrics.contains(r#"filegen_door_certificate_end_timestamp_seconds{door="status"} 1"#), "{metrics}");
    assert_eq!(authority.shown(api), second);
    assert!(authority.ask(status, "/health/ready", "").starts_with("HTTP/1.1 200 "));
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn check_and_doctor_tell_of_certificates_before_clients_do() {
    let authority = Authority::new();
    let good = authority.certificate(-1, 90);
    let filegen = scheduler(&good);
    let check = || filegen.run("config check -c one.yaml --output json");
    assert_eq!(check().exits(0).json()["warnings"], serde_json::json!([]));
    for (spoilt, told) in [
        (authority.certificate(-9, -2), "no client takes it"),
        (authority.certificate(2, 90), "is not valid before"),
        ((good.0.clone(), authority.certificate(-1, 90).1), "is not that of"),
        ((good.0.clone(), String::new()), "holds no key"),
    ] {
        put(&filegen, &spoilt);
        let problems = check().exits(3).json()["problems"].clone();
        assert_eq!(problems.as_array().unwrap().len(), 2, "{problems}");
        let problem = &problems[0];
        assert!(problem["code"] == "certificate" && problem["message"].as_str().unwrap().contains(told), "{problem}");
        let found = filegen.run("doctor -c one.yaml --output json").exits(3).stdout;
        assert!(found.contains(told), "{found}");
    }
    // The status door's too, by the environment that the daemon has.
    let mut doctor = filegen.command("doctor -c one.yaml --output json");
    doctor.env("HEALTH_TLS_CERTIFICATE", "tls.crt").env("HEALTH_TLS_KEY", "tls.key");
    let found = Filegen::finish(&mut doctor).exits(3).stdout;
    assert!(found.contains("`status.tls`"), "{found}");
    let refused = filegen.run(DAEMON).exits(3);
    assert!(refused.stderr.contains("holds no key"), "{}", refused.stderr);
    put(&filegen, &authority.certificate(-1, 20));
    let warnings = check().exits(0).json()["warnings"].clone();
    assert!(warnings[0]["message"].as_str().unwrap().contains("the certificate ends at"), "{warnings}");
    let found = filegen.run("doctor -c one.yaml --output json").exits(0).stdout;
    assert!(found.contains("the certificate ends at"), "{found}");
}

#[test]
fn a_token_that_goes_in_clear_and_an_api_without_one_are_told_by_check_and_doctor() {
    let filegen = Filegen::empty();
    std::fs::create_dir(filegen.path("data")).unwrap();
    let page = "page: { port: 0, listen: 127.0.0.1 }\n";
    for (api, told) in [
        ("{ port: 0, token: long-enough }", Some("`api` has no TLS")),
        ("{ port: 0, hosts: a.example }", Some("`api` asks for no token")),
        ("{ port: 0, listen: 127.0.0.1, token: long-enough }", None),
        ("{ port: 0, listen: 127.0.0.1 }", None),
    ] {
        filegen.write("one.yaml", &format!("scheduler: one\nroots: [data]\napi: {api}\n{page}"));
        let check = filegen.run("config check -c one.yaml --output json").exits(0).json()["warnings"].clone();
        let found = filegen.run("doctor -c one.yaml --output json").stdout;
        if let Some(told) = told {
            assert!(check[0]["message"].as_str().unwrap().contains(told), "{check}");
            assert!(found.contains(told), "{found}");
        } else {
            assert_eq!(check, serde_json::json!([]), "{api}");
            assert!(!found.contains("`api`"), "{found}");
        }
    }
}
