//! A run: one generation of a worker's files for one business date.

use super::correction::{Correction, FIRST_VERSION};
use super::names::{InstanceId, WorkerId};
use super::param::Params;
use super::term::Token;
use crate::core::kind::FailureKind;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fmt;

/// The day that a run is for. Comes from the event or the command, never from `now()` inside the core.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BusinessDate(pub Date);

impl BusinessDate {
    /// Reads `2026-11-21` or `20261121` of the years 1 to 9999, and nothing else that a date library might take.
    pub fn parse(text: &str) -> Option<Self> {
        let (form, length) = if text.contains('-') { ("%Y-%m-%d", 10) } else { ("%Y%m%d", 8) };
        let well_formed = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = well_formed.then(|| Date::strptime(form, text).ok()).flatten();
        date.filter(|date| date.year() > 0).map(Self)
    }

    /// `20261121`: as it stands in file and folder names.
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%d").to_string()
    }
}

impl fmt::Display for BusinessDate {
    /// `2026-11-21`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Worker and business date; unique, so a run happens once a day.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RunId {
    /// Whose files.
    pub worker: WorkerId,
    /// For which day.
    pub date: BusinessDate,
}

impl fmt::Display for RunId {
    /// `LoanWorker:2026-11-21`: the `_id` in the state store.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.worker, self.date)
    }
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunStatus {
    /// Asked for; no holder has started it.
    Pending,
    /// A holder writes its files.
    Running,
    /// All files and the manifest are visible.
    Published,
    /// Ended with an error; a later holder may go on.
    Failed,
}

impl RunStatus {
    /// The word in the state store, tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Published => "published",
            Self::Failed => "failed",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Published, Self::Failed].into_iter().find(|s| s.as_str() == word)
    }
}

/// A run as the state store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunRecord {
    /// Which run.
    pub id: RunId,
    /// How far it has come.
    pub status: RunStatus,
    /// Who asked: `command:host:pid`, or `kafka:topic/partition/offset`.
    pub requested_by: String,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The token of the holder that last worked on it.
    pub token: Option<Token>,
    /// The holder that last worked on it.
    pub instance: Option<InstanceId>,
    /// When a holder first worked on it.
    pub started_at: Option<Timestamp>,
    /// When its manifest was visible.
    pub completed_at: Option<Timestamp>,
    /// Last durable page.
    pub last_page: u64,
    /// Source rows behind the last durable page.
    pub rows: u64,
    /// Rows the source counted at the start.
    pub rows_expected: Option<u64>,
    /// Why it failed, when it did.
    pub error: Option<String>,
    /// What kind of error that was. `None` in records of builds that did not keep it.
    pub failure: Option<FailureKind>,
    /// When its holder tries it again, after a failure. For people: the holder goes by its own clock.
    pub next_try_at: Option<Timestamp>,
    /// Parameters that were given for this run alone. `None` when none ever were.
    pub given: Option<Params>,
    /// The correction that is wanted, or that made what is published. `None` for a run that was never to be corrected.
    pub correction: Option<Correction>,
}

impl RunRecord {
    /// Bytes of an error's text that a record keeps, and of one that are read, at most.
    pub const ERROR_MAX: usize = 64 << 10;

    /// An error's text as a record keeps it.
    pub fn kept(error: &str) -> String {
        error[..error.floor_char_boundary(Self::ERROR_MAX)].to_owned()
    }

    /// A run that was asked for and that nobody has started.
    pub fn pending(id: &RunId, requested_by: &str, requested_at: Timestamp) -> Self {
        Self {
            id: id.clone(),
            status: RunStatus::Pending,
            requested_by: requested_by.to_owned(),
            requested_at,
            token: None,
            instance: None,
            started_at: None,
            completed_at: None,
            last_page: 0,
            rows: 0,
            rows_expected: None,
            error: None,
            failure: None,
            next_try_at: None,
            given: None,
            correction: None,
        }
    }

    /// The version that is published, as far as the store knows; 0 before there is one.
    pub fn version(&self) -> u32 {
        match (&self.correction, self.status) {
            (Some(correction), RunStatus::Published) if correction.cancelled.is_none() => correction.version,
            (Some(correction), _) => correction.version_before(),
            (None, RunStatus::Published) => FIRST_VERSION,
            (None, _) => 0,
        }
    }

    /// The version that is published or wanted, from 1.
    pub fn newest_version(&self) -> u32 {
        self.correction.as_ref().map_or(FIRST_VERSION, |correction| correction.version)
    }

    /// The correction that is still to be made.
    pub fn wanted_correction(&self) -> Option<&Correction> {
        self.correction.as_ref().filter(|_| self.status != RunStatus::Published)
    }

    /// This published run, wanted once more as its next version. `given` are that version's own parameters.
    #[must_use]
    pub fn reopened(&self, correction: Correction, given: Option<Params>, by: &str, at: Timestamp) -> Self {
        let new = Self::pending(&self.id, by, at);
        Self { token: self.token, instance: self.instance.clone(), given, correction: Some(correction), ..new }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_run() {
        let id =
            RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(Date::constant(2026, 11, 21)) };
        assert_eq!(id.to_string(), "LoanWorker:2026-11-21");
        assert_eq!(id.date.compact(), "20261121");
    }

    #[test]
    fn a_date_is_a_day_that_exists() {
        let day = Some(BusinessDate(Date::constant(2026, 11, 21)));
        assert_eq!(BusinessDate::parse("2026-11-21"), day);
        assert_eq!(BusinessDate::parse("20261121"), day);
        for bad in
            ["", "2026-11-31", "2026-11-21T00:00", "21.11.2026", "2026-1-1", "2026-11-2", "0000-01-01", "tomorrow"]
        {
            assert_eq!(BusinessDate::parse(bad), None, "{bad}");
        }
    }
}
