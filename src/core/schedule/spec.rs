//! A scheduler file, resolved: every field present and valid.

use crate::core::model::data_source::{ClockChange, Misfire, Overlap};
use crate::core::model::door::{TlsFiles, is_own, token_in_clear};
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::names::SchedulerId;
use crate::core::model::policy::Policies;
use crate::core::model::secret::Secret;
use crate::core::schedule::roots::Roots;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A scheduler: data sources, their schedules, and the doors to both.
#[derive(Clone, PartialEq, Debug)]
pub struct Scheduler {
    /// Its name.
    pub id: SchedulerId,
    /// The state store's address.
    pub state: Secret,
    /// Where changes of data sources are told, and heard. `None`: they reach the scheduler through the store.
    pub changes: Option<KafkaSpec>,
    /// Where new files are told.
    pub discovered: Option<KafkaSpec>,
    /// Folders that data sources may name.
    pub roots: Roots,
    /// A file of data sources for a store that was never used.
    pub sources: Option<PathBuf>,
    /// Calendars by name, each a file of dates.
    pub calendars: BTreeMap<String, PathBuf>,
    /// The door for programs.
    pub api: DoorSpec,
    /// The door for people.
    pub page: DoorSpec,
    /// What holds for data sources that do not say otherwise.
    pub defaults: Defaults,
    /// Lease times and retries.
    pub policies: Policies,
    /// How much is done and kept.
    pub limits: Limits,
}

/// An HTTP listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorSpec {
    /// Its port; 0 takes any free one.
    pub port: u16,
    /// Its address. `None` stands for all addresses.
    pub listen: Option<IpAddr>,
    /// Host names that its requests may carry, besides `localhost` and addresses. Where only this host reaches it, it takes no other;
    /// elsewhere it takes any without a list.
    pub hosts: Vec<String>,
    /// Origins whose pages may use it: `http://localhost:8080`, or `*`.
    pub cors: Vec<String>,
    /// What a client has to carry.
    pub token: Option<Secret>,
    /// Its certificate. `None` where what it takes and answers goes in clear.
    pub tls: Option<TlsFiles>,
}

impl Scheduler {
    /// Doors that take a request for any host, and what that means. A page of any site can give its own name a door's address (DNS
    /// rebinding), and then reads and writes as a page of ours would; what asks for a token is not for it.
    pub fn doors_for_any_host(&self) -> Vec<(&'static str, String)> {
        let is_open = |door: &DoorSpec| door.hosts.is_empty() && door.token.is_none() && !is_own(door.listen);
        let told = |(name, _)| {
            let what = "listens beyond this host and takes a request for any host name: a page of another site could use it \
                        under a name of its own (DNS rebinding)";
            (name, format!("`{name}` {what}"))
        };
        self.doors().into_iter().filter(|(_, door)| is_open(door)).map(told).collect()
    }

    /// Doors beyond this host that ask for no token, and what that means. A person's browser has none to send.
    pub fn doors_for_anybody(&self) -> Vec<(&'static str, String)> {
        let DoorSpec { port, listen, token, .. } = &self.api;
        let told = format!(
            "`api` asks for no token: anybody who reaches its port ({port}) may change data sources and schedules"
        );
        if token.is_some() || is_own(*listen) { Vec::new() } else { vec![("api", told)] }
    }

    /// Doors beyond this host whose token goes in clear, and what that means.
    pub fn doors_in_clear(&self) -> Vec<(&'static str, String)> {
        let is_clear = |door: &DoorSpec| door.token.is_some() && door.tls.is_none() && !is_own(door.listen);
        let clear = self.doors().into_iter().filter(|(_, door)| is_clear(door));
        clear.map(|(name, door)| (name, token_in_clear(name, door.port))).collect()
    }

    /// The files of the doors' certificates.
    pub fn certificates(&self) -> Vec<(&'static str, &TlsFiles)> {
        self.doors().into_iter().filter_map(|(name, door)| Some((name, door.tls.as_ref()?))).collect()
    }

    fn doors(&self) -> [(&'static str, &DoorSpec); 2] {
        [("api", &self.api), ("page", &self.page)]
    }
}

/// What holds for data sources that do not say otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defaults {
    /// A cron expression, as Quartz reads it.
    pub cron: String,
    /// An IANA zone.
    pub zone: String,
    /// Due times that passed while nobody led.
    pub misfire: Misfire,
    /// A due time that comes while the one before still runs.
    pub overlap: Overlap,
    /// Local times that a clock change skips or repeats.
    pub dst: ClockChange,
    /// A due time that is fired later than this is missed.
    pub grace: Duration,
    /// Each schedule begins up to this much later.
    pub jitter: Duration,
    /// A file is ready when it held still for so long.
    pub stable_for: Duration,
    /// A file of more bytes is passed over, and told.
    pub max_size: u64,
    /// A look that takes longer has failed.
    pub look_within: Duration,
    /// A schedule pauses by itself after so many failures in a row. `None`: never.
    pub pause_after_failures: Option<u32>,
}

/// How much is done and kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long executions are kept.
    pub history: Duration,
    /// Discoveries at once, at most.
    pub concurrency: u16,
    /// Missed due times that `fire_all` fires, at most.
    pub catch_up: u16,
    /// Data sources, at most.
    pub max_sources: u64,
    /// Least time between two due times of a data source.
    pub least_interval: Duration,
}
