//! What SFTP servers and their client say, by what can be done about it.

use super::progress::STILL;
use crate::core::ports::file_target::TargetError;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::StatusCode;

/// Whether a connection is of no more use.
pub(super) fn is_broken(error: &Error) -> bool {
    match error {
        Error::Status(status) => {
            matches!(status.status_code, StatusCode::NoConnection | StatusCode::ConnectionLost)
        }
        Error::Limited(_) => false,
        // Its answer may come later, to nobody: what is asked next would be held against it.
        Error::IO(_) | Error::Timeout | Error::UnexpectedPacket | Error::UnexpectedBehavior(_) => true,
    }
}

/// The server's word. `None` where it said none.
pub(super) fn status(error: &Error) -> Option<StatusCode> {
    match error {
        Error::Status(status) => Some(status.status_code),
        Error::IO(_) | Error::Timeout | Error::Limited(_) | Error::UnexpectedPacket | Error::UnexpectedBehavior(_) => {
            None
        }
    }
}

/// Whether it says that nothing has the name.
pub(super) fn is_missing(error: &Error) -> bool {
    status(error) == Some(StatusCode::NoSuchFile)
}

/// What was said of a path below the target.
pub(super) fn told(target: &str, path: &str, error: &Error) -> TargetError {
    let path = path.to_owned();
    if is_broken(error) {
        let reason = match error {
            Error::Timeout => STILL.to_owned(),
            Error::Status(_) | Error::IO(_) | Error::Limited(_) => error.to_string(),
            Error::UnexpectedPacket | Error::UnexpectedBehavior(_) => format!("the connection ended ({error})"),
        };
        return TargetError::Away { target: target.to_owned(), reason };
    }
    match status(error) {
        Some(StatusCode::PermissionDenied) => TargetError::Denied { path },
        Some(StatusCode::OpUnsupported) => {
            TargetError::Name { path, reason: "the server does not support what is asked".to_owned() }
        }
        _ => TargetError::Failed { path, reason: format!("the server says: {error}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};
    use russh_sftp::protocol::Status;

    #[test]
    fn each_word_of_a_server_has_its_kind() {
        use FailureKind::{Failed, Refused, Unreachable};
        let said = |status_code| {
            let (error_message, language_tag) = ("words".to_owned(), String::new());
            Error::Status(Status { id: 1, status_code, error_message, language_tag })
        };
        for (error, kind) in [
            (said(StatusCode::Eof), Failed),
            (said(StatusCode::NoSuchFile), Failed),
            (said(StatusCode::PermissionDenied), Refused),
            (said(StatusCode::Failure), Failed),
            (said(StatusCode::BadMessage), Failed),
            (said(StatusCode::NoConnection), Unreachable),
            (said(StatusCode::ConnectionLost), Unreachable),
            (said(StatusCode::OpUnsupported), Refused),
            (Error::Timeout, Unreachable),
            (Error::IO("reset".to_owned()), Unreachable),
            (Error::UnexpectedPacket, Unreachable),
            (Error::UnexpectedBehavior("session closed".to_owned()), Unreachable),
            (Error::Limited("handles".to_owned()), Failed),
        ] {
            assert_eq!(told("sftp://a@b", "x", &error).kind(), kind, "{error}");
        }
    }
}
