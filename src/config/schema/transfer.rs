//! The JSON Schema of what only a transfer file has.

use serde_json::{Map, Value, json};

/// What transfer files refer to by name.
pub(in crate::config) fn definitions(_: &crate::core::generate::translate::Registry) -> Map<String, Value> {
    let steps = json!({ "description": "Not yet in force.", "type": "array", "maxItems": 0 });
    [("steps".to_owned(), steps)].into_iter().collect()
}
