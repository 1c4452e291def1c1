//! What tests share.

pub mod again;
pub mod broker;
pub mod browser;
pub mod chance;
pub mod containers;
pub mod daemon;
pub mod filegen;
pub mod fleet;
pub mod foreign;
pub mod gnupg;
pub mod http;
pub mod hung;
pub mod kafka;
pub mod mongo;
pub mod nats;
pub mod nfs;
pub mod openapi;
pub mod otel;
pub mod outbox;
pub mod own;
pub mod ports;
pub mod postgres;
pub mod redis;
pub mod running;
pub mod s3;
pub mod sftp;
pub mod size;
pub mod source;
pub mod sqlserver;
pub mod state;
pub mod syscalls;
pub mod tls;
pub mod toxiproxy;

use ::filegen::core::model::term::{Term, Token};
use std::sync::Arc;
use std::time::Duration;

/// A term that lasts for the whole test.
pub fn term(token: u64) -> Term {
    Term::new(Token(token), Duration::from_secs(1), Arc::new(|| Duration::ZERO))
}
