//! `/api/v1/datasource`: data sources made, listed, shown, changed and taken away.

use super::answers::{json_of, saved, source_error};
use super::asked::{self, Id, Paged, Refused, nothing_of, query, seen, unknown};
use super::{Doors, answers};
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::model::schedule::ScheduleStatus;
use crate::core::ports::data_sources::{Listed, Wanted};
use crate::core::schedule::board::Look;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;

/// What a list is asked by.
const PARAMETERS: [&str; 4] = ["page", "size", "search", "status"];

type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new()
        .route("/api/v1/datasource", get(list).post(create))
        .route("/api/v1/datasource/{id}", get(show).put(update).delete(delete))
}

/// Some data sources.
#[derive(Serialize)]
struct ListAnswer {
    items: Vec<DataSource>,
    /// From 1.
    page: u64,
    size: u32,
    /// Data sources of all pages.
    total: u64,
    pages: u64,
}

/// What a list is asked for.
struct Asked {
    paged: Paged,
    wanted: Wanted,
    /// A status that stands in the schedules.
    status: Option<ScheduleStatus>,
}

async fn list(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    let asked = match asked(text.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Asked { paged, mut wanted, status } = asked;
    if let Some(status) = status {
        match doors.board.look().await {
            Ok(look) => of_status(&mut wanted, &look, status),
            Err(error) => return answers::store_error(&error),
        }
    }
    match doors.sources.list(&wanted).await {
        Ok(Listed { total, sources: items, .. }) => {
            let Paged { page, size } = paged;
            json_of(StatusCode::OK, &ListAnswer { items, page, size, total, pages: paged.pages(total) })
        }
        Err(error) => source_error(&error),
    }
}

fn asked(text: Option<&str>) -> Result<Asked, Refused> {
    let (mut paged, mut status) = (Paged::default(), None);
    let mut wanted = Wanted::default();
    for (name, value) in query(text)? {
        match name.as_str() {
            "search" => wanted.text = value.chars().take(200).collect(),
            "status" => (wanted.active, status) = asked::status(&value)?,
            name if paged.takes(name, &value)? => {}
            name => return Err(unknown(name, &PARAMETERS)),
        }
    }
    wanted.skip = paged.skip();
    wanted.most = paged.size;
    Ok(Asked { paged, wanted, status })
}

/// Those whose schedule has this status. One without a schedule yet is as active as it will be.
fn of_status(wanted: &mut Wanted, look: &Look, status: ScheduleStatus) {
    let is_active = status == ScheduleStatus::Active;
    let chosen = look.lines.iter().filter(|line| (line.status == status) != is_active);
    let ids = chosen.filter_map(|line| DataSourceId::new(line.id.as_str())).collect();
    if is_active {
        wanted.but = ids;
    } else {
        wanted.only = Some(ids);
    }
}

async fn create(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery, headers: HeaderMap, body: Body) -> Response {
    let given = match nothing_of(text.as_deref()).and_then(|()| asked::body(&headers, body)) {
        Ok(given) => given,
        Err(refused) => return *refused,
    };
    match doors.sources.create(&given).await {
        Ok(made) => {
            let place = format!("/api/v1/datasource/{}", made.source.id);
            ([(header::LOCATION, place)], saved(StatusCode::CREATED, &made)).into_response()
        }
        Err(error) => source_error(&error),
    }
}

async fn show(State(doors): State<Arc<Doors>>, Id(id): Id, RawQuery(text): RawQuery) -> Response {
    if let Err(refused) = nothing_of(text.as_deref()) {
        return *refused;
    }
    match doors.sources.get(&id).await {
        Ok(source) => ([(header::ETAG, answers::tag(&source))], json_of(StatusCode::OK, &source)).into_response(),
        Err(error) => source_error(&error),
    }
}

async fn update(
    State(doors): State<Arc<Doors>>,
    Id(id): Id,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let asked = nothing_of(text.as_deref()).and_then(|()| Ok((seen(&headers)?, asked::body(&headers, body)?)));
    match asked {
        Err(refused) => *refused,
        Ok((seen, given)) => match doors.sources.update(&id, &seen, &given).await {
            Ok(changed) => saved(StatusCode::OK, &changed),
            Err(error) => source_error(&error),
        },
    }
}

async fn delete(State(doors): State<Arc<Doors>>, Id(id): Id, RawQuery(text): RawQuery, headers: HeaderMap) -> Response {
    match nothing_of(text.as_deref()).and_then(|()| seen(&headers)) {
        Err(refused) => *refused,
        Ok(seen) => match doors.sources.delete(&id, &seen).await {
            Ok(_) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => source_error(&error),
        },
    }
}
