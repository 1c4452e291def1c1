//! The sections of a transfer file, outermost first.

use super::{Field, Presence, Section, Shape};

/// Smallest and largest chunk. Below, a large file is all overhead; above, memory is not bounded.
const CHUNK: Shape = Shape::Size(4 << 10, 16 << 20);

/// The whole file.
pub(in crate::config) static TRANSFER: Section = Section {
    doc: "A transfer: files of a folder to where they belong, each version once.",
    fields: &[
        Field::new(
            "transfer",
            Shape::Words,
            "The transfer's name, the same on both sides: letters, digits, `-`, `_`, `.`.",
        )
        .required(),
        Field::new(
            "collect",
            Shape::Section(&COLLECT),
            "Where files come from. Left out on a host that only delivers.",
        ),
        Field::new("broker", Shape::Section(&BROKER), "What carries the files from one side to the other."),
        Field::new("deliver", Shape::Section(&DELIVER), "Where files go. Left out on a host that only collects."),
        Field::new("state", Shape::Section(&STATE), "The ledger of both sides: which version of a file is how far."),
        Field::new("policies", Shape::Section(&POLICIES), "Waits and sizes."),
    ],
};

pub(in crate::config) static COLLECT: Section = Section {
    doc: "Where files come from.",
    fields: &[
        Field::new("directory", Shape::Words, "The folder, relative to this file.")
            .presence(Presence::EnvironmentOrComputed(&["INPUT_DIR"])),
        Field::new(
            "pattern",
            Shape::Words,
            "Which files: `*.csv`, `{a,b}_??.txt`; `**/*.csv` in folders below too.",
        )
        .presence(Presence::Environment("FILE_PATTERN", Some("*"))),
        Field::new("poll", Shape::Duration, "Longest time between two looks.").default("5s"),
        Field::new(
            "stable_for",
            Shape::Duration,
            "A file is ready when its size and time held still for so long, and no `.tmp`, `.part`, `.filepart` or `.lock` stands beside it.",
        )
        .default("2s"),
        Field::new(
            "done_file",
            Shape::Words,
            "A file is ready when this one stands beside it: `{name}.done`, `{stem}.ok`. Then `stable_for` does not count.",
        ),
        Field::new(
            "after",
            Shape::Choice(&["archive", "delete", "keep"]),
            "What becomes of a file that has arrived; `archive` when not given.",
        )
        .presence(Presence::EnvironmentOrComputed(&["DELETE_AFTER_PROCESSING"])),
        Field::new(
            "receipt",
            Shape::Flag,
            "Whether the delivering side's receipt is waited for before a file is archived or deleted. `false` is for deliverers of other makers that give none: then the broker's word that it has the file is enough.",
        )
        .default("true"),
        Field::new("archive", Shape::Words, "Files that have arrived, a folder a day.")
            .presence(Presence::Environment("ARCHIVE_DIR", Some("data/archive"))),
        Field::new("error", Shape::Words, "Files that failed for good, a folder a day, each with its reason in `NAME.error`.")
            .presence(Presence::Environment("ERROR_DIR", Some("data/error"))),
        Field::new("source", Shape::Words, "What is said of where files came from; the transfer's name when not given."),
        Field::new(
            "max_size",
            Shape::Size(1, 1 << 50),
            "The largest file that is sent: a larger one is set aside before a byte of it is read. `deliver.max_size` when not given, and never more than that; 10GiB where nothing is delivered.",
        ),
    ],
};

pub(in crate::config) static BROKER: Section = Section {
    doc: "What carries the files from one side to the other.",
    fields: &[
        Field::new("local", Shape::Words, "A folder that both sides see; `data/spool` when nothing is given."),
        Field::new("nats", Shape::Section(&NATS), "NATS JetStream: any number of hosts on both sides."),
    ],
};

pub(in crate::config) static NATS: Section = Section {
    doc: "NATS JetStream. Two streams are made where they are missing: `STREAM_TRANSFER` for messages, `STREAMC_TRANSFER` for chunks.",
    fields: &[
        Field::new(
            "url",
            Shape::Words,
            "`nats://host:4222`, or `tls://host:4222` with encryption; several, comma separated.",
        )
        .presence(Presence::Environment("NATS_URL", Some("nats://localhost:4222")))
        .secret(),
        Field::new("stream", Shape::Words, "What the names of its streams begin with.").default("FILES"),
        Field::new("subject", Shape::Words, "What its subjects begin with.").default("files.input"),
        Field::new("user", Shape::Words, "The user, where the address has none.")
            .presence(Presence::EnvironmentOrComputed(&["NATS_USER"])),
        Field::new("password", Shape::Words, "The user's password, where the address has none.")
            .presence(Presence::EnvironmentOrComputed(&["NATS_PASSWORD"]))
            .secret(),
        Field::new("token", Shape::Words, "A token, in place of user and password.")
            .presence(Presence::EnvironmentOrComputed(&["NATS_TOKEN"]))
            .secret(),
        Field::new("nkey", Shape::Words, "The seed of an NKey, in place of user and password.")
            .presence(Presence::EnvironmentOrComputed(&["NATS_NKEY"]))
            .secret(),
        Field::new("credentials", Shape::Words, "A file of credentials (`.creds`), relative to this file.")
            .presence(Presence::EnvironmentOrComputed(&["NATS_CREDENTIALS"])),
        Field::new(
            "ca",
            Shape::Words,
            "A file of the authorities that the server's certificate may come from, relative to this file; the system's when not given.",
        ),
        Field::new(
            "max_bytes",
            Shape::Size(1 << 20, 1 << 50),
            "Most bytes of the stream of chunks, and four times those of the stream of messages; 12 GiB, or less where the server has no room for it, when not given.",
        ),
        Field::new("replicas", Shape::Whole(1, 5), "Servers of the cluster that keep each message.").default("1"),
        Field::new(
            "ack_wait",
            Shape::Duration,
            "A message goes to another instance when nothing is heard of its holder for so long.",
        )
        .default("30s"),
        Field::new(
            "max_age",
            Shape::Duration,
            "Chunks of a file that was never sent to its end are dropped after this.",
        )
        .default("7d"),
    ],
};

pub(in crate::config) static DELIVER: Section = Section {
    doc: "Where files go.",
    fields: &[
        Field::new("to", Shape::Section(&TO), "The target."),
        Field::new(
            "organize_by",
            Shape::Choice(&["date", "type", "source", "none"]),
            "Folders below the target: `2026/11/28/`, `csv/`, `api/`, or none.",
        )
        .default("none"),
        Field::new(
            "name",
            Shape::Words,
            "A file's name: a template with `source`, `id`, `name`, `stem`, `extension`, `folder`, `date`, `time`, `size`, `sha256`.",
        )
        .default("{{ stem }}{{ extension }}"),
        Field::new(
            "on_exists",
            Shape::Choice(&["same", "error", "suffix", "replace"]),
            "What a name means that another content has: the file fails (`same`, `error`), gets a number, or takes its place. The same content is done.",
        )
        .default("error"),
        Field::new("permissions", Shape::Words, "Permissions of the files; `server`: what an SFTP server gives them. None in an object store.")
            .default("0640"),
        Field::new("max_size", Shape::Size(1, 1 << 50), "The largest file that is taken.").default("10GiB"),
        Field::new("filters", Shape::Own("filters"), "What is done with a content on its way, in order."),
        Field::new("companions", Shape::Own("companions"), "Files that follow each file, in the same folder."),
        Field::new(
            "work",
            Shape::Words,
            "A folder of this host for what filters take and make, until it has arrived; relative to this file.",
        )
        .default("data/work"),
    ],
};

/// Filters, for whoever looks for secrets in them.
pub(in crate::config) const FILTERS: Shape = Shape::List(&Shape::Section(&FILTER));

pub(in crate::config) static FILTER: Section = Section {
    doc: "Something that is done with a content on its way: one of these.",
    fields: &[
        Field::new("gzip", Shape::Section(&GZIP), "Packs it as gzip."),
        Field::new("zstd", Shape::Section(&ZSTD), "Packs it as zstd."),
        Field::new("gunzip", Shape::Section(&GUNZIP), "Unpacks gzip; what is none, or is cut off, fails."),
        Field::new("age", Shape::Section(&AGE), "Encrypts with age."),
        Field::new("openpgp", Shape::Section(&OPENPGP), "Encrypts, and signs, as OpenPGP."),
        Field::new("check", Shape::Section(&CHECK), "Lets nothing else pass; changes nothing."),
    ],
};

pub(in crate::config) static GZIP: Section = Section {
    doc: "Packs as gzip.",
    fields: &[Field::new("level", Shape::Whole(1, 9), "1 is fast, 9 is small.").default("6")],
};

pub(in crate::config) static ZSTD: Section = Section {
    doc: "Packs as zstd.",
    fields: &[Field::new("level", Shape::Whole(1, 19), "1 is fast, 19 is small.").default("3")],
};

static GUNZIP: Section = Section { doc: "Unpacks gzip.", fields: &[] };

pub(in crate::config) static AGE: Section = Section {
    doc: "Encrypts with age: whoever has the secret key of one of the recipients can read it.",
    fields: &[
        Field::new(
            "recipients",
            Shape::List(&Shape::Words),
            "Public keys: `age1…` as `age-keygen` shows it, `ssh-ed25519 …` as it stands in a `.pub` file.",
        )
        .secret(),
        Field::new(
            "recipients_file",
            Shape::Words,
            "A file of such keys, a line each, relative to this file. It is read anew for each file that is delivered.",
        ),
    ],
};

pub(in crate::config) static OPENPGP: Section = Section {
    doc: "Encrypts as OpenPGP, so that each GnuPG reads it: whoever has the secret key of one of the recipients can.",
    fields: &[
        Field::new(
            "recipients",
            Shape::List(&Shape::Words),
            "Files of certificates, as `gpg --export` writes them, with `--armor` or without; relative to this file. They are read anew for each file that is delivered.",
        )
        .required_in_section(),
        Field::new("sign", Shape::Section(&OPENPGP_SIGN), "The key that signs it. Not signed when not given."),
        Field::new("armor", Shape::Flag, "Whether it is written as text.").default("false"),
    ],
};

pub(in crate::config) static OPENPGP_SIGN: Section = Section {
    doc: "The key that signs.",
    fields: &[
        Field::new("key", Shape::Words, "A file with one secret key, as `gpg --export-secret-keys` or `--export-secret-subkeys` writes it; relative to this file.")
            .required_in_section(),
        Field::new("passphrase", Shape::Words, "What the key is encrypted with, if it is.")
            .presence(Presence::EnvironmentOrComputed(&["OPENPGP_PASSPHRASE"]))
            .secret(),
    ],
};

static CHECK: Section = Section {
    doc: "What a content must be.",
    fields: &[
        Field::new("csv", Shape::Section(&CSV), "A CSV with a header."),
        Field::new("json", Shape::Section(&JSON), "JSON that fits a schema."),
    ],
};

pub(in crate::config) static JSON: Section = Section {
    doc: "JSON that fits a JSON Schema (2020-12, or what its `$schema` says). Nothing that it refers to elsewhere is fetched.",
    fields: &[
        Field::new("schema", Shape::Words, "The file of the schema, relative to this file.").required_in_section(),
        Field::new(
            "each",
            Shape::Choice(&["document", "line", "element"]),
            "What is held against it: the whole file, each of its lines, or each element of the array that it is.",
        )
        .default("document"),
        Field::new("rows", Shape::Words, "How many lines or elements: `>0`, `>=10`, `<1000`, `5`."),
        Field::new(
            "max_size",
            Shape::Size(1, 64 << 20),
            "The largest document, line or element: it is in memory while it is looked at, where it takes several times as much.",
        )
        .default("1MiB"),
    ],
};

pub(in crate::config) static CSV: Section = Section {
    doc: "A CSV with a header; each row has as many fields.",
    fields: &[
        Field::new("columns", Shape::List(&Shape::Words), "Its header: these, in this order. Any when not given."),
        Field::new("rows", Shape::Words, "How many rows without the header: `>0`, `>=10`, `<1000`, `5`."),
        Field::new("delimiter", Shape::Words, "What stands between fields: one ASCII character, or `\\t`.")
            .default(","),
    ],
};

pub(in crate::config) static COMPANION: Section = Section {
    doc: "A file that follows each delivered one: one of these.",
    fields: &[
        Field::new("done", Shape::Words, "An empty file of this name, for example `{{ name }}.done`."),
        Field::new(
            "sha256",
            Shape::Words,
            "A file of this name with the digest, as `sha256sum --check` reads it: `{{ name }}.sha256`.",
        ),
    ],
};

pub(in crate::config) static TO: Section = Section {
    doc: "The target.",
    fields: &[
        Field::new("directory", Shape::Words, "A folder, relative to this file.")
            .presence(Presence::EnvironmentOrComputed(&["OUTPUT_DIR"])),
        Field::new(
            "sftp",
            Shape::Words,
            "A folder of an SFTP server: `sftp://user@host:22/in`; `/~/in` below the folder that a login begins in.",
        )
        .secret(),
        Field::new("key", Shape::Words, "With `sftp`: a file with a private key, relative to this file.")
            .presence(Presence::EnvironmentOrComputed(&["SFTP_KEY"])),
        Field::new("passphrase", Shape::Words, "With `sftp`: what the key is encrypted with.")
            .presence(Presence::EnvironmentOrComputed(&["SFTP_PASSPHRASE"]))
            .secret(),
        Field::new("agent", Shape::Flag, "With `sftp`: whether keys of the agent at SSH_AUTH_SOCK are tried.")
            .default("false"),
        Field::new("password", Shape::Words, "With `sftp`: the user's password, where the address has none.")
            .presence(Presence::EnvironmentOrComputed(&["SFTP_PASSWORD"]))
            .secret(),
        Field::new(
            "known_hosts",
            Shape::OneOrMore(&Shape::Words),
            "With `sftp`: files of host keys as OpenSSH keeps them; the user's and the system's when not given.",
        ),
        Field::new(
            "fingerprint",
            Shape::OneOrMore(&Shape::Words),
            "With `sftp`: the host keys that are taken, each as `SHA256:…`, in place of such files.",
        ),
        Field::new(
            "verify",
            Shape::Choice(&["content", "size"]),
            "With `sftp`: what is looked at before a file gets its name: all of it, read back, or its size.",
        )
        .default("content"),
        Field::new(
            "s3",
            Shape::Words,
            "A bucket of an object store: `s3://bucket/prefix`; keys as AWS's tools take them.",
        )
        .secret(),
        Field::new("endpoint", Shape::Words, "With `s3`: `https://host:9000` of a store that is not AWS's own.")
            .presence(Presence::EnvironmentOrComputed(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])),
        Field::new(
            "region",
            Shape::Words,
            "With `s3`: the bucket's region; the environment's or the profile's when not given.",
        ),
        Field::new(
            "path_style",
            Shape::Flag,
            "With `s3`: whether the bucket stands in the path, and not in front of the host. At an `endpoint` it does.",
        ),
        Field::new(
            "ca",
            Shape::Words,
            "With `s3`: a file of certificates in place of the system's, relative to this file.",
        ),
        Field::new("profile", Shape::Words, "With `s3`: the one profile of AWS's files that keys are taken from."),
    ],
};

pub(in crate::config) static STATE: Section = Section {
    doc: "The ledger of both sides.",
    fields: &[Field::new(
        "url",
        Shape::Words,
        "`sqlite:PATH` (relative to this file), for the processes of one host; `mongodb://host/database` for several hosts, with `broker.nats`. `sqlite:data/.filegen/transfer.db` when not given.",
    )
    .presence(Presence::EnvironmentOrComputed(&["MONGO_CONNECTION_STRING"]))
    .secret()],
};

pub(in crate::config) static POLICIES: Section = Section {
    doc: "Waits and sizes.",
    fields: &[
        Field::new("max_retries", Shape::Whole(0, 1000), "Tries after a passing failure; a daemon goes on after them.")
            .presence(Presence::Environment("MAX_RETRIES", Some("4"))),
        Field::new("initial_backoff", Shape::Duration, "Wait before the first retry.")
            .presence(Presence::Environment("RETRY_BACKOFF_MS", Some("1s"))),
        Field::new("backoff_multiplier", Shape::AtLeast(1.0), "Each wait is this many times the one before.")
            .default("2.0"),
        Field::new("max_backoff", Shape::Duration, "No wait is longer.").default("8s"),
        Field::new("chunk", CHUNK, "Bytes of a chunk.").default("512KiB"),
        Field::new(
            "fsync_every",
            Shape::Whole(1, 10_000),
            "Chunks between two syncs: what a killed process does again at most.",
        )
        .default("16"),
        Field::new("concurrency", Shape::Whole(1, 256), "Files that are sent, or written, at once.").default("16"),
    ],
};
