//! Final names of published files: a template that is parsed once, and names that never leave the output root.

use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::run::{BusinessDate, RunId};
use jiff::civil::Date;
use std::fmt;

mod days;
#[cfg(test)]
mod tests;

use days::days;
pub use days::days_to_compare;

/// Longest part of a path, in bytes: the limit of ext4, XFS and NFS.
const PART_BYTES_MAX: usize = 255;

/// Any day: a template is tried with it when it is parsed.
const SAMPLE: BusinessDate = BusinessDate(Date::constant(2026, 11, 21));

/// Why a file's name was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FileNameError {
    /// A placeholder that is not closed.
    #[error("has a `{{` without its `}}`; write `{{{{` for the character itself")]
    NotClosed,
    /// A brace that closes nothing.
    #[error("has a `}}` without its `{{`; write `}}}}` for the character itself")]
    NotOpened,
    /// A placeholder that is not known.
    #[error("has an unknown placeholder `{{{0}}}`; there are {{date}}, {{date:%Y-%m-%d}}, {{worker}} and {{id}}")]
    Unknown(String),
    /// A date form that a day cannot be written in.
    #[error("has a date form `{form}` that a day cannot be written in: {reason}")]
    DateForm {
        /// As it stands in the template.
        form: String,
        /// The formatter's own words.
        reason: String,
    },
    /// A path that is not below the output root, or not a plain name everywhere.
    #[error("{0}")]
    Path(&'static str),
}

/// The template of a file's final name, relative to the output root.
#[derive(Clone, PartialEq, Eq)]
pub struct FileName {
    template: String,
    parts: Vec<Part>,
    daily_folder: bool,
}

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Worker,
    Id,
    /// `{date}`: eight digits.
    Day,
    /// `{date:FORM}`: any strftime form.
    DayAs(String),
}

impl FileName {
    /// Parses `loan0_{date}.txt`: `{date}` is `20261121`, `{date:%Y-%m-%d}` any strftime form of it, `{worker}` and
    /// `{id}` are the names; `{{` and `}}` are the braces themselves. `/` makes folders.
    ///
    /// # Errors
    /// When a placeholder is wrong, or when the name could leave the root.
    pub fn parse(template: &str) -> Result<Self, FileNameError> {
        let name = Self { template: template.to_owned(), parts: parts(template)?, daily_folder: false };
        for part in &name.parts {
            if let Part::DayAs(form) = part {
                if !form.contains('%') {
                    let reason = "it holds no `%`, as in `{date:%Y-%m-%d}`".to_owned();
                    return Err(FileNameError::DateForm { form: form.clone(), reason });
                }
                write_date(form, SAMPLE)?;
            }
        }
        stay_below_root(&name.fill("worker", "id", SAMPLE))?;
        Ok(name)
    }

    /// The same name in a folder of each day: `20261121/LOANS.DAT`.
    #[must_use]
    pub fn in_daily_folder(mut self) -> Self {
        if !self.daily_folder {
            self.daily_folder = true;
            self.parts.splice(0..0, [Part::Day, Part::Text("/".to_owned())]);
        }
        self
    }

    /// Whether each day has a folder.
    pub fn has_daily_folder(&self) -> bool {
        self.daily_folder
    }

    /// The name of one file of one run, relative to the output root, with `/` between folders.
    pub fn render(&self, run: &RunId, file: &FileId) -> String {
        self.render_for(&run.worker, file, run.date)
    }

    /// Looks at the name with its real worker and id, which only they can make too long.
    ///
    /// # Errors
    /// As [`FileName::parse`].
    pub fn check(&self, worker: &WorkerId, file: &FileId) -> Result<(), FileNameError> {
        stay_below_root(&self.render_for(worker, file, SAMPLE))
    }

    /// [`FileName::render`] by its pieces.
    pub fn render_for(&self, worker: &WorkerId, file: &FileId, date: BusinessDate) -> String {
        self.fill(worker.as_str(), file.as_str(), date)
    }

    /// The template as it was given.
    pub fn as_str(&self) -> &str {
        &self.template
    }

    fn fill(&self, worker: &str, id: &str, date: BusinessDate) -> String {
        let mut name = String::with_capacity(self.template.len() + 16);
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Worker => name.push_str(worker),
                Part::Id => name.push_str(id),
                Part::Day => name.push_str(&date.compact()),
                // The form was tried when it was parsed; whether it can be written does not depend on the day.
                Part::DayAs(form) => name.push_str(&write_date(form, date).unwrap_or_else(|_| date.compact())),
            }
        }
        name
    }

    /// Whether two days have the same name, so that one day's file stands in the other's way until somebody takes it away.
    /// Every day of a leap year and of the year behind it is tried: a form that leaves out year, month or day repeats itself
    /// among them.
    pub fn repeats(&self) -> bool {
        if self.parts.contains(&Part::Day) {
            return false;
        }
        let mut seen = std::collections::HashSet::new();
        days(731).any(|day| !seen.insert(self.fill("", "", BusinessDate(day))))
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.template)
    }
}

/// The name of a run's manifest, which is the last to appear: `LoanWorker_20261121.manifest.json`, and
/// `LoanWorker_20261121_v2.manifest.json` for a version that stands beside the one before.
pub fn manifest_name(run: &RunId, version: u32) -> String {
    let suffix = if version == FIRST_VERSION { String::new() } else { format!("_v{version}") };
    format!("{}_{}{suffix}{MANIFEST_END}", run.worker, run.date.compact())
}

/// The name that a correction beside it turns into this one, and the version: `a.txt` and 2 for `a_v2.txt`. `None` for a name that no
/// correction gives.
pub fn version_of(name: &str) -> Option<(String, u32)> {
    let mut marks = name.rmatch_indices("_v").map(|(at, _)| at);
    marks.find_map(|at| {
        let rest = &name[at + 2..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let version = rest[..digits].parse::<u32>().ok().filter(|version| *version > FIRST_VERSION)?;
        let before = format!("{}{}", &name[..at], &rest[digits..]);
        // A manifest's mark stands before all of its ending.
        let manifest = before.strip_suffix(MANIFEST_END).map(|stem| format!("{stem}_v{version}{MANIFEST_END}"));
        (with_version(&before, version) == name || manifest.as_deref() == Some(name)).then_some((before, version))
    })
}

/// What every manifest's name ends with.
const MANIFEST_END: &str = ".manifest.json";

/// A file's name for a version that stands beside the one before: `loan0_20261121_v2.txt`. The mark stands before the extension,
/// also before a double one such as `.csv.gz`.
pub fn with_version(name: &str, version: u32) -> String {
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    let is_extension =
        |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut end = name.len();
    if let Some(dot) = name[base..].rfind('.').filter(|dot| *dot > 0) {
        end = base + dot;
        if let Some(second) =
            name[base..end].rfind('.').filter(|dot| *dot > 0 && is_extension(&name[base + dot + 1..end]))
        {
            end = base + second;
        }
    }
    format!("{}_v{version}{}", &name[..end], &name[end..])
}

fn write_date(form: &str, date: BusinessDate) -> Result<String, FileNameError> {
    jiff::fmt::strtime::format(form, date.0)
        .map_err(|error| FileNameError::DateForm { form: form.to_owned(), reason: error.to_string() })
}

/// Cuts a template into its parts.
fn parts(template: &str) -> Result<Vec<Part>, FileNameError> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(brace);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else if let Some(inner) = from.strip_prefix('{') {
            let (name, after) = inner.split_once('}').ok_or(FileNameError::NotClosed)?;
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(placeholder(name)?);
            rest = after;
        } else {
            return Err(FileNameError::NotOpened);
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn placeholder(name: &str) -> Result<Part, FileNameError> {
    match name {
        "date" => Ok(Part::Day),
        "worker" => Ok(Part::Worker),
        "id" => Ok(Part::Id),
        _ => match name.strip_prefix("date:") {
            Some(form) if !form.is_empty() => Ok(Part::DayAs(form.to_owned())),
            _ => Err(FileNameError::Unknown(name.to_owned())),
        },
    }
}

/// Refuses whatever is not a plain path below the root on every file system.
fn stay_below_root(name: &str) -> Result<(), FileNameError> {
    let refuse = |why| Err(FileNameError::Path(why));
    if name.is_empty() {
        return refuse("is empty");
    }
    if name.starts_with('/') {
        return refuse("is absolute; names are relative to `output.root`");
    }
    if name.contains('\\') {
        return refuse("holds a backslash; write `/` between folders");
    }
    if name.chars().any(char::is_control) {
        return refuse("holds a control character");
    }
    for part in name.split('/') {
        match part {
            "" => return refuse("has an empty part between its slashes"),
            "." | ".." => return refuse("has a part `.` or `..`; names stay below `output.root`"),
            _ if part.len() > PART_BYTES_MAX => return refuse("has a part longer than 255 bytes"),
            _ => {}
        }
    }
    if name.starts_with('.') {
        return refuse("starts with a dot; such names (`.filegen`) are kept for staging and state");
    }
    Ok(())
}
