//! What people do meanwhile: schedules are described, edited, deleted, paused, resumed and run, and the changes come late, twice and
//! out of order.

use super::world::World;
use crate::sim::locked;
use filegen::core::model::data_source::{Action, DataSource, DataSourceId, Misfire, Overlap};
use filegen::core::model::schedule::{Schedule, ScheduleId};
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::steer::{self, Asked};
use filegen::core::schedule::{record, sync};
use jiff::Timestamp;

/// Schedules whose times nobody changes, each with its way to treat misfires.
pub const STEADY: [(&str, Misfire); 3] =
    [("once", Misfire::FireOnce), ("all", Misfire::FireAll), ("none", Misfire::Skip)];

/// One that is paused and resumed.
pub const IDLE: &str = "idle";

/// One that is edited and deleted.
pub const EDITED: &str = "edited";

const CRONS: [&str; 4] = ["0/10 * * * * ?", "0/15 * * * * ?", "5/20 * * * * ?", "0/30 * * * * ?"];

pub struct People {
    pub began: Timestamp,
    /// When the idle one was paused, and until when.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// Each version of the edited one, and whether it is a deletion.
    pub versions: Vec<(DataSource, bool)>,
    /// Changes that are still on their way.
    under_way: Vec<usize>,
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

impl People {
    pub async fn new(world: &World) -> Self {
        let now = world.now();
        let mut versions = Vec::new();
        let all = STEADY.into_iter().chain([(IDLE, Misfire::FireOnce), (EDITED, Misfire::FireOnce)]);
        for (id, misfire) in all {
            let (cron, overlap) = {
                let mut rng = locked(&world.rng);
                (CRONS[rng.index(4)], [Overlap::Skip, Overlap::Queue, Overlap::Allow][rng.index(3)])
            };
            let source = source(id, cron, misfire, overlap, now);
            let schedule = record::created(&source, &world.settings, now);
            assert_eq!(world.schedules.insert_schedule(&schedule).await, Ok(true));
            if id == EDITED {
                versions.push((source, false));
            }
        }
        Self { began: now, pauses: Vec::new(), versions, under_way: Vec::new(), calm_since: None }
    }

    fn asked(world: &World) -> Asked {
        Asked { who: "ann".to_owned(), why: "by chance".to_owned(), at: record::millis(world.now()) }
    }

    pub async fn act(&mut self, world: &World) {
        let asked = Self::asked(world);
        if world.chance(60) {
            let is_paused = self.pauses.last().is_some_and(|(_, until)| until.is_none());
            if is_paused {
                self.resume(world).await;
            } else if steer::pause(&world.schedules, IDLE, &asked).await.is_ok() {
                self.pauses.push((asked.at, None));
            }
        }
        if world.chance(40) {
            let _ = steer::run_now(&world.schedules, "once", &asked).await;
        }
        if world.chance(80) {
            self.edit(world);
        }
        if !self.under_way.is_empty() && world.chance(300) {
            let index = locked(&world.rng).index(self.under_way.len());
            let version = self.under_way[index];
            // Sometimes it comes once more, later.
            if world.chance(700) {
                self.under_way.swap_remove(index);
            }
            self.deliver(world, version).await;
        }
    }

    fn edit(&mut self, world: &World) {
        let (cron, deleted) = {
            let mut rng = locked(&world.rng);
            (CRONS[rng.index(4)], rng.chance(250))
        };
        let Some((last, _)) = self.versions.last() else { return };
        let version = last.version + 1;
        let source = DataSource { version, cron_expression: cron.to_owned(), ..last.clone() };
        self.under_way.push(self.versions.len());
        self.versions.push((source, deleted));
    }

    async fn deliver(&self, world: &World, index: usize) {
        let (source, deleted) = &self.versions[index];
        let now = record::millis(world.now());
        let _ = sync::apply(&world.schedules, source, *deleted, &world.settings, now).await;
    }

    async fn resume(&mut self, world: &World) {
        let asked = Self::asked(world);
        if steer::resume(&world.schedules, &world.settings, IDLE, &asked).await.is_ok()
            && let Some((_, until)) = self.pauses.last_mut()
        {
            *until = Some(asked.at);
        }
    }

    /// All that is under way arrives, the earliest last.
    pub async fn calm(&mut self, world: &World) {
        let mut left = std::mem::take(&mut self.under_way);
        left.sort_unstable();
        for index in left.into_iter().rev() {
            self.deliver(world, index).await;
        }
        if self.pauses.last().is_some_and(|(_, until)| until.is_none()) {
            self.resume(world).await;
        }
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
