//! Plain values: what the flow talks about. No I/O, no async, no vendor type; only constructors fail.

pub mod column;
pub(crate) mod crash;
pub mod event;
pub mod file_name;
pub mod header;
pub mod journal;
pub mod key;
pub mod manifest;
pub mod names;
pub mod page;
pub mod planted;
pub mod run;
pub mod spec;
pub mod term;
