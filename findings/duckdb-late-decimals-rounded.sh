#!/usr/bin/env bash
# DuckDB 2.0.1: a value that no longer fits the guessed type is bent to it, not refused, when it comes late.
#
# One would expect: a column is taken for whole numbers after a look at the first 20,480 rows; a decimal further
#   down is an error, as a word is, or at least a reject.
# What happens: 1.5 becomes 2 and -0.4 becomes 0 without a word; in a DATE column the time of day is cut off; in
#   a TIMESTAMP column the offset is dropped, so 13:00+05:00 becomes 13:00 (it is 08:00 UTC). `store_rejects`
#   records nothing. `sample_size = -1` mends the decimals, but not the offset.
# Why it matters: a day's file of 60,000 whole amounts and one with cents adds up wrong, and only then.
# Safely: name the columns' types (TIMESTAMPTZ reads the offset), or `all_varchar = true` and cast by your own rules;
#   a column named BIGINT still rounds, so name amounts DECIMAL.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install duckdb==2.0.1

venv/bin/python - <<'PY'
import datetime as dt, duckdb

print("duckdb", duckdb.__version__)
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
N = 60_000

def late(name, early, value, options=""):
    """The last row of a file with N rows of `early` and one of `value`."""
    with open(name, "w") as f:
        f.write("id,v\n" + "".join(f"{i},{early}\n" for i in range(N)) + f"{N},{value}\n")
    rel = f"read_csv('{name}'{options})"
    try:
        got = con.execute(f"SELECT v FROM {rel} WHERE id = {N}").fetchone()[0]
    except duckdb.Error as e:
        got = "error: " + str(e).splitlines()[0]
    print(f"{N} x {early}, then {value}{options}: {got!r}")
    return got

assert "error" in late("word.csv", 5, "abc")
assert late("cents.csv", 5, "1.5") == 2
assert late("small.csv", 5, "-0.4") == 0
assert late("cents.csv", 5, "1.5", ", store_rejects = true") == 2
rejects = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone()[0]
if rejects:
    rejects = con.execute("SELECT count(*) FROM reject_errors").fetchone()[0]
print("rejects recorded:", rejects)
assert rejects == 0
assert float(late("cents.csv", 5, "1.5", ", sample_size = -1")) == 1.5
assert late("day.csv", "2024-01-01", "2024-01-02 13:00:00") == dt.date(2024, 1, 2)
assert late("zone.csv", "2024-01-01 10:00:00", "2024-01-02 13:00:00+05:00") == dt.datetime(2024, 1, 2, 13)
# Here even a look at the whole file keeps the column a timestamp without zone and drops the offset.
whole = late("zone.csv", "2024-01-01 10:00:00", "2024-01-02 13:00:00+05:00", ", sample_size = -1")
assert whole == dt.datetime(2024, 1, 2, 13)
named = late("zone.csv", "2024-01-01 10:00:00", "2024-01-02 13:00:00+05:00",
             ", types = {'v': 'TIMESTAMPTZ'}")
assert named.astimezone(dt.timezone.utc) == dt.datetime(2024, 1, 2, 8, tzinfo=dt.timezone.utc)
print("seen: late decimals rounded, times and offsets cut off, nothing rejected")
PY
