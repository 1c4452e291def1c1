//! The one integration-test binary.
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no outside")]

mod cli;
mod containers;
mod contract;
mod crash;
mod daemon;
mod deliver;
mod examples;
mod flow;
mod fuzz_corpus;
mod ingest;
mod kafka;
mod model;
mod mongo;
mod postgres;
mod proofs;
mod readers;
mod second_process;
mod security;
mod sqlserver;
mod support;
#[path = "../servers/tds/mod.rs"]
mod tds;
mod tidy;
mod transfer;
