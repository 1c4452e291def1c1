//! An open read: pages come from the read's own thread through a short channel.

use super::connect::Place;
use super::read::{Told, read};
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
    told: mpsc::Receiver<Result<Told, SourceError>>,
    columns: Option<Vec<Column>>,
    done: bool,
    place: Place,
    _leash: Leash,
}

impl SqliteStream {
    /// Starts the thread and waits until the view, the columns and the predicates are known to be there.
    pub(super) async fn open(
        place: &Place,
        query: Query,
        from: Position,
        until: Option<Key>,
    ) -> Result<Self, SourceError> {
        let (sender, told) = mpsc::channel(PAGES_IN_FLIGHT);
        let leash = Leash::spawn(place, move |db| {
            let mut tell = |news| sender.blocking_send(Ok(news)).is_ok();
            let outcome = db.and_then(|db| read(&db, &query, &from, until.as_ref(), &mut tell));
            if let Err(error) = outcome {
                // Nobody may be listening any more.
                let _ = sender.blocking_send(Err(error));
            }
        })?;
        let mut stream = Self { told, columns: None, done: false, place: place.clone(), _leash: leash };
        match stream.hear().await? {
            Told::Ready => Ok(stream),
            _ => Err(place.failed("the reading thread did not begin as it should")),
        }
    }

    async fn hear(&mut self) -> Result<Told, SourceError> {
        // An end that was not told is the thread's death, and must not pass for the end of the view.
        let died = || Err(self.place.failed("the reading thread ended in the middle of the view"));
        self.told.recv().await.unwrap_or_else(died)
    }
}

#[async_trait]
impl PageStream for SqliteStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.columns.clone()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        while !self.done {
            match self.hear().await {
                Ok(Told::Page(page)) => return Ok(Some(page)),
                Ok(Told::Columns(columns)) => self.columns = Some(columns),
                Ok(Told::Ready) => {}
                Ok(Told::End) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }
}
