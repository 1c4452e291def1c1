//! Moments as people read them.

/// A moment to the second, in UTC: `2026-11-21T14:09:08Z`, as tables, status page and health show it.
pub fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}
