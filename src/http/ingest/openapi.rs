//! `/openapi.json`: the doors of a file, described for clients and tools.

use crate::core::ingest::spec::{Ingest, ReadSpec, RouteSpec};
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Map, Value, json};

/// The description, made once.
pub(super) fn routes(ingest: &Ingest) -> Router {
    let text = document(ingest).to_string();
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() };
    Router::new().route("/openapi.json", get(answer))
}

fn document(ingest: &Ingest) -> Value {
    let mut paths = Map::new();
    if let Some(door) = &ingest.produce {
        paths.insert("/produce".to_owned(), produce(ingest, door.door.token.is_some()));
    }
    if let Some(read) = &ingest.read {
        paths.extend(read.routes.iter().map(|route| (route.path.clone(), path(read, route))));
    }
    let doors = [ingest.produce.as_ref().map(|it| &it.door), ingest.read.as_ref().map(|it| &it.door)];
    let has_token = doors.into_iter().flatten().any(|door| door.token.is_some());
    let mut components = json!({ "schemas": { "Problem": problem() } });
    if has_token {
        components["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": ingest.id.as_str(), "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": components,
    })
}

/// RFC 9457.
fn problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "hint": { "type": "string" }, "pointer": { "type": "string" },
        },
        "required": ["type", "title", "status", "detail"],
    })
}

/// A problem of this status, as a response.
fn refused(says: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    json!({ "description": says, "content": { "application/problem+json": { "schema": schema } } })
}

fn path(read: &ReadSpec, route: &RouteSpec) -> Value {
    let parameter =
        |name: &String| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    let member = |member: &crate::core::ingest::spec::MemberSpec| {
        let row = json!({ "type": "object", "additionalProperties": true });
        let schema = match member.many {
            Some(most) => json!({ "type": "array", "items": row, "maxItems": most }),
            None => json!({ "anyOf": [row, { "type": "null" }] }),
        };
        (member.name.clone(), schema)
    };
    let properties: Map<String, Value> = route.members.iter().map(member).collect();
    let names: Vec<&String> = route.members.iter().map(|member| &member.name).collect();
    let mut responses = json!({
        "200": {
            "description": "What the tables have.",
            "content": { "application/json": {
                "schema": { "type": "object", "properties": properties, "required": names },
            } },
        },
        "503": refused("The database is away, or too many ask; `Retry-After` says when to try again."),
    });
    if route.members.first().is_some_and(|member| member.many.is_none()) {
        responses["404"] = refused("Nothing has this key.");
    }
    let mut operation = json!({
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(), "responses": responses,
    });
    if read.door.token.is_some() {
        operation["security"] = json!([{ "token": [] }]);
    }
    json!({ "get": operation })
}

/// `/produce`.
fn produce(ingest: &Ingest, has_token: bool) -> Value {
    let event = json!({ "schema": { "type": "object", "additionalProperties": true } });
    let text = json!({ "schema": { "type": "string" } });
    let place = json!({
        "type": "object",
        "properties": {
            "eventId": { "type": ["string", "null"] }, "topic": { "type": "string" },
            "partition": { "type": "integer" }, "offset": { "type": "integer", "format": "int64" },
        },
        "required": ["eventId", "topic", "partition", "offset"],
    });
    let mut operation = json!({
        "requestBody": { "required": true, "content": { "application/json": event, "application/x-ndjson": text } },
        "responses": {
            "202": {
                "description": "The broker has it on all replicas in step.",
                "content": { "application/json": { "schema": place }, "application/x-ndjson": text },
            },
            "400": refused("It is no JSON object."),
            "403": refused("A page of another site sends it."),
            "413": refused("It has more than 1 MiB."),
            "408": refused("The body came slowly, and others needed its room; send the same again."),
            "503": refused("The broker is away; `Retry-After` says when to try again."),
        },
    });
    if ingest.produce.as_ref().is_some_and(|door| door.strict) {
        operation["responses"]["422"] = refused("The event cannot be a row; `errors` says all that is wrong.");
    }
    if has_token {
        operation["security"] = json!([{ "token": [] }]);
    }
    json!({ "post": operation })
}
