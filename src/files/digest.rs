//! The digest of what is read, piece by piece.

use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Copies all that is left; how many bytes that was, and their SHA-256 in hex. [`io::sink`] takes what is only to be looked at.
pub(crate) fn copy_digested(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok((size, hex::encode(digest.finalize())));
        }
        size += count as u64;
        digest.update(&piece[..count]);
        to.write_all(&piece[..count])?;
    }
}
