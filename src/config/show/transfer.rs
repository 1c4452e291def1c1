//! A transfer's values in the words and order of its file.

use super::Rendered;
use super::generate::{ShowAddress, map, scalar, text};
use crate::config::values::{write_duration, write_size};
use crate::core::model::filters::ToolSpec;
use crate::core::model::peer::MASK;
use crate::core::model::s3::S3Spec;
use crate::core::model::secret::Secret;
use crate::core::transfer::spec::{BrokerSpec, Collect, Deliver, TargetSpec, Transfer};
use crate::core::transfer::steps::{Companion, Filter};
use std::path::Path;

pub(super) fn transfer(transfer: &Transfer, address: ShowAddress<'_>) -> Rendered {
    let policies = &transfer.policies;
    map([
        ("transfer", Some(text(transfer.id.as_str()))),
        ("collect", transfer.collect.as_ref().map(collect)),
        ("broker", Some(broker(&transfer.broker, address))),
        ("deliver", transfer.deliver.as_ref().map(|it| deliver(it, address))),
        ("state", Some(map([("url", Some(text(address(&transfer.state))))]))),
        (
            "policies",
            Some(map([
                ("max_retries", Some(scalar(policies.retry.max_retries))),
                ("initial_backoff", Some(text(write_duration(policies.retry.initial_backoff)))),
                ("backoff_multiplier", Some(scalar(policies.retry.backoff_multiplier))),
                ("max_backoff", Some(text(write_duration(policies.retry.max_backoff)))),
                ("chunk", Some(text(write_size(policies.chunk)))),
                ("fsync_every", Some(scalar(policies.fsync_every))),
                ("concurrency", Some(scalar(policies.concurrency))),
            ])),
        ),
    ])
}

fn broker(broker: &BrokerSpec, address: ShowAddress<'_>) -> Rendered {
    let nats = match broker {
        BrokerSpec::Local(spool) => return map([("local", Some(path(spool)))]),
        BrokerSpec::Nats(nats) => nats,
    };
    let hidden = |is_set: bool| is_set.then(|| text(MASK));
    let login = &nats.login;
    let nats = map([
        ("url", Some(text(address(&nats.url)))),
        ("stream", Some(text(&nats.stream))),
        ("subject", Some(text(&nats.subject))),
        ("user", login.user.as_ref().map(text)),
        ("password", hidden(login.password.is_some())),
        ("token", hidden(login.token.is_some())),
        ("nkey", hidden(login.nkey.is_some())),
        ("credentials", login.credentials.as_deref().map(path)),
        ("ca", nats.ca.as_deref().map(path)),
        ("max_bytes", nats.max_bytes.map(|bytes| text(write_size(bytes)))),
        ("replicas", Some(scalar(nats.replicas))),
        ("ack_wait", Some(text(write_duration(nats.ack_wait)))),
        ("max_age", Some(text(write_duration(nats.max_age)))),
    ]);
    map([("nats", Some(nats))])
}

fn path(path: &Path) -> Rendered {
    text(path.to_string_lossy())
}

fn collect(collect: &Collect) -> Rendered {
    map([
        ("directory", Some(path(&collect.directory))),
        ("pattern", Some(text(&collect.pattern))),
        ("poll", Some(text(write_duration(collect.poll)))),
        ("stable_for", Some(text(write_duration(collect.stable_for)))),
        ("done_file", collect.done_file.as_ref().map(text)),
        ("after", Some(text(collect.after.as_str()))),
        ("receipt", Some(text(collect.receipt.to_string()))),
        ("archive", Some(path(&collect.archive))),
        ("error", Some(path(&collect.error))),
        ("source", Some(text(&collect.source))),
        ("max_size", Some(text(write_size(collect.max_size)))),
    ])
}

fn to(to: &TargetSpec, address: ShowAddress<'_>) -> Rendered {
    let spec = match to {
        TargetSpec::Directory(directory) => return map([("directory", Some(path(directory)))]),
        TargetSpec::S3(spec) => return s3(spec, address),
        TargetSpec::Sftp(spec) => spec,
    };
    let (login, masked) = (&spec.login, |secret: &Option<Secret>| secret.as_ref().map(|_| text(MASK)));
    let paths = spec.known_hosts.iter().map(|file| path(file)).collect();
    let fingerprints: Vec<_> = spec.fingerprints.iter().map(text).collect();
    map([
        ("sftp", Some(text(address(&spec.url)))),
        ("key", login.key.as_deref().map(path)),
        ("passphrase", masked(&login.passphrase)),
        ("agent", Some(scalar(login.has_agent))),
        ("password", masked(&login.password)),
        ("known_hosts", Some(Rendered::List(paths))),
        ("fingerprint", (!fingerprints.is_empty()).then_some(Rendered::List(fingerprints))),
        ("verify", Some(text(spec.verify.as_str()))),
    ])
}

fn s3(spec: &S3Spec, address: ShowAddress<'_>) -> Rendered {
    map([
        ("s3", Some(text(address(&spec.url)))),
        ("endpoint", spec.endpoint.as_ref().map(|url| text(address(url)))),
        ("region", spec.region.as_ref().map(text)),
        ("path_style", spec.path_style.map(scalar)),
        ("ca", spec.ca.as_deref().map(path)),
        ("profile", spec.profile.as_ref().map(text)),
    ])
}

fn deliver(deliver: &Deliver, address: ShowAddress<'_>) -> Rendered {
    map([
        ("to", Some(to(&deliver.to, address))),
        ("organize_by", Some(text(deliver.organize_by.as_str()))),
        ("name", Some(text(deliver.name.as_str()))),
        ("on_exists", Some(text(deliver.on_exists.as_str()))),
        (
            "permissions",
            Some(text(deliver.permissions.map_or_else(|| "server".to_owned(), |mode| format!("{mode:04o}")))),
        ),
        ("max_size", Some(text(write_size(deliver.max_size)))),
        ("filters", Some(Rendered::List(deliver.filters.iter().map(filter).collect()))),
        ("companions", Some(Rendered::List(deliver.companions.iter().map(companion).collect()))),
        ("work", Some(path(&deliver.work))),
    ])
}

fn filter(filter: &Filter) -> Rendered {
    let settings = match filter {
        Filter::Gzip { level } => map([("level", Some(scalar(*level)))]),
        Filter::Zstd { level } => map([("level", Some(scalar(*level)))]),
        Filter::Gunzip => map([]),
        Filter::CheckCsv(csv) => {
            let columns = csv.columns.iter().map(text).collect::<Vec<_>>();
            let delimiter =
                if csv.delimiter == b'\t' { "\\t".to_owned() } else { char::from(csv.delimiter).to_string() };
            let csv = map([
                ("columns", (!columns.is_empty()).then_some(Rendered::List(columns))),
                ("rows", csv.rows.map(|rows| text(rows.to_string()))),
                ("delimiter", Some(text(delimiter))),
            ]);
            map([("csv", Some(csv))])
        }
        Filter::Tool(ToolSpec::OpenPgp(spec)) => {
            let sign = spec.sign.as_ref().map(|sign| {
                map([("key", Some(path(&sign.key))), ("passphrase", sign.passphrase.as_ref().map(|_| text(MASK)))])
            });
            map([
                ("recipients", Some(Rendered::List(spec.recipients.iter().map(|it| path(it)).collect()))),
                ("sign", sign),
                ("armor", Some(scalar(spec.is_armored))),
            ])
        }
        Filter::Tool(ToolSpec::Age(age)) => {
            let recipients = age.recipients.iter().map(text).collect::<Vec<_>>();
            map([
                ("recipients", (!recipients.is_empty()).then_some(Rendered::List(recipients))),
                ("recipients_file", age.recipients_file.as_deref().map(path)),
            ])
        }
        Filter::Tool(ToolSpec::Json(json)) => {
            let json = map([
                ("schema", Some(path(&json.schema))),
                ("each", Some(text(json.each.as_str()))),
                ("rows", json.rows.map(|rows| text(rows.to_string()))),
                ("max_size", Some(text(write_size(json.max_size)))),
            ]);
            map([("json", Some(json))])
        }
    };
    map([(filter.name(), Some(settings))])
}

fn companion(companion: &Companion) -> Rendered {
    map([(companion.kind.as_str(), Some(text(companion.name.as_str())))])
}
