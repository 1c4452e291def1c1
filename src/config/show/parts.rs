//! What shown values are made of.

use super::Rendered;
use serde_json::Value;

pub(super) fn text(text: impl Into<String>) -> Rendered {
    Rendered::Scalar(Value::String(text.into()))
}

/// A list on one line; nothing where it is empty.
pub(super) fn words(texts: &[String]) -> Option<Rendered> {
    let list = Rendered::Flow(Box::new(Rendered::List(texts.iter().map(text).collect())));
    (!texts.is_empty()).then_some(list)
}

pub(super) fn scalar(value: impl Into<Value>) -> Rendered {
    Rendered::Scalar(value.into())
}

/// Named values; those without a value are left out.
pub(super) fn map<const N: usize>(entries: [(&str, Option<Rendered>); N]) -> Rendered {
    let given = entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Rendered::Map(given.collect())
}
