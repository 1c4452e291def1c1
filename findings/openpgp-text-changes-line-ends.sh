#!/usr/bin/env bash
# OpenPGP.js 6.3.2 and GnuPG 2.2: a file that was only packed and unpacked has other line ends, and so another digest.
#
# One would expect: what comes out of decryption is what went in, byte for byte; integrity protection vouches for it.
# What happens: a message says of itself whether it is text, and each program has its own idea of text.
#   packed as binary by gpg (CRLF file): OpenPGP.js reads it with LF, for `format: 'utf8'` is its default.
#   packed by OpenPGP.js from a string with LF: gpg gives LF, OpenPGP.js with `format: 'binary'` CRLF.
#   packed by OpenPGP.js from a string with CRLF: gpg gives LF, and drops a CR at the end of the file.
#   packed by `gpg --textmode`: the same as the string.
#   Each time the exit code is 0 and the integrity check passes.
# Why it matters: size and SHA-256 of a delivered file differ from the manifest's, fixed-width records are a byte shorter,
#   and it depends on which program the partner uses that day.
# Safely: pack with createMessage({binary}) and without --textmode, unpack with `format: 'binary'`; put the digest of the
#   content beside the file, not of the packed one.
set -euo pipefail
work=$(mktemp -d)
trap 'GNUPGHOME="$work/home" gpgconf --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
command -v gpg > /dev/null || { echo "needs GnuPG (Debian: gnupg)"; exit 1; }
mkdir -m 700 home
echo '{"private": true, "type": "module"}' > package.json
npm install --silent --no-audit --no-fund openpgp@6.3.2
cat > ends.mjs <<'JS'
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as openpgp from 'openpgp';

const secret = 'secret';
const gpg = (...args) => execFileSync('gpg', ['--batch', '--quiet', '--yes', '--no-tty', '--pinentry-mode', 'loopback',
  '--passphrase', secret, ...args], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, GNUPGHOME: 'home' } });
console.log('OpenPGP.js', JSON.parse(readFileSync('node_modules/openpgp/package.json')).version, '-',
  gpg('--version').toString().split('\n')[0]);

const js = message => openpgp.encrypt({ message, passwords: [secret], format: 'binary' });
const packers = {
  'gpg -c': bytes => { writeFileSync('in', bytes); return gpg('-c', '-o', '-', 'in'); },
  'gpg -c --textmode': bytes => { writeFileSync('in', bytes); return gpg('-c', '--textmode', '-o', '-', 'in'); },
  'OpenPGP.js binary': async bytes => js(await openpgp.createMessage({ binary: bytes })),
  'OpenPGP.js text': async bytes => js(await openpgp.createMessage({ text: bytes.toString() })),
};
const unpack = async (packed, options) => Buffer.from((await openpgp.decrypt({
  message: await openpgp.readMessage({ binaryMessage: packed }), passwords: [secret], ...options })).data);
const readers = {
  'gpg -d': packed => { writeFileSync('packed', packed); return gpg('-d', 'packed'); },
  'OpenPGP.js, default': packed => unpack(packed, {}),
  "OpenPGP.js, 'binary'": packed => unpack(packed, { format: 'binary' }),
};
const ends = { LF: Buffer.from('id,amount\n1,2.50\n'), CRLF: Buffer.from('id,amount\r\n1,2.50\r\n') };
const named = bytes => Object.keys(ends).find(name => ends[name].equals(bytes)) ?? JSON.stringify(bytes.toString());
const seen = {};
for (const [packer, pack] of Object.entries(packers)) for (const [name, bytes] of Object.entries(ends)) {
  const packed = Buffer.from(await pack(bytes));
  const row = [];
  for (const read of Object.values(readers)) row.push(named(Buffer.from(await read(packed))));
  seen[`${packer}, ${name}`] = row;
  console.log(`${packer.padEnd(18)} ${name.padEnd(4)} -> ${Object.keys(readers).map((r, i) => `${r}: ${row[i]}`).join('; ')}`);
}
assert.deepEqual(seen, {
  'gpg -c, LF': ['LF', 'LF', 'LF'],
  'gpg -c, CRLF': ['CRLF', 'LF', 'CRLF'],
  'gpg -c --textmode, LF': ['LF', 'LF', 'CRLF'],
  'gpg -c --textmode, CRLF': ['LF', 'LF', 'CRLF'],
  'OpenPGP.js binary, LF': ['LF', 'LF', 'LF'],
  'OpenPGP.js binary, CRLF': ['CRLF', 'LF', 'CRLF'],
  'OpenPGP.js text, LF': ['LF', 'LF', 'CRLF'],
  'OpenPGP.js text, CRLF': ['LF', 'LF', 'CRLF'],
});
const cut = readers['gpg -d'](await packers['OpenPGP.js text'](Buffer.from('last line\r')));
console.log('OpenPGP.js text, a CR at the end -> gpg -d:', JSON.stringify(cut.toString()));
assert.equal(cut.toString(), 'last line');
console.log('seen: only binary at both ends keeps the bytes');
JS
node ends.mjs
