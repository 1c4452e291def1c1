//! Whether a server still answers: a slow line takes its time, and each byte that moves counts. A request alone says nothing of that, since
//! it waits behind others.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Something moves within this while answers are due, or the connection is given up.
const MOVES_WITHIN: Duration = Duration::from_secs(30);

/// The same while a file is synced or closed: some servers do all their work then, and say nothing meanwhile.
const SYNCED_WITHIN: Duration = Duration::from_mins(10);

/// What is said when a connection is given up.
pub(super) const STILL: &str = "answers are due, and for too long nothing moved on the line";

/// A request that may take long, as long as this is there.
pub(super) struct Slow(Arc<AtomicUsize>);

impl Slow {
    pub(super) fn of(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts the packets of one direction: each begins with its length in four bytes.
#[derive(Default)]
struct Packets {
    count: u64,
    length: u32,
    /// Bytes of the length that were seen, and of the packet that are to come.
    seen: u8,
    rest: u32,
}

impl Packets {
    fn saw(&mut self, mut bytes: &[u8]) {
        while let Some((first, behind)) = bytes.split_first() {
            if self.rest > 0 {
                let most = bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
                self.rest -= u32::try_from(most).unwrap_or(self.rest);
                bytes = bytes.get(most..).unwrap_or_default();
            } else {
                self.length = self.length << 8 | u32::from(*first);
                self.seen += 1;
                bytes = behind;
                if self.seen == 4 {
                    (self.rest, self.length, self.seen) = (self.length, 0, 0);
                }
            }
            if self.rest == 0 && self.seen == 0 {
                self.count += 1;
            }
        }
    }
}

/// A stream of SFTP packets that fails when answers are due and nothing moves.
pub(super) struct Watched<S> {
    stream: S,
    slow: Arc<AtomicUsize>,
    asked: Packets,
    answered: Packets,
    moved: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, slow: Arc<AtomicUsize>) -> Self {
        let (asked, answered) = (Packets::default(), Packets::default());
        Self { stream, slow, asked, answered, moved: Instant::now(), timer: Box::pin(sleep(MOVES_WITHIN)) }
    }

    /// Ready once nothing moved for too long.
    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            let limit = if self.slow.load(Ordering::Relaxed) > 0 { SYNCED_WITHIN } else { MOVES_WITHIN };
            let now = Instant::now();
            let is_due = self.asked.count > self.answered.count || self.asked.rest > 0;
            if is_due && now >= self.moved + limit {
                return Poll::Ready(());
            }
            // Looked at again often enough, whoever may begin or end to be slow meanwhile.
            let next = (self.moved + MOVES_WITHIN).max(now + MOVES_WITHIN / 30);
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let had = to.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, to);
        if read.is_pending() {
            let over = || Error::new(ErrorKind::TimedOut, STILL);
            return self.poll_over(context).map(|()| Err(over()));
        }
        self.answered.saw(to.filled().get(had..).unwrap_or_default());
        self.moved = Instant::now();
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.asked.saw(bytes.get(..*count).unwrap_or_default());
            self.moved = Instant::now();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const REQUEST: [u8; 6] = [0, 0, 0, 2, 9, 9];

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_be_slow_as_long_as_something_moves() {
        let (near, mut far) = duplex(1 << 16);
        let slow = Arc::default();
        let mut watched = Watched::new(near, Arc::clone(&slow));
        let mut byte = [0];
        // Nothing is asked for, and nothing is due.
        let quiet = tokio::time::timeout(MOVES_WITHIN * 10, watched.read(&mut byte)).await;
        assert!(quiet.is_err(), "{quiet:?}");
        watched.write_all(&REQUEST).await.unwrap();
        watched.write_all(&REQUEST).await.unwrap();
        // Two answers, a byte in 20 s each.
        let answers = tokio::spawn(async move {
            for byte in [REQUEST, REQUEST].concat() {
                sleep(Duration::from_secs(20)).await;
                far.write_all(&[byte]).await.unwrap();
            }
            far
        });
        for _ in 0..12 {
            watched.read_exact(&mut byte).await.unwrap();
        }
        let _far = answers.await.unwrap();
        let quiet = tokio::time::timeout(MOVES_WITHIN * 10, watched.read(&mut byte)).await;
        assert!(quiet.is_err(), "all is answered: {quiet:?}");
        // A file is synced: that may take longer, and not for ever.
        watched.write_all(&REQUEST).await.unwrap();
        let syncing = Slow::of(&slow);
        let begun = Instant::now();
        assert_eq!(watched.read(&mut byte).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= SYNCED_WITHIN, "{:?}", begun.elapsed());
        drop(syncing);
        watched.write_all(&REQUEST).await.unwrap();
        let begun = Instant::now();
        assert_eq!(watched.read(&mut byte).await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!((MOVES_WITHIN..SYNCED_WITHIN).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }
}
