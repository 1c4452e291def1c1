//! What object stores and their lines say, by what can be done about it.

use super::xml;
use crate::adapters::http::HttpFault;
use crate::core::ports::file_target::TargetError;

/// Why a call came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// No answer, or a broken one: what was asked for may have been done.
    Away(String),
    /// Nothing can be asked with what is configured.
    Unusable(String),
    /// The store said no.
    Said(Said),
}

/// A store's no.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Said {
    pub(super) status: u16,
    /// Its word: `NoSuchBucket`. Empty where it had none.
    pub(super) code: String,
    pub(super) message: String,
    /// The region that it names.
    pub(super) region: Option<String>,
}

impl From<HttpFault> for Fault {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Away(reason) => Self::Away(reason),
            HttpFault::Unusable(reason) => Self::Unusable(reason),
        }
    }
}

impl Said {
    /// An answer's no, with what its body says.
    pub(super) fn of(status: u16, region: Option<String>, body: &[u8]) -> Self {
        let root = xml::read(body).filter(|root| root.name == "Error").unwrap_or_default();
        let text = |name: &str| root.text_of(name).unwrap_or_default().to_owned();
        let region = region.or_else(|| root.text_of("Region").map(str::to_owned));
        Self { status, code: text("Code"), message: text("Message"), region }
    }

    fn words(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", _) => format!("the store answers {}", self.status),
            (code, "") => format!("the store answers {} {code}", self.status),
            (code, message) => format!("the store answers {} {code}: {message}", self.status),
        }
    }
}

impl Fault {
    fn said(&self) -> Option<&Said> {
        match self {
            Self::Said(said) => Some(said),
            Self::Away(_) | Self::Unusable(_) => None,
        }
    }

    /// Whether the name is taken, or is another's than it should be.
    pub(super) fn is_taken(&self) -> bool {
        self.said().is_some_and(|said| said.status == 412 || said.code == "PreconditionFailed")
    }

    /// Whether nothing has the name. An answer without a body may mean the bucket, too.
    pub(super) fn is_missing(&self) -> bool {
        self.said()
            .is_some_and(|said| said.status == 404 && matches!(said.code.as_str(), "NoSuchKey" | "NotFound" | ""))
    }

    /// Whether the upload has come to its end, or was given up.
    pub(super) fn is_no_upload(&self) -> bool {
        self.said().is_some_and(|said| said.code == "NoSuchUpload")
    }

    /// Whether the store does not know what is asked.
    pub(super) fn is_unknown(&self) -> bool {
        self.said().is_some_and(|said| said.status == 501 || said.code == "NotImplemented")
    }

    /// Whether other keys may help.
    pub(super) fn is_old_token(&self) -> bool {
        self.said()
            .is_some_and(|said| matches!(said.code.as_str(), "ExpiredToken" | "TokenRefreshRequired" | "InvalidToken"))
    }

    /// Whether the keys may not do it.
    pub(super) fn is_denied(&self) -> bool {
        self.said().is_some_and(|said| said.status == 403 && matches!(said.code.as_str(), "AccessDenied" | ""))
    }

    /// What it means for a path below the target.
    pub(super) fn told(&self, target: &str, path: &str) -> TargetError {
        let (target, path) = (target.to_owned(), path.to_owned());
        let said = match self {
            Self::Away(reason) => return TargetError::Away { target, reason: reason.clone() },
            Self::Unusable(reason) => return TargetError::Unusable { target, reason: reason.clone() },
            Self::Said(said) => said,
        };
        let reason = said.words();
        match (said.status, said.code.as_str()) {
            (507, _) | (_, "QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage") => {
                TargetError::Full { reason }
            }
            (_, "NoSuchBucket") => {
                let reason = "there is no such bucket; make it, or correct `s3`".to_owned();
                TargetError::Unusable { target, reason }
            }
            (301 | 302 | 307 | 308, _)
            | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                let hint = said.region.as_ref().map_or_else(
                    || "; check `region` and `endpoint`".to_owned(),
                    |region| format!("; write `region: {region}`"),
                );
                TargetError::Unusable { target, reason: reason + &hint }
            }
            (_, "RequestTimeTooSkewed") => {
                TargetError::Unusable { target, reason: reason + "; set the clock of this host" }
            }
            (401, _)
            | (
                _,
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "TokenRefreshRequired"
                | "XAdminUserNotFound"
                | "NotSignedUp"
                | "AccountProblem"
                | "AllAccessDisabled"
                | "InvalidSecurity"
                | "UserSuspended",
            ) => TargetError::Unusable { target, reason: reason + "; check the keys" },
            (429 | 503, _) | (_, "SlowDown" | "ServiceUnavailable") => TargetError::Busy { target, reason },
            (408 | 500 | 502 | 504, _) | (_, "RequestTimeout" | "InternalError") => {
                TargetError::Away { target, reason }
            }
            (_, "KeyTooLongError" | "KeyTooLong" | "InvalidURI" | "XMinioInvalidObjectName") => {
                TargetError::Name { path, reason }
            }
            // The store has one word for a right that this file lacks and for one that all lack: a file of our own will tell.
            (403, "AccessDenied" | "")
            // Spoilt on its way, or two that write the same at once: another try may work.
            | (200 | 409 | 412 | 505..=599, _)
            | (
                _,
                "BadDigest"
                | "InvalidDigest"
                | "XAmzContentSHA256Mismatch"
                | "XAmzContentChecksumMismatch"
                | "IncompleteBody"
                | "NoSuchUpload"
                | "InvalidPart"
                | "InvalidPartOrder",
            ) => TargetError::Failed { path, reason },
            _ => TargetError::Refused { path, reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};

    #[test]
    fn each_word_of_a_store_has_its_kind() {
        use FailureKind::{Config, Failed, Refused, Unreachable};
        let said = |status, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>words</Message></Error>");
            Fault::Said(Said::of(status, None, body.as_bytes()))
        };
        for (fault, kind) in [
            (Fault::Away("reset".to_owned()), Unreachable),
            (Fault::Unusable("no keys".to_owned()), Config),
            (said(500, "InternalError"), Unreachable),
            (said(502, ""), Unreachable),
            (said(503, "SlowDown"), Unreachable),
            (said(503, "ServiceUnavailable"), Unreachable),
            (said(504, ""), Unreachable),
            (said(429, "TooManyRequests"), Unreachable),
            (said(408, ""), Unreachable),
            (said(400, "RequestTimeout"), Unreachable),
            (said(507, ""), Failed),
            (said(403, "QuotaExceeded"), Failed),
            (said(404, "NoSuchBucket"), Config),
            (said(301, "PermanentRedirect"), Config),
            (said(307, "TemporaryRedirect"), Config),
            (said(400, "AuthorizationHeaderMalformed"), Config),
            (said(403, "RequestTimeTooSkewed"), Config),
            (said(403, "InvalidAccessKeyId"), Config),
            (said(403, "SignatureDoesNotMatch"), Config),
            (said(400, "ExpiredToken"), Config),
            (said(401, ""), Config),
            (said(404, "XAdminUserNotFound"), Config),
            (said(403, "AccessDenied"), Failed),
            (said(403, ""), Failed),
            (said(403, "InvalidObjectState"), Refused),
            (said(400, "KeyTooLongError"), Refused),
            (said(400, "EntityTooLarge"), Refused),
            (said(400, "InvalidRequest"), Refused),
            (said(405, "MethodNotAllowed"), Refused),
            (said(501, "NotImplemented"), Refused),
            (said(409, "ConditionalRequestConflict"), Failed),
            (said(412, "PreconditionFailed"), Failed),
            (said(400, "BadDigest"), Failed),
            (said(400, "XAmzContentSHA256Mismatch"), Failed),
            (said(404, "NoSuchUpload"), Failed),
            (said(400, "InvalidPart"), Failed),
        ] {
            assert_eq!(fault.told("s3://b", "x").kind(), kind, "{fault:?}");
        }
        let moved = Fault::Said(Said::of(301, Some("eu-west-1".to_owned()), b"")).told("s3://b", "x");
        assert!(moved.to_string().contains("`region: eu-west-1`"), "{moved}");
        assert!(said(404, "NoSuchKey").is_missing() && !said(404, "NoSuchBucket").is_missing());
        assert!(said(412, "PreconditionFailed").is_taken() && said(404, "NoSuchUpload").is_no_upload());
        assert!(said(501, "NotImplemented").is_unknown() && said(400, "ExpiredToken").is_old_token());
    }
}
