//! The two streams and their consumer: made where they are missing, read back, and refused where they are others than these.

use super::fault::Fault;
use super::link::Link;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::nats::NatsSpec;
use serde_json::{Value, json};

/// The durable consumer that all deliverers share.
pub(super) const CONSUMER: &str = "filegen";

/// Most messages that all deliverers together work on. Each asks for as many as it has writers.
const IN_WORK: u64 = 1024;

/// Sizes of the stream of chunks, where the file names none: the first that the server has room for.
const SIZES: [u64; 4] = [12 << 30, 3 << 30, 768 << 20, 192 << 20];

/// What streams and subjects are called.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// The stream of messages and answers.
    pub(super) messages: String,
    /// The stream of chunks.
    pub(super) chunks: String,
    subject: String,
}

impl Names {
    pub(super) fn new(spec: &NatsSpec, transfer: &str) -> Self {
        // The one sign of a transfer's name that a stream's cannot have.
        let name = transfer.replace('.', "~");
        Self {
            messages: format!("{}_{name}", spec.stream),
            chunks: format!("{}C_{name}", spec.stream),
            subject: spec.subject.clone(),
        }
    }

    /// A message. `*` as id: all of them.
    pub(super) fn message(&self, id: &str) -> String {
        format!("{}.m.{id}", self.subject)
    }

    /// The receipt of a version.
    pub(super) fn done(&self, id: &str) -> String {
        format!("{}.done.{id}", self.subject)
    }

    /// Why a version was refused.
    pub(super) fn error(&self, id: &str) -> String {
        format!("{}.error.{id}", self.subject)
    }

    /// What asks whether the stream of messages is alive.
    pub(super) fn probe(&self, name: &str) -> String {
        format!("{}.probe.{name}", self.subject)
    }

    /// A chunk. `*` as number: all of a version.
    pub(super) fn chunk(&self, id: &str, number: &str) -> String {
        format!("{}.c.{id}.{number}", self.subject)
    }
}

/// The stream of messages as it has to be.
fn messages(spec: &NatsSpec, names: &Names, bytes: u64) -> Value {
    let subjects = [names.message("*"), names.done("*"), names.error("*"), names.probe("*")];
    json!({
        "name": names.messages, "subjects": subjects, "retention": "workqueue", "storage": "file",
        "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1, "max_bytes": (bytes / 4).max(1),
        "max_msgs": -1, "max_age": 0, "max_msg_size": -1, "max_consumers": -1, "num_replicas": spec.replicas, "allow_direct": true,
    })
}

/// The stream of chunks as it has to be.
fn chunks(spec: &NatsSpec, names: &Names, bytes: u64) -> Value {
    let age = u64::try_from(spec.max_age.as_nanos()).unwrap_or(u64::MAX);
    json!({
        "name": names.chunks, "subjects": [names.chunk("*", "*")], "retention": "limits", "storage": "file",
        "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1, "max_bytes": bytes,
        "max_msgs": -1, "max_age": age, "max_msg_size": -1, "max_consumers": -1, "num_replicas": spec.replicas, "allow_direct": true,
    })
}

/// The consumer as it has to be.
fn consumer(spec: &NatsSpec, names: &Names) -> Value {
    json!({
        "durable_name": CONSUMER, "ack_policy": "explicit", "deliver_policy": "all", "replay_policy": "instant",
        "ack_wait": u64::try_from(spec.ack_wait.as_nanos()).unwrap_or(u64::MAX), "max_deliver": -1,
        "filter_subject": names.message("*"), "max_ack_pending": IN_WORK, "max_waiting": 512,
    })
}

/// Settings that would lose or hold back what is stored, whatever else a stream has: they have to be as when they are left out.
const UNSET: [&str; 6] = ["no_ack", "deny_delete", "deny_purge", "sealed", "mirror", "sources"];

/// Which settings of a stream or consumer are others than wanted.
fn differences(wanted: &Value, found: &Value, is_size_free: bool) -> Vec<String> {
    let mut different = Vec::new();
    for (key, value) in wanted.as_object().into_iter().flatten() {
        let there = &found[key];
        let is_same = match key.as_str() {
            "max_bytes" if is_size_free => there.as_i64().is_some_and(|bytes| bytes > 0),
            // Some servers cap what is unlimited.
            "max_consumers" => there.as_i64().is_none_or(|most| most <= 0 || most > 1),
            _ => there == value || (there.is_null() && (*value == json!(0) || *value == json!(false))),
        };
        if !is_same {
            different.push(format!("`{key}` is {there} and has to be {value}"));
        }
    }
    for key in UNSET {
        let there = &found[key];
        if !(there.is_null() || *there == json!(false) || there.as_array().is_some_and(Vec::is_empty)) {
            different.push(format!("`{key}` is set and may not be"));
        }
    }
    different
}

fn check(what: &str, name: &str, different: &[String], mend: &str) -> Result<(), Fault> {
    if different.is_empty() {
        return Ok(());
    }
    Err(Fault::Refused(format!("the {what} `{name}` has other settings: {}; {mend}", different.join(", "))))
}

/// Reads a stream's settings.
async fn stream_config(link: &Link, name: &str) -> Result<Option<Value>, Fault> {
    match link.api(&format!("STREAM.INFO.{name}"), &json!({})).await {
        Ok(info) => Ok(Some(info["config"].clone())),
        Err(Fault::Missing(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Makes both streams where they are missing, and refuses others.
pub(super) async fn ready(link: &Link, spec: &NatsSpec, names: &Names) -> Result<(), Fault> {
    for (name, wanted) in [(&names.messages, messages as fn(&NatsSpec, &Names, u64) -> Value), (&names.chunks, chunks)]
    {
        let found = match stream_config(link, name).await? {
            Some(found) => found,
            None => make(link, spec, names, name, wanted).await?,
        };
        let different =
            differences(&wanted(spec, names, spec.max_bytes.unwrap_or(SIZES[0])), &found, spec.max_bytes.is_none());
        let mend = "change it with `nats stream edit`, or name another `broker.nats.stream` and `subject`";
        check("stream", name, &different, mend)?;
    }
    Ok(())
}

/// Makes a stream. Another process may make the same one meanwhile: the answer is the same then.
async fn make(
    link: &Link,
    spec: &NatsSpec,
    names: &Names,
    name: &str,
    wanted: fn(&NatsSpec, &Names, u64) -> Value,
) -> Result<Value, Fault> {
    let sizes = spec.max_bytes.map_or(SIZES.to_vec(), |bytes| vec![bytes]);
    let mut refused = None;
    for size in sizes {
        match link.api(&format!("STREAM.CREATE.{name}"), &wanted(spec, names, size)).await {
            Err(fault) if fault.is_no_room() => refused = Some(fault),
            // Made by another with another size: its settings tell.
            Ok(_) | Err(Fault::Api(10058, _)) => break,
            Err(fault) => return Err(fault),
        }
    }
    match (stream_config(link, name).await?, refused) {
        (Some(found), _) => Ok(found),
        (None, Some(Fault::Api(code, words))) => Err(Fault::Refused(format!(
            "the server has no room for the stream `{name}`: {words} ({code}); give it more, or write a smaller `broker.nats.max_bytes`"
        ))),
        (None, _) => Err(Fault::Passing(format!("the stream `{name}` is gone as soon as it is made"))),
    }
}

/// Makes the consumer where it is missing, and refuses another.
pub(super) async fn consumer_ready(link: &Link, spec: &NatsSpec, names: &Names) -> Result<(), Fault> {
    let (stream, wanted) = (&names.messages, consumer(spec, names));
    let info = format!("CONSUMER.INFO.{stream}.{CONSUMER}");
    let found = match link.api(&info, &json!({})).await {
        Err(Fault::Missing(_)) => {
            let call = format!("CONSUMER.CREATE.{stream}.{CONSUMER}.{}", names.message("*"));
            let body = json!({ "stream_name": stream, "config": wanted, "action": "create" });
            match link.api(&call, &body).await {
                // Another process was faster: its settings tell.
                Ok(_) | Err(Fault::Api(10148 | 10013 | 10105 | 10100, _)) => link.api(&info, &json!({})).await?,
                Err(fault) => return Err(fault),
            }
        }
        other => other?,
    };
    let mend =
        format!("delete it with `nats consumer rm {stream} {CONSUMER}`: no message is lost, and it is made anew");
    check("consumer", CONSUMER, &differences(&wanted, &found["config"], false), &mend)
}

/// What a person should know of both streams.
pub(super) async fn findings(link: &Link, spec: &NatsSpec, names: &Names) -> Result<Vec<Finding>, Fault> {
    let mut findings = Vec::new();
    for (check, name) in [("stream of messages", &names.messages), ("stream of chunks", &names.chunks)] {
        let info = link.api(&format!("STREAM.INFO.{name}"), &json!({})).await?;
        let number = |value: &Value| value.as_i64().unwrap_or(0);
        let (config, state) = (&info["config"], &info["state"]);
        let (bytes, most) = (number(&state["bytes"]), number(&config["max_bytes"]));
        let detail = format!(
            "{name}: {} messages, {bytes} bytes of at most {most}; file storage, what is new is refused when it is full",
            number(&state["messages"]),
        );
        let verdict = if most > 0 && bytes > most / 10 * 9 { CheckVerdict::Warn } else { CheckVerdict::Pass };
        findings.push(Finding { check: check.to_owned(), verdict, detail });
    }
    let one = spec.replicas == 1;
    let detail = if one {
        "one server keeps each message: a kill loses none, a power cut those of the last moments, unless the server syncs each \
         (`sync_interval: always`; it does not tell whether it does) or `broker.nats.replicas` is 3"
            .to_owned()
    } else {
        format!("{} servers keep each message", spec.replicas)
    };
    let verdict = if one { CheckVerdict::Warn } else { CheckVerdict::Pass };
    findings.push(Finding { check: "durability".to_owned(), verdict, detail });
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::nats::NatsLogin;
    use crate::core::model::secret::Secret;
    use std::time::Duration;

    fn spec() -> NatsSpec {
        NatsSpec {
            url: Secret::new("nats://localhost"),
            stream: "FILES".to_owned(),
            subject: "files.input".to_owned(),
            max_bytes: None,
            replicas: 1,
            ack_wait: Duration::from_secs(30),
            max_age: Duration::from_mins(1),
            login: NatsLogin::default(),
            ca: None,
        }
    }

    #[test]
    fn streams_and_subjects_begin_as_the_file_says() {
        let names = Names::new(&spec(), "sales.eu");
        assert_eq!((names.messages.as_str(), names.chunks.as_str()), ("FILES_sales~eu", "FILESC_sales~eu"));
        assert_eq!(names.message("a"), "files.input.m.a");
        assert_eq!(names.chunk("a", "7"), "files.input.c.a.7");
    }

    #[test]
    fn each_setting_that_is_another_is_told() {
        let names = Names::new(&spec(), "sales");
        let wanted = chunks(&spec(), &names, 1000);
        let with = |key: &str, value: Value| {
            let mut found = wanted.clone();
            found[key] = value;
            found
        };
        assert!(differences(&wanted, &wanted, false).is_empty());
        assert!(differences(&wanted, &with("max_bytes", json!(5)), true).is_empty());
        assert!(differences(&wanted, &with("deny_purge", json!(false)), true).is_empty());
        for (key, value) in [
            ("retention", json!("interest")),
            ("storage", json!("memory")),
            ("discard", json!("old")),
            ("discard_new_per_subject", Value::Null),
            ("max_msgs_per_subject", json!(-1)),
            ("max_bytes", json!(-1)),
            ("max_age", json!(1)),
            ("max_msgs", json!(5)),
            ("num_replicas", json!(3)),
            ("allow_direct", Value::Null),
            ("subjects", json!([">"])),
            ("no_ack", json!(true)),
            ("deny_purge", json!(true)),
            ("sources", json!([{ "name": "x" }])),
        ] {
            for is_size_free in [true, false] {
                let different = differences(&wanted, &with(key, value.clone()), is_size_free);
                assert!(different.len() == 1 && different[0].contains(key), "{key}: {different:?}");
            }
        }
    }
}
