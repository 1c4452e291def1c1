//! A file of events, one a line, as a topic of one partition. An event's offset is the position of its line's first byte.

mod lines;
mod stdin;
#[cfg(test)]
mod tests;

use crate::core::model::message::{EventId, Partition, Received, TopicPosition};
use crate::core::model::shown;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::consumer::{BATCH_BYTES, Consumer, Polled, Watermarks};
use crate::files;
use async_trait::async_trait;
use lines::{Cutter, Line};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;
use stdin::Input;

/// How much is read, and searched for the last line, before whoever asked is answered: a line may be endless, and a stop is looked
/// at between two answers.
const LOOK_MAX: u64 = 16 << 20;

/// How much of the first line tells a file from another one.
const HEAD_MAX: u64 = 64 << 10;

/// Where the lines are.
enum Lines {
    /// A file; it is opened when it is first asked for.
    File { path: PathBuf, open: Option<BufReader<std::fs::File>> },
    /// What another program writes.
    Stdin(Input),
}

/// A file of events.
#[expect(clippy::struct_excessive_bools, reason = "each is one answer about the file")]
pub struct EventFile {
    lines: Lines,
    topic: String,
    /// What has come of the next line.
    cutter: Cutter,
    /// Behind the last event that was delivered, or where reading began.
    next: i64,
    is_assigned: bool,
    is_paused: bool,
    /// Whether more lines may come.
    follows: bool,
    ended: bool,
    /// Whether the last event is too far from the file's end to be found from there.
    is_far: bool,
    /// The most bytes that the file had when it was looked at.
    seen: u64,
}

impl EventFile {
    /// The events of a file. With `follows`, a last line without an end waits for it.
    pub fn new(path: &Path, follows: bool) -> Self {
        let topic = path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
        Self::of(Lines::File { path: path.to_owned(), open: None }, topic, follows)
    }

    /// The events of the standard input.
    pub fn stdin() -> Self {
        Self::of(Lines::Stdin(Input::default()), "stdin".to_owned(), false)
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
        let (cutter, _) = Cutter::at(0);
        let (is_assigned, is_paused) = (false, false);
        Self { lines, topic, cutter, next: 0, is_assigned, is_paused, follows, ended: false, is_far: false, seen: 0 }
    }

    fn partition(&self) -> Partition {
        Partition { topic: self.topic.clone(), number: 0 }
    }

    fn error(&self, error: &io::Error) -> BrokerError {
        let (topic, reason) = (self.describe(), error.to_string());
        match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::TimedOut => BrokerError::Unreachable { topic, reason },
            io::ErrorKind::UnexpectedEof => BrokerError::Damaged { topic, reason },
            _ => BrokerError::Refused { topic, reason: format!("{reason}; check the file's name and rights") },
        }
    }

    fn describe(&self) -> String {
        match &self.lines {
            Lines::File { path, .. } => shown::text(&path.display().to_string()),
            Lines::Stdin(_) => "the standard input".to_owned(),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        let Lines::File { path, open } = &mut self.lines else { return Ok(()) };
        if open.is_none() {
            let mut file = BufReader::with_capacity(1 << 18, files::open(path)?);
            let (cutter, start) = Cutter::at(u64::try_from(self.next).unwrap_or(0));
            file.seek(SeekFrom::Start(start))?;
            self.cutter = cutter;
            *open = Some(file);
        }
        Ok(())
    }

    /// The next line. `None` at the end, where no more is there by now, and when the budget is used up.
    fn line(&mut self, budget: &mut u64) -> io::Result<Option<Line>> {
        self.open()?;
        while *budget > 0 {
            let bytes = match &mut self.lines {
                Lines::File { open: Some(file), .. } => file.fill_buf()?,
                Lines::File { open: None, .. } => return Ok(None),
                Lines::Stdin(input) => match input.bytes()? {
                    Some(bytes) => bytes,
                    None => return Ok(None),
                },
            };
            if bytes.is_empty() {
                self.check_length()?;
                self.ended = true;
                // Where more may come, the rest of a line without an end is being written.
                return Ok(if self.follows { None } else { self.cutter.finish() });
            }
            let (taken, line) = self.cutter.take(bytes);
            match &mut self.lines {
                Lines::File { open, .. } => open.iter_mut().for_each(|file| file.consume(taken)),
                Lines::Stdin(input) => input.consume(taken),
            }
            *budget = budget.saturating_sub(taken as u64);
            if line.is_some() {
                return Ok(line);
            }
        }
        Ok(None)
    }

    /// Sees that the file has all that it had: it is only written on. One that became shorter has lost events that were to be read, and the
    /// end that was told never comes.
    fn check_length(&self) -> io::Result<()> {
        let Lines::File { open: Some(file), .. } = &self.lines else { return Ok(()) };
        let (size, at) = (file.get_ref().metadata()?.len(), self.cutter.position());
        let had = self.seen.max(at);
        if size >= had {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!(
                "the file became shorter while it was read: it has {size} bytes and had {had}, and reading stood at byte {at}; put back \
                 what was cut off, and reading goes on there, or set `on_recreated: restart` to read what it has now from its beginning"
            ),
        ))
    }

    /// Events that are there, and whether more may be there at once.
    fn batch(&mut self, max: usize) -> io::Result<(Vec<Received>, bool)> {
        let (mut messages, mut bytes, mut budget) = (Vec::new(), 0, LOOK_MAX);
        while messages.len() < max && bytes < BATCH_BYTES {
            let line = match self.line(&mut budget) {
                // It comes again with the next call: what was read goes before it.
                Err(_) if !messages.is_empty() => break,
                line => line?,
            };
            let Some(line) = line else { break };
            // A blank line is no event.
            if line.is_blank {
                continue;
            }
            bytes += line.bytes.len();
            let offset = i64::try_from(line.start).unwrap_or(i64::MAX);
            self.next = offset.saturating_add(1);
            let id = EventId { topic: self.topic.clone(), partition: 0, offset };
            messages.push(Received { id, key: None, headers: Vec::new(), payload: line.bytes, at: None });
        }
        Ok((messages, budget == 0))
    }

    /// Where the last event starts, and one behind that: the end of the topic as readers count. Without end as long as nobody knows.
    fn end(&mut self) -> io::Result<i64> {
        let Lines::File { path, .. } = &self.lines else {
            // Nobody knows how much comes, until nothing more does.
            return Ok(if self.ended { 0 } else { i64::MAX });
        };
        if !self.is_far {
            let file = files::open(path)?;
            self.seen = self.seen.max(file.metadata()?.len());
            match lines::behind_last(&file, self.follows, LOOK_MAX)? {
                Some(end) => return Ok(i64::try_from(end).unwrap_or(i64::MAX)),
                None => self.is_far = true,
            }
        }
        Ok(if self.ended { self.next } else { i64::MAX })
    }
}

#[async_trait]
impl Consumer for EventFile {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError> {
        if !self.is_assigned {
            self.is_assigned = true;
            return Ok(Polled::Assigned(vec![self.partition()]));
        }
        if !self.is_paused {
            if let Lines::Stdin(input) = &mut self.lines {
                match tokio::time::timeout(wait, input.wait()).await {
                    Ok(waited) => waited.map_err(|error| self.error(&error))?,
                    Err(_) => return Ok(Polled::Messages(Vec::new())),
                }
            }
            let read = tokio::task::block_in_place(|| self.batch(max));
            let (messages, is_cut_short) = read.map_err(|error| self.error(&error))?;
            let is_waiting = matches!(self.lines, Lines::File { .. }) && !is_cut_short && (!self.ended || self.follows);
            if !messages.is_empty() || !is_waiting {
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
            // What was read of the standard input does not come again.
            if let Lines::File { open, .. } = &mut self.lines {
                self.next = position.offset;
                *open = None;
                (self.ended, self.is_far) = (false, false);
            }
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

    fn held_up(&self) -> Option<String> {
        let start = self.cutter.endless()?;
        Some(format!(
            "the line that starts at byte {start} of {} is longer than an event may be and has no end yet: what stands behind it is not read; \
             end the line, or take it out of the file",
            self.describe()
        ))
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
