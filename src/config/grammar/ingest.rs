//! The sections of an ingest file, outermost first.

use super::common::{DOOR_TLS, HOSTS, PROPERTIES};
use super::{Field, Presence, Section, Shape};

/// The whole file.
pub(in crate::config) static INGEST: Section = Section {
    doc: "An ingest: events into tables, each effect once.",
    fields: &[
        Field::new("ingest", Shape::Words, "Its name: letters, digits, `-`, `_`, `.`. Positions are kept under it.")
            .required(),
        Field::new("source", Shape::Section(&SOURCE), "Where events come from."),
        Field::new("sink", Shape::Section(&SINK), "Where rows go."),
        Field::new("dead_letters", Shape::Section(&DEAD_LETTERS), "Where events go that cannot be rows."),
        Field::new("envelope", Shape::Section(&ENVELOPE), "Where an event says what it is.").required(),
        Field::new("events", Shape::Names(&Shape::Section(&EVENT)), "The types of events, each by its name.")
            .required(),
        Field::new(
            "produce",
            Shape::Section(&PRODUCE),
            "The door for events; leave it out where an instance shall not have it.",
        ),
        Field::new(
            "read",
            Shape::Section(&READ),
            "The door for readers; leave it out where an instance shall not have it.",
        ),
        Field::new("policies", Shape::Section(&POLICIES), "Sizes and waits."),
    ],
};

pub(in crate::config) static SOURCE: Section = Section {
    doc: "Where events come from: a topic, or a file.",
    fields: &[
        Field::new("kafka", Shape::Section(&KAFKA), "A topic."),
        Field::new(
            "file",
            Shape::Words,
            "A file with an event a line, relative to this file. An event's offset is the position of its line's first byte.",
        ),
        ON_RECREATED,
    ],
};

const ON_RECREATED: Field = Field::new(
    "on_recreated",
    Shape::Choice(&["stop", "restart"]),
    "What a topic means that was deleted and made again: `stop` and say so, or `restart` with its first event. `stop` when not given.",
);

pub(in crate::config) static KAFKA: Section = Section {
    doc: "A topic, and the group that reads it.",
    fields: &[
        Field::new("brokers", Shape::Words, "`host:port`, comma separated.")
            .presence(Presence::EnvironmentAny(&["KAFKA_BROKERS", "KAFKA_BROKER"], Some("localhost:9092"))),
        Field::new("topic", Shape::Words, "The topic.").presence(Presence::Environment("KAFKA_TOPIC", Some("events"))),
        Field::new("group", Shape::Words, "The consumer group.")
            .presence(Presence::Environment("KAFKA_GROUP_ID", Some("consumer-group"))),
        Field::new(
            "group_protocol",
            Shape::Choice(&["classic", "consumer"]),
            "Who shares the partitions out: the group's members (`classic`), or the broker (`consumer`, Kafka 4.0 and later).",
        )
        .default("classic"),
        ON_RECREATED,
        PROPERTIES,
    ],
};

pub(in crate::config) static SINK: Section = Section {
    doc: "Where rows go.",
    fields: &[
        Field::new(
            "url",
            Shape::Words,
            "`sqlite:PATH`, relative to this file, or `postgres://USER:PASSWORD@HOST:5432/DATABASE`.",
        )
        .presence(Presence::EnvironmentAny(&["MSSQL_CONN", "SQL_CONNECTION"], None))
        .secret(),
        Field::new(
            "create",
            Shape::Choice(&["never", "missing"]),
            "`missing` makes tables that are not there; with `never` they are an error.",
        )
        .default("never"),
    ],
};

pub(in crate::config) static DEAD_LETTERS: Section = Section {
    doc: "Where events go that cannot be rows.",
    fields: &[
        Field::new(
            "url",
            Shape::Words,
            "`redis://HOST:6379`, `rediss://…` with encryption, or `sqlite:PATH`; the sink's own file when that is SQLite's and neither \
             this nor the environment names another.",
        )
        .presence(Presence::EnvironmentOrComputed(&["REDIS_ADDR", "REDIS_CONNECTION"]))
        .secret(),
        Field::new("password", Shape::Words, "Redis's password, where the address has none.")
            .presence(Presence::EnvironmentOrComputed(&["REDIS_PASSWORD"]))
            .secret(),
        Field::new("key", Shape::Words, "The queue's name in its store.").default("dlq:events"),
        Field::new(
            "outbox_limit",
            Shape::Whole(1, 1_000_000_000),
            "Most dead letters that wait in the sink while the queue is away; then reading pauses.",
        )
        .default("1000000"),
        Field::new(
            "outbox_bytes",
            Shape::Size(16 << 20, 1 << 50),
            "Most bytes of dead letters that wait in the sink while the queue is away or full; then reading pauses.",
        )
        .default("1GiB"),
        Field::new(
            "max_bytes",
            Shape::Size(16 << 20, 1 << 50),
            "Most bytes that the queue holds; then dead letters wait in the sink.",
        )
        .default("4GiB"),
        Field::new("keep", Shape::Days, "How long the queue keeps a dead letter; who took it away is kept.").default("90d"),
    ],
};

pub(in crate::config) static ENVELOPE: Section = Section {
    doc: "Where an event says what it is, as JSON pointers.",
    fields: &[
        Field::new("id", Shape::Words, "Its id, a text.").required(),
        Field::new("type", Shape::Words, "Its type, a text.").required(),
        Field::new("time", Shape::Words, "When it happened: RFC 3339 with a zone, or milliseconds since 1970."),
    ],
};

pub(in crate::config) static EVENT: Section = Section {
    doc: "A type of events, and the row that one makes.",
    fields: &[
        Field::new("key", Shape::Words, "JSON pointer to what `/produce` takes as the message's key."),
        Field::new("table", Shape::Words, "The table: `name` or `schema.name`.").required(),
        Field::new(
            "identity",
            Shape::OneOrMore(&Shape::Words),
            "The columns of the row that an event is about: found, it is updated; not found, it is inserted.",
        )
        .required(),
        Field::new(
            "version",
            Shape::Words,
            "The column that orders the events of a row, with the event's id as tie-break. Without it, their positions do.",
        ),
        Field::new("columns", Shape::Names(&Shape::Section(&EVENT_COLUMN)), "The columns that an event sets.")
            .required(),
    ],
};

pub(in crate::config) static EVENT_COLUMN: Section = Section {
    doc: "A column, and where its value stands in the event.",
    fields: &[
        Field::new("from", Shape::Words, "JSON pointer to the value.").presence(Presence::RequiredUnless("add")),
        Field::new("add", Shape::Words, "JSON pointer to a number that is added to the column's, once for each event."),
        Field::new(
            "type",
            Shape::Words,
            "`text(n)`, `integer`, `bigint`, `decimal(p,s)`, `double`, `boolean`, `date`, `timestamp`, `uuid` or `json`.",
        )
        .required(),
        Field::new("optional", Shape::Flag, "Whether it may be absent or null.").default("false"),
        Field::new("default", Shape::Text, "What stands for an absent value."),
        Field::new("references", Shape::Words, "The parent's key, as `table.column`: the event waits until that row is there."),
    ],
};

const PORT: Shape = Shape::Whole(0, 65_535);

const LISTEN: Field = Field::new("listen", Shape::Words, "The address to listen on; all when not given.");

const TOKEN: Field =
    Field::new("token", Shape::Words, "What a client has to send as `Authorization: Bearer …`.").secret();

pub(in crate::config) static PRODUCE: Section = Section {
    doc: "The door for events.",
    fields: &[
        Field::new("port", PORT, "Its port; 0 takes any that is free.").default("8080"),
        LISTEN,
        HOSTS,
        Field::new(
            "check",
            Shape::Choice(&["queue", "strict"]),
            "`strict` refuses an event that would die, with all that is wrong; `queue` lets it through to the queue of dead letters.",
        )
        .default("queue"),
        TOKEN,
        DOOR_TLS,
    ],
};

pub(in crate::config) static READ: Section = Section {
    doc: "The door for readers.",
    fields: &[
        Field::new("port", PORT, "Its port; 0 takes any that is free.").default("8082"),
        LISTEN,
        HOSTS,
        TOKEN,
        DOOR_TLS,
        Field::new("pool", Shape::Whole(1, 1000), "Most statements at a time.").default("8"),
        Field::new("timeout", Shape::Duration, "Longest time of a statement.").default("5s"),
        Field::new(
            "routes",
            Shape::Names(&Shape::Names(&Shape::Section(&MEMBER))),
            "By path, such as `/users/{id}`: the members of the answer, each by its name.",
        )
        .required_in_section(),
    ],
};

pub(in crate::config) static MEMBER: Section = Section {
    doc: "A member of an answer.",
    fields: &[
        Field::new(
            "one",
            Shape::Words,
            "A SELECT of at most one row. It names the path's parameters: `{id}`; each is bound.",
        )
        .presence(Presence::RequiredUnless("many")),
        Field::new("many", Shape::Words, "A SELECT of many rows, as a list."),
        Field::new("limit", Shape::Whole(1, 10_000), "Most rows of `many`; 100 when not given."),
    ],
};

pub(in crate::config) static POLICIES: Section = Section {
    doc: "Sizes and waits.",
    fields: &[
        Field::new("batch", Shape::Whole(1, 100_000), "Most events of a transaction.").default("5000"),
        Field::new("linger", Shape::Duration, "How long a batch waits to be filled.").default("20ms"),
        Field::new("attempts", Shape::Whole(1, 1000), "Tries of a parked event once its parent has come.").default("3"),
        Field::new("park_for", Shape::Duration, "How long an event waits for its parent before it is dead.")
            .default("5m"),
        Field::new("initial_backoff", Shape::Duration, "Wait before the first retry while the sink is away.")
            .default("500ms"),
        Field::new("backoff_multiplier", Shape::AtLeast(1.0), "Each wait is this many times the one before.")
            .default("2.0"),
        Field::new("max_backoff", Shape::Duration, "No wait is longer.").default("30s"),
    ],
};
