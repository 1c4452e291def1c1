//! Holds a worker file's columns against those that the view really has.

use crate::config::Loaded;
use crate::config::cursor::Cursor;
use crate::config::problem::ConfigError;
use crate::config::suggest::{listed, nearest};
use crate::config::tree::Value;
use crate::core::generate::spec::FileSpec;
use crate::core::generate::translate::{FileTranslator, Registry};
use crate::core::model::column::Column;
use crate::core::model::database::Database;
use std::collections::BTreeMap;

/// More names than this are no help in a hint.
const LISTED_MAX: usize = 12;

impl Loaded {
    /// Whether the view has every column that the worker file names, in just that spelling unless the source
    /// `folds` case, and of a kind that fits its format and its sum, as far as the source knows kinds before it reads rows.
    ///
    /// # Errors
    /// Every column that it does not have, with its place and the nearest that it has; every column whose kind does not fit.
    pub fn check_columns(&self, view: &[Column], folds: bool, registry: &Registry) -> Result<(), ConfigError> {
        let Some(worker) = self.flow.worker() else { return Ok(()) };
        let problems = self.with_root(|root| {
            // SQLite calls a column text until a value has told what it really is.
            let texts_known = Database::of_address(worker.source.url.reveal()) != Some(Database::Sqlite);
            let check = Check { view, texts_known, folds };
            root.section("source").section("key").items().iter().for_each(|at| check.name(at));
            for (file, spec) in root.section("files").items().iter().zip(&worker.files) {
                let noted = root.context.problems.borrow().len();
                check.translator(&file.section("translator"));
                if root.context.problems.borrow().len() == noted {
                    check.hidden(file, spec, registry);
                }
                if root.context.problems.borrow().len() == noted {
                    check.kinds(file, spec, registry);
                }
            }
            root.context.problems.take()
        });
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.into_sorted();
        Err(self.error(problems))
    }
}

struct Check<'a> {
    view: &'a [Column],
    texts_known: bool,
    folds: bool,
}

impl Check<'_> {
    /// The built-in translators; one that is registered by name looks at its columns itself, when it is bound.
    fn translator(&self, at: &Cursor<'_>) {
        for name in ["delimited", "fixed_width", "template"] {
            at.section(name).section("columns").items().iter().for_each(|at| self.column(at));
        }
        self.fields(&at.section("json").section("fields"));
    }

    /// Columns named within a text: in the sums of control records, and in the options of a translator of one's own.
    fn hidden(&self, file: &Cursor<'_>, spec: &FileSpec, registry: &Registry) {
        let Ok(translator) = FileTranslator::new(spec, registry) else { return };
        let summed = translator.tally().columns();
        for name in translator.columns().iter().filter(|name| !self.has(name)) {
            let in_record = |field: &str| {
                summed.contains(name)
                    && file.field(field).and_then(|at| at.text()).is_some_and(|text| text.contains(name))
            };
            let field =
                ["first_record", "last_record"].into_iter().find(|field| in_record(field)).unwrap_or("translator");
            self.report(&file.section(field), name);
        }
    }

    /// Columns whose kind does not fit a format or a sum of the file.
    fn kinds(&self, file: &Cursor<'_>, spec: &FileSpec, registry: &Registry) {
        let Ok(mut translator) = FileTranslator::new(spec, registry) else { return };
        let mut tally = translator.tally();
        // As the source gives them: by the names that they are asked for.
        let mut view = self.view.to_vec();
        for name in translator.columns() {
            let found = self.view.iter().find(|column| column.name != name && self.is_called(column, &name));
            view.extend(found.map(|column| Column { name, kind: column.kind }));
        }
        let bound = if self.texts_known { tally.bind(&view, None, &BTreeMap::new()) } else { tally.bind_empty(&view) };
        let (error, hint) = match (bound, translator.bind(&view, None, &BTreeMap::new())) {
            (Err(error), _) => (error, "a control total needs a number; see what the view says of the column"),
            (Ok(()), Err(error)) if self.texts_known || !error.reason.contains("the sum of column") => {
                (error, "see the column's type in the view")
            }
            _ => return,
        };
        super::files::blamed(file, &error.reason).report("wrong-kind", error.reason, hint);
    }

    fn column(&self, at: &Cursor<'_>) {
        match at.field("column") {
            Some(name) => self.name(&name),
            None => self.name(at),
        }
    }

    fn fields(&self, at: &Cursor<'_>) {
        at.entries().iter().for_each(|(name, node)| self.node(&at.below(name, node)));
    }

    fn node(&self, at: &Cursor<'_>) {
        match at.value() {
            Some(Value::Map(_)) if at.field("column").is_none() && at.field("literal").is_none() => self.fields(at),
            Some(Value::List(_)) => at.items().iter().for_each(|at| self.node(at)),
            _ => self.column(at),
        }
    }

    fn name(&self, at: &Cursor<'_>) {
        if let Some(name) = at.text()
            && !self.has(name)
        {
            self.report(at, name);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.view.iter().any(|column| self.is_called(column, name))
    }

    fn is_called(&self, column: &Column, name: &str) -> bool {
        column.name == name || (self.folds && column.name.to_lowercase() == name.to_lowercase())
    }

    fn report(&self, at: &Cursor<'_>, name: &str) {
        let names = || self.view.iter().map(|column| column.name.as_str());
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.view.len() <= LISTED_MAX => format!("it has {}", listed(names())),
            None => format!("it has {} and {} more", listed(names().take(LISTED_MAX)), self.view.len() - LISTED_MAX),
        };
        at.report("unknown-column", format!("the view has no column `{}`", name.escape_debug()), hint);
    }
}
