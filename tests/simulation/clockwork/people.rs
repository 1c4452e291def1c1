//! What people do to schedules meanwhile, at some instance: they pause, resume and run.

use super::line::Line;
use super::world::World;
use crate::sim::locked;
use filegen::core::model::data_source::{Action, DataSource, DataSourceId, Misfire, Overlap};
use filegen::core::model::schedule::{Schedule, ScheduleId, ScheduleStatus};
use filegen::core::ports::clock::Clock;
use filegen::core::ports::data_sources::{DataSources, Written};
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::change::{ChangeKind, changed};
use filegen::core::schedule::plan::Settings;
use filegen::core::schedule::record;
use filegen::core::schedule::steer::{Asked, Steering};
use jiff::Timestamp;
use std::sync::Arc;

/// Schedules whose times nobody changes, each with its way to treat misfires.
pub const STEADY: [(&str, Misfire); 3] =
    [("once", Misfire::FireOnce), ("all", Misfire::FireAll), ("none", Misfire::Skip)];

/// One that is paused and resumed.
pub const IDLE: &str = "idle";

pub const CRONS: [&str; 4] = ["0/10 * * * * ?", "0/15 * * * * ?", "5/20 * * * * ?", "0/30 * * * * ?"];

pub struct People {
    pub began: Timestamp,
    /// From here on all is calm: no due time may be missed.
    pub calm_since: Option<Timestamp>,
}

fn source(id: &str, cron: &str, misfire: Misfire, overlap: Overlap, at: Timestamp) -> DataSource {
    DataSource {
        id: DataSourceId::new(id).expect("an id"),
        name: id.to_owned(),
        description: String::new(),
        path: "data".to_owned(),
        pattern: "*".to_owned(),
        recursive: false,
        cron_expression: cron.to_owned(),
        zone: "Europe/Berlin".to_owned(),
        calendar: None,
        is_active: true,
        overlap,
        misfire,
        action: Action::default(),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version: 1,
        created_at: at,
        updated_at: at,
    }
}

/// Whether nobody here changes the data source: its executions look at no folder.
pub fn is_steady(id: &str) -> bool {
    id == IDLE || STEADY.iter().any(|(name, _)| *name == id)
}

fn asked(line: &Line) -> Asked {
    Asked { who: "ann".to_owned(), why: "by chance".to_owned(), at: record::millis(line.now()) }
}

fn steering<'a>(line: &'a Line, settings: &'a Settings) -> Steering<'a> {
    Steering { store: line, trail: line, settings }
}

impl People {
    pub async fn new(world: &World) -> Self {
        let now = world.now();
        for (id, misfire) in STEADY.into_iter().chain([(IDLE, Misfire::FireOnce)]) {
            let (cron, overlap) = {
                let mut rng = locked(&world.rng);
                (CRONS[rng.index(4)], [Overlap::Skip, Overlap::Queue, Overlap::Allow][rng.index(3)])
            };
            let source = source(id, cron, misfire, overlap, now);
            let event = changed(ChangeKind::Created, &source, now);
            assert_eq!(world.state.create(&source, &event).await, Ok(Written::Done));
            let schedule = record::created(&source, &world.settings, now);
            assert_eq!(world.schedules.insert_schedule(&schedule).await, Ok(true));
        }
        Self { began: now, calm_since: None }
    }

    pub fn act(world: &mut World) {
        if world.chance(60) {
            let settings = Arc::clone(&world.settings);
            world.visit(|desk| async move {
                let line = &desk.line;
                let Ok(Some(idle)) = line.schedule(&Self::id(IDLE)).await else { return };
                let _ = match idle.status {
                    ScheduleStatus::Paused => steering(line, &settings).resume(IDLE, &asked(line)).await,
                    _ => steering(line, &settings).pause(IDLE, &asked(line)).await,
                };
            });
        }
        if world.chance(40) {
            let settings = Arc::clone(&world.settings);
            world.visit(|desk| async move {
                let _ = steering(&desk.line, &settings).run_now("once", &asked(&desk.line)).await;
            });
        }
    }

    /// Nobody is paused any more.
    pub async fn calm(world: &World) {
        let line = world.line(0);
        let _ = steering(&line, &world.settings).resume(IDLE, &asked(&line)).await;
    }

    /// Whoever leads now has led for a while, and nothing befalls it any more.
    pub async fn settled(&mut self, world: &World) {
        let ahead = world.schedules.schedules().await.unwrap_or_default();
        let decided = ahead.iter().map(|it: &Schedule| it.decided_until).max();
        self.calm_since = decided.map(|decided| decided.max(world.now()));
    }

    pub fn id(name: &str) -> ScheduleId {
        ScheduleId::new(name)
    }
}
