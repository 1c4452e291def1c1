//! `--watch`: the same again every two seconds, until Ctrl-C.

use super::failure::Failure;
use super::stop::listen;
use crate::core::ports::clock::Clock;
use std::time::Duration;
use tokio::signal::unix::SignalKind;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Shows once, or again and again while `show` reports that somebody still reads.
///
/// # Errors
/// What `show` says, or when the system refuses to deliver signals.
pub(super) async fn show(
    watch: bool,
    clock: &dyn Clock,
    mut show: impl AsyncFnMut() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    if !watch {
        return show().await.map(drop);
    }
    // One listener from before the first look: a signal between two looks is not lost.
    let mut interrupts = listen(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            goes_on = show() => if !goes_on? { return Ok(()) },
            _ = interrupts.recv() => return Ok(()),
        }
        tokio::select! {
            () = clock.sleep(LOOK_EVERY) => {}
            _ = interrupts.recv() => return Ok(()),
        }
    }
}
