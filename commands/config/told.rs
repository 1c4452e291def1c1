//! What others know of a file: connections, certificates, files beside it.

use crate::commands::context::Context;
use crate::config::{self, ConfigError, Environment, Flow, Loaded};
use crate::core::model::door::DoorCertificate;
use crate::core::model::filters::ToolFinding;
use crate::wiring;

/// What makes no file wrong, and is worth a second look.
pub(super) fn warnings(context: &Context, loaded: &Result<Loaded, ConfigError>) -> Option<ConfigError> {
    let loaded = loaded.as_ref().ok()?;
    let namesakes = config::namesakes(loaded, &context.globals.config, &Environment, &context.registry);
    let ignored = loaded.flow.worker().map(|worker| wiring::ignored_keys(worker)).unwrap_or_default();
    let (mut insecure, certificates) = (wiring::insecure_in(&loaded.flow), certificates(loaded));
    let mut traces = Vec::new();
    if loaded.flow.transfer().is_some() {
        let read = config::traces(&Environment);
        let (unreadable, weak) = read.spec.as_ref().map(wiring::collector_doubts).unwrap_or_default();
        insecure.extend(weak);
        traces.extend(read.problems.into_iter().chain(unreadable));
    }
    let filters = filters(loaded);
    loaded.warnings(&config::Notes { insecure, namesakes, ignored, certificates, filters, traces })
}

/// What there is to say of the certificates of a file's doors.
pub(super) fn certificates(file: &Loaded) -> Vec<DoorCertificate> {
    wiring::certificates_in(&file.flow, wiring::clock().now())
}

/// What there is to say of the files that a transfer's filters are made of.
pub(super) fn filters(file: &Loaded) -> Vec<ToolFinding> {
    match &file.flow {
        Flow::Transfer(transfer) => wiring::filter_findings(transfer),
        Flow::Generate(_) | Flow::Ingest(_) | Flow::Schedule(_) => Vec::new(),
    }
}
