//! A correction: why a published date is made again, as which version, and at whose word.

use serde::{Deserialize, Serialize};

/// The version of a run that was never corrected.
pub const FIRST_VERSION: u32 = 1;

/// Most bytes of a reason. It goes into every completion event of its version.
pub const REASON_BYTES_MAX: usize = 1000;

/// A published date made again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// The version that it makes, from 2.
    pub version: u32,
    /// Why, in a person's words.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
    /// Ids of the files that are made anew. Empty for all.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub files: Vec<String>,
    /// Whether the new files stand beside the old ones, under names with `_v2`.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub suffix: bool,
    /// The version that it takes the place of, where that is not the number before: cancelled versions lie between.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stands: Option<u32>,
    /// Who cancelled it, and why. It never appears then, and its number is not given again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cancelled: Option<String>,
}

/// A reason as a person gave it, without blanks around it.
///
/// # Errors
/// Says what is wrong with a text that is none.
pub fn checked_reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("say in a few words why the date is made again".to_owned());
    }
    if text.len() > REASON_BYTES_MAX {
        return Err(format!("a reason has at most {REASON_BYTES_MAX} bytes; name the ticket that says more"));
    }
    if text.chars().any(char::is_control) {
        return Err("a reason is one line without control characters".to_owned());
    }
    Ok(text.to_owned())
}

impl Correction {
    /// The version that stands until this one appears.
    pub fn version_before(&self) -> u32 {
        self.stands.unwrap_or_else(|| self.version.saturating_sub(1))
    }

    /// The reason for a terminal or a log, whatever stands in the store or in a journal.
    pub fn shown_reason(&self) -> String {
        let plain = self.reason.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.take(REASON_BYTES_MAX).collect()
    }
}

/// What stands for the version in documents of builds that knew of one only.
pub(crate) fn first_version() -> u32 {
    FIRST_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(
            checked_reason("  late bookings, <b>INC-4711</b> "),
            Ok("late bookings, <b>INC-4711</b>".to_owned())
        );
        assert_eq!(checked_reason(&"x".repeat(REASON_BYTES_MAX)).map(|reason| reason.len()), Ok(REASON_BYTES_MAX));
        for bad in ["", "  ", "a\nb", "\u{1b}[31mred", &"x".repeat(REASON_BYTES_MAX + 1)] {
            assert!(checked_reason(bad).is_err(), "{bad:?}");
        }
        let stored = Correction {
            version: 2,
            reason: "a\u{1b}[2Jb\n".to_owned(),
            by: String::new(),
            files: Vec::new(),
            suffix: false,
            stands: None,
            cancelled: None,
        };
        assert_eq!(stored.shown_reason(), "a [2Jb ");
    }
}
