//! Log lines as `key=value`, as Splunk reads them without being told.

use crate::core::model::shown::{Shown, TEXT_MAX, is_harmful};
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `time=… level=INFO msg="page committed" worker=LoanWorker page=7`.
pub(super) struct KeyValue;

impl<S, N> FormatEvent<S, N> for KeyValue
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = jiff::Timestamp::now();
        let level = event.metadata().level();
        writeln!(writer, "time={now:.3} level={level} msg={}{}", Quoted(&fields.message), fields.others)
    }
}

/// An event's message, and the other fields as they are printed behind it.
#[derive(Default)]
struct Fields {
    message: String,
    others: String,
}

impl Fields {
    fn put(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            // Writing into a string cannot fail.
            let _ = write!(self.others, " {}={}", field.name(), Quoted(&text));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, format!("{value:.3}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// A value, in quotes where it would not stand as one word.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| !c.is_whitespace() && !is_harmful(c) && !matches!(c, '"' | '=' | '\\');
        if !self.0.is_empty() && self.0.len() <= TEXT_MAX && self.0.chars().all(bare) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        let marked = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "{}", Shown(&marked, TEXT_MAX))?;
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_value_on_one_line() {
        for (value, line) in [
            ("LoanWorker:2026-11-21", "LoanWorker:2026-11-21"),
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("x=1", "\"x=1\""),
            ("\u{202e}x\r\x1b[2J", "\"\\u{202e}x\\r\\u{1b}[2J\""),
            ("say \"no\"\nthen\tgo", "\"say \\\"no\\\"\\nthen\\tgo\""),
        ] {
            assert_eq!(Quoted(value).to_string(), line);
        }
    }
}
