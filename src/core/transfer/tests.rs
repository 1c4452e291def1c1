//! Both sides on a paused clock, over ports in memory.

mod alone;
mod begun;
mod filtered;
mod foreign;
mod room;

use super::collect::{CollectPorts, Collector};
use super::deliver::{DeliverPorts, Deliverer};
use super::error::TransferError;
use super::event::TransferEvent;
use super::naming::NameTemplate;
use super::service::{self, Until};
use super::spec::{After, BrokerSpec, Collect, Deliver, OnExists, Organize, TargetSpec, Transfer, TransferPolicies};
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::file_broker::MemoryFileBroker;
use crate::adapters::memory::file_target::MemoryTarget;
use crate::adapters::memory::filters::MemoryFilters;
use crate::adapters::memory::inbox::MemoryInbox;
use crate::adapters::memory::transfers::MemoryTransfers;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::names::TransferId;
use crate::core::model::policy::RetrySpec;
use crate::core::model::secret::Secret;
use crate::core::model::trace::Sampler;
use crate::core::model::transfer::{FileFailure, FileState, Side};
use crate::core::ports::file_target::Room;
use crate::core::ports::inbox::Shelf;
use crate::core::ports::observer::Observer;
use crate::core::ports::transfer_ledger::{TransferLedger, Wanted};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct World {
    inbox: MemoryInbox,
    broker: MemoryFileBroker,
    target: MemoryTarget,
    work: MemoryTarget,
    filters: MemoryFilters,
    ledger: MemoryTransfers,
    clock: MemoryClock,
    seen: Arc<Mutex<Vec<TransferEvent>>>,
    transfer: Arc<Transfer>,
    /// What a writer does to the folder at the n-th event.
    meddle: Arc<Mutex<Option<Meddling>>>,
}

type Meddling = (fn(&TransferEvent) -> bool, Box<dyn Fn() + Send>);

fn transfer() -> Transfer {
    Transfer {
        id: TransferId::new("sales").unwrap(),
        collect: Some(Collect {
            directory: "in".into(),
            pattern: "*".to_owned(),
            poll: Duration::from_secs(5),
            stable_for: Duration::from_secs(2),
            done_file: None,
            receipt: true,
            after: After::Archive,
            archive: "archive".into(),
            error: "error".into(),
            source: "api".to_owned(),
            max_size: 1 << 20,
        }),
        broker: BrokerSpec::Local("spool".into()),
        deliver: Some(Deliver {
            to: TargetSpec::Directory("out".into()),
            organize_by: Organize::None,
            name: NameTemplate::parse("{{ name }}").unwrap(),
            on_exists: OnExists::Error,
            permissions: Some(0o640),
            max_size: 1 << 20,
            filters: Vec::new(),
            companions: Vec::new(),
            work: "work".into(),
        }),
        state: Secret::new("sqlite:x.db"),
        policies: TransferPolicies {
            retry: RetrySpec {
                max_retries: 4,
                initial_backoff: Duration::from_secs(1),
                backoff_multiplier: 2.0,
                max_backoff: Duration::from_secs(8),
            },
            chunk: 10,
            fsync_every: 2,
            concurrency: 4,
        },
    }
}

impl World {
    fn new() -> Self {
        Self {
            inbox: MemoryInbox::default(),
            broker: MemoryFileBroker::default(),
            target: MemoryTarget::default(),
            work: MemoryTarget::default(),
            filters: MemoryFilters::default(),
            ledger: MemoryTransfers::default(),
            clock: MemoryClock::starting_at(Timestamp::from_second(1_796_000_000).unwrap()),
            seen: Arc::default(),
            transfer: Arc::new(transfer()),
            meddle: Arc::default(),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        self.inbox.write(path, bytes, Timestamp::UNIX_EPOCH);
    }

    async fn run(&self, until: Until) -> Result<(), TransferError> {
        self.run_until(until, &CancellationToken::new()).await
    }

    async fn run_until(&self, until: Until, stop: &CancellationToken) -> Result<(), TransferError> {
        let (seen, meddle) = (Arc::clone(&self.seen), Arc::clone(&self.meddle));
        let observer: Arc<dyn Observer<TransferEvent>> = Arc::new(move |event: &TransferEvent| {
            seen.lock().unwrap().push(event.clone());
            let mut meddle = meddle.lock().unwrap();
            if meddle.as_ref().is_some_and(|(when, _)| when(event))
                && let Some((_, act)) = meddle.take()
            {
                act();
            }
        });
        let (clock, ledger) = (Arc::new(self.clock.clone()), Arc::new(self.ledger.clone()));
        let holder = self.ledger.join("here").await.unwrap();
        let ports = CollectPorts {
            inbox: Arc::new(self.inbox.clone()),
            sender: Arc::new(self.broker.clone()),
            ledger: ledger.clone(),
            clock: clock.clone(),
            observer: Arc::clone(&observer),
            holder: holder.clone(),
            traces: Some(Sampler::ALL),
        };
        let collector = Collector::new(Arc::clone(&self.transfer), ports);
        let (receiver, target) = (Arc::new(self.broker.clone()), Arc::new(self.target.clone()));
        let work = Arc::new(self.work.clone());
        let filters = Arc::new(self.filters.clone());
        let ports = DeliverPorts { receiver, target, work, filters, ledger, clock, observer, holder };
        let deliverer = Deliverer::new(Arc::clone(&self.transfer), ports);
        service::run(collector, deliverer, until, Arc::new(|| 1.0), stop).await
    }

    async fn states(&self, side: Side) -> Vec<FileState> {
        let wanted = Wanted { side: Some(side), limit: 99, ..Wanted::default() };
        self.ledger.records("sales", &wanted).await.unwrap().records.into_iter().map(|record| record.state).collect()
    }

    fn count(&self, wanted: fn(&TransferEvent) -> bool) -> usize {
        self.seen.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }
}

#[tokio::test(start_paused = true)]
async fn files_of_every_size_arrive_and_are_archived() {
    let world = World::new();
    for size in [0, 1, 9, 10, 11, 20, 21, 95] {
        world.write(&format!("f{size}"), &vec![7; size]);
    }
    world.run(Until::Arrived).await.unwrap();
    for size in [0, 1, 9, 10, 11, 20, 21, 95] {
        assert_eq!(world.target.content(&format!("f{size}")), Some(vec![7; size]), "{size}");
    }
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 8);
    assert_eq!(world.states(Side::Collect).await, vec![FileState::Archived; 8]);
    assert_eq!(world.states(Side::Deliver).await, vec![FileState::Delivered; 8]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_while_it_is_sent_is_not_sent_in_part() {
    let world = World::new();
    world.write("a", &[1; 95]);
    let inbox = world.inbox.clone();
    let when: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Moved { side: Side::Collect, .. });
    let act: Box<dyn Fn() + Send> = Box::new(move || inbox.write("a", &[2; 95], Timestamp::UNIX_EPOCH));
    *world.meddle.lock().unwrap() = Some((when, act));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.count(|event| matches!(event, TransferEvent::Dropped { .. })), 1);
    assert_eq!(world.target.content("a"), Some(vec![2; 95]), "the next look finds the new version");
    assert_eq!(world.states(Side::Collect).await, [FileState::Archived], "the one before is forgotten");
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_grows_shrinks_or_vanishes_on_its_way_is_not_sent_in_part() {
    let on_read: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Found { .. });
    let on_way: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Moved { side: Side::Collect, .. });
    for when in [on_read, on_way] {
        for after in [Some(vec![2; 120]), Some(vec![2; 40]), Some(Vec::new()), Some(vec![2; 95]), None] {
            let world = World::new();
            world.write("a", &[1; 95]);
            let (inbox, then) = (world.inbox.clone(), after.clone());
            let act: Box<dyn Fn() + Send> = Box::new(move || match &then {
                Some(content) => inbox.write("a", content, Timestamp::UNIX_EPOCH),
                None => inbox.delete("a"),
            });
            *world.meddle.lock().unwrap() = Some((when, act));
            world.run(Until::Arrived).await.unwrap();
            let archived: Vec<Vec<u8>> = world.inbox.on(Shelf::Archive).into_iter().map(|(_, bytes)| bytes).collect();
            match after {
                Some(content) => {
                    assert_eq!(world.target.content("a").as_ref(), Some(&content));
                    assert_eq!(archived, [content], "the source of what arrived, and of nothing else");
                }
                // An open file goes on after its name: the version that was read may arrive, and all of it.
                None => {
                    assert!(world.target.content("a").is_none_or(|content| content == [1; 95]) && archived.is_empty());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_version_under_the_name_is_never_archived_for_the_one_before() {
    let world = World::new();
    world.write("a", b"one");
    let inbox = world.inbox.clone();
    let when: fn(&TransferEvent) -> bool = |event| matches!(event, TransferEvent::Delivered { .. });
    let act: Box<dyn Fn() + Send> = Box::new(move || inbox.write("a", b"two", Timestamp::UNIX_EPOCH));
    *world.meddle.lock().unwrap() = Some((when, act));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"one".to_vec()));
    // The second version fails, for the name is taken; it is set aside, and not in the archive.
    let [error, archive] = [Shelf::Error, Shelf::Archive].map(|shelf| world.inbox.on(shelf));
    assert!(archive.is_empty(), "{archive:?}");
    assert_eq!(error.iter().filter(|(_, bytes)| bytes == b"two").count(), 1, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_broker_overlooks_for_a_moment_is_not_left_behind() {
    let mut world = World::new();
    world.write("a", b"abc");
    // The collecting side alone: it waits for the receipt.
    world.transfer = Arc::new(Transfer { deliver: None, ..transfer() });
    tokio::time::timeout(Duration::from_mins(1), world.run(Until::Arrived)).await.unwrap_err();
    assert_eq!(world.states(Side::Collect).await, [FileState::Sent]);
    world.transfer = Arc::new(Transfer { collect: None, ..transfer() });
    world.broker.overlook(1);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"abc".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_deliverer_that_gives_no_receipts_is_waited_for_only_where_the_file_says_so() {
    let mut world = World::new();
    world.write("a", b"abc");
    let collect = transfer().collect.map(|collect| Collect { receipt: false, ..collect });
    world.transfer = Arc::new(Transfer { deliver: None, collect, ..transfer() });
    // Not before the broker has it.
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.states(Side::Collect).await, [FileState::Archived]);
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 1);
    world.transfer = Arc::new(Transfer { collect: None, ..transfer() });
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"abc".to_vec()), "it was there for whoever delivers");
}

#[tokio::test(start_paused = true)]
async fn without_room_nothing_is_moved_and_it_waits_for_longer_each_time() {
    let world = World::new();
    world.write("a", &[1; 50]);
    world.target.set_room(Some(Room { free: 99, all: 1000 }));
    let error = world.run(Until::Arrived).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed, "{error}");
    let waits: Vec<u64> = world
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            TransferEvent::Waiting { after, .. } => Some(after.as_secs()),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [1, 2, 4, 8]);
    assert!(world.inbox.on(Shelf::Error).is_empty() && world.inbox.on(Shelf::Archive).is_empty());
    world.target.set_room(Some(Room { free: 100, all: 1000 }));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(vec![1; 50]));
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 1);
}
