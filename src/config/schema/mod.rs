//! The JSON Schema of all kinds of files, written from the grammar: editors complete, explain and check with it.

pub(super) mod generate;
pub(super) mod transfer;

use super::grammar::generate::MAX;
use super::grammar::{Field, Presence, Section, Shape};
use super::kind::FileKind;
use super::values;
use crate::core::generate::translate::Registry;
use serde_json::{Map, Value, json};

/// The schema (draft 2020-12), with the translators that are registered by name.
pub(super) fn schema(kinds: &[FileKind], registry: &Registry) -> Value {
    let mut definitions = json!({
        "reference": {
            "description": "A value from the environment: `${NAME}` or `${NAME:-default}`.",
            "type": "string",
            "pattern": r"\$\{",
        },
    });
    if let Some(all) = definitions.as_object_mut() {
        for kind in kinds {
            all.extend((kind.definitions)(registry));
        }
    }
    let (mut root, title) = match kinds {
        [kind] => (section(kind.section), format!("filegen {}", kind.noun)),
        kinds => {
            let each = kinds.iter().map(|kind| section(kind.section)).collect::<Vec<_>>();
            (json!({ "oneOf": each }), "filegen file".to_owned())
        }
    };
    if let Some(object) = root.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!(title));
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
    let mut object = json!({
        "description": section.doc,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    for field in section.fields {
        if let Presence::RequiredUnless(other) = field.presence {
            object["oneOf"] = json!([{ "required": [field.name] }, { "required": [other] }]);
        }
    }
    object
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
        if let Presence::Default(default)
        | Presence::Environment(_, Some(default))
        | Presence::EnvironmentAny(_, Some(default)) = field.presence
        {
            object.insert("default".to_owned(), typed(field.shape, default));
        }
    }
    schema
}

fn help(field: &Field) -> String {
    match field.presence {
        Presence::Environment(variable, _) => {
            format!("{} When left out, the environment variable {variable} is its value.", field.doc)
        }
        Presence::EnvironmentAny(variables, _) | Presence::EnvironmentOrComputed(variables) => {
            let names = variables.join(" or ");
            format!("{} When left out, the environment variable {names} is its value.", field.doc)
        }
        Presence::Required
        | Presence::RequiredInSection
        | Presence::RequiredUnless(_)
        | Presence::Optional
        | Presence::Default(_) => field.doc.to_owned(),
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
        Shape::Words | Shape::Delimiter | Shape::LineEnd => {
            json!({ "type": ["string", "number", "boolean"], "minLength": 1 })
        }
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
        Shape::Days => or_reference(
            &json!({ "type": "string", "pattern": r"^\s*[0-9]+\s*[dw]\s*$", "examples": ["0d", "5d", "400d"] }),
        ),
        Shape::Size(least, most) => {
            let unit = json!({ "type": "string", "pattern": r"^\s*[0-9][0-9_]*\s*([kKmMgG]?[iI]?[bB])?\s*$" });
            or_reference(&json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, unit] }))
        }
        Shape::Choice(options) => or_reference(&json!({ "enum": options })),
        Shape::Policy(options) => {
            let [_, counted] = options;
            let object = json!({ "type": "object", "properties": { counted: section(&MAX) }, "required": [counted], "additionalProperties": false });
            json!({ "anyOf": [or_reference(&json!({ "enum": options })), object] })
        }
        Shape::Limit => or_reference(
            &json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9_]+$|^[0-9]+(\\.[0-9]{1,4})? ?%$" }] }),
        ),
        Shape::Encoding => json!({ "type": "string", "examples": values::encoding_names().collect::<Vec<_>>() }),
        Shape::Section(inner) => section(inner),
        Shape::List(item) => json!({ "type": "array", "minItems": 1, "items": self::shape(*item) }),
        Shape::OneOrMore(item) => json!({ "anyOf": [self::shape(*item), self::shape(Shape::List(item))] }),
        Shape::Names(inner) | Shape::Foreign(inner) => {
            json!({ "type": "object", "additionalProperties": self::shape(*inner) })
        }
        Shape::Own(name) => json!({ "$ref": format!("#/$defs/{name}") }),
    }
}

/// Any value may come from the environment.
fn or_reference(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "$ref": "#/$defs/reference" }] })
}
