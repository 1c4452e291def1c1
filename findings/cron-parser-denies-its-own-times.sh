#!/usr/bin/env bash
# cron-parser 5.10.6 (npm): on the nights of a clock change, prev() denies times that next() gave, and the reverse.
#
# One would expect: an expression in a zone is one set of times; prev() walks over the same times as next(), backwards.
# What happens, in Berlin: `0 30 2 * * *` on 29 March 2026, where 02:30 does not exist: next() fires at 03:30 summer
#   time, prev() knows no time that day. On 25 October, where 02:30 comes twice: next() fires in the first pass only,
#   prev() lists both. `0 15 1-3 * * *` is 3 times that day forwards, 4 times backwards. In every other week both agree.
# Why it matters: a catch-up after a restart asks prev() "when should this have run last?" and compares with the ledger:
#   it runs the job once more in autumn, and takes the run of March for one that was never due.
# Safely: find the last due time by next() from a day earlier; or evaluate in UTC; test both nights both ways.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true, "type": "module"}' > package.json
npm install --silent --no-audit --no-fund cron-parser@5.10.6
cat > both.mjs <<'JS'
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { CronExpressionParser } from 'cron-parser';

const version = JSON.parse(readFileSync('node_modules/cron-parser/package.json')).version;
console.log(`cron-parser ${version}, node ${process.version}, Europe/Berlin (times in UTC)`);

/** All times within [from, to) by next() and by prev(). */
function both(expression, from, to) {
  const [start, end] = [new Date(from), new Date(to)];
  const zone = { tz: 'Europe/Berlin' };
  const forward = [], backward = [];
  let it = CronExpressionParser.parse(expression, { ...zone, currentDate: new Date(start - 1000) });
  for (let t = it.next().toDate(); t < end; t = it.next().toDate()) forward.push(t.toISOString().slice(5, 16));
  it = CronExpressionParser.parse(expression, { ...zone, currentDate: end });
  for (let t = it.prev().toDate(); t >= start; t = it.prev().toDate()) backward.unshift(t.toISOString().slice(5, 16));
  console.log(`${expression}, ${from.slice(0, 10)} and the day after\n  next(): ${forward.join(' ')}\n  prev(): ${backward.join(' ')}`);
  return [forward, backward];
}

const week = both('0 30 2 * * *', '2026-05-01T22:00:00Z', '2026-05-03T22:00:00Z');
assert.deepEqual(week[0], week[1]);
const spring = both('0 30 2 * * *', '2026-03-28T23:00:00Z', '2026-03-30T22:00:00Z');
assert.deepEqual(spring, [['03-29T01:30', '03-30T00:30'], ['03-30T00:30']]);
const autumn = both('0 30 2 * * *', '2026-10-24T22:00:00Z', '2026-10-26T23:00:00Z');
assert.deepEqual(autumn, [['10-25T00:30', '10-26T01:30'], ['10-25T00:30', '10-25T01:30', '10-26T01:30']]);
const hours = both('0 15 1-3 * * *', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z');
assert.deepEqual([hours[0].length, hours[1].length], [3, 4]);
console.log('seen: two sets of times for one expression');
JS
node both.mjs
