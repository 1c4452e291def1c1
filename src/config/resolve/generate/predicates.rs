//! Says of each predicate that a source refuses where it stands.

use crate::config::Loaded;
use crate::config::problem::ConfigError;

impl Loaded {
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
