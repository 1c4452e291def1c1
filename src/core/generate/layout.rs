//! Where a run's things lie on the volume.

use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::names::HIDDEN;
use crate::core::model::run::RunId;
use crate::core::model::term::Token;

/// A run's own folder: staging folders and tombstones, one name per token.
pub fn run_dir(run: &RunId) -> String {
    format!("{HIDDEN}/{}/{}", run.worker, run.date.compact())
}

/// The folder of the holders that make one version: the run's own for the first, `v2` in it for the second.
pub fn version_dir(run: &RunId, version: u32) -> String {
    match version {
        FIRST_VERSION => run_dir(run),
        later => format!("{}/{}", run_dir(run), version_name(later)),
    }
}

/// The folder in which a version is kept once a later one is made: each file under its id, and its manifest.
pub fn kept_dir(run: &RunId, version: u32) -> String {
    format!("{}/{}/kept", run_dir(run), version_name(version))
}

fn version_name(version: u32) -> String {
    format!("v{version}")
}

/// Reads the name of a version's folder, `v2`. `None` for any other name.
pub fn parse_version(name: &str) -> Option<u32> {
    let version = name.strip_prefix('v')?.parse().ok()?;
    (version >= FIRST_VERSION && version_name(version) == name).then_some(version)
}

/// The staging folder of the holder with `token`.
pub fn staging_dir(run: &RunId, token: Token) -> String {
    staging_dir_in(&run_dir(run), token)
}

/// The staging folder of the holder with `token` in a version's folder.
pub(super) fn staging_dir_in(version_dir: &str, token: Token) -> String {
    format!("{version_dir}/{}", token_name(token))
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

impl Name {
    /// Whose it is.
    pub fn token(self) -> Token {
        match self {
            Self::Token(token) | Self::Fenced(token) => token,
        }
    }
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
    fn a_version_s_folder_reads_back_and_is_no_holder_s() {
        for version in [1, 2, 10, u32::MAX] {
            assert_eq!(parse_version(&version_name(version)), Some(version));
            assert_eq!(parse_name(&version_name(version)), None);
        }
        for foreign in ["v0", "v02", "v", "v+2", "t00000002", "kept"] {
            assert_eq!(parse_version(foreign), None, "{foreign}");
        }
    }

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
