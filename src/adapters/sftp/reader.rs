//! A file of the server, read from its begin on: several requests are on their way at once.

use super::link::Link;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

/// Requests of one file that are on their way at once.
const AHEAD: usize = 16;

/// Bytes that came, with their place in the window until somebody takes them.
type Came = (Result<Vec<u8>, Error>, OwnedSemaphorePermit);

struct Asked {
    offset: u64,
    length: u32,
    coming: JoinHandle<Option<Came>>,
}

/// A file that is read.
pub(super) struct Reader {
    link: Arc<Link>,
    handle: String,
    /// Where the next request begins, and where the last one ends.
    next: u64,
    until: u64,
    asked: VecDeque<Asked>,
    /// What came, and was not yet taken.
    buffer: VecDeque<u8>,
    /// Where the buffer begins.
    pub(super) at: u64,
    _open: OwnedSemaphorePermit,
}

impl Reader {
    /// Opens a file, to be read from `at` up to `until`.
    pub(super) async fn open(link: &Arc<Link>, path: &str, at: u64, until: u64) -> Result<Self, Error> {
        let open = Arc::clone(&link.readers).acquire_owned().await.map_err(|_| closed())?;
        let handle = link.sftp.open(path, OpenFlags::READ, FileAttributes::empty()).await?.handle;
        let (asked, buffer) = (VecDeque::new(), VecDeque::new());
        Ok(Self { link: Arc::clone(link), handle, next: at, until, asked, buffer, at, _open: open })
    }

    /// The next bytes; fewer than `most` only at the end.
    pub(super) async fn take(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        while self.buffer.len() < most {
            let piece = self.piece().await?;
            if piece.is_empty() {
                break;
            }
            self.buffer.extend(piece);
        }
        let most = most.min(self.buffer.len());
        let taken: Vec<u8> = self.buffer.drain(..most).collect();
        self.at += taken.len() as u64;
        Ok(taken)
    }

    /// What comes next, as the server cuts it. Empty at the end.
    pub(super) async fn piece(&mut self) -> Result<Vec<u8>, Error> {
        while self.asked.len() < AHEAD && self.next < self.until {
            let rest = u32::try_from(self.until - self.next).unwrap_or(u32::MAX);
            let length = rest.min(self.link.read_most);
            let asked = self.ask(self.next, length, None);
            self.asked.push_back(asked);
            self.next += u64::from(length);
        }
        let Some(Asked { offset, length, coming }) = self.asked.pop_front() else { return Ok(Vec::new()) };
        let (came, place) = coming.await.ok().flatten().ok_or_else(closed)?;
        let bytes = match came {
            Ok(bytes) => bytes,
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => Vec::new(),
            Err(error) => return Err(error),
        };
        let (count, length) = (bytes.len() as u64, u64::from(length));
        if count > length {
            return Err(Error::UnexpectedBehavior("more bytes than were asked for".to_owned()));
        }
        if count == 0 {
            // The end, sooner than was thought: what was asked for behind it is of no use.
            self.asked.clear();
            self.next = self.until;
        } else if count < length {
            let rest = u32::try_from(length - count).unwrap_or(0);
            // In the place that it has: behind others' pieces, each would wait for the rest of its own.
            let again = self.ask(offset + count, rest, Some(place));
            self.asked.push_front(again);
        }
        Ok(bytes)
    }

    fn ask(&self, offset: u64, length: u32, place: Option<OwnedSemaphorePermit>) -> Asked {
        let (link, handle) = (Arc::clone(&self.link), self.handle.clone());
        // A task of its own: whoever holds a place in the window goes on by itself.
        let coming = tokio::spawn(async move {
            let place = match place {
                Some(place) => place,
                None => Arc::clone(&link.window).acquire_owned().await.ok()?,
            };
            let came = link.sftp.read(handle, offset, length).await;
            Some((came.map(|data| data.data), place))
        });
        Asked { offset, length, coming }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for asked in &self.asked {
            asked.coming.abort();
        }
        close_later(&self.link, std::mem::take(&mut self.handle));
    }
}

/// Closes a file of which nothing more is wanted.
pub(super) fn close_later(link: &Arc<Link>, handle: String) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current()
        && !link.is_over()
    {
        let link = Arc::clone(link);
        runtime.spawn(async move {
            let _ = link.sftp.close(handle).await;
        });
    }
}

pub(super) fn closed() -> Error {
    Error::UnexpectedBehavior("the connection is closed".to_owned())
}
