//! Reads a manifest under any name: a published one, or one that is kept.

use super::GenerateError;
use super::bounded::read_up_to;
use crate::core::generate::model::manifest::Manifest;
use crate::core::ports::volume::{Volume, VolumeError};

/// Largest manifest in bytes: a thousand files with a hundred sums each.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// The manifest of that name, if there is one.
///
/// # Errors
/// When it is there but cannot be read.
pub(super) async fn manifest_at(volume: &dyn Volume, name: &str) -> Result<Option<Manifest>, GenerateError> {
    let file = match volume.open(name).await {
        Ok(file) => file,
        Err(VolumeError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = file.size().await?;
    if bytes > MANIFEST_BYTES_MAX {
        let reason = format!("it is no manifest of this product: it has {bytes} bytes, and none has more than 16 MiB");
        return Err(GenerateError::Conflict { path: name.to_owned(), reason });
    }
    let text = read_up_to(&*file, MANIFEST_BYTES_MAX, |_| false).await?;
    serde_json::from_slice(&text).map(Some).map_err(|error| GenerateError::Conflict {
        path: name.to_owned(),
        reason: format!("it is no manifest of this product: {error}"),
    })
}

/// The folder that a name stands in; empty for the root.
pub(super) fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
