#!/usr/bin/env bash
# flate2 1.1.11 (Rust): a dependency elsewhere changes the bytes of every .gz, and then the cuts of the writes do too.
#
# One would expect: the same text at the same level gives the same .gz from one locked version of flate2.
# What happens: Cargo unifies features. A crate that asks for flate2 with zlib-rs (the OpenPGP crate `pgp` does) switches
#   the backend of the whole program: other bytes and at level 1 a third more of them, with no own line changed.
#   With zlib-rs the bytes at levels 1 and 6 also depend on how the writes were cut: pieces of 1,000 bytes, pieces of
#   65,536 bytes and one write give three files. The default backend gave one file for all three.
# Why it matters: checksums in manifests, "is the file the same as yesterday", resuming a half-sent .gz after a restart.
# Safely: hash what is inside; to resume, keep the finished bytes; where bytes must agree, pin one backend by name,
#   cut the input into blocks of one size before the encoder, and let a test hold a known file's hash.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p job/src other/src
cat > Cargo.toml <<'TOML'
[workspace]
members = ["job", "other"]
resolver = "2"
TOML
cat > other/Cargo.toml <<'TOML'
[package]
name = "other"
version = "0.1.0"
edition = "2021"

[dependencies]
flate2 = { version = "=1.1.11", features = ["zlib-rs"] }
TOML
echo '//! A dependency that wants flate2 with zlib-rs for itself.' > other/src/lib.rs
cat > job/Cargo.toml <<'TOML'
[package]
name = "job"
version = "0.1.0"
edition = "2021"

[features]
with-other = ["dep:other"]

[dependencies]
flate2 = "=1.1.11"
other = { path = "../other", optional = true }
TOML
cat > job/src/main.rs <<'RUST'
use flate2::{write::GzEncoder, Compression};
use std::io::Write;

/// FNV-1a, enough to tell bytes apart.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf29ce484222325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100000001b3))
}

fn main() {
    let mut text = Vec::new();
    for i in 0u64..200_000 {
        let amount = i.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407) >> 40;
        writeln!(text, "{i},customer {},{}.{:02}", amount % 5000, amount / 100, amount % 100).unwrap();
    }
    for level in [1, 6, 9] {
        let mut found = vec![];
        for cut in [text.len(), 65_536, 1_000] {
            let mut gz = GzEncoder::new(Vec::new(), Compression::new(level));
            for piece in text.chunks(cut) {
                gz.write_all(piece).unwrap();
            }
            let gz = gz.finish().unwrap();
            found.push(format!("{} bytes {:016x}", gz.len(), hash(&gz)));
        }
        println!("level {level} | at once {} | cuts of 65,536 {} | cuts of 1,000 {}", found[0], found[1], found[2]);
    }
}
RUST
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1
echo "flate2 1.1.11 by itself:"
cargo run -q -p job | tee alone
echo "the same source, beside a crate that asks for zlib-rs:"
cargo run -q -p job --features with-other | tee beside

python3 - <<'PY'
def read(name):
    rows = [line.strip().split(" | ") for line in open(name)]
    return {r[0]: [c.split(" bytes ")[1] for c in r[1:]] for r in rows}
alone, beside = read("alone"), read("beside")
for level in alone:
    assert alone[level][0] != beside[level][0], f"{level}: the backends agree now"
depends = lambda found: [level for level, hashes in found.items() if len(set(hashes)) > 1]
print("bytes depend on the cuts: alone", depends(alone), "- beside zlib-rs", depends(beside))
assert depends(alone) == [] and depends(beside) == ["level 1", "level 6"]
print("seen: other bytes through another crate, and through the cuts of the writes")
PY
