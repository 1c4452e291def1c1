//! The folder in which a drill plays, and its removal.

use crate::core::model::names::HIDDEN;
use crate::core::model::term::{Term, Token};
use crate::core::ports::volume::{EntryKind, Volume, VolumeError};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A folder on the worker's volume. It does not exist before the drill, and is removed after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scratch {
    /// Relative to the output root: `.filegen/drill-…`.
    pub dir: String,
    /// What of the folders above it has to go with it.
    new: Vec<&'static str>,
}

impl Scratch {
    /// Thinks of one; makes nothing yet.
    ///
    /// # Errors
    /// When the volume cannot be looked at.
    pub async fn plan(volume: &dyn Volume, name: &str) -> Result<Self, VolumeError> {
        let mut new = Vec::new();
        for folder in [HIDDEN, ""] {
            if volume.stat(folder).await?.is_none() {
                new.push(folder);
            }
        }
        Ok(Self { dir: format!("{HIDDEN}/drill-{name}"), new })
    }

    /// Removes it, and the folders above it that were not there before, unless somebody uses them by now.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn remove(&self, volume: &dyn Volume) -> Result<(), VolumeError> {
        let term = scratch_term();
        clear(volume, &term, &self.dir).await?;
        for folder in &self.new {
            match volume.remove_dir(&term, folder).await {
                Ok(()) | Err(VolumeError::NotFound { .. }) => {}
                Err(VolumeError::NotEmpty { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// No lease stands behind it: nothing else is where it writes.
pub(super) fn scratch_term() -> Term {
    Term::new(Token(0), Duration::MAX, Arc::new(|| Duration::ZERO))
}

/// Removes a folder with all that is in it.
pub(super) fn clear<'a>(
    volume: &'a dyn Volume,
    term: &'a Term,
    dir: &'a str,
) -> Pin<Box<dyn Future<Output = Result<(), VolumeError>> + Send + 'a>> {
    Box::pin(async move {
        for entry in volume.list(dir).await? {
            let path = format!("{dir}/{}", entry.name);
            match entry.kind {
                EntryKind::Dir => clear(volume, term, &path).await?,
                EntryKind::File | EntryKind::Other => match volume.unlink(term, &path).await {
                    Ok(()) | Err(VolumeError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        match volume.remove_dir(term, dir).await {
            Ok(()) | Err(VolumeError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    })
}
