//! What shown values are made of.

use super::Rendered;
use crate::core::model::door::TlsFiles;
use serde_json::Value;

pub(super) fn text(text: impl Into<String>) -> Rendered {
    Rendered::Scalar(Value::String(text.into()))
}

pub(super) fn scalar(value: impl Into<Value>) -> Rendered {
    Rendered::Scalar(value.into())
}

/// Named values; those without a value are left out.
pub(super) fn map<const N: usize>(entries: [(&str, Option<Rendered>); N]) -> Rendered {
    let given = entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Rendered::Map(given.collect())
}

/// The files of a door's certificate.
pub(super) fn tls(files: &TlsFiles) -> Rendered {
    let path = |path: &std::path::Path| Some(text(path.to_string_lossy()));
    map([("certificate", path(&files.certificate)), ("key", path(&files.key))])
}
