//! Lines out of bytes that come in pieces, and the last line of a file, found from its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Longest line that is kept whole. Of a longer one only so much is taken: it is too long for an event in any case.
pub(super) const LINE_MAX: usize = (1 << 20) + 1;

/// How much is read at a time in search of the last line.
const BLOCK: u64 = 64 << 10;

/// A line without its end.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// Where its first byte is.
    pub(super) start: u64,
    /// What is kept of it.
    pub(super) bytes: Vec<u8>,
    /// Whether it is white space and nothing else, also behind what is kept.
    pub(super) is_blank: bool,
}

/// Cuts bytes into lines. What has come of a line without an end is kept from one piece to the next.
#[derive(Debug)]
pub(super) struct Cutter {
    start: u64,
    length: u64,
    kept: Vec<u8>,
    has_text: bool,
    /// Whether the line is passed over.
    skips: bool,
}

impl Cutter {
    /// Begins at the first line that starts at this position or behind it; and where it reads from for that.
    pub(super) fn at(position: u64) -> (Self, u64) {
        let start = position.saturating_sub(1);
        (Self { start, length: 0, kept: Vec::new(), has_text: false, skips: position > 0 }, start)
    }

    /// Takes bytes, at most up to the end of a line: how many, and the line that they end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, Option<Line>) {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let text = &bytes[..end.unwrap_or(bytes.len())];
        self.length += text.len() as u64;
        if !self.skips {
            self.has_text = self.has_text || !text.iter().all(u8::is_ascii_whitespace);
            self.kept.extend_from_slice(&text[..text.len().min(LINE_MAX.saturating_sub(self.kept.len()))]);
        }
        let Some(end) = end else { return (bytes.len(), None) };
        (end + 1, self.ended(1))
    }

    /// How far it came: behind the last byte that it took.
    pub(super) fn position(&self) -> u64 {
        self.start + self.length
    }

    /// Where a line starts that is longer than one may be, and has no end yet.
    pub(super) fn endless(&self) -> Option<u64> {
        (self.length > LINE_MAX as u64).then_some(self.start)
    }

    /// The end of all bytes ends a line too.
    pub(super) fn finish(&mut self) -> Option<Line> {
        if self.length == 0 { None } else { self.ended(0) }
    }

    /// The line that ends here, unless it is passed over.
    fn ended(&mut self, end_length: u64) -> Option<Line> {
        let (start, mut bytes) = (self.start, std::mem::take(&mut self.kept));
        let (skipped, is_blank) = (std::mem::take(&mut self.skips), !std::mem::take(&mut self.has_text));
        let is_whole = self.length == bytes.len() as u64;
        self.start += self.length + end_length;
        self.length = 0;
        while is_whole && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        (!skipped).then_some(Line { start, bytes, is_blank })
    }
}

/// Where the last line that is not blank starts, and one behind that; 0 without one. `None` when it is not within `most` bytes from
/// the end. With `follows`, a last line without an end does not count.
pub(super) fn behind_last(file: &File, follows: bool, most: u64) -> io::Result<Option<u64>> {
    let size = file.metadata()?.len();
    let (mut at, mut has_text, mut is_unfinished) = (size, false, true);
    let mut block = Vec::new();
    while at > 0 {
        if size - at >= most {
            return Ok(None);
        }
        let from = at.saturating_sub(BLOCK);
        block.resize(usize::try_from(at - from).unwrap_or_default(), 0);
        match file.read_exact_at(&mut block, from) {
            // It has become shorter meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        for (place, byte) in block.iter().enumerate().rev() {
            if *byte == b'\n' {
                if has_text && !(is_unfinished && follows) {
                    return Ok(Some(from + place as u64 + 2));
                }
                (has_text, is_unfinished) = (false, false);
            } else if !byte.is_ascii_whitespace() {
                has_text = true;
            }
        }
        at = from;
    }
    Ok(Some(u64::from(has_text && !(is_unfinished && follows))))
}
