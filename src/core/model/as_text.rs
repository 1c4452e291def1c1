//! Moments and durations in JSON, as people write them.

/// A value that is its own text: `2026-11-21T14:09:08.123Z`.
pub mod moment {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("write a moment, as 2026-11-21T14:09:08Z"))
    }
}

/// A moment, or none.
pub mod maybe_moment {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| D::Error::custom("write a moment, as 2026-11-21T14:09:08Z"))
    }
}

/// A duration with its unit, or none: `2s`, `1m 30s`.
pub mod duration {
    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::time::Duration;

    /// Writes it.
    pub fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match time.and_then(|time| SignedDuration::try_from(time).ok()) {
            Some(time) => serializer.serialize_str(&format!("{time:#}")),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        super::read_duration(&text).map(Some).ok_or_else(|| D::Error::custom("write a time with its unit, as 2s"))
    }
}

/// `30s`, `500ms`, `1h 30m`, `90d`: never without a unit, never negative. A day has 24 hours.
pub fn read_duration(text: &str) -> Option<std::time::Duration> {
    let text = text.trim();
    let exact = text.parse::<jiff::SignedDuration>().ok().or_else(|| {
        let span: jiff::Span = text.parse().ok()?;
        let has_unit_of_a_calendar = span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0;
        let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
        // `P90D` is a span of ISO 8601, which no other field takes.
        (!has_unit_of_a_calendar && text.starts_with(|first: char| first.is_ascii_digit())).then_some(time)
    })?;
    std::time::Duration::try_from(exact).ok()
}

#[cfg(test)]
mod tests {
    use super::read_duration;
    use std::time::Duration;

    #[test]
    fn a_duration_has_a_unit_and_no_sign() {
        let day = Duration::from_hours(24);
        for (text, time) in [("2s", Duration::from_secs(2)), ("90d", day * 90), ("1d 12h", day * 3 / 2)] {
            assert_eq!(read_duration(text), Some(time), "{text}");
        }
        for bad in ["", "2", "-2s", "1 month", "1w", "1y", "2 s x"] {
            assert_eq!(read_duration(bad), None, "{bad}");
        }
    }
}
