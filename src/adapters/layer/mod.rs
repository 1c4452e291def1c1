//! Behaviour added to a port by wrapping it.

pub mod hooked;
pub mod retry;
