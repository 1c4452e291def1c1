#!/usr/bin/env bash
# DuckDB 2.0.1: in JSON lines, a column that is null in the first 20,480 lines stays NULL to the end.
#
# One would expect: a late value makes an error, as a late new key does ("has unknown key"), or is read as text.
# What happens: the column gets the type "NULL", and every later value (text, number, object, list element) is
#   read as NULL. No error, no warning. A key that is missing in the first lines is refused, a key that is there
#   with null is emptied: the more careful writer loses.
# Why it matters: rare fields (a cancel date, a dispute note) are null for the first tens of thousands of lines.
# Safely: name the columns (`columns = {...}`), or `sample_size = -1`; check that no column has the type "NULL".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install duckdb==2.0.1

venv/bin/python - <<'PY'
import duckdb, json

print("duckdb", duckdb.__version__)
con = duckdb.connect()
N = 30_000

def write(name, early, value):
    with open(name, "w") as f:
        for i in range(N):
            f.write(json.dumps({"id": i} | early) + "\n")
        for i in range(5):
            f.write(json.dumps({"id": N + i, "note": value}) + "\n")

def filled(name, options=""):
    try:
        got = con.execute(f"SELECT count(note) FROM read_json('{name}'{options})").fetchone()[0]
    except duckdb.Error as e:
        got = "error: " + str(e).splitlines()[0]
    print(f"{name}{options}: notes that are not null: {got}")
    return got

for value in ("disputed", 12.5, {"code": 7}, True):
    write("null.jsonl", {"note": None}, value)
    print("late value", json.dumps(value), "in 5 lines")
    assert filled("null.jsonl") == 0
    assert filled("null.jsonl", ", sample_size = -1") == 5
assert con.execute("SELECT typeof(note) FROM read_json('null.jsonl') LIMIT 1").fetchone()[0] == '"NULL"'
write("missing.jsonl", {}, "disputed")
write("list.jsonl", {"note": [None]}, ["x"])
got = con.execute("SELECT DISTINCT note[1] FROM read_json('list.jsonl')").fetchall()
print("a list's late element:", got)
assert got == [(None,)]
try:
    con.execute("SELECT * FROM read_json('missing.jsonl')").fetchall()
    raise SystemExit("a late key is no longer refused")
except duckdb.Error as e:
    print("a late key:", str(e).splitlines()[0][:110])
print("seen: late values of an all-null column are read as NULL")
PY
