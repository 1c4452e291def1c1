//! Looks at the topics: whether their brokers answer, whether they are there, and what this user may do.

use super::report::{Area, CheckResult, Report};
use crate::core::kind::HasKind;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use std::sync::Arc;

/// The topics with the names of their sections, or why there are no clients for them.
pub type Topics = Result<Vec<(&'static str, Arc<dyn TopicProbe>)>, BrokerError>;

/// Checks each topic. A file without topics gets no finding.
pub(crate) async fn topics(topics: &Topics, clock: &dyn Clock, report: &mut Report<'_>) {
    match topics {
        Ok(topics) => {
            for (name, probe) in topics {
                topic(name, &**probe, clock, report).await;
            }
        }
        Err(error) => push(report, "client", None, Err(error.clone())),
    }
}

async fn topic(name: &str, probe: &dyn TopicProbe, clock: &dyn Clock, report: &mut Report<'_>) {
    let asked = clock.elapsed();
    let answer = probe.check().await.map(|partitions| format!("{}, {partitions} partitions", probe.describe()));
    let took = clock.elapsed().saturating_sub(asked);
    let is_there = answer.is_ok();
    push(report, &format!("{name} topic"), Some(took), answer);
    if !is_there {
        return;
    }
    // The trigger's events are read, completion events are written.
    let (wanted, check, promise) = if name == "trigger" {
        let promise = "this user may read it, and knows the group";
        (TopicUse::Read, "trigger read", promise)
    } else {
        let promise = "the broker lets this user produce; to this very topic, only an event that is sent can show";
        (TopicUse::Write, "completion write", promise)
    };
    push(report, check, None, probe.may(wanted).await.map(|()| promise.to_owned()));
}

fn push(report: &mut Report<'_>, check: &str, took: Option<std::time::Duration>, answer: Result<String, BrokerError>) {
    let unreachable = answer.as_ref().is_err_and(|error| error.kind().is_away());
    let (verdict, detail) = match answer {
        Ok(detail) => (CheckVerdict::Pass, detail),
        Err(error) => (CheckVerdict::Fail, error.to_string()),
    };
    let finding = Finding { check: check.to_owned(), verdict, detail };
    report.push(CheckResult { area: Area::Kafka, finding, took, unreachable });
}
