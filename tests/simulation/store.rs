//! The state store's ports of one pod: a real store in memory behind a line that delays, loses and repeats.

use crate::handover;
use crate::pod::Pod;
use crate::sim::{LATEST, Line, Sim, TTL, locked};
use async_trait::async_trait;
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::model::delivery::Delivery;
use filegen::core::model::message::EventId;
use filegen::core::model::names::{InstanceId, LeaseKey, WorkerId};
use filegen::core::model::run::{BusinessDate, RunId, RunRecord, RunStatus};
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::audit::{AuditEntry, AuditLog};
use filegen::core::ports::dead_letters::{DeadLetter, DeadLetters};
use filegen::core::ports::deliveries::Deliveries;
use filegen::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use filegen::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use filegen::core::ports::runs::{Behind, FileStatus, Requested, RunStore, Stretch};
use filegen::core::ports::store::{Found, StoreError};
use filegen::core::ports::worker_clocks::{ClockMark, WorkerClocks};
use futures_util::FutureExt;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long one token and sequence number were looked at, on the pod's own clock.
#[derive(Clone, Copy)]
struct Sighting {
    token: Token,
    seq: u64,
    first: Duration,
    last: Duration,
}

pub struct SimStore {
    pub pod: Arc<Pod>,
    seen: Mutex<Option<Sighting>>,
}

type Told<T> = Result<T, StoreError>;

/// What becomes of one call.
struct Fate {
    there: Duration,
    back: Duration,
    lost: bool,
    repeated: bool,
}

/// A store in memory answers at once.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("it never waits")
}

/// The term of a request that is under way: it was checked when it was sent, and cannot be checked again.
fn sent_under(token: Token) -> Term {
    Term::new(token, Duration::MAX, Arc::new(|| Duration::ZERO))
}

impl SimStore {
    pub fn new(pod: Arc<Pod>) -> Self {
        Self { pod, seen: Mutex::default() }
    }

    fn timeout_after(&self) -> Duration {
        self.pod.clocks.true_time(TTL / 6)
    }

    fn fate(&self, write: bool) -> Fate {
        let sim = &self.pod.sim;
        let (quick, now) = (Duration::from_millis(40), sim.now());
        let mut fate = Fate { there: Duration::ZERO, back: Duration::ZERO, lost: false, repeated: false };
        if let Some(left) = self.pod.weather.is_cut(Line::Store, now) {
            fate.lost = sim.rng().chance(700);
            fate.there = left + sim.rng().millis(quick);
        } else if sim.strikes(sim.mix.lost_request) {
            fate.lost = true;
        } else if sim.strikes(sim.mix.lost_reply) {
            fate.back = LATEST;
        } else if sim.strikes(sim.mix.late) {
            fate.there = sim.rng().millis(LATEST);
        } else if sim.rng().chance(500) {
            // Slow answers matter: a right to write must not count from them.
            let slow = if sim.strikes(sim.mix.slow_store) { TTL / 3 } else { quick };
            let mut rng = sim.rng();
            (fate.there, fate.back) = (rng.millis(slow / 2), rng.millis(slow / 2));
        }
        fate.repeated = write && sim.strikes(sim.mix.repeated);
        fate
    }

    pub async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        write: bool,
        work: impl Fn(&Sim) -> Told<T> + Send + Sync + 'static,
    ) -> Told<T> {
        self.pod.gate().await;
        let (fate, sim) = (self.fate(write), &self.pod.sim);
        let unreachable =
            || StoreError::Unreachable { store: "simulated".to_owned(), reason: format!("{what} was lost") };
        if fate.lost {
            sim.note(self.pod.number, format_args!("{what} is lost"));
            sim.sleep_until(sim.now() + self.timeout_after()).await;
            self.pod.gate().await;
            return Err(unreachable());
        }
        let (work, number) = (Arc::new(work), self.pod.number);
        if fate.repeated {
            let (work, at) = (Arc::clone(&work), sim.now() + fate.there + sim.rng().millis(LATEST));
            sim.send(number, at, move |sim| {
                let refused = work(sim).is_err();
                sim.note(number, format_args!("{what} again, refused {refused}"));
            });
        }
        let done = self.pod.far(fate.there, fate.back, Some(self.timeout_after()), move |sim| {
            let done = work(sim);
            sim.note(number, format_args!("{what} {:?}", done.as_ref().err()));
            done
        });
        done.await.unwrap_or_else(|| Err(unreachable()))
    }

    /// A change by a holder.
    async fn change<T: Send + 'static>(
        &self,
        term: &Term,
        what: &'static str,
        work: impl Fn(&Sim, &Term) -> Told<T> + Send + Sync + 'static,
    ) -> Told<T> {
        self.pod.gate().await;
        self.pod.begin(term)?;
        let token = term.token();
        self.ask(what, true, move |sim| work(sim, &sent_under(token))).await
    }

    fn saw(&self, lease: Option<&LeaseRecord>, asked: Duration) {
        let mut seen = locked(&self.seen);
        let last = self.pod.own_time();
        *seen = lease.map(|lease| match *seen {
            Some(before) if (before.token, before.seq) == (lease.token, lease.seq) => Sighting { last, ..before },
            _ => Sighting { token: lease.token, seq: lease.seq, first: asked, last },
        });
    }

    fn renewed(&self, token: Token, sent: Duration) {
        let mut book = locked(&self.pod.sim.book);
        let right = book.rights.entry(token).or_insert(sent);
        *right = sent.max(*right);
    }
}

/// A lease is put in place: what that says about whoever held it.
fn install(sim: &Sim, record: &LeaseRecord, seen: Option<Sighting>) -> Told<bool> {
    let before = now(sim.state.read(&record.key))?;
    let installed = now(sim.state.install(record))?;
    let is_new = before.as_ref().is_none_or(|before| before.token != record.token);
    if !installed || !is_new {
        return Ok(installed);
    }
    let mut book = locked(&sim.book);
    let mut wrong: Vec<String> = book.installed(record.token, sim.now()).into_iter().collect();
    if let Some(before) = before {
        let taken = before.token;
        if before.released.is_some() {
            if !book.given_back.contains(&taken) {
                wrong.push(format!("the lease of token {taken} was given back, and not by its holder"));
            }
        } else {
            book.takeovers += 1;
            let watched = seen.filter(|seen| seen.token == taken).map(|seen| seen.last.saturating_sub(seen.first));
            if let Some(watched) = watched.filter(|watched| *watched + Duration::from_millis(20) < TTL) {
                wrong.push(format!("the lease of token {taken} was taken after it was watched for {watched:?}"));
            }
        }
    }
    book.wrong.extend(wrong);
    Ok(true)
}

#[async_trait]
impl LeaseStore for SimStore {
    async fn read(&self, key: &LeaseKey) -> Told<Option<LeaseRecord>> {
        let (key, asked) = (key.clone(), self.pod.own_time());
        let lease = self.ask("read", false, move |sim| now(sim.state.read(&key))).await?;
        self.saw(lease.as_ref(), asked);
        Ok(lease)
    }

    async fn list(&self) -> Told<Found<LeaseRecord>> {
        self.ask("list", false, |sim| now(sim.state.list())).await
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Told<Option<Token>> {
        let key = key.clone();
        self.ask("highest token", false, move |sim| now(sim.state.highest_token(&key, most))).await
    }

    async fn mint(&self, claim: &EpochClaim) -> Told<Mint> {
        let claim = claim.clone();
        self.ask("mint", true, move |sim| {
            let mint = now(sim.state.mint(&claim))?;
            if mint == Mint::Won && !locked(&sim.book).minted.insert(claim.token) {
                sim.wrong(format!("token {} was minted twice", claim.token));
            }
            Ok(mint)
        })
        .await
    }

    async fn claim(&self, key: &LeaseKey, token: Token) -> Told<Option<EpochClaim>> {
        let key = key.clone();
        self.ask("claim", false, move |sim| now(sim.state.claim(&key, token))).await
    }

    async fn install(&self, record: &LeaseRecord) -> Told<bool> {
        self.pod.gate().await;
        let (record, seen, sent) = (record.clone(), *locked(&self.seen), self.pod.own_time());
        let token = record.token;
        let installed = self.ask("install", true, move |sim| install(sim, &record, seen)).await?;
        if installed {
            self.renewed(token, sent);
        }
        Ok(installed)
    }

    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Told<bool> {
        self.pod.gate().await;
        let (key, instance, sent) = (key.clone(), instance.clone(), self.pod.own_time());
        let renew = move |sim: &Sim| now(sim.state.renew(&key, token, &instance, at, expires_at));
        let asked = self.pod.sim.now();
        let renewed = self.ask("renew", true, renew).await?;
        let (sim, slow) = (&self.pod.sim, Duration::from_secs(2));
        if sim.now().saturating_sub(asked) > slow && sim.strikes(300) {
            // A store that gets slow before it is away.
            self.pod.weather.cut(Line::Store, sim.now() + TTL * 2);
        }
        if renewed {
            self.renewed(token, sent);
        }
        Ok(renewed)
    }

    async fn release(&self, key: &LeaseKey, token: Token, at: Timestamp, reason: &str) -> Told<bool> {
        self.pod.gate().await;
        locked(&self.pod.sim.book).given_back.insert(token);
        let (key, reason) = (key.clone(), reason.to_owned());
        self.ask("release", true, move |sim| now(sim.state.release(&key, token, at, &reason))).await
    }

    async fn holder_is_gone(&self, _: &LeaseRecord) -> Told<bool> {
        Ok(false)
    }
}

/// No worker here has a clock of its own.
#[async_trait]
impl WorkerClocks for SimStore {
    async fn clock_mark(&self, _worker: &WorkerId) -> Told<Option<ClockMark>> {
        Ok(None)
    }

    async fn keep_clock_mark(&self, _worker: &WorkerId, _mark: &ClockMark) -> Told<()> {
        Ok(())
    }
}

#[async_trait]
impl RunStore for SimStore {
    async fn request(&self, id: &RunId, requested_by: &str, at: Timestamp) -> Told<Requested> {
        let (id, by) = (id.clone(), requested_by.to_owned());
        self.ask("request", true, move |sim| now(sim.state.request(&id, &by, at))).await
    }

    async fn run(&self, id: &RunId) -> Told<Option<RunRecord>> {
        let id = id.clone();
        self.ask("run", false, move |sim| now(sim.state.run(&id))).await
    }

    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Told<Found<RunRecord>> {
        let worker = worker.cloned();
        self.ask("runs", false, move |sim| now(sim.state.runs(worker.as_ref(), limit))).await
    }

    async fn unpublished(&self, worker: &WorkerId, after: Option<&Behind>, limit: usize) -> Told<Stretch> {
        let (worker, after) = (worker.clone(), after.cloned());
        self.ask("unpublished", false, move |sim| now(sim.state.unpublished(&worker, after.as_ref(), limit))).await
    }

    async fn ask_again(&self, id: &RunId, requested_by: &str, at: Timestamp) -> Told<()> {
        let (id, by) = (id.clone(), requested_by.to_owned());
        self.ask("ask again", true, move |sim| now(sim.state.ask_again(&id, &by, at))).await
    }

    async fn save_run(&self, term: &Term, record: &RunRecord) -> Told<()> {
        let record = record.clone();
        self.change(term, "save run", move |sim, term| {
            let manifest = manifest_name(&record.id, 1);
            if record.status == RunStatus::Published && !locked(&sim.disk).is_durable(&manifest) {
                sim.wrong(format!("{} was recorded as published before {manifest} was durable", record.id));
            }
            now(sim.state.save_run(term, &record))
        })
        .await
    }

    async fn reopen(&self, old: &RunRecord, new: &RunRecord) -> Told<bool> {
        let (old, new) = (old.clone(), new.clone());
        self.ask("reopen", true, move |sim| now(sim.state.reopen(&old, &new))).await
    }

    async fn save_file(&self, term: &Term, status: &FileStatus) -> Told<()> {
        let status = status.clone();
        self.change(term, "save file", move |sim, term| now(sim.state.save_file(term, &status))).await
    }

    async fn files(&self, run: &RunId) -> Told<Vec<FileStatus>> {
        let run = run.clone();
        self.ask("files", false, move |sim| now(sim.state.files(&run))).await
    }
}

#[async_trait]
impl Deliveries for SimStore {
    async fn add_due(&self, due: &[Delivery]) -> Told<()> {
        let due = due.to_vec();
        handover::due(&self.pod.sim, &due);
        self.ask("add due", true, move |sim| now(sim.state.add_due(&due))).await
    }

    async fn undone(&self, worker: &WorkerId) -> Told<Found<BusinessDate>> {
        let worker = worker.clone();
        self.ask("undone", false, move |sim| now(sim.state.undone(&worker))).await
    }

    async fn of_run(&self, run: &RunId) -> Told<Found<Delivery>> {
        let run = run.clone();
        self.ask("deliveries", false, move |sim| now(sim.state.of_run(&run))).await
    }

    async fn advance(&self, delivery: &Delivery) -> Told<bool> {
        let delivery = delivery.clone();
        self.ask("advance", true, move |sim| now(sim.state.advance(&delivery))).await
    }
}

#[async_trait]
impl Outbox for SimStore {
    async fn pending(&self, owner: &LeaseKey) -> Told<Found<OutboxEntry>> {
        let owner = owner.clone();
        self.ask("pending", false, move |sim| now(sim.state.pending(&owner))).await
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Told<()> {
        let id = id.clone();
        self.ask("mark sent", true, move |sim| now(sim.state.mark_sent(&id, at))).await
    }
}

#[async_trait]
impl AuditLog for SimStore {
    async fn audit(&self, entry: &AuditEntry) -> Told<()> {
        let entry = entry.clone();
        self.ask("audit", true, move |sim| now(sim.state.audit(&entry))).await
    }

    async fn audits(&self, limit: usize) -> Told<Found<AuditEntry>> {
        self.ask("audits", false, move |sim| now(sim.state.audits(limit))).await
    }
}

#[async_trait]
impl DeadLetters for SimStore {
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Told<()> {
        let event = event.clone();
        self.ask("keep event", true, move |sim| now(sim.state.keep_dead_letter(&event))).await
    }

    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Told<Option<DeadLetter>> {
        let (owner, id) = (owner.clone(), id.clone());
        self.ask("dead letter", false, move |sim| now(sim.state.dead_letter(&owner, &id))).await
    }

    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Told<u64> {
        let owner = owner.clone();
        self.ask("drop events", true, move |sim| now(sim.state.drop_dead_letters(&owner, before, most))).await
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Told<Found<DeadLetter>> {
        let owner = owner.cloned();
        self.ask("dead letters", false, move |sim| now(sim.state.dead_letters(owner.as_ref(), limit))).await
    }
}
