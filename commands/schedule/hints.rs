//! What to do next where a schedule was not steered.

use crate::commands::hints::Hint;
use crate::core::schedule::steer::SteerError;

impl Hint for SteerError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => Some("`filegen schedule list{c}` shows those that there are"),
            Self::Ambiguous { .. } => Some("name it by its id: `filegen schedule list{c}` shows it"),
            Self::TooMany => Some("choose two times that are nearer to each other"),
            Self::Already { .. } => Some("`filegen schedule show ID{c}` says since when, and why"),
            Self::Unusable { .. } => Some("mend the data source: `filegen datasource update{c}`"),
            Self::Store(error) => error.hint(),
        }
    }
}
