//! The sections of a worker file, outermost first.

use super::clock::CLOCK;
use super::common::{BROKERS, POLICIES, PROPERTIES, STATE, WEEKDAYS};
pub(in crate::config) use super::translators::{COLUMN, DELIMITED, FIXED_WIDTH, JSON, TEMPLATE, TRANSLATORS};
use super::{Field, Presence, Section, Shape};
use crate::config::receivers;

const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * KIB;

/// The whole file.
pub(in crate::config) static WORKER: Section = Section {
    doc: "A worker: one SQL view, and the files made of it in one read.",
    fields: &[
        Field::new(
            "worker",
            Shape::Words,
            "The worker's name, unique among all workers: letters, digits, `-`, `_`, `.`.",
        )
        .required(),
        Field::new("source", Shape::Section(&SOURCE), "Where the rows come from.").required(),
        Field::new(
            "params",
            Shape::Names(&Shape::Own("parameter")),
            "Parameters for the SQL of `view`, `query` and `where`, each a name with its value, or with its type: \
             `{ region: EU, since: { type: date } }`. SQL names one as `{region}`; it is bound, never written into the SQL. A run may be \
             given other values with `--param`.",
        ),
        Field::new("output", Shape::Section(&OUTPUT), "Where the files go."),
        Field::new("files", Shape::List(&Shape::Section(&FILE)), "The files, all made from one read of the view.")
            .required(),
        Field::new("business_date", Shape::Section(&BUSINESS_DATE), "How a run that an event starts finds its date."),
        Field::new("deadline", Shape::Section(&DEADLINE), "When the files of a business date are due."),
        Field::new("state", Shape::Section(&STATE), "Where leases, runs and progress are kept."),
        Field::new("trigger", Shape::Section(&TRIGGER), "What starts runs of the daemon."),
        Field::new("completion", Shape::Section(&COMPLETION), "Where completion events go."),
        Field::new(
            "deliver",
            Shape::Words,
            "The transfer that takes the published files, by its name: each is handed to its collecting side, the manifest last. The \
             daemon serves both files.",
        ),
        Field::new("commit", Shape::Section(&COMMIT), "How many pages become durable at once."),
        Field::new("policies", Shape::Section(&POLICIES), "Lease times and retries."),
    ],
};

pub(in crate::config) static SOURCE: Section = Section {
    doc: "Where the rows come from.",
    fields: &[
        Field::new(
            "url",
            Shape::Words,
            "`sqlite:PATH`, `postgres://…`, `sqlserver://user:password@host:1433/database`, or an ADO string `Server=…;Database=…;…`. \
             A path is relative to the worker file.",
        )
        .presence(Presence::Environment("SQL_CONNECTION_STRING", None))
        .secret(),
        Field::new(
            "view",
            Shape::Words,
            "`name` or `schema.name`; a part with a dot stands in brackets: `dbo.[v.Loan Data]`. Or a table function with parameters: \
             `dbo.f_LoanData({date})`.",
        )
        .presence(Presence::RequiredUnless("query")),
        Field::new(
            "query",
            Shape::Words,
            "One SELECT in place of a view, with the key among its columns. It may name parameters: `{date}`, \
             `{previous_business_date}`, `{run.id}`, `{run.date}`, `{run.worker}` and those of `params`; each is bound.",
        ),
        Field::new(
            "key",
            Shape::OneOrMore(&Shape::Words),
            "The column or columns that are unique and not null together; they give the rows' order. Only `fetch: offset` goes without.",
        ),
        Field::new("page_size", Shape::Whole(1, 10_000_000), "Rows of a page.").default("10000"),
        Field::new("page_bytes", Shape::Size(KIB, GIB), "A page ends early when its values reach this many bytes.").default("16MiB"),
        Field::new("value_bytes", Shape::Size(KIB, GIB), "A value of more bytes ends the run, before it fills the memory.")
            .default("64MiB"),
        Field::new(
            "fetch",
            Shape::Choice(&["stream", "paged", "offset"]),
            "`stream` reads one ordered result, `paged` asks page by page behind the last key, `offset` counts rows and promises \
             nothing while rows come and go.",
        )
        .default("stream"),
        Field::new(
            "count",
            Shape::Flag,
            "`false` leaves out counting the view before the read and after it, for a view that is slow to count. The manifest then \
             says so. Only `fetch: stream` goes without.",
        )
        .default("true"),
        Field::new(
            "isolation",
            Shape::Choice(&["default", "snapshot"]),
            "`snapshot` sees one point in time for as long as one holder reads, where the source offers it.",
        )
        .default("default"),
    ],
};

pub(in crate::config) static OUTPUT: Section = Section {
    doc: "Where the files go.",
    fields: &[
        Field::new("root", Shape::Words, "The folder of the published files, relative to the worker file.")
            .presence(Presence::Environment("OUTPUT_ROOT_PATH", None)),
        Field::new(
            "when_empty",
            Shape::Choice(&["write", "skip", "fail"]),
            "What a view without rows gives: files without records, no files, or a failed run.",
        )
        .default("write"),
        Field::new(
            "corrections",
            Shape::Choice(&["replace", "suffix"]),
            "Where `filegen correct` puts a date's next version: in place of the old files, or beside them with `_v2` in the names.",
        )
        .default("replace"),
        Field::new(
            "mode",
            Shape::Words,
            "The permissions of published files, in octal: `\"0640\"`. Folders that are made for them can also be entered by those who \
             may read. Without it: as the umask has it, and nobody may write. With the right to write for the group, `.filegen` is the \
             group's too.",
        ),
        Field::new(
            "group",
            Shape::Words,
            "The group of published files, by name or number. The process has to be a member of it.",
        ),
    ],
};

/// One target file.
pub(in crate::config) static FILE: Section = Section {
    doc: "One target file.",
    fields: &[
        Field::new("id", Shape::Words, "The file's name within the worker: letters, digits, `-`, `_`, `.`.").required(),
        Field::new(
            "name",
            Shape::Words,
            "The published name, relative to `output.root`: `{date}` is 20261121, `{date:%Y-%m-%d}` any strftime form, `{worker}` and \
             `{id}` the names; `{{` and `}}` are braces. A name without a date waits until the receiver has taken the last file away.",
        )
        .required(),
        Field::new(
            "overwrite",
            Shape::Choice(&["never", "daily_folder"]),
            "A published file is never replaced; with `daily_folder` each business date has a folder of its own, `20261121/`, so that \
             a name without a date is free every day.",
        )
        .default("never"),
        Field::new("event_type", Shape::Words, "The `eventType` of the completion event."),
        Field::new("translator", Shape::Own("translator"), "How a row becomes a record.").required(),
        Field::new(
            "receiver",
            Shape::Choice(&receivers::NAMES),
            "The program that loads the file. It sets quotes, NULL, booleans, timestamps, names, byte order mark, line end and header \
             line to what that program takes whole; each field here comes before it. docs/receivers.md has the program's own settings.",
        ),
        Field::new(
            "where",
            Shape::Words,
            "A SQL predicate: only its rows go into this file. The view is still read once. It may name parameters, as `query` may: \
             `OpenDate <= {date}`.",
        ),
        Field::new(
            "first_record",
            Shape::Words,
            "A template for the record before all others but the line of names, with `date`, `rows`, `sum.COLUMN` (of the values as the \
             file writes them) and `source_sum.COLUMN` (of the source's own); `{{ sum.Amount | number(\"0.00\") | pad(15, \"0\") }}` is \
             a form. Sums here cost a second read of their columns.",
        ),
        Field::new(
            "last_record",
            Shape::Words,
            "A template for the record behind all others, with `date`, `rows`, `sum.COLUMN` (of the values as the file writes them) \
             and `source_sum.COLUMN` (of the source's own); `{{ sum.Amount | number(\"0.00\") | pad(15, \"0\") }}` is a form.",
        ),
        Field::new(
            "zone",
            Shape::Words,
            "The IANA zone on whose clock instants (`timestamptz`, `datetimeoffset`) are written, with its offset: \
             `2026-11-21T11:30:00+01:00`. When not given, as they come: in UTC with `Z`, or with their own offset.",
        ),
        Field::new("null", Shape::Text, "What NULL is written as, in columns without a `null` of their own."),
        Field::new(
            "booleans",
            Shape::Words,
            "What true and false are written as, in columns without a `format`: `Y/N`, `1/0`; `true` and `false` when not given.",
        ),
        Field::new(
            "timestamps",
            Shape::Words,
            "How timestamps are written in columns without a `format`: `iso` (`2026-11-21T10:30:00.5Z`), `space` (`2026-11-21 \
             10:30:00.5+00:00`), `plain` (`2026-11-21 10:30:00.5`, instants in UTC or on the clock of `zone`), or a strftime format.",
        )
        .default("iso"),
        Field::new(
            "decimal",
            Shape::Choice(&[".", ","]),
            "What stands between a number's whole part and its fraction. With a comma, groups of thousands are set apart by points.",
        )
        .default("."),
        Field::new(
            "bytes",
            Shape::Choice(&["hex", "prefixed", "escaped"]),
            "How bytes are written: `hex` (`00ff41`), `prefixed` (`\\x00ff41`, as PostgreSQL reads it), or `escaped` \
             (`\\x00\\xff\\x41`, as DuckDB reads it).",
        )
        .default("hex"),
        Field::new("encoding", Shape::Encoding, "How text becomes bytes.").default("UTF-8"),
        Field::new("bom", Shape::Flag, "Whether a file in UTF-8 begins with the byte order mark.").default("false"),
        Field::new(
            "newline",
            Shape::LineEnd,
            "What ends a record: `lf`, `crlf`, `cr`, `nel`, escapes (`\\r\\n`), code points (`U+0085`) or the text itself; `none` for \
             records of fixed width without line ends.",
        )
        .default("lf"),
        Field::new(
            "on_unmappable",
            Shape::Policy(["error", "replace"]),
            "A character that the encoding does not have ends the run, or becomes `?` and is counted; `{ replace: { max: 100 } }` ends \
             the run beyond so many, `1%` beyond a share of the rows.",
        )
        .default("error"),
        Field::new(
            "on_overflow",
            Shape::Policy(["error", "truncate"]),
            "A value wider than its field ends the run, or is cut and counted; `{ truncate: { max: 100 } }` ends the run beyond so \
             many, `1%` beyond a share of the rows.",
        )
        .default("error"),
        Field::new("progress_header", Shape::Flag, "Whether the file starts with the header line `{page},{rows}`.").default("true"),
    ],
};

/// What a policy may change at most.
pub(in crate::config) static MAX: Section = Section {
    doc: "How much may be changed in one file.",
    fields: &[Field::new(
        "max",
        Shape::Limit,
        "A number, or a share of the file's rows as `1%`; beyond it the run ends.",
    )
    .required()],
};

pub(in crate::config) static ACCEPT: Section = Section {
    doc: "Which business dates are believed, counted in days of the zone from today, and how many new runs an hour.",
    fields: &[
        Field::new(
            "past",
            Shape::Days,
            "Days back. An event that waited in its topic is judged by the day it was sent, up to 31 days before.",
        )
        .default("400d"),
        Field::new(
            "future",
            Shape::Days,
            "Days forward. The run of such a date waits until its day has begun: made before, its file would have another day's rows.",
        )
        .default("1d"),
        Field::new(
            "runs_per_hour",
            Shape::Whole(1, 1_000_000),
            "New runs that events may start within an hour; more of them wait. Those of today and yesterday are not counted.",
        )
        .default("60"),
    ],
};

pub(in crate::config) static BUSINESS_DATE: Section = Section {
    doc: "How a run that an event starts finds its date.",
    fields: &[
        Field::new("timezone", Shape::Words, "The IANA zone in which an event's timestamp is a date.").default("UTC"),
        Field::new(
            "pointer",
            Shape::Text,
            "The JSON pointer to the date in the event; its timestamp counts when nothing is there.",
        )
        .default("/businessDate"),
        Field::new(
            "calendar",
            Shape::Words,
            "Which days `{previous_business_date}` passes over: `weekends`, or also the holidays of `target` (the euro's payment system) or `us-federal`, or those of a file of dates (`.yaml`, `.ics`).",
        )
        .default("weekends"),
        Field::new(
            "accept",
            Shape::Section(&ACCEPT),
            "Which dates are believed: an event beyond them becomes a dead letter, and a command needs `--force`.",
        ),
    ],
};

/// The object form of a parameter.
pub(in crate::config) static PARAMETER: Section = Section {
    doc: "A parameter: its type, and its value where a run need not be given one.",
    fields: &[
        Field::new("type", Shape::Choice(&["date", "text", "integer", "decimal", "boolean"]), "What its values are.")
            .required(),
        Field::new("value", Shape::Text, "Its value; without one each run is to be given one with `--param`."),
    ],
};

pub(in crate::config) static DEADLINE: Section = Section {
    doc: "When the files of a business date are due. A run that will be late is said before it is.",
    fields: &[
        Field::new("time", Shape::Words, "Hours and minutes on the clock of the zone: `\"06:30\"`.")
            .required_in_section(),
        Field::new(
            "days_after",
            Shape::Whole(0, 7),
            "Days from the business date to the day on which its files are due.",
        )
        .default("1"),
        Field::new("timezone", Shape::Words, "The IANA zone of `time`; that of `business_date` when not given."),
        Field::new(
            "weekdays",
            Shape::OneOrMore(&Shape::Choice(&WEEKDAYS)),
            "The weekdays of business dates on which a run is expected; all seven when not given.",
        ),
        Field::new(
            "calendar",
            Shape::Words,
            "Business dates on which no run is expected: those without business of `weekends`, `target`, `us-federal`, or of a file of dates (`.yaml`, `.ics`); as `trigger.schedule.calendar` when not given.",
        ),
        Field::new(
            "warn_before",
            Shape::Duration,
            "A run that has not started this long before its deadline is said to be at risk.",
        )
        .default("1h"),
    ],
};

static TRIGGER: Section = Section {
    doc: "What starts runs of the daemon.",
    fields: &[
        Field::new("kafka", Shape::Section(&TRIGGER_KAFKA), "A topic whose events start runs."),
        Field::new(
            "match",
            Shape::Names(&Shape::Text),
            "Which events are for this worker: JSON pointers or names of top-level fields, each with the value that it must have; \
             all events when not given.",
        ),
        Field::new("schedule", Shape::Section(&CLOCK), "Due times that start runs, beside the topic or without one."),
    ],
};

pub(in crate::config) static TRIGGER_KAFKA: Section = Section {
    doc: "A topic whose events start runs.",
    fields: &[
        BROKERS,
        Field::new("topic", Shape::Words, "The topic.").default("loan-data"),
        Field::new("group", Shape::Words, "The consumer group; `filegen-{worker}` when not given."),
        PROPERTIES,
    ],
};

static COMPLETION: Section = Section {
    doc: "Where completion events go.",
    fields: &[Field::new("kafka", Shape::Section(&COMPLETION_KAFKA), "The topic for completion events.")],
};

/// The topic for completion events.
pub(in crate::config) static COMPLETION_KAFKA: Section = Section {
    doc: "The topic for completion events.",
    fields: &[BROKERS, Field::new("topic", Shape::Words, "The topic.").default("file-events"), PROPERTIES],
};

pub(in crate::config) static COMMIT: Section = Section {
    doc: "How many pages become durable at once.",
    fields: &[
        Field::new(
            "pages",
            Shape::Whole(1, 100_000),
            "At most this many pages in one commit; it takes those that are ready.",
        )
        .default("16"),
        Field::new("interval", Shape::Duration, "Pages gather at least this long before the next commit.")
            .default("0s"),
    ],
};
