//! The JSON Schema of worker files, written from the grammar: editors complete, explain and check with it.

use super::grammar::{COLUMN, Field, Presence, Section, Shape, TRANSLATORS, WORKER};
use super::values;
use crate::core::generate::translate::Registry;
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12), with the translators that are registered by name.
pub fn schema(registry: &Registry) -> Value {
    let mut root = section(&WORKER);
    let head =
        [("$schema", json!("https://json-schema.org/draft/2020-12/schema")), ("title", json!("filegen worker file"))];
    let definitions = json!({
        "reference": {
            "description": "A value from the environment: `${NAME}` or `${NAME:-default}`.",
            "type": "string",
            "pattern": r"\$\{",
        },
        "column": column(),
        "jsonField": {
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
        },
        "translator": translator(registry),
    });
    if let Some(object) = root.as_object_mut() {
        object.extend(head.map(|(name, value)| (name.to_owned(), value)));
        object.insert("$defs".to_owned(), definitions);
    }
    root
}

fn section(section: &Section) -> Value {
    let properties: Map<String, Value> =
        section.fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = section
        .fields
        .iter()
        .filter(|f| matches!(f.presence, Presence::Required | Presence::RequiredInSection))
        .map(|field| field.name)
        .collect();
    json!({
        "description": section.doc,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A field: its shape, its help text, and its default.
fn property(field: &Field) -> Value {
    let mut schema = match (field.shape, field.presence) {
        // A section that may be left out may also stand there without a line in it.
        (Shape::Section(inner), Presence::Optional) => json!({ "anyOf": [section(inner), { "type": "null" }] }),
        (shape, _) => self::shape(shape),
    };
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(help(field)));
        if let Presence::Default(default) | Presence::Environment(_, Some(default)) = field.presence {
            object.insert("default".to_owned(), typed(field.shape, default));
        }
    }
    schema
}

fn help(field: &Field) -> String {
    match field.presence {
        Presence::Environment(variable, _) | Presence::EnvironmentOrComputed(variable) => {
            format!("{} When left out, the environment variable {variable} is its value.", field.doc)
        }
        Presence::Required | Presence::RequiredInSection | Presence::Optional | Presence::Default(_) => {
            field.doc.to_owned()
        }
    }
}

/// A default as an editor would write it.
fn typed(shape: Shape, default: &str) -> Value {
    match shape {
        Shape::Whole(..) => values::whole(default).map_or(Value::Null, Value::from),
        Shape::AtLeast(_) => default.parse::<f64>().map_or(Value::Null, Value::from),
        Shape::Flag => values::flag(default).map_or(Value::Null, Value::from),
        _ => json!(default),
    }
}

fn shape(shape: Shape) -> Value {
    match shape {
        // A number or flag in the place of a text is that text, just as it is written.
        Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Words => json!({ "type": ["string", "number", "boolean"], "minLength": 1 }),
        Shape::Character => {
            let character = json!({ "type": "string", "minLength": 1, "maxLength": 1 });
            or_reference(&json!({ "anyOf": [character, { "type": "integer", "minimum": 0, "maximum": 9 }] }))
        }
        Shape::Whole(least, most) => {
            let digits = json!({ "type": "string", "pattern": r"^\s*[0-9][0-9_]*\s*$" });
            or_reference(&json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, digits] }))
        }
        Shape::AtLeast(least) => or_reference(&json!({ "type": "number", "minimum": least })),
        Shape::Flag => or_reference(&json!({ "type": "boolean" })),
        Shape::Duration => {
            json!({ "type": "string", "pattern": r"[0-9]\s*[a-zµ]|\$\{", "examples": ["500ms", "30s", "5m"] })
        }
        Shape::Size(least, most) => {
            let unit = json!({ "type": "string", "pattern": r"^\s*[0-9][0-9_]*\s*([kKmMgG]?[iI]?[bB])?\s*$" });
            or_reference(&json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, unit] }))
        }
        Shape::Choice(options) => or_reference(&json!({ "enum": options })),
        Shape::Encoding => json!({ "type": "string", "examples": values::encoding_names().collect::<Vec<_>>() }),
        Shape::Section(inner) => section(inner),
        Shape::List(item) => json!({ "type": "array", "minItems": 1, "items": self::shape(*item) }),
        Shape::OneOrMore(item) => json!({ "anyOf": [self::shape(*item), self::shape(Shape::List(item))] }),
        Shape::Names(inner) => json!({ "type": "object", "additionalProperties": self::shape(*inner) }),
        Shape::Column => json!({ "$ref": "#/$defs/column" }),
        Shape::JsonFields => json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/jsonField" } }),
        Shape::Translator => json!({ "$ref": "#/$defs/translator" }),
    }
}

/// Any value may come from the environment.
fn or_reference(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "$ref": "#/$defs/reference" }] })
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
