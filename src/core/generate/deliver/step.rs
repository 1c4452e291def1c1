//! One thing on its way, a step further.

use super::{Courier, DeliverEvent, Try};
use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::inlet::InletError;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::delivery::{Delivery, DeliveryState};
use crate::core::model::event::{FILE_DELIVERED, FileDelivered};
use crate::core::model::shown;
use crate::core::ports::handover::Arrival;
use crate::core::ports::store::StoreError;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Notify;

/// Before something that was handed over, and that the transfer still knows nothing of, is handed over once more: it may be gone with its
/// folder.
const AGAIN: Duration = Duration::from_mins(1);

/// Longest reason that is kept, in bytes.
const REASON_MAX: usize = 4096;

impl Courier {
    /// Takes one of a run's deliveries a step further. Whether it moved.
    pub(super) async fn step(
        &self,
        all: &mut [Delivery],
        index: usize,
        tries: &mut HashMap<String, Try>,
        recorded: &Notify,
    ) -> Result<bool, StoreError> {
        let it = all[index].clone();
        if it.state == DeliveryState::Delivered {
            return self.announce(all, index, recorded).await;
        }
        let Some(inlet) = self.inlets.iter().find(|inlet| inlet.name == it.to) else {
            let reason = format!(
                "no transfer {} that collects is served by this process: name its file beside the worker's with `-c`",
                shown::name(&it.to)
            );
            return self.change(all, index, it.state, |new| new.reason = Some(reason)).await;
        };
        if let Some(reason) = reverted(&it, all) {
            return self.change(all, index, DeliveryState::Failed, |new| new.reason = Some(reason)).await;
        }
        let arrival = match inlet.arrivals.arrival(&it.path, it.bytes, &it.sha256).await? {
            Arrival::Moving { id } if planted("told before the receipt") => Arrival::Arrived { id },
            arrival => arrival,
        };
        match arrival {
            Arrival::Unknown if waits(&it, all) => Ok(false),
            Arrival::Unknown => self.hand_over(all, index, tries).await,
            Arrival::Moving { id } => {
                tries.remove(&it.id());
                let now = self.clock.now();
                let handed = |new: &mut Delivery| {
                    new.handed_at.get_or_insert(now);
                    (new.transfer_id, new.reason) = (Some(id), None);
                };
                self.change(all, index, DeliveryState::HandedOver, handed).await
            }
            Arrival::Failed { id, reason } => {
                tries.remove(&it.id());
                let now = self.clock.now();
                let failed = |new: &mut Delivery| {
                    new.handed_at.get_or_insert(now);
                    (new.transfer_id, new.reason) = (Some(id), Some(kept(&reason)));
                };
                self.change(all, index, DeliveryState::Failed, failed).await
            }
            Arrival::Arrived { id } => {
                tries.remove(&it.id());
                crash_point!("deliver.arrived");
                let now = self.clock.now();
                let arrived = |new: &mut Delivery| {
                    new.handed_at.get_or_insert(now);
                    (new.transfer_id, new.reason, new.delivered_at) = (Some(id), None, Some(now));
                    new.done = !self.announces(new);
                };
                let has_moved = self.change(all, index, DeliveryState::Delivered, arrived).await?;
                crash_point!("deliver.delivered");
                self.announce(all, index, recorded).await.map(|announced| announced || has_moved)
            }
        }
    }

    /// Whether an event tells of its arrival.
    fn announces(&self, it: &Delivery) -> bool {
        self.worker.completion.is_some() && it.file.is_some()
    }

    /// Lends a file to its transfer.
    async fn hand_over(
        &self,
        all: &mut [Delivery],
        index: usize,
        tries: &mut HashMap<String, Try>,
    ) -> Result<bool, StoreError> {
        let it = all[index].clone();
        let Some(inlet) = self.inlets.iter().find(|inlet| inlet.name == it.to) else { return Ok(false) };
        let new = || Try { backoff: Backoff::new(self.worker.policies.retry), next: Duration::ZERO, failing: None };
        let tried = tries.entry(it.id()).or_insert_with(new);
        if tried.next > self.clock.elapsed() {
            return Ok(false);
        }
        crash_point!("deliver.giving");
        let lent = inlet.lend(&self.worker.output.root, &it.path, (it.bytes, &it.sha256)).await;
        crash_point!("deliver.given");
        tried.next = self.clock.elapsed() + AGAIN;
        tried.failing = None;
        let now = self.clock.now();
        let error = match lent {
            Ok(()) => {
                tried.backoff.succeeded();
                let handed = |new: &mut Delivery| {
                    new.handed_at.get_or_insert(now);
                    new.reason = None;
                };
                let has_moved = self.change(all, index, DeliveryState::HandedOver, handed).await?;
                crash_point!("deliver.handed");
                return Ok(has_moved);
            }
            Err(error) => error,
        };
        match fate(&error, &it, all) {
            Fate::Replaced => {
                let reason = "a later version took its name before it was handed over".to_owned();
                let replaced = |new: &mut Delivery| (new.reason, new.done) = (Some(reason), true);
                self.change(all, index, DeliveryState::Replaced, replaced).await
            }
            Fate::Lasting => {
                let failed = |new: &mut Delivery| new.reason = Some(kept(&error.to_string()));
                self.change(all, index, DeliveryState::Failed, failed).await
            }
            Fate::Passing => {
                let Pause { attempt, after } = tried.backoff.failed();
                let reason = error.to_string();
                (tried.next, tried.failing) = (self.clock.elapsed() + after, Some(reason.clone()));
                self.observer.observe(&DeliverEvent::Failing { reason: reason.clone(), attempt, after });
                self.change(all, index, it.state, |new| new.reason = Some(kept(&reason))).await
            }
        }
    }

    /// Records the event of an arrival, once a broker has the file's completion event.
    async fn announce(&self, all: &mut [Delivery], index: usize, recorded: &Notify) -> Result<bool, StoreError> {
        let it = all[index].clone();
        let (Some(file), Some(at)) = (it.file.clone().filter(|_| self.announces(&it)), it.delivered_at) else {
            return self.change(all, index, it.state, |new| new.done = true).await;
        };
        let files = self.runs.files(&it.run).await?;
        let completed = files.iter().find(|status| status.file == file).and_then(|status| status.event.as_ref());
        // That of an earlier version is sent no more once a later one has its place.
        let is_told = completed.is_some_and(|entry| {
            entry.event.version > it.version || (entry.event.version == it.version && entry.sent_at.is_some())
        });
        if it.event.is_some() || !(is_told || planted("told ahead of the completion")) {
            return Ok(false);
        }
        let event = FileDelivered {
            worker_id: it.run.worker.to_string(),
            file_id: file.to_string(),
            event_type: FILE_DELIVERED.to_owned(),
            correlation_id: it.correlation_id.clone().unwrap_or_default(),
            path: it.path.clone(),
            bytes: it.bytes,
            sha256: it.sha256.clone(),
            business_date: it.run.date.to_string(),
            version: it.version,
            transfer: it.to.clone(),
            transfer_id: it.transfer_id.clone().unwrap_or_default(),
            delivered_at: at.to_string(),
        };
        let announced = |new: &mut Delivery| (new.event, new.done) = (Some(event), true);
        let has_moved = self.change(all, index, it.state, announced).await?;
        crash_point!("deliver.announced");
        recorded.notify_one();
        Ok(has_moved)
    }

    /// Records what has become of one, if that is anything new; then tells it. Whether it is.
    async fn change(
        &self,
        all: &mut [Delivery],
        index: usize,
        state: DeliveryState,
        change: impl FnOnce(&mut Delivery),
    ) -> Result<bool, StoreError> {
        let mut new = Delivery { state, ..all[index].clone() };
        change(&mut new);
        if new == all[index] {
            return Ok(false);
        }
        if !self.deliveries.advance(&new).await? {
            // Another process was here: the next look sees what it did.
            return Ok(true);
        }
        let before = all[index].state;
        new.revision += 1;
        all[index] = new.clone();
        let told = Box::new(new);
        if state == before {
            return Ok(true);
        }
        match state {
            // Nothing becomes due again.
            DeliveryState::Due => {}
            DeliveryState::HandedOver => self.observer.observe(&DeliverEvent::HandedOver(told)),
            DeliveryState::Delivered => self.observer.observe(&DeliverEvent::Delivered(told)),
            DeliveryState::Failed => self.observer.observe(&DeliverEvent::Failed(told)),
            DeliveryState::Replaced => self.observer.observe(&DeliverEvent::Replaced(told)),
        }
        Ok(true)
    }
}

/// Whether something is not to be handed over yet: what comes before it is, or what must have arrived has not, or an earlier version is
/// under way under the same name.
fn waits(it: &Delivery, all: &[Delivery]) -> bool {
    let is_before = |other: &Delivery| other.version == it.version && other.position < it.position;
    let is_under_way = |other: &Delivery| {
        other.version < it.version && other.path == it.path && other.state == DeliveryState::HandedOver
    };
    let is_due = |other: &Delivery| is_before(other) && other.state == DeliveryState::Due;
    let has_arrived = |id: &String| {
        all.iter()
            .any(|other| other.id() == *id && matches!(other.state, DeliveryState::Delivered | DeliveryState::Replaced))
    };
    let is_behind = it.behind.iter().all(has_arrived) || planted("manifest with its files");
    all.iter().any(|other| is_due(other) || is_under_way(other)) || !is_behind
}

/// Why a version cannot be delivered that has the very bytes of an earlier one, with another one between them.
fn reverted(it: &Delivery, all: &[Delivery]) -> Option<String> {
    let went = |other: &&Delivery| {
        other.path == it.path && matches!(other.state, DeliveryState::HandedOver | DeliveryState::Delivered)
    };
    let same = all.iter().filter(went).find(|other| other.version < it.version && other.sha256 == it.sha256)?;
    let between = all
        .iter()
        .filter(went)
        .find(|other| other.version > same.version && other.version < it.version && other.sha256 != it.sha256)?;
    Some(format!(
        "it has the very bytes of version {}, and version {} has taken that one's place: a transfer sends no version of a file twice. \
         Bring it there by hand, or set `output: {{ corrections: suffix }}`, which gives each version a name of its own",
        same.version, between.version
    ))
}

/// What becomes of something that did not go in.
enum Fate {
    Replaced,
    Lasting,
    Passing,
}

fn fate(error: &InletError, it: &Delivery, all: &[Delivery]) -> Fate {
    let is_other = match error {
        // Its file, or the transfer's, is to be mended.
        InletError::Pattern { .. } | InletError::Large { .. } => return Fate::Lasting,
        InletError::Taken { .. } => return Fate::Passing,
        InletError::Changed { .. } => true,
        InletError::Folder { error, .. } => error.kind() == FailureKind::Absent,
    };
    match is_other {
        true if all.iter().any(|other| other.path == it.path && other.version > it.version) => Fate::Replaced,
        true => Fate::Lasting,
        false => Fate::Passing,
    }
}

fn kept(reason: &str) -> String {
    let reason = shown::text(reason);
    reason[..reason.floor_char_boundary(REASON_MAX)].to_owned()
}
