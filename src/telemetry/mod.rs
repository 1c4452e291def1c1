//! What is said about the work while it is done: logs.

pub mod log;
