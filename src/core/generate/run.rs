//! One run from its request to its end: request, lease, generation, release. `run`, `resume` and the daemon share it.

use crate::core::election::report::{LeaseState, lease_of};
use crate::core::election::{Candidate, ElectionError};
use crate::core::generate::event::{GenerateEvent, RunObserver};
use crate::core::generate::spec::Worker;
use crate::core::generate::walk::{self, Looked};
use crate::core::generate::{
    GenerateError, Job, Outcome, Ports, Start, deliver, fence, generate, marker, params, publish, record,
};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::moment::moment;
use crate::core::model::names::InstanceId;
use crate::core::model::param::listed;
use crate::core::model::run::{RunRecord, RunStatus};
use crate::core::model::term::{TermEnded, Token};
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::runs::Behind;
use crate::core::ports::store::StoreError;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Who runs, and the two things that only a process can give.
#[derive(Clone)]
pub struct Identity {
    /// Host name and process id.
    pub instance: InstanceId,
    /// Makes a random string, unique to each claim.
    pub nonce: Arc<dyn Fn() -> String + Send + Sync>,
    /// Ends the process without clean-up. The last resort against work that goes on after its lease was lost.
    pub abort: Arc<dyn Fn() + Send + Sync>,
}

impl Identity {
    /// Stands for a worker's lease.
    pub(super) fn candidate(&self, ports: &Ports, worker: &Worker, observer: &Arc<dyn RunObserver>) -> Candidate {
        Candidate {
            key: (&worker.id).into(),
            instance: self.instance.clone(),
            policies: worker.policies.clone(),
            leases: Arc::clone(&ports.state.leases),
            clock: Arc::clone(&ports.clock),
            observer: Arc::clone(observer) as Arc<_>,
            nonce: Arc::clone(&self.nonce),
            abort: Arc::clone(&self.abort),
        }
    }
}

/// How a run ended without an error.
#[derive(Clone, PartialEq, Debug)]
pub struct RunResult {
    /// How.
    pub outcome: Outcome,
    /// The token it was made under. `None` when no lease was needed.
    pub token: Option<Token>,
    /// Time until the lease was acquired.
    pub waited: Duration,
    /// Time from then to the end.
    pub took: Duration,
    /// Who made the files, when it was not this call.
    pub made_by: Option<Maker>,
}

/// Who made a run's files, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Maker {
    /// Host name and process id. `None` when the store has lost its claim to the token.
    pub instance: Option<InstanceId>,
    /// When the manifest was visible.
    pub at: Timestamp,
    /// Time since then.
    pub ago: Duration,
    /// Whether it was made while this call waited.
    pub meanwhile: bool,
}

/// Why a run ended.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RunError {
    /// The lease was not acquired.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The lease was acquired, and the generation failed.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The worker file does not take the run's date.
    #[error("run is not begun: {reason}")]
    Outside {
        /// Which dates it takes, and what to do.
        reason: String,
    },
    /// The present holder of the lease tried the run, and failed.
    #[error("{} tried this run and failed: {reason}{}", holder(instance.as_ref()), next_try(*next_try_at))]
    Elsewhere {
        /// Which process. `None` when the store does not know.
        instance: Option<InstanceId>,
        /// Its error.
        reason: String,
        /// What kind of error that was.
        kind: FailureKind,
        /// When it tries again. `None` when it does not.
        next_try_at: Option<Timestamp>,
    },
}

fn holder(instance: Option<&InstanceId>) -> String {
    instance.map_or_else(|| "the holder of the lease".to_owned(), ToString::to_string)
}

fn next_try(at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!("; it tries again at {}", moment(at)),
        None => "; it does not try again by itself".to_owned(),
    }
}

impl HasKind for RunError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Election(error) => error.kind(),
            Self::Generate(error) => error.kind(),
            Self::Outside { .. } => FailureKind::Config,
            Self::Elsewhere { kind, .. } => *kind,
        }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Generate(error.into())
    }
}

/// Writes to the audit trail who starts a run at another page than the next, and why. A run that just goes on leaves no entry.
///
/// # Errors
/// When the store cannot be written. The run must not start then.
pub async fn record_start(ports: &Ports, job: &Job, who: &str, reason: &str) -> Result<(), StoreError> {
    let (action, from) = match job.start {
        Start::Resume => return Ok(()),
        Start::FromPage(page) => ("resume", format!("from page {page} on")),
        Start::FromStart => ("run --restart", "from the start".to_owned()),
    };
    let detail = format!("run {}, written again {from}", job.run);
    ports.state.audit.audit(&AuditEntry::new(ports.clock.now(), who, action, &detail, reason)).await
}

/// Makes one run's files. Records that they are wanted, waits for the lease (unless `wait` is false), generates, and releases the
/// lease however that ended. A run that is published and recorded needs no lease and is left alone.
///
/// # Errors
/// Why there are no files. Committed pages stay, and the next call takes them over.
pub async fn execute(ports: &Ports, job: &Job, identity: &Identity, wait: bool) -> Result<RunResult, RunError> {
    let started = ports.clock.elapsed();
    let by = format!("command:{}", identity.instance);
    // A run with values of its own is recorded together with them, and only by the holder: see `params::keep`.
    if params::given(&job.worker).is_empty() {
        ports.state.runs.request(&job.run, &by, ports.clock.now()).await?;
    }
    if job.start == Start::Resume
        && let Some((outcome, made_by)) = already_published(ports, job, false).await?
    {
        let took = ports.clock.elapsed().saturating_sub(started);
        return Ok(RunResult { outcome, token: None, waited: Duration::ZERO, took, made_by });
    }
    // Were this guessed when the volume cannot be listed, a store that was wiped could mint an old token again.
    let traces = fence::traces(&*ports.volume, &job.run.worker).await.map_err(GenerateError::from)?;
    if let Some(text) = traces.warning() {
        job.observer.observe(&GenerateEvent::Warning { text });
    }
    let floor = traces.highest;
    let candidate = identity.candidate(ports, &job.worker, &job.observer);
    let acquired = tokio::select! {
        biased;
        acquired = candidate.acquire(floor, wait, &job.stop) => acquired,
        ended = ended_by_other(ports, job) => {
            let (outcome, made_by) = ended?;
            let waited = ports.clock.elapsed().saturating_sub(started);
            return Ok(RunResult { outcome, token: None, waited, took: Duration::ZERO, made_by });
        }
    };
    let leadership = match acquired {
        Ok(leadership) => leadership,
        Err(ElectionError::Stopped { .. }) => {
            let page = last_page(ports, job).await?;
            let waited = ports.clock.elapsed().saturating_sub(started);
            let outcome = Outcome::Stopped { page };
            return Ok(RunResult { outcome, token: None, waited, took: Duration::ZERO, made_by: None });
        }
        Err(error) => return Err(error.into()),
    };
    let leading = ports.clock.elapsed();
    let (token, lost) = (leadership.term().token(), leadership.lost());
    let result = tokio::select! {
        biased;
        // What is under way is dropped: nothing of it would be accepted any more.
        () = lost.cancelled() => Err(TermEnded { token }.into()),
        result = generate(ports, job, leadership.term()) => result,
    };
    leadership.release_or_warn(&ended(job, &result)).await;
    let waited = leading.saturating_sub(started);
    let took = ports.clock.elapsed().saturating_sub(leading);
    Ok(RunResult { outcome: result?, token: Some(token), waited, took, made_by: None })
}

/// Waits until the present holder has made the run, or has tried it and failed. The run is recorded as wanted, so a service makes
/// it.
///
/// # Errors
/// With the holder's failure.
async fn ended_by_other(ports: &Ports, job: &Job) -> Result<(Outcome, Option<Maker>), RunError> {
    let began = ports.clock.now();
    let mut watched = Watched::default();
    let given = params::given(&job.worker);
    let mut tells = !given.is_empty();
    loop {
        ports.clock.sleep(job.worker.policies.takeover_polling_interval).await;
        if std::mem::take(&mut tells) {
            let text = format!(
                "values of one run ({}) are handed to no other process: this command waits until it holds the lease itself, and a \
                 service gives it back only at its end",
                listed(&given)
            );
            job.observer.observe(&GenerateEvent::Warning { text });
        }
        if job.start != Start::Resume {
            continue;
        }
        match already_published(ports, job, true).await {
            Ok(Some(ended)) => return Ok(ended),
            Err(error @ RunError::Generate(GenerateError::Staged { .. } | GenerateError::Unproved { .. })) => {
                return Err(error);
            }
            // A store that cannot be read now is read again.
            Ok(None) | Err(_) => {}
        }
        if let Ok(Some(failure)) = failed_elsewhere(ports, job, began, &mut watched).await {
            return Err(failure);
        }
    }
}

/// What earlier looks at a run that another process makes have left.
#[derive(Default)]
struct Watched {
    /// Whether the last one found a failure without a next try: one look may fall between the failure and the plan.
    unplanned: bool,
    /// Behind which run the holder's own is searched on.
    behind: Option<Behind>,
}

/// The failure of the present holder, once it has put the run off or tries it no more. A holder that is gone does neither: then
/// this call makes the run as soon as it has the lease.
async fn failed_elsewhere(
    ports: &Ports,
    job: &Job,
    began: Timestamp,
    watched: &mut Watched,
) -> Result<Option<RunError>, StoreError> {
    let was_unplanned = std::mem::take(&mut watched.unplanned);
    let Some(record) = ports.state.runs.run(&job.run).await? else { return Ok(None) };
    // With other values than these it failed for others' reasons.
    let given = params::given(&job.worker);
    let is_this = given.iter().all(|(name, value)| record.given.as_ref().and_then(|has| has.get(name)) == Some(value));
    if record.status != RunStatus::Failed || !is_this {
        return Ok(None);
    }
    let is_left = !record::is_tried_again(&record, ports.clock.now());
    let next_try_at = record.next_try_at.filter(|at| !is_left && record::is_tried_again(&record, *at));
    let key = (&job.run.worker).into();
    let lease = lease_of(&*ports.state.leases, &key, ports.clock.now()).await?;
    let Some(holder) = lease.record.filter(|_| lease.state == LeaseState::Held) else { return Ok(None) };
    if Some(holder.token) != record.token
        && !(is_left && is_idle(ports, job, holder.token, &mut watched.behind).await?)
    {
        return Ok(None);
    }
    match next_try_at {
        // That failure is older than this call, and the next try is due.
        Some(at) if at <= began => return Ok(None),
        Some(_) => {}
        None => {
            watched.unplanned = true;
            if !was_unplanned {
                return Ok(None);
            }
        }
    }
    let tried = match record.token {
        Some(token) => ports.state.leases.claim(&key, token).await?,
        None => None,
    };
    Ok(Some(RunError::Elsewhere {
        instance: tried.map(|claim| claim.instance),
        reason: record.error.unwrap_or_else(|| "no reason is recorded".to_owned()),
        kind: record.failure.unwrap_or(FailureKind::Failed),
        next_try_at,
    }))
}

/// Whether the holder of this token makes no run just now. A command that makes one gives the lease back at its end. Of more runs than one
/// look reads it is known when the last of them was looked at.
async fn is_idle(ports: &Ports, job: &Job, token: Token, behind: &mut Option<Behind>) -> Result<bool, StoreError> {
    let is_made = |run: &RunRecord| run.status == RunStatus::Running && run.token == Some(token);
    let looked =
        walk::look(&*ports.state.runs, &job.run.worker, behind, |records, _| records.iter().any(is_made).then_some(()));
    match looked.await? {
        Looked::Found(()) => *behind = None,
        Looked::Part => {}
        Looked::End => return Ok(true),
    }
    Ok(false)
}

/// The manifest of a run that is published on the volume and recorded in the store, with all completion events, and who made it.
async fn already_published(
    ports: &Ports,
    job: &Job,
    meanwhile: bool,
) -> Result<Option<(Outcome, Option<Maker>)>, RunError> {
    let record = ports.state.runs.run(&job.run).await?;
    let Some(record) = record.filter(|record| record.status == RunStatus::Published) else { return Ok(None) };
    let Some(manifest) = publish::published(&*ports.volume, &job.run).await? else { return Ok(None) };
    let recorded = ports.state.runs.files(&job.run).await?;
    if !marker::is_known(&*ports.volume, &job.worker, &manifest, &record, &recorded).await? {
        // The holder of the lease looks at the files.
        return Ok(None);
    }
    params::check_given(&job.worker, &job.run, &manifest.parameters)?;
    // A date that was published before the worker's file named a transfer.
    deliver::record_due(ports, &job.worker, &job.run, &manifest).await?;
    let made_by = match manifest.completed_at.parse::<Timestamp>() {
        Ok(at) => {
            // A token that no store can keep has no claim.
            let claim = ports.state.leases.claim(&(&job.run.worker).into(), Token(manifest.token)).await;
            let claim = claim.unwrap_or_default();
            let ago = Duration::try_from(ports.clock.now().duration_since(at)).unwrap_or_default();
            Some(Maker { instance: claim.map(|claim| claim.instance), at, ago, meanwhile })
        }
        Err(_) => None,
    };
    Ok(Some((Outcome::AlreadyPublished(manifest), made_by)))
}

async fn last_page(ports: &Ports, job: &Job) -> Result<u64, StoreError> {
    Ok(ports.state.runs.run(&job.run).await?.map_or(0, |record| record.last_page))
}

/// How it ended, for whoever looks at the lease.
fn ended(job: &Job, result: &Result<Outcome, GenerateError>) -> String {
    match result {
        Ok(Outcome::Published(_) | Outcome::AlreadyPublished(_)) => format!("run {} is published", job.run),
        Ok(Outcome::Stopped { page }) => format!("run {} was stopped behind page {page}", job.run),
        Err(_) => format!("run {} failed", job.run),
    }
}
