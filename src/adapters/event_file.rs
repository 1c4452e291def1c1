//! A file of events, one a line, as a topic of one partition. An event's offset is the position of its line's first byte.

use crate::core::model::message::{EventId, Partition, Received, TopicPosition};
use crate::core::model::shown;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::{BATCH_BYTES, Consumer, Polled, Watermarks};
use crate::files;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest line that is kept whole. Of a longer one only so much is taken: it is too long for an event in any case.
const LINE_MAX: u64 = (1 << 20) + 1;

/// How much of the first line tells a file from another one.
const HEAD_MAX: u64 = 64 << 10;

/// Where the lines are.
enum Lines {
    /// A file; it is opened when it is first asked for.
    File { path: PathBuf, open: Option<BufReader<std::fs::File>> },
    /// What another program writes.
    Stdin,
}

/// A file of events.
#[expect(clippy::struct_excessive_bools, reason = "each is one answer about the file")]
pub struct EventFile {
    lines: Lines,
    topic: String,
    /// The next byte.
    position: u64,
    is_assigned: bool,
    is_paused: bool,
    /// Whether more lines may come.
    follows: bool,
    ended: bool,
}

impl EventFile {
    /// The events of a file. With `follows`, a last line without an end waits for it.
    pub fn new(path: &Path, follows: bool) -> Self {
        let topic = path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
        Self::of(Lines::File { path: path.to_owned(), open: None }, topic, follows)
    }

    /// The events of the standard input.
    pub fn stdin() -> Self {
        Self::of(Lines::Stdin, "stdin".to_owned(), false)
    }

    /// Opens it and reads nothing: what a reader would fail of, or what it reads.
    ///
    /// # Errors
    /// As for readers.
    pub fn check(&mut self) -> Result<String, BrokerError> {
        match self.open() {
            Ok(()) => Ok(format!("from the file {}", self.describe())),
            Err(error) => Err(self.error(&error)),
        }
    }

    fn of(lines: Lines, topic: String, follows: bool) -> Self {
        Self { lines, topic, position: 0, is_assigned: false, is_paused: false, follows, ended: false }
    }

    fn partition(&self) -> Partition {
        Partition { topic: self.topic.clone(), number: 0 }
    }

    fn error(&self, error: &io::Error) -> BrokerError {
        let (topic, reason) = (self.describe(), error.to_string());
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::TimedOut => BrokerError::Unreachable { topic, reason },
            _ => BrokerError::Refused { topic, reason: format!("{reason}; check the file's name and rights") },
        }
    }

    fn describe(&self) -> String {
        match &self.lines {
            Lines::File { path, .. } => shown::text(&path.display().to_string()),
            Lines::Stdin => "the standard input".to_owned(),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        let Lines::File { path, open } = &mut self.lines else { return Ok(()) };
        if open.is_none() {
            let mut file = BufReader::with_capacity(1 << 18, files::open(path)?);
            self.position = line_start(&mut file, self.position)?;
            *open = Some(file);
        }
        Ok(())
    }

    /// The next line without its end, and the position of its first byte. `None` at the end.
    fn line(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        self.open()?;
        let start = self.position;
        let (bytes, length, is_whole) = match &mut self.lines {
            Lines::File { open: Some(file), .. } => read_line(file)?,
            Lines::File { open: None, .. } => return Ok(None),
            Lines::Stdin => read_line(&mut io::stdin().lock())?,
        };
        if length == 0 {
            self.ended = true;
            return Ok(None);
        }
        if !is_whole && self.follows {
            // The rest is being written: the line is read again when more is there.
            if let Lines::File { open, .. } = &mut self.lines {
                *open = None;
            }
            return Ok(None);
        }
        self.position = start + length;
        Ok(Some((start, bytes)))
    }

    fn batch(&mut self, max: usize) -> io::Result<Vec<Received>> {
        let (mut messages, mut bytes) = (Vec::new(), 0);
        while messages.len() < max && bytes < BATCH_BYTES {
            let Some((offset, payload)) = self.line()? else { break };
            // A blank line is no event.
            if payload.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            bytes += payload.len();
            let offset = i64::try_from(offset).unwrap_or(i64::MAX);
            let id = EventId { topic: self.topic.clone(), partition: 0, offset };
            messages.push(Received { id, key: None, headers: Vec::new(), payload, at: None });
        }
        Ok(messages)
    }

    /// Where the last event starts, and one behind that: the end of the topic as readers count.
    fn end(&self) -> io::Result<i64> {
        let Lines::File { path, .. } = &self.lines else {
            // Nobody knows how much comes, until nothing more does.
            return Ok(if self.ended { 0 } else { i64::MAX });
        };
        let mut file = BufReader::new(files::open(path)?);
        let (mut at, mut end) = (0_u64, 0_u64);
        loop {
            let (bytes, length, is_whole) = read_line(&mut file)?;
            if length == 0 || (!is_whole && self.follows) {
                return Ok(i64::try_from(end).unwrap_or(i64::MAX));
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                end = at + 1;
            }
            at += length;
        }
    }
}

/// One line: at most [`LINE_MAX`] bytes of it, how many bytes it has with its end, and whether it has an end.
fn read_line(lines: &mut impl BufRead) -> io::Result<(Vec<u8>, u64, bool)> {
    let mut bytes = Vec::new();
    let mut length = lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? as u64;
    let mut is_whole = bytes.last() == Some(&b'\n');
    let mut rest = Vec::new();
    while length >= LINE_MAX && !is_whole {
        rest.clear();
        let more = lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut rest)? as u64;
        length += more;
        is_whole = rest.last() == Some(&b'\n');
        if more == 0 {
            break;
        }
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok((bytes, length, is_whole))
}

/// The first start of a line at this position or behind it.
fn line_start(file: &mut BufReader<std::fs::File>, position: u64) -> io::Result<u64> {
    let Some(before) = position.checked_sub(1) else { return Ok(0) };
    file.seek(SeekFrom::Start(before))?;
    let (_, length, _) = read_line(file)?;
    Ok(before + length)
}

#[async_trait]
impl Consumer for EventFile {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError> {
        if !self.is_assigned {
            self.is_assigned = true;
            return Ok(Polled::Assigned(vec![self.partition()]));
        }
        if !self.is_paused {
            let messages = tokio::task::block_in_place(|| self.batch(max)).map_err(|error| self.error(&error))?;
            if !messages.is_empty() || (self.ended && !self.follows) {
                return Ok(Polled::Messages(messages));
            }
        }
        tokio::time::sleep(wait).await;
        Ok(Polled::Messages(Vec::new()))
    }

    async fn commit(&mut self, _: &[TopicPosition]) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn seek(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError> {
        let own = self.partition();
        if let Some(position) = positions.iter().find(|position| position.partition == own) {
            self.position = u64::try_from(position.offset).unwrap_or(0);
            if let Lines::File { open, .. } = &mut self.lines {
                *open = None;
            }
            self.ended = false;
        }
        Ok(())
    }

    async fn pause(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        self.is_paused = true;
        Ok(())
    }

    async fn resume(&mut self, _: &[Partition]) -> Result<(), BrokerError> {
        self.is_paused = false;
        Ok(())
    }

    async fn watermarks(&mut self, _: &Partition) -> Result<Watermarks, BrokerError> {
        let next = tokio::task::block_in_place(|| self.end()).map_err(|error| self.error(&error))?;
        Ok(Watermarks { first: 0, next })
    }

    /// A digest of the first line. What another program writes is new each time.
    async fn topic_id(&mut self) -> Result<String, BrokerError> {
        let Lines::File { path, .. } = &self.lines else { return Ok(uuid::Uuid::new_v4().to_string()) };
        let first = || {
            let mut bytes = Vec::new();
            BufReader::new(files::open(path)?).take(HEAD_MAX).read_until(b'\n', &mut bytes)?;
            Ok(bytes)
        };
        let first: Vec<u8> = first().map_err(|error: io::Error| self.error(&error))?;
        let digest = hex::encode(Sha256::digest(first));
        Ok(digest.get(..16).unwrap_or_default().to_owned())
    }
}
