//! Sections and fields that files of several kinds share.

use super::{Field, Presence, Section, Shape};

pub(in crate::config) static STATE: Section = Section {
    doc: "Where leases, runs and progress are kept.",
    fields: &[Field::new(
        "url",
        Shape::Words,
        "`sqlite:PATH` (relative to the worker file) or `mongodb://…`; `.filegen/state.db` in the output root when not given.",
    )
    .presence(Presence::EnvironmentOrComputed(&["MONGO_CONNECTION_STRING"]))
    .secret()],
};

pub(in crate::config) static POLICIES: Section = Section {
    doc: "Lease times and retries.",
    fields: &[
        Field::new("lease_ttl", Shape::Duration, "A holder not seen alive for this long may be replaced. A call to the state store has an eighth of it: below 5s, a busy disk may end a run.")
            .default("30s"),
        HEARTBEAT,
        Field::new(
            "takeover_polling_interval",
            Shape::Duration,
            "How often a holder looks for wanted runs, and a contender at the lease: that at least every 500ms.",
        )
        .default("5s"),
        Field::new("max_retries", Shape::Whole(0, 1000), "Tries after the first. The default waits outlast two minutes: a restart or a failover.").default("13"),
        Field::new("initial_backoff", Shape::Duration, "Wait before the first retry.").default("500ms"),
        Field::new("backoff_multiplier", Shape::AtLeast(1.0), "Each wait is this many times the one before.")
            .default("2.0"),
        Field::new("max_backoff", Shape::Duration, "No wait is longer; at most 24h.").default("30s"),
        Field::new(
            "max_pending",
            Shape::Duration,
            "A wanted run that nobody has made for longer makes its worker not ready.",
        )
        .default("2h"),
    ],
};

pub(super) const PROPERTIES: Field = Field::new(
    "properties",
    Shape::Foreign(&Shape::Text),
    "Any property of librdkafka, by its own name: `security.protocol`, `sasl.mechanism`, `sasl.username`, `ssl.ca.location`.",
)
.secret();

/// How often a lease is renewed.
pub(super) const HEARTBEAT: Field =
    Field::new("lease_heartbeat_interval", Shape::Duration, "Time between renewals; at most a third of `lease_ttl`.")
        .default("10s");

pub(super) const BROKERS: Field = Field::new("brokers", Shape::Words, "`host:port`, comma separated.")
    .presence(Presence::Environment("KAFKA_BROKERS", Some("localhost:9092")));

/// As a worker file writes them, from Monday on.
pub(in crate::config) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Of a door.
pub(in crate::config) const HOSTS: Field = Field::new(
    "hosts",
    Shape::OneOrMore(&Shape::Words),
    "Host names that requests may carry, besides `localhost` and addresses, as `--health-host` has them. Without a list, a door that \
     listens on `127.0.0.1` or `::1` takes no other name, and any other door takes each: a page of another site can then use it \
     under a name of its own.",
);

/// Of a door.
pub(in crate::config) const DOOR_TLS: Field = Field::new(
    "tls",
    Shape::Section(&TLS),
    "Encryption; what the door takes and answers goes in clear when not given. Changed files are taken without a restart.",
);

pub(in crate::config) static TLS: Section = Section {
    doc: "A door's certificate and key.",
    fields: &[
        Field::new(
            "certificate",
            Shape::Words,
            "A file (PEM), relative to this file: the certificate, and those between it and its authority.",
        )
        .required_in_section(),
        Field::new("key", Shape::Words, "A file (PEM), relative to this file: its key, without a passphrase.")
            .required_in_section(),
    ],
};
