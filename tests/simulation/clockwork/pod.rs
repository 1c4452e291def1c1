//! One instance: the real service, its listener and its relays over one line, and the desk where people find it.

use super::book::{Book, Look};
use super::line::Line;
use super::people::is_steady;
use super::topic::{Here, Member, Topic, Writer};
use super::world::World;
use crate::sim::locked;
use crate::weather::Weather;
use async_trait::async_trait;
use filegen::core::election::ElectionEvent;
use filegen::core::model::data_source::{ClockChange, DataSource, DataSourceId, Misfire, Overlap};
use filegen::core::model::names::{InstanceId, LeaseKey};
use filegen::core::model::policy::Policies;
use filegen::core::model::schedule::Execution;
use filegen::core::outbox::{LOOK_EVERY, OutboxEvent, OutboxPublisher, relay};
use filegen::core::ports::clock::Clock;
use filegen::core::ports::data_sources::DataSources;
use filegen::core::ports::observer::{Observer, Retrying};
use filegen::core::ports::producer::Producer;
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::action::{Action, ActionError, Done, Firing};
use filegen::core::schedule::bounds::Bounds;
use filegen::core::schedule::change::CHANGES;
use filegen::core::schedule::data_source::{Others, Rules};
use filegen::core::schedule::discover::{DISCOVERED, Discovery, FileDiscovered};
use filegen::core::schedule::event::ScheduleEvent;
use filegen::core::schedule::feed::StoreFeed;
use filegen::core::schedule::hear::{Applier, Heard, Listener, hear};
use filegen::core::schedule::looks::Looks;
use filegen::core::schedule::roots::Roots;
use filegen::core::schedule::service::{Leading, Service};
use filegen::core::schedule::sources::Sources;
use filegen::core::schedule::spec::Defaults;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A file is ready when it held still for so long.
const STABLE_FOR: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Pod {
    pub weather: Arc<Mutex<Weather>>,
    pub process: Option<(CancellationToken, JoinHandle<()>)>,
    pub start_at: Option<Instant>,
    pub lives: u32,
    /// Where people find it, while it lives; and what they wait for.
    pub desk: Option<Arc<Desk>>,
    pub visits: JoinSet<()>,
}

/// What an instance offers to people.
pub struct Desk {
    pub line: Line,
    pub sources: Sources,
}

impl Pod {
    /// Ends it without anything being finished. It starts again at that time.
    pub fn kill(&mut self, again: Instant) {
        if let Some((_, task)) = self.process.take() {
            task.abort();
            self.visits.abort_all();
            (self.desk, self.start_at) = (None, Some(again));
        }
    }
}

struct Watcher {
    book: Arc<Mutex<Book>>,
    name: String,
    shown: bool,
}

impl Watcher {
    fn note(&self, what: &str) {
        if self.shown {
            println!("{}: {what}", self.name);
        }
    }
}

impl Observer<ScheduleEvent> for Watcher {
    fn observe(&self, event: &ScheduleEvent) {
        if !matches!(event, ScheduleEvent::Looked { .. }) {
            self.note(&format!("{event:?}"));
        }
    }
}

impl Observer<ElectionEvent> for Watcher {
    fn observe(&self, event: &ElectionEvent) {
        if matches!(event, ElectionEvent::Leading { .. }) {
            locked(&self.book).terms += 1;
        }
        if !matches!(event, ElectionEvent::Renewed) {
            self.note(&format!("{event:?}"));
        }
    }
}

impl Observer<Retrying> for Watcher {
    fn observe(&self, retrying: &Retrying) {
        self.note(&retrying.reason);
    }
}

impl Observer<Heard> for Watcher {
    fn observe(&self, heard: &Heard) {
        if let Heard::Odd { reason } = heard {
            locked(&self.book).wrong.push(format!("a change was not understood: {reason}"));
        }
        self.note(&format!("{heard:?}"));
    }
}

impl Observer<OutboxEvent> for Watcher {
    fn observe(&self, event: &OutboxEvent) {
        if let OutboxEvent::Sent { entry } = event {
            self.note(&format!("sent {}", entry.id));
        }
    }
}

impl Observer<FileDiscovered> for Watcher {
    fn observe(&self, file: &FileDiscovered) {
        self.note(&format!("told {} of {}", file.path, file.data_source_id));
    }
}

/// Notes the end of an execution, also of one that is dropped.
struct Ends<'a>(&'a Mutex<Book>, &'a Execution);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        locked(self.0).ends(self.1);
    }
}

/// Looks at a folder; for a data source that nobody changes, it takes some time and does nothing.
struct Work {
    line: Line,
    discovery: Discovery,
}

impl Work {
    /// Holds an execution that begins against what is written down.
    async fn begin(&self, firing: &Firing) {
        let (it, true_time) = (&firing.execution, self.line.true_time());
        // A clock that was ahead may have gone back since the due time was decided.
        let latest = locked(&self.line.book).latest;
        let stored = self.line.schedules.execution(&it.id).await.ok().flatten();
        let mut book = locked(&self.line.book);
        if stored.is_none_or(|stored| stored.token != it.token) {
            book.wrong.push(format!("{} ran under {} and was not written down before", it.id, it.token));
        }
        if it.due_time > latest.max(true_time) {
            book.wrong.push(format!("{} ran before its due time", it.id));
        }
        if book.ran.insert(it.id.clone(), (it.clone(), true_time)).is_some() {
            book.wrong.push(format!("{} ran twice", it.id));
        }
        // One that is edited begins what was decided under other words.
        if is_steady(&firing.schedule.data_source_id) {
            book.begins(&firing.schedule, it);
        }
    }

    async fn idle(&self, firing: &Firing) -> Result<Done, ActionError> {
        let (lasts, fails) = {
            let mut rng = locked(&self.line.rng);
            (rng.millis(Duration::from_secs(12)), rng.chance(100))
        };
        self.line.sleep(lasts).await;
        match firing.term.check() {
            Err(_) => Err(ActionError::Interrupted),
            Ok(()) if fails => Err(ActionError::failed("by chance")),
            Ok(()) => Ok(Done::default()),
        }
    }

    /// The data source as it truly is.
    async fn source(&self, firing: &Firing) -> Option<DataSource> {
        let id = DataSourceId::new(&firing.schedule.data_source_id)?;
        self.line.state.data_source(&id).await.ok().flatten()
    }
}

#[async_trait]
impl Action for Work {
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
        self.begin(firing).await;
        let _ends = Ends(&self.line.book, &firing.execution);
        if is_steady(&firing.schedule.data_source_id) {
            return self.idle(firing).await;
        }
        let (from, source) = (self.line.true_time(), self.source(firing).await);
        let done = self.discovery.run(firing).await?;
        // One that was edited meanwhile was read before or after.
        if let Some(source) = source
            && self.source(firing).await.as_ref() == Some(&source)
        {
            locked(&self.line.book).looks.push(Look { source, from, until: self.line.true_time() });
        }
        Ok(done)
    }

    fn stalled(&self) -> usize {
        self.discovery.looks.stalled()
    }
}

fn defaults() -> Defaults {
    Defaults {
        cron: "0 */2 * * * ?".to_owned(),
        zone: "UTC".to_owned(),
        misfire: Misfire::default(),
        overlap: Overlap::default(),
        dst: ClockChange::Quartz,
        grace: Duration::from_mins(1),
        jitter: Duration::ZERO,
        stable_for: STABLE_FOR,
        max_size: 1 << 20,
        look_within: Duration::from_mins(10),
        pause_after_failures: None,
    }
}

/// What the parts of one life share.
struct Life {
    line: Line,
    name: String,
    looks: Arc<Looks>,
    roots: Roots,
    watcher: Arc<Watcher>,
    /// Notified of: a changed schedule, a change's event, a found file's event.
    wanted: Arc<Notify>,
    changed: Arc<Notify>,
    found: Arc<Notify>,
    leading: Leading,
}

impl World {
    /// Starts an instance.
    pub(super) fn launch(&self, number: usize) -> (CancellationToken, JoinHandle<()>, Desk) {
        let name = format!("pod-{number}:{}", self.pods[number].lives);
        let line = self.line(number);
        let life = Life {
            looks: Arc::new(Looks::new(Arc::new(self.files.clone()), Arc::new(line.clone()))),
            roots: Roots { base: "/".into(), roots: vec!["/data".into()] },
            watcher: Arc::new(Watcher { book: Arc::clone(&self.book), name: name.clone(), shown: self.shown }),
            line,
            name,
            wanted: Arc::default(),
            changed: Arc::default(),
            found: Arc::default(),
            leading: Leading::default(),
        };
        let aborted: Arc<Mutex<Option<AbortHandle>>> = Arc::default();
        let service = self.service(&life, &aborted);
        let applier = self.applier(&life);
        let listener = Listener {
            owner: LeaseKey::new("schedule:intake").expect("a key"),
            applier: applier.clone(),
            dead_letters: Arc::new(life.line.clone()),
            retry: Policies::default().retry,
            observer: Arc::clone(&life.watcher) as Arc<_>,
        };
        let writer = |topic: &Topic| Arc::new(Writer { line: life.line.clone(), topic: topic.clone() });
        let changes: Arc<dyn Producer> = if self.ways.topic { writer(&self.changes) } else { Arc::new(Here(applier)) };
        let changes = publisher(&life, CHANGES, changes, self.ways.topic);
        let found = publisher(&life, DISCOVERED, writer(&self.found), true);
        let topic = self.ways.topic.then(|| self.changes.clone());
        let mut member = topic.map(|topic| Member { line: life.line.clone(), topic, name: life.name.clone() });
        let desk = self.desk(&life);
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move {
            let hearing = async {
                if let Some(member) = &mut member {
                    hear(&listener, member, &until).await;
                }
            };
            let relays =
                async { tokio::join!(relay(&changes, &life.changed, &until), relay(&found, &life.found, &until)) };
            tokio::join!(Box::pin(service.serve(&until)), hearing, relays);
        });
        *locked(&aborted) = Some(task.abort_handle());
        (stop, task, desk)
    }

    fn service(&self, life: &Life, aborted: &Arc<Mutex<Option<AbortHandle>>>) -> Service {
        let (line, claims, aborted) = (life.line.clone(), Mutex::new(0_u64), Arc::clone(aborted));
        let claimed = life.name.clone();
        let nonce = move || {
            let mut claims = locked(&claims);
            *claims += 1;
            format!("{claimed}/{claims}")
        };
        let discovery = Discovery {
            sources: Arc::new(line.clone()),
            ledger: Arc::new(line.clone()),
            looks: Arc::clone(&life.looks),
            roots: life.roots.clone(),
            stable_for: STABLE_FOR,
            max_size: 1 << 20,
            look_within: Duration::from_mins(10),
            has_topic: true,
            inlets: Vec::new(),
            clock: Arc::new(line.clone()),
            wake: Arc::clone(&life.found),
            observer: Arc::clone(&life.watcher) as Arc<_>,
        };
        Service {
            key: LeaseKey::new("schedule:intake").expect("a key"),
            instance: InstanceId::new(life.name.clone()),
            policies: Policies::default(),
            leases: Arc::new(line.clone()),
            schedules: Arc::new(line.clone()),
            feed: self.ways.feed.then(|| Arc::new(StoreFeed(Arc::new(line.clone()))) as Arc<_>),
            clock: Arc::new(line.clone()),
            settings: Arc::clone(&self.settings),
            action: Arc::new(Work { line, discovery }),
            observer: Arc::clone(&life.watcher) as Arc<_>,
            nonce: Arc::new(nonce),
            abort: Arc::new(move || {
                if let Some(task) = locked(&aborted).as_ref() {
                    task.abort();
                }
            }),
            wanted: Arc::clone(&life.wanted),
            leading: life.leading.clone(),
        }
    }

    fn applier(&self, life: &Life) -> Applier {
        Applier {
            schedules: Arc::new(life.line.clone()),
            settings: (*self.settings).clone(),
            clock: Arc::new(life.line.clone()),
            wanted: Arc::clone(&life.wanted),
        }
    }

    fn desk(&self, life: &Life) -> Desk {
        let (rng, line) = (Arc::clone(&self.rng), life.line.clone());
        let rules = Rules {
            roots: life.roots.clone(),
            defaults: defaults(),
            calendars: BTreeSet::default(),
            others: Others::default(),
        };
        let sources = Sources {
            store: Arc::new(line.clone()),
            ledger: Arc::new(line.clone()),
            rules,
            settings: (*self.settings).clone(),
            looks: Arc::clone(&life.looks),
            clock: Arc::new(line.clone()),
            new_id: Arc::new(move || format!("{:016x}", locked(&rng).next())),
            audit: Arc::new(line.clone()),
            who: life.name.clone(),
            wake: Arc::clone(&life.changed),
            bounds: Bounds::new(100_000, Duration::from_secs(1)),
        };
        Desk { line, sources }
    }
}

fn publisher(life: &Life, owner: &str, sink: Arc<dyn Producer>, is_topic: bool) -> OutboxPublisher {
    let leading = life.leading.clone();
    OutboxPublisher {
        look_every: LOOK_EVERY,
        has_turn: Arc::new(move || !is_topic || leading.is_held()),
        owner: LeaseKey::new(owner).expect("a key"),
        outbox: Arc::new(life.line.clone()),
        sink,
        retry: Policies::default().retry,
        clock: Arc::new(life.line.clone()),
        observer: Arc::clone(&life.watcher) as Arc<_>,
    }
}
