//! Versions that were begun, or had failed, and whose file is another one by now, or there again.

use super::*;
use crate::core::ports::inbox::Inbox;
use crate::core::transfer::redrive::{RedrivePorts, Redriven, Which, failed, redrive};
use jiff::SignedDuration;

fn is_waiting(event: &TransferEvent) -> bool {
    matches!(event, TransferEvent::Waiting { .. })
}

fn is_refused(event: &TransferEvent) -> bool {
    matches!(event, TransferEvent::Failed(record) if record.side == Side::Deliver)
}

impl World {
    fn on(self, collect: Collect, on_exists: OnExists) -> Self {
        let deliver = transfer().deliver.map(|deliver| Deliver { on_exists, ..deliver });
        let transfer = Transfer { collect: Some(collect), deliver, ..transfer() };
        Self { transfer: Arc::new(transfer), ..self }
    }

    fn meddles(&self, when: fn(&TransferEvent) -> bool, act: impl Fn() + Send + 'static) {
        *self.meddle.lock().unwrap() = Some((when, Box::new(act)));
    }

    async fn kinds(&self) -> Vec<String> {
        let wanted = Wanted::of(Side::Collect, FileState::Failed, 99);
        let records = self.ledger.records("sales", &wanted).await.unwrap().records;
        records.into_iter().filter_map(|record| record.failure).map(|failure| failure.kind).collect()
    }
}

fn kept() -> Collect {
    Collect { after: After::Keep, ..transfer().collect.unwrap() }
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_file_has_gone_before_it_was_sent_is_not_waited_for() {
    let world = World::new();
    world.write("a", &[1; 95]);
    // A process that dies in the middle leaves its record.
    let stop = CancellationToken::new();
    let (inbox, stops) = (world.inbox.clone(), stop.clone());
    world.meddles(
        |event| matches!(event, TransferEvent::Moved { side: Side::Collect, .. }),
        move || {
            stops.cancel();
            inbox.delete("a");
        },
    );
    world.run_until(Until::Arrived, &stop).await.unwrap_err();
    assert_eq!(world.states(Side::Collect).await, [FileState::Sending]);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.states(Side::Collect).await, [], "nothing waits");
    assert_eq!(world.count(|event| matches!(event, TransferEvent::Dropped { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_broker_lost_and_whose_file_has_gone_fails() {
    let mut world = World::new();
    world.write("a", b"abc");
    world.transfer = Arc::new(Transfer { deliver: None, ..transfer() });
    tokio::time::timeout(Duration::from_secs(30), world.run(Until::Arrived)).await.unwrap_err();
    assert_eq!(world.states(Side::Collect).await, [FileState::Sent]);
    world.broker = MemoryFileBroker::default();
    world.inbox.delete("a");
    world.clock.jump_wall(SignedDuration::from_mins(2));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.kinds().await, ["absent"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_fails_hides_no_other_one_that_has_its_name() {
    let world = World::new().on(kept(), OnExists::Error);
    world.write("a", b"one");
    world.target.put("a", b"another");
    let inbox = world.inbox.clone();
    world.meddles(is_refused, move || inbox.write("a", b"two", Timestamp::UNIX_EPOCH));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.kinds().await.len(), 2, "the second one was sent, too");
    world.target.take("a");
    // The first one is not there: it does not go again in the second one's place.
    let ports = RedrivePorts {
        inbox: Some(Arc::new(world.inbox.clone()) as Arc<dyn Inbox>),
        sender: Arc::new(world.broker.clone()),
        ledger: Arc::new(world.ledger.clone()),
        clock: Arc::new(world.clock.clone()),
        holder: world.ledger.join("here").await.unwrap(),
    };
    let shown = failed(&world.ledger, &world.transfer, &Which { id: None, kind: None }).await.unwrap().records;
    let mut told = Vec::new();
    for record in &shown {
        told.push(redrive(&ports, &world.transfer, record).await.unwrap());
    }
    assert_eq!(told.iter().filter(|told| **told == Redriven::Goes).count(), 1, "{told:?}");
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"two".to_vec()));
    let mut states = world.states(Side::Collect).await;
    states.sort();
    assert_eq!(states, [FileState::Archived, FileState::Failed]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_file_that_is_put_there_again_goes_also_when_the_broker_is_away_at_first() {
    let world = World::new();
    world.write("a", b"abc");
    world.target.put("a", b"another");
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.kinds().await, ["conflict"]);
    world.target.take("a");
    world.write("a", b"abc");
    world.broker.be_silent(1);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("a"), Some(b"abc".to_vec()));
    assert_eq!(world.states(Side::Collect).await, [FileState::Archived]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_has_a_name_already_gets_no_second_one_and_its_name_is_made_durable() {
    let world = World::new().on(transfer().collect.unwrap(), OnExists::Suffix);
    world.write("a", b"abc");
    world.target.put("a", b"another");
    world.target.lose_answer();
    let target = world.target.clone();
    // The name in front of its own is free by the next try.
    world.meddles(is_waiting, move || target.take("a"));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!((world.target.content("a"), world.target.content("a-1")), (None, Some(b"abc".to_vec())));
    assert!(world.target.is_durable("a-1"));
    // Also where the name itself shows that it was given.
    let world = World::new();
    world.write("b", b"abc");
    world.target.lose_answer();
    world.run(Until::Arrived).await.unwrap();
    assert!(world.target.is_durable("b"));
    assert_eq!(world.states(Side::Deliver).await, [FileState::Delivered]);
}
