//! A file's name at the target, from a template.

use super::envelope::{Envelope, last_name, name_fault};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, UndefinedBehavior, context};

/// What this product makes for a moment begins so; nothing is delivered under such a name.
pub const TEMPORARY: &str = ".filegen-";

/// Longest path below the target, in bytes.
const PATH_MAX: usize = 4000;

/// Steps that a template may take.
const FUEL: u64 = 10_000;

/// The template of a file's name: `{{ stem }}_{{ date }}{{ extension }}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameTemplate(String);

impl NameTemplate {
    /// Takes a template that makes a name of an example.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let template = Self(text.to_owned());
        let example = Envelope {
            version: 1,
            id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            source_path: "in/orders.csv".to_owned(),
            name: "orders.csv".to_owned(),
            source: "api".to_owned(),
            content_type: "text/csv".to_owned(),
            size: 1,
            sha256: "0".repeat(64),
            modified_at: Timestamp::UNIX_EPOCH,
            timestamp: Timestamp::UNIX_EPOCH,
            chunks: None,
            chunk_size: None,
            metadata: serde_json::Map::new(),
        };
        let made = template.render(&example)?;
        parts(&made)?;
        Ok(template)
    }

    /// A template that nobody tried.
    #[cfg(test)]
    pub(super) fn unchecked(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The template's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn render(&self, envelope: &Envelope) -> Result<String, String> {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("upper", |text: &str| text.to_uppercase());
        environment.add_filter("lower", |text: &str| text.to_lowercase());
        environment.add_filter("without", without);
        let (stem, extension) = split(&envelope.name);
        let at = envelope.timestamp.to_zoned_datetime(TimeZone::UTC);
        let folder = envelope.source_path.strip_suffix(&envelope.name).unwrap_or_default();
        let values = context! {
            source => &envelope.source, id => &envelope.id, name => &envelope.name, stem, extension, folder,
            date => at.strftime("%Y-%m-%d").to_string(), time => at.strftime("%H%M%S").to_string(),
            size => envelope.size, sha256 => &envelope.sha256,
        };
        let made = environment.render_str(&self.0, values).map_err(|error| {
            let names = "source, id, name, stem, extension, folder, date, time, size, sha256";
            format!("{error}; it may hold {names}")
        })?;
        if made.len() > PATH_MAX { Err(format!("it makes a path of {} bytes", made.len())) } else { Ok(made) }
    }
}

/// The names of a path that stays inside.
pub(super) fn parts(path: &str) -> Result<Vec<String>, String> {
    let part = |part: &str| match name_fault(part) {
        Some(fault) => Err(format!("the name `{part}` in the path `{path}` {fault}")),
        None if part.starts_with(TEMPORARY) => Err(format!("the name `{part}` begins as a temporary one")),
        None => Ok(part.to_owned()),
    };
    path.split('/').map(part).collect()
}

/// A name without an ending, in capitals or small letters, that it may have. A name is never empty.
fn without(name: &str, ending: &str) -> String {
    let at = name.len().saturating_sub(ending.len());
    match name.split_at_checked(at) {
        Some((stem, last)) if !stem.is_empty() && last.eq_ignore_ascii_case(ending) => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// A name without its last ending, and the ending with its dot. A dot at the begin begins no ending.
pub fn split(name: &str) -> (&str, &str) {
    let name = last_name(name);
    match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    }
}
