//! An ingest file, resolved.

use crate::core::model::door::{TlsFiles, is_own, token_in_clear};
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::names::IngestId;
use crate::core::model::policy::RetrySpec;
use crate::core::model::rows::TableSet;
use crate::core::model::secret::Secret;
use crate::core::model::sql::Template;
use std::path::PathBuf;
use std::time::Duration;

/// An ingest file.
#[derive(Clone, PartialEq, Debug)]
pub struct Ingest {
    /// Its name.
    pub id: IngestId,
    /// Where events come from.
    pub source: SourceSpec,
    /// What a topic that was made anew means.
    pub on_recreated: OnRecreated,
    /// Where rows go.
    pub sink: SinkSpec,
    /// Where dead letters go.
    pub dead_letters: QueueSpec,
    /// Where an event says what it is.
    pub envelope: Envelope,
    /// The types of events; each has the shape of the same index in `tables`.
    pub events: Vec<EventSpec>,
    /// The tables that they are written to.
    pub tables: TableSet,
    /// The door for events.
    pub produce: Option<ProduceSpec>,
    /// The door for readers.
    pub read: Option<ReadSpec>,
    /// Sizes and waits.
    pub policies: IngestPolicies,
}

impl Ingest {
    /// What positions are kept under: the group of a topic's consumers.
    pub fn group(&self) -> &str {
        match &self.source {
            SourceSpec::Kafka(spec) => spec.group.as_deref().unwrap_or_default(),
            SourceSpec::File(_) => self.id.as_str(),
        }
    }
}

/// Where events come from.
#[derive(Clone, PartialEq, Debug)]
pub enum SourceSpec {
    /// A topic.
    Kafka(KafkaSpec),
    /// A file with an event a line.
    File(PathBuf),
}

/// What a topic that was deleted and made again means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnRecreated {
    /// Stop, and say so.
    Stop,
    /// Its events are new: begin with its first.
    Restart,
}

/// Where rows go.
#[derive(Clone, PartialEq, Debug)]
pub struct SinkSpec {
    /// The database.
    pub url: Secret,
    /// Whether tables that are missing are made.
    pub create: bool,
}

/// Where dead letters go.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueSpec {
    /// The queue's store.
    pub url: Secret,
    /// Redis's password, where the address has none.
    pub password: Option<Secret>,
    /// Its name there.
    pub key: String,
    /// Most dead letters that wait in the sink while the queue is away.
    pub outbox_limit: u64,
    /// Most bytes of them.
    pub outbox_bytes: u64,
    /// Most bytes that the queue holds.
    pub max_bytes: u64,
    /// How many days it keeps a dead letter.
    pub keep_days: u32,
}

/// Where an event says what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// Its id.
    pub id: Pointer,
    /// Its type.
    pub kind: Pointer,
    /// When it happened.
    pub time: Option<Pointer>,
}

/// A JSON pointer (RFC 6901).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Pointer {
    text: String,
    names: Vec<String>,
}

impl Pointer {
    /// Reads `/data/userId`. `None` for what is no pointer, and for one to the whole document.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let is_escaped = |part: &str| part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let names: Option<Vec<String>> =
            rest.split('/').map(|part| is_escaped(part).then(|| part.replace("~1", "/").replace("~0", "~"))).collect();
        Some(Self { text: text.to_owned(), names: names? })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names on the way.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// A type of events.
#[derive(Clone, PartialEq, Debug)]
pub struct EventSpec {
    /// The type.
    pub name: String,
    /// What `/produce` takes as the message's key.
    pub key: Option<Pointer>,
    /// What each column of its shape holds, in the same order.
    pub columns: Vec<ColumnSource>,
}

/// Where a column's value comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnSource {
    /// Where it stands in the event.
    pub from: Pointer,
    /// Whether it may be absent or null.
    pub optional: bool,
    /// What stands for an absent value.
    pub default: Option<String>,
}

/// The door for events.
#[derive(Clone, PartialEq, Debug)]
pub struct ProduceSpec {
    /// Where it listens.
    pub door: DoorSpec,
    /// Whether events that would die are refused at the door.
    pub strict: bool,
}

/// The door for readers.
#[derive(Clone, PartialEq, Debug)]
pub struct ReadSpec {
    /// Where it listens.
    pub door: DoorSpec,
    /// Most statements at a time.
    pub pool: u32,
    /// Longest time of a statement.
    pub timeout: Duration,
    /// By path: `/users/{id}`.
    pub routes: Vec<RouteSpec>,
}

/// Where a door is.
#[derive(Clone, PartialEq, Debug)]
pub struct DoorSpec {
    /// Its port.
    pub port: u16,
    /// Its address. `None` stands for all.
    pub listen: Option<std::net::IpAddr>,
    /// Host names that its requests may carry, besides `localhost` and addresses. Where only this host reaches it, it takes no other;
    /// elsewhere it takes any without a list.
    pub hosts: Vec<String>,
    /// What a client has to carry.
    pub token: Option<Secret>,
    /// Its certificate. `None` where what it takes and answers goes in clear.
    pub tls: Option<TlsFiles>,
}

impl DoorSpec {
    /// Whether only this host reaches it.
    fn is_own(&self) -> bool {
        is_own(self.listen)
    }
}

impl Ingest {
    /// Doors that take a request for any host, and what that means. A page of any site can give its own name a door's address (DNS
    /// rebinding), and is then a page of ours; what asks for a token is not for it.
    pub fn doors_for_any_host(&self) -> Vec<(&'static str, String)> {
        let is_open = |door: &DoorSpec| door.hosts.is_empty() && door.token.is_none() && !door.is_own();
        let told = |(name, _)| {
            let what = "listens beyond this host and takes a request for any host name: a page of another site could use it \
                        under a name of its own (DNS rebinding)";
            (name, format!("`{name}` {what}"))
        };
        self.doors().filter(|(_, door)| is_open(door)).map(told).collect()
    }

    /// Doors beyond this host that ask for no token, and what that means.
    pub fn doors_for_anybody(&self) -> Vec<(&'static str, String)> {
        let told = |(name, door): (&'static str, &DoorSpec)| {
            let what = if name == "read" { "read the rows of its routes" } else { "send events" };
            (name, format!("`{name}` asks for no token: anybody who reaches its port ({}) may {what}", door.port))
        };
        self.doors().filter(|(_, door)| door.token.is_none() && !door.is_own()).map(told).collect()
    }

    /// Doors beyond this host whose token goes in clear, and what that means.
    pub fn doors_in_clear(&self) -> Vec<(&'static str, String)> {
        let is_clear = |door: &DoorSpec| door.token.is_some() && door.tls.is_none() && !door.is_own();
        self.doors()
            .filter(|(_, door)| is_clear(door))
            .map(|(name, door)| (name, token_in_clear(name, door.port)))
            .collect()
    }

    /// The files of the doors' certificates.
    pub fn certificates(&self) -> Vec<(&'static str, &TlsFiles)> {
        self.doors().filter_map(|(name, door)| Some((name, door.tls.as_ref()?))).collect()
    }

    fn doors(&self) -> impl Iterator<Item = (&'static str, &DoorSpec)> {
        let produce = self.produce.as_ref().map(|it| ("produce", &it.door));
        produce.into_iter().chain(self.read.as_ref().map(|it| ("read", &it.door)))
    }
}

/// A path and what it answers with.
#[derive(Clone, PartialEq, Debug)]
pub struct RouteSpec {
    /// `/users/{id}`.
    pub path: String,
    /// Names of the parameters in the path.
    pub parameters: Vec<String>,
    /// The members of the answer.
    pub members: Vec<MemberSpec>,
}

/// A member of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct MemberSpec {
    /// Its name in the answer.
    pub name: String,
    /// The statement, with the path's parameters in it.
    pub sql: Template,
    /// At most so many rows as a list. `None`: one row, or nothing.
    pub many: Option<u32>,
}

/// Sizes and waits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct IngestPolicies {
    /// Most events of a batch.
    pub batch: usize,
    /// How long a batch waits to be filled.
    pub linger: Duration,
    /// Tries of a parked event once its parent is there.
    pub attempts: u32,
    /// How long a parked event waits for its parent.
    pub park_for: Duration,
    /// Waits between tries while the sink is away.
    pub retry: RetrySpec,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_read_as_the_rfc_has_it() {
        let names = |text: &str| Pointer::parse(text).map(|pointer| pointer.names().to_vec());
        assert_eq!(names("/data/userId"), Some(vec!["data".to_owned(), "userId".to_owned()]));
        assert_eq!(names("/a~1b/m~0n/~01"), Some(vec!["a/b".to_owned(), "m~n".to_owned(), "~1".to_owned()]));
        assert_eq!(names("/"), Some(vec![String::new()]));
        for bad in ["", "data", "/a~2", "/a~"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }
}
