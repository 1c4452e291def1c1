//! More data sources than one question to the store brings.

use super::*;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::ports::data_sources::{DataSources, Written};
use crate::core::ports::outbox::{OutboxEntry, OutboxId};
use crate::core::ports::schedules::Writer;
use crate::core::schedule::feed::StoreFeed;

/// More than two pages of them, which do not end with a page.
const COUNT: usize = 1_234;

fn source(number: usize, now: Timestamp) -> DataSource {
    DataSource {
        id: DataSourceId::new(format!("s{number:04}")).unwrap(),
        name: format!("Source {number}"),
        description: String::new(),
        path: "data".to_owned(),
        pattern: "*.csv".to_owned(),
        recursive: false,
        // Once a day, each at a second of its own.
        cron_expression: format!("{} {} 12 * * ?", number % 60, number / 60),
        zone: "UTC".to_owned(),
        calendar: None,
        is_active: true,
        overlap: Overlap::Skip,
        misfire: Misfire::FireOnce,
        action: Does::default(),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn event(id: &DataSourceId, version: u64) -> OutboxEntry {
    OutboxEntry { id: OutboxId::new(format!("changes/{id}:{version}")), key: id.to_string(), payload: Vec::new() }
}

/// How many schedules are active, as it was told last.
fn told(world: &World) -> usize {
    let notes = world.notes.0.lock().unwrap();
    let counts = notes.iter().rev().find_map(|event| match event {
        ScheduleEvent::Counted { counts } => Some(*counts),
        _ => None,
    });
    let active = ScheduleStatus::ALL.iter().position(|status| *status == ScheduleStatus::Active).unwrap();
    counts.unwrap()[active]
}

#[tokio::test(start_paused = true)]
async fn each_data_source_gets_its_schedule_and_loses_it_on_whichever_page_it_is() {
    let mut world = World::new();
    let sources = MemoryState::default();
    world.feed = Some(Arc::new(StoreFeed(Arc::new(sources.clone()))));
    for number in 0..COUNT {
        let source = source(number, world.clock.now());
        assert_eq!(sources.create(&source, &event(&source.id, 1)).await, Ok(Written::Done));
    }
    let pod = world.start("pod-1");
    world.seconds(10).await;
    let all = world.store.schedules().await.unwrap();
    assert!(all.len() == COUNT && all.iter().all(|it| !it.is_deleted && it.revision == 1), "{}", all.len());
    assert_eq!(told(&world), COUNT);
    // On the first page, at ends of pages, and on the last one.
    let gone = [0, 7, 499, 500, 999, 1_000, COUNT - 1];
    for number in gone {
        let id = DataSourceId::new(format!("s{number:04}")).unwrap();
        assert_eq!(sources.delete(&id, 1, &event(&id, 2)).await, Ok(Written::Done));
    }
    // A table that was restored from elsewhere says a later version.
    let restored = world.schedule("s0600").await;
    let restored = Schedule { version: 40, revision: restored.revision + 1, next_execution_time: None, ..restored };
    assert_eq!(world.store.replace_schedule(Writer::Other, &restored).await, Ok(true));
    let renamed = DataSource { name: "Another".to_owned(), version: 2, ..source(501, world.clock.now()) };
    assert_eq!(sources.replace(&renamed, &event(&renamed.id, 2)).await, Ok(Written::Done));
    // Nobody told: the leader looks once a minute.
    world.seconds(70).await;
    let all = world.store.schedules().await.unwrap();
    let deleted: Vec<String> = all.iter().filter(|it| it.is_deleted).map(|it| it.id.to_string()).collect();
    assert_eq!(deleted, gone.map(|number| format!("s{number:04}")));
    assert_eq!(world.schedule("s0501").await.name, "Another");
    // More of them than a page, whose ids stand between two that are there.
    for number in 0..700 {
        let id = DataSourceId::new(format!("s0500-{number:03}")).unwrap();
        let between = DataSource { id, name: format!("Between {number}"), ..source(59, world.clock.now()) };
        assert_eq!(sources.create(&between, &event(&between.id, 1)).await, Ok(Written::Done));
    }
    world.seconds(70).await;
    let all = world.store.schedules().await.unwrap();
    let between = all.iter().filter(|it| it.id.as_str().starts_with("s0500-") && !it.is_deleted).count();
    assert_eq!((between, all.len()), (700, COUNT + 700));
    assert_eq!(world.schedule("s0700").await.revision, 1, "it stood behind the data sources that were read with it");
    assert_eq!(told(&world), COUNT - gone.len() + 700);
    let mended = world.schedule("s0600").await;
    assert!(mended.version == 1 && mended.next_execution_time.is_some(), "{mended:?}");
    // What is left fires, and what is gone does not.
    world.seconds(2 * 3600).await;
    let began = world.began();
    assert!(began.iter().all(|id| !gone.iter().any(|number| id.starts_with(&format!("s{number:04}:")))));
    assert_eq!(began.iter().filter(|id| !id.starts_with("s0500-")).count(), COUNT - gone.len());
    pod.end().await;
}
