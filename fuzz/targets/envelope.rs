//! Any bytes as the envelope of a file.
#![no_main]

#[allow(dead_code, reason = "each target holds one of the claims")]
#[path = "../claims.rs"]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::envelope(bytes));
