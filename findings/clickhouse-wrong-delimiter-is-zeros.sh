#!/usr/bin/env bash
# ClickHouse 26.9 (chdb 4.4.0): a CSV with names and another delimiter gives the right number of rows, all of them zero.
#
# One would expect: a declared column that the header does not have is an error, at least where none of them is there; the
#   same file without names is refused at its first row.
# What happens: the header `id;amount` is one unknown name. Unknown names are skipped by default, missing columns get their
#   default, and nothing is left to parse: `1;10.5` becomes 0, 0. count(*) is right, sum is 0, inserts succeed. A line of
#   another kind above the names (`3,2`) does the same to every row behind it.
# Why it matters: semicolons come from every European spreadsheet; a check of row counts passes.
# Safely: input_format_skip_unknown_fields = 0 (then it is refused, with the name), or compare a control total.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install chdb==4.4.0
printf 'id;amount\n1;10.5\n2;20.5\n' > semicolons.csv
printf '3,2\nid,amount\n1,10.5\n2,20.5\n' > counted.csv
tail -n +2 semicolons.csv > bare.csv
venv/bin/python - <<'PY'
import chdb

print("chdb", chdb.__version__, "ClickHouse", str(chdb.query("SELECT version()", "TabSeparated")).strip())

def ask(what, name, form="CSVWithNames", settings=""):
    query = f"SELECT {what} FROM file('{name}', '{form}', 'id Int32, amount Decimal(10,2)'){settings}"
    try:
        got = str(chdb.query(query, "CSV")).split()
    except Exception as error:
        got = "refused: " + str(error).split("DB::Exception: ")[1].splitlines()[0]
    print(f"  {query}\n    {got}")
    return got

assert ask("*", "semicolons.csv") == ["0,0", "0,0"]
assert ask("count(*), sum(amount)", "semicolons.csv") == ["2,0"]
assert ask("*", "counted.csv") == ["0,0", "0,0", "0,0"]
assert ask("*", "bare.csv", "CSV").startswith("refused")
assert "id;amount" in ask("*", "semicolons.csv", settings=" SETTINGS input_format_skip_unknown_fields = 0")
assert ask("sum(amount)", "semicolons.csv", settings=" SETTINGS format_csv_delimiter = ';'") == ["31"]
print("seen: rows of zeros, as many as there should be")
PY
