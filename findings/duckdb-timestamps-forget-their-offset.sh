#!/usr/bin/env bash
# DuckDB 2.0.1: text with an offset becomes another TIMESTAMP than in 1.3.2: +02:00 is dropped, not converted to UTC.
#
# One would expect: a new release keeps what a cast means, or refuses it; an offset that cannot be kept is an error.
# What happens: '2026-03-29T01:30:00+02:00'::TIMESTAMP is 2026-03-28 23:30:00 in 1.3.2 and 2026-03-29 01:30:00 since 1.4.4, and
#   the same in read_csv with a column declared TIMESTAMP. Four rows that name three instants in 1.3.2 become one value. No
#   error, no warning; the count and the column's type agree. Undeclared, the column is a TIMESTAMP WITH TIME ZONE in both.
# Why it matters: an upgrade moves booking times by hours, and days at midnight; files written in two zones mix.
# Safely: declare TIMESTAMPTZ where the file has offsets, then `AT TIME ZONE 'UTC'`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv before
python3 -m venv now
before/bin/pip -q install duckdb==1.3.2 pytz==2026.1
now/bin/pip -q install duckdb==2.0.1 pytz==2026.1

printf 'id,ts\n1,2026-03-29T01:30:00+02:00\n2,2026-03-29T01:30:00-05:00\n3,2026-03-29T01:30:00Z\n4,2026-03-29 01:30:00\n' > times.csv
cat > look.py <<'PY'
import duckdb, sys

new = sys.argv[1] == "now"
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
print("duckdb", duckdb.__version__)

def ask(query, expected):
    got = [str(row[0]) for row in con.execute(query).fetchall()]
    print(f"  {query}\n    {got}")
    assert got == expected, expected

ask("SELECT '2026-03-29T01:30:00+02:00'::TIMESTAMP", ["2026-03-29 01:30:00" if new else "2026-03-28 23:30:00"])
declared = "FROM read_csv('times.csv', header = true, columns = {'id': 'INT', 'ts': '%s'})"
ask("SELECT ts " + declared % "TIMESTAMP",
    ["2026-03-29 01:30:00"] * 4 if new
    else ["2026-03-28 23:30:00", "2026-03-29 06:30:00", "2026-03-29 01:30:00", "2026-03-29 01:30:00"])
ask("SELECT count(DISTINCT ts) " + declared % "TIMESTAMP", ["1" if new else "3"])
ask("SELECT count(DISTINCT ts) " + declared % "TIMESTAMPTZ", ["3"])
ask("SELECT DISTINCT typeof(ts) FROM read_csv('times.csv')", ["TIMESTAMP WITH TIME ZONE"])
PY
before/bin/python look.py before
now/bin/python look.py now
echo "seen: the same cast names another instant"
