//! An HTTP client for the daemons' doors: any method, headers, bodies as they are or a line of JSON for each value.

use super::openapi::{self, Heard};
use super::running::PATIENCE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Mutex;
use ureq::http::Request;
use ureq::http::request::Builder;
use ureq::{Agent, AsSendBody};

/// The type of a body that has a JSON value on each line.
pub const NDJSON: &str = "application/x-ndjson";

/// One server on this host. Each request has a connection of its own, so that none of them outlives its answer.
pub struct Http {
    agent: Agent,
    port: u16,
    /// What was answered, where each answer has to be as the door describes it.
    heard: Option<Mutex<BTreeSet<Heard>>>,
}

/// What came back, whatever its status code.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

impl Http {
    /// The server on this port.
    pub fn at(port: u16) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let config = config.timeout_global(Some(PATIENCE)).max_idle_connections(0);
        Self { agent: config.build().into(), port, heard: None }
    }

    /// The door of a scheduler on this port: each of its answers is held against its description.
    pub fn described_at(port: u16) -> Self {
        Self { heard: Some(Mutex::default()), ..Self::at(port) }
    }

    /// What a door that describes itself has answered until now.
    pub fn heard(&self) -> BTreeSet<Heard> {
        self.heard.iter().flat_map(|heard| heard.lock().expect("nobody panics in it").clone()).collect()
    }

    /// Holds an answer that came some other way against the door's description.
    #[track_caller]
    pub fn hold(&self, method: &str, path: &str, answer: &Answer) {
        if let Some(heard) = &self.heard
            && let Some(one) = openapi::hold(method, path, answer)
        {
            heard.lock().expect("nobody panics in it").insert(one);
        }
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A request to be completed with headers and a body.
    pub fn request(&self, method: &str, path: &str) -> Builder {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        Request::builder().method(method).uri(url).header("connection", "close")
    }

    /// Sends a request; fails the test when no answer comes.
    #[track_caller]
    pub fn send<B: AsSendBody>(&self, request: Builder, body: B) -> Answer {
        let request = request.body(body).expect("a request that HTTP allows");
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let what = format!("{method} {}", request.uri());
        let mut response = self.agent.run(request).unwrap_or_else(|error| panic!("{what}: {error}"));
        let body = response.body_mut().read_to_string().unwrap_or_else(|error| panic!("{what}: {error}"));
        let answer = Answer { code: response.status().as_u16(), headers: response.headers().clone(), body };
        self.hold(&method, &path, &answer);
        answer
    }

    /// Asks for a page.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path), ())
    }

    /// Posts a body of a type.
    #[track_caller]
    pub fn post(&self, path: &str, kind: &str, body: &str) -> Answer {
        self.send(self.request("POST", path).header("content-type", kind), body)
    }

    /// Posts values, each on a line of its own.
    #[track_caller]
    pub fn post_lines(&self, path: &str, values: &[Value]) -> Answer {
        let lines: Vec<String> = values.iter().map(Value::to_string).collect();
        self.post(path, NDJSON, &(lines.join("\n") + "\n"))
    }
}

impl Answer {
    /// A header's text; empty when there is no such header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}
