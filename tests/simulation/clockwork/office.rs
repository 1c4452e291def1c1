//! People who describe data sources: they make, change and take away, each at some instance, whose line and clock are what they are.

use super::files::FOLDERS;
use super::people::CRONS;
use super::pod::Desk;
use super::world::World;
use crate::sim::locked;
use filegen::core::model::data_source::DataSourceId;
use filegen::core::ports::data_sources::Wanted;
use filegen::core::schedule::sources::{Seen, SourceError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The latest change of a data source that was accepted: its version, and whether it was taken away.
pub type Accepted = Arc<Mutex<BTreeMap<DataSourceId, (u64, bool)>>>;

#[derive(Clone, Copy)]
enum Change {
    Make,
    Edit,
    Delete,
}

/// What somebody comes with.
fn given(world: &World, number: u64) -> Value {
    let mut rng = locked(&world.rng);
    let (path, pattern) = (FOLDERS[rng.index(FOLDERS.len())], ["*", "*.csv"][rng.index(2)]);
    let overlap = ["skip", "queue", "allow"][rng.index(3)];
    let misfire = ["fire_once", "fire_all", "skip"][rng.index(3)];
    let (cron, is_active) = (CRONS[rng.index(CRONS.len())], rng.chance(850));
    json!({
        "name": format!("source {number}"), "path": path, "pattern": pattern, "zone": "Europe/Berlin",
        "cronExpression": cron, "overlap": overlap, "misfire": misfire, "isActive": is_active,
    })
}

/// Somebody may come.
pub fn act(world: &mut World) {
    let change = {
        let mut rng = locked(&world.rng);
        match rng.below(100) {
            0..5 => Change::Make,
            5..14 => Change::Edit,
            14..17 => Change::Delete,
            _ => return,
        }
    };
    let number = locked(&world.rng).below(9);
    let (given, pick) = (given(world, number), locked(&world.rng).next());
    let accepted = Arc::clone(&world.accepted);
    world.visit(|desk| async move {
        // Whoever gets no answer does not know what became of it.
        let _ = come(&desk, change, &given, pick, &accepted).await;
    });
}

async fn come(desk: &Desk, change: Change, given: &Value, pick: u64, accepted: &Accepted) -> Result<(), SourceError> {
    let sources = &desk.sources;
    if matches!(change, Change::Make) {
        let saved = sources.create(given).await?;
        locked(accepted).insert(saved.source.id, (saved.source.version, false));
        return Ok(());
    }
    let mut there = sources.list(&Wanted { most: 100, ..Wanted::default() }).await?.sources;
    there.retain(|source| source.name.starts_with("source "));
    if there.is_empty() {
        return Ok(());
    }
    let one = there.swap_remove(usize::try_from(pick % there.len() as u64).unwrap_or(0));
    let seen = Seen::Versions(vec![one.version]);
    let mut given = given.clone();
    // What was told is known by its path below the folder, so the folder stays.
    (given["name"], given["path"]) = (one.name.clone().into(), one.path.clone().into());
    let (version, is_deleted) = match change {
        Change::Delete => (sources.delete(one.id.as_str(), &seen).await?.version + 1, true),
        _ => (sources.update(one.id.as_str(), &seen, &given).await?.source.version, false),
    };
    let mut accepted = locked(accepted);
    let last = accepted.entry(one.id).or_insert((version, is_deleted));
    *last = (version, is_deleted).max(*last);
    Ok(())
}
