//! Finds the parameters' places in a text, and marks that look like one and are none.

use super::{Part, Sql};
use crate::core::model::param::Params;
use std::collections::BTreeSet;
use std::fmt;

/// SQL as a worker file has it, with its parameters found.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<TemplatePart>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum TemplatePart {
    Text(String),
    Param(String),
}

/// A mark that is no parameter's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkError {
    /// As it stands in the text.
    pub mark: String,
    /// The name in it, where there is one.
    pub name: Option<String>,
    /// Whether a parameter has that name.
    pub is_known: bool,
}

impl Template {
    /// Finds the places of the parameters that are known.
    ///
    /// # Errors
    /// The first mark of a template (`{{ date }}`, `{% if %}`), and the first name in braces that is no parameter's.
    pub fn parse(text: &str, is_known: impl Fn(&str) -> bool) -> Result<Self, MarkError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            plain.push_str(before);
            rest = match mark(from, &is_known)? {
                Mark::Brace => {
                    plain.push('{');
                    &from[1..]
                }
                Mark::Doubled(name) => {
                    plain.extend(["{", name, "}"]);
                    &from[name.len() + 4..]
                }
                Mark::Param { name, length } => {
                    if !plain.is_empty() {
                        parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(TemplatePart::Param(name.to_owned()));
                    &from[length..]
                }
            };
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of its parameters.
    pub fn names(&self) -> BTreeSet<&str> {
        let name = |part: &'_ TemplatePart| matches!(part, TemplatePart::Param(_));
        let params = self.parts.iter().filter(|part| name(part));
        params
            .filter_map(|part| if let TemplatePart::Param(name) = part { Some(name.as_str()) } else { None })
            .collect()
    }

    /// The SQL with a value in each place.
    ///
    /// # Errors
    /// The name of a parameter that has no value.
    pub fn bind(&self, params: &Params) -> Result<Sql, String> {
        let part = |part: &TemplatePart| -> Result<Part, String> {
            Ok(match part {
                TemplatePart::Text(text) => Part::Text(text.clone()),
                TemplatePart::Param(name) => {
                    let value = params.get(name).ok_or_else(|| name.clone())?;
                    Part::Param { name: name.clone(), value: value.clone() }
                }
            })
        };
        Ok(Sql::new(self.parts.iter().map(part).collect::<Result<_, _>>()?))
    }

    /// The text with [`super::PARAMETER`] in each parameter's place.
    pub fn outline(&self) -> String {
        let text = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Param(_) => super::PARAMETER.to_string(),
        };
        self.parts.iter().map(text).collect()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What begins with a brace.
enum Mark<'a> {
    /// SQL's own.
    Brace,
    /// `{{abc}}`.
    Doubled(&'a str),
    /// A parameter's place, and its length in bytes.
    Param { name: &'a str, length: usize },
}

/// Looks at a text that begins with `{`.
fn mark<'a>(text: &'a str, is_known: &impl Fn(&str) -> bool) -> Result<Mark<'a>, MarkError> {
    let inside = &text[1..];
    let refuse = |length: usize, name: Option<&str>| {
        let mark = text.get(..length).unwrap_or(text).to_owned();
        let is_known = name.is_some_and(is_known);
        Err(MarkError { mark, name: name.map(str::to_owned), is_known })
    };
    for (opens, closes) in [('%', "%}"), ('#', "#}")] {
        if inside.starts_with(opens) {
            return refuse(text.find(closes).map_or(text.len(), |end| end + 2), None);
        }
    }
    if let Some(inner) = inside.strip_prefix('{') {
        let (content, length) = inner.find("}}").map_or((inner, text.len()), |end| (&inner[..end], end + 4));
        let name = content.trim();
        if is_name(name) && name == content && !is_known(name) && length > content.len() + 2 {
            return Ok(Mark::Doubled(name));
        }
        let word = word_of(name);
        if is_name(name) || is_template(content) {
            return refuse(length, (!word.is_empty()).then_some(word));
        }
        return Ok(Mark::Brace);
    }
    let Some(end) = inside.find('}') else { return Ok(Mark::Brace) };
    let name = inside[..end].trim();
    let word = word_of(name);
    if is_name(name) && is_known(name) {
        return Ok(Mark::Param { name, length: end + 2 });
    }
    // `{date:%Y-%m-%d}` is a form of file names.
    if is_name(name) || (is_name(word) && name[word.len()..].starts_with(':')) {
        return refuse(end + 2, Some(word));
    }
    Ok(Mark::Brace)
}

/// Whether what stands between doubled braces is a template's: `date | upper`, `sum.Amount`, ` x `.
fn is_template(content: &str) -> bool {
    let (word, rest) = content.trim().split_at(word_of(content.trim()).len());
    let is_spaced = content.starts_with(char::is_whitespace);
    is_name(word) && !content.contains(['{', '}']) && (is_spaced || rest.trim_start().starts_with(['|', '(']))
}

/// The name that a text begins with: letters, digits, `_` and `.`.
fn word_of(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(text.len())]
}

/// `date`, `run.id`.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && word_of(text).len() == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::param::ParamKind;

    fn parse(text: &str) -> Result<Template, MarkError> {
        Template::parse(text, |name| matches!(name, "date" | "run.id" | "region"))
    }

    #[test]
    fn one_known_name_in_braces_is_a_place() {
        for (text, outline, names) in [
            ("d <= {date}", "d <= \u{1}", &["date"][..]),
            ("d <= { date } AND r = {region}", "d <= \u{1} AND r = \u{1}", &["date", "region"]),
            ("{run.id}", "\u{1}", &["run.id"]),
            ("d={date}{date}", "d=\u{1}\u{1}", &["date"]),
        ] {
            let template = parse(text).unwrap();
            assert_eq!((template.outline().as_str(), template.as_str()), (outline, text));
            assert_eq!(template.names().into_iter().collect::<Vec<_>>(), names);
        }
    }

    #[test]
    fn braces_around_anything_else_are_sqls_own() {
        for text in [
            "a ~ '^[0-9]{4}$'",
            "a = '{1,2}'",
            "a = '{{1,2},{3,4}}'",
            "a = '{{a,b},{c,d}}'",
            "a = '{}'",
            "d = {d '2026-11-21'}",
            "a = '{x,y}'",
            "a = '{\"b\":{\"c\":1}}'",
            "a > '{'",
            "a > '}}'",
            "a",
            "{",
            "{{",
            "",
        ] {
            assert_eq!(parse(text).unwrap().outline(), text);
        }
        assert_eq!(parse("a = '{{abc}}'").unwrap().outline(), "a = '{abc}'");
    }

    #[test]
    fn a_mark_that_is_no_place_is_refused() {
        for (text, mark, name, known) in [
            ("d <= '{{ date }}' AND x", "{{ date }}", Some("date"), true),
            ("d <= '{{date}}'", "{{date}}", Some("date"), true),
            ("d <= {{ x }}", "{{ x }}", Some("x"), false),
            ("d <= '{{ date'", "{{ date'", Some("date"), true),
            ("d <= '{{ date | upper }}'", "{{ date | upper }}", Some("date"), true),
            ("d <= '{{sum.x|number(\"0\")}}'", "{{sum.x|number(\"0\")}}", Some("sum.x"), false),
            ("d <= '{date:%Y-%m-%d}'", "{date:%Y-%m-%d}", Some("date"), true),
            ("{% if x %} a", "{% if x %}", None, false),
            ("{# x #}", "{# x #}", None, false),
            ("a = '{1}' AND d = {run.dat}", "{run.dat}", Some("run.dat"), false),
            ("{ datum }", "{ datum }", Some("datum"), false),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.mark.as_str(), error.name.as_deref(), error.is_known), (mark, name, known), "{text}");
        }
    }

    #[test]
    fn values_stand_in_the_places() {
        let template = parse("a = {region} AND b = '{1}'").unwrap();
        let params = Params::from([("region".to_owned(), ParamKind::Text.read("x' OR '1'='1").unwrap())]);
        let bound = template.bind(&params).unwrap();
        assert_eq!(bound.to_string(), "a = {region} AND b = '{1}'");
        let mut gathered = Params::new();
        bound.gather(&mut gathered);
        assert_eq!(gathered, params);
        assert_eq!(template.bind(&Params::new()), Err("region".to_owned()));
    }
}
