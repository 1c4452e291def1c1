//! Transfers in the daemon. Each runs the sides that its file has, until the process is to stop.

use super::supervisor::{PanicObserver, Supervisor};
use super::{Assembly, DaemonError, Served, Shared, TARGET};
use crate::config::Flow;
use crate::core::health::{Dependencies, FaultProbe, Member, Probe};
use crate::core::inlet::Inlet;
use crate::core::model::peer::Insecure;
use crate::core::ports::observer::{Observer, Observers};
use crate::core::transfer::event::TransferEvent;
use crate::core::transfer::health::{BrokerProbe, FolderProbe, LedgerProbe, RecordsProbe, TargetProbe};
use crate::core::transfer::service::{self, Until};
use crate::core::transfer::spec::Transfer;
use crate::core::transfer::status;
use crate::http::transfer::TransferPanel;
use crate::telemetry::transfer::TransferActivity;
use crate::telemetry::transfer::traces::TransferTraces;
use crate::wiring::{self, Access, TransferState};
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, warn};

/// A side that is not heard of for so long hangs, or reads a very large file for its digest.
const SILENCE: Duration = Duration::from_mins(10);

/// Time between two counts of what waits.
const COUNT_EVERY: Duration = Duration::from_secs(10);

impl PanicObserver for TransferActivity {
    fn ended(&self) {
        Self::ended(self);
    }
}

/// The ways in of all transfers that collect: other flows bring files there.
pub(super) async fn inlets(served: &Served) -> Result<Vec<Inlet>, DaemonError> {
    let mut inlets = Vec::new();
    for transfer in served.each(Flow::transfer).filter(|transfer| transfer.collect.is_some()) {
        let state = wiring::transfer_state(transfer, Access::Serve).await?;
        inlets.extend(wiring::inlet(transfer, &state));
    }
    Ok(inlets)
}

/// Adds all transfers' tasks.
pub(super) async fn build(served: &Served, shared: &Shared<'_>, all: &mut Assembly) -> Result<(), DaemonError> {
    for transfer in served.each(Flow::transfer) {
        let clock = wiring::clock();
        let traces = shared.traces.map(|sink| {
            let spans = Arc::clone(&sink.spans);
            Arc::new(TransferTraces::new(transfer.id.as_str(), sink.sampler, spans, Arc::clone(&clock)))
        });
        let activity = TransferActivity::new(transfer.id.as_str(), Arc::clone(&clock)).traced(traces.clone());
        let activity = Arc::new(activity);
        let insecure = wiring::insecure_of_transfer(transfer);
        for Insecure { field, what, instead, .. } in &insecure {
            warn!(target: TARGET, transfer = transfer.id.as_str(), field, instead, "{what}");
        }
        activity.insecure(&insecure);
        let state = wiring::transfer_state(transfer, Access::Serve).await?;
        let dependencies = Arc::new(Dependencies::new(
            probes(transfer, &state, &activity)?,
            Arc::clone(&clock),
            Arc::clone(&activity) as Arc<_>,
        ));
        start(transfer, &state, (&activity, traces), shared, &mut all.tasks).await?;
        let (asked, stop) = (Arc::clone(&dependencies), shared.stop.clone());
        let member = Arc::clone(&activity) as Arc<dyn PanicObserver>;
        all.tasks.add("dependencies", Some(member), async move { asked.watch(&stop).await });
        all.members.push(Member {
            name: transfer.id.as_str().to_owned(),
            working: Arc::clone(&activity) as Arc<_>,
            dependencies: Arc::clone(&dependencies),
        });
        let (transfer, ledger) = (Arc::clone(transfer), state.ledger);
        let delivers = transfer.deliver.as_ref().map(|deliver| wiring::target_shown(&deliver.to));
        all.panels.push(Arc::new(TransferPanel { transfer, delivers, activity, dependencies, ledger, clock }));
    }
    Ok(())
}

/// The probes that health asks.
fn probes(
    transfer: &Transfer,
    state: &TransferState,
    activity: &Arc<TransferActivity>,
) -> Result<Vec<Box<dyn Probe>>, DaemonError> {
    let watched = Arc::clone(activity);
    let poll = transfer.collect.as_ref().map_or(Duration::ZERO, |collect| collect.poll);
    let silence = SILENCE.max(poll.saturating_mul(2));
    let halted = move || watched.now().halted.into_values().next().or_else(|| watched.silent(silence));
    let mut probes: Vec<Box<dyn Probe>> = vec![
        Box::new(LedgerProbe { ledger: Arc::clone(&state.ledger), transfer: transfer.id.as_str().to_owned() }),
        Box::new(RecordsProbe { ledger: Arc::clone(&state.ledger), transfer: transfer.id.as_str().to_owned() }),
        Box::new(FaultProbe { name: "moving", fault: Box::new(halted) }),
        Box::new(BrokerProbe { sender: wiring::file_sender(transfer), nonce: (wiring::identity().nonce)() }),
    ];
    if let Some(inbox) = wiring::inbox(transfer) {
        probes.push(Box::new(FolderProbe { inbox }));
    }
    if let Some(target) = wiring::file_target(transfer)? {
        probes.push(Box::new(TargetProbe { target }));
    }
    Ok(probes)
}

/// Starts both sides, and the count of what waits.
async fn start(
    transfer: &Arc<Transfer>,
    state: &TransferState,
    (activity, traces): (&Arc<TransferActivity>, Option<Arc<TransferTraces>>),
    shared: &Shared<'_>,
    tasks: &mut Supervisor,
) -> Result<(), DaemonError> {
    let mut observer: Arc<dyn Observer<TransferEvent>> = Arc::clone(activity) as _;
    if let Some(traces) = traces {
        // Lines first: they name the trace of what is open.
        observer = Arc::new(Observers(vec![observer, traces]));
    }
    let sampler = shared.traces.map(|sink| sink.sampler);
    let (collector, deliverer) = wiring::transfer_sides(transfer, state, &observer, sampler).await?;
    let member = || Some(Arc::clone(activity) as Arc<dyn PanicObserver>);
    let (stop, told) = (shared.stop.clone(), Arc::clone(activity));
    tasks.add("files", member(), async move {
        if let Err(reason) = service::run(collector, deliverer, Until::Stopped, wiring::jitter(), &stop).await
            && !stop.is_cancelled()
        {
            // A service waits for what does not answer, so that this is a fault of its own.
            error!(target: TARGET, transfer = told.transfer(), %reason, "files are not moved any more");
            told.ended();
        }
    });
    let (ledger, told, name) = (Arc::clone(&state.ledger), Arc::clone(activity), transfer.id.as_str().to_owned());
    let (clock, stop) = (wiring::clock(), shared.stop.clone());
    tasks.add("counts", member(), async move {
        while !stop.is_cancelled() {
            if let Ok(waiting) = ledger.total(&name, &status::open()).await {
                told.waiting(waiting.files);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = clock.sleep(COUNT_EVERY) => {}
            }
        }
    });
    Ok(())
}
