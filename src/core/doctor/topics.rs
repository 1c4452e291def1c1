//! Looks at the topics: whether their brokers answer, whether they are there, and what this user may do.

use super::report::{Area, Report};
use crate::core::model::amount::counted;
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
        Err(error) => report.fail(Area::Kafka, "client", error),
    }
}

async fn topic(name: &str, probe: &dyn TopicProbe, clock: &dyn Clock, report: &mut Report<'_>) {
    let asked = clock.elapsed();
    let answer = probe
        .check()
        .await
        .map(|partitions| format!("{}, {}", probe.describe(), counted(partitions as u64, "partition")));
    let took = clock.elapsed().saturating_sub(asked);
    let is_there = answer.is_ok();
    report.answered(Area::Kafka, &format!("{name} topic"), Some(took), borrowed(&answer));
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
    let answer = probe.may(wanted).await.map(|()| promise.to_owned());
    report.answered(Area::Kafka, check, None, borrowed(&answer));
}

/// The answer with its error lent.
fn borrowed(answer: &Result<String, BrokerError>) -> Result<String, &BrokerError> {
    match answer {
        Ok(detail) => Ok(detail.clone()),
        Err(error) => Err(error),
    }
}
