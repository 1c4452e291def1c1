//! All schedules in one answer, written while they are read: memory is that of one page, however many there are.

use super::Doors;
use super::answers::store_error;
use crate::core::model::schedule::{Schedule, ScheduleId};
use crate::core::model::shown;
use crate::core::ports::schedules::PAGE;
use crate::core::ports::store::StoreError;
use crate::core::schedule::steer::Standing;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::vec::IntoIter;

/// An answer that is being written.
struct Writing {
    doors: Arc<Doors>,
    /// Those that are to come.
    ids: IntoIter<ScheduleId>,
    /// Those that were written.
    total: usize,
    is_begun: bool,
    is_ended: bool,
}

/// Every schedule of a data source that is there, by name: `{"items":[…],"total":N}`. Where the store fails behind the first page, the
/// answer breaks off: whoever asked sees that it is not whole.
pub(super) async fn list(doors: Arc<Doors>) -> Response {
    let look = match doors.board.look_anew().await {
        Ok(look) => look,
        Err(error) => return store_error(&error),
    };
    let ids: Vec<ScheduleId> = look.lines.iter().map(|line| line.id.clone()).collect();
    drop(look);
    let mut writing = Writing { doors, ids: ids.into_iter(), total: 0, is_begun: false, is_ended: false };
    let first = match writing.piece().await {
        Ok(first) => first,
        Err(error) => return store_error(&error),
    };
    let rest = stream::try_unfold((first, writing), |(ready, mut writing)| async move {
        let piece = match ready {
            Some(ready) => Some(ready),
            None => writing.piece().await?,
        };
        Ok::<_, StoreError>(piece.map(|piece| (piece, (None, writing))))
    });
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], Body::from_stream(rest)).into_response()
}

impl Writing {
    /// What comes next. `None`: nothing does.
    async fn piece(&mut self) -> Result<Option<String>, StoreError> {
        if self.is_ended {
            return Ok(None);
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.is_begun, true) {
            text.push_str("{\"items\":[");
        }
        let ids: Vec<ScheduleId> = self.ids.by_ref().take(PAGE).collect();
        let now = self.doors.clock.now();
        let found = self.doors.schedules.schedules_of(&ids).await?;
        let mut found: HashMap<ScheduleId, Schedule> = found.into_iter().map(|it| (it.id.clone(), it)).collect();
        // One that went meanwhile is left out.
        for schedule in ids.iter().filter_map(|id| found.remove(id)).filter(|it| !it.is_deleted) {
            let standing = serde_json::to_string(&Standing::at(now, schedule, &self.doors.settings))
                .map_err(|error| unwritten(&error))?;
            if self.total > 0 {
                text.push(',');
            }
            text.push_str(&shown::json(&standing));
            self.total += 1;
        }
        if self.ids.len() == 0 {
            self.is_ended = true;
            let _ = write!(text, "],\"total\":{}}}", self.total);
        }
        Ok(Some(text))
    }
}

fn unwritten(error: &serde_json::Error) -> StoreError {
    StoreError::Failed { store: "of schedules".to_owned(), reason: error.to_string() }
}
