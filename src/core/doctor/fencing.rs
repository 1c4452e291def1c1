//! The fencing probe. It plays a takeover on the user's own volume: an old holder with open files is fenced, and then tries
//! every operation that it could.

use super::probe::{Probe, TEXT};
use super::report::{Area, Report};
use crate::core::model::finding::CheckVerdict;
use crate::core::ports::volume::{Entry, EntryKind, VolumeError, VolumeFile};
use std::sync::Arc;

/// What one host can promise, and what it cannot see.
const PROMISE: &str = "an old holder's open files, late creates, mkdirs and links reach nothing published; tried from this \
                       host alone: whether a second NFS client's cached handles die too, only two hosts can show";

/// Added where a folder cannot be removed while one of its files is open.
const LINGERS: &str = "; an open file keeps its folder here, as NFS does: a takeover on the same host waits until the old \
                       process has ended";

/// Plays a takeover, and refuses a volume on which the old holder gets through.
pub(super) async fn fencing(probe: &Probe<'_>, report: &mut Report<'_>) {
    let (verdict, detail) = match play(probe).await {
        Ok(Played { got_through, lingers }) if got_through.is_empty() => {
            (CheckVerdict::Pass, format!("{PROMISE}{}", if lingers { LINGERS } else { "" }))
        }
        Ok(played) => (
            CheckVerdict::Fail,
            format!(
                "an old holder is not kept out here: {}; use another file system for output.root",
                played.got_through.join(", ")
            ),
        ),
        Err(error) => (CheckVerdict::Fail, format!("a takeover cannot be made here: {error}")),
    };
    report.add(Area::Output, "fencing", verdict, detail);
}

/// How it went.
struct Played {
    /// What the old holder could still do.
    got_through: Vec<&'static str>,
    /// Whether a folder could only be removed once its files were closed.
    lingers: bool,
}

/// The names that the two holders use.
struct Names {
    old: String,
    dead: String,
    new: String,
    published: String,
}

async fn play(probe: &Probe<'_>) -> Result<Played, VolumeError> {
    let (volume, term) = (probe.volume, &probe.term);
    let [old, dead, new, published] = ["t1", "t1.dead2", "t2", "fenced"].map(|name| probe.path(name));
    let names = Names { old, dead, new, published };
    volume.make_dir(term, &names.old).await?;
    let held = volume.create(term, &format!("{}/file", names.old)).await?;
    held.write_at(term, 0, TEXT.to_vec()).await.1?;
    held.sync_data(term).await?;

    let lingers = take_over(probe, &names).await?;
    let mut got_through = attack(probe, &names, &held).await;
    got_through.extend(reached(probe, &names).await?);
    drop(held);
    if lingers && volume.remove_dir(term, &names.dead).await.is_err() {
        got_through.push("the folder that was taken from it cannot be removed");
    }
    Ok(Played { got_through, lingers })
}

/// Renames away, puts the tombstone, copies, unlinks, removes and publishes, in the order of a takeover. Returns whether the
/// folder could not be removed yet.
async fn take_over(probe: &Probe<'_>, names: &Names) -> Result<bool, VolumeError> {
    let (volume, term, Names { old, dead, new, published }) = (probe.volume, &probe.term, names);
    volume.rename(term, old, dead).await?;
    drop(volume.create(term, old).await?);
    volume.make_dir(term, new).await?;
    let (from, to) = (format!("{dead}/file"), format!("{new}/file"));
    probe.put(&to, b"").await?;
    volume.copy_prefix(term, &from, &to, TEXT.len() as u64).await?;
    volume.unlink(term, &from).await?;
    let lingers = match volume.remove_dir(term, dead).await {
        Ok(()) => false,
        Err(VolumeError::NotEmpty { .. }) => true,
        Err(error) => return Err(error),
    };
    volume.link(term, &to, published).await?;
    Ok(lingers)
}

/// Every operation of a holder that has not noticed the takeover. By name, none may succeed.
async fn attack(probe: &Probe<'_>, names: &Names, held: &Arc<dyn VolumeFile>) -> Vec<&'static str> {
    let (volume, term, old) = (probe.volume, &probe.term, &names.old);
    // Through its descriptor: refused (ESTALE on NFS), or lost in a file without a name. Both are fine.
    let _ = held.write_at(term, 0, b"overwritten by the old holder, and longer\n".to_vec()).await;
    let _ = held.set_size(term, 4096).await;
    let _ = held.sync_data(term).await;

    let (file, late) = (format!("{old}/file"), format!("{old}/late"));
    let by_name = [
        ("a late mkdir replaces the tombstone", volume.make_dir(term, old).await.is_ok()),
        ("a late mkdir below the tombstone succeeds", volume.make_dir(term, &late).await.is_ok()),
        ("a late create succeeds", volume.create(term, &file).await.is_ok()),
        ("a late link succeeds", volume.link(term, &file, &probe.path("late")).await.is_ok()),
    ];
    by_name.into_iter().filter(|(_, succeeded)| *succeeded).map(|(what, _)| what).collect()
}

/// What the old holder has changed although the new one relies on it, whatever answers the old one got.
async fn reached(probe: &Probe<'_>, names: &Names) -> Result<Vec<&'static str>, VolumeError> {
    let mut reached = Vec::new();
    if probe.text(&names.published).await? != TEXT {
        reached.push("its open file is the published one");
    }
    let tombstone = probe.volume.stat(&names.old).await?;
    if !matches!(tombstone, Some(Entry { kind: EntryKind::File, bytes: 0, .. })) {
        reached.push("the tombstone is not what it was");
    }
    if probe.volume.stat(&probe.path("late")).await?.is_some() {
        reached.push("its late link is there");
    }
    Ok(reached)
}
