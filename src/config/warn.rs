//! What a person should know of a worker file that can be used.

use super::Loaded;
use super::problem::ConfigError;
use super::redact::masked_in_place;

impl Loaded {
    /// What is worth a second look, each with its place, as an error would tell it. `None` when nothing is.
    pub fn warnings(&self) -> Option<ConfigError> {
        let (message, hint) = self.worker()?.policies.short_lease()?;
        let problems = self.with_root(|root| {
            root.section("policies").section("lease_ttl").report("short-lease", message, hint);
            root.context.problems.take().into_sorted()
        });
        Some(ConfigError { path: self.path.clone(), problems, masked_text: Some(masked_in_place(&self.text)) })
    }
}
