//! What a person should know of a worker file that can be used.

use super::check::receivers::warn;
use super::namesakes::Namesake;
use super::problem::ConfigError;
use super::receivers::Receiver;
use super::resolve::generate::blamed;
use super::{Flow, Loaded};
use crate::core::generate::translate::doubts;
use crate::core::model::door::DoorCertificate;
use crate::core::model::filters::ToolFinding;
use crate::core::model::finding::CheckVerdict;
use crate::core::model::peer::{Insecure, Unreadable};

/// What others know of a worker file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes {
    /// Connections that are weaker than they should be.
    pub insecure: Vec<Insecure>,
    /// Worker files beside this one that declare the same worker.
    pub namesakes: Vec<Namesake>,
    /// Keys of the source's address that change nothing here.
    pub ignored: Vec<&'static str>,
    /// What was found of the doors' certificates.
    pub certificates: Vec<DoorCertificate>,
    /// What was found of the files that filters are made of.
    pub filters: Vec<ToolFinding>,
    /// What is wrong with the variables that say where traces go.
    pub traces: Vec<String>,
}

/// What to do about a certificate.
const RENEW: &str = "put another one with its key in these files: a running daemon takes it by itself";

/// What to do about a file of a filter.
const MEND: &str = "mend the file, or name another one: it is read anew for each file that is delivered";

fn is_doubt(found: &DoorCertificate) -> bool {
    found.finding.verdict == CheckVerdict::Warn
}

impl Loaded {
    /// Addresses that their clients cannot read, each with its place. `None` when there are none.
    pub fn unreadable(&self, addresses: &[Unreadable]) -> Option<ConfigError> {
        let problems = self.with_root(|root| {
            for Unreadable { field, why, hint } in addresses {
                let place = root.place(field);
                place.report_harmless("unreadable-address", format!("`{field}`: {why}"), hint);
            }
            root.context.problems.take().into_sorted()
        });
        (!problems.is_empty()).then(|| self.error(problems))
    }

    /// Files of filters that cannot be used, each with its place. `None` when there are none.
    pub fn unusable(&self, filters: &[ToolFinding]) -> Option<ConfigError> {
        let failed: Vec<_> = filters.iter().filter(|it| it.finding.verdict == CheckVerdict::Fail).collect();
        let problems = self.with_root(|root| {
            for ToolFinding { field, finding } in failed {
                root.place(field).report_harmless("filter-file", finding.detail.clone(), MEND);
            }
            root.context.problems.take().into_sorted()
        });
        (!problems.is_empty()).then(|| self.error(problems))
    }

    /// Certificates of doors that no client would take, each with its place. `None` when there are none.
    pub fn unfit(&self, certificates: &[DoorCertificate]) -> Option<ConfigError> {
        let problems = self.with_root(|root| {
            for DoorCertificate { door, finding } in certificates {
                if finding.verdict == CheckVerdict::Fail {
                    root.section(door).section("tls").report_harmless("certificate", finding.detail.clone(), RENEW);
                }
            }
            root.context.problems.take().into_sorted()
        });
        (!problems.is_empty()).then(|| self.error(problems))
    }

    /// Doors that take a request for any host.
    fn open_doors(&self) -> Vec<(&'static str, String)> {
        match &self.flow {
            Flow::Schedule(scheduler) => scheduler.doors_for_any_host(),
            Flow::Ingest(ingest) => ingest.doors_for_any_host(),
            // They have none.
            Flow::Generate(_) | Flow::Transfer(_) => Vec::new(),
        }
    }

    /// Doors beyond this host that ask for no token.
    fn unguarded_doors(&self) -> Vec<(&'static str, String)> {
        match &self.flow {
            Flow::Schedule(scheduler) => scheduler.doors_for_anybody(),
            Flow::Ingest(ingest) => ingest.doors_for_anybody(),
            Flow::Generate(_) | Flow::Transfer(_) => Vec::new(),
        }
    }

    /// Doors beyond this host whose token goes in clear.
    fn doors_in_clear(&self) -> Vec<(&'static str, String)> {
        match &self.flow {
            Flow::Schedule(scheduler) => scheduler.doors_in_clear(),
            Flow::Ingest(ingest) => ingest.doors_in_clear(),
            Flow::Generate(_) | Flow::Transfer(_) => Vec::new(),
        }
    }

    /// What is worth a second look, each with its place, as an error would tell it. `None` when nothing is.
    pub fn warnings(&self, notes: &Notes) -> Option<ConfigError> {
        let Notes { insecure, namesakes, ignored, certificates, filters, traces } = notes;
        let files = self.flow.worker().map_or(&[][..], |worker| worker.files.as_slice());
        let short_lease = match &self.flow {
            Flow::Generate(worker) => worker.policies.short_lease(),
            Flow::Schedule(scheduler) => scheduler.policies.short_lease(),
            // Neither has a lease: a consumer group leads, and each file is claimed by itself.
            Flow::Ingest(_) | Flow::Transfer(_) => None,
        };
        let problems = self.with_root(|root| {
            for namesake in namesakes {
                let (code, field) = namesake.place();
                root.place(field).report(code, namesake.describe(), namesake.advice());
            }
            if let Some((message, hint)) = short_lease {
                root.section("policies").section("lease_ttl").report("short-lease", message, hint);
            }
            for (door, message) in self.open_doors() {
                let hint = "list the names in `hosts`, or listen on `127.0.0.1` behind a proxy";
                root.section(door).report_harmless("any-host", message, hint);
            }
            for (door, message) in self.unguarded_doors() {
                let hint = "give it a `token`, or let it listen on `127.0.0.1` behind a proxy with a login";
                root.section(door).report_harmless("no-token", message, hint);
            }
            for (door, message) in self.doors_in_clear() {
                let hint =
                    "give it `tls: { certificate, key }`, or let it listen on `127.0.0.1` behind a proxy that encrypts";
                root.section(door).report_harmless("no-tls", message, hint);
            }
            for DoorCertificate { door, finding } in certificates.iter().filter(|it| is_doubt(it)) {
                root.section(door).section("tls").report_harmless("certificate", finding.detail.clone(), RENEW);
            }
            for ToolFinding { field, finding } in filters.iter().filter(|it| it.finding.verdict == CheckVerdict::Warn) {
                root.place(field).report_harmless("filter-file", finding.detail.clone(), MEND);
            }
            for message in traces {
                let hint = "set the variable as OpenTelemetry has it, or leave it out: files are moved without traces";
                root.report_harmless("traces", message.clone(), hint);
            }
            if !ignored.is_empty() {
                let keys: Vec<String> = ignored.iter().map(|key| format!("`{key}`")).collect();
                let message = format!("the address has settings that change nothing here: {}", keys.join(", "));
                let hint = "they steer pools and drivers of other clients; leave them out, or let them stand";
                root.section("source").section("url").report("ignored-setting", message, hint);
            }
            for Insecure { field, what, instead, .. } in insecure {
                let place = root.place(field);
                place.report_harmless("insecure-connection", what.clone(), instead);
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
