//! Problems as miette reports that point into the YAML, and as JSON. Text only: who prints it is not known here.

use super::problem::{ConfigError, Problem};
use crate::core::model::amount::counted;
use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The worker file as reports quote it; its secrets are masked.
type Source = Arc<NamedSource<String>>;

impl ConfigError {
    /// Every problem with the lines it is about.
    pub fn report(&self) -> Report {
        let name = self.path.display().to_string();
        let source = self.masked_text.as_ref().map(|text| Arc::new(NamedSource::new(&name, text.clone())));
        let mut problems: Vec<Pointed> =
            self.problems.iter().map(|problem| Pointed::new(&name, problem, source.clone())).collect();
        if problems.len() == 1
            && let Some(problem) = problems.pop()
        {
            return Report::new(problem);
        }
        Report::new(All { name, problems })
    }

    /// Every problem as a program reads it, in the order of the file.
    pub fn to_json(&self) -> serde_json::Value {
        let path = self.path.display().to_string();
        let json = |problem: &Problem| {
            let place = problem.place;
            serde_json::to_value(ProblemView {
                code: problem.code,
                message: &problem.message,
                hint: &problem.hint,
                field: problem.field.as_deref(),
                file: &path,
                line: place.map(|place| place.line),
                column: place.map(|place| place.column),
            })
            .unwrap_or_default()
        };
        self.problems.iter().map(json).collect()
    }
}

/// A problem's JSON form.
#[derive(Serialize)]
struct ProblemView<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
    field: Option<&'a str>,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
}

/// One problem and the text it points into.
#[derive(Debug)]
struct Pointed {
    message: String,
    hint: String,
    label: Option<LabeledSpan>,
    source: Option<Source>,
}

impl Pointed {
    fn new(name: &str, problem: &Problem, source: Option<Source>) -> Self {
        let quoted = source.is_some().then_some(problem.place).flatten();
        // Where no line can be quoted, the message says where.
        let message = match (quoted, problem.place) {
            (Some(_), _) => problem.message.clone(),
            (None, Some(place)) => format!("{name}:{}:{}: {}", place.line, place.column, problem.message),
            (None, None) => format!("{name}: {}", problem.message),
        };
        let label = quoted.map(|place| LabeledSpan::new(None, place.offset, place.length));
        Self { message, hint: problem.hint.clone(), label, source }
    }
}

impl fmt::Display for Pointed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Pointed {}

impl Diagnostic for Pointed {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.label.as_ref()?;
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}

/// Several problems of one file.
#[derive(Debug)]
struct All {
    name: String,
    problems: Vec<Pointed>,
}

impl fmt::Display for All {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has {}", self.name, counted(self.problems.len() as u64, "problem"))
    }
}

impl Error for All {}

impl Diagnostic for All {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
