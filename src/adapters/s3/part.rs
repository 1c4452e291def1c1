//! A file on its way to a store: small ones go in one request, when they get their name; large ones in pieces, which nobody sees until
//! they are put together.

use super::api::{Condition, Content, Piece};
use super::{Shared, trial};
use crate::core::model::transfer::Upload;
use crate::core::ports::file_target::{Naming, TargetError, TargetPart, Whole};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

/// Smallest piece but the last, in bytes: a file up to it goes in one request.
pub(super) const PIECE_MIN: u64 = 5 << 20;

/// Most pieces.
const PIECES_MAX: u64 = 10_000;

/// All pieces on their way take no more, in KiB.
pub(super) const BUDGET: u32 = 20 << 10;

/// How often a name is replaced anew when another file took it meanwhile.
const REPLACED_MOST: usize = 3;

/// The size of the pieces of a file: the same in each try.
pub(super) fn piece_size(size: u64) -> u64 {
    const STEP: u64 = 1 << 20;
    size.div_ceil(PIECES_MAX).div_ceil(STEP).saturating_mul(STEP).max(PIECE_MIN)
}

/// An unfinished file.
pub(super) struct Part {
    shared: Arc<Shared>,
    /// The path that it is bound to and all of its bytes, where that is known.
    whole: Option<(String, u64)>,
    upload: Option<Upload>,
    /// For the names of trials.
    name: String,
    /// What the store had when this try began.
    listed: BTreeMap<u32, Piece>,
    done: BTreeMap<u32, Piece>,
    sending: JoinSet<Result<(u32, Piece), TargetError>>,
    /// What is not on its way yet, and its place in the budget.
    buffer: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
    /// Most that the buffer takes.
    most: usize,
    written: u64,
    sent: u32,
}

impl Part {
    pub(super) fn new(
        shared: &Arc<Shared>,
        name: String,
        whole: Option<Whole<'_>>,
        (upload, listed): (Option<Upload>, BTreeMap<u32, Piece>),
    ) -> Self {
        let size = whole.map_or(PIECE_MIN, |whole| whole.size);
        let most = if is_large(size) { piece_size(size) } else { size };
        Self {
            shared: Arc::clone(shared),
            whole: whole.map(|whole| (whole.path.to_owned(), whole.size)),
            upload,
            name,
            listed,
            done: BTreeMap::new(),
            sending: JoinSet::new(),
            buffer: Vec::new(),
            room: None,
            most: usize::try_from(most).unwrap_or(usize::MAX),
            written: 0,
            sent: 0,
        }
    }

    fn is_in_pieces(&self) -> bool {
        self.whole.as_ref().is_some_and(|(_, size)| is_large(*size))
    }

    fn path(&self) -> &str {
        self.whole.as_ref().map_or("", |(path, _)| path)
    }

    fn failed(&self, reason: &str) -> TargetError {
        TargetError::Failed { path: self.path().to_owned(), reason: reason.to_owned() }
    }

    /// Waits for a place in the budget, for what the buffer will take.
    async fn make_room(&mut self) -> Result<(), TargetError> {
        let left = self.whole.as_ref().map_or(PIECE_MIN, |(_, size)| size.saturating_sub(self.written));
        let bytes = left.min(self.most as u64);
        let kilobytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(BUDGET).clamp(1, BUDGET);
        let room = Arc::clone(&self.shared.budget).acquire_many_owned(kilobytes).await;
        self.room = Some(room.map_err(|_| self.failed("the process stops"))?);
        let bytes = usize::try_from(bytes).unwrap_or(0);
        self.buffer = self.shared.spare(bytes).unwrap_or_else(|| Vec::with_capacity(bytes));
        Ok(())
    }

    /// Sends the buffer as the next piece, unless the store has this very one.
    fn send(&mut self) {
        self.sent += 1;
        let (number, content) = (self.sent, Content::new(std::mem::take(&mut self.buffer)));
        let room = self.room.take();
        let there = self.listed.remove(&number);
        let is_there = |there: &Piece| there.size == content.size() && there.checksum == Some(content.checksum());
        if let Some(there) = there.filter(is_there) {
            self.done.insert(number, there);
            return;
        }
        let (shared, upload) = (Arc::clone(&self.shared), self.upload.clone());
        self.sending.spawn(async move {
            let _room = room;
            let Some(Upload { path, id }) = upload else {
                let reason = "it goes in pieces, and nothing was begun for it".to_owned();
                return Err(TargetError::Failed { path: String::new(), reason });
            };
            match shared.api.piece(&path, &id, number, &content).await {
                Ok(piece) => {
                    shared.keep_spare(content.into_bytes());
                    Ok((number, piece))
                }
                Err(fault) => Err(shared.told(&path, &fault)),
            }
        });
    }

    /// Takes what came of pieces: of those that have ended, or of all.
    async fn settle(&mut self, of_all: bool) -> Result<(), TargetError> {
        loop {
            let joined = if of_all { self.sending.join_next().await } else { self.sending.try_join_next() };
            match joined {
                None => return Ok(()),
                Some(Ok(sent)) => {
                    let (number, piece) = sent?;
                    self.done.insert(number, piece);
                }
                Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Some(Err(_)) => return Err(self.failed("a piece was given up")),
            }
        }
    }

    /// Gives the name, by whichever request gives it.
    async fn give(&self, path: &str, content: &Content, condition: &Condition) -> Result<bool, TargetError> {
        let api = &self.shared.api;
        let given = match &self.upload {
            Some(Upload { path, id }) if self.is_in_pieces() => api.complete(path, id, &self.done, condition).await,
            _ => api.put(path, content, condition).await,
        };
        match given {
            Ok(()) => Ok(true),
            Err(fault) if fault.is_taken() => Ok(false),
            // What was to be replaced has gone meanwhile.
            Err(fault) if fault.is_missing() && matches!(condition, Condition::Is(_)) => Ok(false),
            // Completed by a request whose answer was lost, or given up: whoever looks at the name will see.
            Err(fault) if fault.is_no_upload() && self.shared.has(path).await? => Ok(false),
            // A file of our own, which tries the target.
            Err(fault) if self.whole.is_none() => Err(self.shared.unusable(&fault)),
            Err(fault) => Err(self.shared.told(path, &fault)),
        }
    }

    async fn replace(&self, path: &str, content: &Content) -> Result<bool, TargetError> {
        for _ in 0..REPLACED_MOST {
            // What is there now is replaced, and nothing that comes meanwhile: this request may be a late one.
            let tag = self.shared.api.tag(path).await.map_err(|fault| self.shared.told(path, &fault))?;
            if self.give(path, content, &tag.map_or(Condition::Absent, Condition::Is)).await? {
                return Ok(true);
            }
        }
        let reason = "other files take the name again and again".to_owned();
        Err(TargetError::Failed { path: path.to_owned(), reason })
    }
}

fn is_large(size: u64) -> bool {
    size > PIECE_MIN
}

/// Whether a file goes in pieces.
pub(super) fn goes_in_pieces(whole: Option<Whole<'_>>) -> bool {
    whole.is_some_and(|whole| is_large(whole.size))
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, _: u64, _: usize) -> Result<Vec<u8>, TargetError> {
        // Nothing counts as there: each piece is held against what the store has when it comes by.
        Ok(Vec::new())
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.settle(false).await?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            if self.room.is_none() {
                self.make_room().await?;
            }
            let count = self.most.saturating_sub(self.buffer.len()).min(rest.len());
            if count == 0 {
                // More than was told: it gets no name.
                self.written += rest.len() as u64;
                return Ok(());
            }
            let (now, later) = rest.split_at(count);
            self.buffer.extend_from_slice(now);
            self.written += count as u64;
            rest = later;
            if self.buffer.len() == self.most && self.is_in_pieces() {
                self.send();
            }
        }
        Ok(())
    }

    /// Waits for the store once all is written. Before, nothing need be durable: what is there is found anew.
    async fn sync(&mut self) -> Result<(), TargetError> {
        let is_all = self.whole.as_ref().is_none_or(|(_, size)| self.written >= *size);
        if is_all && self.is_in_pieces() && !self.buffer.is_empty() {
            self.send();
        }
        self.settle(is_all).await
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Result<bool, TargetError> {
        self.sync().await?;
        if let Some((_, size)) = self.whole
            && self.written != size
        {
            return Err(self.failed(&format!("{} bytes were written, and it has {size}", self.written)));
        }
        if self.is_in_pieces() && path != self.path() {
            if self.shared.has(path).await? {
                return Ok(false);
            }
            let reason = "another name was free when it was begun: it is sent anew".to_owned();
            return Err(TargetError::Failed { path: path.to_owned(), reason });
        }
        // It stays for another name, where this one is taken.
        let content = Content::new(std::mem::take(&mut self.buffer));
        let given = match naming {
            Naming::New => {
                trial::named_once(&self.shared, &self.name, self.is_in_pieces()).await?;
                self.give(path, &content, &Condition::Absent).await
            }
            Naming::Replace => self.replace(path, &content).await,
        };
        if given == Ok(true) {
            self.upload = None;
            self.room = None;
        } else {
            self.buffer = content.into_bytes();
        }
        given
    }

    fn upload(&self) -> Option<Upload> {
        self.upload.clone()
    }

    async fn discard(&mut self) -> Result<(), TargetError> {
        self.sending.shutdown().await;
        (self.buffer, self.room) = (Vec::new(), None);
        match self.upload.take() {
            Some(upload) => self.shared.abandon(&upload).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_small_and_never_too_many() {
        for (size, piece) in [
            (0, 5 << 20),
            (PIECE_MIN, 5 << 20),
            (10 << 30, 5 << 20),
            ((5 * PIECES_MAX) << 20, 5 << 20),
            (((5 * PIECES_MAX) << 20) + 1, 6 << 20),
            (5 << 40, 525 << 20),
        ] {
            assert_eq!(piece_size(size), piece, "{size}");
            assert!(size.div_ceil(piece_size(size)) <= PIECES_MAX, "{size}");
        }
        assert!(!is_large(PIECE_MIN) && is_large(PIECE_MIN + 1));
    }
}
