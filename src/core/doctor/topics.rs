//! Looks at the topics: whether their brokers answer, whether they are there, and what this user may do.

use super::report::{Area, Report};
use crate::core::model::amount::counted;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::probe::{TopicProbe, TopicUse};
use std::sync::Arc;

/// The topics, or why there are no clients for them.
pub type Topics = Result<Vec<NamedProbe>, BrokerError>;

/// A topic's probe.
#[derive(Clone)]
pub struct NamedProbe {
    /// The name of its section: `trigger`.
    pub name: &'static str,
    /// What the topic is for.
    pub uses: &'static [TopicUse],
    /// The probe.
    pub probe: Arc<dyn TopicProbe>,
}

/// Checks each topic. A file without topics gets no finding.
pub(crate) async fn topics(topics: &Topics, clock: &dyn Clock, report: &mut Report<'_>) {
    match topics {
        Ok(topics) => {
            for it in topics {
                topic(it, clock, report).await;
            }
        }
        Err(error) => report.fail(Area::Kafka, "client", error),
    }
}

async fn topic(it: &NamedProbe, clock: &dyn Clock, report: &mut Report<'_>) {
    let (NamedProbe { name, probe, .. }, asked) = (it, clock.elapsed());
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
    for wanted in it.uses {
        let (word, promise) = match wanted {
            TopicUse::Read => ("read", "this user may read it, and knows the group"),
            TopicUse::Write => {
                ("write", "the broker lets this user produce; to this very topic, only an event that is sent can show")
            }
        };
        let answer = probe.may(*wanted).await.map(|()| promise.to_owned());
        report.answered(Area::Kafka, &format!("{name} {word}"), None, borrowed(&answer));
    }
}

/// The answer with its error lent.
fn borrowed(answer: &Result<String, BrokerError>) -> Result<String, &BrokerError> {
    match answer {
        Ok(detail) => Ok(detail.clone()),
        Err(error) => Err(error),
    }
}
