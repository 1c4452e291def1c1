//! SQL of a worker file: finds the places of parameters in it, and notes what is no parameter and what is no such SQL.

use crate::config::cursor::Cursor;
use crate::config::suggest::{listed, nearest};
use crate::core::generate::spec::{PARAMS_OF_EVERY_RUN, ParamSpec};
use crate::core::model::sql::{Lexicon, MarkError, Template};

/// What SQL of a worker file may name, and how its source reads SQL.
pub(super) struct SqlContext<'a> {
    pub(super) params: &'a [ParamSpec],
    /// `None` where the address is not known.
    pub(super) lexicon: Option<Lexicon>,
}

impl SqlContext<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        PARAMS_OF_EVERY_RUN.iter().map(|(name, _)| *name).chain(self.params.iter().map(|param| param.name.as_str()))
    }

    /// SQL with its parameters found. `None` when something is wrong with it; that is noted then. `check` says whether it is
    /// the SQL that it is to be.
    pub(super) fn template(
        &self,
        at: &Cursor<'_>,
        text: &str,
        check: impl Fn(Lexicon, &str) -> Result<(), String>,
    ) -> Option<Template> {
        let template = match Template::parse(text, |name| self.names().any(|known| known == name)) {
            Ok(template) => template,
            Err(error) => {
                self.refuse(at, &error);
                return None;
            }
        };
        if let Some(Err(why)) = self.lexicon.map(|lexicon| check(lexicon, &template.outline())) {
            let what = at.name();
            at.report(
                "impossible-value",
                format!("`{what}` cannot be used: {why}"),
                "it goes to the source as it stands",
            );
            return None;
        }
        Some(template)
    }

    /// Notes a mark that is no parameter's place.
    pub(super) fn refuse(&self, at: &Cursor<'_>, error: &MarkError) {
        // What the environment gave is not shown.
        let given_here = at.scalar().is_some_and(|scalar| scalar.variables.is_empty());
        let mark = if given_here { format!("`{}`", error.mark) } else { at.shown() };
        let name = error.name.as_deref().filter(|_| given_here);
        let hint = match name {
            Some(name) if error.is_known => {
                format!("write `{{{name}}}`, without quotes around it: its value is bound, never written into the SQL")
            }
            Some(name) => {
                let near = nearest(name, self.names()).map(|near| format!("did you mean `{{{near}}}`? "));
                let plain =
                    if name.contains('.') { String::new() } else { format!("; the text itself is `{{{{{name}}}}}`") };
                format!(
                    "{}there are {}, and those under `params`{plain}",
                    near.unwrap_or_default(),
                    listed(self.names())
                )
            }
            None => "write `{date}` for a parameter; its value is bound, never written into the SQL".to_owned(),
        };
        at.report("unknown-parameter", format!("{mark} is no parameter"), hint);
    }
}
