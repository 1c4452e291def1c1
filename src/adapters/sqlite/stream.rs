//! An open read: pages come from the read's own thread through a short channel.

use super::connect::DatabasePath;
use super::read::{ReadEvent, read};
use super::worker::Leash;
use crate::core::model::column::Column;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::source::{PageStream, Position, Query, SourceError};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// Pages that may lie ready: the next one is read while one is written and one waits.
const PAGES_IN_FLIGHT: usize = 2;

/// Dropping it ends the thread, whatever SQLite is doing.
pub(super) struct SqliteStream {
    events: mpsc::Receiver<Result<ReadEvent, SourceError>>,
    columns: Option<Vec<Column>>,
    done: bool,
    place: DatabasePath,
    _leash: Leash,
}

impl SqliteStream {
    /// Starts the thread and waits until the view, the columns and the predicates are known to be there.
    pub(super) async fn open(
        place: &DatabasePath,
        query: Query,
        from: Position,
        until: Option<Key>,
    ) -> Result<Self, SourceError> {
        let (sender, events) = mpsc::channel(PAGES_IN_FLIGHT);
        let leash = Leash::spawn(place, move |db| {
            let mut emit = |news| sender.blocking_send(Ok(news)).is_ok();
            let outcome = db.and_then(|db| read(&db, &query, &from, until.as_ref(), &mut emit));
            if let Err(error) = outcome {
                // Nobody may be listening any more.
                let _ = sender.blocking_send(Err(error));
            }
        })?;
        let mut stream = Self { events, columns: None, done: false, place: place.clone(), _leash: leash };
        match stream.next_event().await? {
            ReadEvent::Ready => Ok(stream),
            _ => Err(place.failed("the reading thread did not begin as it should")),
        }
    }

    async fn next_event(&mut self) -> Result<ReadEvent, SourceError> {
        // An end that was not told is the thread's death, and must not pass for the end of the view.
        let died = || Err(self.place.failed("the reading thread ended in the middle of the view"));
        self.events.recv().await.unwrap_or_else(died)
    }
}

#[async_trait]
impl PageStream for SqliteStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.columns.clone()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        while !self.done {
            match self.next_event().await {
                Ok(ReadEvent::Page(page)) => return Ok(Some(page)),
                Ok(ReadEvent::Columns(columns)) => self.columns = Some(columns),
                Ok(ReadEvent::Ready) => {}
                Ok(ReadEvent::End) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }
}
