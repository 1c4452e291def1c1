//! Final names: templates that give each run's files their own names, never outside the output root.

use super::names::{FileId, NameError};
use super::run::RunId;
use jiff::fmt::strtime::BrokenDownTime;
use std::fmt;

/// `loan0_{date}.txt`: `{date}` is `20261121`, `{date:%Y-%m-%d}` any strftime form, `{worker}` and `{id}` the names;
/// `{{` and `}}` are braces. Relative to the output root, parts separated by `/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileName {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Date(String),
    Worker,
    Id,
}

impl FileName {
    /// Reads a template. What it can render to stays under the root: no absolute path, no empty, `.` or `..` part, no
    /// hidden first part, no backslash or control character.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let refuse = |why| NameError::new("file name", text, why);
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let after = &rest[next.len_utf8()..];
            match next {
                '{' | '}' if after.starts_with(next) => {
                    literal.push(next);
                    rest = &after[1..];
                }
                '{' => {
                    let end = after.find('}').ok_or_else(|| refuse("has a `{` without its `}`"))?;
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                    parts.push(placeholder(&after[..end]).map_err(refuse)?);
                    rest = &after[end + 1..];
                }
                '}' => return Err(refuse("has a `}` without its `{`")),
                _ => {
                    literal.push(next);
                    rest = after;
                }
            }
        }
        parts.push(Part::Text(literal));
        let name = Self { text: text.to_owned(), parts };
        check(&name.fill("19991231", "w", "f")).map_err(refuse)?;
        Ok(name)
    }

    /// The name for one run.
    pub fn render(&self, run: &RunId, id: &FileId) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Date(format) => name.push_str(&run.date.0.strftime(format).to_string()),
                Part::Worker => name.push_str(run.worker.as_str()),
                Part::Id => name.push_str(id.as_str()),
            }
        }
        name
    }

    /// Whether two business dates always give two names.
    pub fn has_date(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Date(_)))
    }

    /// The template as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn fill(&self, date: &str, worker: &str, id: &str) -> String {
        let fill = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Date(_) => date.to_owned(),
            Part::Worker => worker.to_owned(),
            Part::Id => id.to_owned(),
        };
        self.parts.iter().map(fill).collect()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `LoanWorker_20261121.manifest.json`.
pub fn manifest_name(run: &RunId) -> String {
    format!("{}_{}.manifest.json", run.worker, run.date.compact())
}

fn placeholder(inner: &str) -> Result<Part, &'static str> {
    match inner {
        "date" => Ok(Part::Date("%Y%m%d".to_owned())),
        "worker" => Ok(Part::Worker),
        "id" => Ok(Part::Id),
        _ => {
            let format =
                inner.strip_prefix("date:").ok_or("may hold `{date}`, `{date:%Y-%m-%d}`, `{worker}` and `{id}`")?;
            let sample = BrokenDownTime::from(jiff::civil::Date::constant(1999, 12, 31)).to_string(format);
            match sample {
                Ok(text) if text.is_empty() => Err("has an empty date format"),
                Ok(text) if text.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) => {
                    Err("has a date format that holds a slash or a control character")
                }
                Ok(_) => Ok(Part::Date(format.to_owned())),
                Err(_) => Err("has a date format that strftime does not know for a date"),
            }
        }
    }
}

fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.starts_with('/') {
        return Err("is absolute; names are relative to output.root");
    }
    if name.contains('\\') || name.chars().any(char::is_control) {
        return Err("holds a backslash or a control character");
    }
    for part in name.split('/') {
        match part {
            "" => return Err("has an empty part between slashes"),
            "." | ".." => return Err("would leave output.root; names may not hold `.` or `..` parts"),
            _ if part.len() > 255 => return Err("has a part longer than 255 bytes"),
            _ => {}
        }
    }
    if name.starts_with('.') {
        return Err("starts with a dot; hidden names are the product's own");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::BusinessDate;

    fn render(template: &str) -> String {
        let run = RunId {
            worker: WorkerId::new("LoanWorker").unwrap(),
            date: BusinessDate(jiff::civil::Date::constant(2026, 11, 21)),
        };
        FileName::parse(template).unwrap().render(&run, &FileId::new("Loan0").unwrap())
    }

    #[test]
    fn a_template_is_filled() {
        assert_eq!(render("loan0_{date}.txt"), "loan0_20261121.txt");
        assert_eq!(render("{date:%Y-%m}/{worker}.{id}.{date:%j}"), "2026-11/LoanWorker.Loan0.325");
        assert_eq!(render("a{{b}}c"), "a{b}c");
    }

    #[test]
    fn a_name_that_leaves_the_root_is_refused() {
        let bad = [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            ".filegen/x",
            "a\\b",
            "a\nb",
            "{date",
            "date}",
            "{time}",
            "{date:%Y/%m}",
            "{date:}",
            "{date:%H}",
            "a/",
        ];
        for name in bad {
            assert!(FileName::parse(name).is_err(), "{name}");
        }
    }
}
