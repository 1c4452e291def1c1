//! Redis's words for a failure, by what is to be done.

use crate::core::ports::store::StoreError;
use redis::{ErrorKind, RedisError};

/// Codes of errors that pass: loading, a script that runs for long, failing over, full, or not able to save.
const PASSING: [&str; 9] =
    ["LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "OOM", "MISCONF", "NOREPLICAS"];

/// Codes of errors that a person mends, and what to do.
const DENIED: [(&str, &str); 5] = [
    ("NOAUTH", "name a password: `dead_letters.password`, or the environment variable REDIS_PASSWORD"),
    ("WRONGPASS", "check user and password of `dead_letters`"),
    ("NOPERM", "let this user run EVAL, LRANGE, LLEN, LPUSH and INFO on the queue's keys"),
    ("WRONGTYPE", "the key holds something else; name another one in `dead_letters.key`"),
    ("MOVED", "this is a node of a cluster; name a server that holds the queue's keys itself"),
];

/// An error in the port's words.
pub(super) fn failed(store: &str, error: &RedisError) -> StoreError {
    let code = error.code().unwrap_or_default();
    // A script's error has the code of the command that failed in it as its first word.
    let detail = error.detail().unwrap_or_default();
    let inner = detail.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
    sorted(store, error.kind(), [code, inner], error.to_string())
}

fn sorted(store: &str, kind: ErrorKind, codes: [&str; 2], reason: String) -> StoreError {
    let store = store.to_owned();
    if let Some((_, advice)) = DENIED.iter().find(|(code, _)| codes.contains(code)) {
        return StoreError::Denied { store, reason: format!("{reason}; {advice}") };
    }
    if PASSING.iter().any(|code| codes.contains(code)) {
        return StoreError::Unreachable { store, reason };
    }
    match kind {
        ErrorKind::Io => StoreError::Unreachable { store, reason },
        ErrorKind::AuthenticationFailed => {
            StoreError::Denied { store, reason: format!("{reason}; check user and password of `dead_letters`") }
        }
        ErrorKind::InvalidClientConfig => {
            StoreError::Denied { store, reason: format!("{reason}; check `dead_letters.url`") }
        }
        _ => StoreError::Failed { store, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};
    use redis::ServerErrorKind;

    #[test]
    fn each_class_of_errors_has_its_answer() {
        let extension = ErrorKind::Extension;
        let response = ErrorKind::Server(ServerErrorKind::ResponseError);
        let kind = |kind, codes| sorted("r", kind, codes, String::new()).kind();
        for code in PASSING {
            assert_eq!(kind(extension, [code, ""]), FailureKind::Unreachable, "{code}");
            assert_eq!(kind(response, ["ERR", code]), FailureKind::Unreachable, "{code} in a script");
        }
        for (code, _) in DENIED {
            assert_eq!(kind(extension, [code, ""]), FailureKind::Config, "{code}");
        }
        for (of, expected) in [
            (ErrorKind::Io, FailureKind::Unreachable),
            (ErrorKind::AuthenticationFailed, FailureKind::Config),
            (ErrorKind::InvalidClientConfig, FailureKind::Config),
            (ErrorKind::Parse, FailureKind::Failed),
            (response, FailureKind::Failed),
        ] {
            assert_eq!(kind(of, ["", ""]), expected, "{of:?}");
        }
    }
}
