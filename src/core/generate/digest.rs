//! The digest of a whole file, computed while it is written.
//!
//! The header line stands first in the file and changes until the end, yet SHA-256 must see it first. So the digest
//! starts from the header that the run *expects* to end with, taken from the count at the start. A run whose view did
//! not move ends with that header, and no byte is read twice; otherwise the file is read once more.

use crate::core::generate::model::header::Header;
use crate::core::ports::volume::{VolumeError, VolumeFile};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// SHA-256 of all bytes of one file so far, behind the expected header.
#[derive(Clone)]
pub struct FileDigest {
    expected: Option<Header>,
    sha: Sha256,
}

impl FileDigest {
    /// For a file that is expected to end with this header. `None`: the file has no header line.
    pub fn new(expected: Option<Header>) -> Self {
        let mut digest = Self { expected, sha: Sha256::new() };
        digest.restart();
        digest
    }

    /// Forgets all bytes behind the header.
    pub fn restart(&mut self) {
        self.sha = Sha256::new();
        if let Some(header) = self.expected {
            self.sha.update(header.encode());
        }
    }

    /// Adds bytes at the end.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
    }

    /// Adds `length` bytes of `file` from `offset`; returns their XXH3-64 as the journal writes it, or `None` when the
    /// file is shorter.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read(
        &mut self,
        file: &Arc<dyn VolumeFile>,
        offset: u64,
        length: u64,
    ) -> Result<Option<String>, VolumeError> {
        let mut sum = Xxh3::new();
        let mut done = 0;
        while done < length {
            let wanted = CHUNK.min(usize::try_from(length - done).unwrap_or(CHUNK));
            let bytes = file.read_at(offset + done, wanted).await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            sum.update(&bytes);
            self.sha.update(&bytes);
            done += bytes.len() as u64;
        }
        Ok(Some(format!("{:016x}", sum.digest())))
    }

    /// The digest in lower-case hexadecimal, if the file did end with the expected header.
    pub fn finish(&self, header: Option<Header>) -> Option<String> {
        (self.expected == header).then(|| hex(&self.sha.clone().finalize()))
    }
}

/// Reads a whole file and digests it; returns its size and digest.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn of_file(file: &Arc<dyn VolumeFile>) -> Result<(u64, String), VolumeError> {
    let mut digest = FileDigest::new(None);
    let bytes = file.size().await?;
    digest.read(file, 0, bytes).await?;
    Ok((bytes, hex(&digest.sha.finalize())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    })
}
