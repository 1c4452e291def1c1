//! Which world a seed makes: how large it is, and which faults there are, in which mixture.

use crate::rng::Rng;
use filegen::core::model::query::Fetch;
use std::time::Duration;

/// A world's size and faults. Chances are per mille.
#[derive(Clone, Debug)]
pub struct Mix {
    pub pods: usize,
    pub files: usize,
    pub rows: i64,
    pub page_size: u32,
    pub pages_per_commit: u32,
    pub fetch: Fetch,
    pub dates: u32,
    /// How long the faults last.
    pub faults: Duration,
    /// Longest time that the source takes for a page.
    pub page_time: Duration,
    /// Whether the volume is reached over a network, each node with its own cache.
    pub remote: bool,
    /// Whether rows come and go.
    pub moving: bool,
    /// Whether clocks run at different rates.
    pub rates: bool,
    pub kill: u64,
    pub pause: u64,
    pub cut: u64,
    pub power: u64,
    pub node: u64,
    pub stop: u64,
    pub trap: u64,
    /// Of each term: the holder does not get far.
    pub trapped_leader: u64,
    /// Of each call to the store.
    pub lost_request: u64,
    pub lost_reply: u64,
    pub late: u64,
    pub repeated: u64,
    pub slow_store: u64,
    /// Of each operation on the volume.
    pub slow: u64,
    pub hung: u64,
    pub failed_sync: u64,
    pub full: u64,
    /// Of each page.
    pub dropped: u64,
    /// Of each event.
    pub lost_event: u64,
    /// Of each moment in which a run is published: somebody corrects it.
    pub corrected: u64,
    /// The transfer that what is published is handed over to.
    pub deliver: Option<&'static str>,
}

impl Mix {
    pub fn new(rng: &mut Rng) -> Self {
        // Each kind of fault is there or not: a world with all of them hides what one alone would show.
        let mut some = |most: u64| if rng.chance(500) { rng.below(most) + 1 } else { 0 };
        let (kill, pause, cut, power) = (some(300), some(300), some(300), some(60));
        let (node, stop, trap) = (some(100), some(100), some(400));
        let (lost_request, lost_reply, late, repeated) = (some(60), some(60), some(60), some(60));
        let (hung, failed_sync, full) = (some(8), some(8), some(4));
        let (dropped, lost_event) = (some(100), some(300));
        let (slow_store, trapped_leader) = (some(500), some(700));
        let corrected = some(400);
        let slow = rng.below(600);
        Self {
            pods: 3 + rng.index(3),
            files: 1 + rng.index(4),
            rows: 3 + i64::try_from(rng.below(15)).unwrap_or(0),
            page_size: 2 + u32::try_from(rng.below(3)).unwrap_or(0),
            pages_per_commit: 1 + u32::try_from(rng.below(3)).unwrap_or(0),
            fetch: if rng.chance(500) { Fetch::Stream } else { Fetch::Paged },
            dates: 1 + u32::try_from(rng.below(2)).unwrap_or(0),
            faults: Duration::from_secs(100 + rng.below(200)),
            page_time: Duration::from_secs(5 + rng.below(30)),
            remote: rng.chance(700),
            moving: rng.chance(300),
            rates: rng.chance(700),
            kill: kill + 100,
            pause,
            cut,
            power,
            node,
            stop,
            trap,
            trapped_leader,
            lost_request,
            lost_reply,
            late,
            repeated,
            slow_store,
            slow,
            hung,
            failed_sync,
            full,
            dropped,
            lost_event,
            corrected,
            deliver: None,
        }
    }
}
