//! Any bytes as an event of a change of a data source.
#![no_main]

#[allow(dead_code, reason = "each target holds one of the claims")]
#[path = "../claims.rs"]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::change_event(bytes));
