//! Kafka, against a real server: what the ports promise, and what happens when it is away.

mod away;
mod probe;
mod rights;
mod security;
mod sink;
mod source;

use crate::support::running::PATIENCE;
use filegen::core::ports::events::{Delivery, EventSource};
use tokio::time::timeout;

/// The next event, or the test fails; passing errors are passed over, as the listener does.
async fn next(source: &mut dyn EventSource) -> Delivery {
    let taking = async {
        loop {
            if let Ok(delivery) = source.next().await {
                return delivery;
            }
        }
    };
    timeout(PATIENCE, taking).await.expect("an event")
}

/// The payloads of the next events, each marked.
async fn take(source: &mut dyn EventSource, count: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..count {
        let delivery = next(source).await;
        source.done(&delivery.id).await.expect("it is marked");
        taken.push(text(&delivery));
    }
    taken
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.payload).into_owned()
}
