//! A worker in the long-running service. It stands by, then leads for as long as the lease lasts. The leader makes every wanted run,
//! whichever instance received its event.

mod pending;

use crate::core::backoff::{Backoff, Pause};
use crate::core::election::{ElectionError, LeaderGuard};
use crate::core::generate::deliver::Courier;
use crate::core::generate::event::{GenerateEvent, RunObserver};
use crate::core::generate::run::Identity;
use crate::core::generate::spec::Worker;
use crate::core::generate::walk::{self, Looked};
use crate::core::generate::{Edition, Job, Outcome, Ports, Start, fence, generate, record, translate::Registry};
use crate::core::kind::HasKind;
use crate::core::model::run::RunRecord;
use crate::core::outbox::{OutboxPublisher, relay};
use crate::core::ports::observer::Retrying;
use pending::{Look, Moment, Pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// One worker, served until it is told to stop.
#[derive(Clone)]
pub struct Service {
    /// Whose files.
    pub worker: Arc<Worker>,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
    /// All that it may reach.
    pub ports: Ports,
    /// As whom.
    pub identity: Identity,
    /// Who watches.
    pub observer: Arc<dyn RunObserver>,
    /// Notified when a run was requested, so that the leader looks at once.
    pub wanted: Arc<Notify>,
    /// Empties the outbox, when there is a broker for it.
    pub publisher: Option<OutboxPublisher>,
    /// Hands over what is published, when there is a transfer for it.
    pub courier: Option<Courier>,
}

/// Wakes those who go on behind a published run.
#[derive(Default)]
struct Wakes {
    relay: Notify,
    courier: Notify,
}

impl Wakes {
    fn published(&self) {
        self.relay.notify_one();
        self.courier.notify_one();
    }
}

/// How a term as leader ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ServiceEnd {
    /// Asked to stop.
    Stopped,
    /// The lease is lost, or what was written is no longer trusted. Another term is needed.
    Term,
}

impl Service {
    /// Serves until `stop`. Faults end a term or a run, never the service. They are reported, and the work is tried again with
    /// growing waits.
    pub async fn serve(&self, stop: &CancellationToken) {
        let mut backoff = Backoff::new(self.worker.policies.retry);
        // Through all terms: a run that ends each one would come first again, and hide the others.
        let mut pending = Pending::new(&self.worker.policies.retry, &self.worker.business_date);
        while !stop.is_cancelled() {
            let leadership = match self.campaign(stop).await {
                Ok(leadership) => leadership,
                Err(Refused::Stopped) => return,
                Err(Refused::Fault(reason)) => {
                    self.pause(backoff.failed(), reason, stop).await;
                    continue;
                }
            };
            let began = self.ports.clock.elapsed();
            let wakes = Wakes::default();
            let ended = tokio::select! {
                biased;
                ended = self.lead(&leadership, &wakes, &mut pending, stop) => ended,
                () = self.relay(&wakes) => ServiceEnd::Term,
                () = self.deliver(&wakes) => ServiceEnd::Term,
            };
            let reason = match ended {
                ServiceEnd::Stopped => "the service was stopped",
                ServiceEnd::Term => "the term ended",
            };
            leadership.release_or_warn(reason).await;
            // A term that did some work starts the count afresh; one that fails at once must not spin.
            let lasted = self.ports.clock.elapsed().saturating_sub(began);
            if lasted > self.worker.policies.lease_ttl {
                backoff.succeeded();
            } else {
                backoff.failed();
            }
            if ended == ServiceEnd::Term {
                self.pause(backoff.pause(), "the term ended".to_owned(), stop).await;
            }
        }
    }

    /// Sends completion events while this instance leads. Never ends by itself. Two leaders at once could send an event twice, with
    /// the same correlation id.
    async fn relay(&self, wakes: &Wakes) {
        match &self.publisher {
            Some(publisher) => relay(publisher, &wakes.relay, &CancellationToken::new()).await,
            None => std::future::pending().await,
        }
    }

    /// Hands over published files while this instance leads. Never ends by itself. Two leaders at once hand over the same, and the
    /// transfer sends it once.
    async fn deliver(&self, wakes: &Wakes) {
        match &self.courier {
            Some(courier) => Box::pin(courier.serve(&wakes.courier, &wakes.relay)).await,
            None => std::future::pending().await,
        }
    }

    /// Waits for the lease.
    async fn campaign(&self, stop: &CancellationToken) -> Result<LeaderGuard, Refused> {
        let volume = &*self.ports.volume;
        let traces = fence::traces(volume, &self.worker.id).await.map_err(Refused::fault)?;
        if let Some(text) = traces.warning() {
            self.observer.observe(&GenerateEvent::Warning { text });
        }
        let floor = traces.highest;
        let candidate = self.identity.candidate(&self.ports, &self.worker, &self.observer);
        candidate.acquire(floor, true, stop).await.map_err(|error| match error {
            ElectionError::Stopped { .. } => Refused::Stopped,
            error => Refused::fault(error),
        })
    }

    /// Makes the wanted runs, oldest business date first, while the lease lasts.
    async fn lead(
        &self,
        leadership: &LeaderGuard,
        wakes: &Wakes,
        pending: &mut Pending,
        stop: &CancellationToken,
    ) -> ServiceEnd {
        let lost = leadership.lost();
        loop {
            if stop.is_cancelled() {
                return ServiceEnd::Stopped;
            }
            if lost.is_cancelled() || leadership.term().check().is_err() {
                return ServiceEnd::Term;
            }
            match self.next(pending).await {
                Next::Run(record) => {
                    if self.make(&record, leadership, pending, stop).await {
                        wakes.published();
                    }
                }
                Next::Again => {}
                Next::Nothing => {
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = lost.cancelled() => {}
                        () = self.wanted.notified() => {}
                        () = self.ports.clock.sleep(self.worker.policies.takeover_polling_interval) => {}
                    }
                }
            }
        }
    }

    /// The run to be made now: the oldest business date that this look comes to. A look reads a bounded number of the runs that are not
    /// published, and the next one goes on behind them; those of yesterday and today are looked at each time. So no number of others hides a
    /// run, and none keeps the leader from anything else.
    async fn next(&self, pending: &mut Pending) -> Next {
        let (mut passed, runs) = (Look::default(), &*self.ports.state.runs);
        let at = Moment { elapsed: self.ports.clock.elapsed(), now: self.ports.clock.now() };
        let began = pending.behind();
        let mut behind = began.clone();
        let looked = walk::look(runs, &self.worker.id, &mut behind, |records, odd| {
            walk::keep_odd(&mut passed.odd, odd);
            pending.next(records, &mut passed, at)
        });
        let (next, news) = match looked.await {
            Ok(Looked::Found(next)) => {
                let news = pending.came_to(&next.id, passed);
                let recent = if pending.recent_first(&next, at) { self.recent(pending, at).await } else { None };
                (Next::Run(Box::new(recent.unwrap_or(next))), news)
            }
            Ok(Looked::Part) => {
                let news = pending.passed(passed, behind);
                (self.recent(pending, at).await.map_or(Next::Nothing, |recent| Next::Run(Box::new(recent))), news)
            }
            // The list's beginning is not looked at yet.
            Ok(Looked::End) if began.is_some() => (Next::Again, pending.passed(passed, None)),
            Ok(Looked::End) => (Next::Nothing, pending.passed(passed, None)),
            Err(error) => (Next::Nothing, vec![format!("runs cannot be asked for: {error}")]),
        };
        if let Next::Run(next) = &next {
            pending.begin(next, at);
        }
        for text in news {
            self.observer.observe(&GenerateEvent::Warning { text });
        }
        next
    }

    /// The run of yesterday or today that is to be made now.
    async fn recent(&self, pending: &mut Pending, at: Moment) -> Option<RunRecord> {
        let dates = &self.worker.business_date;
        let records = walk::recent(&*self.ports.state.runs, &self.worker.id, dates, at.now).await;
        pending.next(records, &mut Look::default(), at)
    }

    /// Makes one run's files, or remembers when to try again. Returns whether the files are published.
    async fn make(
        &self,
        record: &RunRecord,
        leadership: &LeaderGuard,
        pending: &mut Pending,
        stop: &CancellationToken,
    ) -> bool {
        let job = Job {
            worker: Arc::clone(&self.worker),
            run: record.id.clone(),
            registry: Arc::clone(&self.registry),
            start: Start::Resume,
            stop: stop.clone(),
            observer: Arc::clone(&self.observer),
            edition: Edition::default(),
        };
        let lost = leadership.lost();
        let result = tokio::select! {
            biased;
            // What is under way is dropped: nothing of it would be accepted any more.
            () = lost.cancelled() => return false,
            result = generate(&self.ports, &job, leadership.term()) => result,
        };
        match result {
            Ok(Outcome::Published(manifest) | Outcome::AlreadyPublished(manifest)) => {
                pending.done(&record.id);
                let since = record.started_at.unwrap_or(record.requested_at);
                let took = Duration::try_from(self.ports.clock.now().duration_since(since)).unwrap_or_default();
                self.observer.observe(&GenerateEvent::Done {
                    run: record.id.clone(),
                    rows: manifest.source_rows,
                    took,
                });
                true
            }
            Ok(Outcome::Stopped { .. }) => false,
            Err(error) => {
                let again_in = pending.failed(&record.id, error.kind().is_passing(), self.ports.clock.elapsed());
                let until = self.ports.clock.now().checked_add(again_in).ok();
                let until = until.filter(|until| record::is_tried_again(record, *until));
                // Boxed: it is rare, and would make every service larger.
                Box::pin(record::put_off(&self.ports, &record.id, leadership.term(), until)).await;
                let (run, error) = (record.id.clone(), error.to_string());
                self.observer.observe(&GenerateEvent::Failed { run, error, again_in: until.map(|_| again_in) });
                false
            }
        }
    }

    async fn pause(&self, Pause { attempt, after }: Pause, reason: String, stop: &CancellationToken) {
        self.observer.observe(&Retrying { reason, attempt, after });
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.ports.clock.sleep(after) => {}
        }
    }
}

/// What the leader does now.
enum Next {
    /// It makes this run.
    Run(Box<RunRecord>),
    /// It looks on at once.
    Again,
    /// It waits.
    Nothing,
}

/// Why this instance does not lead.
enum Refused {
    Stopped,
    Fault(String),
}

impl Refused {
    fn fault(error: impl std::fmt::Display) -> Self {
        Self::Fault(error.to_string())
    }
}
