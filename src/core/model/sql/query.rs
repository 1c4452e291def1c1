//! Checks that a piece of SQL is what it is to be: one expression that stays inside its parentheses, or one SELECT.
//! Whether it is good SQL is for the database to say.

use super::lexicon::{Lexicon, Piece, pieces};

/// Words that begin a statement which changes something.
const CHANGES: [&str; 6] = ["insert", "update", "delete", "merge", "replace", "truncate"];

/// Passes SQL that can stand in parentheses inside a larger statement without changing the rest of it.
///
/// # Errors
/// What is wrong: empty, a `;`, an unbalanced parenthesis, a string, name or comment without an end, a parameter of the
/// database's own form or inside quotes.
pub fn check_expression(lexicon: Lexicon, sql: &str) -> Result<(), String> {
    let pieces = pieces(lexicon, sql)?;
    if pieces.iter().any(|(_, piece)| *piece == Piece::Mark(';')) {
        return Err("it holds a `;`; write one expression".to_owned());
    }
    depths(&pieces)?;
    if pieces.iter().all(|(_, piece)| *piece == Piece::Blank) {
        return Err("it is empty".to_owned());
    }
    Ok(())
}

/// Passes one SELECT, with or without a WITH before it. Returns the byte at which the SELECT itself starts behind a WITH.
///
/// # Errors
/// What is wrong: no SELECT, a `;`, a second statement, a statement that changes something.
pub fn check_query(lexicon: Lexicon, sql: &str) -> Result<Option<usize>, String> {
    let pieces = pieces(lexicon, sql)?;
    let solid: Vec<(usize, Piece<'_>)> = pieces.into_iter().filter(|(_, piece)| *piece != Piece::Blank).collect();
    if let Some(at) = solid.iter().position(|(_, piece)| *piece == Piece::Mark(';')) {
        return Err(match solid.len() - at {
            1 => "it ends with a `;`; leave the `;` out".to_owned(),
            _ => "it holds more than one statement; write one SELECT without a `;`".to_owned(),
        });
    }
    let depths = depths(&solid)?;
    let word = |at: usize| match solid.get(at) {
        Some((_, Piece::Word(word))) => word.to_lowercase(),
        _ => String::new(),
    };
    let is_change = |at: usize| {
        // Behind a parenthesis, as a statement of a WITH; a function's or a column's name has no word behind it.
        CHANGES.contains(&word(at).as_str()) && matches!(solid.get(at + 1), Some((_, Piece::Word(_) | Piece::Quoted)))
    };
    for (at, (_, piece)) in solid.iter().enumerate() {
        let opens = *piece == Piece::Mark('(') && is_change(at + 1);
        if opens || word(at) == "into" {
            return Err("it changes data; only a SELECT that reads is allowed".to_owned());
        }
    }
    match word(0).as_str() {
        "select" => Ok(None),
        "with" => {
            let main = (1..solid.len()).find(|&at| {
                depths[at] == 0 && (["select", "values", "table"].contains(&word(at).as_str()) || is_change(at))
            });
            match main {
                Some(at) if word(at) == "select" => Ok(solid.get(at).map(|(start, _)| *start)),
                Some(at) if is_change(at) => Err("it changes data; only a SELECT that reads is allowed".to_owned()),
                _ => Err("behind its WITH there is no SELECT".to_owned()),
            }
        }
        "" if solid.is_empty() => Err("it is empty".to_owned()),
        change if CHANGES.contains(&change) => Err("it changes data; only a SELECT that reads is allowed".to_owned()),
        _ => Err("it begins with neither SELECT nor WITH".to_owned()),
    }
}

/// For each piece, the parentheses around it.
fn depths(pieces: &[(usize, Piece<'_>)]) -> Result<Vec<usize>, String> {
    let mut depth = 0_usize;
    let mut depths = Vec::with_capacity(pieces.len());
    for (_, piece) in pieces {
        match piece {
            Piece::Mark('(') => depth += 1,
            Piece::Mark(')') => depth = depth.checked_sub(1).ok_or("a `)` has no `(` before it")?,
            _ => {}
        }
        depths.push(depth);
    }
    if depth > 0 { Err("a `(` is not closed".to_owned()) } else { Ok(depths) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Lexicon; 3] = [Lexicon::SQLITE, Lexicon::POSTGRES, Lexicon::SQL_SERVER];

    #[test]
    fn one_select_passes() {
        for lexicon in ALL {
            for sql in [
                "SELECT a FROM t",
                "  select a, 'x; y' AS b from t where d <= \u{1} -- all; of them\n",
                "SELECT replace(a, 'x', 'y'), \"into\" FROM t",
                "SELECT a FROM t WHERE a IN (SELECT b FROM u) /* ; */",
                "SELECT a FROM t UNION ALL SELECT b FROM u",
            ] {
                assert_eq!(check_query(lexicon, sql), Ok(None), "{sql}");
            }
            let sql = "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a) SELECT y FROM b";
            assert_eq!(check_query(lexicon, sql), Ok(sql.rfind("SELECT y")));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for lexicon in ALL {
            for (sql, why) in [
                ("SELECT 1;", "ends with a `;`"),
                ("SELECT 1 ; -- x\n", "ends with a `;`"),
                ("SELECT 1; DROP TABLE t", "more than one statement"),
                ("SELECT 1) t; DELETE FROM t --\n", "more than one statement"),
                ("SELECT 1) t", "no `(`"),
                ("SELECT (1", "not closed"),
                ("DELETE FROM t", "changes data"),
                ("insert into t values (1)", "changes data"),
                ("SELECT a INTO u FROM t", "changes data"),
                ("WITH a AS (SELECT 1) DELETE FROM t", "changes data"),
                ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "changes data"),
                ("WITH a AS (UPDATE \"t\" SET x = 1 RETURNING *) SELECT * FROM a", "changes data"),
                ("WITH a AS (SELECT 1)", "no SELECT"),
                ("EXEC p", "neither"),
                ("t", "neither"),
                ("(SELECT 1)", "neither"),
                ("", "empty"),
                ("-- x\n", "empty"),
                ("SELECT 1 AS a -- x\r) t; SELECT 2 --\n", "carriage return"),
                ("SELECT '\u{1}'", "inside a string"),
                ("SELECT 1 -- \u{1}\n", "inside a string"),
                ("SELECT \"\u{1}\"", "inside a string"),
            ] {
                let error = check_query(lexicon, sql).unwrap_err();
                assert!(error.contains(why), "{sql}: {error}");
            }
        }
    }
}
