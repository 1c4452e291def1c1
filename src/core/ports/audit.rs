//! The audit trail: what people changed by hand, and why.

use super::store::{Found, StoreError};
use crate::core::model::shown;
use async_trait::async_trait;
use jiff::Timestamp;

/// A change made by a person: who, when, why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Operating-system user and instance.
    pub who: String,
    /// `lease release`.
    pub action: String,
    /// What was changed, and how.
    pub detail: String,
    /// Their words.
    pub reason: String,
}

impl AuditEntry {
    /// An entry whose words are shown harmlessly wherever they are read: each without control characters, on one line, cut where
    /// it is too long.
    pub fn new(at: Timestamp, who: &str, action: &str, detail: &str, reason: &str) -> Self {
        let [who, detail, reason] = [who, detail, reason].map(shown::text);
        Self { at, who, action: action.to_owned(), detail, reason }
    }
}

/// The audit trail of a state store. Nothing is ever taken out of it.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps an entry for ever. It is durable when this answers. A repeated entry is kept twice.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The latest entries by their own time, newest first. Of entries with one time, the one written last comes first.
    /// One that cannot be read hides no other.
    async fn audits(&self, limit: usize) -> Result<Found<AuditEntry>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_moves_no_cursor_turns_no_line_and_fills_no_screen() {
        let hostile = format!("a\n\u{202e}\u{1b}[31m{}", "b".repeat(1 << 20));
        let entry = AuditEntry::new(Timestamp::UNIX_EPOCH, &hostile, "correct", &hostile, &hostile);
        for text in [&entry.who, &entry.detail, &entry.reason] {
            assert!(text.starts_with("a\\n\\u{202e}") && text.len() < 3000, "{}", text.len());
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'));
        }
        let plain =
            AuditEntry::new(Timestamp::UNIX_EPOCH, "ann at pod-1:7", "correct", "run W:2026-11-21", "INC-4711: ä");
        assert_eq!((plain.who.as_str(), plain.reason.as_str()), ("ann at pod-1:7", "INC-4711: ä"));
    }
}
