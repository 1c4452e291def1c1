//! The names a worker file gives to things. Each is checked once, when it is made.

use std::fmt;

/// The folder of all that is not published.
pub const HIDDEN: &str = ".filegen";

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{given}` {why}")]
pub struct NameError {
    what: &'static str,
    given: String,
    why: &'static str,
}

/// Letters, digits, `-`, `_` and `.`, not starting with a dot: safe as a folder name everywhere.
fn folder_safe(what: &'static str, given: &str, reserved: &[&str]) -> Result<(), NameError> {
    let refuse = |why| Err(NameError { what, given: given.to_owned(), why });
    if given.is_empty() {
        return refuse("is empty");
    }
    // Some file systems do not tell case.
    if reserved.iter().any(|reserved| given.to_ascii_lowercase().starts_with(reserved)) {
        return refuse("begins as the name of one of filegen's own files");
    }
    if given.len() > 100 {
        return refuse("is longer than 100 characters");
    }
    if given.starts_with('.') {
        return refuse("starts with a dot");
    }
    if !given.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return refuse("may hold only letters, digits, `-`, `_` and `.`");
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $reserved:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// Takes a name that is safe as a folder name.
            ///
            /// # Errors
            /// Says what is wrong with a name that is not.
            pub fn new(given: impl Into<String>) -> Result<Self, NameError> {
                let given = given.into();
                folder_safe($what, &given, &$reserved)?;
                Ok(Self(given))
            }

            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

name!(
    /// A named set of target files fed by one view: `LoanWorker`.
    WorkerId,
    "worker",
    // The embedded state store stands beside the workers' folders.
    ["state.db"]
);
name!(
    /// An ingest: `orders`. Positions, parked events and metrics carry it.
    IngestId,
    "ingest",
    []
);
name!(
    /// One target file of a worker: `Loan0`. Also the name of its staged file.
    FileId,
    "file id",
    // These stand beside the staged files.
    ["journal.jsonl", "manifest.json"]
);

name!(
    /// A scheduler: `intake`.
    SchedulerId,
    "scheduler",
    []
);

name!(
    /// A transfer: `sales`. Both sides carry it.
    TransferId,
    "transfer",
    []
);

/// What is led, watched over and answered for as one: the key of its lease, its messages in the outbox and its dead letters.
///
/// A worker's key is its id. The key of a part of another flow begins with the flow's word and a colon, `transfer:Loans`, which no
/// worker's id can hold: so the flows share one state store.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LeaseKey(String);

impl LeaseKey {
    /// Takes `ID` or `FLOW:ID`, each safe as a folder name.
    ///
    /// # Errors
    /// Says what is wrong with a key that is not.
    pub fn new(given: impl Into<String>) -> Result<Self, NameError> {
        let given = given.into();
        for part in given.splitn(2, ':') {
            folder_safe("lease key", part, &[])?;
        }
        Ok(Self(given))
    }

    /// The text, as stored in the lease.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The worker that this is the key of. `None` for a part of another flow.
    pub fn worker(&self) -> Option<WorkerId> {
        WorkerId::new(self.0.as_str()).ok()
    }
}

impl From<&SchedulerId> for LeaseKey {
    /// `schedule:intake`.
    fn from(scheduler: &SchedulerId) -> Self {
        Self(format!("schedule:{scheduler}"))
    }
}

impl From<&WorkerId> for LeaseKey {
    fn from(worker: &WorkerId) -> Self {
        Self(worker.0.clone())
    }
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who holds a lease: host name and process id, `pod-3:4711`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InstanceId(String);

impl InstanceId {
    /// Takes any text: it is compared and shown, never interpreted.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, as stored in the lease.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A view's name, part by part as the source knows it: `dbo`, `v.Loan Data`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewName {
    parts: Vec<String>,
}

impl ViewName {
    /// Parses `name` or `schema.name` (up to four parts). A part that holds a dot stands in brackets:
    /// `dbo.[v.Loan Data]`; inside brackets `]]` is one `]`.
    ///
    /// # Errors
    /// When a part is empty or a bracket is not closed.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let refuse = |why| NameError { what: "view", given: text.to_owned(), why };
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, after) = match rest.strip_prefix('[') {
                Some(inner) => bracketed(inner).ok_or_else(|| refuse("has a `[` without its `]`"))?,
                None => match rest.find('.') {
                    Some(dot) => (rest[..dot].to_owned(), &rest[dot..]),
                    None => (rest.to_owned(), ""),
                },
            };
            if part.is_empty() {
                return Err(refuse("has an empty part; write a part with a dot in brackets"));
            }
            parts.push(part);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return Err(refuse("has text after a `]`")),
            }
        }
        if parts.len() > 4 {
            return Err(refuse("has more than four parts"));
        }
        Ok(Self { parts })
    }

    /// The parts, outermost first; at least one.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }
}

impl fmt::Display for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if part.contains(['.', '[', ']']) {
                write!(f, "[{}]", part.replace(']', "]]"))?;
            } else {
                f.write_str(part)?;
            }
        }
        Ok(())
    }
}

/// Reads up to the closing bracket; returns the part and what follows the bracket.
fn bracketed(inner: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = inner;
    loop {
        let close = rest.find(']')?;
        part.push_str(&rest[..close]);
        rest = &rest[close + 1..];
        match rest.strip_prefix(']') {
            Some(after) => {
                part.push(']');
                rest = after;
            }
            None => return Some((part, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_name_is_taken_part_by_part() {
        let parts = |text: &str| ViewName::parse(text).unwrap().parts().to_vec();
        assert_eq!(parts("v_LoanData"), ["v_LoanData"]);
        assert_eq!(parts("sales.My View"), ["sales", "My View"]);
        assert_eq!(parts("dbo.[v.Loan Data]"), ["dbo", "v.Loan Data"]);
        assert_eq!(parts("[a]]b].c"), ["a]b", "c"]);
        for bad in ["", "a.", ".a", "[a", "[a]b", "a.b.c.d.e"] {
            assert!(ViewName::parse(bad).is_err(), "{bad}");
        }
        for text in ["v", "dbo.[v.Loan Data]", "[a]]b].c"] {
            assert_eq!(ViewName::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_lease_key_is_a_worker_s_id_or_says_its_flow() {
        let worker = WorkerId::new("LoanWorker").unwrap();
        let key = LeaseKey::from(&worker);
        assert_eq!((key.as_str(), key.worker()), ("LoanWorker", Some(worker)));
        assert_eq!(LeaseKey::new("LoanWorker").unwrap(), key);
        assert_eq!(LeaseKey::new("transfer:Loans").unwrap().worker(), None);
        for bad in ["", ":", "a:", ":a", "a:b:c", "a/b", "a:../b"] {
            assert!(LeaseKey::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for bad in ["", "..", ".hidden", "a/b", "a b", "ä"] {
            assert!(WorkerId::new(bad).is_err(), "{bad}");
        }
        assert!(FileId::new("Loan-0.v2_x").is_ok());
    }
}
