//! A worker file as it was understood: every value with where it came from, secrets as `***`.

mod generate;
mod ingest;
mod parts;
mod schedule;
mod transfer;

use super::cursor::Cursor;
use super::tree::Value;
use super::yaml;
use super::{Flow, Loaded};
use crate::core::model::secret::Secret;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use std::collections::BTreeMap;
use std::path::Path;

/// Farthest column at which comments still stand below each other.
const COMMENT_COLUMN_MAX: usize = 52;

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Origin {
    /// The worker file says so.
    File {
        /// From 1.
        line: usize,
    },
    /// Nobody says otherwise.
    Default,
    /// What the file's receiver takes.
    Receiver {
        /// The receiver.
        name: &'static str,
    },
    /// Environment variables.
    Environment {
        /// Their names.
        names: Vec<String>,
        /// The line that names them. `None` when they stand in for a field that the file leaves out.
        line: Option<usize>,
    },
}

/// A value for people and programs; maps keep their order.
enum Rendered {
    Scalar(serde_json::Value),
    /// A block of lines.
    List(Vec<Rendered>),
    Map(Vec<(String, Rendered)>),
    /// Everything on one line.
    Flow(Box<Rendered>),
}

/// A list on one line; nothing where it is empty.
fn words(texts: &[String]) -> Option<Rendered> {
    let list = texts.iter().map(|text| Rendered::Scalar(text.as_str().into())).collect();
    (!texts.is_empty()).then(|| Rendered::Flow(Box::new(Rendered::List(list))))
}

/// A worker file as it was understood.
pub struct Resolved<'a> {
    path: &'a Path,
    /// The kind's key.
    kind: &'static str,
    declared: Rendered,
    /// By path: `files[0].name`.
    origins: BTreeMap<String, Origin>,
    health_port: Option<u16>,
}

impl Loaded {
    /// What the file means, with where each value came from and without secrets.
    /// `address` shows an address without its secrets.
    pub fn resolved(&self, address: &dyn Fn(&Secret) -> String) -> Resolved<'_> {
        let mut origins = BTreeMap::new();
        let declared = self.with_root(|root| {
            let declared = match &self.flow {
                Flow::Generate(worker) => generate::worker(worker, root, address),
                Flow::Ingest(ingest) => ingest::ingest(ingest, address),
                Flow::Schedule(scheduler) => schedule::scheduler(scheduler, address),
                Flow::Transfer(it) => transfer::transfer(it, address),
            };
            self.find_origins(&declared, Some(root.clone()), "", &mut origins);
            declared
        });
        Resolved { path: &self.path, kind: self.flow.key(), declared, origins, health_port: self.health_port }
    }

    fn find_origins(
        &self,
        shown: &Rendered,
        at: Option<Cursor<'_>>,
        path: &str,
        origins: &mut BTreeMap<String, Origin>,
    ) {
        match shown {
            Rendered::Map(entries) => {
                for (name, value) in entries {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.find_origins(value, at.as_ref().and_then(|at| at.field(name)), &path, origins);
                }
            }
            Rendered::List(items) => {
                let places = at.map(|at| at.items()).unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    self.find_origins(item, places.get(index).cloned(), &format!("{path}[{index}]"), origins);
                }
            }
            Rendered::Scalar(_) | Rendered::Flow(_) => {
                origins.insert(path.to_owned(), self.origin(at.as_ref(), path));
            }
        }
    }

    fn origin(&self, at: Option<&Cursor<'_>>, path: &str) -> Origin {
        let line = at.filter(|at| at.value() != Some(&Value::Null)).map(Cursor::line);
        let variables = at.and_then(Cursor::scalar).map(|scalar| scalar.variables.as_slice()).unwrap_or_default();
        let fallback = self.fallbacks.iter().find(|(field, _)| field == path).map(|(_, name)| *name);
        match (line, fallback) {
            (Some(line), _) if variables.is_empty() => Origin::File { line },
            (Some(line), _) => Origin::Environment { names: variables.to_vec(), line: Some(line) },
            (None, Some(name)) => Origin::Environment { names: vec![name.to_owned()], line: None },
            (None, None) => match self.presets.iter().find(|(field, _)| field == path) {
                Some((_, name)) => Origin::Receiver { name },
                None => Origin::Default,
            },
        }
    }
}

impl Origin {
    fn comment(&self) -> String {
        match self {
            Self::File { line } => format!("line {line}"),
            Self::Default => "default".to_owned(),
            Self::Receiver { name } => format!("receiver {name}"),
            Self::Environment { names, line: None } => format!("environment {}", names.join(", ")),
            Self::Environment { names, line: Some(line) } => format!("line {line}, environment {}", names.join(", ")),
        }
    }
}

impl Resolved<'_> {
    /// As YAML that is a worker file itself, each value's origin in a comment.
    pub fn to_yaml(&self) -> String {
        let mut lines = vec![(format!("# {}, as it is understood", self.path.display()), None)];
        self.block(&self.declared, "", 0, &mut lines);
        if let Some(port) = self.health_port {
            lines.push((format!("# health port: {port} (environment HEALTH_PORT)"), None));
        }
        let width = |line: &(String, Option<String>)| line.1.as_ref().map(|_| line.0.chars().count());
        let column = lines.iter().filter_map(width).filter(|width| *width <= COMMENT_COLUMN_MAX).max().unwrap_or(0);
        let mut text = String::new();
        for (line, comment) in lines {
            text.push_str(&line);
            if let Some(comment) = comment {
                let blanks = column.saturating_sub(line.chars().count()) + 2;
                text.extend(std::iter::repeat_n(' ', blanks));
                text.push_str("# ");
                text.push_str(&comment);
            }
            text.push('\n');
        }
        text
    }

    /// Writes a map or list of blocks, a line a value.
    fn block(&self, shown: &Rendered, path: &str, indent: usize, lines: &mut Vec<(String, Option<String>)>) {
        let margin = " ".repeat(indent);
        match shown {
            Rendered::Map(entries) => {
                for (name, value) in entries {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    let name = yaml::name(name);
                    if matches!(value, Rendered::Map(_) | Rendered::List(_)) && !value.is_empty() {
                        lines.push((format!("{margin}{name}:"), None));
                        self.block(value, &path, indent + 2, lines);
                    } else {
                        lines.push((format!("{margin}{name}: {}", value.flow()), self.comment(&path)));
                    }
                }
            }
            Rendered::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    if matches!(item, Rendered::Map(_)) && !item.is_empty() {
                        let first = lines.len();
                        self.block(item, &path, indent + 2, lines);
                        if let Some((line, _)) = lines.get_mut(first) {
                            line.replace_range(indent..=indent, "-");
                        }
                    } else {
                        lines.push((format!("{margin}- {}", item.flow()), self.comment(&path)));
                    }
                }
            }
            Rendered::Scalar(_) | Rendered::Flow(_) => {
                lines.push((format!("{margin}{}", shown.flow()), self.comment(path)));
            }
        }
    }

    fn comment(&self, path: &str) -> Option<String> {
        self.origins.get(path).map(Origin::comment)
    }
}

impl Rendered {
    fn is_empty(&self) -> bool {
        match self {
            Self::Map(entries) => entries.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Scalar(_) | Self::Flow(_) => false,
        }
    }

    /// On one line.
    fn flow(&self) -> String {
        match self {
            Self::Scalar(serde_json::Value::String(text)) => yaml::scalar(text),
            Self::Scalar(other) => other.to_string(),
            Self::Flow(inner) => inner.flow(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::flow).collect::<Vec<_>>().join(", ")),
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Map(entries) => {
                let pair = |(name, value): &(String, Self)| format!("{}: {}", yaml::name(name), value.flow());
                format!("{{ {} }}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Serialize for Rendered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(value) => value.serialize(serializer),
            Self::Flow(inner) => inner.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

impl Serialize for Resolved<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_struct("Resolved", 4)?;
        all.serialize_field("file", &self.path.display().to_string())?;
        all.serialize_field(self.kind, &self.declared)?;
        all.serialize_field("origins", &self.origins)?;
        all.serialize_field("healthPort", &self.health_port)?;
        all.end()
    }
}
