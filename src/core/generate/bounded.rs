//! Reads of files that others may have put on the volume: never more than was agreed on, whatever their size claims.

use crate::core::ports::volume::{VolumeError, VolumeFile};

/// Bytes read at a time. A sparse file claims terabytes: no buffer is made for a size that nobody has seen.
const CHUNK: u64 = 1 << 20;

/// Reads a file from its start, at most `most` bytes, until a chunk that is the last one worth reading.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn read_up_to(
    file: &dyn VolumeFile,
    most: u64,
    is_last: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, VolumeError> {
    let size = file.size().await?.min(most);
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        let at = bytes.len() as u64;
        let wanted = usize::try_from((size - at).min(CHUNK)).unwrap_or(usize::MAX);
        let chunk = file.read_at(at, wanted).await?;
        if chunk.is_empty() {
            break;
        }
        let last = is_last(&chunk);
        bytes.extend(chunk);
        if last {
            break;
        }
    }
    Ok(bytes)
}
