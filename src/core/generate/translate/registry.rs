//! Translators by name: those that a binary of one's own adds to the built-in ones.

use super::{TranslateError, Translator};
use serde_json::Value;
use std::collections::BTreeMap;

/// Translators that worker files may name besides the built-in ones.
#[derive(Default)]
pub struct Registry {
    makers: BTreeMap<String, Maker>,
}

type Maker = Box<dyn Fn(&Value) -> Result<Box<dyn Translator>, String> + Send + Sync>;

/// The names that worker files use for the translators of this crate.
const BUILT_IN: [&str; 4] = ["delimited", "fixed_width", "json", "template"];

/// Names less alike than this are no suggestion.
const LIKENESS_MIN: f64 = 0.7;

impl Registry {
    /// Makes `name` usable as a translator; `make` gets what stands under the name in the worker file.
    #[must_use]
    pub fn with(
        mut self,
        name: &str,
        make: impl Fn(&Value) -> Result<Box<dyn Translator>, String> + Send + Sync + 'static,
    ) -> Self {
        self.makers.insert(name.to_owned(), Box::new(make));
        self
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.makers.keys().map(String::as_str)
    }

    /// A new translator of that name.
    ///
    /// # Errors
    /// When there is none of that name, with the nearest one that there is; when it refuses its options.
    pub(super) fn make(&self, name: &str, options: &Value) -> Result<Box<dyn Translator>, TranslateError> {
        let Some(make) = self.makers.get(name) else {
            return Err(TranslateError::setting(self.unknown(name)));
        };
        make(options).map_err(|reason| TranslateError::setting(format!("translator `{name}`: {reason}")))
    }

    fn unknown(&self, name: &str) -> String {
        let nearest = BUILT_IN
            .into_iter()
            .chain(self.names())
            .map(|known| (strsim::jaro_winkler(known, name), known))
            .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some((_, known)) = nearest {
            return format!("there is no translator `{name}`; did you mean `{known}`?");
        }
        let known: Vec<&str> = BUILT_IN.into_iter().chain(self.names()).collect();
        format!("there is no translator `{name}`; this binary has {}", known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_translator_comes_with_the_nearest_name() {
        let registry = Registry::default().with("swift_mt940", |_| Err("no account given".to_owned()));
        let reason = |name: &str| registry.make(name, &Value::Null).err().map(|error| error.reason);
        assert_eq!(
            reason("swift_mt94").as_deref(),
            Some("there is no translator `swift_mt94`; did you mean `swift_mt940`?")
        );
        assert_eq!(reason("delimted").as_deref(), Some("there is no translator `delimted`; did you mean `delimited`?"));
        assert_eq!(
            reason("qqq").as_deref(),
            Some("there is no translator `qqq`; this binary has delimited, fixed_width, json, template, swift_mt940")
        );
        assert_eq!(reason("swift_mt940").as_deref(), Some("translator `swift_mt940`: no account given"));
    }
}
