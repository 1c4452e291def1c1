//! The JSON Schema of what only a transfer file has.

use super::section;
use crate::config::grammar::Section;
use crate::config::grammar::transfer::{COMPANION, FILTER};
use serde_json::{Map, Value, json};

/// What transfer files refer to by name.
pub(in crate::config) fn definitions(_: &crate::core::generate::translate::Registry) -> Map<String, Value> {
    let steps = |name: &str, each: &Section| {
        let mut item = section(each);
        (item["minProperties"], item["maxProperties"]) = (json!(1), json!(1));
        (name.to_owned(), json!({ "type": "array", "items": item }))
    };
    [steps("filters", &FILTER), steps("companions", &COMPANION)].into_iter().collect()
}
