//! A transfer file's values as the core takes them.

use super::state::refused_at;
use super::{missing, path};
use super::{steps, target};
use crate::config::address;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::transfer::{BROKER, COLLECT, DELIVER, POLICIES, STATE, TRANSFER};
use crate::config::values;
use crate::core::model::database::Database;
use crate::core::model::names::TransferId;
use crate::core::model::pattern::Pattern;
use crate::core::model::permissions::Permissions;
use crate::core::model::policy::RetrySpec;
use crate::core::model::secret::Secret;
use crate::core::transfer::naming::NameTemplate;
use crate::core::transfer::spec::{
    After, BrokerSpec, Collect, Deliver, OnExists, Organize, TargetSpec, Transfer, TransferPolicies,
};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// The largest file that is sent where nothing is said.
const MAX_SIZE: u64 = 10 << 30;

/// Where the spool lies when nothing else is said.
const SPOOL: &str = "data/spool";

/// Where the ledger lies when nothing else is said.
const LEDGER: &str = "sqlite:data/.filegen/transfer.db";

/// The whole file. `None` when anything is wrong; that is noted then.
pub(in crate::config) fn transfer(root: &Cursor<'_>) -> Option<Transfer> {
    let fields = root.read(&TRANSFER);
    let id = fields.text("transfer").and_then(|text| match TransferId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.place("transfer").report("impossible-value", error.to_string(), "for example `sales`");
            None
        }
    });
    let most = if root.field("deliver").is_some() { u64::MAX } else { MAX_SIZE };
    let collect = root.field("collect").map(|_| collect(&root.section("collect"), id.as_ref(), most));
    let deliver = root.field("deliver").map(|_| deliver(&root.section("deliver")));
    if collect.is_none() && deliver.is_none() {
        let message = "this transfer has no side";
        root.report("missing-field", message, "add `collect: { directory: … }`, `deliver: { to: … }`, or both");
    }
    let broker = broker(&root.section("broker"));
    let state = state(&root.section("state"));
    let policies = policies(&root.section("policies"));
    let mut transfer = Transfer {
        id: id?,
        collect: collect.map_or(Some(None), |collect| collect.map(Some))?,
        broker: broker?,
        deliver: deliver.map_or(Some(None), |deliver| deliver.map(Some))?,
        state: state?,
        policies: policies?,
    };
    if let (Some(collect), Some(deliver)) = (&mut transfer.collect, &transfer.deliver) {
        // What the other side refuses is not sent.
        collect.max_size = collect.max_size.min(deliver.max_size);
        if !collect.receipt {
            let message = "this file's own delivering side gives receipts";
            let hint = "leave `receipt` out: no file is archived or deleted before it has arrived then";
            root.section("collect").section("receipt").report("impossible-value", message, hint);
        }
    }
    check_apart(root, &transfer);
    check_shared(root, &transfer);
    Some(transfer)
}

/// Notes a value of the environment that does not fit.
fn unfit<T>(fields: &Fields<'_>, name: &str, variable: &str, value: Option<T>) -> Option<T> {
    if value.is_none() && fields.at.field(name).is_none() {
        let message = format!("the environment variable {variable} does not fit `{name}`");
        fields.place(name).report("impossible-value", message, "correct the variable, or write the field");
    }
    value
}

/// `most` is the largest file where the section names none.
fn collect(at: &Cursor<'_>, id: Option<&TransferId>, most: u64) -> Option<Collect> {
    let fields = at.read(&COLLECT);
    let directory = path(&fields, "directory");
    if directory.is_none() {
        missing(&fields, "directory", "INPUT_DIR");
    }
    let pattern = fields.owned("pattern");
    if let Some(Err(fault)) = pattern.as_deref().map(Pattern::parse) {
        let message = format!("the pattern cannot be taken: {fault}");
        fields.place("pattern").report("impossible-value", message, "for example `*.csv` or `**/*.csv`");
    }
    let done_file = fields.owned("done_file");
    if let Some(done) = &done_file
        && (done.contains('/') || !(done.contains("{name}") || done.contains("{stem}")))
    {
        let message = "a done-file is a name with `{name}` or `{stem}` in it";
        fields.place("done_file").report("impossible-value", message, "for example `{name}.done`");
    }
    let after = match fields.text("after").as_deref() {
        Some("archive" | "false" | "False" | "FALSE") | None => Some(After::Archive),
        Some("delete" | "true" | "True" | "TRUE") => Some(After::Delete),
        Some("keep") => Some(After::Keep),
        Some(_) => None,
    };
    let after = unfit(&fields, "after", "DELETE_AFTER_PROCESSING", after);
    let poll = fields.duration("poll");
    if poll.is_some_and(|poll| poll.is_zero()) {
        fields.place("poll").report("impossible-value", "`poll` must be more than 0", "5s suits most folders");
    }
    let (archive, error) = (path(&fields, "archive"), path(&fields, "error"));
    Some(Collect {
        directory: directory?,
        pattern: pattern?,
        poll: poll?,
        stable_for: fields.duration("stable_for")?,
        done_file,
        after: after?,
        receipt: fields.flag("receipt")?,
        archive: archive?,
        error: error?,
        max_size: if fields.at.field("max_size").is_some() { fields.size("max_size")? } else { most },
        source: fields.owned("source").or_else(|| id.map(|id| id.as_str().to_owned()))?,
    })
}

fn broker(at: &Cursor<'_>) -> Option<BrokerSpec> {
    let fields = at.read(&BROKER);
    if let Some(nats) = at.field("nats") {
        if at.field("local").is_some() {
            nats.report("impossible-value", "`local` and `nats` are both given", "write one of them");
            return None;
        }
        return super::nats::nats(&at.section("nats")).map(|spec| BrokerSpec::Nats(Box::new(spec)));
    }
    if fields.text("local").is_some() {
        return path(&fields, "local").map(BrokerSpec::Local);
    }
    address::resolved(SPOOL, at.context.folder).ok().map(BrokerSpec::Local)
}

fn deliver(at: &Cursor<'_>) -> Option<Deliver> {
    let fields = at.read(&DELIVER);
    let to = target::target(&at.section("to"));
    let filters = steps::filters(&at.section("filters"));
    let name = fields.owned("name").map(|text| match (&filters, at.field("name")) {
        // A name that the file does not give has the endings of what filters make.
        (Some(filters), None) => filters.iter().fold(text, |text, filter| filter.renamed(&text)),
        _ => text,
    });
    let name = name.and_then(|text| match NameTemplate::parse(&text) {
        Ok(name) => Some(name),
        Err(why) => {
            let message = format!("the name cannot be taken: {why}");
            fields.place("name").report(
                "impossible-value",
                message,
                "for example `{{ stem }}_{{ date }}{{ extension }}`",
            );
            None
        }
    });
    let mode = permissions(&fields, to.as_ref());
    let organize_by = match fields.text("organize_by")?.as_ref() {
        "date" => Organize::Date,
        "type" => Organize::Type,
        "source" => Organize::Source,
        _ => Organize::None,
    };
    let on_exists = match fields.text("on_exists")?.as_ref() {
        "suffix" => OnExists::Suffix,
        "replace" => OnExists::Replace,
        _ => OnExists::Error,
    };
    let companions = steps::companions(&at.section("companions"));
    let work = path(&fields, "work");
    Some(Deliver {
        to: to?,
        organize_by,
        name: name?,
        on_exists,
        permissions: mode?,
        max_size: fields.size("max_size")?,
        filters: filters?,
        companions: companions?,
        work: work?,
    })
}

/// Permissions of the files; `Some(None)`: what a server gives them.
#[expect(clippy::option_option, reason = "wrong, or left to the server")]
fn permissions(fields: &Fields<'_>, to: Option<&TargetSpec>) -> Option<Option<u32>> {
    let text = fields.text("permissions")?;
    if matches!(to, Some(TargetSpec::S3(_))) {
        if fields.at.field("permissions").is_some() && text != "server" {
            let message = "files of an object store have no `permissions`";
            fields.place("permissions").report(
                "impossible-value",
                message,
                "leave it out; the bucket's policy decides",
            );
        }
        return Some(None);
    }
    let is_far = to.is_some_and(|to| to.directory().is_none());
    if is_far && text == "server" {
        return Some(None);
    }
    let mode = Permissions::mode_of(&text);
    if mode.is_none() {
        let message = "`permissions` are four octal digits that let the owner read, and nobody run a file";
        fields.place("permissions").report("impossible-value", message, "for example `\"0640\"`");
    }
    mode.map(Some)
}

fn state(at: &Cursor<'_>) -> Option<Secret> {
    let fields = at.read(&STATE);
    let url = match fields.text("url") {
        Some(url) => url,
        // A value that does not fit is no reason to take another.
        None if at.field("url").is_some() => return None,
        None => Cow::Borrowed(LEDGER),
    };
    Some(Secret::new(refused_at(&fields, address::state(&url, at.context.folder))?))
}

fn policies(at: &Cursor<'_>) -> Option<TransferPolicies> {
    let fields = at.read(&POLICIES);
    let max_retries = fields.whole("max_retries").and_then(|tries| u32::try_from(tries).ok());
    let first = fields.text("initial_backoff");
    let is_given = fields.at.field("initial_backoff").is_some();
    // The variable has milliseconds.
    let millis = |text: &str| values::whole(text).filter(|_| !is_given).map(Duration::from_millis);
    let first = first.and_then(|text| millis(&text).or_else(|| values::duration(&text)));
    let retry = RetrySpec {
        max_retries: unfit(&fields, "max_retries", "MAX_RETRIES", max_retries)?,
        initial_backoff: unfit(&fields, "initial_backoff", "RETRY_BACKOFF_MS", first)?,
        backoff_multiplier: fields.text("backoff_multiplier")?.parse().ok()?,
        max_backoff: fields.duration("max_backoff")?,
    };
    if retry.initial_backoff > retry.max_backoff {
        let message = "`initial_backoff` is longer than `max_backoff`";
        fields.place("initial_backoff").report("impossible-value", message, "make the first wait the shortest");
    }
    Some(TransferPolicies {
        retry,
        chunk: fields.size("chunk")?,
        fsync_every: fields.whole("fsync_every")?,
        concurrency: usize::try_from(fields.whole("concurrency")?).ok()?,
    })
}

/// A spool is one host's: what is in it, the other hosts of a ledger would take for sent, and never see.
fn check_shared(root: &Cursor<'_>, transfer: &Transfer) {
    if transfer.broker.folder().is_some() && Database::sqlite_path(transfer.state.reveal()).is_none() {
        let message = "a ledger in MongoDB is for several hosts, and a folder as broker is one host's";
        let hint = "write `broker: { nats: { url: … } }`, or `state: { url: \"sqlite:PATH\" }`";
        root.section("broker").report("impossible-value", message, hint);
    }
}

/// Folders that would feed themselves.
fn check_apart(root: &Cursor<'_>, transfer: &Transfer) {
    let Some(collect) = &transfer.collect else { return };
    let target = transfer.deliver.as_ref().and_then(|deliver| deliver.to.directory()).map(Path::to_owned);
    let spool = transfer.broker.folder().map(Path::to_owned);
    let others = [
        ("collect.archive", Some(&collect.archive)),
        ("collect.error", Some(&collect.error)),
        ("broker.local", spool.as_ref()),
        ("deliver.to.directory", target.as_ref()),
        ("deliver.work", transfer.deliver.as_ref().map(|deliver| &deliver.work)),
    ];
    for (field, _) in others.iter().filter(|(_, other)| *other == Some(&collect.directory)) {
        let place = field.split('.').fold(root.clone(), |at, name| at.section(name));
        let message = format!("`{field}` is the folder that files are collected from");
        place.report("impossible-value", message, "name another folder");
    }
}
