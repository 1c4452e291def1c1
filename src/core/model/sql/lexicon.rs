//! What the databases take as strings, names, comments and parameters: needed to tell where a piece of SQL ends.

use crate::core::model::database::Database;

/// Stands in a parameter's place while SQL is looked at.
pub const PARAMETER: char = '\u{1}';

/// What a database takes as strings, names, comments and parameters of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lexicon {
    /// Marks that open a quoted name besides `"`: `[` and the backtick.
    pub name_marks: &'static str,
    /// `$tag$ … $tag$` and `E'\''` are strings.
    pub postgres_strings: bool,
    /// `/* /* */ */` is one comment.
    pub nested_comments: bool,
    /// Characters that start a parameter.
    pub parameter_marks: &'static str,
}

impl Lexicon {
    /// SQLite's.
    pub const SQLITE: Self =
        Self { name_marks: "[`", postgres_strings: false, nested_comments: false, parameter_marks: "?:@$" };
    /// PostgreSQL's.
    pub const POSTGRES: Self =
        Self { name_marks: "", postgres_strings: true, nested_comments: true, parameter_marks: "" };
    /// SQL Server's.
    pub const SQL_SERVER: Self =
        Self { name_marks: "[", postgres_strings: false, nested_comments: true, parameter_marks: "@" };

    /// That of a source. `None` for a store that speaks no SQL.
    pub fn of(database: Database) -> Option<Self> {
        match database {
            Database::Sqlite => Some(Self::SQLITE),
            Database::Postgres => Some(Self::POSTGRES),
            Database::SqlServer => Some(Self::SQL_SERVER),
            Database::Mongo => None,
        }
    }
}

/// A piece of SQL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// A word: a keyword, a name without quotes, a number.
    Word(&'a str),
    /// A string or a quoted name.
    Quoted,
    /// White space or a comment.
    Blank,
    /// A parameter's place.
    Param,
    /// Any other character.
    Mark(char),
}

/// Takes SQL apart, each piece with the byte at which it starts.
///
/// # Errors
/// A string, name or comment without an end; a parameter's place inside one; a parameter in the database's own form.
pub fn pieces(lexicon: Lexicon, sql: &str) -> Result<Vec<(usize, Piece<'_>)>, String> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let start = sql.len() - rest.len();
        let after_e = matches!(pieces.last(), Some((_, Piece::Word(word))) if word.eq_ignore_ascii_case("e"));
        let (piece, next) = piece(lexicon, rest, c, after_e)?;
        let taken = &rest[..rest.len() - next.len()];
        if !matches!(piece, Piece::Param) && taken.contains(PARAMETER) {
            return Err("a parameter stands inside a string, a quoted name or a comment, where it is plain text; \
                        write it without quotes: `OpenDate <= {date}`"
                .to_owned());
        }
        pieces.push((start, piece));
        rest = next;
    }
    Ok(pieces)
}

/// The piece that a text begins with, and what follows it.
fn piece(lexicon: Lexicon, text: &str, c: char, after_e: bool) -> Result<(Piece<'_>, &str), String> {
    let after = &text[c.len_utf8()..];
    let escapes = lexicon.postgres_strings && after_e;
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '#');
    Ok(match c {
        PARAMETER => (Piece::Param, after),
        '\'' => (Piece::Quoted, quoted(after, '\'', escapes).ok_or("a string is not closed with `'`")?),
        '"' => (Piece::Quoted, quoted(after, '"', false).ok_or("a name is not closed with `\"`")?),
        '`' if lexicon.name_marks.contains('`') => {
            (Piece::Quoted, quoted(after, '`', false).ok_or("a name is not closed with a backtick")?)
        }
        '[' if lexicon.name_marks.contains('[') => {
            (Piece::Quoted, quoted(after, ']', false).ok_or("a name is not closed with `]`")?)
        }
        '-' if after.starts_with('-') => {
            let end = after.split_once('\n').ok_or("a `--` comment has no end of line and would swallow the rest")?;
            // PostgreSQL ends the comment there, others go on to the line feed.
            if end.0.strip_suffix('\r').unwrap_or(end.0).contains('\r') {
                return Err("a `--` comment holds a carriage return without a line feed".to_owned());
            }
            (Piece::Blank, end.1)
        }
        '/' if after.starts_with('*') => {
            let end = block_comment(&after[1..], lexicon.nested_comments);
            (Piece::Blank, end.ok_or("a comment is not closed with `*/`")?)
        }
        '$' if lexicon.postgres_strings => {
            let next = dollar(after)?;
            (if next == after { Piece::Mark('$') } else { Piece::Quoted }, next)
        }
        '\0' => return Err("it holds a NUL byte".to_owned()),
        c if lexicon.parameter_marks.contains(c) => {
            return Err(format!("`{c}` starts a parameter of the database's own; write `{{name}}`"));
        }
        c if c.is_whitespace() => (Piece::Blank, after),
        c if c.is_alphanumeric() || matches!(c, '_' | '#') => {
            let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
            (Piece::Word(&text[..end]), &text[end..])
        }
        c => (Piece::Mark(c), after),
    })
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
        return Err("`$` starts a parameter of the database's own; write `{name}`".to_owned());
    }
    let tag_end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let Some(body) = text[tag_end..].strip_prefix('$') else { return Ok(text) };
    let close = format!("${}$", &text[..tag_end]);
    let end = body.find(&close).ok_or_else(|| format!("a string is not closed with `{close}`"))?;
    Ok(&body[end + close.len()..])
}
