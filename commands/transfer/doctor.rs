//! `filegen doctor` for a transfer file.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::core::doctor::report::CheckResult;
use crate::core::transfer::doctor::{DoctorInput, examine};
use crate::wiring::{self, WiringError};

/// Examines; `tell` prints each finding, `end` all of them.
pub(in crate::commands) fn run(
    context: &Context,
    tell: &(dyn Fn(&CheckResult) + Send + Sync),
    end: impl FnOnce(&[CheckResult]) -> CommandEnd,
) -> Result<CommandEnd, Failure> {
    let transfer = load(context)?;
    context.block_on(async {
        let state = match wiring::transfer_state(&transfer, wiring::Access::Look).await {
            Ok(state) => Ok(state),
            Err(WiringError::Store(error)) => Err(error),
            Err(error) => return Err(error.into()),
        };
        let (inbox, target, work) =
            (wiring::inbox(&transfer), wiring::file_target(&transfer)?, wiring::work(&transfer));
        let input = DoctorInput {
            transfer: &transfer,
            inbox: inbox.as_deref(),
            sender: &*wiring::file_sender(&transfer),
            target: target.as_deref(),
            work: work.as_deref(),
            ledger: state.as_ref().map(|state| &*state.ledger).map_err(Clone::clone),
            kept: &wiring::kept_by_transfer(&transfer),
            clock: &*wiring::clock(),
            nonce: &(wiring::identity().nonce)(),
            insecure: &wiring::insecure_of_transfer(&transfer),
            found: tell,
        };
        Ok(end(&examine(input).await))
    })
}
