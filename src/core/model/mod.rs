//! Plain values that a port or two flows speak of. No I/O, no async, no vendor type; only constructors fail.

pub mod amount;
pub mod calendar;
pub mod civil;
pub mod column;
pub mod correction;
pub mod decimal;
pub mod event;
pub mod finding;
pub mod kafka;
pub mod key;
pub mod message;
pub mod moment;
pub mod names;
pub mod page;
pub mod param;
pub mod payload;
pub mod peer;
pub mod permissions;
pub mod policy;
pub mod query;
pub mod replaced;
pub mod run;
pub mod secret;
pub mod shown;
pub mod sql;
pub mod term;
