//! Where a run's things lie on the volume.

use crate::core::model::names::HIDDEN;
use crate::core::model::run::RunId;
use crate::core::model::term::Token;

/// A run's own folder: staging folders and tombstones, one name per token.
pub fn run_dir(run: &RunId) -> String {
    format!("{HIDDEN}/{}/{}", run.worker, run.date.compact())
}

/// The staging folder of the holder with `token`.
pub fn staging_dir(run: &RunId, token: Token) -> String {
    format!("{}/{}", run_dir(run), token_name(token))
}

/// `t00000007`: a folder while its holder may write, a plain file (tombstone) afterwards.
pub fn token_name(token: Token) -> String {
    format!("t{:08}", token.0)
}

/// The name that the holder with token `by` gives to an older holder's folder when it takes that away.
pub fn fenced_name(token: Token, by: Token) -> String {
    format!("{}.dead{}", token_name(token), by.0)
}

/// The journal's name in a staging folder.
pub const JOURNAL: &str = "journal.jsonl";

/// The manifest's name in a staging folder, before it is published.
pub const MANIFEST: &str = "manifest.json";

/// What a name in a run's folder stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// `t00000007`.
    Token(Token),
    /// `t00000006.dead7`: taken away by holder 7, not yet removed.
    Fenced(Token),
}

/// Reads a name in a run's folder. `None` for a name that this product does not make.
pub fn parse_name(name: &str) -> Option<Name> {
    let rest = name.strip_prefix('t')?;
    let (digits, dead) = match rest.split_once(".dead") {
        Some((digits, by)) => {
            by.parse::<u64>().ok()?;
            (digits, true)
        }
        None => (rest, false),
    };
    if digits.len() < 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let token = Token(digits.parse().ok()?);
    (token_name(token).len() == digits.len() + 1).then_some(if dead { Name::Fenced(token) } else { Name::Token(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for token in [1, 7, 99_999_999, 100_000_000, u64::MAX] {
            assert_eq!(parse_name(&token_name(Token(token))), Some(Name::Token(Token(token))));
            assert_eq!(parse_name(&fenced_name(Token(token), Token(9))), Some(Name::Fenced(Token(token))));
        }
        for foreign in ["t7", "t0000000x", "x00000007", "t000000007", "t00000007.dead", ".nfs0001", ""] {
            assert_eq!(parse_name(foreign), None, "{foreign}");
        }
    }
}
