//! Looks at the topics: whether their brokers answer, whether they are there, and what this user may do.

use super::{Area, Chart, Found, Topics};
use crate::core::ports::clock::Clock;
use crate::core::ports::events::{BrokerError, TopicProbe, TopicUse};
use crate::core::ports::source::{Finding, Verdict};

/// Asks for each topic. A worker without topics has nothing to be asked.
pub(super) async fn topics(topics: &Topics, clock: &dyn Clock, chart: &mut Chart<'_>) {
    match topics {
        Ok(topics) => {
            for (name, probe) in topics {
                topic(name, &**probe, clock, chart).await;
            }
        }
        Err(error) => push(chart, "client", None, Err(error.clone())),
    }
}

async fn topic(name: &str, probe: &dyn TopicProbe, clock: &dyn Clock, chart: &mut Chart<'_>) {
    let asked = clock.elapsed();
    let answer = probe.check().await.map(|partitions| format!("{}, {partitions} partitions", probe.describe()));
    let took = clock.elapsed().saturating_sub(asked);
    let is_there = answer.is_ok();
    push(chart, &format!("{name} topic"), Some(took), answer);
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
    push(chart, check, None, probe.may(wanted).await.map(|()| promise.to_owned()));
}

fn push(chart: &mut Chart<'_>, check: &str, took: Option<std::time::Duration>, answer: Result<String, BrokerError>) {
    let unreachable = matches!(answer, Err(BrokerError::Unreachable { .. }));
    let (verdict, detail) = match answer {
        Ok(detail) => (Verdict::Pass, detail),
        Err(error) => (Verdict::Fail, error.to_string()),
    };
    let finding = Finding { check: check.to_owned(), verdict, detail };
    chart.push(Found { area: Area::Kafka, finding, took, unreachable });
}
