//! A topic that was made anew under its old name: its offsets say nothing of what was read before.

use super::Service;
use crate::core::backoff::Backoff;
use crate::core::ingest::error::IngestError;
use crate::core::ingest::spec::{OnRecreated, SourceSpec};
use crate::core::ports::consumer::Watermarks;
use crate::core::ports::sql_sink::StoredPosition;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two questions to the broker.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the sink holds of a partition.
pub(super) struct Held {
    /// The position under the topic's own id: what the next batch moves.
    pub(super) own: Option<i64>,
    /// Where reading goes on. `None` where nothing of this topic was read.
    pub(super) next: Option<i64>,
    /// Whether what is held is of another topic of the same name.
    pub(super) is_other: bool,
}

impl Service {
    /// Whose the positions of a partition are.
    pub(super) fn held(&self, of_partition: &[&StoredPosition], marks: Watermarks) -> Held {
        let own = of_partition.iter().find(|stored| stored.topic_id == self.topic_id).map(|stored| stored.next);
        // Where the id is not told, or was not when the position was kept, the position alone has to say whose it is.
        let is_untold = |stored: &&&StoredPosition| self.topic_id.is_empty() || stored.topic_id.is_empty();
        let next = own.or_else(|| of_partition.iter().filter(is_untold).map(|stored| stored.next).max());
        let is_other = next.map_or(!of_partition.is_empty(), |next| next > marks.next);
        Held { own, next: next.filter(|_| !is_other), is_other }
    }

    /// Whether the topic is still the one that was assigned, asked now and then: one that is made anew under its readers tells them
    /// nothing, and its first events would be passed over (measured over Kafka 4.3).
    pub(super) async fn look_at_topic(
        &mut self,
        away: &mut Backoff,
        stop: &CancellationToken,
    ) -> Result<(), IngestError> {
        let elapsed = self.ports.clock.elapsed();
        let is_due = self.looked.is_none_or(|looked| elapsed >= looked + LOOK_EVERY);
        let Some(topic) = self.topic.clone().filter(|_| is_due && matches!(self.spec.source, SourceSpec::Kafka(_)))
        else {
            return Ok(());
        };
        self.looked = Some(elapsed);
        // A topic that is away, or being made, is told of by the next poll.
        let id = tokio::select! {
            id = self.ports.consumer.topic_id() => id.unwrap_or_default(),
            () = stop.cancelled() => return Ok(()),
        };
        if id.is_empty() || self.topic_id.is_empty() || id == self.topic_id {
            return Ok(());
        }
        if self.spec.on_recreated == OnRecreated::Stop {
            return Err(IngestError::Recreated { topic });
        }
        while let Err(error) = self.rejoin(&topic).await {
            self.bear(away, error, stop).await?;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        Ok(())
    }
}
