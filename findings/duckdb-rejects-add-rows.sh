#!/usr/bin/env bash
# DuckDB 2.0.1: asked to set bad rows aside, its CSV reader adds rows that are in no file.
#
# One would expect: in a file without one faulty row, `store_rejects` and `ignore_errors` change nothing.
# What happens: a text column holds small tables of its own (quoted, with line breaks, as RFC 4180 has it).
#   The reader starts in the middle of the file and guesses where a row begins. Lines inside the quotes look
#   like rows, so they are read as rows, with one thread too. Without an option this ends in an error that asks
#   for `parallel = false`. With `store_rejects` or `ignore_errors` the query succeeds: 42 rows too many, and
#   a sum that is too high; they come out of the quoted text.
# Why it matters: whoever loads "all but the bad rows" of a delivered file books amounts that nobody sent.
# Safely: `parallel = false` gives the exact rows; compare the count with the file's trailer or manifest.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install duckdb==2.0.1

venv/bin/python - <<'PY'
import csv, duckdb

ROWS, INNER = 100_000, 20
with open("notes.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["id", "amount", "note"])
    for i in range(ROWS):
        note = "\n".join(f"{j},{j * 3},line {j} of {i}" for j in range(INNER))
        out.writerow([i, i * 7, note])

with open("notes.csv", newline="") as f:  # the file is whole: Python's reader as witness
    rows = list(csv.reader(f))[1:]
truth = (len(rows), sum(int(r[1]) for r in rows))
assert truth == (ROWS, 7 * ROWS * (ROWS - 1) // 2) and {len(r) for r in rows} == {3}

print("duckdb", duckdb.__version__)
print(f"{'in the file':38} rows, sum = {truth}")

def read(options, threads):
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    try:
        got = con.execute(f"SELECT count(*), sum(amount) FROM read_csv('notes.csv'{options})").fetchone()
    except duckdb.Error as e:
        got = "error: " + str(e).split("(")[0].strip()
    print(f"threads {threads}{options or ', no option':30} {got}")
    return got

for threads in (1, 2):
    assert "Parallel CSV Reader currently does not support" in str(read("", threads))
    assert read(", parallel = false", threads) == truth
    for option in (", ignore_errors = true", ", store_rejects = true"):
        got = read(option, threads)
        assert got[0] > truth[0] and got[1] > truth[1], "the phantom rows are gone"
        assert read(option + ", parallel = false", threads) == truth
print("seen: rows out of quoted text, only under ignore_errors and store_rejects")
PY
