//! Whether an ingest would work: its tables, its topic, its queue of dead letters, and whether clocks agree.

use super::plan::{Filter, find};
use super::relay;
use super::spec::Ingest;
use crate::core::doctor::doors::{self, Openness};
use crate::core::doctor::permissions::{self, Kept};
use crate::core::doctor::report::{Area, CheckResult, Report};
use crate::core::kind::FailureKind;
use crate::core::model::amount::counted;
use crate::core::model::door::DoorCertificate;
use crate::core::model::finding::CheckVerdict;
use crate::core::model::peer::{Insecure, Peer};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use crate::core::ports::queue::LetterQueue;
use crate::core::ports::sql_sink::{SinkError, SqlSink};
use crate::core::ports::store::OddRecord;
use std::sync::Arc;

/// Newest dead letters that are looked through for some that cannot be read.
const LOOKED_THROUGH: u64 = 1000;

/// What is looked at, and with what.
pub struct DoctorInput<'a> {
    /// The file.
    pub ingest: &'a Ingest,
    /// Its tables.
    pub sink: &'a mut dyn SqlSink,
    /// Its dead letters.
    pub queue: &'a dyn LetterQueue,
    /// Its topic. `None` where events come from a file.
    pub topic: Option<Arc<dyn TopicProbe>>,
    /// Whether its file of events can be read. `None` where they come from a topic.
    pub events: Option<Result<String, BrokerError>>,
    /// What is kept on this host.
    pub kept: &'a [(Area, Vec<Kept>)],
    /// Time.
    pub clock: &'a dyn Clock,
    /// Connections that are weaker than they should be.
    pub insecure: &'a [Insecure],
    /// What was found of the doors' certificates.
    pub certificates: &'a [DoorCertificate],
    /// Told of each finding.
    pub found: &'a (dyn Fn(&CheckResult) + Send + Sync),
}

/// Looks at everything; changes nothing.
pub async fn examine(input: DoctorInput<'_>) -> Vec<CheckResult> {
    let DoctorInput { ingest, sink, queue, topic, events, kept, clock, insecure, certificates, found } = input;
    let mut report = Report::new(found);
    if let Some(topic) = &topic {
        self::topic(&**topic, ingest.produce.is_some(), clock, &mut report).await;
    }
    if let Some(events) = events {
        match events {
            Ok(detail) => report.add(Area::Source, "events", CheckVerdict::Pass, detail),
            Err(error) => report.fail(Area::Source, "events", &error),
        }
    }
    for (area, kept) in kept {
        permissions::of_kept(*area, kept, None, &mut report);
    }
    let asked = clock.elapsed();
    match sink.examine(ingest.sink.create, clock.now()).await {
        Ok(findings) => {
            let took = clock.elapsed().saturating_sub(asked);
            report.answered(Area::Sink, "answers", Some(took), Ok::<_, &SinkError>(sink.describe()));
            for finding in findings {
                report.push(CheckResult::new(Area::Sink, finding, FailureKind::Config));
            }
            records(Area::Sink, &odd_of(sink).await.unwrap_or_default(), &mut report);
        }
        Err(error) => report.fail(Area::Sink, "tables", &error),
    }
    match queue.count().await {
        Ok(count) => {
            let detail = format!("{}, {}", queue.describe(), counted(count, "dead letter"));
            report.add(Area::Queue, "answers", CheckVerdict::Pass, detail);
            room(queue, ingest.dead_letters.max_bytes, &mut report).await;
            // As many as are looked through in a moment; `dlq list` looks through all.
            let some = Filter { limit: Some(LOOKED_THROUGH), ..Filter::default() };
            records(Area::Queue, &find(queue, &some, drop).await.unwrap_or_default(), &mut report);
            for finding in queue.examine().await.unwrap_or_default() {
                report.push(CheckResult::new(Area::Queue, finding, FailureKind::Config));
            }
        }
        Err(error) => report.fail(Area::Queue, "answers", &error),
    }
    for Insecure { peer, field, what, instead } in insecure {
        let area = match peer {
            Peer::Kafka | Peer::Nats | Peer::Sftp | Peer::S3 | Peer::Otlp => Area::Kafka,
            Peer::Redis => Area::Queue,
            Peer::Postgres | Peer::SqlServer | Peer::Mongo => Area::Sink,
        };
        report.add(area, "is encrypted and verified", CheckVerdict::Warn, format!("`{field}`: {what}; {instead}"));
    }
    doors::examine(
        &Openness {
            for_any_host: ingest.doors_for_any_host(),
            for_anybody: ingest.doors_for_anybody(),
            in_clear: ingest.doors_in_clear(),
        },
        certificates,
        &mut report,
    );
    report.found
}

/// Records of its own in the sink that cannot be read. A sink whose tables are not made yet has none.
async fn odd_of(sink: &mut dyn SqlSink) -> Result<Vec<OddRecord>, SinkError> {
    let mut odd = sink.positions().await?.odd;
    odd.extend(relay::odd(sink).await?);
    Ok(odd)
}

/// Whether the queue has room. A store that does not tell its bytes cannot be held to a limit.
async fn room(queue: &dyn LetterQueue, limit: u64, report: &mut Report<'_>) {
    let Ok(bytes) = queue.bytes().await else { return };
    let (verdict, detail) = match bytes {
        None => (
            CheckVerdict::Warn,
            "the store does not tell how many bytes the queue has: `MEMORY USAGE` is refused".to_owned(),
        ),
        Some(bytes) if bytes >= limit => {
            let next = "dead letters wait in the sink; replay or drop some, or raise `dead_letters.max_bytes`";
            (CheckVerdict::Warn, format!("it is full: {bytes} bytes of {limit}; {next}"))
        }
        Some(bytes) if bytes >= limit / 5 * 4 => {
            (CheckVerdict::Warn, format!("{bytes} bytes of {limit}: beyond it, dead letters wait in the sink"))
        }
        Some(_) => return,
    };
    report.add(Area::Queue, "room", verdict, detail);
}

fn records(area: Area, odd: &[OddRecord], report: &mut Report<'_>) {
    if let Some(OddRecord { id, reason }) = odd.first() {
        let more = if odd.len() > 1 { format!("; and {} more", odd.len() - 1) } else { String::new() };
        report.add(area, "records", CheckVerdict::Warn, format!("{id} cannot be read: {reason}{more}"));
    }
}

async fn topic(probe: &dyn TopicProbe, has_door: bool, clock: &dyn Clock, report: &mut Report<'_>) {
    let asked = clock.elapsed();
    let answer = probe.check().await;
    let took = clock.elapsed().saturating_sub(asked);
    let told =
        answer.as_ref().map(|partitions| format!("{}, {}", probe.describe(), counted(*partitions as u64, "partition")));
    report.answered(Area::Kafka, "topic", Some(took), told);
    if answer.is_err() {
        return;
    }
    let uses = [
        (TopicUse::Read, "read", "this user may read it, and knows the group"),
        (TopicUse::Write, "write", "the broker lets this user produce"),
    ];
    for (wanted, check, promise) in uses.into_iter().take(if has_door { 2 } else { 1 }) {
        let answer = probe.may(wanted).await;
        report.answered(Area::Kafka, check, None, answer.as_ref().map(|()| promise.to_owned()));
    }
}
