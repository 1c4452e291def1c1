//! YAML values as JSON, by YAML's core rules: for options that only a translator of one's own understands.

use super::tree::{Scalar, Value};
use serde_json::{Map, Number};

/// The value as JSON. Quoted text and what the environment gave stay text.
pub(super) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null | Value::Broken => serde_json::Value::Null,
        Value::Scalar(scalar) => scalar_to_json(scalar),
        Value::List(items) => items.iter().map(|node| to_json(&node.value)).collect(),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|(name, node)| (name.text.clone(), to_json(&node.value)));
            serde_json::Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

fn scalar_to_json(scalar: &Scalar) -> serde_json::Value {
    let text = scalar.text.as_str();
    let plain = || {
        Some(match text {
            "true" | "True" | "TRUE" => serde_json::Value::Bool(true),
            "false" | "False" | "FALSE" => serde_json::Value::Bool(false),
            _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') => {
                let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
                serde_json::Value::Number(whole.ok().or_else(|| Number::from_f64(text.parse().ok()?))?)
            }
            _ => return None,
        })
    };
    scalar.plain.then(plain).flatten().unwrap_or_else(|| serde_json::Value::String(text.to_owned()))
}
