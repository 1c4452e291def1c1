//! The standard input, read by a thread of its own: a read takes as long as the program that writes it likes.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How much is read at a time: what a pipe holds.
const PIECE: usize = 64 << 10;

/// Pieces that are read ahead.
const PIECES_AHEAD: usize = 16;

/// What another program writes.
#[derive(Default, Debug)]
pub(super) struct Input {
    /// From the first look on.
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Input {
    /// Waits until bytes are there, or no more come. Safe to drop while it waits.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        if self.taken < self.piece.len() || self.ended {
            return Ok(());
        }
        if self.pieces.is_none() {
            self.pieces = Some(begin()?);
        }
        let Some(pieces) = &mut self.pieces else { return Ok(()) };
        let next = pieces.recv().await;
        self.took(next)
    }

    /// The bytes that are there: none at the end, `None` while none have come.
    pub(super) fn bytes(&mut self) -> io::Result<Option<&[u8]>> {
        if self.taken == self.piece.len() && !self.ended {
            let next = self.pieces.as_mut().map(Receiver::try_recv);
            match next {
                Some(Ok(piece)) => self.took(Some(piece))?,
                Some(Err(tokio::sync::mpsc::error::TryRecvError::Disconnected)) => self.took(None)?,
                Some(Err(tokio::sync::mpsc::error::TryRecvError::Empty)) | None => return Ok(None),
            }
        }
        Ok(self.piece.get(self.taken..))
    }

    /// So many of them are done with.
    pub(super) fn consume(&mut self, count: usize) {
        self.taken += count;
    }

    fn took(&mut self, next: Option<io::Result<Vec<u8>>>) -> io::Result<()> {
        (self.ended, self.taken) = (next.is_none(), 0);
        self.piece.clear();
        if let Some(piece) = next {
            self.piece = piece?;
        }
        Ok(())
    }
}

/// Reads from now on. The thread is never waited for: it ends with the input, with its reader, or with the process.
fn begin() -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (send, pieces) = channel(PIECES_AHEAD);
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || read(input, &send))?;
    Ok(pieces)
}

fn read(mut input: File, send: &Sender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => {
                piece.truncate(count);
                Ok(piece)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if send.blocking_send(read).is_err() || failed {
            return;
        }
    }
}
