//! One pass over a file: its digest, the checksum of each page, and the records in it.

use super::count::{Counter, Frame};
use crate::core::ports::volume::{VolumeError, VolumeFile};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Bytes read at a time.
const CHUNK: u64 = 1 << 20;

/// What one pass over a file found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Digest of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// XXH3-64 of each page. `None` for a page that the file does not hold whole.
    pub sums: Vec<Option<String>>,
    /// Records between the frame's ends. `None` without a frame.
    pub records: Option<u64>,
}

impl Scan {
    /// Reads the first `bytes` of a file. Pages start at `from` and end at each of `marks`, which grow.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn of(
        file: &Arc<dyn VolumeFile>,
        bytes: u64,
        from: u64,
        marks: &[u64],
        frame: Option<&Frame>,
    ) -> Result<Self, VolumeError> {
        let mut sha = Sha256::new();
        let mut pages = Pages { at: from, marks, sum: Xxh3::new(), sums: Vec::new() };
        let mut counter = frame.map(|frame| (frame, Counter::new(&frame.ends)));
        let mut at = 0;
        while at < bytes {
            let wanted = usize::try_from(CHUNK.min(bytes - at)).unwrap_or(usize::MAX);
            let chunk = file.read_at(at, wanted).await?;
            if chunk.is_empty() {
                break;
            }
            sha.update(&chunk);
            pages.take(at, &chunk);
            if let Some((frame, counter)) = &mut counter {
                counter.take(overlap(at, &chunk, frame.from, frame.to));
            }
            at += chunk.len() as u64;
        }
        let mut sums = pages.sums;
        sums.resize(marks.len(), None);
        let records = counter.map(|(_, counter)| counter.records());
        Ok(Self { sha256: hex::encode(sha.finalize()), sums, records })
    }
}

/// Checksums of pages that pass by in chunks.
struct Pages<'a> {
    at: u64,
    marks: &'a [u64],
    sum: Xxh3,
    sums: Vec<Option<String>>,
}

impl Pages<'_> {
    fn take(&mut self, start: u64, chunk: &[u8]) {
        let end = start + chunk.len() as u64;
        while let Some(&mark) = self.marks.get(self.sums.len()) {
            let upto = mark.min(end);
            self.sum.update(overlap(start, chunk, self.at, upto));
            self.at = self.at.max(upto);
            if mark > end {
                return;
            }
            self.sums.push(Some(format!("{:016x}", self.sum.digest())));
            self.sum.reset();
        }
    }
}

/// The bytes of `chunk`, which starts at `start`, that lie between `from` and `to`.
fn overlap(start: u64, chunk: &[u8], from: u64, to: u64) -> &[u8] {
    let index = |place: u64| usize::try_from(place.saturating_sub(start)).unwrap_or(usize::MAX).min(chunk.len());
    chunk.get(index(from)..index(to)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::generate::model::journal::sum_of;

    #[test]
    fn pages_have_the_same_sums_however_the_file_is_cut_into_chunks() {
        let body: Vec<u8> = (0..200_u8).collect();
        let marks = [40, 40, 90, 170];
        for size in [1, 7, 50, 90, 200] {
            let mut pages = Pages { at: 32, marks: &marks, sum: Xxh3::new(), sums: Vec::new() };
            for (index, chunk) in body.chunks(size).enumerate() {
                pages.take((index * size) as u64, chunk);
            }
            let want = [&body[32..40], &[], &body[40..90], &body[90..170]].map(|page| Some(sum_of(page)));
            assert_eq!(pages.sums, want, "chunks of {size}");
        }
    }

    #[test]
    fn a_page_that_is_cut_short_has_no_sum() {
        let mut pages = Pages { at: 32, marks: &[40, 90], sum: Xxh3::new(), sums: Vec::new() };
        pages.take(0, &[0; 60]);
        assert_eq!(pages.sums.len(), 1);
    }
}
