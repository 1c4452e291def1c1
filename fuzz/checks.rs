//! Any bytes as a content that a transfer holds against a JSON Schema on its way.

use filegen::adapters::filters::LocalFilters;
use filegen::core::model::filters::{Each, JsonCheck, ToolSpec};
use filegen::core::model::shown::is_harmful;
use filegen::core::ports::filters::FilterTools;
use jiff::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What `fits` says in another way.
const SCHEMA: &str = include_str!("honest/schema.json");

/// Most bytes of one document, line or element.
const MOST: u64 = 256;

/// Shorter ones stand in any sentence.
const TOLD_FROM: usize = 12;

/// Words of reasons that a content may have, too.
const WORDS: [&str; 3] = [SCHEMA, "additionalProperties unevaluatedProperties", "`max_size` element document"];

/// The schema's file, of the package or of the one that fuzzes.
fn schema() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = ["fuzz/honest/schema.json", "honest/schema.json"].map(|place| folder.join(place));
        places.into_iter().find(|place| place.exists()).expect("a schema")
    })
}

/// What the filter says of a content that comes in pieces: what comes out of it, or why it is refused.
fn passed(each: Each, content: &[u8], piece: usize) -> Result<Vec<u8>, String> {
    let check = JsonCheck { schema: schema().to_owned(), each, rows: None, max_size: MOST };
    let mut stage = LocalFilters.begin(&ToolSpec::Json(check), Timestamp::UNIX_EPOCH).expect("a filter");
    let mut out = Vec::new();
    for piece in content.chunks(piece) {
        stage.push(piece, &mut out)?;
    }
    stage.finish(&mut out)?;
    Ok(out)
}

/// A content passes unchanged, and is then what the schema says by another reader's word too; or it is refused for a reason that can be
/// shown and holds nothing of it. However it is cut, it is the same.
pub fn json_check(bytes: &[u8]) {
    let [which, piece, content @ ..] = bytes else { return };
    let each = [Each::Document, Each::Line, Each::Element][usize::from(*which) % 3];
    let whole = passed(each, content, content.len().max(1));
    assert_eq!(passed(each, content, usize::from(*piece).max(1)), whole, "pieces change nothing");
    match whole {
        Ok(out) => {
            assert!(out == content, "it is changed");
            for value in values(each, content) {
                assert!(fits(&value), "{value}");
            }
        }
        Err(why) => {
            assert!(!why.is_empty() && why.len() < 500 && !why.chars().any(is_harmful), "{why:?}");
            let told = runs(content).find(|run| why.contains(run) && !WORDS.iter().any(|words| words.contains(run)));
            assert_eq!(told, None, "{why}");
        }
    }
}

/// What is held against the schema, as another reader sees it.
fn values(each: Each, content: &[u8]) -> Vec<Value> {
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("what passes is JSON");
    match each {
        Each::Document => vec![value(content)],
        Each::Line => {
            let ended = content.strip_suffix(b"\n").unwrap_or(content);
            let lines: Vec<&[u8]> = ended.split(|byte| *byte == b'\n').collect();
            if content.is_empty() { Vec::new() } else { lines.into_iter().map(value).collect() }
        }
        Each::Element => match value(content) {
            Value::Array(all) => all,
            other => panic!("no array: {other}"),
        },
    }
}

/// The schema in words of this language.
fn fits(value: &Value) -> bool {
    let Value::Object(all) = value else { return false };
    let is_known = |name: &String| ["id", "name", "tags", "price"].contains(&name.as_str());
    let is_name = |name: &str| name.chars().count() <= 8 && name.chars().all(|sign| sign.is_ascii_lowercase());
    // A whole number, however it is written.
    let id = all.get("id").and_then(Value::as_f64);
    id.is_some_and(|id| id >= 0.0 && id.fract() == 0.0)
        && all.keys().all(is_known)
        && all.get("name").is_none_or(|name| name.as_str().is_some_and(is_name))
        && all.get("price").is_none_or(|price| price.is_number() || price.is_null())
        && all.get("tags").is_none_or(|tags| {
            let tags = tags.as_array().filter(|tags| tags.len() <= 3);
            tags.is_some_and(|tags| tags.iter().all(Value::is_string))
        })
}

/// Runs of letters and digits that are long enough to say something.
fn runs(content: &[u8]) -> impl Iterator<Item = &str> {
    let runs = content.split(|byte| !byte.is_ascii_alphanumeric()).filter(|run| run.len() >= TOLD_FROM);
    runs.filter_map(|run| std::str::from_utf8(run).ok())
}
