//! Finds marks in a predicate that look like placeholders: `{date}`, `{{ date }}`. SQL would take them as text, and match every row
//! or no row.

use crate::config::cursor::Cursor;

/// Notes the first mark of a file name or a template in a `where:`.
pub(super) fn check(at: &Cursor<'_>, predicate: &str) {
    let Some(mark) = first(predicate) else { return };
    // What the environment gave is not shown.
    let given_here = at.scalar().is_some_and(|scalar| scalar.variables.is_empty());
    let mark = if given_here { format!("`{mark}`") } else { at.shown() };
    at.report(
        "unknown-parameter",
        format!("{mark} is a placeholder of names and templates; here SQL would take it as plain text"),
        "let the view compare with the date, or write the value itself; a brace alone, as in `'{1,2}'`, may stay",
    );
}

/// The first mark: `{{ … }}`, `{% … %}`, `{# … #}`, or one name in braces. Braces around anything else are SQL's own: `{2}` in
/// a pattern, `{1,2}` as an array.
fn first(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(start, _)| {
        let rest = text.get(start..)?;
        let inside = rest.get(1..)?;
        for (opens, closes) in [('{', "}}"), ('%', "%}"), ('#', "#}")] {
            if inside.starts_with(opens) {
                return rest.get(..rest.find(closes).map_or(rest.len(), |end| end + closes.len()));
            }
        }
        let end = inside.find('}')?;
        is_name(inside.get(..end)?.trim()).then(|| rest.get(..end + 2))?
    })
}

/// `date`, `run.date`, `date:%Y%m%d`.
fn is_name(text: &str) -> bool {
    let name = text.split(':').next().unwrap_or_default();
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn a_mark_is_found_and_a_brace_of_sql_is_none() {
        for (text, mark) in [
            ("d <= '{date}'", "{date}"),
            ("d <= '{ date }'", "{ date }"),
            ("d <= '{{ date }}' AND x", "{{ date }}"),
            ("d <= '{{ date'", "{{ date'"),
            ("d <= '{date:%Y-%m-%d}'", "{date:%Y-%m-%d}"),
            ("{% if x %}", "{% if x %}"),
            ("a = '{1}' AND d = {run.date}", "{run.date}"),
            ("d = {previous_business_date}", "{previous_business_date}"),
        ] {
            assert_eq!(first(text), Some(mark), "{text}");
        }
        for text in
            ["a ~ '^[0-9]{4}$'", "a = '{1,2}'", "a = '{}'", "d = {d '2026-11-21'}", "a = '{x,y}'", "a > '{'", "a"]
        {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
