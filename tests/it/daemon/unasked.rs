//! What is timed for a `/metrics` that nobody asks for.

use crate::support::again;
use crate::support::daemon::{Daemon, worker};
use crate::support::size::Size;
use filegen::adapters::memory::clock::MemoryClock;
use filegen::telemetry::metrics::{self, Scope};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Fills memory, or does not.
const ALONE: &str = "daemon::unasked::alone";

/// Thirty times as many are timed in all: kept one by one, they are 24 MB.
const TIMED_AT_ONCE: usize = 100_000;
/// What memory may grow by meanwhile: what is timed between two times of taking in, many times over.
const GROWTH_KIB: usize = 8 * 1024;

/// A part for a process of its own.
#[tokio::test(start_paused = true)]
async fn alone() {
    if again::given(ALONE).is_none() {
        return;
    }
    let (handle, stop) = (metrics::start().unwrap(), CancellationToken::new());
    let clock = Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
    let ending = stop.clone();
    let small = tokio::spawn(async move { metrics::keep_small(&handle, &*clock, &ending).await });
    let timed = Scope::new("worker", "W").times("commit_seconds", "Commits.");
    let time_some = async || {
        (0..TIMED_AT_ONCE).for_each(|_| timed.record(Duration::from_millis(3)));
        // On the test's clock: at once.
        tokio::time::sleep(Duration::from_mins(1)).await;
    };
    for _ in 0..10 {
        time_some().await;
    }
    let before = Size::of(std::process::id()).rss_kib;
    for _ in 0..30 {
        time_some().await;
    }
    let after = Size::of(std::process::id()).rss_kib;
    assert!(after < before + GROWTH_KIB, "{before} KiB have become {after}");
    stop.cancel();
    small.await.unwrap();
}

#[test]
fn times_are_not_kept_one_by_one() {
    again::play(&mut again::command(ALONE, ""));
}

#[test]
fn a_daemon_takes_times_in_by_itself() {
    let filegen = worker(1);
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c worker.yaml --health-port 0 -vvv"));
    daemon.running.wait_for("what was timed is taken in");
}
