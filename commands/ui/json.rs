//! Values as one line of JSON.

use crate::core::model::shown;
use serde::Serialize;

/// One line, without its end. A value that has no JSON form (none here is such) gives an error object.
pub fn line<T: Serialize + ?Sized>(value: &T) -> String {
    let line = serde_json::to_string(value).unwrap_or_else(|error| {
        serde_json::json!({ "error": format!("the result has no JSON form: {error}") }).to_string()
    });
    shown::json(&line)
}
