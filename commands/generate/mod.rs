//! The commands of the flow generate: a run, its files, and their completion events.

pub(super) mod correct;
pub(super) mod drill;
mod foreground;
mod hints;
pub(super) mod inspect_headers;
mod preview;
pub(super) mod publish_completion;
pub(super) mod resume;
pub(super) mod run;
pub(super) mod verify;
