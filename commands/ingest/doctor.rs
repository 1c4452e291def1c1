//! `filegen doctor` for an ingest file.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::doctor::report::CheckResult;
use crate::core::ingest::doctor::{DoctorInput, examine};
use crate::wiring;

/// Examines; `tell` prints each finding, `end` all of them.
pub(in crate::commands) fn run(
    context: &Context,
    tell: &(dyn Fn(&CheckResult) + Send + Sync),
    end: impl FnOnce(&[CheckResult]) -> CommandEnd,
) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    context.block_on(async {
        let (mut sink, queue, clock) = (wiring::sql_sink(&ingest)?, wiring::letter_queue(&ingest)?, wiring::clock());
        let input = DoctorInput {
            ingest: &ingest,
            sink: &mut *sink,
            queue: &*queue,
            topic: wiring::event_topic_probe(&ingest)?,
            events: wiring::event_file(&ingest),
            kept: &wiring::kept_by_ingest(&ingest),
            clock: &*clock,
            insecure: &wiring::insecure_of_ingest(&ingest),
            certificates: &wiring::certificates(&ingest.certificates(), clock.now()),
            found: tell,
        };
        Ok(end(&examine(input).await))
    })
}
