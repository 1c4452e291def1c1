//! Any bytes as a content that a transfer holds against a JSON Schema.
#![no_main]

#[allow(dead_code, reason = "each target holds one of the claims")]
#[path = "../claims.rs"]
mod claims;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claims::json_check(bytes));
