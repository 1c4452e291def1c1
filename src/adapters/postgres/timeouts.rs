//! Time limits of waits for a server. Only waiting counts: data that is there already needs no clock, and a server is not silent
//! while nobody reads.

use crate::core::ports::source::SourceError;
use futures_util::FutureExt as _;
use std::pin::pin;
use std::time::Duration;

/// Longest wait for a statement's first row where the address does not say: a view may have to be sorted first.
const QUERY_TIMEOUT: Duration = Duration::from_mins(10);
/// Longest silence between two rows where the address does not say.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// Longest waits. `None` waits without end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Timeouts {
    /// From a statement to its answer, or to its first row.
    pub query: Option<Duration>,
    /// From one row to the next.
    pub idle: Option<Duration>,
}

/// One of them, and what an address calls it.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    wait: Option<Duration>,
    missing: &'static str,
    key: &'static str,
}

impl Timeouts {
    /// As the address says; zero waits without end.
    pub(super) fn new(query: Option<Duration>, idle: Option<Duration>) -> Self {
        let wait = |said: Option<Duration>, default| Some(said.unwrap_or(default)).filter(|wait| !wait.is_zero());
        Self { query: wait(query, QUERY_TIMEOUT), idle: wait(idle, IDLE_TIMEOUT) }
    }

    /// For a statement's answer.
    pub(super) fn answer(&self) -> Limit {
        Limit { wait: self.query, missing: "no answer", key: "query_timeout" }
    }

    /// For rows of a statement: `first` ones may take as long as the statement.
    pub(super) fn rows(&self, first: bool) -> Limit {
        if first {
            Limit { wait: self.query, missing: "no row", key: "query_timeout" }
        } else {
            Limit { wait: self.idle, missing: "no further row", key: "idle_timeout" }
        }
    }
}

impl Limit {
    /// For a session that is logged in.
    pub(super) fn login(wait: Option<Duration>) -> Self {
        Self { wait, missing: "no connection", key: "connect_timeout" }
    }

    /// Waits for `work` so long and no longer.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when the time is over.
    pub(super) async fn hold<T>(self, source_name: &str, work: impl Future<Output = T>) -> Result<T, SourceError> {
        let mut work = pin!(work);
        if let Some(done) = work.as_mut().now_or_never() {
            return Ok(done);
        }
        let Some(wait) = self.wait else { return Ok(work.await) };
        tokio::time::timeout(wait, work).await.map_err(|_| {
            let (missing, seconds, key) = (self.missing, wait.as_secs(), self.key);
            let reason = format!("{missing} within {seconds} s; `{key}` in the address sets this time");
            SourceError::Unreachable { source_name: source_name.to_owned(), reason }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_silence_counts_and_zero_waits_without_end() {
        let seconds = Duration::from_secs;
        let timeouts = Timeouts::new(Some(seconds(3)), Some(seconds(0)));
        assert_eq!((timeouts.query, timeouts.idle), (Some(seconds(3)), None));
        assert_eq!(Timeouts::new(None, None), Timeouts { query: Some(seconds(600)), idle: Some(seconds(60)) });
        let late = timeouts.rows(true).hold("pg", std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(
            late.to_string(),
            "cannot reach pg: no row within 3 s; `query_timeout` in the address sets this time"
        );
        assert!(late.is_transient());
        let slow = timeouts.rows(false).hold("pg", tokio::time::sleep(seconds(10_000))).await;
        assert_eq!(slow, Ok(()));
        assert_eq!(timeouts.answer().hold("pg", std::future::ready(7)).await, Ok(7));
    }
}
