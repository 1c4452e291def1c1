#!/usr/bin/env bash
# DuckDB 2.0.1: a cast in the SELECT list changes what is read from a CSV whose column types are declared.
#
# One would expect: `columns = {'id': 'INT', ...}` says what each field is; `id::VARCHAR` is the text of that number, as it is
#   for a table or another file format, and as it was up to 1.5.0.
# What happens: where a column is used in nothing but a cast, the cast moves into the reader, which then never parses the
#   declared type. 007 declared as INT comes as '007' and not as '7'; 05/01/2026 with its dateformat as '05/01/2026' and not as
#   '2026-01-05'; 1.005 declared as DECIMAL(10,2) as 1.0050 and not as 1.0100. "not a date" in a DATE column passes without an
#   error. Naming the column once more, in the list, brings the declared reading back. A view hides all of it.
# Why it matters: the export query that casts everything to text is the one that skips the check, and the same view joined
#   on `id::VARCHAR` finds other partners depending on what else is selected.
# Safely: load into a table with the declared types first, then cast.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv now
python3 -m venv before
now/bin/pip -q install duckdb==2.0.1
before/bin/pip -q install duckdb==1.5.0

printf 'id,amount,day\n1,1.005,05/01/2026\n007,2.50,06/01/2026\n' > rows.csv
printf 'id,day\n1,2026-02-30\n2,not a date\n' > bad.csv
cat > look.py <<'PY'
import duckdb, sys

new = sys.argv[1] == "now"
con = duckdb.connect()
print("duckdb", duckdb.__version__)
con.execute("""CREATE VIEW v AS SELECT * FROM read_csv('rows.csv', header = true, dateformat = '%d/%m/%Y',
  columns = {'id': 'INT', 'amount': 'DECIMAL(10,2)', 'day': 'DATE'})""")

def ask(query, expected):
    try:
        got = [tuple(map(str, row)) for row in con.execute(query).fetchall()]
    except duckdb.ConversionException as error:
        got = "refused: " + str(error).splitlines()[2]
    print(f"  {query}\n    {got}")
    assert got == expected, expected

declared = [("1", "1.01", "2026-01-05"), ("7", "2.50", "2026-01-06")]
ask("SELECT * FROM v", declared)
ask("SELECT id::VARCHAR, amount::DECIMAL(12,4), day::VARCHAR FROM v",
    [("1", "1.0050", "05/01/2026"), ("007", "2.5000", "06/01/2026")] if new
    else [("1", "1.0100", "2026-01-05"), ("7", "2.5000", "2026-01-06")])
ask("SELECT id::VARCHAR, id FROM v", [("1", "1"), ("7", "7")])
ask("SELECT id::VARCHAR FROM v WHERE id = 7", [("7",)])
bad = "FROM read_csv('bad.csv', header = true, columns = {'id': 'INT', 'day': 'DATE'})"
refused = "refused: Error when converting column \"day\". Could not convert string \"2026-02-30\" to 'DATE'"
ask(f"SELECT day {bad}", refused)
ask(f"SELECT day::VARCHAR {bad}", [("2026-02-30",), ("not a date",)] if new else refused)
con.execute("CREATE TABLE t AS SELECT * FROM v")
ask("SELECT id::VARCHAR, amount::DECIMAL(12,4) FROM t", [("1", "1.0100"), ("7", "2.5000")])
PY
before/bin/python look.py before
now/bin/python look.py now
echo "seen: the declared types hold only while no cast stands alone"
