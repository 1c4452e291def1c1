//! NATS's words for a failure, by what is to be done.

use crate::core::ports::broker::BrokerError;
use serde_json::Value;

/// Why a call failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It may work later.
    Passing(String),
    /// No answer came: whether it was done is not known.
    Silent(String),
    /// The stream or the consumer is not there.
    Missing(String),
    /// A message larger than the server takes.
    TooLarge(String),
    /// A person has to mend something.
    Refused(String),
    /// What JetStream's API says: its number and its words.
    Api(u64, String),
}

/// Numbers of JetStream's errors that a person mends, and what to do.
const REFUSED: [(u64, &str); 8] = [
    (10039, "JetStream is not enabled for this account; enable it there"),
    (10076, "JetStream is not enabled; start the server with `-js`"),
    (10065, "another stream has these subjects; name another `broker.nats.subject`"),
    (10058, "the stream has other settings; see `filegen doctor`"),
    (10074, "fewer servers are there than `broker.nats.replicas`; write a smaller number, or add servers"),
    (10054, "a message is larger than the stream takes; take `max_msg_size` from the stream"),
    (10027, "the account may have no more streams; raise its limit"),
    (10052, "the server does not take these settings"),
];

/// Numbers that say that a stream or a consumer is not there.
const MISSING: [u64; 2] = [10059, 10014];

/// Numbers that say that a message is not there.
const GONE: [u64; 2] = [10037, 10043];

/// No room for what a stream wants to reserve.
const NO_ROOM: [u64; 3] = [10047, 10023, 10002];

impl Fault {
    /// What an answer of JetStream complains of.
    pub(super) fn of_answer(answer: &Value) -> Option<Self> {
        let error = answer.get("error")?;
        let code = error["err_code"].as_u64().unwrap_or(0);
        let words = error["description"].as_str().unwrap_or("no reason was given").to_owned();
        Some(if MISSING.contains(&code) { Self::Missing(words) } else { Self::Api(code, words) })
    }

    /// Whether a message was refused because its subject has one.
    pub(super) fn is_subject_taken(&self) -> bool {
        matches!(self, Self::Api(_, words) if words.contains("per subject"))
    }

    /// Whether the stream has no room for a message.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Api(_, words) if words.contains("maximum bytes"))
    }

    /// Whether a message is not there that was to be taken away.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Api(code, _) if GONE.contains(code))
    }

    /// Whether the server has less room than a stream is to get.
    pub(super) fn is_no_room(&self) -> bool {
        matches!(self, Self::Api(code, _) if NO_ROOM.contains(code))
    }

    /// In the port's words. `topic` says what was called where.
    pub(super) fn told(self, topic: &str) -> BrokerError {
        let topic = topic.to_owned();
        match self {
            Self::Passing(reason) | Self::Missing(reason) => BrokerError::Unreachable { topic, reason },
            // A stream can be dead while its server and all others look well.
            Self::Silent(reason) => {
                let advice = "if the server is well otherwise, its disk may be full or this stream dead: look at its log; a restart helps";
                BrokerError::Unreachable { topic, reason: format!("{reason}; {advice}") }
            }
            Self::TooLarge(reason) => {
                BrokerError::TooLarge { topic, reason: format!("{reason}; write a smaller `policies.chunk`") }
            }
            Self::Refused(reason) => BrokerError::Refused { topic, reason },
            Self::Api(code, words) => match REFUSED.iter().find(|(known, _)| *known == code) {
                Some((_, advice)) => BrokerError::Refused { topic, reason: format!("{words} ({code}): {advice}") },
                None if words.contains("maximum bytes") => {
                    let advice =
                        "the stream is full; files wait until others are delivered, or raise `broker.nats.max_bytes`";
                    BrokerError::Unreachable { topic, reason: format!("{words} ({code}): {advice}") }
                }
                None => BrokerError::Unreachable { topic, reason: format!("{words} ({code})") },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kind::{FailureKind, HasKind};
    use serde_json::json;

    #[test]
    fn each_class_of_errors_has_its_answer() {
        let of = |code: u64, words: &str| {
            Fault::of_answer(&json!({ "error": { "code": 400, "err_code": code, "description": words } })).unwrap()
        };
        for (code, _) in REFUSED {
            assert_eq!(of(code, "no").told("t").kind(), FailureKind::Config, "{code}");
        }
        for code in MISSING {
            assert_eq!(of(code, "no"), Fault::Missing("no".to_owned()), "{code}");
        }
        assert!(
            GONE.into_iter().all(|code| of(code, "").is_gone())
                && NO_ROOM.into_iter().all(|code| of(code, "").is_no_room())
        );
        assert!(of(10077, "maximum messages per subject exceeded").is_subject_taken());
        let full = of(10077, "maximum bytes exceeded");
        assert!(full.is_full() && !full.is_subject_taken());
        assert!(full.clone().told("t").to_string().contains("max_bytes"));
        for (fault, kind) in [
            (full, FailureKind::Unreachable),
            (of(10008, "temporarily unavailable"), FailureKind::Unreachable),
            (Fault::Passing(String::new()), FailureKind::Unreachable),
            (Fault::Silent(String::new()), FailureKind::Unreachable),
            (Fault::Missing(String::new()), FailureKind::Unreachable),
            (Fault::TooLarge(String::new()), FailureKind::Config),
            (Fault::Refused(String::new()), FailureKind::Config),
        ] {
            assert_eq!(fault.clone().told("t").kind(), kind, "{fault:?}");
        }
        assert_eq!(Fault::of_answer(&json!({ "stream": "x", "seq": 1 })), None);
    }
}
