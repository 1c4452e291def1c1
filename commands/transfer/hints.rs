//! What to do next about an error of the flow that moves files.

use crate::commands::hints::Hint;
use crate::core::ports::file_target::TargetError;
use crate::core::ports::folders::FolderError;
use crate::core::transfer::error::TransferError;

impl Hint for TransferError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Broker(_) => Some("nothing is lost: run it again when the broker answers"),
            Self::Folder(FolderError::Missing { .. }) => Some("make the folder, or correct `collect.directory`"),
            Self::Folder(_) => Some("nothing was moved: mend it, and run it again"),
            Self::Target(TargetError::Full { .. }) => Some("free some space; it goes on where it stopped"),
            Self::Target(TargetError::Login { .. }) => {
                Some("nothing was moved; mend it before the next run: servers lock a user out after a few refusals")
            }
            Self::Target(TargetError::Away { .. }) => {
                Some("nothing is lost: run it again when the target answers; `filegen doctor{c}` tries it")
            }
            Self::Target(TargetError::Busy { .. }) => Some(
                "nothing is lost: run it again when the target has less to do; a lower `policies: { concurrency: … }` asks less of it at once",
            ),
            Self::Target(TargetError::Failed { .. }) => Some(
                "nothing is lost: it is tried again at the next run; `filegen doctor{c}` tries the target with a file of its own",
            ),
            Self::Target(
                TargetError::Unusable { .. }
                | TargetError::Denied { .. }
                | TargetError::Foreign { .. }
                | TargetError::Refused { .. }
                | TargetError::Name { .. }
                | TargetError::NoLinks { .. },
            ) => Some("correct `deliver.to`, or the rights of its folder"),
            Self::Filter(_) => Some("nothing was moved: mend the file that it names, and run it again"),
            Self::TakenOver { .. } => {
                Some("another instance works on it: `filegen transfer status{c}` shows how far it is")
            }
            Self::Stopped => None,
        }
    }
}
