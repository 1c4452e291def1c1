//! The one core that production and runbooks share. No vendor type, no terminal, no environment, no clock of its own.

pub mod announce;
pub mod completion;
pub mod daemon;
pub mod deadline;
pub mod doctor;
pub mod drill;
pub mod election;
pub mod generate;
pub mod inspect;
pub mod lease;
pub mod model;
pub mod ports;
pub mod preview;
pub mod run;
pub mod status;
pub mod trigger;
pub mod verify;
