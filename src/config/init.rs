//! Worker files to start from: the full example, and one made of a real view's columns.

use super::receivers::{RECEIVERS, Receiver};
use super::redact;
use super::suggest::{listed, nearest};
use super::vars::{Vars, without_references};
use super::yaml::{name, scalar};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::model::column::{Column, Kind, Observed};
use crate::core::model::names::ViewName;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// A worker file with every section and its reasons; fit for use once its view exists.
pub(super) const EXAMPLE: &str = include_str!("example.yaml");

/// Written into each file, so that nobody is surprised by the first line, or by its absence.
const PROGRESS_LINE: &str = "progress_header: true  # the first line says how far the file has come: {page},{rows}";

/// Programs that read CSV or JSON take a first line for a record, or stop at it.
const NO_PROGRESS_LINE: &str =
    "progress_header: false  # no first line {page},{rows}: what reads such files does not know it";

/// What a worker file is made of.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The source's address. `None` leaves it to SQL_CONNECTION_STRING.
    pub url: Option<&'a str>,
    /// The view, as the person wrote it.
    pub view: &'a str,
    /// The key, when the person named it.
    pub key: &'a [String],
    /// The view's columns.
    pub columns: &'a [Column],
    /// What is known of each one's values. May be empty.
    pub observed: &'a [Observed],
    /// The program that loads the file. `None`: a file of each kind, for nobody in particular.
    pub receiver: Option<&'a str>,
}

/// A worker that can only be asked for its source: to look at a view before there is a worker file. `url` may hold
/// references. `None` takes SQL_CONNECTION_STRING. A relative path starts in the current folder.
///
/// # Errors
/// What is wrong with the address or the view's name, in a line, and what to do.
pub fn look_at(url: Option<&str>, view: &str, vars: &dyn Vars) -> Result<Worker, (String, String)> {
    if url.is_none() && vars.get("SQL_CONNECTION_STRING").is_none_or(|value| value.is_empty()) {
        let hint = "name it with `--from URL`, or set the environment variable SQL_CONNECTION_STRING";
        return Err(("no source is named".to_owned(), hint.to_owned()));
    }
    // The smallest worker file that parses. Nobody reads its column.
    let url = url.map_or_else(String::new, |url| format!("url: {}, ", name(url)));
    let text = format!(
        "{{ worker: init, source: {{ {url}view: {}, key: a }}, output: {{ root: . }}, \
         files: [{{ id: a, name: \"{{date}}\", translator: {{ json: {{ fields: {{ a: a }} }} }} }}] }}",
        scalar(view)
    );
    let loaded = super::parse(&text, Path::new("worker.yaml"), vars, &Registry::default());
    loaded.and_then(super::Loaded::into_worker).map(Arc::unwrap_or_clone).map_err(|error| {
        let first = error.problems.into_iter().next();
        first.map_or_else(Default::default, |problem| (problem.message, problem.hint))
    })
}

impl Sample<'_> {
    /// A commented worker file over all columns of the view: with the file that the receiver takes, or with one of each built-in
    /// kind.
    ///
    /// # Errors
    /// When the view does not have a column of the key, or there is no such receiver; says which there are.
    pub fn to_yaml(&self) -> Result<String, String> {
        let base = base_name(self.view);
        let file = base.to_lowercase();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "# A filegen worker file. `filegen config schema` explains every field to your editor, `filegen config check`\n\
             # checks it, `filegen doctor` looks at the view itself, `filegen run` makes the files.\n\
             worker: {worker}\n\
             source:\n\
             {url}  view: {view}\n\
             {key}\
             output:\n  root: out  # relative to this file\n\
             files:\n",
            worker = scalar(&format!("{}Worker", base.trim_end_matches("Worker"))),
            url = self.url_lines(),
            view = scalar(self.view),
            key = self.key_line()?,
        );
        match self.receiver {
            None => self.each_kind(&file, &mut text),
            Some(receiver) => text.push_str(&self.for_receiver(receiver, &file)?),
        }
        Ok(text)
    }

    /// The one file that a receiver takes.
    fn for_receiver(&self, name: &str, file: &str) -> Result<String, String> {
        let names = || RECEIVERS.iter().map(|receiver| receiver.name);
        let receiver = Receiver::named(name).ok_or_else(|| {
            let hint = nearest(name, names()).map_or_else(|| listed(names()), |near| format!("did you mean `{near}`?"));
            format!("there is no receiver `{name}`; {hint}")
        })?;
        let (end, id, columns) = match receiver.translator {
            "delimited" => ("csv", "Csv", format!("        columns: {}\n", self.names())),
            _ => ("dat", "FixedWidth", format!("        columns:\n{}", self.fields())),
        };
        Ok(format!(
            "  - id: {id}\n    name: \"{file}_{{date}}.{end}\"\n    receiver: {name}  # `filegen config show` shows what it sets; \
             docs/receivers.md says what to tell the program\n    translator:\n      {}:\n{columns}",
            receiver.translator
        ))
    }

    /// The columns' names as a list.
    fn names(&self) -> String {
        wrapped(&self.columns.iter().map(|column| scalar(&column.name)).collect::<Vec<_>>())
    }

    /// One file of each built-in kind.
    fn each_kind(&self, file: &str, text: &mut String) {
        let list = self.names();
        let _ = write!(
            text,
            "  - id: Delimited\n    name: \"{file}_{{date}}.txt\"\n    {PROGRESS_LINE}\n    translator:\n      delimited:\n        delimiter: \"|\"\n        \
             quote: minimal  # a value with a delimiter, quote or line break is quoted; `never` ends the run at it\n        \
             columns: {list}\n\
             \n  - id: Csv\n    name: \"{file}_{{date}}.csv\"\n    {NO_PROGRESS_LINE}\n    translator:\n      delimited:\n        delimiter: \",\"\n        \
             quote: minimal\n        names: true  # the first record holds the columns' names\n        columns: {list}\n",
        );
        text.push_str(&self.fixed_width(file));
        let _ = write!(
            text,
            "\n  - id: Json\n    name: \"{file}_{{date}}.jsonl\"\n    {NO_PROGRESS_LINE}\n    translator:\n      json:\n        fields:\n"
        );
        for column in self.columns {
            let _ = writeln!(text, "          {}: {}", name(&column.name), scalar(&column.name));
        }
    }

    /// The fixed-width file; nothing where no column fits into a record.
    fn fixed_width(&self, file: &str) -> String {
        let seen = |index: usize| self.observed.get(index).copied().unwrap_or_default();
        if (0..self.columns.len()).all(|index| seen(index).breaks) {
            return String::new();
        }
        format!(
            "\n  - id: FixedWidth\n    name: \"{file}_{{date}}.dat\"\n    {PROGRESS_LINE}\n    on_overflow: error  # `truncate` cuts \
             and counts\n    translator:\n      fixed_width:\n        columns:\n{}",
            self.fields()
        )
    }

    /// The columns as fields of fixed width, a line each.
    fn fields(&self) -> String {
        let seen = |index: usize| self.observed.get(index).copied().unwrap_or_default();
        self.columns.iter().enumerate().map(|(index, column)| field(column, seen(index))).collect()
    }

    /// A password is never written; the environment brings it.
    fn url_lines(&self) -> String {
        match self.url.filter(|url| !redact::holds_login(url) || *url != without_references(url)) {
            None => {
                "  # url: left out, so SQL_CONNECTION_STRING is it, or the file that SQL_CONNECTION_STRING_FILE names\n"
                    .to_owned()
            }
            Some(url) => format!("  url: {}\n", scalar(url).replace("$${", "${")),
        }
    }

    fn key_line(&self) -> Result<String, String> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        for given in self.key {
            if !names().any(|name| name == given) {
                let hint = nearest(given, names())
                    .map_or_else(|| format!("it has {}", listed(names())), |n| format!("did you mean `{n}`?"));
                return Err(format!("the view has no column `{given}` for the key; {hint}"));
            }
        }
        if !self.key.is_empty() {
            return Ok(format!(
                "  key: [{}]\n",
                self.key.iter().map(|name| scalar(name)).collect::<Vec<_>>().join(", ")
            ));
        }
        let (guess, repeats) = guessed_key(self.columns, self.observed).ok_or("the view has no columns")?;
        let note = if repeats {
            "no column alone is a key: each has NULL, or a value twice, in the rows looked at; name more, as in `[a, b]`"
        } else {
            "a guess: it must be unique and not null; `filegen doctor` looks"
        };
        Ok(format!("  key: [{}]  # {note}\n", scalar(guess)))
    }
}

/// `id`, else the first that ends in `id`, else the first of all: among the columns that were not seen to be no key, where there is
/// one. Also says whether there is none.
fn guessed_key<'a>(columns: &'a [Column], observed: &[Observed]) -> Option<(&'a str, bool)> {
    let fits = |kind: Kind| !matches!(kind, Kind::Float32 | Kind::Float64 | Kind::Bool | Kind::Json);
    let repeats = |index: usize| observed.get(index).is_some_and(|seen| seen.repeats);
    let guess = |may_repeat: bool| {
        let usable = || {
            let columns = columns.iter().enumerate().filter(move |(index, _)| may_repeat || !repeats(*index));
            columns.filter(|(_, column)| fits(column.kind)).map(|(_, column)| column.name.as_str())
        };
        usable()
            .find(|name| name.eq_ignore_ascii_case("id"))
            .or_else(|| usable().find(|name| name.to_ascii_lowercase().ends_with("id")))
            .or_else(|| usable().next())
    };
    let first = || columns.first().map(|column| column.name.as_str());
    match guess(false) {
        Some(name) => Some((name, false)),
        None => guess(true).or_else(first).map(|name| (name, !observed.is_empty())),
    }
}

/// The view's own name without prefixes and signs: `LoanData` of `dbo.v_LoanData`.
fn base_name(view: &str) -> String {
    let name = ViewName::parse(view).ok().and_then(|view| view.parts().last().cloned()).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let prefix = ["view_", "vw_", "v_"].into_iter().find(|prefix| lower.starts_with(prefix)).unwrap_or("");
    let base: String = name.chars().skip(prefix.len()).filter(char::is_ascii_alphanumeric).take(60).collect();
    if base.is_empty() { "Data".to_owned() } else { base }
}

/// A field of the fixed-width file. What was seen to hold line breaks is only a comment: a record would end at the first of them.
fn field(column: &Column, seen: Observed) -> String {
    let (width, right) = width(column.kind);
    let align = if right { ", align: right" } else { "" };
    let mut what = column.kind.describe();
    let declared = seen.length.filter(|length| column.kind == Kind::Text && *length <= DECLARED_MAX);
    // Widths of a UTF-8 file count bytes.
    let widest = u32::try_from(seen.widest.max(1)).unwrap_or(1);
    if let Some(length) = declared {
        let bytes = if widest > 1 { format!(" of up to {widest} bytes") } else { String::new() };
        what = format!("{what} of at most {length} characters{bytes}");
    }
    let longest = u32::try_from(seen.longest).unwrap_or(u32::MAX).min(WIDTH_MAX);
    let width = match declared {
        // A source may hold longer values than it declares.
        Some(length) => length.max(1).saturating_mul(widest).max(longest),
        None if longest > width => {
            what = format!("{what}; at most {longest} bytes in the rows looked at");
            (longest + longest / 4).min(WIDTH_MAX)
        }
        None => width,
    };
    let field = format!("- {{ column: {}, width: {width}{align} }}  # {what}", scalar(&column.name));
    if seen.breaks {
        format!("          # {field}; left out: its values hold line breaks, which a record cannot\n")
    } else {
        format!("          {field}\n")
    }
}

/// Longer declarations say nothing about the values: a field of this width would be mostly blanks.
const DECLARED_MAX: u32 = 500;

/// The widest field that a worker file may ask for.
const WIDTH_MAX: u32 = 1_000_000;

/// A width that every value of the kind fits, where the kind says so, and whether numbers stand to the right.
fn width(kind: Kind) -> (u32, bool) {
    let fraction = |digits: u8| if digits == 0 { 0 } else { 1 + u32::from(digits) };
    match kind {
        Kind::Bool => (5, false),
        Kind::Int => (20, true),
        Kind::Float32 | Kind::Float64 => (25, true),
        // Sign, point, and the zero before it.
        Kind::Decimal { precision, .. } | Kind::DecimalText { precision, .. } => (u32::from(precision) + 3, true),
        Kind::Number => (40, true),
        Kind::Text => (40, false),
        Kind::Uuid => (36, false),
        Kind::Json => (100, false),
        Kind::Bytes => (64, false),
        Kind::Date => (10, false),
        Kind::Time { digits } => (8 + fraction(digits), false),
        Kind::Timestamp { digits, utc } => (19 + fraction(digits) + u32::from(utc), false),
        Kind::TimestampText => (35, false),
    }
}

/// A list in brackets, on lines that people can read.
fn wrapped(names: &[String]) -> String {
    let mut text = String::from("[");
    let mut line = 0;
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        if line > 80 {
            text.truncate(text.trim_end().len());
            text.push_str("\n                  ");
            line = 0;
        }
        text.push_str(name);
        line += name.chars().count() + 2;
    }
    text.push(']');
    text
}
