//! The only place that names a client crate: one file or folder per outside system.
pub mod disk;
pub mod drill;
pub mod event_file;
pub mod faults;
pub mod host;
pub mod kafka;
pub mod layer;
pub mod local_state;
pub mod memory;
pub mod mongo;
pub mod postgres;
pub mod sql;
pub mod sqlite;
pub mod sqlite_queue;
pub mod sqlite_sink;
pub mod sqlserver;
pub mod system_clock;
mod tls;
