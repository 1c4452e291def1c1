//! The body of a request as it comes. Its connection knows that it is waited for, and what a handler leaves of it is read a while
//! longer: a client that is refused while it still sends would see a broken connection and no answer.

use super::places::ConnectionSlot;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use hyper::body::{Frame, Incoming, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest time that a refused body is read and dropped.
const LEFTOVER_TIME: Duration = Duration::from_secs(2);

/// Most bytes that are read so.
const LEFTOVER_MAX: usize = 16 * 1024 * 1024;

/// A body, and the connection that it comes over.
pub(super) struct WatchedBody {
    /// Gone when what was left of it is read elsewhere.
    body: Option<Incoming>,
    slot: Arc<ConnectionSlot>,
    /// The client waits for a word before it sends the body. It is not told to send what nobody wants.
    waits: bool,
}

impl WatchedBody {
    pub(super) fn new(body: Incoming, headers: &HeaderMap, slot: Arc<ConnectionSlot>) -> Self {
        if body.is_end_stream() {
            slot.answers();
        } else {
            slot.reads();
        }
        Self { body: Some(body), slot, waits: headers.contains_key(header::EXPECT) }
    }
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        let has_ended = frame.is_none() || body.is_end_stream();
        self.waits = false;
        if has_ended {
            self.slot.answers();
        } else if let Some(Ok(frame)) = &frame {
            self.slot.has_read(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        self.slot.answers();
        if let (false, Ok(runtime)) = (self.waits, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LEFTOVER_TIME, dropped(body)));
        }
    }
}

/// Reads what is left of a body, and keeps nothing of it.
async fn dropped(mut body: Incoming) {
    let mut length = 0;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        length += frame.data_ref().map_or(0, Bytes::len);
        if length > LEFTOVER_MAX {
            return;
        }
    }
}
