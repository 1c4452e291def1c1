//! What a person should know of a worker file that can be used.

use super::check::receivers::warn;
use super::problem::ConfigError;
use super::receivers::Receiver;
use super::resolve::generate::blamed;
use super::{Flow, Loaded};
use crate::core::generate::translate::doubts;
use crate::core::model::peer::Insecure;

impl Loaded {
    /// What is worth a second look, each with its place, as an error would tell it. `None` when nothing is.
    /// `insecure` is what whoever knows the clients says of their connections.
    pub fn warnings(&self, insecure: &[Insecure]) -> Option<ConfigError> {
        let (policies, files) = match &self.flow {
            Flow::Generate(worker) => (&worker.policies, worker.files.as_slice()),
            Flow::Schedule(scheduler) => (&scheduler.policies, &[][..]),
        };
        let short_lease = policies.short_lease();
        let problems = self.with_root(|root| {
            if let Some((message, hint)) = short_lease {
                root.section("policies").section("lease_ttl").report("short-lease", message, hint);
            }
            for Insecure { field, what, instead, .. } in insecure {
                let place = field.split('.').fold(root.clone(), |at, name| at.section(name));
                place.report("insecure-connection", what.as_str(), *instead);
            }
            for (file, spec) in root.section("files").items().into_iter().zip(files) {
                let receiver = file.field("receiver").and_then(|at| at.text()).and_then(Receiver::named);
                if let Some(receiver) = receiver {
                    warn(receiver, &file);
                }
                for doubt in doubts(spec) {
                    let hint =
                        "choose another `null`, or say in the view that NULL means it, as in `COALESCE(flag, false)`";
                    blamed(&file, &doubt).report("null", doubt, hint);
                }
            }
            root.context.problems.take().into_sorted()
        });
        (!problems.is_empty()).then(|| self.error(problems))
    }
}
