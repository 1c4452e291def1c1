//! Both sides at work: until all that is there has arrived, or for as long as the process lives.

mod collecting;
mod delivering;

use super::collect::Collector;
use super::deliver::Deliverer;
use super::error::TransferError;
use super::event::TransferEvent;
use crate::core::backoff::{Backoff, Jitter};
use crate::core::kind::HasKind;
use crate::core::model::policy::RetrySpec;
use crate::core::model::transfer::Side;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_target::TargetError;
use crate::core::ports::observer::Observer;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

/// Files from this size on take a place for long, in bytes.
const LARGE: u64 = 64 << 20;

/// What a task came to. A panic in it goes on here.
fn ended<T>(joined: Option<Result<T, JoinError>>) -> Option<T> {
    match joined? {
        Ok(ended) => Some(ended),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Only who drops all of them takes one back.
        Err(_) => None,
    }
}

/// How many of the places large files may have: the others are for small ones.
fn places_of_large(most: usize) -> usize {
    (most / 2).max(1)
}

/// When a run of both sides ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// All that is there has arrived; what is still being written is waited for.
    Arrived,
    /// What is ready now has arrived.
    Once,
    /// Never.
    Stopped,
}

/// Waits after failures, and tries again.
struct Patience<'a> {
    backoff: Backoff,
    side: Side,
    clock: &'a dyn Clock,
    observer: &'a dyn Observer<TransferEvent>,
    /// A service never gives up.
    is_endless: bool,
}

impl<'a> Patience<'a> {
    fn new(
        (retry, jitter): (RetrySpec, &Jitter),
        side: Side,
        (clock, observer): (&'a dyn Clock, &'a dyn Observer<TransferEvent>),
        until: Until,
    ) -> Self {
        let backoff = Backoff::new(retry).with_jitter(Arc::clone(jitter));
        Self { backoff, side, clock, observer, is_endless: until == Until::Stopped }
    }

    fn succeeded(&mut self) {
        self.backoff.succeeded();
        self.observer.observe(&TransferEvent::Looked { side: self.side });
    }

    /// Waits, or gives the error back when it is no use to wait.
    async fn failed(&mut self, error: TransferError, stop: &CancellationToken) -> Result<(), TransferError> {
        if error == TransferError::Stopped || stop.is_cancelled() {
            return Err(TransferError::Stopped);
        }
        let after = self.told(error)?;
        rest(self.clock, after, stop).await;
        Ok(())
    }

    /// Tells of a failure: how long to wait, or the error where it is no use to wait.
    fn told(&mut self, error: TransferError) -> Result<Duration, TransferError> {
        let kind = error.kind();
        if !self.is_endless && (!kind.is_passing() || self.backoff.is_exhausted()) {
            return Err(error);
        }
        let after = self.backoff.failed().after;
        // Each try would bring the login nearer to being locked out.
        let after = if let TransferError::Target(TargetError::Login { again, .. }) = &error { *again } else { after };
        self.observer.observe(&TransferEvent::Waiting { side: self.side, kind, reason: error.to_string(), after });
        Ok(after)
    }
}

/// Waits, or until a stop.
async fn rest(clock: &dyn Clock, time: Duration, stop: &CancellationToken) {
    tokio::select! {
        // In order, here and below: of two that are ready none shall win by chance, so that the simulation plays a schedule again.
        biased;
        () = clock.sleep(time) => {}
        () = stop.cancelled() => {}
    }
}

/// Runs both sides, or the one that there is.
///
/// # Errors
/// When something needed does not answer for longer than the file waits, or a stop.
pub async fn run(
    collector: Option<Collector>,
    deliverer: Option<Deliverer>,
    until: Until,
    jitter: Jitter,
    stop: &CancellationToken,
) -> Result<(), TransferError> {
    let (collector, deliverer) = (collector.map(Arc::new), deliverer.map(Arc::new));
    // The delivering side ends behind the collecting one: then nothing more comes.
    let (ended, failed) = (CancellationToken::new(), stop.child_token());
    let collecting = async {
        let result = match &collector {
            Some(collector) => collecting::collect(collector, until, &jitter, &failed).await,
            None => Ok(()),
        };
        ended.cancel();
        if result.is_err() {
            failed.cancel();
        }
        result
    };
    let delivering = async {
        let result = match &deliverer {
            Some(deliverer) => delivering::deliver(deliverer, until, &jitter, (&ended, &failed)).await,
            None => Ok(()),
        };
        if result.is_err() {
            failed.cancel();
        }
        result
    };
    match tokio::join!(collecting, delivering) {
        // Whoever failed first tells why; the other one was only stopped.
        (Err(TransferError::Stopped), other) => other.and(Err(TransferError::Stopped)),
        (collected, delivered) => collected.and(delivered),
    }
}
