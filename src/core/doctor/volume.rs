//! Tries everything that the commit protocol relies on, in a folder of its own below the output folder.

use super::fencing;
use super::probe::{Probe, TEXT};
use super::report::{Area, Report};
use crate::core::model::finding::CheckVerdict;
use crate::core::ports::volume::{Volume, VolumeError};

/// Runs all probes in a folder named after `name`, then removes what they made.
pub async fn check(volume: &dyn Volume, name: &str, report: &mut Report<'_>) {
    let probe = Probe::new(volume, name);
    if let Err(error) = probe.begin().await {
        report.fail(Area::Output, "writable", &error);
        return;
    }
    report.add(Area::Output, "writable", CheckVerdict::Pass, volume.describe());
    judge(report, "write and fsync", "what is written and synced reads back", write_and_sync(&probe).await);
    judge(report, "rename", "a folder moves with what is in it", rename(&probe).await);
    judge(report, "link", "a link appears at once and never replaces a file", link(&probe).await);
    copy(&probe, report).await;
    fencing::fencing(&probe, report).await;
    if let Err(error) = probe.clean().await {
        report.add(Area::Output, "clean up", CheckVerdict::Warn, format!("remove `{}` by hand: {error}", probe.dir));
    }
}

fn judge(report: &mut Report<'_>, check: &str, promise: &str, result: Result<bool, VolumeError>) {
    match result {
        Ok(true) => report.add(Area::Output, check, CheckVerdict::Pass, promise),
        Ok(false) => {
            let detail = format!("not true here: {promise}; use another file system for output.root");
            report.add(Area::Output, check, CheckVerdict::Fail, detail);
        }
        Err(error) => report.fail(Area::Output, check, &error),
    }
}

async fn write_and_sync(probe: &Probe<'_>) -> Result<bool, VolumeError> {
    let path = probe.path("written");
    probe.put(&path, TEXT).await?;
    probe.volume.sync_dir(&probe.term, &probe.dir).await?;
    Ok(probe.text(&path).await? == TEXT)
}

async fn rename(probe: &Probe<'_>) -> Result<bool, VolumeError> {
    let (from, to) = (probe.path("before"), probe.path("after"));
    probe.volume.make_dir(&probe.term, &from).await?;
    probe.put(&format!("{from}/file"), TEXT).await?;
    probe.volume.rename(&probe.term, &from, &to).await?;
    Ok(probe.volume.stat(&from).await?.is_none() && probe.text(&format!("{to}/file")).await? == TEXT)
}

async fn link(probe: &Probe<'_>) -> Result<bool, VolumeError> {
    let (staged, name) = (probe.path("staged"), probe.path("published"));
    probe.put(&staged, TEXT).await?;
    probe.volume.link(&probe.term, &staged, &name).await?;
    let other = probe.path("other");
    probe.put(&other, b"other\n").await?;
    let again = probe.volume.link(&probe.term, &other, &name).await;
    Ok(matches!(again, Err(VolumeError::Exists { .. })) && probe.text(&name).await? == TEXT)
}

/// A copy must be complete. Whether it shares blocks only matters for speed.
async fn copy(probe: &Probe<'_>, report: &mut Report<'_>) {
    let (from, to) = (probe.path("whole"), probe.path("part"));
    let copied = async {
        probe.put(&from, TEXT).await?;
        probe.put(&to, b"").await?;
        probe.volume.copy_prefix(&probe.term, &from, &to, 7).await?;
        let whole = probe.text(&to).await? == TEXT[..7];
        Ok::<_, VolumeError>((whole, probe.volume.shares_blocks(&probe.term, &from, &to).await?))
    };
    let (verdict, detail) = match copied.await {
        Ok((true, Some(true))) => (CheckVerdict::Pass, "by reflink: a takeover copies nothing".to_owned()),
        Ok((true, Some(false))) => {
            (CheckVerdict::Pass, "by the kernel, without reflink: a takeover copies all committed bytes".to_owned())
        }
        Ok((true, None)) => (CheckVerdict::Pass, "copies are whole".to_owned()),
        Ok((false, _)) => (CheckVerdict::Fail, "a copy is not what was copied; use another file system".to_owned()),
        Err(error) => (CheckVerdict::Fail, error.to_string()),
    };
    report.add(Area::Output, "copy", verdict, detail);
}
