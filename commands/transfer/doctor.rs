//! `filegen doctor` for a transfer file.

use crate::commands::failure::Failure;
use crate::core::doctor::report::CheckResult;
use crate::core::transfer::doctor::{DoctorInput, examine};
use crate::core::transfer::spec::Transfer;
use crate::wiring::{self, Access, TransferState, WiringError};

/// Examines; `tell` prints each finding. With the ledger, where it can be opened. `namesakes` are other transfers that take its files.
pub(in crate::commands) async fn look(
    transfer: &Transfer,
    namesakes: &[String],
    tell: &(dyn Fn(&CheckResult) + Send + Sync),
) -> Result<(Vec<CheckResult>, Option<TransferState>), Failure> {
    let state = match wiring::transfer_state(transfer, Access::Look).await {
        Ok(state) => Ok(state),
        Err(WiringError::Store(error)) => Err(error),
        Err(error) => return Err(error.into()),
    };
    let (inbox, target, work) = (wiring::inbox(transfer), wiring::file_target(transfer)?, wiring::work(transfer));
    let input = DoctorInput {
        transfer,
        inbox: inbox.as_deref(),
        sender: &*wiring::file_sender(transfer),
        target: target.as_deref(),
        work: work.as_deref(),
        namesakes,
        filters: &wiring::filter_findings(transfer),
        ledger: state.as_ref().map(|state| &*state.ledger).map_err(Clone::clone),
        admin: state.as_ref().ok().and_then(|state| state.admin.as_deref()),
        kept: &wiring::kept_by_transfer(transfer),
        clock: &*wiring::clock(),
        nonce: &(wiring::identity().nonce)(),
        insecure: &wiring::insecure_of_transfer(transfer),
        found: tell,
    };
    let mut found = examine(input).await;
    let traces = super::traces::examine().await;
    traces.iter().for_each(tell);
    found.extend(traces);
    Ok((found, state.ok()))
}
