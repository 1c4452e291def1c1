//! Whether a correction appears or is cancelled. One name in the version's folder decides it, given once by `link` to whoever comes
//! first: the holder whose files are whole, or the person who wants them no more. So neither needs the other's lease.

use super::layout::version_dir;
use super::{GenerateError, Job};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::run::RunId;
use crate::core::model::term::Term;
use crate::core::ports::volume::{Volume, VolumeError};
use serde::{Deserialize, Serialize};

/// The deciding name.
const NAME: &str = "decision";

/// More bytes are none of ours: a reason has at most a thousand.
const BYTES_MAX: usize = 16 << 10;

/// What was decided of a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Decision {
    /// Who cancelled it, and why. `None`: it appears.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cancelled: Option<String>,
}

/// What was decided of a version. `None` while nothing is.
///
/// # Errors
/// When the volume cannot be read, or something else has the name.
pub(super) async fn of(volume: &dyn Volume, run: &RunId, version: u32) -> Result<Option<Decision>, GenerateError> {
    let path = format!("{}/{NAME}", version_dir(run, version));
    let file = match volume.open(&path).await {
        Ok(file) => file,
        Err(VolumeError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = file.read_at(0, BYTES_MAX).await?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let reason =
            format!("`{path}`, which says whether a correction was cancelled, cannot be read: {error}; move it away");
        GenerateError::Staged { reason }
    })
}

/// Who cancelled a version, and why. `None` where nobody did.
///
/// # Errors
/// As [`of`].
pub(super) async fn cancelled(volume: &dyn Volume, run: &RunId, version: u32) -> Result<Option<String>, GenerateError> {
    Ok(of(volume, run, version).await?.and_then(|decision| decision.cancelled))
}

/// Decides, unless somebody has before; returns what counts. `own` is a name of the caller's own on the same volume.
///
/// # Errors
/// When the volume refuses.
pub(super) async fn decide(
    volume: &dyn Volume,
    term: &Term,
    (run, version): (&RunId, u32),
    own: &str,
    decision: &Decision,
) -> Result<Decision, GenerateError> {
    if let Some(decided) = of(volume, run, version).await? {
        return Ok(decided);
    }
    let dir = version_dir(run, version);
    match volume.unlink(term, own).await {
        Ok(()) | Err(VolumeError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let file = volume.create(term, own).await?;
    let text = serde_json::to_vec(decision).unwrap_or_default();
    file.write_at(term, 0, text).await.1?;
    file.sync_data(term).await?;
    crash_point!("correct.deciding");
    match volume.link(term, own, &format!("{dir}/{NAME}")).await {
        Ok(()) | Err(VolumeError::Exists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    volume.sync_dir(term, &dir).await?;
    crash_point!("correct.decided");
    volume.unlink(term, own).await?;
    Ok(of(volume, run, version).await?.unwrap_or_else(|| decision.clone()))
}

/// Decides that a correction appears, now that its files are whole. The first version of a run asks nobody.
///
/// # Errors
/// When it was cancelled, or the volume refuses.
pub(super) async fn to_appear(volume: &dyn Volume, job: &Job, term: &Term) -> Result<(), GenerateError> {
    let version = job.edition.version();
    if version == FIRST_VERSION {
        return Ok(());
    }
    let own = format!("{}/.decision", job.staging_dir(term));
    let decided = decide(volume, term, (&job.run, version), &own, &Decision { cancelled: None }).await?;
    match decided.cancelled {
        None => Ok(()),
        Some(why) => {
            let reason = format!("version {version} of run {} was cancelled by {why}", job.run);
            Err(GenerateError::Staged { reason })
        }
    }
}
