//! An engine that is not there, does not answer or lacks an image is no fault of a test, and holds none up.

use crate::support::again;
use crate::support::containers::{KAFKA, start};
use crate::support::running::PATIENCE;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

/// Asks an engine: whether one answers is decided once in a process.
const ASKER: &str = "containers::asker";

/// A part for a process of its own.
#[test]
fn asker() {
    if again::given(ASKER).is_some() {
        assert!(start(KAFKA, (1, 1), |request| request, || Some(())).is_none());
    }
}

/// What a process says that asks an engine in vain. One that waits for the engine without end is killed, and fails.
#[track_caller]
fn asked(engine: &str, switch: &str) -> String {
    let mut command = again::command(ASKER, "");
    again::play(command.env("DOCKER_HOST", engine).env("FILEGEN_TEST_CONTAINERS", switch))
}

/// Status and body.
type Answer = (&'static str, &'static str);

/// An engine that has no image.
fn empty(request: &str) -> Answer {
    if request.contains("/_ping") { ("200 OK", "OK") } else { ("404 Not Found", r#"{"message":"no such image"}"#) }
}

/// A port that takes connections, and says to each request what `answer` makes of its first line.
fn listener(answer: impl Fn(&str) -> Option<Answer> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            match answer(text.lines().next().unwrap_or_default()) {
                Some((status, body)) => {
                    let kind = "Content-Type: application/json\r\nConnection: close";
                    let length = body.len();
                    let _ = write!(stream, "HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}");
                }
                None => silent.push(stream),
            }
        }
    });
    address
}

#[test]
fn an_engine_that_is_away_is_told_once_and_not_waited_for() {
    let said = asked("unix:///nowhere/docker.sock", "");
    assert_eq!(said.matches("no container engine answers").count(), 1, "{said}");
    let said = asked(&listener(|_| None), "");
    assert_eq!(said.matches("no container engine answers").count(), 1, "{said}");
}

#[test]
fn an_image_that_cannot_be_had_is_told_in_a_line() {
    let said = asked(&listener(|request| Some(empty(request))), "");
    let line = said.lines().find(|line| line.ends_with("takes its place")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("docker.io/apache/kafka:") && line.contains("no such image"), "{line}");
}

#[test]
fn no_engine_is_asked_where_containers_are_off() {
    let said = asked(&listener(|_| None), "off");
    assert!(!said.contains("engine") && !said.contains("takes its place"), "{said}");
}

#[test]
fn what_a_process_has_started_is_removed_after_its_end() {
    let (tell, told) = channel();
    let engine = listener(move |request| {
        let _ = tell.send(request.to_owned());
        match request.split(['?', ' ']).nth(1) {
            Some(path) if path.ends_with("/containers/json") => Some(("200 OK", r#"[{"Id":"left-behind"}]"#)),
            Some(path) if path.ends_with("/containers/left-behind") => Some(("204 No Content", "")),
            _ => Some(empty(request)),
        }
    });
    asked(&engine, "");
    let mut marked = false;
    loop {
        let request = told.recv_timeout(PATIENCE).expect("it is removed");
        marked |= request.contains("/containers/json?all=true") && request.contains("filegen.test");
        if request.starts_with("DELETE") && request.contains("/containers/left-behind?") {
            assert!(marked && request.contains("force=true"), "{request}");
            return;
        }
    }
}
