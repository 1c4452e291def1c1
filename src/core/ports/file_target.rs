//! Where files are delivered to.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::finding::Finding;
use crate::core::model::shown;
use crate::core::model::transfer::Upload;
use async_trait::async_trait;
use std::time::Duration;

/// Why a target refused. The path is below the target.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// The folder of the target itself is not there, or is none.
    #[error("the target {} cannot be used: {}", shown::name(target), shown::text(reason))]
    Unusable {
        /// Which.
        target: String,
        /// The system's words.
        reason: String,
    },
    /// Its server lets this process not in, or is not the one it should be. Each try may bring its user nearer to being locked out.
    #[error("the target {} cannot be used: {}", shown::name(target), shown::text(reason))]
    Login {
        /// Which.
        target: String,
        /// Why, and what to mend.
        reason: String,
        /// For how long it is not tried again.
        again: Duration,
    },
    /// It may not be written.
    #[error("{} may not be written by the user of this process", shown::name(path))]
    Denied {
        /// Which.
        path: String,
    },
    /// A link, or anything else that is neither a folder nor a plain file, stands in the way.
    #[error("{} is {what}: nothing is written through it", shown::name(path))]
    Foreign {
        /// Which part of the path.
        path: String,
        /// What it is: `a link`.
        what: String,
    },
    /// It says no to this file, and will again.
    #[error("{} is refused by the target: {}", shown::name(path), shown::text(reason))]
    Refused {
        /// Which.
        path: String,
        /// Its words.
        reason: String,
    },
    /// The target cannot have such a name.
    #[error("{} is no name that the target can have: {}", shown::name(path), shown::text(reason))]
    Name {
        /// Which.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// There is no room.
    #[error("the target has no room: {}", shown::text(reason))]
    Full {
        /// What is missing.
        reason: String,
    },
    /// The file system cannot give a name without replacing what has it.
    #[error(
        "the target {} cannot give a name without replacing another file: {}",
        shown::name(target),
        shown::text(reason)
    )]
    NoLinks {
        /// Which.
        target: String,
        /// The system's words.
        reason: String,
    },
    /// It does not answer, or the connection broke: what was asked for may have been done.
    #[error("the target {} does not answer: {}", shown::name(target), shown::text(reason))]
    Away {
        /// Which.
        target: String,
        /// What was seen.
        reason: String,
    },
    /// It answers that it cannot take anything just now.
    #[error("the target {} is busy: {}", shown::name(target), shown::text(reason))]
    Busy {
        /// Which.
        target: String,
        /// Its words.
        reason: String,
    },
    /// The system says something else. Another try may work.
    #[error("{} cannot be written: {}", shown::name(path), shown::text(reason))]
    Failed {
        /// Which.
        path: String,
        /// The system's words.
        reason: String,
    },
}

impl HasKind for TargetError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unusable { .. } | Self::Login { .. } | Self::NoLinks { .. } => FailureKind::Config,
            Self::Denied { .. } | Self::Foreign { .. } | Self::Refused { .. } | Self::Name { .. } => {
                FailureKind::Refused
            }
            Self::Away { .. } | Self::Busy { .. } => FailureKind::Unreachable,
            Self::Full { .. } | Self::Failed { .. } => FailureKind::Failed,
        }
    }
}

/// A file at the target, as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrived {
    /// In bytes.
    pub size: u64,
    /// Of all of it, in hexadecimal digits. `None` where its size alone shows that it is another file.
    pub sha256: Option<String>,
}

impl Arrived {
    /// Whether it has this size and digest.
    pub fn is(&self, size: u64, sha256: &str) -> bool {
        self.size == size && self.sha256.as_deref() == Some(sha256)
    }
}

/// The room of a target, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// What this process may still fill.
    pub free: u64,
    /// What there is with all that is filled.
    pub all: u64,
}

/// How a final name is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// Only where nothing has the name.
    New,
    /// Whatever has the name is replaced.
    Replace,
}

/// How an unfinished file is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartName<'a> {
    /// The version's id, or a text made from it.
    pub id: &'a str,
    /// This process's own text, and where the target is far, this try's. Where no process can keep a file for itself, it stands in the
    /// name: a stopped one that goes on later then names its own file, or none, and never what another one is writing.
    pub writer: &'a str,
    /// Those of processes and tries before it, whose unfinished files may still be there; the earliest first.
    pub former: &'a [String],
    /// What it is to become, where that is known.
    pub whole: Option<Whole<'a>>,
    /// What an earlier try began at an object store.
    pub upload: Option<&'a Upload>,
}

/// What an unfinished file is to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whole<'a> {
    /// The path that it most likely gets.
    pub path: &'a str,
    /// Bytes of all of it.
    pub size: u64,
    /// Their digest, in hexadecimal digits.
    pub sha256: &'a str,
}

/// A file under its temporary name, open for writing.
#[async_trait]
pub trait TargetPart: Send {
    /// Bytes from `offset`; fewer only at the end.
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, TargetError>;

    /// Writes behind what is there.
    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), TargetError>;

    /// Makes what was written durable.
    async fn sync(&mut self) -> Result<(), TargetError>;

    /// Gives the file its final name, whole and durable. `false`, and nothing is changed, when another file has it.
    async fn publish(&mut self, path: &str, naming: Naming) -> Result<bool, TargetError>;

    /// What was begun for it at an object store: the ledger knows it before a byte of it is sent.
    fn upload(&self) -> Option<Upload> {
        None
    }

    /// Takes the file away.
    async fn discard(&mut self) -> Result<(), TargetError>;
}

/// A place for files. Paths are below it, with `/` between names; folders are made where they are missing. No path leads out of it,
/// whatever is put there and when.
#[async_trait]
pub trait FileTarget: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// Writes, syncs and names a small file, sees that its name is not given twice, and takes it away.
    async fn probe(&self, name: &str) -> Result<(), TargetError>;

    /// Its room. `None` when nobody tells.
    async fn room(&self) -> Result<Option<Room>, TargetError>;

    /// The unfinished file of a version in a folder, and how many of its first `keep` bytes are there; what is written goes behind them.
    /// Near, an unfinished file that another process still has open is left to it, and a new one is begun. Far, the file of a former
    /// try is taken under this one's own name, so that the former one can name it no more, and a late request of it hits nothing.
    async fn part(
        &self,
        folder: &str,
        name: PartName<'_>,
        keep: u64,
    ) -> Result<(Box<dyn TargetPart>, u64), TargetError>;

    /// Whether it is reached over a line: to send a file again costs more than to look whether it is there.
    fn is_far(&self) -> bool {
        false
    }

    /// Whether an unfinished file is bound to its final path from its begin.
    fn is_bound_to_a_path(&self) -> bool {
        false
    }

    /// Gives up what was begun at an object store. What is not there any more is gone.
    async fn abandon(&self, _: &Upload) -> Result<(), TargetError> {
        Ok(())
    }

    /// What is found of the target's ways beside [`Self::probe`], and what follows.
    async fn ways(&self, _name: &str) -> Result<Vec<Finding>, TargetError> {
        Ok(Vec::new())
    }

    /// Takes a file away, durably. One that is not there is gone.
    async fn remove(&self, path: &str) -> Result<(), TargetError>;

    /// After a login was refused: waits until there is something else to log in with.
    async fn mended(&self) {
        std::future::pending::<()>().await;
    }

    /// Makes durable that a file has its name: whoever gave it may not have lived to do so.
    async fn keep_name(&self, _path: &str) -> Result<(), TargetError> {
        Ok(())
    }

    /// Looks for a file, and reads it where it has the size that is looked for. `None` when nothing has the name.
    async fn find(&self, path: &str, size: u64) -> Result<Option<Arrived>, TargetError>;
}
