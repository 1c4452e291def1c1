#!/usr/bin/env bash
# rpgp 0.21.0 (crate `pgp`): of two armored certificates in one file, `from_armor_many` and `from_reader_many` give the first, without a word.
#
# One would expect: "many" gives all certificates of a file, as gpg does, and as the same calls do for the same two in binary.
# What happens: reading ends at the first `-----END PGP PUBLIC KEY BLOCK-----`. What follows is neither given nor an error.
# Why it matters: recipients gathered with `cat alice.asc bob.asc > partners.asc` look configured, and whoever stands second
#   cannot open a file that is encrypted to "all of partners.asc"; nothing fails on the sender's side.
# Safely: cut the text at its blocks and read each; or take binary certificates; and count what was read.
set -euo pipefail
work=$(mktemp -d)
trap 'gpgconf --homedir "$work/home" --kill gpg-agent 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
command -v gpg >/dev/null || { echo "needs Debian's gnupg" >&2; exit 2; }
mkdir -m 700 home src
for who in first second; do
  gpg --homedir home --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key "$who@example.org" future-default default never
  gpg --homedir home --armor --export "$who@example.org" >> both.asc
  gpg --homedir home --export "$who@example.org" >> both.gpg
done
gpg=$(gpg --homedir home --show-keys --with-colons both.asc 2>/dev/null | grep -c '^pub')
cat > Cargo.toml <<'TOML'
[package]
name = "blocks"
version = "0.1.0"
edition = "2021"

[dependencies]
pgp = { version = "=0.21.0", default-features = false }
TOML
cat > src/main.rs <<'RUST'
use pgp::composed::{Deserializable, SignedPublicKey};

fn main() {
    let bytes = |name: &str| std::fs::read(name).expect("it was written");
    let armored = bytes("both.asc");
    let (keys, _) = SignedPublicKey::from_armor_many(&armored[..]).expect("it is armored");
    let by_armor = keys.filter_map(Result::ok).count();
    let (keys, _) = SignedPublicKey::from_reader_many(&armored[..]).expect("it is read");
    let by_reader: Vec<bool> = keys.map(|key| key.is_ok()).collect();
    let binary = bytes("both.gpg");
    let (keys, _) = SignedPublicKey::from_reader_many(&binary[..]).expect("it is read");
    println!("{by_armor} {} {} {}", by_reader.len(), by_reader.iter().all(|ok| *ok), keys.filter_map(Result::ok).count());
}
RUST
seen=$(cargo run --quiet 2>build.log) || { cat build.log >&2; exit 2; }
echo "$(gpg --version | head -1): $gpg certificates in both.asc"
echo "pgp 0.21.0: from_armor_many, from_reader_many of the same file, all without an error, and from_reader_many of the same two in binary: $seen"
[ "$gpg $seen" = "2 1 1 true 2" ] || { echo "it behaves otherwise now" >&2; exit 1; }
