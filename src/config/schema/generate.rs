//! The JSON Schema of what only a worker file has: columns, JSON fields, translators.

use super::{section, shape};
use crate::config::grammar::Shape;
use crate::config::grammar::generate::{COLUMN, PARAMETER, TRANSLATORS};
use crate::core::generate::translate::Registry;
use serde_json::{Map, Value, json};

/// What worker files refer to by name.
pub(in crate::config) fn definitions(registry: &Registry) -> Map<String, Value> {
    let json_field = json!({
        "description": "A column's name, a column object, a nested object, or a list.",
        "anyOf": [
            { "$ref": "#/$defs/column" },
            // What holds `column` or `literal` is a column object, never a nested one.
            {
                "type": "object",
                "not": { "anyOf": [{ "required": ["column"] }, { "required": ["literal"] }] },
                "additionalProperties": { "$ref": "#/$defs/jsonField" },
            },
            { "type": "array", "items": { "$ref": "#/$defs/jsonField" } },
        ],
    });
    let json_fields = json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/jsonField" } });
    let parameter = json!({
        "description": "A value, or an object with its type.",
        "anyOf": [shape(Shape::Text), section(&PARAMETER)],
    });
    [
        ("column", column()),
        ("jsonField", json_field),
        ("jsonFields", json_fields),
        ("parameter", parameter),
        ("translator", translator(registry)),
    ]
    .map(|(name, schema)| (name.to_owned(), schema))
    .into_iter()
    .collect()
}

fn column() -> Value {
    let mut object = section(&COLUMN);
    object["oneOf"] = json!([{ "required": ["column"] }, { "required": ["literal"] }]);
    json!({
        "description": "A column's name, or an object for a column or a literal and its form.",
        "anyOf": [shape(Shape::Words), object],
    })
}

fn translator(registry: &Registry) -> Value {
    let mut properties: Map<String, Value> =
        TRANSLATORS.iter().map(|(name, inner)| ((*name).to_owned(), section(inner))).collect();
    properties.extend(
        registry.names().map(|name| (name.to_owned(), json!({ "description": "A translator of this build." }))),
    );
    json!({
        "description": "How a row becomes a record: exactly one translator.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}
