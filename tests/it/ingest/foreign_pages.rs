//! Pages of other sites that reach an ingest's doors from a browser on this host.

use super::READ;
use super::served::served_with;
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::ports::free_port;
use rustix::process::Signal;

/// The file with both doors, whose broker is away. `more` is what both say besides.
fn both(more: &str) -> Filegen {
    let filegen = Filegen::empty();
    let source = format!("{{ kafka: {{ brokers: '127.0.0.1:{}', topic: t, group: g }} }}", free_port());
    let doors = READ.replace("  port: 0\n", &format!("  port: 0\n{more}"));
    let produce = doors.split("  routes:").next().unwrap().replace("read:", "produce:");
    filegen.write("events.yaml", &(super::FILE.replace("{ file: events.jsonl }", &source) + &produce + &doors));
    filegen
}

fn asked(door: &Http, path: &str, host: &str) -> u16 {
    door.send(door.request("GET", path).header("host", host), ()).code
}

fn end(daemon: Daemon) {
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn a_page_of_another_site_neither_reads_nor_writes_here() {
    for (more, is_listed) in [("", false), ("  hosts: [orders.bank.example]\n", true)] {
        let filegen = both(more);
        let daemon = |door| {
            let words = "daemon -c events.yaml --health-port 0 --health-address 127.0.0.1 -vv";
            served_with(&mut filegen.command(words), door)
        };
        let (status, door) = daemon("produce");
        for (name, value, expected) in [
            ("host", "orders.bank.example", if is_listed { 400 } else { 421 }),
            ("host", "evil.example", 421),
            ("host", "localhost", 400),
            ("origin", "http://evil.example", 403),
            ("origin", "null", 403),
            ("origin", &format!("http://127.0.0.1:{}", door.port()), 400),
        ] {
            // No browser asks before it sends a text.
            let request = door.request("POST", "/produce").header(name, value).header("content-type", "text/plain");
            let answer = door.send(request, "no event");
            assert_eq!(answer.code, expected, "{name}: {value}: {}", answer.body);
        }
        for page in ["/status", "/health/live", "/metrics"] {
            assert_eq!(asked(&status.http, page, "evil.example"), 421, "{page}");
            assert_eq!(asked(&status.http, page, "localhost"), 200, "{page}");
        }
        end(status);
        let (daemon, door) = daemon("read");
        assert_eq!(asked(&door, "/orders/o1", "evil.example"), 421);
        assert_eq!(asked(&door, "/orders/o1", "orders.bank.example") != 421, is_listed);
        end(daemon);
    }
}

#[test]
fn a_door_for_any_host_is_told_by_check_and_doctor() {
    let filegen = both("");
    let told = |words: &str| filegen.run(words).exits(0).stderr;
    let check = "config check -c events.yaml";
    assert!(!told(check).contains("DNS rebinding"));
    let reached = |more: &str| {
        let text = both("").read("events.yaml").replace("  listen: 127.0.0.1\n", more);
        filegen.write("events.yaml", &text);
    };
    reached("");
    let guarded = ["`produce` listens beyond", "`read` listens beyond", "(0) may send events", "(0) may read the rows"];
    for door in guarded {
        assert!(told(check).contains(door), "{}", told(check));
    }
    reached("  hosts: [a.example]\n");
    assert!(!told(check).contains("DNS rebinding") && told(check).contains("(0) may send events"));
    reached("  token: not-to-be-guessed\n");
    for door in ["`produce` has no TLS", "`read` has no TLS"] {
        assert!(told(check).contains(door) && !told(check).contains("asks for no token"), "{}", told(check));
    }
    let read = READ.replace("  listen: 127.0.0.1\n", "");
    filegen.write("events.yaml", &(super::FILE.to_owned() + &read));
    filegen.write("events.jsonl", "");
    let doctor = filegen.run("doctor -c events.yaml").stdout;
    assert!(doctor.contains("`read` listens beyond") && doctor.contains("(0) may read the rows"), "{doctor}");
}
