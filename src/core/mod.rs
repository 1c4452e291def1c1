//! The one core that production and runbooks share. No vendor type, no terminal, no environment, no clock of its own.

pub mod backoff;
pub mod doctor;
pub mod election;
pub mod failpoints;
pub mod generate;
pub mod health;
pub mod kind;
pub mod model;
pub mod outbox;
pub mod ports;
