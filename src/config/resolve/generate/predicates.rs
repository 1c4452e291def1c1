//! Says of what a source refuses where it stands.

use crate::config::Loaded;
use crate::config::problem::ConfigError;

impl Loaded {
    /// A file that the source refuses as a whole, and why: its login, its view, or the right to read it. `fields` of `source` are to
    /// blame, the first that is there; else all of it.
    pub fn refused_by_source(&self, fields: &[&str], why: String) -> ConfigError {
        let problems = self.with_root(|root| {
            let source = root.section("source");
            let place = fields.iter().find_map(|name| source.field(name)).unwrap_or_else(|| source.clone());
            let hint =
                "correct it, or have login and rights given; `filegen doctor` tries the other parts of a run too";
            place.report("refused-source", why, hint);
            root.context.problems.take()
        });
        self.error(problems.into_sorted())
    }

    /// What is wrong with a file whose predicates the source has refused: the files by their place in the list, and the source's
    /// reasons. `None` when it has refused none.
    pub fn refused_predicates(&self, refused: &[(usize, String)]) -> Option<ConfigError> {
        if refused.is_empty() {
            return None;
        }
        let problems = self.with_root(|root| {
            let files = root.section("files").items();
            for (file, reason) in refused.iter().filter_map(|(index, reason)| Some((files.get(*index)?, reason))) {
                let hint = "write a condition that the source's SQL knows, over columns of the view";
                file.section("where").report("refused-predicate", format!("the source refuses it: {reason}"), hint);
            }
            root.context.problems.take()
        });
        Some(self.error(problems.into_sorted()))
    }
}
