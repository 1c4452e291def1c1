//! What happens to published files on their way to a transfer.

use crate::core::model::delivery::Delivery;
use crate::core::ports::store::OddRecord;
use std::time::Duration;

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum DeliverEvent {
    /// A file, or a manifest, lies where its transfer takes files from.
    HandedOver(Box<Delivery>),
    /// Its receipt is there.
    Delivered(Box<Delivery>),
    /// It was refused for good. It goes on when its reason is mended.
    Failed(Box<Delivery>),
    /// A later version took its name before it was handed over.
    Replaced(Box<Delivery>),
    /// A hand-over, a store or a ledger failed. The same is tried again until it works.
    Failing {
        /// What failed.
        reason: String,
        /// Failures in a row, from 1.
        attempt: u32,
        /// Time until the next try.
        after: Duration,
    },
    /// A record cannot be read, so nothing is made of it. The others go on.
    Odd {
        /// Which, and what is wrong with it.
        record: OddRecord,
    },
    /// How all deliveries stand, behind each look.
    Standing(Standing),
}

/// How the deliveries of a worker stand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// To be handed over.
    pub due: u64,
    /// Handed over, and without a receipt yet.
    pub moving: u64,
    /// Refused for good.
    pub failed: u64,
    /// How long the one that has waited longest has waited.
    pub oldest: Duration,
    /// What passing failure keeps the first of them. `None`: nothing does.
    pub kept_by: Option<String>,
    /// Why the first of the refused ones was refused.
    pub refused: Option<String>,
}
