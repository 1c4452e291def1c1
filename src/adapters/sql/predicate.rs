//! Checks that a `where:` of the worker file is one expression and stays inside its parentheses.

use super::Dialect;
use crate::core::ports::source::SourceError;

/// Passes a predicate that can stand in parentheses inside a larger statement without changing the rest of it.
///
/// # Errors
/// [`SourceError::Refused`] names the predicate and what is wrong: empty, a `;`, an unbalanced parenthesis, a string, name
/// or comment without an end, a parameter. Whether it is good SQL is for the database to say.
pub fn check_predicate(dialect: &Dialect, predicate: &str) -> Result<(), SourceError> {
    check(dialect, predicate)
        .map_err(|why| SourceError::Refused { reason: format!("the predicate `{predicate}` cannot be used: {why}") })
}

fn check(dialect: &Dialect, predicate: &str) -> Result<(), String> {
    let lexicon = dialect.lexicon;
    let mut depth = 0_usize;
    let mut anything = false;
    let mut rest = predicate;
    let mut word_before = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let escapes = lexicon.postgres_strings && ends_in_e(predicate, rest);
        let mut word = false;
        let mut blank = false;
        let next = match c {
            '\'' => quoted(after, '\'', escapes).ok_or("a string is not closed with `'`")?,
            '"' => quoted(after, '"', false).ok_or("a name is not closed with `\"`")?,
            '`' if lexicon.name_marks.contains('`') => {
                quoted(after, '`', false).ok_or("a name is not closed with a backtick")?
            }
            '[' if lexicon.name_marks.contains('[') => {
                quoted(after, ']', false).ok_or("a name is not closed with `]`")?
            }
            '-' if after.starts_with('-') => {
                blank = true;
                after.split_once('\n').ok_or("a `--` comment has no end of line and would swallow the rest")?.1
            }
            '/' if after.starts_with('*') => {
                blank = true;
                block_comment(&after[1..], lexicon.nested_comments).ok_or("a comment is not closed with `*/`")?
            }
            '$' if lexicon.postgres_strings && !word_before => dollar(after)?,
            '(' => {
                depth += 1;
                after
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("a `)` has no `(` before it")?;
                after
            }
            ';' => return Err("it holds a `;`; write one expression".to_owned()),
            '\0' => return Err("it holds a NUL byte".to_owned()),
            // A `$` or `@` inside a name starts nothing.
            c if lexicon.parameter_marks.contains(c) && (!word_before || matches!(c, '?' | ':')) => {
                return Err(format!("`{c}` starts a parameter, and there is no value to give it"));
            }
            c => {
                blank = c.is_whitespace();
                word = c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '#');
                after
            }
        };
        anything |= !blank;
        word_before = word;
        rest = next;
    }
    if depth > 0 {
        return Err("a `(` is not closed".to_owned());
    }
    if anything { Ok(()) } else { Err("it is empty".to_owned()) }
}

/// Whether the text before `rest` ends in a lone `E`, which gives a string backslash escapes.
fn ends_in_e(whole: &str, rest: &str) -> bool {
    let mut before = whole[..whole.len() - rest.len()].chars().rev();
    matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// What follows the closing mark; a doubled mark is one inside.
fn quoted(text: &str, mark: char, escapes: bool) -> Option<&str> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next()?;
        } else if c == mark {
            // SQLite has no doubled `]`; there the second one is an error of its own, so nothing is let through.
            if chars.next_if(|&(_, next)| next == mark).is_none() {
                return Some(&text[at + c.len_utf8()..]);
            }
        }
    }
    None
}

/// What follows the comment's end.
fn block_comment(text: &str, nested: bool) -> Option<&str> {
    let mut depth = 1_usize;
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = after;
            if depth == 0 {
                return Some(rest);
            }
        } else if let Some(after) = rest.strip_prefix("/*").filter(|_| nested) {
            depth += 1;
            rest = after;
        } else {
            let mut chars = rest.chars();
            chars.next()?;
            rest = chars.as_str();
        }
    }
}

/// What follows a `$tag$ … $tag$` string, or a lone `$`; the text starts behind the first `$`.
fn dollar(text: &str) -> Result<&str, String> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("`$` starts a parameter, and there is no value to give it".to_owned());
    }
    let tag_end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let Some(body) = text[tag_end..].strip_prefix('$') else { return Ok(text) };
    let close = format!("${}$", &text[..tag_end]);
    let end = body.find(&close).ok_or_else(|| format!("a string is not closed with `{close}`"))?;
    Ok(&body[end + close.len()..])
}
