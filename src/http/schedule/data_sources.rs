//! `/api/v1/datasource`: data sources made, listed, shown, changed and taken away.

use super::answers::{json_of, saved, source_error};
use super::asked::{Refused, json, number, query, refuse, seen};
use super::{Doors, answers};
use crate::core::model::data_source::DataSource;
use crate::core::model::schedule::ScheduleStatus;
use crate::core::ports::data_sources::{Listed, Wanted};
use crate::core::ports::store::StoreError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// Data sources of one answer, unless the query says otherwise.
const PAGE_SIZE: u32 = 50;

/// Most data sources of one answer.
const PAGE_MAX: u64 = 500;

/// Most data sources that are looked through for a status that only their schedules know.
const SEARCHED: u32 = 100_000;

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
    page: u64,
    size: u32,
    wanted: Wanted,
    /// A status that stands in the schedules.
    status: Option<ScheduleStatus>,
}

async fn list(State(doors): State<Arc<Doors>>, RawQuery(text): RawQuery) -> Response {
    let asked = match asked(text.as_deref()) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Asked { page, size, wanted, status } = asked;
    let listed = match status {
        None => doors.sources.list(&wanted).await,
        Some(status) => of_status(&doors, &wanted, status).await.map_err(Into::into),
    };
    match listed {
        Ok(listed) => {
            let pages = listed.total.div_ceil(u64::from(size));
            json_of(StatusCode::OK, &ListAnswer { items: listed.sources, page, size, total: listed.total, pages })
        }
        Err(error) => source_error(&error),
    }
}

fn asked(text: Option<&str>) -> Result<Asked, Refused> {
    let (mut page, mut size, mut status) = (1, PAGE_SIZE, None);
    let mut wanted = Wanted::default();
    for (name, value) in query(text) {
        match (name.as_str(), value.as_str()) {
            ("page", value) => page = number("page", value, (1, 1_000_000_000))?,
            ("size", value) => {
                size = u32::try_from(number("size", value, (1, PAGE_MAX))?).unwrap_or(PAGE_SIZE);
            }
            ("search", value) => wanted.text = value.chars().take(200).collect(),
            ("status", "") => {}
            ("status", value) => match value.to_ascii_lowercase().as_str() {
                "inactive" => wanted.active = Some(false),
                word => {
                    let known = ScheduleStatus::ALL.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(word));
                    let refused = || {
                        let detail = "status is to be active, inactive, paused or failed";
                        refuse(StatusCode::BAD_REQUEST, detail)
                    };
                    wanted.active = Some(true);
                    status = Some(known.ok_or_else(refused)?);
                }
            },
            // Others may have added something of their own to the address.
            _ => {}
        }
    }
    wanted.skip = (page - 1) * u64::from(size);
    wanted.most = size;
    Ok(Asked { page, size, wanted, status })
}

/// Those whose schedule has this status. One without a schedule yet is as active as it will be.
async fn of_status(doors: &Doors, wanted: &Wanted, status: ScheduleStatus) -> Result<Listed, StoreError> {
    let all = Wanted { skip: 0, most: SEARCHED, ..wanted.clone() };
    let mut found = doors.sources.store.data_sources(&all).await?;
    let schedules = doors.schedules.schedules().await?;
    let known: HashMap<&str, ScheduleStatus> = schedules.iter().map(|it| (it.id.as_str(), it.status)).collect();
    let of = |source: &DataSource| known.get(source.id.as_str()).copied().unwrap_or(ScheduleStatus::Active);
    found.sources.retain(|source| of(source) == status);
    found.total = found.sources.len() as u64;
    let skip = usize::try_from(wanted.skip).unwrap_or(usize::MAX);
    found.sources = found.sources.into_iter().skip(skip).take(wanted.most as usize).collect();
    Ok(found)
}

async fn create(State(doors): State<Arc<Doors>>, headers: HeaderMap, body: Body) -> Response {
    let given = match json(&headers, body) {
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

async fn show(State(doors): State<Arc<Doors>>, Path(id): Path<String>) -> Response {
    match doors.sources.get(&id).await {
        Ok(source) => ([(header::ETAG, answers::tag(&source))], json_of(StatusCode::OK, &source)).into_response(),
        Err(error) => source_error(&error),
    }
}

async fn update(State(doors): State<Arc<Doors>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let asked = seen(&headers).and_then(|seen| Ok((seen, json(&headers, body)?)));
    match asked {
        Err(refused) => *refused,
        Ok((seen, given)) => match doors.sources.update(&id, &seen, &given).await {
            Ok(changed) => saved(StatusCode::OK, &changed),
            Err(error) => source_error(&error),
        },
    }
}

async fn delete(State(doors): State<Arc<Doors>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match seen(&headers) {
        Err(refused) => *refused,
        Ok(seen) => match doors.sources.delete(&id, &seen).await {
            Ok(_) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => source_error(&error),
        },
    }
}
