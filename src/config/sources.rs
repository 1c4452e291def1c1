//! Files of data sources: a list in YAML or JSON, as `filegen datasource export` writes it.

use super::json::to_json;
use super::problem::{ConfigError, Problem};
use super::tree::{self, Value};
use super::vars::Vars;
use super::{read, yaml};
use std::fmt::Write as _;
use std::path::Path;

/// Fields in the order in which people write them.
const ORDER: [&str; 17] = [
    "name",
    "description",
    "path",
    "pattern",
    "recursive",
    "cronExpression",
    "zone",
    "calendar",
    "isActive",
    "overlap",
    "misfire",
    "action",
    "dst",
    "closedDay",
    "deadline",
    "pauseAfterFailures",
    "pollingRate",
];

/// Reads a file of data sources. References to the environment are filled in as in every file.
///
/// # Errors
/// When it is not there, or is no list.
pub fn data_sources(path: &Path, vars: &dyn Vars) -> Result<Vec<serde_json::Value>, ConfigError> {
    parse_data_sources(&read::read(path, "file of data sources")?, path, vars)
}

/// [`data_sources`] for a text that is already read.
///
/// # Errors
/// When it is no list.
pub fn parse_data_sources(text: &str, path: &Path, vars: &dyn Vars) -> Result<Vec<serde_json::Value>, ConfigError> {
    let (tree, problems) = tree::parse(text.strip_prefix('\u{feff}').unwrap_or(text), vars);
    if !problems.is_empty() {
        // No text is quoted: what stands in such a file is not known field by field.
        return Err(ConfigError { path: path.to_owned(), problems: problems.into_sorted(), masked_text: None });
    }
    let hint = "write a list: a line with `- name: …` for each, as `filegen datasource export` does";
    let refuse = |message: &str| {
        let problem = Problem {
            code: "wrong-type",
            message: message.to_owned(),
            hint: hint.to_owned(),
            field: None,
            place: None,
        };
        ConfigError { path: path.to_owned(), problems: vec![problem], masked_text: None }
    };
    match tree.map(|tree| tree.value) {
        Some(Value::List(items)) => Ok(items.iter().map(|item| to_json(&item.value)).collect()),
        Some(Value::Null) | None => Err(refuse("this file is empty")),
        Some(_) => Err(refuse("this is no list of data sources")),
    }
}

/// Data sources as YAML that [`data_sources`] reads back.
pub fn data_sources_to_yaml(sources: &[serde_json::Value]) -> String {
    let mut text = String::new();
    for source in sources {
        let mut start = "- ";
        let Some(object) = source.as_object() else { continue };
        let known = ORDER.iter().filter_map(|name| Some((*name, object.get(*name)?)));
        for (name, value) in known {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{start}{name}: {}", flow(value));
            start = "  ";
        }
    }
    if text.is_empty() { "[]\n".to_owned() } else { text }
}

/// A value on one line.
fn flow(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => yaml::scalar(text),
        serde_json::Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        serde_json::Value::Object(object) if object.is_empty() => "{}".to_owned(),
        serde_json::Value::Object(object) => {
            let pair = |(name, value): (&String, &serde_json::Value)| format!("{}: {}", yaml::name(name), flow(value));
            format!("{{ {} }}", object.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_exported_reads_back() {
        let sources = [
            json!({ "name": "Loans: all", "path": "data/${X}", "pattern": "*.csv", "recursive": false, "calendar": null,
                "cronExpression": "0 */2 * * * ?", "action": { "discover": { "stableFor": "2s" } }, "pauseAfterFailures": 3 }),
            json!({ "name": "true", "path": "a\nb", "action": { "discover": {} } }),
        ];
        let yaml = data_sources_to_yaml(&sources);
        let read = |text: &str| parse_data_sources(text, Path::new("s.yaml"), &()).unwrap();
        assert_eq!(read(&yaml), sources, "{yaml}");
        assert_eq!(read(&serde_json::to_string(&sources).unwrap().replace("${", "$${")), sources, "JSON is taken too");
        for bad in ["", "name: a\n", "- [\n"] {
            assert!(parse_data_sources(bad, Path::new("s.yaml"), &()).is_err(), "{bad}");
        }
    }
}
