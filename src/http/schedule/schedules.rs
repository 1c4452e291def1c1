//! `/api/v1/schedule`: schedules shown, with their history.

use super::Doors;
use super::answers::{json_of, steer_error};
use super::asked::{self, Id, PAGE_MAX, Paged, Refused, nothing_of, number, query, unknown, wrong};
use super::every;
use crate::core::model::schedule::{Execution, Schedule, ScheduleId};
use crate::core::ports::schedules::HistoryPlace;
use crate::core::schedule::board::Filter;
use crate::core::schedule::explain::{Left, Next, outlook};
use crate::core::schedule::steer::{self, Standing, SteerError};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// Executions of one answer, unless the query says otherwise.
const HISTORY: u64 = 50;

/// Most executions of one answer.
const HISTORY_MAX: u64 = 1000;

/// Times to come of one schedule.
const NEXT: usize = 5;

/// What a list is asked by.
const PARAMETERS: [&str; 5] = ["page", "size", "search", "status", "ids"];

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new()
        .route("/api/v1/schedule", get(list))
        .route("/api/v1/schedule/{id}", get(show))
        .route("/api/v1/schedule/{id}/history", get(history))
}

/// Some schedules.
#[derive(Serialize)]
struct Schedules {
    items: Vec<Standing>,
    total: u64,
    #[serde(flatten)]
    place: Place,
}

/// Which page it is.
#[derive(Serialize)]
struct Place {
    page: u64,
    size: u32,
    pages: u64,
}

#[derive(Serialize)]
struct Executions {
    items: Vec<Execution>,
    /// What `behind` of the next page is. `None` behind the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a list is asked for.
#[derive(Default)]
struct Asked {
    paged: Paged,
    filter: Filter,
    ids: Option<Vec<ScheduleId>>,
}

async fn list(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    let asked = match asked(text.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Some(asked) = asked else { return every::list(doors).await };
    match some(&doors, asked).await {
        Ok((total, found, place)) => {
            let now = doors.clock.now();
            let items = found.into_iter().map(|schedule| Standing::at(now, schedule, &doors.settings)).collect();
            json_of(StatusCode::OK, &Schedules { items, total, place })
        }
        Err(error) => steer_error(&error),
    }
}

/// `None`: nothing is asked for, and all are.
fn asked(text: Option<&str>) -> Result<Option<Asked>, Refused> {
    let given = query(text)?;
    // Whoever lists ids wants them all.
    let lacks_size = !given.iter().any(|(name, _)| name == "size");
    if given.is_empty() {
        return Ok(None);
    }
    let Asked { mut paged, mut filter, mut ids } = Asked::default();
    for (name, value) in given {
        match name.as_str() {
            "search" => filter.text = value.chars().take(200).collect::<String>().to_lowercase(),
            "status" => (filter.active, filter.status) = asked::status(&value)?,
            "ids" => {
                let given = value.split(',').filter(|id| !id.is_empty());
                ids.get_or_insert_default().extend(given.map(ScheduleId::new));
            }
            name if paged.takes(name, &value)? => {}
            name => return Err(unknown(name, &PARAMETERS)),
        }
    }
    if ids.as_ref().is_some_and(|ids| ids.len() as u64 > PAGE_MAX) {
        return Err(wrong("ids", "has too many", &format!("ask for at most {PAGE_MAX} at once")));
    }
    if ids.is_some() && lacks_size {
        paged.size = u32::try_from(PAGE_MAX).unwrap_or(paged.size);
    }
    Ok(Some(Asked { paged, filter, ids }))
}

type Found = (u64, Vec<Schedule>, Place);

/// The store is asked for the schedules of the page alone; which those are says the board.
async fn some(doors: &Doors, Asked { paged, filter, ids }: Asked) -> Result<Found, SteerError> {
    let skip = usize::try_from(paged.skip()).unwrap_or(usize::MAX);
    let by_name = |a: &Schedule, b: &Schedule| (&a.name, &a.id).cmp(&(&b.name, &b.id));
    let (total, found) = if let Some(ids) = ids {
        let mut found = doors.schedules.schedules_of(&ids).await?;
        found.retain(|it| !it.is_deleted && filter.takes(&it.name, &it.id, (it.is_active, it.status)));
        found.sort_by(by_name);
        (found.len(), found.into_iter().skip(skip).take(paged.size as usize).collect())
    } else {
        let look = doors.board.look().await?;
        let wanted = look.lines.iter().filter(|it| filter.takes(&it.name, &it.id, (it.is_active, it.status)));
        let wanted: Vec<&ScheduleId> = wanted.map(|line| &line.id).collect();
        let page: Vec<_> = wanted.iter().skip(skip).take(paged.size as usize).map(|id| (*id).clone()).collect();
        let mut found = doors.schedules.schedules_of(&page).await?;
        found.retain(|it| !it.is_deleted);
        found.sort_by(by_name);
        (wanted.len(), found)
    };
    let total = total as u64;
    let Paged { page, size } = paged;
    Ok((total, found, Place { page, size, pages: paged.pages(total) }))
}

/// A schedule with what comes.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    standing: Standing,
    /// Its next times, also while it is paused.
    next: Vec<Next>,
    /// Dates whose times do not stay.
    affected: Vec<Left>,
}

async fn show(State(doors): State<Arc<Doors>>, Id(id): Id, RawQuery(text): RawQuery) -> Response {
    if let Err(refused) = nothing_of(text.as_deref()) {
        return *refused;
    }
    match steer::find(&*doors.schedules, &id).await {
        Ok(schedule) => {
            let now = doors.clock.now();
            let (next, affected) = outlook(&schedule.rule, &doors.settings, now, NEXT);
            json_of(StatusCode::OK, &Shown { standing: Standing::at(now, schedule, &doors.settings), next, affected })
        }
        Err(error) => steer_error(&error),
    }
}

async fn history(State(doors): State<Arc<Doors>>, Id(id): Id, RawQuery(text): RawQuery) -> Response {
    let (mut limit, mut place, mut last) = (HISTORY, None, None);
    let given = match query(text.as_deref()) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    for (name, value) in given {
        match name.as_str() {
            "limit" => match number("limit", &value, (1, HISTORY_MAX)) {
                Ok(number) => limit = number,
                Err(refused) => return *refused,
            },
            "before" => match value.parse::<Timestamp>() {
                Ok(at) => place = Some(HistoryPlace::before(at)),
                Err(_) => return *wrong("before", "is no moment", "write it as 2026-11-29T00:00:00Z"),
            },
            "behind" => last = Some(value),
            name => return *unknown(name, &["limit", "before", "behind"]),
        }
    }
    let found = async {
        // Also of a data source that is deleted: its history is kept.
        let gone = doors.schedules.schedule(&ScheduleId::new(id.as_str())).await?.filter(|it| it.is_deleted);
        let schedule = match gone {
            Some(gone) => gone,
            None => steer::find(&*doors.schedules, &id).await?,
        };
        if let Some(last) = last {
            match doors.schedules.execution(&last).await?.filter(|it| it.schedule_id == schedule.id) {
                Some(execution) => place = Some(HistoryPlace::of(&execution)),
                None => {
                    return Ok(Err(wrong("behind", "is no execution of this schedule", "write the next of a page")));
                }
            }
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let items = doors.schedules.history(Some(&schedule.id), place.as_ref(), limit).await?;
        let next = items.last().filter(|_| items.len() == limit).map(|it| it.id.clone());
        Ok::<_, SteerError>(Ok(Executions { items, next }))
    };
    match found.await {
        Ok(Ok(found)) => json_of(StatusCode::OK, &found),
        Ok(Err(refused)) => *refused,
        Err(error) => steer_error(&error),
    }
}
