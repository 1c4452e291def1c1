//! The sections of a scheduler file, outermost first.

use super::common::{BROKERS, DOOR_TLS, HEARTBEAT, HOSTS, PROPERTIES};
use super::{Field, Presence, Section, Shape};

/// Data sources without a cron expression of their own are looked at every two hours.
const CRON: &str = "0 */2 * * * ?";

/// The whole file.
pub(in crate::config) static SCHEDULER: Section = Section {
    doc: "A scheduler: folders that people describe, when they are looked at, and what was found.",
    fields: &[
        Field::new(
            "scheduler",
            Shape::Words,
            "The scheduler's name, unique among all schedulers: letters, digits, `-`, `_`, `.`.",
        )
        .required(),
        Field::new("state", Shape::Section(&STATE), "Where data sources, schedules and their history are kept."),
        Field::new("changes", Shape::Section(&CHANGES), "Where changes of data sources are told."),
        Field::new("discovered", Shape::Section(&DISCOVERED), "Where new files are told."),
        Field::new(
            "roots",
            Shape::OneOrMore(&Shape::Words),
            "Folders that data sources may name, relative to this file. Nothing outside of them is ever looked at.",
        )
        .presence(Presence::Environment("DATA_ROOT", Some("data"))),
        Field::new(
            "sources",
            Shape::Words,
            "A file of data sources (YAML or JSON, as `filegen datasource export` writes it), relative to this file. They are made once, \
             when the state store has never been used.",
        ),
        Field::new(
            "calendars",
            Shape::Names(&Shape::Words),
            "Calendars of your own: each a name, and a file of dates without business (`.yaml` or `.ics`), relative to this file.",
        ),
        Field::new("api", Shape::Section(&API), "The door for programs: REST."),
        Field::new("page", Shape::Section(&PAGE), "The door for people."),
        Field::new("defaults", Shape::Section(&DEFAULTS), "What holds for data sources that do not say otherwise."),
        Field::new("policies", Shape::Section(&POLICIES), "Lease times, and how much is done and kept."),
    ],
};

pub(in crate::config) static STATE: Section = Section {
    doc: "Where data sources, schedules and their history are kept.",
    fields: &[Field::new(
        "url",
        Shape::Words,
        "`sqlite:PATH` (relative to this file) or `mongodb://host/database`; `sqlite:NAME.db` with the scheduler's name when not given.",
    )
    .presence(Presence::EnvironmentOrComputed(&["MONGO_CONNECTION_STRING"]))
    .secret()],
};

static CHANGES: Section = Section {
    doc: "Where changes of data sources are told. Left out, they reach the scheduler through the state store alone.",
    fields: &[Field::new("kafka", Shape::Section(&CHANGES_KAFKA), "The topic of changes.")],
};

pub(in crate::config) static CHANGES_KAFKA: Section = Section {
    doc: "The topic of changes.",
    fields: &[
        BROKERS,
        Field::new("topic", Shape::Words, "The topic.").default("datasource-events"),
        Field::new("group", Shape::Words, "The scheduler's consumer group.").default("scheduling-service"),
        PROPERTIES,
    ],
};

static DISCOVERED: Section = Section {
    doc: "Where new files are told. Left out, they are seen in the history, the API and the log.",
    fields: &[Field::new("kafka", Shape::Section(&DISCOVERED_KAFKA), "The topic of new files.")],
};

pub(in crate::config) static DISCOVERED_KAFKA: Section = Section {
    doc: "The topic of new files.",
    fields: &[BROKERS, Field::new("topic", Shape::Words, "The topic.").default("file-discovered"), PROPERTIES],
};

const LISTEN: Field =
    Field::new("listen", Shape::Words, "The address to listen on, such as `127.0.0.1`; all addresses when not given.");

pub(in crate::config) static API: Section = Section {
    doc: "The door for programs: REST.",
    fields: &[
        Field::new("port", Shape::Whole(0, 65535), "Its port; 0 takes any that is free.").default("5001"),
        LISTEN,
        HOSTS,
        Field::new(
            "cors",
            Shape::OneOrMore(&Shape::Words),
            "Origins whose pages may use it from a browser: `http://localhost:8080`. None when not given.",
        ),
        Field::new(
            "token",
            Shape::Words,
            "What a client has to send as `Authorization: Bearer …`; nothing when not given.",
        )
        .secret(),
        DOOR_TLS,
    ],
};

pub(in crate::config) static PAGE: Section = Section {
    doc: "The door for people.",
    fields: &[
        Field::new("port", Shape::Whole(0, 65535), "Its port; 0 takes any that is free.").default("8080"),
        LISTEN,
        HOSTS,
        DOOR_TLS,
    ],
};

pub(in crate::config) static DEFAULTS: Section = Section {
    doc: "What holds for data sources that do not say otherwise.",
    fields: &[
        Field::new("cron", Shape::Words, "When to look: a cron expression, as Quartz reads it.").default(CRON),
        Field::new("zone", Shape::Words, "The IANA zone whose clock the expression reads.").default("UTC"),
        Field::new(
            "misfire",
            Shape::Choice(&["fire_once", "fire_all", "skip"]),
            "Due times that passed while nobody led: the latest is fired, each in order, or none.",
        )
        .default("fire_once"),
        Field::new(
            "overlap",
            Shape::Choice(&["skip", "queue", "allow"]),
            "A due time that comes while the one before still runs: it is left out, waits, or runs beside it.",
        )
        .default("skip"),
        Field::new(
            "dst",
            Shape::Choice(&["quartz", "run_missing", "first", "both"]),
            "Local times that a clock change skips or repeats. As Quartz: skipped ones are not due, repeated ones once, in the later \
             pass. What looks every few minutes wants `both`.",
        )
        .default("quartz"),
        Field::new("grace", Shape::Duration, "A due time that is fired later than this is missed.").default("60s"),
        Field::new(
            "jitter",
            Shape::Duration,
            "Each schedule begins up to this much later, always by the same time: so they do not all begin at once.",
        )
        .default("0s"),
        Field::new("stable_for", Shape::Duration, "A file is ready when its size and time held still for so long.")
            .default("2s"),
        Field::new("max_size", Shape::Size(1024, 1 << 50), "A file of more bytes is passed over, and told by its name.")
            .default("10GiB"),
        Field::new(
            "look_within",
            Shape::Duration,
            "A look that takes longer has failed, and the next one begins in its place. What was told by then stays told.",
        )
        .default("1h"),
        Field::new(
            "pause_after_failures",
            Shape::Whole(0, 1_000_000),
            "A schedule pauses by itself after so many failures in a row; 0 never.",
        )
        .default("0"),
    ],
};

pub(in crate::config) static POLICIES: Section = Section {
    doc: "Lease times, and how much is done and kept.",
    fields: &[
        Field::new("lease_ttl", Shape::Duration, "A leader not seen alive for this long may be replaced.")
            .default("30s"),
        HEARTBEAT,
        Field::new(
            "takeover_polling_interval",
            Shape::Duration,
            "How often the others look whether the leader is there, and the leader for changes.",
        )
        .default("5s"),
        Field::new("history", Shape::Duration, "How long executions are kept; at least one day.").default("90d"),
        Field::new("concurrency", Shape::Whole(1, 256), "At most so many discoveries run at once.").default("4"),
        Field::new("catch_up", Shape::Whole(1, 10_000), "At most so many missed due times are fired by `fire_all`.")
            .default("100"),
        Field::new("max_sources", Shape::Whole(1, 1_000_000), "There are at most so many data sources.")
            .default("100000"),
        Field::new("least_interval", Shape::Duration, "A data source that is due again sooner is refused.")
            .default("1s"),
    ],
};
