//! A worker's values in the words and order of the worker file.

use super::Rendered;
pub(super) use super::parts::{map, scalar, text};
use crate::config::cursor::Cursor;
use crate::config::redact::without_login;
use crate::config::separators;
use crate::config::tree::Value as Node;
use crate::config::values::{encoding_name, weekday_name, write_clock, write_days, write_duration, write_size};
use crate::core::generate::spec::{
    Align, BytesForm, Case, ColumnSpec, Corrections, DeadlineSpec, DecimalSign, DelimitedSpec, EmptyText, Escape,
    FileSpec, From, JsonNode, LeadingQuote, Limit, OnOverflow, OnUnmappable, ParamSpec, Quote, SourceSpec, Timestamps,
    TranslatorSpec, TriggerSpec, Trim, WhenEmpty, WidthIn, Worker,
};
use crate::core::model::data_source::Words;
use crate::core::model::kafka::{GroupProtocol, KafkaSpec};
use crate::core::model::peer::MASK;
use crate::core::model::policy::Policies;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::run_schedule::RunSchedule;
use crate::core::model::secret::Secret;
use crate::core::model::sql::Relation;
use serde_json::Value;

/// Names of options whose values are secrets, in lower case.
const SECRET_OPTIONS: [&str; 6] = ["password", "passwd", "pwd", "secret", "token", "key"];

/// How an address is shown: by whoever can read it.
pub(super) type ShowAddress<'a> = &'a dyn Fn(&Secret) -> String;

pub(super) fn worker(worker: &Worker, root: &Cursor<'_>, address: ShowAddress<'_>) -> Rendered {
    let files = root.section("files").items();
    let file = |(index, spec): (usize, &FileSpec)| file(spec, files.get(index));
    let output = map([
        ("root", Some(text(worker.output.root.to_string_lossy()))),
        (
            "when_empty",
            Some(text(match worker.output.when_empty {
                WhenEmpty::Write => "write",
                WhenEmpty::Skip => "skip",
                WhenEmpty::Fail => "fail",
            })),
        ),
        (
            "corrections",
            Some(text(match worker.output.corrections {
                Corrections::Replace => "replace",
                Corrections::Suffix => "suffix",
            })),
        ),
        ("mode", worker.output.permissions.mode.map(|mode| text(format!("{mode:04o}")))),
        ("group", worker.output.permissions.group.as_deref().map(text)),
    ]);
    let accept = &worker.business_date.accept;
    let accept = map([
        ("past", Some(text(write_days(accept.past_days)))),
        ("future", Some(text(write_days(accept.future_days)))),
        ("runs_per_hour", Some(scalar(accept.runs_per_hour))),
    ]);
    let business_date = map([
        ("timezone", Some(text(&worker.business_date.timezone))),
        ("pointer", Some(text(&worker.business_date.pointer))),
        ("calendar", Some(text(worker.business_date.calendar.name()))),
        ("accept", Some(accept)),
    ]);
    let commit = map([
        ("pages", Some(scalar(worker.commit.pages.get()))),
        ("interval", Some(text(write_duration(worker.commit.interval)))),
    ]);
    map([
        ("worker", Some(text(worker.id.as_str()))),
        ("source", Some(source(&worker.source, address))),
        ("params", (!worker.params.is_empty()).then(|| params(&worker.params))),
        ("output", Some(output)),
        ("files", Some(Rendered::List(worker.files.iter().enumerate().map(file).collect()))),
        ("business_date", Some(business_date)),
        ("deadline", worker.deadline.as_ref().map(deadline)),
        ("state", Some(map([("url", Some(text(address(&worker.state))))]))),
        ("trigger", trigger(worker)),
        ("completion", worker.completion.as_ref().map(|spec| map([("kafka", Some(kafka(spec)))]))),
        ("deliver", worker.deliver.as_ref().map(text)),
        ("commit", Some(commit)),
        ("policies", Some(policies(&worker.policies))),
    ])
}

fn deadline(spec: &DeadlineSpec) -> Rendered {
    let weekdays = spec.weekdays.iter().map(|day| text(weekday_name(*day))).collect();
    map([
        ("time", Some(text(write_clock(spec.time)))),
        ("days_after", Some(scalar(spec.days_after))),
        ("timezone", Some(text(&spec.timezone))),
        ("weekdays", Some(Rendered::Flow(Box::new(Rendered::List(weekdays))))),
        ("calendar", spec.calendar.as_ref().map(|calendar| text(calendar.name()))),
        ("warn_before", Some(text(write_duration(spec.warn_before)))),
    ])
}

fn source(source: &SourceSpec, address: ShowAddress<'_>) -> Rendered {
    let key = Rendered::Flow(Box::new(Rendered::List(source.key.iter().map(text).collect())));
    map([
        ("url", Some(text(address(&source.url)))),
        ("view", (!matches!(source.view, Relation::Query(_))).then(|| text(without_login(&source.view.to_string())))),
        ("query", if let Relation::Query(sql) = &source.view { Some(text(without_login(sql.as_str()))) } else { None }),
        ("key", (!source.key.is_empty()).then_some(key)),
        ("page_size", Some(scalar(source.page_size.get()))),
        ("page_bytes", Some(text(write_size(source.page_bytes)))),
        ("value_bytes", Some(text(write_size(source.value_bytes)))),
        (
            "fetch",
            Some(text(match source.fetch {
                Fetch::Stream => "stream",
                Fetch::Paged => "paged",
                Fetch::Offset => "offset",
            })),
        ),
        ("count", Some(scalar(source.count))),
        (
            "isolation",
            Some(text(match source.isolation {
                Isolation::Default => "default",
                Isolation::Snapshot => "snapshot",
            })),
        ),
    ])
}

fn params(params: &[ParamSpec]) -> Rendered {
    let param = |param: &ParamSpec| {
        let object = map([
            ("type", Some(text(param.kind.as_str()))),
            ("value", param.value.as_ref().map(|value| text(without_login(&value.to_string())))),
        ]);
        (param.name.clone(), Rendered::Flow(Box::new(object)))
    };
    Rendered::Map(params.iter().map(param).collect())
}

/// `error`, or what is done instead and how often at most.
fn policy(changes: bool, name: &str, limit: Option<Limit>) -> Rendered {
    match limit {
        Some(limit) if changes => {
            let max = map([("max", Some(text(limit.to_string())))]);
            Rendered::Flow(Box::new(Rendered::Map(vec![(name.to_owned(), max)])))
        }
        _ => text(if changes { name } else { "error" }),
    }
}

fn file(file: &FileSpec, at: Option<&Cursor<'_>>) -> Rendered {
    map([
        ("id", Some(text(file.id.as_str()))),
        ("name", Some(text(file.name.as_str()))),
        ("overwrite", Some(text(if file.name.has_daily_folder() { "daily_folder" } else { "never" }))),
        ("event_type", file.event_type.as_ref().map(text)),
        ("translator", Some(translator(&file.translator, at))),
        ("where", file.predicate.as_ref().map(|sql| text(without_login(sql.as_str())))),
        ("first_record", file.first_record.as_ref().map(text)),
        ("last_record", file.last_record.as_ref().map(text)),
        ("zone", file.zone.as_ref().map(text)),
        ("null", file.null.as_ref().map(text)),
        ("booleans", file.forms.booleans.as_ref().map(text)),
        ("timestamps", Some(text(timestamps(&file.forms.timestamps)))),
        ("decimal", Some(text(if file.forms.decimal == DecimalSign::Comma { "," } else { "." }))),
        ("bytes", Some(text(bytes(file.forms.bytes)))),
        ("encoding", Some(text(encoding_name(file.encoding)))),
        ("bom", Some(scalar(file.bom))),
        ("newline", Some(text(separators::write(&file.newline)))),
        ("on_unmappable", Some(policy(file.on_unmappable == OnUnmappable::Replace, "replace", file.limits.unmappable))),
        ("on_overflow", Some(policy(file.on_overflow == OnOverflow::Truncate, "truncate", file.limits.overflow))),
        ("progress_header", Some(scalar(file.progress_header))),
    ])
}

fn bytes(form: BytesForm) -> &'static str {
    match form {
        BytesForm::Hex => "hex",
        BytesForm::Prefixed => "prefixed",
        BytesForm::Escaped => "escaped",
    }
}

fn timestamps(form: &Timestamps) -> &str {
    match form {
        Timestamps::Iso => "iso",
        Timestamps::Space => "space",
        Timestamps::Plain => "plain",
        Timestamps::Format(format) => format,
    }
}

fn translator(translator: &TranslatorSpec, at: Option<&Cursor<'_>>) -> Rendered {
    let (name, options) = match translator {
        TranslatorSpec::Delimited(spec) => ("delimited", delimited(spec)),
        TranslatorSpec::FixedWidth(spec) => {
            let width_in = match spec.width_in {
                WidthIn::Bytes => "bytes",
                WidthIn::Characters => "characters",
            };
            ("fixed_width", map([("columns", Some(columns(&spec.columns))), ("width_in", Some(text(width_in)))]))
        }
        TranslatorSpec::Json(spec) => {
            ("json", map([("fields", Some(fields(&spec.fields))), ("skip_null", Some(scalar(spec.skip_null)))]))
        }
        TranslatorSpec::Template(spec) => {
            let columns = Rendered::Flow(Box::new(Rendered::List(spec.columns.iter().map(text).collect())));
            ("template", map([("record", Some(text(&spec.record))), ("columns", Some(columns))]))
        }
        // From the tree, since that alone tells which values the environment gave.
        TranslatorSpec::Custom { name, .. } => {
            let options = at.map(|at| at.section("translator")).and_then(|at| at.field(name));
            (name.as_str(), options.and_then(|at| at.value()).map_or(scalar(Value::Null), custom))
        }
    };
    map([(name, Some(options))])
}

/// Options that only a translator of one's own understands: what may be a secret is taken for one.
fn custom(value: &Node) -> Rendered {
    match value {
        Node::Map(entries) => {
            let option = |name: &str, value: &Node| {
                let name = name.to_lowercase();
                let is_secret = SECRET_OPTIONS.iter().any(|word| name.contains(word));
                if is_secret && matches!(value, Node::Scalar(_)) { text(MASK) } else { custom(value) }
            };
            Rendered::Map(
                entries.iter().map(|(name, node)| (name.text.clone(), option(&name.text, &node.value))).collect(),
            )
        }
        Node::List(items) => Rendered::List(items.iter().map(|node| custom(&node.value)).collect()),
        Node::Scalar(scalar) if !scalar.variables.is_empty() => text(MASK),
        Node::Scalar(scalar) => match crate::config::json::to_json(value) {
            Value::String(_) => text(without_login(&scalar.text)),
            other => Rendered::Scalar(other),
        },
        Node::Null | Node::Broken => scalar(Value::Null),
    }
}

fn delimited(spec: &DelimitedSpec) -> Rendered {
    map([
        ("delimiter", Some(text(separators::write(&spec.delimiter)))),
        (
            "quote",
            Some(text(match spec.quote {
                Quote::Never => "never",
                Quote::Minimal => "minimal",
                Quote::Always => "always",
                Quote::NonNumeric => "nonnumeric",
            })),
        ),
        (
            "escape",
            Some(text(match spec.escape {
                Escape::Double => "double",
                Escape::Backslash => "backslash",
            })),
        ),
        (
            "empty",
            Some(text(match spec.empty {
                EmptyText::Quoted => "quoted",
                EmptyText::Bare => "bare",
            })),
        ),
        (
            "leading_quote",
            Some(text(match spec.leading_quote {
                LeadingQuote::Refuse => "refuse",
                LeadingQuote::Keep => "keep",
            })),
        ),
        ("names", Some(scalar(spec.names))),
        ("columns", Some(columns(&spec.columns))),
    ])
}

/// Names alone stand on one line, objects on a line each.
fn columns(specs: &[ColumnSpec]) -> Rendered {
    let columns: Vec<Rendered> = specs.iter().map(column).collect();
    let names_only = columns.iter().all(|column| matches!(column, Rendered::Scalar(_)));
    if names_only { Rendered::Flow(Box::new(Rendered::List(columns))) } else { Rendered::List(columns) }
}

/// A name where that is all there is to say, else an object without its defaults.
fn column(spec: &ColumnSpec) -> Rendered {
    if let From::Column(name) = &spec.from
        && *spec == (ColumnSpec { from: spec.from.clone(), ..ColumnSpec::default() })
    {
        return text(name);
    }
    let (column, literal) = match &spec.from {
        From::Column(name) => (Some(text(name)), None),
        From::Literal(literal) => (None, Some(text(literal))),
    };
    let trim = match spec.trim {
        Trim::None => None,
        Trim::Left => Some("left"),
        Trim::Right => Some("right"),
        Trim::Both => Some("both"),
    };
    let case = spec.case.map(|case| match case {
        Case::Upper => "upper",
        Case::Lower => "lower",
    });
    Rendered::Flow(Box::new(map([
        ("column", column),
        ("literal", literal),
        ("name", spec.name.as_ref().map(text)),
        ("format", spec.format.as_ref().map(text)),
        ("null", spec.null.as_ref().map(text)),
        ("width", spec.width.map(scalar)),
        ("align", (spec.align == Align::Right).then(|| text("right"))),
        ("pad", spec.pad.map(text)),
        ("case", case.map(text)),
        ("trim", trim.map(text)),
    ])))
}

fn fields(fields: &[(String, JsonNode)]) -> Rendered {
    Rendered::Map(fields.iter().map(|(name, node)| (name.clone(), json_node(node))).collect())
}

fn json_node(node: &JsonNode) -> Rendered {
    match node {
        JsonNode::Value(spec) => column(spec),
        JsonNode::Object(inner) => fields(inner),
        JsonNode::Array(items) => Rendered::List(items.iter().map(json_node).collect()),
    }
}

pub(super) fn kafka(spec: &KafkaSpec) -> Rendered {
    // Which properties are secrets is librdkafka's business, so all of them may be.
    let properties = spec.properties.keys().map(|name| (name.clone(), text(MASK))).collect::<Vec<_>>();
    let protocol = match spec.protocol {
        GroupProtocol::Eager => None,
        GroupProtocol::Cooperative => Some("classic"),
        GroupProtocol::Broker => Some("consumer"),
    };
    map([
        ("brokers", Some(text(&spec.brokers))),
        ("topic", Some(text(&spec.topic))),
        ("group", spec.group.as_ref().map(text)),
        ("group_protocol", protocol.map(text)),
        ("properties", (!properties.is_empty()).then_some(Rendered::Map(properties))),
    ])
}

fn trigger(worker: &Worker) -> Option<Rendered> {
    let Worker { trigger, schedule, .. } = worker;
    let of = |spec: &TriggerSpec| {
        let matches = spec.matches.iter();
        matches.map(|(pointer, value)| (pointer.clone(), Rendered::Scalar(value.clone()))).collect::<Vec<_>>()
    };
    let matches = trigger.as_ref().map(of).filter(|matches| !matches.is_empty());
    (trigger.is_some() || schedule.is_some()).then(|| {
        map([
            ("kafka", trigger.as_ref().map(|spec| kafka(&spec.kafka))),
            ("match", matches.map(Rendered::Map)),
            ("schedule", schedule.as_ref().map(run_schedule)),
        ])
    })
}

fn run_schedule(spec: &RunSchedule) -> Rendered {
    map([
        ("cron", Some(text(&spec.cron))),
        ("zone", Some(text(&spec.zone))),
        ("calendar", spec.calendar.as_ref().map(|calendar| text(calendar.name()))),
        ("closed_day", Some(text(spec.closed_day.word()))),
        ("business_date", Some(text(spec.business_date.word()))),
        ("misfire", Some(text(spec.misfire.word()))),
        ("grace", Some(text(write_duration(spec.grace)))),
        ("dst", Some(text(spec.dst.word()))),
    ])
}

fn policies(policies: &Policies) -> Rendered {
    map([
        ("lease_ttl", Some(text(write_duration(policies.lease_ttl)))),
        ("lease_heartbeat_interval", Some(text(write_duration(policies.lease_heartbeat_interval)))),
        ("takeover_polling_interval", Some(text(write_duration(policies.takeover_polling_interval)))),
        ("max_retries", Some(scalar(policies.retry.max_retries))),
        ("initial_backoff", Some(text(write_duration(policies.retry.initial_backoff)))),
        ("backoff_multiplier", Some(scalar(policies.retry.backoff_multiplier))),
        ("max_backoff", Some(text(write_duration(policies.retry.max_backoff)))),
        ("max_pending", Some(text(write_duration(policies.max_pending)))),
    ])
}
