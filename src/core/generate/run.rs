//! One run from its request to its end: request, lease, generation, release. `run`, `resume` and the daemon share it.

use crate::core::election::{Candidate, ElectionError};
use crate::core::generate::event::RunObserver;
use crate::core::generate::spec::Worker;
use crate::core::generate::{GenerateError, Job, Outcome, Ports, Start, generate, publish, takeover};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::names::InstanceId;
use crate::core::model::run::RunStatus;
use crate::core::model::term::{TermEnded, Token};
use crate::core::ports::audit::AuditEntry;
use crate::core::ports::store::StoreError;
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
pub struct Report {
    /// How.
    pub outcome: Outcome,
    /// The token it was made under. `None` when no lease was needed.
    pub token: Option<Token>,
    /// Time until the lease was acquired.
    pub waited: Duration,
    /// Time from then to the end.
    pub took: Duration,
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
}

impl HasKind for RunError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Election(error) => error.kind(),
            Self::Generate(error) => error.kind(),
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
    let (who, reason) = (who.to_owned(), reason.to_owned());
    let detail = format!("run {}, written again {from}", job.run);
    ports.state.audit.audit(&AuditEntry { at: ports.clock.now(), who, action: action.to_owned(), detail, reason }).await
}

/// Makes one run's files. Records that they are wanted, waits for the lease (unless `wait` is false), generates, and releases the
/// lease however that ended. A run that is published and recorded needs no lease and is left alone.
///
/// # Errors
/// Why there are no files. Committed pages stay, and the next call takes them over.
pub async fn execute(ports: &Ports, job: &Job, identity: &Identity, wait: bool) -> Result<Report, RunError> {
    let started = ports.clock.elapsed();
    let by = format!("command:{}", identity.instance);
    ports.state.runs.request(&job.run, &by, ports.clock.now()).await?;
    if job.start == Start::Resume
        && let Some(outcome) = already_published(ports, job).await?
    {
        let took = ports.clock.elapsed().saturating_sub(started);
        return Ok(Report { outcome, token: None, waited: Duration::ZERO, took });
    }
    // Were this guessed when the volume cannot be listed, a store that was wiped could mint an old token again.
    let floor = takeover::highest_token(&*ports.volume, &job.run.worker).await.map_err(GenerateError::from)?;
    let candidate = identity.candidate(ports, &job.worker, &job.observer);
    let acquired = tokio::select! {
        biased;
        acquired = candidate.acquire(floor, wait, &job.stop) => acquired,
        outcome = made_by_other(ports, job) => {
            let waited = ports.clock.elapsed().saturating_sub(started);
            return Ok(Report { outcome, token: None, waited, took: Duration::ZERO });
        }
    };
    let leadership = match acquired {
        Ok(leadership) => leadership,
        Err(ElectionError::Stopped { .. }) => {
            let page = last_page(ports, job).await?;
            let waited = ports.clock.elapsed().saturating_sub(started);
            return Ok(Report { outcome: Outcome::Stopped { page }, token: None, waited, took: Duration::ZERO });
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
    Ok(Report { outcome: result?, token: Some(token), waited, took })
}

/// Waits until the present holder has made the run. The run is recorded as wanted, so a service makes it.
async fn made_by_other(ports: &Ports, job: &Job) -> Outcome {
    loop {
        ports.clock.sleep(job.worker.policies.takeover_polling_interval).await;
        if job.start != Start::Resume {
            continue;
        }
        // A store that cannot be read now is read again.
        if let Ok(Some(outcome)) = already_published(ports, job).await {
            return outcome;
        }
    }
}

/// The manifest of a run that is published on the volume and recorded in the store, with all completion events.
async fn already_published(ports: &Ports, job: &Job) -> Result<Option<Outcome>, RunError> {
    let recorded = ports.state.runs.run(&job.run).await?.is_some_and(|record| record.status == RunStatus::Published);
    if !recorded {
        return Ok(None);
    }
    Ok(publish::published(&*ports.volume, &job.run).await?.map(Outcome::AlreadyPublished))
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
