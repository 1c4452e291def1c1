#!/usr/bin/env bash
# polars 2.1.0: digits beyond a Decimal's scale are rounded half to even without a word, in read_csv and in a strict cast.
#
# One would expect: 1.225 in a column named Decimal(12, 2) is an error, as 1.5 is in a column named Int64 and as too many digits
#   before the point are; or it is rounded as SQL rounds, to 1.23.
# What happens: 1.225 becomes 1.22, 1.235 becomes 1.24 and -0.005 becomes 0.00. `cast(strict=True)` and `str.to_decimal` do the
#   same. DuckDB, read into the same type, gives 1.23 and -0.01: the two loads of one file differ by a cent a row.
# Why it matters: a control total that is right in the database is wrong in the frame, by amounts that look like rounding.
# Safely: give the column the file's own scale; round by your own rule afterwards.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install polars==2.1.0 duckdb==2.0.1

venv/bin/python - <<'PY'
import duckdb, polars

print("polars", polars.__version__, "duckdb", duckdb.__version__)
values = ["1.225", "1.235", "-0.005", "1.239"]
with open("amounts.csv", "w") as f:
    f.write("id,d\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values)))

def texts(column):
    return [str(value) for value in column]

money = polars.Decimal(12, 2)
read = texts(polars.read_csv("amounts.csv", schema={"id": polars.Int64, "d": money})["d"])
cast = texts(polars.Series(values).cast(money, strict=True))
parsed = texts(polars.Series(values).str.to_decimal(scale=2))
columns = "{'id': 'INT', 'd': 'DECIMAL(12, 2)'}"
other = [str(row[0]) for row in duckdb.sql(f"SELECT d FROM read_csv('amounts.csv', columns = {columns})").fetchall()]
for name, got in [("in the file", values), ("read_csv", read), ("strict cast", cast), ("to_decimal", parsed), ("DuckDB", other)]:
    print(f"{name:12} {got}")
assert read == cast == parsed == ["1.22", "1.24", "0.00", "1.24"]
assert other == ["1.23", "1.24", "-0.01", "1.24"]
for kind, value in [(polars.Int64, "1.5"), (money, "12345678901.00")]:
    with open("wrong.csv", "w") as f:
        f.write(f"id,d\n1,{value}\n")
    try:
        polars.read_csv("wrong.csv", schema={"id": polars.Int64, "d": kind})
        raise SystemExit(f"{value} is taken as {kind}")
    except polars.exceptions.ComputeError as error:
        print(f"{value} as {kind}: {str(error).splitlines()[0]}")
print("seen: rounded half to even, without a word")
PY
