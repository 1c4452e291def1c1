//! Any bytes as an entry of the queue of dead letters.
#![no_main]

#[allow(dead_code, reason = "each target holds one of the claims")]
#[path = "../claims.rs"]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::dead_letter(bytes));
