//! Filters that make other bytes each time, and those that cannot be begun.

use super::*;
use crate::core::model::filters::{Each, JsonCheck, ToolSpec};
use crate::core::ports::filters::FilterError;
use crate::core::transfer::steps::Filter;

fn world() -> World {
    let mut transfer = transfer();
    let check = JsonCheck { schema: "s".into(), each: Each::Line, rows: None, max_size: 1 };
    transfer.deliver.as_mut().unwrap().filters = vec![Filter::Tool(ToolSpec::Json(check))];
    World { transfer: Arc::new(transfer), ..World::new() }
}

#[tokio::test(start_paused = true)]
async fn a_later_try_delivers_the_very_bytes_that_the_first_one_made() {
    let world = world();
    world.write("a", &[7; 95]);
    // The target takes no name at all, so that it is waited for.
    world.target.refuse(Some(""));
    for _ in 0..3 {
        world.run(Until::Arrived).await.unwrap_err();
    }
    world.target.refuse(None);
    world.run(Until::Arrived).await.unwrap();
    let made = world.target.content("a").unwrap();
    assert_eq!(made[0], 0, "it was made once");
    assert_eq!(MemoryFilters::undone(&made), Some(vec![7; 95]));
    world.write("b", &[7; 95]);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.target.content("b").unwrap()[0], 1, "each file is made anew");
}

#[tokio::test(start_paused = true)]
async fn a_filter_whose_file_cannot_be_used_stops_the_side_and_moves_nothing() {
    let world = world();
    world.write("a", &[7; 95]);
    world.filters.fail(Some(FilterError::Unusable { filter: "check", reason: "no such file".to_owned() }));
    let error = world.run(Until::Arrived).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Config);
    assert!(error.to_string().contains("no such file"), "{error}");
    assert!(world.inbox.on(Shelf::Error).is_empty() && world.inbox.on(Shelf::Archive).is_empty());
    world.filters.fail(None);
    world.run(Until::Arrived).await.unwrap();
    assert_eq!(world.inbox.on(Shelf::Archive).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_at_its_end_sets_its_files_aside() {
    let world = world();
    world.write("a", &[7; 95]);
    world.filters.fail(Some(FilterError::Ended { filter: "check", reason: "the key was valid until then".to_owned() }));
    world.run(Until::Arrived).await.unwrap();
    assert_eq!((world.inbox.on(Shelf::Error).len(), world.states(Side::Deliver).await), (2, vec![FileState::Failed]));
    assert_eq!(world.target.content("a"), None);
}
