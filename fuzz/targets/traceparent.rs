//! Any bytes as what a message says of its trace.
#![no_main]

#[allow(dead_code, reason = "each target holds one of the claims")]
#[path = "../claims.rs"]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::traceparent(bytes));
